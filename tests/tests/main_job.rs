//! The main job with the real component over real sockets: a confirmed booking becomes a Lead.

use acceptance::samples::{self, first_try};
use acceptance::system::{NOW, System};
use anyhow::Result;
use crm_host::types::{History, Outcome, PlannedAction, Reaction, Source, WithheldReason};
use salesforce_local_org::Fault;
use serde_json::{Value, json};

#[tokio::test]
async fn a_booking_becomes_a_lead_in_one_request_with_every_value_as_the_guest_typed_it() -> Result<()> {
    let system = System::start().await?;
    let mapping = system.example_mapping().await?;
    let called = system.deliver(&samples::japanese_booking()?, &mapping, &first_try(NOW)).await?;
    let delivery = called.answer.expect("delivered");
    assert_eq!(delivery.outcome, Outcome::Created);
    assert_eq!(delivery.findings, []);

    let calls = system.api_calls();
    assert_eq!(calls.len(), 1, "a plain booking costs one API call");
    assert_eq!((calls[0].method.as_str(), calls[0].status), ("POST", Some(201)));

    let leads = system.org().leads();
    assert_eq!(leads.len(), 1);
    let lead = &leads[0];
    assert_eq!(lead["Id"], Value::from(delivery.lead_id.as_str()));
    for (field, expected) in [
        ("LastName", "高橋"),
        ("FirstName", "美咲"),
        ("Company", "株式会社みなとソフト"),
        ("Email", "Misaki.Takahashi@minato-soft.example"),
        ("MeetingType__c", "Consultation"),
        ("Interests__c", "Recruiting;Sales"),
        ("MeetingAt__c", "2026-12-01T23:30:00.000+0000"),
        ("PreferredDate__c", "2026-12-02"),
        ("Questions__c", "予約の転記をなくしたい。\n「O'Hara & 高橋」の二人で参加します。🙇‍♀️"),
        ("Description", "導入相談（30分） / 鈴木 一郎 / 2026-冬"),
        ("LeadSource", "Web"),
    ] {
        assert_eq!(lead[field], Value::from(expected), "{field}");
    }
    assert_eq!(lead["Headcount__c"].as_f64(), Some(120.0), "full-width digits are parsed as a number");
    Ok(())
}

#[tokio::test]
async fn a_booking_in_the_native_format_becomes_a_lead() -> Result<()> {
    let system = System::start().await?;
    let fields = system.fields().await?;
    let mapping = samples::mapping("mapping.json", &fields.fields)?;
    let delivery = system.deliver(&samples::booking()?, &mapping, &first_try(NOW)).await?.answer.expect("delivered");
    let leads = system.org().leads();
    assert_eq!(leads[0]["Id"], Value::from(delivery.lead_id.as_str()));
    assert_eq!(leads[0]["LastName"], "Weiß");
    assert_eq!(leads[0]["FirstName"], "Anna-Lena");
    assert_eq!(leads[0]["Email"], "anna-lena.weiss+booking@nordwind.example");
    Ok(())
}

#[tokio::test]
async fn mappable_fields_are_listed_required_first_and_withheld_ones_have_a_reason() -> Result<()> {
    let system = System::start().await?;
    let listed = system.fields().await?;
    let required: Vec<_> = listed.fields.iter().take_while(|field| field.required).map(|field| &field.name).collect();
    assert_eq!(required, ["Company", "LastName"]);
    assert_eq!(listed.fields.iter().filter(|field| field.required).count(), 2);

    let field = |name: &str| listed.fields.iter().find(|field| field.name == name).expect("offered");
    assert_eq!(field("LastName").length, Some(80));
    assert_eq!(field("LastName").suggested_source, Some(Source::Booking("guest.family-name".into())));
    assert_eq!(field("Email").suggested_source, Some(Source::Booking("guest.email".into())));
    let booking_id = field("BookingId__c");
    assert!(booking_id.external_id && booking_id.unique);
    let kinds = field("MeetingType__c");
    assert!(kinds.restricted);
    assert!(kinds.values.iter().any(|value| value.label == "ご相談" && value.active));
    assert!(kinds.values.iter().any(|value| value.label == "旧区分" && !value.active));

    let withheld = |name: &str| listed.withheld.iter().find(|field| field.name == name).map(|field| field.reason);
    assert_eq!(withheld("Introduction__c"), Some(WithheldReason::Calculated));
    assert_eq!(withheld("Name"), Some(WithheldReason::Compound));
    assert_eq!(withheld("Id"), Some(WithheldReason::System));
    assert_eq!(withheld("LastName"), None);
    Ok(())
}

#[tokio::test]
async fn a_preview_writes_nothing_and_shows_what_delivery_writes() -> Result<()> {
    let system = System::start().await?;
    let mapping = system.example_mapping().await?;
    let booking = samples::japanese_booking()?;
    let preview = system.plugin.preview(&system.connection, &booking, &mapping).await?.answer.expect("previewed");
    assert_eq!(preview.action, PlannedAction::Create);
    assert!(system.org().leads().is_empty(), "a preview writes nothing");

    system.deliver(&booking, &mapping, &first_try(NOW)).await?.answer.expect("delivered");
    let lead = &system.org().leads()[0];
    for value in preview.values.iter().filter(|value| value.field != "MeetingAt__c") {
        let promised: Value = serde_json::from_str(&value.json)?;
        let equal = match (promised.as_f64(), lead[&value.field].as_f64()) {
            (Some(promised), Some(written)) => promised == written,
            _ => promised == lead[&value.field],
        };
        assert!(equal, "{}: {promised} was promised, {} written", value.field, lead[&value.field]);
    }
    Ok(())
}

#[tokio::test]
async fn a_refusal_by_the_org_names_the_row_and_the_question() -> Result<()> {
    let system = System::start().await?;
    let rows = json!([
        { "field": "LastName", "source": { "booking": "guest.family-name" } },
        { "field": "Company", "source": { "answer": "q1-会社名" } },
    ]);
    let mapping = samples::mapping_of(json!({ "rows": rows }), &system.fields().await?.fields)?;
    let body = json!([{ "message": "Use the registered name.", "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "fields": ["Company"] }]);
    let refusal = Fault::answer(400, "application/json;charset=UTF-8", body.to_string());
    system.org().add_fault(refusal.on("POST", "/services/data/*/sobjects/Lead*").times(3));
    let called = system.deliver(&samples::japanese_booking()?, &mapping, &first_try(NOW)).await?;
    let problem = called.answer.expect_err("refused");
    assert_eq!(problem.code, "FIELD_CUSTOM_VALIDATION_EXCEPTION");
    assert_eq!((problem.rows, problem.question_ids), (vec![1], vec!["q1-会社名".to_owned()]));
    assert!(system.org().leads().is_empty());
    Ok(())
}

#[tokio::test]
async fn every_other_export_works() -> Result<()> {
    let system = System::start().await?;
    let mapping = system.example_mapping().await?;

    let account = system.plugin.check_connection(&system.connection).await?.answer.expect("works");
    assert_eq!(account.instance_url, system.org().base_url());
    assert_eq!(account.org_id, system.org().id());
    assert!(account.daily_calls.is_some_and(|calls| calls.used > 0 && calls.allowed >= calls.used));

    let findings = system.plugin.check_mapping(&system.connection, &mapping, &[]).await?.answer.expect("checked");
    assert!(
        findings.iter().any(|finding| !finding.question_ids.is_empty()),
        "a form without questions causes findings"
    );

    let groups = system.plugin.options().await?.answer;
    for id in ["existing", "duplicates", "booking-id-field", "assignment-rules", "record-type", "owner"] {
        let group = groups.iter().find(|group| group.id == id).expect(id);
        assert!(group.choices.iter().any(|choice| choice.value == group.default_value), "{id}");
        let locales: Vec<_> = group.label.iter().map(|text| text.locale.as_str()).collect();
        assert!(locales.contains(&"ja") && locales.contains(&"en"), "{id}: {locales:?}");
    }

    let error = crm_host::types::OauthError {
        stage: crm_host::types::OauthStage::Refresh,
        error: "invalid_grant".into(),
        description: Some("expired access/refresh token".into()),
        http_status: Some(400),
    };
    let explained = system.plugin.explain(&error).await?.answer;
    assert_eq!(explained.reaction, Reaction::Reconnect);

    let codes = system.plugin.codes().await?.answer;
    assert!(codes.contains(&explained.code));
    for locale in ["ja", "en"] {
        let advice = system.plugin.advice(&explained.code, locale).await?.answer.expect("advice");
        assert_eq!(advice.locale, locale);
        assert!(!advice.steps.is_empty());
    }
    assert!(system.plugin.advice("no-such-code", "en").await?.answer.is_none());
    Ok(())
}

#[tokio::test]
async fn the_fuel_of_a_booking_does_not_grow() -> Result<()> {
    let system = System::start().await?;
    let (booking, mapping) = samples::full_booking(&system.fields().await?.fields)?;
    let called = system.deliver(&booking, &mapping, &first_try(NOW)).await?;
    let lead = called.answer.expect("delivered");
    assert_eq!(lead.findings, []);
    let fuel = called.usage.fuel.expect("this host counts fuel");
    let history = History { lead_id: Some(lead.lead_id), ..first_try(NOW) };
    let repeated = system.deliver(&booking, &mapping, &history).await?.usage.fuel.expect("this host counts fuel");
    println!("{fuel} instructions, {repeated} of them to read the booking and the mapping");
    // The goal is 80,000. Until it is reached, this limit is five percent above the measured 140,682.
    assert!(fuel <= 147_700, "{fuel}");
    Ok(())
}

#[tokio::test]
async fn listing_the_fields_of_a_large_org_stays_within_its_fuel_and_memory() -> Result<()> {
    let system = System::named("many-fields").await?;
    let called = system.plugin.list_lead_fields(&system.connection).await?;
    let listed = called.answer.expect("listed");
    assert_eq!(listed.fields.len() + listed.withheld.len(), 842);
    let fuel = called.usage.fuel.expect("this host counts fuel");
    let memory = called.usage.memory_bytes;
    println!("{fuel} instructions and {memory} bytes of memory to list 842 fields");
    assert!(fuel <= 60_000_000, "{fuel}");
    assert!(memory <= 4 << 20, "{memory}");
    Ok(())
}
