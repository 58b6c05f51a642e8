//! `fields`: lists the fields that can be mapped, and why others cannot.

use std::collections::BTreeMap;

use crm_booking::{Memos, Source};
use crm_host::{
    Plugin,
    types::{Choice, Field, FieldList, FieldType},
};
use crm_texts::Texts;

use super::{
    Ending,
    booking::{advice, answered},
};
use crate::{
    brokers::Brokers,
    cli::Fields,
    connection::Connected,
    error::CliError,
    ui::{Ui, one_line},
};

/// Choices of a field that are shown unless all are asked for.
const SHOWN_CHOICES: usize = 6;

pub(super) async fn run(ui: &mut Ui, brokers: &Brokers, arguments: &Fields) -> Result<Ending, CliError> {
    let connected = Connected::open(ui, brokers, &arguments.connection).await?;
    let plugin = &connected.plugin;
    let called = connected.patiently(ui, plugin.list_lead_fields(&connected.connection, None, ui.locale())).await?;
    let ending = match answered(ui, plugin, called.answer).await? {
        Some(listed) => {
            connected.keep_memos(None, &Memos::of_list(&listed)).await?;
            let listed = match &arguments.field {
                Some(name) => only(listed, name)?,
                None => listed,
            };
            ui.json(&serde_json::json!({ "fields": listed, "usage": called.usage }))?;
            human(ui, &listed, if arguments.choices || arguments.field.is_some() { usize::MAX } else { SHOWN_CHOICES });
            if arguments.field.is_none() {
                ui.print(summary(ui, plugin, &listed).await);
            }
            Ending::Done
        }
        None => Ending::Refused,
    };
    connected.close(ui).await;
    Ok(ending)
}

/// The list with one field only.
fn only(mut listed: FieldList, name: &str) -> Result<FieldList, CliError> {
    if let Some(withheld) = listed.withheld.iter().find(|field| field.name == name) {
        return Err(CliError::FieldWithheld { name: name.to_owned(), reason: withheld.reason.clone() });
    }
    if !listed.fields.iter().any(|field| field.name == name) {
        let names = listed.fields.iter().map(|field| field.name.as_str());
        return Err(CliError::NoField(format!("`{name}`{}", crm_booking::suggestion(name, names))));
    }
    listed.fields.retain(|field| field.name == name);
    listed.withheld.clear();
    Ok(listed)
}

fn human(ui: &Ui, listed: &FieldList, most: usize) {
    let say = &ui.say;
    let rows = listed.fields.iter().map(|field| {
        vec![
            if field.required { say.required() } else { String::new() },
            field.label.clone(),
            field.name.clone(),
            kind(say, field),
            choices(say, field, most),
            field.suggested_source.clone().unwrap_or_default(),
        ]
    });
    let (label, name, kind) = (say.column_label(), say.column_api_name(), say.column_type());
    let (choices, suggested) = (say.column_choices(), say.column_suggested());
    ui.table(&["", &label, &name, &kind, &choices, &suggested], rows);
}

/// The values that can be written, each with its label where that differs.
fn choices(say: &Texts, field: &Field, most: usize) -> String {
    let active: Vec<&Choice> = field.choices.iter().filter(|choice| choice.active).collect();
    let shown = active.iter().take(most).map(|choice| match &choice.label {
        label if *label == choice.value => one_line(&choice.value).into_owned(),
        label => one_line(&format!("{} ({label})", choice.value)).into_owned(),
    });
    let mut shown: Vec<String> = shown.collect();
    if active.len() > most {
        shown.push(say.and_more(active.len() - most));
    }
    shown.join(", ")
}

/// Numbers of offered and withheld fields, with the reasons in the plugin's words.
pub(super) async fn summary(ui: &Ui, plugin: &Plugin, listed: &FieldList) -> String {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for field in &listed.withheld {
        reasons.entry(&field.reason).or_default().push(&field.name);
    }
    let required = listed.fields.iter().filter(|field| field.required).count();
    let mut lines = vec![ui.say.fields_offered(listed.fields.len(), required, listed.withheld.len())];
    for (reason, names) in reasons {
        let why = advice(ui, plugin, reason, &[]).await.map_or_else(|| reason.to_owned(), |advice| advice.what);
        lines.push(format!("  {:>3} {}: {}", names.len(), why.trim_end_matches(['.', '。']), names.join(", ")));
    }
    lines.join("\n")
}

fn kind(say: &Texts, field: &Field) -> String {
    let name = match &field.field_type {
        FieldType::Text => say.type_text(),
        FieldType::TextArea => say.type_text_area(),
        FieldType::Email => say.type_email(),
        FieldType::Phone => say.type_phone(),
        FieldType::Url => say.type_url(),
        FieldType::Integer => say.type_integer(),
        FieldType::Number => say.type_number(),
        FieldType::Currency => say.type_currency(),
        FieldType::Percent => say.type_percent(),
        FieldType::Checkbox => say.type_checkbox(),
        FieldType::Date => say.type_date(),
        FieldType::DateTime => say.type_date_time(),
        FieldType::Time => say.type_time(),
        FieldType::Choice => say.type_choice(),
        FieldType::Choices => say.type_choices(),
        FieldType::TextOrChoice => say.type_text_or_choice(),
        FieldType::Reference => say.type_reference(),
        FieldType::Other(other) => other.clone(),
    };
    let active = field.choices.iter().filter(|choice| choice.active).count();
    if active == 0 { name } else { say.type_of_choices(name, active) }
}

pub(super) fn source(say: &Texts, source: &Source) -> String {
    match source {
        Source::Answer(id) => say.source_answer(id),
        Source::Booking(attribute) => attribute.clone(),
        Source::Tracking(name) => say.source_tracking(name),
        Source::Fixed(text) => say.source_fixed(text),
        Source::Template(text) => say.source_template(text),
    }
}
