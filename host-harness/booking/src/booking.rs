//! The booking as a platform hands it over.

use crm_contract::{BookingKind, Parameter};
use serde::{Deserialize, Deserializer, Serialize};

use crate::alike::named;

/// One booking. Its JSON form is the native format of `docs/mapping.md`: unknown names are errors, absent options may be left
/// out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Booking {
    /// What happened to the booking.
    pub kind: Kind,
    /// The platform's stable id, unique within the team; 1 to 200 bytes.
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 200))]
    pub id: String,
    /// The booking that this one replaced when it was moved. Absent where a booking keeps its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 200))]
    pub previous_id: Option<String>,
    /// The platform's id of this change of the booking, or its number in the order of changes; 1 to 200 bytes. The same change has
    /// the same id however often it is sent. Absent if the platform does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 200))]
    pub change_id: Option<String>,
    /// When the change happened: RFC 3339 with any offset. Of two changes of a booking, it decides which one is later. Absent if
    /// the platform does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(format = DateTime))]
    pub changed_at: Option<String>,
    /// The team that owns the calendar and the connection.
    pub team: Team,
    /// The booking page that the guest used.
    pub calendar: Calendar,
    /// The title of the meeting as host and guest see it.
    pub title: String,
    /// When the meeting starts: RFC 3339 with the offset of `time_zone`.
    #[cfg_attr(feature = "schema", schema(format = DateTime))]
    pub start: String,
    /// When the meeting ends: RFC 3339 with the offset of `time_zone`; not before `start`.
    #[cfg_attr(feature = "schema", schema(format = DateTime))]
    pub end: String,
    /// When the booking was confirmed: RFC 3339 with the offset of `time_zone`. Absent if the platform does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(format = DateTime))]
    pub confirmed_at: Option<String>,
    /// The IANA name of the booked zone, for example `Asia/Tokyo`.
    pub time_zone: String,
    /// The person who booked.
    pub guest: Guest,
    /// Further people the guest brings along.
    #[serde(default, deserialize_with = "or_default")]
    #[cfg_attr(feature = "schema", schema(nullable))]
    pub companions: Vec<Person>,
    /// The people of the team who hold the meeting; the first one owns it.
    #[serde(default, deserialize_with = "or_default")]
    #[cfg_attr(feature = "schema", schema(nullable))]
    pub hosts: Vec<Person>,
    /// Where the meeting takes place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The answers to the calendar's form, in its order.
    #[serde(default, deserialize_with = "or_default")]
    #[cfg_attr(feature = "schema", schema(nullable))]
    pub answers: Vec<Answer>,
    /// The calendar's questions as they stand now. With them, a mapping that names an unknown question is a finding of
    /// every delivery and preview; without them only a check of the mapping can tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Vec<Question>>,
    /// UTM and other parameters of the URL by which the guest came, in order, repeats kept.
    #[serde(default, deserialize_with = "or_default")]
    #[cfg_attr(feature = "schema", schema(nullable))]
    pub tracking: Vec<Parameter>,
    /// What the guest wrote beside the form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// What the guest paid or will pay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<Payment>,
    /// What the platform has beyond this record, in order, repeats kept: `extra.NAME` in a mapping.
    #[serde(default, deserialize_with = "or_default")]
    #[cfg_attr(feature = "schema", schema(nullable))]
    pub extra: Vec<Parameter>,
}

/// `null` stands for an absent member.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// What happened to a booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Confirmed for the first time.
    Confirmed,
    /// Moved to a new time, place or host.
    Rescheduled,
    /// Cancelled by guest or host.
    Cancelled,
}

/// A team: owner of calendars and of one connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// Stable id, unique within the platform.
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 200))]
    pub id: String,
    /// Name as people see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A booking page with a form of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// Stable id, unique within the team.
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 200))]
    pub id: String,
    /// Name as people see it.
    pub name: String,
    /// Public address of the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The language of the page, as a BCP 47 tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
}

/// The person who booked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Guest {
    /// The whole name as typed, honorific and all.
    pub name: String,
    /// Family name, where the form asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// Given name, where the form asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// Reading of the family name in kana, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family_name_kana: Option<String>,
    /// Reading of the given name in kana, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_name_kana: Option<String>,
    /// Email address as typed.
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
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The platform's stable id of this person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Name as people see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Email address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// Where a meeting takes place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// What sort of place it is.
    pub kind: PlaceKind,
    /// Who provides it, for example `zoom` or `google-meet`, in the host's spelling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Address of the online room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join_url: Option<String>,
    /// Street address, telephone number or other directions, as people read them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// What sort of place a meeting takes place at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PlaceKind {
    /// An online room.
    Online,
    /// A telephone call.
    Phone,
    /// People meet in person.
    InPerson,
    /// Anything else.
    Other,
}

/// One question of a calendar's form, as it stands now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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
    #[serde(default, deserialize_with = "or_default")]
    #[cfg_attr(feature = "schema", schema(nullable))]
    pub choices: Vec<String>,
}

/// How a question is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum QuestionKind {
    /// A line of text.
    Text,
    /// Several lines of text.
    Paragraph,
    /// One of a few choices, all visible.
    Radio,
    /// One of a list of choices.
    Dropdown,
    /// Any number of choices.
    Checkboxes,
    /// A single yes or no, such as a consent.
    Consent,
    /// A number.
    Number,
    /// A calendar date.
    Date,
    /// The guest's name.
    Name,
    /// The guest's company.
    Company,
    /// An email address.
    Email,
    /// A telephone number.
    Phone,
    /// A web address.
    Url,
    /// A remark beside the form's own questions.
    Comment,
    /// Anything else.
    Other,
}

/// The answer to one question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// `question.id`.
    pub question_id: String,
    /// The question as the guest read it.
    pub label: String,
    /// How it was answered.
    pub kind: QuestionKind,
    /// Whether the guest had to answer it.
    pub required: bool,
    /// The answer; absent if the question was not shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<AnswerValue>,
}

/// The value of an answer.
///
/// In JSON text is a string, choices are a list of strings, yes or no is a boolean, and a number is
/// `{"number": "12.50"}`; a JSON number is read too.
#[derive(Clone, Debug, PartialEq)]
pub enum AnswerValue {
    /// Text as typed.
    Text(String),
    /// The choices taken, in the form's order.
    Choices(Vec<String>),
    /// A number as decimal text, for example `-12.50`: digits, one full stop, no separators, no exponent.
    Number(String),
    /// Yes or no.
    Boolean(bool),
}

/// What a guest pays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Payment {
    /// Who takes the money, in the host's spelling, for example `stripe`.
    pub provider: String,
    /// Amount in units of `currency` as decimal text, for example `5500` or `49.90`.
    pub amount: String,
    /// ISO 4217 code, for example `JPY`.
    pub currency: String,
}

impl Booking {
    /// What a plugin gets of it beside the rows.
    pub(crate) fn to_contract(&self) -> crm_contract::Booking {
        crm_contract::Booking {
            kind: self.kind.to_contract(),
            id: self.id.clone(),
            previous_id: match (&self.previous_id, self.kind) {
                (None, Kind::Rescheduled) => Some(self.id.clone()),
                (previous, _) => previous.clone(),
            },
            team_id: self.team.id.clone(),
            locale: self.guest.locale.clone().or_else(|| self.calendar.locale.clone()),
            more: Vec::new(),
        }
    }

    /// The answer to a question, whether it has a value or not.
    pub(crate) fn given(&self, id: &str) -> Option<&Answer> {
        named(self.answers.iter().map(|answer| (&*answer.question_id, answer)), id)
    }

    /// The answer to a question, with what the form says about the question.
    pub(crate) fn answer(&self, id: &str) -> Option<(QuestionKind, &AnswerValue)> {
        let answer = self.given(id)?;
        let asked = named(self.form.iter().flatten().map(|question| (&*question.id, question)), id);
        let kind = asked.map_or(answer.kind, |question| kind_of(answer.kind, &question.choices));
        Some((kind, answer.value.as_ref()?))
    }

    /// The calendar's questions: `form`, else what the answers show of them. Choices that were not taken are unknown then.
    pub fn questions(&self) -> Vec<Question> {
        match &self.form {
            Some(form) => form.iter().map(|question| asked(question, &self.answers)).collect(),
            None => self.answers.iter().map(question).collect(),
        }
    }
}

impl Kind {
    /// The kind in the contract.
    pub fn to_contract(self) -> BookingKind {
        match self {
            Self::Confirmed => BookingKind::Confirmed,
            Self::Rescheduled => BookingKind::Rescheduled,
            Self::Cancelled => BookingKind::Cancelled,
        }
    }
}

/// A consent is a question that offers one choice, which a guest ticks or not. If the form offers several, one of them may
/// refuse, and only the words of the answer can tell.
fn kind_of(kind: QuestionKind, choices: &[String]) -> QuestionKind {
    if kind == QuestionKind::Consent && choices.len() > 1 { QuestionKind::Radio } else { kind }
}

/// A question of the form. What the guest chose besides its choices, in a form that has changed or one that does not list them, is a
/// choice too.
fn asked(question: &Question, answers: &[Answer]) -> Question {
    let mut choices = question.choices.clone();
    if matches!(question.kind, QuestionKind::Radio | QuestionKind::Dropdown | QuestionKind::Checkboxes) {
        let answer = answers.iter().find(|answer| answer.question_id == question.id);
        for chosen in answer.map(chosen).unwrap_or_default() {
            if !choices.contains(&chosen) {
                choices.push(chosen);
            }
        }
    }
    Question { kind: kind_of(question.kind, &question.choices), choices, ..question.clone() }
}

/// What a guest chose.
fn chosen(answer: &Answer) -> Vec<String> {
    match (&answer.value, answer.kind) {
        (Some(AnswerValue::Choices(taken)), _) => taken.clone(),
        (Some(AnswerValue::Text(text)), QuestionKind::Radio | QuestionKind::Dropdown) if !crate::is_blank(text) => {
            vec![text.clone()]
        }
        _ => Vec::new(),
    }
}

fn question(answer: &Answer) -> Question {
    Question {
        id: answer.question_id.clone(),
        label: answer.label.clone(),
        kind: answer.kind,
        required: answer.required,
        choices: chosen(answer),
    }
}
