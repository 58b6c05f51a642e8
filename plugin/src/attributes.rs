//! Booking attributes: the facts of a booking that a mapping may name, listed at `types.source` in the contract.

use crate::{
    bindings::types::{Booking, BookingKind, Person, PlaceKind},
    blank::is_blank,
    names,
    value::timestamp::duration_minutes,
};
use std::borrow::Cow;

/// All names but `extra.NAME`, which are the host's own.
pub const NAMES: &[&str] = &[
    "id",
    "previous-id",
    "title",
    "start",
    "end",
    "confirmed-at",
    "time-zone",
    "comment",
    "start-date",
    "start-time",
    "end-date",
    "end-time",
    "duration-minutes",
    "team.id",
    "team.name",
    "calendar.id",
    "calendar.name",
    "calendar.url",
    "guest.name",
    "guest.family-name",
    "guest.given-name",
    "guest.family-name-kana",
    "guest.given-name-kana",
    "guest.email",
    "guest.phone",
    "guest.company",
    "guest.locale",
    "host.id",
    "host.name",
    "host.email",
    "hosts.names",
    "hosts.emails",
    "companions.names",
    "companions.emails",
    "place.kind",
    "place.provider",
    "place.join-url",
    "place.address",
    "payment.provider",
    "payment.amount",
    "payment.currency",
];

/// Whether there is such an attribute.
pub fn is_known(name: &str) -> bool {
    NAMES.contains(&name) || name.starts_with("extra.")
}

/// Whether the attribute changes with the time, the place or the hosts of the meeting.
pub fn is_of_meeting(name: &str) -> bool {
    matches!(
        name,
        "start" | "end" | "start-date" | "start-time" | "end-date" | "end-time" | "duration-minutes" | "time-zone"
    ) || ["host.", "hosts.", "place."].iter().any(|prefix| name.starts_with(prefix))
}

/// Whether every booking has a value for the attribute.
pub fn is_always_given(name: &str) -> bool {
    matches!(
        name,
        "id" | "start"
            | "end"
            | "confirmed-at"
            | "time-zone"
            | "start-date"
            | "start-time"
            | "end-date"
            | "end-time"
            | "duration-minutes"
            | "team.id"
            | "calendar.id"
            | "calendar.name"
            // A booking has a guest, and a guest has a name: whole, or in parts.
            | "guest.name"
            | "guest.family-name"
    )
}

/// The value of an attribute; `None` where the booking does not have it, or there is none of that name.
pub fn value<'a>(booking: &'a Booking, name: &str) -> Option<Cow<'a, str>> {
    let guest = &booking.guest;
    let text: Option<&str> = match name {
        "id" => Some(&booking.id),
        "previous-id" => match &booking.kind {
            BookingKind::New => None,
            BookingKind::Rescheduled(id) => Some(id),
        },
        "title" => Some(&booking.title),
        "start" => Some(&booking.start),
        "end" => Some(&booking.end),
        "confirmed-at" => Some(&booking.confirmed_at),
        "time-zone" => Some(&booking.time_zone),
        "comment" => booking.comment.as_deref(),
        // A moment is text of fixed places, and its date and time as written are those of the booked zone.
        "start-date" => booking.start.get(..10),
        "start-time" => booking.start.get(11..16),
        "end-date" => booking.end.get(..10),
        "end-time" => booking.end.get(11..16),
        "duration-minutes" => return duration_minutes(booking).map(Cow::Owned),
        "team.id" => Some(&booking.team.id),
        "team.name" => booking.team.name.as_deref(),
        "calendar.id" => Some(&booking.calendar.id),
        "calendar.name" => Some(&booking.calendar.name),
        "calendar.url" => booking.calendar.url.as_deref(),
        "guest.name" => return names::whole(guest),
        "guest.family-name" => return names::of(guest).family,
        "guest.given-name" => return names::of(guest).given,
        "guest.family-name-kana" => guest.family_name_kana.as_deref(),
        "guest.given-name-kana" => guest.given_name_kana.as_deref(),
        "guest.email" => guest.email.as_deref(),
        "guest.phone" => guest.phone.as_deref(),
        "guest.company" => guest.company.as_deref(),
        "guest.locale" => guest.locale.as_deref(),
        "host.id" => booking.hosts.first().and_then(|host| host.id.as_deref()),
        "host.name" => booking.hosts.first().and_then(|host| host.name.as_deref()),
        "host.email" => booking.hosts.first().and_then(|host| host.email.as_deref()),
        "hosts.names" => return of_all(&booking.hosts, |host| host.name.as_deref()),
        "hosts.emails" => return of_all(&booking.hosts, |host| host.email.as_deref()),
        "companions.names" => return of_all(&booking.companions, |person| person.name.as_deref()),
        "companions.emails" => return of_all(&booking.companions, |person| person.email.as_deref()),
        "place.kind" => booking.place.as_ref().map(|place| match place.kind {
            PlaceKind::Online => "online",
            PlaceKind::Phone => "phone",
            PlaceKind::InPerson => "in-person",
            PlaceKind::Other => "other",
        }),
        "place.provider" => booking.place.as_ref().and_then(|place| place.provider.as_deref()),
        "place.join-url" => booking.place.as_ref().and_then(|place| place.join_url.as_deref()),
        "place.address" => booking.place.as_ref().and_then(|place| place.address.as_deref()),
        "payment.provider" => booking.payment.as_ref().map(|payment| payment.provider.as_str()),
        "payment.amount" => booking.payment.as_ref().map(|payment| payment.amount.as_str()),
        "payment.currency" => booking.payment.as_ref().map(|payment| payment.currency.as_str()),
        _ => {
            let name = name.strip_prefix("extra.")?;
            booking.extra.iter().find(|parameter| parameter.name == name).map(|parameter| parameter.value.as_str())
        }
    };
    text.map(Cow::Borrowed)
}

/// What all of some people have.
fn of_all<'a>(people: &'a [Person], part: fn(&'a Person) -> Option<&'a str>) -> Option<Cow<'a, str>> {
    joined(people.iter().filter_map(part))
}

/// Texts that are not blank, joined by `, `.
pub fn joined<'a>(texts: impl Iterator<Item = &'a str>) -> Option<Cow<'a, str>> {
    let mut texts = texts.filter(|text| !is_blank(text));
    let mut joined = Cow::Borrowed(texts.next()?);
    for text in texts {
        let joined = joined.to_mut();
        joined.push_str(", ");
        joined.push_str(text);
    }
    Some(joined)
}

#[cfg(test)]
mod tests {
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
        assert_eq!(expected.map(|(name, _)| name), *NAMES);
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
    }
}
