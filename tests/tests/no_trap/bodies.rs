//! Extremely deep and large responses of an org.

use crate::{Answers, scripted};
use acceptance::samples::{self, Mapped};
use acceptance::scripted::{Scripted, response};
use acceptance::system::System;
use anyhow::Result;
use crm_host::types::{FieldList, Reaction};
use serde_json::json;
use std::sync::{Arc, Mutex};

/// serde_json reads at most 127 levels; deeper JSON must be rejected without reading all of it.
const LEVELS: [usize; 3] = [127, 128, 20_000];

fn deep(levels: usize) -> [String; 2] {
    [
        format!("{}{}", "[".repeat(levels), "]".repeat(levels)),
        format!("{}null{}", "{\"a\":".repeat(levels), "}".repeat(levels)),
    ]
}

/// Bodies of every kind of response, with `inner` inside.
fn around(inner: &str) -> [String; 6] {
    [
        inner.to_owned(),
        format!(r#"[{{"errorCode":"INVALID_FIELD","message":"m","fields":["Email"],"extended":{inner}}}]"#),
        format!(
            r#"[{{"errorCode":"DUPLICATES_DETECTED","message":"m","duplicateResult":{{"matchResults":{inner}}}}}]"#
        ),
        format!(r#"{{"totalSize":1,"done":true,"records":[{{"Id":"00Q5i000001AbCdEAV","Owner":{inner}}}]}}"#),
        format!(
            r#"{{"fields":[{{"name":"LastName","type":"string","createable":true,"updateable":true,"more":{inner}}}],"name":"Lead","more":{inner}}}"#
        ),
        format!(r#"{{"id":"00Q5i000001AbCdEAV","success":true,"errors":{inner}}}"#),
    ]
}

/// A mapping that makes every call send requests: a lookup before the create, a describe after a rejection.
fn mapping(listed: &FieldList) -> Result<Mapped> {
    let rows = json!({ "rows": [
        { "field": "LastName", "source": { "booking": "guest.family-name" } },
        { "field": "Email", "source": { "booking": "guest.email" } },
    ], "options": { "existing": "overwrite" } });
    samples::mapping_of(rows, listed)
}

/// The plugin, and the next response of its org.
struct Answering {
    mapping: Mapped,
    guest: Scripted,
    next: Arc<Mutex<Next>>,
}

/// The response to requests whose path ends with `path`; others get 404.
#[derive(Clone, Default)]
struct Next {
    path: &'static str,
    status: u16,
    body: String,
}

impl Answering {
    async fn start() -> Result<Self> {
        let next = Arc::new(Mutex::new(Next::default()));
        let script = next.clone();
        let guest = scripted(move |request| {
            let next = script.lock().ok()?.clone();
            let is_meant = request.uri().path().ends_with(next.path);
            Some(if is_meant { response(next.status, next.body) } else { response(404, "[]") })
        })
        .await?;
        let mapping = mapping(&System::start().await?.fields().await?)?;
        Ok(Self { mapping, guest, next })
    }

    async fn call_all(&self, next: Next, what: &str) -> Result<Answers> {
        *self.next.lock().map_err(|_| anyhow::anyhow!("the script"))? = next;
        let booking = samples::booking()?;
        crate::call_all(&self.guest.plugin, &self.guest.connection, &booking, &self.mapping, &[], what).await
    }
}

#[tokio::test]
async fn deeply_nested_responses_never_trap() -> Result<()> {
    let org = Answering::start().await?;
    for levels in LEVELS {
        for inner in deep(levels) {
            for (kind, body) in around(&inner).into_iter().enumerate() {
                for status in [200, 400] {
                    let what = format!("{levels} levels, kind {kind}, {status}");
                    let answers = org.call_all(Next { path: "", status, body: body.clone() }, &what).await?;
                    if status == 400 {
                        assert!(answers.fields.is_err() && answers.check.is_err(), "{what}");
                        assert!(answers.account.is_err() && answers.delivery.is_err(), "{what}");
                    }
                }
            }
        }
    }
    Ok(())
}

/// Maximum number of fields (Salesforce Help, "Custom Fields Allowed Per Object").
const FIELDS: usize = 900;

/// 20 Leads of the example's guest with this many bytes of text.
fn leads_of(bytes: usize) -> String {
    let text = "あ".repeat(bytes / 20 / 8 / "あ".len());
    let fields = (0..8).map(|number| format!(r#""Text{number}__c":"{text}""#)).collect::<Vec<_>>().join(",");
    let guest = "anna-lena.weiss+booking@nordwind.example";
    let lead = format!(r#"{{"Id":"00Q5i000001AbCdEAV","Email":"{guest}","IsConverted":false,{fields}}}"#);
    format!(r#"{{"totalSize":20,"done":true,"records":[{}]}}"#, vec![lead; 20].join(","))
}

/// A describe result with the maximum number of fields and this many bytes.
fn describe_of(bytes: usize) -> String {
    let help = "あ".repeat(bytes / FIELDS / "あ".len());
    let field = |number: usize| {
        format!(
            r#"{{"name":"F{number}__c","label":"項目 {number}","type":"string","length":255,"createable":true,"updateable":true,"nillable":true,"inlineHelpText":"{help}"}}"#
        )
    };
    format!(r#"{{"name":"Lead","fields":[{}]}}"#, (0..FIELDS).map(field).collect::<Vec<_>>().join(","))
}

#[tokio::test]
async fn large_responses_never_trap() -> Result<()> {
    let org = Answering::start().await?;
    // A query result, also in response to a write, which the plugin must handle.
    let leads = Next { path: "", status: 200, body: leads_of(7 << 20) };
    let delivery = org.call_all(leads, "7 MiB of Leads").await?.delivery;
    // The look-up reads them. They are no answer to the change that follows.
    assert!(delivery.is_err_and(|problem| problem.reaction == Reaction::CheckFirst));
    let fields = Next { path: "/describe", status: 200, body: describe_of(7 << 20) };
    let answers = org.call_all(fields, "7 MiB of fields").await?;
    assert!(answers.fields.is_ok_and(|listed| listed.fields.len() == FIELDS));
    for one in ["0,", r#"{"a":{}},"#] {
        let inner = format!("[{}0]", one.repeat((512 << 10) / one.len()));
        for (kind, body) in around(&inner).into_iter().enumerate() {
            org.call_all(Next { path: "", status: 200, body }, &format!("512 KiB of {one}, kind {kind}")).await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn dense_responses_never_trap() -> Result<()> {
    let org = Answering::start().await?;
    for one in ["0,", "[],", r#"{"a":{}},"#] {
        let inner = format!("[{}0]", one.repeat((2 << 20) / one.len()));
        for (kind, body) in around(&inner).into_iter().enumerate() {
            org.call_all(Next { path: "", status: 200, body }, &format!("2 MiB of {one}, kind {kind}")).await?;
        }
    }
    Ok(())
}
