//! Runs the real component against every built-in org: connect, doctor, fields, preview, mapping check, options, delivery.

use acceptance::samples::{self, Mapped, first_try};
use acceptance::system::{NOW, System};
use anyhow::{Context as _, Result};
use crm_booking::Booking;
use crm_host::Plugin;
use crm_host::credentials::ConnectError;
use crm_host::types::{Delivery, FieldList, Finding, PlannedAction, PreviewResult, Problem};
use salesforce_local_org::OrgFile;
use serde_json::json;
use std::collections::BTreeSet;

/// An org's results for the same mapping and bookings: codes, reactions, fields.
#[derive(Debug, PartialEq, Eq)]
struct Row<T = &'static str> {
    /// Result of connecting.
    connect: T,
    doctor: T,
    /// The required fields.
    fields: T,
    /// For a booking without a company.
    preview: T,
    check: T,
    /// For a first booking.
    deliver: T,
    /// For another booking of the same guest.
    again: T,
    /// For a third one, with duplicates allowed.
    anyway: T,
}

const USUAL: Row = Row {
    connect: "connected",
    doctor: "works",
    fields: "Company LastName",
    preview: "required-field-blank FixBooking Company",
    check: "checked; required-field-may-be-blank Company",
    deliver: "Created",
    again: "DUPLICATES_DETECTED FixBooking",
    anyway: "Created",
};

/// The results of an org without a connection or without the API.
const fn always(connect: &'static str, told: &'static str) -> Row {
    Row { connect, doctor: told, fields: told, preview: told, check: told, deliver: told, again: told, anyway: told }
}

/// Results that are not error codes.
const PLAIN: [&str; 5] = ["connected", "works", "Create", "checked", "Created"];
const NOT_CONNECTED: &str = "not-connected Reconnect";
const RULE: &str = "FIELD_CUSTOM_VALIDATION_EXCEPTION FixBooking Country";

const ORGS: [(&str, Row); 16] = [
    ("enterprise", USUAL),
    ("professional-without-api", always("connected", "API_DISABLED_FOR_ORG AskAdmin")),
    (
        "developer-state-country",
        Row {
            deliver: "Created; FIELD_INTEGRITY_EXCEPTION State",
            anyway: "Created; FIELD_INTEGRITY_EXCEPTION State",
            ..USUAL
        },
    ),
    ("person-accounts", Row { fields: "LastName", preview: "Create", check: "checked", ..USUAL }),
    ("record-types", USUAL),
    ("many-fields", USUAL),
    ("rotation-30-days", USUAL),
    ("admin-approved-only", always("OAUTH_APP_ACCESS_DENIED AskAdmin", NOT_CONNECTED)),
    ("blocked-app", always("OAUTH_APP_BLOCKED AskAdmin", NOT_CONNECTED)),
    ("uninstalled-app", always("app-not-installed AskAdmin", NOT_CONNECTED)),
    ("uninstalled-external-client-app", always("OAUTH_EC_APP_NOT_FOUND AskAdmin", NOT_CONNECTED)),
    ("address-not-listed", always("login-restricted AskAdmin", NOT_CONNECTED)),
    ("duplicates-alert", USUAL),
    ("duplicates-block", Row { anyway: "DUPLICATES_DETECTED FixBooking", ..USUAL }),
    ("validation-rules", Row { deliver: RULE, again: RULE, anyway: RULE, ..USUAL }),
    (
        "hidden-fields",
        Row {
            preview: "required-field-blank FixBooking Company; field-gone Industry",
            check: "checked; required-field-may-be-blank Company; field-gone Industry",
            deliver: "Created; field-gone Industry",
            anyway: "Created; field-gone Industry",
            ..USUAL
        },
    ),
];

/// A result followed by the codes of its findings.
fn with<'f>(first: impl Into<String>, findings: impl IntoIterator<Item = &'f Finding>) -> String {
    findings.into_iter().fold(first.into(), |text, finding| {
        format!("{text}; {} {}", finding.code, finding.fields.join(" ")).trim_end().to_owned()
    })
}

fn refused(problem: &Problem) -> String {
    format!("{} {:?} {}", problem.code, problem.reaction, problem.fields.join(" ")).trim_end().to_owned()
}

fn told<T>(answer: &Result<T, Problem>, tell: impl FnOnce(&T) -> String) -> String {
    answer.as_ref().map_or_else(refused, tell)
}

fn delivered(delivery: &Delivery) -> String {
    with(format!("{:?}", delivery.outcome), &delivery.findings)
}

fn previewed(preview: &PreviewResult) -> String {
    match preview.steps.first().map(|step| &step.action) {
        Some(PlannedAction::Refuse(problem)) => {
            with(refused(problem), preview.findings.iter().filter(|finding| finding.code != problem.code))
        }
        Some(action) => with(format!("{action:?}"), &preview.findings),
        None => with("nothing", &preview.findings),
    }
}

fn required(listed: &FieldList) -> String {
    let required = listed.fields.iter().filter(|field| field.required);
    required.map(|field| field.name.as_str()).collect::<Vec<_>>().join(" ")
}

/// A mapping saved against the default org.
async fn saved_mapping() -> Result<Mapped> {
    let fields = System::start().await?.fields().await?;
    let rows = json!({
        "rows": [
            { "field": "LastName", "source": { "booking": "guest.family-name" } },
            { "field": "Company", "source": { "booking": "guest.company" } },
            { "field": "Email", "source": { "booking": "guest.email" } },
            { "field": "LeadSource", "source": { "fixed": "Web" } },
            { "field": "Industry", "source": { "fixed": "Banking" } },
            { "field": "State", "source": { "fixed": "Tokyo" } },
        ],
        "options": { "booking-id-field": "BookingId__c" }
    });
    samples::mapping_of(rows, &fields)
}

fn booking(number: u32) -> Result<Booking> {
    let booking = samples::japanese_booking()?;
    Ok(Booking { id: format!("{}-{number}", booking.id), ..booking })
}

/// Checks that every error code has advice in both languages.
async fn explains(plugin: &Plugin, row: &Row<String>) -> Result<()> {
    let texts = [&row.connect, &row.doctor, &row.preview, &row.check, &row.deliver, &row.again, &row.anyway];
    let firsts = texts.iter().flat_map(|text| text.split("; ")).filter_map(|part| part.split(' ').next());
    let codes: BTreeSet<&str> = firsts.filter(|first| !PLAIN.contains(first)).collect();
    for code in codes {
        for locale in ["ja", "en"] {
            let advice = plugin.advice(code, &[], locale).await?.answer;
            assert!(advice.is_some_and(|advice| !advice.steps.is_empty()), "{code} has no advice in {locale}");
        }
    }
    Ok(())
}

async fn meet(org: &str, mapping: &Mapped) -> Result<Row<String>> {
    let file = OrgFile::named(org).context("a built-in org")??;
    let system = System::disconnected(file).await?;
    let (plugin, connection) = (&system.plugin, &system.connection);

    let connect = match system.connect().await.map_err(|error| error.downcast::<ConnectError>()) {
        Ok(_) => "connected".to_owned(),
        Err(Ok(ConnectError::Refused(error))) => refused(&plugin.explain(&error.into()).await?.answer),
        Err(error) => return Err(error?.into()),
    };
    let doctor = match plugin.check_connection(connection, "en").await?.answer {
        Ok(account) => with("works", &account.findings),
        Err(problems) => problems.iter().map(refused).collect::<Vec<_>>().join("; "),
    };
    let mut without_company = booking(0)?;
    without_company.guest.company = None;
    let anyway = mapping.with_option("duplicates", "save-anyway")?;
    let mut deliveries = Vec::new();
    for (number, mapping) in [(1, mapping), (2, mapping), (3, &anyway)] {
        let answer = system.deliver(&booking(number)?, mapping, &first_try(NOW)).await?.answer;
        deliveries.push(told(&answer, delivered));
    }
    let created = deliveries.iter().filter(|told| told.starts_with("Created")).count();
    assert_eq!(system.org().leads().len(), created, "{org}: {deliveries:?}");
    let [deliver, again, anyway] = deliveries.try_into().ok().context("three deliveries")?;
    let row = Row {
        connect,
        doctor,
        fields: told(&plugin.list_lead_fields(connection, None, "en").await?.answer, required),
        preview: told(&system.preview(&without_company, mapping).await?, previewed),
        check: told(&system.check(mapping, &[]).await?, |found| {
            with("checked", found.iter().map(|found| &found.finding))
        }),
        deliver,
        again,
        anyway,
    };
    explains(plugin, &row).await?;
    Ok(row)
}

#[tokio::test]
async fn every_built_in_org_gives_the_results_of_its_row_with_advice_in_both_languages() -> Result<()> {
    let mapping = saved_mapping().await?;
    for (org, _) in OrgFile::built_in() {
        let (_, expected) =
            ORGS.iter().find(|(known, _)| *known == org).with_context(|| format!("{org} has no row"))?;
        let found = meet(org, &mapping).await.with_context(|| org.to_owned())?;
        let Row { connect, doctor, fields, preview, check, deliver, again, anyway } = &found;
        let found = Row { connect: &**connect, doctor, fields, preview, check, deliver, again, anyway };
        assert_eq!(&found, expected, "{org}");
    }
    Ok(())
}

#[tokio::test]
async fn options_cost_no_request() -> Result<()> {
    let system = System::disconnected(OrgFile::enterprise()?).await?;
    let called = system.plugin.options(&system.connection, None, "en").await?;
    assert!(called.usage.requests.is_empty());
    assert_eq!(called.answer.expect("listed").len(), 6);
    Ok(())
}
