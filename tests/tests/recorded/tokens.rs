//! Responses of the token endpoint.

use crate::JSON;
use acceptance::recorded;
use acceptance::system::{CREDENTIAL, System};
use anyhow::{Context as _, Result};
use crm_host::credentials::{ConnectError, GrantState, NotRefreshed, OAuthError, RefreshError};
use crm_host::types::Reaction;
use salesforce_local_org::{Fault, OrgFile};
use serde_json::Value;

const TOKEN: &str = "/services/oauth2/token";

fn serve(system: &System, status: u16, body: &Value) {
    system.org().clear_faults();
    system.org().add_fault(Fault::answer(status, JSON, body.to_string()).on("POST", TOKEN));
}

/// Refreshes, and gets the response that is served next.
async fn refresh(system: &System) -> Result<Result<(), RefreshError>> {
    let broker = system.plugin.broker();
    let used = broker.open(&system.connection, CREDENTIAL).await?.generation();
    Ok(broker.refresh(&system.connection, CREDENTIAL, used).await.map(|_| ()))
}

/// The stored tokens, if the grant is live.
async fn stored(system: &System) -> Result<Option<Vec<String>>> {
    let state = system.plugin.broker().state(&system.connection, CREDENTIAL).await?.context("a grant")?.state;
    Ok(match state {
        GrantState::Live(grant) => Some(grant.secrets().map(|secret| secret.expose().to_owned()).collect()),
        GrantState::Ended(_) => None,
    })
}

/// A path segment, counted from the end.
fn segment(url: &Value, from_end: usize) -> Option<&str> {
    url.as_str()?.rsplit('/').nth(from_end)
}

#[tokio::test]
async fn every_recorded_token_response_creates_or_refreshes_a_grant() -> Result<()> {
    let system = System::disconnected(OrgFile::enterprise()?).await?;
    for file in recorded::answers("oauth")? {
        let name = &file.name;
        let (status, mut body) = file.answer(200)?;
        body["instance_url"] = Value::from(system.org().base_url());
        serve(&system, status, &body);
        let connected = system.connect().await.with_context(|| name.clone())?;
        let attribute = |name: &str| connected.attributes.get(name).map(String::as_str);
        assert_eq!(attribute("org-id"), segment(&body["id"], 1), "{name}");
        assert_eq!(attribute("user-id"), segment(&body["id"], 0), "{name}");

        system.org().clear_faults();
        // The recorded account is another one, and a refresh must not change the account.
        let own = system.connect().await?.attributes;
        body["id"] = format!("{}/id/{}/{}", system.org().base_url(), own["org-id"], own["user-id"]).into();
        let before = stored(&system).await?.context("a live grant")?;
        serve(&system, status, &body);
        refresh(&system).await?.with_context(|| name.clone())?;
        let after = stored(&system).await?.context("a live grant")?;
        let token = |name: &str, position: usize| body[name].as_str().map_or(before[position].clone(), str::to_owned);
        assert_eq!(
            after,
            [token("access_token", 0), token("refresh_token", 1)],
            "{name}: without rotation the old token is kept"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_token_response_for_another_origin_is_rejected() -> Result<()> {
    let system = System::disconnected(OrgFile::enterprise()?).await?;
    for file in recorded::answers("oauth")? {
        // As recorded, its origin is missing or not in the manifest.
        let (status, body) = file.answer(200)?;
        serve(&system, status, &body);
        let refused = system.connect().await.expect_err(&file.name);
        let refused = refused.downcast::<ConnectError>()?;
        assert!(matches!(refused, ConnectError::Origin(_)), "{}: {refused}", file.name);
    }
    Ok(())
}

/// The code and reaction for an error, and whether it ends the grant on a refresh.
fn expected(error: &str, description: &str) -> Option<(&'static str, Reaction, bool)> {
    Some(match (error, description) {
        ("invalid_client_id", _) => ("invalid_client_id", Reaction::AskAdmin, false),
        ("invalid_client", _) => ("invalid_client", Reaction::AskAdmin, false),
        ("invalid_grant", "expired access/refresh token") => ("connection-ended", Reaction::Reconnect, true),
        ("invalid_grant", "user hasn't approved this consumer") => ("app-not-authorized", Reaction::AskAdmin, false),
        ("invalid_grant", "token request is already being processed") => {
            ("refresh-in-progress", Reaction::Retry, false)
        }
        _ => return None,
    })
}

#[tokio::test]
async fn every_recorded_token_error_is_explained_and_ends_a_grant_only_if_permanent() -> Result<()> {
    let system = System::disconnected(OrgFile::enterprise()?).await?;
    for file in recorded::answers("oauth-errors")? {
        let name = &file.name;
        let (status, body) = file.answer(400)?;
        let (error, description) = (body["error"].as_str(), body["error_description"].as_str());
        let (code, reaction, ends) = expected(error.unwrap_or_default(), description.unwrap_or_default())
            .with_context(|| format!("{name}: the error is not in the table"))?;

        system.org().clear_faults();
        system.connect().await?;
        serve(&system, status, &body);
        let (ended, refused): (bool, OAuthError) = match refresh(&system).await?.expect_err(name) {
            RefreshError::GrantEnded { cause } => (true, cause.with_context(|| name.clone())?),
            RefreshError::Temporary(NotRefreshed::Refused(error)) | RefreshError::NeedsAPerson(error) => (false, error),
            other => anyhow::bail!("{name}: {other}"),
        };
        assert_eq!(refused.description.as_deref(), description, "{name}: the host keeps the words");
        assert_eq!((ended, stored(&system).await?.is_none()), (ends, ends), "{name}");
        let problem = system.plugin.explain(&refused.into()).await?.answer;
        assert_eq!((problem.code.as_str(), problem.reaction), (code, reaction), "{name}");
        assert_eq!(problem.http_status, Some(status), "{name}");

        serve(&system, status, &body);
        let refused = system.connect().await.expect_err(name).downcast::<ConnectError>()?;
        let ConnectError::Refused(refused) = refused else { anyhow::bail!("{name}: {refused}") };
        let problem = system.plugin.explain(&refused.into()).await?.answer;
        for locale in ["ja", "en"] {
            assert!(
                system.plugin.advice(&problem.code, &[], locale).await?.answer.is_some(),
                "{name}: {}",
                problem.code
            );
        }
    }
    Ok(())
}
