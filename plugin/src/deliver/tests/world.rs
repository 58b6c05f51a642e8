//! A small org in memory: it keeps Leads, runs the plugin's queries, refuses what Salesforce refuses, and fails on demand.
//!
//! Not `local-org`, which answers over HTTP and takes 7 ms to start: `paths` starts 28,728 orgs. And the plugin must not know
//! the local org, nor the other way round.

use crate::{
    bindings::{
        http::{Failure, Method, Request, Response},
        secrets::SecretError,
    },
    salesforce::org::{Connect, Org},
    script::{ORIGIN, answer, asked, attribute, dated, described, leads, lost, refused},
    value::timestamp::Moment,
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
    /// After how many seconds the next create is committed, whose answer is lost at once.
    pub delays_next_create: Option<i64>,
    /// Leads that are committed later, with the org's time by then.
    late: Vec<(Moment, Map<String, Value>)>,
    /// Fields that take no value, each with the error that says so.
    pub refuses: Vec<(&'static str, &'static str)>,
    /// The fields, as the org describes them.
    fields: Rc<[Value]>,
    /// The org's time.
    pub now: Moment,
    /// Whether its answers show the time.
    pub shows_date: bool,
    /// What was asked, in order.
    pub asked: Vec<String>,
    pub creates: usize,
    pub updates: Vec<String>,
}

impl World {
    /// An org whose clock shows this time.
    pub fn new(now: &str) -> Self {
        Self(Rc::new(RefCell::new(State {
            leads: Vec::new(),
            rule: DuplicateRule::Inactive,
            look_ups_fail: false,
            loses_next_answer: false,
            delays_next_create: None,
            late: Vec::new(),
            refuses: Vec::new(),
            fields: FIELDS.with(Rc::clone),
            now: Moment::parse(now).unwrap(),
            shows_date: true,
            asked: Vec::new(),
            creates: 0,
            updates: Vec::new(),
        })))
    }

    /// Changes the fields.
    pub fn alter(&self, changes: &[(&str, &str, Value)]) {
        self.0.borrow_mut().fields = fields(changes).into();
    }

    pub fn add(&self, fields: Value, created: &str) -> String {
        let mut state = self.0.borrow_mut();
        let id = format!("00Q5e00000{:05}", state.leads.len());
        let mut lead = fields.as_object().unwrap().clone();
        lead.insert("Id".into(), json!(id));
        lead.insert("CreatedDate".into(), json!(created));
        lead.entry("IsConverted").or_insert(json!(false));
        state.leads.push(lead);
        id
    }

    /// Lets time pass.
    pub fn wait(&self, seconds: i64) {
        let mut state = self.0.borrow_mut();
        let now = Moment::at(state.now.unix() + seconds);
        state.now = now;
        let (due, late) = std::mem::take(&mut state.late).into_iter().partition(|(at, _)| at.unix() <= now.unix());
        state.late = late;
        drop(state);
        let due: Vec<(Moment, Map<String, Value>)> = due;
        for (at, lead) in due {
            // Uniqueness is checked when it is committed.
            if lead.get(KEY).is_some_and(|key| self.holder(key).is_some()) {
                continue;
            }
            self.add(Value::Object(lead), &text_of(at));
        }
    }

    fn answer(&self, request: &Request) -> Result<Response, Failure> {
        let answer = self.undated(request);
        let state = self.0.borrow();
        if state.shows_date { dated(answer, &http_date(state.now)) } else { answer }
    }

    fn undated(&self, request: &Request) -> Result<Response, Failure> {
        let asked = asked(request);
        self.0.borrow_mut().asked.push(asked.clone());
        let body = || -> Map<String, Value> { serde_json::from_slice(request.body.as_deref().unwrap()).unwrap() };
        match request.method {
            Method::Get if asked.ends_with("/describe") => {
                answer(200, &json!({"fields": *self.0.borrow().fields}).to_string())
            }
            Method::Get if self.0.borrow().look_ups_fail => lost(),
            Method::Get => self.query(asked.split_once("q=").unwrap().1),
            Method::Post => self.create(request, body()),
            Method::Patch => self.update(asked.rsplit('/').next().unwrap(), body()),
            _ => answer(405, "[]"),
        }
    }

    fn has_field(&self, name: &str) -> bool {
        self.0.borrow().fields.iter().any(|field| field["name"] == name)
    }

    fn query(&self, soql: &str) -> Result<Response, Failure> {
        let (select, rest) = soql.strip_prefix("SELECT ").unwrap().split_once(" FROM Lead WHERE ").unwrap();
        let (conditions, limit) = rest.split_once(" ORDER BY CreatedDate DESC LIMIT ").unwrap();
        let mut names: Vec<&str> = select.split(',').collect();
        let distinct = names.len();
        collect_names(conditions, &mut names);
        for name in &names {
            let is_standard = ["Id", "CreatedDate", "IsConverted"].contains(name);
            if !is_standard && !self.has_field(name) {
                let message =
                    format!("\n{soql}\n^\nERROR at Row:1:Column:8\nNo such column '{name}' on entity 'Lead'.");
                return answer(400, &json!([{"message": message, "errorCode": "INVALID_FIELD"}]).to_string());
            }
        }
        names.truncate(distinct);
        assert!(names.iter().enumerate().all(|(place, name)| !names[..place].contains(name)), "{soql}");
        let state = self.0.borrow();
        let mut found: Vec<&Map<String, Value>> = state.leads.iter().filter(|lead| holds(conditions, lead)).collect();
        found.sort_by_key(|lead| std::cmp::Reverse(moment(&lead["CreatedDate"])));
        let records: Vec<String> = found
            .into_iter()
            .take(limit.parse().unwrap())
            .map(|lead| {
                let members =
                    names.iter().map(|name| ((*name).to_owned(), lead.get(*name).cloned().unwrap_or_default()));
                Value::Object(members.collect()).to_string()
            })
            .collect();
        leads(&records.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn create(&self, request: &Request, body: Map<String, Value>) -> Result<Response, Failure> {
        if let Some(refusal) = self.judged(&body, true) {
            return refusal;
        }
        let allows = request.headers.iter().any(|header| header.name == "sforce-duplicate-rule-header");
        let (rule, now) = (self.0.borrow().rule, text_of(self.0.borrow().now));
        // Rules are asked before uniqueness.
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
        if let Some(taken) = body.get(KEY).and_then(|key| self.holder(key)) {
            let message = format!("duplicate value found: {KEY} duplicates value on record with id: {taken}");
            return refused("DUPLICATE_VALUE", &message, &[]);
        }
        let delay = self.0.borrow_mut().delays_next_create.take();
        if let Some(seconds) = delay {
            let mut state = self.0.borrow_mut();
            let at = Moment::at(state.now.unix() + seconds);
            state.late.push((at, body));
            return lost();
        }
        let id = self.add(Value::Object(body), &now);
        self.0.borrow_mut().creates += 1;
        self.committed(answer(201, &json!({"id": id, "success": true, "errors": []}).to_string()))
    }

    fn update(&self, id: &str, body: Map<String, Value>) -> Result<Response, Failure> {
        if let Some(refusal) = self.judged(&body, false) {
            return refusal;
        }
        let mut state = self.0.borrow_mut();
        let Some(lead) = state.leads.iter_mut().find(|lead| lead["Id"] == id) else {
            return answer(404, r#"[{"errorCode":"NOT_FOUND","message":"The requested resource does not exist"}]"#);
        };
        if lead["IsConverted"] == true {
            return refused("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", &[]);
        }
        lead.extend(body);
        state.updates.push(id.to_owned());
        drop(state);
        self.committed(answer(204, ""))
    }

    /// What Salesforce refuses in a body: types first, then fields that are not there, then what they may not hold.
    fn judged(&self, body: &Map<String, Value>, is_new: bool) -> Option<Result<Response, Failure>> {
        let state = self.0.borrow();
        let field_of = |name: &str| state.fields.iter().find(|field| field["name"] == name);
        for (name, value) in body {
            if value.is_string() && field_of(name).is_some_and(|field| field["type"] == "double") {
                let message = format!("Cannot deserialize instance of double from VALUE_STRING value {value}");
                return Some(refused("JSON_PARSER_ERROR", &message, &[]));
            }
        }
        for (name, value) in body {
            let Some(field) = field_of(name) else {
                let message = format!("No such column '{name}' on sobject of type Lead");
                return Some(refused("INVALID_FIELD", &message, &[]));
            };
            if field["updateable"] == false {
                let message = format!("Unable to create/update fields: {name}. Please check the security settings.");
                return Some(refused("INVALID_FIELD_FOR_INSERT_UPDATE", &message, &[name]));
            }
            let (length, text) = (field["length"].as_u64().unwrap(), value.as_str().unwrap_or_default());
            if length > 0 && text.encode_utf16().count() as u64 > length {
                return Some(refused("STRING_TOO_LONG", &format!("{name}: data value too large: {text}"), &[name]));
            }
        }
        for (name, code) in &state.refuses {
            if body.contains_key(*name) {
                return Some(refused(code, "no", &[name]));
            }
        }
        let required = state.fields.iter().filter(|field| is_new && field["nillable"] == false);
        let required = required.filter_map(|field| field["name"].as_str());
        let missing: Vec<&str> = required.filter(|name| !body.contains_key(*name)).collect();
        if missing.is_empty() {
            return None;
        }
        let message = format!("Required fields are missing: [{}]", missing.join(", "));
        Some(refused("REQUIRED_FIELD_MISSING", &message, &missing))
    }

    fn committed(&self, reply: Result<Response, Failure>) -> Result<Response, Failure> {
        if std::mem::take(&mut self.0.borrow_mut().loses_next_answer) { lost() } else { reply }
    }

    /// The Lead that has a key already, where the field is unique.
    fn holder(&self, key: &Value) -> Option<String> {
        let state = self.0.borrow();
        if state.fields.iter().any(|field| field["name"] == KEY && field["unique"] == false) {
            return None;
        }
        let lead = state.leads.iter().find(|lead| is_same(lead.get(KEY), Some(key)))?;
        lead["Id"].as_str().map(str::to_owned)
    }
}

thread_local! {
    /// The fields of the test mapping.
    static FIELDS: Rc<[Value]> = fields(&[]).into();
}

fn fields(changes: &[(&str, &str, Value)]) -> Vec<Value> {
    let described: Value = serde_json::from_slice(&described(changes).unwrap().body).unwrap();
    described["fields"].as_array().unwrap().clone()
}

/// A moment as the org writes it.
pub fn text_of(moment: Moment) -> String {
    let mut text = String::new();
    moment.push_to(&mut text);
    text
}

/// A moment as HTTP headers have it. No reader looks at the day of the week.
pub fn http_date(moment: Moment) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let Moment { date, hour, minute, second, .. } = moment;
    let month = MONTHS[usize::from(date.month) - 1];
    format!("Sun, {:02} {month} {} {hour:02}:{minute:02}:{second:02} GMT", date.day, date.year)
}

fn moment(value: &Value) -> i64 {
    Moment::parse(value.as_str().unwrap()).unwrap().unix()
}

/// The parts of a condition between a word that stands outside all brackets and literals.
fn parts<'a>(condition: &'a str, word: &str) -> Vec<&'a str> {
    let (mut depth, mut is_quoted, mut is_escaped, mut start) = (0, false, false, 0);
    let mut parts = Vec::new();
    for (place, c) in condition.char_indices() {
        match c {
            '\'' if !is_escaped => is_quoted = !is_quoted,
            '(' if !is_quoted => depth += 1,
            ')' if !is_quoted => depth -= 1,
            _ if depth == 0 && !is_quoted && place >= start && condition[place..].starts_with(word) => {
                parts.push(&condition[start..place]);
                start = place + word.len();
            }
            _ => {}
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    parts.push(&condition[start..]);
    parts
}

/// A condition without the brackets around it, where it has them.
fn inner(condition: &str) -> Option<&str> {
    condition.strip_prefix('(')?.strip_suffix(')')
}

fn collect_names<'a>(condition: &'a str, names: &mut Vec<&'a str>) {
    for part in parts(condition, " OR ").into_iter().flat_map(|part| parts(part, " AND ")) {
        match inner(part) {
            Some(inner) => collect_names(inner, names),
            None => names.push(part.split(' ').next().unwrap()),
        }
    }
}

fn holds(condition: &str, lead: &Map<String, Value>) -> bool {
    let any = parts(condition, " OR ");
    let all = parts(condition, " AND ");
    assert!(any.len() == 1 || all.len() == 1, "brackets are needed: {condition}");
    if any.len() > 1 {
        return any.into_iter().any(|part| holds(part, lead));
    }
    if all.len() > 1 {
        return all.into_iter().all(|part| holds(part, lead));
    }
    if let Some(inner) = inner(condition) {
        return holds(inner, lead);
    }
    if let Some((name, texts)) = condition.split_once(" IN ") {
        return parts(inner(texts).unwrap(), ",").into_iter().any(|text| is_equal(lead.get(name), text));
    }
    if let Some((name, since)) = condition.split_once(" >= ") {
        return moment(&lead[name]) >= Moment::parse(since).unwrap().unix();
    }
    let (name, literal) = condition.split_once(" = ").unwrap();
    is_equal(lead.get(name), literal)
}

fn is_equal(held: Option<&Value>, literal: &str) -> bool {
    let text = literal.trim_matches('\'').replace("\\'", "'").replace("\\\\", "\\");
    match held {
        Some(Value::String(held)) => held.eq_ignore_ascii_case(&text),
        Some(Value::Bool(held)) => held.to_string() == literal,
        _ => literal == "null",
    }
}

fn is_same(one: Option<&Value>, other: Option<&Value>) -> bool {
    matches!((one, other), (Some(Value::String(one)), Some(Value::String(other))) if one.eq_ignore_ascii_case(other))
}

impl Org for World {
    fn origin(&self) -> String {
        ORIGIN.into()
    }

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
