//! The OpenAPI document, and what it says about requests and answers.

use std::collections::BTreeSet;

use jsonschema::Validator;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::bed::{Answer, BOOKING, Bed, TEAM};

pub struct Document(Value);

static DOCUMENT: OnceCell<Document> = OnceCell::const_new();

pub async fn get(bed: &Bed) -> &'static Document {
    let fetch = async || {
        let url = format!("http://{}/v1/openapi.json", bed.address);
        let text = bed.client.get(url).send().await.unwrap().text().await.unwrap();
        Document(serde_json::from_str(&text).unwrap())
    };
    DOCUMENT.get_or_init(fetch).await
}

impl Document {
    /// All operations, as methods and templates of paths.
    pub fn operations(&self) -> BTreeSet<(String, String)> {
        let paths = self.0["paths"].as_object().unwrap().iter();
        paths
            .flat_map(|(path, item)| {
                item.as_object().unwrap().keys().map(move |method| (method.to_uppercase(), path.clone()))
            })
            .collect()
    }

    /// The operation of a request, as method and template of a path.
    pub fn template(&self, method: &Method, path: &str) -> Option<(String, String)> {
        let path = path.split('?').next().unwrap();
        let segments: Vec<_> = path.split('/').collect();
        let matching = |template: &&String| {
            let template: Vec<_> = template.split('/').collect();
            template.len() == segments.len()
                && template
                    .iter()
                    .zip(&segments)
                    .all(|(of, segment)| of == segment || of.starts_with('{') && !segment.is_empty())
        };
        let paths = self.0["paths"].as_object().unwrap();
        // A literal is preferred to a parameter, which sorts after it.
        let template = paths.keys().filter(matching).min()?;
        let method = if method == Method::HEAD { "GET" } else { method.as_str() };
        Some((method.to_owned(), template.clone()))
    }

    fn operation(&self, method: &Method, path: &str) -> Option<&Value> {
        let (method, template) = self.template(method, path)?;
        self.0["paths"][template].get(method.to_lowercase())
    }

    fn validator(&self, schema: &Value, is_strict: bool) -> Validator {
        let mut root = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "allOf": [schema],
            "components": self.0["components"],
        });
        if is_strict {
            root["unevaluatedProperties"] = false.into();
        }
        jsonschema::validator_for(&root).unwrap()
    }

    #[track_caller]
    pub fn check_answer(&self, method: &Method, path: &str, answer: &Answer) {
        let Answer { status, headers, text, json } = answer;
        let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap());
        assert_eq!(header("cache-control"), Some("no-store"), "{method} {path}");
        assert_eq!(header("x-content-type-options"), Some("nosniff"), "{method} {path}");
        let is_head = method == Method::HEAD;
        let Some(operation) = self.operation(method, path) else {
            assert!(matches!(status, 404 | 405), "{method} {path} is not documented: {status} {text}");
            if !is_head {
                self.check(&json!({ "$ref": "#/components/schemas/Problem" }), json);
            }
            return;
        };
        let documented = operation["responses"].get(status.to_string());
        let documented = documented.unwrap_or_else(|| panic!("{method} {path}: {status} is not documented: {text}"));
        for (name, described) in documented["headers"].as_object().into_iter().flatten() {
            let value = header(name).unwrap_or_else(|| panic!("{method} {path}: no header {name}"));
            let value = value.parse::<u64>().map_or(json!(value), |number| json!(number));
            self.check(&described["schema"], &value);
        }
        let Some(content) = documented.get("content").and_then(Value::as_object) else {
            assert_eq!(text, "", "{method} {path}");
            return;
        };
        let media = header("content-type").unwrap();
        let schema =
            &content.get(media).unwrap_or_else(|| panic!("{method} {path}: {media} is not documented"))["schema"];
        match media {
            _ if is_head => assert_eq!(text, ""),
            "application/x-ndjson" => {
                assert!(text.is_empty() || text.ends_with('\n'));
                text.lines().for_each(|line| self.check(schema, &serde_json::from_str(line).unwrap()));
            }
            media if media.ends_with("json") && !path.starts_with("/v1/openapi.json") => self.check(schema, json),
            _ => {}
        }
    }

    #[track_caller]
    fn check(&self, schema: &Value, value: &Value) {
        if let Err(error) = self.validator(schema, value.is_object()).validate(value) {
            panic!("{error}\n{value}\n{schema}");
        }
    }

    /// A body that was accepted is one that the document describes.
    #[track_caller]
    pub fn check_request(&self, method: &Method, path: &str, body: &Value) {
        let operation = self.operation(method, path).unwrap();
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{method} {path} takes a body that is not documented");
        if let Err(error) = self.validator(schema, false).validate(body) {
            panic!("{method} {path} took a body that is not documented: {error}\n{body}");
        }
    }

    fn describes_request(&self, method: &Method, path: &str, body: &Value) -> bool {
        let schema = &self.operation(method, path).unwrap()["requestBody"]["content"]["application/json"]["schema"];
        self.validator(schema, false).is_valid(body)
    }
}

/// Paths of the router's routes, by its `Debug` form: axum has no other list of them.
fn routes(bed: &Bed) -> BTreeSet<String> {
    let service = crm_server::Service::new(bed.ledger.clone(), bed.store.clone(), "plugin".parse().unwrap());
    let debug = format!("{:?}", crm_server::router(service));
    // Where there is no route, the router has the fallback at these two.
    let is_fallback = |path: &str| path == "/" || path.contains("__private__axum_fallback");
    debug.split('"').filter(|part| part.starts_with('/') && !is_fallback(part)).map(str::to_owned).collect()
}

#[tokio::test]
async fn the_document_and_the_router_have_the_same_routes() {
    let bed = Bed::new().await;
    let document = get(&bed).await;
    assert_eq!(document.0["openapi"], "3.1.0");
    let documented: BTreeSet<_> = document.operations().into_iter().map(|(_, path)| path).collect();
    assert!(documented.len() > 15);
    assert_eq!(routes(&bed), documented);
    let methods = ["GET", "PUT", "POST", "DELETE", "PATCH"];
    for path in documented {
        let address = path.replace("{team}", TEAM).replace("{service}", "calcom").replace("{delivery}", "1");
        let address = address.replace(['{', '}'], "");
        for method in methods {
            let is_documented = document.operations().contains(&(method.to_owned(), path.clone()));
            let answer = bed.send(method.parse().unwrap(), &address, Some(&bed.operator), None).await;
            assert_eq!(answer.status != 405, is_documented, "{method} {path}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn every_operation_says_what_it_does_takes_and_returns() {
    let bed = Bed::new().await;
    let document = get(&bed).await;
    let mut ids = BTreeSet::new();
    for (method, path) in document.operations() {
        let operation = document.operation(&method.parse().unwrap(), &path).unwrap();
        assert!(operation["summary"].is_string(), "{method} {path}");
        assert!(
            ids.insert(operation["operationId"].as_str().unwrap()),
            "{method} {path}: {}",
            operation["operationId"]
        );
        let parameters = operation["parameters"].as_array().unwrap();
        let in_path: BTreeSet<_> = parameters
            .iter()
            .filter(|p| p["in"] == "path")
            .map(|p| format!("{{{}}}", p["name"].as_str().unwrap()))
            .collect();
        let in_template: BTreeSet<_> =
            path.split('/').filter(|part| part.starts_with('{')).map(str::to_owned).collect();
        assert_eq!(in_path, in_template, "{method} {path}");
        let is_open = path == "/v1/openapi.json" || !path.starts_with("/v1/");
        assert_eq!(operation.get("security").is_none(), is_open, "{method} {path}");
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with('2')), "{method} {path}");
        for (status, response) in responses.iter().filter(|(status, _)| !status.starts_with('2')) {
            let codes =
                &response["content"]["application/problem+json"]["schema"]["allOf"][1]["properties"]["code"]["enum"];
            assert!(codes.as_array().is_some_and(|codes| !codes.is_empty()), "{method} {path} {status}");
        }
    }
    assert!(!document.0.to_string().contains("u-int"), "formats are those of the registry");
    let schemas = document.0["components"]["schemas"].as_object().unwrap();
    for name in [
        "Booking",
        "AnswerValue",
        "Mapping",
        "Row",
        "Source",
        "ValueTable",
        "Filter",
        "Problem",
        "Delivery",
        "RecordRef",
    ] {
        assert!(schemas.contains_key(name), "{name} of {:?}", schemas.keys().collect::<Vec<_>>());
    }
}

/// What the document says about bodies whose types read themselves.
#[tokio::test]
async fn a_body_is_described_exactly_where_types_read_themselves() {
    let bed = Bed::new().await;
    let document = get(&bed).await;
    let example: Value = serde_json::from_str(BOOKING).unwrap();
    let with = |pointer: &str, value: Value| {
        let mut changed = example.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        changed
    };
    let value = |value: Value| with("/answers/0/value", value);
    let mut cases = vec![("", example.clone(), 202)];
    for (name, body) in [
        ("text", value("free text".into())),
        ("choices", value(json!(["a", "b"]))),
        ("digits", value(json!({ "number": "-0012.50" }))),
        ("a JSON number", value(json!(12.5))),
        ("a JSON integer", value(json!(7))),
        ("yes or no", value(json!(false))),
        ("no value", value(Value::Null)),
        ("no list", with("/answers", Value::Null)),
        ("no form", with("/extra", Value::Null)),
    ] {
        cases.push((name, body, 202));
    }
    for (name, body) in [
        ("digits with commas", value(json!({ "number": "1,000" }))),
        ("digits with a unit", value(json!({ "number": "1", "unit": "kg" }))),
        ("an object", value(json!({}))),
        ("numbers as choices", value(json!([1]))),
        ("an unknown kind", with("/kind", "new".into())),
        ("a number as id", with("/id", json!(7))),
        ("no id", with("/id", "".into())),
        ("a long id", with("/id", "x".repeat(201).into())),
        ("a member of another name", with("/guest", json!({ "name": "Anna-Lena Weiß", "mail": "x" }))),
        ("no guest", with("/guest", Value::Null)),
    ] {
        cases.push((name, body, 400));
    }
    for (index, (name, mut body, expected)) in cases.into_iter().enumerate() {
        if expected == 202 {
            body["id"] = format!("described-{index}").into();
        }
        assert_eq!(document.describes_request(&Method::POST, crate::bed::BOOKINGS, &body), expected == 202, "{name}");
        assert_eq!(bed.post(crate::bed::BOOKINGS, &bed.intake, &body).await.status, expected, "{name}");
    }
    let row = |change: Value| {
        let mut row = json!({ "id": "r1", "field": "LastName", "source": { "fixed": "x" } });
        row.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        json!({ "mapping": { "rows": [row] } })
    };
    for (body, is_read) in [
        (row(json!({})), true),
        (row(json!({ "values": { "a": "b" }, "on": ["confirmed", "cancelled"], "fallback": "z" })), true),
        (json!({ "mapping": { "rows": [], "options": { "a": "b" }, "target": null }, "expected": null }), true),
        (row(json!({ "id": "a b" })), false),
        (row(json!({ "source": { "fixed": "x", "answer": "y" } })), false),
        (row(json!({ "source": { "other": "x" } })), false),
        (row(json!({ "values": { "a": 1 } })), false),
        (row(json!({ "on": ["moved"] })), false),
        (row(json!({ "label": "x" })), false),
        (json!({ "mapping": { "options": {} } }), false),
        (json!({ "mapping": { "rows": [] }, "version": 1 }), false),
    ] {
        assert_eq!(document.describes_request(&Method::PUT, crate::bed::MAPPING, &body), is_read, "{body}");
        let expected = if is_read { 200 } else { 400 };
        assert_eq!(bed.put(crate::bed::MAPPING, &bed.admin, &body).await.status, expected, "{body}");
    }
}
