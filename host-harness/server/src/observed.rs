//! What is counted. No label names a team, a booking or a person: their number has no bound, and neither is anybody's business who
//! reads metrics.

use std::time::Duration;

use crm_contract::{Instant, Outcome};
use crm_delivery::{
    Ended, State, Totals,
    worker::{Observer, Seen},
};
use crm_host::{Event, Observed, RequestOutcome};
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

const ACCEPTED: &str = "crm_bookings_accepted_total";
const REPEATED: &str = "crm_bookings_repeated_total";
const REFUSED: &str = "crm_bookings_refused_total";
const IGNORED: &str = "crm_events_ignored_total";
const ATTEMPTS: &str = "crm_attempts_total";
const DELIVERED: &str = "crm_bookings_delivered_total";
const LOST_CLAIMS: &str = "crm_claims_lost_total";
const CONFIRMED_TO_RECORD: &str = "crm_accepted_to_delivered_seconds";
const ATTEMPT_SECONDS: &str = "crm_attempt_seconds";
const PLUGIN_MEMORY: &str = "crm_plugin_memory_bytes";
const REQUESTS: &str = "crm_requests_total";
const BLOCKED: &str = "crm_responses_blocked_total";
const DENIED: &str = "crm_requests_denied_total";
const QUARANTINES: &str = "crm_quarantines_total";
const LOGINS: &str = "crm_token_requests_total";
const DELIVERIES: &str = "crm_deliveries";
const OLDEST_WAITING: &str = "crm_oldest_due_seconds";

/// Counts tries, for a worker.
#[derive(Clone, Copy, Debug, Default)]
pub struct Metrics;

impl Metrics {
    /// Installs the recorder of this process, and returns what renders it.
    ///
    /// # Errors
    /// If the process has one already.
    pub fn install() -> Result<PrometheusHandle, BuildError> {
        let handle = builder()?.install_recorder()?;
        describe();
        Ok(handle)
    }
}

fn builder() -> Result<PrometheusBuilder, BuildError> {
    let seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 600.0, 3_600.0, 86_400.0];
    let bytes = [131_072.0, 262_144.0, 524_288.0, 1_048_576.0, 4_194_304.0, 16_777_216.0];
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &seconds)?
        .set_buckets_for_metric(Matcher::Full(PLUGIN_MEMORY.to_owned()), &bytes)
}

fn describe() {
    describe_counter!(ACCEPTED, "Bookings that became durable, by format");
    describe_counter!(REPEATED, "Bookings that were sent again unchanged, by format");
    describe_counter!(REFUSED, "Bookings that were not accepted, by format and code");
    describe_counter!(IGNORED, "Events that concern no booking, by service and reason");
    describe_counter!(ATTEMPTS, "Tries, by integration, code, reaction and effect");
    describe_counter!(DELIVERED, "Bookings that reached the CRM, by integration and outcome");
    describe_counter!(LOST_CLAIMS, "Tries whose end came too late to be noted");
    describe_histogram!(CONFIRMED_TO_RECORD, "Seconds from acceptance to delivery");
    describe_histogram!(ATTEMPT_SECONDS, "Seconds that a try took");
    describe_histogram!(PLUGIN_MEMORY, "Bytes of memory that a call used");
    describe_counter!(REQUESTS, "Requests of plugins, by plugin and status");
    describe_counter!(BLOCKED, "Responses that a plugin did not get, by plugin");
    describe_counter!(DENIED, "Requests of plugins that policy refused, by plugin and code");
    describe_counter!(QUARANTINES, "Connections that get no further calls because responses contained the credential");
    describe_counter!(LOGINS, "Requests to authorization servers, by plugin and status");
    describe_gauge!(DELIVERIES, "Deliveries by state");
    describe_gauge!(OLDEST_WAITING, "Seconds since the oldest waiting booking was due");
}

pub(crate) fn accepted(format: &'static str) {
    counter!(ACCEPTED, "format" => format).increment(1);
}

pub(crate) fn repeated(format: &'static str) {
    counter!(REPEATED, "format" => format).increment(1);
}

pub(crate) fn refused(format: &'static str, code: &'static str) {
    counter!(REFUSED, "format" => format, "code" => code).increment(1);
}

pub(crate) fn ignored(service: &'static str, reason: &'static str) {
    counter!(IGNORED, "service" => service, "reason" => reason).increment(1);
}

/// Notes what the ledger has.
pub(crate) fn totals(totals: &Totals, now: Instant) {
    for state in State::ALL {
        let count = totals.states.get(&state).copied().unwrap_or_default();
        gauge!(DELIVERIES, "state" => state.name()).set(count as f64);
    }
    let late = totals.oldest_due.map_or(0, |due| now.saturating_sub(due));
    gauge!(OLDEST_WAITING).set(Duration::from_millis(late).as_secs_f64());
}

impl Observer for Metrics {
    fn tried(&self, seen: &Seen<'_>) {
        let integration = seen.integration.to_string();
        let (code, reaction, effect) = match seen.ended {
            Ended::Delivered(delivery) => {
                let outcome = outcome(&delivery.outcome);
                counter!(DELIVERED, "integration" => integration.clone(), "outcome" => outcome).increment(1);
                let waited = Duration::from_millis(seen.waited).saturating_add(seen.took);
                histogram!(CONFIRMED_TO_RECORD).record(waited.as_secs_f64());
                ("delivered", "none", "none")
            }
            Ended::Refused(problem) => {
                let effect = if problem.effect == crm_contract::Effect::Unknown { "unknown" } else { "none" };
                (problem.code.as_str(), problem.reaction.name(), effect)
            }
            Ended::Stopped { code, effect } => {
                (code.as_str(), "none", if *effect == crm_contract::Effect::Unknown { "unknown" } else { "none" })
            }
            Ended::NotCalled => ("not-called", "none", "none"),
        };
        let labels = [
            ("integration", integration),
            ("code", bounded(code)),
            ("reaction", bounded(reaction)),
            ("effect", effect.to_owned()),
        ];
        counter!(ATTEMPTS, &labels).increment(1);
        histogram!(ATTEMPT_SECONDS).record(seen.took.as_secs_f64());
        if let Some(usage) = seen.usage {
            histogram!(PLUGIN_MEMORY).record(usage.memory_bytes as f64);
        }
    }

    fn lost(&self, integration: &crm_delivery::Integration) {
        counter!(LOST_CLAIMS, "integration" => integration.to_string()).increment(1);
    }
}

fn outcome(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Created => "created",
        Outcome::Updated => "updated",
        Outcome::Kept => "kept",
        Outcome::AlreadyDelivered => "already-delivered",
        Outcome::Ignored => "ignored",
        Outcome::Other(_) => "other",
    }
}

/// A code of the CRM's own can be any text; what does not look like a code is counted together.
fn bounded(code: &str) -> String {
    let is_code = code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte));
    if is_code { code.to_owned() } else { "other".to_owned() }
}

/// Counts requests of plugins, for [`crm_host::HostBuilder::observe`].
pub fn host_observer(seen: &Observed<'_>) {
    happened(seen.plugin.to_string(), &seen.event);
}

fn happened(plugin: String, event: &Event<'_>) {
    match event {
        Event::Sent { outcome, .. } => {
            if let RequestOutcome::Blocked(_) = outcome {
                counter!(BLOCKED, "plugin" => plugin.clone()).increment(1);
            }
            counter!(REQUESTS, "plugin" => plugin, "status" => status(*outcome)).increment(1);
        }
        Event::Login { outcome, .. } => {
            counter!(LOGINS, "plugin" => plugin, "status" => status(*outcome)).increment(1);
        }
        Event::Denied(denial) => {
            counter!(DENIED, "plugin" => plugin, "code" => denial.kind.code()).increment(1);
        }
        Event::Quarantined => counter!(QUARANTINES, "plugin" => plugin).increment(1),
        _ => {}
    }
}

fn status(outcome: RequestOutcome) -> String {
    match outcome {
        RequestOutcome::Answered(status) | RequestOutcome::Blocked(status) => status.to_string(),
        _ => "none".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use crm_contract::{Delivery, Problem, Reaction};
    use crm_host::Usage;
    use serde_json::Value;

    use super::*;

    /// Counts something of everything, and returns what is served of it.
    fn everything() -> String {
        let recorder = builder().unwrap().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            describe();
            accepted("native");
            repeated("native");
            refused("native", "too-fast");
            ignored("calendly", "not-a-change");
            totals(&Totals { states: BTreeMap::from([(State::Waiting, 3)]), oldest_due: Some(5_000) }, 8_000);
            let (integration, usage) = ("plugin.Contact".parse().unwrap(), Usage::default());
            let delivery =
                Delivery { records: Vec::new(), outcome: Outcome::Created, findings: Vec::new(), more: Vec::new() };
            let problem = Problem::new("日本語の理由", Reaction::Other("later".into()), "a message");
            for ended in [Ended::Delivered(delivery), Ended::Refused(problem), Ended::NotCalled] {
                let took = Duration::from_millis(20);
                Metrics.tried(&Seen {
                    integration: &integration,
                    ended: &ended,
                    waited: 1_000,
                    took,
                    usage: Some(&usage),
                });
            }
            Metrics.lost(&integration);
            let host = "https://login.example".parse().unwrap();
            let denial =
                crm_host::Denial { kind: crm_host::DenialKind::RouteDenied, reason: String::new(), would_allow: None };
            let took = Duration::ZERO;
            for event in [
                Event::Sent { route: "query".into(), path: "/q", outcome: RequestOutcome::Answered(200), took },
                Event::Sent { route: "query".into(), path: "/q", outcome: RequestOutcome::Blocked(401), took },
                Event::Login { host: &host, path: "/token", outcome: RequestOutcome::Answered(200), took },
                Event::Denied(&denial),
                Event::Quarantined,
            ] {
                happened("plugin".to_owned(), &event);
            }
        });
        recorder.handle().render()
    }

    fn families(text: &str, comment: &str) -> BTreeSet<String> {
        let lines = text.lines().filter_map(|line| line.strip_prefix(comment));
        lines.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
    }

    #[test]
    fn every_metric_that_is_served_is_described_and_every_one_that_is_described_is_served() {
        let text = everything();
        let (described, served) = (families(&text, "# HELP "), families(&text, "# TYPE "));
        assert_eq!(described, served);
        assert!(served.len() > 15, "{served:?}");
        for line in [
            r#"crm_attempts_total{integration="plugin.Contact",code="other",reaction="later",effect="none"} 1"#,
            r#"crm_attempts_total{integration="plugin.Contact",code="delivered",reaction="none",effect="none"} 1"#,
            "crm_oldest_due_seconds 3",
            r#"crm_deliveries{state="waiting"} 3"#,
            r#"crm_deliveries{state="parked"} 0"#,
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn the_dashboard_shows_every_metric_that_is_served_and_no_other() {
        fn queries(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(members) => {
                    found.extend(members.get("expr").and_then(Value::as_str).map(str::to_owned));
                    members.values().for_each(|member| queries(member, found));
                }
                Value::Array(items) => items.iter().for_each(|item| queries(item, found)),
                _ => {}
            }
        }
        let dashboard = serde_json::from_str(include_str!("../../../packaging/grafana/bookings.json")).unwrap();
        let mut found = Vec::new();
        queries(&dashboard, &mut found);
        let words = found.iter().flat_map(|query| query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
        let names = words.filter(|word| word.starts_with("crm_"));
        let shown: BTreeSet<_> = names.map(|name| name.strip_suffix("_bucket").unwrap_or(name).to_owned()).collect();
        assert_eq!(shown, families(&everything(), "# TYPE "));
    }
}
