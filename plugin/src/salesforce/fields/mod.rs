//! Which Lead fields are offered for mapping, and which are withheld, with the reason.

use crate::{
    bindings::types::{self, Choice, FieldList, FieldType, WithheldField},
    codes,
    field::{LeadField, PicklistValue, memo},
    salesforce::describe::{Describe, Field, PicklistEntry, is_valid_for},
};
use crm_characters::comparable;
use std::{borrow::Cow, collections::BinaryHeap};

/// What the connected user can write to Leads.
#[derive(Clone, Debug, Default)]
pub struct LeadFields {
    /// Fields that can be both created and changed: required ones first, then by label.
    pub fields: Vec<LeadField<'static>>,
    pub withheld: Vec<WithheldField>,
    /// Record types that the user may use, without the master.
    pub record_types: Vec<RecordType>,
}

/// A record type that the connected user may give to a Lead.
#[derive(Clone, Debug)]
pub struct RecordType {
    pub id: String,
    pub name: String,
}

/// Fields that Salesforce maintains, even if an org's settings make one of them writable on create.
const SYSTEM: [&str; 24] = [
    "Id",
    "IsDeleted",
    "MasterRecordId",
    "CreatedDate",
    "CreatedById",
    "LastModifiedDate",
    "LastModifiedById",
    "SystemModstamp",
    "LastActivityDate",
    "LastViewedDate",
    "LastReferencedDate",
    "LastTransferDate",
    "IsConverted",
    "ConvertedDate",
    "ConvertedAccountId",
    "ConvertedContactId",
    "ConvertedOpportunityId",
    "IsPriorityRecord",
    "EmailBouncedReason",
    "EmailBouncedDate",
    "JigsawContactId",
    "PhotoUrl",
    "ConnectionReceivedId",
    "ConnectionSentId",
];

/// The source that most people would choose, by field.
const SUGGESTED: [(&str, &str); 6] = [
    ("LastName", "guest.family-name"),
    ("FirstName", "guest.given-name"),
    ("Company", "guest.company"),
    ("Email", "guest.email"),
    ("Phone", "guest.phone"),
    ("Description", "comment"),
];

/// Reads a describe result and lists its fields, or says why it is not one.
pub fn read(body: &[u8]) -> Result<LeadFields, String> {
    Describe::parse(body).map(|describe| list(&describe))
}

/// The order of labels: by the characters that people compare by, where width, case, and hiragana or katakana make no difference.
/// So Latin letters come before kana, and kana before kanji; the readings of kanji are not known.
fn sort_key(label: &str) -> String {
    let katakana = |c: char| match c {
        'ぁ'..='ゖ' | 'ゝ' | 'ゞ' => char::from_u32(u32::from(c) + 0x60).unwrap_or(c),
        _ => c,
    };
    comparable(label).map(katakana).collect()
}

/// Lists the fields: required ones first, then in the order of their labels.
fn list(describe: &Describe<'_>) -> LeadFields {
    let mut fields = Vec::with_capacity(describe.fields.all.len());
    let mut withheld = Vec::new();
    // Compound fields, which others are parts of.
    let parents: Vec<&str> = describe
        .fields
        .all
        .iter()
        .filter_map(|field| field.compound_field_name.as_deref().filter(|parent| *parent != field.name))
        .collect();
    let in_order: BinaryHeap<(bool, String, &str, usize)> = describe
        .fields
        .all
        .iter()
        .enumerate()
        .map(|(place, field)| (!is_required(field), sort_key(label(field)), &*field.name, place))
        .collect();
    for (_, _, _, place) in in_order.into_sorted_vec() {
        let Some(field) = describe.fields.all.get(place) else { continue };
        if field.name.is_empty() {
            continue;
        }
        match withheld_reason(field, &parents) {
            None => fields.push(lead_field(field, &describe.fields.all)),
            Some(reason) => {
                withheld.push(WithheldField {
                    name: field.name.to_string(),
                    label: label(field).to_owned(),
                    reason: reason.to_owned(),
                });
            }
        }
    }
    let record_types = describe
        .record_types
        .iter()
        .filter(|record_type| record_type.active && record_type.available && !record_type.master)
        .map(|record_type| RecordType {
            id: record_type.record_type_id.to_string(),
            name: record_type.name.to_string(),
        })
        .collect();
    LeadFields { fields, withheld, record_types }
}

/// The reason to withhold a field, if there is one.
fn withheld_reason(field: &Field<'_>, parents: &[&str]) -> Option<&'static str> {
    let name = &field.name;
    if matches!(&*field.field_type, "address" | "location") || parents.contains(&&**name) {
        Some(codes::COMPOUND)
    } else if field.calculated || field.auto_number {
        Some(codes::CALCULATED)
    } else if field.field_type == "id" || field.deprecated_and_hidden || SYSTEM.contains(&&**name) {
        Some(codes::SYSTEM)
    } else if !(field.createable && field.updateable) {
        Some(codes::NOT_WRITABLE)
    } else {
        None
    }
}

impl LeadFields {
    /// The list in the contract's form.
    pub fn into_list(self) -> FieldList {
        FieldList { fields: self.fields.into_iter().map(listed).collect(), withheld: self.withheld, more: Vec::new() }
    }
}

fn listed(field: LeadField<'_>) -> types::Field {
    let memo = memo::of(&field);
    let suggested = SUGGESTED.iter().find(|(name, _)| *name == field.name);
    types::Field {
        suggested_source: suggested.map(|(_, attribute)| (*attribute).to_owned()),
        name: field.name.into_owned(),
        label: field.label.into_owned(),
        field_type: field.field_type,
        required: field.required,
        group: String::new(),
        choices: field.values.into_iter().map(choice).collect(),
        help: field.help,
        memo,
        more: Vec::new(),
    }
}

fn choice(value: PicklistValue<'_>) -> Choice {
    Choice { value: value.value.into_owned(), label: value.label.into_owned(), active: value.active }
}

/// A field of a describe result.
fn lead_field(field: &Field<'_>, all: &[Field<'_>]) -> LeadField<'static> {
    let field_type = field_type(field);
    let controlling = field.controller_name.as_ref().and_then(|name| all.iter().find(|field| field.name == *name));
    let is_number =
        matches!(field_type, FieldType::Integer | FieldType::Number | FieldType::Currency | FieldType::Percent);
    LeadField {
        name: owned(&field.name),
        label: owned(label(field)),
        length: (field.length > 0 && !is_number).then_some(field.length),
        // Integers have their digits in a key of their own.
        precision: match field_type {
            FieldType::Integer => field.digits.max(field.precision),
            _ if is_number => field.precision,
            _ => 0,
        },
        scale: if is_number { field.scale } else { 0 },
        required: is_required(field),
        restricted: field.restricted_picklist,
        external_id: field.external_id,
        unique: field.unique,
        html: field_type == FieldType::TextArea
            && (field.html_formatted || field.extra_type_info.as_deref() == Some("richtextarea")),
        filterable: field.filterable != Some(false),
        values: field.picklist_values.iter().map(|entry| picklist_value(entry, controlling)).collect(),
        controlling_field: field.controller_name.as_deref().map(owned),
        reference_to: field.reference_to.iter().filter(|name| !name.is_empty()).map(|name| owned(name)).collect(),
        help: field.inline_help_text.as_ref().map(|text| text.to_string()).filter(|help| !help.is_empty()),
        field_type,
    }
}

/// Whether a Lead cannot be created without a value. A checkbox without a value is false.
fn is_required(field: &Field<'_>) -> bool {
    field.createable && !field.nillable && !field.defaulted_on_create && field.field_type != "boolean"
}

fn picklist_value(entry: &PicklistEntry<'_>, controlling: Option<&Field<'_>>) -> PicklistValue<'static> {
    let valid_for = match (&entry.valid_for, controlling) {
        (Some(bitmap), Some(controlling)) => Some(allowing(bitmap, controlling)),
        _ => None,
    };
    PicklistValue {
        value: owned(&entry.value),
        label: owned(entry.label.as_ref().unwrap_or(&entry.value)),
        active: entry.active,
        is_default: entry.default_value,
        valid_for,
    }
}

/// The controlling values whose bits are set.
fn allowing(bitmap: &str, controlling: &Field<'_>) -> Vec<Cow<'static, str>> {
    if controlling.field_type == "boolean" {
        return ["false", "true"]
            .iter()
            .enumerate()
            .filter(|(place, _)| is_valid_for(bitmap, *place))
            .map(|(_, value)| Cow::Borrowed(*value))
            .collect();
    }
    controlling
        .picklist_values
        .iter()
        .enumerate()
        .filter(|(place, _)| is_valid_for(bitmap, *place))
        .map(|(_, entry)| owned(&entry.value))
        .collect()
}

fn field_type(field: &Field<'_>) -> FieldType {
    match &*field.field_type {
        "string" => FieldType::Text,
        "textarea" => FieldType::TextArea,
        "email" => FieldType::Email,
        "phone" => FieldType::Phone,
        "url" => FieldType::Url,
        "int" | "long" => FieldType::Integer,
        "double" => FieldType::Number,
        "currency" => FieldType::Currency,
        "percent" => FieldType::Percent,
        "boolean" => FieldType::Checkbox,
        "date" => FieldType::Date,
        "datetime" => FieldType::DateTime,
        "time" => FieldType::Time,
        "picklist" => FieldType::Choice,
        "multipicklist" => FieldType::Choices,
        "combobox" => FieldType::TextOrChoice,
        "reference" => FieldType::Reference,
        other => FieldType::Other(other.to_owned()),
    }
}

/// A text of a describe result, which the fields outlive.
fn owned(text: &str) -> Cow<'static, str> {
    Cow::Owned(text.to_owned())
}

/// The label, or the name where the org has none.
fn label<'f>(field: &'f Field<'_>) -> &'f str {
    if field.label.is_empty() { &field.name } else { &field.label }
}

#[cfg(test)]
mod tests;
