//! Versions, the list of resources, and limits.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::Call;
use crate::{
    message::{Answer, ApiError, Refusal},
    org::Settings,
};

/// The supported versions, oldest first.
pub(super) fn versions(settings: &Settings) -> Value {
    (settings.file.api.oldest..=settings.file.api.newest)
        .map(|version| {
            json!({
                "label": release(version),
                "url": format!("/services/data/v{version}.0"),
                "version": format!("{version}.0"),
            })
        })
        .collect()
}

/// The release name of a version. There are three releases a year; version 31 was Summer '14.
fn release(version: u32) -> String {
    let count = version + 11;
    let (season, later) = match count % 3 {
        0 => ("Summer", 0),
        1 => ("Winter", 1),
        _ => ("Spring", 1),
    };
    format!("{season} '{:02}", (count / 3 + later) % 100)
}

pub(super) fn list(call: &Call<'_>) -> Answer {
    let names = ["composite", "limits", "query", "queryAll", "sobjects"];
    let resources: Map<_, _> = names.iter().map(|name| ((*name).to_owned(), json!(call.path(name)))).collect();
    Answer::json(StatusCode::OK, &Value::Object(resources))
}

/// The org's limits, for users with "View Setup and Configuration".
pub(super) fn limits(call: &Call<'_>) -> Result<Answer, Refusal> {
    if !call.user().is_some_and(|user| user.view_setup) {
        let error = ApiError::new(
            "INSUFFICIENT_ACCESS",
            "You do not have the level of access necessary to perform the operation you requested.",
        );
        return Err(Refusal::new(StatusCode::FORBIDDEN, error));
    }
    let max = call.settings.file.api.daily_limit;
    let remaining = max.saturating_sub(call.org.state().calls(call.org.now()));
    let unused = |max: u64| json!({"Max": max, "Remaining": max});
    let body = json!({
        "ConcurrentAsyncGetReportInstances": unused(200),
        "ConcurrentSyncReportRuns": unused(20),
        "DailyApiRequests": {"Max": max, "Remaining": remaining},
        "DailyBulkApiBatches": unused(15_000),
        "DataStorageMB": unused(5),
        "FileStorageMB": unused(20),
        "HourlyTimeBasedWorkflow": unused(50),
        "MassEmail": unused(10),
        "SingleEmail": unused(15),
    });
    Ok(Answer::json(StatusCode::OK, &body))
}

#[cfg(test)]
mod tests {
    use super::release;

    #[test]
    fn releases_are_named_by_season_and_year() {
        for (version, name) in [
            (31, "Summer '14"),
            (32, "Winter '15"),
            (33, "Spring '15"),
            (59, "Winter '24"),
            (66, "Spring '26"),
            (67, "Summer '26"),
        ] {
            assert_eq!(release(version), name);
        }
    }
}
