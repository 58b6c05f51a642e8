//! No log, error or debug text contains a secret.

use std::fmt::{Debug, Write};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

use super::*;

/// Collects all log events of every level and target.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<String>>);

impl Visit for Collector {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0.lock().unwrap(), " {field}={value:?}");
    }
}

impl Subscriber for Collector {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut self.clone());
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
        self.0.lock().unwrap().push('\n');
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn no_log_line_error_or_debug_text_contains_a_token_a_code_a_key_or_a_client_secret() {
    let collector = Collector::default();
    // For all threads: what other tests log must not contain secrets either.
    tracing::subscriber::set_global_default(collector.clone()).unwrap();
    let world = World::new();
    let mut shown = String::new();
    let mut show = |value: &dyn Debug| writeln!(shown, "{value:?} {value:#?}").unwrap();

    let (broker, first) = world.connect().await;
    let pending = broker.begin(request(&team(), "acme", "https://id.acme.example", REDIRECT)).unwrap();
    let (state, debug) = (pending.state().expose().to_owned(), format!("{pending:?}"));
    assert!(!debug.contains(&state));
    show(&(&broker, &first, &pending, broker.state(&team(), "acme").await));
    world.provider.reply(Reply::Answer(503, r#"{"error":"canary-refresh-1","error_description":"canary-client"}"#));
    show(&broker.refresh(&team(), "acme", first.generation()).await.map_err(|error| crate::full_message(&error)));
    show(&broker.refusal(&team(), "acme").await);
    broker.ask_again(&team());
    let second = broker.refresh(&team(), "acme", first.generation()).await.unwrap();
    world.provider.reply(Reply::Answer(
        400,
        r#"{"error":"invalid_grant","error_description":"the token canary-refresh-2 is used up"}"#,
    ));
    show(&broker.refresh(&team(), "acme", second.generation()).await.map_err(|error| crate::full_message(&error)));
    show(&broker.state(&team(), "acme").await);
    show(
        &broker
            .finish(pending, "code=canary-code&state=canary-state", &BROWSER)
            .await
            .map_err(|error| crate::full_message(&error)),
    );
    let (broker, _) = world.connect().await;
    world.provider.reply(Reply::Answer(400, r#"{"error":"x","error_description":"canary-refresh-3"}"#));
    show(&broker.disconnect(&team(), "acme", &OPERATOR).await);
    let (broker, _) = world.connect().await;
    world.provider.reply(Reply::Answer(400, r#"{"error":"x","error_description":"canary-access-4"}"#));
    show(&broker.disconnect(&team(), "acme", &OPERATOR).await);

    let world = World::with_api_key();
    let broker = world.broker();
    show(
        &broker
            .connect_api_key(&team(), "acme", "https://evil.example", Secret::new("canary-key"), &Asker::operator())
            .await,
    );
    show(
        &broker
            .connect_api_key(
                &team(),
                "acme",
                "https://one.api.acme.example",
                Secret::new("canary key"),
                &Asker::operator(),
            )
            .await,
    );
    show(
        &broker
            .connect_api_key(
                &team(),
                "acme",
                "https://one.api.acme.example",
                Secret::new("canary-key"),
                &Asker::operator(),
            )
            .await,
    );
    let opened = broker.open(&team(), "acme").await.unwrap();
    show(&(&opened, broker.state(&team(), "acme").await));
    show(&broker.refresh(&team(), "acme", opened.generation()).await.map_err(|error| crate::full_message(&error)));
    show(&broker.disconnect(&team(), "acme", &OPERATOR).await);

    let logged = collector.0.lock().unwrap().clone();
    for expected in ["connected", "a grant has ended", "a credential was refreshed", "disconnected"] {
        assert!(logged.contains(expected), "{expected} was logged: {logged}");
    }
    for text in [&logged, &shown] {
        assert!(!text.contains("canary"), "{text}");
        assert!(!text.contains(&state), "{text}");
    }
}
