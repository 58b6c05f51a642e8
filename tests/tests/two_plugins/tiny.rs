//! What only `tiny-crm` shows: its slot, its size, its memos, and what it does not export.

use acceptance::{
    invented_crm::{INDUSTRIES, Lost},
    samples,
    system::unexpected,
};
use anyhow::Result;
use crm_booking::Mapping;
use crm_host::types::{Effect, FieldType, Outcome, Reaction};
use serde_json::json;

use crate::{
    bed::{Bed as _, Tiny},
    ledger::Ledger,
};

#[tokio::test]
async fn a_missing_interface_is_reported_as_such() -> Result<()> {
    let tiny = Tiny::start().await?;
    let exports = tiny.plugin().exports();
    assert!(exports.settings && exports.connection && !exports.guidance);
    assert_eq!(tiny.plugin().codes().await.err().map(|error| error.code()), Some("not-exported"));
    Ok(())
}

#[tokio::test]
async fn the_key_is_attached_in_its_own_header_to_its_own_origin() -> Result<()> {
    let tiny = Tiny::start().await?;
    let mapped = tiny.mapped().await?;
    Ledger::default().deliver(&tiny, &samples::booking()?, &mapped).await?;
    for request in tiny.script.seen() {
        assert_eq!(request.headers()["x-tiny-key"], Tiny::KEY);
        assert!(request.headers().get("authorization").is_none());
        assert!(request.uri().to_string().starts_with("https://acme.tiny-crm.example/v1/"), "{}", request.uri());
    }
    Ok(())
}

#[tokio::test]
async fn targets_are_asked_for_and_fields_have_names_in_kana_and_any_number_of_choices() -> Result<()> {
    let tiny = Tiny::start().await?;
    let targets = tiny.plugin().list_targets(tiny.connection(), "ja").await?.answer.map_err(unexpected)?;
    assert_eq!(targets.iter().map(|target| target.value.as_str()).collect::<Vec<_>>(), ["inbound", "events"]);

    for target in [None, Some("events")] {
        let called = tiny.plugin().list_lead_fields(tiny.connection(), target, "ja").await?;
        let listed = called.answer.map_err(unexpected)?;
        let required: Vec<_> =
            listed.fields.iter().filter(|field| field.required).map(|field| field.name.as_str()).collect();
        assert_eq!(required, ["なまえ", "めーる", "にちじ"]);
        assert_eq!(listed.withheld[0].name, "ばんごう");
        let industry = listed.fields.iter().find(|field| field.name == "ぎょうしゅ").expect("listed");
        assert_eq!((&industry.field_type, industry.choices.len()), (&FieldType::Choice, INDUSTRIES));
        assert!(industry.memo.len() < 4_096, "the memo does not grow with the choices");
    }
    let unknown = tiny.plugin().list_lead_fields(tiny.connection(), Some("nowhere"), "ja").await?.answer;
    assert_eq!(unknown.expect_err("no such target").code, "target-unknown");
    Ok(())
}

#[tokio::test]
async fn a_memo_saves_the_request_for_the_fields_and_a_stale_one_refuses_nothing() -> Result<()> {
    let tiny = Tiny::start().await?;
    let mut mapped = tiny.mapped().await?;
    let booking = samples::booking()?;
    let requests = async |mapped: &samples::Mapped, id: &str| -> Result<Vec<String>> {
        tiny.crm.take_requests();
        let booking = crm_booking::Booking { id: id.to_owned(), ..booking.clone() };
        let (_, outcome) = Ledger::default().deliver(&tiny, &booking, mapped).await?;
        assert_eq!(outcome, Outcome::Created);
        Ok(tiny.crm.take_requests())
    };
    let asks = "GET /v1/pipelines/inbound/fields".to_owned();
    assert!(requests(&mapped, "1").await?.contains(&asks), "a memo without the choice does not settle it");

    let code = r#"{"kind":"choice","of":"lead","choices":[{"code":"4821","label":"業種4821"}]}"#;
    mapped.memos.replace("ぎょうしゅ", code.to_owned());
    assert!(!requests(&mapped, "2").await?.contains(&asks), "the memo settles it");

    for stale in [
        "",
        "not JSON",
        // The limit was raised since.
        r#"{"kind":"text","of":"person","max":3,"required":true}"#,
        // It had another type, as one that this version does not know.
        r#"{"kind":"flag","of":"person"}"#,
        r#"{"kind":"colour","of":"person"}"#,
    ] {
        mapped.memos.replace("かいしゃ", stale.to_owned());
        let id = format!("stale {stale}");
        assert!(requests(&mapped, &id).await?.contains(&asks), "{stale}");
        let leads = tiny.crm.records("lead");
        assert_eq!(leads.last().and_then(|lead| lead.values.get("ぎょうしゅ")?.as_str()), Some("4821"), "{stale}");
    }
    assert!(tiny.crm.records("person").iter().all(|person| person.values["かいしゃ"] == "Nordwind GmbH & Co. KG"));
    Ok(())
}

#[tokio::test]
async fn a_date_is_taken_as_it_is_written_and_never_from_utc() -> Result<()> {
    let tiny = Tiny::start().await?;
    let mut mapping = tiny.mapping();
    let day = json!({ "field": "ひにち", "source": { "booking": "start" } });
    mapping["rows"].as_array_mut().expect("rows").push(day);
    let listed = tiny.plugin().list_lead_fields(tiny.connection(), None, "ja").await?.answer.map_err(unexpected)?;
    let mapped = samples::mapping_of(mapping, &listed)?;
    Ledger::default().deliver(&tiny, &samples::booking()?, &mapped).await?;
    let lead = tiny.crm.records("lead").remove(0).values;
    assert_eq!(lead["にちじ"], "2026-12-02T08:30:00+09:00");
    assert_eq!(lead["ひにち"], "2026-12-02", "in UTC it is still the day before");
    Ok(())
}

#[tokio::test]
async fn in_doubt_every_problem_but_a_lost_connection_asks_to_check_first() -> Result<()> {
    let tiny = Tiny::start().await?;
    let mapped = tiny.mapped().await?;
    let booking = samples::booking()?;
    tiny.crm.overload(true);
    let mut ledger = Ledger::default();
    let busy = ledger.attempt(&tiny, &booking, &mapped).await?.expect_err("busy");
    assert_eq!((busy.reaction, busy.effect), (Reaction::Retry, Effect::None), "nothing is in doubt");
    tiny.crm.overload(false);

    tiny.crm.lose("person", Lost::Before);
    ledger.attempt(&tiny, &booking, &mapped).await?.expect_err("lost");
    let early = ledger.attempt(&tiny, &booking, &mapped).await?.expect_err("too early");
    assert_eq!((early.code.as_str(), &early.reaction), ("too-early", &Reaction::CheckFirst));
    assert_eq!((early.retry_after, early.effect), (Some(100), Effect::None));
    tiny.crm.advance(100);
    tiny.take_writes();

    tiny.crm.overload(true);
    let busy = ledger.attempt(&tiny, &booking, &mapped).await?.expect_err("busy");
    assert_eq!((busy.reaction, busy.retry_after), (Reaction::CheckFirst, Some(60)));
    tiny.crm.overload(false);

    // The mapping has lost what the person is looked for by.
    let rows = mapped.mapping.rows().iter().filter(|row| row.field != "めーる").cloned().collect();
    let target = mapped.mapping.target().map(str::to_owned);
    let mapping = Mapping::new(target, rows, mapped.mapping.options().clone())?;
    let without = samples::Mapped { mapping, memos: mapped.memos.clone() };
    let blind = ledger.attempt(&tiny, &booking, &without).await?.expect_err("nothing to look for");
    assert_eq!((blind.reaction, blind.retry_after), (Reaction::CheckFirst, None), "a person must look");

    tiny.crm.replace_key("another-key-0123456789");
    let refused = ledger.attempt(&tiny, &booking, &mapped).await?.expect_err("the key was replaced");
    assert_eq!(refused.reaction, Reaction::Reconnect);
    assert_eq!(tiny.take_writes(), 0);
    tiny.reconnect().await?;
    assert_eq!(ledger.deliver(&tiny, &booking, &mapped).await?, (1, Outcome::Created));
    Ok(())
}
