//! The JSON form of an answer's value. By hand, because an untagged enum would lose digits of numbers and could not say
//! what it expected.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
    ser::SerializeMap,
};

use crate::{AnswerValue, attributes::is_decimal};

impl Serialize for AnswerValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Choices(choices) => choices.serialize(serializer),
            Self::Boolean(value) => serializer.serialize_bool(*value),
            Self::Number(number) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("number", number)?;
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for AnswerValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = AnswerValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text or list (or a number, true or false)")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<AnswerValue, E> {
        Ok(AnswerValue::Text(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<AnswerValue, E> {
        Ok(AnswerValue::Text(text))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<AnswerValue, E> {
        Ok(AnswerValue::Boolean(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<AnswerValue, E> {
        Ok(AnswerValue::Number(value.to_string()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<AnswerValue, E> {
        Ok(AnswerValue::Number(value.to_string()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<AnswerValue, E> {
        // `Display` of f64 never writes an exponent.
        Ok(AnswerValue::Number(value.to_string()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<AnswerValue, A::Error> {
        let mut choices = Vec::new();
        while let Some(choice) = list.next_element::<String>()? {
            choices.push(choice);
        }
        Ok(AnswerValue::Choices(choices))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AnswerValue, A::Error> {
        match map.next_key::<String>()? {
            Some(key) if key == "number" => {}
            _ => return Err(A::Error::invalid_type(serde::de::Unexpected::Map, &self)),
        }
        let number: String = map.next_value()?;
        if !is_decimal(&number) {
            return Err(A::Error::custom(format_args!("`{number}` is not a decimal number such as 12.50")));
        }
        match map.next_key::<String>()? {
            None => Ok(AnswerValue::Number(number)),
            Some(key) => Err(A::Error::unknown_field(&key, &["number"])),
        }
    }
}

#[cfg(feature = "schema")]
impl utoipa::PartialSchema for AnswerValue {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        use utoipa::openapi::schema::{AdditionalProperties, ArrayBuilder, ObjectBuilder, OneOfBuilder, Type};
        let text = |pattern: Option<&str>| ObjectBuilder::new().schema_type(Type::String).pattern(pattern);
        let number = ObjectBuilder::new()
            .property("number", text(Some("^-?[0-9]+([.][0-9]+)?$")))
            .required("number")
            .additional_properties(Some(AdditionalProperties::<utoipa::openapi::Schema>::FreeForm(false)));
        let one_of = OneOfBuilder::new()
            .description(Some(
                "Text, the choices taken, yes or no, or a number; `{\"number\": \"12.50\"}` keeps its digits.",
            ))
            .item(text(None))
            .item(ArrayBuilder::new().items(text(None)))
            .item(ObjectBuilder::new().schema_type(Type::Boolean))
            .item(ObjectBuilder::new().schema_type(Type::Number))
            .item(number);
        utoipa::openapi::RefOr::T(one_of.build().into())
    }
}

#[cfg(feature = "schema")]
impl utoipa::ToSchema for AnswerValue {}

#[cfg(test)]
mod tests {
    use crate::*;

    #[test]
    fn every_kind_of_value_survives_json() {
        for value in [
            AnswerValue::Text("山田　太郎".into()),
            AnswerValue::Choices(vec!["予約".into(), "請求".into()]),
            AnswerValue::Number("-12345678901234567890.50".into()),
            AnswerValue::Boolean(false),
        ] {
            let json = serde_json::to_string(&value).unwrap();
            assert_eq!(serde_json::from_str::<AnswerValue>(&json).unwrap(), value, "{json}");
        }
        assert_eq!(serde_json::from_str::<AnswerValue>("1e3").unwrap(), AnswerValue::Number("1000".into()));
    }

    #[test]
    fn an_invalid_value_is_refused_with_what_was_expected() {
        for (json, reason) in [
            ("{}", "expected text or list"),
            ("null", "expected text or list"),
            (r#"{"number":"1,000"}"#, "`1,000` is not a decimal number"),
            (r#"{"text":"a"}"#, "expected text or list"),
            (r#"{"text":1}"#, "expected text or list"),
            (r#"{"number":"1","unit":"kg"}"#, "unknown field `unit`"),
        ] {
            let error = serde_json::from_str::<AnswerValue>(json).unwrap_err().to_string();
            assert!(error.contains(reason), "{json}: {error}");
        }
    }
}
