//! Results of the steps in different orgs.

use crate::support::{By, Checked, differing, others};
use acceptance::guests;
use anyhow::{Context as _, Result};
use salesforce_live_check::{Ending, Outcome, STEPS};
use salesforce_local_org::OrgFile;

#[tokio::test(flavor = "multi_thread")]
async fn every_step_ends_as_expected_against_a_new_enterprise_org() -> Result<()> {
    for by in [By::App, By::Person] {
        let checked = Checked::start(OrgFile::enterprise()?, by).await?;
        let summary = checked.check(Ending::Revoke).await?;
        assert_eq!(others(&summary), [], "all steps as expected");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_step_differs_in_other_built_in_orgs() -> Result<()> {
    for (org, expected) in [
        ("duplicates-block", &["longest-text"][..]),
        ("duplicates-alert", &[]),
        ("person-accounts", &[]),
        ("record-types", &[]),
        ("rotation-30-days", &[]),
        ("many-fields", &[]),
        ("developer-state-country", &[]),
        ("validation-rules", &[]),
        ("hidden-fields", &[]),
    ] {
        let file = OrgFile::named(org).context("a built-in org")??;
        let checked = Checked::start(file, By::Person).await?;
        let summary = checked.check(Ending::Revoke).await?;
        let found: Vec<&str> = others(&summary).iter().map(|(id, _, _)| *id).collect();
        assert_eq!(found, expected, "{org}: {:?}", others(&summary));
        assert_eq!(summary.count(Outcome::Differs), 0, "{org}: {:?}", others(&summary));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_differs_has_a_remedy() -> Result<()> {
    let mut file = OrgFile::enterprise()?;
    file.fields.retain(|field| field.name != "BookingId__c");
    let checked = Checked::start(file, By::App).await?;
    let summary = checked.check(Ending::Keep).await?;
    let differing = differing(&summary);
    let ids: Vec<&str> = differing.iter().map(|step| step.id).collect();
    assert_eq!(ids, ["list-fields", "booking-id-repeat", "booking-id-unique"], "{:?}", others(&summary));
    assert!(differing.iter().all(|step| step.remedy.is_some_and(|remedy| remedy.contains("docs/salesforce-app"))));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_connection_still_works_afterwards() -> Result<()> {
    let checked = Checked::start(OrgFile::named("rotation-30-days").context("an org")??, By::Person).await?;
    let summary = checked.check(Ending::Keep).await?;
    assert_eq!(others(&summary).iter().map(|(id, _, _)| *id).collect::<Vec<_>>(), ["revoke"]);
    let listed = checked.subject.plugin().list_lead_fields(checked.subject.connection(), None, "en").await?;
    assert!(listed.answer.is_ok());
    Ok(())
}

#[test]
fn the_docs_state_the_number_of_steps() -> Result<()> {
    let root = guests::workspace()?.root().to_owned();
    let refusals = STEPS.iter().filter(|step| step.id.starts_with("refusal-")).count();
    for (file, expected) in [
        ("README.md", format!("{} steps", STEPS.len())),
        ("docs/salesforce-app.md", format!("{} named steps", STEPS.len())),
        ("docs/salesforce-app.md", format!("{refusals} refusals")),
    ] {
        let text = std::fs::read_to_string(root.join(file))?;
        assert!(text.contains(&expected), "{file} does not say {expected:?}");
    }
    Ok(())
}
