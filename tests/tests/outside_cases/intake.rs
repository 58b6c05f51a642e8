//! Webhook bodies and describe results that differ from what was expected: what a Lead needs is required, the rest is read as far as
//! it goes, and each loss is told.

use acceptance::samples::example;
use anyhow::{Context as _, Result};
use crm_intake::{Fault, Intake as _, Reading, Timerex};
use salesforce_local_org::OrgFile;
use serde_json::{Value, json};

use crate::Kind;

/// A change of the example: where, to what, and which losses are told.
struct Change(&'static str, &'static str, Option<Value>, &'static [&'static str]);

fn changes() -> Vec<Change> {
    vec![
        Change("hosts: null", "/event/hosts", Some(json!(null)), &[]),
        Change("no hosts", "/event/hosts", None, &[]),
        Change("hosts as text", "/event/hosts", Some(json!("鈴木")), &["event.hosts"]),
        Change("a host without a name", "/event/hosts/0/name", None, &[]),
        Change("a host as text", "/event/hosts/0", Some(json!("鈴木")), &["event.hosts[0]"]),
        Change(
            "a number among the parameters",
            "/event/url_params",
            Some(json!([{ "utm_id": 42 }, { "ok": true }])),
            &[],
        ),
        Change(
            "a list among the parameters",
            "/event/url_params",
            Some(json!([{ "utm_id": [1] }])),
            &["event.url_params[0].utm_id"],
        ),
        Change("parameters as text", "/event/url_params", Some(json!("a=b")), &["event.url_params"]),
        Change("a question without a label", "/event/form/3/label", None, &["event.form[3].label"]),
        Change("a question with a number as label", "/event/form/3/label", Some(json!(7)), &[]),
        Change("a question without a type", "/event/form/3/field_type", None, &[]),
        Change("options: null", "/event/form/3/options", Some(json!(null)), &[]),
        Change(
            "options with labels",
            "/event/form/3/options",
            Some(json!([{ "label": "デモ" }])),
            &["event.form[3].options[0]"],
        ),
        Change("options with numbers", "/event/form/3/options", Some(json!([1, 2])), &[]),
        Change("required as text", "/event/form/3/required", Some(json!("true")), &[]),
        Change(
            "an answer that is an object",
            "/event/form/3/value",
            Some(json!({ "id": 1 })),
            &["event.form[3].value"],
        ),
        Change("an answer with numbers", "/event/form/4/value", Some(json!([1, 2])), &[]),
        Change("a number as answer", "/event/form/5/value", Some(json!(120)), &[]),
        Change("an entry that is text", "/event/form/5", Some(json!("120")), &["event.form[5]"]),
        Change("no form", "/event/form", None, &[]),
        Change("an unknown zone", "/event/timezone", Some(json!("Tokyo")), &["event.timezone"]),
        Change("no zone", "/event/timezone", None, &["event.timezone"]),
        Change("no time of the confirmation", "/event/created_at", None, &[]),
        Change(
            "an unreadable time of the confirmation",
            "/event/created_at",
            Some(json!("yesterday")),
            &["event.created_at"],
        ),
        Change(
            "a time of the confirmation in milliseconds",
            "/event/created_at",
            Some(json!(1795511109000_i64)),
            &["event.created_at"],
        ),
        Change("no name of the calendar", "/calendar_name", None, &[]),
        Change("a number as path of the calendar", "/calendar_url_path", Some(json!(42)), &[]),
        Change("the address of the calendar as a list", "/calendar_url", Some(json!(["x"])), &["calendar_url"]),
        Change("a number as id", "/event/id", Some(json!(8675309)), &[]),
        Change("a room without an address", "/event/google_meet_meeting", Some(json!({})), &[]),
        Change(
            "a room as text",
            "/event/google_meet_meeting",
            Some(json!("https://meet.example")),
            &["event.google_meet_meeting"],
        ),
        Change("a locale as object", "/event/guest_locale", Some(json!({})), &["event.guest_locale"]),
        Change("an empty id of an earlier booking", "/event/old_event_id", Some(json!("")), &[]),
        Change("something new", "/event/something_new", Some(json!({ "a": [1] })), &[]),
    ]
}

/// What a Lead cannot do without: the fault names it.
fn needed() -> Vec<(&'static str, &'static str, Option<Value>)> {
    vec![
        ("webhook_type", "/webhook_type", None),
        ("webhook_type", "/webhook_type", Some(json!([]))),
        ("event", "/event", Some(json!([]))),
        ("event.id", "/event/id", None),
        ("event.id", "/event/id", Some(json!({}))),
        ("event.local_start_datetime", "/event/local_start_datetime", Some(json!("8:30"))),
        ("event.local_end_datetime", "/event/local_end_datetime", None),
        ("team_url_path", "/team_url_path", Some(json!(null))),
        ("calendar_url_path", "/calendar_url_path", Some(json!(""))),
    ]
}

fn changed(body: &Value, pointer: &str, value: Option<Value>) -> Result<String> {
    let mut body = body.clone();
    let (parent, key) = pointer.rsplit_once('/').context("a pointer")?;
    match (body.pointer_mut(parent).context("a parent")?, value) {
        (Value::Object(parent), Some(value)) => drop(parent.insert(key.to_owned(), value)),
        (Value::Object(parent), None) => drop(parent.remove(key)),
        (Value::Array(parent), value) => {
            *parent.get_mut(key.parse::<usize>()?).context("an item")? = value.unwrap_or_default()
        }
        _ => anyhow::bail!("{pointer} has no parent"),
    }
    Ok(body.to_string())
}

/// A file, and the number of fields of the org that is made of it, or else a part of the error.
struct Described(&'static str, Vec<u8>, Result<usize, &'static str>);

/// Describe results as tools write them.
fn describes() -> Vec<Described> {
    let plain = json!({ "name": "Lead", "label": "リード", "fields": [
        { "name": "LastName", "label": "姓", "type": "string", "length": 80, "nillable": false, "createable": true, "updateable": true },
        { "name": "Company", "label": "会社名", "type": "string", "length": 255, "nillable": false, "createable": true, "updateable": true },
    ] });
    let text = plain.to_string();
    let wrapped = json!({ "status": 0, "result": plain, "warnings": [] }).to_string();
    let utf16 = |text: &str, big: bool| {
        let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
        units.flat_map(|unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect::<Vec<u8>>()
    };
    let named = |name: &str| json!({ "name": name, "fields": plain.get("fields") }).to_string().into_bytes();
    vec![
        Described("as the API writes it", text.clone().into_bytes(), Ok(2)),
        Described("with a byte order mark", [b"\xEF\xBB\xBF", text.as_bytes()].concat(), Ok(2)),
        Described("wrapped by the command", wrapped.clone().into_bytes(), Ok(2)),
        Described("in UTF-16, little-endian", utf16(&text, false), Ok(2)),
        Described("in UTF-16, big-endian", utf16(&text, true), Ok(2)),
        Described("wrapped, in UTF-16", utf16(&wrapped, false), Ok(2)),
        Described("in UTF-16 without a mark", utf16(&text, false).split_off(2), Ok(2)),
        Described("of another object", named("Contact"), Err("Contact")),
        Described("of a custom object", named("Lead__c"), Err("Lead__c")),
        Described(
            "of an object in a wrapper",
            json!({ "status": 0, "result": { "name": "Account", "fields": [] } }).to_string().into_bytes(),
            Err("Account"),
        ),
        Described(
            "an error of the command",
            json!({ "status": 1, "name": "NoOrgFound", "message": "No default environment found" })
                .to_string()
                .into_bytes(),
            Err("No default environment found"),
        ),
        Described(
            "an error of the API",
            json!([{ "message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID" }])
                .to_string()
                .into_bytes(),
            Err("Session expired or invalid"),
        ),
        Described("the list of objects", json!({ "sobjects": [] }).to_string().into_bytes(), Err("fields")),
        Described("a page", b"<html></html>".to_vec(), Err("JSON")),
    ]
}

pub fn cases() -> Result<Kind> {
    let mut kind = Kind::new("lenient intake");
    let body: Value = serde_json::from_str(&std::fs::read_to_string(example("timerex-webhook.json"))?)?;
    for Change(what, pointer, value, expected) in changes() {
        let read = read(&changed(&body, pointer, value)?);
        let found = read.as_ref().map(losses).map_err(ToString::to_string);
        kind.case(what, found, Ok(expected.iter().map(|path| (*path).to_owned()).collect()));
    }
    for (path, pointer, value) in needed() {
        let fault = read(&changed(&body, pointer, value)?).err().map(|fault| fault.path);
        kind.case(format!("without {pointer}"), fault.as_deref(), Some(path));
    }
    for file in ["form-without-labels.json", "hosts-null.json", "url-param-number.json"] {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/outside/timerex/").to_owned() + file;
        kind.case(file, read(&std::fs::read_to_string(path)?).is_ok_and(|read| read.is_some()), true);
    }
    for Described(what, bytes, expected) in describes() {
        match (OrgFile::from_describe(&bytes), expected) {
            (Ok(org), expected) => kind.case(format!("a describe {what}"), Ok(org.fields.len()), expected),
            (Err(error), Err(part)) => {
                kind.case(format!("a describe {what}: {error}"), error.to_string().contains(part), true);
            }
            (Err(error), Ok(_)) => kind.case(format!("a describe {what}"), error.to_string(), String::new()),
        }
    }
    Ok(kind)
}

/// The booking of a body.
fn read(body: &str) -> Result<Option<Reading>, Fault> {
    Ok(Timerex.read(body, None)?.booking())
}

/// The places that were not read, or not as they are.
fn losses(reading: &Option<Reading>) -> Vec<String> {
    let paths = reading.iter().flat_map(|reading| &reading.findings).flat_map(|found| &found.finding.particulars);
    paths.filter(|particular| particular.name == "path").map(|particular| particular.value.clone()).collect()
}
