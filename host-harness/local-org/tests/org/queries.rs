//! SOQL over the API.

use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use salesforce_local_org::OrgFile;
use serde_json::{Value, json};

use crate::support::{Client, enterprise, start};

async fn filled() -> (salesforce_local_org::RunningOrg, Client) {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    for lead in [
        json!({"LastName": "O'Neil", "FirstName": "Anna", "Company": "100% Ltd", "Email": "o'neil+x@example.org", "NumberOfEmployees": 5, "PreferredDate__c": "2026-09-13", "NewsletterOptIn__c": true, "Interests__c": "Sales;Support"}),
        json!({"LastName": "山田", "FirstName": "太郎", "Company": "さくら商事", "Email": "Taro@Example.jp", "NumberOfEmployees": 50, "PreferredDate__c": "2026-10-01", "MeetingAt__c": "2026-09-13T10:00:00+09:00"}),
        json!({"LastName": "Back\\slash", "Company": "under_score", "Phone": "1"}),
    ] {
        let values = lead.as_object().unwrap().clone();
        running.org().insert_lead(values);
    }
    (running, client)
}

fn names(reply: &crate::support::Reply) -> Vec<&str> {
    reply.json["records"].as_array().unwrap().iter().map(|record| record["LastName"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn conditions_find_the_matching_leads() {
    let (_running, client) = filled().await;
    let (neil, yamada, slash) = ("O'Neil", "山田", "Back\\slash");
    let cases: Vec<(&str, Vec<&str>)> = vec![
        (r"Email = 'o\'neil+x@example.org'", vec![neil]),
        ("Email = 'TARO@EXAMPLE.JP'", vec![yamada]),
        (r"LastName = 'Back\\slash'", vec![slash]),
        (r"LastName = '\u5C71田'", vec![yamada]),
        ("LastName LIKE '%slash'", vec![slash]),
        (r"Company LIKE '100\%%'", vec![neil]),
        (r"Company LIKE 'under\_%'", vec![slash]),
        ("Company LIKE '___商事'", vec![yamada]),
        ("Email = null", vec![slash]),
        ("Email != null", vec![neil, yamada]),
        ("Email != 'x'", vec![neil, yamada, slash]),
        ("NumberOfEmployees > 5", vec![yamada]),
        ("NumberOfEmployees >= 5 AND NumberOfEmployees <= 5.0", vec![neil]),
        ("NumberOfEmployees < 6 OR Phone = '1'", vec![neil, slash]),
        ("(NumberOfEmployees < 6 OR Phone = '1') AND Email = null", vec![slash]),
        ("NOT (Email = null)", vec![neil, yamada]),
        ("NOT Email = null", vec![neil, yamada]),
        ("LastName IN ('山田', 'nobody')", vec![yamada]),
        ("LastName NOT IN ('山田','O\\'Neil')", vec![slash]),
        ("PreferredDate__c = 2026-09-13", vec![neil]),
        ("PreferredDate__c > 2026-09-13", vec![yamada]),
        ("MeetingAt__c = 2026-09-13T01:00:00Z", vec![yamada]),
        ("MeetingAt__c < 2026-09-13T03:00:00+02:00", vec![]),
        ("CreatedDate = TODAY", vec![neil, yamada, slash]),
        ("CreatedDate = YESTERDAY", vec![]),
        ("CreatedDate = LAST_N_DAYS:2", vec![neil, yamada, slash]),
        ("NewsletterOptIn__c = true", vec![neil]),
        ("IsConverted = FALSE and newsletteroptin__c = False", vec![yamada, slash]),
        ("Name = '山田 太郎'", vec![yamada]),
        ("Interests__c = 'Sales;Support'", vec![neil]),
    ];
    for (condition, expected) in cases {
        let reply = client.query(&format!("SELECT LastName FROM Lead WHERE {condition}")).await;
        assert_eq!(reply.status, 200, "{condition}: {}", reply.text);
        assert_eq!(names(&reply), expected, "{condition}");
        assert_eq!(reply.json["totalSize"], expected.len());
    }
}

#[tokio::test]
async fn order_limit_offset_and_count_work() {
    let (_running, client) = filled().await;
    for (rest, expected) in [
        ("ORDER BY LastName", vec!["Back\\slash", "O'Neil", "山田"]),
        ("ORDER BY LastName DESC LIMIT 1", vec!["山田"]),
        ("ORDER BY NumberOfEmployees", vec!["Back\\slash", "O'Neil", "山田"]),
        ("ORDER BY NumberOfEmployees DESC NULLS LAST, LastName LIMIT 2 OFFSET 1", vec!["O'Neil", "Back\\slash"]),
        ("order by Email asc nulls last limit 2", vec!["O'Neil", "山田"]),
        ("LIMIT 0", vec![]),
    ] {
        let reply = client.query(&format!("select Id, LastName from lead {rest}")).await;
        assert_eq!(reply.status, 200, "{rest}: {}", reply.text);
        assert_eq!(names(&reply), expected, "{rest}");
    }
    let count = client.query("SELECT count() FROM Lead WHERE Email != null").await;
    assert_eq!(count.json, json!({"totalSize": 2, "done": true, "records": []}));
}

#[tokio::test]
async fn the_org_its_users_and_record_types_can_be_queried() {
    let running = start(OrgFile::named("record-types").unwrap().unwrap()).await;
    let client = Client::connect(&running).await;
    let org = client.query("SELECT Id, Name, OrganizationType, IsSandbox FROM Organization").await.json;
    assert_eq!(org["records"][0]["OrganizationType"], "Enterprise Edition");
    assert_eq!(org["records"][0]["attributes"]["type"], "Organization");
    let id = running.org().user_id("ichiro.tanaka@example.com").unwrap();
    let user =
        client.query(&format!("SELECT Id, Username, IsActive, Name FROM User WHERE Id = '{}'", &id[..15])).await.json;
    assert_eq!((&user["records"][0]["Name"], &user["totalSize"]), (&json!("田中 一郎"), &json!(1)));
    let kinds = client
        .query("SELECT Id, DeveloperName FROM RecordType WHERE SobjectType = 'Lead' AND IsActive = true")
        .await
        .json;
    assert_eq!(kinds["totalSize"], 3);
    let kind = kinds["records"][1]["Id"].as_str().unwrap();
    let lead = json!({"LastName": "n", "Company": "x", "RecordTypeId": kind});
    assert_eq!(client.post("/services/data/v67.0/sobjects/Lead", &lead).await.status, 201);
    assert_eq!(running.org().leads()[0]["RecordTypeId"], kind);
    let unassigned = kinds["records"][2]["Id"].as_str().unwrap();
    let lead = json!({"LastName": "m", "Company": "x", "RecordTypeId": unassigned});
    let refused = client.post("/services/data/v67.0/sobjects/Lead", &lead).await;
    assert_eq!(refused.error(), (400, "INVALID_CROSS_REFERENCE_KEY"));
    assert_eq!(
        refused.json[0]["message"],
        format!("Record Type ID: this ID value isn't valid for the user: {unassigned}")
    );
    let sobject = client.get(&format!("/services/data/v67.0/sobjects/User/{id}")).await;
    assert_eq!(sobject.json["LastName"], "田中");
}

#[tokio::test]
async fn parent_fields_can_be_selected_and_filtered() {
    let (_running, client) = filled().await;
    let query = "SELECT Id, Owner.Name, owner.username FROM Lead WHERE CreatedBy.Username LIKE 'hanako%' ORDER BY Owner.Name LIMIT 1";
    let found = client.query(query).await;
    let owner = &found.json["records"][0]["Owner"];
    assert_eq!(owner["Name"], "鈴木 花子", "{}", found.text);
    assert_eq!(
        (owner["attributes"]["type"].as_str(), owner["Username"].as_str()),
        (Some("User"), Some("hanako.suzuki@example.com"))
    );
    let master = client.query("SELECT MasterRecord.Name FROM Lead LIMIT 1").await;
    assert_eq!(master.json["records"][0]["MasterRecord"], Value::Null, "no Lead was merged");
    assert_eq!(client.query("SELECT Owner.Nope FROM Lead").await.error(), (400, "INVALID_FIELD"));
    let unknown = client.query("SELECT Id, Boss.Name FROM Lead").await;
    let complaint = "\nSELECT Id, Boss.Name FROM Lead\n           ^\nERROR at Row:1:Column:12\nDidn't understand relationship 'Boss' in field path. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names.";
    assert_eq!(unknown.json, json!([{"errorCode": "INVALID_FIELD", "message": complaint}]));
}

#[tokio::test]
async fn invalid_soql_gets_salesforces_errors() {
    let (_running, client) = filled().await;
    let column = "If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names.";
    let object = "If you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names.";
    for (query, code, message) in [
        ("invalid", "MALFORMED_QUERY", "unexpected token: 'invalid'".to_owned()),
        ("", "MALFORMED_QUERY", "unexpected token: '<EOF>'".to_owned()),
        ("SELECT Id, Nope FROM Lead", "INVALID_FIELD", format!("\nSELECT Id, Nope FROM Lead\n           ^\nERROR at Row:1:Column:12\nNo such column 'Nope' on entity 'Lead'. {column}")),
        ("SELECT Id FROM XYZZY", "INVALID_TYPE", format!("\nSELECT Id FROM XYZZY\n               ^\nERROR at Row:1:Column:16\nsObject type 'XYZZY' is not supported. {object}")),
        ("SELECT Id FROM Lead WHERE", "MALFORMED_QUERY", "\nSELECT Id FROM Lead WHERE\n                         ^\nERROR at Row:1:Column:26\nunexpected token: '<EOF>'".to_owned()),
        ("SELECT Id\nFROM Lead WHERE Id == 'x'", "MALFORMED_QUERY", "\nFROM Lead WHERE Id == 'x'\n                    ^\nERROR at Row:2:Column:21\nunexpected token: '='".to_owned()),
        ("SELECT Id FROM Lead WHERE Phone = '1' OR Phone = '2' AND Email = null", "MALFORMED_QUERY", "\nhere Phone = '1'".to_owned()),
        ("SELECT Id FROM Lead GROUP BY Id", "MALFORMED_QUERY", "unexpected token: 'GROUP'".to_owned()),
        (r"SELECT Id FROM Lead WHERE LastName = 'a\qb'", "MALFORMED_QUERY", r"Illegal character sequence '\q' in string literal.".to_owned()),
        (r"SELECT Id FROM Lead WHERE LastName = 'a\_b'", "MALFORMED_QUERY", r"Illegal character sequence '\_' in string literal.".to_owned()),
        ("SELECT Id FROM Lead WHERE LastName = 'O'Neil'", "MALFORMED_QUERY", "unexpected token: 'Neil'".to_owned()),
        ("SELECT Id FROM Lead WHERE LastName = 'O", "MALFORMED_QUERY", "mismatched character '<EOF>' expecting '''".to_owned()),
        ("SELECT Id FROM Lead WHERE LastName = abc", "MALFORMED_QUERY", "unexpected token: 'abc'".to_owned()),
        ("SELECT Id, id FROM Lead", "MALFORMED_QUERY", "duplicate field selected: id".to_owned()),
        ("SELECT Id FROM Lead WHERE Description = 'x'", "INVALID_FIELD", "field 'Description' can not be filtered in a query call".to_owned()),
        ("SELECT Id FROM Lead ORDER BY Description", "MALFORMED_QUERY", "field 'Description' can not be sorted in a query call".to_owned()),
        ("SELECT Id FROM Lead WHERE NumberOfEmployees = 'x'", "INVALID_FIELD", "value of filter criterion for field 'NumberOfEmployees' must be of type int and should not be enclosed in quotes".to_owned()),
        ("SELECT Id FROM Lead WHERE LastName = 5", "INVALID_FIELD", "value of filter criterion for field 'LastName' must be of type string and should be enclosed in quotes".to_owned()),
        ("SELECT Id FROM Lead WHERE CreatedDate > 2026-01-01", "INVALID_FIELD", "must be of type dateTime and should not be enclosed in quotes".to_owned()),
        ("SELECT Id FROM Lead WHERE NewsletterOptIn__c LIKE 'x'", "INVALID_FIELD", "invalid operator on boolean field".to_owned()),
        ("SELECT Id FROM Lead WHERE Id = 'nonsense'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: nonsense".to_owned()),
        ("SELECT Id FROM Lead OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000".to_owned()),
    ] {
        let reply = client.query(query).await;
        assert_eq!(reply.error(), (400, code), "{query}: {}", reply.text);
        let found = reply.json[0]["message"].as_str().unwrap();
        if message.starts_with("\nhere") {
            assert!(found.contains("unexpected token: 'AND'"), "AND and OR need parentheses when mixed: {found}");
        } else {
            assert!(found.contains(&message), "{query}: {found}");
        }
    }
    let missing = client.get("/services/data/v67.0/query").await;
    assert_eq!(missing.error(), (400, "MALFORMED_QUERY"));
    let deep = format!("SELECT Id FROM Lead WHERE {}Id = null{}", "(".repeat(2000), ")".repeat(2000));
    assert_eq!(client.query(&deep).await.error(), (400, "MALFORMED_QUERY"), "the org survives");
}

#[tokio::test]
async fn an_unescaped_plus_in_a_query_is_a_space() {
    let (_running, client) = filled().await;
    let path = "/services/data/v67.0/query?q=SELECT+LastName+FROM+Lead+WHERE+Email='o\\'neil";
    let path = path.replace('\'', "%27").replace('\\', "%5C");
    let blank = client.get(&format!("{path}+x@example.org%27")).await;
    let plus = client.get(&format!("{path}%2Bx@example.org%27")).await;
    assert_eq!(
        (blank.json["totalSize"].as_u64(), plus.json["totalSize"].as_u64()),
        (Some(0), Some(1)),
        "{}",
        blank.text
    );
}

#[tokio::test]
async fn long_results_come_in_pages() {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    for number in 0..450 {
        let values = json!({"LastName": format!("n{number:03}"), "Company": "x"});
        running.org().insert_lead(values.as_object().unwrap().clone());
    }
    let query = "/services/data/v67.0/query?q=SELECT+LastName+FROM+Lead+ORDER+BY+LastName";
    let mut page = client.send("GET", query, &[("Sforce-Query-Options", "batchSize=10")], "").await.unwrap();
    let mut sizes = Vec::new();
    let mut seen = Vec::new();
    let mut locator = String::new();
    loop {
        assert_eq!(page.json["totalSize"], 450);
        sizes.push(page.json["records"].as_array().unwrap().len());
        seen.extend(names(&page).into_iter().map(ToOwned::to_owned));
        let Some(next) = page.json["nextRecordsUrl"].as_str() else { break };
        assert_eq!(page.json["done"], false);
        locator = next.to_owned();
        page = client.get(&locator).await;
    }
    assert_eq!(sizes, [200, 200, 50], "200 is the minimum page size");
    assert_eq!(page.json["done"], true);
    assert!(seen.is_sorted() && seen.len() == 450);
    assert!(locator.starts_with("/services/data/v67.0/query/01g") && locator.ends_with("-400"));
    for bad in
        ["/services/data/v67.0/query/01gNobody-200", "/services/data/v67.0/query/x", &locator.replace("-400", "-450")]
    {
        assert_eq!(client.get(bad).await.error(), (400, "INVALID_QUERY_LOCATOR"), "{bad}");
    }
    running.org().advance_clock(jiff::SignedDuration::from_hours(49));
    let mut client = client;
    client.refresh().await;
    assert_eq!(client.get(&locator).await.error(), (400, "INVALID_QUERY_LOCATOR"), "locators expire after two days");
}

#[tokio::test]
async fn only_query_all_returns_deleted_records() {
    let (running, client) = filled().await;
    let id = running.org().leads()[0]["Id"].as_str().unwrap().to_owned();
    client.send("DELETE", &format!("/services/data/v67.0/sobjects/Lead/{id}"), &[], "").await.unwrap();
    assert_eq!(client.query("SELECT count() FROM Lead").await.json["totalSize"], 2);
    let all = client.get("/services/data/v67.0/queryAll?q=SELECT+Id,IsDeleted+FROM+Lead+WHERE+IsDeleted=true").await;
    assert_eq!(all.json["records"][0]["Id"], id);
}

/// Escapes text as the SOQL reference specifies.
fn escape(text: &str) -> String {
    text.chars().fold(String::new(), |escaped, character| match character {
        '\\' => escaped + "\\\\",
        '\'' => escaped + "\\'",
        '"' => escaped + "\\\"",
        '\n' => escaped + "\\n",
        '\r' => escaped + "\\r",
        '\t' => escaped + "\\t",
        other => escaped + &other.to_string(),
    })
}

#[tokio::test]
async fn any_escaped_text_finds_exactly_its_lead() {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    let mut runner = TestRunner::deterministic();
    let texts = proptest::collection::vec("[a-zA-Z0-9'\"\\\\%_ +&=#山😀\n\t-]{1,40}", 60);
    let mut texts: Vec<String> = texts.new_tree(&mut runner).unwrap().current();
    texts.retain(|text| text.trim() == text && !text.is_empty());
    texts.sort_by_key(|text| text.to_lowercase());
    texts.dedup_by_key(|text| text.to_lowercase());
    assert!(texts.len() > 20);
    for text in &texts {
        let values = json!({"LastName": "x", "Company": "x", "Title": text});
        running.org().insert_lead(values.as_object().unwrap().clone());
    }
    for text in &texts {
        let found = client.query(&format!("SELECT Title FROM Lead WHERE Title = '{}'", escape(text))).await;
        assert_eq!(found.json["records"].as_array().map(Vec::len), Some(1), "{text:?}: {}", found.text);
        assert_eq!(found.json["records"][0]["Title"], Value::from(text.as_str()));
        let pattern = escape(text).replace('%', "\\%").replace('_', "\\_");
        let like = client.query(&format!("SELECT Title FROM Lead WHERE Title LIKE '{pattern}'")).await;
        assert_eq!(like.json["records"].as_array().map(Vec::len), Some(1), "{text:?}: {}", like.text);
    }
}
