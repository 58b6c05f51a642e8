mod anything;
mod cancel;
mod create;
mod doubt;
mod existing;
mod expected;
mod paths;
mod preview;
mod refused;
mod repeat;
mod reschedule;
mod world;

use super::deliver;
use crate::{
    bindings::{
        http::{Failure, Response},
        types::{Delivery, History, Mapping, Problem},
    },
    fixture,
    script::Script,
};

/// Delivers the test booking to an org that gives these answers.
fn run(
    mapping: &Mapping,
    history: &History,
    replies: impl IntoIterator<Item = Result<Response, Failure>>,
) -> (Result<Delivery, Box<Problem>>, Script) {
    let script = Script::new(replies);
    let result = deliver(&mut script.clone(), &fixture::booking(), mapping, history);
    (result, script)
}

/// The Lead that an earlier try of the test booking made.
const SAME: &str = r#"{"Id":"00Q5e00000LstAAEAZ","LastName":"山田","FirstName":"太郎","Company":"株式会社サンプル＆パートナーズ",
    "Email":"taro.yamada@example.com","Description":"現在の手入力を減らしたい。\r\n「O'Brien & 田中」様の紹介です。👩‍💻",
    "MeetingDate__c":"2026-12-02"}"#;

/// The id of the Lead that a delivery is about.
#[track_caller]
fn lead_id(delivery: &Delivery) -> &str {
    let [lead] = &*delivery.records else { panic!("{:?}", delivery.records) };
    assert_eq!(lead.url, fixture::lead(&lead.id).url);
    &lead.id
}

/// Ids of the records that a problem names, each with an address.
#[track_caller]
fn concerned(problem: &Problem) -> Vec<&str> {
    assert!(problem.concerned.iter().all(|record| record.url == fixture::lead(&record.id).url));
    problem.concerned.iter().map(|record| &*record.id).collect()
}

/// A record with some of its members changed.
fn record(base: &str, changes: &serde_json::Value) -> String {
    let mut record: serde_json::Map<String, serde_json::Value> = serde_json::from_str(base).unwrap();
    record.extend(changes.as_object().unwrap().clone());
    serde_json::Value::Object(record).to_string()
}
