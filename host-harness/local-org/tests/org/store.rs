//! What survives a restart, and how requests fail when the store cannot be written.

use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use salesforce_local_org::{Clock, Options, OrgFile, RunningOrg, ServeError};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Client, Send, send};

const LEADS: &str = "/services/data/v67.0/sobjects/Lead";
const LIMITS: &str = "/services/data/v67.0/limits";

/// A folder with a store, and a fixed clock.
struct Kept {
    folder: TempDir,
    store: PathBuf,
    clock: Clock,
}

impl Kept {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("org.json");
        Self { folder, store, clock: Clock::fixed("2026-09-01T00:00:00Z".parse().unwrap()) }
    }

    async fn try_start(&self) -> Result<RunningOrg, ServeError> {
        let options = Options { store: Some(self.store.clone()), clock: self.clock.clone(), ..Options::default() };
        salesforce_local_org::serve(OrgFile::enterprise().unwrap(), options).await
    }

    async fn start(&self) -> RunningOrg {
        self.try_start().await.unwrap()
    }

    fn read(&self) -> Value {
        read(&self.store)
    }
}

fn read(store: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(store).unwrap()).unwrap()
}

fn lead() -> Value {
    json!({"LastName": "山田", "Company": "さくら商事"})
}

async fn order(running: &RunningOrg, path: &str, body: &str) -> u16 {
    let headers = vec![("content-type", "application/json".to_owned())];
    send(running.admin_url(), Send { method: "POST", path, headers, body: body.to_owned() }).await.unwrap().status
}

#[tokio::test]
async fn leads_grants_and_the_app_survive_a_restart_and_the_file_has_no_tokens() {
    let kept = Kept::new();
    let running = kept.start().await;
    let mut client = Client::connect(&running).await;
    let id = client.post(LEADS, &lead()).await.json["id"].clone();
    running.org().register_callback("http://127.0.0.1:1/cb");
    let app = running.app();
    running.stop().await;

    let text = kept.read().to_string();
    assert!(text.contains("山田"));
    assert!(!text.contains(&client.access_token) && !text.contains(&client.refresh_token));
    #[cfg(unix)]
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&kept.store).unwrap().permissions()) & 0o777,
        0o600
    );

    let running = kept.start().await;
    client.base = running.base_url().to_owned();
    assert_eq!((running.app().client_id, running.app().redirect_uris), (app.client_id, app.redirect_uris));
    assert_eq!(client.get(LIMITS).await.status, 200, "the session continues");
    client.refresh().await;
    assert_eq!(running.org().leads()[0]["Id"], id);
    assert_ne!(client.post(LEADS, &json!({"LastName": "n", "Company": "x"})).await.json["id"], id);
    drop(running);

    std::fs::write(&kept.store, "not json").unwrap();
    let error = kept.try_start().await.unwrap_err();
    assert_eq!(error.code(), "org-store");
    assert!(error.to_string().contains("delete the file"), "{error}");
}

#[tokio::test]
async fn an_unused_org_is_the_same_after_a_restart() {
    let kept = Kept::new();
    let first = kept.start().await.app();
    let second = kept.start().await.app();
    assert_eq!((first.client_id, first.client_secret), (second.client_id, second.client_secret));
}

#[tokio::test]
async fn admin_api_changes_are_saved_immediately() {
    let kept = Kept::new();
    let running = kept.start().await;
    let client = Client::connect(&running).await;
    assert_eq!(order(&running, "/callbacks", r#"{"url":"http://127.0.0.1:1/cb"}"#).await, 204);
    assert_eq!(kept.read()["callbacks"][1], "http://127.0.0.1:1/cb");
    assert_eq!(order(&running, "/tokens/expire", "").await, 204);
    assert_eq!(kept.read()["sessions"], json!({}));
    assert_eq!(kept.read()["grants"].as_object().map(serde_json::Map::len), Some(1));
    assert_eq!(order(&running, "/tokens/revoke", "").await, 204);
    assert_eq!(kept.read()["grants"], json!({}));
    drop(running);
    let running = kept.start().await;
    let client = Client { base: running.base_url().to_owned(), ..client };
    assert_eq!(client.try_refresh(&client.refresh_token).await.status, 400, "a revoked grant stays revoked");
}

#[tokio::test]
async fn an_unwritable_store_prevents_the_start() {
    let mut kept = Kept::new();
    kept.store = kept.folder.path().join("no/such/folder/org.json");
    let error = kept.try_start().await.unwrap_err();
    assert_eq!(error.code(), "org-store-unwritable");
    assert!(error.to_string().contains("no/such/folder"), "{error}");
}

#[tokio::test]
async fn an_unsaved_write_is_reported_as_unknown() {
    let kept = Kept::new();
    let running = kept.start().await;
    let client = Client::connect(&running).await;
    std::fs::remove_dir_all(kept.folder.path()).unwrap();
    // The Lead exists in memory: "not written" would make the caller create a second one.
    assert_eq!(client.post(LEADS, &lead()).await.error(), (500, "UNKNOWN_EXCEPTION"));
    assert_eq!(running.org().leads().len(), 1);
    assert_eq!(order(&running, "/clock", r#"{"seconds":1}"#).await, 500, "the admin API reports it too");
    std::fs::create_dir(kept.folder.path()).unwrap();
    assert_eq!(client.get(LIMITS).await.status, 200);
    assert_eq!(kept.read()["leads"].as_array().map(Vec::len), Some(1), "the next save catches up");
}

#[tokio::test]
async fn a_read_does_not_write_the_store() {
    let kept = Kept::new();
    let running = kept.start().await;
    let client = Client::connect(&running).await;
    std::fs::remove_file(&kept.store).unwrap();
    for path in [LIMITS, &format!("{LEADS}/describe"), "/", "/services/data"] {
        assert_eq!(client.get(path).await.status, 200);
    }
    assert!(!kept.store.exists());
    client.post(LEADS, &lead()).await;
    assert!(kept.store.exists());
    std::fs::remove_file(&kept.store).unwrap();
    client.get(LIMITS).await;
    running.stop().await;
    let calls: u64 = kept.read()["usage"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
    assert_eq!(calls, 4, "counters are saved on shutdown");
}

#[tokio::test]
async fn expired_sessions_are_removed() {
    let kept = Kept::new();
    let running = kept.start().await;
    for _ in 0..3 {
        Client::connect(&running).await;
        running.org().advance_clock(SignedDuration::from_hours(3));
    }
    assert_eq!(kept.read()["sessions"].as_object().map(serde_json::Map::len), Some(1));
}
