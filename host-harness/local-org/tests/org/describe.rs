//! Describe results, and orgs made from them.

use base64::{Engine, prelude::BASE64_STANDARD};
use salesforce_local_org::{Field, OrgFile, RunningOrg};
use serde_json::{Value, json};

use crate::support::{Client, enterprise, fixtures, start};

const DESCRIBE: &str = "/services/data/v67.0/sobjects/Lead/describe";

async fn named(name: &str) -> (RunningOrg, Client, Value) {
    let running = start(OrgFile::named(name).unwrap().unwrap()).await;
    let client = Client::connect(&running).await;
    let describe = client.get(DESCRIBE).await;
    assert_eq!(describe.status, 200, "{}", describe.text);
    (running, client, describe.json)
}

fn field<'a>(describe: &'a Value, name: &str) -> &'a Value {
    describe["fields"].as_array().unwrap().iter().find(|field| field["name"] == name).unwrap_or(&Value::Null)
}

fn required(describe: &Value) -> Vec<&str> {
    let fields = describe["fields"].as_array().unwrap().iter();
    let required = fields.filter(|f| {
        f["createable"] == true && f["nillable"] == false && f["defaultedOnCreate"] == false && f["type"] != "boolean"
    });
    required.map(|f| f["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_describe_has_the_same_members_as_a_real_one() {
    let (_running, _client, describe) = named("enterprise").await;
    assert_eq!(describe.as_object().unwrap().len(), 45);
    assert_eq!((describe["keyPrefix"].as_str(), describe["name"].as_str()), (Some("00Q"), Some("Lead")));
    for field in describe["fields"].as_array().unwrap() {
        assert_eq!(field.as_object().unwrap().len(), 57, "{}", field["name"]);
    }
    let booking = field(&describe, "BookingId__c");
    for (key, value) in [
        ("externalId", json!(true)),
        ("unique", json!(true)),
        ("custom", json!(true)),
        ("length", json!(255)),
        ("byteLength", json!(765)),
        ("soapType", json!("xsd:string")),
        ("inlineHelpText", json!("予約システムの予約番号")),
    ] {
        assert_eq!(booking[key], value, "{key}");
    }
    assert_eq!(field(&describe, "Introduction__c")["calculated"], true);
    assert_eq!(field(&describe, "Introduction__c")["createable"], false);
    assert_eq!(field(&describe, "Description")["filterable"], false);
    assert_eq!(field(&describe, "OwnerId")["referenceTo"], json!(["Group", "User"]));
    assert_eq!(describe["recordTypeInfos"][0]["recordTypeId"], "012000000000000AAA");
}

#[tokio::test]
async fn an_unchanged_describe_gets_304() {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    let first = client.get(DESCRIBE).await;
    let stamp = first.header("last-modified").unwrap().to_owned();
    assert!(first.header("etag").is_some());
    let unchanged = client.send("GET", DESCRIBE, &[("if-modified-since", &stamp)], "").await.unwrap();
    assert_eq!((unchanged.status, unchanged.text.as_str()), (304, ""));
    let earlier =
        client.send("GET", DESCRIBE, &[("if-modified-since", "Thu, 01 Jan 2015 00:00:00 GMT")], "").await.unwrap();
    assert_eq!(earlier.status, 200);
    let old = [("if-unmodified-since", "Thu, 01 Jan 2015 00:00:00 GMT")];
    assert_eq!(client.send("GET", DESCRIBE, &old, "").await.unwrap().status, 412);
    let still = [("if-unmodified-since", stamp.as_str())];
    assert_eq!(client.send("GET", DESCRIBE, &still, "").await.unwrap().status, 200);
    running.org().change(|file| file.fields.retain(|field: &Field| field.name != "Budget__c")).unwrap();
    let changed = client.send("GET", DESCRIBE, &[("if-modified-since", &stamp)], "").await.unwrap();
    assert_eq!(changed.status, 200, "a change within the same second is visible");
    assert_eq!(field(&changed.json, "Budget__c"), &Value::Null);
}

#[tokio::test]
async fn an_unchanged_object_list_gets_304() {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    let path = "/services/data/v67.0/sobjects";
    let first = client.get(path).await;
    let stamp = first.header("last-modified").unwrap().to_owned();
    let tag = first.header("etag").unwrap().to_owned();
    let again = client.send("GET", path, &[("if-modified-since", &stamp)], "").await.unwrap();
    assert_eq!((again.status, again.text.as_str(), again.header("etag")), (304, "", Some(&*tag)));
    let inside = json!({"compositeRequest": [
        {"method": "GET", "url": path, "referenceId": "r", "httpHeaders": {"If-Modified-Since": stamp}},
    ]});
    let inside = client.post("/services/data/v67.0/composite", &inside).await;
    let expected = json!({"body": null, "httpHeaders": {"ETag": tag, "Last-Modified": stamp}, "httpStatusCode": 304, "referenceId": "r"});
    assert_eq!(inside.json["compositeResponse"][0], expected, "as recorded from a real org");
    running.org().change(|file| file.users[0].create_leads = false).unwrap();
    let changed = client.send("GET", path, &[("if-modified-since", &stamp)], "").await.unwrap();
    assert_eq!(changed.status, 200);
}

#[tokio::test]
async fn each_built_in_org_describes_its_peculiarity() {
    let (_running, _client, describe) = named("person-accounts").await;
    assert_eq!(required(&describe), ["LastName"]);

    let (_running, _client, describe) = named("record-types").await;
    let kinds: Vec<_> = describe["recordTypeInfos"].as_array().unwrap().iter().collect();
    assert_eq!(kinds.len(), 5);
    assert_eq!((kinds[0]["name"].as_str(), kinds[0]["defaultRecordTypeMapping"].as_bool()), (Some("法人"), Some(true)));
    assert_eq!((kinds[2]["available"].as_bool(), kinds[3]["active"].as_bool()), (Some(false), Some(false)));
    assert_eq!(field(&describe, "Status")["defaultValue"], "未対応");
    assert_eq!(field(&describe, "RecordTypeId")["type"], "reference");

    let (_running, client, describe) = named("many-fields").await;
    assert_eq!(describe["fields"].as_array().unwrap().len(), 842);
    assert!(client.get(DESCRIBE).await.bytes.len() > 1_000_000);
}

#[tokio::test]
async fn a_hidden_field_cannot_be_described_written_or_read() {
    let (_running, client, describe) = named("hidden-fields").await;
    assert_eq!((field(&describe, "Industry"), field(&describe, "Secret__c")), (&Value::Null, &Value::Null));
    let body = json!({"LastName": "山田", "Company": "x", "Secret__c": "x"});
    let reply = client.post("/services/data/v67.0/sobjects/Lead", &body).await;
    assert_eq!(reply.json[0]["message"], "No such column 'Secret__c' on sobject of type Lead");
    assert_eq!(client.query("SELECT Secret__c FROM Lead").await.error(), (400, "INVALID_FIELD"));
}

#[tokio::test]
async fn valid_for_encodes_the_controlling_values() {
    let (_running, client, describe) = named("developer-state-country").await;
    let countries: Vec<_> = field(&describe, "CountryCode")["picklistValues"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v["value"].clone())
        .collect();
    let state = field(&describe, "StateCode");
    assert_eq!(
        (state["controllerName"].as_str(), state["dependentPicklist"].as_bool()),
        (Some("CountryCode"), Some(true))
    );
    let mut shared = Vec::new();
    for value in state["picklistValues"].as_array().unwrap() {
        let bits = BASE64_STANDARD.decode(value["validFor"].as_str().unwrap()).unwrap();
        let allowed: Vec<_> = (0..countries.len())
            .filter(|i| bits[i >> 3] & (0x80 >> (i % 8)) != 0)
            .map(|i| countries[i].clone())
            .collect();
        assert_eq!(allowed.len(), 1, "{value}");
        if value["value"] == "CA" {
            shared.push((value["label"].clone(), allowed[0].clone()));
        }
    }
    assert_eq!(shared, [(json!("Cagliari"), json!("IT")), (json!("California"), json!("US"))]);

    let leads = "/services/data/v67.0/sobjects/Lead";
    let wrong_state = "There's a problem with this state, even though it may appear correct. Please select a state from the list of valid states.";
    let wrong_country = "There's a problem with this country, even though it may appear correct. Please select a country from the list of valid countries.";
    for (number, (body, refused)) in [
        (json!({"CountryCode": "JP", "StateCode": "13"}), None),
        (json!({"Country": "Japan", "State": "Tokyo"}), None),
        (json!({"CountryCode": "IT", "StateCode": "CA"}), None),
        (json!({"State": "Tokyo"}), Some(("FIELD_INTEGRITY_EXCEPTION", wrong_state))),
        (json!({"Country": "Japan", "State": "Texas"}), Some(("FIELD_INTEGRITY_EXCEPTION", wrong_state))),
        (json!({"Country": "Nippon"}), Some(("FIELD_INTEGRITY_EXCEPTION", wrong_country))),
        (
            json!({"CountryCode": "XX"}),
            Some((
                "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
                "Country Code: bad value for restricted picklist field: XX",
            )),
        ),
        (json!({"Service__c": "Training", "Course__c": "Basics"}), None),
        (
            json!({"Service__c": "Consulting", "Course__c": "Basics"}),
            Some((
                "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
                "Course: bad value for restricted picklist field: Basics",
            )),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let mut lead = json!({"LastName": format!("n{number}"), "Company": "x"});
        lead.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        let reply = client.post(leads, &lead).await;
        match refused {
            None => assert_eq!(reply.status, 201, "{body} {}", reply.text),
            Some((code, message)) => {
                assert_eq!(
                    (reply.json[0]["errorCode"].as_str(), reply.json[0]["message"].as_str()),
                    (Some(code), Some(message)),
                    "{body}"
                );
            }
        }
    }
    let lead = client
        .query("SELECT State, StateCode, Country, CountryCode, Address FROM Lead WHERE Country = 'Italy'")
        .await
        .json;
    assert_eq!(lead["records"][0]["State"], "Cagliari");
    assert_eq!(lead["records"][0]["Address"]["countryCode"], "IT");
}

#[tokio::test]
async fn an_org_made_from_a_describe_returns_the_same_describe() {
    let (_running, _client, mut describe) = named("developer-state-country").await;
    describe["fields"].as_array_mut().unwrap().iter_mut().for_each(|field| {
        field.as_object_mut().unwrap().remove("aiPredictionField");
        field["someNewKey"] = json!({"a": 1});
    });
    let text = format!("\u{feff}{describe}");
    let running = start(OrgFile::from_describe(text.as_bytes()).unwrap()).await;
    let client = Client::connect(&running).await;
    let again = client.get(DESCRIBE).await.json;
    assert_eq!(again["fields"].as_array().unwrap().len(), describe["fields"].as_array().unwrap().len());
    for (before, after) in describe["fields"].as_array().unwrap().iter().zip(again["fields"].as_array().unwrap()) {
        for (key, value) in before.as_object().unwrap() {
            assert_eq!(&after[key], value, "{} {key}", before["name"]);
        }
    }
    let lead = json!({"LastName": "山田", "Company": "x", "CountryCode": "JP", "StateCode": "13"});
    assert_eq!(client.post("/services/data/v67.0/sobjects/Lead", &lead).await.status, 201);
    assert_eq!(running.org().leads()[0]["State"], "Tokyo");
}

/// A valid value for a field, from its describe entry.
fn filler(field: &Value) -> Value {
    match field["type"].as_str().unwrap_or_default() {
        "picklist" | "multipicklist" => field["picklistValues"][0]["value"].clone(),
        "int" | "double" | "currency" | "percent" => json!(1),
        "date" => json!("2026-09-13"),
        "datetime" => json!("2026-09-13T10:00:00Z"),
        "email" => json!("a@example.org"),
        _ => json!("x"),
    }
}

/// Checks that an org made from a describe accepts a Lead with all required fields, and no change of a system field.
async fn takes_a_lead(json: &[u8], from: &str) {
    let file = OrgFile::from_describe(json).unwrap_or_else(|error| panic!("{from}: {error}"));
    let running = start(file).await;
    let client = Client::connect(&running).await;
    let describe = client.get(DESCRIBE).await.json;
    let mut lead = json!({"LastName": "山田", "Company": "x"});
    lead.as_object_mut().unwrap().retain(|name, _| !field(&describe, name).is_null());
    for name in required(&describe) {
        lead[name] = filler(field(&describe, name));
    }
    let made = client.post("/services/data/v67.0/sobjects/Lead", &lead).await;
    assert_eq!(made.status, 201, "{from}: {lead} {}", made.text);
    for name in ["Id", "Name", "CreatedDate", "SystemModstamp", "Address", "IsConverted"] {
        let update = json!({name: null});
        let path = format!("/services/data/v67.0/sobjects/Lead/{}", made.json["id"].as_str().unwrap());
        let refused = client.write("PATCH", &path, &[], &update).await;
        assert!(field(&describe, name).is_null() || refused.status == 400, "{from} lets {name} be changed");
    }
}

#[tokio::test]
async fn an_org_made_from_a_minimal_describe_accepts_a_lead() {
    // The keys that one of Salesforce's own tools keeps in its copies.
    const KEPT: [&str; 15] = [
        "aggregatable",
        "custom",
        "defaultValue",
        "extraTypeInfo",
        "filterable",
        "groupable",
        "inlineHelpText",
        "label",
        "name",
        "nillable",
        "picklistValues",
        "referenceTo",
        "relationshipName",
        "sortable",
        "type",
    ];
    for org in ["enterprise", "developer-state-country", "person-accounts", "record-types"] {
        let (_running, _client, mut describe) = named(org).await;
        for field in describe["fields"].as_array_mut().unwrap() {
            field.as_object_mut().unwrap().retain(|key, _| KEPT.contains(&key.as_str()));
        }
        takes_a_lead(describe.to_string().as_bytes(), org).await;
        describe["fields"].as_array_mut().unwrap().iter_mut().for_each(|field| {
            field.as_object_mut().unwrap().retain(|key, _| ["name", "type", "picklistValues"].contains(&key.as_str()))
        });
        takes_a_lead(describe.to_string().as_bytes(), org).await;
    }
}

/// Runs on describes of real orgs, if `ORG_FIXTURES` has any.
#[tokio::test]
async fn real_describes_make_orgs() {
    let Some(folder) = fixtures() else { return };
    for kind in ["describe", "describe-minimal"] {
        for entry in std::fs::read_dir(folder.join(kind)).unwrap() {
            let path = entry.unwrap().path();
            let json = std::fs::read(&path).unwrap();
            let original: Value = serde_json::from_slice(json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&json)).unwrap();
            let name = original["name"].as_str().unwrap_or("Lead");
            let mut renamed = original.clone();
            renamed["name"] = "Lead".into();
            let file = match OrgFile::from_describe(&json) {
                // The fields of another object are as real as those of Lead.
                Err(error) if name != "Lead" => {
                    assert!(error.to_string().contains(name), "{}: {error}", path.display());
                    OrgFile::from_describe(renamed.to_string().as_bytes())
                }
                file => file,
            };
            let file = file.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let running = start(file).await;
            let client = Client::connect(&running).await;
            let describe = client.get(DESCRIBE).await.json;
            assert_eq!(describe["fields"].as_array().unwrap().len(), original["fields"].as_array().unwrap().len());
            if name == "Lead" {
                takes_a_lead(&json, &path.display().to_string()).await;
            }
        }
    }
}

/// Runs on the describe of a real org without custom fields, if `ORG_FIXTURES` has it.
#[tokio::test]
async fn standard_fields_match_a_real_describe() {
    let Some(folder) = fixtures() else { return };
    let recorded = std::fs::read(folder.join("describe/Lead.cumulusci-scratch-v59.json")).unwrap();
    let recorded: Value = serde_json::from_slice(&recorded).unwrap();
    let (_running, _client, describe) = named("enterprise").await;
    let mut differences = Vec::new();
    for real in recorded["fields"].as_array().unwrap() {
        let ours = field(&describe, real["name"].as_str().unwrap());
        for (key, value) in real.as_object().unwrap() {
            if &ours[key] != value {
                differences.push(format!("{} {key}: {value}, not {}", real["name"], ours[key]));
            }
        }
    }
    for (key, value) in recorded.as_object().unwrap() {
        if !["fields", "childRelationships", "urls", "recordTypeInfos"].contains(&key.as_str())
            && &describe[key] != value
        {
            differences.push(format!("{key}: {value}, not {}", describe[key]));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
