//! From a booking to what a ledger keeps, and back.

use crm_booking::{Booking, Explained};
use crm_contract::Instant;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{Arrival, Integration};

/// What a worker reads of an arrival.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Payload {
    /// The booking.
    pub booking: Booking,
    /// What of the scheduler's body was not read, or not as it is: [`Explained`] as JSON.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Value>,
}

impl Payload {
    /// Reads what [`Arrival::new`] wrote.
    ///
    /// # Errors
    /// If it is not that.
    pub fn read(payload: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(payload)
    }
}

/// Why a booking cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum ArrivalError {
    /// A time is not RFC 3339. `crm_intake` checks that.
    #[error("{path}: expected RFC 3339 with an offset")]
    Time {
        /// The member.
        path: &'static str,
        /// The cause.
        source: jiff::Error,
    },
    /// The booking has no JSON form.
    #[error("the booking cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

impl Arrival {
    /// What a ledger keeps of a booking. `change_id`, or else a digest of the booking tells its changes apart: without an id, the same
    /// content sent twice is one change.
    ///
    /// # Errors
    /// If the booking was not checked.
    pub fn new(
        booking: Booking,
        findings: &[Explained],
        default_integration: Integration,
    ) -> Result<Self, ArrivalError> {
        let meeting = (instant("start", &booking.start)?, instant("end", &booking.end)?);
        let changed_at = booking.changed_at.as_deref().map(|time| instant("changed_at", time)).transpose()?;
        // Two webhooks of one change may differ in when they were made.
        let content = serde_json::to_vec(&Booking { changed_at: None, ..booking.clone() })?;
        let digest: [u8; 32] = Sha256::digest(&content).into();
        let of_content = || digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let findings = findings.iter().map(serde_json::to_value).collect::<Result<_, _>>()?;
        Ok(Self {
            team: booking.team.id.clone(),
            calendar: booking.calendar.id.clone(),
            booking: booking.id.clone(),
            previous: booking.previous_id.clone(),
            change: booking.change_id.clone().unwrap_or_else(of_content),
            changed_at,
            kind: booking.kind,
            digest,
            meeting,
            guest: booking.guest.email.clone(),
            payload: serde_json::to_vec(&Payload { booking, findings })?,
            default_integration,
        })
    }

    /// The members in which a booking differs from one that was kept, as paths; empty if there is no telling.
    pub fn differences(&self, kept: &[u8]) -> Vec<String> {
        let members = |payload: &[u8]| -> Option<Value> {
            let payload: Value = serde_json::from_slice(payload).ok()?;
            payload.get("booking").cloned()
        };
        let mut paths = Vec::new();
        if let (Some(kept), Some(sent)) = (members(kept), members(&self.payload)) {
            compare("", &kept, &sent, &mut paths);
        }
        paths
    }
}

/// Paths that are named at most.
const MOST_PATHS: usize = 20;

fn compare(path: &str, kept: &Value, sent: &Value, paths: &mut Vec<String>) {
    if kept == sent || paths.len() >= MOST_PATHS {
        return;
    }
    match (kept, sent) {
        (Value::Object(kept), Value::Object(sent)) => {
            let names = kept.keys().chain(sent.keys().filter(|name| !kept.contains_key(*name)));
            for name in names {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let absent = &Value::Null;
                compare(&path, kept.get(name).unwrap_or(absent), sent.get(name).unwrap_or(absent), paths);
            }
        }
        (Value::Array(kept), Value::Array(sent)) if kept.len() == sent.len() => {
            for (index, (kept, sent)) in kept.iter().zip(sent).enumerate() {
                compare(&format!("{path}[{index}]"), kept, sent, paths);
            }
        }
        _ => paths.push(path.to_owned()),
    }
}

fn instant(path: &'static str, time: &str) -> Result<Instant, ArrivalError> {
    let time: Timestamp = time.parse().map_err(|source| ArrivalError::Time { path, source })?;
    Ok(u64::try_from(time.as_millisecond()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn booking(change: impl FnOnce(&mut Value)) -> Booking {
        let mut json: Value = serde_json::from_str(include_str!("../../../examples/booking.json")).unwrap();
        change(&mut json);
        serde_json::from_value(json).unwrap()
    }

    fn arrival(booking: Booking) -> Arrival {
        Arrival::new(booking, &[], "plugin".parse().unwrap()).unwrap()
    }

    #[test]
    fn a_worker_reads_what_was_accepted() {
        let booking = booking(|_| {});
        let arrival = arrival(booking.clone());
        assert_eq!(Payload::read(&arrival.payload).unwrap(), Payload { booking, findings: Vec::new() });
        assert!(arrival.meeting.0 < arrival.meeting.1);
    }

    #[test]
    fn a_change_without_an_id_is_known_by_its_content() {
        let first = arrival(booking(|json| json["change_id"] = Value::Null));
        let same = arrival(booking(|json| json["change_id"] = Value::Null));
        let other = arrival(booking(|json| {
            json["change_id"] = Value::Null;
            json["title"] = "another title".into();
        }));
        let at = |time: &str| arrival(booking(|json| json["changed_at"] = time.into()));
        assert_eq!(at("2026-12-01T00:00:00Z").digest, at("2026-12-01T00:00:05Z").digest);
        assert_eq!((&first.change, first.digest), (&same.change, same.digest));
        assert_ne!(first.change, other.change);
        assert_eq!(arrival(booking(|json| json["change_id"] = "c-7".into())).change, "c-7");
    }

    #[test]
    fn differences_are_named_by_their_paths() {
        let kept = arrival(booking(|_| {}));
        let sent = arrival(booking(|json| {
            json["guest"]["email"] = "another@example.com".into();
            json["answers"][0]["value"] = "another answer".into();
            json["comment"] = "new".into();
        }));
        let mut found = sent.differences(&kept.payload);
        found.sort_unstable();
        assert_eq!(found, ["answers[0].value", "comment", "guest.email"]);
        assert!(kept.differences(&kept.payload).is_empty() && kept.differences(b"{").is_empty());
    }
}
