use super::{lead_id, run};
use crate::{
    bindings::types::{Consequence, Effect, FieldType, Outcome, Parameter, Reaction, RecordRef, SourceKind, Value},
    codes,
    field::LeadField,
    fixture::{self, first_try, given_by, row, text, with_options},
    script::{answer, changed, created, described, leads, lost, refused, unreachable},
};
use serde_json::json;

#[test]
fn a_plain_booking_is_one_call_with_all_values_in_it() {
    let (result, script) = run(&fixture::mapping(), &first_try(), [created()]);
    let delivery = result.unwrap();
    assert_eq!(delivery.outcome, Outcome::Created);
    let address = Some("https://example.my.salesforce.com/00Q5e00000NewAAEAZ".to_owned());
    let lead = RecordRef { object: "Lead".into(), id: "00Q5e00000NewAAEAZ".into(), url: address };
    assert_eq!(delivery.records, [lead]);
    assert_eq!(delivery.findings, []);
    assert_eq!(script.asked(), ["POST /sobjects/Lead"]);
    assert_eq!(
        script.body(0),
        json!({
            "LastName": "山田",
            "FirstName": "太郎",
            "Company": "株式会社サンプル＆パートナーズ",
            "Email": "Taro.Yamada@example.com",
            "Description": "現在の手入力を減らしたい。\n「O'Brien & 田中」様の紹介です。👩‍💻",
            "MeetingDate__c": "2026-12-02",
        })
    );
}

#[test]
fn choices_about_new_leads_are_sent_with_every_create() {
    for (options, auto_assign, duplicate_rule, body) in [
        (vec![], "TRUE", None, json!({})),
        (vec![("assignment-rules", "skip")], "FALSE", None, json!({})),
        (vec![("assignment-rules", "01Q5e00000AbCdE")], "01Q5e00000AbCdE", None, json!({})),
        (vec![("duplicates", "save-anyway")], "TRUE", Some("allowSave=true"), json!({})),
        (vec![("owner", "0055e00000AbCdE")], "FALSE", None, json!({"OwnerId": "0055e00000AbCdE"})),
        (vec![("record-type", "0125e00000AbCdE")], "TRUE", None, json!({"RecordTypeId": "0125e00000AbCdE"})),
        (vec![("booking-id-field", "BookingId__c")], "TRUE", None, json!({"BookingId__c": "team-1/b-1"})),
    ] {
        let (result, script) = run(&with_options(&options), &first_try(), [created()]);
        assert_eq!(result.unwrap().outcome, Outcome::Created);
        assert_eq!(script.header(0, "sforce-auto-assign").as_deref(), Some(auto_assign), "{options:?}");
        assert_eq!(script.header(0, "sforce-duplicate-rule-header").as_deref(), duplicate_rule, "{options:?}");
        for (name, value) in body.as_object().unwrap() {
            assert_eq!(script.body(0)[name], *value, "{options:?}");
        }
    }
}

#[test]
fn a_required_field_that_stays_blank_is_a_problem_that_names_its_row() {
    let mut mapping = fixture::mapping();
    mapping.rows[2].value = None;
    let (result, script) = run(&mapping, &first_try(), [described(&[])]);
    let problem = result.unwrap_err();
    assert_eq!((problem.code.as_str(), &problem.reaction), (codes::REQUIRED_FIELD_BLANK, &Reaction::FixBooking));
    assert_eq!((problem.fields, problem.rows), (vec!["Company".to_owned()], vec![2]));
    assert_eq!(problem.particulars, [Parameter::new("field", "Company label")]);
    assert_eq!(problem.effect, Effect::None);
    assert_eq!(script.asked(), ["GET /sobjects/Lead/describe"]);

    mapping.rows[2].fallback = Some(text("個人"));
    let (result, script) = run(&mapping, &first_try(), [created()]);
    assert_eq!(result.unwrap().findings, []);
    assert_eq!(script.body(0)["Company"], "個人");
}

#[test]
fn an_optional_value_that_cannot_be_written_is_left_out_with_a_finding() {
    let mut mapping = fixture::mapping();
    mapping.rows.push(row(fixture::field("Amount__c", FieldType::Number), text("現在の手入力を減らしたい。")));
    let live = described(&[("Title", "name", json!("Amount__c")), ("Amount__c", "type", json!("double"))]);
    let (result, script) = run(&mapping, &first_try(), [live, created()]);
    let findings = result.unwrap().findings;
    assert_eq!(findings.len(), 1);
    assert_eq!((findings[0].code.as_str(), findings[0].consequence), (codes::NUMBER_INVALID, Consequence::LeftOut));
    assert_eq!(findings[0].rows, [6]);
    assert_eq!(script.body(1).get("Amount__c"), None);
}

#[test]
fn a_stale_snapshot_alone_neither_refuses_nor_cuts() {
    let long = "x".repeat(60);
    let restricted = LeadField {
        restricted: true,
        values: vec![fixture::value("Old")],
        ..fixture::field("Title", FieldType::Choice)
    };
    let picklist = json!([{"value": "New", "label": "New", "active": true, "validFor": null}]);
    for (field, given, live, written) in [
        (fixture::text_field("Title", 10), &*long, described(&[]), json!(long)),
        (
            restricted,
            "New",
            described(&[("Title", "type", json!("picklist")), ("Title", "picklistValues", picklist)]),
            json!("New"),
        ),
        (fixture::field("Title", FieldType::Number), "text", described(&[]), json!("text")),
        (fixture::required(fixture::text_field("Title", 10)), "", described(&[]), json!(null)),
    ] {
        let mut mapping = fixture::mapping();
        mapping.rows.push(row(field, text(given)));
        let (result, script) = run(&mapping, &first_try(), [live, created()]);
        assert_eq!(result.unwrap().findings, [], "{given}");
        assert_eq!(script.body(1).get("Title").cloned().unwrap_or_default(), written);
    }
}

#[test]
fn a_field_that_is_gone_or_closed_is_left_out_once_the_live_fields_are_known() {
    for (live, code) in [
        (described(&[("Title", "name", json!(null))]), codes::FIELD_GONE),
        (described(&[("Title", "updateable", json!(false))]), codes::FIELD_NOT_WRITABLE),
    ] {
        let mut mapping = fixture::mapping();
        mapping.rows.push(row(fixture::text_field("Title", 3), text("部長代理")));
        let (result, script) = run(&mapping, &first_try(), [live, created()]);
        let findings = result.unwrap().findings;
        assert_eq!((findings[0].code.as_str(), findings[0].consequence), (code, Consequence::LeftOut));
        assert_eq!(script.body(1).get("Title"), None);
    }
}

#[test]
fn what_only_salesforce_knew_to_be_wrong_is_left_out_by_a_second_try() {
    let validation = || refused("FIELD_CUSTOM_VALIDATION_EXCEPTION", "部署が不正です", &["FirstName"]);
    let (result, script) = run(&fixture::mapping(), &first_try(), [validation(), created()]);
    let delivery = result.unwrap();
    assert_eq!(delivery.outcome, Outcome::Created);
    let [finding] = &*delivery.findings else { panic!("{:?}", delivery.findings) };
    assert_eq!(finding.code, "FIELD_CUSTOM_VALIDATION_EXCEPTION");
    assert_eq!((finding.consequence, &*finding.rows), (Consequence::LeftOut, &[1][..]));
    assert!(finding.message.contains("部署が不正です"));
    assert_eq!(script.body(1).get("FirstName"), None);
    assert_eq!(script.body(1)["LastName"], "山田");

    // Once, not for ever.
    let (result, script) = run(&fixture::mapping(), &first_try(), [validation(), validation()]);
    assert_eq!(result.unwrap_err().rows, [1]);
    assert_eq!(script.asked().len(), 2);
}

#[test]
fn a_field_that_vanished_is_found_by_the_live_fields_with_all_others_like_it() {
    let refusal = refused("INVALID_FIELD", "No such column 'Description' on sobject of type Lead", &[]);
    let live = described(&[("Description", "name", json!(null)), ("MeetingDate__c", "name", json!(null))]);
    let (result, script) = run(&fixture::mapping(), &first_try(), [refusal, live, created()]);
    let codes_found: Vec<String> = result.unwrap().findings.into_iter().map(|finding| finding.code).collect();
    assert_eq!(codes_found, [codes::FIELD_GONE, codes::FIELD_GONE]);
    assert_eq!(script.body(2).as_object().unwrap().len(), 4);
}

#[test]
fn a_field_that_shrank_is_cut_and_not_lost() {
    let refusal = refused("STRING_TOO_LONG", "Company: data value too large", &["Company"]);
    let live = described(&[("Company", "length", json!(8))]);
    let (result, script) = run(&fixture::mapping(), &first_try(), [refusal, live, created()]);
    assert_eq!(result.unwrap().findings[0].code, codes::VALUE_SHORTENED);
    assert_eq!(script.body(2)["Company"], "株式会社サンプル");
}

#[test]
fn a_type_that_changed_is_found_behind_a_parser_error() {
    let refusal = refused("JSON_PARSER_ERROR", "Cannot deserialize instance of double from VALUE_STRING value", &[]);
    let live = described(&[("FirstName", "type", json!("double"))]);
    let (result, script) = run(&fixture::mapping(), &first_try(), [refusal, live, created()]);
    assert_eq!(result.unwrap().findings[0].code, codes::NUMBER_INVALID);
    assert_eq!(script.body(2).get("FirstName"), None);
}

#[test]
fn a_required_value_that_salesforce_refuses_is_a_problem_unless_there_is_a_fallback() {
    let refusal = || refused("FIELD_CUSTOM_VALIDATION_EXCEPTION", "no", &["Company"]);
    let (result, script) = run(&fixture::mapping(), &first_try(), [refusal(), described(&[])]);
    let problem = result.unwrap_err();
    assert_eq!((problem.reaction, &*problem.rows), (Reaction::FixBooking, &[2][..]));
    assert_eq!(script.asked().len(), 2);

    let mut mapping = fixture::mapping();
    mapping.rows[2].fallback = Some(text("個人"));
    let (result, script) = run(&mapping, &first_try(), [refusal(), described(&[]), created()]);
    assert_eq!(result.unwrap().findings[0].code, codes::FALLBACK_USED);
    assert_eq!(script.body(2)["Company"], "個人");
}

#[test]
fn a_value_of_the_mapping_that_is_refused_is_to_be_fixed_there() {
    let mut mapping = fixture::mapping();
    mapping.rows[2] = given_by(SourceKind::Mapping, mapping.rows[2].clone());
    let refusal = refused("FIELD_CUSTOM_VALIDATION_EXCEPTION", "no", &["Company"]);
    let (result, _) = run(&mapping, &first_try(), [refusal, described(&[])]);
    assert_eq!(result.unwrap_err().reaction, Reaction::FixMapping);
    // The plugin itself refuses alike.
    mapping.rows[2].value = Some(Value::Choices(vec![" ".into()]));
    let (result, _) = run(&mapping, &first_try(), [described(&[])]);
    let problem = result.unwrap_err();
    assert_eq!((&*problem.code, problem.reaction), (codes::REQUIRED_FIELD_BLANK, Reaction::FixMapping));
}

#[test]
fn a_row_of_which_nothing_is_known_is_judged_by_the_live_fields() {
    for memo in ["", "{}", "0\ttext\t10"] {
        let mut mapping = fixture::mapping();
        mapping.rows[1].memo = memo.into();
        let (result, script) = run(&mapping, &first_try(), [described(&[]), created()]);
        assert_eq!(result.unwrap().findings, []);
        assert_eq!(script.asked(), ["GET /sobjects/Lead/describe", "POST /sobjects/Lead"]);
        assert_eq!(script.body(1)["FirstName"], "太郎");
    }
}

#[test]
fn a_picklist_too_large_for_a_memo_costs_a_describe_if_it_has_a_value() {
    let values: Vec<_> = (0..3_000).map(|number| fixture::value(&format!("a value with words {number}"))).collect();
    let large = LeadField { values, ..fixture::field("Title", FieldType::Choice) };
    let described = || {
        let values = json!([{"value": "written", "label": "as people read it", "active": true}]);
        described(&[("Title", "type", json!("picklist")), ("Title", "picklistValues", values)])
    };
    let mut mapping = fixture::mapping();
    mapping.rows.push(row(large.clone(), text("as people read it")));
    let (result, script) = run(&mapping, &first_try(), [described(), created()]);
    assert_eq!(result.unwrap().findings, []);
    assert_eq!(script.body(1)["Title"], "written");

    mapping.rows[6] = row(large, None);
    let (result, script) = run(&mapping, &first_try(), [created()]);
    assert_eq!(result.unwrap().findings, []);
    assert_eq!(script.asked().len(), 1);
}

#[test]
fn several_errors_in_one_answer_are_all_left_out_or_all_reported() {
    let both = |second: &str| {
        answer(
            400,
            &json!([
                {"message": "a", "errorCode": "INVALID_EMAIL_ADDRESS", "fields": ["Email"]},
                {"message": "b", "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "fields": [second]},
            ])
            .to_string(),
        )
    };
    let (result, script) = run(&fixture::mapping(), &first_try(), [both("FirstName"), created()]);
    assert_eq!(result.unwrap().findings.len(), 2);
    assert_eq!(script.body(1).as_object().unwrap().len(), 4);

    let (result, _) = run(&fixture::mapping(), &first_try(), [both("Company"), described(&[])]);
    let problem = result.unwrap_err();
    let mut rows = [problem.rows, problem.also[0].rows.clone()].concat();
    rows.sort_unstable();
    assert_eq!(rows, [2, 3]);
}

#[test]
fn a_refusal_that_no_row_explains_is_reported_unchanged() {
    for (refusal, code) in [
        (
            refused("REQUIRED_FIELD_MISSING", "Required fields are missing: [Industry]", &["Industry"]),
            "REQUIRED_FIELD_MISSING",
        ),
        (refused("FIELD_CUSTOM_VALIDATION_EXCEPTION", "page-level", &[]), "FIELD_CUSTOM_VALIDATION_EXCEPTION"),
        (refused("DUPLICATES_DETECTED", "Use one of these records?", &[]), "DUPLICATES_DETECTED"),
        (answer(403, r#"[{"message":"x","errorCode":"API_DISABLED_FOR_ORG"}]"#), "API_DISABLED_FOR_ORG"),
    ] {
        let (result, script) = run(&fixture::mapping(), &first_try(), [refusal]);
        assert_eq!(result.unwrap_err().code, code);
        assert_eq!(script.asked().len(), 1);
    }
}

#[test]
fn a_write_whose_answer_is_lost_is_check_first_and_one_that_never_left_is_retry() {
    for (reply, reaction) in [
        (lost(), Reaction::CheckFirst),
        (unreachable(), Reaction::Retry),
        (answer(500, "<html>"), Reaction::CheckFirst),
        (answer(502, ""), Reaction::CheckFirst),
        (answer(201, r#"{"id":"00Q5e0"#), Reaction::CheckFirst),
        (answer(201, "{}"), Reaction::CheckFirst),
        (answer(503, r#"[{"message":"Server too busy","errorCode":"SERVER_UNAVAILABLE"}]"#), Reaction::Retry),
        (refused("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access", &[]), Reaction::Retry),
    ] {
        let told = format!("{reply:?}");
        let (result, script) = run(&fixture::mapping(), &first_try(), [reply]);
        let problem = result.unwrap_err();
        let effect = if reaction == Reaction::CheckFirst { Effect::Unknown } else { Effect::None };
        assert_eq!((problem.reaction, problem.effect), (reaction, effect), "{told}");
        assert!(problem.retry_after.is_some(), "{told}");
        assert_eq!(script.asked().len(), 1, "{told}");
    }
}

#[test]
fn a_look_up_that_cannot_be_read_creates_nothing() {
    for reply in [lost(), answer(500, ""), answer(200, "<html>"), answer(200, "{}"), answer(401, "[]")] {
        let (result, script) = run(&with_options(&[("existing", "overwrite")]), &first_try(), [reply]);
        assert!(result.is_err());
        assert_eq!(script.asked().len(), 1);
    }
}

#[test]
fn a_booking_without_any_value_is_a_problem_and_no_call() {
    let mut mapping = fixture::mapping();
    mapping.rows = vec![row(fixture::text_field("Title", 80), None)];
    let (result, script) = run(&mapping, &first_try(), []);
    assert_eq!(result.unwrap_err().code, codes::NOTHING_TO_WRITE);
    assert!(script.asked().is_empty());
}

#[test]
fn a_match_is_used_only_if_it_is_one_lead_with_the_guests_address() {
    let detected = |records: serde_json::Value| {
        let body = json!([{"errorCode": "DUPLICATES_DETECTED", "message": "Use one of these records?", "duplicateResult": {
            "allowSave": true, "matchResults": [{"entityType": "Lead", "matchRecords": records}]}}]);
        answer(400, &body.to_string())
    };
    let record = |kind: &str, id: &str| json!({"record": {"attributes": {"type": kind}, "Id": id}});
    let lead = r#"{"Id":"00Q5e00000OldAAEAZ","Email":"taro.yamada@EXAMPLE.com","IsConverted":false,"LastName":"山田","FirstName":null}"#;
    let mapping = with_options(&[("duplicates", "use-match")]);

    let one = json!([record("Lead", "00Q5e00000OldAAEAZ")]);
    let (result, script) = run(&mapping, &first_try(), [detected(one.clone()), leads(&[lead]), changed()]);
    let delivery = result.unwrap();
    assert_eq!((&delivery.outcome, lead_id(&delivery)), (&Outcome::Updated, "00Q5e00000OldAAEAZ"));
    assert_eq!(script.body(2), json!({"FirstName": "太郎"}), "nothing is overwritten");

    for (records, looked_up) in [
        (json!([]), None),
        (json!([record("Contact", "0035e00000OldAAEAZ")]), None),
        (json!([record("Lead", "00Q5e00000OldAAEAZ"), record("Lead", "00Q5e00000OthAAEAZ")]), None),
        (one.clone(), Some(leads(&[]))),
        (one.clone(), Some(leads(&[&lead.replace("taro.yamada", "someone")]))),
        (one, Some(leads(&[&lead.replace("false", "true")]))),
    ] {
        let told = records.to_string();
        let (result, script) = run(&mapping, &first_try(), std::iter::once(detected(records)).chain(looked_up));
        assert_eq!(result.unwrap_err().code, "DUPLICATES_DETECTED", "{told}");
        assert!(script.asked().iter().all(|asked| !asked.starts_with("PATCH")), "{told}");
    }
}

#[test]
fn required_custom_fields_are_in_the_one_create_call() {
    let mut mapping = fixture::mapping();
    let field = fixture::required(fixture::field("Consent__c", FieldType::Checkbox));
    mapping.rows.push(row(field, Value::Agreed(vec!["同意します".into()])));
    let phone = LeadField { length: Some(40), ..fixture::field("Phone", FieldType::Phone) };
    mapping.rows.push(row(phone, text("03-1234-5678")));
    let (result, script) = run(&mapping, &first_try(), [created()]);
    assert_eq!(result.unwrap().findings, []);
    assert_eq!((&script.body(0)["Consent__c"], &script.body(0)["Phone"]), (&json!(true), &json!("03-1234-5678")));
}
