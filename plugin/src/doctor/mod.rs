//! The doctor: whether a connection has all that a delivery needs, and what is missing.

use crate::{
    bindings::{
        connection::{Account, CallUsage},
        http::{Header, Method, Request, Response},
        types::{Consequence, Finding, Problem, Reaction},
    },
    errors::{self, Call, problem_from_failure, problem_from_response},
    org::Org,
};
use serde::{Deserialize, de::DeserializeOwned};

/// The plugin's own codes of this module.
pub mod codes {
    /// The user may not read Leads.
    pub const LEAD_NOT_READABLE: &str = "lead-not-readable";
    /// The user may not create Leads.
    pub const LEAD_NOT_CREATABLE: &str = "lead-not-creatable";
    /// The user may not change Leads.
    pub const LEAD_NOT_EDITABLE: &str = "lead-not-editable";
    /// A field without which there is no Lead cannot be written.
    pub const REQUIRED_FIELD_NOT_WRITABLE: &str = "required-field-not-writable";
    /// Few of the daily API calls are left.
    pub const DAILY_CALLS_LOW: &str = "daily-calls-low";

    /// All of them.
    pub const ALL: &[&str] =
        &[LEAD_NOT_READABLE, LEAD_NOT_CREATABLE, LEAD_NOT_EDITABLE, REQUIRED_FIELD_NOT_WRITABLE, DAILY_CALLS_LOW];
}

/// The version that the plugin is written for.
const API_VERSION: &str = "64.0";

/// Goes through everything that a delivery needs. Answers the account, or all the problems it found, the most pressing
/// first, never an empty list.
///
/// At most four requests. What only adorns the account (names, edition) may be unreadable without harm.
pub fn check(org: &mut impl Org) -> Result<Account, Vec<Problem>> {
    let Some(instance_url) = org.attribute("instance-url") else {
        return Err(vec![own_problem(
            crate::codes::INSTANCE_URL_MISSING,
            Reaction::Reconnect,
            "The connection does not name the address of its org.",
            &[],
        )]);
    };
    let mut visit = Visit { org, base: instance_url.trim_end_matches('/').to_owned(), daily_calls: None };
    visit.check_version().map_err(|problem| vec![problem])?;
    let lead = visit.describe_lead().map_err(|problem| vec![problem])?;
    let problems = lead_problems(&lead);
    if !problems.is_empty() {
        return Err(problems);
    }
    let organization: Option<Organization> =
        visit.first("SELECT Id,Name,OrganizationType,IsSandbox FROM Organization LIMIT 1");
    let user_id = visit.org.attribute("user-id");
    let user: Option<User> = user_id
        .as_deref()
        .filter(|id| id.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        .and_then(|id| visit.first(&format!("SELECT Username FROM User WHERE Id='{id}'")));

    let organization = organization.unwrap_or_default();
    let daily_calls = visit.daily_calls;
    Ok(Account {
        org_id: visit.org.attribute("org-id").or(organization.id).unwrap_or_default(),
        org_name: organization.name,
        edition: organization.edition.map(|edition| match organization.is_sandbox {
            Some(true) => format!("{edition} (sandbox)"),
            _ => edition,
        }),
        user_id,
        username: user.and_then(|user| user.username),
        instance_url: visit.base,
        api_version: API_VERSION.to_owned(),
        findings: findings(&lead, daily_calls.as_ref()),
        daily_calls,
    })
}

/// One round of questions to an org.
struct Visit<'a, O> {
    org: &'a mut O,
    base: String,
    daily_calls: Option<CallUsage>,
}

impl<O: Org> Visit<'_, O> {
    /// Whether the org has the version. The list needs no session, so that a retired version is not taken for an ended one.
    fn check_version(&mut self) -> Result<(), Problem> {
        let versions: Vec<Version> = self.get("/services/data")?;
        if versions.iter().any(|version| version.version == API_VERSION) {
            return Ok(());
        }
        let message = format!("The org has no API version {API_VERSION}.");
        Err(own_problem(errors::codes::API_VERSION_RETIRED, Reaction::AskAdmin, &message, &[]))
    }

    fn describe_lead(&mut self) -> Result<LeadDescribe, Problem> {
        let described = self.get(&format!("/services/data/v{API_VERSION}/sobjects/Lead/describe"));
        described.map_err(|problem: Problem| match problem.http_status {
            // For a user who may not see Leads at all, the object does not exist.
            Some(404) => Problem { code: codes::LEAD_NOT_READABLE.into(), ..problem },
            _ => problem,
        })
    }

    /// The first record of a query, if there is one and the user may read it.
    fn first<T: DeserializeOwned>(&mut self, soql: &str) -> Option<T> {
        let query = soql.replace(' ', "+").replace('\'', "%27");
        let page: Page<T> = self.get(&format!("/services/data/v{API_VERSION}/query?q={query}")).ok()?;
        page.records.into_iter().next()
    }

    fn get<T: DeserializeOwned>(&mut self, path: &str) -> Result<T, Problem> {
        let request = Request {
            method: Method::Get,
            url: format!("{}{path}", self.base),
            headers: vec![Header { name: "accept".into(), value: "application/json".into() }],
            body: None,
        };
        let response = self.org.send(&request).map_err(|failure| problem_from_failure(&failure, Call::Read))?;
        if let Some(usage) = daily_calls(&response) {
            self.daily_calls = Some(usage);
        }
        if response.status != 200 {
            return Err(problem_from_response(&response, Call::Read));
        }
        let text = errors::text(&response.body);
        serde_json::from_str(&text).map_err(|_| problem_from_response(&response, Call::Read))
    }
}

/// `api-usage=18/15000; per-app-api-usage=17/250(appName=sample)`: other numbers come along, and more may join them.
fn daily_calls(response: &Response) -> Option<CallUsage> {
    let headers = response.headers.iter().filter(|header| header.name.eq_ignore_ascii_case("sforce-limit-info"));
    headers.flat_map(|header| header.value.split([';', ','])).find_map(|part| {
        let (name, usage) = part.split_once('=')?;
        let (used, allowed) = usage.split_once('/')?;
        name.trim().eq_ignore_ascii_case("api-usage").then_some(())?;
        Some(CallUsage { used: used.trim().parse().ok()?, allowed: allowed.trim().parse().ok()? })
    })
}

fn lead_problems(lead: &LeadDescribe) -> Vec<Problem> {
    let mut problems = Vec::new();
    if lead.queryable == Some(false) || lead.retrieveable == Some(false) {
        let message = "The connected user may not read Leads.";
        problems.push(own_problem(codes::LEAD_NOT_READABLE, Reaction::AskAdmin, message, &[]));
    }
    if lead.createable == Some(false) {
        let message = "The connected user may not create Leads.";
        problems.push(own_problem(codes::LEAD_NOT_CREATABLE, Reaction::AskAdmin, message, &[]));
        // No field is createable then.
        return problems;
    }
    let fields = lead.fields.iter().flatten();
    let closed: Vec<&str> =
        fields.filter(|field| field.is_required_but_closed()).filter_map(|field| field.name.as_deref()).collect();
    if !closed.is_empty() {
        let message = format!("The connected user may not write required fields: {}.", closed.join(", "));
        problems.push(own_problem(codes::REQUIRED_FIELD_NOT_WRITABLE, Reaction::AskAdmin, &message, &closed));
    }
    problems
}

/// Of a hundred calls, how many may be used before somebody should know.
const DAILY_CALLS_WARNING_PERCENT: u128 = 90;

fn findings(lead: &LeadDescribe, daily_calls: Option<&CallUsage>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if lead.updateable == Some(false) {
        let detail = "The connected user may create Leads, but not change them.".to_owned();
        findings.push(finding(codes::LEAD_NOT_EDITABLE, Consequence::LeftOut, detail));
    }
    if let Some(calls) = daily_calls
        && u128::from(calls.used) * 100 >= u128::from(calls.allowed) * DAILY_CALLS_WARNING_PERCENT
    {
        let detail = format!("{} of {} API calls are used.", calls.used, calls.allowed);
        findings.push(finding(codes::DAILY_CALLS_LOW, Consequence::Refused, detail));
    }
    findings
}

fn finding(code: &str, consequence: Consequence, detail: String) -> Finding {
    Finding { code: code.into(), consequence, fields: vec![], rows: vec![], question_ids: vec![], detail }
}

fn own_problem(code: &str, reaction: Reaction, message: &str, fields: &[&str]) -> Problem {
    Problem {
        code: code.into(),
        message: message.into(),
        reaction,
        http_status: None,
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        rows: vec![],
        question_ids: vec![],
        retry_after: None,
        record_ids: vec![],
        also: vec![],
    }
}

#[derive(Deserialize)]
struct Version {
    version: String,
}

/// What the doctor wants to know of Lead. Members may be missing or null.
#[derive(Deserialize)]
struct LeadDescribe {
    createable: Option<bool>,
    updateable: Option<bool>,
    queryable: Option<bool>,
    retrieveable: Option<bool>,
    fields: Option<Vec<FieldDescribe>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FieldDescribe {
    name: Option<String>,
    createable: Option<bool>,
    nillable: Option<bool>,
    defaulted_on_create: Option<bool>,
}

impl FieldDescribe {
    /// Salesforce's own fields are never asked for, but for the two that every Lead needs.
    fn is_required_but_closed(&self) -> bool {
        let name = self.name.as_deref().unwrap_or_default();
        let is_asked_for = matches!(name, "LastName" | "Company") || name.ends_with("__c");
        is_asked_for
            && self.createable == Some(false)
            && self.nillable == Some(false)
            && self.defaulted_on_create == Some(false)
    }
}

#[derive(Deserialize)]
struct Page<T> {
    records: Vec<T>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Organization {
    id: Option<String>,
    name: Option<String>,
    #[serde(rename = "OrganizationType")]
    edition: Option<String>,
    is_sandbox: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct User {
    username: Option<String>,
}

#[cfg(test)]
mod tests;
