//! The Lead object of one org: the standard fields, what the file adds, and what is hidden.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    file::{Field, FieldType, FileError, OrgFile, RecordType, plain_field, standard_lead_fields},
    formula::{self, Part},
    id,
    soql::{self, Condition},
};

/// Id of the record type that every object has.
pub(crate) const MASTER_RECORD_TYPE: &str = "012000000000000AAA";

/// An object's fields, found by a name of any case, and its rules, compiled.
#[derive(Debug)]
pub(crate) struct Schema {
    pub fields: Vec<Field>,
    by_name: BTreeMap<String, usize>,
    hidden: BTreeSet<String>,
    formulas: Vec<(String, Vec<Part>)>,
    pub validation: Vec<Condition>,
    pub triggers: Vec<Condition>,
    /// Record types with their ids, without the master record type.
    pub record_types: Vec<(String, RecordType)>,
}

impl Schema {
    /// Puts the Lead object of an org together.
    pub fn of_leads(file: &OrgFile) -> Result<Self, FileError> {
        let mut fields = match file.replaces_standard_fields() {
            true => Vec::new(),
            false => standard_lead_fields()?,
        };
        fields.retain(|field| !file.without_fields.contains(&field.name));
        if file.person_accounts {
            // With person accounts a Lead without a company becomes a person.
            fields.iter_mut().filter(|field| field.name == "Company").for_each(|company| company.nillable = true);
        }
        for added in file.feature_fields()?.iter().chain(&file.fields) {
            let mut added = added.clone();
            if added.label.is_empty() {
                added.label.clone_from(&added.name);
            }
            if added.formula.is_some() {
                (added.createable, added.updateable) = (false, false);
            }
            match fields.iter_mut().find(|field| field.name == added.name) {
                Some(standard) => *standard = added,
                None => fields.push(added),
            }
        }
        if !file.record_types.is_empty() && !fields.iter().any(|field| field.name == "RecordTypeId") {
            fields.push(record_type_field());
        }
        let missing = file.pad_to_fields.saturating_sub(fields.len());
        fields.extend((1..=missing).map(padding));
        Self::new(fields, file)
    }

    fn new(fields: Vec<Field>, file: &OrgFile) -> Result<Self, FileError> {
        let mut by_name = BTreeMap::new();
        for (index, field) in fields.iter().enumerate() {
            if by_name.insert(field.name.to_lowercase(), index).is_some() {
                return Err(FileError::Contradiction(format!("field {} is there twice", field.name)));
            }
        }
        let known = |name: &String| {
            by_name
                .contains_key(&name.to_lowercase())
                .then_some(())
                .ok_or_else(|| FileError::Contradiction(format!("{name} is named, but the org has no such field")))
        };
        file.hidden_fields.iter().try_for_each(known)?;
        file.duplicate_rules.iter().flat_map(|rule| rule.when_same.iter().flatten()).try_for_each(known)?;
        file.validation_rules.iter().filter_map(|rule| rule.field.as_ref()).try_for_each(known)?;
        fields.iter().filter_map(|field| field.controller.as_ref()).try_for_each(known)?;
        let mut formulas = Vec::new();
        for field in &fields {
            // The formula of an imported field is shown, but only Salesforce can compute it.
            let Some(formula) = field.formula.as_ref().filter(|_| field.imported.is_none()) else { continue };
            let parts = formula::parse(formula)
                .map_err(|error| FileError::Contradiction(format!("the formula of {}: {error}", field.name)))?;
            formulas.push((field.name.clone(), parts));
        }
        let compile = |what: &str, name: &str, condition: &str| {
            soql::condition(condition).map_err(|error| FileError::Contradiction(format!("the {what} {name}: {error}")))
        };
        let rules = file.validation_rules.iter();
        let validation = rules.map(|rule| compile("validation rule", &rule.name, &rule.refuse_when));
        let triggers = file.triggers.iter().map(|trigger| compile("trigger", &trigger.name, &trigger.fail_when));
        let (validation, triggers) = (validation.collect::<Result<_, _>>()?, triggers.collect::<Result<_, _>>()?);
        let record_types = file.record_types.iter().zip(1..).map(|(kind, number)| {
            let given = kind.id.as_deref().and_then(id::to_18);
            (given.unwrap_or_else(|| id::mint("012", number)), kind.clone())
        });
        let hidden = file.hidden_fields.iter().map(|name| name.to_lowercase()).collect();
        Ok(Self { record_types: record_types.collect(), fields, by_name, hidden, formulas, validation, triggers })
    }

    /// A field that the users can see.
    pub fn field(&self, name: &str) -> Option<&Field> {
        let folded = name.to_lowercase();
        if self.hidden.contains(&folded) {
            return None;
        }
        self.by_name.get(&folded).and_then(|&index| self.fields.get(index))
    }

    /// A field, even if it is hidden.
    pub fn field_of_org(&self, name: &str) -> Option<&Field> {
        self.by_name.get(&name.to_lowercase()).and_then(|&index| self.fields.get(index))
    }

    /// The fields that the users can see.
    pub fn visible(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| !self.hidden.contains(&field.name.to_lowercase()))
    }

    /// Fields that are computed from others.
    pub fn formulas(&self) -> &[(String, Vec<Part>)] {
        &self.formulas
    }
}

fn record_type_field() -> Field {
    Field {
        permissionable: false,
        defaulted_on_create: true,
        reference_to: vec!["RecordType".to_owned()],
        relationship: Some("RecordType".to_owned()),
        ..plain_field("RecordTypeId", "Record Type ID", FieldType::Reference)
    }
}

fn padding(number: usize) -> Field {
    Field { length: 255, ..plain_field(&format!("Note{number}__c"), &format!("Note {number}"), FieldType::String) }
}
