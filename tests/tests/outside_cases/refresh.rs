//! A refused refresh: what becomes of the connection, who must act, and how often the server is asked.

use acceptance::{
    command::{Team, ended},
    system::CREDENTIAL,
};
use anyhow::{Context as _, Result};
use crm_host::types::Reaction::{self, AskAdmin, Reconnect, Retry};
use salesforce_local_org::Fault;
use serde_json::json;

use crate::{Kind, bed, bed::Bed};

/// Whether the same grant works again once the server no longer refuses.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Grant {
    Kept,
    Ended,
}
use Grant::{Ended, Kept};

/// An OAuth error: `error`, `error_description`, what becomes of it.
struct Refused(&'static str, &'static str, &'static str, Reaction, Grant);

#[rustfmt::skip]
static REFUSED: &[Refused] = &[
    // The grant is gone.
    Refused("invalid_grant", "expired access/refresh token", "connection-ended", Reconnect, Ended),
    Refused("invalid_grant", "token validation failed: revoked", "connection-ended", Reconnect, Ended),
    Refused("invalid_grant", "Refresh token has been revoked", "connection-ended", Reconnect, Ended),
    // Somebody must act, and then it works again.
    Refused("invalid_grant", "user hasn't approved this consumer", "app-not-authorized", AskAdmin, Kept),
    Refused("invalid_grant", "ip restricted", "login-restricted", AskAdmin, Kept),
    Refused("invalid_grant", "ip restricted or invalid login hours", "login-restricted", AskAdmin, Kept),
    Refused("invalid_grant", "address is not in the allowlist", "login-restricted", AskAdmin, Kept),
    Refused("invalid_grant", "inactive user", "inactive_user", AskAdmin, Kept),
    Refused("inactive_user", "User is inactive", "inactive_user", AskAdmin, Kept),
    Refused("invalid_grant", "user is frozen", "inactive_user", AskAdmin, Kept),
    Refused("invalid_grant", "inactive organization", "inactive_org", AskAdmin, Kept),
    Refused("inactive_org", "Org is locked, closed, or suspended", "inactive_org", AskAdmin, Kept),
    Refused("invalid_app_access", "user is not admin approved to access this app", "invalid_app_access", AskAdmin, Kept),
    Refused("OAUTH_APP_BLOCKED", "this app is blocked by admin", "OAUTH_APP_BLOCKED", AskAdmin, Kept),
    Refused("invalid_grant", "this app has been blocked", "app-blocked", AskAdmin, Kept),
    Refused("app_not_found", "External client app is not installed in this org", "app_not_found", AskAdmin, Kept),
    Refused("invalid_client", "app must be installed into org", "app-not-installed", AskAdmin, Kept),
    Refused("invalid_client", "invalid client credentials", "invalid_client", AskAdmin, Kept),
    Refused("invalid_client_id", "client identifier invalid", "invalid_client_id", AskAdmin, Kept),
    Refused("unsupported_grant_type", "grant type not supported", "unsupported_grant_type", AskAdmin, Kept),
    Refused("unauthorized_client", "", "credential-blocked", AskAdmin, Kept),
    Refused("brand_new_refusal", "nobody has seen this", "credential-blocked", AskAdmin, Kept),
    Refused("invalid_grant", "something new", "connection-ended", Reconnect, Kept),
    Refused("invalid_grant", "expired authorization code", "connection-ended", Reconnect, Kept),
    // It passes.
    Refused("invalid_grant", "token request is already being processed", "refresh-in-progress", Retry, Kept),
    Refused("invalid_grant", "service temporarily unavailable", "temporarily_unavailable", Retry, Kept),
    Refused("unknown_error", "retry your request", "unknown_error", Retry, Kept),
    Refused("new_error", "Please try again later", "temporarily_unavailable", Retry, Kept),
    Refused("server_error", "", "server_error", Retry, Kept),
    Refused("rate_limit_exceeded", "number of logins exceeded", "rate_limit_exceeded", Retry, Kept),
    Refused("invalid_grant", "Login Rate Exceeded", "rate_limit_exceeded", Retry, Kept),
];

const PAGE: &str = "<html><head><title>Maintenance</title></head><body>We are down for maintenance.</body></html>";

/// An answer that is not an OAuth error: status, media type, body, what becomes of it.
struct Other(u16, &'static str, &'static str, &'static str, Reaction);

#[rustfmt::skip]
static OTHERS: &[Other] = &[
    Other(503, "text/html", PAGE, "credential-unavailable", Retry),
    Other(500, "application/json", "{}", "credential-unavailable", Retry),
    Other(429, "text/html", PAGE, "credential-unavailable", Retry),
    Other(200, "text/html", PAGE, "credential-unavailable", Retry),
    Other(403, "text/html", PAGE, "credential-unavailable", Retry),
    Other(400, "application/json", r#"{"error":"invalid_grant"}"#, "connection-ended", Reconnect),
    Other(503, "application/json", r#"{"error":"invalid_grant","error_description":"expired access/refresh token"}"#, "credential-unavailable", Retry),
    // The login host is not there any more: a person names the new My Domain.
    Other(301, "text/html", "", "login-host-moved", Reconnect),
    Other(404, "text/html", PAGE, "login-host-moved", Reconnect),
    Other(420, "text/html", PAGE, "login-host-moved", Reconnect),
];

async fn case(
    kind: &mut Kind,
    bed: &Bed,
    what: &str,
    fault: Fault,
    expected: (&str, &Reaction),
    grant: Grant,
) -> Result<()> {
    let (system, org) = (&bed.system, bed.system.org());
    let (plugin, connection) = (&system.plugin, &system.connection);
    system.connect().await?;
    org.expire_access_tokens();
    org.clear_requests();
    org.add_fault(fault.on("POST", "/services/oauth2/token").times(99));
    let (booking, mapped) = (bed::booking([])?, bed.mapping([])?);
    let preview = bed.preview_looking(&booking, &mapped).await?.err().context("the preview passed")?;
    let delivery = bed.deliver(&booking, &mapped).await?.err().context("delivered")?;
    let doctor = plugin.check_connection(connection, "en").await?.answer.err().context("healthy")?;
    let doctor = doctor.first().context("a problem")?;
    for (way, problem) in [("preview", &preview), ("delivery", &delivery), ("doctor", doctor)] {
        kind.case(format!("{what}: {way}"), (problem.code.as_str(), &problem.reaction), expected);
    }
    let explained = plugin.advice(expected.0, &[], "ja").await?.answer.is_some_and(|advice| !advice.steps.is_empty());
    kind.case(format!("{what}: explained"), explained, true);
    // A person who asks the doctor gets the server's answer of today; bookings do not repeat the question.
    let asked = org.requests().iter().filter(|request| request.path == "/services/oauth2/token").count();
    kind.case(format!("{what}: asked"), asked <= 2, true);
    // The operator reads the server's own words.
    let said = plugin.broker().refusal(connection, CREDENTIAL).await?;
    kind.case(format!("{what}: the server's words"), said.is_some(), !what.starts_with("200"));
    org.clear_faults();
    let works = plugin.check_connection(connection, "en").await?.answer.is_ok();
    kind.case(format!("{what}: afterwards"), works, grant == Kept);
    Ok(())
}

/// A person at the command reads the code's help in their language, and the server's own words.
async fn at_the_command(kind: &mut Kind) -> Result<()> {
    let team = Team::connect().await?;
    let org = team.org.org();
    org.expire_access_tokens();
    org.add_fault(Fault::oauth_error("invalid_grant", "ip restricted").times(99));
    for (locale, help) in [("en", "Salesforce doesn't accept logins"), ("ja", "ログイン")] {
        for command in ["doctor", "fields"] {
            let (code, out, err) = ended(&team.command(&[command, "--locale", locale])?.output()?);
            let said = out + &err;
            let has = |part: &str| said.contains(part);
            let found = (code, has("login-restricted"), has(help), has("invalid_grant (ip restricted)"));
            kind.case(format!("{command} in {locale}: {said}"), found, (3, true, true, true));
        }
    }
    Ok(())
}

pub async fn cases() -> Result<Kind> {
    let mut kind = Kind::new("a refused refresh");
    let bed = Bed::of("").await?;
    for Refused(error, description, code, reaction, grant) in REFUSED {
        let body = json!({ "error": error, "error_description": description }).to_string();
        let fault = Fault::answer(400, "application/json;charset=UTF-8", body);
        case(&mut kind, &bed, &format!("{error} {description:?}"), fault, (code, reaction), *grant).await?;
    }
    for Other(status, media_type, body, code, reaction) in OTHERS {
        let fault = Fault::answer(*status, media_type, *body);
        case(&mut kind, &bed, &format!("{status} {media_type} {body}"), fault, (code, reaction), Kept).await?;
    }
    at_the_command(&mut kind).await?;
    Ok(kind)
}
