//! An org that gives a test's answers and records the requests.

use crate::{
    bindings::{
        http::{Failure, FailureKind, Header, Method, Request, Response},
        secrets::SecretError,
        types::Effect,
    },
    salesforce::org::{Connect, Org},
};
use std::{cell::RefCell, collections::VecDeque, rc::Rc};

/// A script, shared by the test and the code under test.
#[derive(Clone, Default)]
pub struct Script(Rc<RefCell<Inner>>);

#[derive(Default)]
struct Inner {
    replies: VecDeque<Result<Response, Failure>>,
    requests: Vec<Request>,
}

impl Script {
    /// An org with these answers, in this order.
    pub fn new(replies: impl IntoIterator<Item = Result<Response, Failure>>) -> Self {
        let script = Self::default();
        script.0.borrow_mut().replies.extend(replies);
        script
    }

    /// What was asked: method and, decoded, the path and query behind the version.
    pub fn asked(&self) -> Vec<String> {
        self.0.borrow().requests.iter().map(asked).collect()
    }

    /// The body of a request.
    pub fn body(&self, place: usize) -> serde_json::Value {
        serde_json::from_slice(self.0.borrow().requests[place].body.as_deref().unwrap()).unwrap()
    }

    /// A header of a request.
    pub fn header(&self, place: usize, name: &str) -> Option<String> {
        let inner = self.0.borrow();
        inner.requests[place].headers.iter().find(|header| header.name == name).map(|header| header.value.clone())
    }
}

impl Org for Script {
    fn origin(&self) -> String {
        ORIGIN.into()
    }

    fn attribute(&self, name: &str) -> Option<String> {
        attribute(name)
    }

    fn send(&mut self, request: &Request) -> Result<Response, Failure> {
        let mut inner = self.0.borrow_mut();
        inner.requests.push(request.clone());
        inner.replies.pop_front().unwrap_or_else(|| panic!("no answer to {}", asked(request)))
    }
}

impl Connect for Script {
    type Org = Self;

    fn connect(&mut self) -> Result<Self, SecretError> {
        Ok(self.clone())
    }
}

/// The address of the test org.
pub const ORIGIN: &str = "https://example.my.salesforce.com";

/// The public facts of the test org.
pub fn attribute(name: &str) -> Option<String> {
    (name == "user-id").then(|| "0055e00000AbCdEAAV".into())
}

/// Method, and path and query behind the version, decoded.
pub fn asked(request: &Request) -> String {
    let method = match &request.method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Patch => "PATCH",
        other => panic!("{other:?}"),
    };
    let path = request.url.split_once(crate::salesforce::api::VERSION).unwrap().1;
    let mut decoded = Vec::new();
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let hex: Vec<u8> = bytes.by_ref().take(2).collect();
                decoded.push(u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap());
            }
            byte => decoded.push(byte),
        }
    }
    format!("{method} {}", String::from_utf8(decoded).unwrap())
}

pub fn answer(status: u16, body: &str) -> Result<Response, Failure> {
    Ok(Response { status, headers: Vec::new(), body: body.into(), more: Vec::new() })
}

/// An answer that shows the org's time.
pub fn dated(answer: Result<Response, Failure>, date: &str) -> Result<Response, Failure> {
    let header = Header { name: "Date".into(), value: date.into() };
    answer.map(|response| Response { headers: vec![header], ..response })
}

pub fn failed(kind: FailureKind, effect: Effect) -> Result<Response, Failure> {
    Err(Failure { kind, effect, detail: None, more: Vec::new() })
}

pub fn created() -> Result<Response, Failure> {
    answer(201, r#"{"id":"00Q5e00000NewAAEAZ","success":true,"errors":[]}"#)
}

pub fn changed() -> Result<Response, Failure> {
    answer(204, "")
}

pub fn leads(records: &[&str]) -> Result<Response, Failure> {
    answer(200, &format!(r#"{{"totalSize":1,"done":true,"records":[{}]}}"#, records.join(",")))
}

pub fn refused(code: &str, message: &str, fields: &[&str]) -> Result<Response, Failure> {
    let body = serde_json::json!([{"message": message, "errorCode": code, "fields": fields}]);
    answer(400, &body.to_string())
}

pub fn lost() -> Result<Response, Failure> {
    failed(FailureKind::Timeout, Effect::Unknown)
}

pub fn unreachable() -> Result<Response, Failure> {
    failed(FailureKind::Connect, Effect::None)
}

/// A describe result of the fields of [`crate::fixture::mapping`], some of them changed.
pub fn described(changes: &[(&str, &str, serde_json::Value)]) -> Result<Response, Failure> {
    let field = |name: &str, kind: &str, length: u32, nillable: bool| {
        serde_json::json!({
            "name": name, "label": format!("{name} label"), "type": kind, "length": length, "createable": true,
            "updateable": true, "nillable": nillable, "defaultedOnCreate": false,
        })
    };
    let mut fields = vec![
        field("LastName", "string", 80, false),
        field("FirstName", "string", 40, true),
        field("Company", "string", 255, false),
        field("Email", "email", 80, true),
        field("Description", "textarea", 32_000, true),
        field("MeetingDate__c", "date", 0, true),
        field("BookingId__c", "string", 255, true),
        field("Title", "string", 128, true),
    ];
    for field in fields.iter_mut().filter(|field| field["name"] == "BookingId__c") {
        (field["unique"], field["externalId"]) = (true.into(), true.into());
    }
    for (name, key, value) in changes {
        let place = fields.iter().position(|field| field["name"] == *name).unwrap();
        if value.is_null() {
            fields.remove(place);
        } else {
            fields[place][*key] = value.clone();
        }
    }
    answer(200, &serde_json::json!({"name": "Lead", "fields": fields}).to_string())
}
