//! The calls to Salesforce's REST API.

use crate::{
    bindings::{
        http::{Failure, Header, Method, Request, Response},
        types::{Effect, Problem, Reaction, RecordRef},
    },
    codes,
    problem::refusal,
    salesforce::{
        errors::{Call, problem_from_failure, problem_from_response},
        fields::{self, LeadFields},
        org::Org,
        soql::push_encoded,
        tree::Tree,
    },
};

/// The API version of every call: generally available since Summer '25, and far from retirement.
pub const VERSION: &str = "v64.0";

/// The object that this plugin writes.
pub const LEAD: &str = "Lead";

/// The longest URL. Salesforce accepts 16,384 bytes together with the headers (REST API guide, "URI length").
const LONGEST_URL: usize = 15_000;

/// Who decides on the owner of a new Lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssignmentRules<'a> {
    /// The org's active rule.
    Run,
    Skip,
    /// The rule with this id.
    Rule(&'a str),
}

impl<'a> AssignmentRules<'a> {
    /// Value of the header `Sforce-Auto-Assign`, which is always sent: without it the active rule runs.
    pub fn header(self) -> &'a str {
        match self {
            Self::Run => "TRUE",
            Self::Skip => "FALSE",
            Self::Rule(id) => id,
        }
    }
}

/// The REST API of the connected org.
pub struct Api<'o, O> {
    org: &'o mut O,
}

/// A write that failed.
pub struct Refused {
    pub problem: Box<Problem>,
    /// What it may have written all the same.
    pub effect: Effect,
    pub response: Option<Response>,
}

impl<'o, O: Org> Api<'o, O> {
    pub fn new(org: &'o mut O) -> Self {
        Self { org }
    }

    /// The org's origin, without a slash at the end. It is another one once the org has moved, even within a call.
    pub fn origin(&self) -> String {
        self.org.origin()
    }

    /// A public fact of the connection.
    pub fn attribute(&self, name: &str) -> Option<String> {
        self.org.attribute(name)
    }

    /// A Lead, for people to open.
    pub fn lead(&self, id: &str) -> RecordRef {
        RecordRef { object: LEAD.to_owned(), id: id.to_owned(), url: Some(self.url_of(id)) }
    }

    /// Where people open a record. Salesforce redirects this address to the page of the current user interface.
    fn url_of(&self, id: &str) -> String {
        let mut url = self.origin();
        url.push('/');
        push_encoded(&mut url, id);
        url
    }

    /// The Lead fields as they are now.
    pub fn describe(&mut self) -> Result<LeadFields, Box<Problem>> {
        let response = self.read("/sobjects/Lead/describe")?;
        fields::read(&response.body).map_err(|reason| Box::new(unreadable(&response, &reason)))
    }

    /// Runs a query that has one page of results.
    pub fn query(&mut self, soql: &str) -> Result<Response, Box<Problem>> {
        let mut path = String::with_capacity(soql.len() * 3 / 2);
        path.push_str("/query?q=");
        push_encoded(&mut path, soql);
        if path.len() > LONGEST_URL {
            return Err(refusal(
                codes::MAPPING_TOO_LARGE,
                Reaction::FixMapping,
                "The mapping has more fields than one query can read.",
            ));
        }
        self.read(&path)
    }

    /// Creates a Lead and returns its id.
    pub fn create(
        &mut self,
        body: Vec<u8>,
        assignment: AssignmentRules<'_>,
        saves_duplicates: bool,
    ) -> Result<String, Refused> {
        let response = self.write(Method::Post, "/sobjects/Lead", write_headers(assignment, saves_duplicates), body)?;
        let body = std::str::from_utf8(&response.body).unwrap_or_default();
        let saved = Tree::parse(body).unwrap_or_default();
        match saved.text("id") {
            // A page or another server's JSON is not a record.
            Some(id) if has_form_of_id(id) && saved.get("success") != Some(&Tree::Bool(false)) => Ok(id.to_owned()),
            _ => Err(self.refused(response)),
        }
    }

    /// Changes a Lead. Assignment rules never run here: an existing Lead keeps its owner.
    pub fn update(&mut self, id: &str, body: Vec<u8>, saves_duplicates: bool) -> Result<(), Refused> {
        let mut path = "/sobjects/Lead/".to_owned();
        push_encoded(&mut path, id);
        let headers = write_headers(AssignmentRules::Skip, saves_duplicates);
        let response = self.write(Method::Patch, &path, headers, body)?;
        // Salesforce has nothing to say about a change (REST API guide, "Update a Record"). A page is somebody else's answer.
        if response.status == 204 { Ok(()) } else { Err(self.refused(response)) }
    }

    /// Reads a path of the API.
    pub fn read(&mut self, path: &str) -> Result<Response, Box<Problem>> {
        self.get(&versioned(path))
    }

    /// Reads a path of the origin.
    pub fn get(&mut self, path: &str) -> Result<Response, Box<Problem>> {
        let request = self.request(Method::Get, path, vec![header("accept", "application/json")], None);
        let response =
            self.org.send(&request).map_err(|failure| Box::new(problem_from_failure(&failure, Call::Read)))?;
        if response.status == 200 { Ok(response) } else { Err(self.problem(&response, Call::Read)) }
    }

    fn write(&mut self, method: Method, path: &str, headers: Vec<Header>, body: Vec<u8>) -> Result<Response, Refused> {
        let request = self.request(method, &versioned(path), headers, Some(body));
        match self.org.send(&request) {
            Ok(response) if (200..300).contains(&response.status) => Ok(response),
            Ok(response) => Err(self.refused(response)),
            Err(failure) => Err(lost(&failure)),
        }
    }

    fn refused(&self, response: Response) -> Refused {
        let problem = self.problem(&response, Call::Write);
        // A write that was answered is `check-first` exactly if its outcome is unknown.
        let effect = if problem.reaction == Reaction::CheckFirst { Effect::Unknown } else { Effect::None };
        Refused { problem, effect, response: Some(response) }
    }

    /// The problem that a response means, with the addresses of the records that it names.
    fn problem(&self, response: &Response, call: Call) -> Box<Problem> {
        let mut problem = problem_from_response(response, call);
        for record in &mut problem.concerned {
            record.url = Some(self.url_of(&record.id));
        }
        Box::new(problem)
    }

    fn request(&self, method: Method, path: &str, headers: Vec<Header>, body: Option<Vec<u8>>) -> Request {
        let mut url = self.origin();
        url.push_str(path);
        Request { method, url, headers, body, more: Vec::new() }
    }
}

/// Whether a text has the form of an id. Its checksum is Salesforce's business.
fn has_form_of_id(text: &str) -> bool {
    matches!(text.len(), 15 | 18) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// A write without a response.
fn lost(failure: &Failure) -> Refused {
    Refused { problem: Box::new(problem_from_failure(failure, Call::Write)), effect: failure.effect, response: None }
}

/// A path of the API, as one of the origin.
fn versioned(path: &str) -> String {
    ["/services/data/", VERSION, path].concat()
}

fn header(name: &str, value: &str) -> Header {
    Header { name: name.to_owned(), value: value.to_owned() }
}

fn write_headers(assignment: AssignmentRules<'_>, saves_duplicates: bool) -> Vec<Header> {
    let mut headers = vec![
        header("accept", "application/json"),
        header("content-type", "application/json"),
        header("sforce-auto-assign", assignment.header()),
    ];
    // Rules may run on edits too, and the header applies to them (REST API guide, "Duplicate Rule Header").
    if saves_duplicates {
        headers.push(header("sforce-duplicate-rule-header", "allowSave=true"));
    }
    headers
}

/// A read that succeeded with an answer that makes no sense.
pub fn unreadable(response: &Response, reason: &str) -> Problem {
    let mut problem = Problem::new(
        codes::ANSWER_UNREADABLE,
        Reaction::Retry,
        format!("Salesforce's answer cannot be read: {reason}"),
    );
    problem.http_status = Some(response.status);
    problem.retry_after = Some(60);
    problem
}
