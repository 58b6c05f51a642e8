//! What Salesforce answers, as the plugin reads it.

use salesforce_leads::{
    Connect, Org,
    bindings::{
        connection::{OauthError, OauthStage},
        http::{Failure, Header, Method, Request, Response},
        secrets::SecretError,
        settings::Expectation,
        types::{
            Booking, BookingKind, Delivery, History, Mapping, Problem, Reaction, RecordRef, Row, SourceKind,
            UnknownTries, Value,
        },
    },
    check_connection, check_mapping, deliver, explain, list_choices, list_lead_fields, preview,
};

use crate::message::Message;

const LEAD: &str = "00Q5e00000LstAAEAZ";

/// Each call ends with an answer or a problem, whatever the org says. A booking is delivered only if the org says so, and a problem
/// has a code and a message.
///
/// The input: the status; headers; after a blank line the body. The org answers everything with it.
pub fn salesforce_answers(input: &[u8]) {
    let Some(message) = Message::read(input) else { return };
    let status = message.first.parse().unwrap_or(200);
    let header = |(name, value): (&str, &str)| Header { name: name.to_owned(), value: value.to_owned() };
    let headers = message.headers.into_iter().map(header).collect();
    let response = Response { status, headers, body: message.body.to_vec(), more: Vec::new() };
    let mut org = Fixed { reads: response.clone(), writes: response };

    let fields = list_lead_fields(&mut org, None);
    for group in ["booking-id-field", "record-type", "assignment-rules", "owner"] {
        described(&list_choices(&mut org, None, group));
    }
    if let Err(problems) = check_connection(&mut org, "ja") {
        assert!(!problems.is_empty());
        problems.into_iter().for_each(|problem| described::<()>(&Err(Box::new(problem))));
    }
    for stage in [OauthStage::Authorize, OauthStage::Refresh, OauthStage::Revoke] {
        let (code, http_status) = (Some(message.first.to_owned()), Some(status));
        described::<()>(&Err(Box::new(explain(OauthError { stage, code, http_status, more: Vec::new() }))));
    }

    let plain = mapping(&[("LastName", ""), ("Company", ""), ("Email", "")]);
    let refuses = |delivery: &Result<Delivery, Box<Problem>>| {
        described(delivery);
        assert!(status < 400 || delivery.is_err(), "{status}: {delivery:?}");
    };
    refuses(&deliver(&mut org, &booking(BookingKind::Confirmed), &plain, &history()));
    let tries = Some(UnknownTries { oldest: 1_000, newest: 2_000 });
    let doubtful = History { first_try: Some(1_000), unknown_tries: tries, ..history() };
    let delivery = deliver(&mut org, &booking(BookingKind::Confirmed), &plain, &doubtful);
    refuses(&delivery);
    if status >= 400
        && let Err(problem) = delivery
    {
        // Nobody could look for the Lead of the earlier try.
        assert!(!problem.settles_earlier_tries(), "{problem:?}");
    }
    described(&deliver(&mut org, &booking(BookingKind::Cancelled), &plain, &known()));
    described(&deliver(&mut org, &booking(BookingKind::Rescheduled), &plain, &known()));
    described(&preview(&mut org, &booking(BookingKind::Rescheduled), &plain, &known().records));
    described(&check_mapping(&mut org, &BookingKind::Confirmed, None, &expectations(&plain), &[]));

    // The same as a describe result whose fields are mapped, in an org that takes everything.
    let Ok(list) = fields else { return described(&fields) };
    let listed: Vec<_> = list.fields.iter().take(8).map(|field| (field.name.as_str(), field.memo.as_str())).collect();
    let mapped = mapping(&listed);
    org.writes = Response {
        status: 201,
        headers: Vec::new(),
        body: format!(r#"{{"id":"{LEAD}","success":true,"errors":[]}}"#).into(),
        more: Vec::new(),
    };
    described(&deliver(&mut org, &booking(BookingKind::Confirmed), &mapped, &history()));
    described(&preview(&mut org, &booking(BookingKind::Confirmed), &mapped, &[]));
    described(&check_mapping(&mut org, &BookingKind::Confirmed, None, &expectations(&mapped), &[]));
}

/// A problem has a code and a message, and says when to try again if it says so at all.
fn described<T>(result: &Result<T, Box<Problem>>) {
    if let Err(problem) = result {
        assert!(!problem.code.is_empty() && !problem.message.is_empty(), "{problem:?}");
        assert!(problem.also.iter().all(|further| !further.code.is_empty()), "{problem:?}");
        assert!(problem.reaction != Reaction::Retry || problem.retry_after.is_some(), "{problem:?}");
    }
}

fn booking(kind: BookingKind) -> Booking {
    let previous_id = (kind == BookingKind::Rescheduled).then(|| "b-0".to_owned());
    Booking { kind, id: "b-1".into(), previous_id, team_id: "t-1".into(), locale: Some("ja".into()), more: Vec::new() }
}

fn history() -> History {
    History { now: 1_800_000_000_000, ..History::default() }
}

/// The history of a booking that has a Lead.
fn known() -> History {
    History { records: vec![RecordRef { object: "Lead".into(), id: LEAD.into(), url: None }], ..history() }
}

fn mapping(fields: &[(&str, &str)]) -> Mapping {
    let values = [
        Value::Text("山田 太郎".into()),
        Value::Number("12.5".into()),
        Value::Boolean(true),
        Value::Moment("2026-12-02T08:30:00+09:00".into()),
        Value::Choices(vec!["A".into(), "B".into()]),
    ];
    let rows = fields.iter().zip(values.iter().cycle()).map(|((field, memo), value)| Row {
        field: (*field).to_owned(),
        memo: (*memo).to_owned(),
        value: Some(value.clone()),
        fallback: Some(Value::Text("x".into())),
        source: SourceKind::Guest,
        on_change: true,
    });
    Mapping { rows: rows.collect(), ..Mapping::default() }
}

fn expectations(mapping: &Mapping) -> Vec<Expectation> {
    let expectation = |row: &Row| Expectation {
        field: row.field.clone(),
        memo: row.memo.clone(),
        gives: vec!["text".to_owned()],
        content: None,
        several: false,
        may_be_blank: true,
        texts: vec!["A".to_owned()],
        fallback: row.fallback.clone(),
        locale: Some("ja".to_owned()),
        more: Vec::new(),
    };
    mapping.rows.iter().map(expectation).collect()
}

/// An org with one answer to all that reads, and one to all that writes.
#[derive(Clone)]
struct Fixed {
    reads: Response,
    writes: Response,
}

impl Org for Fixed {
    fn origin(&self) -> String {
        "https://example.my.salesforce.com".into()
    }

    fn attribute(&self, name: &str) -> Option<String> {
        (name == "user-id").then(|| "0055e00000AbCdEAAV".into())
    }

    fn send(&mut self, request: &Request) -> Result<Response, Failure> {
        Ok(if matches!(request.method, Method::Get) { self.reads.clone() } else { self.writes.clone() })
    }
}

impl Connect for Fixed {
    type Org = Self;

    fn connect(&mut self) -> Result<Self, SecretError> {
        Ok(self.clone())
    }
}
