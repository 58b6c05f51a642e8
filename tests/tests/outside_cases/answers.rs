//! Answers that pass, and answers that last: what each calls for, and whom it must not blame.

use acceptance::{
    samples::{record_id, with_lead},
    system::unexpected,
};
use anyhow::{Context as _, Result};
use crm_host::types::{
    Outcome,
    Reaction::{self, AskAdmin, CheckFirst, FixBooking, FixMapping, Reconnect, Retry},
};
use salesforce_local_org::{Effect as FaultEffect, Fault};
use serde_json::json;

use crate::{Kind, bed, bed::Bed};

/// An answer with Salesforce's code.
struct Coded(u16, &'static str, &'static str, Reaction);

const APEX: &str = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY";

#[rustfmt::skip]
static CODED: &[Coded] = &[
    // Given before the work, or instead of it.
    Coded(400, "TXN_SECURITY_METERING_ERROR", "We can't complete the action because enabled transaction security policies took too long to complete.", Retry),
    Coded(406, "NOT_ACCEPTABLE", "", Retry),
    Coded(503, "ORG_IN_MAINTENANCE", "The organization is in maintenance", Retry),
    Coded(403, "FUNCTIONALITY_TEMPORARILY_UNAVAILABLE", "try later", Retry),
    Coded(403, "LIMIT_EXCEEDED", "daily rate limit", Retry),
    Coded(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded.", Retry),
    Coded(400, "TOO_MANY_APEX_REQUESTS", "Unable to process request. Concurrent requests limit exceeded.", Retry),
    Coded(400, "MATCH_SERVICE_TIMED_OUT", "Matching took too long", Retry),
    Coded(400, "PLATFORM_EVENT_PUBLISHING_UNAVAILABLE", "not now", Retry),
    Coded(400, "COLLISION_DETECTED", "changed meanwhile", Retry),
    // Limits that depend on the load, in the org's own automation.
    Coded(400, APEX, "LeadTrigger: System.LimitException: Apex CPU time limit exceeded", Retry),
    Coded(400, APEX, "LeadTrigger: execution of AfterInsert\n\ncaused by: System.LimitException: Apex CPU Time Limit Exceeded", Retry),
    Coded(400, APEX, "LabsActionPlans:Too many SOQL queries: 101", Retry),
    Coded(400, APEX, "LeadTrigger: Too many DML statements: 151", Retry),
    Coded(400, "CANNOT_EXECUTE_FLOW_TRIGGER", "We can't save this record because the “New Lead” process failed. Apex heap size too large: 6001234", Retry),
    Coded(500, "APEX_ERROR", "System.CalloutException: Read timed out", Retry),
    Coded(400, APEX, "LeadTrigger: unable to obtain exclusive access to this record", Retry),
    Coded(400, "FLOW_EXCEPTION", "The flow failed: UNABLE_TO_LOCK_ROW", Retry),
    Coded(400, APEX, "LeadTrigger: ConcurrentPerOrgApex Limit exceeded.", Retry),
    Coded(400, APEX, "LeadTrigger: first error: TXN_SECURITY_METERING_ERROR, policies took too long", Retry),
    // The same codes for a lasting reason.
    Coded(400, APEX, "LeadTrigger: System.NullPointerException: Attempt to de-reference a null object", AskAdmin),
    Coded(400, APEX, "LeadTrigger: first error: REQUIRED_FIELD_MISSING, Required fields are missing: [Budget__c]", AskAdmin),
    Coded(400, "MIXED_DML_OPERATION", "DML operation on setup object is not permitted", AskAdmin),
    Coded(400, "STORAGE_LIMIT_EXCEEDED", "storage limit exceeded", AskAdmin),
    // The org's own credentials for others: no new connection helps.
    Coded(400, "INVALID_ACCESS_TOKEN", "The external service refused", AskAdmin),
    Coded(400, "NO_ACCESS_TOKEN_FROM_REFRESH", "The named credential failed", AskAdmin),
    // What nobody has seen yet.
    Coded(400, "SOMETHING_NEW", "?", AskAdmin),
    Coded(400, "SOMETHING_TEMPORARILY_UNAVAILABLE", "?", Retry),
    Coded(400, "NEW_SERVICE_TIMEOUT", "?", Retry),
    Coded(500, "SOMETHING_NEW", "?", CheckFirst),
    // Booking and mapping are still blamed where Salesforce says so.
    Coded(400, "STRING_TOO_LONG", "Last Name: data value too large", FixBooking),
    Coded(400, "INVALID_CROSS_REFERENCE_KEY", "Record Type ID: this ID value isn't valid", FixMapping),
];

/// An answer without a code of Salesforce's: status, media type, body.
struct Uncoded(&'static str, u16, &'static str, &'static str, Reaction);

#[rustfmt::skip]
static UNCODED: &[Uncoded] = &[
    Uncoded("an edge server that does not accept", 406, "", "", Retry),
    Uncoded("a gateway's bad request", 400, "text/html", "<html><head><title>400 Bad Request</title></head></html>", Retry),
    Uncoded("an empty bad request", 400, "", "", Retry),
    Uncoded("JSON that is not Salesforce's", 400, "application/json", "{}", Retry),
    Uncoded("a proxy that wants a login", 407, "text/html", "<html></html>", Retry),
    Uncoded("a firewall's own status", 418, "text/plain", "blocked", Retry),
    Uncoded("a method that a page does not take", 405, "text/html", "<html><body>Only POST allowed</body></html>", Retry),
    Uncoded("a media type that a gateway does not take", 415, "text/html", "<html></html>", Retry),
    Uncoded("a lock", 423, "", "", Retry),
    Uncoded("too many requests", 429, "text/html", "<html></html>", Retry),
    Uncoded("a legal block", 451, "text/html", "<html></html>", Retry),
    Uncoded("several records", 300, "application/json", "[\"/services/data/v64.0/sobjects/Lead/00Q5i00000AbCdEEAV\"]", AskAdmin),
    Uncoded("too large", 413, "text/html", "<html></html>", AskAdmin),
    Uncoded("an address that is too long", 414, "text/html", "<html></html>", AskAdmin),
    Uncoded("forbidden by a page", 403, "text/html", "<html><title>Forbidden</title></html>", Reconnect),
    Uncoded("a missing page", 404, "text/html", "<html><title>Not Found</title></html>", Reconnect),
    Uncoded("time ran out", 408, "", "", CheckFirst),
    Uncoded("a client that went away", 499, "", "", CheckFirst),
    Uncoded("an edge server that lost the org", 502, "text/html", "<html><title>Error Page</title></html>", CheckFirst),
    Uncoded("maintenance", 503, "text/html", "<html><title>We are down for maintenance</title></html>", CheckFirst),
    Uncoded("a gateway's time-out", 504, "text/html", "<html></html>", CheckFirst),
    Uncoded("a success without a body", 201, "application/json", "", CheckFirst),
    Uncoded("a success with a page", 200, "text/html", "<html></html>", CheckFirst),
];

fn answer(status: u16, media_type: &str, body: &str) -> Fault {
    let headers = [("content-type", media_type)].into_iter().filter(|(_, value)| !value.is_empty());
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Fault::new(FaultEffect::Answer { status, headers, body: body.to_owned(), after_commit: false })
        .on("POST", "*/sobjects/Lead")
}

/// A page is not Salesforce's word on a Lead, whatever its status.
async fn changes(kind: &mut Kind, bed: &Bed) -> Result<()> {
    let org = bed.system.org();
    let mapped = bed.mapping([("Description", json!({ "booking": "start-date" }))])?;
    let created = bed.deliver(&bed::booking([])?, &mapped).await?.map_err(unexpected)?;
    let moved = bed::booking_with(json!({ "kind": "rescheduled" }))?;
    let history = with_lead(bed::NOW, record_id(&created));
    for (what, status, media_type, body, reaction) in [
        ("a page for a change", 200, "text/html", "<html><title>Log in</title></html>", CheckFirst),
        ("JSON for a change", 200, "application/json", "{}", CheckFirst),
        ("an empty answer to a change", 201, "", "", CheckFirst),
        ("a missing page for a change", 404, "text/html", "<html></html>", Reconnect),
        ("nothing there for a change", 404, "", "", Reconnect),
    ] {
        let headers = vec![("content-type".to_owned(), media_type.to_owned())];
        let effect = FaultEffect::Answer { status, headers, body: body.to_owned(), after_commit: false };
        org.add_fault(Fault::new(effect).on("PATCH", "*/sobjects/Lead/*"));
        let answer = bed.system.deliver(&moved, &mapped, &history).await?.answer;
        kind.case(what, answer.err().map(|problem| problem.reaction), Some(reaction));
    }
    org.clear_faults();
    let done = bed.system.deliver(&moved, &mapped, &history).await?.answer.map_err(unexpected)?;
    kind.case("a change afterwards", done.outcome, Outcome::Updated);

    // What is not a record's id was not given by Salesforce.
    for id in ["<b>x", "", "42"] {
        org.add_fault(answer(201, "application/json", &json!({ "id": id, "success": true }).to_string()));
        let problem = bed.deliver(&bed::booking([])?, &mapped).await?.err();
        kind.case(format!("the id {id:?}"), problem.map(|problem| problem.reaction), Some(CheckFirst));
    }
    org.add_fault(Fault::answer(404, "text/html", "<html></html>").on("GET", "*/describe"));
    let doctor = bed.system.plugin.check_connection(&bed.system.connection, "en").await?.answer.err();
    let code = doctor.and_then(|problems| problems.into_iter().next()).map(|problem| problem.code);
    kind.case("a missing page for the doctor", code.as_deref(), Some("org-moved"));
    org.clear_faults();
    Ok(())
}

pub async fn cases() -> Result<Kind> {
    let mut kind = Kind::new("passing and lasting answers");
    let bed = Bed::of("").await?;
    let (booking, mapped) = (bed::booking([])?, bed.mapping([])?);
    for Coded(status, code, message, reaction) in CODED {
        let body = json!([{ "message": message, "errorCode": code }]).to_string();
        bed.system.org().add_fault(answer(*status, "application/json;charset=UTF-8", &body));
        let problem = bed.deliver(&booking, &mapped).await?.err().context("a problem")?;
        let is_timed = problem.retry_after.is_some() == matches!(reaction, Retry | CheckFirst);
        kind.case(format!("{status} {code} {message:?}"), (problem.reaction, is_timed), (reaction.clone(), true));
    }
    for Uncoded(what, status, media_type, body, reaction) in UNCODED {
        bed.system.org().add_fault(answer(*status, media_type, body));
        let problem = bed.deliver(&booking, &mapped).await?.err().context("a problem")?;
        kind.case(format!("{what} ({status})"), problem.reaction, reaction.clone());
        let advice = bed.system.plugin.advice(&problem.code, &[], "en").await?.answer;
        let explained = advice.map(|advice| !advice.steps.is_empty());
        kind.case(format!("{what} ({status}) is explained"), explained, Some(true));
        // Whatever it says, no markup reaches a person.
        kind.case(format!("{what} ({status}) in words"), problem.message.contains(['<', '>']), false);
    }
    bed.system.org().clear_faults();
    changes(&mut kind, &bed).await?;
    // A person who is asked reads the quota's own time, and the load's.
    for (text, seconds) in
        [("TotalRequests Limit exceeded.", 900), ("ConcurrentRequests (Concurrent API Requests) Limit exceeded.", 60)]
    {
        bed.system.org().add_fault(Fault::api_error(403, "REQUEST_LIMIT_EXCEEDED", text).on("POST", "*/sobjects/Lead"));
        let problem = bed.deliver(&booking, &mapped).await?.err().context("a problem")?;
        kind.case(text, problem.retry_after, Some(seconds));
    }
    Ok(kind)
}
