//! Clients that wait no longer: what they asked for happens all the same.

use std::time::Duration;

use local_org::{Fault, RunningOrg};

use crate::support::{Client, Send, begin_create, enterprise, send};

const LEADS: &str = "/services/data/v67.0/sobjects/Lead";
const BODY: &str = r#"{"LastName":"山田","Company":"さくら商事"}"#;

/// Sends a create on a connection of its own, and hangs up once the org has begun with it.
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
async fn a_client_that_waits_no_longer_takes_nothing_back() {
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
        assert_eq!((last.path.as_str(), last.status), (LEADS, Some(201)), "and the log knows of it");
    }
}

#[tokio::test]
async fn a_late_answer_comes_after_the_lead() {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    running.org().add_fault(Fault::delay_answer(Duration::from_secs(3600)).on("POST", LEADS));
    let body = serde_json::from_str(BODY).unwrap();
    let create = client.post(LEADS, &body);
    let seen = async {
        while running.org().leads().is_empty() {
            tokio::task::yield_now().await;
        }
        // By the time that a later request is answered, so would the create be.
        client.get("/services/data/v67.0/limits").await;
    };
    tokio::select! {
        biased;
        _ = create => panic!("the answer waits"),
        () = seen => {}
    }
    let logged: Vec<_> = running.org().requests().into_iter().filter(|entry| entry.path == LEADS).collect();
    assert_eq!(logged.len(), 1, "what was carried out is logged before it is answered");
}
