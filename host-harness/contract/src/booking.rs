//! Bookings and forms.

use serde::{Deserialize, Serialize};
#[cfg(feature = "component")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::enumeration::enumeration;

/// One confirmed booking.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct Booking {
    /// Whether this is a first confirmation or a new time for an earlier one.
    pub kind: BookingKind,
    /// The platform's stable id of this booking, unique within `team`.
    pub id: String,
    /// The team that owns the calendar and the connection.
    pub team: Team,
    /// The booking page that the guest used.
    pub calendar: Calendar,
    /// The title of the meeting as host and guest see it.
    pub title: String,
    /// When the meeting starts, with the offset of `time-zone`.
    pub start: String,
    /// When the meeting ends, with the offset of `time-zone`.
    pub end: String,
    /// When the booking was confirmed, with the offset of `time-zone`.
    #[cfg_attr(feature = "component", component(name = "confirmed-at"))]
    pub confirmed_at: String,
    /// The IANA name of the booked zone, for example `Asia/Tokyo`.
    #[cfg_attr(feature = "component", component(name = "time-zone"))]
    pub time_zone: String,
    /// The person who booked.
    pub guest: Guest,
    /// Further people the guest brings along.
    #[serde(default)]
    pub companions: Vec<Person>,
    /// The people of the team who hold the meeting; the first one owns it.
    #[serde(default)]
    pub hosts: Vec<Person>,
    /// Where the meeting takes place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The answers to the calendar's form, in its order.
    #[serde(default)]
    pub answers: Vec<Answer>,
    /// UTM and other parameters of the URL by which the guest came, in order, repeats kept.
    #[serde(default)]
    pub tracking: Vec<Parameter>,
    /// What the guest wrote beside the form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// What the guest paid or will pay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<Payment>,
    /// What a host has beyond this record, in order, repeats kept.
    #[serde(default)]
    pub extra: Vec<Parameter>,
}

/// Whether a booking is new.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(variant))]
#[serde(rename_all = "snake_case")]
pub enum BookingKind {
    /// Confirmed for the first time.
    #[cfg_attr(feature = "component", component(name = "new"))]
    New,
    /// A new time for an earlier booking, whose id is given.
    #[cfg_attr(feature = "component", component(name = "rescheduled"))]
    Rescheduled(String),
}

/// A team: owner of calendars and of one connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// Stable id, unique within the platform.
    pub id: String,
    /// Name as people see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A booking page with a form of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// Stable id, unique within the team.
    pub id: String,
    /// Name as people see it.
    pub name: String,
    /// Public address of the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// The person who booked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct Guest {
    /// The whole name as typed, honorific and all.
    pub name: String,
    /// Family name, where the form asked for it.
    #[cfg_attr(feature = "component", component(name = "family-name"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// Given name, where the form asked for it.
    #[cfg_attr(feature = "component", component(name = "given-name"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// Reading of the family name in kana, where known.
    #[cfg_attr(feature = "component", component(name = "family-name-kana"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family_name_kana: Option<String>,
    /// Reading of the given name in kana, where known.
    #[cfg_attr(feature = "component", component(name = "given-name-kana"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_name_kana: Option<String>,
    /// E-mail address as typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Telephone number as typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Company as typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// The language the guest booked in, as a BCP 47 tag, for example `ja` or `en-GB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
}

/// A companion of the guest, or a host of the meeting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The platform's stable id of this person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Name as people see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// Where a meeting takes place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// What sort of place it is.
    pub kind: PlaceKind,
    /// Who provides it, for example `zoom` or `google-meet`, in the host's spelling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Address of the online room.
    #[cfg_attr(feature = "component", component(name = "join-url"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join_url: Option<String>,
    /// Street address, telephone number or other directions, as people read them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

enumeration! {
    /// What sort of place a meeting takes place at.
    pub enum PlaceKind {
        /// An online room.
        Online = "online",
        /// A telephone call.
        Phone = "phone",
        /// People meet in person.
        InPerson = "in-person",
        /// Anything else.
        Other = "other",
    }
}

/// One question of a calendar's form, as it stands now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Stable id, unique within the calendar, kept when the label is edited.
    pub id: String,
    /// The question as the guest reads it.
    pub label: String,
    /// How it is answered.
    pub kind: QuestionKind,
    /// Whether a guest must answer it.
    pub required: bool,
    /// The choices offered, where there are any.
    #[serde(default)]
    pub choices: Vec<String>,
}

enumeration! {
    /// How a question is answered.
    pub enum QuestionKind {
        /// A line of text.
        Text = "text",
        /// Several lines of text.
        Paragraph = "paragraph",
        /// One of a few choices, all visible.
        Radio = "radio",
        /// One of a list of choices.
        Dropdown = "dropdown",
        /// Any number of choices.
        Checkboxes = "checkboxes",
        /// A single yes or no, such as a consent.
        Consent = "consent",
        /// A number.
        Number = "number",
        /// A calendar date.
        Date = "date",
        /// The guest's name.
        Name = "name",
        /// The guest's company.
        Company = "company",
        /// An e-mail address.
        Email = "email",
        /// A telephone number.
        Phone = "phone",
        /// A web address.
        Url = "url",
        /// A remark beside the form's own questions.
        Comment = "comment",
        /// Anything else.
        Other = "other",
    }
}

/// The answer to one question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// `question.id`.
    #[cfg_attr(feature = "component", component(name = "question-id"))]
    pub question_id: String,
    /// The question as the guest read it.
    pub label: String,
    /// How it was answered.
    pub kind: QuestionKind,
    /// Whether the guest had to answer it.
    pub required: bool,
    /// The answer; `none` when the question was not shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<AnswerValue>,
}

/// The value of an answer.
///
/// In JSON text is a string, choices are a list of strings, yes or no is a boolean, and a number is
/// `{"number": "12.50"}`; a JSON number is read too.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(variant))]
pub enum AnswerValue {
    /// Text as typed.
    #[cfg_attr(feature = "component", component(name = "text"))]
    Text(String),
    /// The choices taken, in the form's order.
    #[cfg_attr(feature = "component", component(name = "choices"))]
    Choices(Vec<String>),
    /// A number as decimal text, for example `-12.50`: digits, one full stop, no separators, no exponent.
    #[cfg_attr(feature = "component", component(name = "number"))]
    Number(String),
    /// Yes or no.
    #[cfg_attr(feature = "component", component(name = "boolean"))]
    Boolean(bool),
}

/// A named value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Name, as it was given.
    pub name: String,
    /// Value, decoded.
    pub value: String,
}

/// What a guest pays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct Payment {
    /// Who takes the money, in the host's spelling, for example `stripe`.
    pub provider: String,
    /// Amount in units of `currency` as decimal text, for example `5500` or `49.90`.
    pub amount: String,
    /// ISO 4217 code, for example `JPY`.
    pub currency: String,
}
