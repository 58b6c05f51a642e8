//! Makes an org from the describe result of a real org.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value};

use super::{
    Field, FieldType, FileError, OrgFile, PicklistValue, RecordType, field::plain_field, standard_lead_fields,
};

impl OrgFile {
    /// Makes an org with the Lead object of a describe result (`GET .../sobjects/Lead/describe`).
    ///
    /// Accepts what `sf sobject describe --json` writes, too, which has the describe in `result`, and UTF-16, which PowerShell's `>`
    /// makes of it. Accepts missing keys, and unknown keys and types: a missing key defaults to the standard field of that name, or else
    /// to a new custom field. What a describe does not contain defaults to a new Enterprise org:
    /// policies, users, and the standard duplicate rule as far as its fields exist. Formulas are described but not
    /// evaluated.
    ///
    /// # Errors
    /// [`FileError::Describe`] if this is not JSON, [`FileError::NotLead`] if it describes something else or is an error,
    /// [`FileError::Contradiction`] if it has no list of named fields.
    pub fn from_describe(json: &[u8]) -> Result<Self, FileError> {
        let describe = described(serde_json::from_str(&text(json))?)?;
        let Some(entries) = describe.get("fields").and_then(Value::as_array) else {
            return Err(FileError::Contradiction("the describe result has no `fields`".to_owned()));
        };
        let standard = standard_lead_fields()?;
        let mut fields = Vec::new();
        for (position, entry) in entries.iter().enumerate() {
            let field = entry.as_object().and_then(|entry| field(entry, &standard)).ok_or_else(|| {
                FileError::Contradiction(format!("field {} of the describe result has no name", position + 1))
            })?;
            fields.push(field);
        }
        resolve_dependencies(&mut fields, entries);
        let text = |key: &str| describe.get(key).and_then(Value::as_str).unwrap_or_default();
        let known = |name: &String| fields.iter().any(|field: &Field| field.name == *name);
        let mut file = Self {
            name: "Imported Org".to_owned(),
            description: format!("Made from the describe result of {}", text("name")),
            state_country_picklists: known(&"CountryCode".to_owned()),
            record_types: record_types(&describe),
            ..Self::default()
        };
        for rule in &mut file.duplicate_rules {
            rule.when_same.retain(|group| group.iter().all(known));
        }
        // Matters once the file is written and read again: only then are standard fields added.
        let absent = standard.into_iter().map(|field| field.name).filter(|name| !known(name));
        file.without_fields = absent.collect();
        file.fields = fields;
        Ok(file)
    }
}

/// The text of a file in UTF-8 or UTF-16, with or without a byte order mark. JSON begins with ASCII, so that a zero beside its
/// first character tells the order.
fn text(bytes: &[u8]) -> String {
    let (order, units): (fn([u8; 2]) -> u16, _) = match bytes {
        [0xFF, 0xFE, rest @ ..] => (u16::from_le_bytes, rest),
        [0xFE, 0xFF, rest @ ..] => (u16::from_be_bytes, rest),
        [_, 0, ..] => (u16::from_le_bytes, bytes),
        [0, _, ..] => (u16::from_be_bytes, bytes),
        _ => return String::from_utf8_lossy(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)).into_owned(),
    };
    let (units, _) = units.as_chunks();
    char::decode_utf16(units.iter().map(|unit| order(*unit)))
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// The describe result of Lead, out of its wrapping.
fn described(json: Value) -> Result<Map<String, Value>, FileError> {
    let not_lead = |what: String| Err(FileError::NotLead(what));
    let error = match &json {
        Value::Array(errors) => errors.first().unwrap_or(&Value::Null),
        json => json,
    };
    let message = error.get("message").and_then(Value::as_str).map(str::to_owned);
    let Value::Object(mut describe) = json else {
        return not_lead(message.map_or("not an object".to_owned(), |message| format!("this is an error: {message}")));
    };
    if let Some(Value::Object(result)) = describe.remove("result") {
        describe = result;
    } else if let (Some(message), None) = (message, describe.get("fields")) {
        return not_lead(format!("this is an error: {message}"));
    }
    match describe.get("name").and_then(Value::as_str) {
        Some("Lead") | None => Ok(describe),
        Some(other) => not_lead(format!("this describes the object {other}")),
    }
}

/// The field of an entry. Missing keys default to the standard field of that name, if there is one.
fn field(entry: &Map<String, Value>, standard: &[Field]) -> Option<Field> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str).map(ToOwned::to_owned);
    let number = |key: &str| entry.get(key).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    let flag = |key: &str| entry.get(key).and_then(Value::as_bool);
    let name = text("name").filter(|name| !name.is_empty())?;
    let known = standard.iter().find(|field| field.name == name);
    let kind = match (entry.get("type"), known) {
        (None, Some(known)) => known.kind,
        (kind, _) => kind.cloned().and_then(|kind| serde_json::from_value(kind).ok()).unwrap_or(FieldType::AnyType),
    };
    // A field can be calculated even if the user cannot see its formula.
    let calculated = flag("calculated") == Some(true);
    let base = known.cloned().unwrap_or_else(|| {
        let parts = matches!(kind, FieldType::Id | FieldType::Address | FieldType::Location);
        let written = !parts && !calculated && flag("autoNumber") != Some(true);
        Field { createable: written, updateable: written, ..plain_field(&name, &name, kind) }
    });
    let references = entry.get("referenceTo").and_then(Value::as_array);
    let values = entry.get("picklistValues").and_then(Value::as_array);
    let mut field = Field {
        label: text("label").unwrap_or(base.label),
        kind,
        length: number("length").unwrap_or(base.length),
        precision: number("precision").unwrap_or(base.precision),
        scale: number("scale").unwrap_or(base.scale),
        digits: number("digits").unwrap_or(base.digits),
        nillable: flag("nillable").unwrap_or(base.nillable),
        createable: flag("createable").unwrap_or(base.createable),
        updateable: flag("updateable").unwrap_or(base.updateable),
        permissionable: flag("permissionable").unwrap_or(base.permissionable),
        default: None,
        defaulted_on_create: flag("defaultedOnCreate").unwrap_or(base.defaulted_on_create),
        formula: calculated.then(|| text("calculatedFormula").unwrap_or_default()),
        restricted: flag("restrictedPicklist").unwrap_or(base.restricted),
        values: values
            .map_or(base.values, |values| values.iter().filter_map(|value| picklist_value(value, known)).collect()),
        controller: text("controllerName").or(base.controller),
        external_id: flag("externalId").unwrap_or(base.external_id),
        unique: flag("unique").unwrap_or(base.unique),
        case_sensitive: flag("caseSensitive").unwrap_or(base.case_sensitive),
        id_lookup: flag("idLookup").unwrap_or(base.id_lookup),
        reference_to: references.map_or(base.reference_to, |references| {
            references.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
        }),
        relationship: text("relationshipName").or(base.relationship),
        compound: text("compoundFieldName").or(base.compound),
        help: text("inlineHelpText"),
        extra_type_info: text("extraTypeInfo").or(base.extra_type_info),
        html_formatted: flag("htmlFormatted").unwrap_or(base.html_formatted),
        filterable: flag("filterable").unwrap_or(base.filterable),
        encrypted: base.encrypted,
        imported: Some(entry.clone()),
        name,
    };
    // An org with its own values does not have the standard field's default.
    let known = |default: &Value| default.as_str().is_none_or(|value| field.value(value).is_some());
    let standard = base.default.filter(|default| field.values.is_empty() || known(default));
    let default = entry.get("defaultValue").cloned().or(standard);
    field.default = default.and_then(|default| crate::schema::default(&field, &default));
    Some(field)
}

fn picklist_value(entry: &Value, standard: Option<&Field>) -> Option<PicklistValue> {
    let value = entry.get("value").and_then(Value::as_str)?.to_owned();
    let flag = |key: &str| entry.get(key).and_then(Value::as_bool);
    Some(PicklistValue {
        label: entry.get("label").and_then(Value::as_str).unwrap_or(&value).to_owned(),
        // A describe result does not have this flag.
        converted: standard.and_then(|field| field.value(&value)).is_some_and(|known| known.converted),
        value,
        active: flag("active").unwrap_or(true),
        default: flag("defaultValue").unwrap_or(false),
        valid_for: None,
    })
}

/// Decodes the `validFor` bitmaps of dependent picklists into names of controlling values.
fn resolve_dependencies(fields: &mut [Field], entries: &[Value]) {
    let controlling: BTreeMap<String, Vec<String>> = fields
        .iter()
        .map(|field| match field.kind {
            FieldType::Boolean => (field.name.clone(), vec!["false".to_owned(), "true".to_owned()]),
            _ => (field.name.clone(), field.values.iter().map(|value| value.value.clone()).collect()),
        })
        .collect();
    // A dependency on a field that the user cannot see cannot be checked.
    fields
        .iter_mut()
        .for_each(|field| field.controller = field.controller.take().filter(|name| controlling.contains_key(name)));
    for (field, entry) in fields.iter_mut().zip(entries) {
        let Some(names) = field.controller.as_ref().and_then(|name| controlling.get(name)) else { continue };
        let bitmaps = entry.get("picklistValues").and_then(Value::as_array).into_iter().flatten();
        for (value, bitmap) in field.values.iter_mut().zip(bitmaps) {
            let bitmap = bitmap.get("validFor").and_then(Value::as_str).unwrap_or_default();
            let bytes = BASE64_STANDARD.decode(bitmap).unwrap_or_default();
            let set = |index: usize| bytes.get(index / 8).is_some_and(|byte| byte & (0x80 >> (index % 8)) != 0);
            let allowed = names.iter().enumerate().filter(|(index, _)| set(*index)).map(|(_, name)| name.clone());
            value.valid_for = Some(allowed.collect());
        }
    }
}

fn record_types(describe: &Map<String, Value>) -> Vec<RecordType> {
    let infos = describe.get("recordTypeInfos").and_then(Value::as_array).into_iter().flatten();
    infos
        .filter(|info| info.get("master").and_then(Value::as_bool) != Some(true))
        .filter_map(|info| {
            let flag = |key: &str| info.get(key).and_then(Value::as_bool).unwrap_or(true);
            let name = info.get("name").and_then(Value::as_str)?;
            let developer_name = info.get("developerName").and_then(Value::as_str).unwrap_or(name);
            let id = info.get("recordTypeId").and_then(Value::as_str);
            Some(RecordType {
                id: id.map(ToOwned::to_owned),
                name: name.to_owned(),
                developer_name: developer_name.to_owned(),
                active: flag("active"),
                available: flag("available"),
                default: info.get("defaultRecordTypeMapping").and_then(Value::as_bool).unwrap_or(false),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Schema;

    #[test]
    fn a_describe_with_a_byte_order_mark_missing_keys_and_unknown_types_makes_an_org() {
        let json = "\u{feff}{\"name\":\"Lead\",\"fields\":[
            {\"name\":\"LastName\",\"type\":\"string\",\"length\":80,\"nillable\":false},
            {\"name\":\"Odd__c\",\"type\":\"hologram\",\"someNewKey\":[1]},
            {\"name\":\"Kind__c\",\"type\":\"picklist\",\"picklistValues\":[{\"value\":\"A\"},{\"value\":\"B\"}]},
            {\"name\":\"Sub__c\",\"type\":\"picklist\",\"controllerName\":\"Kind__c\",\"picklistValues\":[{\"value\":\"b1\",\"validFor\":\"QAAA\"}]}]}";
        let file = OrgFile::from_describe(json.as_bytes()).unwrap();
        let schema = Schema::of_leads(&file).unwrap();
        assert_eq!(schema.fields.len(), 4);
        let written = OrgFile::parse(&toml::to_string(&file).unwrap()).unwrap();
        let names = |schema: &Schema| schema.fields.iter().map(|field| field.name.clone()).collect::<Vec<_>>();
        let mut read = names(&Schema::of_leads(&written).unwrap());
        read.sort();
        assert_eq!(read, ["Kind__c", "LastName", "Odd__c", "Sub__c"], "the fields survive writing and reading");
        assert!(schema.field("lastname").unwrap().required());
        assert_eq!(schema.field("Sub__c").unwrap().values[0].valid_for.as_deref(), Some(&["B".to_owned()][..]));
    }

    #[test]
    fn invalid_describe_results_are_rejected() {
        assert!(matches!(OrgFile::from_describe(b"{"), Err(FileError::Describe(_))));
        assert!(matches!(OrgFile::from_describe(b"{}"), Err(FileError::Contradiction(_))));
        assert!(matches!(OrgFile::from_describe(br#"{"fields":[{}]}"#), Err(FileError::Contradiction(_))));
    }
}
