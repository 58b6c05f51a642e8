//! Output for people and machines: results on standard output, everything else on standard error.
//!
//! Plugins, orgs and guests decide much of what is shown. Text for people is therefore escaped here, where it is printed, so
//! that none of it can control a terminal.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    io::{IsTerminal, Write},
    sync::atomic::{AtomicBool, Ordering},
};

use comfy_table::{ContentArrangement, ContentLineStyle, LineStyle, Table, TableStyle};
use crm_booking::{Explained, ExplainedProblem, QuestionRef};
use crm_builder::Progress;
use crm_contract::{Actor, AdviceText, Consequence, Reaction, RecordRef};
use crm_host::full_message;
use crm_texts::{Language, Texts};
use serde::Serialize;

use crate::error::CliError;

/// Lines between columns and below the header, none between rows, so that long tables stay short.
const TABLE: TableStyle = TableStyle::new()
    .header_lines(ContentLineStyle::none().junction('│'))
    .header_separator(LineStyle::none().fill('─').junction('┼'))
    .content_lines(ContentLineStyle::none().junction('│'));

/// The output of a command.
pub(crate) struct Ui {
    json: bool,
    locale: String,
    /// What people read, in their language.
    pub(crate) say: Texts,
    step: u32,
    shown: Option<u32>,
    is_closed: AtomicBool,
    is_lost: AtomicBool,
}

impl Ui {
    pub(crate) fn new(json: bool, locale: Option<String>) -> Self {
        let locale = locale.unwrap_or_else(|| environment_locale(|name| std::env::var(name).ok()));
        let say = Texts::new(Language::closest(&locale));
        Self {
            json,
            locale,
            say,
            step: 0,
            shown: None,
            is_closed: AtomicBool::new(false),
            is_lost: AtomicBool::new(false),
        }
    }

    pub(crate) fn locale(&self) -> &str {
        &self.locale
    }

    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// A result for people.
    pub(crate) fn print(&self, text: impl AsRef<str>) {
        if !self.json {
            self.write(&harmless(text.as_ref()));
        }
    }

    /// A closed pipe (`| head`) is not an error, but what is not shown is not known to anybody.
    fn write(&self, text: &str) {
        if let Err(error) = writeln!(std::io::stdout(), "{text}") {
            self.is_closed.store(true, Ordering::Relaxed);
            self.is_lost.fetch_or(error.kind() != std::io::ErrorKind::BrokenPipe, Ordering::Relaxed);
        }
    }

    /// Whether a result could not be written, as on a full disk, and nobody meant that.
    pub(crate) fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Relaxed)
    }

    /// Whether a result was not shown, because standard output was closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }

    /// A result for machines.
    pub(crate) fn json(&self, value: &impl Serialize) -> Result<(), CliError> {
        if self.json {
            self.write(&serde_json::to_string_pretty(value)?);
        }
        Ok(())
    }

    /// A line for machines, whether or not JSON was asked for.
    pub(crate) fn line(&self, text: &str) {
        self.write(text);
    }

    /// Progress and notes.
    pub(crate) fn note(&self, text: impl AsRef<str>) {
        let _ = writeln!(std::io::stderr(), "{}", harmless(text.as_ref()));
    }

    /// The heading of a step.
    pub(crate) fn step(&mut self, of: u32, title: fn(&Texts) -> String) {
        self.step += 1;
        self.print(format!("\n{}", self.say.demo_step(self.step, of, title(&self.say))));
    }

    /// Progress of a build: one changing line on a terminal, a line per tenth elsewhere.
    pub(crate) fn build_progress(&mut self, progress: Progress) {
        match progress {
            Progress::Announcement(text) => self.note(text),
            Progress::StandardLibraryFromSource => self.note(self.say.from_source()),
            Progress::Waiting(lock) => self.note(self.say.waiting_for_cargo(one_line(&lock))),
            Progress::Compiling { done, total, crates } => {
                let percent = (done * 100).checked_div(total).unwrap_or(0);
                if std::io::stderr().is_terminal() {
                    let crates: String = one_line(&crates).chars().take(60).collect();
                    let end = if done == total { "\n" } else { "" };
                    let line = self.say.compiling(format_args!("{percent:>3}"), crates);
                    let _ = write!(std::io::stderr(), "\r\x1b[K  {line}{end}");
                } else if self.shown != Some(percent / 10) {
                    self.shown = Some(percent / 10);
                    self.note(format!("  {}", self.say.compiling_count(format_args!("{percent:>3}"), done, total)));
                }
            }
        }
    }

    /// An error: what it means in the reader's language, its own words, and what to do.
    pub(crate) fn error(&self, error: &CliError) {
        let detail = full_message(error);
        let code = error.code();
        let explained = self.say.explain(code);
        let mut lines = Vec::new();
        match explained {
            Some(explained) => {
                lines.push(self.say.error(explained.headline, code));
                lines.push(format!("  {}", self.say.error_detail(detail)));
                lines.extend(explained.remedy.map(|remedy| format!("  → {remedy}")));
            }
            None if self.say.language() == Language::English => lines.push(self.say.error(detail, code)),
            None => {
                lines.push(self.say.error(self.say.command_failed(), code));
                lines.push(format!("  {}", self.say.error_detail(detail)));
            }
        }
        self.note(lines.join("\n"));
    }

    pub(crate) fn problem(&self, explained: &ExplainedProblem, advice: Option<&AdviceText>) {
        let say = &self.say;
        let ExplainedProblem { problem, row_ids, questions } = explained;
        let mut lines = vec![say.problem(one_line(&problem.code), reaction(say, &problem.reaction))];
        let mut push = |line: String| lines.push(format!("  {line}"));
        push(say.problem_message(one_line(&problem.message)));
        let listed = |items: &[String]| (!items.is_empty()).then(|| one_line(&items.join(", ")).into_owned());
        let records = |records: &[RecordRef]| -> Option<String> {
            listed(&records.iter().map(|record| format!("{}/{}", record.object, record.id)).collect::<Vec<_>>())
        };
        let rows: Vec<_> = row_ids.iter().map(ToString::to_string).collect();
        let questions: Vec<_> = questions.iter().map(question).collect();
        let further = [
            listed(&problem.fields).map(|list| say.problem_fields(list)),
            listed(&rows).map(|list| say.problem_rows(list)),
            listed(&questions).map(|list| say.problem_questions(list)),
            records(&problem.concerned).map(|list| say.problem_in_the_way(list)),
            records(&problem.made).map(|list| say.problem_records(list)),
            problem.retry_after.map(|seconds| say.problem_wait(seconds)),
        ];
        further.into_iter().flatten().for_each(&mut push);
        for error in &problem.also {
            push(say.problem_also(one_line(&error.code), one_line(&error.message)));
        }
        self.print(lines.join("\n"));
        if let Some(advice) = advice {
            self.advice(advice);
        }
    }

    pub(crate) fn advice(&self, advice: &AdviceText) {
        let mut lines = vec![format!("  {}", one_line(&advice.what)), format!("  {}", one_line(&advice.why))];
        for (index, step) in advice.steps.iter().enumerate() {
            let place = step.place.as_ref().map_or(String::new(), |place| format!("\n       {}", one_line(place)));
            let who = actor(&self.say, &step.who);
            lines.push(format!("    {}. [{who}] {}{place}", index + 1, one_line(&step.action)));
        }
        self.print(lines.join("\n"));
    }

    /// Findings, each code's help behind its last one.
    pub(crate) fn findings(&self, findings: &[Explained], advice: &BTreeMap<String, AdviceText>) {
        for (index, found) in findings.iter().enumerate() {
            let known = advice.get(&found.finding.code);
            self.print(finding_line(&self.say, found, known));
            let is_last = findings.iter().skip(index + 1).all(|later| later.finding.code != found.finding.code);
            if let Some(advice) = known.filter(|_| is_last) {
                if self.say.language() == Language::English {
                    self.print(format!("    {}", one_line(&advice.what)));
                }
                for step in &advice.steps {
                    let place = step.place.as_ref().map_or(String::new(), |place| format!(" ({})", one_line(place)));
                    self.print(format!("    [{}] {}{place}", actor(&self.say, &step.who), one_line(&step.action)));
                }
            }
        }
    }

    pub(crate) fn table(&self, header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
        let width = if std::io::stdout().is_terminal() { None } else { Some(120) };
        self.print(table_text(header, rows, width));
    }
}

/// A finding in one line. Its own words are English; readers of another language get what the code means first.
fn finding_line(say: &Texts, found: &Explained, advice: Option<&AdviceText>) -> String {
    let Explained { finding, row_ids, questions, .. } = found;
    let mark = match finding.consequence {
        Consequence::Changed => say.consequence_changed(),
        Consequence::LeftOut => say.consequence_left_out(),
        Consequence::Refused => say.consequence_refused(),
    };
    let rows: Vec<_> = row_ids.iter().map(|id| say.row(id)).collect();
    let questions: Vec<_> = questions.iter().map(question).collect();
    let place = [finding.fields.join(", "), questions.join(", ")]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ← ");
    // A finding about an option, or about the connection, has none.
    let place = if place.is_empty() { place } else { format!("{place} — ") };
    let rows = if rows.is_empty() { String::new() } else { format!(", {}", rows.join(", ")) };
    let line = |text: &str| one_line(&format!("  {mark}: {place}{text} ({}{rows})", finding.code)).into_owned();
    match advice {
        Some(advice) if say.language() != Language::English => {
            let detail = say.finding_detail(one_line(&finding.message));
            format!("{}\n    {detail}", line(&advice.what))
        }
        _ => line(&finding.message),
    }
}

/// Cells are escaped before the layout, which depends on their widths.
fn table_text(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>, width: Option<u16>) -> String {
    let mut table = Table::new();
    table.load_style(TABLE).set_content_arrangement(ContentArrangement::Dynamic).set_header(header);
    if let Some(width) = width {
        table.set_width(width);
    }
    for row in rows {
        table.add_row(row.iter().map(|cell| harmless(cell)));
    }
    table.to_string()
}

/// Text that cannot control a terminal: escape sequences could rewrite what was shown or set the title, bidirectional
/// overrides could reorder it (<https://trojansource.codes>). Only line ends and tabs remain.
fn harmless(text: &str) -> Cow<'_, str> {
    escaped(text, |c| !matches!(c, '\n' | '\t') && is_control(c))
}

/// The same for text of others within a line of ours, which it could otherwise end to start one of its own.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    escaped(text, is_control)
}

fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_escaped(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    Cow::Owned(shown)
}

/// A question as people know it.
fn question(question: &QuestionRef) -> String {
    if question.label.is_empty() { question.id.clone() } else { question.label.clone() }
}

fn reaction(say: &Texts, reaction: &Reaction) -> String {
    match reaction {
        Reaction::FixBooking => say.reaction_fix_booking(),
        Reaction::FixMapping => say.reaction_fix_mapping(),
        Reaction::AskAdmin => say.reaction_ask_admin(),
        Reaction::Reconnect => say.reaction_reconnect(),
        Reaction::Retry => say.reaction_retry(),
        Reaction::CheckFirst | Reaction::Other(_) => say.reaction_check_first(),
    }
}

fn actor(say: &Texts, actor: &Actor) -> String {
    match actor {
        Actor::TeamAdmin | Actor::Other(_) => say.actor_team_admin(),
        Actor::CalendarOwner => say.actor_calendar_owner(),
        Actor::CrmAdmin => say.actor_crm_admin(),
        Actor::Operator => say.actor_operator(),
    }
}

/// POSIX: `LC_ALL` over `LC_MESSAGES` over `LANG`; `ja_JP.UTF-8@x` is `ja-JP`.
fn environment_locale(variable: impl Fn(&str) -> Option<String>) -> String {
    ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .filter_map(variable)
        .find(|value| !value.is_empty())
        .map(|value| value.split(['.', '@']).next().unwrap_or_default().replace('_', "-"))
        .filter(|tag| !matches!(tag.as_str(), "C" | "POSIX"))
        .unwrap_or_else(|| "en".to_owned())
}

#[cfg(test)]
mod tests {
    use crm_booking::QuestionRef;
    use crm_contract::Finding;

    use super::*;

    const TITLE: &str = "\x1b]0;pwn\x07";

    #[test]
    fn text_of_others_cannot_control_the_terminal() {
        for (text, shown) in [
            (TITLE, r"\u{1b}]0;pwn\u{7}"),
            ("a\u{202e}b\u{2066}c\u{2069}", r"a\u{202e}b\u{2066}c\u{2069}"),
            ("done\rrefused\u{8}\u{9b}2J\u{7f}", r"done\rrefused\u{8}\u{9b}2J\u{7f}"),
            ("株式会社 ← “é” 👩‍💻 مرحبا\u{200f}", "株式会社 ← “é” 👩‍💻 مرحبا\u{200f}"),
            ("two\n\tlines", "two\n\tlines"),
        ] {
            assert_eq!(harmless(text), shown);
            assert_eq!(harmless(&harmless(text)), shown, "escaping twice changes nothing");
        }
        assert_eq!(one_line("two\n\tlines\u{202e}"), r"two\n\tlines\u{202e}");
    }

    #[test]
    fn a_finding_is_one_line_without_controls() {
        let finding = Explained {
            finding: Finding {
                code: "value-shortened".to_owned(),
                consequence: Consequence::Changed,
                fields: vec!["Company".to_owned()],
                rows: Vec::new(),
                message: format!("{TITLE}\n  changed: nothing"),
                particulars: Vec::new(),
                more: Vec::new(),
            },
            row_ids: Vec::new(),
            questions: vec![QuestionRef { id: "q1".to_owned(), label: "Your \u{202e}company".to_owned() }],
            value: None,
        };
        assert_eq!(
            finding_line(&Texts::new(Language::English), &finding, None),
            r"  changed: Company ← Your \u{202e}company — \u{1b}]0;pwn\u{7}\n  changed: nothing (value-shortened)"
        );
    }

    #[test]
    fn a_table_keeps_its_columns_with_controls_in_a_cell() {
        let cells = |label: &str| vec![label.to_owned(), "Company".to_owned()];
        let text = table_text(&["Label", "API name"], [cells(&format!("{TITLE}\u{202e}")), cells("plain")], Some(120));
        assert!(text.contains(r"\u{1b}]0;pwn\u{7}\u{202e}"), "{text}");
        assert_eq!(harmless(&text), text);
        let columns: Vec<_> =
            text.lines().filter_map(|line| line.chars().position(|c| matches!(c, '│' | '┼'))).collect();
        assert!(
            matches!(columns.as_slice(), [first, rest @ ..] if rest.len() == 3 && rest.iter().all(|at| at == first)),
            "{text}"
        );
    }

    #[test]
    fn the_language_comes_from_the_environment() {
        for (variables, expected) in [
            (&[][..], "en"),
            (&[("LANG", "ja_JP.UTF-8")][..], "ja-JP"),
            (&[("LANG", "ja_JP.UTF-8"), ("LC_ALL", "C")][..], "en"),
            (&[("LANG", "de_DE"), ("LC_ALL", "")][..], "de-DE"),
            (&[("LC_MESSAGES", "ja_JP@x"), ("LANG", "C")][..], "ja-JP"),
        ] {
            let found = environment_locale(|name| {
                variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            });
            assert_eq!(found, expected);
        }
    }
}
