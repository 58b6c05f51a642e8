//! Answers of real orgs, served over real sockets to the real component: each refusal becomes its problem, each describe
//! result its list, each token its grant, each saved record its Lead.

mod describes;
mod leads;
mod refusals;
mod tokens;
mod versions;

use acceptance::recorded;
use anyhow::Result;

/// The content type of Salesforce's answers.
const JSON: &str = "application/json;charset=UTF-8";

/// The folders that the tests here go through, file by file.
const FOLDERS: [&str; 8] =
    ["describe", "describe-minimal", "errors", "oauth", "oauth-errors", "query", "records", "versions"];

#[test]
fn no_answer_is_left_out() -> Result<()> {
    for found in recorded::folders()? {
        assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), FOLDERS);
    }
    Ok(())
}
