//! How much memory a guest's text costs. The component frees none during a call, so that every byte counts.

#![expect(unsafe_code, reason = "an allocator is unsafe by its nature")]

use crate::{
    bindings::types::{FieldType, Value},
    field::LeadField,
    fixture,
    value::{Context, fit},
};
use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

/// The longest text that a host hands over.
const LONGEST: usize = 128 * 1024;

thread_local! {
    static ASKED: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, with a count of what was asked for.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn count(bytes: usize) {
    let _ = ASKED.try_with(|asked| asked.set(asked.get() + bytes));
}

// SAFETY: every call is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: the caller keeps the contract.
        unsafe { System.realloc(block, layout, size) }
    }
}

/// How many bytes a call allocates.
fn cost<T>(of: impl FnOnce() -> T) -> usize {
    let before = ASKED.get();
    let _kept = of();
    ASKED.get() - before
}

/// Texts of the greatest length that nobody would type, but somebody may send.
fn texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        ",",
        ", a",
        "a;",
        "a、",
        "\n",
        "v7,V7,",
        " ",
        "　",
        "a ",
        "a (",
        "( ",
        "Dr. ",
        "\0",
        "\u{85}a",
        "ﾊﾞ",
        "Ａ,",
        "'",
        "9",
        "9,999",
        "0",
        ".",
        "-",
        "👩‍💻",
        "e\u{301}",
        "\u{3099}",
        "ない",
        "not ",
        "2026年",
        "{",
    ]
    .iter()
    .map(|piece| piece.repeat(LONGEST / piece.len()))
    .collect();
    for separator in [",", ";", "、"] {
        let numbers: Vec<String> = (0..40_000).map(|n| n.to_string()).collect();
        let mut text = numbers.join(separator);
        text.truncate(text.floor_char_boundary(LONGEST));
        texts.push(text);
    }
    texts
}

#[test]
fn a_text_costs_no_more_than_some_copies_of_it() {
    let values: Vec<_> = (0..500).map(|n| fixture::value(&format!("ｖ{n}"))).collect();
    for text in texts() {
        for field_type in [
            FieldType::Text,
            FieldType::TextArea,
            FieldType::Email,
            FieldType::Phone,
            FieldType::Number,
            FieldType::Checkbox,
            FieldType::Date,
            FieldType::DateTime,
            FieldType::Time,
            FieldType::Choice,
            FieldType::Choices,
            FieldType::Reference,
        ] {
            for restricted in [true, false] {
                let values = values.clone();
                let length = Some(4_099).filter(|_| restricted);
                let field = LeadField { restricted, values, length, ..fixture::field("F__c", field_type.clone()) };
                // The choices of a consent are read for what they say.
                let given = if field_type == FieldType::Checkbox {
                    Value::Agreed(vec![text.clone()])
                } else {
                    Value::Text(text.clone())
                };
                let spent = cost(|| fit(&given, &field, Context::default()));
                let start: String = text.chars().take(8).collect();
                assert!(spent <= 5 * LONGEST, "{field_type:?} {restricted} {start:?}: {spent}");
            }
        }
    }
}

#[test]
fn many_choices_cost_no_more_than_some_copies_of_them() {
    let choices: Vec<String> = (0..2_000).map(|n| format!("choice {n} {}", "x".repeat(50))).collect();
    let values = choices.iter().rev().map(|choice| fixture::value(choice)).take(1_000).collect();
    let field = LeadField { restricted: true, values, ..fixture::field("F__c", FieldType::Choices) };
    for given in [Value::Choices(choices.clone()), Value::Agreed(choices)] {
        let spent = cost(|| fit(&given, &field, Context::default()));
        assert!(spent <= 5 * LONGEST, "{spent}");
    }
}
