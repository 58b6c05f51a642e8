use super::{concerned, lead_id};
use crate::{
    bindings::{
        http::{Failure, Response},
        types::{Booking, Delivery, History, Mapping, Outcome, Problem, Reaction, Row, SourceKind},
    },
    codes,
    fixture::{self, first_try, given_by, moved_from, row, text, with_options},
    script::{Script, answer, changed, created, leads},
};
use serde_json::json;

const ID: &str = "00Q5e00000LstAAEAZ";

fn moved(
    previous: &str,
    mapping: &Mapping,
    history: &History,
    replies: impl IntoIterator<Item = Result<Response, Failure>>,
) -> (Result<Delivery, Box<Problem>>, Script) {
    let script = Script::new(replies);
    let result = super::deliver(&mut script.clone(), &moved_from(previous), mapping, history);
    (result, script)
}

fn known() -> History {
    fixture::known(ID, first_try())
}

#[test]
fn a_reschedule_changes_only_the_rows_that_a_change_writes() {
    let mut mapping = fixture::mapping();
    let meeting = |field, value| given_by(SourceKind::Meeting, row(field, value));
    mapping.rows.push(meeting(fixture::text_field("Title", 128), Some(text("08:30 佐藤 花子"))));
    mapping.rows.push(meeting(fixture::required(fixture::text_field("Room__c", 128)), None));
    // The mapping decides, whatever the source.
    mapping.rows.push(Row { on_change: true, ..row(fixture::text_field("Status", 40), text("Moved")) });
    let place = meeting(fixture::text_field("Place__c", 40), Some(text("Tokyo")));
    mapping.rows.push(Row { on_change: false, ..place });
    let (result, script) = moved("b-0", &mapping, &known(), [changed()]);
    let delivery = result.unwrap();
    assert_eq!((&delivery.outcome, lead_id(&delivery)), (&Outcome::Updated, ID));
    assert_eq!(script.asked(), [format!("PATCH /sobjects/Lead/{ID}")]);
    assert_eq!(script.body(0), json!({"MeetingDate__c": "2026-12-02", "Title": "08:30 佐藤 花子", "Status": "Moved"}));
}

#[test]
fn a_lead_that_is_gone_or_converted_is_reported() {
    for (status, code, expected) in [
        (400, "ENTITY_IS_DELETED", codes::LEAD_GONE),
        (404, "ENTITY_IS_DELETED", codes::LEAD_GONE),
        (404, "NOT_FOUND", codes::LEAD_GONE),
        (404, "INVALID_CROSS_REFERENCE_KEY", codes::LEAD_GONE),
        (400, "CANNOT_UPDATE_CONVERTED_LEAD", codes::LEAD_CONVERTED),
    ] {
        let refusal = answer(status, &json!([{"errorCode": code, "message": "x"}]).to_string());
        let (result, script) = moved("b-0", &fixture::mapping(), &known(), [refusal]);
        let problem = result.unwrap_err();
        assert_eq!((problem.code.as_str(), &problem.reaction), (expected, &Reaction::FixBooking));
        assert_eq!(concerned(&problem), [ID]);
        assert_eq!(script.asked().len(), 1);
    }
}

#[test]
fn a_mapping_without_such_rows_leaves_the_lead_alone() {
    let mut mapping = fixture::mapping();
    mapping.rows.truncate(4);
    let (result, script) = moved("b-0", &mapping, &known(), []);
    assert_eq!(result.unwrap().outcome, Outcome::Kept);
    assert!(script.asked().is_empty());
}

#[test]
fn the_key_of_the_earlier_booking_leads_to_its_lead() {
    let mapping = with_options(&[("booking-id-field", "BookingId__c")]);
    let keyed = |key: &str| format!(r#"{{"Id":"{ID}","BookingId__c":"{key}"}}"#);

    let (result, script) = moved("b-0", &mapping, &first_try(), [leads(&[&keyed("team-1/b-0")]), changed()]);
    assert_eq!(result.unwrap().outcome, Outcome::Updated);
    assert_eq!(script.body(1), json!({"MeetingDate__c": "2026-12-02"}), "another booking's key is never replaced");
    assert!(script.asked()[0].contains("IN ('team-1/b-1','team-1/b-0')"));

    let (result, _) = moved("b-0", &mapping, &first_try(), [leads(&[&keyed("team-1/b-1")])]);
    assert_eq!(result.unwrap().outcome, Outcome::AlreadyDelivered);

    let (result, _) = moved("b-1", &mapping, &first_try(), [leads(&[&keyed("team-1/b-1")]), changed()]);
    assert_eq!(result.unwrap().outcome, Outcome::Updated, "a booking that keeps its id was moved");

    let (result, script) = moved("b-0", &mapping, &first_try(), [leads(&[]), created()]);
    assert_eq!(result.unwrap().outcome, Outcome::Created);
    assert_eq!(script.body(1)["BookingId__c"], "team-1/b-1");

    // Without the id of the earlier booking, its own key may be that one's.
    let booking = Booking { previous_id: None, ..moved_from("b-1") };
    let script = Script::new([leads(&[&keyed("team-1/b-1")]), changed()]);
    let delivery = super::deliver(&mut script.clone(), &booking, &mapping, &first_try()).unwrap();
    assert_eq!(delivery.outcome, Outcome::Updated);
}

#[test]
fn a_reschedule_of_a_booking_that_nobody_knows_is_a_new_one() {
    let (result, script) = moved("b-0", &fixture::mapping(), &first_try(), [created()]);
    assert_eq!(result.unwrap().outcome, Outcome::Created);
    assert_eq!(script.body(0)["LastName"], "山田");
}
