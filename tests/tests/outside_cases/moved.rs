//! The org is no longer where it was: enhanced domains, a renamed My Domain, another instance.

use std::sync::{Arc, Mutex, PoisonError};

use acceptance::{
    memory,
    samples::{first_try, mapping_of},
    scripted::{Reply, SALESFORCE, Scripted, response},
    system::{self, CREDENTIAL, PLUGIN, System, component},
};
use anyhow::{Context as _, Result};
use crm_host::{
    Plugin,
    credentials::{Builds, ConnectionId},
    policy::TestOverride,
    types::{FieldList, Outcome, Reaction},
};
use http::{Request, Response};
use salesforce_local_org::{Fault, OrgFile};
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
    ("300 with a page", Old(300, "text/html", "", "<html></html>")),
    ("410 with a page", Old(410, "text/html", "", PAGE)),
    ("421", Old(421, "", "", "")),
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
    ("400 of the org", Old(400, "application/json", "", r#"[{"errorCode":"FIELD_CUSTOM_VALIDATION_EXCEPTION","message":"no","fields":[]}]"#), Reaction::FixBooking),
    ("503 with a page", Old(503, "text/html", "", PAGE), Reaction::CheckFirst),
];

const ENDED: &str = r#"{"error":"invalid_grant","error_description":"expired access/refresh token"}"#;
const LOCKED: &str = r#"{"error":"inactive_org","error_description":"organization is inactive"}"#;

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

/// A connected plugin whose org moves: then only the new host works.
struct Bed {
    scripted: Scripted,
    listed: FieldList,
    /// What the old host answers; `None` before the move.
    old: Arc<Mutex<Option<&'static Old>>>,
    connections: u32,
}

impl Bed {
    async fn start() -> Result<Self> {
        let old: Arc<Mutex<Option<&'static Old>>> = Arc::default();
        let moved = old.clone();
        let answer = move |request: &Request<Vec<u8>>| {
            let old = moved.lock().unwrap_or_else(PoisonError::into_inner);
            Some(match (*old, request.method().as_str(), request.uri().path()) {
                (Some(old), ..) if request.uri().host() != Some(NEW) => old.reply(),
                (_, "POST", _) => response(201, CREATED),
                (_, _, "/services/data/") => response(200, VERSIONS),
                (_, _, path) if path.ends_with("/describe") => response(200, DESCRIBE),
                _ => response(200, r#"{"totalSize":0,"done":true,"records":[]}"#),
            })
        };
        let scripted = Scripted::start(component()?, &SALESFORCE, answer).await?;
        let listed = scripted.plugin.list_lead_fields(&scripted.connection, None, "en").await?.answer;
        Ok(Self { listed: listed.map_err(system::unexpected)?, scripted, old, connections: 0 })
    }

    /// A new connection, whose org moves.
    async fn moved(&mut self, old: &'static Old, refresh: &Refresh) -> Result<Moved<'_>> {
        self.connections += 1;
        *self.old.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.scripted.script.answer_refreshes(None);
        let connection = ConnectionId::new(format!("team-{}", self.connections));
        self.scripted.connect(&connection).await?;
        *self.old.lock().unwrap_or_else(PoisonError::into_inner) = Some(old);
        self.scripted.script.answer_refreshes(Some(refresh.response()));
        let before = self.scripted.script.seen().len();
        Ok(Moved { bed: self, connection, before })
    }
}

struct Moved<'b> {
    bed: &'b Bed,
    connection: ConnectionId,
    before: usize,
}

impl Moved<'_> {
    fn plugin(&self) -> &Plugin {
        &self.bed.scripted.plugin
    }

    /// Requests to the old host, to the token endpoint, and to the new host.
    fn requests(&self) -> (usize, usize, usize) {
        let seen = self.bed.scripted.script.seen();
        let since: Vec<_> = seen.iter().skip(self.before).filter_map(|request| request.uri().host()).collect();
        let to = |host: &str| since.iter().filter(|seen| **seen == host).count();
        (to(OLD), to("login.salesforce.com"), to(NEW))
    }

    async fn deliver(&self) -> Result<Result<Outcome, (String, Reaction)>> {
        let row = json!({ "field": "LastName", "source": { "booking": "guest.family-name" } });
        let mapped = mapping_of(json!({ "rows": [row] }), &self.bed.listed)?;
        let (booking, history) = (bed::booking([])?, first_try(bed::NOW));
        let called = system::deliver(self.plugin(), &self.connection, &booking, &mapped, &history).await?;
        Ok(called.answer.map(|delivery| delivery.outcome).map_err(|problem| (problem.code, problem.reaction)))
    }
}

/// The same over real sockets, with an org that moves from one of its addresses to another.
async fn over_sockets(kind: &mut Kind) -> Result<()> {
    let system = System::disconnected(OrgFile::default()).await?;
    let old = system.org().base_url().to_owned();
    let new = old.replace("127.0.0.1", "localhost");
    let mut policy = system.policy()?;
    policy.test_overrides.push(TestOverride::new("https://*.my.salesforce.com".parse()?, new.parse()?)?);
    let host = memory::host()
        .policy(PLUGIN.parse()?, policy)
        .secrets(system.secrets.clone())
        .plugin(PLUGIN.parse()?, Builds::Any)
        .registration(PLUGIN.parse()?, CREDENTIAL.parse()?, system::registration(&system.org().app())?)
        .build()?;
    let plugin = host.load(component()?).await?;
    system::connect(plugin.broker(), &system.connection, system.org()).await?;
    system.org().move_to(&new);
    let gone = Fault::redirect(&new).at(old.trim_start_matches("http://")).on("POST", "/services/data/*");
    system.org().add_fault(gone.times(9));
    let listed = plugin.list_lead_fields(&system.connection, None, "en").await?.answer.map_err(system::unexpected)?;
    let mapped = mapping_of(
        json!({ "rows": [
            { "field": "LastName", "source": { "booking": "guest.family-name" } },
            { "field": "Company", "source": { "fixed": "個人" } },
        ] }),
        &listed,
    )?;
    for (id, name) in [("bk-1", "高橋 美咲"), ("bk-2", "佐藤 健")] {
        let booking = bed::booking_with(json!({ "id": id, "guest": { "name": name } }))?;
        let called = system::deliver(&plugin, &system.connection, &booking, &mapped, &first_try(bed::NOW)).await?;
        let outcome = called.answer.map(|delivery| delivery.outcome).map_err(|problem| problem.code);
        kind.case(format!("over sockets, {id}"), outcome, Ok(Outcome::Created));
    }
    kind.case("over sockets, Leads", system.org().leads().len(), 2);
    Ok(())
}

pub async fn cases() -> Result<Kind> {
    let mut kind = Kind::new("the org moved");
    let mut bed = Bed::start().await?;
    for (what, old) in ELSEWHERE {
        let org = bed.moved(old, &Refresh::Names(NEW)).await?;
        let ended = org.deliver().await?;
        kind.case(format!("{what}, then the new address"), (ended, org.requests()), (Ok(Outcome::Created), (1, 1, 1)));
        // The next booking goes to the new address at once.
        let again = org.deliver().await?;
        kind.case(format!("{what}, the next booking"), (again, org.requests()), (Ok(Outcome::Created), (1, 1, 2)));

        let org = bed.moved(old, &Refresh::Names(NEW)).await?;
        let listed = org.plugin().list_lead_fields(&org.connection, None, "en").await?.answer;
        let listed = listed.map(|listed| listed.fields.len()).map_err(|problem| problem.code);
        kind.case(format!("{what}, fields"), (listed, org.requests()), (Ok(1), (1, 1, 1)));
    }
    // The doctor sends several requests: only the first goes to the old address.
    for (what, old) in ELSEWHERE {
        let org = bed.moved(old, &Refresh::Names(NEW)).await?;
        org.plugin().check_connection(&org.connection, "en").await?;
        let (to_old, refreshes, to_new) = org.requests();
        kind.case(format!("{what}, doctor"), (to_old, refreshes, to_new > 1), (1, 1, true));
    }
    for (what, old) in ELSEWHERE.iter().filter(|(_, old)| old.0 != 401) {
        let org = bed.moved(old, &Refresh::Names(OLD)).await?;
        let ended = org.deliver().await?.map_err(|(_, reaction)| reaction);
        kind.case(
            format!("{what}, but the address stays"),
            (ended, org.requests()),
            (Err(Reaction::Reconnect), (1, 1, 0)),
        );
    }
    let (_, old) = ELSEWHERE.first().context("a response")?;
    // The last one is asked twice: its tokens are revoked, because the host will not use them.
    for (what, refresh, code, reaction, asked) in [
        ("a grant that has ended", Refresh::Answers(400, ENDED), "connection-ended", Reaction::Reconnect, 1),
        ("a login server that is down", Refresh::Answers(503, ""), "credential-unavailable", Reaction::Retry, 1),
        ("an org that is locked", Refresh::Answers(400, LOCKED), "inactive_org", Reaction::AskAdmin, 1),
        ("an address that nobody allows", Refresh::Names("evil.example"), "connection-ended", Reaction::Reconnect, 2),
    ] {
        let org = bed.moved(old, &refresh).await?;
        let ended = org.deliver().await?;
        kind.case(what, (ended, org.requests()), (Err((code.to_owned(), reaction)), (1, asked, 0)));
    }
    for (what, old, reaction) in HERE {
        let org = bed.moved(old, &Refresh::Names(NEW)).await?;
        let ended = org.deliver().await?.map_err(|(_, reaction)| reaction);
        kind.case(*what, (ended, org.requests()), (Err(reaction.clone()), (1, 0, 0)));
    }
    over_sockets(&mut kind).await?;
    Ok(kind)
}
