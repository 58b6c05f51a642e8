//! The booking as a platform hands it over.

use crm_contract::{
    Answer, BookingKind, Calendar, Guest, Parameter, Payment, Person, Place, Question, QuestionKind, Team,
};
use serde::{Deserialize, Serialize};

/// One booking. Its JSON form is the native format of `docs/mapping.md`: unknown names are errors, absent options may be left
/// out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Booking {
    /// What happened to the booking.
    pub kind: Kind,
    /// The platform's stable id, unique within the team; 1 to 200 bytes.
    pub id: String,
    /// For a rescheduled booking: the booking that this one replaces. Absent where a booking keeps its id when it is moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_id: Option<String>,
    /// The team that owns the calendar and the connection.
    pub team: Team,
    /// The booking page that the guest used.
    pub calendar: Calendar,
    /// The title of the meeting as host and guest see it.
    pub title: String,
    /// When the meeting starts: RFC 3339 with the offset of `time_zone`.
    pub start: String,
    /// When the meeting ends: RFC 3339 with the offset of `time_zone`; not before `start`.
    pub end: String,
    /// When the booking was confirmed: RFC 3339 with the offset of `time_zone`.
    pub confirmed_at: String,
    /// The IANA name of the booked zone, for example `Asia/Tokyo`.
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
    /// The calendar's questions as they stand now. With them, a mapping that names an unknown question is a finding of
    /// every delivery and preview; without them only a check of the mapping can tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Vec<Question>>,
    /// UTM and other parameters of the URL by which the guest came, in order, repeats kept.
    #[serde(default)]
    pub tracking: Vec<Parameter>,
    /// What the guest wrote beside the form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// What the guest paid or will pay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<Payment>,
    /// What the platform has beyond this record, in order, repeats kept: `extra.NAME` in a mapping.
    #[serde(default)]
    pub extra: Vec<Parameter>,
}

/// What happened to a booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Confirmed for the first time.
    Confirmed,
    /// Moved to a new time, place or host.
    Rescheduled,
    /// Cancelled by guest or host.
    Cancelled,
}

impl Booking {
    /// The booking in the contract's form; `None` for a cancelled one, which contract 0.1.0 cannot express.
    pub(crate) fn to_contract(&self) -> Option<crm_contract::Booking> {
        let kind = match self.kind {
            Kind::Confirmed => BookingKind::New,
            Kind::Rescheduled => BookingKind::Rescheduled(self.previous_id.clone().unwrap_or_else(|| self.id.clone())),
            Kind::Cancelled => return None,
        };
        Some(crm_contract::Booking {
            kind,
            id: self.id.clone(),
            team: self.team.clone(),
            calendar: self.calendar.clone(),
            title: self.title.clone(),
            start: self.start.clone(),
            end: self.end.clone(),
            confirmed_at: self.confirmed_at.clone(),
            time_zone: self.time_zone.clone(),
            guest: self.guest.clone(),
            companions: self.companions.clone(),
            hosts: self.hosts.clone(),
            place: self.place.clone(),
            answers: self.answers.iter().map(|answer| self.sent(answer)).collect(),
            tracking: self.tracking.clone(),
            comment: self.comment.clone(),
            payment: self.payment.clone(),
            extra: self.extra.clone(),
        })
    }

    /// A consent is a question that offers one choice, which a guest ticks or not. If the form offers several, one of them may
    /// refuse, and only the words of the answer can tell.
    fn sent(&self, answer: &Answer) -> Answer {
        let asked = self.form.iter().flatten().find(|question| question.id == answer.question_id);
        let kind = match asked {
            Some(question) if offers_several(answer.kind, &question.choices) => QuestionKind::Radio,
            _ => answer.kind,
        };
        Answer { kind, ..answer.clone() }
    }

    /// The calendar's questions: `form`, else what the answers show of them. Choices that were not taken are unknown then.
    pub fn questions(&self) -> Vec<Question> {
        match &self.form {
            Some(form) => form.iter().map(asked).collect(),
            None => self.answers.iter().map(question).collect(),
        }
    }
}

fn offers_several(kind: QuestionKind, choices: &[String]) -> bool {
    kind == QuestionKind::Consent && choices.len() > 1
}

fn asked(question: &Question) -> Question {
    let kind = if offers_several(question.kind, &question.choices) { QuestionKind::Radio } else { question.kind };
    Question { kind, ..question.clone() }
}

fn question(answer: &Answer) -> Question {
    let choices = match &answer.value {
        Some(crm_contract::AnswerValue::Choices(taken)) => taken.clone(),
        _ => Vec::new(),
    };
    Question {
        id: answer.question_id.clone(),
        label: answer.label.clone(),
        kind: answer.kind,
        required: answer.required,
        choices,
    }
}
