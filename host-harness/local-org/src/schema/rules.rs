//! Compiles the rules of an org and checks them against its fields: a rule that can never match must be an error.

use jiff::{Timestamp, civil::Weekday, tz::TimeZone};

use super::Schema;
use crate::{
    file::{Field, FieldType, FileError, OrgFile, RecordType},
    formula::{self, Part},
    id,
    soql::{self, Check, Condition, Scope},
};

#[derive(Debug, Default)]
pub(crate) struct Rules {
    /// Conditions of the file's validation rules.
    pub validation: Vec<Condition>,
    /// Conditions of the file's triggers.
    pub triggers: Vec<Condition>,
    /// Field groups of the file's duplicate rules.
    pub duplicates: Vec<Vec<Vec<Field>>>,
    /// Formulas by the API name of their field.
    pub formulas: Vec<(String, Vec<Part>)>,
    /// Record types with their ids, excluding the master record type.
    pub record_types: Vec<(String, RecordType)>,
}

pub(super) fn compile(schema: &Schema, file: &OrgFile) -> Result<Rules, FileError> {
    hidden_fields(schema, file)?;
    schema.fields.iter().try_for_each(|field| dependency(schema, field))?;
    let fields = file.validation_rules.iter().filter_map(|rule| rule.field.as_ref());
    fields.map(|name| named(schema, name)).collect::<Result<Vec<_>, _>>()?;
    let validation = file.validation_rules.iter();
    let validation = validation.map(|rule| condition(schema, "validation rule", &rule.name, &rule.refuse_when));
    let triggers = file.triggers.iter().map(|it| condition(schema, "trigger", &it.name, &it.fail_when));
    let group = |names: &Vec<String>| names.iter().map(|name| named(schema, name).cloned()).collect();
    let duplicates = file.duplicate_rules.iter().map(|rule| rule.when_same.iter().map(group).collect());
    Ok(Rules {
        validation: validation.collect::<Result<_, _>>()?,
        triggers: triggers.collect::<Result<_, _>>()?,
        duplicates: duplicates.collect::<Result<_, _>>()?,
        formulas: schema
            .fields
            .iter()
            .filter_map(|field| formula(schema, field).transpose())
            .collect::<Result<_, _>>()?,
        record_types: file.record_types.iter().zip(1..).map(record_type).collect::<Result<_, _>>()?,
    })
}

fn contradiction<T>(text: String) -> Result<T, FileError> {
    Err(FileError::Contradiction(text))
}

/// A field that the file refers to, which must exist.
fn named<'a>(schema: &'a Schema, name: &str) -> Result<&'a Field, FileError> {
    let missing = || FileError::Contradiction(format!("the org has no field {name}"));
    schema.field_of_org(name).ok_or_else(missing)
}

fn hidden_fields(schema: &Schema, file: &OrgFile) -> Result<(), FileError> {
    for name in &file.hidden_fields {
        if !named(schema, name)?.can_be_hidden() {
            return contradiction(format!("{name} cannot be hidden: field-level security does not apply to it"));
        }
    }
    Ok(())
}

/// Checks that the controlling field of a picklist has the values that `valid-for` names.
fn dependency(schema: &Schema, field: &Field) -> Result<(), FileError> {
    let controller = field.controller.as_ref().map(|name| named(schema, name)).transpose()?;
    for allowed in field.values.iter().filter_map(|value| value.valid_for.as_ref()) {
        let Some(controller) = controller else {
            return contradiction(format!("{} has valid-for but no controller", field.name));
        };
        let has = |value: &String| match controller.kind {
            FieldType::Boolean => value == "true" || value == "false",
            _ => controller.values.iter().any(|one| one.value == *value),
        };
        if let Some(unknown) = allowed.iter().find(|value| !has(value)) {
            return contradiction(format!(
                "valid-for of {}: {unknown:?} is not a value of {}",
                field.name, controller.name
            ));
        }
    }
    Ok(())
}

fn condition(schema: &Schema, what: &str, name: &str, text: &str) -> Result<Condition, FileError> {
    let field = |name: &str| schema.field_of_org(name);
    // Names and types do not depend on the date.
    let (now, zone, week_begins) = (Timestamp::UNIX_EPOCH, &TimeZone::UTC, Weekday::Monday);
    let scope = Scope { entity: "Lead", field: &field, now, zone, week_begins };
    let read = soql::condition(text).and_then(|condition| {
        Check { query: text, scope: &scope, rule: true }.condition(&condition)?;
        Ok(condition)
    });
    read.or_else(|error| contradiction(format!("the {what} {name}: {error}")))
}

/// The formula of a field that has one, with canonical field names.
fn formula(schema: &Schema, field: &Field) -> Result<Option<(String, Vec<Part>)>, FileError> {
    // Only Salesforce can evaluate the formula of an imported field.
    let Some(formula) = field.formula.as_ref().filter(|_| field.imported.is_none()) else { return Ok(None) };
    let complain = |error: String| FileError::Contradiction(format!("the formula of {}: {error}", field.name));
    let part = |part| match part {
        Part::Field(name) => named(schema, &name).map(|field| Part::Field(field.name.clone())),
        text => Ok(text),
    };
    let parts = formula::parse(formula).map_err(complain)?.into_iter().map(part);
    let parts = parts.collect::<Result<_, _>>().map_err(|error| complain(error.to_string()))?;
    Ok(Some((field.name.clone(), parts)))
}

fn record_type((kind, number): (&RecordType, u64)) -> Result<(String, RecordType), FileError> {
    let Some(given) = &kind.id else { return Ok((id::mint(id::RECORD_TYPE, number), kind.clone())) };
    match id::to_18(given).filter(|id| id.starts_with(id::RECORD_TYPE)) {
        Some(id) => Ok((id, kind.clone())),
        None => contradiction(format!(
            "the record type {}: {given:?} is not a record-type id (expected 012…)",
            kind.developer_name
        )),
    }
}
