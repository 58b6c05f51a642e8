use super::run;
use crate::{
    bindings::types::{Outcome, Reaction},
    codes,
    fixture::{first_try, with_options},
    script::{changed, created, leads, refused},
};
use serde_json::json;

const LEAD: &str = r#"{"Id":"00Q5e00000OldAAEAZ","Email":"taro.yamada@example.com","LastName":"Yamada","FirstName":null,
    "Company":"","Description":null,"MeetingDate__c":null,"BookingId__c":null}"#;

#[test]
fn every_policy_does_what_it_says() {
    for (policy, found, asked, outcome, body) in [
        ("create-another", None, vec!["POST"], Outcome::Created, Some("LastName")),
        ("keep", Some(vec![]), vec!["GET", "POST"], Outcome::Created, Some("LastName")),
        ("keep", Some(vec![LEAD]), vec!["GET"], Outcome::Kept, None),
        ("fill-empty", Some(vec![]), vec!["GET", "POST"], Outcome::Created, Some("LastName")),
        ("fill-empty", Some(vec![LEAD]), vec!["GET", "PATCH"], Outcome::Updated, Some("Company")),
        ("overwrite", Some(vec![]), vec!["GET", "POST"], Outcome::Created, Some("LastName")),
        ("overwrite", Some(vec![LEAD]), vec!["GET", "PATCH"], Outcome::Updated, Some("LastName")),
    ] {
        let replies = found.map(|found| leads(&found)).into_iter();
        let write = match asked.last() {
            Some(&"POST") => Some(created()),
            Some(&"PATCH") => Some(changed()),
            _ => None,
        };
        let (result, script) = run(&with_options(&[("existing", policy)]), &first_try(), replies.chain(write));
        assert_eq!(result.unwrap().outcome, outcome, "{policy}");
        let methods: Vec<String> =
            script.asked().iter().map(|asked| asked.split(' ').next().unwrap().to_owned()).collect();
        assert_eq!(methods, asked, "{policy}");
        if let Some(field) = body {
            assert!(script.body(methods.len() - 1).get(field).is_some(), "{policy}");
        }
    }
}

#[test]
fn the_look_up_is_escaped_without_converted_leads_and_newest_first() {
    let mapping = with_options(&[("existing", "keep")]);
    let (_, script) = run(&mapping, &first_try(), [leads(&[LEAD])]);
    assert_eq!(
        script.asked(),
        ["GET /query?q=SELECT Id,Email FROM Lead WHERE Email = 'Taro.Yamada@example.com' AND IsConverted = false \
          ORDER BY CreatedDate DESC LIMIT 1"]
    );
    let script = crate::script::Script::new([leads(&[]), created()]);
    let mut booking = crate::fixture::booking();
    booking.guest.email = Some("o'neil+a\\b@x.org".into());
    super::deliver(&mut script.clone(), &booking, &mapping, &first_try()).unwrap();
    assert!(script.asked()[0].contains(r"Email = 'o\'neil+a\\b@x.org' AND"), "{:?}", script.asked());
}

#[test]
fn filling_in_touches_blanks_only_and_zero_and_false_are_none() {
    let (_, script) = run(&with_options(&[("existing", "fill-empty")]), &first_try(), [leads(&[LEAD]), changed()]);
    let body = script.body(1);
    let fields: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["Company", "Description", "FirstName", "MeetingDate__c"]);
    assert_eq!(script.header(1, "sforce-auto-assign").as_deref(), Some("FALSE"));
    assert_eq!(script.asked()[1], "PATCH /sobjects/Lead/00Q5e00000OldAAEAZ");

    let full = r#"{"Id":"00Q5e00000OldAAEAZ","Email":"a@b.c","LastName":"x","FirstName":0,"Company":false,"Description":"x","MeetingDate__c":"2020-01-01"}"#;
    let (result, _) = run(&with_options(&[("existing", "fill-empty")]), &first_try(), [leads(&[full])]);
    assert_eq!(result.unwrap().outcome, Outcome::Kept);
}

#[test]
fn a_lead_takes_this_bookings_key_unless_it_has_another_ones() {
    let options = [("existing", "overwrite"), ("booking-id-field", "BookingId__c")];
    let (_, script) = run(&with_options(&options), &first_try(), [leads(&[LEAD]), changed()]);
    assert_eq!(script.body(1)["BookingId__c"], "team-1/b-1");

    let keyed = LEAD.replace(r#""BookingId__c":null"#, r#""BookingId__c":"team-1/b-0""#);
    let (_, script) = run(&with_options(&options), &first_try(), [leads(&[&keyed]), changed()]);
    assert_eq!(script.body(1).get("BookingId__c"), None);
}

#[test]
fn without_an_address_there_is_nobody_to_look_for() {
    let mut booking = crate::fixture::booking();
    booking.guest.email = None;
    let script = crate::script::Script::new([created()]);
    let mapping = with_options(&[("existing", "overwrite")]);
    let delivery = super::deliver(&mut script.clone(), &booking, &mapping, &first_try()).unwrap();
    assert_eq!(delivery.outcome, Outcome::Created);
    assert_eq!(script.body(0).get("Email"), Some(&json!(null)).filter(|_| false));
}

#[test]
fn a_lead_that_vanishes_between_look_up_and_write_is_looked_for_again() {
    for (code, expected) in
        [("ENTITY_IS_DELETED", codes::LEAD_GONE), ("CANNOT_UPDATE_CONVERTED_LEAD", codes::LEAD_CONVERTED)]
    {
        let mapping = with_options(&[("existing", "overwrite")]);
        let (result, _) = run(&mapping, &first_try(), [leads(&[LEAD]), refused(code, "x", &[])]);
        let problem = result.unwrap_err();
        assert_eq!((problem.code.as_str(), problem.reaction), (expected, Reaction::Retry));
    }
}
