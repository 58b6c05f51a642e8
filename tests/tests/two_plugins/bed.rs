//! What a case needs of a CRM: a plugin that is connected to it, and faults on demand.

use std::{
    fs,
    sync::{Arc, OnceLock},
};

use acceptance::{
    guests,
    invented_crm::{InventedCrm, Lost},
    memory,
    samples::{self, Mapped},
    scripted::Script,
    system::{NOW, System, unexpected},
};
use anyhow::{Result, ensure};
use async_trait::async_trait;
use crm_host::{
    Plugin,
    credentials::{Asker, Builds, ConnectionId, MemoryStore},
    secret::Secret,
};
use jiff::SignedDuration;
use salesforce_local_org::{Fault, OrgFile};
use serde_json::{Value, json};

/// A plugin, connected to its CRM.
#[async_trait]
pub trait Bed: Send + Sync {
    /// The plugin.
    fn plugin(&self) -> &Plugin;
    /// The connection.
    fn connection(&self) -> &ConnectionId;
    /// The objects that a booking becomes, in the order of their writes. The mapping is about the last one.
    fn objects(&self) -> &'static [&'static str];
    /// A mapping: the guest's name and email, the start, and one value for cancellations.
    fn mapping(&self) -> Value;
    /// The field of [`Self::mapping`] that has the start, and the one that a cancellation writes with what it then holds.
    fn fields(&self) -> (&'static str, (&'static str, &'static str));
    /// The values of an object's records.
    fn records(&self, object: &str) -> Vec<Value>;
    /// How many requests could write since the last call.
    fn take_writes(&self) -> usize;
    /// Milliseconds since 1970.
    fn now(&self) -> u64;
    /// Lets time pass.
    fn advance(&self, seconds: u32);
    /// Loses the reply to the next request that creates an object.
    fn lose(&self, object: &'static str, lost: Lost);
    /// Refuses the next record of the last object.
    fn refuse(&self);
    /// Refuses nothing any more.
    fn allow(&self);
    /// Ends the credential at the CRM.
    fn end_credential(&self);
    /// Connects again, as a person does.
    async fn reconnect(&self) -> Result<()>;

    /// [`Self::mapping`] with the memos of the fields that the plugin lists.
    async fn mapped(&self) -> Result<Mapped> {
        let mapping = self.mapping();
        let target = mapping.get("target").and_then(Value::as_str).map(str::to_owned);
        let listed = self
            .plugin()
            .list_lead_fields(self.connection(), target.as_deref(), "ja")
            .await?
            .answer
            .map_err(unexpected)?;
        let mapped = samples::mapping_of(mapping, &listed)?;
        ensure!(mapped.memos.cover(&mapped.mapping), "the plugin lists every mapped field");
        self.take_writes();
        Ok(mapped)
    }
}

/// The plugins of the table.
pub const PLUGINS: [&str; 2] = ["salesforce-leads", "tiny-crm"];

/// A CRM without records, with a connected plugin.
pub async fn bed(plugin: &str) -> Result<Box<dyn Bed>> {
    Ok(match plugin {
        "tiny-crm" => Box::new(Tiny::start().await?),
        _ => Box::new(Salesforce(System::with_org(OrgFile::enterprise()?).await?)),
    })
}

/// The Salesforce plugin and a local org.
struct Salesforce(System);

#[async_trait]
impl Bed for Salesforce {
    fn plugin(&self) -> &Plugin {
        &self.0.plugin
    }

    fn connection(&self) -> &ConnectionId {
        &self.0.connection
    }

    fn objects(&self) -> &'static [&'static str] {
        &["Lead"]
    }

    fn mapping(&self) -> Value {
        json!({
            "rows": [
                { "field": "LastName", "source": { "booking": "guest.family-name" } },
                { "field": "Company", "source": { "booking": "guest.company" } },
                { "field": "Email", "source": { "booking": "guest.email" } },
                { "field": "MeetingAt__c", "source": { "booking": "start" } },
                { "field": "Status", "source": { "fixed": "Closed - Not Converted" }, "on": ["cancelled"] },
            ],
            "options": { "booking-id-field": "BookingId__c" },
        })
    }

    fn fields(&self) -> (&'static str, (&'static str, &'static str)) {
        ("MeetingAt__c", ("Status", "Closed - Not Converted"))
    }

    fn records(&self, _object: &str) -> Vec<Value> {
        self.0.org().leads()
    }

    fn take_writes(&self) -> usize {
        let writes = self.0.api_calls().iter().filter(|call| call.method != "GET").count();
        self.0.org().clear_requests();
        writes
    }

    fn now(&self) -> u64 {
        self.0.time(0)
    }

    fn advance(&self, seconds: u32) {
        self.0.org().advance_clock(SignedDuration::from_secs(i64::from(seconds)));
    }

    fn lose(&self, _object: &'static str, lost: Lost) {
        let fault = match lost {
            Lost::Before => Fault::drop_before_commit(),
            Lost::After => Fault::drop_after_commit(),
            Lost::Late(seconds) => Fault::commit_late(seconds),
        };
        self.0.org().add_fault(fault.on("POST", "/services/data/*/sobjects/Lead*"));
    }

    fn refuse(&self) {
        let refusal = r#"[{"message":"Leads are frozen","errorCode":"FIELD_CUSTOM_VALIDATION_EXCEPTION","fields":[]}]"#;
        let fault = Fault::answer(400, "application/json", refusal).on("POST", "/services/data/*/sobjects/Lead*");
        self.0.org().add_fault(fault);
    }

    fn allow(&self) {
        self.0.org().clear_faults();
    }

    fn end_credential(&self) {
        self.0.org().revoke_all_tokens();
    }

    async fn reconnect(&self) -> Result<()> {
        self.0.connect().await.map(|_| ())
    }
}

/// The component of `tiny-crm`, built once per process.
fn tiny_component() -> Result<&'static [u8]> {
    static COMPONENT: OnceLock<Result<Vec<u8>, String>> = OnceLock::new();
    let built = COMPONENT.get_or_init(|| {
        let read = || -> Result<Vec<u8>> { Ok(fs::read(guests::build("tiny-crm")?.path)?) };
        read().map_err(|error| format!("{error:#}"))
    });
    built.as_deref().map_err(|error| anyhow::anyhow!("{error}"))
}

/// `tiny-crm` and the invented CRM.
pub struct Tiny {
    plugin: Plugin,
    connection: ConnectionId,
    pub crm: InventedCrm,
    pub script: Arc<Script>,
}

impl Tiny {
    pub const ORIGIN: &str = "https://acme.tiny-crm.example";
    pub const KEY: &str = "tiny-key-0123456789";

    pub async fn start() -> Result<Self> {
        let crm = InventedCrm::new(NOW, Self::KEY);
        let server = crm.clone();
        let script = Script::new(move |request| Some(server.answer(request)));
        let host = memory::host()
            .plugin("tiny-crm".parse()?, Builds::Any)
            .secrets(Arc::new(MemoryStore::new()))
            .transport(script.clone())
            .concurrent_calls(2)
            .build()?;
        let plugin = host.load(tiny_component()?).await?;
        let connection = ConnectionId::new("team-1");
        let key = Secret::new(Self::KEY);
        plugin.broker().connect_api_key(&connection, "tiny", Self::ORIGIN, key, &Asker::operator()).await?;
        Ok(Self { plugin, connection, crm, script })
    }
}

#[async_trait]
impl Bed for Tiny {
    fn plugin(&self) -> &Plugin {
        &self.plugin
    }

    fn connection(&self) -> &ConnectionId {
        &self.connection
    }

    fn objects(&self) -> &'static [&'static str] {
        &["person", "lead"]
    }

    fn mapping(&self) -> Value {
        json!({
            "target": "inbound",
            "rows": [
                { "field": "なまえ", "source": { "booking": "guest.name" } },
                { "field": "めーる", "source": { "booking": "guest.email" } },
                { "field": "かいしゃ", "source": { "booking": "guest.company" } },
                { "field": "ぎょうしゅ", "source": { "fixed": "業種4821" } },
                { "field": "にちじ", "source": { "booking": "start" } },
                { "field": "じょうたい", "source": { "fixed": "取消" }, "on": ["cancelled"] },
            ],
        })
    }

    fn fields(&self) -> (&'static str, (&'static str, &'static str)) {
        ("にちじ", ("じょうたい", "void"))
    }

    fn records(&self, object: &str) -> Vec<Value> {
        self.crm.records(object).into_iter().map(|record| record.values.into()).collect()
    }

    fn take_writes(&self) -> usize {
        self.crm.take_requests().iter().filter(|request| !request.starts_with("GET")).count()
    }

    fn now(&self) -> u64 {
        self.crm.now()
    }

    fn advance(&self, seconds: u32) {
        self.crm.advance(seconds);
    }

    fn lose(&self, object: &'static str, lost: Lost) {
        self.crm.lose(object, lost);
    }

    fn refuse(&self) {
        self.crm.close(true);
    }

    fn allow(&self) {
        self.crm.close(false);
    }

    fn end_credential(&self) {
        self.crm.replace_key("another-key-0123456789");
    }

    async fn reconnect(&self) -> Result<()> {
        let key = Secret::new("another-key-0123456789");
        self.plugin.broker().connect_api_key(&self.connection, "tiny", Self::ORIGIN, key, &Asker::operator()).await?;
        Ok(())
    }
}
