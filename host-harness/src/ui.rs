//! Output for people and machines: results on standard output, everything else on standard error.
//!
//! Plugins, orgs and guests decide much of what is shown. Text for people is therefore escaped here, where it is printed, so
//! that none of it can control a terminal.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    io::{IsTerminal, Write},
};

use comfy_table::{ContentArrangement, ContentLineStyle, LineStyle, Table, TableStyle};
use crm_booking::{Explained, ExplainedProblem, QuestionRef};
use crm_builder::Progress;
use crm_contract::{Actor, AdviceText, Consequence, Reaction, RecordRef};
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
    step: u32,
    shown: Option<u32>,
}

impl Ui {
    pub(crate) fn new(json: bool, locale: Option<String>) -> Self {
        let locale = locale.unwrap_or_else(|| environment_locale(|name| std::env::var(name).ok()));
        Self { json, locale, step: 0, shown: None }
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
            // A closed pipe (`| head`) is not an error.
            let _ = writeln!(std::io::stdout(), "{}", harmless(text.as_ref()));
        }
    }

    /// A result for machines.
    pub(crate) fn json(&self, value: &impl Serialize) -> Result<(), CliError> {
        if self.json {
            let _ = writeln!(std::io::stdout(), "{}", serde_json::to_string_pretty(value)?);
        }
        Ok(())
    }

    /// Progress and notes.
    pub(crate) fn note(&self, text: impl AsRef<str>) {
        let _ = writeln!(std::io::stderr(), "{}", harmless(text.as_ref()));
    }

    /// The heading of a step.
    pub(crate) fn step(&mut self, of: u32, title: &str) {
        self.step += 1;
        self.print(format!("\n[{}/{of}] {title}", self.step));
    }

    /// Progress of a build: one changing line on a terminal, a line per tenth elsewhere.
    pub(crate) fn build_progress(&mut self, progress: Progress) {
        match progress {
            Progress::Announcement(text) => self.note(text),
            Progress::Compiling { done, total, crates } => {
                let percent = (done * 100).checked_div(total).unwrap_or(0);
                if std::io::stderr().is_terminal() {
                    let crates: String = one_line(&crates).chars().take(60).collect();
                    let end = if done == total { "\n" } else { "" };
                    let _ = write!(std::io::stderr(), "\r\x1b[K  compiling {percent:>3} % {crates}{end}");
                } else if self.shown != Some(percent / 10) {
                    self.shown = Some(percent / 10);
                    self.note(format!("  compiling {percent:>3} % ({done} of {total} crates)"));
                }
            }
        }
    }

    pub(crate) fn problem(&self, explained: &ExplainedProblem, advice: Option<&AdviceText>) {
        let ExplainedProblem { problem, row_ids, questions } = explained;
        let mut lines = vec![format!("Problem: {} — {}", one_line(&problem.code), reaction(&problem.reaction))];
        lines.push(format!("  message: {}", one_line(&problem.message)));
        push_list(&mut lines, "fields", &problem.fields);
        push_list(&mut lines, "mapping rows", &row_ids.iter().map(ToString::to_string).collect::<Vec<_>>());
        push_list(&mut lines, "questions", &questions.iter().map(question).collect::<Vec<_>>());
        let records = |records: &[RecordRef]| -> Vec<String> {
            records.iter().map(|record| format!("{}/{}", record.object, record.id)).collect()
        };
        push_list(&mut lines, "in the way", &records(&problem.concerned));
        push_list(&mut lines, "the booking's records", &records(&problem.made));
        if let Some(seconds) = problem.retry_after {
            lines.push(format!("  wait at least: {seconds} s"));
        }
        for error in &problem.also {
            lines.push(format!("  also: {}: {}", one_line(&error.code), one_line(&error.message)));
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
            lines.push(format!("    {}. [{}] {}{place}", index + 1, actor(&step.who), one_line(&step.action)));
        }
        self.print(lines.join("\n"));
    }

    /// Findings, each code's help behind its last one.
    pub(crate) fn findings(&self, findings: &[Explained], advice: &BTreeMap<String, AdviceText>) {
        for (index, found) in findings.iter().enumerate() {
            self.print(finding_line(found));
            let is_last = findings.iter().skip(index + 1).all(|later| later.finding.code != found.finding.code);
            if let Some(advice) = advice.get(&found.finding.code).filter(|_| is_last) {
                self.print(format!("    {}", one_line(&advice.what)));
                for step in &advice.steps {
                    self.print(format!("    [{}] {}", actor(&step.who), one_line(&step.action)));
                }
            }
        }
    }

    pub(crate) fn table(&self, header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
        let width = if std::io::stdout().is_terminal() { None } else { Some(120) };
        self.print(table_text(header, rows, width));
    }
}

fn finding_line(Explained { finding, row_ids, questions, .. }: &Explained) -> String {
    let mark = match finding.consequence {
        Consequence::Changed => "changed",
        Consequence::LeftOut => "left out",
        Consequence::Refused => "would be refused",
    };
    let rows: Vec<_> = row_ids.iter().map(|id| format!("row {id}")).collect();
    let questions: Vec<_> = questions.iter().map(question).collect();
    let place = [finding.fields.join(", "), questions.join(", ")]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ← ");
    // A finding about an option, or about the connection, has none.
    let place = if place.is_empty() { place } else { format!("{place} — ") };
    let rows = if rows.is_empty() { String::new() } else { format!(", {}", rows.join(", ")) };
    one_line(&format!("  {mark}: {place}{} ({}{rows})", finding.message, finding.code)).into_owned()
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

fn push_list(lines: &mut Vec<String>, name: &str, items: &[String]) {
    if !items.is_empty() {
        lines.push(format!("  {name}: {}", one_line(&items.join(", "))));
    }
}

/// A question as people know it.
fn question(question: &QuestionRef) -> String {
    if question.label.is_empty() { question.id.clone() } else { question.label.clone() }
}

fn reaction(reaction: &Reaction) -> &'static str {
    match reaction {
        Reaction::FixBooking => "this booking's data must be corrected",
        Reaction::FixMapping => "the mapping must be changed",
        Reaction::AskAdmin => "an admin of the CRM must change something",
        Reaction::Reconnect => "the team must connect again",
        Reaction::Retry => "try again later",
        Reaction::CheckFirst | Reaction::Other(_) => "it may have been written; check before trying again",
    }
}

fn actor(actor: &Actor) -> &'static str {
    match actor {
        Actor::TeamAdmin | Actor::Other(_) => "team owner or admin",
        Actor::CalendarOwner => "calendar owner",
        Actor::CrmAdmin => "CRM admin",
        Actor::Operator => "scheduling provider",
    }
}

/// POSIX: `LC_ALL` over `LC_MESSAGES` over `LANG`; `ja_JP.UTF-8` is `ja-JP`.
fn environment_locale(variable: impl Fn(&str) -> Option<String>) -> String {
    ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .filter_map(variable)
        .find(|value| !value.is_empty())
        .map(|value| value.split('.').next().unwrap_or_default().replace('_', "-"))
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
            finding_line(&finding),
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
        ] {
            let found = environment_locale(|name| {
                variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            });
            assert_eq!(found, expected);
        }
    }
}
