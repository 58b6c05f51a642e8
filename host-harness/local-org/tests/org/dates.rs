//! Dates in SOQL, and operators that do not apply to a type.

use salesforce_local_org::{Clock, Options, OrgFile, RunningOrg};
use serde_json::json;

use crate::support::{Client, enterprise};

/// An org on a Wednesday, with Leads on these days.
async fn on_a_wednesday(locale: &str, days: &[&str]) -> (RunningOrg, Client) {
    let mut file = OrgFile::enterprise().unwrap();
    file.locale = locale.to_owned();
    file.time_zone = "Asia/Tokyo".to_owned();
    // Already the 16th in Tokyo.
    let clock = Clock::fixed("2026-09-15T16:00:00Z".parse().unwrap());
    let running = salesforce_local_org::serve(file, Options { clock, ..Options::default() }).await.unwrap();
    let client = Client::connect(&running).await;
    for day in days {
        let values = json!({"LastName": day, "Company": "x", "PreferredDate__c": day, "MeetingAt__c": format!("{day}T12:00:00Z")});
        running.org().insert_lead(values.as_object().unwrap().clone());
    }
    (running, client)
}

/// The first and last day that match a condition.
async fn found(client: &Client, field: &str, condition: &str) -> (String, String) {
    let query = format!("SELECT LastName FROM Lead WHERE {field} {condition} ORDER BY PreferredDate__c");
    let reply = client.query(&query).await;
    assert_eq!(reply.status, 200, "{query}: {}", reply.text);
    let records = reply.json["records"].as_array().unwrap();
    let name = |at: usize| records.get(at).map_or("", |record| record["LastName"].as_str().unwrap()).to_owned();
    (name(0), name(records.len().saturating_sub(1)))
}

#[tokio::test]
async fn date_literals_cover_the_documented_days() {
    const DAYS: [&str; 24] = [
        "2024-12-31",
        "2025-01-01",
        "2025-12-31",
        "2026-01-01",
        "2026-03-31",
        "2026-04-01",
        "2026-06-18",
        "2026-06-30",
        "2026-07-01",
        "2026-08-31",
        "2026-09-01",
        "2026-09-06",
        "2026-09-12",
        "2026-09-13",
        "2026-09-15",
        "2026-09-16",
        "2026-09-17",
        "2026-09-19",
        "2026-09-20",
        "2026-09-26",
        "2026-09-30",
        "2026-10-01",
        "2026-12-31",
        "2027-12-31",
    ];
    let (_running, client) = on_a_wednesday("ja_JP", &DAYS).await;
    for (literal, first, last) in [
        ("TODAY", "2026-09-16", "2026-09-16"),
        ("YESTERDAY", "2026-09-15", "2026-09-15"),
        ("TOMORROW", "2026-09-17", "2026-09-17"),
        ("THIS_WEEK", "2026-09-13", "2026-09-19"),
        ("LAST_WEEK", "2026-09-06", "2026-09-12"),
        ("NEXT_WEEK", "2026-09-20", "2026-09-26"),
        ("THIS_MONTH", "2026-09-01", "2026-09-30"),
        ("LAST_MONTH", "2026-08-31", "2026-08-31"),
        ("NEXT_MONTH", "2026-10-01", "2026-10-01"),
        ("THIS_QUARTER", "2026-07-01", "2026-09-30"),
        ("LAST_QUARTER", "2026-04-01", "2026-06-30"),
        ("NEXT_QUARTER", "2026-10-01", "2026-12-31"),
        ("THIS_FISCAL_QUARTER", "2026-07-01", "2026-09-30"),
        ("THIS_YEAR", "2026-01-01", "2026-12-31"),
        ("LAST_YEAR", "2025-01-01", "2025-12-31"),
        ("NEXT_YEAR", "2027-12-31", "2027-12-31"),
        ("LAST_FISCAL_YEAR", "2025-01-01", "2025-12-31"),
        // 90 days before today is June 18; today is included.
        ("LAST_90_DAYS", "2026-06-18", "2026-09-16"),
        ("NEXT_90_DAYS", "2026-09-17", "2026-10-01"),
        ("LAST_N_DAYS:4", "2026-09-12", "2026-09-16"),
        ("NEXT_N_DAYS:4", "2026-09-17", "2026-09-20"),
        ("N_DAYS_AGO:3", "2026-09-13", "2026-09-13"),
        ("last_n_weeks:2", "2026-08-31", "2026-09-12"),
        ("NEXT_N_WEEKS:1", "2026-09-20", "2026-09-26"),
        ("N_WEEKS_AGO:1", "2026-09-06", "2026-09-12"),
        ("LAST_N_MONTHS:2", "2026-07-01", "2026-08-31"),
        ("NEXT_N_MONTHS:3", "2026-10-01", "2026-12-31"),
        ("N_MONTHS_AGO:5", "2026-04-01", "2026-04-01"),
        ("LAST_N_QUARTERS:2", "2026-01-01", "2026-06-30"),
        ("NEXT_N_QUARTERS:1", "2026-10-01", "2026-12-31"),
        ("N_QUARTERS_AGO:2", "2026-01-01", "2026-03-31"),
        ("LAST_N_YEARS:2", "2024-12-31", "2025-12-31"),
        ("NEXT_N_YEARS:1", "2027-12-31", "2027-12-31"),
        ("N_YEARS_AGO:2", "2024-12-31", "2024-12-31"),
        ("N_FISCAL_YEARS_AGO:1", "2025-01-01", "2025-12-31"),
    ] {
        for field in ["PreferredDate__c", "MeetingAt__c"] {
            let days = found(&client, field, &format!("= {literal}")).await;
            assert_eq!(days, (first.to_owned(), last.to_owned()), "{field} = {literal}");
        }
    }
    for (condition, first, last) in [
        ("< THIS_WEEK", "2024-12-31", "2026-09-12"),
        ("<= THIS_WEEK", "2024-12-31", "2026-09-19"),
        ("> THIS_WEEK", "2026-09-20", "2027-12-31"),
        (">= THIS_WEEK", "2026-09-13", "2027-12-31"),
    ] {
        assert_eq!(
            found(&client, "PreferredDate__c", condition).await,
            (first.to_owned(), last.to_owned()),
            "{condition}"
        );
    }
}

#[tokio::test]
async fn the_locale_sets_the_first_day_of_the_week() {
    for (locale, first) in [("en_US", "2026-09-13"), ("de_DE", "2026-09-14")] {
        let (_running, client) = on_a_wednesday(locale, &["2026-09-13", "2026-09-14", "2026-09-20"]).await;
        assert_eq!(found(&client, "PreferredDate__c", "= THIS_WEEK").await.0, first, "{locale}");
    }
}

#[tokio::test]
async fn order_comparisons_of_booleans_and_null_are_rejected() {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    for (condition, complaint) in [
        ("NewsletterOptIn__c > false", "invalid operator on boolean field"),
        ("IsConverted <= true", "invalid operator on boolean field"),
        ("NumberOfEmployees > null", "invalid operator on int field"),
        ("Email < null", "invalid operator on email field"),
    ] {
        let reply = client.query(&format!("SELECT Id FROM Lead WHERE {condition}")).await;
        assert_eq!(reply.error(), (400, "INVALID_FIELD"), "{condition} {}", reply.text);
        assert!(reply.json[0]["message"].as_str().unwrap().ends_with(complaint), "{}", reply.text);
    }
    for bad in ["LAST_N_DAYS", "LAST_N_DAYS:x", "LAST_N_DAYS:-1", "THIS_DAY", "N_DAYS_AGO", "SOMEDAY"] {
        let reply = client.query(&format!("SELECT Id FROM Lead WHERE CreatedDate = {bad}")).await;
        assert_eq!(reply.error(), (400, "MALFORMED_QUERY"), "{bad}");
    }
}
