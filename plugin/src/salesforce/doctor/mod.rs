//! The doctor: checks whether a connection has everything that deliveries need.

use crate::{
    bindings::{
        connection::{Account, Fact},
        http::Response,
        types::{Consequence, Finding, Problem, Reaction},
    },
    codes,
    problem::refusal,
    salesforce::{
        api::{Api, VERSION, unreadable},
        describe::{Describe, Field},
        errors::json,
        org::Org,
        tree::Tree,
    },
    texts::{self, Language, Text},
    value::particular,
};

/// Checks everything that a delivery needs. Returns the account, or all problems found, the most pressing first; the list is
/// never empty.
///
/// Sends at most four requests. Details of the account (names, edition) are left out if they cannot be read.
pub fn check(org: &mut impl Org, locale: &str) -> Result<Account, Vec<Problem>> {
    let one = |problem: Box<Problem>| vec![*problem];
    let mut visit = Visit { api: Api::new(org), daily_calls: None };
    visit.check_version().map_err(one)?;
    let described = visit.describe_lead().map_err(one)?;
    let lead = Describe::parse(&described.body).map_err(|reason| vec![unreadable(&described, &reason)])?;
    let problems = lead_problems(&lead);
    if !problems.is_empty() {
        return Err(problems);
    }
    let organization = visit.first("SELECT Id,Name,OrganizationType,IsSandbox FROM Organization LIMIT 1");
    let user_id = visit.api.attribute("user-id");
    let user = user_id
        .as_deref()
        .filter(|id| id.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        .map(|id| visit.first(&format!("SELECT Username FROM User WHERE Id='{id}'")))
        .unwrap_or_default();

    let text = |record: &Tree, name: &str| record.text(name).map(str::to_owned);
    let is_sandbox = organization.is_true("IsSandbox");
    let edition = text(&organization, "OrganizationType");
    let language = Language::closest(locale);
    let facts = [
        ("edition", &texts::FACT_EDITION, edition.map(|name| if is_sandbox { name + " (sandbox)" } else { name })),
        ("username", &texts::FACT_USERNAME, text(&user, "Username")),
        ("user-id", &texts::FACT_USER_ID, user_id),
        ("instance-url", &texts::FACT_INSTANCE_URL, Some(visit.api.origin())),
        ("api-version", &texts::FACT_API_VERSION, Some(VERSION.trim_start_matches('v').to_owned())),
        (
            "daily-calls",
            &texts::FACT_DAILY_CALLS,
            visit.daily_calls.map(|calls| format!("{}/{}", calls.used, calls.allowed)),
        ),
    ];
    let fact = |(id, label, value): (&str, &Text, Option<String>)| {
        Some(Fact { id: id.to_owned(), label: label.to(language).to_owned(), value: value? })
    };
    Ok(Account {
        id: visit.api.attribute("org-id").or_else(|| text(&organization, "Id")).unwrap_or_default(),
        name: text(&organization, "Name"),
        facts: facts.into_iter().filter_map(fact).collect(),
        findings: findings(&lead, visit.daily_calls),
        more: Vec::new(),
    })
}

/// API calls of the last 24 hours.
#[derive(Clone, Copy)]
struct CallUsage {
    used: u64,
    allowed: u64,
}

/// One round of requests to an org.
struct Visit<'o, O> {
    api: Api<'o, O>,
    daily_calls: Option<CallUsage>,
}

impl<O: Org> Visit<'_, O> {
    /// Whether the org has the API version. The list needs no session, so that a retired version is not mistaken for an ended
    /// session.
    fn check_version(&mut self) -> Result<(), Box<Problem>> {
        let response = self.api.get("/services/data/")?;
        let Some(Tree::List(versions)) = json(&response.body) else {
            return Err(Box::new(unreadable(&response, "no list of versions")));
        };
        let number = VERSION.trim_start_matches('v');
        if versions.iter().any(|version| version.text("version") == Some(number)) {
            return Ok(());
        }
        let message = format!("The org has no API version {number}.");
        Err(refusal(codes::API_VERSION_RETIRED, Reaction::AskAdmin, message))
    }

    fn describe_lead(&mut self) -> Result<Response, Box<Problem>> {
        let described = self.api.read("/sobjects/Lead/describe");
        let response = described.map_err(|mut problem| {
            // To a user who is not allowed to see Leads, Salesforce says that the object does not exist.
            if problem.code == "NOT_FOUND" {
                problem.code = codes::LEAD_NOT_READABLE.into();
            }
            problem
        })?;
        self.count(&response);
        Ok(response)
    }

    /// The first record of a query; null if there is none or the user is not allowed to read it.
    fn first(&mut self, soql: &str) -> Tree {
        let Ok(response) = self.api.query(soql) else { return Tree::Null };
        self.count(&response);
        let Some(Tree::Object(members)) = json(&response.body) else { return Tree::Null };
        let records = members.into_iter().find(|(name, _)| name == "records").map(|(_, records)| records);
        let Some(Tree::List(records)) = records else { return Tree::Null };
        records.into_iter().next().unwrap_or_default()
    }

    fn count(&mut self, response: &Response) {
        if let Some(usage) = daily_calls(response) {
            self.daily_calls = Some(usage);
        }
    }
}

/// Reads `api-usage=18/15000; per-app-api-usage=17/250(appName=sample)`. Other numbers may be added.
fn daily_calls(response: &Response) -> Option<CallUsage> {
    let headers = response.headers.iter().filter(|header| header.name.eq_ignore_ascii_case("sforce-limit-info"));
    headers.flat_map(|header| header.value.split([';', ','])).find_map(|part| {
        let (name, usage) = part.split_once('=')?;
        let (used, allowed) = usage.split_once('/')?;
        name.trim().eq_ignore_ascii_case("api-usage").then_some(())?;
        Some(CallUsage { used: used.trim().parse().ok()?, allowed: allowed.trim().parse().ok()? })
    })
}

fn lead_problems(lead: &Describe<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    if lead.queryable == Some(false) || lead.retrieveable == Some(false) {
        let message = "The connected user is not allowed to read Leads.";
        problems.push(Problem::new(codes::LEAD_NOT_READABLE, Reaction::AskAdmin, message));
    }
    if lead.createable == Some(false) {
        let message = "The connected user is not allowed to create Leads.";
        problems.push(Problem::new(codes::LEAD_NOT_CREATABLE, Reaction::AskAdmin, message));
        // Then no field is createable either.
        return problems;
    }
    let closed: Vec<String> = lead
        .fields
        .all
        .iter()
        .filter(|field| is_required_but_closed(field))
        .map(|field| field.name.clone().into_owned())
        .collect();
    if !closed.is_empty() {
        let message = format!("The connected user is not allowed to write required fields: {}.", closed.join(", "));
        let problem = Problem::new(codes::REQUIRED_FIELD_NOT_WRITABLE, Reaction::AskAdmin, message);
        problems.push(Problem { fields: closed, ..problem });
    }
    problems
}

/// Standard fields are ignored, except the two that every Lead needs.
fn is_required_but_closed(field: &Field<'_>) -> bool {
    let name = field.name.as_ref();
    let is_asked_for = matches!(name, "LastName" | "Company") || name.ends_with("__c");
    is_asked_for && !field.createable && !field.nillable && !field.defaulted_on_create
}

/// Warn an admin if less than one tenth of the day's calls is left.
const DAILY_CALLS_RESERVE: u64 = 10;

fn findings(lead: &Describe<'_>, daily_calls: Option<CallUsage>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if lead.updateable == Some(false) {
        let message = "The connected user may create Leads, but not change them.".to_owned();
        findings.push(finding(codes::LEAD_NOT_EDITABLE, Consequence::LeftOut, message));
    }
    if let Some(calls) = daily_calls
        && calls.used >= calls.allowed - calls.allowed / DAILY_CALLS_RESERVE
    {
        let message = format!("{} of {} API calls are used.", calls.used, calls.allowed);
        let mut finding = finding(codes::DAILY_CALLS_LOW, Consequence::Refused, message);
        finding.particulars = vec![particular("used", calls.used), particular("limit", calls.allowed)];
        findings.push(finding);
    }
    findings
}

fn finding(code: &str, consequence: Consequence, message: String) -> Finding {
    let (code, fields, rows) = (code.to_owned(), Vec::new(), Vec::new());
    Finding { code, consequence, fields, rows, message, particulars: Vec::new(), more: Vec::new() }
}

#[cfg(test)]
mod tests;
