use super::{record, run};
use crate::{
    bindings::types::{Outcome, Reaction},
    codes,
    fixture::{self, after_unknown, first_try, known, moved_from, row, text, with_options},
    script::{Script, answer, changed, created, described, leads, refused},
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
        ["GET /query?q=SELECT Id,Email,IsConverted FROM Lead \
          WHERE (Email = 'Taro.Yamada@example.com' AND IsConverted = false) ORDER BY CreatedDate DESC LIMIT 1"]
    );
    let mut mapping = mapping;
    mapping.rows[3].value = Some(text("o'neil+a\\b@x.org"));
    let (result, script) = run(&mapping, &first_try(), [leads(&[]), created()]);
    assert!(result.is_ok());
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

    let full = r#"{"Id":"00Q5e00000OldAAEAZ","Email":"taro.yamada@example.com","LastName":"x","FirstName":0,"Company":false,"Description":"x","MeetingDate__c":"2020-01-01"}"#;
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
    let mut mapping = with_options(&[("existing", "overwrite")]);
    mapping.rows[3].value = None;
    let (result, script) = run(&mapping, &first_try(), [created()]);
    let delivery = result.unwrap();
    assert_eq!((delivery.outcome, &*delivery.findings), (Outcome::Created, &[][..]));
    assert_eq!(script.body(0).get("Email"), None);
    // Without a row for it, nobody can ever be found.
    mapping.rows.remove(3);
    let (result, _) = run(&mapping, &first_try(), [created()]);
    let delivery = result.unwrap();
    assert_eq!((delivery.outcome, &*delivery.findings[0].code), (Outcome::Created, codes::EMAIL_UNMAPPED));
}

#[test]
fn a_lead_that_vanishes_between_look_up_and_write_is_looked_for_again() {
    for (code, expected) in
        [("ENTITY_IS_DELETED", codes::LEAD_GONE), ("CANNOT_UPDATE_CONVERTED_LEAD", codes::LEAD_CONVERTED)]
    {
        let mapping = with_options(&[("existing", "overwrite")]);
        let (result, _) = run(&mapping, &first_try(), [leads(&[LEAD]), refused(code, "x", &[])]);
        let problem = result.unwrap_err();
        assert_eq!((problem.code.as_str(), &problem.reaction), (expected, &Reaction::Retry));
        // Not at once: what a look-up finds may lag behind.
        assert_eq!(problem.retry_after, Some(60));
    }
}

#[test]
fn a_field_that_is_gone_does_not_stop_a_look_up() {
    let gone =
        || answer(400, &json!([{"errorCode": "INVALID_FIELD", "message": "No such column 'Title'"}]).to_string());
    let live = || described(&[("Title", "name", json!(null))]);
    let found = record(LEAD, &json!({"IsConverted": false}));
    for (options, history, replies, outcome) in [
        (
            vec![("existing", "fill-empty")],
            first_try(),
            vec![gone(), live(), leads(&[&found]), changed()],
            Outcome::Updated,
        ),
        (vec![("existing", "fill-empty")], first_try(), vec![gone(), live(), leads(&[]), created()], Outcome::Created),
        (vec![], after_unknown(60), vec![gone(), live(), leads(&[]), created()], Outcome::Created),
    ] {
        let mut mapping = with_options(&options);
        mapping.rows.push(row(fixture::text_field("Title", 128), text("部長")));
        let (result, script) = run(&mapping, &history, replies);
        let delivery = result.unwrap();
        assert_eq!((delivery.outcome, &*delivery.findings[0].code), (outcome, codes::FIELD_GONE));
        let asked = script.asked();
        assert!(asked[0].contains("Title") && !asked[2].contains("Title"), "{asked:?}");
        assert_eq!(script.body(3).get("Title"), None);
    }
    // Only once: no row writes the field that an option names.
    let mapping = with_options(&[("existing", "keep"), ("booking-id-field", "Gone__c")]);
    let (result, script) = run(&mapping, &first_try(), [gone(), described(&[]), gone()]);
    assert_eq!(result.unwrap_err().code, "INVALID_FIELD");
    assert_eq!(script.asked().len(), 3);
}

#[test]
fn whose_a_lead_is_and_its_record_type_are_never_changed_by_the_choices_for_new_ones() {
    let found = record(LEAD, &json!({"IsConverted": false}));
    let matched = json!([{"errorCode": "DUPLICATES_DETECTED", "message": "Use one of these records?", "duplicateResult": {
        "allowSave": true, "matchResults": [{"entityType": "Lead", "matchRecords": [
            {"record": {"attributes": {"type": "Lead"}, "Id": "00Q5e00000OldAAEAZ"}}]}]}}]);
    let moved = |id: Option<&str>| (moved_from("b-0"), id.map_or_else(first_try, |id| known(id, first_try())));
    let keyed = record(LEAD, &json!({"BookingId__c": "team-1/b-0"}));
    let new = || (fixture::booking(), first_try());
    for (existing, (booking, history), replies) in [
        ("fill-empty", new(), vec![leads(&[&found]), changed()]),
        ("overwrite", new(), vec![leads(&[&found]), changed()]),
        ("create-another", new(), vec![answer(400, &matched.to_string()), leads(&[&found]), changed()]),
        ("create-another", moved(Some("00Q5e00000OldAAEAZ")), vec![changed()]),
        ("create-another", moved(None), vec![leads(&[&keyed]), changed()]),
    ] {
        let options = [
            ("existing", existing),
            ("duplicates", "use-match"),
            ("booking-id-field", "BookingId__c"),
            ("assignment-rules", "run"),
            ("owner", "0055e00000AbCdE"),
            ("record-type", "0125e00000AbCdE"),
        ];
        let last = replies.len() - 1;
        let script = Script::new(replies);
        let delivery = super::deliver(&mut script.clone(), &booking, &with_options(&options), &history).unwrap();
        assert_eq!(delivery.outcome, Outcome::Updated);
        let body = script.body(last);
        assert_eq!((body.get("OwnerId"), body.get("RecordTypeId")), (None, None), "{existing}");
        assert_eq!(script.header(last, "sforce-auto-assign").as_deref(), Some("FALSE"), "{existing}");
    }
}

#[test]
fn a_blank_company_is_not_guessed_from_the_address() {
    let mut mapping = fixture::mapping();
    mapping.rows[2] = row(fixture::text_field("Company", 255), text(""));
    mapping.rows[3].value = Some(text("taro@mail.example.co.jp"));
    let (result, script) = run(&mapping, &first_try(), [created()]);
    assert!(result.is_ok());
    assert_eq!(script.body(0).get("Company"), None);

    mapping.rows[2] = row(fixture::required(fixture::text_field("Company", 255)), text(""));
    let problem = run(&mapping, &first_try(), [described(&[])]).0.unwrap_err();
    assert_eq!((problem.code.as_str(), &*problem.fields), (codes::REQUIRED_FIELD_BLANK, &["Company".to_owned()][..]));
}
