//! From a booking and a mapping to what a plugin is called with, and from the plugin's findings back to rows and questions.

use crm_contract::{
    Answer, AnswerValue, ChosenOption, Consequence, Finding, LeadField, MappingRow, Problem, Question, QuestionKind,
    Source,
};
use serde::Serialize;

use crate::{
    Booking, Event, Mapping, Row, RowId, attributes, is_blank,
    similar::suggestion,
    source::{self, SourceValue},
    template::{Reference, Template},
};

/// Codes of what the host itself finds.
pub mod codes {
    /// A row names a question that the form does not have.
    pub const QUESTION_UNKNOWN: &str = "question-unknown";
    /// A row names a booking attribute that does not exist.
    pub const ATTRIBUTE_UNKNOWN: &str = "attribute-unknown";
    /// A template has an unpaired brace.
    pub const TEMPLATE_INVALID: &str = "template-invalid";
    /// The mapping chooses an option that the plugin does not have.
    pub const OPTION_INVALID: &str = "option-invalid";
    /// A value is not listed in the row's value table and is passed unchanged.
    pub const VALUE_NOT_LISTED: &str = "value-not-listed";
    /// A row's value table lists a value that the question does not offer.
    pub const VALUE_NOT_OFFERED: &str = "value-not-offered";
    /// A row is for moved bookings, but contract 0.1.0 writes it only if the record has to be created.
    pub const NOT_REWRITTEN: &str = "row-not-rewritten";
    /// The plugin lists no writable field of this name.
    pub const FIELD_UNKNOWN: &str = "field-unknown";
}

/// Why a booking cannot be resolved. Nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// A row writes a field that the CRM does not list as writable.
    #[error("rows[{position}].field: the plugin lists no writable field `{field}`{suggestion}")]
    UnknownField {
        /// Position of the row in the mapping.
        position: usize,
        /// The field.
        field: String,
        /// `; did you mean ...?`, or empty.
        suggestion: String,
    },
    /// Contract 0.1.0 cannot express a cancelled booking.
    #[error("kind: cancelled bookings are not delivered: contract 0.1.0 has no such kind")]
    Cancelled,
}

impl ResolveError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownField { .. } => codes::FIELD_UNKNOWN,
            Self::Cancelled => "kind-unsupported",
        }
    }
}

/// What a plugin is called with for one booking.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The booking as the contract has it.
    pub booking: crm_contract::Booking,
    /// The rows of the booking's event.
    pub mapping: crm_contract::Mapping,
    /// What the host itself found; nothing of it stops the booking.
    pub findings: Vec<Explained>,
    /// The way back from the plugin's findings and problems.
    pub origins: Origins,
}

/// What a plugin checks a mapping with.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The rows of the event.
    pub mapping: crm_contract::Mapping,
    /// The form, and a question of its own for each row with a value table: it offers the translated choices.
    pub questions: Vec<Question>,
    /// What the host itself found: unknown fields, and value tables that do not match their questions.
    pub findings: Vec<Explained>,
    /// The way back from the plugin's findings.
    pub origins: Origins,
}

/// Options that the plugin does not have, among those that a mapping chooses. `known` are the ids of the plugin's options.
pub fn unknown_options(mapping: &Mapping, known: &[&str]) -> Vec<Explained> {
    let unknown = mapping.options().keys().filter(|id| !known.contains(&id.as_str()));
    let found = unknown.map(|id| Finding {
        code: codes::OPTION_INVALID.to_owned(),
        consequence: Consequence::Changed,
        fields: Vec::new(),
        rows: Vec::new(),
        question_ids: Vec::new(),
        detail: format!("the plugin has no option `{id}`{}", suggestion(id, known.iter().copied())),
    });
    found.map(Explained::from).collect()
}

/// Where the rows of a call come from: leads findings and problems back to the mapping's rows, questions and answers.
#[derive(Clone, Debug, Default)]
pub struct Origins(Vec<Origin>);

#[derive(Clone, Debug)]
struct Origin {
    /// Position in the mapping, which has rows of other events too.
    position: u32,
    id: RowId,
    questions: Vec<QuestionRef>,
    /// What the guest gave, before any value table.
    value: Option<String>,
}

/// A finding with the rows and questions it is about.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explained {
    /// The finding; its `rows` are positions in the mapping, its `question_ids` are those of the form.
    #[serde(flatten)]
    pub finding: Finding,
    /// Ids of the rows.
    pub row_ids: Vec<RowId>,
    /// The questions, with their labels.
    pub questions: Vec<QuestionRef>,
    /// The value that the first of the rows had in this booking, as text. Personal data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// A finding of a call without rows, such as a check of the connection.
impl From<Finding> for Explained {
    fn from(finding: Finding) -> Self {
        Self { finding, row_ids: Vec::new(), questions: Vec::new(), value: None }
    }
}

/// A problem with the rows and questions it is about.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExplainedProblem {
    /// The problem; its `rows` are positions in the mapping, its `question_ids` are those of the form.
    #[serde(flatten)]
    pub problem: Problem,
    /// Ids of the rows.
    pub row_ids: Vec<RowId>,
    /// The questions, with their labels.
    pub questions: Vec<QuestionRef>,
}

/// A problem of a call without rows, such as a check of the connection.
impl From<Problem> for ExplainedProblem {
    fn from(problem: Problem) -> Self {
        Self { problem, row_ids: Vec::new(), questions: Vec::new() }
    }
}

/// A question by id and label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QuestionRef {
    /// Stable id.
    pub id: String,
    /// The question as the guest read it; blank if it is unknown.
    pub label: String,
}

/// Resolves a booking: picks the rows of its event, translates values, and attaches to each row the field as `fields` lists it.
///
/// # Errors
/// If a row's field is not among `fields`, or the booking is of a kind that the contract does not have.
pub fn resolve(booking: &Booking, mapping: &Mapping, fields: &[LeadField]) -> Result<Resolved, ResolveError> {
    let sent = booking.to_contract().ok_or(ResolveError::Cancelled)?;
    let mut resolved = Resolved {
        booking: sent.clone(),
        mapping: crm_contract::Mapping { rows: Vec::new(), options: options(mapping) },
        findings: Vec::new(),
        origins: Origins::default(),
    };
    for (position, row) in rows_for(mapping, booking.kind) {
        let origin = Origin::new(position, row, |id| label_in_booking(booking, id), &sent);
        let is_lost = origin.value.is_none() && row.fallback.as_deref().is_none_or(is_blank);
        let consequence = if is_lost { Consequence::LeftOut } else { Consequence::Changed };
        for (code, detail) in unknown_references(row, booking) {
            resolved.findings.push(origin.finding(row, code, consequence, detail));
        }
        if booking.kind == Event::Rescheduled && is_not_rewritten(row) {
            resolved.findings.push(origin.finding(
                row,
                codes::NOT_REWRITTEN,
                Consequence::Changed,
                NOT_REWRITTEN.into(),
            ));
        }
        let mut source = row.source.clone();
        if let Some((answer, unlisted)) = translated(row, &sent) {
            source = Source::Answer(answer.question_id.clone());
            // First, so that no answer of the form takes its place.
            resolved.booking.answers.insert(0, answer);
            if !unlisted.is_empty() {
                let detail = format!("not in the row's value table: {}", quoted(unlisted.iter().map(String::as_str)));
                resolved.findings.push(origin.finding(row, codes::VALUE_NOT_LISTED, Consequence::Changed, detail));
            }
        }
        let field = listed(row, position, fields)?;
        resolved.mapping.rows.push(MappingRow { field, source, fallback: row.fallback.clone() });
        resolved.origins.0.push(origin);
    }
    Ok(resolved)
}

/// What a check of a mapping needs: the rows of an event, and the form with each row's value table applied to its choices.
/// A row whose field is not among `fields` is a finding and left out of the mapping.
pub fn expectations(questions: &[Question], mapping: &Mapping, event: Event, fields: &[LeadField]) -> Expected {
    let mut expected = Expected {
        mapping: crm_contract::Mapping { rows: Vec::new(), options: options(mapping) },
        questions: questions.to_vec(),
        findings: Vec::new(),
        origins: Origins::default(),
    };
    let find = |id: &str| questions.iter().find(|question| question.id == id);
    for (position, row) in rows_for(mapping, event) {
        let origin = Origin::without_value(position, row, |id| find(id).map(|question| question.label.clone()));
        let mut source = row.source.clone();
        let unknown = matches!(&row.source, Source::Answer(id) if find(id).is_none());
        if !row.values.is_empty() && !unknown {
            let (question, found) = translated_question(row, questions);
            source = Source::Answer(question.id.clone());
            expected.questions.push(question);
            for (code, detail) in found {
                expected.findings.push(origin.finding(row, code, Consequence::Changed, detail));
            }
        }
        if event == Event::Rescheduled && is_not_rewritten(row) {
            expected.findings.push(origin.finding(
                row,
                codes::NOT_REWRITTEN,
                Consequence::Changed,
                NOT_REWRITTEN.into(),
            ));
        }
        match listed(row, position, fields) {
            Ok(field) => {
                expected.mapping.rows.push(MappingRow { field, source, fallback: row.fallback.clone() });
                expected.origins.0.push(origin);
            }
            Err(error) => {
                let detail = error.to_string();
                expected.findings.push(origin.finding(row, codes::FIELD_UNKNOWN, Consequence::LeftOut, detail));
            }
        }
    }
    expected
}

const NOT_REWRITTEN: &str = "if the booking has a record already, that keeps its earlier value";

/// Whether a row for moved bookings is written only if the record has to be created: the contract lets a plugin write the
/// rows whose sources are of the meeting, and a translated value travels as an answer.
fn is_not_rewritten(row: &Row) -> bool {
    let is_of_meeting = source::is_of_meeting(&row.source);
    if is_of_meeting { !row.values.is_empty() } else { row.on.is_some() && !row.is_for(Event::Confirmed) }
}

/// The question that a row with a value table is checked by, and what does not match between the two.
fn translated_question(row: &Row, questions: &[Question]) -> (Question, Vec<(&'static str, String)>) {
    let find = |id: &str| questions.iter().find(|question| question.id == id);
    let asked = match &row.source {
        Source::Answer(id) => find(id),
        _ => None,
    };
    let yes_or_no = || ["true", "false"].map(str::to_owned).to_vec();
    let offered: Vec<String> = match (asked, &row.source) {
        (Some(question), _) if !question.choices.is_empty() => question.choices.clone(),
        (Some(question), _) if question.kind == QuestionKind::Consent => yes_or_no(),
        (None, Source::Fixed(text)) => vec![text.clone()],
        _ => Vec::new(),
    };
    let is_always_given = |reference: &Reference<'_>| match reference {
        Reference::Answer(id) => find(id).is_some_and(|question| question.required),
        Reference::Attribute(name) => attributes::is_always_given(name),
        Reference::Tracking(_) => false,
    };
    let references = source::references(&row.source);
    let mut choices: Vec<String> = if offered.is_empty() {
        row.values.iter().map(|(_, written)| written.to_owned()).collect()
    } else {
        offered.iter().map(|choice| row.values.translate(choice).unwrap_or(choice).to_owned()).collect()
    };
    choices.dedup();
    let question = Question {
        id: translated_id(&row.id),
        label: String::new(),
        kind: match asked.map(|question| question.kind) {
            Some(QuestionKind::Checkboxes) => QuestionKind::Checkboxes,
            Some(QuestionKind::Consent) if asked.is_some_and(|question| !question.choices.is_empty()) => {
                QuestionKind::Consent
            }
            _ => QuestionKind::Radio,
        },
        required: references.is_empty() || references.iter().any(is_always_given),
        choices,
    };
    let mut found = Vec::new();
    if !offered.is_empty() {
        let unlisted = offered.iter().map(String::as_str).filter(|choice| row.values.translate(choice).is_none());
        let unlisted = quoted(unlisted);
        if !unlisted.is_empty() {
            found.push((codes::VALUE_NOT_LISTED, format!("not in the row's value table: {unlisted}")));
        }
        let is_offered = |value: &str| offered.iter().any(|choice| choice.trim() == value);
        let unused = quoted(row.values.iter().map(|(value, _)| value).filter(|value| !is_offered(value)));
        if !unused.is_empty() {
            found.push((codes::VALUE_NOT_OFFERED, format!("in the row's value table, but never given: {unused}")));
        }
    }
    (question, found)
}

/// Texts of people for a finding's detail, cut to what a line shows.
fn quoted<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    const LONGEST: usize = 80;
    let cut = |text: &str| match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    };
    let mut quoted: Vec<String> = texts.take(11).map(cut).collect();
    if quoted.len() > 10 {
        quoted.truncate(10);
        quoted.push("…".to_owned());
    }
    quoted.join(", ")
}

impl Origins {
    /// Leads a finding back to rows and questions.
    pub fn explain(&self, mut finding: Finding) -> Explained {
        let origins = self.of(&finding.rows);
        finding.rows = origins.iter().map(|origin| origin.position).collect();
        finding.question_ids = self.question_ids(finding.question_ids);
        let questions = self.questions(&origins, &finding.question_ids);
        Explained {
            row_ids: origins.iter().map(|origin| origin.id.clone()).collect(),
            value: origins.first().and_then(|origin| origin.value.clone()),
            finding,
            questions,
        }
    }

    /// Leads a problem back to rows and questions.
    pub fn explain_problem(&self, mut problem: Problem) -> ExplainedProblem {
        let positions = |rows: &[u32]| self.of(rows).iter().map(|origin| origin.position).collect();
        let origins = self.of(&problem.rows);
        problem.rows = positions(&problem.rows);
        problem.question_ids = self.question_ids(problem.question_ids);
        for further in &mut problem.also {
            further.rows = positions(&further.rows);
            further.question_ids = self.question_ids(std::mem::take(&mut further.question_ids));
        }
        ExplainedProblem {
            row_ids: origins.iter().map(|origin| origin.id.clone()).collect(),
            questions: self.questions(&origins, &problem.question_ids),
            problem,
        }
    }

    /// The position in the mapping of a row that was sent.
    pub fn position(&self, sent: u32) -> Option<u32> {
        self.of(&[sent]).first().map(|origin| origin.position)
    }

    fn of(&self, rows: &[u32]) -> Vec<&Origin> {
        rows.iter().filter_map(|row| self.0.get(usize::try_from(*row).ok()?)).collect()
    }

    /// Question ids as the form has them: those of translated answers stand for the questions of their rows.
    fn question_ids(&self, ids: Vec<String>) -> Vec<String> {
        let mut found: Vec<String> = Vec::with_capacity(ids.len());
        let mut add = |id: String| {
            if !found.contains(&id) {
                found.push(id);
            }
        };
        for id in ids {
            match self.0.iter().find(|origin| translated_id(&origin.id) == id) {
                Some(origin) => origin.questions.iter().for_each(|question| add(question.id.clone())),
                None => add(id),
            }
        }
        found
    }

    fn questions(&self, origins: &[&Origin], ids: &[String]) -> Vec<QuestionRef> {
        let known = |id: &String| {
            let mut questions = origins.iter().flat_map(|origin| &origin.questions);
            questions.find(|question| question.id == *id).cloned()
        };
        ids.iter().map(|id| known(id).unwrap_or_else(|| QuestionRef { id: id.clone(), label: String::new() })).collect()
    }
}

impl Origin {
    fn new(position: u32, row: &Row, label: impl Fn(&str) -> Option<String>, booking: &crm_contract::Booking) -> Self {
        let value = source::value(&row.source, booking).map(|value| value.text().into_owned());
        Self { value, ..Self::without_value(position, row, label) }
    }

    fn without_value(position: u32, row: &Row, label: impl Fn(&str) -> Option<String>) -> Self {
        let question = |id: &str| QuestionRef { id: id.to_owned(), label: label(id).unwrap_or_default() };
        let questions = source::question_ids(&row.source).into_iter().map(question).collect();
        Self { position, id: row.id.clone(), questions, value: None }
    }

    /// A finding of the host about this row.
    fn finding(&self, row: &Row, code: &str, consequence: Consequence, detail: String) -> Explained {
        Explained {
            finding: Finding {
                code: code.to_owned(),
                consequence,
                fields: vec![row.field.clone()],
                rows: vec![self.position],
                question_ids: self.questions.iter().map(|question| question.id.clone()).collect(),
                detail,
            },
            row_ids: vec![self.id.clone()],
            questions: self.questions.clone(),
            value: self.value.clone(),
        }
    }
}

/// The rows of an event with their positions in the mapping.
fn rows_for(mapping: &Mapping, event: Event) -> impl Iterator<Item = (u32, &Row)> {
    (0..).zip(mapping.rows()).filter(move |(_, row)| row.is_for(event))
}

fn options(mapping: &Mapping) -> Vec<ChosenOption> {
    let chosen = |(id, value): (&String, &String)| ChosenOption { id: id.clone(), value: value.clone() };
    mapping.options().iter().map(chosen).collect()
}

/// The field of a row as it is listed.
fn listed(row: &Row, position: u32, fields: &[LeadField]) -> Result<LeadField, ResolveError> {
    fields.iter().find(|field| field.name == row.field).cloned().ok_or_else(|| ResolveError::UnknownField {
        position: position as usize,
        field: row.field.clone(),
        suggestion: suggestion(&row.field, fields.iter().map(|field| field.name.as_str())),
    })
}

fn label_in_booking(booking: &Booking, id: &str) -> Option<String> {
    let answered = booking.answers.iter().find(|answer| answer.question_id == id).map(|answer| &answer.label);
    let asked = booking.form.iter().flatten().find(|question| question.id == id).map(|question| &question.label);
    answered.or(asked).cloned()
}

/// What is wrong with a row's references: an unpaired brace, or something that neither the booking nor its form has. Without a form, an unknown question cannot be told from one
/// that was not shown.
fn unknown_references(row: &Row, booking: &Booking) -> Vec<(&'static str, String)> {
    let has_answer = |id: &str| booking.answers.iter().any(|answer| answer.question_id == id);
    let mut unknown = Vec::new();
    if let Source::Template(text) = &row.source
        && !Template::parse(text).well_formed
    {
        unknown.push((
            codes::TEMPLATE_INVALID,
            "the template has an unpaired brace, which is written as it is".to_owned(),
        ));
    }
    for reference in source::references(&row.source) {
        match (reference, &booking.form) {
            (Reference::Answer(id), Some(form)) => {
                let mut ids = form.iter().map(|question| question.id.as_str());
                if !has_answer(id) && !ids.clone().any(|known| known == id) {
                    let suggestion = suggestion(id, &mut ids);
                    unknown.push((codes::QUESTION_UNKNOWN, format!("the form has no question `{id}`{suggestion}")));
                }
            }
            (Reference::Attribute(name), _) if !attributes::is_known(name) => {
                let suggestion = suggestion(name, attributes::names());
                unknown.push((codes::ATTRIBUTE_UNKNOWN, format!("no booking attribute `{name}`{suggestion}")));
            }
            _ => {}
        }
    }
    unknown
}

/// The id under which a row's translated value is sent. The contract has no value tables, so the translated value travels as an
/// answer of its own; the control character keeps its id apart from those of forms.
fn translated_id(row: &RowId) -> String {
    format!("\u{1f}{row}")
}

/// A row's value, translated by its table, as an answer; and the values that the table does not list. `None` if there is
/// nothing to translate.
fn translated(row: &Row, booking: &crm_contract::Booking) -> Option<(Answer, Vec<String>)> {
    if row.values.is_empty() {
        return None;
    }
    let mut unlisted = Vec::new();
    let mut text = |given: &str| match row.values.translate(given) {
        Some(written) => Some(written.to_owned()),
        None => {
            if !is_blank(given) {
                unlisted.push(given.trim().to_owned());
            }
            None
        }
    };
    let mut choices = |taken: &[String]| {
        let mut choices: Vec<String> = Vec::with_capacity(taken.len());
        for choice in taken.iter().map(|choice| text(choice).unwrap_or_else(|| choice.clone())) {
            if !choices.contains(&choice) {
                choices.push(choice);
            }
        }
        AnswerValue::Choices(choices)
    };
    let (kind, value) = match source::value(&row.source, booking)? {
        SourceValue::Choices(taken) => (QuestionKind::Checkboxes, choices(taken)),
        SourceValue::Agreed(taken) => (QuestionKind::Consent, choices(taken)),
        SourceValue::Text(given) => {
            (QuestionKind::Other, AnswerValue::Text(text(&given).unwrap_or_else(|| given.into_owned())))
        }
        SourceValue::Number(given) => {
            (QuestionKind::Number, text(given).map_or_else(|| AnswerValue::Number(given.to_owned()), AnswerValue::Text))
        }
        SourceValue::Boolean(given) => (
            QuestionKind::Other,
            text(if given { "true" } else { "false" }).map_or(AnswerValue::Boolean(given), AnswerValue::Text),
        ),
    };
    let (label, required) = (String::new(), false);
    Some((Answer { question_id: translated_id(&row.id), label, kind, required, value: Some(value) }, unlisted))
}

#[cfg(test)]
mod tests {
    use crm_contract::FieldType;
    use serde_json::json;

    use super::*;

    fn booking() -> Booking {
        let answer = |id: &str, kind: &str, value: serde_json::Value| json!({ "question_id": id, "label": id.to_uppercase(), "kind": kind, "required": false, "value": value });
        let booking = json!({
            "kind": "confirmed", "id": "b-1", "team": { "id": "team" }, "calendar": { "id": "c", "name": "Demo" },
            "title": "Demo", "start": "2026-12-02T08:30:00+09:00", "end": "2026-12-02T09:00:00+09:00",
            "confirmed_at": "2026-11-24T18:05:09+09:00", "time_zone": "Asia/Tokyo", "guest": { "name": "山田 太郎" },
            "answers": [
                answer("size", "radio", json!(" 51〜300名 ")), answer("areas", "checkboxes", json!(["採用", "営業"])),
                answer("agree", "consent", json!(["同意します"])), answer("age", "number", json!({ "number": "7" })),
                answer("first", "other", json!(false)), answer("blank", "text", json!(" ")),
            ],
        });
        serde_json::from_value(booking).unwrap()
    }

    fn mapping(rows: serde_json::Value) -> Mapping {
        serde_json::from_value(json!({ "rows": rows, "options": { "existing": "keep" } })).unwrap()
    }

    fn field(name: &str) -> LeadField {
        LeadField {
            name: name.into(),
            label: name.into(),
            field_type: FieldType::Text,
            length: None,
            precision: 0,
            scale: 0,
            required: false,
            restricted: false,
            external_id: false,
            unique: false,
            values: Vec::new(),
            controlling_field: None,
            reference_to: Vec::new(),
            help: None,
            suggested_source: None,
        }
    }

    fn value_of<'a>(resolved: &'a Resolved, row: usize) -> Option<SourceValue<'a>> {
        source::value(&resolved.mapping.rows[row].source, &resolved.booking)
    }

    #[test]
    fn a_value_table_translates_exactly_after_trimming_and_each_choice_for_itself() {
        let rows = json!([
            { "id": "size", "field": "A", "source": { "answer": "size" }, "values": { "51〜300名": "51-300" } },
            { "id": "areas", "field": "B", "source": { "answer": "areas" }, "values": { " 採用 ": "Hiring" } },
            { "id": "agree", "field": "C", "source": { "answer": "agree" }, "values": { "同意します": "yes" } },
            { "id": "age", "field": "D", "source": { "answer": "age" }, "values": { "7": "seven" } },
            { "id": "first", "field": "E", "source": { "answer": "first" }, "values": { "false": "returning" } },
            { "id": "blank", "field": "F", "source": { "answer": "blank" }, "values": { "": "none" }, "fallback": "-" },
            { "id": "zone", "field": "G", "source": { "booking": "time-zone" }, "values": { "asia/tokyo": "JST" } },
        ]);
        let fields = ["A", "B", "C", "D", "E", "F", "G"].map(field);
        let resolved = resolve(&booking(), &mapping(rows), &fields).unwrap();
        let texts: Vec<_> = (0..7).map(|row| value_of(&resolved, row)).collect();
        let strings = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let (areas, agree) = (strings(&["Hiring", "営業"]), strings(&["yes"]));
        assert_eq!(
            texts,
            [
                Some(SourceValue::Text("51-300".into())),
                Some(SourceValue::Choices(&areas)),
                Some(SourceValue::Agreed(&agree)),
                Some(SourceValue::Text("seven".into())),
                Some(SourceValue::Text("returning".into())),
                None,
                Some(SourceValue::Text("Asia/Tokyo".into())),
            ]
        );
        let found: Vec<_> =
            resolved.findings.iter().map(|found| (found.row_ids[0].as_str(), &*found.finding.code)).collect();
        assert_eq!(found, [("areas", codes::VALUE_NOT_LISTED), ("zone", codes::VALUE_NOT_LISTED)]);
        assert_eq!(resolved.findings[0].finding.detail, "not in the row's value table: 営業");
    }

    #[test]
    fn a_row_that_names_something_unknown_is_found() {
        let rows = json!([
            { "id": "a", "field": "A", "source": { "answer": "sise" } },
            { "id": "b", "field": "A2", "source": { "booking": "guest.emial" } },
            { "id": "c", "field": "A3", "source": { "template": "{answers.areas} {answers.gone} {extra.x} {tracking.y}" } },
        ]);
        let fields = ["A", "A2", "A3"].map(field);
        let found = |booking: &Booking| -> Vec<(String, String)> {
            let resolved = resolve(booking, &mapping(rows.clone()), &fields).unwrap();
            resolved.findings.into_iter().map(|found| (found.finding.code, found.finding.detail)).collect()
        };
        let attribute = (
            codes::ATTRIBUTE_UNKNOWN.to_owned(),
            "no booking attribute `guest.emial`; did you mean `guest.email`?".to_owned(),
        );
        // Without a form nobody knows which questions there are.
        assert_eq!(found(&booking()), std::slice::from_ref(&attribute));
        let form = |ids: &[&str]| {
            let question = |id: &&str| Question {
                id: (*id).into(),
                label: String::new(),
                kind: QuestionKind::Text,
                required: false,
                choices: Vec::new(),
            };
            Some(ids.iter().map(question).collect())
        };
        let with_form = Booking { form: form(&["size"]), ..booking() };
        assert_eq!(
            found(&with_form),
            [
                (
                    codes::QUESTION_UNKNOWN.to_owned(),
                    "the form has no question `sise`; did you mean `size`?".to_owned()
                ),
                attribute.clone(),
                (codes::QUESTION_UNKNOWN.to_owned(), "the form has no question `gone`".to_owned()),
            ]
        );
        // Shown or not, a question of the form is known; so is one that was answered before it left the form.
        assert_eq!(found(&Booking { form: form(&["sise", "gone"]), ..booking() }), [attribute]);
    }

    #[test]
    fn a_consent_that_offers_a_refusal_too_is_not_taken_for_agreement() {
        let form = |choices: &[&str]| -> Vec<Question> {
            let choices = choices.iter().map(|choice| (*choice).to_owned()).collect();
            vec![Question {
                id: "agree".into(),
                label: String::new(),
                kind: QuestionKind::Consent,
                required: true,
                choices,
            }]
        };
        let rows = json!([{ "id": "a", "field": "A", "source": { "answer": "agree" } }]);
        let given = ["同意します".to_owned()];
        for (form, expected) in [
            (None, SourceValue::Agreed(&given)),
            (Some(form(&["同意します"])), SourceValue::Agreed(&given)),
            (Some(form(&["同意します", "個人情報の取扱いに同意しません"])), SourceValue::Choices(&given)),
        ] {
            let several = expected == SourceValue::Choices(&given);
            let booking = Booking { form, ..booking() };
            let resolved = resolve(&booking, &mapping(rows.clone()), &[field("A")]).unwrap();
            assert_eq!(value_of(&resolved, 0), Some(expected));
            let kinds: Vec<_> = booking.questions().iter().filter(|q| q.id == "agree").map(|q| q.kind).collect();
            assert_eq!(kinds == [QuestionKind::Radio], several);
        }
    }

    #[test]
    fn rows_of_other_events_are_not_sent_and_findings_lead_back_to_the_mapping() {
        let rows = json!([
            { "id": "lost", "field": "Status", "source": { "fixed": "Lost" }, "on": ["cancelled"] },
            { "id": "size", "field": "Size", "source": { "answer": "size" }, "values": { "51〜300名": "51-300" } },
            { "id": "moved", "field": "Status", "source": { "fixed": "Moved" }, "on": ["rescheduled"] },
            { "id": "open", "field": "Status", "source": { "fixed": "Open" }, "on": ["confirmed"] },
        ]);
        let (mapping, fields) = (mapping(rows), ["Status", "Size"].map(field));
        let sent = |kind| -> Vec<Source> {
            let resolved = resolve(&Booking { kind, ..booking() }, &mapping, &fields).unwrap();
            resolved.mapping.rows.into_iter().map(|row| row.source).collect()
        };
        let translated = Source::Answer("\u{1f}size".into());
        assert_eq!(sent(Event::Confirmed), [translated.clone(), Source::Fixed("Open".into())]);
        assert_eq!(sent(Event::Rescheduled), [translated, Source::Fixed("Moved".into())]);
        assert_eq!(
            resolve(&Booking { kind: Event::Cancelled, ..booking() }, &mapping, &fields).unwrap_err().code(),
            "kind-unsupported"
        );

        let resolved = resolve(&booking(), &mapping, &fields).unwrap();
        let finding = |rows: Vec<u32>, ids: &[&str]| Finding {
            code: "code".into(),
            consequence: Consequence::Changed,
            fields: Vec::new(),
            rows,
            question_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
            detail: String::new(),
        };
        let explained = resolved.origins.explain(finding(vec![0, 1, 9], &["\u{1f}size", "size", "other"]));
        assert_eq!(explained.finding.rows, [1, 3]);
        assert_eq!(explained.row_ids.iter().map(RowId::as_str).collect::<Vec<_>>(), ["size", "open"]);
        assert_eq!(explained.finding.question_ids, ["size", "other"]);
        assert_eq!(explained.questions[0], QuestionRef { id: "size".into(), label: "SIZE".into() });
        assert_eq!(explained.value.as_deref(), Some(" 51〜300名 "));

        let problem = serde_json::from_value(json!({
            "code": "c", "message": "m", "reaction": "fix_booking", "rows": [1], "question_ids": ["\u{1f}size"],
            "also": [{ "code": "d", "message": "n", "rows": [0], "question_ids": ["\u{1f}size"] }],
        }));
        let explained = resolved.origins.explain_problem(problem.unwrap());
        assert_eq!(explained.row_ids[0].as_str(), "open");
        assert_eq!(explained.questions, [QuestionRef { id: "size".into(), label: String::new() }]);
        let problem = explained.problem;
        assert_eq!((problem.rows, problem.question_ids), (vec![3], vec!["size".to_owned()]));
        assert_eq!((&problem.also[0].rows, &problem.also[0].question_ids), (&vec![1], &vec!["size".to_owned()]));
    }

    #[test]
    fn a_check_judges_the_translated_choices() {
        let question = Question {
            id: "size".into(),
            label: "Size".into(),
            kind: QuestionKind::Radio,
            required: true,
            choices: vec!["51〜300名".into(), "301名以上".into()],
        };
        let rows = json!([
            { "id": "a", "field": "A", "source": { "answer": "size" }, "values": { "51〜300名": "51-300" } },
            { "id": "b", "field": "B", "source": { "answer": "size" } },
        ]);
        let fields = ["A", "B"].map(field);
        let expected = expectations(std::slice::from_ref(&question), &mapping(rows), Event::Confirmed, &fields);
        let choices_of = |row: usize| {
            let Source::Answer(id) = &expected.mapping.rows[row].source else { panic!("an answer") };
            expected.questions.iter().find(|question| question.id == *id).unwrap().choices.clone()
        };
        assert_eq!(choices_of(0), ["51-300", "301名以上"]);
        assert_eq!(choices_of(1), question.choices);
        let found: Vec<_> =
            expected.findings.iter().map(|found| (&*found.finding.code, &*found.finding.detail)).collect();
        assert_eq!(found, [(codes::VALUE_NOT_LISTED, "not in the row's value table: 301名以上")]);
    }

    #[test]
    fn a_check_judges_what_any_value_table_writes() {
        let question = |id: &str, kind, choices: &[&str]| Question {
            id: id.into(),
            label: String::new(),
            kind,
            required: false,
            choices: choices.iter().map(|choice| (*choice).to_owned()).collect(),
        };
        let questions =
            [question("consent", QuestionKind::Consent, &[]), question("radio", QuestionKind::Radio, &["a"])];
        for (source, values, choices, required, found) in [
            (
                json!({ "booking": "guest.locale" }),
                json!({ "de": "yes", "ja": "no" }),
                &["yes", "no"][..],
                false,
                &[][..],
            ),
            (json!({ "booking": "start-date" }), json!({ "x": "y" }), &["y"], true, &[]),
            (json!({ "fixed": "a" }), json!({ "a": "b" }), &["b"], true, &[]),
            (json!({ "answer": "consent" }), json!({ "true": "1", "false": "0" }), &["1", "0"], false, &[]),
            (
                json!({ "answer": "radio" }),
                json!({ "aa": "b" }),
                &["a"],
                false,
                &[codes::VALUE_NOT_LISTED, codes::VALUE_NOT_OFFERED],
            ),
        ] {
            let rows = json!([{ "id": "r", "field": "A", "source": source, "values": values }]);
            let expected = expectations(&questions, &mapping(rows), Event::Confirmed, &[field("A")]);
            let checked = expected.questions.last().unwrap();
            assert_eq!(checked.choices, choices, "{source}");
            assert_eq!(checked.required, required, "{source}");
            assert_eq!(expected.mapping.rows[0].source, Source::Answer(checked.id.clone()));
            let codes: Vec<_> = expected.findings.iter().map(|found| &*found.finding.code).collect();
            assert_eq!(codes, found, "{source}");
        }
    }

    #[test]
    fn an_option_that_the_plugin_does_not_have_is_found() {
        let mapping: Mapping =
            serde_json::from_value(json!({ "rows": [], "options": { "exsting": "keep", "owner": "x" } })).unwrap();
        let found = unknown_options(&mapping, &["existing", "owner"]);
        let details: Vec<_> = found.iter().map(|found| found.finding.detail.as_str()).collect();
        assert_eq!(details, ["the plugin has no option `exsting`; did you mean `existing`?"]);
    }

    #[test]
    fn a_row_that_a_move_does_not_rewrite_is_found() {
        let rows = json!([
            { "id": "plain", "field": "A", "source": { "booking": "start-time" } },
            { "id": "table", "field": "B", "source": { "booking": "start-time" }, "values": { "08:30": "morning" } },
            { "id": "fixed", "field": "C", "source": { "fixed": "Moved" }, "on": ["rescheduled"] },
            { "id": "both", "field": "D", "source": { "fixed": "x" } },
        ]);
        let (mapping, fields) = (mapping(rows), ["A", "B", "C", "D"].map(field));
        let found = |findings: &[Explained]| -> Vec<String> {
            let of = findings.iter().filter(|found| found.finding.code == codes::NOT_REWRITTEN);
            of.map(|found| found.row_ids[0].to_string()).collect()
        };
        let resolved = |kind| resolve(&Booking { kind, ..booking() }, &mapping, &fields).unwrap().findings;
        assert_eq!(found(&resolved(Event::Rescheduled)), ["table", "fixed"]);
        assert_eq!(found(&resolved(Event::Confirmed)), [""; 0]);
        assert_eq!(found(&expectations(&[], &mapping, Event::Rescheduled, &fields).findings), ["table", "fixed"]);
    }

    #[test]
    fn a_check_reports_every_field_that_is_not_listed_and_goes_on() {
        let rows = json!([
            { "id": "a", "field": "Gone", "source": { "fixed": "x" } },
            { "id": "b", "field": "A", "source": { "fixed": "x" } },
            { "id": "c", "field": "Hidden", "source": { "fixed": "x" } },
        ]);
        let expected = expectations(&[], &mapping(rows), Event::Confirmed, &[field("A")]);
        let found: Vec<_> =
            expected.findings.iter().map(|found| (&*found.finding.code, found.finding.rows[0])).collect();
        assert_eq!(found, [(codes::FIELD_UNKNOWN, 0), (codes::FIELD_UNKNOWN, 2)]);
        assert_eq!(expected.origins.position(0), Some(1));
    }

    #[test]
    fn an_answer_of_the_form_never_replaces_a_translated_value() {
        let mut booking = booking();
        let injected = Answer {
            question_id: "\u{1f}r".into(),
            value: Some(AnswerValue::Text("INJECTED".into())),
            ..booking.answers[0].clone()
        };
        booking.answers.insert(0, injected);
        let rows =
            json!([{ "id": "r", "field": "A", "source": { "answer": "size" }, "values": { "51〜300名": "51-300" } }]);
        let resolved = resolve(&booking, &mapping(rows), &[field("A")]).unwrap();
        assert_eq!(value_of(&resolved, 0), Some(SourceValue::Text("51-300".into())));
    }

    #[test]
    fn a_field_that_is_not_listed_is_refused_with_the_likely_one() {
        let rows = json!([{ "id": "a", "field": "Lastname", "source": { "fixed": "x" } }]);
        let error = resolve(&booking(), &mapping(rows), &["LastName", "Company"].map(field)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "rows[0].field: the plugin lists no writable field `Lastname`; did you mean `LastName`?"
        );
    }
}
