//! The answer of `sobjects/Lead/describe`, as far as this plugin reads it.
//!
//! Any describe must list: keys may be missing, `null` or new, types unknown. Strings are borrowed from the answer, since a
//! large org's describe has megabytes.

use crate::json::{Next, Reader, Scalar};
use std::borrow::Cow;

/// A describe result.
#[derive(Default)]
pub struct Describe<'a> {
    /// What the connected user may do with such records, where it is told.
    pub createable: Option<bool>,
    pub updateable: Option<bool>,
    pub queryable: Option<bool>,
    pub retrieveable: Option<bool>,
    /// The fields that the connected user can see.
    pub fields: Vec<Field<'a>>,
    /// Whether there was a member of that name at all.
    has_fields: bool,
    /// Record types of the object.
    pub record_types: Vec<RecordTypeInfo<'a>>,
}

/// A field of a describe result.
#[derive(Default)]
pub struct Field<'a> {
    pub name: Cow<'a, str>,
    pub label: Cow<'a, str>,
    pub field_type: Cow<'a, str>,
    pub length: u32,
    pub precision: u32,
    pub digits: u32,
    pub scale: u32,
    pub createable: bool,
    pub updateable: bool,
    pub nillable: bool,
    pub defaulted_on_create: bool,
    pub calculated: bool,
    pub auto_number: bool,
    pub deprecated_and_hidden: bool,
    pub restricted_picklist: bool,
    pub external_id: bool,
    pub unique: bool,
    pub compound_field_name: Option<Cow<'a, str>>,
    pub controller_name: Option<Cow<'a, str>>,
    pub inline_help_text: Option<Cow<'a, str>>,
    pub picklist_values: Vec<PicklistEntry<'a>>,
    pub reference_to: Vec<Cow<'a, str>>,
}

/// A value of a picklist.
#[derive(Default)]
pub struct PicklistEntry<'a> {
    pub value: Cow<'a, str>,
    pub label: Option<Cow<'a, str>>,
    pub active: bool,
    pub default_value: bool,
    pub valid_for: Option<Cow<'a, str>>,
}

/// A record type of the object.
#[derive(Default)]
pub struct RecordTypeInfo<'a> {
    pub record_type_id: Cow<'a, str>,
    pub name: Cow<'a, str>,
    pub active: bool,
    pub available: bool,
    pub master: bool,
    pub default_record_type_mapping: bool,
}

impl<'a> Record<'a> for Describe<'a> {
    fn list(&mut self, name: &str, reader: &mut Reader<'a>) -> Option<bool> {
        match name {
            "fields" => (self.fields, self.has_fields) = (objects(reader)?, true),
            "recordTypeInfos" => self.record_types = objects(reader)?,
            _ => return Some(false),
        }
        Some(true)
    }

    fn member(&mut self, name: &str, value: Scalar<'a>) {
        let Scalar::Truth(truth) = value else { return };
        match name {
            "createable" => self.createable = Some(truth),
            "updateable" => self.updateable = Some(truth),
            "queryable" => self.queryable = Some(truth),
            "retrieveable" => self.retrieveable = Some(truth),
            _ => {}
        }
    }
}

impl<'a> Record<'a> for Field<'a> {
    fn list(&mut self, name: &str, reader: &mut Reader<'a>) -> Option<bool> {
        match name {
            "picklistValues" => self.picklist_values = objects(reader)?,
            "referenceTo" => self.reference_to = texts(reader)?,
            _ => return Some(false),
        }
        Some(true)
    }

    fn member(&mut self, name: &str, value: Scalar<'a>) {
        match name {
            "name" => self.name = text(value),
            "label" => self.label = text(value),
            "type" => self.field_type = text(value),
            "length" => self.length = number(&value),
            "precision" => self.precision = number(&value),
            "digits" => self.digits = number(&value),
            "scale" => self.scale = number(&value),
            "createable" => self.createable = truth(&value),
            "updateable" => self.updateable = truth(&value),
            "nillable" => self.nillable = truth(&value),
            "defaultedOnCreate" => self.defaulted_on_create = truth(&value),
            "calculated" => self.calculated = truth(&value),
            "autoNumber" => self.auto_number = truth(&value),
            "deprecatedAndHidden" => self.deprecated_and_hidden = truth(&value),
            "restrictedPicklist" => self.restricted_picklist = truth(&value),
            "externalId" => self.external_id = truth(&value),
            "unique" => self.unique = truth(&value),
            "compoundFieldName" => self.compound_field_name = optional_text(value),
            "controllerName" => self.controller_name = optional_text(value),
            "inlineHelpText" => self.inline_help_text = optional_text(value),
            _ => {}
        }
    }
}

impl<'a> Record<'a> for PicklistEntry<'a> {
    fn member(&mut self, name: &str, value: Scalar<'a>) {
        match name {
            "value" => self.value = text(value),
            "label" => self.label = optional_text(value),
            "active" => self.active = truth(&value),
            "defaultValue" => self.default_value = truth(&value),
            "validFor" => self.valid_for = optional_text(value),
            _ => {}
        }
    }
}

impl<'a> Record<'a> for RecordTypeInfo<'a> {
    fn member(&mut self, name: &str, value: Scalar<'a>) {
        match name {
            "recordTypeId" => self.record_type_id = text(value),
            "name" => self.name = text(value),
            "active" => self.active = truth(&value),
            "available" => self.available = truth(&value),
            "master" => self.master = truth(&value),
            "defaultRecordTypeMapping" => self.default_record_type_mapping = truth(&value),
            _ => {}
        }
    }
}

/// An object of the answer.
trait Record<'a>: Default {
    /// Reads a member that is a list; answers whether it is one.
    fn list(&mut self, _name: &str, _reader: &mut Reader<'a>) -> Option<bool> {
        Some(false)
    }

    /// Takes any other member.
    fn member(&mut self, name: &str, value: Scalar<'a>);
}

/// An object; one without members where something else stands in its place.
fn object<'a, R: Record<'a>>(reader: &mut Reader<'a>) -> Option<R> {
    let mut record = R::default();
    if reader.next()? != Next::Object {
        return reader.skip().map(|()| record);
    }
    reader.members(|reader, name| {
        if record.list(&name, reader)? {
            return Some(());
        }
        if reader.next()? == Next::Scalar {
            record.member(&name, reader.scalar()?);
            Some(())
        } else {
            reader.skip()
        }
    })?;
    Some(record)
}

/// A list of objects; an empty one where something else stands in its place.
fn objects<'a, R: Record<'a>>(reader: &mut Reader<'a>) -> Option<Vec<R>> {
    let mut records = Vec::new();
    if reader.next()? != Next::List {
        return reader.skip().map(|()| records);
    }
    reader.items(|reader| {
        records.push(object(reader)?);
        Some(())
    })?;
    Some(records)
}

/// A list of texts; what is none is passed over.
fn texts<'a>(reader: &mut Reader<'a>) -> Option<Vec<Cow<'a, str>>> {
    let mut texts = Vec::new();
    if reader.next()? != Next::List {
        return reader.skip().map(|()| texts);
    }
    reader.items(|reader| {
        if reader.next()? == Next::Scalar {
            texts.extend(optional_text(reader.scalar()?));
            Some(())
        } else {
            reader.skip()
        }
    })?;
    Some(texts)
}

/// The text; blank where it is none.
fn text(value: Scalar<'_>) -> Cow<'_, str> {
    optional_text(value).unwrap_or_default()
}

fn optional_text(value: Scalar<'_>) -> Option<Cow<'_, str>> {
    match value {
        Scalar::Text(text) => Some(text),
        _ => None,
    }
}

fn truth(value: &Scalar<'_>) -> bool {
    *value == Scalar::Truth(true)
}

fn number(value: &Scalar<'_>) -> u32 {
    match value {
        Scalar::Number(number) => number.parse().unwrap_or_default(),
        _ => 0,
    }
}

impl<'a> Describe<'a> {
    /// Reads an answer; says what is wrong where it is no describe result.
    pub fn parse(body: &'a [u8]) -> Result<Self, String> {
        // One check of the whole is faster than one for each string.
        let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
        let mut reader = Reader::new(text.trim_start_matches('\u{FEFF}'));
        match object::<Self>(&mut reader) {
            Some(describe) if describe.has_fields && reader.is_done() => Ok(describe),
            Some(_) if reader.is_done() => Err("there are no fields in it".to_owned()),
            _ => Err(["no JSON from byte ", &reader.position().to_string(), " on"].concat()),
        }
    }
}

/// Whether a `validFor` bitmap, in base64 with the big end first, has the bit of the controlling value at this place.
pub fn is_valid_for(bitmap: &str, place: usize) -> bool {
    let Some(byte) = bitmap.as_bytes().get(place / 6) else { return false };
    let sextet = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return false,
    };
    sextet >> (5 - place % 6) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bitmap_is_read_from_its_big_end() {
        // A real one: the state `AC`, which only one country of the list has.
        let allowed: Vec<usize> = (0..100).filter(|place| is_valid_for("AAAAAgAA", *place)).collect();
        assert_eq!(allowed, [30]);
        let allowed: Vec<usize> = (0..100).filter(|place| is_valid_for("gAA=", *place)).collect();
        assert_eq!(allowed, [0]);
        assert!((0..100).all(|place| !is_valid_for("", place)));
    }

    #[test]
    fn missing_null_and_unknown_keys_are_no_obstacle() {
        for body in [
            "\u{FEFF}{\"fields\":null,\"recordTypeInfos\":null}",
            r#"{"fields":[{},null],"new":{"a":[1.5e300]}}"#,
            r#"{"fields":[{"name":null,"label":null,"type":null,"length":null,"createable":null,"picklistValues":null,
                "referenceTo":null,"controllerName":null,"defaultValue":1.5,"newKey":[{}]}]}"#,
            r#"{"fields":[{"name":"A","picklistValues":[{"value":null,"label":null,"active":null,"validFor":null}]}]}"#,
        ] {
            assert!(Describe::parse(body.as_bytes()).is_ok(), "{body}");
        }
    }

    #[test]
    fn what_is_no_describe_is_told() {
        for body in [&b"<html>"[..], b"", b"[]", b"{\"fields\":[{\"name\":", b"\xFF\xFE", b"{}"] {
            assert!(Describe::parse(body).is_err(), "{body:?}");
        }
    }
}
