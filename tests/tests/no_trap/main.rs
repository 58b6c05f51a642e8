//! No input makes the component trap or exceed a limit: whatever an org responds, guests type and owners map, every call
//! returns.

mod anything;
mod bodies;
mod odd;
mod sizes;
mod texts;

use acceptance::samples::first_try;
use acceptance::scripted::{Reply, SALESFORCE, Scripted};
use acceptance::system::{NOW, component};
use anyhow::{Context as _, Result};
use crm_host::credentials::ConnectionId;
use crm_host::types::{Account, Booking, Delivery, Finding, LeadFields, Mapping, PreviewResult, Problem, Question};
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
    fields: Result<LeadFields, Problem>,
    preview: Result<PreviewResult, Problem>,
    check: Result<Vec<Finding>, Problem>,
    delivery: Result<Delivery, Problem>,
}

/// Calls every function that sends requests to an org.
async fn call_all(
    plugin: &Plugin,
    connection: &ConnectionId,
    booking: &Booking,
    mapping: &Mapping,
    questions: &[Question],
    what: &str,
) -> Result<Answers> {
    Ok(Answers {
        account: answered(plugin.check_connection(connection).await, what)?,
        fields: answered(plugin.list_lead_fields(connection).await, what)?,
        preview: answered(plugin.preview(connection, booking, mapping).await, what)?,
        check: answered(plugin.check_mapping(connection, mapping, questions).await, what)?,
        delivery: answered(plugin.on_booking_completed(connection, booking, mapping, &first_try(NOW)).await, what)?,
    })
}
