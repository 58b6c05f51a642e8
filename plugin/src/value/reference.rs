//! Ids of Salesforce records: 15 characters, or 18 whose last three are a checksum of the case of the others.

use super::{Fit, Json, as_text, unfit};
use crate::{bindings::types::Value, codes, field::LeadField};
use crm_characters::trimmed;

/// Id prefixes of the objects that a Lead or a mapping may refer to (Salesforce help, "Standard Field Record ID Prefix
/// Decoder"). Those of custom objects differ between orgs.
const PREFIXES: [(&str, &str); 7] = [
    ("User", "005"),
    ("Group", "00G"),
    ("Campaign", "701"),
    ("Account", "001"),
    ("Contact", "003"),
    ("RecordType", "012"),
    ("AssignmentRule", "01Q"),
];

/// The id of a record that the field may refer to.
pub fn reference<'a>(given: &'a Value, field: &LeadField<'_>) -> Fit<'a> {
    let text = trimmed(as_text(given));
    let detail = if !is_record_id(&text) {
        "not the id of a Salesforce record: 15 or 18 letters and digits"
    } else if field.reference_to.is_empty() || field.reference_to.iter().any(|object| is_id_of(&text, object)) {
        return Ok(Json::Text(text).into());
    } else {
        "the id of a record of another object"
    };
    unfit(codes::REFERENCE_INVALID, detail)
}

/// Whether an id may be that of an object's record.
pub fn is_id_of(id: &str, object: &str) -> bool {
    PREFIXES.iter().all(|(known, prefix)| *known != object || id.starts_with(prefix))
}

/// Whether a text is a record id. The longer form must have the right checksum.
pub fn is_record_id(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && match text.len() {
            15 => true,
            18 => text.get(..15).and_then(checksum).is_some_and(|expected| {
                text.get(15..).is_some_and(|checksum| checksum.eq_ignore_ascii_case(&expected))
            }),
            _ => false,
        }
}

/// Whether two ids name the same record, whatever their lengths.
pub fn same_record(one: &str, other: &str) -> bool {
    match (one.get(..15), other.get(..15)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

/// The three characters that encode which of the fifteen are capitals.
fn checksum(id: &str) -> Option<String> {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
    id.as_bytes()
        .chunks(5)
        .map(|five| {
            let bits = five
                .iter()
                .enumerate()
                .fold(0, |bits, (place, byte)| bits | usize::from(byte.is_ascii_uppercase()) << place);
            ALPHABET.get(bits).map(|byte| char::from(*byte))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        bindings::types::FieldType,
        fixture::field,
        value::{Context, Fitted, fit},
    };
    use proptest::prelude::*;

    #[test]
    fn ids_are_checked_by_their_checksum() {
        for id in
            ["0017e00001W4GYR", "0017e00001W4GYRAA3", "0015500001QdQWaAAN", "012000000000000AAA", "0017e00001W4GYRaa3"]
        {
            assert!(is_record_id(id), "{id}");
        }
        for id in [
            "",
            "0017e00001W4GYRAA4",
            "0017e00001w4gyrAA3",
            "0017e00001W4GY",
            "0017e00001W4GYRAA",
            "００１7e00001W4GYR",
            "0017e00001W4G'R",
        ] {
            assert!(!is_record_id(id), "{id}");
        }
    }

    #[test]
    fn an_id_must_be_of_an_object_that_the_field_refers_to() {
        for (id, objects, expected) in [
            ("0055e00000AbCdE", &["Group", "User"][..], true),
            ("00G5e00000AbCdE", &["Group", "User"], true),
            ("00Q5e00000AbCdE", &["Group", "User"], false),
            ("7015e00000AbCdE", &["Campaign"], true),
            ("0015e00000AbCdE", &["Campaign"], false),
            ("0015e00000AbCdE", &["Account"], true),
            ("0035e00000AbCdE", &["Contact"], true),
            ("0035e00000AbCdE", &["Account"], false),
            ("0125e00000AbCdE", &["RecordType"], true),
            ("0055e00000AbCdE", &["RecordType"], false),
            // Custom objects, whose prefixes are unknown.
            ("a015e00000AbCdE", &["Course__c"], true),
            ("0055e00000AbCdE", &["Course__c"], true),
            ("a015e00000AbCdE", &["User", "Course__c"], true),
            ("a015e00000AbCdE", &[], true),
        ] {
            let reference_to = objects.iter().map(|object| (*object).into()).collect();
            let field = LeadField { reference_to, ..field("Ref__c", FieldType::Reference) };
            let given = Value::Text(id.into());
            let fitted = fit(&given, &field, Context::default());
            assert_eq!(fitted.is_ok(), expected, "{id} {objects:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_an_id_and_never_cut(given in "[0-9A-Za-z ]{13,20}|.{0,20}", length in 0_u32..20) {
            let field = LeadField { length: Some(length), ..field("Ref__c", FieldType::Reference) };
            match fit(&Value::Text(given.clone()), &field, Context::default()) {
                Ok(Fitted { value: Json::Text(id), .. }) => prop_assert!(is_record_id(&id) && id == given.trim()),
                Err(note) => prop_assert_eq!(note.code, codes::REFERENCE_INVALID),
                other => prop_assert!(false, "{:?}", other),
            }
        }

        #[test]
        fn one_wrong_letter_in_an_id_is_noticed(id in "[0-9A-Za-z]{15}", place in 0_usize..15) {
            let whole = [&*id, &checksum(&id).unwrap()].concat();
            prop_assert!(is_record_id(&whole) && same_record(&id, &whole));
            // The checksum covers the case of each letter.
            let mut bytes = whole.clone().into_bytes();
            if bytes[place].is_ascii_alphabetic() {
                bytes[place] ^= 0x20;
                prop_assert!(!is_record_id(std::str::from_utf8(&bytes).unwrap()));
            }
        }
    }

    #[test]
    fn both_lengths_name_the_same_record() {
        assert!(same_record("0017e00001W4GYR", "0017e00001W4GYRAA3"));
        assert!(!same_record("0017e00001W4GYR", "0017e00001W4GYr"));
        assert!(!same_record("", ""));
    }
}
