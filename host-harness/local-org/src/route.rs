//! Routes a request to the part of the org that handles its path.

use http::{Method, StatusCode};

use crate::{
    message::{Answer, Refusal, Request},
    oauth,
    org::Org,
    overview, rest,
};

pub(crate) fn respond(org: &Org, request: &Request) -> Answer {
    let segments = request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match (&request.method, segments.as_slice()) {
        (&Method::GET, [""]) => overview::page(org),
        // Where a link to a record leads; nobody needs to log in, as on the overview.
        (&Method::GET, [id]) if org.leads().iter().any(|lead| overview::is_of(lead, id)) => {
            overview::lead_page(org, id)
        }
        (_, ["services", "oauth2", endpoint]) => oauth::respond(org, endpoint, request),
        (&Method::POST, ["login"]) => oauth::log_in(org, request),
        (&Method::POST, ["setup", "secur", "RemoteAccessAuthorizationPage.apexp"]) => oauth::decide(org, request),
        (&Method::GET, ["id", org_id, user_id]) => oauth::identity(org, org_id, user_id, request),
        (&Method::GET, ["services", "data"]) => rest::versions(org),
        (_, ["services", "data", version, resource @ ..]) => rest::respond(org, request, version, resource),
        (_, ["services", ..]) => Refusal::not_found().into(),
        _ => Answer::html(StatusCode::NOT_FOUND, "<html><body><h1>URL No Longer Exists</h1></body></html>".to_owned()),
    }
}
