//! A small org in memory: it keeps Leads, answers the queries that this plugin sends, and fails as it is told.

use crate::{
    bindings::{
        http::{Effect, Failure, FailureKind, Method, Request, Response},
        secrets::SecretError,
    },
    org::{Connect, Org},
    script::{answer, asked, attribute, leads, lost},
    timestamp::Moment,
};
use serde_json::{Map, Value, json};
use std::{cell::RefCell, rc::Rc};

pub const KEY: &str = "BookingId__c";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DuplicateRule {
    Inactive,
    Alert,
    Block,
}

#[derive(Clone)]
pub struct World(pub Rc<RefCell<State>>);

pub struct State {
    pub leads: Vec<Map<String, Value>>,
    pub rule: DuplicateRule,
    pub look_ups_fail: bool,
    /// Whether the next write is committed and its answer lost.
    pub loses_next_answer: bool,
    pub now: String,
    pub calls: usize,
    pub creates: usize,
    pub updates: Vec<String>,
}

impl World {
    pub fn new(now: &str) -> Self {
        Self(Rc::new(RefCell::new(State {
            leads: Vec::new(),
            rule: DuplicateRule::Inactive,
            look_ups_fail: false,
            loses_next_answer: false,
            now: now.into(),
            calls: 0,
            creates: 0,
            updates: Vec::new(),
        })))
    }

    pub fn add(&self, fields: Value, created: &str) -> String {
        let mut state = self.0.borrow_mut();
        let id = format!("00Q5e00000{:05}", state.leads.len());
        let mut lead = fields.as_object().unwrap().clone();
        lead.insert("Id".into(), json!(id));
        lead.insert("CreatedDate".into(), json!(created));
        lead.insert("CreatedById".into(), json!(attribute("user-id").unwrap()));
        lead.entry("IsConverted").or_insert(json!(false));
        state.leads.push(lead);
        id
    }

    fn answer(&self, request: &Request) -> Result<Response, Failure> {
        self.0.borrow_mut().calls += 1;
        let asked = asked(request);
        let body = || -> Map<String, Value> { serde_json::from_slice(request.body.as_deref().unwrap()).unwrap() };
        match request.method {
            Method::Get if asked.ends_with("/describe") => crate::script::described(&[]),
            Method::Get if self.0.borrow().look_ups_fail => {
                Err(Failure { kind: FailureKind::Timeout, effect: Effect::Unknown })
            }
            Method::Get => self.query(asked.split_once("q=").unwrap().1),
            Method::Post => self.create(request, body()),
            Method::Patch => self.update(asked.rsplit('/').next().unwrap(), body()),
            _ => answer(405, "[]"),
        }
    }

    fn query(&self, soql: &str) -> Result<Response, Failure> {
        let state = self.0.borrow();
        let (select, rest) = soql.strip_prefix("SELECT ").unwrap().split_once(" FROM Lead WHERE ").unwrap();
        let (conditions, limit) = rest.split_once(" LIMIT ").unwrap_or((rest, "2000"));
        let (conditions, newest_first) =
            conditions.split_once(" ORDER BY ").map_or((conditions, false), |(conditions, _)| (conditions, true));
        let holds = |lead: &&Map<String, Value>| {
            conditions.split(" AND ").all(|condition| {
                if let Some((name, keys)) = condition.split_once(" IN ") {
                    let keys = keys.trim_matches(['(', ')']).split(',');
                    return keys.map(unquoted).any(|key| is_equal(lead.get(name), &key));
                }
                if let Some((name, since)) = condition.split_once(" >= ") {
                    let moment = |text: &str| Moment::parse(text).unwrap().unix();
                    return moment(lead[name].as_str().unwrap()) >= moment(since);
                }
                let (name, value) = condition.split_once(" = ").unwrap();
                is_equal(lead.get(name), &unquoted(value))
            })
        };
        let mut found: Vec<&Map<String, Value>> = state.leads.iter().filter(holds).collect();
        if newest_first {
            found.sort_by_key(|lead| {
                std::cmp::Reverse(Moment::parse(lead["CreatedDate"].as_str().unwrap()).unwrap().unix())
            });
        }
        let records: Vec<String> = found
            .into_iter()
            .take(limit.parse().unwrap())
            .map(|lead| {
                let members =
                    select.split(',').map(|name| (name.to_owned(), lead.get(name).cloned().unwrap_or_default()));
                Value::Object(members.collect()).to_string()
            })
            .collect();
        leads(&records.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn create(&self, request: &Request, body: Map<String, Value>) -> Result<Response, Failure> {
        let allows = request.headers.iter().any(|header| header.name == "sforce-duplicate-rule-header");
        let (rule, now) = (self.0.borrow().rule, self.0.borrow().now.clone());
        if let Some(taken) = body.get(KEY).and_then(|key| self.holder(KEY, key)) {
            let message = format!("duplicate value found: {KEY} duplicates value on record with id: {taken}");
            return crate::script::refused("DUPLICATE_VALUE", &message, &[]);
        }
        let matched: Vec<Value> = self
            .0
            .borrow()
            .leads
            .iter()
            .filter(|lead| lead["IsConverted"] == false && is_same(lead.get("Email"), body.get("Email")))
            .map(|lead| json!({"record": {"attributes": {"type": "Lead"}, "Id": lead["Id"]}}))
            .collect();
        if !matched.is_empty() && (rule == DuplicateRule::Block || (rule == DuplicateRule::Alert && !allows)) {
            let body = json!([{"errorCode": "DUPLICATES_DETECTED", "message": "Use one of these records?", "duplicateResult": {
                "allowSave": rule == DuplicateRule::Alert,
                "matchResults": [{"entityType": "Lead", "matchRecords": matched}]}}]);
            return answer(400, &body.to_string());
        }
        let id = self.add(Value::Object(body), &now);
        self.0.borrow_mut().creates += 1;
        self.committed(answer(201, &json!({"id": id, "success": true, "errors": []}).to_string()))
    }

    fn update(&self, id: &str, body: Map<String, Value>) -> Result<Response, Failure> {
        let mut state = self.0.borrow_mut();
        let Some(lead) = state.leads.iter_mut().find(|lead| lead["Id"] == id) else {
            return answer(404, r#"[{"errorCode":"NOT_FOUND","message":"x"}]"#);
        };
        if lead["IsConverted"] == true {
            return crate::script::refused("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", &[]);
        }
        lead.extend(body);
        state.updates.push(id.to_owned());
        drop(state);
        self.committed(answer(204, ""))
    }

    fn committed(&self, reply: Result<Response, Failure>) -> Result<Response, Failure> {
        if std::mem::take(&mut self.0.borrow_mut().loses_next_answer) { lost() } else { reply }
    }

    fn holder(&self, field: &str, value: &Value) -> Option<String> {
        let state = self.0.borrow();
        let lead = state.leads.iter().find(|lead| is_same(lead.get(field), Some(value)))?;
        lead["Id"].as_str().map(str::to_owned)
    }
}

fn unquoted(literal: &str) -> String {
    literal.trim_matches('\'').replace("\\'", "'").replace("\\\\", "\\")
}

fn is_equal(held: Option<&Value>, text: &str) -> bool {
    match held {
        Some(Value::String(held)) => held.eq_ignore_ascii_case(text),
        Some(Value::Bool(held)) => held.to_string() == text,
        _ => false,
    }
}

fn is_same(one: Option<&Value>, other: Option<&Value>) -> bool {
    matches!((one, other), (Some(Value::String(one)), Some(Value::String(other))) if one.eq_ignore_ascii_case(other))
}

impl Org for World {
    fn attribute(&self, name: &str) -> Option<String> {
        attribute(name)
    }

    fn send(&mut self, request: &Request) -> Result<Response, Failure> {
        self.answer(request)
    }
}

impl Connect for World {
    type Org = Self;

    fn connect(&mut self) -> Result<Self, SecretError> {
        Ok(self.clone())
    }
}
