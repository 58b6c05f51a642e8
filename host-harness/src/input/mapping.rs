//! Mapping files. A row may name its field alone; the field as the org lists it is then filled in, as a settings page does
//! when a row is saved.

use std::{collections::BTreeMap, path::Path};

use runtime::types::{ChosenOption, LeadField, Mapping, MappingRow, Source};
use serde::Deserialize;

use super::InputError;

/// A mapping as an operator writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MappingFile {
    /// What goes into which field.
    pub rows: Vec<MappingRowFile>,
    /// The plugin's own choices, by id.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
}

/// One field and where its value comes from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MappingRowFile {
    /// The field.
    pub field: FieldName,
    /// Where the value comes from.
    pub source: Source,
    /// What is written when the source is blank.
    #[serde(default)]
    pub fallback: Option<String>,
}

/// A field of a row: its API name, or all that was once listed of it.
#[derive(Clone, Debug)]
pub enum FieldName {
    /// The API name.
    Name(String),
    /// The field as it was listed.
    Listed(Box<LeadField>),
}

impl<'de> Deserialize<'de> for FieldName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // An untagged enum would say only that nothing fits.
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = FieldName;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a field's API name, or a field as it was listed")
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<FieldName, E> {
                Ok(FieldName::Name(name.to_owned()))
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<FieldName, A::Error> {
                let field = LeadField::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                Ok(FieldName::Listed(Box::new(field)))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl MappingFile {
    /// Whether a row names its field alone, so that the org's fields must be listed first.
    pub fn needs_fields(&self) -> bool {
        self.rows.iter().any(|row| matches!(row.field, FieldName::Name(_)))
    }

    /// The mapping, with the fields as they are listed.
    ///
    /// # Errors
    /// When a row names a field that is not listed, or a field occurs twice.
    pub fn into_mapping(self, file: &Path, fields: &[LeadField]) -> Result<Mapping, InputError> {
        let mut rows: Vec<MappingRow> = Vec::with_capacity(self.rows.len());
        for (position, row) in self.rows.into_iter().enumerate() {
            let field = match row.field {
                FieldName::Listed(field) => *field,
                FieldName::Name(name) => fields.iter().find(|field| field.name == name).cloned().ok_or_else(|| {
                    InputError::at(file, format!("rows[{position}].field"), unknown_field(&name, fields))
                })?,
            };
            if let Some(other) = rows.iter().position(|row| row.field.name == field.name) {
                let reason = format!("`{}` is mapped in rows[{other}] already; a field takes one row", field.name);
                return Err(InputError::at(file, format!("rows[{position}].field"), reason));
            }
            rows.push(MappingRow { field, source: row.source, fallback: row.fallback });
        }
        let options = self.options.into_iter().map(|(id, value)| ChosenOption { id, value }).collect();
        Ok(Mapping { rows, options })
    }
}

fn unknown_field(name: &str, fields: &[LeadField]) -> String {
    let alike = fields
        .iter()
        .map(|field| (strsim::jaro_winkler(&field.name.to_lowercase(), &name.to_lowercase()), &field.name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|one, other| one.0.total_cmp(&other.0));
    match alike {
        Some((_, alike)) => format!("no writable field `{name}`; did you mean `{alike}`?"),
        None => format!("no writable field `{name}`; `host-harness fields` lists those that are"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse_json;
    use super::*;

    fn error_of(json: &str) -> String {
        let fields: Vec<LeadField> = ["LastName", "Company"]
            .into_iter()
            .map(|name| {
                let json = serde_json::json!({
                    "name": name, "label": name, "field_type": "text", "length": 80, "precision": 0, "scale": 0,
                    "required": true, "restricted": false, "external_id": false, "unique": false,
                });
                serde_json::from_value(json).unwrap()
            })
            .collect();
        match parse_json::<MappingFile>(json) {
            Err((path, reason)) => format!("{path}: {reason}"),
            Ok(file) => file.into_mapping(Path::new("FILE"), &fields).map_or_else(|e| e.to_string(), |_| "ok".into()),
        }
    }

    #[test]
    fn a_fault_in_a_mapping_is_named_with_its_row() {
        for (json, expected) in [
            (r#"{"rows":[{"field":"LastName","source":{"booking":"guest.name"}}]}"#, "ok"),
            (
                r#"{"rows":[{"field":"Lastname","source":{"fixed":"x"}}]}"#,
                "FILE: rows[0].field: no writable field `Lastname`; did you mean `LastName`?",
            ),
            (
                r#"{"rows":[{"field":"Company","source":{"fixed":"x"}},{"field":"Company","source":{"fixed":"y"}}]}"#,
                "FILE: rows[1].field: `Company` is mapped in rows[0] already",
            ),
            (r#"{"rows":[{"field":7,"source":{"fixed":"x"}}]}"#, "rows[0].field: expected a field's API name"),
            (
                r#"{"rows":[{"field":"Company","source":{"question":"x"}}]}"#,
                "rows[0].source: unknown variant `question`",
            ),
            (
                r#"{"rows":[{"field":"Company","source":{"fixed":"x"},"default":""}]}"#,
                "rows[0].default: unknown field `default`",
            ),
            (r#"{"rows":[],"option":{}}"#, "option: unknown field `option`"),
        ] {
            let error = error_of(json);
            assert!(error.starts_with(expected), "{error}\nexpected {expected}");
        }
    }
}
