//! Clients that stop waiting: their requests are carried out anyway.

use std::time::Duration;

use salesforce_local_org::{Fault, RunningOrg};

use crate::support::{Client, Send, begin_create, enterprise, send};

const LEADS: &str = "/services/data/v67.0/sobjects/Lead";
const BODY: &str = r#"{"LastName":"山田","Company":"さくら商事"}"#;

/// Sends a create on its own connection, and hangs up once the org has started on it.
async fn create_and_hang_up(running: &RunningOrg, client: &Client) {
    let _stream = begin_create(running, client, BODY).await;
    loop {
        let faults = Send { method: "GET", path: "/faults", headers: vec![], body: String::new() };
        if send(running.admin_url(), faults).await.unwrap().json == serde_json::json!([]) {
            break;
        }
    }
}

#[tokio::test]
async fn hanging_up_does_not_cancel_a_request() {
    let wait = Duration::from_millis(100);
    for fault in [Fault::delay(wait), Fault::delay_answer(wait)] {
        let running = enterprise().await;
        let client = Client::connect(&running).await;
        running.org().add_fault(fault.on("POST", LEADS));
        create_and_hang_up(&running, &client).await;
        let org = running.org().clone();
        running.stop().await;
        assert_eq!(org.leads().len(), 1);
        let last = org.requests().pop().unwrap();
        assert_eq!((last.path.as_str(), last.status), (LEADS, Some(201)), "the log shows it");
    }
}

#[tokio::test]
async fn a_delayed_response_follows_the_commit() {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    running.org().add_fault(Fault::delay_answer(Duration::from_secs(3600)).on("POST", LEADS));
    let body = serde_json::from_str(BODY).unwrap();
    let create = client.post(LEADS, &body);
    let seen = async {
        while running.org().leads().is_empty() {
            tokio::task::yield_now().await;
        }
        // Without the delay, the create would have its response before a later request does.
        client.get("/services/data/v67.0/limits").await;
    };
    tokio::select! {
        biased;
        _ = create => panic!("the response must be delayed"),
        () = seen => {}
    }
    let logged: Vec<_> = running.org().requests().into_iter().filter(|entry| entry.path == LEADS).collect();
    assert_eq!(logged.len(), 1, "a request is logged before its response is sent");
}
