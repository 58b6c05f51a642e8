//! What an authorization server's errors mean. One table in the manifest decides what a host does about an error and which code
//! the plugin gets for it; the server's words stay with the host.

use serde::{Deserialize, Serialize};

use super::ManifestError;
use crate::types::OauthStage;

/// Characters of a code.
const MAX_CODE: usize = 64;
/// Characters of a part of a text.
const SHORTEST_TEXT: usize = 4;

/// When an authorization server refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OAuthStage {
    /// In the browser, or in the callback.
    Authorize,
    /// While a code or the client's credentials were exchanged for a token.
    Exchange,
    /// While a token was refreshed.
    Refresh,
    /// While a grant was revoked.
    Revoke,
}

impl From<OAuthStage> for OauthStage {
    fn from(stage: OAuthStage) -> Self {
        match stage {
            OAuthStage::Authorize => Self::Authorize,
            OAuthStage::Exchange => Self::Exchange,
            OAuthStage::Refresh => Self::Refresh,
            OAuthStage::Revoke => Self::Revoke,
        }
    }
}

/// Errors of the authorization server that mean the same. Comparisons ignore case, read `-` as `_`, and `+` as a blank.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Refusal {
    /// Values of `error` (RFC 6749, sections 4.1.2.1 and 5.2). Without them, every error that has `text`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub error: Vec<String>,
    /// A part of `error` or `error_description`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// HTTP statuses of the response. Alone, they stand for responses without an `error`, such as pages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<u16>,
    /// Applies at this stage only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<OAuthStage>,
    /// The code that the plugin gets: 1 to 64 letters, digits, `-` and `_`. By default the value of `error`, as written here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What it means for the grant.
    pub means: Meaning,
}

/// What a refusal means for a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Meaning {
    /// The grant has ended: refused at `refresh`, the host deletes its tokens. Refused at `revoke`, it was revoked before.
    Ended,
    /// It passes without anybody's help.
    Passing,
    /// The grant stands, and somebody of the team must do something.
    Team,
    /// The grant stands, and an administrator of the account at the CRM must do something.
    CrmAdmin,
    /// The grant stands, and the platform's operator must do something: the client's registration is wrong.
    Operator,
}

impl Meaning {
    /// What RFC 6749, section 5.2, says of an error that the manifest does not know. A server that gives a reason of its own refuses
    /// for that reason until somebody acts.
    fn of_standard(stage: OAuthStage, error: &str) -> Self {
        match (stage, error) {
            (OAuthStage::Refresh, "invalid_grant") => Self::Ended,
            (_, "invalid_client" | "invalid_request" | "invalid_scope" | "unauthorized_client") => Self::Operator,
            (_, "unsupported_grant_type" | "unsupported_response_type" | "unsupported_token_type") => Self::Operator,
            (OAuthStage::Refresh | OAuthStage::Revoke, "") | (OAuthStage::Revoke, _) => Self::Passing,
            (OAuthStage::Refresh, _) => Self::CrmAdmin,
            (OAuthStage::Authorize | OAuthStage::Exchange, _) => Self::Team,
        }
    }
}

impl Refusal {
    fn matches(&self, stage: OAuthStage, error: &str, words: &str, http_status: Option<u16>) -> Option<Option<&str>> {
        let listed = self.error.iter().find(|listed| folded(listed) == error);
        let is_status_alone = self.error.is_empty() && self.text.is_none();
        let is_it = self.stage.is_none_or(|at| at == stage)
            && (self.error.is_empty() || listed.is_some())
            && (self.status.is_empty() || http_status.is_some_and(|status| self.status.contains(&status)))
            && (!is_status_alone || error.is_empty())
            && self.text.as_ref().is_none_or(|part| words.contains(&folded(part)));
        is_it.then(|| self.code.as_deref().or(listed.map(String::as_str)))
    }

    pub(super) fn check(&self, key: &str) -> Result<(), ManifestError> {
        let fault = |fault: &str| Err(ManifestError::value(key, fault));
        let mut parts = self.error.iter().chain(&self.text).peekable();
        if (parts.peek().is_none() && self.status.is_empty()) || parts.any(|part| folded(part).is_empty()) {
            return fault("name an `error`, a part of its `text` or a `status`; a blank one would match all");
        }
        if self.text.as_ref().is_some_and(|text| folded(text).chars().count() < SHORTEST_TEXT) {
            return fault("a `text` has at least 4 characters; a shorter one would match too much");
        }
        if self.error.is_empty() && self.code.is_none() {
            return fault("needs a `code`, because the text of an error is not passed on");
        }
        let is_code = |code: &String| {
            (1..=MAX_CODE).contains(&code.len())
                && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        let mut codes = self.code.iter().chain(self.error.iter().filter(|_| self.code.is_none()));
        if codes.all(is_code) { Ok(()) } else { fault("a code has 1 to 64 letters, digits, `-` and `_`") }
    }
}

/// The code for an error, if the manifest has one, and what the error means. The first refusal that matches applies.
pub(crate) fn recognize(
    refusals: &[Refusal],
    stage: OAuthStage,
    error: &str,
    description: &str,
    http_status: Option<u16>,
) -> (Option<String>, Meaning) {
    let error = folded(error);
    let words = format!("{error} {}", folded(description));
    let found = refusals.iter().find_map(|refusal| {
        refusal.matches(stage, &error, &words, http_status).map(|code| (code.map(str::to_owned), refusal.means))
    });
    let (code, meaning) = found.unwrap_or_else(|| (None, Meaning::of_standard(stage, &error)));
    match http_status {
        // A server that fails knows neither whether a grant has ended nor what stands in its way.
        Some(429 | 500..) if stage == OAuthStage::Refresh || meaning == Meaning::Ended => {
            (code.filter(|_| meaning == Meaning::Passing), Meaning::Passing)
        }
        _ => (code, meaning),
    }
}

fn folded(text: &str) -> String {
    text.to_lowercase().replace('-', "_").replace('+', " ").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusals() -> Vec<Refusal> {
        let toml = r#"refusals = [
            { error = ["APP_BLOCKED", "app_gone"], means = "crm-admin" },
            { text = "already running", code = "in-progress", means = "passing" },
            { error = ["invalid_grant"], text = "authorization code", stage = "exchange", code = "code-ended", means = "team" },
            { error = ["invalid_token"], stage = "revoke", means = "ended" },
            { error = ["slow_down"], means = "ended" },
            { status = [404], code = "gone", means = "team" },
        ]"#;
        #[derive(Deserialize)]
        struct Table {
            refusals: Vec<Refusal>,
        }
        toml::from_str::<Table>(toml).unwrap().refusals
    }

    #[test]
    fn the_first_refusal_that_matches_gives_code_and_meaning() {
        use Meaning::{CrmAdmin, Ended, Operator, Passing, Team};
        use OAuthStage::{Authorize, Exchange, Refresh, Revoke};
        for (stage, error, description, status, code, means) in [
            (Authorize, "app-blocked", "", None, Some("APP_BLOCKED"), CrmAdmin),
            (Refresh, " App_Gone ", "already running", Some(400), Some("app_gone"), CrmAdmin),
            (Refresh, "invalid_grant", "It is ALREADY+running.", Some(400), Some("in-progress"), Passing),
            (Exchange, "invalid_grant", "expired authorization code", Some(400), Some("code-ended"), Team),
            // Another stage, so that the standard decides.
            (Refresh, "invalid_grant", "expired authorization code", Some(400), None, Ended),
            (Exchange, "invalid_grant", "", Some(400), None, Team),
            (Refresh, "invalid_client", "", Some(401), None, Operator),
            (Refresh, "brand_new", "", Some(400), None, CrmAdmin),
            (Refresh, "brand_new", "", Some(502), None, Passing),
            (Refresh, "", "", Some(400), None, Passing),
            (Refresh, "", "", Some(404), Some("gone"), Team),
            (Refresh, "brand_new", "", Some(404), None, CrmAdmin),
            (Exchange, "", "", Some(404), Some("gone"), Team),
            (Authorize, "access_denied", "", None, None, Team),
            (Revoke, "invalid_token", "", Some(400), Some("invalid_token"), Ended),
            (Refresh, "slow_down", "", Some(400), Some("slow_down"), Ended),
            // A server that fails ends nothing.
            (Refresh, "slow_down", "", Some(429), None, Passing),
            (Refresh, "app_gone", "", Some(503), None, Passing),
            (Refresh, "invalid_grant", "", Some(503), None, Passing),
            (Refresh, "", "", Some(200), None, Passing),
        ] {
            let found = recognize(&refusals(), stage, error, description, status);
            assert_eq!((found.0.as_deref(), found.1), (code, means), "{stage:?} {error} {description} {status:?}");
        }
    }

    #[test]
    fn a_refusal_that_would_match_all_or_name_no_code_is_refused() {
        let refusal = |error: &[&str], text: Option<&str>, code: Option<&str>| Refusal {
            error: error.iter().map(|&error| error.to_owned()).collect(),
            text: text.map(str::to_owned),
            status: Vec::new(),
            stage: None,
            code: code.map(str::to_owned),
            means: Meaning::Team,
        };
        for wrong in [
            refusal(&[], None, Some("x")),
            refusal(&[" "], None, Some("x")),
            refusal(&["x"], Some(""), None),
            refusal(&[], Some("+"), Some("x")),
            refusal(&["x"], Some(" +e "), None),
            refusal(&[], Some("text"), None),
            refusal(&["with blank"], None, None),
            refusal(&["x"], None, Some("")),
            refusal(&["x"], None, Some("\u{1b}[31m")),
            refusal(&["x"], None, Some(&"x".repeat(65))),
        ] {
            assert!(wrong.check("refusals").is_err(), "{wrong:?}");
        }
        assert!(refusal(&["with blank"], None, Some("a-Code_1")).check("refusals").is_ok());
    }
}
