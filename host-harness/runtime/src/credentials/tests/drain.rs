use std::time::Duration;

use super::*;

const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn a_refresh_of_a_cancelled_call_is_saved_before_the_process_ends() {
    let world = World::new();
    let (broker, first) = world.connect().await;
    let (arrived, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    world.provider.reply(Reply::Hold(arrived.clone(), go_on.clone()));
    tokio::select! {
        _ = async { broker.refresh(&team(), "acme", first.generation()).await } => panic!("the provider holds its answer back"),
        () = arrived.notified() => {}
    }
    let (drained, ()) = tokio::join!(broker.drain(LIMIT), async {
        tokio::time::sleep(Duration::from_secs(20)).await;
        go_on.notify_one();
    });
    assert!(drained);
    let opened = world.broker().open(&team(), "acme").await.unwrap();
    assert_eq!(access(&opened), "canary-access-2", "the next process has the rotated token");
}

#[tokio::test(start_paused = true)]
async fn a_code_that_was_spent_is_not_lost_with_its_call() {
    let world = World::new();
    let broker = world.broker();
    let (arrived, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    world.provider.reply(Reply::Hold(arrived.clone(), go_on.clone()));
    let pending = broker.begin(request(&team(), "acme", "https://id.acme.example", REDIRECT)).unwrap();
    let query = format!("code=canary-code&state={}", pending.state().expose());
    tokio::select! {
        _ = broker.finish(pending, &query, &BROWSER) => panic!("the provider holds its answer back"),
        () = arrived.notified() => {}
    }
    go_on.notify_one();
    assert!(broker.drain(LIMIT).await);
    assert!(world.broker().open(&team(), "acme").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn draining_ends_in_time_and_begins_nothing_new() {
    let world = World::new();
    let (broker, first) = world.connect().await;
    let arrived = Arc::new(Notify::new());
    world.provider.reply(Reply::Hold(arrived.clone(), Arc::default()));
    tokio::select! {
        _ = async { broker.refresh(&team(), "acme", first.generation()).await } => panic!("the provider never answers"),
        () = arrived.notified() => {}
    }
    assert!(!broker.drain(LIMIT).await, "a server that never answers does not hold the process");
    let requests = world.provider.seen().len();

    let other = world.broker();
    assert!(other.drain(LIMIT).await, "nothing is under way there");
    let error = other.refresh(&team(), "acme", first.generation()).await.unwrap_err();
    assert_eq!(error.code(), "refresh-stopping");
    assert_eq!(other.disconnect(&team(), "acme", &OPERATOR).await.unwrap_err(), DisconnectError::Stopping);
    let pending = other.begin(request(&team(), "acme", "https://id.acme.example", REDIRECT)).unwrap();
    let query = format!("code=canary-code&state={}", pending.state().expose());
    assert_eq!(other.finish(pending, &query, &BROWSER).await.unwrap_err(), ConnectError::Stopping);
    assert_eq!(world.provider.seen().len(), requests, "nothing was sent");
}

#[tokio::test(start_paused = true)]
async fn a_rotated_grant_that_could_not_be_saved_is_tried_once_more() {
    let world = World::new();
    let (broker, first) = world.connect().await;
    world.store.failing_saves.store(4, Ordering::SeqCst);
    broker.refresh(&team(), "acme", first.generation()).await.unwrap_err();
    assert!(broker.drain(LIMIT).await);
    assert_eq!(access(&world.broker().open(&team(), "acme").await.unwrap()), "canary-access-2");
}
