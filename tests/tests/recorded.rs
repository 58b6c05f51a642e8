//! Answers of real orgs, served over real sockets to the real component: each refusal becomes its problem, each describe
//! result its list.
//!
//! The project's own answers of the same shapes lie in `fixtures/salesforce`; the variable `ORG_FIXTURES` names a folder
//! of recorded ones.

use acceptance::samples::{self, first_try};
use acceptance::system::{NOW, System};
use anyhow::{Context as _, Result, ensure};
use local_org::{Fault, OrgFile};
use runtime::types::{LeadFields, Reaction};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

const JSON: &str = "application/json;charset=UTF-8";

/// A file of answers.
struct Recorded {
    name: String,
    bytes: Vec<u8>,
}

impl Recorded {
    fn json(&self) -> Result<Value> {
        Ok(serde_json::from_slice(&self.bytes)?)
    }
}

fn own(folder: &str) -> Result<Vec<Recorded>> {
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/salesforce").join(folder))
}

/// `None` where no recorded answers are at hand.
fn of_real_orgs(folder: &str) -> Result<Option<Vec<Recorded>>> {
    let Some(fixtures) = env::var_os("ORG_FIXTURES") else {
        println!("not run: ORG_FIXTURES is not set");
        return Ok(None);
    };
    // A relative path is one from the workspace's root, from where tests are started.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    read(&root.join(fixtures).join(folder)).map(Some)
}

fn read(folder: &Path) -> Result<Vec<Recorded>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<PathBuf>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    ensure!(!paths.is_empty(), "{} has no answers", folder.display());
    let file = |path: PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Recorded { name, bytes: fs::read(path)? })
    };
    paths.into_iter().map(file).collect()
}

/// What a caller must do after a refused create.
fn reaction(code: &str) -> Option<Reaction> {
    Some(match code {
        "DUPLICATES_DETECTED"
        | "DUPLICATE_VALUE"
        | "FIELD_CUSTOM_VALIDATION_EXCEPTION"
        | "INVALID_EMAIL_ADDRESS"
        | "STRING_TOO_LONG" => Reaction::FixBooking,
        "INVALID_FIELD"
        | "INVALID_FIELD_FOR_INSERT_UPDATE"
        | "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
        | "JSON_PARSER_ERROR"
        | "MALFORMED_QUERY"
        | "REQUIRED_FIELD_MISSING" => Reaction::FixMapping,
        "API_DISABLED_FOR_ORG" | "NOT_FOUND" => Reaction::AskAdmin,
        "INVALID_SESSION_ID" => Reaction::Reconnect,
        "REQUEST_LIMIT_EXCEEDED" | "UNABLE_TO_LOCK_ROW" => Reaction::Retry,
        _ => return None,
    })
}

/// The first error of an answer: one of the usual kind, or one of a collection.
fn first_error(body: &Value) -> Option<(&str, &Value)> {
    let first = body.get(0)?;
    let error = first.get("errors").and_then(|errors| errors.get(0)).unwrap_or(first);
    Some((error.get("errorCode").or(error.get("statusCode"))?.as_str()?, error))
}

async fn refuse_creates(files: &[Recorded]) -> Result<()> {
    let system = System::start().await?;
    let mapping = system.example_mapping().await?;
    let booking = samples::japanese_booking()?;
    for file in files {
        let name = &file.name;
        let recorded = file.json().with_context(|| name.clone())?;
        let status = recorded.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
        let status = status.context("a status")?;
        let body = recorded.get("body").context("a body")?;
        let (code, error) = first_error(body).with_context(|| format!("{name} has no error"))?;
        let expected = reaction(code).with_context(|| format!("{name}: what {code} calls for is not in the table"))?;

        let refusal = Fault::answer(status, JSON, body.to_string());
        // However often the component or the host tries.
        system.org().add_fault(refusal.on("POST", "/services/data/*/sobjects/Lead").times(u32::MAX));
        let answer = system.deliver(&booking, &mapping, &first_try(NOW)).await.with_context(|| name.clone())?.answer;
        system.org().clear_faults();

        let problem = answer.err().with_context(|| format!("{name}: expected {code}, found a delivery"))?;
        assert_eq!((problem.code.as_str(), problem.reaction), (code, expected), "{name}: {problem:?}");
        assert_eq!(Some(problem.message.as_str()), error["message"].as_str(), "{name}");
        assert_eq!(problem.http_status, Some(status), "{name}");
        assert_eq!(problem.retry_after.is_some(), expected == Reaction::Retry, "{name}: a time to wait");
        let named = error["fields"].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>();
        assert!(named.is_empty() || named == problem.fields, "{name}: expected {named:?}, found {:?}", problem.fields);
        assert_eq!(system.org().leads().len(), 0, "{name}");
    }
    // What refused was the answer, not the booking.
    let delivered = system.deliver(&booking, &mapping, &first_try(NOW)).await?.answer;
    assert!(delivered.is_ok(), "{delivered:?}");
    Ok(())
}

#[tokio::test]
async fn every_shape_of_refusal_becomes_its_problem() -> Result<()> {
    refuse_creates(&own("errors")?).await
}

#[tokio::test]
async fn every_recorded_refusal_becomes_its_problem() -> Result<()> {
    match of_real_orgs("errors")? {
        Some(files) => refuse_creates(&files).await,
        None => Ok(()),
    }
}

async fn list(system: &System, file: &Recorded) -> Result<LeadFields> {
    let body = String::from_utf8(file.bytes.clone())?;
    system.org().add_fault(Fault::answer(200, JSON, body).on("GET", "/services/data/*/sobjects/Lead/describe"));
    system.fields().await.with_context(|| file.name.clone())
}

/// Holds a list against the describe result that it was made from.
fn compare(name: &str, describe: &Value, listed: &LeadFields) -> Result<()> {
    let fields = describe["fields"].as_array().context("fields")?;
    let names = |wanted: &dyn Fn(&Value) -> bool| -> BTreeSet<&str> {
        fields.iter().filter(|field| wanted(field)).filter_map(|field| field["name"].as_str()).collect()
    };
    let offered: BTreeSet<&str> = listed.fields.iter().map(|field| field.name.as_str()).collect();
    let withheld: BTreeSet<&str> = listed.withheld.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(offered.union(&withheld).copied().collect::<BTreeSet<_>>(), names(&|_| true), "{name}: all fields");
    assert!(offered.is_disjoint(&withheld), "{name}");

    let writable = |field: &Value| field["createable"] == true && field["updateable"] == true;
    assert!(offered.is_subset(&names(&writable)), "{name}: a field is offered that cannot be written");
    let required = names(&|field| {
        writable(field)
            && field["nillable"] == false
            && field["defaultedOnCreate"] != true
            && field["type"] != "boolean"
            && field["name"].as_str().is_some_and(|name| offered.contains(name))
    });
    let marked = listed.fields.iter().filter(|field| field.required).map(|field| field.name.as_str());
    assert_eq!(marked.collect::<BTreeSet<_>>(), required, "{name}: required fields");
    let first = listed.fields.iter().take(required.len());
    assert!(first.clone().all(|field| field.required), "{name}: required fields come first");
    Ok(())
}

async fn list_all(files: &[Recorded]) -> Result<()> {
    let system = System::start().await?;
    for file in files {
        let listed = list(&system, file).await?;
        compare(&file.name, &file.json()?, &listed)?;
        if file.name.starts_with("Lead.") {
            // An org that is made from the describe result offers the same, and what the result says too little about.
            let imported = System::with_org(OrgFile::from_describe(&file.bytes)?).await?.fields().await?;
            let names = |listed: &LeadFields| -> BTreeSet<(String, bool)> {
                listed.fields.iter().map(|field| (field.name.clone(), field.required)).collect()
            };
            let lost = names(&listed).difference(&names(&imported)).cloned().collect::<Vec<_>>();
            assert_eq!(lost, [], "{}", file.name);
        }
    }
    Ok(())
}

#[tokio::test]
async fn every_shape_of_describe_result_is_listed() -> Result<()> {
    list_all(&own("describe")?).await
}

#[tokio::test]
async fn every_recorded_describe_result_is_listed() -> Result<()> {
    for folder in ["describe", "describe-minimal"] {
        let Some(files) = of_real_orgs(folder)? else { return Ok(()) };
        list_all(&files).await?;
    }
    Ok(())
}
