//! The CRM's API: paths, answers and refusals.

use serde_json::{Value as Json, json};

use crate::{
    bindings::scheduling::crm::{
        http::{self, Failure, FailureKind, Header, Method, Request, Response},
        secrets::{self, Credential, SecretError},
        types::{Effect, Problem, Reaction, RecordRef},
    },
    fields::Fields,
};

/// Object of the person who booked.
pub(crate) const PERSON: &str = "person";
/// Object that a mapping is about.
pub(crate) const LEAD: &str = "lead";

/// Seconds to wait if the CRM does not say.
const PAUSE: u32 = 60;

/// The connected CRM.
pub(crate) struct Crm(Credential);

/// A lead that a search found.
pub(crate) struct FoundLead {
    pub(crate) lead: RecordRef,
    pub(crate) person: RecordRef,
}

impl Crm {
    pub(crate) fn open() -> Result<Self, Problem> {
        secrets::open("tiny").map(Self).map_err(|error| match error {
            SecretError::Unavailable | SecretError::GrantEnded(_) => {
                problem("not-connected", "no API key is stored", Reaction::Reconnect)
            }
            SecretError::NeedsAPerson(_) => problem("key-unusable", "the API key cannot be used", Reaction::AskAdmin),
            SecretError::Temporary(_) | SecretError::Other(_) => {
                problem("key-unreadable", "the API key cannot be read now", Reaction::Retry)
            }
        })
    }

    /// Codes and titles of the pipelines.
    pub(crate) fn pipelines(&self) -> Result<Vec<(String, String)>, Problem> {
        let body = self.get("/v1/pipelines")?;
        let pipelines = list(&body, "pipelines")?.iter();
        pipelines.map(|one| Ok((text(one, "code")?, text(one, "title")?))).collect()
    }

    /// The named pipeline, or the first.
    pub(crate) fn pipeline(&self, target: Option<&str>) -> Result<String, Problem> {
        match target {
            Some(target) => Ok(target.to_owned()),
            None => match self.pipelines()?.into_iter().next() {
                Some((code, _)) => Ok(code),
                None => Err(problem("no-pipeline", "the CRM has no pipeline", Reaction::AskAdmin)),
            },
        }
    }

    pub(crate) fn fields(&self, pipeline: &str) -> Result<Fields, Problem> {
        let body = self.get(&format!("/v1/pipelines/{}/fields", encoded(pipeline)));
        let body = body.map_err(|problem| match problem.http_status {
            Some(404) => Problem { code: "target-unknown".to_owned(), reaction: Reaction::FixMapping, ..problem },
            _ => problem,
        })?;
        Fields::of(list(&body, "fields")?).ok_or_else(unreadable)
    }

    /// The person with this mail; the first one if there are several.
    pub(crate) fn find_person(&self, mail: &str) -> Result<Option<RecordRef>, Problem> {
        let body = self.get(&format!("/v1/persons?mail={}", encoded(mail)))?;
        let first = list(&body, "persons")?.first();
        first.map(|person| Ok(self.record(PERSON, text(person, "id")?))).transpose()
    }

    /// The leads with this reference.
    pub(crate) fn find_leads(&self, reference: &str) -> Result<Vec<FoundLead>, Problem> {
        let body = self.get(&format!("/v1/leads?reference={}", encoded(reference)))?;
        let found = |lead: &Json| {
            Ok(FoundLead {
                lead: self.record(LEAD, text(lead, "id")?),
                person: self.record(PERSON, text(lead, "person_id")?),
            })
        };
        list(&body, "leads")?.iter().map(found).collect()
    }

    pub(crate) fn create_person(&self, values: &Json) -> Result<RecordRef, Problem> {
        self.create("/v1/persons", PERSON, &json!({ "values": values }))
    }

    pub(crate) fn create_lead(
        &self,
        pipeline: &str,
        person: &RecordRef,
        reference: &str,
        values: &Json,
    ) -> Result<RecordRef, Problem> {
        let lead = json!({ "pipeline": pipeline, "person_id": person.id, "reference": reference, "values": values });
        self.create("/v1/leads", LEAD, &lead)
    }

    /// Changes a record. Doing it again does the same.
    pub(crate) fn change(&self, record: &RecordRef, values: &Json) -> Result<(), Problem> {
        let path = format!("/v1/{}s/{}", record.object, encoded(&record.id));
        self.write(Method::Patch, &path, &json!({ "values": values })).map(|_| ())
    }

    fn create(&self, path: &str, object: &str, body: &Json) -> Result<RecordRef, Problem> {
        let answer = self.write(Method::Post, path, body)?;
        // It was created, but nobody knows as what.
        let id = text(&answer, "id").map_err(|unreadable| Problem {
            reaction: Reaction::CheckFirst,
            effect: Effect::Unknown,
            retry_after: Some(PAUSE),
            ..unreadable
        })?;
        Ok(self.record(object, id))
    }

    fn record(&self, object: &str, id: String) -> RecordRef {
        let page = format!("{}/{object}s/{id}", self.0.origin());
        RecordRef { object: object.to_owned(), url: page.starts_with("https:").then_some(page), id }
    }

    fn get(&self, path: &str) -> Result<Json, Problem> {
        // Reading changes nothing, whatever became of the request.
        self.send(Method::Get, path, None).map_err(|problem| match problem.effect {
            Effect::None => problem,
            Effect::Unknown => Problem { effect: Effect::None, reaction: Reaction::Retry, ..problem },
        })
    }

    fn write(&self, method: Method, path: &str, body: &Json) -> Result<Json, Problem> {
        self.send(method, path, Some(body.to_string().into_bytes()))
    }

    fn send(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Result<Json, Problem> {
        let content_type = Header { name: "content-type".to_owned(), value: "application/json".to_owned() };
        let headers = body.iter().map(|_| content_type.clone()).collect();
        let url = format!("{}{path}", self.0.origin());
        let request = Request { method, url, headers, body, more: Vec::new() };
        let response = http::send(&request, &self.0).map_err(not_answered)?;
        match response.status {
            // Whoever needs something of it finds out whether it can be read.
            200 | 201 => Ok(serde_json::from_slice(&response.body).unwrap_or_default()),
            _ => Err(refused(&response)),
        }
    }
}

fn not_answered(failure: Failure) -> Problem {
    let (code, reaction) = match (failure.effect, failure.kind) {
        (Effect::Unknown, _) => ("no-answer", Reaction::CheckFirst),
        (_, FailureKind::GrantEnded) => ("not-connected", Reaction::Reconnect),
        (_, FailureKind::NeedsAPerson) => ("key-unusable", Reaction::AskAdmin),
        _ => ("not-sent", Reaction::Retry),
    };
    Problem { effect: failure.effect, retry_after: Some(PAUSE), ..problem(code, "the CRM did not answer", reaction) }
}

/// A refusal in the CRM's words: `{ "error": { "code", "text", "field" } }`.
fn refused(response: &Response) -> Problem {
    let body: Json = serde_json::from_slice(&response.body).unwrap_or_default();
    let said = |name: &str| body.pointer(&format!("/error/{name}")).and_then(Json::as_str).map(str::to_owned);
    let (reaction, effect) = match response.status {
        401 => (Reaction::Reconnect, Effect::None),
        429 | 503 => (Reaction::Retry, Effect::None),
        422 if said("field").is_some() => (Reaction::FixBooking, Effect::None),
        400..500 => (Reaction::AskAdmin, Effect::None),
        _ => (Reaction::CheckFirst, Effect::Unknown),
    };
    let header = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("retry-after"));
    let waits = matches!(reaction, Reaction::Retry | Reaction::CheckFirst);
    Problem {
        effect,
        http_status: Some(response.status),
        retry_after: waits.then(|| header.and_then(|header| header.value.parse().ok()).unwrap_or(PAUSE)),
        fields: said("field").into_iter().collect(),
        ..problem(
            &said("code").unwrap_or_else(|| format!("status-{}", response.status)),
            said("text").unwrap_or_default(),
            reaction,
        )
    }
}

pub(crate) fn problem(code: &str, message: impl Into<String>, reaction: Reaction) -> Problem {
    Problem {
        code: code.to_owned(),
        message: message.into(),
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
        more: Vec::new(),
    }
}

fn unreadable() -> Problem {
    problem("answer-unreadable", "the CRM's answer cannot be read", Reaction::Retry)
}

fn list<'a>(body: &'a Json, name: &str) -> Result<&'a Vec<Json>, Problem> {
    body.get(name).and_then(Json::as_array).ok_or_else(unreadable)
}

fn text(body: &Json, name: &str) -> Result<String, Problem> {
    body.get(name).and_then(Json::as_str).map(str::to_owned).ok_or_else(unreadable)
}

/// Percent-encoded, as RFC 3986 asks for data in a path or query.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
