//! Reading JSON into sinks, with one visitor for everything that is read.
//!
//! `serde_json` parses. A derived `Deserialize` is faster, but fails at the first member of another type than expected, while
//! Salesforce's responses are to be read as far as they make sense; and it does not bound the number of values. See
//! "Hand-made pieces" in `plugin/README.md`.

use serde::{
    Deserialize as _, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use std::{borrow::Cow, fmt};

/// Takes a value. What it has no use for is skipped.
pub trait Sink<'a> {
    /// Takes a value that is neither a list nor an object.
    fn scalar(&mut self, _value: Scalar<'a>) {}

    /// Called before the items of a list.
    fn list(&mut self) {}

    /// The sink of the list's next item.
    fn item(&mut self) -> Option<&mut dyn Sink<'a>> {
        None
    }

    /// Called before the members of an object.
    fn object(&mut self) {}

    /// The sink of the object's member of that name.
    fn member(&mut self, _name: Cow<'a, str>) -> Option<&mut dyn Sink<'a>> {
        None
    }
}

pub enum Scalar<'a> {
    /// Borrowed unless it has escapes.
    Text(Cow<'a, str>),
    Bool(bool),
    Number(f64),
    Null,
}

/// Reads a text into a sink. Fails if the text is not JSON, or if the sink takes more than `most` values: a value takes many
/// times the bytes of its `0,`, so that a few megabytes of these would exhaust the memory of a call.
pub fn read<'a>(text: &'a str, most: usize, sink: &mut dyn Sink<'a>) -> serde_json::Result<()> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let mut left = most;
    Value { sink, left: &mut left }.deserialize(&mut deserializer)?;
    deserializer.end()
}

impl<'a> Sink<'a> for Cow<'a, str> {
    fn scalar(&mut self, value: Scalar<'a>) {
        if let Scalar::Text(text) = value {
            *self = text;
        }
    }
}

impl<'a> Sink<'a> for Option<Cow<'a, str>> {
    fn scalar(&mut self, value: Scalar<'a>) {
        if let Scalar::Text(text) = value {
            *self = Some(text);
        }
    }
}

impl<'a> Sink<'a> for bool {
    fn scalar(&mut self, value: Scalar<'a>) {
        *self = matches!(value, Scalar::Bool(true));
    }
}

impl<'a> Sink<'a> for Option<bool> {
    fn scalar(&mut self, value: Scalar<'a>) {
        if let Scalar::Bool(value) = value {
            *self = Some(value);
        }
    }
}

impl<'a> Sink<'a> for u32 {
    fn scalar(&mut self, value: Scalar<'a>) {
        if let Scalar::Number(number) = value {
            let whole = number as Self;
            *self = if f64::from(whole) == number { whole } else { 0 };
        }
    }
}

impl<'a, T: Sink<'a> + Default> Sink<'a> for Vec<T> {
    fn item(&mut self) -> Option<&mut dyn Sink<'a>> {
        self.push(T::default());
        self.last_mut().map(|item| item as _)
    }
}

/// A value on its way to a sink.
struct Value<'r, 'a> {
    sink: &'r mut dyn Sink<'a>,
    /// How many more values may be taken.
    left: &'r mut usize,
}

/// An item of the list that a sink takes.
struct Item<'r, 'a>(Value<'r, 'a>);

/// The name of a member.
struct Name;

impl<'a> DeserializeSeed<'a> for Value<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        *self.left = self.left.checked_sub(1).ok_or_else(|| Error::custom("too many values"))?;
        deserializer.deserialize_any(self)
    }
}

impl<'a> DeserializeSeed<'a> for Item<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        let Value { sink, left } = self.0;
        match sink.item() {
            Some(sink) => Value { sink, left }.deserialize(deserializer),
            None => IgnoredAny::deserialize(deserializer).map(drop),
        }
    }
}

impl<'a> DeserializeSeed<'a> for Name {
    type Value = Cow<'a, str>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'a> Visitor<'a> for Name {
    type Value = Cow<'a, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'a str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

impl<'a> Visitor<'a> for Value<'_, 'a> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'a str) -> Result<(), E> {
        self.scalar(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.scalar(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.scalar(Scalar::Bool(value))
    }

    // Salesforce keeps numbers as doubles too.
    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.scalar(Scalar::Number(number as f64))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.scalar(Scalar::Number(number as f64))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        self.scalar(Scalar::Number(number))
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.scalar(Scalar::Null)
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { sink, left } = self;
        sink.list();
        while list.next_element_seed(Item(Value { sink: &mut *sink, left: &mut *left }))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { sink, left } = self;
        sink.object();
        while let Some(name) = map.next_key_seed(Name)? {
            match sink.member(name) {
                Some(sink) => map.next_value_seed(Value { sink, left: &mut *left })?,
                None => map.next_value::<IgnoredAny>().map(drop)?,
            }
        }
        Ok(())
    }
}

impl<'a> Value<'_, 'a> {
    fn scalar<E: Error>(self, value: Scalar<'a>) -> Result<(), E> {
        self.sink.scalar(value);
        Ok(())
    }
}
