//! `docs/local-org.md` documents every key, and its examples work.

use std::error::Error as _;

use salesforce_local_org::{Fault, OrgFile};

use crate::support::{Reply, Send, enterprise, send, start};

const PAGE: &str = include_str!("../../../../docs/local-org.md");

/// The code blocks of a language, each with the rest of its opening fence.
fn blocks(language: &str) -> Vec<(&'static str, &'static str)> {
    let fences = PAGE.split("\n```").skip(1).step_by(2);
    let blocks = fences.map(|block| block.split_once('\n').unwrap());
    blocks.filter_map(|(opening, text)| Some((opening.strip_prefix(language)?.trim(), text))).collect()
}

async fn order(admin: &str, method: &str, path: &str, body: &str) -> Reply {
    let headers = vec![("content-type", "application/json".to_owned())];
    send(admin, Send { method, path, headers, body: body.to_owned() }).await.unwrap()
}

#[tokio::test]
async fn every_org_file_on_the_page_starts_an_org() {
    let files = blocks("toml");
    assert!(files.len() > 5);
    for (_, text) in files {
        let file = OrgFile::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        start(file).await.stop().await;
    }
}

#[tokio::test]
async fn every_admin_request_on_the_page_succeeds() {
    let running = enterprise().await;
    let bodies = blocks("json");
    assert!(bodies.len() > 8);
    for (request, body) in &bodies {
        let (method, path) = request.split_once(' ').unwrap();
        let reply = order(running.admin_url(), method, path, body).await;
        assert!((200..300).contains(&reply.status), "{request}: {}", reply.text);
    }
    let orders = PAGE.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    let orders: Vec<_> =
        orders.filter_map(|(cell, _)| cell.split_once(' ')).filter(|(_, path)| path.starts_with('/')).collect();
    assert_eq!(orders.len(), 11, "{orders:?}");
    for (method, path) in orders {
        let body =
            bodies.iter().find(|(request, _)| *request == format!("{method} {path}")).map_or("", |(_, body)| body);
        let reply = order(running.admin_url(), method, path, body).await;
        assert!((200..300).contains(&reply.status), "{method} {path}: {}", reply.text);
    }
}

#[test]
fn every_key_and_value_is_on_the_page() {
    // The error for an unknown name lists the known ones.
    let org_file = |text: &str| OrgFile::parse(text).unwrap_err().source().expect("the parser's error").to_string();
    let fault = |text: &str| serde_json::from_str::<Fault>(text).unwrap_err().to_string();
    let complaints = [
        org_file("zz = 1"),
        org_file("[api]\nzz = 1"),
        org_file("[app]\nzz = 1"),
        org_file("[app]\naccess = 'zz'"),
        org_file("[app]\nrefresh-policy = 'zz'"),
        org_file("[[users]]\nzz = 1"),
        org_file("[[fields]]\nzz = 1"),
        org_file("[[fields]]\nname = 'a'\ntype = 'zz'"),
        org_file("[[record-types]]\nzz = 1"),
        org_file("[[queues]]\nzz = 1"),
        org_file("[[duplicate-rules]]\nzz = 1"),
        org_file("[[duplicate-rules]]\naction = 'zz'"),
        org_file("[[duplicate-rules]]\nmatched = 'zz'"),
        org_file("[[validation-rules]]\nzz = 1"),
        org_file("[assignment-rule]\nzz = 1"),
        org_file("[[triggers]]\nzz = 1"),
        fault(r#"{"zz": 1}"#),
        fault(r#"{"effect": {"kind": "zz"}}"#),
        fault(r#"{"effect": {"kind": "answer", "zz": 1}}"#),
        fault(r#"{"effect": {"kind": "drop", "zz": 1}}"#),
        fault(r#"{"effect": {"kind": "truncate", "zz": 1}}"#),
        fault(r#"{"effect": {"kind": "drip", "zz": 1}}"#),
        fault(r#"{"effect": {"kind": "wrong-length", "zz": 1}}"#),
        fault(r#"{"effect": {"kind": "gzip-bomb", "zz": 1}}"#),
    ];
    let mut names = 0;
    for complaint in complaints {
        let (_, expected) = complaint.split_once("expected").unwrap_or_else(|| panic!("{complaint}"));
        for name in expected.split('`').skip(1).step_by(2) {
            // As code, as the name of a table, or as a key of an inline table.
            let shown = [format!("`{name}`"), format!("[{name}]"), format!("{{ {name} ="), format!("\"{name}\"")];
            assert!(shown.iter().any(|shown| PAGE.contains(shown)), "{name} is missing from the page");
            names += 1;
        }
    }
    assert!(names > 120, "{names}");
}
