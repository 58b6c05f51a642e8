//! The answer of `sobjects/Lead/describe`, as far as this plugin reads it.
//!
//! Any describe result must be listed: keys may be missing, `null` or new, types unknown. Strings are borrowed from the
//! answer, since that of a large org has megabytes.

use crate::salesforce::json::{self, Scalar, Sink};
use std::borrow::Cow;

/// An object has 900 fields at most (Salesforce help, "Custom Fields Allowed Per Object").
const MOST_FIELDS: usize = 2_000;
/// Two thousand fields and ten thousand picklist values have fewer.
const MOST_VALUES: usize = 180_000;

/// A describe result.
#[derive(Default)]
pub struct Describe<'a> {
    /// What the connected user may do with such records, if the answer says so.
    pub createable: Option<bool>,
    pub updateable: Option<bool>,
    pub queryable: Option<bool>,
    pub retrieveable: Option<bool>,
    /// The fields that the connected user can see.
    pub fields: Fields<'a>,
    /// Record types of the object.
    pub record_types: Vec<RecordTypeInfo<'a>>,
}

/// The fields of a describe result.
#[derive(Default)]
pub struct Fields<'a> {
    /// All of them.
    pub all: Vec<Field<'a>>,
    /// Whether the answer has a list; `null` is an empty one.
    is_list: bool,
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
    pub html_formatted: bool,
    pub extra_type_info: Option<Cow<'a, str>>,
    /// Whether queries can filter by it, if the answer says so.
    pub filterable: Option<bool>,
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
}

impl<'a> Sink<'a> for Describe<'a> {
    fn member(&mut self, name: Cow<'a, str>) -> Option<&mut dyn Sink<'a>> {
        Some(match &*name {
            "createable" => &mut self.createable,
            "updateable" => &mut self.updateable,
            "queryable" => &mut self.queryable,
            "retrieveable" => &mut self.retrieveable,
            "fields" => &mut self.fields,
            "recordTypeInfos" => &mut self.record_types,
            _ => return None,
        })
    }
}

impl<'a> Sink<'a> for Fields<'a> {
    fn scalar(&mut self, value: Scalar<'a>) {
        self.is_list |= matches!(value, Scalar::Null);
    }

    fn list(&mut self) {
        self.is_list = true;
    }

    fn item(&mut self) -> Option<&mut dyn Sink<'a>> {
        if self.all.len() > MOST_FIELDS { None } else { self.all.item() }
    }
}

impl<'a> Sink<'a> for Field<'a> {
    fn member(&mut self, name: Cow<'a, str>) -> Option<&mut dyn Sink<'a>> {
        Some(match &*name {
            "name" => &mut self.name,
            "label" => &mut self.label,
            "type" => &mut self.field_type,
            "length" => &mut self.length,
            "precision" => &mut self.precision,
            "digits" => &mut self.digits,
            "scale" => &mut self.scale,
            "createable" => &mut self.createable,
            "updateable" => &mut self.updateable,
            "nillable" => &mut self.nillable,
            "defaultedOnCreate" => &mut self.defaulted_on_create,
            "calculated" => &mut self.calculated,
            "autoNumber" => &mut self.auto_number,
            "deprecatedAndHidden" => &mut self.deprecated_and_hidden,
            "restrictedPicklist" => &mut self.restricted_picklist,
            "externalId" => &mut self.external_id,
            "unique" => &mut self.unique,
            "htmlFormatted" => &mut self.html_formatted,
            "extraTypeInfo" => &mut self.extra_type_info,
            "filterable" => &mut self.filterable,
            "compoundFieldName" => &mut self.compound_field_name,
            "controllerName" => &mut self.controller_name,
            "inlineHelpText" => &mut self.inline_help_text,
            "picklistValues" => &mut self.picklist_values,
            "referenceTo" => &mut self.reference_to,
            _ => return None,
        })
    }
}

impl<'a> Sink<'a> for PicklistEntry<'a> {
    fn member(&mut self, name: Cow<'a, str>) -> Option<&mut dyn Sink<'a>> {
        Some(match &*name {
            "value" => &mut self.value,
            "label" => &mut self.label,
            "active" => &mut self.active,
            "defaultValue" => &mut self.default_value,
            "validFor" => &mut self.valid_for,
            _ => return None,
        })
    }
}

impl<'a> Sink<'a> for RecordTypeInfo<'a> {
    fn member(&mut self, name: Cow<'a, str>) -> Option<&mut dyn Sink<'a>> {
        Some(match &*name {
            "recordTypeId" => &mut self.record_type_id,
            "name" => &mut self.name,
            "active" => &mut self.active,
            "available" => &mut self.available,
            "master" => &mut self.master,
            _ => return None,
        })
    }
}

impl<'a> Describe<'a> {
    /// Reads an answer, or says why it is not a describe result.
    pub fn parse(body: &'a [u8]) -> Result<Self, String> {
        // One check of the whole body is faster than one per string.
        let text = std::str::from_utf8(body).map_err(|_| "not UTF-8".to_owned())?;
        let mut describe = Self::default();
        json::read(text.trim_start_matches('\u{FEFF}'), MOST_VALUES, &mut describe)
            .map_err(|error| unreadable(&error))?;
        if !describe.fields.is_list {
            return Err("it has no fields".to_owned());
        }
        if describe.fields.all.len() > MOST_FIELDS {
            return Err("more fields than an object has".to_owned());
        }
        Ok(describe)
    }
}

fn unreadable(error: &serde_json::Error) -> String {
    if error.is_data() {
        return "more values than a describe result has".to_owned();
    }
    format!("invalid JSON at line {}, column {}", error.line(), error.column())
}

/// Whether a `validFor` bitmap (base64, most significant bit first) allows the controlling value at this position.
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
    fn a_describe_of_more_than_an_object_has_is_refused_before_it_fills_the_memory() {
        let fields = |count: usize| [r#"{"fields":["#, &"0,".repeat(count), "0]}"].concat();
        assert!(Describe::parse(fields(1_999).as_bytes()).is_ok());
        let more = Describe::parse(fields(100_000).as_bytes()).err();
        assert_eq!(more.as_deref(), Some("more fields than an object has"));
        let values = [r#"{"fields":[{"picklistValues":["#, &"0,".repeat(200_000), "0]}]}"].concat();
        let dense = Describe::parse(values.as_bytes()).err();
        assert_eq!(dense.as_deref(), Some("more values than a describe result has"));
    }

    #[test]
    fn what_is_not_a_describe_result_is_refused() {
        for body in [&b"<html>"[..], b"", b"[]", b"{\"fields\":[{\"name\":", b"\xFF\xFE", b"{\"fields\":3}", b"{}"] {
            assert!(Describe::parse(body).is_err(), "{body:?}");
        }
    }
}
