//! The answer of `sobjects/Lead/describe`, as far as this plugin reads it.
//!
//! Any describe must list: keys may be missing, `null` or new, types unknown. Strings are borrowed from the answer, since a
//! large org's describe has megabytes.

use serde::{Deserialize, Deserializer};
use std::borrow::Cow;

/// A describe result.
#[derive(Deserialize)]
pub struct Describe<'a> {
    /// Whether the connected user may create such records, where it is told; likewise the three that follow.
    pub createable: Option<bool>,
    pub updateable: Option<bool>,
    pub queryable: Option<bool>,
    pub retrieveable: Option<bool>,
    /// The fields that the connected user can see.
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub fields: Vec<Field<'a>>,
    /// Record types of the object.
    #[serde(borrow, default, rename = "recordTypeInfos", deserialize_with = "or_default")]
    pub record_types: Vec<RecordTypeInfo<'a>>,
}

/// A text, borrowed where it has no escapes.
#[derive(Deserialize, Default, Clone, Debug, PartialEq, Eq)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// A field of a describe result.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Field<'a> {
    #[serde(borrow, deserialize_with = "or_default")]
    pub name: Text<'a>,
    #[serde(borrow, deserialize_with = "or_default")]
    pub label: Text<'a>,
    #[serde(borrow, deserialize_with = "or_default", rename = "type")]
    pub field_type: Text<'a>,
    #[serde(deserialize_with = "or_default")]
    pub length: u32,
    #[serde(deserialize_with = "or_default")]
    pub precision: u32,
    #[serde(deserialize_with = "or_default")]
    pub digits: u32,
    #[serde(deserialize_with = "or_default")]
    pub scale: u32,
    #[serde(deserialize_with = "or_default")]
    pub createable: bool,
    #[serde(deserialize_with = "or_default")]
    pub updateable: bool,
    #[serde(deserialize_with = "or_default")]
    pub nillable: bool,
    #[serde(deserialize_with = "or_default")]
    pub defaulted_on_create: bool,
    #[serde(deserialize_with = "or_default")]
    pub calculated: bool,
    #[serde(deserialize_with = "or_default")]
    pub auto_number: bool,
    #[serde(deserialize_with = "or_default")]
    pub deprecated_and_hidden: bool,
    #[serde(deserialize_with = "or_default")]
    pub restricted_picklist: bool,
    #[serde(deserialize_with = "or_default")]
    pub external_id: bool,
    #[serde(deserialize_with = "or_default")]
    pub unique: bool,
    #[serde(borrow)]
    pub compound_field_name: Option<Text<'a>>,
    #[serde(borrow)]
    pub controller_name: Option<Text<'a>>,
    #[serde(borrow)]
    pub inline_help_text: Option<Text<'a>>,
    #[serde(borrow, deserialize_with = "or_default")]
    pub picklist_values: Vec<PicklistEntry<'a>>,
    #[serde(borrow, deserialize_with = "or_default")]
    pub reference_to: Vec<Text<'a>>,
}

/// A value of a picklist.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct PicklistEntry<'a> {
    #[serde(borrow, deserialize_with = "or_default")]
    pub value: Text<'a>,
    #[serde(borrow)]
    pub label: Option<Text<'a>>,
    #[serde(deserialize_with = "or_default")]
    pub active: bool,
    #[serde(deserialize_with = "or_default")]
    pub default_value: bool,
    #[serde(borrow)]
    pub valid_for: Option<Text<'a>>,
}

/// A record type of the object.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct RecordTypeInfo<'a> {
    #[serde(borrow, deserialize_with = "or_default")]
    pub record_type_id: Text<'a>,
    #[serde(borrow, deserialize_with = "or_default")]
    pub name: Text<'a>,
    #[serde(deserialize_with = "or_default")]
    pub active: bool,
    #[serde(deserialize_with = "or_default")]
    pub available: bool,
    #[serde(deserialize_with = "or_default")]
    pub master: bool,
    #[serde(deserialize_with = "or_default")]
    pub default_record_type_mapping: bool,
}

/// `null` counts as absent.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

impl<'a> Describe<'a> {
    /// Reads an answer; says what is wrong where it is no describe result.
    pub fn parse(body: &'a [u8]) -> Result<Self, String> {
        // One check of the whole is faster than one for each string.
        let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
        serde_json::from_str(text.trim_start_matches('\u{FEFF}')).map_err(|error| error.to_string())
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
        // A real one: the state `AC` of a country list whose 38th entry is Brazil.
        let allowed: Vec<usize> = (0..100).filter(|place| is_valid_for("AAAAAgAA", *place)).collect();
        assert_eq!(allowed, [38]);
        let allowed: Vec<usize> = (0..100).filter(|place| is_valid_for("gAA=", *place)).collect();
        assert_eq!(allowed, [0]);
        assert!((0..100).all(|place| !is_valid_for("", place)));
    }

    #[test]
    fn missing_null_and_unknown_keys_are_no_obstacle() {
        for body in [
            "{}",
            "\u{FEFF}{\"fields\":null,\"recordTypeInfos\":null}",
            r#"{"fields":[{}],"new":{"a":[1.5e300]}}"#,
            r#"{"fields":[{"name":null,"label":null,"type":null,"length":null,"createable":null,"picklistValues":null,
                "referenceTo":null,"controllerName":null,"defaultValue":1.5,"newKey":[{}]}]}"#,
            r#"{"fields":[{"name":"A","picklistValues":[{"value":null,"label":null,"active":null,"validFor":null}]}]}"#,
        ] {
            assert!(Describe::parse(body.as_bytes()).is_ok(), "{body}");
        }
    }

    #[test]
    fn what_is_no_describe_is_told() {
        for body in [&b"<html>"[..], b"", b"[]", b"{\"fields\":[{\"name\":", b"\xFF\xFE", b"{\"fields\":3}"] {
            assert!(Describe::parse(body).is_err(), "{body:?}");
        }
    }
}
