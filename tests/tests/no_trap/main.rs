//! No input makes the component trap or exceed a limit: whatever an org responds, guests type and owners map, every call
//! returns.

mod anything;
mod bodies;
mod odd;
mod sizes;
mod texts;

use acceptance::samples::{Mapped, first_try};
use acceptance::scripted::{Reply, SALESFORCE, Scripted};
use acceptance::system::{NOW, component};
use anyhow::{Context as _, Result};
use crm_booking::{Booking, Event, Expected, Question, Resolved, expectations};
use crm_host::credentials::ConnectionId;
use crm_host::types::{Account, Checked, Delivery, FieldList, PreviewResult, Problem};
use crm_host::{CallError, Called, Plugin};
use http::Request;

/// The plugin with scripted responses.
async fn scripted(answer: impl Fn(&Request<Vec<u8>>) -> Option<Reply> + Send + Sync + 'static) -> Result<Scripted> {
    Scripted::start(component()?, &SALESFORCE, answer).await
}

/// The result of a call, which must not be a trap or an exceeded limit.
fn answered<T>(call: Result<Called<T>, CallError>, what: &str) -> Result<T> {
    call.map(|called| called.answer).with_context(|| what.to_owned())
}

/// Results of the exported functions.
struct Answers {
    account: Result<Account, Vec<Problem>>,
    fields: Result<FieldList, Problem>,
    preview: Result<PreviewResult, Problem>,
    check: Result<Checked, Problem>,
    delivery: Result<Delivery, Problem>,
}

/// Calls every function that sends requests to an org.
async fn call_all(
    plugin: &Plugin,
    connection: &ConnectionId,
    booking: &Booking,
    mapped: &Mapped,
    questions: &[Question],
    what: &str,
) -> Result<Answers> {
    let Resolved { booking, mapping, .. } = mapped.resolve(booking);
    let Expected { rows, options, .. } =
        expectations(questions, &mapped.mapping, Event::Confirmed, &mapped.memos, None);
    let kind = Event::Confirmed.to_contract();
    Ok(Answers {
        account: answered(plugin.check_connection(connection, "en").await, what)?,
        fields: answered(plugin.list_lead_fields(connection, None, "en").await, what)?,
        preview: answered(plugin.preview(connection, &booking, &mapping, &[]).await, what)?,
        check: answered(plugin.check_mapping(connection, &kind, None, &rows, &options).await, what)?,
        delivery: answered(plugin.on_booking_completed(connection, &booking, &mapping, &first_try(NOW)).await, what)?,
    })
}
