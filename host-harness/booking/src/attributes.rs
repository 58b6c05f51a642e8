//! Booking attributes: the named facts of a booking that a mapping may use, listed at `types.source` in the contract.

use std::{borrow::Cow, ops::Range};

use crm_contract::{Booking, BookingKind, Person, PlaceKind};
use jiff::civil::DateTime;

use crate::{is_blank, names};

/// One named fact of a booking.
struct Attribute {
    name: &'static str,
    /// Changes when the meeting is moved: its time, place or hosts.
    of_meeting: bool,
    /// Every booking has a value for it.
    always_given: bool,
    value: for<'a> fn(&'a Booking) -> Option<Cow<'a, str>>,
}

impl Attribute {
    const fn new(name: &'static str, value: for<'a> fn(&'a Booking) -> Option<Cow<'a, str>>) -> Self {
        Self { name, of_meeting: false, always_given: false, value }
    }

    const fn of_meeting(self) -> Self {
        Self { of_meeting: true, ..self }
    }

    const fn always_given(self) -> Self {
        Self { always_given: true, ..self }
    }
}

/// All attributes but `extra.NAME`, which are the host's own.
const ATTRIBUTES: &[Attribute] = &[
    Attribute::new("id", |b| some(&b.id)).always_given(),
    Attribute::new("previous-id", |b| match &b.kind {
        BookingKind::New => None,
        BookingKind::Rescheduled(id) => some(id),
    }),
    Attribute::new("title", |b| some(&b.title)),
    Attribute::new("start", |b| some(&b.start)).always_given().of_meeting(),
    Attribute::new("end", |b| some(&b.end)).always_given().of_meeting(),
    Attribute::new("confirmed-at", |b| some(&b.confirmed_at)).always_given(),
    Attribute::new("time-zone", |b| some(&b.time_zone)).always_given().of_meeting(),
    Attribute::new("comment", |b| optional(&b.comment)),
    // RFC 3339 has fixed positions, and the date and time as written are those of the booked zone.
    Attribute::new("start-date", |b| slice(&b.start, 0..10)).always_given().of_meeting(),
    Attribute::new("start-time", |b| slice(&b.start, 11..16)).always_given().of_meeting(),
    Attribute::new("end-date", |b| slice(&b.end, 0..10)).always_given().of_meeting(),
    Attribute::new("end-time", |b| slice(&b.end, 11..16)).always_given().of_meeting(),
    Attribute::new("duration-minutes", duration_minutes).always_given().of_meeting(),
    Attribute::new("team.id", |b| some(&b.team.id)).always_given(),
    Attribute::new("team.name", |b| optional(&b.team.name)),
    Attribute::new("calendar.id", |b| some(&b.calendar.id)).always_given(),
    Attribute::new("calendar.name", |b| some(&b.calendar.name)).always_given(),
    Attribute::new("calendar.url", |b| optional(&b.calendar.url)),
    // A booking has a guest, and a guest has a name, whole or in parts.
    Attribute::new("guest.name", |b| names::whole(&b.guest)).always_given(),
    Attribute::new("guest.family-name", |b| names::of(&b.guest).family).always_given(),
    Attribute::new("guest.given-name", |b| names::of(&b.guest).given),
    Attribute::new("guest.family-name-kana", |b| optional(&b.guest.family_name_kana)),
    Attribute::new("guest.given-name-kana", |b| optional(&b.guest.given_name_kana)),
    Attribute::new("guest.email", |b| optional(&b.guest.email)),
    Attribute::new("guest.phone", |b| optional(&b.guest.phone)),
    Attribute::new("guest.company", |b| optional(&b.guest.company)),
    Attribute::new("guest.locale", |b| optional(&b.guest.locale)),
    Attribute::new("host.id", |b| b.hosts.first().and_then(|host| optional(&host.id))).of_meeting(),
    Attribute::new("host.name", |b| b.hosts.first().and_then(|host| optional(&host.name))).of_meeting(),
    Attribute::new("host.email", |b| b.hosts.first().and_then(|host| optional(&host.email))).of_meeting(),
    Attribute::new("hosts.names", |b| all(&b.hosts, |host| &host.name)).of_meeting(),
    Attribute::new("hosts.emails", |b| all(&b.hosts, |host| &host.email)).of_meeting(),
    Attribute::new("companions.names", |b| all(&b.companions, |person| &person.name)),
    Attribute::new("companions.emails", |b| all(&b.companions, |person| &person.email)),
    Attribute::new("place.kind", |b| {
        some(match b.place.as_ref()?.kind {
            PlaceKind::Online => "online",
            PlaceKind::Phone => "phone",
            PlaceKind::InPerson => "in-person",
            PlaceKind::Other => "other",
        })
    })
    .of_meeting(),
    Attribute::new("place.provider", |b| optional(&b.place.as_ref()?.provider)).of_meeting(),
    Attribute::new("place.join-url", |b| optional(&b.place.as_ref()?.join_url)).of_meeting(),
    Attribute::new("place.address", |b| optional(&b.place.as_ref()?.address)).of_meeting(),
    Attribute::new("payment.provider", |b| some(&b.payment.as_ref()?.provider)),
    Attribute::new("payment.amount", |b| some(&b.payment.as_ref()?.amount)),
    Attribute::new("payment.currency", |b| some(&b.payment.as_ref()?.currency)),
];

/// The names of all attributes but `extra.NAME`.
pub fn names() -> impl Iterator<Item = &'static str> {
    ATTRIBUTES.iter().map(|attribute| attribute.name)
}

/// Whether there is such an attribute. Every `extra.NAME` counts as one.
pub fn is_known(name: &str) -> bool {
    find(name).is_some() || name.starts_with(EXTRA)
}

/// Whether the attribute changes when the meeting is moved: its time, place or hosts.
pub fn is_of_meeting(name: &str) -> bool {
    find(name).is_some_and(|attribute| attribute.of_meeting)
}

/// Whether every booking has a value for the attribute.
pub fn is_always_given(name: &str) -> bool {
    find(name).is_some_and(|attribute| attribute.always_given)
}

/// The value of an attribute; `None` if the booking does not have it or the name is unknown.
pub fn value<'a>(booking: &'a Booking, name: &str) -> Option<Cow<'a, str>> {
    match find(name) {
        Some(attribute) => (attribute.value)(booking),
        None => {
            let name = name.strip_prefix(EXTRA)?;
            some(&booking.extra.iter().find(|parameter| parameter.name == name)?.value)
        }
    }
}

const EXTRA: &str = "extra.";

fn find(name: &str) -> Option<&'static Attribute> {
    ATTRIBUTES.iter().find(|attribute| attribute.name == name)
}

fn some(text: &str) -> Option<Cow<'_, str>> {
    Some(Cow::Borrowed(text))
}

fn optional(text: &Option<String>) -> Option<Cow<'_, str>> {
    text.as_deref().map(Cow::Borrowed)
}

fn slice(text: &str, range: Range<usize>) -> Option<Cow<'_, str>> {
    text.get(range).map(Cow::Borrowed)
}

/// Whole minutes from start to end, rounded down.
fn duration_minutes(booking: &Booking) -> Option<Cow<'_, str>> {
    let (start, end) = (seconds(&booking.start)?, seconds(&booking.end)?);
    Some(Cow::Owned((end - start).div_euclid(60).to_string()))
}

/// Seconds since 1970 of an RFC 3339 text. Read by position, as RFC 3339, section 5.6, fixes them: jiff's parser would add
/// 150 kB to a plugin that resolves rows itself.
fn seconds(text: &str) -> Option<i64> {
    let number = |range: Range<usize>| text.get(range)?.parse::<i8>().ok();
    let year = text.get(0..4)?.parse().ok()?;
    let local = DateTime::new(
        year,
        number(5..7)?,
        number(8..10)?,
        number(11..13)?,
        number(14..16)?,
        number(17..19)?.min(59),
        0,
    );
    let rest = text.get(19..)?.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let offset = match rest.split_at_checked(1)? {
        ("Z" | "z", "") => 0,
        (sign @ ("+" | "-"), offset) => {
            let (hours, minutes) = offset.split_once(':')?;
            let two_digits = |text: &str| text.parse::<u8>().ok().map(i64::from);
            let seconds = two_digits(hours)? * 3_600 + two_digits(minutes)? * 60;
            if sign == "-" { -seconds } else { seconds }
        }
        _ => return None,
    };
    let local = local.ok()?.duration_since(DateTime::constant(1970, 1, 1, 0, 0, 0, 0)).as_secs();
    Some(local - offset)
}

/// One detail of several people.
fn all<'a>(people: &'a [Person], detail: fn(&'a Person) -> &'a Option<String>) -> Option<Cow<'a, str>> {
    joined(people.iter().filter_map(|person| detail(person).as_deref()))
}

/// The texts that are not blank, joined by `, `.
pub(crate) fn joined<'a>(texts: impl Iterator<Item = &'a str>) -> Option<Cow<'a, str>> {
    let texts: Vec<&str> = texts.filter(|text| !is_blank(text)).collect();
    match texts.as_slice() {
        [] => None,
        [only] => Some(Cow::Borrowed(only)),
        several => Some(Cow::Owned(several.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fixture;

    #[test]
    fn every_attribute_of_the_contract_has_its_value() {
        let mut booking = fixture::booking();
        booking.kind = BookingKind::Rescheduled("b-0".into());
        let expected = [
            ("id", "b-1"),
            ("previous-id", "b-0"),
            ("title", "製品デモ"),
            ("start", "2026-12-02T08:30:00+09:00"),
            ("end", "2026-12-02T09:00:00+09:00"),
            ("confirmed-at", "2026-11-22T12:04:05+09:00"),
            ("time-zone", "Asia/Tokyo"),
            ("comment", "よろしくお願いします。"),
            ("start-date", "2026-12-02"),
            ("start-time", "08:30"),
            ("end-date", "2026-12-02"),
            ("end-time", "09:00"),
            ("duration-minutes", "30"),
            ("team.id", "team-1"),
            ("team.name", "営業"),
            ("calendar.id", "calendar-1"),
            ("calendar.name", "製品デモ（30分）"),
            ("calendar.url", "https://bookings.example/demo"),
            ("guest.name", "山田　太郎"),
            ("guest.family-name", "山田"),
            ("guest.given-name", "太郎"),
            ("guest.family-name-kana", "ヤマダ"),
            ("guest.given-name-kana", "タロウ"),
            ("guest.email", "Taro.Yamada@example.com"),
            ("guest.phone", "03-1234-5678"),
            ("guest.company", "株式会社サンプル＆パートナーズ"),
            ("guest.locale", "ja"),
            ("host.id", "u-1"),
            ("host.name", "佐藤 花子"),
            ("host.email", "hanako@example.co.jp"),
            ("hosts.names", "佐藤 花子, Ken Ito"),
            ("hosts.emails", "hanako@example.co.jp, ken@example.co.jp"),
            ("companions.names", "鈴木 一郎"),
            ("companions.emails", "ichiro@example.com, jiro@example.com"),
            ("place.kind", "online"),
            ("place.provider", "zoom"),
            ("place.join-url", "https://zoom.example/j/1"),
            ("place.address", "オンライン"),
            ("payment.provider", "stripe"),
            ("payment.amount", "5500"),
            ("payment.currency", "JPY"),
        ];
        assert_eq!(expected.map(|(name, _)| name).to_vec(), names().collect::<Vec<_>>());
        for (name, text) in expected {
            assert_eq!(value(&booking, name).as_deref(), Some(text), "{name}");
        }
        assert_eq!(value(&booking, "extra.plan").as_deref(), Some("first"));
        assert_eq!(value(&booking, "extra.none"), None);
        assert_eq!(value(&booking, "nothing"), None);
    }

    #[test]
    fn a_date_is_that_of_the_booked_zone() {
        let mut booking = fixture::booking();
        for (start, date) in [
            ("2026-12-02T00:00:00+09:00", "2026-12-02"),
            ("2026-12-02T08:59:59+09:00", "2026-12-02"),
            ("2026-12-02T23:30:00-08:00", "2026-12-02"),
        ] {
            booking.start = start.into();
            assert_eq!(value(&booking, "start-date").as_deref(), Some(date));
        }
    }

    #[test]
    fn malformed_moments_are_blank_and_break_nothing() {
        let mut booking = fixture::booking();
        booking.start = "１２月２日の朝".into();
        booking.end = String::new();
        for name in ["start-date", "start-time", "end-date", "end-time", "duration-minutes"] {
            let _ = value(&booking, name);
        }
        assert_eq!(value(&booking, "duration-minutes"), None);
        booking.start = "2026-12-02T08:30:00+99999999999999999:00".into();
        booking.end = "2026-12-02T08:30:00Z".into();
        assert_eq!(value(&booking, "duration-minutes"), None);
    }

    proptest! {
        #[test]
        fn a_duration_is_that_between_two_instants(start in -62_000_000_000_i64..250_000_000_000, minutes in 0..100_000_i64, offsets in [-1_439..=1_439_i32, -1_439..=1_439]) {
            let text = |second: i64, offset: i32| {
                let offset = jiff::tz::Offset::from_seconds(offset * 60).unwrap();
                let time = jiff::Timestamp::from_second(second).unwrap();
                time.display_with_offset(offset).to_string()
            };
            let mut booking = fixture::booking();
            (booking.start, booking.end) = (text(start, offsets[0]), text(start + minutes * 60 + 59, offsets[1]));
            prop_assert_eq!(value(&booking, "duration-minutes"), Some(minutes.to_string().into()));
            booking.start = booking.start.replace('+', ".25+");
            prop_assert_eq!(value(&booking, "duration-minutes"), Some(minutes.to_string().into()));
        }
    }
}
