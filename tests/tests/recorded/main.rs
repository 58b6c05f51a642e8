//! Responses of real orgs, served over real sockets to the real component: each error becomes a problem, each describe
//! result a list, each token a grant, each created record a Lead.

mod describes;
mod leads;
mod refusals;
mod tokens;
mod versions;

use acceptance::recorded;
use anyhow::Result;

/// The content type of Salesforce's responses.
const JSON: &str = "application/json;charset=UTF-8";

/// The folders that these tests cover.
const FOLDERS: [&str; 8] =
    ["describe", "describe-minimal", "errors", "oauth", "oauth-errors", "query", "records", "versions"];

#[test]
fn every_folder_of_responses_is_covered() -> Result<()> {
    for found in recorded::folders()? {
        assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), FOLDERS);
    }
    Ok(())
}
