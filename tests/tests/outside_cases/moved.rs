//! The org is no longer where it was: enhanced domains, a renamed My Domain, another instance.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use acceptance::{
    samples::{first_try, mapping_of},
    scripted::{Reply, SALESFORCE, Scripted, response},
    system::{self, component},
};
use anyhow::Result;
use crm_host::types::{FieldList, Outcome, Reaction};
use http::{Request, Response};
use serde_json::json;

use crate::{Kind, bed};

const OLD: &str = "minato.my.salesforce.com";
const NEW: &str = "minato-soft.my.salesforce.com";
const CREATED: &str = r#"{"id":"00Q5i00000AbCdEEAV","success":true,"errors":[]}"#;
const VERSIONS: &str = r#"[{"version":"64.0","label":"Summer '25","url":"/services/data/v64.0"}]"#;
const DESCRIBE: &str = r#"{"name":"Lead","createable":true,"queryable":true,"fields":[{"name":"LastName","label":"Last Name","type":"string","length":80,"nillable":false,"createable":true,"updateable":true}]}"#;

/// An answer of the old host: status, media type, `location`, body.
struct Old(u16, &'static str, &'static str, &'static str);

impl Old {
    fn reply(&self) -> Reply {
        let Self(status, media_type, location, body) = self;
        let mut response = Response::builder().status(*status);
        for (name, value) in [("content-type", media_type), ("location", location)] {
            if !value.is_empty() {
                response = response.header(name, *value);
            }
        }
        Ok(response.body(body.as_bytes().to_vec()).unwrap_or_default())
    }
}

const PAGE: &str = "<html><head><title>URL No Longer Exists</title></head><body>You have attempted to reach a URL that no longer exists on salesforce.com.</body></html>";
const NEW_URL: &str = "https://minato-soft.my.salesforce.com/services/data/v64.0/sobjects/Lead";

/// Answers that say "not here".
#[rustfmt::skip]
const ELSEWHERE: &[(&str, Old)] = &[
    ("301 with the new address", Old(301, "", NEW_URL, "")),
    ("302 with a page", Old(302, "text/html;charset=UTF-8", NEW_URL, "<html>Moved</html>")),
    ("303", Old(303, "", NEW_URL, "")),
    ("307 with the new address", Old(307, "", NEW_URL, "")),
    ("308 without an address", Old(308, "text/html", "", "")),
    ("301 to a login page", Old(301, "text/html", "https://login.salesforce.com/", "")),
    ("420", Old(420, "", "", "")),
    ("420 with a page", Old(420, "text/html", "", PAGE)),
    ("404 with a page", Old(404, "text/html;charset=UTF-8", "", PAGE)),
    ("404 with text", Old(404, "text/plain", "", "Not Found")),
    ("404 without a body", Old(404, "", "", "")),
    ("403 with a page", Old(403, "text/html", "", "<html><title>Forbidden</title></html>")),
    ("403 without a body", Old(403, "application/json", "", "")),
    ("400 URL_NOT_RESET", Old(400, "application/json;charset=UTF-8", "", r#"[{"errorCode":"URL_NOT_RESET","message":"Destination URL not reset. The URL returned from login must be set in the SforceService"}]"#)),
    ("500 URL_NOT_RESET as XML", Old(500, "application/xml", "", "<Errors><Error><errorCode>URL_NOT_RESET</errorCode><message>Destination URL not reset.</message></Error></Errors>")),
    ("401 of an expired session", Old(401, "application/json", "", r#"[{"errorCode":"INVALID_SESSION_ID","message":"Session expired or invalid"}]"#)),
];

/// Answers that look like it, but say something else: no refresh.
#[rustfmt::skip]
const HERE: &[(&str, Old, Reaction)] = &[
    ("403 of the org", Old(403, "application/json", "", r#"[{"errorCode":"INSUFFICIENT_ACCESS_OR_READONLY","message":"no"}]"#), Reaction::AskAdmin),
    ("404 of the org", Old(404, "application/json", "", r#"[{"errorCode":"NOT_FOUND","message":"The requested resource does not exist"}]"#), Reaction::AskAdmin),
    ("400 of the org", Old(400, "application/json", "", r#"[{"errorCode":"STRING_TOO_LONG","message":"Last Name: data value too large","fields":["LastName"]}]"#), Reaction::FixBooking),
    ("503 with a page", Old(503, "text/html", "", PAGE), Reaction::CheckFirst),
];

/// What the token endpoint says of the org's address.
enum Refresh {
    Names(&'static str),
    Answers(u16, &'static str),
}

impl Refresh {
    fn response(&self) -> Response<Vec<u8>> {
        match self {
            Self::Names(host) => response(200, SALESFORCE.tokens.replace(OLD, host)),
            Self::Answers(status, body) => response(*status, *body),
        }
        .unwrap_or_default()
    }
}

/// A plugin whose org moved after the fields were listed: only the new host works.
struct Moved {
    scripted: Scripted,
    listed: FieldList,
    before: usize,
}

impl Moved {
    async fn new(old: &'static Old, refresh: &Refresh) -> Result<Self> {
        let has_moved = Arc::new(AtomicBool::new(false));
        let moved = has_moved.clone();
        let answers = move |request: &Request<Vec<u8>>| {
            if moved.load(Ordering::Relaxed) && request.uri().host() != Some(NEW) {
                return old.reply();
            }
            match (request.method().as_str(), request.uri().path()) {
                ("POST", _) => response(201, CREATED),
                (_, "/services/data/") => response(200, VERSIONS),
                (_, path) if path.ends_with("/describe") => response(200, DESCRIBE),
                _ => response(200, r#"{"totalSize":0,"done":true,"records":[]}"#),
            }
        };
        let scripted = Scripted::start(component()?, &SALESFORCE, move |request| Some(answers(request))).await?;
        let listed = scripted.plugin.list_lead_fields(&scripted.connection, None, "en").await?.answer;
        let listed = listed.map_err(system::unexpected)?;
        let before = scripted.script.seen().len();
        has_moved.store(true, Ordering::Relaxed);
        scripted.script.answer_refreshes(refresh.response());
        Ok(Self { scripted, listed, before })
    }

    /// Requests to the old host, to the token endpoint, and to the new host.
    fn requests(&self) -> (usize, usize, usize) {
        let seen = self.scripted.script.seen();
        let to =
            |host: &str| seen.iter().skip(self.before).filter(|request| request.uri().host() == Some(host)).count();
        (to(OLD), to("login.salesforce.com"), to(NEW))
    }

    async fn deliver(&self) -> Result<Result<Outcome, (String, Reaction)>> {
        let mapping = json!({ "rows": [
            { "field": "LastName", "source": { "booking": "guest.family-name" } },
        ] });
        let mapped = mapping_of(mapping, &self.listed)?;
        let (plugin, connection) = (&self.scripted.plugin, &self.scripted.connection);
        let called = system::deliver(plugin, connection, &bed::booking([])?, &mapped, &first_try(bed::NOW)).await?;
        Ok(called.answer.map(|delivery| delivery.outcome).map_err(|problem| (problem.code, problem.reaction)))
    }
}

pub async fn cases() -> Result<Kind> {
    let mut kind = Kind::new("the org moved");
    for (what, old) in ELSEWHERE {
        let org = Moved::new(old, &Refresh::Names(NEW)).await?;
        let ended = org.deliver().await?;
        kind.case(format!("{what}, then the new address"), (ended, org.requests()), (Ok(Outcome::Created), (1, 1, 1)));
        // The next booking goes to the new address at once.
        let again = org.deliver().await?;
        kind.case(format!("{what}, the next booking"), (again, org.requests()), (Ok(Outcome::Created), (1, 1, 2)));

        let org = Moved::new(old, &Refresh::Names(NEW)).await?;
        let listed = org.scripted.plugin.list_lead_fields(&org.scripted.connection, None, "en").await?.answer;
        let listed = listed.map(|listed| listed.fields.len()).map_err(|problem| problem.code);
        kind.case(format!("{what}, fields"), (listed, org.requests()), (Ok(1), (1, 1, 1)));
    }
    // The doctor sends several requests: only the first goes to the old address.
    for (what, old) in ELSEWHERE {
        let org = Moved::new(old, &Refresh::Names(NEW)).await?;
        org.scripted.plugin.check_connection(&org.scripted.connection, "en").await?;
        let (to_old, refreshes, to_new) = org.requests();
        kind.case(format!("{what}, doctor"), (to_old, refreshes, to_new > 1), (1, 1, true));
    }
    for (what, old) in ELSEWHERE.iter().filter(|(_, old)| old.0 != 401) {
        let org = Moved::new(old, &Refresh::Names(OLD)).await?;
        let ended = org.deliver().await?.map_err(|(_, reaction)| reaction);
        kind.case(
            format!("{what}, but the address stays"),
            (ended, org.requests()),
            (Err(Reaction::Reconnect), (1, 1, 0)),
        );
    }
    let (_, old) = &ELSEWHERE[0];
    for (what, refresh, code, reaction) in [
        (
            "a grant that has ended",
            Refresh::Answers(400, r#"{"error":"invalid_grant","error_description":"expired access/refresh token"}"#),
            "connection-ended",
            Reaction::Reconnect,
        ),
        ("a login server that is down", Refresh::Answers(503, ""), "login-server-error", Reaction::Retry),
        (
            "an org that is locked",
            Refresh::Answers(400, r#"{"error":"inactive_org","error_description":"organization is inactive"}"#),
            "inactive_org",
            Reaction::AskAdmin,
        ),
        ("an address that nobody allows", Refresh::Names("evil.example"), "connection-ended", Reaction::Reconnect),
    ] {
        let org = Moved::new(old, &refresh).await?;
        let ended = org.deliver().await?;
        kind.case(what, (ended, org.requests()), (Err((code.to_owned(), reaction)), (1, 1, 0)));
    }
    for (what, old, reaction) in HERE {
        let org = Moved::new(old, &Refresh::Names(NEW)).await?;
        let ended = org.deliver().await?.map_err(|(_, reaction)| reaction);
        kind.case(*what, (ended, org.requests()), (Err(reaction.clone()), (1, 0, 0)));
    }
    Ok(kind)
}
