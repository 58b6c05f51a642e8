//! Faults that the org shows on demand, so that clients can be hardened against them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

/// A fault, which requests meet it, and how often.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fault {
    /// Method of the requests that meet it; any if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Path of the requests that meet it, in which `*` stands for any text; any path if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How many requests pass unharmed before the first one meets it.
    #[serde(default)]
    pub skip: u32,
    /// How many requests meet it.
    #[serde(default = "once")]
    pub times: u32,
    /// How long the org waits before it does anything.
    #[serde(default)]
    pub delay_ms: u64,
    /// How long the org waits with its answer, once it has done what was asked.
    #[serde(default)]
    pub answer_delay_ms: u64,
    /// What happens.
    #[serde(default)]
    pub effect: Effect,
}

/// What a fault does.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "kind")]
pub enum Effect {
    /// Nothing but the delay.
    #[default]
    Pass,
    /// Another answer than the org's own.
    #[serde(rename_all = "kebab-case")]
    Answer {
        /// Its status.
        status: u16,
        /// Its headers.
        #[serde(default)]
        headers: Vec<(String, String)>,
        /// Its body.
        #[serde(default)]
        body: String,
        /// Whether the org does what was asked before it answers so.
        #[serde(default)]
        after_commit: bool,
    },
    /// The connection is closed without an answer.
    #[serde(rename_all = "kebab-case")]
    Drop {
        /// Whether the org does what was asked all the same.
        #[serde(default)]
        after_commit: bool,
        /// How much later it does so, by its own clock. More than 0 implies `after-commit`.
        #[serde(default, skip_serializing_if = "is_zero")]
        commit_after_seconds: u32,
    },
    /// The org's own answer, cut off after so many bytes of its body.
    Truncate {
        /// Bytes that are sent.
        bytes: usize,
    },
    /// The org's own answer, a few bytes at a time.
    #[serde(rename_all = "kebab-case")]
    Drip {
        /// Bytes that are sent at once.
        bytes: usize,
        /// Milliseconds between them.
        pause_ms: u64,
    },
    /// The org's own answer, announced as so many bytes longer than it is.
    WrongLength {
        /// Bytes that never come.
        excess: u64,
    },
    /// A small gzip body that unpacks to so many mebibytes of blanks.
    GzipBomb {
        /// Mebibytes of the unpacked body.
        mebibytes: u32,
    },
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn once() -> u32 {
    1
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Fault {
    /// A fault that the next request meets.
    pub fn new(effect: Effect) -> Self {
        Self { method: None, path: None, skip: 0, times: 1, delay_ms: 0, answer_delay_ms: 0, effect }
    }

    /// The connection closes before the org did anything.
    pub fn drop_before_commit() -> Self {
        Self::new(Effect::Drop { after_commit: false, commit_after_seconds: 0 })
    }

    /// The connection closes after the org did what was asked: the reply is lost.
    pub fn drop_after_commit() -> Self {
        Self::new(Effect::Drop { after_commit: true, commit_after_seconds: 0 })
    }

    /// The connection closes, and the org does what was asked later, by its own clock: the client's connection died while
    /// the request was still queued or running.
    pub fn commit_late(seconds: u32) -> Self {
        Self::new(Effect::Drop { after_commit: true, commit_after_seconds: seconds })
    }

    /// The request is delayed, then carried out and answered as ever.
    pub fn delay(by: Duration) -> Self {
        Self { delay_ms: milliseconds(by), ..Self::new(Effect::Pass) }
    }

    /// The request is carried out as ever, and answered late: who waits less long must take the answer for lost.
    pub fn delay_answer(by: Duration) -> Self {
        Self { answer_delay_ms: milliseconds(by), ..Self::new(Effect::Pass) }
    }

    /// An answer of this status with this body, before the org does anything.
    pub fn answer(status: u16, content_type: &str, body: impl Into<String>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self::new(Effect::Answer { status, headers, body: body.into(), after_commit: false })
    }

    /// An API error, before the org does anything.
    pub fn api_error(status: u16, code: &str, message: &str) -> Self {
        let body = json!([{"message": message, "errorCode": code}]);
        Self::answer(status, "application/json;charset=UTF-8", body.to_string())
    }

    /// An error of the token endpoint, before the org does anything.
    pub fn oauth_error(error: &str, description: &str) -> Self {
        let body = json!({"error": error, "error_description": description});
        let fault = Self::answer(400, "application/json;charset=UTF-8", body.to_string());
        fault.on("POST", "/services/oauth2/token")
    }

    /// The HTML page of an edge that cannot reach the org.
    pub fn html(status: u16) -> Self {
        let page = "<!DOCTYPE html><html><head><title>Error</title></head><body><h1>We are down for maintenance.</h1></body></html>";
        Self::answer(status, "text/html;charset=UTF-8", page)
    }

    /// A redirect to elsewhere.
    pub fn redirect(location: &str) -> Self {
        let headers = vec![("location".to_owned(), location.to_owned())];
        Self::new(Effect::Answer { status: 302, headers, body: String::new(), after_commit: false })
    }

    /// The same fault for requests of this method and path only (`*` in the path stands for any text).
    pub fn on(self, method: &str, path: &str) -> Self {
        Self { method: Some(method.to_owned()), path: Some(path.to_owned()), ..self }
    }

    /// The same fault for so many requests.
    pub fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    /// The same fault, once so many matching requests have passed.
    pub fn after(self, skip: u32) -> Self {
        Self { skip, ..self }
    }

    fn concerns(&self, method: &str, path: &str) -> bool {
        self.method.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self.path.as_ref().is_none_or(|pattern| glob(pattern.as_bytes(), path.as_bytes()))
    }
}

fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => glob(rest, text) || text.split_first().is_some_and(|(_, text)| glob(pattern, text)),
        ([wanted, pattern @ ..], [found, text @ ..]) => wanted == found && glob(pattern, text),
        _ => false,
    }
}

/// The fault that a request meets. One that was met for the last time is no longer in the list.
pub(crate) fn take(faults: &mut Vec<Fault>, method: &str, path: &str) -> Option<Fault> {
    let met = faults.iter_mut().filter(|fault| fault.times > 0 && fault.concerns(method, path)).find_map(|fault| {
        if fault.skip > 0 {
            fault.skip -= 1;
            return None;
        }
        fault.times -= 1;
        Some(fault.clone())
    });
    faults.retain(|fault| fault.times > 0);
    met
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_meets_the_requests_that_it_is_for_and_no_more() {
        let mut faults = vec![Fault::html(503).on("POST", "/services/data/*/sobjects/Lead").after(1).times(2)];
        let path = "/services/data/v67.0/sobjects/Lead";
        assert!(take(&mut faults, "GET", path).is_none());
        assert!(take(&mut faults, "POST", "/services/data/v67.0/sobjects/Lead/describe").is_none());
        let met: Vec<_> = (0..4).map(|_| take(&mut faults, "post", path).is_some()).collect();
        assert_eq!(met, [false, true, true, false]);
    }

    #[test]
    fn faults_are_written_as_they_are_documented() {
        let text = r#"{"method":"POST","delay-ms":5,"answer-delay-ms":6,"effect":{"kind":"drop","after-commit":true}}"#;
        let fault: Fault = serde_json::from_str(text).unwrap();
        assert_eq!(
            fault,
            Fault { method: Some("POST".into()), delay_ms: 5, answer_delay_ms: 6, ..Fault::drop_after_commit() }
        );
        let dropped = |text: &str| serde_json::from_str::<Fault>(text).unwrap();
        assert_eq!(dropped(r#"{"effect":{"kind":"drop"}}"#), Fault::drop_before_commit());
        let late = r#"{"effect":{"kind":"drop","after-commit":true,"commit-after-seconds":300}}"#;
        assert_eq!(dropped(late), Fault::commit_late(300));
        assert!(serde_json::from_str::<Fault>(r#"{"metod":"POST"}"#).is_err());
    }
}
