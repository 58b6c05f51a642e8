//! Dates, moments and times of day. A date is read as written, in the booked zone, never converted to UTC.

use super::{Fit, Json, as_text, unfit};
use crate::{
    bindings::types::Value,
    codes,
    value::timestamp::{Date, Moment, Scan},
};
use crm_characters::fold;
use std::borrow::Cow;

/// A calendar date: that of a moment as written, or one with a single reading.
pub fn date<'a>(given: &'a Value) -> Fit<'a> {
    // Salesforce takes the years 1700 to 4000.
    match typed(given).and_then(|text| read_date(&text)).filter(|date| (1700..=4000).contains(&date.year)) {
        Some(date) => {
            let mut text = String::with_capacity(10);
            date.push_to(&mut text);
            Ok(Json::Text(text.into()).into())
        }
        None => unfit(codes::DATE_INVALID, "not a date like 2026-12-02"),
    }
}

/// A moment, with its offset. Text without an offset is not a moment.
pub fn date_time<'a>(given: &'a Value) -> Fit<'a> {
    match typed(given).and_then(|text| Moment::parse(&text)).filter(|moment| (1700..=4000).contains(&moment.date.year))
    {
        Some(moment) => {
            let mut text = String::with_capacity(25);
            moment.push_to(&mut text);
            Ok(Json::Text(text.into()).into())
        }
        None => unfit(codes::DATE_TIME_INVALID, "not a moment like 2026-12-02T08:30:00+09:00"),
    }
}

/// A time of day as written. The `Z` that Salesforce requires does not mean UTC here.
pub fn time<'a>(given: &'a Value) -> Fit<'a> {
    match typed(given).and_then(|text| read_time(&text)) {
        Some(time) => Ok(Json::Text(time.into()).into()),
        None => unfit(codes::TIME_INVALID, "not a time like 08:30"),
    }
}

/// The typed text in usual width.
fn typed(given: &Value) -> Option<String> {
    match given {
        Value::Number(_) | Value::Boolean(_) | Value::Agreed(_) => return None,
        Value::Choices(choices) if choices.len() != 1 => return None,
        _ => {}
    }
    // No date is this long, so that a whole letter is not copied.
    Some(as_text(given).trim()).filter(|text| text.len() <= 100).map(|text| fold(text).into_owned())
}

/// `2026-12-02`, `2026/12/2`, `2026.12.2`, `2026年12月2日`, or a moment.
fn read_date(text: &str) -> Option<Date> {
    if let Some(moment) = Moment::parse(text) {
        return Some(moment.date);
    }
    let text = if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(text.replace(['年', '月'], "/")) };
    let mut scan = Scan(text.strip_suffix('日').unwrap_or(&text).as_bytes());
    let year = scan.digits(4)?;
    let between = scan.one_of(b"-/.")?;
    let month = scan.up_to_two_digits()?;
    scan.one_of(&[between])?;
    let day = scan.up_to_two_digits()?;
    let date = Date::new(u16::try_from(year).ok()?, u8::try_from(month).ok()?, u8::try_from(day).ok()?);
    date.filter(|_| scan.is_done())
}

/// `8:30`, `08:30:00`, `8時30分`, or a moment, as `hh:mm:ss.000Z`.
fn read_time(text: &str) -> Option<String> {
    let mut time = String::with_capacity(13);
    if let Some(moment) = Moment::parse(text) {
        moment.push_time_to(&mut time);
    } else {
        let text = text.replace('時', ":");
        let mut scan = Scan(text.strip_suffix('分').unwrap_or(&text).as_bytes());
        let (hour, minute) = (scan.up_to_two_digits()?, scan.colon_digits()?);
        let second = if scan.is_done() { 0 } else { scan.colon_digits()? };
        if hour > 23 || minute > 59 || second > 59 || !scan.is_done() {
            return None;
        }
        // Any day will do: only the time is written.
        let small = |value: u32| u8::try_from(value).ok();
        let date = Date::new(2000, 1, 1)?;
        Moment { date, hour: small(hour)?, minute: small(minute)?, second: small(second)?, offset: 0 }
            .push_time_to(&mut time);
    }
    time.push_str(".000Z");
    Some(time)
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

    fn written(given: &str, field_type: FieldType) -> Option<String> {
        match fit(&Value::Text(given.to_owned()), &field("Field__c", field_type), Context::default()) {
            Ok(Fitted { value: Json::Text(text), .. }) => Some(text.into_owned()),
            Err(_) => None,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_date_field_takes_the_date_in_the_bookings_own_zone() {
        for (given, expected) in [
            ("2026-12-02T00:00:00+09:00", "2026-12-02"),
            ("2026-12-02T08:59:59+09:00", "2026-12-02"),
            ("2026-12-02T23:30:00-08:00", "2026-12-02"),
            ("2026-12-02", "2026-12-02"),
            ("２０２６年１２月２日", "2026-12-02"),
            ("2026/12/2", "2026-12-02"),
            ("2026.1.31", "2026-01-31"),
            (" 2024-02-29 ", "2024-02-29"),
        ] {
            assert_eq!(written(given, FieldType::Date).as_deref(), Some(expected), "{given}");
        }
        for given in [
            "",
            "12/02/2026",
            "2026-02-29",
            "2026-13-01",
            "2026-1",
            "2026-12/02",
            "1699-12-31",
            "4001-01-01",
            "tomorrow",
        ] {
            assert_eq!(written(given, FieldType::Date), None, "{given}");
        }
    }

    #[test]
    fn a_date_time_field_keeps_the_offset() {
        for (given, expected) in [
            ("2026-12-02T08:30:00+09:00", "2026-12-02T08:30:00+09:00"),
            ("2026-12-01T23:30:00.000+0000", "2026-12-01T23:30:00Z"),
        ] {
            assert_eq!(written(given, FieldType::DateTime).as_deref(), Some(expected), "{given}");
        }
        for given in ["2026-12-02", "2026-12-02T08:30:00", "2024-07-30 20:54:16 UTC"] {
            assert_eq!(written(given, FieldType::DateTime), None, "{given}");
        }
    }

    #[test]
    fn a_time_field_takes_the_time_as_written() {
        for (given, expected) in [
            ("2026-12-02T08:30:00+09:00", "08:30:00.000Z"),
            ("8:05", "08:05:00.000Z"),
            ("23:59:59", "23:59:59.000Z"),
            ("８時３０分", "08:30:00.000Z"),
        ] {
            assert_eq!(written(given, FieldType::Time).as_deref(), Some(expected), "{given}");
        }
        for given in ["24:00", "8:60", "8", "noon", "08:30:00:00"] {
            assert_eq!(written(given, FieldType::Time), None, "{given}");
        }
    }

    proptest! {
        #[test]
        fn the_day_of_a_moment_is_never_moved(
            year in 1700_u16..=4000, month in 1_u8..=12, day in 1_u8..=28,
            hour in 0_u8..24, minute in 0_u8..60, east in -12_i8..=14,
        ) {
            let sign = if east < 0 { '-' } else { '+' };
            let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:00{sign}{:02}:00", east.abs());
            prop_assert_eq!(written(&text, FieldType::Date), Some(format!("{year:04}-{month:02}-{day:02}")));
            let moment = Moment::parse(&text).unwrap();
            prop_assert_eq!(Moment::parse(&written(&text, FieldType::DateTime).unwrap()), Some(moment));
            prop_assert_eq!(Moment::at(moment.unix()).unix(), moment.unix());
        }

        #[test]
        fn any_text_is_read_or_refused(given in any::<String>()) {
            for field_type in [FieldType::Date, FieldType::DateTime, FieldType::Time] {
                let _ = written(&given, field_type);
            }
        }
    }
}
