//! Faults that somebody could make in the core, planted one by one: a test must fail for each.
//!
//! ```text
//! cargo test -p crm-delivery --no-default-features --test mutants -- --ignored --nocapture
//! ```

#![expect(clippy::unwrap_used, reason = "a test that does not hold panics")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// A file of the core, a text in it, what replaces it, and what that breaks.
struct Fault(&'static str, &'static str, &'static str, &'static str);

const FAULTS: &[Fault] = &[
    Fault(
        "progress.rs",
        "if self.state == State::Delivering && self.fence == fence => began",
        "if self.state == State::Delivering => began",
        "a progress does not check the fence",
    ),
    Fault(
        "progress.rs",
        "        if !matches!(ended, Ended::NotCalled) {\n            self.first_try.get_or_insert(began);",
        "        if !matches!(ended, Ended::NotCalled) {\n            self.first_try = Some(began);",
        "each try overwrites the first one",
    ),
    Fault(
        "progress.rs",
        "if !matches!(ended, Ended::NotCalled) {",
        "if true {",
        "a claim without a call counts as the first try",
    ),
    Fault(
        "progress.rs",
        "} else if problem.settles_earlier_tries() {",
        "} else if problem.settles_earlier_tries() || problem.reaction == Reaction::Reconnect {",
        "unknown tries are forgotten when the connection ends",
    ),
    Fault(
        "progress.rs",
        "} else if problem.settles_earlier_tries() {",
        "} else if false {",
        "a refusal settles nothing",
    ),
    Fault("progress.rs", "unknown.newest = unknown.newest.max(began);", "", "the newest unknown try is the oldest"),
    Fault("progress.rs", "self.keep(problem.made);", "", "records of a try that could not finish are dropped"),
    Fault(
        "progress.rs",
        "        self.pinned_mapping.get_or_insert(mapping);\n        self.wait(codes::TRY_LOST",
        "        self.wait(codes::TRY_LOST",
        "the mapping of a lost worker's try is not pinned",
    ),
    Fault(
        "progress.rs",
        "        if self.unknown.is_none() {\n            self.pinned_mapping = None;",
        "        if self.state != State::Delivered {\n            self.pinned_mapping = None;",
        "the pinned mapping is lost with the next try",
    ),
    Fault(
        "progress.rs",
        "                Some(until) => {\n                    self.because(&code, at.0);",
        "                Some(until) => {\n                    self.passing += 1;\n                    self.because(&code, at.0);",
        "a paused circuit counts a try",
    ),
    Fault(
        "progress.rs",
        "        self.doubt(began);\n        self.pinned_mapping.get_or_insert(mapping);\n        self.wait(codes::TRY_LOST",
        "        self.wait(codes::TRY_LOST",
        "a lost worker's try is taken for one that wrote nothing",
    ),
    Fault(
        "progress.rs",
        "_ if problem.effect == Effect::Unknown => &Reaction::CheckFirst,",
        "",
        "an unknown effect does not make check-first of a reaction",
    ),
    Fault(
        "progress.rs",
        "                if effect == Effect::Unknown {\n                    self.doubt(began);",
        "                if effect == Effect::Unknown {",
        "a stopped call is taken for one that wrote nothing",
    ),
    Fault(
        "progress.rs",
        "if now > self.last_try(settings) && self.unknown.is_none() {",
        "if now > self.last_try(settings) {",
        "what may have been written is not followed up when the time for tries is over",
    ),
    Fault(
        "progress.rs",
        "settings.last_try(self.accepted, self.meeting_end).max(asked)",
        "settings.last_try(self.accepted, self.meeting_end)",
        "a resend does not extend the time for tries",
    ),
    Fault(
        "progress.rs",
        "self.keep(found.into_iter().collect());",
        "drop(found);",
        "the record that a person found is forgotten",
    ),
    Fault(
        "progress.rs",
        "!self.state.is_final() && self.state != State::Delivering && self.unknown.is_none()",
        "!self.state.is_final() && self.state != State::Delivering",
        "a cancellation drops what may have been written",
    ),
    Fault(
        "progress.rs",
        ".filter(|(_, until)| self.state == State::Delivering && *until <= now)",
        ".filter(|_| self.state == State::Delivering)",
        "a booking is taken from a worker whose lease is not over",
    ),
    Fault("progress.rs", "        if due > self.last_try(settings) {", "        if false {", "the tries never end"),
    Fault(
        "progress.rs",
        "        self.state = State::Waiting;\n        self.due = now;\n        self.passing = 0;",
        "        self.state = State::Waiting;\n        self.passing = 0;",
        "a release keeps the old wait",
    ),
    Fault(
        "chain.rs",
        "state => other.id < id && !state.is_final(),",
        "state => other.id < id && state.holds_its_lane(),",
        "a change passes an earlier one that waits for a person",
    ),
    Fault(
        "chain.rs",
        "claim.history.records.push(record);",
        "drop(record);",
        "records of earlier changes are not told",
    ),
    Fault(
        "chain.rs",
        "            claim.history.first_try = first_try;\n",
        "",
        "the first try of earlier changes is not told",
    ),
    Fault(
        "chain.rs",
        "} else if progress.state == State::NeedsAttention && progress.has_cause(codes::EARLIER_CHANGE) {",
        "} else if false {",
        "a blocked change is not released",
    ),
    Fault(
        "chain.rs",
        "needs_attention |= progress.state == State::NeedsAttention;",
        "",
        "a change behind one that needs a person waits without a cause",
    ),
    Fault(
        "chain.rs",
        "latest = latest.max(entry.changed_at);",
        "latest = entry.changed_at;",
        "a change is late only if the one before it is later",
    ),
    Fault(
        "chain.rs",
        "            queue.in_flight = queue.in_flight.saturating_sub(1);\n            self.arrange(at.0);",
        "            self.arrange(at.0);",
        "a lost worker's place is not given back",
    ),
    Fault(
        "chain.rs",
        "        if progress.state != State::Delivering || progress.fence != fence {\n            return Err(Stale);\n        }\n",
        "",
        "a stale finish gives a place back",
    ),
    Fault(
        "chain.rs",
        "        self.arrange(at.0);\n        Ok(())",
        "        Ok(())",
        "the end of a try does nothing for the other changes",
    ),
    Fault(
        "chain.rs",
        "            _ => true,\n        };\n        for index",
        "            _ => !progress.records.is_empty(),\n        };\n        for index",
        "a cancellation is dropped while a try is unknown or under way",
    ),
    Fault(
        "chain.rs",
        "other.progress.doubt_between(tries.oldest, tries.newest);",
        "let _ = (other, tries);",
        "after a restore nobody looks for what a late change has left",
    ),
    Fault(
        "queue.rs",
        "        self.in_flight = self.in_flight.saturating_sub(1);\n        match ended {",
        "        match ended {",
        "the end of a try does not give its place back",
    ),
    Fault(
        "queue.rs",
        "self.account.as_deref().is_none_or(|known| known == account)",
        "self.account.as_deref().is_none_or(|known| known == account || self.hold == Some(Hold::NotConnected))",
        "what was parked goes to another account",
    ),
    Fault(
        "queue.rs",
        "if self.hold == Some(Hold::Operator) { &mut self.beneath } else { &mut self.hold }",
        "&mut self.hold",
        "a team that connects lifts the operator's hold",
    ),
    Fault(
        "queue.rs",
        "self.of_connection().get_or_insert(Hold::NotConnected);",
        "",
        "bookings are tried without a connection",
    ),
    Fault("queue.rs", "            self.calls = 0;\n", "", "calls of yesterday count today"),
    Fault("schedule.rs", ".min(self.longest_wait)", "", "waits grow without end"),
    Fault(
        "schedule.rs",
        "asked.saturating_add(jitter)",
        "if asked > 0 { asked } else { jitter }",
        "those who failed together come back together",
    ),
    Fault("schedule.rs", "after_accepted.max(", "after_accepted.min(", "tries end at the earlier of both ends"),
    Fault("circuit.rs", "pause.min(settings.longest_pause)", "pause", "a pause lasts as long as the CRM likes"),
    Fault("circuit.rs", "*self = Self::default();", "self.failures = 0;", "a success does not end the pause"),
    Fault(
        "circuit.rs",
        "self.open_until.max(Some(until))",
        "Some(until)",
        "a try that was under way shortens the pause",
    ),
    Fault("fairness.rs", "own.max(served)", "own", "a queue that was idle has saved up turns"),
    Fault(
        "fairness.rs",
        "own.saturating_add(turn.cost())",
        "own.saturating_add(turn.cost() / 4)",
        "fresh bookings cost no turn",
    ),
];

fn workspace() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the workspace");
    root.to_owned()
}

/// Copies a folder, except for what is hidden or built.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        let is_left_out = name == "target" || name.to_string_lossy().starts_with('.');
        match entry.file_type().unwrap() {
            _ if is_left_out => {}
            kind if kind.is_dir() => copy(&entry.path(), &to.join(&name)),
            _ => {
                fs::copy(entry.path(), to.join(&name)).unwrap();
            }
        }
    }
}

fn cargo(copy: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO"))
        .args(["test", "-p", "crm-delivery", "--no-default-features", "--lib", "--test", "simulation"])
        .args(arguments)
        .current_dir(copy)
        // What does not belong to the workspace is compiled once for all runs.
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutants"))
        .env("RUST_BACKTRACE", "0")
        .output()
        .unwrap()
}

/// The tests that fail in the copy.
fn failing(copy: &Path) -> Vec<String> {
    let built = cargo(copy, &["--no-run"]);
    assert!(built.status.success(), "it does not compile:\n{}", String::from_utf8_lossy(&built.stderr));
    let run = cargo(copy, &["--no-fail-fast"]);
    let output = String::from_utf8_lossy(&run.stdout);
    let failed = output.lines().filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"));
    let failed: Vec<_> = failed.map(str::to_owned).collect();
    assert_eq!(failed.is_empty(), run.status.success(), "{output}\n{}", String::from_utf8_lossy(&run.stderr));
    failed
}

#[test]
#[ignore = "compiles the core 45 times, which takes some ten minutes"]
fn each_planted_fault_makes_a_test_fail() {
    let folder = tempfile::tempdir().unwrap();
    copy(&workspace(), folder.path());
    let source = |file: &str| folder.path().join("host-harness/delivery/src").join(file);
    let mut files = BTreeMap::new();
    for Fault(file, text, _, breaks) in FAULTS {
        let content: &String = files.entry(file).or_insert_with(|| fs::read_to_string(source(file)).unwrap());
        assert_eq!(content.matches(text).count(), 1, "{file} must have this once, for `{breaks}`:\n{text}");
    }
    assert_eq!(failing(folder.path()), [""; 0], "without a fault");
    let mut missed = Vec::new();
    for Fault(file, text, replacement, breaks) in FAULTS {
        let content = &files[file];
        fs::write(source(file), content.replacen(text, replacement, 1)).unwrap();
        let caught = failing(folder.path());
        fs::write(source(file), content).unwrap();
        let (simulation, units): (Vec<_>, Vec<_>) =
            caught.iter().partition(|test| test.starts_with("no_booking_is_lost_none_is_doubled"));
        let by = if simulation.is_empty() { "" } else { "simulation" };
        let first = units.first().map_or("", |first| first.as_str());
        println!("{file:12} {breaks:80} {by:10} {:2} unit tests: {first}", units.len());
        if caught.is_empty() {
            missed.push(breaks);
        }
    }
    println!("{} faults, {} missed", FAULTS.len(), missed.len());
    assert!(missed.is_empty(), "no test fails when: {missed:#?}");
}
