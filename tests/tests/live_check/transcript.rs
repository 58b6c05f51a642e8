//! What a transcript contains, and what is imported from one.

use crate::support::{By, Checked};
use acceptance::system::CREDENTIAL;
use anyhow::{Context as _, Result};
use crm_host::credentials::GrantState;
use salesforce_live_check::{Ending, Imported, Transcript, replay};
use salesforce_local_org::{Fault, OrgFile};

/// An org with its own name in a field label, as happens in practice.
fn with_a_telling_label() -> Result<OrgFile> {
    let mut file = OrgFile::enterprise()?;
    let field = file.fields.first_mut().context("a field")?;
    field.label = format!("{} {}", file.name, field.label);
    Ok(file)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transcript_contains_no_secret_id_or_name() -> Result<()> {
    let checked = Checked::start(with_a_telling_label()?, By::Person).await?;
    let (org, subject) = (checked.org.org(), &checked.subject);
    let state = subject.plugin().broker().state(subject.connection(), CREDENTIAL).await?.context("a grant")?.state;
    let GrantState::Live(grant) = state else { anyhow::bail!("the grant has ended") };
    let mut hidden: Vec<String> = grant.secrets().map(|secret| secret.expose().to_owned()).collect();
    let app = checked.org.app();
    hidden.extend([app.client_id, app.client_secret, checked.org.base_url().to_owned()]);
    let file = org.file();
    hidden.push(file.name);
    for user in file.users {
        hidden.extend([user.username, user.password, user.email]);
    }
    hidden.extend(grant.attributes().values().cloned());

    checked.check(Ending::Revoke).await?;
    for entry in org.requests() {
        // Lead ids appear in paths and responses.
        hidden.extend(entry.path.split('/').filter(|segment| segment.starts_with("00Q")).map(str::to_owned));
    }
    let text = checked.transcript()?.to_json_lines()?;
    for hidden in hidden.iter().filter(|text| !text.is_empty()) {
        assert!(!text.contains(hidden.as_str()), "the transcript contains {hidden}");
    }
    assert!(!text.to_lowercase().contains("bearer"));
    let exchanges =
        |method: &str| text.lines().filter(|line| line.contains(&format!("\"method\":\"{method}\""))).count();
    assert!(exchanges("GET") > 5 && exchanges("POST") > 10 && exchanges("DELETE") > 1, "all requests are in it");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_orgs_name_is_unknown_a_transcript_omits_text_that_may_contain_it() -> Result<()> {
    for unreadable in ["*/query", "*/services/data/"] {
        let file = with_a_telling_label()?;
        let name = file.name.clone();
        let checked = Checked::start(file, By::Person).await?;
        let refused = Fault::api_error(403, "FUNCTIONALITY_NOT_ENABLED", "no").on("GET", unreadable);
        checked.org.org().add_fault(refused.times(u32::MAX));
        checked.check(Ending::Revoke).await?;
        let transcript = checked.transcript()?;
        assert!(!transcript.to_json_lines()?.contains(&name), "{unreadable}");
        assert!(transcript.describe().is_none(), "{unreadable}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_imported_org_has_a_duplicate_rule_if_the_original_showed_one() -> Result<()> {
    for has_rule in [true, false] {
        let mut file = OrgFile::enterprise()?;
        if !has_rule {
            file.duplicate_rules.clear();
        }
        let checked = Checked::start(file, By::App).await?;
        checked.check(Ending::Revoke).await?;
        let imported = Imported::from_transcript(&checked.transcript()?)?;
        let copy = Checked::start(OrgFile::parse(&imported.org_toml()?)?, By::App).await?;
        let summary = copy.check(Ending::Keep).await?;
        let duplicate = summary.steps.iter().find(|step| step.id == "duplicate").context("the step")?;
        assert_eq!(duplicate.found.starts_with("DUPLICATES_DETECTED"), has_rule, "{duplicate:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_org_imported_from_a_transcript_responds_like_the_original() -> Result<()> {
    for org in ["enterprise", "person-accounts", "developer-state-country", "hidden-fields"] {
        let file = OrgFile::named(org).context("a built-in org")??;
        let original = Checked::start(file, By::App).await?;
        original.check(Ending::Revoke).await?;
        let text = original.transcript()?.to_json_lines()?;

        let imported = Imported::from_transcript(&Transcript::parse(&text)?)?;
        let rebuilt = OrgFile::parse(&imported.org_toml()?)?;
        assert!(imported.cases.len() >= 12, "{org}: {} cases", imported.cases.len());
        let copy = Checked::start(rebuilt, By::App).await?;
        copy.check(Ending::Keep).await?;
        let described = |transcript: &Transcript| {
            let fields = transcript.describe().and_then(|result| result["fields"].as_array()).cloned();
            let mut names: Vec<_> = fields.into_iter().flatten().map(|field| field["name"].clone()).collect();
            names.sort_by_key(ToString::to_string);
            names
        };
        assert_eq!(described(&copy.transcript()?), described(&original.transcript()?), "{org}: the same fields");
        for replayed in replay(&copy.subject, &imported.cases).await {
            assert!(
                replayed.is_alike(),
                "{org}: {}: expected {}, found {}",
                replayed.case.id,
                replayed.expected(),
                replayed.found()
            );
        }
    }
    Ok(())
}
