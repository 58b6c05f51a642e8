//! Strings of 4,000 characters in lookups and writes, with the real component and an org that parses SOQL.

use crate::odd::NASTY;
use acceptance::samples::{self, Mapped, after_unknown, first_try};
use acceptance::system::System;
use anyhow::Result;
use crm_booking::Booking;
use crm_host::types::{History, Outcome};
use salesforce_local_org::Fault;
use serde_json::json;

const CHARACTERS: usize = 4_000;

/// A text repeated to 4,000 characters.
fn long(text: &str) -> String {
    text.chars().cycle().take(CHARACTERS).collect()
}

/// A mapping whose lookups use only such strings.
async fn mapping(system: &System) -> Result<Mapped> {
    let rows = json!({ "rows": [
        { "field": "LastName", "source": { "booking": "guest.family-name" } },
        { "field": "Company", "source": { "booking": "guest.company" } },
        { "field": "Description", "source": { "booking": "comment" } }
    ] });
    samples::mapping_of(rows, &system.fields().await?)
}

fn booking(text: &str) -> Result<Booking> {
    let mut booking = samples::japanese_booking()?;
    booking.guest.family_name = Some(long(text));
    booking.guest.company = Some(long(text));
    booking.comment = Some(long(text));
    booking.guest.email = None;
    Ok(booking)
}

/// The history after a try that got no response.
fn after_a_lost_try(system: &System, began: u64) -> History {
    after_unknown(system.time(60), began)
}

#[tokio::test]
async fn a_lead_with_any_text_is_found_again_after_a_lost_reply() -> Result<()> {
    let system = System::start().await?;
    let mapping = mapping(&system).await?;
    for text in NASTY.iter().filter(|text| text.chars().any(|character| character.is_alphanumeric())) {
        let booking = booking(text)?;
        let began = system.time(0);
        system.org().add_fault(Fault::drop_after_commit().on("POST", "*/sobjects/Lead"));
        let lost = system.deliver(&booking, &mapping, &first_try(began)).await?.answer;
        assert!(lost.is_err(), "{text:?}");
        system.org().clear_faults();
        let before = system.org().leads().len();
        let found = system.deliver(&booking, &mapping, &after_a_lost_try(&system, began)).await?.answer;
        let found = found.map_err(|problem| anyhow::anyhow!("{text:?}: {problem:?}"))?;
        assert_eq!((found.outcome, system.org().leads().len()), (Outcome::AlreadyDelivered, before), "{text:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_booking_with_any_id_is_found_by_its_key() -> Result<()> {
    let system = System::start().await?;
    let mapping = mapping(&system).await?;
    let mapping = mapping.with_option("booking-id-field", "BookingId__c")?.with_option("duplicates", "save-anyway")?;
    for text in NASTY.iter().filter(|text| !text.chars().any(|character| character.is_control())) {
        let booking = Booking { id: (*text).into(), ..booking("山田")? };
        let now = system.time(0);
        let first = system.deliver(&booking, &mapping, &first_try(now)).await?.answer;
        let first = first.map_err(|problem| anyhow::anyhow!("{text:?}: {problem:?}"))?;
        assert_eq!(first.outcome, Outcome::Created, "{text:?}");
        let again = system.deliver(&booking, &mapping, &after_a_lost_try(&system, now)).await?.answer;
        let again = again.map_err(|problem| anyhow::anyhow!("{text:?}: {problem:?}"))?;
        assert_eq!(
            (&again.outcome, samples::record_id(&again)),
            (&Outcome::AlreadyDelivered, samples::record_id(&first)),
            "{text:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_guest_with_any_address_is_found_by_it() -> Result<()> {
    let system = System::start().await?;
    let rows = json!({ "rows": [
        { "field": "LastName", "source": { "booking": "guest.family-name" } },
        { "field": "Company", "source": { "booking": "guest.company" } },
        { "field": "Email", "source": { "booking": "guest.email" } }
    ], "options": { "existing": "keep", "duplicates": "save-anyway" } });
    let mapping = samples::mapping_of(rows, &system.fields().await?)?;
    for local in ["o'neil", "a+b", "100%", "under_score", "x%27y", "a&b=c", "#1/2?", "'--", "{a}|b~c^d`e"] {
        let mut booking = booking("山田")?;
        booking.guest.email = Some(format!("{local}@example.org"));
        let delivered = |number: u32| Booking { id: format!("{local}-{number}"), ..booking.clone() };
        let first = system.deliver(&delivered(1), &mapping, &first_try(system.time(0))).await?.answer;
        let first = first.map_err(|problem| anyhow::anyhow!("{local}: {problem:?}"))?;
        assert_eq!((&first.outcome, first.findings.len()), (&Outcome::Created, 2), "{local}: {:?}", first.findings);
        let second = system.deliver(&delivered(2), &mapping, &first_try(system.time(0))).await?.answer;
        let second = second.map_err(|problem| anyhow::anyhow!("{local}: {problem:?}"))?;
        assert_eq!(
            (&second.outcome, samples::record_id(&second)),
            (&Outcome::Kept, samples::record_id(&first)),
            "{local}"
        );
    }
    Ok(())
}
