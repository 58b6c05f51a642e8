//! Faults that the org injects on demand, so that clients can be hardened against them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

/// A fault, the requests it applies to, and how often.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fault {
    /// HTTP method it applies to; any if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Path it applies to, where `*` matches any text; any path if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Host that requests name in `Host`, such as `127.0.0.1:40123`, so that one of the org's addresses fails; any if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Number of matching requests that pass unharmed first.
    #[serde(default)]
    pub skip: u32,
    /// Number of requests it then applies to.
    #[serde(default = "once")]
    pub times: u32,
    /// Milliseconds the org waits before it does anything.
    #[serde(default)]
    pub delay_ms: u64,
    /// Milliseconds the org holds its response back after it carried out the request.
    #[serde(default)]
    pub answer_delay_ms: u64,
    /// What the fault does.
    #[serde(default)]
    pub effect: Effect,
}

/// The effect of a [`Fault`].
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "kind")]
pub enum Effect {
    /// Nothing except the delays.
    #[default]
    Pass,
    /// Replaces the org's response.
    #[serde(rename_all = "kebab-case")]
    Answer {
        /// HTTP status.
        status: u16,
        /// Names and values.
        #[serde(default)]
        headers: Vec<(String, String)>,
        /// Sent as it is.
        #[serde(default)]
        body: String,
        /// Whether the org carries out the request first.
        #[serde(default)]
        after_commit: bool,
    },
    /// Closes the connection without a response.
    #[serde(rename_all = "kebab-case")]
    Drop {
        /// Whether the org carries out the request anyway.
        #[serde(default)]
        after_commit: bool,
        /// Seconds by the org's clock until it does so. More than 0 implies `after-commit`.
        #[serde(default, skip_serializing_if = "is_zero")]
        commit_after_seconds: u32,
    },
    /// Cuts the org's response off.
    Truncate {
        /// Bytes of the body that are sent.
        bytes: usize,
    },
    /// Sends the org's response a few bytes at a time.
    #[serde(rename_all = "kebab-case")]
    Drip {
        /// Bytes per chunk.
        bytes: usize,
        /// Milliseconds between chunks.
        pause_ms: u64,
    },
    /// Sends the org's response with a `Content-Length` that is too large.
    WrongLength {
        /// Bytes that are announced but never sent.
        excess: u64,
    },
    /// Sends a small gzip body that unpacks to spaces.
    GzipBomb {
        /// Size of the unpacked body in mebibytes.
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
    /// A fault for the next request.
    pub fn new(effect: Effect) -> Self {
        Self { method: None, path: None, host: None, skip: 0, times: 1, delay_ms: 0, answer_delay_ms: 0, effect }
    }

    /// Closes the connection before the org does anything.
    pub fn drop_before_commit() -> Self {
        Self::new(Effect::Drop { after_commit: false, commit_after_seconds: 0 })
    }

    /// Closes the connection after the org carried out the request: the response is lost.
    pub fn drop_after_commit() -> Self {
        Self::new(Effect::Drop { after_commit: true, commit_after_seconds: 0 })
    }

    /// Closes the connection, and carries out the request later by the org's clock: the client's connection died while
    /// the request was still queued or running.
    pub fn commit_late(seconds: u32) -> Self {
        Self::new(Effect::Drop { after_commit: true, commit_after_seconds: seconds })
    }

    /// Delays the request, then carries it out and responds as usual.
    pub fn delay(by: Duration) -> Self {
        Self { delay_ms: milliseconds(by), ..Self::new(Effect::Pass) }
    }

    /// Carries out the request as usual, and responds late: a client with a shorter timeout must assume the response lost.
    pub fn delay_answer(by: Duration) -> Self {
        Self { answer_delay_ms: milliseconds(by), ..Self::new(Effect::Pass) }
    }

    /// Responds with this status and body before the org does anything.
    pub fn answer(status: u16, content_type: &str, body: impl Into<String>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self::new(Effect::Answer { status, headers, body: body.into(), after_commit: false })
    }

    /// Responds with a REST API error before the org does anything.
    pub fn api_error(status: u16, code: &str, message: &str) -> Self {
        let body = json!([{"message": message, "errorCode": code}]);
        Self::answer(status, "application/json;charset=UTF-8", body.to_string())
    }

    /// Makes the token endpoint respond with an error before the org does anything.
    pub fn oauth_error(error: &str, description: &str) -> Self {
        let body = json!({"error": error, "error_description": description});
        let fault = Self::answer(400, "application/json;charset=UTF-8", body.to_string());
        fault.on("POST", "/services/oauth2/token")
    }

    /// The HTML page of an edge server that cannot reach the org.
    pub fn html(status: u16) -> Self {
        let page = "<!DOCTYPE html><html><head><title>Error</title></head><body><h1>We are down for maintenance.</h1></body></html>";
        Self::answer(status, "text/html;charset=UTF-8", page)
    }

    /// A redirect with status 302.
    pub fn redirect(location: &str) -> Self {
        let headers = vec![("location".to_owned(), location.to_owned())];
        Self::new(Effect::Answer { status: 302, headers, body: String::new(), after_commit: false })
    }

    /// Limits the fault to this method and path (`*` in the path matches any text).
    pub fn on(self, method: &str, path: &str) -> Self {
        Self { method: Some(method.to_owned()), path: Some(path.to_owned()), ..self }
    }

    /// Limits the fault to requests to this host.
    pub fn at(self, host: &str) -> Self {
        Self { host: Some(host.to_owned()), ..self }
    }

    /// Applies the fault to `times` requests.
    pub fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    /// Lets `skip` matching requests pass first.
    pub fn after(self, skip: u32) -> Self {
        Self { skip, ..self }
    }

    fn concerns(&self, method: &str, path: &str, host: &str) -> bool {
        self.method.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self.path.as_ref().is_none_or(|pattern| glob(pattern.as_bytes(), path.as_bytes()))
            && self.host.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(host))
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

/// The fault that applies to a request. Removes used-up faults from the list.
pub(crate) fn take(faults: &mut Vec<Fault>, method: &str, path: &str, host: &str) -> Option<Fault> {
    let met =
        faults.iter_mut().filter(|fault| fault.times > 0 && fault.concerns(method, path, host)).find_map(|fault| {
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
    fn a_fault_applies_only_to_matching_requests() {
        let mut faults = vec![Fault::html(503).on("POST", "/services/data/*/sobjects/Lead").after(1).times(2)];
        let path = "/services/data/v67.0/sobjects/Lead";
        assert!(take(&mut faults, "GET", path, "").is_none());
        assert!(take(&mut faults, "POST", "/services/data/v67.0/sobjects/Lead/describe", "").is_none());
        let met: Vec<_> = (0..4).map(|_| take(&mut faults, "post", path, "").is_some()).collect();
        assert_eq!(met, [false, true, true, false]);
        let mut faults = vec![Fault::html(503).at("127.0.0.1:4000")];
        let met = ["localhost:4000", "127.0.0.1:4000"].map(|host| take(&mut faults, "GET", path, host).is_some());
        assert_eq!(met, [false, true]);
    }

    #[test]
    fn faults_parse_from_the_documented_json() {
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
