//! What PostgreSQL plans for the statements that run often.

use crm_delivery::{Filter, State};

use super::*;
use crate::{intake, rows, work};

/// 20,000 entries of 40 teams, a quarter of them waiting, and statistics of them.
const MANY: &str = "
    INSERT INTO crm_ledger.queue (team, plugin, state, due_fresh)
    SELECT 'team-' || team, 'plugin-1', '{}', 1 FROM generate_series(0, 39) AS team;
    INSERT INTO crm_ledger.entry (id, queue, team, calendar, integration, booking, change, chain, kind, changed_at, digest, accepted,
                                  meeting_start, lane, guest, state, code, progress)
    SELECT nextval('crm_ledger.entry_id'), queue.id, queue.team, 'calendar-1', 'plugin-1', 'b-' || number, 'c', 'b-' || number,
           'confirmed', 1, decode(repeat('00', 32), 'hex'), number, number, decode(md5(number::text), 'hex'),
           decode(md5(number::text), 'hex'), CASE number % 4 WHEN 0 THEN 'waiting' ELSE 'delivered' END, NULL, repeat('x', 400)
    FROM generate_series(1, 20000) AS number JOIN crm_ledger.queue ON queue.team = 'team-' || number % 40;
    INSERT INTO crm_ledger.ready (entry, queue, lane, turn, due, until, head)
    SELECT id, queue, lane, 0, accepted, CASE WHEN id % 400 = 0 THEN 1 END, true FROM crm_ledger.entry WHERE state = 'waiting';
    INSERT INTO crm_ledger.content (entry, payload) SELECT id, decode(repeat('00', 500), 'hex') FROM crm_ledger.entry;
    INSERT INTO crm_ledger.attempt (entry, fence, began) SELECT id, 1, 1 FROM crm_ledger.entry;
    ANALYZE crm_ledger.queue, crm_ledger.entry, crm_ledger.ready, crm_ledger.content, crm_ledger.attempt;
";

/// A plan in which the large tables are never read from end to end.
async fn assert_uses_indexes(client: &Client, name: &str, text: &str, values: &str) {
    let values = if values.is_empty() { String::new() } else { format!("({values})") };
    for mode in ["force_custom_plan", "force_generic_plan"] {
        client.batch_execute(&format!("SET plan_cache_mode = {mode}; PREPARE statement AS {text}")).await.unwrap();
        let rows = client.query(&format!("EXPLAIN EXECUTE statement{values}"), &[]).await.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        for table in ["entry", "ready", "content", "attempt"] {
            let scan = format!("Seq Scan on {table}");
            assert!(!plan.iter().any(|line| line.contains(&scan)), "{name}, {mode}:\n{}", plan.join("\n"));
        }
        client.batch_execute("DEALLOCATE statement").await.unwrap();
    }
}

#[tokio::test]
async fn claims_accepts_and_finishes_use_indexes() {
    let Some(url) = database() else { return };
    open(&url).await;
    let client = connect(&url).await;
    client.batch_execute(MANY).await.unwrap();
    assert_all_use_indexes(&client).await;
}

#[tokio::test]
async fn plans_that_were_made_for_an_empty_ledger_use_indexes() {
    let Some(url) = database() else { return };
    open(&url).await;
    let client = connect(&url).await;
    client.batch_execute(&session::SETTINGS.replace("true", "false")).await.unwrap();
    assert_all_use_indexes(&client).await;
}

async fn assert_all_use_indexes(client: &Client) {
    let ten = "'{4,8,12,16,20,24,28,32,36,40}'";
    for (name, text, values) in [
        ("turns", work::TURNS, "NULL, 5, 2, 10"),
        ("locked turns", work::LOCKED_TURNS, "NULL, 5, 2, 10"),
        ("due", work::DUE, "'{1,2,3,4,5}', '{5,5,5,5,5}', 100, 2"),
        ("chains of entries", rows::CHAINS_OF, ten),
        ("content", work::CONTENT, ten),
        ("related", work::RELATED, ten),
        ("lost", work::LOST, "NULL, 256"),
        ("too far", work::TOO_FAR, "NULL, 1"),
        ("queues of entries", rows::LOCK_QUEUES_OF, ten),
        ("changes", intake::CHANGES, "'{team-1,team-2}', '{plugin-1,plugin-1}', '{b-1,b-2}'"),
        ("chains", rows::CHAINS, "'{1,2}', '{plugin-1,plugin-1}', '{b-1,b-2}'"),
        ("entries", rows::UPDATE_ENTRIES, "'{1}', '{a}', '{a}', '{1}', '{a}', '{a}', '{1}', '{a}'"),
        ("closed", rows::CLOSE, ten),
        ("lanes", rows::SETTLE_LANES, "'{1,2,3}', '{a,b,c}'"),
        ("queues", rows::UPDATE_QUEUES, "'{1}', '{1}', '{1}', '{1}', '{NULL}', '{1}', '{a}', '{1}'"),
    ] {
        assert_uses_indexes(client, name, text, values).await;
    }
}

#[tokio::test]
async fn lists_use_indexes() {
    let Some(url) = database() else { return };
    open(&url).await;
    let client = connect(&url).await;
    client.batch_execute(MANY).await.unwrap();
    let team = || Some("team-1".to_owned());
    let filters = [
        (Filter::default(), ""),
        (Filter { team: team(), ..Filter::default() }, "'team-1', "),
        (Filter { team: team(), state: Some(State::Waiting), ..Filter::default() }, "'team-1', 'waiting', "),
        (Filter { team: team(), booking: Some("b-1".to_owned()), ..Filter::default() }, "'team-1', 'b-1', "),
        (Filter { state: Some(State::NeedsAttention), ..Filter::default() }, "'needs-attention', "),
        (Filter { team: team(), cause: Some("busy".to_owned()), ..Filter::default() }, "'team-1', 'busy', "),
    ];
    for (filter, values) in filters {
        let (text, _) = by_hand::list_query(&filter, Some(EntryId(15_000)), 50);
        let explain = format!("PREPARE statement AS {text}");
        client.batch_execute("SET plan_cache_mode = force_custom_plan").await.unwrap();
        client.batch_execute(&explain).await.unwrap();
        let rows = client.query(&format!("EXPLAIN EXECUTE statement({values}15000, 50)"), &[]).await.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        assert!(!plan.iter().any(|line| line.contains("Seq Scan on entry")), "{filter:?}:\n{}", plan.join("\n"));
        client.batch_execute("DEALLOCATE statement").await.unwrap();
    }
}
