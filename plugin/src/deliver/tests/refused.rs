//! What only Salesforce knew to be wrong is left out, whichever way it says so, and nothing else is.

use super::{SAME, concerned, record, run};
use crate::{
    bindings::types::{Consequence, Delivery, FieldType, Outcome, Reaction, SourceKind},
    codes,
    field::LeadField,
    fixture::{self, first_try, given_by, known, moved_from, row, text, with_options},
    script::{Script, answer, changed, created, described, leads, refused},
};
use serde_json::json;

const ACCOUNT: &str = "0015e00000AbCdE";

fn reference(name: &str) -> LeadField<'_> {
    LeadField { reference_to: vec!["Account".into()], ..fixture::field(name, FieldType::Reference) }
}

/// The fields that were left out, with the reasons.
fn left_out(delivery: &Delivery) -> Vec<(&str, &str)> {
    let left_out = delivery.findings.iter().filter(|finding| finding.consequence == Consequence::LeftOut);
    left_out.map(|finding| (&*finding.fields[0], &*finding.code)).collect()
}

#[test]
fn a_refusal_without_fields_is_understood_by_the_fields_as_they_are_now() {
    for code in ["STRING_TOO_LONG", "INVALID_FIELD", "INVALID_TYPE_ON_FIELD_IN_RECORD"] {
        for fields in [json!([]), json!(null)] {
            let refusal = json!([{"errorCode": code, "message": "フィールドが不正です", "fields": fields}]);
            let live = described(&[("Description", "length", json!(5))]);
            let replies = [answer(400, &refusal.to_string()), live, created()];
            let (result, script) = run(&fixture::mapping(), &first_try(), replies);
            assert_eq!(result.unwrap().findings[0].code, codes::VALUE_SHORTENED, "{code}");
            assert_eq!(script.body(2)["Description"], "現在の手入");
        }
    }
    // Nothing that the fields explain.
    let refusal = refused("STRING_TOO_LONG", "?", &[]);
    let (result, script) = run(&fixture::mapping(), &first_try(), [refusal, described(&[])]);
    assert_eq!(result.unwrap_err().code, "STRING_TOO_LONG");
    assert_eq!(script.asked().len(), 2);
}

#[test]
fn a_refusal_that_begins_with_a_fields_label_is_about_that_field() {
    // The labels of the test fields are their names in capitals.
    let refusal = refused("INVALID_EMAIL_ADDRESS", "EMAIL: invalid email address: a@b", &[]);
    let (result, script) = run(&fixture::mapping(), &first_try(), [refusal, created()]);
    assert_eq!(left_out(&result.unwrap()), [("Email", "INVALID_EMAIL_ADDRESS")]);
    assert_eq!(script.body(1).get("Email"), None);

    for message in ["EMAIL invalid", "E-MAIL: no", ": no"] {
        let refusal = refused("INVALID_EMAIL_ADDRESS", message, &[]);
        let (result, script) = run(&fixture::mapping(), &first_try(), [refusal]);
        assert_eq!(result.unwrap_err().code, "INVALID_EMAIL_ADDRESS");
        assert_eq!(script.asked().len(), 1);
    }
}

#[test]
fn a_record_that_is_gone_or_hidden_costs_the_value_that_points_to_it_and_not_the_lead() {
    let mut one = fixture::mapping();
    one.rows.push(row(reference("Partner__c"), text(ACCOUNT)));
    let mut two = one.clone();
    two.rows.push(row(reference("Agency__c"), text("0015e00000FgHiJ")));
    for (mapping, code, message, field) in [
        (&one, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", Some("Partner__c")),
        (&one, "MALFORMED_ID", "malformed id 0015e00000AbCdEAAV", Some("Partner__c")),
        (
            &two,
            "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
            "insufficient access rights on cross-reference id: 0015e00000FgHiJ",
            Some("Agency__c"),
        ),
        // Which of them, nobody can tell; or another one, such as the owner.
        (&two, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", None),
        (
            &one,
            "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
            "insufficient access rights on cross-reference id: 0055e00000AbCdE",
            None,
        ),
        (&fixture::mapping(), "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", None),
    ] {
        let (result, script) =
            run(mapping, &first_try(), std::iter::once(refused(code, message, &[])).chain(field.map(|_| created())));
        match field {
            Some(field) => {
                assert_eq!(left_out(&result.unwrap()), [(field, code)], "{message}");
                assert_eq!(script.body(1).get(field), None);
                assert_eq!(script.body(1).as_object().unwrap().len(), mapping.rows.len() - 1);
            }
            None => assert_eq!(result.unwrap_err().code, code, "{message}"),
        }
    }
}

#[test]
fn only_the_lead_itself_is_gone_when_salesforce_says_so_of_it() {
    const LEAD: &str = "00Q5e00000OldAAEAZ";
    let mut mapping = with_options(&[("existing", "overwrite")]);
    mapping.rows.push(row(reference("Partner__c"), text(ACCOUNT)));
    let old = record(SAME, &json!({"Id": LEAD, "IsConverted": false}));
    let not_found = || answer(404, r#"[{"errorCode":"NOT_FOUND","message":"The requested resource does not exist"}]"#);
    for (refusal, is_gone) in [
        (refused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", &[]), false),
        (refused("MALFORMED_ID", "malformed id 0015e00000AbCdE", &[]), false),
        (refused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id: 00Q5e00000OldAA", &[]), true),
        (refused("ENTITY_IS_DELETED", "entity is deleted", &[]), true),
        (not_found(), true),
    ] {
        let replies = [leads(&[&old]), refusal].into_iter().chain((!is_gone).then(changed));
        let (result, script) = run(&mapping, &first_try(), replies);
        if is_gone {
            let problem = result.unwrap_err();
            assert_eq!((problem.code.as_str(), &problem.reaction), (codes::LEAD_GONE, &Reaction::Retry));
            // Not at once: what the look-up finds may lag behind.
            assert_eq!(problem.retry_after, Some(60));
            assert_eq!(concerned(&problem), [LEAD]);
        } else {
            assert_eq!(left_out(&result.unwrap()).len(), 1);
            assert_eq!(script.body(2).get("Partner__c"), None);
        }
    }
}

#[test]
fn a_state_goes_with_its_country_and_a_controlled_value_with_the_one_that_controls_it() {
    let mut mapping = fixture::mapping();
    mapping.rows.push(row(fixture::text_field("Country", 80), text("Nippon")));
    mapping.rows.push(row(fixture::text_field("State", 80), text("Tokyo")));
    let refusal = refused("FIELD_INTEGRITY_EXCEPTION", "There's a problem with this country", &["Country"]);
    // The live fields are asked for, since they may explain it.
    let live = || described(&[("Title", "name", json!("Country")), ("BookingId__c", "name", json!("State"))]);
    let (result, script) = run(&mapping, &first_try(), [refusal, live(), created()]);
    let code = "FIELD_INTEGRITY_EXCEPTION";
    assert_eq!(left_out(&result.unwrap()), [("Country", code), ("State", code)]);
    assert_eq!(script.body(2).as_object().unwrap().len(), 6);

    // A country that is too long does not concern the state.
    let refusal = refused("FIELD_CUSTOM_VALIDATION_EXCEPTION", "no", &["Country"]);
    let (result, script) = run(&mapping, &first_try(), [refusal, created()]);
    assert_eq!(left_out(&result.unwrap()), [("Country", "FIELD_CUSTOM_VALIDATION_EXCEPTION")]);
    assert_eq!(script.body(1)["State"], "Tokyo");

    let controlled =
        LeadField { controlling_field: Some("Course__c".into()), ..fixture::field("Lesson__c", FieldType::Choice) };
    mapping.rows[6] = row(fixture::field("Course__c", FieldType::Choice), text("A"));
    mapping.rows[7] = row(controlled, text("B"));
    let refusal = refused("FIELD_CUSTOM_VALIDATION_EXCEPTION", "no", &["Course__c"]);
    let (result, _) = run(&mapping, &first_try(), [refusal, created()]);
    let code = "FIELD_CUSTOM_VALIDATION_EXCEPTION";
    assert_eq!(left_out(&result.unwrap()), [("Course__c", code), ("Lesson__c", code)]);
}

#[test]
fn optional_values_that_are_refused_one_after_the_other_do_not_cost_the_lead() {
    let email = || refused("INVALID_EMAIL_ADDRESS", "Email: invalid email address: a@b", &["Email"]);
    let name = || refused("FIELD_CUSTOM_VALIDATION_EXCEPTION", "no", &["FirstName"]);
    let date = || refused("FIELD_CUSTOM_VALIDATION_EXCEPTION", "no", &["MeetingDate__c"]);
    let (result, script) = run(&fixture::mapping(), &first_try(), [email(), name(), created()]);
    let delivery = result.unwrap();
    assert_eq!(
        left_out(&delivery),
        [("Email", "INVALID_EMAIL_ADDRESS"), ("FirstName", "FIELD_CUSTOM_VALIDATION_EXCEPTION")]
    );
    assert_eq!(script.body(2).as_object().unwrap().len(), 4);

    // What the live fields say later brings back nothing that was left out.
    let long = refused("STRING_TOO_LONG", "x", &["Description"]);
    let live = described(&[("Description", "length", json!(5))]);
    let (result, script) = run(&fixture::mapping(), &first_try(), [email(), long, live, created()]);
    let delivery = result.unwrap();
    assert_eq!(left_out(&delivery), [("Email", "INVALID_EMAIL_ADDRESS")]);
    assert_eq!(delivery.findings.len(), 2);
    assert_eq!((script.body(3).get("Email"), &script.body(3)["Description"]), (None, &json!("現在の手入")));

    // Three writes, and each leaves out something new.
    let (result, script) = run(&fixture::mapping(), &first_try(), [email(), name(), date()]);
    assert_eq!(result.unwrap_err().rows, [5]);
    assert_eq!(script.asked().len(), 3);
    let (result, script) = run(&fixture::mapping(), &first_try(), [email(), email()]);
    assert_eq!(result.unwrap_err().rows, [3]);
    assert_eq!(script.asked().len(), 2);
}

#[test]
fn whether_a_field_is_required_is_judged_by_the_fields_as_they_are_now() {
    let refusal = || refused("FIELD_CUSTOM_VALIDATION_EXCEPTION", "no", &["Company"]);
    // Person accounts were switched on since.
    let optional = described(&[("Company", "nillable", json!(true))]);
    let (result, script) = run(&fixture::mapping(), &first_try(), [refusal(), optional, created()]);
    assert_eq!(left_out(&result.unwrap()), [("Company", "FIELD_CUSTOM_VALIDATION_EXCEPTION")]);
    assert_eq!(script.body(2).get("Company"), None);

    let (result, script) = run(&fixture::mapping(), &first_try(), [refusal(), described(&[])]);
    let problem = result.unwrap_err();
    assert_eq!((problem.code.as_str(), &*problem.rows), ("FIELD_CUSTOM_VALIDATION_EXCEPTION", &[2][..]));
    assert_eq!(script.asked().len(), 2);
}

#[test]
fn a_field_that_became_required_and_is_blank_is_reported_as_such() {
    let mut mapping = fixture::mapping();
    mapping.rows.push(row(fixture::text_field("Title", 128), text("")));
    let refusal = refused("REQUIRED_FIELD_MISSING", "Faltan campos obligatorios: [Title]", &["Title"]);
    let live = described(&[("Title", "nillable", json!(false))]);
    let (result, _) = run(&mapping, &first_try(), [refusal, live]);
    let problem = result.unwrap_err();
    assert_eq!((problem.code.as_str(), &problem.reaction), (codes::REQUIRED_FIELD_BLANK, &Reaction::FixBooking));
    assert_eq!(problem.rows, [6]);
}

#[test]
fn what_a_new_lead_needs_a_lead_that_is_there_does_not() {
    let old = record(SAME, &json!({"IsConverted": false, "Description": null, "MeetingDate__c": null}));
    let mut blank = fixture::mapping();
    blank.rows[2].value = None;
    for (policy, outcome) in
        [("keep", Outcome::Kept), ("fill-empty", Outcome::Updated), ("overwrite", Outcome::Updated)]
    {
        blank.options = with_options(&[("existing", policy)]).options;
        let replies = [described(&[]), leads(&[&old])];
        let (result, script) =
            run(&blank, &first_try(), replies.into_iter().chain((outcome == Outcome::Updated).then(changed)));
        let delivery = result.unwrap();
        assert_eq!((&delivery.outcome, &*delivery.findings), (&outcome, &[][..]), "{policy}");
        if outcome == Outcome::Updated {
            assert_eq!(script.body(2).get("Company"), None);
        }
        // But a new one does.
        let (result, _) = run(&blank, &first_try(), [described(&[]), leads(&[])]);
        assert_eq!(result.unwrap_err().code, codes::REQUIRED_FIELD_BLANK);
    }

    // The Lead keeps its value if the new one is refused.
    let refusal = |field| refused("FIELD_CUSTOM_VALIDATION_EXCEPTION", "no", &[field]);
    let overwrite = with_options(&[("existing", "overwrite")]);
    let (result, script) = run(&overwrite, &first_try(), [leads(&[&old]), refusal("Company"), changed()]);
    assert_eq!(left_out(&result.unwrap()), [("Company", "FIELD_CUSTOM_VALIDATION_EXCEPTION")]);
    assert_eq!(script.body(2)["LastName"], "山田");

    let moved = moved_from("b-0");
    let mut mapping = fixture::mapping();
    let title = fixture::required(fixture::text_field("Title", 128));
    mapping.rows.push(given_by(SourceKind::Meeting, row(title, text("08:30"))));
    let history = known("00Q5e00000LstAAEAZ", first_try());
    let script = Script::new([refusal("Title"), changed()]);
    let delivery = super::deliver(&mut script.clone(), &moved, &mapping, &history).unwrap();
    assert_eq!(left_out(&delivery), [("Title", "FIELD_CUSTOM_VALIDATION_EXCEPTION")]);
    assert_eq!(script.body(1), json!({"MeetingDate__c": "2026-12-02"}));
    // Where nothing is left to write, the Lead is left as it is.
    let script = Script::new([refusal("MeetingDate__c")]);
    let delivery = super::deliver(&mut script.clone(), &moved, &fixture::mapping(), &history).unwrap();
    assert_eq!((&delivery.outcome, left_out(&delivery).len()), (&Outcome::Kept, 1));
}

#[test]
fn saving_in_spite_of_a_duplicate_rule_holds_for_a_lead_that_is_changed_too() {
    let old = record(SAME, &json!({"IsConverted": false, "FirstName": null}));
    for (choice, header) in [("save-anyway", Some("allowSave=true")), ("refuse", None), ("use-match", None)] {
        let mapping = with_options(&[("existing", "overwrite"), ("duplicates", choice)]);
        let (result, script) = run(&mapping, &first_try(), [leads(&[&old]), changed()]);
        assert_eq!(result.unwrap().outcome, Outcome::Updated);
        assert_eq!(script.header(1, "sforce-duplicate-rule-header").as_deref(), header, "{choice}");
    }
}

#[test]
fn a_row_that_says_whose_the_lead_is_counts_like_the_choice() {
    let owner = "0055e00000AbCdE";
    for (value, options, header) in [
        (Some(text(owner)), vec![], "FALSE"),
        (Some(text(owner)), vec![("assignment-rules", "run")], "TRUE"),
        (Some(text(owner)), vec![("assignment-rules", "01Q5e00000AbCdE")], "01Q5e00000AbCdE"),
        // Says nothing: the org's rule decides.
        (None, vec![], "TRUE"),
        (None, vec![("assignment-rules", "skip")], "FALSE"),
    ] {
        let mut mapping = with_options(&options);
        let owner = LeadField { reference_to: vec!["Group".into(), "User".into()], ..reference("OwnerId") };
        mapping.rows.push(row(owner, value));
        let (result, script) = run(&mapping, &first_try(), [created()]);
        assert_eq!(result.unwrap().outcome, Outcome::Created);
        assert_eq!(script.header(0, "sforce-auto-assign").as_deref(), Some(header), "{options:?}");
    }
}
