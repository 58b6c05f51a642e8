//! Answers that real orgs gave. With `ORG_FIXTURES` naming a folder of recorded ones, these are judged too.

use super::write;
use crate::{guidance::advice, salesforce::errors::catalogue};
use serde_json::{Value, json};
use std::{fs, path::Path};

/// The recorded answers of a folder by file name; `None` if no folder is set.
fn recorded(folder: &str) -> Option<Vec<(String, Value)>> {
    let Some(fixtures) = std::env::var_os("ORG_FIXTURES") else {
        println!("not run: ORG_FIXTURES is not set");
        return None;
    };
    // A relative path is one from the workspace's root, from where tests are started.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(fixtures).join(folder);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let files = files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "json"));
    let read = |path: &Path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    Some(files.map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), read(&path))).collect())
}

/// The first object in a body that has a code, and the code.
fn first_error(body: &Value) -> Option<(&Value, &str)> {
    let code = ["errorCode", "statusCode"].iter().find_map(|key| body.get(*key)?.as_str());
    code.map(|code| (body, code)).or_else(|| match body {
        Value::Array(items) => items.iter().find_map(first_error),
        _ => body.get("errors").and_then(first_error),
    })
}

fn judge(name: &str, status: u16, body: &Value) {
    let problem = write(status, &body.to_string());
    let (error, code) = first_error(body).unwrap_or_else(|| panic!("{name} has no error"));
    assert_eq!(problem.code, code, "{name}");
    assert_eq!(Some(problem.message.as_str()), error["message"].as_str(), "{name}");
    assert_eq!(problem.http_status, Some(status), "{name}");
    assert!(catalogue::known_codes().any(|known| known == code), "{name} is not in the catalogue");
    assert!(advice(code, &[], "ja").is_some(), "{name} has no advice");
    let given = error["fields"].as_array().into_iter().flatten().filter_map(Value::as_str);
    assert!(given.clone().count() == 0 || given.eq(problem.fields.iter().map(String::as_str)), "{name}");
}

#[test]
fn answers_of_the_shapes_that_orgs_give_become_their_problems() {
    let shapes = [
        (
            400,
            json!([{"message": "Required fields are missing: [Company]", "errorCode": "REQUIRED_FIELD_MISSING", "fields": ["Company"]}]),
        ),
        (400, json!([{"message": "No such column 'Topic' on sobject of type Lead", "errorCode": "INVALID_FIELD"}])),
        (
            403,
            json!([{"errorCode": "API_DISABLED_FOR_ORG", "message": "The REST API is not enabled for this Organization."}]),
        ),
        (
            200,
            json!([
                {"success": false, "errors": [{"statusCode": "REQUIRED_FIELD_MISSING", "message": "Required fields are missing: [Company]", "fields": ["Company"]}]},
                {"success": false, "errors": [{"statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK", "message": "Rolled back", "fields": []}]},
            ]),
        ),
    ];
    for (status, body) in shapes {
        judge("own", status, &body);
    }
}

#[test]
fn recorded_refusals_become_their_problems() {
    let Some(files) = recorded("errors") else { return };
    assert!(!files.is_empty());
    for (name, file) in files {
        judge(&name, u16::try_from(file["status"].as_u64().unwrap()).unwrap(), &file["body"]);
    }
}
