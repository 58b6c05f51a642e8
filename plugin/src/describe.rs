//! The answer of `sobjects/Lead/describe`, as far as this plugin reads it.
//!
//! Any describe must list: keys may be missing, `null` or new, types unknown. Strings are borrowed from the answer, since a
//! large org's describe has megabytes.

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use std::{borrow::Cow, fmt, marker::PhantomData};

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
    pub reference_to: Vec<Scalar<'a>>,
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
    fn list<A: MapAccess<'a>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        match name {
            "fields" => (self.fields, self.has_fields) = (next_list(map)?, true),
            "recordTypeInfos" => self.record_types = next_list(map)?,
            _ => return Ok(false),
        }
        Ok(true)
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
    fn list<A: MapAccess<'a>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        match name {
            "picklistValues" => self.picklist_values = next_list(map)?,
            "referenceTo" => self.reference_to = map.next_value::<Option<_>>()?.unwrap_or_default(),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn member(&mut self, name: &str, value: Scalar<'a>) {
        match name {
            "name" => self.name = value.text(),
            "label" => self.label = value.text(),
            "type" => self.field_type = value.text(),
            "length" => self.length = value.number(),
            "precision" => self.precision = value.number(),
            "digits" => self.digits = value.number(),
            "scale" => self.scale = value.number(),
            "createable" => self.createable = value.truth(),
            "updateable" => self.updateable = value.truth(),
            "nillable" => self.nillable = value.truth(),
            "defaultedOnCreate" => self.defaulted_on_create = value.truth(),
            "calculated" => self.calculated = value.truth(),
            "autoNumber" => self.auto_number = value.truth(),
            "deprecatedAndHidden" => self.deprecated_and_hidden = value.truth(),
            "restrictedPicklist" => self.restricted_picklist = value.truth(),
            "externalId" => self.external_id = value.truth(),
            "unique" => self.unique = value.truth(),
            "compoundFieldName" => self.compound_field_name = value.optional_text(),
            "controllerName" => self.controller_name = value.optional_text(),
            "inlineHelpText" => self.inline_help_text = value.optional_text(),
            _ => {}
        }
    }
}

impl<'a> Record<'a> for PicklistEntry<'a> {
    fn member(&mut self, name: &str, value: Scalar<'a>) {
        match name {
            "value" => self.value = value.text(),
            "label" => self.label = value.optional_text(),
            "active" => self.active = value.truth(),
            "defaultValue" => self.default_value = value.truth(),
            "validFor" => self.valid_for = value.optional_text(),
            _ => {}
        }
    }
}

impl<'a> Record<'a> for RecordTypeInfo<'a> {
    fn member(&mut self, name: &str, value: Scalar<'a>) {
        match name {
            "recordTypeId" => self.record_type_id = value.text(),
            "name" => self.name = value.text(),
            "active" => self.active = value.truth(),
            "available" => self.available = value.truth(),
            "master" => self.master = value.truth(),
            "defaultRecordTypeMapping" => self.default_record_type_mapping = value.truth(),
            _ => {}
        }
    }
}

/// An object of the answer. Written by hand, since derived code for the same weighs several times as much in the component.
trait Record<'a>: Default {
    /// Reads a member that is a list; answers whether it is one.
    fn list<A: MapAccess<'a>>(&mut self, _name: &str, _map: &mut A) -> Result<bool, A::Error> {
        Ok(false)
    }

    /// Takes any other member.
    fn member(&mut self, name: &str, value: Scalar<'a>);
}

/// A list of objects; `null` is an empty one.
fn next_list<'a, A: MapAccess<'a>, R: Record<'a>>(map: &mut A) -> Result<Vec<R>, A::Error> {
    let list: Option<Vec<Read<R>>> = map.next_value()?;
    Ok(list.unwrap_or_default().into_iter().map(|record| record.0).collect())
}

/// An object that was read; `null` is one without members.
#[repr(transparent)]
struct Read<R>(R);

impl<'a, R: Record<'a>> Deserialize<'a> for Read<R> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<R>(PhantomData<R>);

        impl<'a, R: Record<'a>> Visitor<'a> for Members<R> {
            type Value = Read<R>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(Read(R::default()))
            }

            fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut record = R::default();
                while let Some(name) = map.next_key::<Scalar<'a>>()? {
                    let name = name.text();
                    if !record.list(&name, &mut map)? {
                        let value = map.next_value()?;
                        record.member(&name, value);
                    }
                }
                Ok(Read(record))
            }
        }

        deserializer.deserialize_any(Members(PhantomData))
    }
}

/// A value that is no list and no object; these are passed over.
#[derive(Debug, PartialEq)]
pub enum Scalar<'a> {
    /// A string, borrowed where it has no escapes.
    Text(Cow<'a, str>),
    /// True or false.
    Truth(bool),
    /// A whole number.
    Number(u32),
    /// Anything else.
    Other,
}

impl<'a> Scalar<'a> {
    /// The text; blank where it is none.
    pub fn text(self) -> Cow<'a, str> {
        self.optional_text().unwrap_or_default()
    }

    /// The text, borrowed.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    fn optional_text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    fn truth(&self) -> bool {
        *self == Self::Truth(true)
    }

    fn number(&self) -> u32 {
        match self {
            Self::Number(number) => *number,
            _ => 0,
        }
    }
}

impl<'a> Deserialize<'a> for Scalar<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'a> Visitor<'a> for Any {
            type Value = Scalar<'a>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a value")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'a str) -> Result<Self::Value, E> {
                Ok(Scalar::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Scalar::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_bool<E: Error>(self, truth: bool) -> Result<Self::Value, E> {
                Ok(Scalar::Truth(truth))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
                Ok(u32::try_from(number).map_or(Scalar::Other, Scalar::Number))
            }

            fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
                Ok(Scalar::Other)
            }

            fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Scalar::Other)
            }

            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(Scalar::Other)
            }

            fn visit_seq<A: SeqAccess<'a>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }

            fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }
        }

        deserializer.deserialize_any(Any)
    }
}

impl<'a> Describe<'a> {
    /// Reads an answer; says what is wrong where it is no describe result.
    pub fn parse(body: &'a [u8]) -> Result<Self, String> {
        // One check of the whole is faster than one for each string.
        let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
        let read: Read<Self> =
            serde_json::from_str(text.trim_start_matches('\u{FEFF}')).map_err(|error| error.to_string())?;
        if !read.0.has_fields {
            return Err("there are no fields in it".to_owned());
        }
        Ok(read.0)
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
        for body in [&b"<html>"[..], b"", b"[]", b"{\"fields\":[{\"name\":", b"\xFF\xFE", b"{\"fields\":3}", b"{}"] {
            assert!(Describe::parse(body).is_err(), "{body:?}");
        }
    }
}
