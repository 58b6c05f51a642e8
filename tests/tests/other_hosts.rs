//! Under another runtime the same component file gives the same fields and the same Lead: it does not depend on our host.

use acceptance::guests;
use acceptance::node_host::{self, in_javascript};
use acceptance::samples::{self, first_try};
use acceptance::system::{CREDENTIAL, NOW, System, component};
use anyhow::{Context as _, anyhow};
use async_trait::async_trait;
use crm_host::Host;
use crm_host::credentials::ConnectionId;
use crm_host::transport::{Bounds, ReqwestTransport, Transport, TransportError};
use http::{Request, Response};
use serde_json::{Value, json};
use std::fs;
use std::sync::{Arc, Mutex, PoisonError};

#[tokio::test]
async fn node_lists_the_same_fields_and_writes_the_same_lead() -> anyhow::Result<()> {
    // The recorded exchanges of our host become the script of the other one.
    let system = System::start().await?;
    let recorder = Arc::new(Recorder::new(ReqwestTransport::new(system.plugin.permissions())));
    let host = Host::builder()
        .policy(system.policy()?)
        .secrets(system.secrets.clone())
        .transport(recorder.clone())
        .concurrent_calls(1)
        .build()?;
    let plugin = host.load(component()?).await?;
    let fields = plugin.list_lead_fields(&system.connection, None, "en").await?.answer.expect("listed");
    let booking = samples::japanese_booking()?;
    let mapping = samples::mapping("timerex-mapping.json", &fields.fields)?;
    let history = first_try(NOW);
    let called = plugin.on_booking_completed(&system.connection, &booking, &mapping, &history).await?;
    let delivery = called.answer.expect("delivered");
    let base = system.org().base_url();
    let exchanges = recorder.exchanges();
    let script = json!({
        "credential": {
            "name": CREDENTIAL,
            "attributes": { "instance-url": base, "org-id": system.org().id(), "user-id": "0055i0000000001AAA" },
        },
        "exchanges": exchanges,
        "booking": in_javascript(serde_json::to_value(&booking)?),
        "mapping": in_javascript(serde_json::to_value(&mapping)?),
        "history": in_javascript(serde_json::to_value(&history)?),
    });
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("script.json");
    fs::write(&file, script.to_string())?;

    let component = guests::build("salesforce-leads")?.path;
    let found = match node_host::run(&component, &file) {
        Ok(found) => found,
        Err(not_run) => return not_run.report().map_err(|why| anyhow!(why)),
    };
    assert_eq!(found["fields"]["err"], Value::Null);
    assert_eq!(found["fields"]["ok"], in_javascript(serde_json::to_value(&fields)?), "the same fields");
    assert_eq!(
        found["delivery"]["ok"]["leadId"],
        Value::from(samples::record_id(&delivery).as_str()),
        "{}",
        found["delivery"]
    );
    let sent = |requests: &Value| -> anyhow::Result<Value> {
        let body = requests.as_array().and_then(|all| all.iter().find(|one| one["method"] == "post"));
        let body = body.and_then(|request| request["body"].as_str()).context("a body was posted")?;
        Ok(serde_json::from_str(body)?)
    };
    let recorded: Value = exchanges.iter().map(|exchange| exchange["request"].clone()).collect();
    assert_eq!(sent(&found["requests"])?, sent(&recorded)?, "the same Lead body");
    Ok(())
}

/// Records exchanges as a script for the other host.
#[derive(Debug)]
struct Recorder {
    real: ReqwestTransport,
    exchanges: Mutex<Vec<Value>>,
}

impl Recorder {
    fn new(real: ReqwestTransport) -> Self {
        Self { real, exchanges: Mutex::default() }
    }

    fn exchanges(&self) -> Vec<Value> {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Transport for Recorder {
    async fn send(
        &self,
        connection: &ConnectionId,
        request: Request<Vec<u8>>,
        bounds: Bounds,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        let (method, url) = (request.method().as_str().to_lowercase(), request.uri().to_string());
        let body = String::from_utf8_lossy(request.body()).into_owned();
        let response = self.real.send(connection, request, bounds).await?;
        let headers: Vec<Value> = response
            .headers()
            .iter()
            .filter_map(|(name, value)| Some(json!({ "name": name.as_str(), "value": value.to_str().ok()? })))
            .collect();
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner).push(json!({
            "method": method,
            "url": url,
            "request": { "method": method, "body": body },
            "response": {
                "status": response.status().as_u16(),
                "headers": headers,
                "body": String::from_utf8_lossy(response.body()),
            },
        }));
        Ok(response)
    }
}
