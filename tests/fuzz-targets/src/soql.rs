//! Queries of the local org.

use std::sync::LazyLock;

use salesforce_local_org::{
    OrgFile,
    fuzzing::{Queries, is_condition},
};
use serde_json::{Value, json};

static QUERIES: LazyLock<Queries> = LazyLock::new(|| {
    let now = "2026-12-02T08:30:00Z".parse().expect("an instant");
    let queries = Queries::new(OrgFile::enterprise().expect("a built-in org"), now).expect("a consistent org");
    for lead in [
        json!({"LastName": "山田", "Company": "株式会社", "Email": "a@b.example", "NumberOfEmployees": 3}),
        json!({"LastName": "O'Neil", "FirstName": "50% _off_", "Company": "\\", "AnnualRevenue": 1.5}),
        json!({"LastName": "x", "Company": "X", "DoNotCall": true, "Description": "a\nb"}),
    ] {
        if let Value::Object(values) = lead {
            queries.org().insert_lead(values);
        }
    }
    queries
});

/// A query is answered with records, or refused in Salesforce's words. A condition and its opposite divide the records between
/// them, so no text of a condition changes the query around it.
pub fn soql(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (status, body) = QUERIES.ask(text);
    match status {
        200 => assert!(size(&body).is_some(), "{body}"),
        _ => assert!(status == 400 && body.pointer("/0/errorCode").is_some_and(Value::is_string), "{status}: {body}"),
    }
    if !is_condition(text) {
        return;
    }
    let total = |condition: &str| {
        let (status, body) = QUERIES.ask(&format!("SELECT Id FROM Lead WHERE {condition}"));
        (status == 200).then(|| size(&body)).flatten()
    };
    // Only a parenthesis deeper it may be one too many.
    if let (Some(some), Some(others)) = (total(&format!("({text})")), total(&format!("NOT ({text})"))) {
        assert_eq!(some + others, 3, "{text}");
    }
}

fn size(body: &Value) -> Option<u64> {
    body.get("totalSize")?.as_u64()
}
