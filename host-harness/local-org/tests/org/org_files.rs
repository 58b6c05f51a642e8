//! Org files: what is valid, and how it takes effect.

use salesforce_local_org::{Options, OrgFile, User};
use serde_json::{Value, json};

use crate::support::{Client, start};

const LEADS: &str = "/services/data/v67.0/sobjects/Lead";

#[tokio::test]
async fn inconsistent_org_files_are_rejected_before_the_org_starts() {
    for (text, part) in [
        ("hidden-fields = ['Nope__c']", "Nope__c"),
        ("id = 'x'", "not a record id"),
        ("time-zone = 'Asia/Edo'", "Asia/Edo"),
        ("users = []", "needs at least one user"),
        ("[[validation-rules]]\nname = 'A'\nrefuse-when = 'Phone ~ 1'\nmessage = 'm'", "validation rule A"),
        ("[[fields]]\nname = 'F__c'\ntype = 'string'\nformula = '1 +'", "formula of F__c"),
        ("[assignment-rule]\nid = '01Q5i000000Rule'\nowner = 'nobody'", "nobody"),
        // A rule with an unknown field would never match.
        ("[[validation-rules]]\nname = 'A'\nrefuse-when = 'Phonne = null'\nmessage = 'm'", "No such column 'Phonne'"),
        ("[[validation-rules]]\nname = 'A'\nrefuse-when = 'Phone > 5'\nmessage = 'm'", "must be of type string"),
        ("[[validation-rules]]\nname = 'A'\nrefuse-when = 'Phone = null'\nmessage = 'm'\nfield = 'Fone'", "Fone"),
        ("[[triggers]]\nname = 'T'\nfail-when = \"Ttle = 'x'\"\nmessage = 'm'", "the trigger T"),
        ("[[duplicate-rules]]\nwhen-same = [['E-mail']]", "E-mail"),
        ("without-fields = ['Fax', 'Faxx']", "Faxx"),
        ("[[fields]]\nname = 'F__c'\ntype = 'string'\nformula = 'Compny & \"x\"'", "Compny"),
        (
            "[[fields]]\nname = 'P__c'\ntype = 'picklist'\nvalues = [{ value = 'a', valid-for = ['x'] }]",
            "no controller",
        ),
        (
            "[[fields]]\nname = 'C__c'\ntype = 'picklist'\nvalues = ['b']\n[[fields]]\nname = 'P__c'\ntype = 'picklist'\ncontroller = 'C__c'\nvalues = [{ value = 'a', valid-for = ['x'] }]",
            "\"x\" is not a value of C__c",
        ),
        ("[[fields]]\nname = 'P__c'\ntype = 'picklist'\ncontroller = 'C__c'", "C__c"),
        ("[assignment-rule]\nid = '00Q5i000000Rule'\nowner = 'hanako.suzuki@example.com'", "01Q"),
        ("[[record-types]]\nid = 'mine'\nname = 'A'\ndeveloper-name = 'A'", "\"mine\""),
        ("[[fields]]\nname = 'N__c'\ntype = 'double'\ndefault = 'much'", "the default of N__c"),
        ("[[fields]]\nname = 'N__c'\ntype = 'boolean'\ndefault = 0", "the default of N__c"),
        ("[[fields]]\nname = 'N__c'\ntype = 'date'\ndefault = 'soon'", "the default of N__c"),
        (
            "[[fields]]\nname = 'N__c'\ntype = 'picklist'\nrestricted = true\ndefault = 'b'\nvalues = ['a']",
            "the default of N__c",
        ),
        // Field-level security cannot hide system fields or required fields.
        ("hidden-fields = ['LastName']", "LastName cannot be hidden"),
        ("hidden-fields = ['OwnerId']", "OwnerId cannot be hidden"),
        (
            "hidden-fields = ['R__c']\n[[fields]]\nname = 'R__c'\ntype = 'string'\nnillable = false",
            "R__c cannot be hidden",
        ),
    ] {
        let file = OrgFile::parse(text).unwrap();
        let checked = file.check().expect_err("`check` finds what `serve` finds");
        let served = salesforce_local_org::serve(file, Options::default()).await;
        let error = served.map(|_| text).expect_err("an inconsistent org file");
        assert!(error.to_string().contains(part), "{text}: {error}");
        assert_eq!((error.to_string(), error.code()), (checked.to_string(), "org-file-contradiction"));
    }
}

#[tokio::test]
async fn rules_see_computed_and_default_values() {
    let text = r#"
        [[fields]]
        name = "Card__c"
        type = "string"
        formula = 'company & " / " & Name'

        [[validation-rules]]
        name = "No_Owner"
        refuse-when = "OwnerId = null OR Name = null OR Card__c = null OR Status = null"
        message = "blank"

        [[validation-rules]]
        name = "Name"
        refuse-when = "Name LIKE '山田%' AND Description = null"
        message = "by name"

        [[validation-rules]]
        name = "Formula"
        refuse-when = "card__C = 'さくら / 佐藤'"
        message = "by formula"

        [[triggers]]
        name = "T"
        fail-when = "Name = '鈴木'"
        message = "by name"
    "#;
    let running = start(OrgFile::parse(text).unwrap()).await;
    let client = Client::connect(&running).await;
    for (lead, message) in [
        (json!({"LastName": "山田", "Company": "さくら"}), "by name"),
        (json!({"LastName": "佐藤", "Company": "さくら"}), "by formula"),
        (json!({"LastName": "鈴木", "Company": "さくら"}), "T: execution of AfterInsert\n\ncaused by: by name"),
        (json!({"LastName": "高橋", "Company": "さくら"}), ""),
    ] {
        let reply = client.post(LEADS, &lead).await;
        assert_eq!(reply.json[0]["message"].as_str().unwrap_or_default(), message, "{lead} {}", reply.text);
    }
    let id = running.org().leads()[0]["Id"].as_str().unwrap().to_owned();
    let renamed = client.write("PATCH", &format!("{LEADS}/{id}"), &[], &json!({"LastName": "佐藤"})).await;
    assert_eq!(renamed.json[0]["message"], "by formula", "{}", renamed.text);
}

#[tokio::test]
async fn a_duplicate_rule_ignores_case_in_field_names_and_sees_computed_fields() {
    for (group, same, other) in [
        (r#"["email"]"#, json!({"Email": "A@example.jp"}), json!({"Email": "b@example.jp"})),
        (r#"["Company", "NAME"]"#, json!({"FirstName": "太郎"}), json!({"FirstName": "次郎"})),
    ] {
        let text = format!("[[duplicate-rules]]\naction = 'block'\nwhen-same = [{group}]");
        let running = start(OrgFile::parse(&text).unwrap()).await;
        let client = Client::connect(&running).await;
        let lead = |more: &Value| {
            let mut lead = json!({"LastName": "山田", "Company": "さくら"});
            lead.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            lead
        };
        assert_eq!(client.post(LEADS, &lead(&same)).await.status, 201);
        assert_eq!(client.post(LEADS, &lead(&other)).await.status, 201, "{group}");
        assert_eq!(client.post(LEADS, &lead(&same)).await.error(), (400, "DUPLICATES_DETECTED"), "{group}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_changes_are_all_kept() {
    let running = start(OrgFile::enterprise().unwrap()).await;
    let before = running.org().file().users.len();
    let changes = (0..8).map(|number| {
        let org = running.org().clone();
        std::thread::spawn(move || {
            for round in 0..25 {
                let user = User { username: format!("{number}-{round}@example.com"), ..User::default() };
                org.change(|file| file.users.push(user)).unwrap();
            }
        })
    });
    changes.collect::<Vec<_>>().into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(running.org().file().users.len(), before + 200);
}
