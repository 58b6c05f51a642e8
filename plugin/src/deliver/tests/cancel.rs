//! A cancellation writes what the mapping names for it to the Lead that is known, and never creates one.

use super::{concerned, lead_id};
use crate::{
    bindings::{
        http::{Failure, Response},
        types::{
            Booking, BookingKind, Consequence, Delivery, FieldType, History, Mapping, Outcome, Problem, Reaction, Row,
        },
    },
    codes,
    fixture::{self, after_unknown, first_try, known, row, text, with_options},
    script::{Script, answer, changed, leads, refused},
};
use serde_json::json;

const ID: &str = "00Q5e00000LstAAEAZ";
const KEY: (&str, &str) = ("booking-id-field", "BookingId__c");

fn cancelled(
    previous: Option<&str>,
    mapping: &Mapping,
    history: &History,
    replies: impl IntoIterator<Item = Result<Response, Failure>>,
) -> (Result<Delivery, Box<Problem>>, Script) {
    let previous_id = previous.map(str::to_owned);
    let booking = Booking { kind: BookingKind::Cancelled, previous_id, ..fixture::booking() };
    let script = Script::new(replies);
    (super::deliver(&mut script.clone(), &booking, mapping, history), script)
}

/// A mapping that names one row for cancellations.
fn naming(options: &[(&str, &str)]) -> Mapping {
    let mut mapping = with_options(options);
    mapping.rows.iter_mut().for_each(|row| row.on_change = false);
    let status = row(fixture::text_field("Status", 40), text("Cancelled"));
    mapping.rows.push(Row { on_change: true, ..status });
    mapping
}

/// The same, as a host sends it that leaves out the other rows.
fn alone(options: &[(&str, &str)]) -> Mapping {
    let mut mapping = naming(options);
    mapping.rows.retain(|row| row.on_change);
    mapping
}

#[track_caller]
fn assert_unknown(result: Result<Delivery, Box<Problem>>, row: u32) {
    let delivery = result.unwrap();
    assert_eq!((delivery.outcome, delivery.records), (Outcome::Ignored, vec![]));
    let [finding] = &*delivery.findings else { panic!("{:?}", delivery.findings) };
    assert_eq!((&*finding.code, finding.consequence), (codes::RECORD_UNKNOWN, Consequence::LeftOut));
    assert_eq!((&*finding.rows, &*finding.fields), (&[row][..], &["Status".to_owned()][..]));
}

#[test]
fn a_cancellation_writes_the_rows_that_the_mapping_names_for_it() {
    for (mapping, history) in [(naming(&[]), first_try()), (alone(&[]), first_try()), (alone(&[KEY]), after_unknown(1))]
    {
        let (result, script) = cancelled(None, &mapping, &known(ID, history), [changed()]);
        let delivery = result.unwrap();
        assert_eq!((&delivery.outcome, lead_id(&delivery)), (&Outcome::Updated, ID));
        assert_eq!(script.asked(), [format!("PATCH /sobjects/Lead/{ID}")]);
        assert_eq!(script.body(0), json!({"Status": "Cancelled"}));
    }
}

#[test]
fn a_cancellation_without_such_rows_is_ignored_without_a_call() {
    let mut mapping = naming(&[KEY]);
    mapping.rows.iter_mut().for_each(|row| row.on_change = false);
    for history in [first_try(), known(ID, first_try()), after_unknown(60)] {
        let (result, script) = cancelled(Some("b-0"), &mapping, &history, []);
        let delivery = result.unwrap();
        let found = (delivery.outcome, delivery.findings, delivery.records);
        assert_eq!(found, (Outcome::Ignored, vec![], history.records));
        assert!(script.asked().is_empty());
    }
}

#[test]
fn a_kind_that_the_plugin_does_not_know_is_ignored_whatever_else_is_wrong() {
    let mapping = Mapping { target: Some("Contact".into()), ..with_options(&[("existing", "?")]) };
    for history in [first_try(), known(ID, first_try()), after_unknown(1)] {
        let booking = Booking { kind: BookingKind::Other("no-show".into()), ..fixture::booking() };
        let delivery = super::deliver(&mut Script::default(), &booking, &mapping, &history).unwrap();
        let found = (delivery.outcome, delivery.findings, delivery.records);
        assert_eq!(found, (Outcome::Ignored, vec![], history.records));
    }
}

#[test]
fn a_required_row_that_is_blank_keeps_what_the_lead_has() {
    let mut mapping = alone(&[]);
    let reason = fixture::required(fixture::text_field("Reason__c", 40));
    mapping.rows.push(Row { on_change: true, ..row(reason, None) });
    // Nor does it matter what the field is like.
    mapping.rows.push(Row { memo: String::new(), on_change: true, ..row(fixture::text_field("Title", 40), text(" ")) });
    let (result, script) = cancelled(None, &mapping, &known(ID, first_try()), [changed()]);
    let delivery = result.unwrap();
    assert_eq!((delivery.outcome, delivery.findings), (Outcome::Updated, vec![]));
    assert_eq!(script.asked(), [format!("PATCH /sobjects/Lead/{ID}")]);
    assert_eq!(script.body(0), json!({"Status": "Cancelled"}));
}

#[test]
fn the_key_of_the_booking_or_of_the_one_before_leads_to_its_lead() {
    let keyed = |key: &str| format!(r#"{{"Id":"{ID}","BookingId__c":"{key}"}}"#);
    for (previous, key) in [(None, "team-1/b-1"), (Some("b-0"), "team-1/b-0"), (Some("b-0"), "team-1/b-1")] {
        for mapping in [naming(&[KEY]), alone(&[KEY])] {
            let replies = [leads(&[&keyed(key)]), changed()];
            let (result, script) = cancelled(previous, &mapping, &first_try(), replies);
            let delivery = result.unwrap();
            assert_eq!((&delivery.outcome, lead_id(&delivery)), (&Outcome::Updated, ID));
            assert_eq!(script.body(1), json!({"Status": "Cancelled"}));
        }
    }
    let (_, script) = cancelled(Some("b-0"), &alone(&[KEY]), &first_try(), [leads(&[])]);
    assert!(script.asked()[0].contains("IN ('team-1/b-1','team-1/b-0')"), "{:?}", script.asked());
}

#[test]
fn a_cancellation_of_an_unknown_record_is_ignored_with_a_finding_and_never_creates() {
    for policy in ["create-another", "keep", "fill-empty", "overwrite"] {
        let (result, script) = cancelled(None, &naming(&[("existing", policy)]), &first_try(), []);
        assert_unknown(result, 6);
        assert!(script.asked().is_empty());
        let options = [("existing", policy), KEY];
        let (result, script) = cancelled(Some("b-0"), &alone(&options), &first_try(), [leads(&[])]);
        assert_unknown(result, 0);
        assert_eq!(script.asked().len(), 1);
    }
}

#[test]
fn a_look_up_that_fails_is_never_an_unknown_record() {
    for (history, reaction) in [(first_try(), Reaction::Retry), (after_unknown(60), Reaction::CheckFirst)] {
        let (result, _) = cancelled(None, &naming(&[KEY]), &history, [answer(503, "")]);
        assert_eq!(result.unwrap_err().reaction, reaction);
    }
}

#[test]
fn a_lost_try_of_a_cancellation_is_repeated_and_creates_and_claims_nothing() {
    // A lead that is like the booking's is not touched: only a key tells that it is the one.
    for minutes in [1, 60] {
        let (result, script) = cancelled(None, &alone(&[]), &after_unknown(minutes), []);
        assert_unknown(result, 0);
        assert!(script.asked().is_empty());
        let (result, script) = cancelled(None, &alone(&[KEY]), &after_unknown(minutes), [leads(&[])]);
        assert_unknown(result, 0);
        assert_eq!(script.asked().len(), 1);
        let keyed = format!(r#"{{"Id":"{ID}","BookingId__c":"team-1/b-1"}}"#);
        let (result, script) = cancelled(None, &alone(&[KEY]), &after_unknown(minutes), [leads(&[&keyed]), changed()]);
        assert_eq!(result.unwrap().outcome, Outcome::Updated);
        assert_eq!(script.body(1), json!({"Status": "Cancelled"}));
    }
}

#[test]
fn a_lead_that_is_gone_or_converted_is_reported() {
    for (status, code, expected) in [
        (404, "NOT_FOUND", codes::LEAD_GONE),
        (400, "ENTITY_IS_DELETED", codes::LEAD_GONE),
        (400, "CANNOT_UPDATE_CONVERTED_LEAD", codes::LEAD_CONVERTED),
    ] {
        let refusal = answer(status, &json!([{"errorCode": code, "message": "x"}]).to_string());
        let (result, script) = cancelled(None, &alone(&[]), &known(ID, first_try()), [refusal]);
        let problem = result.unwrap_err();
        assert_eq!((problem.code.as_str(), &problem.reaction), (expected, &Reaction::FixBooking));
        assert_eq!((concerned(&problem), script.asked().len()), (vec![ID], 1));
    }
}

#[test]
fn what_is_no_id_of_a_lead_never_becomes_a_part_of_an_address() {
    for id in ["", "..", "../Account", "00Q5e00000LstAAEAZ/x", "00Q5e00000Lst?", "００Q5e00000LstAA"] {
        let (result, script) = cancelled(None, &alone(&[]), &known(id, first_try()), []);
        let problem = result.unwrap_err();
        assert_eq!((problem.code.as_str(), &problem.reaction), (codes::LEAD_GONE, &Reaction::FixBooking));
        assert!(script.asked().is_empty());
    }
}

#[test]
fn what_salesforce_refuses_is_left_out_and_the_lead_stays() {
    let refusal = refused("FIELD_CUSTOM_VALIDATION_EXCEPTION", "no", &["Status"]);
    let (result, _) = cancelled(None, &alone(&[]), &known(ID, first_try()), [refusal]);
    let delivery = result.unwrap();
    assert_eq!((&delivery.outcome, delivery.findings[0].consequence), (&Outcome::Kept, Consequence::LeftOut));
}

#[test]
fn a_value_is_fitted_to_its_field_as_in_any_booking() {
    let mut mapping = alone(&[]);
    let flag = Row { on_change: true, ..row(fixture::field("Cancelled__c", FieldType::Checkbox), text("はい")) };
    mapping.rows = vec![flag];
    let (_, script) = cancelled(None, &mapping, &known(ID, first_try()), [changed()]);
    assert_eq!(script.body(0), json!({"Cancelled__c": true}));
}
