//! A plugin of a newer version of the contract: its interfaces are named 0.1.1, it exports one more, and it says things that 0.1.0
//! has no case or member for. It asks for nothing that a host of 0.1.0 lacks.

mod bindings {
    include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
}

use bindings::exports::scheduling::crm::{forecast, leads};
use bindings::scheduling::crm::{
    http::{self, Method, Request},
    secrets,
    types::{
        Booking, BookingKind, Consequence, Delivery, Effect, Field, FieldList, FieldType, Finding, History, Mapping,
        Outcome, Parameter, Problem, Reaction, Value,
    },
};

/// The plugin.
#[derive(Debug)]
pub struct Newer;

impl leads::Guest for Newer {
    fn on_booking_completed(booking: Booking, mapping: Mapping, history: History) -> Result<Delivery, Problem> {
        // A kind that an older host may name, too.
        if matches!(booking.kind, BookingKind::Other(_)) {
            return Ok(delivery(Outcome::Ignored));
        }
        let credential = secrets::open("loot").map_err(|_| problem("not-connected", Reaction::Reconnect))?;
        let url = format!("{}/open/{}", credential.origin(), mapping.rows.len());
        let request = Request { method: Method::Post, url, headers: Vec::new(), body: None, more: newer_member() };
        let response = http::send(&request, &credential).map_err(|_| problem("unreachable", Reaction::Retry))?;
        let is_refused =
            mapping.rows.iter().any(|row| matches!(&row.value, Some(Value::Text(text)) if text == "refuse"));
        if response.status != 200 || is_refused {
            return Err(problem("waits-for-approval", Reaction::Other("await-approval".to_owned())));
        }
        let is_first = history.first_try.is_none();
        Ok(delivery(if is_first { Outcome::Other("queued".to_owned()) } else { Outcome::AlreadyDelivered }))
    }

    fn list_lead_fields(_: Option<String>, _: String) -> Result<FieldList, Problem> {
        let field = Field {
            name: "place".to_owned(),
            label: "Place".to_owned(),
            field_type: FieldType::Other("geo-point".to_owned()),
            required: false,
            group: String::new(),
            choices: Vec::new(),
            help: None,
            suggested_source: None,
            memo: "1".to_owned(),
            more: newer_member(),
        };
        Ok(FieldList { fields: vec![field], withheld: Vec::new(), more: newer_member() })
    }
}

impl forecast::Guest for Newer {
    fn closes(_: String) -> Option<u64> {
        None
    }
}

fn newer_member() -> Vec<Parameter> {
    vec![Parameter { name: "added-in-0.1.1".to_owned(), value: "x".to_owned() }]
}

fn delivery(outcome: Outcome) -> Delivery {
    let finding = Finding {
        code: "newer-finding".to_owned(),
        consequence: Consequence::Changed,
        fields: Vec::new(),
        rows: Vec::new(),
        message: "something new".to_owned(),
        particulars: Vec::new(),
        more: newer_member(),
    };
    Delivery { records: Vec::new(), outcome, findings: vec![finding], more: newer_member() }
}

fn problem(code: &str, reaction: Reaction) -> Problem {
    Problem {
        code: code.to_owned(),
        message: String::new(),
        reaction,
        effect: Effect::None,
        http_status: None,
        retry_after: None,
        fields: Vec::new(),
        rows: Vec::new(),
        particulars: Vec::new(),
        made: Vec::new(),
        concerned: Vec::new(),
        also: Vec::new(),
        more: newer_member(),
    }
}

#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "generated exports")]
mod component {
    use crate::Newer;

    crate::bindings::export!(Newer with_types_in crate::bindings);
}
