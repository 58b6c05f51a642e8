//! The contract can grow within 0.1 (`world.wit`, "Growth"): a host of 0.1.0 runs a plugin of 0.1.1 that needs no more, a host of 0.1.1
//! runs a plugin of 0.1.0, and a plugin that needs a newer host is refused by name.

use std::fs;

use acceptance::guests;
use acceptance::memory;
use acceptance::samples::first_try;
use acceptance::scripted::{Scripted, VICTIM, response};
use acceptance::system::NOW;
use anyhow::{Context as _, Result, anyhow};
use crm_host::types::{
    Booking, BookingKind, FieldType, History, Mapping, Outcome, Parameter, Reaction, Row, SourceKind, Value,
};
use crm_host::{CONTRACT, InspectError, Inspection, LoadError, full_message};
use wasmtime::Store;
use wasmtime::component::{Component, HasSelf, Linker, Resource};

/// A host of version 0.1.1.
mod newer_host {
    include!(concat!(env!("OUT_DIR"), "/newer_host.rs"));
}

fn booking(kind: BookingKind) -> Booking {
    let (id, team_id) = ("b-1".to_owned(), "team".to_owned());
    Booking { kind, id, previous_id: None, team_id, locale: None, more: vec![Parameter::new("added-in-0.1.1", "x")] }
}

fn mapping(text: &str) -> Mapping {
    let row = Row {
        field: "f".to_owned(),
        memo: "1".to_owned(),
        value: Some(Value::Text(text.to_owned())),
        fallback: None,
        source: SourceKind::Other("added-in-0.1.1".to_owned()),
        on_change: false,
    };
    Mapping { rows: vec![row], ..Mapping::default() }
}

#[tokio::test]
async fn a_host_runs_a_newer_plugin_that_needs_no_more() -> Result<()> {
    let component = fs::read(guests::build("newer")?.path)?;
    let inspection = Inspection::read(&component)?;
    for name in ["scheduling:crm/leads@0.1.1", "scheduling:crm/forecast@0.1.1"] {
        assert!(inspection.exports.iter().any(|export| export == name), "{:?}", inspection.exports);
    }
    assert!(inspection.imports.iter().all(|import| import.ends_with("@0.1.1")), "{:?}", inspection.imports);
    println!(
        "host {CONTRACT}; the plugin imports {} and exports {}",
        inspection.imports.join(", "),
        inspection.exports.join(", ")
    );

    let guest = Scripted::start(&component, &VICTIM, |_| Some(response(200, "{}"))).await?;
    let deliver = async |kind, text: &str, history: History| {
        let called =
            guest.plugin.on_booking_completed(&guest.connection, &booking(kind), &mapping(text), &history).await?;
        anyhow::Ok(called.answer)
    };
    let queued = deliver(BookingKind::Confirmed, "x", first_try(NOW)).await?.expect("delivered");
    assert_eq!(queued.outcome, Outcome::Other("queued".to_owned()));
    assert_eq!(queued.findings[0].code, "newer-finding");
    let again = deliver(BookingKind::Confirmed, "x", History { first_try: Some(NOW), ..first_try(NOW) }).await?;
    assert_eq!(again.expect("delivered").outcome, Outcome::AlreadyDelivered);
    let refused = deliver(BookingKind::Confirmed, "refuse", first_try(NOW)).await?.expect_err("refused");
    assert_eq!(refused.reaction, Reaction::Other("await-approval".to_owned()));
    assert!(!refused.settles_earlier_tries() && refused.retry_after.is_none(), "a person must look");
    let ignored = deliver(BookingKind::Other("no-show".to_owned()), "x", first_try(NOW)).await?.expect("ignored");
    assert_eq!(ignored.outcome, Outcome::Ignored);
    let listed = guest.plugin.list_lead_fields(&guest.connection, None, "en").await?.answer.expect("listed");
    assert_eq!(listed.fields[0].field_type, FieldType::Other("geo-point".to_owned()));
    Ok(())
}

#[tokio::test]
async fn a_plugin_that_needs_a_newer_host_is_refused_by_name() -> Result<()> {
    let host = memory::host().concurrent_calls(1).build()?;
    for (contract, code, named) in [
        ("scheduling:crm@0.1.1", "newer-contract", "needs a host of scheduling:crm@0.1.1"),
        ("scheduling:crm@0.1.12", "newer-contract", "needs a host of scheduling:crm@0.1.12"),
        ("scheduling:crm@0.2.0", "other-contract", "scheduling:crm@0.2.0"),
        ("other:crm@0.1.0", "manifest-invalid", "must name the oldest version of the contract"),
    ] {
        let component = guests::with_contract("newer", contract)?;
        let refused = host.load(&component).await.err().context("refused")?;
        assert_eq!(refused.code(), code, "{refused}");
        let said = full_message(&refused);
        assert!(said.contains(named), "{said}");
        assert!(
            matches!(refused, LoadError::Inspect(InspectError::NewerContract { .. })) == (code == "newer-contract")
        );
    }
    Ok(())
}

/// A host that is nothing but a linker: every request is answered with 200.
#[derive(Default)]
struct Bare {
    requests: Vec<String>,
}

impl newer_host::scheduling::crm::types::Host for Bare {}

impl newer_host::scheduling::crm::secrets::Host for Bare {
    fn open(
        &mut self,
        _: String,
    ) -> Result<
        Resource<newer_host::scheduling::crm::secrets::Credential>,
        newer_host::scheduling::crm::secrets::SecretError,
    > {
        Ok(Resource::new_own(1))
    }
}

impl newer_host::scheduling::crm::secrets::HostCredential for Bare {
    fn origin(&mut self, _: Resource<newer_host::scheduling::crm::secrets::Credential>) -> String {
        "https://acme.my.salesforce.com".to_owned()
    }

    fn attribute(
        &mut self,
        _: Resource<newer_host::scheduling::crm::secrets::Credential>,
        _: String,
    ) -> Option<String> {
        None
    }

    fn drop(&mut self, _: Resource<newer_host::scheduling::crm::secrets::Credential>) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl newer_host::scheduling::crm::http::Host for Bare {
    fn remaining(&mut self) -> u32 {
        8
    }

    fn send(
        &mut self,
        request: newer_host::scheduling::crm::http::Request,
        _: Resource<newer_host::scheduling::crm::secrets::Credential>,
    ) -> Result<newer_host::scheduling::crm::http::Response, newer_host::scheduling::crm::http::Failure> {
        self.requests.push(request.url);
        let body = br#"{"name":"Lead","fields":[{"name":"LastName","label":"Last Name","type":"string","length":80,"createable":true,"updateable":true,"nillable":false}]}"#;
        Ok(newer_host::scheduling::crm::http::Response {
            status: 200,
            headers: Vec::new(),
            body: body.to_vec(),
            more: Vec::new(),
        })
    }
}

#[test]
fn a_newer_host_runs_a_plugin_of_this_version() -> Result<()> {
    let component = fs::read(guests::build("salesforce-leads")?.path)?;
    let imports = Inspection::read(&component)?.imports;
    assert!(imports.iter().all(|import| import.ends_with("@0.1.0")), "{imports:?}");
    let (listed, requests) = list_fields(&component).map_err(|error| anyhow!("{error:#}"))?;
    assert_eq!(listed, ["LastName"]);
    println!("a host of scheduling:crm@0.1.1; the plugin imports {} and sent {requests:?}", imports.join(", "));
    Ok(())
}

/// The fields that a plugin lists in the bare host, and the requests that it sends.
fn list_fields(component: &[u8]) -> wasmtime::Result<(Vec<String>, Vec<String>)> {
    let engine = wasmtime::Engine::default();
    let component = Component::from_binary(&engine, component)?;
    let mut linker = Linker::new(&engine);
    newer_host::Plugin::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    let mut store = Store::new(&engine, Bare::default());
    let plugin = newer_host::Plugin::instantiate(&mut store, &component, &linker)?;
    let listed = plugin.scheduling_crm_leads().call_list_lead_fields(&mut store, None, "en")?;
    let names = listed.map(|listed| listed.fields.into_iter().map(|field| field.name).collect());
    Ok((names.unwrap_or_default(), store.into_data().requests))
}
