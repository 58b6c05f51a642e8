//! The hostile plugin in the host.

use acceptance::guests;
use acceptance::samples::first_try;
use acceptance::scripted::{Scripted, VICTIM, response};
use acceptance::system::NOW;
use anyhow::Result;
use crm_host::credentials::{Builds, ConnectionId};
use crm_host::types::{Booking, BookingKind, Mapping, Parameter, Problem};
use crm_host::{CallError, Called, HostBuilder};
use std::fs;

/// The hostile plugin, at an org that answers with the path, except at `/open/silence`.
pub async fn hostile() -> Result<Scripted> {
    hostile_with(|host| host).await
}

/// The same in a host with further settings, which lets a plugin `other` in too.
pub async fn hostile_with(settings: impl FnOnce(HostBuilder) -> HostBuilder) -> Result<Scripted> {
    let other = "other".parse()?;
    let settings = |host| settings(host).plugin(other, Builds::Any);
    let component = fs::read(guests::build("hostile")?.path)?;
    let answer = |request: &http::Request<Vec<u8>>| match request.uri().path() {
        "/open/silence" => None,
        path => Some(response(200, path)),
    };
    Scripted::start_with(&component, &VICTIM, answer, settings).await
}

/// Lets the guest try something.
pub async fn run(
    guest: &Scripted,
    team: &ConnectionId,
    target: &str,
    options: &[(&str, &str)],
) -> Result<Called<Problem>, CallError> {
    let options = options.iter().map(|(name, value)| Parameter::new(*name, *value));
    let mapping = Mapping { target: Some(target.to_owned()), options: options.collect(), ..Mapping::default() };
    let (id, team_id) = ("b-1".to_owned(), "team".to_owned());
    let booking =
        Booking { kind: BookingKind::Confirmed, id, previous_id: None, team_id, locale: None, more: Vec::new() };
    let called = guest.plugin.on_booking_completed(team, &booking, &mapping, &first_try(NOW)).await?;
    Ok(Called { answer: called.answer.expect_err("the guest always returns a problem"), usage: called.usage })
}
