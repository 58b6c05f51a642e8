//! A manifest asks for as little as its plugin needs.

use acceptance::samples::{self, first_try, record_id, with_lead};
use acceptance::system::{NOW, System, unexpected};
use anyhow::{Context as _, Result};
use crm_booking::Kind;
use crm_host::manifest::{Manifest, RequestHeader, ResponseHeader};
use std::collections::BTreeSet;
use std::fs;

/// The requests of everything that the plugin does.
async fn everything() -> Result<System> {
    let system = System::start().await?;
    let mapping = system.example_mapping().await?;
    let booking = samples::japanese_booking()?;
    let plugin = &system.plugin;
    plugin.check_connection(&system.connection, "ja").await?.answer.ok().context("healthy")?;
    plugin.list_lead_fields(&system.connection, None, "ja").await?.answer.map_err(unexpected)?;
    for group in ["record-type", "owner"] {
        plugin.list_choices(&system.connection, None, group, &[], "ja").await?.answer.map_err(unexpected)?;
    }
    let created = system.deliver(&booking, &mapping, &first_try(NOW)).await?.answer.map_err(unexpected)?;
    let saving = mapping.with_option("duplicates", "save-anyway")?;
    let again = crm_booking::Booking { id: "another".to_owned(), ..booking.clone() };
    system.deliver(&again, &saving, &first_try(NOW)).await?.answer.map_err(unexpected)?;
    let moved = crm_booking::Booking { kind: Kind::Rescheduled, ..booking };
    let known = with_lead(NOW, record_id(&created));
    system.deliver(&moved, &saving, &known).await?.answer.map_err(unexpected)?;
    Ok(system)
}

#[tokio::test]
async fn the_salesforce_plugin_uses_every_route_query_name_and_header_of_its_manifest() -> Result<()> {
    let system = everything().await?;
    let manifest = Manifest::from_toml(include_str!("../../plugin/plugin.toml"))?;
    // Whatever is not listed would have been refused; the harness of attacks tries that.
    let requests = system.org().requests();
    for route in manifest.egress.iter().flat_map(|rule| &rule.routes) {
        let of_route = || {
            requests
                .iter()
                .filter(|request| request.method == route.method.to_string() && route.path.matches(&request.path))
        };
        let count = of_route().count();
        println!("{count:>3} {route}");
        assert!(count > 0, "{route} is never used");
        let asked: BTreeSet<String> = of_route()
            .flat_map(|request| url::form_urlencoded::parse(request.query.as_bytes()).into_owned())
            .map(|(name, _)| name)
            .collect();
        assert_eq!(asked, route.query, "{route}");
        let listed: BTreeSet<&str> = route.headers.iter().map(RequestHeader::as_str).collect();
        let set: BTreeSet<&str> = of_route()
            .flat_map(|request| &request.headers)
            .map(|(name, _)| name.as_str())
            .filter(|name| !["accept-encoding", "user-agent"].contains(name))
            .collect();
        assert_eq!(set, listed, "{route}");
    }
    Ok(())
}

#[test]
fn the_salesforce_plugin_reads_every_response_header_of_its_manifest() -> Result<()> {
    fn sources(folder: &std::path::Path) -> Result<String> {
        let mut text = String::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                text.push_str(&sources(&path)?);
            } else {
                text.push_str(&fs::read_to_string(path)?);
            }
        }
        Ok(text)
    }
    let manifest = Manifest::from_toml(include_str!("../../plugin/plugin.toml"))?;
    let source = sources(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugin/src"))?;
    let routes = manifest.egress.iter().flat_map(|rule| &rule.routes);
    for header in routes.flat_map(|route| &route.response_headers).map(ResponseHeader::as_str) {
        assert!(source.contains(&format!("eq_ignore_ascii_case(\"{header}\")")), "{header} is never read");
    }
    Ok(())
}
