//! Looking for Leads. A look-up that fails is a failure, never "nobody found".

use super::Job;
use crate::{
    bindings::types::{Problem, Reaction},
    codes,
    lead::{self, Lead},
    mapping,
    org::Org,
    plan::{Entry, Plan},
    soql::{address, booking_key, is_field_name, push_literal},
    timestamp::Moment,
    value::Json,
};
use alloc::{borrow::ToOwned, boxed::Box, string::String, vec, vec::Vec};

/// How long the org may still commit a request after it began: Salesforce ends one after ten minutes (REST API guide, "API
/// request limits"), and clocks and networks get a margin.
const LOST_REQUEST_SECONDS: u32 = 12 * 60;
/// By how much the host's clock may be ahead of the org's.
const CLOCK_SKEW_SECONDS: i64 = 60;

/// What an earlier try of unknown outcome came to.
pub enum Lost {
    /// It made this Lead.
    Found(Lead),
    /// It made none, and no longer can.
    Nothing,
}

impl<'a, O: Org> Job<'a, '_, O> {
    /// The key of a booking of this team, if the mapping has a field for it.
    pub fn key(&self, booking: &str) -> Option<(&'a str, String)> {
        Some((self.choices.booking_id_field?, booking_key(&self.booking.team.id, booking)))
    }

    /// The Leads that hold one of these keys in the booking-id field.
    pub fn leads_by_key(&mut self, field: &str, keys: &[&str]) -> Result<Vec<Lead>, Box<Problem>> {
        let mut soql = select(["Id", field].into_iter());
        soql.push_str(" WHERE ");
        soql.push_str(field);
        soql.push_str(" IN (");
        for (place, key) in keys.iter().enumerate() {
            if place > 0 {
                soql.push(',');
            }
            push_literal(&mut soql, key);
        }
        soql.push_str(") LIMIT 10");
        self.leads(&soql)
    }

    /// The Lead of this booking by its key.
    pub fn lead_of_booking(&mut self) -> Result<Option<Lead>, Box<Problem>> {
        let Some((field, key)) = self.key(&self.booking.id) else { return Ok(None) };
        let leads = self.leads_by_key(field, &[&key])?;
        one_with_key(leads, field, &key)
    }

    /// The newest Lead with the guest's e-mail address that was not converted. `fields` are read with it.
    pub fn existing_lead(&mut self, email: &str, fields: &[&str]) -> Result<Option<Lead>, Box<Problem>> {
        let mut soql = select(["Id", "Email"].into_iter().chain(fields.iter().copied()));
        soql.push_str(" WHERE Email = ");
        push_literal(&mut soql, email);
        soql.push_str(" AND IsConverted = false ORDER BY CreatedDate DESC LIMIT 1");
        Ok(self.leads(&soql)?.into_iter().next())
    }

    /// The Lead with this id.
    pub fn lead_by_id(&mut self, id: &str, fields: &[&str]) -> Result<Option<Lead>, Box<Problem>> {
        let mut soql = select(["Id", "Email", "IsConverted"].into_iter().chain(fields.iter().copied()));
        soql.push_str(" WHERE Id = ");
        push_literal(&mut soql, id);
        Ok(self.leads(&soql)?.into_iter().next())
    }

    /// Looks for the Lead that a try of unknown outcome may have made: created since the oldest began, by the connected user, with what
    /// this booking writes.
    pub fn lost_lead(&mut self, plan: &Plan<'_>) -> Result<Lost, Box<Problem>> {
        let Some(tries) = &self.history.unknown_tries else { return Ok(Lost::Nothing) };
        let Some(since) = Moment::parse(&tries.oldest) else { return Err(self.pending()) };
        let entries: Vec<Entry<'_>> =
            plan.entries.iter().filter(|entry| is_field_name(&entry.field.name)).cloned().collect();
        let mut soql = select(core::iter::once("Id").chain(entries.iter().map(|entry| &*entry.field.name)));
        soql.push_str(" WHERE CreatedDate >= ");
        since.earlier(CLOCK_SKEW_SECONDS).push_to(&mut soql);
        // A text that every Lead of this booking has, and that can be searched by.
        let telling = ["Email", "LastName", "Company"].into_iter().find_map(|name| match plan.value_of(name) {
            Some(Json::Text(text)) => Some((name, text)),
            _ => None,
        });
        if let Some((name, text)) = telling {
            soql.push_str(" AND ");
            soql.push_str(name);
            soql.push_str(" = ");
            push_literal(&mut soql, text.trim());
        }
        if let Some(user) = self.api.user_id() {
            soql.push_str(" AND CreatedById = ");
            push_literal(&mut soql, &user);
        }
        soql.push_str(" ORDER BY CreatedDate DESC LIMIT 20");

        let (mut same, near): (Vec<Lead>, Vec<Lead>) =
            self.leads(&soql)?.into_iter().partition(|lead| lead.holds(&entries));
        match (same.pop(), same.is_empty()) {
            (Some(only), true) => Ok(Lost::Found(only)),
            (None, _) if near.is_empty() => {
                if self.is_conclusive() {
                    Ok(Lost::Nothing)
                } else {
                    Err(self.pending())
                }
            }
            (last, _) => Err(self.unclear(last.iter().chain(&same).chain(&near))),
        }
    }

    /// Whether the org can no longer commit the newest of what was lost: finding nothing then proves that there is nothing.
    pub fn is_conclusive(&self) -> bool {
        self.seconds_until_conclusive().is_some_and(|seconds| seconds <= 0)
    }

    /// Whether a Lead was created since the oldest try of unknown outcome began.
    pub fn is_since_lost_try(&self, lead: &Lead) -> bool {
        let began = self.history.unknown_tries.as_ref().and_then(|tries| Moment::parse(&tries.oldest));
        match (began, lead.text("CreatedDate").and_then(Moment::parse)) {
            (Some(began), Some(created)) => created.unix() >= began.unix() - CLOCK_SKEW_SECONDS,
            _ => true,
        }
    }

    /// Seconds until then; `None` where the times cannot be read.
    fn seconds_until_conclusive(&self) -> Option<i64> {
        let began = Moment::parse(&self.history.unknown_tries.as_ref()?.newest)?;
        Some(began.unix() + i64::from(LOST_REQUEST_SECONDS) - Moment::parse(&self.history.now)?.unix())
    }

    /// Nothing is there yet, and something may still come.
    pub fn pending(&self) -> Box<Problem> {
        let mut problem = mapping::refusal(
            codes::OUTCOME_PENDING,
            Reaction::CheckFirst,
            "An earlier try made no Lead so far, and Salesforce may still be working on it.",
        );
        problem.retry_after = Some(self.seconds_to_wait().unwrap_or(600));
        problem
    }

    /// Several Leads may be the one, or one that is not quite what was written. Time may tell; at last a person must.
    fn unclear<'l>(&self, leads: impl Iterator<Item = &'l Lead>) -> Box<Problem> {
        let mut problem = mapping::refusal(
            codes::OUTCOME_UNCLEAR,
            Reaction::CheckFirst,
            "Several Leads, or ones that differ from this booking, may be what an earlier try made.",
        );
        problem.retry_after = self.seconds_to_wait();
        problem.record_ids = leads.map(|lead| lead.id.clone()).collect();
        problem
    }

    /// How long to wait for a conclusion, while one is to come.
    fn seconds_to_wait(&self) -> Option<u32> {
        self.seconds_until_conclusive().filter(|seconds| *seconds > 0).and_then(|seconds| u32::try_from(seconds).ok())
    }

    /// The guest's address, as the Lead would have it.
    pub fn email(&self, plan: &Plan<'_>) -> Option<String> {
        match plan.value_of("Email") {
            Some(Json::Text(text)) => address(text),
            _ => address(self.booking.guest.email.as_deref()?),
        }
    }

    fn leads(&mut self, soql: &str) -> Result<Vec<Lead>, Box<Problem>> {
        lead::read(&self.api.query(soql)?)
    }
}

/// The Lead with exactly this key. Salesforce may take upper and lower case for the same; such a Lead is another booking's.
pub fn one_with_key(leads: Vec<Lead>, field: &str, key: &str) -> Result<Option<Lead>, Box<Problem>> {
    let mut other = None;
    for lead in leads {
        if lead.text(field) == Some(key) {
            return Ok(Some(lead));
        }
        other = Some(lead.id);
    }
    match other {
        None => Ok(None),
        Some(id) => {
            let mut problem = mapping::refusal(
                codes::BOOKING_ID_COLLISION,
                Reaction::AskAdmin,
                "The booking-id field holds a key that differs from this booking's in upper and lower case only.",
            );
            problem.fields = vec![field.to_owned()];
            problem.record_ids = vec![id];
            Err(problem)
        }
    }
}

/// `SELECT` of these fields, each of them once.
fn select<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let mut seen: Vec<&str> = Vec::new();
    let mut soql = "SELECT ".to_owned();
    for name in names.filter(|name| is_field_name(name)) {
        if seen.iter().any(|known| mapping::is_same_field(known, name)) {
            continue;
        }
        if !seen.is_empty() {
            soql.push(',');
        }
        soql.push_str(name);
        seen.push(name);
    }
    soql.push_str(" FROM Lead");
    soql
}
