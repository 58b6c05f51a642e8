//! `fields`: lists the fields that can be mapped, and why others cannot.

use std::collections::BTreeMap;

use crm_host::types::{FieldType, LeadField, LeadFields, Source, WithheldReason};

use super::{Ending, booking::answered};
use crate::{cli::ConnectionArgs, connection::Connected, error::CliError, ui::Ui};

pub(super) async fn run(ui: &mut Ui, arguments: &ConnectionArgs) -> Result<Ending, CliError> {
    let connected = Connected::open(ui, arguments).await?;
    let called = connected.plugin.list_lead_fields(&connected.connection).await?;
    let ending = match answered(ui, &connected.plugin, called.answer).await? {
        Some(fields) => {
            ui.json(&serde_json::json!({ "fields": fields, "usage": called.usage }))?;
            human(ui, &fields);
            Ending::Done
        }
        None => Ending::Refused,
    };
    connected.close().await;
    Ok(ending)
}

pub(super) fn human(ui: &Ui, fields: &LeadFields) {
    let rows = fields.fields.iter().map(|field| {
        vec![
            if field.required { "required".to_owned() } else { String::new() },
            field.label.clone(),
            field.name.clone(),
            kind(field),
            field.suggested_source.as_ref().map(source).unwrap_or_default(),
        ]
    });
    ui.table(&["", "Label", "API name", "Type", "Suggested source"], rows);
    ui.print(summary(fields));
}

/// Numbers of offered and withheld fields, with the reasons.
pub(super) fn summary(fields: &LeadFields) -> String {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for field in &fields.withheld {
        reasons.entry(reason(field.reason)).or_default().push(&field.name);
    }
    let required = fields.fields.iter().filter(|field| field.required).count();
    let mut lines = vec![format!(
        "{} fields offered, {required} of them required; {} withheld:",
        fields.fields.len(),
        fields.withheld.len()
    )];
    for (reason, names) in reasons {
        lines.push(format!("  {:>3} {reason}: {}", names.len(), names.join(", ")));
    }
    lines.join("\n")
}

fn reason(reason: WithheldReason) -> &'static str {
    match reason {
        WithheldReason::NotWritable => "cannot be written by the connected user",
        WithheldReason::Calculated => "calculated by the CRM",
        WithheldReason::Compound => "made up of other fields",
        WithheldReason::System => "maintained by the CRM itself",
    }
}

fn kind(field: &LeadField) -> String {
    let (name, values) = match &field.field_type {
        FieldType::Text => ("text", false),
        FieldType::TextArea => ("text area", false),
        FieldType::Email => ("e-mail", false),
        FieldType::Phone => ("phone", false),
        FieldType::Url => ("url", false),
        FieldType::Integer => ("integer", false),
        FieldType::Number => ("number", false),
        FieldType::Currency => ("currency", false),
        FieldType::Percent => ("percent", false),
        FieldType::Checkbox => ("checkbox", false),
        FieldType::Date => ("date", false),
        FieldType::DateTime => ("date and time", false),
        FieldType::Time => ("time", false),
        FieldType::Picklist => ("picklist", true),
        FieldType::MultiSelectPicklist => ("multi-select picklist", true),
        FieldType::Combobox => ("combobox", true),
        FieldType::Reference => ("reference", false),
        FieldType::Other(other) => (other.as_str(), false),
    };
    let mut text = name.to_owned();
    if values {
        text.push_str(&format!(" of {}", field.values.iter().filter(|value| value.active).count()));
    } else if let Some(length) = field.length {
        text.push_str(&format!(" ({length})"));
    } else if field.precision > 0 {
        text.push_str(&format!(" ({}, {})", field.precision, field.scale));
    }
    for (mark, holds) in
        [("restricted", field.restricted), ("external ID", field.external_id), ("unique", field.unique)]
    {
        if holds {
            text.push_str(", ");
            text.push_str(mark);
        }
    }
    text
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
