//! What our own crates log, at any level, while all these tests run.

use std::{
    collections::BTreeSet,
    io,
    sync::{LazyLock, Mutex, Once},
};

use reqwest::{Method, header::HeaderMap};
use serde_json::Value;
use tracing_subscriber::{
    Layer as _,
    filter::{LevelFilter, filter_fn},
    fmt::MakeWriter,
    layer::SubscriberExt as _,
};

use crate::bed::{BOOKING, Bed, TEAM};

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());
static SECRETS: LazyLock<Mutex<BTreeSet<String>>> = LazyLock::new(|| Mutex::new(personal()));
/// Lines that are judged already.
static JUDGED: Mutex<usize> = Mutex::new(0);

/// Keeps what is logged from now on.
pub fn capture() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let ours = filter_fn(|metadata| metadata.target().starts_with("crm_"));
        let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(Lines).with_filter(ours);
        let subscriber = tracing_subscriber::registry().with(lines.and_then(LevelFilter::TRACE));
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
}

#[derive(Clone, Copy)]
struct Lines;

impl io::Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        LINES.lock().unwrap().push(String::from_utf8_lossy(line).into_owned());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self
    }
}

/// A text that no log may have.
pub fn is_secret(text: &str) {
    SECRETS.lock().unwrap().insert(text.to_owned());
}

/// What the bookings of these tests have about people.
fn personal() -> BTreeSet<String> {
    let mut texts = BTreeSet::new();
    for booking in [
        BOOKING,
        include_str!("../../../intake/fixtures/calcom/confirmed.booking.json"),
        include_str!("../../../intake/fixtures/calendly/confirmed.booking.json"),
        include_str!("../../../intake/fixtures/timerex/confirmed.booking.json"),
    ] {
        let booking: Value = serde_json::from_str(booking).unwrap();
        for part in ["guest", "companions", "comment", "title"] {
            collect(&booking[part], &mut texts);
        }
        booking["answers"].as_array().unwrap().iter().for_each(|answer| collect(&answer["value"], &mut texts));
    }
    texts
}

fn collect(value: &Value, texts: &mut BTreeSet<String>) {
    match value {
        // Shorter ones, such as a language, are in any text.
        Value::String(text) if text.len() >= 6 => {
            texts.insert(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Object(members) => members.values().for_each(|member| collect(member, texts)),
        _ => {}
    }
}

fn personal_in(line: &str) -> Option<String> {
    SECRETS.lock().unwrap().iter().find(|text| line.contains(text.as_str())).cloned()
}

#[track_caller]
pub fn has_nothing_personal() {
    let lines = LINES.lock().unwrap();
    let mut judged = JUDGED.lock().unwrap();
    for line in &lines[*judged..] {
        if let Some(text) = personal_in(line) {
            panic!("`{text}` was logged: {line}");
        }
    }
    *judged = lines.len();
}

/// Whether some line has a text.
pub fn has(text: &str) -> bool {
    LINES.lock().unwrap().iter().any(|line| line.contains(text))
}

#[tokio::test]
async fn what_is_logged_is_seen_here_and_names_are_found_in_it() {
    let bed = Bed::new().await;
    let secret = "timerex-secret-of-the-log";
    is_secret(secret);
    let body = serde_json::json!({ "secrets": [secret] });
    bed.put(&format!("/v1/teams/{TEAM}/hooks/timerex"), &bed.admin, &body).await.is(204);
    let mut headers = HeaderMap::new();
    headers.insert("x-timerex-authorization", secret.parse().unwrap());
    let text = r#"{"webhook_type":"event_confirmed","event":{"id":{},"guest_name":"Anna-Lena Weiß"}}"#;
    bed.send_raw(Method::POST, "/hooks/timerex/minato-team/intro-call", headers, text.into())
        .await
        .problem(400, "body-invalid");
    assert!(has("a webhook's body was refused"));
    assert_eq!(personal_in("guest: Anna-Lena Weiß"), Some("Anna-Lena Weiß".to_owned()));
    for text in [
        "anna-lena.weiss+booking@nordwind.example",
        "+49 40 1234567",
        "Stop copying bookings by hand.",
        secret,
        &bed.admin,
    ] {
        assert!(personal_in(&format!("x{text}x")).is_some(), "{text}");
    }
}
