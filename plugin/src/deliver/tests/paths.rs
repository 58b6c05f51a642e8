//! All paths of a delivery: every state of the org, every option and every history, with its expected result.

use super::{
    deliver,
    expected::{Expected, expected},
    world::{DuplicateRule, KEY, World, text_of},
};
use crate::{
    bindings::types::{Booking, BookingKind, Delivery, Effect, History, Mapping, Outcome, Problem, Reaction, Row},
    fixture::{self, after_unknown, first_try, instant, moved_from, row, text, with_options},
    value::timestamp::Moment,
};
use serde_json::{Value, json};

const POLICIES: [&str; 4] = ["create-another", "keep", "fill-empty", "overwrite"];
const LONG_AGO: &str = "2020-01-01T00:00:00.000+0000";

/// What the org has of the guest before the booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guest {
    Unknown,
    One,
    Several,
    Converted,
    LookUpFails,
}

/// What an earlier try left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Earlier {
    /// There was none.
    None,
    /// One of unknown outcome, `minutes` ago, that left `same` Leads as written and `near` ones that differ.
    Unknown { minutes: u64, same: usize, near: usize },
}

/// The booking-id field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    None,
    Unique,
    /// Two Leads may hold the same in it by now.
    NotUnique,
}

/// Which booking it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    New,
    /// Moved, and still has its id.
    KeepsId,
    /// Moved, and nothing is known of the earlier one.
    Moved,
    /// Moved, and a Lead has the earlier one's key.
    HasKeyOfEarlier,
    /// Moved, and the ledger knows the Lead.
    Known(Known),
    /// Cancelled, and nothing is known of its Lead.
    Cancelled,
    /// Cancelled, and the ledger knows the Lead.
    CancelledKnown(Known),
}

/// What became of a Lead that the ledger knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    There,
    Gone,
    Converted,
}

/// What changed of an optional field since its row was saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stale {
    Nothing,
    /// It takes more.
    OnlySeemsTooLong,
    Gone,
    Closed,
    TypeChanged,
    Shrunk,
    /// It became required, and the booking has no value for it.
    NewlyRequired,
}

#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub policy: &'static str,
    pub guest: Guest,
    pub rule: DuplicateRule,
    pub duplicates: &'static str,
    pub earlier: Earlier,
    pub key: Key,
    pub kind: Kind,
    pub stale: Stale,
    /// How many minutes the org's clock is ahead of the ledger's.
    pub skew: i64,
    /// Whether the answer to the write that is committed is lost.
    pub loses: bool,
}

fn cases(policy: &'static str) -> Vec<Case> {
    let earlier = [5, 30].into_iter().flat_map(|minutes| {
        [(0, 0), (1, 0), (2, 0), (0, 1)].map(|(same, near)| Earlier::Unknown { minutes, same, near })
    });
    let earlier: Vec<Earlier> = std::iter::once(Earlier::None).chain(earlier).collect();
    // Each rule with each choice that it makes a difference to.
    let rules = [
        (DuplicateRule::Inactive, "refuse"),
        (DuplicateRule::Alert, "refuse"),
        (DuplicateRule::Alert, "save-anyway"),
        (DuplicateRule::Alert, "use-match"),
        (DuplicateRule::Block, "save-anyway"),
        (DuplicateRule::Block, "use-match"),
    ];
    let others = [
        (Kind::New, Stale::Nothing),
        (Kind::KeepsId, Stale::Nothing),
        (Kind::Moved, Stale::Nothing),
        (Kind::HasKeyOfEarlier, Stale::Nothing),
        (Kind::Known(Known::There), Stale::Nothing),
        (Kind::Known(Known::Gone), Stale::Nothing),
        (Kind::Known(Known::Converted), Stale::Nothing),
        (Kind::Cancelled, Stale::Nothing),
        (Kind::CancelledKnown(Known::There), Stale::Nothing),
        (Kind::CancelledKnown(Known::Gone), Stale::Nothing),
        (Kind::CancelledKnown(Known::Converted), Stale::Nothing),
        (Kind::New, Stale::OnlySeemsTooLong),
        (Kind::Moved, Stale::OnlySeemsTooLong),
        (Kind::New, Stale::Gone),
        (Kind::Moved, Stale::Gone),
        (Kind::New, Stale::Closed),
        (Kind::New, Stale::TypeChanged),
        (Kind::New, Stale::Shrunk),
        (Kind::New, Stale::NewlyRequired),
    ];
    let mut cases = Vec::new();
    for guest in [Guest::Unknown, Guest::One, Guest::Several, Guest::Converted, Guest::LookUpFails] {
        for (rule, duplicates) in rules {
            for &earlier in &earlier {
                for key in [Key::None, Key::Unique, Key::NotUnique] {
                    for (kind, stale) in others {
                        let (skew, loses) = (0, false);
                        cases.push(Case { policy, guest, rule, duplicates, earlier, key, kind, stale, skew, loses });
                    }
                }
            }
        }
    }
    // What makes no difference is not crossed: without a field for it, nobody has a key; a Lead that is known is not looked for;
    // and a cancellation creates nothing.
    cases.retain(|case| match case.kind {
        Kind::HasKeyOfEarlier => case.key != Key::None,
        Kind::Known(_) | Kind::CancelledKnown(_) | Kind::Cancelled => {
            case.rule == DuplicateRule::Inactive && case.guest != Guest::Several
        }
        _ => case.stale == Stale::Nothing || !matches!(case.guest, Guest::Several | Guest::Converted),
    });
    let plain = |case: &&Case| case.stale == Stale::Nothing && case.rule == DuplicateRule::Inactive;
    let lost: Vec<Case> = cases.iter().filter(plain).map(|case| Case { loses: true, ..*case }).collect();
    let skewed = cases.iter().filter(plain).filter(|case| case.earlier != Earlier::None && case.key != Key::NotUnique);
    let skewed: Vec<Case> = skewed.flat_map(|case| [-120, -5, 5, 120].map(|skew| Case { skew, ..*case })).collect();
    [cases, lost, skewed].concat()
}

impl Case {
    fn mapping(&self) -> Mapping {
        let mut options = vec![("existing", self.policy), ("duplicates", self.duplicates)];
        if self.key != Key::None {
            options.push(("booking-id-field", KEY));
        }
        let mut mapping = with_options(&options);
        if matches!(self.kind, Kind::Cancelled | Kind::CancelledKnown(_)) {
            mapping.rows.iter_mut().for_each(|row| row.on_change = false);
            let title = row(fixture::text_field("Title", 128), text("Cancelled"));
            mapping.rows.push(Row { on_change: true, ..title });
        }
        let title = Some(text("部長代理"));
        let (length, value) = match self.stale {
            Stale::Nothing => return mapping,
            Stale::OnlySeemsTooLong => (2, title),
            Stale::NewlyRequired => (128, None),
            _ => (128, title),
        };
        mapping.rows.push(row(fixture::text_field("Title", length), value));
        mapping
    }

    fn booking(&self) -> Booking {
        match self.kind {
            Kind::New => fixture::booking(),
            Kind::Cancelled | Kind::CancelledKnown(_) => Booking { kind: BookingKind::Cancelled, ..fixture::booking() },
            Kind::KeepsId => moved_from("b-1"),
            Kind::Moved | Kind::HasKeyOfEarlier | Kind::Known(_) => moved_from("b-0"),
        }
    }

    fn history(&self, known: Option<String>) -> History {
        let history = match self.earlier {
            Earlier::None => first_try(),
            Earlier::Unknown { minutes, .. } => after_unknown(minutes),
        };
        match known {
            Some(id) => fixture::known(&id, history),
            None => history,
        }
    }

    /// The org, and the Lead that the ledger knows.
    fn world(&self) -> (World, Option<String>) {
        let world = World::new("2026-11-22T03:20:00.000+0000");
        world.wait(self.skew * 60);
        let mut changes = Vec::new();
        if self.key == Key::NotUnique {
            changes.push((KEY, "unique", json!(false)));
        }
        match self.stale {
            Stale::Nothing | Stale::OnlySeemsTooLong => {}
            Stale::Gone => changes.push(("Title", "name", Value::Null)),
            Stale::Closed => changes.push(("Title", "updateable", json!(false))),
            Stale::TypeChanged => changes.push(("Title", "type", json!("double"))),
            Stale::Shrunk => changes.push(("Title", "length", json!(2))),
            Stale::NewlyRequired => changes.push(("Title", "nillable", json!(false))),
        }
        if !changes.is_empty() {
            world.alter(&changes);
        }
        let guest = |converted: bool| json!({"Email": "TARO.yamada@example.com", "LastName": "Yamada", "Company": "Old", "IsConverted": converted});
        match self.guest {
            Guest::Unknown | Guest::LookUpFails => {}
            Guest::One => drop(world.add(guest(false), LONG_AGO)),
            Guest::Several => {
                world.add(guest(false), "2019-01-01T00:00:00.000+0000");
                world.add(guest(false), LONG_AGO);
            }
            Guest::Converted => drop(world.add(guest(true), LONG_AGO)),
        }
        // A Lead of the earlier booking, by then of somebody with another address.
        let other = json!({"Email": "other@example.com", "LastName": "Ito", "Company": "Other"});
        let mut known = None;
        match self.kind {
            Kind::HasKeyOfEarlier => {
                let mut other = other;
                other[KEY] = json!("team-1/b-0");
                world.add(other, LONG_AGO);
            }
            Kind::Known(Known::Gone) | Kind::CancelledKnown(Known::Gone) => known = Some("00Q5e00000Gone0".to_owned()),
            Kind::Known(state) | Kind::CancelledKnown(state) => {
                let mut other = other;
                other["IsConverted"] = json!(state == Known::Converted);
                known = Some(world.add(other, LONG_AGO));
            }
            Kind::New | Kind::KeepsId | Kind::Moved | Kind::Cancelled => {}
        }
        if let Earlier::Unknown { minutes, same, near } = self.earlier {
            let now = world.0.borrow().now.unix();
            let at = text_of(Moment::at(now - i64::try_from(minutes).unwrap() * 60 + 5));
            for place in 0..same {
                let mut written = self.written();
                // Only one Lead has a unique key.
                if self.key != Key::None && place == 0 {
                    written[KEY] = json!("team-1/b-1");
                }
                world.add(written, &at);
            }
            for _ in 0..near {
                let mut written = self.written();
                written["MeetingDate__c"] = json!("2026-12-24");
                world.add(written, &at);
            }
        }
        let mut state = world.0.borrow_mut();
        state.rule = self.rule;
        state.look_ups_fail = self.guest == Guest::LookUpFails;
        state.loses_next_answer = self.loses;
        drop(state);
        (world, known)
    }

    /// What a try writes.
    fn written(&self) -> Value {
        let mut written = json!({
            "LastName": "山田", "FirstName": "太郎", "Company": "株式会社サンプル＆パートナーズ", "Email": "Taro.Yamada@example.com",
            "Description": "現在の手入力を減らしたい。\n「O'Brien & 田中」様の紹介です。👩‍💻", "MeetingDate__c": "2026-12-02",
        });
        match self.stale {
            Stale::OnlySeemsTooLong => written["Title"] = json!("部長代理"),
            Stale::Shrunk => written["Title"] = json!("部長"),
            _ => {}
        }
        written
    }

    /// How many API calls the budget has: 1 for a plain booking, 2 with a look-up, at most 3 after an unknown outcome. Three things cost
    /// more, and are named here: a snapshot that is stale (the live fields are asked for, and what a field refused is asked or
    /// written again), a duplicate rule that refuses (its reason is looked up, and the Lead that matched is changed), and an
    /// org whose clock is more than an hour behind (the look-up is made once more).
    fn most_calls(&self) -> usize {
        let looks = self.policy != "create-another" || (self.key != Key::None && self.kind != Kind::New);
        let printed = match (self.earlier, looks) {
            _ if matches!(self.kind, Kind::Known(_) | Kind::CancelledKnown(_)) => 1,
            (Earlier::None, false) => 1,
            (Earlier::None, true) => 2,
            (Earlier::Unknown { .. }, _) => 3,
        };
        let is_stale = self.stale != Stale::Nothing;
        let is_refused = self.rule != DuplicateRule::Inactive;
        printed + 2 * usize::from(is_stale) + 2 * usize::from(is_refused) + usize::from(self.skew < -60)
    }
}

fn delivered(case: &Case) -> (World, Result<Delivery, Box<Problem>>) {
    let (world, known) = case.world();
    let result = deliver(&mut world.clone(), &case.booking(), &case.mapping(), &case.history(known));
    (world, result)
}

#[test]
fn every_path_of_another_lead_ends_as_it_must_after_as_many_calls_as_it_may() {
    every_path_ends_as_it_must("create-another");
}

#[test]
fn every_path_of_a_lead_that_is_kept_ends_as_it_must_after_as_many_calls_as_it_may() {
    every_path_ends_as_it_must("keep");
}

#[test]
fn every_path_of_a_lead_that_is_filled_ends_as_it_must_after_as_many_calls_as_it_may() {
    every_path_ends_as_it_must("fill-empty");
}

#[test]
fn every_path_of_a_lead_that_is_overwritten_ends_as_it_must_after_as_many_calls_as_it_may() {
    every_path_ends_as_it_must("overwrite");
}

fn every_path_ends_as_it_must(policy: &'static str) {
    let cases = cases(policy);
    assert_eq!(cases.len(), 11_777);
    for case in cases {
        let (world, result) = delivered(&case);
        let state = world.0.borrow();
        let findings = result.as_ref().map(|delivery| delivery.findings.clone()).unwrap_or_default();
        assert!(findings.len() <= 1, "{case:?} {findings:?}");
        let Expected { end, calls, finding } = expected(&case);
        let found = result.as_ref().map(|delivery| delivery.outcome.clone());
        let found = found.map_err(|problem| (&*problem.code, problem.reaction.clone(), problem.effect));
        assert_eq!(found, end, "{case:?} {:?}", state.asked);
        assert_eq!(state.asked.len(), calls, "{case:?} {:?}", state.asked);
        if result.is_ok() {
            assert_eq!(findings.first().map(|finding| &*finding.code), finding, "{case:?} {:?}", state.asked);
        }
        assert!(calls <= case.most_calls(), "{case:?} {:?}", state.asked);

        // Whatever the path: at most one Lead is made, and none over what may still come or cannot be told apart.
        let is_created = end == Ok(Outcome::Created) || (case.loses && end.is_err() && state.updates.is_empty());
        assert!(state.creates <= usize::from(is_created), "{case:?}");
        assert!(state.creates > 0 || end != Ok(Outcome::Created), "{case:?}");
        if let Earlier::Unknown { same: 1.., .. } = case.earlier {
            assert_eq!(state.creates, 0, "{case:?}");
        }
        if case.key != Key::Unique
            && matches!(case.earlier, Earlier::Unknown { minutes: 5, .. } | Earlier::Unknown { near: 1, .. })
        {
            assert_eq!(state.creates, 0, "{case:?}");
        }
        // Converted Leads are never written to, and of several the newest is.
        if matches!(case.guest, Guest::Converted | Guest::Several) {
            assert!(!state.updates.contains(&"00Q5e0000000000".to_owned()), "{case:?}");
        }
        // A delivery names a Lead that exists.
        if let Ok(delivery) = &result {
            assert_eq!(delivery.records.is_empty(), delivery.outcome == Outcome::Ignored, "{case:?}");
            let exists = |id: &str| state.leads.iter().any(|lead| lead["Id"] == id);
            assert!(delivery.records.iter().all(|record| exists(&record.id)), "{case:?}");
        }
    }
}

#[test]
fn however_often_answers_are_lost_there_is_one_lead() {
    let refused =
        [None, Some(("Email", "INVALID_EMAIL_ADDRESS")), Some(("Title", "FIELD_CUSTOM_VALIDATION_EXCEPTION"))];
    for policy in POLICIES {
        for key in [Key::None, Key::Unique, Key::NotUnique] {
            for lost_tries in 0..4 {
                for refused in refused {
                    let mut options = vec![("existing", policy)];
                    if key != Key::None {
                        options.push(("booking-id-field", KEY));
                    }
                    let mut mapping = with_options(&options);
                    mapping.rows.push(row(fixture::text_field("Title", 128), text("部長")));
                    let world = World::new("2026-11-22T03:20:00.000+0000");
                    world.0.borrow_mut().refuses.extend(refused);
                    if key == Key::NotUnique {
                        world.alter(&[(KEY, "unique", json!(false))]);
                    }
                    let mut history = first_try();
                    for attempt in 0..=lost_tries {
                        world.0.borrow_mut().loses_next_answer = attempt < lost_tries;
                        match deliver(&mut world.clone(), &fixture::booking(), &mapping, &history) {
                            Ok(_) => break,
                            Err(problem) => {
                                let was_written = attempt == 0 && lost_tries > 0;
                                let effect = if was_written { Effect::Unknown } else { Effect::None };
                                assert_eq!((problem.reaction, problem.effect), (Reaction::CheckFirst, effect));
                            }
                        }
                        history = History { now: instant("2026-11-22T03:25:00Z"), ..after_unknown(0) };
                    }
                    assert_eq!(world.0.borrow().leads.len(), 1, "{policy} {key:?} {lost_tries} {refused:?}");
                }
            }
        }
    }
}
