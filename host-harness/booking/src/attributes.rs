//! Booking attributes: the named facts of a booking that a mapping can use, listed at `field.suggested-source` in the contract.

use std::{borrow::Cow, ops::Range};

use crm_contract::Value;
use jiff::{Timestamp, civil};

use crate::{Booking, Kind, Person, PlaceKind, is_blank, names, source::text_value};

/// One named fact of a booking.
struct Attribute {
    name: &'static str,
    form: Form,
    /// Changes when the meeting is moved: its time, place or hosts.
    of_meeting: bool,
    /// The same for every booking of a calendar.
    of_calendar: bool,
    /// Every booking has a value for it.
    always_given: bool,
    text: for<'a> fn(&'a Booking) -> Option<Cow<'a, str>>,
}

/// What the text of an attribute is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// What a person wrote, or another text without a form of its own.
    Text,
    /// A person's name.
    Name,
    /// A company's name.
    Company,
    /// One or more email addresses.
    Email,
    /// A telephone number.
    Phone,
    /// A web address.
    Url,
    /// An id.
    Id,
    /// A title, or another word of the platform's.
    Label,
    /// A decimal number.
    Number,
    /// `YYYY-MM-DD`.
    Date,
    /// `hh:mm`.
    Time,
    /// RFC 3339 with an offset.
    Moment,
}

impl Attribute {
    const fn new(name: &'static str, form: Form, text: for<'a> fn(&'a Booking) -> Option<Cow<'a, str>>) -> Self {
        Self { name, form, of_meeting: false, of_calendar: false, always_given: false, text }
    }

    const fn of_meeting(self) -> Self {
        Self { of_meeting: true, ..self }
    }

    const fn of_calendar(self) -> Self {
        Self { of_calendar: true, ..self }
    }

    const fn always_given(self) -> Self {
        Self { always_given: true, ..self }
    }
}

/// All attributes but `extra.NAME`, which are the host's own.
const ATTRIBUTES: &[Attribute] = &[
    Attribute::new("id", Form::Id, |b| some(&b.id)).always_given(),
    Attribute::new("previous-id", Form::Id, |b| match (&b.previous_id, b.kind) {
        (None, Kind::Rescheduled) => some(&b.id),
        (previous, _) => optional(previous),
    }),
    Attribute::new("title", Form::Label, |b| some(&b.title)),
    Attribute::new("start", Form::Moment, |b| some(&b.start)).always_given().of_meeting(),
    Attribute::new("end", Form::Moment, |b| some(&b.end)).always_given().of_meeting(),
    Attribute::new("confirmed-at", Form::Moment, |b| optional(&b.confirmed_at)),
    Attribute::new("time-zone", Form::Label, |b| some(&b.time_zone)).always_given().of_meeting(),
    Attribute::new("comment", Form::Text, |b| optional(&b.comment)),
    // RFC 3339 has fixed positions, and the date and time as written are those of the booked zone.
    Attribute::new("start-date", Form::Date, |b| slice(&b.start, 0..10)).always_given().of_meeting(),
    Attribute::new("start-time", Form::Time, |b| slice(&b.start, 11..16)).always_given().of_meeting(),
    Attribute::new("end-date", Form::Date, |b| slice(&b.end, 0..10)).always_given().of_meeting(),
    Attribute::new("end-time", Form::Time, |b| slice(&b.end, 11..16)).always_given().of_meeting(),
    Attribute::new("duration-minutes", Form::Number, duration_minutes).always_given().of_meeting(),
    Attribute::new("team.id", Form::Id, |b| some(&b.team.id)).always_given().of_calendar(),
    Attribute::new("team.name", Form::Label, |b| optional(&b.team.name)).of_calendar(),
    Attribute::new("calendar.id", Form::Id, |b| some(&b.calendar.id)).always_given().of_calendar(),
    Attribute::new("calendar.name", Form::Label, |b| some(&b.calendar.name)).always_given().of_calendar(),
    Attribute::new("calendar.url", Form::Url, |b| optional(&b.calendar.url)).of_calendar(),
    // A booking has a guest, and a guest has a name, whole or in parts.
    Attribute::new("guest.name", Form::Name, |b| names::whole(&b.guest)).always_given(),
    Attribute::new("guest.family-name", Form::Name, |b| names::of(&b.guest).family).always_given(),
    Attribute::new("guest.given-name", Form::Name, |b| names::of(&b.guest).given),
    Attribute::new("guest.family-name-kana", Form::Name, |b| optional(&b.guest.family_name_kana)),
    Attribute::new("guest.given-name-kana", Form::Name, |b| optional(&b.guest.given_name_kana)),
    Attribute::new("guest.email", Form::Email, |b| optional(&b.guest.email)),
    Attribute::new("guest.phone", Form::Phone, |b| optional(&b.guest.phone)),
    Attribute::new("guest.company", Form::Company, |b| optional(&b.guest.company)),
    Attribute::new("guest.locale", Form::Label, |b| optional(&b.guest.locale)),
    Attribute::new("host.id", Form::Id, |b| b.hosts.first().and_then(|host| optional(&host.id))).of_meeting(),
    Attribute::new("host.name", Form::Name, |b| b.hosts.first().and_then(|host| optional(&host.name))).of_meeting(),
    Attribute::new("host.email", Form::Email, |b| b.hosts.first().and_then(|host| optional(&host.email))).of_meeting(),
    Attribute::new("hosts.names", Form::Name, |b| all(&b.hosts, |host| &host.name)).of_meeting(),
    Attribute::new("hosts.emails", Form::Email, |b| all(&b.hosts, |host| &host.email)).of_meeting(),
    Attribute::new("companions.names", Form::Name, |b| all(&b.companions, |person| &person.name)),
    Attribute::new("companions.emails", Form::Email, |b| all(&b.companions, |person| &person.email)),
    Attribute::new("place.kind", Form::Label, |b| {
        some(match b.place.as_ref()?.kind {
            PlaceKind::Online => "online",
            PlaceKind::Phone => "phone",
            PlaceKind::InPerson => "in-person",
            PlaceKind::Other => "other",
        })
    })
    .of_meeting(),
    Attribute::new("place.provider", Form::Label, |b| optional(&b.place.as_ref()?.provider)).of_meeting(),
    Attribute::new("place.join-url", Form::Url, |b| optional(&b.place.as_ref()?.join_url)).of_meeting(),
    Attribute::new("place.address", Form::Label, |b| optional(&b.place.as_ref()?.address)).of_meeting(),
    Attribute::new("payment.provider", Form::Label, |b| some(&b.payment.as_ref()?.provider)),
    Attribute::new("payment.amount", Form::Number, |b| some(&b.payment.as_ref()?.amount)),
    Attribute::new("payment.currency", Form::Label, |b| some(&b.payment.as_ref()?.currency)),
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

/// Whether the attribute is the same for every booking of a calendar.
pub fn is_of_calendar(name: &str) -> bool {
    find(name).is_some_and(|attribute| attribute.of_calendar)
}

/// What the text of an attribute is; `Text` for those of a platform and for unknown ones.
pub fn form(name: &str) -> Form {
    find(name).map_or(Form::Text, |attribute| attribute.form)
}

/// The text of an attribute; `None` if the booking does not have it or the name is unknown.
pub fn text<'a>(booking: &'a Booking, name: &str) -> Option<Cow<'a, str>> {
    match find(name) {
        Some(attribute) => (attribute.text)(booking),
        None => {
            let name = name.strip_prefix(EXTRA)?;
            some(&booking.extra.iter().find(|parameter| parameter.name == name)?.value)
        }
    }
}

/// The value of an attribute; `None` if it is blank. A text that does not have the attribute's form stays text.
pub fn value(booking: &Booking, name: &str) -> Option<Value> {
    let text = text(booking, name)?;
    match form(name) {
        Form::Number if is_decimal(&text) => Some(Value::Number(text.into_owned())),
        Form::Date if is_date(&text) => Some(Value::Date(text.into_owned())),
        Form::Time if text.parse::<civil::Time>().is_ok() => Some(Value::Time(text.into_owned())),
        Form::Moment if text.parse::<Timestamp>().is_ok() => Some(Value::Moment(text.into_owned())),
        _ => text_value(&text),
    }
}

/// Whether a text is `YYYY-MM-DD`.
pub(crate) fn is_date(text: &str) -> bool {
    text.len() == 10 && text.parse::<civil::Date>().is_ok()
}

/// Whether a text is a decimal number as the contract writes it.
pub(crate) fn is_decimal(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    match unsigned.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(unsigned),
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
    let second = |text: &str| Some(text.parse::<Timestamp>().ok()?.as_second());
    let seconds = second(&booking.end)? - second(&booking.start)?;
    Some(Cow::Owned(seconds.div_euclid(60).to_string()))
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
        (booking.kind, booking.previous_id) = (Kind::Rescheduled, Some("b-0".into()));
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
        for (name, expected) in expected {
            assert_eq!(text(&booking, name).as_deref(), Some(expected), "{name}");
        }
        assert_eq!(text(&booking, "extra.plan").as_deref(), Some("first"));
        assert_eq!(text(&booking, "extra.none"), None);
        assert_eq!(text(&booking, "nothing"), None);
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
            assert_eq!(text(&booking, "start-date").as_deref(), Some(date));
        }
    }

    #[test]
    fn malformed_moments_are_blank_and_break_nothing() {
        let mut booking = fixture::booking();
        booking.start = "１２月２日の朝".into();
        booking.end = String::new();
        for name in ["start-date", "start-time", "end-date", "end-time", "duration-minutes"] {
            let _ = text(&booking, name);
        }
        assert_eq!(text(&booking, "duration-minutes"), None);
        booking.start = "2026-12-02T08:30:00+99999999999999999:00".into();
        booking.end = "2026-12-02T08:30:00Z".into();
        assert_eq!(text(&booking, "duration-minutes"), None);
    }

    proptest! {
        #[test]
        fn a_duration_is_that_between_two_instants(start in -62_000_000_000_i64..250_000_000_000, minutes in 0..100_000_i64, offsets in [-1_439..=1_439_i32, -1_439..=1_439]) {
            let moment = |second: i64, offset: i32| {
                let offset = jiff::tz::Offset::from_seconds(offset * 60).unwrap();
                let time = jiff::Timestamp::from_second(second).unwrap();
                time.display_with_offset(offset).to_string()
            };
            let mut booking = fixture::booking();
            (booking.start, booking.end) = (moment(start, offsets[0]), moment(start + minutes * 60 + 59, offsets[1]));
            prop_assert_eq!(text(&booking, "duration-minutes"), Some(minutes.to_string().into()));
            booking.start = booking.start.replace('+', ".25+");
            prop_assert_eq!(text(&booking, "duration-minutes"), Some(minutes.to_string().into()));
        }
    }
}
