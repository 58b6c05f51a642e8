//! The Lead object of an org: standard fields, fields of the file, and hidden fields.

mod rules;
mod settle;

use std::collections::{BTreeMap, BTreeSet};

use crate::file::{Field, FieldType, FileError, OrgFile, plain_field, standard_lead_fields};

pub(crate) use rules::Rules;
pub(crate) use settle::default;

/// Id of the master record type.
pub(crate) const MASTER_RECORD_TYPE: &str = "012000000000000AAA";

/// An object's fields, indexed by lowercase name, and its compiled rules.
#[derive(Debug)]
pub(crate) struct Schema {
    pub fields: Vec<Field>,
    by_name: BTreeMap<String, usize>,
    hidden: BTreeSet<String>,
    pub rules: Rules,
}

impl Schema {
    /// Builds the Lead object of an org.
    pub fn of_leads(file: &OrgFile) -> Result<Self, FileError> {
        let standard = standard_lead_fields()?;
        if let Some(unknown) = file.without_fields.iter().find(|name| standard.iter().all(|field| field.name != **name))
        {
            return Err(FileError::Contradiction(format!("without-fields: {unknown} is not a standard field")));
        }
        let mut fields = if file.replaces_standard_fields() { Vec::new() } else { standard };
        fields.retain(|field| !file.without_fields.contains(&field.name));
        if file.person_accounts {
            // With person accounts, a Lead without a company converts to a person.
            fields.iter_mut().filter(|field| field.name == "Company").for_each(|company| company.nillable = true);
        }
        for added in file.feature_fields()?.into_iter().chain(file.fields.iter().cloned()) {
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
        fields.iter_mut().try_for_each(settle::settle)?;
        Self::new(fields, file)
    }

    fn new(fields: Vec<Field>, file: &OrgFile) -> Result<Self, FileError> {
        let mut by_name = BTreeMap::new();
        for (index, field) in fields.iter().enumerate() {
            if by_name.insert(field.name.to_lowercase(), index).is_some() {
                return Err(FileError::Contradiction(format!("field {} is defined twice", field.name)));
            }
        }
        let hidden = file.hidden_fields.iter().map(|name| name.to_lowercase()).collect();
        let mut schema = Self { fields, by_name, hidden, rules: Rules::default() };
        schema.rules = rules::compile(&schema, file)?;
        Ok(schema)
    }

    /// A field, by a name of any case, unless it is hidden.
    pub fn field(&self, name: &str) -> Option<&Field> {
        let folded = name.to_lowercase();
        if self.hidden.contains(&folded) {
            return None;
        }
        self.by_name.get(&folded).and_then(|&index| self.fields.get(index))
    }

    /// A field, by a name of any case, even if it is hidden.
    pub fn field_of_org(&self, name: &str) -> Option<&Field> {
        self.by_name.get(&name.to_lowercase()).and_then(|&index| self.fields.get(index))
    }

    /// The fields that are not hidden.
    pub fn visible(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| !self.hidden.contains(&field.name.to_lowercase()))
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
