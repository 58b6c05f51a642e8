//! Create, update, upsert and delete.

use salesforce_local_org::{OrgFile, Trigger};
use serde_json::{Value, json};

use crate::support::{Client, enterprise, start};

const LEADS: &str = "/services/data/v67.0/sobjects/Lead";

fn lead(more: Value) -> Value {
    let mut lead = json!({"LastName": "山田", "Company": "さくら商事"});
    lead.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    lead
}

#[tokio::test]
async fn rejected_creates_get_salesforces_errors() {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    let long = "あ".repeat(81);
    let emoji = "😀".repeat(41);
    let read_only = "Unable to create/update fields: CreatedDate, Name. Please check the security settings of this field and verify that it is read/write for your profile or permission set.";
    let cases = [
        (
            json!({"LastName": "山田"}),
            json!([{"errorCode": "REQUIRED_FIELD_MISSING", "message": "Required fields are missing: [Company]", "fields": ["Company"]}]),
        ),
        (
            json!({}),
            json!([{"errorCode": "REQUIRED_FIELD_MISSING", "message": "Required fields are missing: [LastName, Company]", "fields": ["LastName", "Company"]}]),
        ),
        (
            lead(json!({"LastName": "  "})),
            json!([{"errorCode": "REQUIRED_FIELD_MISSING", "message": "Required fields are missing: [LastName]", "fields": ["LastName"]}]),
        ),
        (
            lead(json!({"LastName": long})),
            json!([{"errorCode": "STRING_TOO_LONG", "message": format!("Last Name: data value too large: {long} (max length=80)"), "fields": ["LastName"]}]),
        ),
        (
            lead(json!({"LastName": emoji})),
            json!([{"errorCode": "STRING_TOO_LONG", "message": format!("Last Name: data value too large: {emoji} (max length=80)"), "fields": ["LastName"]}]),
        ),
        (
            lead(json!({"Email": "not an email"})),
            json!([{"errorCode": "INVALID_EMAIL_ADDRESS", "message": "Email: invalid email address: not an email", "fields": ["Email"]}]),
        ),
        (
            lead(json!({"LeadSubject": "x"})),
            json!([{"errorCode": "INVALID_FIELD", "message": "No such column 'LeadSubject' on sobject of type Lead"}]),
        ),
        (
            lead(json!({"Name": "x", "CreatedDate": "2026-01-01T00:00:00Z"})),
            json!([{"errorCode": "INVALID_FIELD_FOR_INSERT_UPDATE", "message": read_only, "fields": ["CreatedDate", "Name"]}]),
        ),
        (
            lead(json!({"MeetingType__c": "デモ"})),
            json!([{"errorCode": "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "message": "面談の種類: bad value for restricted picklist field: デモ", "fields": ["MeetingType__c"]}]),
        ),
        (
            lead(json!({"MeetingType__c": "Legacy"})),
            json!([{"errorCode": "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "message": "面談の種類: bad value for restricted picklist field: Legacy", "fields": ["MeetingType__c"]}]),
        ),
        (
            lead(json!({"Interests__c": "Sales;Knitting"})),
            json!([{"errorCode": "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "message": "関心のある分野: bad value for restricted picklist field: Knitting", "fields": ["Interests__c"]}]),
        ),
        (
            lead(json!({"NumberOfEmployees": 1_431_655_766})),
            json!([{"errorCode": "NUMBER_OUTSIDE_VALID_RANGE", "message": "Employees: value outside of valid range on numeric field: 1431655766", "fields": ["NumberOfEmployees"]}]),
        ),
        (
            lead(json!({"Title": "a\u{1}b"})),
            json!([{"errorCode": "TEXT_DATA_OUTSIDE_SUPPORTED_CHARSET", "message": "Title: invalid character in the value", "fields": ["Title"]}]),
        ),
        (
            lead(json!({"OwnerId": "00Q"})),
            json!([{"errorCode": "MALFORMED_ID", "message": "Owner ID: id value of incorrect type: 00Q", "fields": ["OwnerId"]}]),
        ),
        (
            lead(json!({"OwnerId": "0055i00000nObOd"})),
            json!([{"errorCode": "INVALID_CROSS_REFERENCE_KEY", "message": "invalid cross reference id", "fields": []}]),
        ),
        (
            lead(json!({"NewsletterOptIn__c": null})),
            json!([{"errorCode": "INVALID_TYPE_ON_FIELD_IN_RECORD", "message": "メールマガジンを希望する: value not of required type: null", "fields": ["NewsletterOptIn__c"]}]),
        ),
    ];
    for (body, expected) in cases {
        let reply = client.post(LEADS, &body).await;
        assert_eq!((reply.status, &reply.json), (400, &expected), "{body}");
    }
    assert!(running.org().leads().is_empty());
}

#[tokio::test]
async fn a_value_of_the_wrong_type_rejects_the_body_and_names_its_position() {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    for (body, message) in [
        (
            r#"{"MeetingAt__c":"2024-07-30 20:54:16 UTC"}"#,
            "Cannot deserialize instance of datetime from VALUE_STRING value 2024-07-30 20:54:16 UTC or request may be missing a required field at [line:1, column:17]",
        ),
        (
            r#"{"MeetingAt__c":"2024-07-30T20:54:16"}"#,
            "Cannot deserialize instance of datetime from VALUE_STRING value 2024-07-30T20:54:16 or request may be missing a required field at [line:1, column:17]",
        ),
        (
            r#"{"PreferredDate__c":"2015-08-25T11:00:00Z"}"#,
            "Cannot deserialize instance of date from VALUE_STRING value 2015-08-25T11:00:00Z or request may be missing a required field at [line:1, column:21]",
        ),
        (
            r#"{"Headcount__c":"N01"}"#,
            "Cannot deserialize instance of double from VALUE_STRING value N01 or request may be missing a required field at [line:1, column:17]",
        ),
        (
            r#"{"Interests__c":["Sales"]}"#,
            "Cannot deserialize instance of multipicklist from START_ARRAY value [line:1, column:17]",
        ),
        (
            r#"{"NewsletterOptIn__c":"はい"}"#,
            "Cannot deserialize instance of boolean from VALUE_STRING value はい or request may be missing a required field at [line:1, column:23]",
        ),
        (
            r#"{"NumberOfEmployees":1.5}"#,
            "Cannot deserialize instance of int from VALUE_NUMBER_FLOAT value 1.5 or request may be missing a required field at [line:1, column:22]",
        ),
        (
            r#"{"LastName":true}"#,
            "Cannot deserialize instance of string from VALUE_TRUE value true or request may be missing a required field at [line:1, column:13]",
        ),
        (r#"{"LastName":}"#, "Unexpected character ('}' (code 125)) at [line:1, column:13]"),
        ("[]", "Cannot deserialize instance of sobject from START_ARRAY value [line:1, column:1]"),
        ("", "The HTTP entity body is required, but this request has no entity body."),
    ] {
        let reply = client.send("POST", LEADS, &[("content-type", "application/json")], body).await.unwrap();
        assert_eq!(
            (reply.status, &reply.json),
            (400, &json!([{"errorCode": "JSON_PARSER_ERROR", "message": message}])),
            "{body}"
        );
    }
    let reply = client.send("POST", LEADS, &[("content-type", "multipart/related")], "x").await.unwrap();
    assert_eq!(
        (reply.status, reply.json[0]["message"].as_str()),
        (415, Some("MediaType of 'multipart/related' is not supported by this resource"))
    );
}

#[tokio::test]
async fn checks_run_in_salesforces_order() {
    let mut file = OrgFile::named("validation-rules").unwrap().unwrap();
    file.duplicate_rules[0].when_same = vec![vec!["LastName".into()]];
    file.triggers.push(Trigger {
        name: "LeadTrigger".into(),
        fail_when: "Title = null".into(),
        message: "System.NullPointerException: Attempt to de-reference a null object".into(),
    });
    let running = start(file).await;
    let client = Client::connect(&running).await;
    // Each body has one error fewer than the one before.
    let mut body = json!({"LastName": "山田", "AnnualRevenue": "lots", "Nonsense": 1, "Name": "x", "Phone": null, "BookingId__c": "b-1"});
    for (mend, code) in [
        (json!({}), "JSON_PARSER_ERROR"),
        (json!({"AnnualRevenue": 5}), "INVALID_FIELD"),
        (json!({"Nonsense": null}), "INVALID_FIELD_FOR_INSERT_UPDATE"),
        (json!({"Name": null}), "REQUIRED_FIELD_MISSING"),
        (json!({"Company": "さくら"}), "FIELD_CUSTOM_VALIDATION_EXCEPTION"),
        (json!({"Phone": "03-1234-5678"}), "DUPLICATES_DETECTED"),
        (json!({"LastName": "佐藤"}), "DUPLICATE_VALUE"),
        (json!({"BookingId__c": "b-2"}), "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"),
        (json!({"Title": "部長"}), ""),
    ] {
        if code == "DUPLICATES_DETECTED" {
            let first = json!({"LastName": "山田", "Company": "x", "Phone": "1", "BookingId__c": "b-1", "Title": "t"});
            assert_eq!(client.post(LEADS, &first).await.status, 201);
        }
        let members = body.as_object_mut().unwrap();
        for (name, value) in mend.as_object().unwrap() {
            match value {
                Value::Null => members.remove(name),
                value => members.insert(name.clone(), value.clone()),
            };
        }
        let reply = client.post(LEADS, &body).await;
        assert_eq!(reply.json[0]["errorCode"].as_str().unwrap_or_default(), code, "{body} {}", reply.text);
    }
}

#[tokio::test]
async fn every_invalid_value_gets_its_own_error() {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    let body = json!({"LastName": "x".repeat(81), "Company": "c", "Email": "no"});
    let reply = client.post(LEADS, &body).await;
    let mut codes: Vec<_> = reply.json.as_array().unwrap().iter().map(|e| e["errorCode"].as_str().unwrap()).collect();
    codes.sort_unstable();
    assert_eq!(codes, ["INVALID_EMAIL_ADDRESS", "STRING_TOO_LONG"]);
}

#[tokio::test]
async fn values_are_stored_as_salesforce_stores_them() {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    let sent = json!({"lastname": " 山田 ", "COMPANY": "さくら", "Title": "", "LeadSource": "web", "Rating": "Unheard of", "AnnualRevenue": 1_000_000,
        "Budget__c": "12.345", "NumberOfEmployees": "7", "Interests__c": "sales; Support", "Email": "a+b@x.jp", "Website": "x.jp", "Latitude": 35.6812, "City": "東京"});
    let made = client.post(&format!("{LEADS}/"), &sent).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.json, json!({"id": made.json["id"], "success": true, "errors": []}));
    let id = made.json["id"].as_str().unwrap();
    let read = client.get(&format!("{LEADS}/{}", &id[..15])).await.json;
    for (field, value) in [
        ("LastName", json!("山田")),
        ("Title", Value::Null),
        ("LeadSource", json!("Web")),
        ("Rating", json!("Unheard of")),
        ("AnnualRevenue", json!(1_000_000.0)),
        ("Budget__c", json!(12.35)),
        ("NumberOfEmployees", json!(7)),
        ("Interests__c", json!("Sales;Support")),
        ("Status", json!("Open - Not Contacted")),
        ("IsUnreadByOwner", json!(true)),
        ("NewsletterOptIn__c", json!(false)),
        ("Id", json!(id)),
    ] {
        assert_eq!(read[field], value, "{field}");
    }
    assert_eq!(read["Address"]["city"], "東京");
    assert!(read["CreatedDate"].as_str().unwrap().ends_with(".000+0000"));
    assert_eq!(read["attributes"], json!({"type": "Lead", "url": format!("{LEADS}/{id}")}));
    assert!(
        client.get(&format!("{LEADS}/{id}")).await.text.contains("\"AnnualRevenue\":1000000.0"),
        "currency always has a fraction"
    );
}

#[tokio::test]
async fn the_header_overrides_an_alerting_rule_and_never_a_blocking_one() {
    for (org, with_header, allow_save) in [("duplicates-alert", 201, true), ("duplicates-block", 400, false)] {
        let running = start(OrgFile::named(org).unwrap().unwrap()).await;
        let client = Client::connect(&running).await;
        let body = lead(json!({"Email": "taro@example.jp"}));
        let first = client.post(LEADS, &body).await.json["id"].clone();
        for (version, key) in
            [(54, "duplicateResut"), (56, "duplicateResut"), (60, "duplicateResult"), (67, "duplicateResult")]
        {
            let reply = client.post(&format!("/services/data/v{version}.0/sobjects/Lead"), &body).await;
            assert_eq!(reply.error(), (400, "DUPLICATES_DETECTED"));
            let error = &reply.json[0];
            assert_eq!(error["message"], "この見込み客はすでに登録されています。");
            assert_eq!(error["fields"], Value::Null, "this error has no `fields`");
            assert_eq!(error[key]["allowSave"], allow_save);
            let matched = &error[key]["matchResults"][0];
            assert_eq!((matched["size"].as_u64(), &matched["matchRecords"][0]["record"]["Id"]), (Some(1), &first));
            assert_eq!(matched["matchRecords"][0]["record"].as_object().unwrap().len(), 2);
        }
        let header = [("Sforce-Duplicate-Rule-Header", "allowSave=true; includeRecordDetails=true")];
        let reply = client.write("POST", LEADS, &header, &body).await;
        assert_eq!(reply.status, with_header);
        if !allow_save {
            let record = &reply.json[0]["duplicateResult"]["matchResults"][0]["matchRecords"][0]["record"];
            assert_eq!(record["Email"], "taro@example.jp", "details were requested");
        }
    }
}

#[tokio::test]
async fn a_unique_value_is_unique_in_any_case() {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    let first = client.post(LEADS, &lead(json!({"BookingId__c": "B-1"}))).await.json["id"].as_str().unwrap().to_owned();
    let reply = client.post(LEADS, &json!({"LastName": "佐藤", "Company": "x", "BookingId__c": "b-1"})).await;
    let message = format!("duplicate value found: BookingId__c duplicates value on record with id: {}", &first[..15]);
    assert_eq!(
        (reply.status, reply.json),
        (400, json!([{"errorCode": "DUPLICATE_VALUE", "message": message, "fields": []}]))
    );
}

#[tokio::test]
async fn an_upsert_creates_updates_or_returns_the_choices() {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    let path = format!("{LEADS}/BookingId__c/team%2F1%20%2B%E5%B1%B1");
    let body = lead(json!({"Phone": "1"}));
    let created = client.write("PATCH", &path, &[], &body).await;
    assert_eq!((created.status, created.json["created"].as_bool()), (201, Some(true)), "{}", created.text);
    assert_eq!(running.org().leads()[0]["BookingId__c"], "team/1 +山");
    let updated = client.write("PATCH", &path.replace("team", "TEAM"), &[], &json!({"Phone": "2"})).await;
    assert_eq!((updated.status, updated.json["created"].as_bool()), (200, Some(false)));
    assert_eq!(updated.json["id"], created.json["id"]);
    let old = client.write("PATCH", &path.replace("v67", "v45"), &[], &json!({"Phone": "3"})).await;
    assert_eq!((old.status, old.text.as_str()), (204, ""));
    let by_post = client.write("POST", &format!("{path}?_HttpMethod=PATCH"), &[], &json!({"Phone": "4"})).await;
    assert_eq!(by_post.status, 200);
    assert_eq!(running.org().leads()[0]["Phone"], "4");
    assert_eq!(client.get(&path).await.json["Phone"], "4", "it can be read by its key");

    let miss =
        client.write("PATCH", &format!("{LEADS}/BookingId__c/none?updateOnly=true"), &[], &json!({"Phone": "5"})).await;
    assert_eq!(miss.error(), (404, "NOT_FOUND"));
    let field = client.write("PATCH", &format!("{LEADS}/Namez/1"), &[], &body).await;
    assert_eq!(field.status, 404);
    assert_eq!(field.json[0]["message"], "Provided external ID field does not exist or is not accessible: Namez");
    let twice = client.write("PATCH", &path, &[], &json!({"BookingId__c": "x"})).await;
    assert_eq!(twice.error(), (400, "INVALID_FIELD"));

    for number in 0..2 {
        let body = json!({"LastName": format!("双子{number}"), "Company": "x", "Email": "twin@example.jp"});
        assert_eq!(client.post(LEADS, &body).await.status, 201);
    }
    let several = client.write("PATCH", &format!("{LEADS}/Email/twin%40example.jp"), &[], &json!({"Phone": "6"})).await;
    assert_eq!((several.status, several.json.as_array().unwrap().len()), (300, 2));
    assert!(several.json[0].as_str().unwrap().starts_with(&format!("{LEADS}/00Q")));
    assert!(running.org().leads().iter().all(|lead| lead["Phone"] != "6"), "nothing is written");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_upserts_of_a_new_key_create_one_record() {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    let path = format!("{LEADS}/BookingId__c/race");
    let body = lead(json!({"Phone": "1"}));
    let upsert = || client.write("PATCH", &path, &[], &body);
    let (a, b, c, d) = tokio::join!(upsert(), upsert(), upsert(), upsert());
    let mut statuses = [a.status, b.status, c.status, d.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 201]);
    assert_eq!(running.org().leads().len(), 1);
}

#[tokio::test]
async fn a_record_can_be_updated_read_and_deleted() {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    let id = client.post(LEADS, &lead(json!({"Phone": "1"}))).await.json["id"].as_str().unwrap().to_owned();
    let path = format!("{LEADS}/{id}");
    let updated = client.write("PATCH", &path, &[], &json!({"Phone": null, "Title": "部長"})).await;
    assert_eq!((updated.status, updated.text.as_str()), (204, ""));
    let read = client.get(&format!("{path}?fields=Title,Phone")).await.json;
    assert_eq!((&read["Title"], &read["Phone"], read.as_object().unwrap().len()), (&json!("部長"), &Value::Null, 4));
    for (body, code) in [
        (json!({"Id": id}), "INVALID_FIELD"),
        (json!({"LastName": null}), "REQUIRED_FIELD_MISSING"),
        (json!({"IsConverted": true}), "INVALID_FIELD_FOR_INSERT_UPDATE"),
    ] {
        assert_eq!(client.write("PATCH", &path, &[], &body).await.error(), (400, code));
    }
    assert_eq!(client.get(&format!("{path}?fields=Nope")).await.error(), (400, "INVALID_FIELD"));
    assert_eq!(client.send("DELETE", &path, &[], "").await.unwrap().status, 204);
    let again = client.send("DELETE", &path, &[], "").await.unwrap();
    let gone = json!([{"message": "entity is deleted", "errorCode": "ENTITY_IS_DELETED", "fields": []}]);
    assert_eq!((again.status, again.json), (404, gone));
    assert_eq!(client.write("PATCH", &path, &[], &json!({"Title": "x"})).await.error(), (404, "ENTITY_IS_DELETED"));
    assert_eq!(client.get(&path).await.error(), (404, "NOT_FOUND"));
    assert_eq!(client.get(&format!("{LEADS}/00Q000000000001AAA")).await.error(), (404, "NOT_FOUND"));
}

#[tokio::test]
async fn a_converted_lead_is_read_only() {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    let values = json!({"LastName": "済", "Company": "x", "IsConverted": true});
    let id = running.org().insert_lead(values.as_object().unwrap().clone());
    let reply = client.write("PATCH", &format!("{LEADS}/{id}"), &[], &json!({"Phone": "1"})).await;
    assert_eq!(reply.error(), (400, "CANNOT_UPDATE_CONVERTED_LEAD"));
}
