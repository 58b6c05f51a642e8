//! A plugin that attempts what a host must prevent.
//!
//! The mapping's target selects the attempt:
//!
//! | target | attempt |
//! | --- | --- |
//! | `loop` | loops forever |
//! | `count calls` | returns how many calls this instance has had |
//! | `memory bomb` | allocates until stopped |
//! | `deep recursion` | recurses without end |
//! | `panic` | panics |
//! | `request` | sends the request described by the mapping's options |
//! | `10k requests` | sends it 10,000 times |
//! | `10k credentials` | opens a credential 10,000 times and keeps them all |
//! | `10k opens` | opens a credential 10,000 times and closes it each time |
//! | `huge header` | sends it with a header of 8 MiB |
//! | `huge body` | sends it with a body of 8 MiB |
//! | `huge string` | returns a string of 16 MiB |
//! | `invalid text` | returns a string that is not UTF-8 |
//! | `amplified strings` | returns 100,000 strings of 1 MiB that share the same memory |
//!
//! The options can have `method` (`GET` if absent), `url` (may start with `{origin}`, which stands for the credential's),
//! `header` (`name: value`, repeatable), `body` and `credential` (`loot` if absent).
//!
//! The result is always a problem: its code is `answered`, `failed-KIND`, `unavailable` or `ended`, and its message is the
//! body of the response or what was counted.

#[expect(missing_docs, reason = "generated; the documentation is in wit/")]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../../../wit",
        world: "scheduling:crm/plugin",
        generate_all,
        export_macro_name: "export_plugin",
    });
}

mod exhaust;

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
};

use bindings::{
    exports::scheduling::crm::leads::Guest,
    scheduling::crm::{
        http::{self, FailureKind, Header, Method, Request},
        secrets::{self, Credential},
        types::{Booking, Delivery, Effect, FieldList, History, Mapping, Problem, Reaction},
    },
};

const MANY: usize = 10_000;
const HUGE: usize = 8 << 20;

/// The plugin.
#[derive(Debug)]
pub struct Hostile;

impl Guest for Hostile {
    fn on_booking_completed(_booking: Booking, mapping: Mapping, _history: History) -> Result<Delivery, Problem> {
        Err(match mapping.target.as_deref().unwrap_or_default() {
            "loop" => exhaust::time(),
            "count calls" => count_calls(),
            "memory bomb" => exhaust::memory(),
            "deep recursion" => exhaust::stack(),
            "panic" => panic_on_purpose(),
            "request" => once(&mapping, |_| {}),
            "10k requests" => many_requests(&mapping),
            "10k credentials" => many_credentials(),
            "10k opens" => many_opens(),
            "huge header" => once(&mapping, |request| request.headers.push(header("x-huge", &"h".repeat(HUGE)))),
            "huge body" => once(&mapping, |request| request.body = Some(vec![b'b'; HUGE])),
            "huge string" => problem("ended", "s".repeat(2 * HUGE)),
            "invalid text" => problem("ended", invalid_text()),
            "amplified strings" => exhaust::host_memory(),
            other => problem("ended", format!("the hostile guest does not know how to `{other}`")),
        })
    }

    fn list_lead_fields(_target: Option<String>, _locale: String) -> Result<FieldList, Problem> {
        Ok(FieldList { fields: Vec::new(), withheld: Vec::new(), more: Vec::new() })
    }
}

fn count_calls() -> Problem {
    static EARLIER: AtomicUsize = AtomicUsize::new(0);
    problem("ended", (EARLIER.fetch_add(1, Ordering::Relaxed) + 1).to_string())
}

#[expect(unsafe_code, reason = "a plugin in a language without checked strings returns such a text")]
fn invalid_text() -> String {
    // SAFETY: nothing in this guest reads the text; only the host sees its bytes.
    unsafe { String::from_utf8_unchecked(vec![b'a', 0xFF]) }
}

#[expect(clippy::panic, reason = "tests a guest that panics")]
fn panic_on_purpose() -> Problem {
    panic!("on purpose")
}

/// Sends the request that the mapping describes, modified by `change`.
fn once(mapping: &Mapping, change: impl FnOnce(&mut Request)) -> Problem {
    let opened = secrets::open(option(mapping, "credential").unwrap_or("loot"));
    let (Ok(credential), Some(mut request)) = (&opened, described(mapping, opened.as_ref().ok())) else {
        return problem("unavailable", String::new());
    };
    change(&mut request);
    match http::send(&request, credential) {
        Ok(answer) => Problem {
            http_status: Some(answer.status),
            ..problem("answered", String::from_utf8_lossy(&answer.body).into_owned())
        },
        Err(failure) => problem(&format!("failed-{}", name(&failure.kind)), format!("{:?}", failure.effect)),
    }
}

fn many_requests(mapping: &Mapping) -> Problem {
    let mut counts = BTreeMap::new();
    for _ in 0..MANY {
        *counts.entry(once(mapping, |_| {}).code).or_insert(0_usize) += 1;
    }
    problem("ended", listed(&counts))
}

fn many_credentials() -> Problem {
    let opened = (0..MANY).map_while(|_| secrets::open("loot").ok()).collect::<Vec<_>>();
    problem("ended", opened.len().to_string())
}

fn many_opens() -> Problem {
    problem("ended", (0..MANY).filter(|_| secrets::open("loot").is_ok()).count().to_string())
}

/// The request of the mapping's options.
fn described(mapping: &Mapping, credential: Option<&Credential>) -> Option<Request> {
    let origin = credential?.origin();
    let headers = mapping.options.iter().filter(|option| option.name == "header");
    let headers = headers.filter_map(|option| option.value.split_once(": ").map(|(name, value)| header(name, value)));
    Some(Request {
        method: match option(mapping, "method").unwrap_or("GET") {
            "POST" => Method::Post,
            "PUT" => Method::Put,
            "PATCH" => Method::Patch,
            "DELETE" => Method::Delete,
            _ => Method::Get,
        },
        url: option(mapping, "url")?.replace("{origin}", &origin),
        headers: headers.collect(),
        body: option(mapping, "body").map(|body| body.as_bytes().to_vec()),
        more: Vec::new(),
    })
}

fn option<'a>(mapping: &'a Mapping, name: &str) -> Option<&'a str> {
    mapping.options.iter().find(|option| option.name == name).map(|option| option.value.as_str())
}

fn header(name: &str, value: &str) -> Header {
    Header { name: name.to_owned(), value: value.to_owned() }
}

/// The spelling in the contract.
fn name(kind: &FailureKind) -> &str {
    match kind {
        FailureKind::Denied => "denied",
        FailureKind::InvalidRequest => "invalid-request",
        FailureKind::GrantEnded => "grant-ended",
        FailureKind::RefreshFailed => "refresh-failed",
        FailureKind::Connect => "connect",
        FailureKind::Tls => "tls",
        FailureKind::Timeout => "timeout",
        FailureKind::Closed => "closed",
        FailureKind::ResponseTooLarge => "response-too-large",
        FailureKind::ResponseBlocked => "response-blocked",
        FailureKind::Budget => "budget",
        FailureKind::NeedsAPerson => "needs-a-person",
        FailureKind::Other(name) => name,
    }
}

/// Formats counts as `answered 8, failed-budget 9992`.
fn listed(counts: &BTreeMap<String, usize>) -> String {
    counts.iter().map(|(code, count)| format!("{code} {count}")).collect::<Vec<_>>().join(", ")
}

fn problem(code: &str, message: String) -> Problem {
    Problem {
        code: code.to_owned(),
        message,
        reaction: Reaction::FixBooking,
        effect: Effect::None,
        http_status: None,
        retry_after: None,
        fields: Vec::new(),
        rows: Vec::new(),
        particulars: Vec::new(),
        made: Vec::new(),
        concerned: Vec::new(),
        also: Vec::new(),
        more: Vec::new(),
    }
}

#[cfg(target_arch = "wasm32")]
mod component {
    #![expect(unsafe_code, reason = "the component's exports are generated as C functions")]
    use super::{Hostile, bindings};
    bindings::export_plugin!(Hostile with_types_in bindings);
}
