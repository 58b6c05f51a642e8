//! An org of a file, a mapping and bookings, made in a few words.

use acceptance::{
    samples::{self, Mapped, record_id},
    system::{System, unexpected},
};
use anyhow::{Context as _, Result};
use crm_booking::{Booking, Explained, Question};
use crm_contract::{Delivery, FieldList, Finding, PreviewResult, Problem};
use salesforce_local_org::OrgFile;
use serde_json::{Value, json};

/// The time of the host in all cases: 2026-11-24T09:05:10Z.
pub const NOW: u64 = 1_795_511_110_000;

/// The real plugin, connected over real sockets to an org, with its fields listed.
pub struct Bed {
    /// The system.
    pub system: System,
    listed: FieldList,
}

impl Bed {
    /// An org of an org file's text.
    pub async fn of(org: &str) -> Result<Self> {
        let system = System::with_org(OrgFile::parse(org)?).await?;
        let listed = system.fields().await?;
        Ok(Self { system, listed })
    }

    /// A mapping of the guest's name, company and email address, and of further fields with their sources in JSON.
    pub fn mapping<'a>(&self, further: impl IntoIterator<Item = (&'a str, Value)>) -> Result<Mapped> {
        let usual = [
            ("LastName", json!({ "booking": "guest.family-name" })),
            ("FirstName", json!({ "booking": "guest.given-name" })),
            ("Company", json!({ "booking": "guest.company" })),
            ("Email", json!({ "booking": "guest.email" })),
        ];
        let rows: Vec<Value> = usual
            .into_iter()
            .chain(further)
            .map(|(field, source)| json!({ "id": field, "field": field, "source": source }))
            .collect();
        samples::mapping_of(json!({ "rows": rows }), &self.listed)
    }

    /// What a preview says.
    pub async fn preview(&self, booking: &Booking, mapped: &Mapped) -> Result<Result<PreviewResult, Problem>> {
        self.system.preview(booking, mapped).await
    }

    /// What a preview says that looks for an existing Lead, so that it asks the org.
    pub async fn preview_looking(&self, booking: &Booking, mapped: &Mapped) -> Result<Result<PreviewResult, Problem>> {
        self.system.preview(booking, &mapped.with_option("existing", "keep")?).await
    }

    /// How a first try ends.
    pub async fn deliver(&self, booking: &Booking, mapped: &Mapped) -> Result<Result<Delivery, Problem>> {
        Ok(self.system.deliver(booking, mapped, &samples::first_try(NOW)).await?.answer)
    }

    /// What a booking becomes. The preview must promise what the org then stores.
    pub async fn written(&self, booking: &Booking, mapped: &Mapped, field: &str) -> Result<Written> {
        let host = mapped.resolve(booking).findings.into_iter().map(|explained| explained.finding);
        let promised = self.preview(booking, mapped).await?.map_err(unexpected)?;
        let step = promised.steps.first().context("a step")?;
        let promised = step.values.iter().find(|value| value.field == field).map(|value| value.json.clone());
        let promised = promised.map_or(Ok(Value::Null), |json| serde_json::from_str(&json))?;
        let delivery = self.deliver(booking, mapped).await?.map_err(unexpected)?;
        let is_it = |lead: &Value| lead.get("Id").and_then(Value::as_str) == Some(record_id(&delivery));
        let lead = self.system.org().leads().into_iter().find(is_it).context("the Lead")?;
        let stored = lead.get(field).cloned().unwrap_or_default();
        let findings: Vec<Finding> = host.chain(delivery.findings).collect();
        Ok(Written { stored, promised, findings })
    }

    /// What a check finds.
    pub async fn check(&self, mapped: &Mapped, questions: &[Question]) -> Result<Result<Vec<Explained>, Problem>> {
        self.system.check(mapped, questions).await
    }
}

/// What became of a value.
#[derive(Debug)]
pub struct Written {
    /// In the org.
    pub stored: Value,
    /// In the preview.
    pub promised: Value,
    /// The findings, the host's first.
    pub findings: Vec<Finding>,
}

impl Written {
    /// Codes of the findings.
    pub fn codes(&self) -> Vec<&str> {
        self.findings.iter().map(|finding| finding.code.as_str()).collect()
    }

    /// The particular of the first finding that has one of this name.
    pub fn particular(&self, name: &str) -> Option<&str> {
        let mut all = self.findings.iter().flat_map(|finding| &finding.particulars);
        all.find(|particular| particular.name == name).map(|particular| particular.value.as_str())
    }
}

/// A booking with answers: question id and value, each a question of kind `text` unless the value is a list.
pub fn booking<'a>(answers: impl IntoIterator<Item = (&'a str, Value)>) -> Result<Booking> {
    let answers: Vec<Value> = answers
        .into_iter()
        .map(|(question, value)| {
            let kind = if value.is_array() { "checkboxes" } else { "text" };
            json!({ "question_id": question, "label": question, "kind": kind, "required": false, "value": value })
        })
        .collect();
    booking_with(json!({ "answers": answers }))
}

/// A booking with some members replaced.
pub fn booking_with(members: Value) -> Result<Booking> {
    let mut booking = json!({
        "kind": "confirmed",
        "id": "bk-1",
        "team": { "id": "t1", "name": "T" },
        "calendar": { "id": "c1", "name": "Cal" },
        "title": "Intro",
        "start": "2026-12-02T08:30:00+09:00",
        "end": "2026-12-02T09:00:00+09:00",
        "confirmed_at": "2026-11-24T18:05:09+09:00",
        "time_zone": "Asia/Tokyo",
        "guest": { "name": "高橋 美咲", "email": "misaki@example.com", "company": "株式会社みなと", "locale": "ja" },
    });
    if let (Value::Object(booking), Value::Object(members)) = (&mut booking, members) {
        booking.extend(members);
    }
    let received = crm_intake::Intake::read(&crm_intake::Native, &booking.to_string(), None)?;
    Ok(received.booking().context("a booking")?.booking)
}
