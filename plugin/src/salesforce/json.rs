//! Reading JSON, with one reader for all that is read.
//!
//! `serde_json` parses. What a type derives, or implements for itself, would be compiled anew for each type, and brings along
//! the formatting of numbers for errors that nobody reads: a quarter of the component. Here a single visitor passes every value
//! to the place that takes it.

use serde::{
    Deserialize as _, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use std::borrow::Cow;
use std::fmt;

/// A place that takes a value. What it has no use for is passed over.
pub trait Place<'a> {
    /// Takes a value that is no list and no object.
    fn scalar(&mut self, _value: Scalar<'a>) {}

    /// Is told that a list follows.
    fn list(&mut self) {}

    /// The place of the list's next item.
    fn item(&mut self) -> Option<&mut dyn Place<'a>> {
        None
    }

    /// Is told that an object follows.
    fn object(&mut self) {}

    /// The place of the object's member of that name.
    fn member(&mut self, _name: Cow<'a, str>) -> Option<&mut dyn Place<'a>> {
        None
    }
}

/// A value that is no list and no object.
pub enum Scalar<'a> {
    /// A string, borrowed where it has no escapes.
    Text(Cow<'a, str>),
    /// True or false.
    Truth(bool),
    /// A number.
    Number(f64),
    /// Null.
    Null,
}

/// Whether a text has no more values than so many. What is read of a value takes many times the bytes that `0,` has, so that a
/// few megabytes of these would fill the memory that a host gives.
pub fn has_at_most(text: &str, values: usize) -> bool {
    text.bytes().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count() <= values
}

/// Reads a text into a place.
pub fn read<'a>(text: &'a str, place: &mut dyn Place<'a>) -> serde_json::Result<()> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    Value(place).deserialize(&mut deserializer)?;
    deserializer.end()
}

impl<'a> Place<'a> for Cow<'a, str> {
    fn scalar(&mut self, value: Scalar<'a>) {
        if let Scalar::Text(text) = value {
            *self = text;
        }
    }
}

impl<'a> Place<'a> for Option<Cow<'a, str>> {
    fn scalar(&mut self, value: Scalar<'a>) {
        if let Scalar::Text(text) = value {
            *self = Some(text);
        }
    }
}

impl<'a> Place<'a> for bool {
    fn scalar(&mut self, value: Scalar<'a>) {
        *self = matches!(value, Scalar::Truth(true));
    }
}

impl<'a> Place<'a> for Option<bool> {
    fn scalar(&mut self, value: Scalar<'a>) {
        if let Scalar::Truth(truth) = value {
            *self = Some(truth);
        }
    }
}

impl<'a> Place<'a> for u32 {
    fn scalar(&mut self, value: Scalar<'a>) {
        if let Scalar::Number(number) = value {
            let whole = number as Self;
            *self = if f64::from(whole) == number { whole } else { 0 };
        }
    }
}

impl<'a, T: Place<'a> + Default> Place<'a> for Vec<T> {
    fn item(&mut self) -> Option<&mut dyn Place<'a>> {
        self.push(T::default());
        self.last_mut().map(|item| item as _)
    }
}

/// A value that goes to a place.
struct Value<'r, 'a>(&'r mut dyn Place<'a>);

/// An item that goes where the list's place says.
struct Item<'r, 'a>(&'r mut dyn Place<'a>);

/// The name of a member.
struct Name;

impl<'a> DeserializeSeed<'a> for Value<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> DeserializeSeed<'a> for Item<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.0.item() {
            Some(place) => Value(place).deserialize(deserializer),
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

// Every method that JSON can lead to is here: serde's own would bring what formats errors of any type.
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

    fn visit_bool<E: Error>(self, truth: bool) -> Result<(), E> {
        self.scalar(Scalar::Truth(truth))
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
        self.0.list();
        while list.next_element_seed(Item(&mut *self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        self.0.object();
        while let Some(name) = map.next_key_seed(Name)? {
            match self.0.member(name) {
                Some(place) => map.next_value_seed(Value(place))?,
                None => map.next_value::<IgnoredAny>().map(drop)?,
            }
        }
        Ok(())
    }
}

impl<'a> Value<'_, 'a> {
    fn scalar<E: Error>(self, value: Scalar<'a>) -> Result<(), E> {
        self.0.scalar(value);
        Ok(())
    }
}
