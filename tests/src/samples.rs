//! Bookings and mappings, made from the project's examples.

use anyhow::{Context as _, Result};
use host_harness::input::{self, BookingFormat};
use runtime::types::{Booking, History, LeadField, Mapping};
use std::path::{Path, PathBuf};

/// A file of the project's examples.
pub fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name)
}

/// The booking of the Japanese scheduling service's webhook body.
pub fn japanese_booking() -> Result<Booking> {
    Ok(input::read_booking(&example("timerex-webhook.json"), BookingFormat::Timerex)?)
}

/// The booking in the contract's own form.
pub fn booking() -> Result<Booking> {
    Ok(input::read_booking(&example("booking.json"), BookingFormat::Native)?)
}

/// The mapping of an example file, its fields as the org lists them.
pub fn mapping(name: &str, fields: &[LeadField]) -> Result<Mapping> {
    let file = example(name);
    Ok(input::read_mapping(&file)?.into_mapping(&file, fields)?)
}

/// A mapping of rows and options in JSON, its fields as the org lists them.
pub fn mapping_of(json: serde_json::Value, fields: &[LeadField]) -> Result<Mapping> {
    let file: input::MappingFile = serde_json::from_value(json).context("the test's mapping")?;
    Ok(file.into_mapping(Path::new("(test)"), fields)?)
}

/// A first try, now.
pub fn first_try(now: &str) -> History {
    History { now: now.to_owned(), lead_id: None, first_try: None, unknown_tries: None }
}
