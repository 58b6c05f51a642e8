//! The main job with the real component over real sockets: a confirmed booking becomes a Lead.

use acceptance::samples::{self, first_try, record_id, with_lead};
use acceptance::system::{NOW, System};
use anyhow::Result;
use crm_booking::Resolved;
use crm_host::types::{Outcome, PlannedAction, Reaction, Value as RowValue};
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
    assert_eq!(lead["Id"], Value::from(record_id(&delivery)));
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
    let mapping = samples::mapping("mapping.json", &system.fields().await?)?;
    let delivery = system.deliver(&samples::booking()?, &mapping, &first_try(NOW)).await?.answer.expect("delivered");
    let leads = system.org().leads();
    assert_eq!(leads[0]["Id"], Value::from(record_id(&delivery)));
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
    assert_eq!(field("LastName").suggested_source.as_deref(), Some("guest.family-name"));
    assert_eq!(field("Email").suggested_source.as_deref(), Some("guest.email"));
    let kinds = field("MeetingType__c");
    assert!(kinds.choices.iter().any(|choice| choice.label == "ご相談" && choice.active));
    assert!(kinds.choices.iter().any(|choice| choice.label == "旧区分" && !choice.active));
    for field in &listed.fields {
        assert!(
            !field.memo.is_empty() && field.memo.len() <= 4_096,
            "{}: a memo of {} bytes",
            field.name,
            field.memo.len()
        );
    }

    let withheld = |name: &str| listed.withheld.iter().find(|field| field.name == name).map(|field| &*field.reason);
    for (name, reason) in [("Introduction__c", "calculated"), ("Name", "compound"), ("Id", "system")] {
        let found = withheld(name).unwrap_or_default();
        assert!(found.contains(reason), "{name}: {found}");
        assert!(system.plugin.advice(found, &[], "ja").await?.answer.is_some(), "{found} is explained");
    }
    assert_eq!(withheld("LastName"), None);
    Ok(())
}

#[tokio::test]
async fn a_preview_writes_nothing_and_shows_what_delivery_writes() -> Result<()> {
    let system = System::start().await?;
    let mapping = system.example_mapping().await?;
    let booking = samples::japanese_booking()?;
    let preview = system.preview(&booking, &mapping).await?.expect("previewed");
    let [step] = preview.steps.as_slice() else { panic!("{} steps", preview.steps.len()) };
    assert_eq!((step.object.as_str(), &step.action), ("Lead", &PlannedAction::Create));
    assert!(system.org().leads().is_empty(), "a preview writes nothing");

    system.deliver(&booking, &mapping, &first_try(NOW)).await?.answer.expect("delivered");
    let lead = &system.org().leads()[0];
    for value in step.values.iter().filter(|value| value.field != "MeetingAt__c") {
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
    let mapping = samples::mapping_of(json!({ "rows": rows }), &system.fields().await?)?;
    let body = json!([{ "message": "Use the registered name.", "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "fields": ["Company"] }]);
    let refusal = Fault::answer(400, "application/json;charset=UTF-8", body.to_string());
    system.org().add_fault(refusal.on("POST", "/services/data/*/sobjects/Lead*").times(3));
    let called = system.deliver(&samples::japanese_booking()?, &mapping, &first_try(NOW)).await?;
    let problem =
        mapping.resolve(&samples::japanese_booking()?).origins.explain_problem(called.answer.expect_err("refused"));
    assert_eq!(problem.problem.code, "FIELD_CUSTOM_VALIDATION_EXCEPTION");
    assert_eq!((problem.problem.rows, problem.questions[0].id.as_str()), (vec![1], "q1-会社名"));
    assert!(system.org().leads().is_empty());
    Ok(())
}

#[tokio::test]
async fn every_other_export_works() -> Result<()> {
    let system = System::start().await?;
    let mapping = system.example_mapping().await?;

    let account = system.plugin.check_connection(&system.connection, "en").await?.answer.expect("works");
    assert_eq!(account.id, system.org().id());
    let fact = |id: &str| account.facts.iter().find(|fact| fact.id == id).map_or("", |fact| &fact.value);
    assert_eq!(fact("instance-url"), system.org().base_url());
    let calls: Vec<u32> = fact("daily-calls").split('/').filter_map(|number| number.parse().ok()).collect();
    assert!(matches!(calls.as_slice(), [used, allowed] if used > &0 && allowed >= used), "{calls:?}");

    let findings = system.check(&mapping, &[]).await?.expect("checked");
    assert!(findings.iter().any(|finding| !finding.questions.is_empty()), "a form without questions causes findings");

    let targets = system.plugin.list_targets(&system.connection, "ja").await?.answer.expect("listed");
    assert_eq!(targets.iter().map(|target| (&*target.value, &*target.label)).collect::<Vec<_>>(), [("Lead", "リード")]);
    let mut labels = Vec::new();
    for locale in ["ja", "en"] {
        let groups = system.plugin.options(&system.connection, Some("Lead"), locale).await?.answer.expect("listed");
        for id in ["existing", "duplicates", "booking-id-field", "assignment-rules", "record-type", "owner"] {
            let group = groups.iter().find(|group| group.id == id).expect(id);
            assert!(group.choices.iter().any(|choice| choice.value == group.default_value), "{id}");
            labels.push(group.label.clone());
        }
    }
    assert_eq!(
        labels.iter().collect::<std::collections::BTreeSet<_>>().len(),
        12,
        "labels in two languages: {labels:?}"
    );
    for (group, expected) in [("booking-id-field", "BookingId__c"), ("owner", "005")] {
        let called = system.plugin.list_choices(&system.connection, None, group, &[], "en").await?;
        let listed = called.answer.expect("listed");
        assert!(listed.iter().any(|choice| choice.value.starts_with(expected)), "{group}: {listed:?}");
    }

    let error = crm_host::types::OauthError {
        stage: crm_host::types::OauthStage::Refresh,
        code: Some("connection-ended".into()),
        http_status: Some(400),
        more: Vec::new(),
    };
    let explained = system.plugin.explain(&error).await?.answer;
    assert_eq!(explained.reaction, Reaction::Reconnect);

    let codes = system.plugin.codes().await?.answer;
    assert!(codes.contains(&explained.code));
    for locale in ["ja", "en"] {
        let advice = system.plugin.advice(&explained.code, &[], locale).await?.answer.expect("advice");
        assert_eq!(advice.locale, locale);
        assert!(!advice.steps.is_empty());
    }
    assert!(system.plugin.advice("no-such-code", &[], "en").await?.answer.is_none());
    Ok(())
}

#[tokio::test]
async fn the_fuel_of_a_booking_does_not_grow() -> Result<()> {
    let system = System::pooled().await?;
    let (booking, mapping) = samples::full_booking(&system.fields().await?)?;
    let called = system.deliver(&booking, &mapping, &first_try(NOW)).await?;
    let lead = called.answer.expect("delivered");
    assert_eq!(lead.findings, []);
    let fuel = called.usage.fuel.expect("this host counts fuel");
    let history = with_lead(NOW, record_id(&lead));
    let repeated = system.deliver(&booking, &mapping, &history).await?.usage.fuel.expect("this host counts fuel");
    println!("{fuel} instructions, {repeated} of them to read the booking and the mapping");
    // The goal is 80,000. Until it is reached, this limit is five percent above the measured 114,732.
    assert!(fuel <= 120_500, "{fuel}");
    Ok(())
}

#[tokio::test]
async fn listing_the_fields_of_a_large_org_stays_within_its_fuel_and_memory() -> Result<()> {
    let system = System::named("many-fields").await?;
    let called = system.plugin.list_lead_fields(&system.connection, None, "en").await?;
    let listed = called.answer.expect("listed");
    assert_eq!(listed.fields.len() + listed.withheld.len(), 842);
    let fuel = called.usage.fuel.expect("this host counts fuel");
    let memory = called.usage.memory_bytes;
    println!("{fuel} instructions and {memory} bytes of memory to list 842 fields");
    assert!(fuel <= 60_000_000, "{fuel}");
    assert!(memory <= 4 << 20, "{memory}");
    Ok(())
}

/// Texts and lists in the arguments of a call. Each costs an allocation on the plugin's side.
#[tokio::test]
async fn a_booking_crosses_the_boundary_in_few_texts_and_lists() -> Result<()> {
    let system = System::start().await?;
    let (booking, mapping) = samples::full_booking(&system.fields().await?)?;
    let Resolved { booking, mapping, .. } = mapping.resolve(&booking);
    let of_value = |value: &Option<RowValue>| match value {
        Some(RowValue::Choices(choices) | RowValue::Agreed(choices)) => (choices.len(), 1),
        Some(RowValue::Boolean(_)) | None => (0, 0),
        Some(_) => (1, 0),
    };
    let optional = [&booking.previous_id, &booking.locale, &mapping.target].into_iter().flatten().count();
    let mut texts = 2 + optional + 2 * mapping.options.len();
    // `rows` and `options`; `records` and `related` of the history; `more` of all three.
    let mut lists = 2 + 2 + 3;
    for row in &mapping.rows {
        for (of_texts, of_lists) in [(2, 0), of_value(&row.value), of_value(&row.fallback)] {
            texts += of_texts;
            lists += of_lists;
        }
    }
    let bytes = crm_host::types::ARGUMENTS.check(&(&booking, &mapping, &first_try(NOW)))?;
    println!("{texts} texts, {lists} lists, {bytes} bytes");
    assert!(texts <= 70 && lists <= 10, "{texts} texts, {lists} lists");
    Ok(())
}
