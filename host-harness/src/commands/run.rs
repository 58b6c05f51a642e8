//! `run`: delivers one booking.

use anyhow::Result;
use runtime::types::{Delivery, History, Outcome};

use super::{
    Ending,
    booking::{self, Opened, parts, show_problem, show_usage},
};
use crate::{cli::BookingAndMapping, ui::Ui};

pub(super) async fn run(ui: &mut Ui, arguments: &BookingAndMapping) -> Result<Ending> {
    let Some(Opened { connected, booking, mapping }) = booking::open(ui, arguments).await? else {
        return Ok(Ending::Refused);
    };
    let history = first_try();
    let plugin = &connected.plugin;
    let (answer, usage) =
        parts(plugin.on_booking_completed(&connected.connection, &booking, &mapping, &history).await?);
    let ending = match answer {
        Ok(delivery) => {
            ui.json(&serde_json::json!({ "delivery": delivery, "usage": usage }))?;
            show_delivery(ui, &delivery);
            connected.show_lead(ui, &delivery.lead_id);
            Ending::Done
        }
        Err(problem) => {
            show_problem(ui, plugin, &problem).await?;
            Ending::Refused
        }
    };
    show_usage(ui, plugin, &usage);
    connected.close().await;
    Ok(ending)
}

/// A command has no ledger: each run is a first try.
pub(super) fn first_try() -> History {
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    History { now, lead_id: None, first_try: None, unknown_tries: None }
}

pub(super) fn show_delivery(ui: &Ui, delivery: &Delivery) {
    let done = match delivery.outcome {
        Outcome::Created => "Created Lead",
        Outcome::Updated => "Updated Lead",
        Outcome::Kept => "Left as it is: Lead",
        Outcome::AlreadyDelivered => "Already delivered: Lead",
    };
    let url = delivery.lead_url.as_ref().map_or(String::new(), |url| format!("\n  {url}"));
    ui.print(format!("{done} {}{url}", delivery.lead_id));
    ui.findings(&delivery.findings);
}
