//! One table of cases over two plugins that have nothing in common but the contract: Salesforce with the local org, and `tiny-crm`
//! with an invented CRM (two objects, an API key, pipelines, field names in kana). Nothing in the host is made for either.

mod bed;
mod cases;
mod host_knows_neither;
mod ledger;
mod tiny;
mod worker;

use anyhow::Result;
use bed::PLUGINS;

#[tokio::test]
async fn every_case_holds_for_both_plugins() -> Result<()> {
    let mut table: Vec<[String; 3]> = Vec::new();
    let mut failed = 0;
    for plugin in PLUGINS {
        macro_rules! run {
            ($($case:ident,)+) => {
                $(
                    let outcome = cases::$case(plugin).await.unwrap_or_else(|error| {
                        failed += 1;
                        format!("FAILED: {error:#}")
                    });
                    table.push([stringify!($case).replace('_', " "), plugin.to_owned(), outcome]);
                )+
            };
        }
        run!(connect, deliver, repeat, lost_reply, refusal, moving, cancelling, unknown_kind, preview, check,);
    }
    table.sort_by(|one, other| one[0].cmp(&other[0]).then(one[1].cmp(&other[1])));
    for [case, plugin, outcome] in &table {
        println!("{case:<13} {plugin:<17} {outcome}");
    }
    assert_eq!(failed, 0, "see the table");
    Ok(())
}
