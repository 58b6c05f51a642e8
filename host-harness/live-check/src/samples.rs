//! The booking and mapping of the check. The guest does not exist: the address has a reserved domain (RFC 2606), and each run
//! has its own, so that runs do not find each other's Leads.

use crm_booking::{Booking, Calendar, Guest, Kind, Mapping, MappingFault, Row, RowId, Source, Team, ValueTable};
use crm_host::types::{Field, FieldType, History, RecordRef, UnknownTries};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// The company of every test Lead, by which people find those that are left.
pub const TEST_COMPANY: &str = "live-check (delete me)";

/// The field of the deployable metadata; in a package, it has the package's prefix.
const BOOKING_ID_FIELD: &str = "BookingId__c";
const SECONDS: &str = "%Y-%m-%dT%H:%M:%SZ";

/// One run of the check.
#[derive(Clone, Debug)]
pub(crate) struct Samples {
    run: String,
    began: Timestamp,
}

impl Samples {
    pub fn new(began: Timestamp) -> Self {
        Self { run: began.strftime("%Y%m%dt%H%M%S%3f").to_string(), began }
    }

    /// A query for the Leads of this run, by the guest's address, and by name for users who cannot see `Email`.
    pub fn leads(&self, mapping: &Mapping) -> String {
        let guest = self.booking(0).guest;
        let wanted = [("LastName", guest.family_name), ("Email", guest.email)];
        let mapped = |name: &str| mapping.rows().iter().any(|row| row.field == name);
        // Neither value has a character that SOQL must escape.
        let conditions: Vec<String> = wanted
            .into_iter()
            .filter(|(name, _)| mapped(name))
            .map(|(name, value)| format!("{name} = '{}'", value.unwrap_or_default()))
            .collect();
        format!("SELECT Id FROM Lead WHERE {}", conditions.join(" OR "))
    }

    /// A booking of this run. All have the same guest.
    pub fn booking(&self, number: u32) -> Booking {
        let at = |hours| self.began.saturating_add(SignedDuration::from_hours(hours)).unwrap_or(self.began);
        let time = |hours| at(hours).strftime(SECONDS).to_string();
        Booking {
            kind: Kind::Confirmed,
            id: format!("{}-{number}", self.run),
            previous_id: None,
            change_id: None,
            changed_at: None,
            team: Team { id: "live-check".to_owned(), name: None },
            calendar: Calendar { id: "live-check".to_owned(), name: "live-check".to_owned(), url: None, locale: None },
            title: "接続確認 / live-check".to_owned(),
            start: time(48),
            end: time(49),
            confirmed_at: Some(time(0)),
            time_zone: "UTC".to_owned(),
            guest: Guest {
                name: format!("確認{} 太郎", self.run),
                family_name: Some(format!("確認{}", self.run)),
                given_name: Some("太郎".to_owned()),
                family_name_kana: None,
                given_name_kana: None,
                email: Some(format!("live-check+{}@example.com", self.run)),
                phone: None,
                company: Some(TEST_COMPANY.to_owned()),
                locale: Some("ja".to_owned()),
            },
            companions: Vec::new(),
            hosts: Vec::new(),
            place: None,
            answers: Vec::new(),
            form: None,
            tracking: Vec::new(),
            comment: None,
            payment: None,
            extra: Vec::new(),
        }
    }

    /// The booking `number`, moved by a day under a new id.
    pub fn moved(&self, number: u32, new_number: u32) -> Booking {
        let later = Self {
            run: self.run.clone(),
            began: self.began.saturating_add(SignedDuration::from_hours(24)).unwrap_or(self.began),
        };
        let previous_id = Some(self.booking(number).id);
        Booking { kind: Kind::Rescheduled, previous_id, ..later.booking(new_number) }
    }

    /// What a ledger would know.
    pub fn history(&self, lead_id: Option<&str>) -> History {
        let lead = |id: &str| RecordRef { object: "Lead".to_owned(), id: id.to_owned(), url: None };
        History {
            now: instant(Timestamp::now()),
            records: lead_id.map(lead).into_iter().collect(),
            ..History::default()
        }
    }

    /// What a ledger would know of a booking that was tried when the run began, and whose outcome it never heard.
    pub fn unknown_outcome(&self) -> History {
        let began = instant(self.began);
        let unknown_tries = Some(UnknownTries { oldest: began, newest: began });
        History { first_try: Some(began), unknown_tries, ..self.history(None) }
    }
}

fn instant(time: Timestamp) -> u64 {
    u64::try_from(time.as_millisecond()).unwrap_or_default()
}

/// Rows for the guest and the time, and a fixed value for whatever else this org requires. Assignment rules do not run, so
/// that no one gets an email about a test Lead.
///
/// # Errors
/// If the plugin lists a field twice.
pub(crate) fn mapping(fields: &[Field], described: &[Value]) -> Result<Mapping, MappingFault> {
    let sources = [
        ("LastName", Source::Booking("guest.family-name".to_owned())),
        ("FirstName", Source::Booking("guest.given-name".to_owned())),
        ("Company", Source::Booking("guest.company".to_owned())),
        ("Email", Source::Booking("guest.email".to_owned())),
        ("Description", Source::Template("{title}\n{start-date} {start-time}".to_owned())),
    ];
    let chosen = |field: &Field| {
        let named = sources.iter().find(|(name, _)| *name == field.name).map(|(_, source)| source.clone());
        named.or_else(|| field.required.then(|| Source::Fixed(filler(field))))
    };
    let rows = (0..).zip(fields).filter_map(|(number, field)| {
        Some(Row {
            id: RowId::numbered(number),
            field: field.name.clone(),
            source: chosen(field)?,
            fallback: None,
            values: ValueTable::default(),
            on: None,
        })
    });
    let mut options = vec![("assignment-rules".to_owned(), "skip".to_owned())];
    options.extend(booking_id_field(described).map(|name| ("booking-id-field".to_owned(), name.to_owned())));
    Mapping::new(None, rows.collect(), options.into_iter().collect())
}

/// The same mapping with an option chosen.
pub(crate) fn with_option(mapping: &Mapping, id: &str, value: &str) -> Result<Mapping, MappingFault> {
    let mut options = mapping.options().clone();
    options.insert(id.to_owned(), value.to_owned());
    Mapping::new(mapping.target().map(str::to_owned), mapping.rows().to_vec(), options)
}

/// The field of the deployable metadata, if it is what the plugin needs.
pub(crate) fn booking_id_field(described: &[Value]) -> Option<&str> {
    let is_true = |field: &Value, key: &str| field.get(key) == Some(&Value::Bool(true));
    described
        .iter()
        .filter(|field| is_true(field, "externalId") && is_true(field, "unique"))
        .filter(|field| field.get("type").and_then(Value::as_str) == Some("string"))
        .filter_map(|field| field.get("name").and_then(Value::as_str))
        .find(|name| *name == BOOKING_ID_FIELD || name.ends_with(&format!("__{BOOKING_ID_FIELD}")))
}

/// Something that a field of this type takes.
fn filler(field: &Field) -> String {
    let text = match &field.field_type {
        FieldType::Choice | FieldType::Choices => {
            let choice = field.choices.iter().find(|choice| choice.active);
            choice.map_or("live-check", |choice| choice.value.as_str())
        }
        FieldType::Email => "live-check@example.com",
        FieldType::Phone => "000",
        FieldType::Url => "https://example.com",
        FieldType::Integer | FieldType::Number | FieldType::Currency | FieldType::Percent => "1",
        FieldType::Checkbox => "true",
        FieldType::Date => "2030-01-01",
        FieldType::DateTime => "2030-01-01T00:00:00Z",
        FieldType::Time => "00:00:00.000Z",
        _ => "live-check",
    };
    text.to_owned()
}
