//! Every shape of a body, and every trap that other clients fell into.

use super::{concerned, read, response, usual, with_header, write};
use crate::{
    bindings::types::Reaction,
    salesforce::errors::{
        Call, duplicates,
        duplicates::{Duplicates, Match},
        problem_from_response,
    },
};
use proptest::prelude::*;

const LEAD: &str = "00Q5g00000ABCDEEA5";

#[test]
fn errors_are_read_in_every_shape_that_salesforce_has() {
    let bodies = [
        r#"[{"message":"No.","errorCode":"STRING_TOO_LONG","fields":["LastName"]}]"#,
        r#"[ { "errorCode" : "STRING_TOO_LONG", "fields" : [ "LastName" ], "message" : "No." } ]"#,
        r#"{"message":"No.","errorCode":"STRING_TOO_LONG","fields":["LastName"]}"#,
        r#"{"success":false,"errors":[{"statusCode":"STRING_TOO_LONG","message":"No.","fields":["LastName"]}]}"#,
        r#"[{"id":null,"success":false,"errors":[{"statusCode":"STRING_TOO_LONG","message":"No.","fields":["LastName"]}]}]"#,
        r#"{"hasErrors":true,"results":[{"referenceId":"r","errors":[{"statusCode":"STRING_TOO_LONG","message":"No.","fields":["LastName"]}]}]}"#,
        r#"{"compositeResponse":[{"body":[{"message":"No.","errorCode":"STRING_TOO_LONG","fields":["LastName"]}],"httpStatusCode":400}]}"#,
        "\u{feff}[{\"message\":\"No.\",\"errorCode\":\"STRING_TOO_LONG\",\"fields\":[\"LastName\"]}]",
        r#"[{"message":"No.","errorCode":"STRING_TOO_LONG","fields":"LastName","extendedErrorDetails":null}]"#,
    ];
    for body in bodies {
        let problem = write(400, body);
        assert_eq!((problem.code.as_str(), problem.message.as_str()), ("STRING_TOO_LONG", "No."), "{body}");
        assert_eq!(problem.fields, ["LastName"], "{body}");
        assert!(problem.also.is_empty(), "{body}");
    }
}

#[test]
fn a_save_that_failed_with_a_status_of_success_wrote_nothing() {
    let unknown = r#"{"success":false,"errors":[{"statusCode":"NEVER_SEEN_BEFORE","message":"?","fields":[]}]}"#;
    let problem = write(200, unknown);
    assert_eq!((problem.code.as_str(), &problem.reaction), ("NEVER_SEEN_BEFORE", &Reaction::AskAdmin));
}

#[test]
fn xml_is_read_when_the_request_was_not_taken_for_json() {
    let body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Errors><Error><errorCode>INVALID_SESSION_ID</errorCode>\
                <message>Session expired &amp; gone</message></Error></Errors>";
    let problem = read(401, body);
    assert_eq!((problem.code.as_str(), &problem.reaction), ("INVALID_SESSION_ID", &Reaction::Reconnect));
    assert_eq!(problem.message, "Session expired & gone");

    let several = "<Errors><Error><errorCode>STRING_TOO_LONG</errorCode><message>1</message></Error>\
                   <Error><errorCode>INVALID_EMAIL_ADDRESS</errorCode><message>2</message></Error></Errors>";
    let problem = write(400, several);
    assert_eq!((problem.code.as_str(), problem.message.as_str()), ("STRING_TOO_LONG", "1"));
    assert_eq!((problem.also[0].code.as_str(), problem.also[0].message.as_str()), ("INVALID_EMAIL_ADDRESS", "2"));
}

#[test]
fn a_page_in_place_of_an_answer_is_known_by_its_status() {
    let page = "<html><head><title>Service Not\n Available</title></head><body><h1>Down</h1></body></html>";
    #[rustfmt::skip]
    let cases = [
        (413, "request-too-large", Reaction::AskAdmin, "request-too-large", Reaction::AskAdmin),
        (414, "request-too-large", Reaction::AskAdmin, "request-too-large", Reaction::AskAdmin),
        (431, "request-too-large", Reaction::AskAdmin, "request-too-large", Reaction::AskAdmin),
        (400, "request-refused", Reaction::Retry, "request-refused", Reaction::Retry),
        (401, "connection-ended", Reaction::Reconnect, "connection-ended", Reaction::Reconnect),
        (403, "org-moved", Reaction::Reconnect, "org-moved", Reaction::Reconnect),
        (404, "org-moved", Reaction::Reconnect, "org-moved", Reaction::Reconnect),
        (300, "org-moved", Reaction::Reconnect, "org-moved", Reaction::Reconnect),
        (409, "request-refused", Reaction::Retry, "request-refused", Reaction::Retry),
        (410, "org-moved", Reaction::Reconnect, "org-moved", Reaction::Reconnect),
        (412, "request-refused", Reaction::Retry, "request-refused", Reaction::Retry),
        (421, "org-moved", Reaction::Reconnect, "org-moved", Reaction::Reconnect),
        (420, "org-unknown", Reaction::Reconnect, "org-unknown", Reaction::Reconnect),
        (429, "org-busy", Reaction::Retry, "org-busy", Reaction::Retry),
        (302, "org-moved", Reaction::Reconnect, "org-moved", Reaction::Reconnect),
        (304, "answer-unreadable", Reaction::Retry, "outcome-unknown", Reaction::CheckFirst),
        (408, "request-refused", Reaction::Retry, "outcome-unknown", Reaction::CheckFirst),
        (200, "answer-unreadable", Reaction::Retry, "outcome-unknown", Reaction::CheckFirst),
        (201, "answer-unreadable", Reaction::Retry, "outcome-unknown", Reaction::CheckFirst),
        (500, "org-error", Reaction::Retry, "outcome-unknown", Reaction::CheckFirst),
        (502, "org-error", Reaction::Retry, "outcome-unknown", Reaction::CheckFirst),
        (503, "org-error", Reaction::Retry, "outcome-unknown", Reaction::CheckFirst),
        (504, "org-error", Reaction::Retry, "outcome-unknown", Reaction::CheckFirst),
    ];
    for (status, read_code, read_reaction, write_code, write_reaction) in cases {
        let (reading, writing) = (read(status, page), write(status, page));
        assert_eq!((reading.code.as_str(), reading.reaction), (read_code, read_reaction), "{status}");
        assert_eq!((writing.code.as_str(), writing.reaction), (write_code, write_reaction), "{status}");
        assert_eq!(reading.message, "Salesforce answered with a web page: Service Not Available", "{status}");
    }
}

#[test]
fn a_page_is_told_by_its_title_and_without_markup() {
    for (page, expected) in [
        ("<!DOCTYPE html><HTML><TITLE lang=\"en\">We&#39;ll be &lt;back&gt;</TITLE>", "a web page: We'll be back"),
        ("<html><body>The URL has moved <a href=\"https://x\">here</a></body></html>", "a web page."),
        ("<html><head><title></title></head></html>", "a web page."),
        ("<html><head><title>never ends", "a web page."),
        ("<?xml version=\"1.0\"?><html><title>\u{130}stanbul</title></html>", "a web page: \u{130}stanbul"),
    ] {
        let message = read(503, page).message;
        assert_eq!(message, format!("Salesforce answered with {expected}"), "{page}");
    }
    assert_eq!(read(503, "no healthy upstream").message, "no healthy upstream");
    assert!(read(503, &format!("<title>{}</title>", "長".repeat(50_000))).message.len() < 400);
}

#[test]
fn the_words_of_a_gateway_are_not_a_salesforce_code() {
    let body = r#"{"timestamp":"2026-12-02T08:30:00Z","status":502,"error":"Bad Gateway","path":"/services/data"}"#;
    let problem = write(502, body);
    assert_eq!((problem.code.as_str(), &problem.reaction), ("outcome-unknown", &Reaction::CheckFirst));
    assert_eq!(problem.message, "Bad Gateway");
    let problem = read(503, r#"{"error":"temporarily_unavailable","error_description":"Later."}"#);
    assert_eq!((problem.code.as_str(), problem.message.as_str()), ("org-error", "Later."));
    let wrapped =
        r#"[{"errorCode":"UNKNOWN_EXCEPTION","message":"<html><title>Oops</title><body><b>no</b></body></html>"}]"#;
    assert_eq!(read(500, wrapped).message, "Salesforce answered with a web page: Oops");
}

#[test]
fn an_empty_or_meaningless_body_is_known_by_its_status() {
    for body in
        ["", "  \n", "null", "7", "\"no\"", "[]", "{}", "[null]", "[[]]", "[{\"errorCode\":7,\"message\":null}]"]
    {
        let problem = write(500, body);
        assert_eq!((problem.code.as_str(), &problem.reaction), ("outcome-unknown", &Reaction::CheckFirst), "{body}");
        let problem = read(404, body);
        // Salesforce itself writes JSON; another server does not know the org.
        let expected = match body.trim() {
            "" => ("org-moved", &Reaction::Reconnect),
            _ => ("resource-missing", &Reaction::AskAdmin),
        };
        assert_eq!((problem.code.as_str(), &problem.reaction), expected, "{body}");
        assert!(!problem.message.is_empty(), "{body}");
    }
}

#[test]
fn a_truncated_success_is_neither_a_success_nor_a_refusal() {
    let problem = write(201, r#"{"id":"00Q5g00000ABC"#);
    assert_eq!((problem.code.as_str(), &problem.reaction), ("outcome-unknown", &Reaction::CheckFirst));
    assert_eq!(problem.retry_after, Some(30));
}

#[test]
fn bytes_that_are_no_utf_8_spoil_only_themselves() {
    let mut body = br#"[{"errorCode":"STRING_TOO_LONG","message":"No: "#.to_vec();
    body.extend([0xff, 0xfe]);
    body.extend(br#""}]"#);
    let problem = problem_from_response(&response(400, body), Call::Write);
    assert_eq!((problem.code.as_str(), problem.message.as_str()), ("STRING_TOO_LONG", "No: \u{fffd}\u{fffd}"));
}

#[test]
fn of_several_errors_the_one_to_overcome_first_speaks() {
    let body = |codes: &[&str]| {
        let errors: Vec<_> = codes.iter().map(|code| serde_json::json!({"errorCode": code, "message": code})).collect();
        serde_json::Value::from(errors).to_string()
    };
    // Waiting is of no use while a value is wrong; a value is of no use while the mapping is; and so on.
    let order = [
        "DUPLICATE_VALUE",
        "UNKNOWN_EXCEPTION",
        "INVALID_SESSION_ID",
        "API_DISABLED_FOR_ORG",
        "REQUIRED_FIELD_MISSING",
        "INVALID_EMAIL_ADDRESS",
        "UNABLE_TO_LOCK_ROW",
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    ];
    for (position, first) in order.iter().enumerate() {
        for second in &order[position + 1..] {
            for codes in [[*first, *second], [*second, *first]] {
                let problem = write(400, &body(&codes));
                assert_eq!(problem.code, *first, "{codes:?}");
                assert_eq!(problem.also.len(), 1);
                assert_eq!(problem.also[0].code, *second, "{codes:?}");
            }
        }
    }
    let equals = write(400, &body(&["INVALID_EMAIL_ADDRESS", "STRING_TOO_LONG", "NUMBER_OUTSIDE_VALID_RANGE"]));
    assert_eq!(equals.code, "INVALID_EMAIL_ADDRESS", "the first of equals");
    let also: Vec<_> = equals.also.iter().map(|error| error.code.as_str()).collect();
    assert_eq!(also, ["STRING_TOO_LONG", "NUMBER_OUTSIDE_VALID_RANGE"]);
}

#[test]
fn fields_are_found_in_the_words_where_the_list_is_missing_or_empty() {
    #[rustfmt::skip]
    let cases: &[(&str, &str, &[&str])] = &[
        ("REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName, Company]", &["LastName", "Company"]),
        ("REQUIRED_FIELD_MISSING", "Faltan campos obligatorios: [LastName]", &["LastName"]),
        ("REQUIRED_FIELD_MISSING", "値を入力してください: [LastName]", &["LastName"]),
        ("REQUIRED_FIELD_MISSING", "At least 1 record is required", &[]),
        ("INVALID_FIELD", "No such column 'LeadSubject' on sobject of type Lead", &["LeadSubject"]),
        ("INVALID_FIELD", "\nSELECT Id FROM Lead WHERE LastName='Name'\n       ^\nERROR at Row:1:Column:8\nNo such column 'X__c' on entity 'Lead'.", &["X__c"]),
        ("INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update fields: MasterRecordId, ns__X__c. Please check the security settings.", &["MasterRecordId", "ns__X__c"]),
        ("DUPLICATE_VALUE", "duplicate value found: BookingId__c duplicates value on record with id: 00Q5g00000ABCDE", &["BookingId__c"]),
        ("DUPLICATE_VALUE", "duplicate value found: <unknown> duplicates value on record with id: <unknown>", &[]),
        ("NOT_FOUND", "Provided external ID field does not exist or is not accessible: Namez", &["Namez"]),
        ("NOT_FOUND", "The requested resource does not exist", &[]),
        ("STRING_TOO_LONG", "Last Name: data value too large: [x] (max length=80)", &[]),
    ];
    for (code, message, fields) in cases {
        for body in [
            usual(code, message),
            serde_json::json!([{"message": message, "errorCode": code, "fields": []}]).to_string(),
        ] {
            assert_eq!(write(400, &body).fields, *fields, "{message}");
        }
    }
    let named = r#"[{"errorCode":"REQUIRED_FIELD_MISSING","message":"[Other]","fields":["LastName"]}]"#;
    assert_eq!(write(400, named).fields, ["LastName"], "the list holds where there is one");
}

#[test]
fn the_holder_of_a_unique_value_is_named_by_either_length_of_id() {
    for id in ["00Q5g00000ABCDE", LEAD] {
        let message = format!("duplicate value found: BookingId__c duplicates value on record with id: {id}");
        assert_eq!(concerned(&write(400, &usual("DUPLICATE_VALUE", &message))), [id]);
    }
    let hidden = "duplicate value found: <unknown> duplicates value on record with id: <unknown>";
    assert!(write(400, &usual("DUPLICATE_VALUE", hidden)).concerned.is_empty());
}

#[test]
fn several_records_of_one_external_id_are_all_named() {
    let body = r#"["/services/data/v64.0/sobjects/Lead/00Q5g00000ABCDEEA5","/services/data/v64.0/sobjects/Lead/00Q5g00000ABCDFEA5"]"#;
    let problem = write(300, body);
    assert_eq!((problem.code.as_str(), &problem.reaction), ("several-records", &Reaction::AskAdmin));
    assert_eq!(concerned(&problem), ["00Q5g00000ABCDEEA5", "00Q5g00000ABCDFEA5"]);
}

fn duplicate_body(key: &str, allow_save: bool, matched: &[(&str, &str)]) -> String {
    let records: Vec<_> = matched
        .iter()
        .map(|(entity, id)| {
            let url = format!("/services/data/v64.0/sobjects/{entity}/{id}");
            serde_json::json!({
                "additionalInformation": [], "fieldDiffs": [], "matchConfidence": 97.5,
                "record": {"attributes": {"type": entity, "url": url}, "Id": id},
            })
        })
        .collect();
    let size = records.len();
    serde_json::json!([{
        key: {
            "allowSave": allow_save, "duplicateRule": "Our_Lead_Rule", "duplicateRuleEntityType": "Lead", "errorMessage": "Same?",
            "matchResults": [{
                "entityType": "Lead", "errors": [], "matchEngine": "FuzzyMatchEngine", "matchRecords": records,
                "rule": "Our_Match_Rule", "size": size, "success": true,
            }],
        },
        "errorCode": "DUPLICATES_DETECTED",
        "message": "Same?",
    }])
    .to_string()
}

#[test]
fn a_duplicate_rule_is_understood_in_either_spelling() {
    for key in ["duplicateResult", "duplicateResut"] {
        for allow_save in [true, false] {
            let matched = [("Lead", LEAD), ("Contact", "0035g00000ABCDEAA4"), ("Lead", LEAD)];
            let body = duplicate_body(key, allow_save, &matched);
            let found = duplicates(&response(400, body.as_str())).unwrap();
            let expected = [("Lead", LEAD), ("Contact", "0035g00000ABCDEAA4")];
            let matches = expected.map(|(entity, id)| Match { entity: entity.into(), id: id.into() }).to_vec();
            assert_eq!(found, Duplicates { allow_save, rules: vec!["Our_Lead_Rule".into()], matches });

            let problem = write(400, &body);
            assert_eq!((problem.code.as_str(), problem.message.as_str()), ("DUPLICATES_DETECTED", "Same?"));
            assert_eq!(concerned(&problem), [LEAD, "0035g00000ABCDEAA4"]);
            let objects: Vec<&str> = problem.concerned.iter().map(|record| &*record.object).collect();
            assert_eq!(objects, ["Lead", "Contact"]);
            assert!(problem.fields.is_empty());
        }
    }
}

#[test]
fn a_match_that_the_user_may_not_see_is_not_used() {
    let found = duplicates(&response(400, duplicate_body("duplicateResult", true, &[]))).unwrap();
    assert!(found.allow_save);
    assert!(found.matches.is_empty());

    let bare = r#"[{"errorCode":"DUPLICATES_DETECTED","message":"Same?","duplicateResult":{"matchResults":null}}]"#;
    let found = duplicates(&response(400, bare)).unwrap();
    assert_eq!(found, Duplicates { allow_save: false, rules: vec![], matches: vec![] });
    assert_eq!(duplicates(&response(400, usual("DUPLICATES_DETECTED", "Same?"))), None);
    assert_eq!(duplicates(&response(503, "<html>")), None);
}

#[test]
fn one_blocking_rule_among_several_blocks() {
    let (alert, block) = (duplicate_body("duplicateResult", true, &[]), duplicate_body("duplicateResult", false, &[]));
    for pair in [(&alert, &block), (&block, &alert)] {
        let body = format!("{},{}", pair.0.trim_end_matches(']'), pair.1.trim_start_matches('['));
        assert!(!duplicates(&response(400, body)).unwrap().allow_save);
    }
}

#[test]
fn salesforces_own_delay_is_kept() {
    let body = usual("SERVER_UNAVAILABLE", "Server too busy");
    for (value, seconds) in
        [("120", 120), (" 7 ", 7), ("Wed, 21 Oct 2026 07:28:00 GMT", 60), ("-1", 60), ("99999999999", 60)]
    {
        let answer = with_header(response(503, body.as_str()), "retry-AFTER", value);
        assert_eq!(problem_from_response(&answer, Call::Write).retry_after, Some(seconds), "{value}");
    }
    let refusal = with_header(response(400, usual("STRING_TOO_LONG", "No.")), "retry-after", "5");
    assert_eq!(problem_from_response(&refusal, Call::Write).retry_after, None);
}

#[test]
fn what_is_kept_of_an_answer_is_bounded() {
    let long = "長".repeat(50_000);
    let problem = write(400, &usual("STRING_TOO_LONG", &long));
    assert!(problem.message.len() <= 8_192 && problem.message.starts_with('長'));
    assert!(read(503, &long).message.len() <= 300);
    let larger = write(400, &usual("STRING_TOO_LONG", &"長".repeat(100_000)));
    assert_eq!((larger.code.as_str(), larger.reaction), ("request-refused", Reaction::Retry));
    let endless = "<Error><errorCode>STRING_TOO_LONG</errorCode></Error>".repeat(100_000);
    assert!(write(400, &endless).also.len() < 50);
    let nested = ["[".repeat(200_000), "]".repeat(200_000)].concat();
    assert_eq!(write(400, &nested).code, "request-refused");
    let many: Vec<_> = (0..4_000).map(|_| serde_json::json!({"errorCode": "STRING_TOO_LONG", "message": ""})).collect();
    assert!(write(400, &serde_json::Value::from(many).to_string()).also.len() < 50);
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_trap(status in any::<u16>(), body in proptest::collection::vec(any::<u8>(), 0..400)) {
        let answer = response(status, body);
        for call in [Call::Read, Call::Write] {
            prop_assert!(!problem_from_response(&answer, call).code.is_empty());
        }
        let _ = duplicates(&answer);
    }

    #[test]
    fn no_json_makes_the_parser_trap(status in 100u16..600, body in r#"(\[|\{|\}|\]|"errorCode"|"errors"|"message"|"duplicateResult"|"fields"|"matchResults"|:|,|"DUPLICATE_VALUE"|"[^"\\]{0,9}"|<errorCode>|</errorCode>|<title>|'|null|7){0,60}"#) {
        let answer = response(status, body.as_str());
        prop_assert!(!problem_from_response(&answer, Call::Write).code.is_empty());
        let _ = duplicates(&answer);
    }

    #[test]
    fn any_message_is_kept_as_it_is(code in "[A-Z_]{1,20}", message in ".{1,200}") {
        let problem = write(400, &usual(&code, &message));
        prop_assert_eq!(problem.message, message);
    }
}
