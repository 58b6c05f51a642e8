//! From a booking and a mapping to what a plugin is called with, or from a form and a mapping to what a plugin checks.
//!
//! `explain` is the way back, from the plugin's findings and problems to rows and questions; `translate` applies value tables;
//! `expect` says what a row can come to hold.

mod expect;
mod explain;
#[cfg(test)]
mod tests;
mod translate;

use crm_contract::{Consequence, Expectation, Finding, OptionGroup, Parameter, SourceKind};

pub use explain::{Explained, ExplainedProblem, Origins, QuestionRef};

use crate::{
    Booking, Event, Mapping, Memos, Question, Row, Source, alike, attributes, is_blank,
    similar::suggestion,
    source::{self, text_of, text_value},
    template::{Reference, Template},
};
use expect::expectation;
use explain::{Found, Origin};
use translate::{quoted, translated};

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
    /// A row writes the amount of a payment, and no row its currency.
    pub const CURRENCY_NOT_CARRIED: &str = "currency-not-carried";
    /// The plugin lists no field of this name.
    pub const FIELD_UNKNOWN: &str = "field-unknown";
    /// A part of a webhook body was not read, or not as it is.
    pub const BODY_VALUE_UNREADABLE: &str = "body-value-unreadable";
    /// All of them.
    pub const ALL: &[&str] = &[
        QUESTION_UNKNOWN,
        ATTRIBUTE_UNKNOWN,
        TEMPLATE_INVALID,
        OPTION_INVALID,
        VALUE_NOT_LISTED,
        VALUE_NOT_OFFERED,
        CURRENCY_NOT_CARRIED,
        FIELD_UNKNOWN,
        BODY_VALUE_UNREADABLE,
    ];
}

/// What a plugin is called with for one booking.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The booking, as far as a plugin needs it.
    pub booking: crm_contract::Booking,
    /// The rows of the booking's event, with their values.
    pub mapping: crm_contract::Mapping,
    /// What the host itself found; nothing of it stops the booking.
    pub findings: Vec<Explained>,
    /// The way back from the plugin's findings and problems.
    pub origins: Origins,
}

/// What a plugin checks a mapping by.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The rows of the event.
    pub rows: Vec<Expectation>,
    /// The chosen options.
    pub options: Vec<Parameter>,
    /// What the host itself found: unknown questions and attributes, and value tables that do not match their questions.
    pub findings: Vec<Explained>,
    /// The way back from the plugin's findings.
    pub origins: Origins,
}

/// Options and values that the plugin does not have, among those that a mapping chooses. `known` are the plugin's options; the values
/// of one that asks must include those that it lists on request.
pub fn unknown_options(mapping: &Mapping, known: &[OptionGroup]) -> Vec<Explained> {
    let mut found = Vec::new();
    for (id, value) in mapping.options() {
        let ids = known.iter().map(|group| group.id.as_str());
        let values = |group: &OptionGroup| group.choices.iter().map(|choice| choice.value.clone()).collect::<Vec<_>>();
        let message = match known.iter().find(|group| group.id == *id) {
            None => {
                let meant = suggestion(id, ids.clone());
                format!("the plugin has no option `{id}`{meant} ({})", named(ids))
            }
            Some(group) if group.typed || group.choices.iter().any(|choice| choice.value == *value) => continue,
            Some(group) => {
                let values = values(group);
                let values = values.iter().map(String::as_str);
                let meant = suggestion(value, values.clone());
                format!("the option `{id}` has no value `{value}`{meant} ({})", named(values))
            }
        };
        found.push(Explained::from(Finding {
            code: codes::OPTION_INVALID.to_owned(),
            consequence: Consequence::Changed,
            fields: Vec::new(),
            rows: Vec::new(),
            message,
            particulars: vec![Parameter::new("option", id)],
            more: Vec::new(),
        }));
    }
    found
}

/// Names as code, separated by commas.
fn named<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Rows for an event whose field the plugin did not list.
pub fn unknown_fields(mapping: &Mapping, event: Event, memos: &Memos) -> Vec<Explained> {
    let unknown = rows_for(mapping, event).filter(|(_, row, _)| !memos.know(&row.field));
    unknown.map(|(position, row, _)| unknown_field(&Origin::new(position, row, |_| None, None), row, memos)).collect()
}

fn unknown_field(origin: &Origin, row: &Row, memos: &Memos) -> Explained {
    let field = &row.field;
    let message = format!("the plugin lists no field `{field}`{}", suggestion(field, memos.names()));
    origin.finding(row, Consequence::LeftOut, Found::new(codes::FIELD_UNKNOWN, message, "field", field))
}

/// Resolves a booking: picks the rows of its event, reads and translates their values, and adds the memos of their fields.
pub fn resolve(booking: &Booking, mapping: &Mapping, memos: &Memos) -> Resolved {
    let mut resolved = Resolved {
        booking: booking.to_contract(),
        mapping: crm_contract::Mapping {
            target: mapping.target().map(str::to_owned),
            rows: Vec::new(),
            options: options(mapping),
            more: Vec::new(),
        },
        findings: Vec::new(),
        origins: Origins::default(),
    };
    let asked = Asked::in_booking(booking);
    for (position, row, on_change) in rows_for(mapping, booking.kind) {
        let given = source::value(&row.source, booking);
        let text = given.as_ref().map(|value| text_of(value).into_owned());
        let origin = Origin::new(position, row, |id| label_in_booking(booking, id), text);
        let fallback = row.fallback.as_deref().and_then(text_value);
        let is_lost = given.is_none() && fallback.is_none();
        let consequence = if is_lost { Consequence::LeftOut } else { Consequence::Changed };
        for found in unknown_references(row, asked.as_ref()) {
            resolved.findings.push(origin.finding(row, consequence, found));
        }
        if let Some(payment) = &booking.payment
            && carries(row, "payment.amount")
            && !rows_for(mapping, booking.kind).any(|(_, row, _)| carries(row, "payment.currency"))
        {
            let currency = &payment.currency;
            let message = format!("no row writes the payment's currency, {currency}");
            let found = Found::new(codes::CURRENCY_NOT_CARRIED, message, "currency", currency);
            resolved.findings.push(origin.finding(row, Consequence::Changed, found));
        }
        let mut source = source::kind(&row.source);
        let value = given.and_then(|given| {
            let (value, unlisted) = translated(row, given);
            // What the mapping's owner wrote into the table is not read by the guest's language.
            if !row.values.is_empty() && unlisted.is_empty() && source == SourceKind::Guest {
                source = SourceKind::Mapping;
            }
            if !unlisted.is_empty() {
                let values = quoted(unlisted.iter().map(String::as_str));
                let message = format!("not in the row's value table: {values}");
                let found = Found::new(codes::VALUE_NOT_LISTED, message, "values", &values);
                resolved.findings.push(origin.finding(row, Consequence::Changed, found));
            }
            // A table can write nothing for a value.
            Some(value).filter(|value| !is_blank(&text_of(value)))
        });
        resolved.mapping.rows.push(crm_contract::Row {
            field: row.field.clone(),
            memo: memos.of(&row.field).to_owned(),
            value,
            fallback,
            source,
            on_change,
        });
        resolved.origins.0.push(origin);
    }
    resolved
}

/// What a check of a mapping needs for one event: what each row can come to hold. `memos` are those of all fields that the plugin
/// listed; a row whose field is not among them is a finding and not checked further. `locale` is the calendar's language.
pub fn expectations(
    questions: &[Question],
    mapping: &Mapping,
    event: Event,
    memos: &Memos,
    locale: Option<&str>,
) -> Expected {
    let mut expected =
        Expected { rows: Vec::new(), options: options(mapping), findings: Vec::new(), origins: Origins::default() };
    let label = |id: &str| question(questions, id).map(|question| question.label.clone());
    for (position, row, _) in rows_for(mapping, event) {
        let origin = Origin::new(position, row, label, None);
        if !memos.know(&row.field) {
            expected.findings.push(unknown_field(&origin, row, memos));
            continue;
        }
        let unknown = unknown_references(row, Some(&Asked::in_form(questions)));
        let (expectation, unmatched) = expectation(row, questions, memos.of(&row.field), locale);
        for found in unknown {
            let is_brace = found.code == codes::TEMPLATE_INVALID;
            let consequence = if is_brace { Consequence::Changed } else { Consequence::LeftOut };
            expected.findings.push(origin.finding(row, consequence, found));
        }
        for found in unmatched {
            expected.findings.push(origin.finding(row, Consequence::Changed, found));
        }
        expected.rows.push(expectation);
        expected.origins.0.push(origin);
    }
    expected
}

/// The rows of an event with their positions in the mapping, and whether each is written to a record that exists.
///
/// A moved booking may have no record yet. It gets those for new bookings then, so that they are sent too, except where a row for
/// moved bookings writes the same field.
fn rows_for(mapping: &Mapping, event: Event) -> impl Iterator<Item = (u32, &Row, bool)> {
    let is_for = move |row: &Row| row.is_for(event);
    let is_for_creating = move |row: &Row| {
        event == Event::Rescheduled
            && row.is_for(Event::Confirmed)
            && !mapping.rows().iter().any(|other| is_for(other) && other.field == row.field)
    };
    (0..).zip(mapping.rows()).filter_map(move |(position, row)| {
        if is_for(row) {
            Some((position, row, event == Event::Cancelled || row.is_for(Event::Rescheduled)))
        } else {
            is_for_creating(row).then_some((position, row, false))
        }
    })
}

fn options(mapping: &Mapping) -> Vec<Parameter> {
    mapping.options().iter().map(|(id, value)| Parameter::new(id, value)).collect()
}

/// Whether a row's value has this attribute in it.
fn carries(row: &Row, attribute: &str) -> bool {
    source::references(&row.source).contains(&Reference::Attribute(attribute))
}

/// The question of a form with this id.
fn question<'q>(questions: &'q [Question], id: &str) -> Option<&'q Question> {
    alike::named(questions.iter().map(|question| (&*question.id, question)), id)
}

fn label_in_booking(booking: &Booking, id: &str) -> Option<String> {
    let answered = booking.given(id).map(|answer| &answer.label);
    let asked = question(booking.form.as_deref().unwrap_or_default(), id).map(|question| &question.label);
    answered.or(asked).cloned()
}

/// The questions that a row can read.
struct Asked<'q> {
    by: &'static str,
    ids: Vec<&'q str>,
}

impl<'q> Asked<'q> {
    fn in_form(form: &'q [Question]) -> Self {
        Self { by: "form", ids: form.iter().map(|question| question.id.as_str()).collect() }
    }

    /// `None` for a booking that brings neither form nor answers, such as a notice of a cancellation.
    fn in_booking(booking: &'q Booking) -> Option<Self> {
        let answered = booking.answers.iter().map(|answer| answer.question_id.as_str());
        match &booking.form {
            // The form may have changed since the guest answered.
            Some(form) => {
                let mut asked = Self::in_form(form);
                asked.ids.extend(answered);
                Some(asked)
            }
            None if booking.answers.is_empty() => None,
            None => Some(Self { by: "booking", ids: answered.collect() }),
        }
    }
}

/// What is wrong with a row's references: an unpaired brace, or something that neither the booking nor its form has.
fn unknown_references(row: &Row, asked: Option<&Asked<'_>>) -> Vec<Found> {
    let mut unknown = Vec::new();
    if let Source::Template(text) = &row.source
        && !Template::parse(text).well_formed
    {
        let message = "the template has an unpaired brace, which is written as it is";
        unknown.push(Found::new(codes::TEMPLATE_INVALID, message, "template", text));
    }
    for reference in source::references(&row.source) {
        match (reference, asked) {
            (Reference::Answer(id), Some(Asked { by, ids }))
                if alike::named(ids.iter().map(|known| (*known, ())), id).is_none() =>
            {
                let message = format!("the {by} has no question `{id}`{}", suggestion(id, ids.iter().copied()));
                unknown.push(Found::new(codes::QUESTION_UNKNOWN, message, "question", id));
            }
            (Reference::Attribute(name), _) if !attributes::is_known(name) => {
                let message = format!("no booking attribute `{name}`{}", suggestion(name, attributes::names()));
                unknown.push(Found::new(codes::ATTRIBUTE_UNKNOWN, message, "attribute", name));
            }
            _ => {}
        }
    }
    unknown
}
