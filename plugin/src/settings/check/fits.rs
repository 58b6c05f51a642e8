//! Which values can ever fit which field types, as far as the form shows.

use crate::bindings::{settings::Expectation, types::FieldType};

/// Whether one of the values that may come can ever fit a type.
pub fn may_fit(expected: &Expectation, field_type: &FieldType) -> bool {
    let content = expected.content.as_deref();
    expected.gives.is_empty()
        || expected.gives.iter().any(|case| match &**case {
            "text" => text_fits(content, field_type),
            "choices" | "agreed" if expected.several => takes_several(field_type),
            case => case_fits(case, field_type),
        })
}

/// Whether several choices at a time can fit a type: as a list, or as one text.
pub fn takes_several(field_type: &FieldType) -> bool {
    use FieldType as F;
    matches!(field_type, F::Text | F::TextArea | F::Phone | F::Url | F::Choices | F::TextOrChoice | F::Other(_))
}

/// Whether a text with this content can fit a type. Nobody knows what other texts are.
fn text_fits(content: Option<&str>, field_type: &FieldType) -> bool {
    use FieldType as F;
    let Some(content @ ("name" | "company" | "email" | "phone" | "url" | "id" | "label")) = content else {
        return true;
    };
    match field_type {
        F::Email => content == "email",
        F::Date | F::DateTime | F::Time | F::Checkbox => false,
        F::Integer | F::Number | F::Currency | F::Percent => matches!(content, "phone" | "id"),
        F::Reference => content == "id",
        _ => true,
    }
}

/// Whether a value that is not a text can fit a type.
fn case_fits(case: &str, field_type: &FieldType) -> bool {
    use FieldType as F;
    match field_type {
        F::Email | F::Reference => !matches!(case, "number" | "boolean" | "date" | "time" | "moment" | "agreed"),
        F::Date => !matches!(case, "number" | "boolean" | "time" | "agreed"),
        // A date alone is not a moment.
        F::DateTime => !matches!(case, "number" | "boolean" | "date" | "time" | "agreed"),
        F::Time => !matches!(case, "number" | "boolean" | "date" | "agreed"),
        F::Integer | F::Number | F::Currency | F::Percent => {
            !matches!(case, "boolean" | "date" | "time" | "moment" | "agreed")
        }
        F::Checkbox => !matches!(case, "date" | "time" | "moment"),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        bindings::types::Value,
        fixture::{self, choices, text},
        value::{Context, fit},
    };

    fn expected(case: &str, content: Option<&str>, several: bool) -> Expectation {
        Expectation {
            content: content.map(Into::into),
            several,
            ..fixture::expectation(&fixture::text_field("F__c", 80), &[case])
        }
    }

    #[test]
    fn a_value_that_fits_is_never_said_not_to_fit() {
        let values = [
            ("number", Value::Number("1".into())),
            ("boolean", Value::Boolean(true)),
            ("date", Value::Date("2026-12-02".into())),
            ("time", Value::Time("08:30".into())),
            ("moment", Value::Moment("2026-12-02T08:30:00+09:00".into())),
            ("agreed", Value::Agreed(vec!["はい".into()])),
            ("choices", choices(&["1"])),
            ("text", text("1")),
        ];
        for field_type in fixture::types() {
            let field = fixture::field("F__c", field_type.clone());
            for (case, value) in &values {
                let fits = fit(value, &field, Context::default()).is_ok();
                let may_fit = may_fit(&expected(case, None, false), &field_type);
                assert!(may_fit || !fits, "{case} {field_type:?}");
                // A typed case that may fit has a value that does.
                let is_typed = !matches!(*case, "text" | "choices");
                assert!(!is_typed || fits == may_fit, "{case} {field_type:?}");
            }
            let several =
                fit(&choices(&["1", "2"]), &field, Context::default()).is_ok_and(|fitted| fitted.notes.is_empty());
            assert_eq!(may_fit(&expected("choices", None, true), &field_type), several, "{field_type:?}");
        }
    }

    #[test]
    fn what_a_text_is_known_to_be_decides_and_other_texts_may_be_anything() {
        for (content, field_type, expected_fit) in [
            (Some("name"), FieldType::Integer, false),
            (Some("name"), FieldType::Text, true),
            (Some("email"), FieldType::Email, true),
            (Some("phone"), FieldType::Email, false),
            (Some("phone"), FieldType::Number, true),
            (Some("id"), FieldType::Reference, true),
            (Some("label"), FieldType::Date, false),
            (Some("company"), FieldType::Checkbox, false),
            (Some("of a later version"), FieldType::Date, true),
            (None, FieldType::Date, true),
        ] {
            assert_eq!(
                may_fit(&expected("text", content, false), &field_type),
                expected_fit,
                "{content:?} {field_type:?}"
            );
        }
    }

    #[test]
    fn one_case_that_fits_is_enough() {
        let either = Expectation { gives: vec!["date".into(), "text".into()], ..expected("text", None, false) };
        assert!(may_fit(&either, &FieldType::Number));
    }
}
