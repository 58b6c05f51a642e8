//! Requests that an org must refuse. The plugin never sends them, so the check does. Each response becomes a case for the
//! local org.

use crm_host::transport::Effect;
use serde_json::{Map, Value};

use super::{Run, Verdicts, met, not_applicable, unmet_because};
use crate::{Answer, Case, Obstacle, Operation, redaction, transcript::in_codes};

/// The fault of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    RequiredBlank,
    TooLong,
    BadEmail,
    RestrictedPicklist,
    UnknownField,
    ReadOnlyField,
    WrongType,
    OutOfRange,
    BadReference,
    MalformedJson,
    UnknownObject,
    MalformedQuery,
}

/// The expected status and code.
type Expected = (u16, &'static str);

impl Refusal {
    fn expected(self) -> Expected {
        match self {
            Self::RequiredBlank => (400, "REQUIRED_FIELD_MISSING"),
            Self::TooLong => (400, "STRING_TOO_LONG"),
            Self::BadEmail => (400, "INVALID_EMAIL_ADDRESS"),
            Self::RestrictedPicklist => (400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
            Self::UnknownField => (400, "INVALID_FIELD"),
            Self::ReadOnlyField => (400, "INVALID_FIELD_FOR_INSERT_UPDATE"),
            Self::WrongType | Self::MalformedJson => (400, "JSON_PARSER_ERROR"),
            Self::OutOfRange => (400, "NUMBER_OUTSIDE_VALID_RANGE"),
            Self::BadReference => (400, "MALFORMED_ID"),
            Self::UnknownObject => (404, "NOT_FOUND"),
            Self::MalformedQuery => (400, "MALFORMED_QUERY"),
        }
    }
}

/// Fits into 32 bits, but has more digits than an `int` field allows.
const OUT_OF_RANGE: u32 = 1_431_655_766;
const NO_SUCH_FIELD: &str = "LiveCheckNoSuchField__c";

impl Run<'_> {
    pub(super) async fn refuse(&mut self, id: &str, refusal: Refusal) -> Verdicts {
        let Some(operation) = self.faulty(refusal)? else {
            return not_applicable("this org has no field for it that the connected user can write");
        };
        let answered = self.subject.send(operation.clone()).await;
        if operation.method == http::Method::POST && may_have_created(&answered) {
            self.unanswered += 1;
        }
        let answer = answered?;
        if let Some(lead) = answer.json.as_ref().and_then(|body| body.get("id")).and_then(Value::as_str) {
            self.leads.push(lead.to_owned());
        }
        self.verdict(id, operation, &answer, true, refusal.expected())
    }

    pub(super) async fn invented_token(&self, id: &str) -> Verdicts {
        let operation = Operation::get(self.api("sobjects/Lead/describe")?);
        let answer = self.subject.send_with_invented_token(operation.clone()).await?;
        self.verdict(id, operation, &answer, false, (401, "INVALID_SESSION_ID"))
    }

    fn verdict(
        &self,
        id: &str,
        operation: Operation,
        answer: &Answer,
        authorized: bool,
        (status, code): Expected,
    ) -> Verdicts {
        let errors = answer.json.as_ref().map(redaction::errors).unwrap_or_default();
        let found = in_codes(answer.status, &errors);
        let is_expected = answer.status == status && errors.iter().any(|error| error.code == code);
        // A different response is an equally good case, because a real org gave it.
        if answer.status >= 400 {
            self.subject.recorder().case(Case {
                id: id.to_owned(),
                method: operation.method.to_string(),
                path: operation.path,
                headers: operation.headers,
                body: operation.body,
                authorized,
                status: answer.status,
                errors,
            });
        }
        if is_expected {
            return met(found);
        }
        unmet_because(found, answer.json.as_ref().map_or_else(|| "no JSON".to_owned(), Value::to_string))
    }

    /// A request with one fault; `None` if the org has no suitable field.
    fn faulty(&self, refusal: Refusal) -> Result<Option<Operation>, Obstacle> {
        let body = self.body.as_ref().ok_or(Obstacle::Needs("preview"))?;
        let offered = &self.fields()?.fields;
        let is_offered = |field: &&Value| offered.iter().any(|offered| *offered.name == *name(field));
        let fields: Vec<&Value> = self.described()?.iter().filter(is_offered).collect();
        let named = |wanted: &str| fields.iter().copied().find(|field| name(field) == wanted);
        let with = |name: &str, value: Value| {
            let mut body = body.clone();
            body.insert(name.to_owned(), value);
            body
        };
        let faulty = match refusal {
            Refusal::RequiredBlank => {
                Some(body.clone().into_iter().filter(|(name, _)| name != "LastName").collect::<Map<_, _>>())
            }
            Refusal::TooLong => named("Company").map(|field| {
                let length =
                    field.get("length").and_then(Value::as_u64).and_then(|length| usize::try_from(length).ok());
                with("Company", Value::from("x".repeat(length.unwrap_or(255) + 1)))
            }),
            Refusal::BadEmail => named("Email").map(|_| with("Email", Value::from("live-check"))),
            Refusal::RestrictedPicklist => fields
                .iter()
                .find(|field| {
                    field.get("restrictedPicklist") == Some(&Value::Bool(true))
                        && kind(field) == "picklist"
                        && field.get("controllerName").is_none_or(Value::is_null)
                })
                .map(|field| with(name(field), Value::from("live-check"))),
            Refusal::UnknownField => Some(with(NO_SUCH_FIELD, Value::from("x"))),
            Refusal::ReadOnlyField => Some(with("Name", Value::from("live-check"))),
            Refusal::WrongType => integer(&fields).map(|field| with(name(field), Value::from("many"))),
            Refusal::OutOfRange => integer(&fields).map(|field| with(name(field), Value::from(OUT_OF_RANGE))),
            Refusal::BadReference => Some(with("OwnerId", Value::from("live-check"))),
            Refusal::MalformedJson => return Ok(Some(self.posted("sobjects/Lead", "{\"LastName\":".to_owned())?)),
            Refusal::UnknownObject => {
                return Ok(Some(self.posted("sobjects/LiveCheckNoSuchObject__c", "{}".to_owned())?));
            }
            Refusal::MalformedQuery => {
                return Ok(Some(Operation::get(self.api("query?q=SELECT%20Id%20FROM%20Lead%20WHERE")?)));
            }
        };
        faulty.map(|body| self.posted("sobjects/Lead", Value::Object(body).to_string())).transpose()
    }

    /// A post that bypasses duplicate and assignment rules.
    fn posted(&self, path: &str, body: String) -> Result<Operation, Obstacle> {
        let operation = Operation::post(self.api(path)?, body);
        Ok(operation.with("sforce-auto-assign", "FALSE").with("sforce-duplicate-rule-header", "allowSave=true"))
    }
}

/// Whether a create without a response may have made a Lead.
fn may_have_created(answered: &Result<Answer, Obstacle>) -> bool {
    match answered {
        Ok(answer) => answer.status >= 500,
        Err(Obstacle::Transport(error)) => error.effect == Effect::Unknown,
        Err(_) => false,
    }
}

/// A field for whole numbers, preferably the standard one.
fn integer<'f>(fields: &[&'f Value]) -> Option<&'f Value> {
    let mut integers = fields.iter().copied().filter(|field| kind(field) == "int");
    integers.clone().find(|field| name(field) == "NumberOfEmployees").or_else(|| integers.next())
}

fn name(field: &Value) -> &str {
    field.get("name").and_then(Value::as_str).unwrap_or_default()
}

fn kind(field: &Value) -> &str {
    field.get("type").and_then(Value::as_str).unwrap_or_default()
}
