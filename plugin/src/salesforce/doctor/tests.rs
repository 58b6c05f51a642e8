//! The doctor before orgs in every state.

use super::check;
use crate::{
    bindings::{
        connection::{Account, Fact},
        http::{Failure, FailureKind, Header, Request, Response},
        types::{Effect, Problem, Reaction},
    },
    salesforce::org::Org,
};
use serde_json::{Value, json};

type Answer = Result<Response, Failure>;

/// An org that answers by path.
struct Script {
    versions: Answer,
    describe: Answer,
    organization: Answer,
    user: Answer,
    asked: Vec<String>,
}

impl Org for Script {
    fn origin(&self) -> String {
        "https://our.my.salesforce.com".into()
    }

    fn attribute(&self, name: &str) -> Option<String> {
        match name {
            "org-id" => Some("00D000000000001AAA".into()),
            "user-id" => Some("005000000000001AAA".into()),
            _ => None,
        }
    }

    fn send(&mut self, request: &Request) -> Result<Response, Failure> {
        let path = request.url.strip_prefix("https://our.my.salesforce.com").expect("another origin");
        self.asked.push(path.to_owned());
        match path {
            "/services/data/" => self.versions.clone(),
            _ if path.ends_with("/sobjects/Lead/describe") => self.describe.clone(),
            _ if path.contains("FROM%20Organization") => self.organization.clone(),
            _ if path.contains("FROM%20User") => self.user.clone(),
            _ => panic!("{path}"),
        }
    }
}

fn answer(status: u16, body: Value) -> Response {
    let headers = vec![Header { name: "Sforce-Limit-Info".into(), value: "api-usage=18/15000".into() }];
    Response { status, headers, body: body.to_string().into_bytes(), more: vec![] }
}

fn refusal(status: u16, code: &str) -> Answer {
    Ok(answer(status, json!([{ "errorCode": code, "message": "No." }])))
}

fn failed(kind: FailureKind) -> Answer {
    Err(Failure { kind, effect: Effect::None, detail: None, more: vec![] })
}

fn field(name: &str, createable: bool, nillable: bool) -> Value {
    json!({"name": name, "createable": createable, "nillable": nillable, "defaultedOnCreate": false, "type": "string"})
}

fn lead() -> Value {
    json!({
        "createable": true, "updateable": true, "queryable": true, "retrieveable": true, "name": "Lead",
        "fields": [
            field("Name", false, false), field("LastName", true, false), field("Company", true, false), field("Sum__c", false, true),
        ],
    })
}

fn healthy() -> Script {
    let versions = json!([
        {"label": "Winter '24", "url": "/services/data/v59.0", "version": "59.0"},
        {"label": "Summer '25", "url": "/services/data/v64.0", "version": "64.0"},
        {"label": "Summer '26", "url": "/services/data/v67.0", "version": "67.0"},
    ]);
    let organization = json!({"totalSize": 1, "done": true, "records": [{
        "attributes": {"type": "Organization"}, "Id": "00D000000000001AAA", "Name": "株式会社サンプル",
        "OrganizationType": "Enterprise Edition", "IsSandbox": true,
    }]});
    let user = json!({"totalSize": 1, "done": true, "records": [{"Username": "integration@example.com"}]});
    Script {
        versions: Ok(Response { headers: vec![], ..answer(200, versions) }),
        describe: Ok(answer(200, lead())),
        organization: Ok(answer(200, organization)),
        user: Ok(answer(200, user)),
        asked: vec![],
    }
}

fn problems(mut org: Script) -> Vec<Problem> {
    check(&mut org, "en").expect_err("a problem")
}

fn codes_and_reactions(problems: &[Problem]) -> Vec<(&str, Reaction)> {
    problems.iter().map(|problem| (problem.code.as_str(), problem.reaction.clone())).collect()
}

#[test]
fn a_healthy_connection_names_its_org_and_user() {
    let mut org = healthy();
    let account = check(&mut org, "ja-JP").unwrap();
    let fact =
        |(id, label, value): (&str, &str, &str)| Fact { id: id.into(), label: label.into(), value: value.into() };
    let facts = [
        ("edition", "エディション", "Enterprise Edition (sandbox)"),
        ("username", "連携ユーザー", "integration@example.com"),
        ("user-id", "ユーザー ID", "005000000000001AAA"),
        ("instance-url", "組織の URL", "https://our.my.salesforce.com"),
        ("api-version", "API バージョン", "64.0"),
        ("daily-calls", "API 要求数 (この 24 時間以内)", "18/15000"),
    ];
    let expected = Account {
        id: "00D000000000001AAA".into(),
        name: Some("株式会社サンプル".into()),
        facts: facts.into_iter().map(fact).collect(),
        findings: vec![],
        more: vec![],
    };
    assert_eq!(account, expected);
    assert_eq!(
        org.asked,
        [
            "/services/data/",
            "/services/data/v64.0/sobjects/Lead/describe",
            "/services/data/v64.0/query?q=SELECT%20Id%2CName%2COrganizationType%2CIsSandbox%20FROM%20Organization%20LIMIT%201",
            "/services/data/v64.0/query?q=SELECT%20Username%20FROM%20User%20WHERE%20Id%3D%27005000000000001AAA%27",
        ]
    );
}

#[test]
fn what_only_adorns_the_account_may_be_hidden() {
    for hidden in
        [refusal(400, "INVALID_TYPE"), refusal(403, "INSUFFICIENT_ACCESS"), Ok(answer(200, json!({"records": []})))]
    {
        let account = check(&mut Script { organization: hidden.clone(), user: hidden, ..healthy() }, "en").unwrap();
        let facts: Vec<&str> = account.facts.iter().map(|fact| &*fact.id).collect();
        assert_eq!(facts, ["user-id", "instance-url", "api-version", "daily-calls"]);
        assert_eq!((&*account.id, account.name), ("00D000000000001AAA", None));
    }
}

#[test]
fn the_first_refusal_says_what_stands_in_the_way() {
    #[rustfmt::skip]
    let cases = [
        (Script { versions: Ok(answer(200, json!([{"version": "41.0"}]))), ..healthy() }, "api-version-retired", Reaction::AskAdmin, 1),
        (Script { versions: refusal(420, "OTHER"), ..healthy() }, "OTHER", Reaction::Reconnect, 1),
        (Script { versions: failed(FailureKind::Connect), ..healthy() }, "org-unreachable", Reaction::Retry, 1),
        (Script { versions: failed(FailureKind::GrantEnded), ..healthy() }, "connection-ended", Reaction::Reconnect, 1),
        (Script { describe: refusal(401, "INVALID_SESSION_ID"), ..healthy() }, "INVALID_SESSION_ID", Reaction::Reconnect, 2),
        (Script { describe: refusal(403, "API_DISABLED_FOR_ORG"), ..healthy() }, "API_DISABLED_FOR_ORG", Reaction::AskAdmin, 2),
        (Script { describe: refusal(403, "CLIENT_NOT_ACCESSIBLE_FOR_USER"), ..healthy() }, "CLIENT_NOT_ACCESSIBLE_FOR_USER", Reaction::AskAdmin, 2),
        (Script { describe: refusal(403, "REQUEST_LIMIT_EXCEEDED"), ..healthy() }, "REQUEST_LIMIT_EXCEEDED", Reaction::Retry, 2),
        (Script { describe: refusal(404, "NOT_FOUND"), ..healthy() }, "lead-not-readable", Reaction::AskAdmin, 2),
        (Script { describe: Ok(answer(200, json!("<html>"))), ..healthy() }, "answer-unreadable", Reaction::Retry, 2),
    ];
    for (mut org, code, reaction, requests) in cases {
        let problems = check(&mut org, "en").expect_err(code);
        assert_eq!(codes_and_reactions(&problems), [(code, reaction)]);
        assert_eq!(org.asked.len(), requests, "{code}");
    }
}

#[test]
fn what_the_user_may_not_do_with_leads_is_said_at_once() {
    let with = |change: &dyn Fn(&mut Value)| {
        let mut lead = lead();
        change(&mut lead);
        Script { describe: Ok(answer(200, lead)), ..healthy() }
    };
    let found = problems(with(&|lead| lead["createable"] = false.into()));
    assert_eq!(codes_and_reactions(&found), [("lead-not-creatable", Reaction::AskAdmin)]);

    let found = problems(with(&|lead| {
        lead["queryable"] = false.into();
        lead["createable"] = false.into();
    }));
    let both = [("lead-not-readable", Reaction::AskAdmin), ("lead-not-creatable", Reaction::AskAdmin)];
    assert_eq!(codes_and_reactions(&found), both);

    let found = problems(with(&|lead| {
        lead["fields"] = json!([
            field("Name", false, false),
            field("LastName", false, false),
            field("Company", true, false),
            field("Need__c", false, false),
        ]);
    }));
    assert_eq!(codes_and_reactions(&found), [("required-field-not-writable", Reaction::AskAdmin)]);
    assert_eq!(found[0].fields, ["LastName", "Need__c"]);

    let account = check(&mut with(&|lead| lead["updateable"] = false.into()), "en").unwrap();
    assert_eq!(account.findings.iter().map(|finding| finding.code.as_str()).collect::<Vec<_>>(), ["lead-not-editable"]);
}

#[test]
fn a_describe_may_have_missing_and_null_members() {
    for describe in [
        json!({"fields": null}),
        json!({"fields": []}),
        json!({"createable": null, "fields": [{}, {"name": null, "createable": false}]}),
    ] {
        assert!(check(&mut Script { describe: Ok(answer(200, describe)), ..healthy() }, "en").is_ok());
    }
    let mut body = vec![0xef, 0xbb, 0xbf];
    body.extend(lead().to_string().into_bytes());
    let describe = Ok(Response { status: 200, headers: vec![], body, more: vec![] });
    assert!(check(&mut Script { describe, ..healthy() }, "en").is_ok());
}

#[test]
fn the_daily_calls_are_read_among_other_numbers_and_warned_of_in_time() {
    #[rustfmt::skip]
    let cases = [
        ("api-usage=18/15000", Some("18/15000"), false),
        ("api-usage=10018/100000; api-bursts=1/750", Some("10018/100000"), false),
        ("api-bursts=1/750,api-usage=10018/100000", Some("10018/100000"), false),
        ("per-app-api-usage=17/250(appName=x); api-usage=13500/15000", Some("13500/15000"), true),
        ("API-Usage = 15001/15000", Some("15001/15000"), true),
        ("api-usage=13499/15000", Some("13499/15000"), false),
        ("per-app-api-usage=17/250(appName=x)", None, false),
        ("api-usage=lots", None, false),
        ("api-usage=99999999999999999999/1", None, false),
        ("", None, false),
    ];
    for (value, expected, warned) in cases {
        let mut org = healthy();
        for answer in [&mut org.describe, &mut org.organization, &mut org.user] {
            answer.as_mut().unwrap().headers[0].value = value.into();
        }
        let account = check(&mut org, "en").unwrap();
        let calls = account.facts.iter().find(|fact| fact.id == "daily-calls").map(|fact| &*fact.value);
        assert_eq!(calls, expected, "{value}");
        let codes: Vec<_> = account.findings.iter().map(|finding| finding.code.as_str()).collect();
        assert_eq!(codes, if warned { vec!["daily-calls-low"] } else { vec![] }, "{value}");
    }
}
