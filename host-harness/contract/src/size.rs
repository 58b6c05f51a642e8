//! Sizes as the contract counts them: the UTF-8 bytes of all texts, plus 16 for each item of a list.
//!
//! Values are walked by a serializer that writes nothing, so that no record can be forgotten.

use std::fmt;

use serde::{
    Serialize, Serializer,
    ser::{
        Error, Impossible, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple, SerializeTupleStruct,
        SerializeTupleVariant,
    },
};

/// What a call's arguments or result may have at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeLimits {
    /// Bytes of one text.
    pub text: usize,
    /// Items of one list.
    pub list: usize,
    /// Size of everything together.
    pub total: usize,
}

/// Limits for the arguments of a call.
pub const ARGUMENTS: SizeLimits = SizeLimits { text: 128 << 10, list: 2_000, total: 1 << 20 };
/// Limits for the result of a call.
pub const RESULT: SizeLimits = SizeLimits { text: 128 << 10, list: 10_000, total: 8 << 20 };

/// What counts for a list item beside its texts.
const ITEM: usize = 16;

/// A value that is larger than the contract allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TooLarge {
    /// A text.
    Text {
        /// Its bytes.
        bytes: usize,
        /// Bytes that are allowed.
        limit: usize,
    },
    /// A list.
    List {
        /// Its items.
        items: usize,
        /// Items that are allowed.
        limit: usize,
    },
    /// Everything together.
    Total {
        /// The size that is allowed.
        limit: usize,
    },
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { bytes, limit } => write!(f, "a text has {bytes} bytes; the contract allows {limit}"),
            Self::List { items, limit } => write!(f, "a list has {items} items; the contract allows {limit}"),
            Self::Total { limit } => {
                write!(f, "texts and lists exceed {limit} bytes together, which the contract allows")
            }
        }
    }
}

impl std::error::Error for TooLarge {}

impl SizeLimits {
    /// Measures a value of this crate's types, or a tuple of them.
    ///
    /// # Errors
    /// The first limit that it exceeds.
    pub fn check(self, value: &impl Serialize) -> Result<usize, TooLarge> {
        let mut meter = Meter { limits: self, size: 0 };
        value.serialize(&mut meter).map(|()| meter.size).map_err(|Exceeded(fault)| fault)
    }
}

struct Meter {
    limits: SizeLimits,
    size: usize,
}

#[derive(Debug)]
struct Exceeded(TooLarge);

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Exceeded {}

impl Error for Exceeded {
    /// Only maps with keys that are not text, and the like, report errors of their own; no record of the contract has them.
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self(TooLarge::Total { limit: 0 })
    }
}

impl Meter {
    fn add(&mut self, size: usize) -> Result<(), Exceeded> {
        self.size = self.size.saturating_add(size);
        let limit = self.limits.total;
        if self.size > limit { Err(Exceeded(TooLarge::Total { limit })) } else { Ok(()) }
    }

    fn text(&mut self, bytes: usize) -> Result<(), Exceeded> {
        let limit = self.limits.text;
        if bytes > limit { Err(Exceeded(TooLarge::Text { bytes, limit })) } else { self.add(bytes) }
    }
}

/// Values that have no size of their own.
macro_rules! nothing {
    ($($method:ident: $type:ty,)+) => {
        $(fn $method(self, _: $type) -> Result<(), Exceeded> { Ok(()) })+
    };
}

/// Parts of a record, which count by their texts and lists alone.
macro_rules! parts {
    ($($trait:ident, $method:ident $(($key:ty))?;)+) => {
        $(impl $trait for &mut Meter {
            type Ok = ();
            type Error = Exceeded;

            fn $method<T: ?Sized + Serialize>(&mut self, $(_: $key,)? value: &T) -> Result<(), Exceeded> {
                value.serialize(&mut **self)
            }

            fn end(self) -> Result<(), Exceeded> {
                Ok(())
            }
        })+
    };
}

parts! {
    SerializeStruct, serialize_field(&'static str);
    SerializeStructVariant, serialize_field(&'static str);
    SerializeTuple, serialize_element;
    SerializeTupleStruct, serialize_field;
    SerializeTupleVariant, serialize_field;
}

impl SerializeSeq for &mut Meter {
    type Ok = ();
    type Error = Exceeded;

    fn serialize_element<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Exceeded> {
        self.add(ITEM)?;
        value.serialize(&mut **self)
    }

    fn end(self) -> Result<(), Exceeded> {
        Ok(())
    }
}

impl Serializer for &mut Meter {
    type Ok = ();
    type Error = Exceeded;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Impossible<(), Exceeded>;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    nothing! {
        serialize_bool: bool,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_f32: f32,
        serialize_f64: f64,
        serialize_char: char,
        serialize_unit_struct: &'static str,
    }

    fn serialize_str(self, text: &str) -> Result<(), Exceeded> {
        self.text(text.len())
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), Exceeded> {
        self.text(bytes.len())
    }

    fn serialize_none(self) -> Result<(), Exceeded> {
        Ok(())
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<(), Exceeded> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Exceeded> {
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<(), Exceeded> {
        Ok(())
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, _: &'static str, value: &T) -> Result<(), Exceeded> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Exceeded> {
        value.serialize(self)
    }

    fn serialize_seq(self, items: Option<usize>) -> Result<Self, Exceeded> {
        let items = items.unwrap_or_default();
        let limit = self.limits.list;
        if items > limit { Err(Exceeded(TooLarge::List { items, limit })) } else { Ok(self) }
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, Exceeded> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Exceeded> {
        Ok(self)
    }

    fn serialize_tuple_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> Result<Self, Exceeded> {
        Ok(self)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Impossible<(), Exceeded>, Exceeded> {
        Err(Exceeded::custom("a map"))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Exceeded> {
        Ok(self)
    }

    fn serialize_struct_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> Result<Self, Exceeded> {
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Mapping, Parameter, Row, SourceKind, Value};

    fn row(text: &str) -> Row {
        let value = Some(Value::Choices(vec![text.into(), text.into()]));
        Row { field: "F".into(), memo: "m".into(), value, fallback: None, source: SourceKind::Guest, on_change: false }
    }

    #[test]
    fn a_size_is_the_bytes_of_all_texts_and_sixteen_for_each_item() {
        let mapping = Mapping {
            target: Some("Lead".into()),
            rows: vec![row("かな"), row("")],
            options: vec![Parameter::new("a", "bc")],
            more: Vec::new(),
        };
        // target, two rows with field, memo and two choices each, one option
        let expected = 4 + (16 + 2 + 2 * (16 + 6)) + (16 + 2 + 2 * 16) + (16 + 3);
        assert_eq!(ARGUMENTS.check(&(&mapping, 7u64)), Ok(expected));
    }

    #[test]
    fn each_limit_is_inclusive() {
        let limits = SizeLimits { text: 5, list: 2, total: 100 };
        let texts = |texts: &[&str]| limits.check(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        assert_eq!(texts(&["12345", "1"]), Ok(38));
        assert_eq!(texts(&["123456"]), Err(TooLarge::Text { bytes: 6, limit: 5 }));
        assert_eq!(texts(&["", "", ""]), Err(TooLarge::List { items: 3, limit: 2 }));
        let full = vec![vec![row("1"), row("2")]];
        assert_eq!(limits.check(&full), Err(TooLarge::Total { limit: 100 }));
    }
}
