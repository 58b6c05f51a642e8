//! All paths of a delivery: every state of the org, every choice and every history, against what must hold for each of them.

use super::{
    deliver,
    world::{DuplicateRule, KEY, World},
};
use crate::{
    bindings::types::{Booking, BookingKind, Delivery, History, Mapping, Outcome, Problem, Reaction, Source},
    codes, fixture,
    fixture::{after_unknown, first_try, row, with_options},
};
use serde_json::{Value, json};

const POLICIES: [&str; 4] = ["create-another", "keep", "fill-empty", "overwrite"];
const LONG_AGO: &str = "2020-01-01T00:00:00.000+0000";

/// What the org has of the guest before the booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Guest {
    Unknown,
    One,
    Several,
    Converted,
    LookUpFails,
}

/// What an earlier try left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Earlier {
    /// There was none.
    None,
    /// One of unknown outcome, so many minutes ago, that left so many Leads as written and so many that differ.
    Unknown { minutes: i64, same: usize, near: usize },
}

#[derive(Clone, Copy, Debug)]
struct Case {
    policy: &'static str,
    guest: Guest,
    rule: DuplicateRule,
    duplicates: &'static str,
    earlier: Earlier,
    has_key: bool,
    is_moved: bool,
    is_stale: bool,
}

fn cases() -> impl Iterator<Item = Case> {
    let earlier = [
        Earlier::None,
        Earlier::Unknown { minutes: 5, same: 0, near: 0 },
        Earlier::Unknown { minutes: 5, same: 1, near: 0 },
        Earlier::Unknown { minutes: 5, same: 2, near: 0 },
        Earlier::Unknown { minutes: 5, same: 0, near: 1 },
        Earlier::Unknown { minutes: 30, same: 0, near: 0 },
        Earlier::Unknown { minutes: 30, same: 1, near: 0 },
        Earlier::Unknown { minutes: 30, same: 2, near: 0 },
        Earlier::Unknown { minutes: 30, same: 0, near: 1 },
    ];
    let guests = [Guest::Unknown, Guest::One, Guest::Several, Guest::Converted, Guest::LookUpFails];
    let rules = [DuplicateRule::Inactive, DuplicateRule::Alert, DuplicateRule::Block];
    let mut cases = Vec::new();
    for policy in POLICIES {
        for guest in guests {
            for rule in rules {
                for duplicates in ["refuse", "save-anyway", "use-match"] {
                    for earlier in earlier {
                        for bits in 0..8 {
                            let (has_key, is_moved, is_stale) = (bits & 1 > 0, bits & 2 > 0, bits & 4 > 0);
                            cases.push(Case { policy, guest, rule, duplicates, earlier, has_key, is_moved, is_stale });
                        }
                    }
                }
            }
        }
    }
    cases.into_iter()
}

impl Case {
    fn mapping(&self) -> Mapping {
        let mut options = vec![("existing", self.policy), ("duplicates", self.duplicates)];
        if self.has_key {
            options.push(("booking-id-field", KEY));
        }
        let mut mapping = with_options(&options);
        if self.is_stale {
            mapping.rows.push(row(fixture::text_field("Title", 2), Source::Fixed("部長代理".into())));
        }
        mapping
    }

    fn booking(&self) -> Booking {
        let kind = if self.is_moved { BookingKind::Rescheduled("b-0".into()) } else { BookingKind::New };
        Booking { kind, ..fixture::booking() }
    }

    fn history(&self) -> History {
        match self.earlier {
            Earlier::None => first_try(),
            Earlier::Unknown { minutes, .. } => after_unknown(minutes),
        }
    }

    fn world(&self) -> World {
        let world = World::new("2026-11-22T03:20:00.000+0000");
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
        if let Earlier::Unknown { minutes, same, near } = self.earlier {
            let mut at = String::new();
            let now = crate::timestamp::Moment::parse("2026-11-22T03:20:00Z").unwrap();
            now.earlier(minutes * 60 - 5).push_to(&mut at);
            for place in 0..same {
                let mut written = written(self.is_stale);
                // A unique key is held once.
                if self.has_key && place == 0 {
                    written[KEY] = json!("team-1/b-1");
                }
                world.add(written, &at);
            }
            for _ in 0..near {
                let mut written = written(self.is_stale);
                written["MeetingDate__c"] = json!("2026-12-24");
                world.add(written, &at);
            }
        }
        let mut state = world.0.borrow_mut();
        state.rule = self.rule;
        state.look_ups_fail = self.guest == Guest::LookUpFails;
        drop(state);
        world
    }
}

fn written(is_stale: bool) -> Value {
    let mut written = json!({
        "LastName": "山田", "FirstName": "太郎", "Company": "株式会社サンプル＆パートナーズ", "Email": "Taro.Yamada@example.com",
        "Description": "現在の手入力を減らしたい。\n「O'Brien & 田中」様の紹介です。👩‍💻", "MeetingDate__c": "2026-12-02",
    });
    if is_stale {
        written["Title"] = json!("部長代理");
    }
    written
}

fn delivered(case: &Case) -> (World, Result<Delivery, Box<Problem>>) {
    let world = case.world();
    let result = deliver(&mut world.clone(), &case.booking(), &case.mapping(), &case.history());
    (world, result)
}

#[test]
fn every_path_keeps_the_promises_that_hold_for_all() {
    let mut count = 0;
    for case in cases() {
        count += 1;
        let (world, result) = delivered(&case);
        let state = world.0.borrow();
        let repeats = matches!(case.earlier, Earlier::Unknown { .. });
        let looks_up = case.policy != "create-another" || repeats || (case.is_moved && case.has_key);

        assert!(state.creates <= 1, "{case:?}");
        // A lost try that left its Lead gets no second one.
        if let Earlier::Unknown { same: 1.., .. } = case.earlier {
            assert_eq!(state.creates, 0, "{case:?}");
        }
        // What may still come, or cannot be told apart, is not created over.
        if !case.has_key
            && matches!(case.earlier, Earlier::Unknown { minutes: 5, .. } | Earlier::Unknown { near: 1, .. })
        {
            assert_eq!(state.creates, 0, "{case:?}");
        }
        // A look-up that failed is a failure.
        if looks_up && case.guest == Guest::LookUpFails {
            let problem = result.as_ref().unwrap_err();
            let expected = if repeats { Reaction::CheckFirst } else { Reaction::Retry };
            assert_eq!(problem.reaction, expected, "{case:?}");
            assert_eq!((state.creates, state.updates.len()), (0, 0), "{case:?}");
        }
        // Converted Leads are never written to, and of several the newest is.
        if case.guest == Guest::Converted {
            assert!(!state.updates.contains(&"00Q5e0000000000".to_owned()), "{case:?}");
        }
        if case.guest == Guest::Several {
            assert!(!state.updates.contains(&"00Q5e0000000000".to_owned()), "{case:?}");
        }
        // API calls: the write; a look-up by key or for a lost try; the policy's look-up; one for a stale snapshot; and what
        // using a match takes. So 1, 2 with a look-up, and at most 3 after an unknown outcome.
        let by_policy = case.policy != "create-another";
        let by_key = case.has_key && (repeats || case.is_moved);
        let for_lost = !case.has_key && repeats && !by_policy;
        let matched = if case.duplicates == "use-match" && case.rule != DuplicateRule::Inactive { 2 } else { 0 };
        // A duplicate rule's refusal on a first try may hide that the booking is there: its key is read.
        let refused_by_rule = case.has_key && !by_key && case.rule != DuplicateRule::Inactive;
        let most = 1
            + [by_policy, by_key, for_lost, case.is_stale, refused_by_rule].map(usize::from).iter().sum::<usize>()
            + matched;
        assert!(state.calls <= most, "{} calls, {case:?}", state.calls);
        // A delivery names a Lead that is there.
        if let Ok(delivery) = &result {
            assert!(state.leads.iter().any(|lead| lead["Id"] == delivery.lead_id.as_str()), "{case:?}");
            assert_eq!(delivery.findings, [], "{case:?}");
            assert_eq!(delivery.outcome == Outcome::Created, state.creates == 1, "{case:?}");
        } else {
            assert_eq!(state.creates, 0, "{case:?}");
        }
    }
    assert_eq!(count, 4 * 5 * 3 * 3 * 9 * 8);
}

#[test]
fn a_first_try_does_what_policy_and_rule_say() {
    for case in cases().filter(|case| case.earlier == Earlier::None && case.guest != Guest::LookUpFails) {
        let (_, result) = delivered(&case);
        let matched = matches!(case.guest, Guest::One | Guest::Several);
        let is_blocked = matched
            && match case.rule {
                DuplicateRule::Inactive => false,
                DuplicateRule::Alert => case.duplicates != "save-anyway",
                DuplicateRule::Block => true,
            };
        let expected = match case.policy {
            "keep" if matched => Ok(Outcome::Kept),
            "fill-empty" | "overwrite" if matched => Ok(Outcome::Updated),
            // Several matches are never used.
            _ if is_blocked && case.duplicates == "use-match" && case.guest == Guest::One => Ok(Outcome::Updated),
            _ if is_blocked => Err("DUPLICATES_DETECTED"),
            _ => Ok(Outcome::Created),
        };
        let found = result.map(|delivery| delivery.outcome).map_err(|problem| problem.code);
        assert_eq!(found, expected.map_err(str::to_owned), "{case:?}");
    }
}

#[test]
fn a_try_after_an_unknown_one_concludes_only_what_is_certain() {
    let plain = |case: &Case| case.rule == DuplicateRule::Inactive && case.guest == Guest::Unknown;
    for case in cases().filter(|case| case.earlier != Earlier::None).filter(plain) {
        let Earlier::Unknown { minutes, same, near } = case.earlier else { continue };
        let (_, result) = delivered(&case);
        let is_past = minutes > 10;
        let expected = match (case.has_key, case.policy) {
            (true, _) if same > 0 => Ok(Outcome::AlreadyDelivered),
            (true, "create-another") => Ok(Outcome::Created),
            (true, "keep") if near > 0 => Ok(Outcome::Kept),
            (true, _) if near > 0 => Ok(Outcome::Updated),
            (true, _) => Ok(Outcome::Created),
            (false, "create-another") => match (same, near) {
                (1, _) => Ok(Outcome::AlreadyDelivered),
                (0, 0) if is_past => Ok(Outcome::Created),
                (0, 0) => Err(codes::OUTCOME_PENDING),
                _ => Err(codes::OUTCOME_UNCLEAR),
            },
            // The policy's own look-up finds what the lost try left.
            (false, _) if same > 0 => Ok(Outcome::AlreadyDelivered),
            (false, _) if near > 0 && !is_past => Err(codes::OUTCOME_PENDING),
            (false, "keep") if near > 0 => Ok(Outcome::Kept),
            (false, _) if near > 0 => Ok(Outcome::Updated),
            (false, _) if is_past => Ok(Outcome::Created),
            (false, _) => Err(codes::OUTCOME_PENDING),
        };
        // A policy that fills in finds nothing blank in a Lead that differs by its date only.
        let expected = match expected {
            Ok(Outcome::Updated) if case.policy == "fill-empty" && !case.has_key => Ok(Outcome::Kept),
            expected => expected,
        };
        let found = result.map(|delivery| delivery.outcome).map_err(|problem| problem.code);
        assert_eq!(found, expected.map_err(str::to_owned), "{case:?}");
    }
}

#[test]
fn however_often_answers_are_lost_there_is_one_lead() {
    for policy in POLICIES {
        for has_key in [false, true] {
            for lost_tries in 0..4 {
                let mut options = vec![("existing", policy)];
                if has_key {
                    options.push(("booking-id-field", KEY));
                }
                let mapping = with_options(&options);
                let world = World::new("2026-11-22T03:20:00.000+0000");
                let mut history = first_try();
                for attempt in 0..=lost_tries {
                    world.0.borrow_mut().loses_next_answer = attempt < lost_tries;
                    match deliver(&mut world.clone(), &fixture::booking(), &mapping, &history) {
                        Ok(_) => break,
                        Err(problem) => assert_eq!(problem.reaction, Reaction::CheckFirst),
                    }
                    history = History { now: "2026-11-22T03:25:00Z".into(), ..after_unknown(0) };
                }
                assert_eq!(world.0.borrow().leads.len(), 1, "{policy} {has_key} {lost_tries}");
            }
        }
    }
}
