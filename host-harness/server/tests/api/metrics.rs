//! What `/metrics` serves.

use std::sync::LazyLock;

use crm_server::Metrics;
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::json;

use crate::bed::{BOOKINGS, Bed, booking};

static METRICS: LazyLock<PrometheusHandle> = LazyLock::new(|| Metrics::install().unwrap());

#[tokio::test]
async fn what_is_served_is_described_and_names_nobody() {
    let bed = Bed::with(|service| service.metrics(METRICS.clone())).await;
    bed.accept("metered").await;
    bed.post(BOOKINGS, &bed.intake, &booking("metered")).await.is(200);
    let mut differs = booking("metered");
    differs["title"] = "Another".into();
    bed.post(BOOKINGS, &bed.intake, &differs).await.problem(409, "change-differs");
    bed.post(BOOKINGS, &bed.intake, &json!({})).await.problem(400, "body-invalid");
    let text = bed.get("/metrics", "").await.is(200).text;
    for line in [
        r#"crm_bookings_accepted_total{format="native"}"#,
        r#"crm_bookings_repeated_total{format="native"}"#,
        r#"crm_bookings_refused_total{format="native",code="change-differs"}"#,
        r#"crm_bookings_refused_total{format="native",code="body-invalid"}"#,
        r#"crm_deliveries{state="waiting"}"#,
        "crm_oldest_due_seconds ",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let name = line.split(['{', ' ']).next().unwrap();
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        assert!(text.contains(&format!("# HELP {family} ")), "{name} is not described");
    }
    for name in ["minato-team", "metered", "Anna", "intro-call"] {
        assert!(!text.contains(name), "{text}");
    }
}
