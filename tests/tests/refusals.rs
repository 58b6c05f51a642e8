//! What becomes of each answer of Salesforce's authorization server: the manifest's code for it and what the host does, then what
//! the plugin makes of the code.

use acceptance::system::{CREDENTIAL, System, component};
use anyhow::{Context as _, Result};
use crm_host::Inspection;
use crm_host::manifest::{
    CredentialSpec, Meaning, OAuthSpec,
    OAuthStage::{self, Authorize, Exchange, Refresh, Revoke},
};
use crm_host::types::{
    OauthError,
    Reaction::{self, AskAdmin, Reconnect, Retry},
};
use salesforce_local_org::{Fault, OrgFile};

#[rustfmt::skip]
/// Answers with what becomes of them: stage, error, description, code, reaction.
static CATALOGUE: &[(OAuthStage, &str, &str, &str, Reaction)] = &[
    (Refresh, "invalid_grant", "expired access/refresh token", "connection-ended", Reconnect),
    (Refresh, "invalid_grant", "token request is already being processed", "refresh-in-progress", Retry),
    (Exchange, "invalid_grant", "expired authorization code", "authorization-code-ended", Reconnect),
    (Exchange, "invalid_grant", "invalid authorization code", "authorization-code-ended", Reconnect),
    (Exchange, "invalid_grant", "authentication failure", "login-refused", Reconnect),
    (Exchange, "invalid_grant", "authentication failure - Invalid Password", "login-refused", Reconnect),
    (Refresh, "invalid_grant", "ip restricted or invalid login hours", "login-restricted", AskAdmin),
    (Exchange, "invalid_grant", "IP restricted", "login-restricted", AskAdmin),
    // Invented: Salesforce does not document how it refuses an address that the app's allowlist lacks.
    (Refresh, "invalid_grant", "IP address not in range", "login-restricted", AskAdmin),
    (Refresh, "invalid_grant", "blocked by refresh token IP allowlist", "login-restricted", AskAdmin),
    (Exchange, "invalid_request", "not on the Allow List", "login-restricted", AskAdmin),
    (Exchange, "invalid_grant", "user hasn't approved this consumer", "app-not-authorized", AskAdmin),
    (Exchange, "invalid_grant", "request not supported on this domain", "my-domain-required", Reconnect),
    (Exchange, "invalid_grant", "no client credentials user enabled", "run-as-user-missing", AskAdmin),
    (Exchange, "invalid_grant", "Audience validation failed", "audience-invalid", AskAdmin),
    (Exchange, "invalid_grant", "missing code verifier", "pkce-failed", Reconnect),
    (Exchange, "invalid_grant", "something new", "invalid_grant", Reconnect),
    (Refresh, "invalid_grant", "something new", "connection-ended", Reconnect),
    (Refresh, "invalid_grant", "expired authorization code", "connection-ended", Reconnect),
    (Refresh, "inactive_user", "User is inactive", "inactive_user", AskAdmin),
    (Refresh, "invalid_grant", "inactive user", "inactive_user", AskAdmin),
    (Refresh, "invalid_grant", "inactive organization", "inactive_org", AskAdmin),
    (Refresh, "inactive_org", "Org is locked, closed, or suspended", "inactive_org", AskAdmin),
    (Authorize, "invalid_client_id", "client identifier invalid", "invalid_client_id", AskAdmin),
    (Exchange, "invalid_client", "invalid client credentials", "invalid_client", AskAdmin),
    (Authorize, "invalid_client", "app+must+be+installed+into+org", "app-not-installed", AskAdmin),
    (Authorize, "invalid_client", "App must be installed into org", "app-not-installed", AskAdmin),
    (Authorize, "access_denied", "External client app is not installed in this org", "app-not-installed", AskAdmin),
    (Authorize, "OAUTH_EC_APP_NOT_FOUND", "External client app is not installed in this org", "OAUTH_EC_APP_NOT_FOUND", AskAdmin),
    (Authorize, "", "OAUTH_EC_APP_NOT_FOUND : not here", "OAUTH_EC_APP_NOT_FOUND", AskAdmin),
    (Exchange, "invalid_app_access", "user is not admin approved to access this app", "invalid_app_access", AskAdmin),
    (Authorize, "OAUTH_APP_ACCESS_DENIED", "user is not admin approved to access this app", "OAUTH_APP_ACCESS_DENIED", AskAdmin),
    (Authorize, "access_denied", "User is not admin approved to access this app", "app-not-approved", AskAdmin),
    (Authorize, "OAUTH_APP_BLOCKED", "this app is blocked by admin", "OAUTH_APP_BLOCKED", AskAdmin),
    (Authorize, "access_denied", "this app is blocked by admin", "app-blocked", AskAdmin),
    (Authorize, "OAUTH_APPROVAL_ERROR_GENERIC", "An unexpected error has occurred during authentication. Please try again.", "OAUTH_APPROVAL_ERROR_GENERIC", AskAdmin),
    (Authorize, "", "OAUTH_APPROVAL_ERROR_GENERIC : An unexpected error has occurred", "OAUTH_APPROVAL_ERROR_GENERIC", AskAdmin),
    (Authorize, "NO_ACCESS", "", "NO_ACCESS", AskAdmin),
    (Authorize, "invalid_request", "missing required code challenge", "pkce-failed", Reconnect),
    (Exchange, "invalid_request", "invalid code verifier", "pkce-failed", Reconnect),
    (Exchange, "invalid_grant", "invalid code verifier", "pkce-failed", Reconnect),
    (Authorize, "invalid_request", "HTTPS required", "invalid_request", Reconnect),
    (Authorize, "invalid_request", "Must use HTTP GET", "invalid_request", Reconnect),
    (Authorize, "invalid_request", "Out-of-band not supported", "invalid_request", Reconnect),
    (Authorize, "redirect_uri_mismatch", "redirect_uri must match configuration", "redirect_uri_mismatch", AskAdmin),
    (Authorize, "redirect_uri_missing", "Redirect_uri not provided", "redirect_uri_missing", AskAdmin),
    (Authorize, "unsupported_response_type", "Response type not supported", "unsupported_response_type", AskAdmin),
    (Exchange, "unsupported_grant_type", "grant type not supported", "unsupported_grant_type", AskAdmin),
    (Authorize, "invalid_scope", "Requested scope is invalid, unknown, or malformed", "invalid_scope", AskAdmin),
    (Authorize, "access_denied", "end-user denied authorization", "access_denied", Reconnect),
    (Authorize, "access-denied", "User denied authorization", "access_denied", Reconnect),
    (Refresh, "rate_limit_exceeded", "Number of logins exceeded", "rate_limit_exceeded", Retry),
    (Refresh, "invalid_grant", "Login Rate Exceeded", "rate_limit_exceeded", Retry),
    (Authorize, "immediate_unsuccessful", "", "immediate_unsuccessful", Reconnect),
    (Refresh, "server_error", "sorry", "server_error", Retry),
    (Exchange, "server_error", "sorry", "server_error", Reconnect),
    (Refresh, "service_unavailable", "", "service_unavailable", Retry),
    (Refresh, "temporarily_unavailable", "", "temporarily_unavailable", Retry),
    (Refresh, "system_down", "", "system_down", Retry),
    (Refresh, "login_error", "", "login_error", Retry),
    (Refresh, "unknown_error", "retry your request", "unknown_error", Retry),
    (Refresh, "slow_down", "", "slow_down", Retry),
    (Refresh, "authorization_pending", "", "authorization_pending", Retry),
    (Refresh, "app_attest_failed_retry", "", "app_attest_failed_retry", Retry),
    (Refresh, "oauth_flow_disabled", "", "oauth_flow_disabled", AskAdmin),
    (Refresh, "oauth_policy_not_found", "", "oauth_policy_not_found", AskAdmin),
    (Refresh, "ecapp_policy_not_found", "", "ecapp_policy_not_found", AskAdmin),
    (Refresh, "invalid_distribution_state", "", "invalid_distribution_state", AskAdmin),
    (Refresh, "app_not_found", "", "app_not_found", AskAdmin),
    (Refresh, "app_blocked", "", "app_blocked", AskAdmin),
    (Refresh, "fail_close_app_blocked", "", "fail_close_app_blocked", AskAdmin),
    (Refresh, "installation_error", "", "installation_error", AskAdmin),
    (Refresh, "app_attest_failed", "", "app_attest_failed", AskAdmin),
    (Refresh, "bad_jti_claim", "", "bad_jti_claim", AskAdmin),
    (Refresh, "exceeded_registration_limit", "", "exceeded_registration_limit", AskAdmin),
    (Refresh, "failed_registration", "", "failed_registration", AskAdmin),
    (Refresh, "registration_error", "", "registration_error", AskAdmin),
    (Refresh, "invalid_assertion_type", "", "invalid_assertion_type", AskAdmin),
    (Refresh, "invalid_basic_auth_header", "", "invalid_basic_auth_header", AskAdmin),
    (Refresh, "invalid_dpop_proof", "", "invalid_dpop_proof", AskAdmin),
    (Refresh, "use_dpop_nonce", "", "use_dpop_nonce", AskAdmin),
    (Refresh, "invalid_expid", "", "invalid_expid", AskAdmin),
    (Refresh, "unsupported_expid", "", "unsupported_expid", AskAdmin),
    (Authorize, "invalid_otp", "", "invalid_otp", Reconnect),
    (Authorize, "otp_error", "", "otp_error", Reconnect),
    (Refresh, "invalid_session_level", "", "invalid_session_level", Reconnect),
    (Refresh, "invalid_token", "", "connection-ended", Reconnect),
    (Exchange, "invalid_token", "", "invalid_token", Reconnect),
    (Revoke, "invalid_token", "Token was invalid", "already-revoked", Reconnect),
    (Revoke, "unsupported_token_type", "Token type not supported", "unsupported_token_type", AskAdmin),
];

fn salesforce() -> Result<OAuthSpec> {
    let manifest = Inspection::read(component()?)?.manifest()?;
    match manifest.credentials.get(CREDENTIAL).context("a credential")? {
        CredentialSpec::OAuth2(spec) => Ok((**spec).clone()),
        CredentialSpec::ApiKey(_) => anyhow::bail!("an API key"),
    }
}

#[tokio::test]
async fn every_answer_leads_to_its_code_and_reaction_and_ends_a_grant_only_if_someone_must_connect_again() -> Result<()>
{
    let system = System::disconnected(OrgFile::default()).await?;
    let salesforce = salesforce()?;
    for (at, error, description, expected, reaction) in CATALOGUE {
        let (code, means) = salesforce.recognize(*at, error, description, Some(400));
        let refused = OauthError { stage: (*at).into(), code, http_status: Some(400), more: Vec::new() };
        let problem = system.plugin.explain(&refused).await?.answer;
        let what = format!("{at:?} {error} {description:?}: {means:?}");
        assert_eq!((problem.code.as_str(), &problem.reaction), (*expected, reaction), "{what}");
        assert_eq!(problem.retry_after.is_some(), *reaction == Retry, "{what}");
        if *at == Refresh && means == Meaning::Ended {
            assert_eq!(*reaction, Reconnect, "{what}");
        }
    }
    Ok(())
}

#[test]
fn case_and_punctuation_make_no_difference() -> Result<()> {
    for (stage, error, description, code) in [
        (Refresh, "INVALID_GRANT", "Token Request Is ALREADY Being Processed", "refresh-in-progress"),
        (Authorize, " oauth_app_blocked ", "", "OAUTH_APP_BLOCKED"),
        (Authorize, "access-denied", "", "access_denied"),
    ] {
        assert_eq!(salesforce()?.recognize(stage, error, description, Some(400)).0.as_deref(), Some(code));
    }
    Ok(())
}

#[tokio::test]
async fn a_refused_refresh_reaches_the_doctor_as_a_code_and_without_the_servers_words() -> Result<()> {
    let system = System::start().await?;
    let words = "refresh-words-of-the-server";
    for (error, description, code, reaction) in [
        ("invalid_grant", "ip restricted or invalid login hours", "login-restricted", AskAdmin),
        ("invalid_client", "invalid client credentials", "invalid_client", AskAdmin),
        ("server_error", "", "server_error", Retry),
        ("unknown_to_the_manifest", "", "credential-blocked", AskAdmin),
        // The last one: it ends the grant.
        ("invalid_grant", "expired access/refresh token", "connection-ended", Reconnect),
        ("invalid_grant", "expired access/refresh token", "connection-ended", Reconnect),
    ] {
        system.org().expire_access_tokens();
        system.org().add_fault(Fault::oauth_error(error, &format!("{description} {words}")));
        let checked = system.plugin.check_connection(&system.connection, "en").await?.answer;
        system.org().clear_faults();
        let problems = checked.err().with_context(|| format!("{error} {description}: the check passed"))?;
        let problem = problems.first().context("a problem")?;
        assert_eq!((problem.code.as_str(), &problem.reaction), (code, &reaction), "{error} {description}");
        assert!(!format!("{problems:?}").contains(words), "{problems:?}");
    }
    Ok(())
}
