//! A mapping's rows against the fields of its pipeline.

use crate::{
    bindings::{
        exports::scheduling::crm::settings::{Checked, Expectation},
        scheduling::crm::types::{BookingKind, Consequence, Finding, Value},
    },
    fields::{Field, Fields, Kind},
    values::{finding, written},
};

pub(crate) fn check(fields: &Fields, kind: &BookingKind, rows: &[Expectation]) -> Checked {
    let mut checked = Checked { findings: Vec::new(), memos: Vec::new(), more: Vec::new() };
    for (position, row) in (0..).zip(rows) {
        let Some(field) = fields.find(&row.field) else {
            let message = "the CRM has no such writable field";
            let here = Some((row.field.as_str(), position));
            checked.findings.push(finding("field-unknown", Consequence::LeftOut, here, message));
            continue;
        };
        checked.findings.extend(judged(field, row, position, kind));
        // With the choices that can come, most bookings need not ask for all of them.
        let memo = field.memo(&row.texts);
        if memo != row.memo {
            checked.memos.push((position, memo));
        }
    }
    // A change is written to records that exist.
    let creates = matches!(kind, BookingKind::Confirmed | BookingKind::Rescheduled);
    let missing = fields.required().filter(|field| creates && !rows.iter().any(|row| row.field == field.name));
    checked.findings.extend(missing.map(|field| {
        let message = format!("the CRM requires `{}`, which no row writes", field.name);
        let found = finding("required-unmapped", Consequence::Refused, None, &message);
        Finding { fields: vec![field.name.clone()], ..found }
    }));
    checked
}

fn judged(field: &Field, row: &Expectation, position: u32, kind: &BookingKind) -> Option<Finding> {
    let here = Some((row.field.as_str(), position));
    let fallback_fits = row.fallback.as_ref().is_some_and(|value| written(value, &field.kind).is_some());
    let refuses = field.required && !fallback_fits;
    if row.may_be_blank && refuses && !matches!(kind, BookingKind::Cancelled) {
        return Some(finding("required-may-be-blank", Consequence::Refused, here, "a booking can leave it blank"));
    }
    let consequence = if refuses { Consequence::Refused } else { Consequence::LeftOut };
    let takes = |case: &str| match field.kind {
        Kind::Text(_) | Kind::Choice(_) => true,
        Kind::Mail => matches!(case, "text" | "choices" | "agreed" | "other"),
        Kind::Date => matches!(case, "date" | "moment"),
        Kind::Moment => case == "moment",
        Kind::Flag => matches!(case, "boolean" | "agreed"),
    };
    if !row.gives.iter().any(|case| takes(case)) {
        return Some(finding("type-unfit", consequence, here, "the field takes no value of this kind"));
    }
    let misfit = row.texts.iter().find(|text| written(&Value::Text((*text).clone()), &field.kind).is_none())?;
    matches!(field.kind, Kind::Text(_) | Kind::Mail | Kind::Choice(_))
        .then(|| finding("value-unwritable", consequence, here, &format!("the field does not take `{misfit}`")))
}
