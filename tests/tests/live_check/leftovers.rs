//! No test Lead is left in an org unreported.

use crate::support::{By, Checked, differing};
use anyhow::{Context as _, Result};
use salesforce_live_check::{Ending, Outcome, StepReport, Summary};
use salesforce_local_org::{Fault, OrgFile};
use serde_json::Value;

/// The step before the plugin creates its first Lead.
const BEFORE_CREATE: &str = "refusal-invented-token";

/// Runs the steps, with a fault added after step `from`.
async fn check_with_fault(file: OrgFile, from: &str, fault: Fault) -> Result<(Checked, Summary)> {
    let checked = Checked::start(file, By::App).await?;
    let org = checked.org.org().clone();
    let summary = checked
        .check_with(Ending::Revoke, |step| {
            if step.id == from {
                org.add_fault(fault.clone());
            }
        })
        .await?;
    Ok((checked, summary))
}

fn step<'s>(summary: &'s Summary, id: &str) -> Result<&'s StepReport> {
    summary.steps.iter().find(|step| step.id == id).with_context(|| id.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_whose_reply_was_lost_is_found_and_deleted() -> Result<()> {
    for hidden in [&[][..], &["Email"]] {
        let mut file = OrgFile::enterprise()?;
        file.hidden_fields = hidden.iter().map(|name| (*name).to_owned()).collect();
        let lost = Fault::drop_after_commit().on("POST", "*/sobjects/Lead");
        let (checked, summary) = check_with_fault(file, BEFORE_CREATE, lost).await?;
        assert_eq!(step(&summary, "create")?.outcome, Outcome::Differs, "hidden: {hidden:?}");
        let deleted = step(&summary, "delete")?;
        assert_eq!(deleted.outcome, Outcome::AsExpected, "hidden: {hidden:?}: {deleted:?}");
        assert_eq!(checked.org.org().leads(), Vec::<Value>::new(), "hidden: {hidden:?}");
        assert_eq!((summary.left_behind.len(), summary.unanswered), (0, 0), "hidden: {hidden:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_create_that_may_still_be_carried_out_is_reported() -> Result<()> {
    let lost = Fault::drop_before_commit().on("POST", "*/sobjects/Lead");
    let (checked, summary) = check_with_fault(OrgFile::enterprise()?, BEFORE_CREATE, lost).await?;
    assert_eq!(summary.unanswered, 1);
    let deleted = step(&summary, "delete")?;
    assert_eq!(deleted.outcome, Outcome::Differs);
    assert!(deleted.remedy.is_some_and(|remedy| remedy.contains("10 minutes")), "{deleted:?}");
    assert_eq!(checked.org.org().leads(), Vec::<Value>::new());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn leads_that_cannot_be_deleted_are_listed() -> Result<()> {
    // The rights of the permission set in docs/salesforce-app.
    let mut file = OrgFile::enterprise()?;
    file.users.iter_mut().for_each(|user| user.delete_leads = false);
    let checked = Checked::start(file, By::App).await?;
    let summary = checked.check_with(Ending::Revoke, |_| {}).await?;
    let found: Vec<&str> = differing(&summary).iter().map(|step| step.id).collect();
    assert_eq!(found, ["delete"]);
    assert!(step(&summary, "delete")?.found.contains("403"));
    let leads = checked.org.org().leads();
    let mut there: Vec<&str> = leads.iter().filter_map(|lead| lead["Id"].as_str()).collect();
    let mut told: Vec<&str> = summary.left_behind.iter().map(String::as_str).collect();
    there.sort_unstable();
    told.sort_unstable();
    assert_eq!(told, there);
    assert!(!there.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn known_leads_are_deleted_even_if_the_search_for_others_fails() -> Result<()> {
    let refused = Fault::html(503).on("GET", "*/query").times(u32::MAX);
    let (checked, summary) = check_with_fault(OrgFile::enterprise()?, "reschedule", refused).await?;
    let deleted = step(&summary, "delete")?;
    assert_eq!(deleted.outcome, Outcome::Differs, "there may be other Leads");
    assert_eq!(checked.org.org().leads(), Vec::<Value>::new());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_test_lead_has_the_documented_company() -> Result<()> {
    let checked = Checked::start(OrgFile::enterprise()?, By::App).await?;
    let org = checked.org.org().clone();
    let mut companies = Vec::new();
    let collect = |step: &StepReport| {
        if step.id == "reschedule" {
            companies.extend(org.leads().iter().map(|lead| lead["Company"].clone()));
        }
    };
    checked.check_with(Ending::Revoke, collect).await?;
    assert!(companies.len() >= 3, "{companies:?}");
    assert!(companies.iter().all(|company| company == "live-check (delete me)"), "{companies:?}");
    Ok(())
}
