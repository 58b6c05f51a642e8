//! A plugin for an invented CRM: the smallest one that does the main job.
//!
//! It fills a *prospect* with two fields from the mapping and posts it in one request.

#[expect(missing_docs, reason = "generated; the documentation is in wit/")]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../../../wit",
        world: "lead-plugin",
        generate_all,
        export_macro_name: "export_plugin",
    });
}

use bindings::exports::scheduling::crm::leads::Guest;
use bindings::scheduling::crm::http::{self, Effect, Failure, Header, Method, Request};
use bindings::scheduling::crm::secrets::{self, Credential, SecretError};
use bindings::scheduling::crm::types::{
    Booking, Delivery, FieldType, History, LeadField, LeadFields, Mapping, Outcome, Problem, Reaction, Source,
};
use serde_json::{Map, Value};

/// The plugin.
#[derive(Debug)]
pub struct TinyCrm;

impl Guest for TinyCrm {
    fn on_booking_completed(booking: Booking, mapping: Mapping, _history: History) -> Result<Delivery, Problem> {
        let session = secrets::open("tiny").map_err(not_opened)?;
        let account = session
            .attribute("instance-url")
            .ok_or_else(|| problem("no-account", "the connection has no account URL", Reaction::Reconnect))?;
        let prospect = prospect(&booking, &mapping);
        let request = Request {
            method: Method::Post,
            url: format!("{}/v1/prospects", account.trim_end_matches('/')),
            headers: vec![Header { name: "content-type".to_owned(), value: "application/json".to_owned() }],
            body: Some(Value::Object(prospect).to_string().into_bytes()),
        };
        let created = post(&request, &session)?;
        Ok(Delivery { lead_id: created, lead_url: None, outcome: Outcome::Created, findings: Vec::new() })
    }

    fn list_lead_fields() -> Result<LeadFields, Problem> {
        let fields = vec![
            field("display", "Display name", FieldType::Text, true, Some(Source::Booking("guest.name".to_owned()))),
            field("mail", "Mail", FieldType::Email, false, Some(Source::Booking("guest.email".to_owned()))),
        ];
        Ok(LeadFields { fields, withheld: Vec::new(), record_types: Vec::new() })
    }
}

/// The prospect for a booking. Fields without a value are omitted.
pub fn prospect(booking: &Booking, mapping: &Mapping) -> Map<String, Value> {
    let value = |source: &Source| match source {
        Source::Fixed(text) => Some(text.clone()),
        Source::Booking(name) if name == "guest.name" => Some(booking.guest.name.clone()),
        Source::Booking(name) if name == "guest.email" => booking.guest.email.clone(),
        _ => None,
    };
    let pair = |row: &bindings::scheduling::crm::types::MappingRow| {
        let text = value(&row.source).filter(|text| !text.is_empty()).or_else(|| row.fallback.clone())?;
        Some((row.field.name.clone(), Value::String(text)))
    };
    mapping.rows.iter().filter_map(pair).collect()
}

fn post(request: &Request, session: &Credential) -> Result<String, Problem> {
    let response = http::send(request, Some(session)).map_err(not_sent)?;
    let body: Option<Value> = serde_json::from_slice(&response.body).ok();
    let id = body.as_ref().and_then(|body| body.get("prospect")).and_then(Value::as_str);
    match (response.status, id) {
        (201, Some(id)) => Ok(id.to_owned()),
        (status, _) => Err(Problem {
            http_status: Some(status),
            ..problem("refused", &String::from_utf8_lossy(&response.body), Reaction::AskAdmin)
        }),
    }
}

fn not_opened(error: SecretError) -> Problem {
    match error {
        SecretError::Temporary => problem("store-unreachable", "cannot read the credential now", Reaction::Retry),
        SecretError::Unavailable | SecretError::GrantEnded => {
            problem("not-connected", "no account is connected", Reaction::Reconnect)
        }
    }
}

fn not_sent(failure: Failure) -> Problem {
    let reaction = match failure.effect {
        Effect::None => Reaction::Retry,
        Effect::Unknown => Reaction::CheckFirst,
    };
    problem("not-sent", &format!("{:?}", failure.kind), reaction)
}

fn problem(code: &str, message: &str, reaction: Reaction) -> Problem {
    Problem {
        code: code.to_owned(),
        message: message.to_owned(),
        reaction,
        http_status: None,
        fields: Vec::new(),
        rows: Vec::new(),
        question_ids: Vec::new(),
        retry_after: None,
        record_ids: Vec::new(),
        also: Vec::new(),
    }
}

fn field(name: &str, label: &str, field_type: FieldType, required: bool, suggested: Option<Source>) -> LeadField {
    LeadField {
        name: name.to_owned(),
        label: label.to_owned(),
        field_type,
        length: Some(80),
        precision: 0,
        scale: 0,
        required,
        restricted: false,
        external_id: false,
        unique: false,
        values: Vec::new(),
        controlling_field: None,
        reference_to: Vec::new(),
        help: None,
        suggested_source: suggested,
    }
}

#[cfg(target_arch = "wasm32")]
mod component {
    #![expect(unsafe_code, reason = "the component's exports are generated as C functions")]
    use super::{TinyCrm, bindings};
    bindings::export_plugin!(TinyCrm with_types_in bindings);
}
