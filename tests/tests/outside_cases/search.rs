//! Fields that cannot be searched by: an org encrypts email addresses, and every query by them is refused.

use super::{
    Kind,
    bed::{Bed, booking},
};
use acceptance::samples::{after_unknown, first_try};
use anyhow::Result;
use crm_contract::{Consequence, Outcome, Reaction};
use salesforce_local_org::Fault;
use serde_json::{Value, json};

const ENCRYPTED: &str = r#"
duplicate-rules = []

[[fields]]
name = "Email"
label = "Email"
type = "email"
length = 80
encrypted = "probabilistic"
"#;

const NAMES_TOO: &str = r#"
duplicate-rules = []

[[fields]]
name = "Email"
type = "email"
length = 80
filterable = false
[[fields]]
name = "LastName"
type = "string"
length = 80
nillable = false
filterable = false
[[fields]]
name = "Company"
type = "string"
length = 255
nillable = false
encrypted = "probabilistic"
"#;

const KEY: &str = r#"
duplicate-rules = []

[[fields]]
name = "BookingId__c"
type = "string"
length = 255
external-id = true
unique = true
filterable = false
"#;

const DETERMINISTIC: &str = r#"
duplicate-rules = []

[[fields]]
name = "Email"
type = "email"
length = 80
encrypted = "deterministic"
"#;

/// What Salesforce says of a query by a field that cannot be searched by.
const REFUSALS: &[(&str, &str)] = &[
    (
        "INVALID_FIELD",
        "\nSELECT Id,Email,IsConverted FROM Lead WHERE (Email = 'misaki@example.com' AND IsConverted = false)\n                                   ^\nERROR at Row:1:Column:45\nfield 'Email' can not be filtered in a query call",
    ),
    ("INVALID_FIELD", "field 'Email' can not be filtered in query call"),
    (
        "MALFORMED_QUERY",
        "\nORDER BY Email\n   ^\nERROR at Row:1:Column:80\nfield 'Email' can not be sorted in a query call",
    ),
    ("INVALID_OPERATION", "field 'Email' cannot be filtered in a query call"),
    ("INVALID_QUERY_FILTER_OPERATOR", "Encrypted field 'Email' can't be filtered"),
];

const CODE: &str = "field-not-searchable";

pub async fn cases() -> Result<Kind> {
    let mut kind = Kind::new("search");
    for (name, org) in [("encrypted", ENCRYPTED), ("names too", NAMES_TOO)] {
        let bed = Bed::of(org).await?;
        let mapped = bed.mapping([])?;
        let given = booking([])?;

        // It is said when settings are saved, with what to do.
        for policy in ["keep", "fill-empty", "overwrite"] {
            let found = bed.check(&mapped.with_option("existing", policy)?, &[]).await?.unwrap_or_default();
            let found: Vec<_> = found.iter().filter(|found| found.finding.code == CODE).collect();
            let about = found.first().map(|found| (&*found.finding.fields, found.finding.consequence));
            kind.case(
                format!("{name}: {policy} is checked"),
                about,
                Some((&["Email".to_owned()][..], Consequence::Refused)),
            );
            let ended = bed.deliver(&given, &mapped.with_option("existing", policy)?).await?;
            let problem = ended.map(|_| String::new()).map_err(|problem| (problem.code, problem.reaction));
            kind.case(format!("{name}: {policy} is refused"), problem, Err((CODE.to_owned(), Reaction::FixMapping)));
        }
        let advice = bed.system.plugin.advice(CODE, &[], "en").await?.answer;
        let says = format!("{advice:?}");
        kind.case(
            format!("{name}: the advice names the option"),
            says.contains("If a Lead with the same email address exists"),
            true,
        );
        kind.case(format!("{name}: and not the row"), says.contains("remove the row"), false);

        // Nothing is asked where nothing must be known.
        let calm = bed.check(&mapped, &[]).await?.unwrap_or_default();
        kind.case(
            format!("{name}: another Lead needs no search"),
            calm.iter().any(|found| found.finding.code == CODE),
            false,
        );
        bed.system.org().clear_requests();
        let created = bed.deliver(&given, &mapped).await?;
        kind.case(
            format!("{name}: created"),
            created.map(|delivery| delivery.outcome).map_err(|problem| problem.code),
            Ok(Outcome::Created),
        );
        kind.case(format!("{name}: in one call"), bed.system.api_calls().len(), 1);

        // A lost response is cleared up by what can be searched by.
        let began = bed.system.time(60);
        bed.system.org().advance_clock(jiff::SignedDuration::from_secs(60));
        let given = booking([])?;
        let drop =
            json!({ "method": "POST", "path": "*/sobjects/Lead", "effect": { "kind": "drop", "after-commit": true } });
        bed.system.org().add_fault(serde_json::from_value::<Fault>(drop)?);
        let lost = bed.system.deliver(&given, &mapped, &first_try(began)).await?.answer;
        kind.case(format!("{name}: a lost response"), lost.is_err(), true);
        bed.system.org().clear_requests();
        // The first Lead is old enough by then.
        let history = after_unknown(bed.system.time(5), began);
        let again = bed.system.deliver(&given, &mapped, &history).await?.answer;
        let outcome = again.map(|delivery| delivery.outcome).map_err(|problem| problem.code);
        let is_told = matches!(&outcome, Ok(Outcome::AlreadyDelivered)) || outcome == Err("outcome-unclear".to_owned());
        kind.case(format!("{name}: it is cleared up or a person looks: {outcome:?}"), is_told, true);
        kind.case(format!("{name}: no third Lead"), bed.system.org().leads().len(), 2);
        let refused = bed.system.api_calls().iter().filter(|call| call.status == Some(400)).count();
        kind.case(format!("{name}: no query was refused"), refused, 0);
    }

    // A mapping saved before the field was encrypted: the query is refused, and the look-up asks by what is left.
    let bed = Bed::of("duplicate-rules = []").await?;
    let mapped = bed.mapping([])?;
    let began = bed.system.time(0);
    let given = booking([])?;
    let drop =
        json!({ "method": "POST", "path": "*/sobjects/Lead", "effect": { "kind": "drop", "after-commit": true } });
    bed.system.org().add_fault(serde_json::from_value::<Fault>(drop)?);
    let lost = bed.system.deliver(&given, &mapped, &first_try(began)).await?.answer;
    kind.case("stale: a lost response", lost.is_err(), true);
    bed.system.org().change(|file| {
        let parsed = salesforce_local_org::OrgFile::parse(ENCRYPTED).ok();
        file.fields.extend(parsed.into_iter().flat_map(|parsed| parsed.fields));
    })?;
    let again = bed.system.deliver(&given, &mapped, &after_unknown(bed.system.time(5), began)).await?.answer;
    let outcome = again.map(|delivery| delivery.outcome).map_err(|problem| problem.code);
    kind.case("stale: its Lead is recognized", outcome, Ok(Outcome::AlreadyDelivered));

    // A key that cannot be searched by.
    let bed = Bed::of(KEY).await?;
    let mapped = bed.mapping([])?.with_option("booking-id-field", "BookingId__c")?;
    let found = bed.check(&mapped, &[]).await?.unwrap_or_default();
    let codes: Vec<&str> = found.iter().map(|found| found.finding.code.as_str()).collect();
    kind.case("the booking-id field is checked", codes.contains(&CODE), true);
    let choices =
        bed.system.plugin.list_choices(&bed.system.connection, None, "booking-id-field", &[], "en").await?.answer;
    kind.case("it is not offered", choices.map(|choices| choices.len()).unwrap_or(9), 0);
    let ended = bed
        .system
        .deliver(&booking([])?, &mapped, &after_unknown(bed.system.time(5), bed.system.time(0)))
        .await?
        .answer;
    let problem = ended.map(|_| ()).map_err(|problem| (problem.code, problem.reaction, problem.fields));
    let expected = (CODE.to_owned(), Reaction::FixMapping, vec!["BookingId__c".to_owned()]);
    kind.case(
        "a query by it is explained",
        problem.map_err(|(code, reaction, fields)| {
            // While a try may still be in progress, any problem asks to look again.
            (code, if reaction == Reaction::CheckFirst { Reaction::FixMapping } else { reaction }, fields)
        }),
        Err(expected),
    );

    // Deterministic encryption can be filtered by, but not sorted.
    let bed = Bed::of(DETERMINISTIC).await?;
    let mapped = bed.mapping([])?.with_option("existing", "keep")?;
    let found = bed.check(&mapped, &[]).await?.unwrap_or_default();
    kind.case("deterministic encryption is fine", found.iter().any(|found| found.finding.code == CODE), false);
    let lead = json!({ "LastName": "x", "Company": "x", "Email": "misaki@example.com" });
    bed.system.org().insert_lead(lead.as_object().cloned().unwrap_or_default());
    let kept = bed.deliver(&booking([])?, &mapped).await?.map(|delivery| delivery.outcome);
    kind.case("and finds Leads", kept.map_err(|problem| problem.code), Ok(Outcome::Kept));

    // The words of a refusal differ, and the describe may not show it yet.
    let bed = Bed::of("duplicate-rules = []").await?;
    let mapped = bed.mapping([])?.with_option("existing", "keep")?;
    for (code, message) in REFUSALS {
        let body = json!([{ "message": message, "errorCode": code, "fields": [] }]).to_string();
        let fault = json!({ "method": "GET", "path": "*/query", "times": 9, "effect": {
            "kind": "answer", "status": 400, "headers": [["content-type", "application/json;charset=UTF-8"]], "body": body,
        }});
        bed.system.org().add_fault(serde_json::from_value::<Fault>(fault)?);
        let ended = bed.deliver(&booking([])?, &mapped).await?;
        let problem = ended.map(|_| ()).map_err(|problem| (problem.code, problem.reaction, problem.fields));
        let expected = (CODE.to_owned(), Reaction::FixMapping, vec!["Email".to_owned()]);
        kind.case(format!("{code}: {message}"), problem, Err(expected));
        bed.system.org().clear_faults();
    }
    // Another refusal is not taken for one.
    let other = json!([{ "message": "unexpected token: 'x'", "errorCode": "MALFORMED_QUERY" }]).to_string();
    let fault = json!({ "method": "GET", "path": "*/query", "effect": { "kind": "answer", "status": 400, "headers": [["content-type", "application/json"]], "body": other }});
    bed.system.org().add_fault(serde_json::from_value::<Fault>(fault)?);
    let ended = bed.deliver(&booking([])?, &mapped).await?;
    kind.case(
        "another refusal",
        ended.map(|_| Value::Null).map_err(|problem| problem.code),
        Err("MALFORMED_QUERY".to_owned()),
    );
    Ok(kind)
}
