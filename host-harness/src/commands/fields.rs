//! `fields`: lists the fields that can be mapped, and why others cannot.

use std::collections::BTreeMap;

use crm_booking::{Memos, Source};
use crm_host::{
    Plugin,
    types::{Field, FieldList, FieldType},
};

use super::{
    Ending,
    booking::{advice, answered},
};
use crate::{brokers::Brokers, cli::ConnectionArgs, connection::Connected, error::CliError, ui::Ui};

pub(super) async fn run(ui: &mut Ui, brokers: &Brokers, arguments: &ConnectionArgs) -> Result<Ending, CliError> {
    let connected = Connected::open(ui, brokers, arguments).await?;
    let plugin = &connected.plugin;
    let called = plugin.list_lead_fields(&connected.connection, None, ui.locale()).await?;
    let ending = match answered(ui, plugin, called.answer).await? {
        Some(listed) => {
            connected.keep_memos(None, &Memos::of_list(&listed)).await?;
            ui.json(&serde_json::json!({ "fields": listed, "usage": called.usage }))?;
            human(ui, &listed);
            ui.print(summary(ui, plugin, &listed).await);
            Ending::Done
        }
        None => Ending::Refused,
    };
    connected.close().await;
    Ok(ending)
}

fn human(ui: &Ui, listed: &FieldList) {
    let rows = listed.fields.iter().map(|field| {
        vec![
            if field.required { "required".to_owned() } else { String::new() },
            field.label.clone(),
            field.name.clone(),
            kind(field),
            field.suggested_source.clone().unwrap_or_default(),
        ]
    });
    ui.table(&["", "Label", "API name", "Type", "Suggested source"], rows);
}

/// Numbers of offered and withheld fields, with the reasons in the plugin's words.
pub(super) async fn summary(ui: &Ui, plugin: &Plugin, listed: &FieldList) -> String {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for field in &listed.withheld {
        reasons.entry(&field.reason).or_default().push(&field.name);
    }
    let required = listed.fields.iter().filter(|field| field.required).count();
    let mut lines = vec![format!(
        "{} fields offered, {required} of them required; {} withheld:",
        listed.fields.len(),
        listed.withheld.len()
    )];
    for (reason, names) in reasons {
        let why = advice(ui, plugin, reason, &[]).await.map_or_else(|| reason.to_owned(), |advice| advice.what);
        lines.push(format!("  {:>3} {}: {}", names.len(), why.trim_end_matches(['.', '。']), names.join(", ")));
    }
    lines.join("\n")
}

fn kind(field: &Field) -> String {
    let name = match &field.field_type {
        FieldType::Text => "text",
        FieldType::TextArea => "text area",
        FieldType::Email => "email",
        FieldType::Phone => "phone",
        FieldType::Url => "url",
        FieldType::Integer => "integer",
        FieldType::Number => "number",
        FieldType::Currency => "currency",
        FieldType::Percent => "percent",
        FieldType::Checkbox => "checkbox",
        FieldType::Date => "date",
        FieldType::DateTime => "date and time",
        FieldType::Time => "time",
        FieldType::Choice => "choice",
        FieldType::Choices => "several choices",
        FieldType::TextOrChoice => "text or choice",
        FieldType::Reference => "reference",
        FieldType::Other(other) => other.as_str(),
    };
    let active = field.choices.iter().filter(|choice| choice.active).count();
    if active == 0 { name.to_owned() } else { format!("{name} of {active}") }
}

pub(super) fn source(source: &Source) -> String {
    match source {
        Source::Answer(id) => format!("answer {id}"),
        Source::Booking(attribute) => attribute.clone(),
        Source::Tracking(name) => format!("tracking {name}"),
        Source::Fixed(text) => format!("“{text}”"),
        Source::Template(text) => format!("template {text}"),
    }
}
