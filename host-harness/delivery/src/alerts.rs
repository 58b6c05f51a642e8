//! When people hear of bookings that wait: at once, then hourly, again when it is over, and once more before a meeting.

use std::collections::BTreeMap;

use crm_contract::Instant;
use serde::{Deserialize, Serialize};

use crate::{CauseCount, Integration, Settings, State};

const HOUR: u64 = 3_600_000;
/// How long before a meeting a booking that waits becomes urgent.
const URGENT: u64 = 2 * HOUR;

/// Why bookings of a team wait.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CauseKey {
    /// The team.
    pub team: String,
    /// The integration.
    pub integration: Integration,
    /// The code of the cause.
    pub code: String,
}

/// What people were told of a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Since when bookings wait for it.
    first_seen: Instant,
    /// When people last heard of it; `None` if not yet.
    told: Option<Instant>,
    /// The meeting that they were told is near.
    urgent: Option<Instant>,
}

/// All that people were told.
pub type AllTold = Vec<(CauseKey, Told)>;

/// Something that people should hear.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "alert")]
pub enum Alert {
    /// Bookings begin to wait for a person.
    Began(Counted),
    /// They still do. At most once an hour and team.
    Digest {
        /// The team.
        team: String,
        /// All causes of the team.
        causes: Vec<Counted>,
    },
    /// None of them waits for this any more.
    Recovered(CauseKey),
    /// A meeting is near whose booking has not reached the CRM.
    Urgent(Counted),
    /// The CRM changed, and a mapping no longer fits it.
    Drift {
        /// The team.
        team: String,
        /// The calendar.
        calendar: String,
        /// The integration.
        integration: Integration,
        /// Codes of what was found.
        codes: Vec<String>,
    },
    /// A connection does not work, although no booking has met that yet.
    Connection {
        /// The team.
        team: String,
        /// The plugin.
        plugin: String,
        /// Codes of what was found.
        codes: Vec<String>,
    },
}

impl Alert {
    /// The team that it is about.
    pub fn team(&self) -> &str {
        match self {
            Self::Began(counted) | Self::Urgent(counted) => &counted.key.team,
            Self::Digest { team, .. } | Self::Drift { team, .. } | Self::Connection { team, .. } => team,
            Self::Recovered(key) => &key.team,
        }
    }

    /// Stable name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Began(_) => "began",
            Self::Digest { .. } => "digest",
            Self::Recovered(_) => "recovered",
            Self::Urgent(_) => "urgent",
            Self::Drift { .. } => "drift",
            Self::Connection { .. } => "connection",
        }
    }
}

/// Bookings that wait for the same reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// The reason.
    #[serde(flatten)]
    pub key: CauseKey,
    /// How many.
    pub count: u64,
    /// When the first of their meetings starts.
    pub earliest_meeting: Instant,
}

/// Decides what people hear now, and notes it.
pub fn due(told: &mut AllTold, causes: &[CauseCount], now: Instant, settings: &Settings) -> Vec<Alert> {
    let mut known: BTreeMap<CauseKey, Told> = told.drain(..).collect();
    let open = counted(causes);
    let mut alerts = Vec::new();
    for (key, told) in &known {
        if !open.contains_key(key) && told.told.is_some() {
            alerts.push(Alert::Recovered(key.clone()));
        }
    }
    known.retain(|key, _| open.contains_key(key));
    for (key, (counted, needs_a_person)) in &open {
        let told = known.entry(key.clone()).or_insert(Told { first_seen: now, told: None, urgent: None });
        // A refusal that passes is nobody's business until it has lasted.
        let is_due = *needs_a_person || now.saturating_sub(told.first_seen) >= settings.told_after;
        if told.told.is_none() && is_due {
            told.told = Some(now);
            alerts.push(Alert::Began(counted.clone()));
        }
        let meeting = counted.earliest_meeting;
        let is_near = meeting > now && meeting - now < URGENT;
        if is_near && told.urgent != Some(meeting) {
            told.urgent = Some(meeting);
            told.told = Some(now);
            alerts.push(Alert::Urgent(counted.clone()));
        }
    }
    alerts.extend(digests(&mut known, &open, now));
    *told = known.into_iter().collect();
    alerts
}

type Open = BTreeMap<CauseKey, (Counted, bool)>;

/// Causes over all states, and whether any of their bookings needs a person.
fn counted(causes: &[CauseCount]) -> Open {
    let mut open = Open::new();
    for CauseCount { team, integration, state, code, count, earliest_meeting } in causes {
        let key = CauseKey { team: team.clone(), integration: integration.clone(), code: code.clone() };
        let needs_a_person = matches!(state, State::NeedsAttention | State::Parked);
        let new = Counted { key: key.clone(), count: 0, earliest_meeting: *earliest_meeting };
        let (counted, needs) = open.entry(key).or_insert((new, false));
        counted.count = counted.count.saturating_add(*count);
        counted.earliest_meeting = counted.earliest_meeting.min(*earliest_meeting);
        *needs |= needs_a_person;
    }
    open
}

/// One message for each team that people last heard about an hour ago or earlier.
fn digests(known: &mut BTreeMap<CauseKey, Told>, open: &Open, now: Instant) -> Vec<Alert> {
    let mut teams: BTreeMap<String, Vec<Counted>> = BTreeMap::new();
    let latest = |known: &BTreeMap<CauseKey, Told>, team: &str| {
        known.iter().filter(|(key, _)| key.team == team).filter_map(|(_, told)| told.told).max()
    };
    for (key, told) in known.iter() {
        let is_old = latest(known, &key.team).is_some_and(|latest| now.saturating_sub(latest) >= HOUR);
        if let (Some(_), true, Some((counted, _))) = (told.told, is_old, open.get(key)) {
            teams.entry(key.team.clone()).or_default().push(counted.clone());
        }
    }
    for (key, told) in known.iter_mut() {
        if teams.contains_key(&key.team) && told.told.is_some() {
            told.told = Some(now);
        }
    }
    teams.into_iter().map(|(team, causes)| Alert::Digest { team, causes }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = 1_000 * HOUR;

    fn cause(team: &str, code: &str, state: State, count: u64, meeting: Instant) -> CauseCount {
        let integration = "plugin".parse().unwrap();
        CauseCount { team: team.into(), integration, state, code: code.into(), count, earliest_meeting: meeting }
    }

    fn names(alerts: &[Alert]) -> Vec<(&'static str, &str)> {
        alerts.iter().map(|alert| (alert.name(), alert.team())).collect()
    }

    #[test]
    fn the_first_of_a_cause_is_told_at_once_then_hourly_and_its_end() {
        let settings = Settings::default();
        let mut told = AllTold::new();
        let far = NOW + 100 * HOUR;
        let open = [cause("a", "rule", State::NeedsAttention, 1, far), cause("b", "revoked", State::Parked, 9, far)];
        assert_eq!(names(&due(&mut told, &open, NOW, &settings)), [("began", "a"), ("began", "b")]);
        assert!(due(&mut told, &open, NOW + HOUR - 1, &settings).is_empty());
        let another = [open.as_slice(), &[cause("a", "other", State::NeedsAttention, 1, far)]].concat();
        assert_eq!(names(&due(&mut told, &another, NOW + HOUR - 1, &settings)), [("began", "a")], "another cause");
        let digest = due(&mut told, &another, NOW + HOUR, &settings);
        assert_eq!(names(&digest), [("digest", "b")], "team a heard a moment ago");
        let digest = due(&mut told, &another, NOW + 2 * HOUR, &settings);
        assert_eq!(names(&digest), [("digest", "a"), ("digest", "b")]);
        assert!(matches!(&digest[0], Alert::Digest { causes, .. } if causes.len() == 2));
        let recovered = due(&mut told, &another[..1], NOW + 2 * HOUR + 1, &settings);
        assert_eq!(names(&recovered), [("recovered", "a"), ("recovered", "b")]);
        assert!(due(&mut told, &another[..1], NOW + 2 * HOUR + 2, &settings).is_empty());
    }

    #[test]
    fn a_refusal_that_passes_is_told_once_it_has_lasted_a_day() {
        let settings = Settings::default();
        let mut told = AllTold::new();
        let open = [cause("a", "busy", State::Waiting, 3, NOW + 100 * HOUR)];
        for (after, expected) in [(0, 0), (23 * HOUR, 0), (24 * HOUR, 1), (24 * HOUR + 1, 0)] {
            assert_eq!(due(&mut told, &open, NOW + after, &settings).len(), expected, "{after}");
        }
        assert!(due(&mut Vec::new(), &[], NOW, &settings).is_empty());
        let mut told = AllTold::new();
        due(&mut told, &open, NOW, &settings);
        assert!(due(&mut told, &[], NOW + 1, &settings).is_empty(), "nobody heard of it, so nobody hears of its end");
    }

    #[test]
    fn a_near_meeting_is_told_once_whatever_its_booking_waits_for() {
        let settings = Settings::default();
        let mut told = AllTold::new();
        let near = |meeting| [cause("a", "busy", State::Waiting, 3, meeting)];
        assert!(due(&mut told, &near(NOW + 2 * HOUR), NOW, &settings).is_empty());
        assert_eq!(names(&due(&mut told, &near(NOW + 2 * HOUR), NOW + 1, &settings)), [("urgent", "a")]);
        assert!(due(&mut told, &near(NOW + 2 * HOUR), NOW + 2, &settings).is_empty());
        assert_eq!(names(&due(&mut told, &near(NOW + HOUR), NOW + 3, &settings)), [("urgent", "a")], "another meeting");
        assert!(due(&mut AllTold::new(), &near(NOW - 1), NOW, &settings).is_empty(), "it is over");
    }

    #[test]
    fn what_was_told_survives_json() {
        let mut told = AllTold::new();
        due(&mut told, &[cause("a", "rule", State::NeedsAttention, 1, NOW)], NOW, &Settings::default());
        let json = serde_json::to_string(&told).unwrap();
        assert_eq!(serde_json::from_str::<AllTold>(&json).unwrap(), told);
    }
}
