//! A booking never becomes two Leads, whatever happens on the way.

use acceptance::samples::{self, Mapped, after_unknown, first_try, record_id};
use acceptance::system::System;
use anyhow::Result;
use crm_host::types::{Effect, Outcome, Reaction};
use salesforce_local_org::Fault;
use serde_json::json;

/// A mapping without a key field, so that only a lookup can find the Lead.
async fn plain(system: &System) -> Result<Mapped> {
    let fields = system.fields().await?;
    let rows = json!({ "rows": [
        { "field": "LastName", "source": { "booking": "guest.family-name" } },
        { "field": "Company", "source": { "booking": "guest.company" } },
        { "field": "Email", "source": { "booking": "guest.email" } }
    ] });
    samples::mapping_of(rows, &fields)
}

fn create() -> [&'static str; 2] {
    ["POST", "/services/data/*/sobjects/Lead*"]
}

#[tokio::test]
async fn a_lost_reply_never_makes_a_second_lead() -> Result<()> {
    for keyed in [true, false] {
        let system = System::start().await?;
        let mapping = if keyed { system.example_mapping().await? } else { plain(&system).await? };
        let booking = samples::japanese_booking()?;
        let began = system.time(0);
        let [method, path] = create();
        system.org().add_fault(Fault::drop_after_commit().on(method, path));

        let lost = system.deliver(&booking, &mapping, &first_try(began)).await?.answer.expect_err("lost");
        assert_eq!((&lost.reaction, lost.effect), (&Reaction::CheckFirst, Effect::Unknown), "keyed {keyed}: {lost:?}");
        assert_eq!(system.org().leads().len(), 1, "the org created the Lead");

        system.org().clear_requests();
        let history = after_unknown(system.time(60), began);
        let found = system.deliver(&booking, &mapping, &history).await?.answer.expect("found");
        assert_eq!(found.outcome, Outcome::AlreadyDelivered, "keyed {keyed}");
        assert_eq!(system.org().leads().len(), 1);
        assert!(system.api_calls().len() <= 3, "at most three API calls after an unknown outcome");
    }
    Ok(())
}

#[tokio::test]
async fn a_request_that_never_arrived_is_delivered_once_later() -> Result<()> {
    let system = System::start().await?;
    let mapping = plain(&system).await?;
    let booking = samples::japanese_booking()?;
    let began = system.time(0);
    let [method, path] = create();
    system.org().add_fault(Fault::drop_before_commit().on(method, path));
    let lost = system.deliver(&booking, &mapping, &first_try(began)).await?.answer.expect_err("lost");
    assert_eq!(lost.reaction, Reaction::CheckFirst);
    assert!(system.org().leads().is_empty());

    let history = |now| after_unknown(now, began);
    // The org may still be processing it: finding nothing proves nothing yet.
    let early = system.deliver(&booking, &mapping, &history(system.time(60))).await?.answer.expect_err("too early");
    // A try that only looked has no effect, so that it never becomes the newest unknown one.
    assert_eq!((early.reaction, early.effect), (Reaction::CheckFirst, Effect::None));
    assert!(early.retry_after.is_some_and(|seconds| seconds > 0));
    assert!(system.org().leads().is_empty());

    let late = system.deliver(&booking, &mapping, &history(system.time(3_600))).await?.answer.expect("delivered");
    assert_eq!(late.outcome, Outcome::Created);
    assert_eq!(system.org().leads().len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_repeated_delivery_with_a_key_changes_nothing() -> Result<()> {
    let system = System::start().await?;
    let mapping = system.example_mapping().await?;
    let booking = samples::japanese_booking()?;
    let now = system.time(0);
    let first = system.deliver(&booking, &mapping, &first_try(now)).await?.answer.expect("delivered");
    let before = system.org().leads();
    let again = system.deliver(&booking, &mapping, &first_try(now)).await?.answer.expect("already there");
    assert_eq!(again.outcome, Outcome::AlreadyDelivered);
    assert_eq!(record_id(&again), record_id(&first));
    assert_eq!(system.org().leads(), before);
    Ok(())
}

#[tokio::test]
async fn an_invalid_email_is_left_blank_and_its_finding_names_row_and_question() -> Result<()> {
    let system = System::start().await?;
    let mapping = system.example_mapping().await?;
    let mut booking = samples::japanese_booking()?;
    // The guest's answer is not an email address. Salesforce would reject it, so it must not be sent as it is.
    for answer in &mut booking.answers {
        if answer.label == "メールアドレス" {
            answer.value = Some(crm_booking::AnswerValue::Text("not an address".into()));
        }
    }
    let delivery = system.deliver(&booking, &mapping, &first_try(system.time(0))).await?.answer.expect("delivered");
    let explained = mapping.resolve(&booking).origins.explain(delivery.findings[0].clone());
    assert_eq!(explained.finding.fields, ["Email"]);
    assert_eq!(explained.finding.rows, [3]);
    assert_eq!(explained.questions[0].id, "q3-メールアドレス");
    assert_eq!(explained.value.as_deref(), Some("not an address"));
    assert!(system.org().leads()[0]["Email"].is_null());
    Ok(())
}
