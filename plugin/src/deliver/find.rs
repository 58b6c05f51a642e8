//! Looking for Leads: one query for all that a step needs to know. A look-up that fails is a failure, never "nobody found".
//!
//! The Lead that a try of unknown outcome may have made was created since that try began, by whomever the team was connected as
//! then. It has the guest's address; or it has no address, which may be what Salesforce refused, and the guest's last name, which
//! no Lead is without. What else it holds says how like it is ([`Likeness`]):
//!
//! - *exactly one* is the same: that is it;
//! - *none* is the same or near: there is none, once the org can no longer commit the lost request;
//! - *several* are the same, or some are near: nobody can tell. Time may; at last a person must.

use super::Job;
use crate::{
    api::unreadable,
    bindings::{
        http::Response,
        types::{Problem, Reaction},
    },
    codes,
    lead::{self, Lead, Likeness},
    mapping::{self, is_same_field},
    org::Org,
    plan::{Plan, Scope, text},
    soql::{address, booking_key, is_field_name, push_literal},
    timestamp::Moment,
};

/// How long the org may still commit a request after it began: Salesforce ends one after ten minutes (REST API guide, "API
/// request limits"), and clocks and networks get a margin.
const LOST_REQUEST_SECONDS: u32 = 12 * 60;
/// By how much the host's clock may be ahead of the org's.
const CLOCK_SKEW_SECONDS: i64 = 60;
/// The most Leads that a look-up reads where it is not about the newest one.
const MOST: usize = 50;
const MOST_WRITTEN: &str = "50";

/// The Leads that a look-up asks for: those that are any of these.
#[derive(Default)]
pub struct Sought<'s> {
    /// Those with one of these keys in the booking-id field.
    pub keys: Vec<String>,
    /// The one with this id.
    pub id: Option<&'s str>,
    /// Those with this address that were not converted.
    pub email: Option<String>,
    /// Those that a try of unknown outcome may have made: created since, with what this booking writes.
    pub since: Option<Moment>,
    /// Whether what they hold in the mapped fields is read too.
    pub values: bool,
}

impl<'a, O: Org> Job<'a, '_, O> {
    /// The key of a booking of this team, if the mapping has a field for it.
    pub fn key(&self, booking: &str) -> Option<(&'a str, String)> {
        Some((self.choices.booking_id_field?, booking_key(&self.booking.team.id, booking)))
    }

    /// Looks for Leads, the newest first; asks nothing where nothing is sought. Where a mapped field is gone, the plan is made
    /// anew by the live fields and the question put once more.
    pub fn look_up(&mut self, sought: &Sought<'_>, plan: &mut Plan<'a>) -> Result<Vec<Lead>, Box<Problem>> {
        let Some(soql) = self.question(sought, plan) else { return Ok(Vec::new()) };
        let mut leads = match self.api.query(&soql) {
            Err(problem) if problem.code == "INVALID_FIELD" && self.known.live.get().is_none() => {
                self.live()?;
                *plan = self.plan(Scope::Booking)?;
                return self.look_up(sought, plan);
            }
            answer => read(&answer?, sought)?,
        };
        // A guest with so many Leads may hide the one that has the key.
        if leads.len() >= MOST && !sought.keys.is_empty() {
            let sought = Sought { keys: sought.keys.clone(), ..Sought::default() };
            if let Some(soql) = self.question(&sought, plan) {
                let answer = self.api.query(&soql)?;
                leads.extend(read(&answer, &sought)?);
            }
        }
        Ok(leads)
    }

    /// The query, if anything is sought.
    fn question(&self, sought: &Sought<'_>, plan: &Plan<'_>) -> Option<String> {
        let mut names: Vec<&str> = vec!["Id"];
        names.extend(self.choices.booking_id_field);
        if sought.id.is_some() || sought.email.is_some() {
            names.extend(["Email", "IsConverted"]);
        }
        if sought.since.is_some() {
            names.push("CreatedDate");
        }
        if sought.values {
            names.extend(plan.entries.iter().map(|entry| &*entry.field.name).filter(|name| is_field_name(name)));
        }
        let mut soql = "SELECT ".to_owned();
        for (place, name) in names.iter().enumerate() {
            if names.iter().take(place).any(|known| is_same_field(known, name)) {
                continue;
            }
            if place > 0 {
                soql.push(',');
            }
            soql.push_str(name);
        }
        soql.push_str(" FROM Lead");

        let mut word = " WHERE ";
        let mut next = |soql: &mut String| soql.push_str(std::mem::replace(&mut word, " OR "));
        if let Some(field) = self.choices.booking_id_field.filter(|_| !sought.keys.is_empty()) {
            next(&mut soql);
            push_in(&mut soql, field, &mut sought.keys.iter().map(|key| &**key));
        }
        if let Some(id) = sought.id {
            next(&mut soql);
            push_in(&mut soql, "Id", &mut [id].into_iter());
        }
        if let Some(email) = &sought.email {
            next(&mut soql);
            soql.push_str("(Email = ");
            push_literal(&mut soql, email);
            soql.push_str(" AND IsConverted = false)");
        }
        if let Some(since) = sought.since {
            next(&mut soql);
            soql.push_str("(CreatedDate >= ");
            since.earlier(CLOCK_SKEW_SECONDS).push_to(&mut soql);
            self.push_telling(&mut soql, plan);
            soql.push(')');
        }
        if word == " WHERE " {
            return None;
        }
        let is_of_one = sought.keys.is_empty() && sought.since.is_none();
        soql.push_str(" ORDER BY CreatedDate DESC LIMIT ");
        soql.push_str(if is_of_one { "1" } else { MOST_WRITTEN });
        Some(soql)
    }

    /// The texts that a Lead of this booking has, as far as they can be searched by.
    fn push_telling(&self, soql: &mut String, plan: &Plan<'_>) {
        let email = plan.text_of("Email");
        if let Some(email) = email {
            soql.push_str(" AND (Email = ");
            push_literal(soql, email);
        }
        let name =
            ["LastName", "Company"].into_iter().find_map(|name| Some((plan.entry_of(name)?, plan.text_of(name)?)));
        if let Some((entry, name)) = name {
            soql.push_str(if email.is_some() { " OR (" } else { " AND (" });
            let fallback = entry.fallback(self.mapping);
            // Salesforce trims a text's blanks, but not those of other scripts.
            let names = [Some(name.trim_ascii()), fallback.as_ref().and_then(text)];
            push_in(soql, &entry.field.name, &mut names.into_iter().flatten());
            soql.push_str(if email.is_some() { " AND Email = null))" } else { ")" });
        } else if email.is_some() {
            soql.push(')');
        }
    }

    /// What the tries of unknown outcome came to, where no key tells: the Lead that they made or changed, if they did. `existing` is
    /// the Lead that is used where they made none.
    pub fn lost(
        &self,
        leads: &[Lead],
        existing: Option<&Lead>,
        plan: &Plan<'_>,
    ) -> Result<Option<String>, Box<Problem>> {
        let Some(since) = self.since_lost_try() else { return Err(self.pending()) };
        // One whose date cannot be read may be as new as any.
        let is_old = |lead: &Lead| {
            let created = lead.text("CreatedDate").and_then(Moment::parse);
            created.is_some_and(|created| created.unix() < since.unix() - CLOCK_SKEW_SECONDS)
        };
        let mut same = Vec::new();
        let mut near = Vec::new();
        for lead in leads.iter().filter(|lead| !is_old(lead)) {
            match lead.likeness(&plan.entries, self.mapping) {
                Likeness::Same => same.push(lead.id.clone()),
                Likeness::Near => near.push(lead.id.clone()),
                Likeness::Other => {}
            }
        }
        let are_all = leads.len() < MOST;
        if let ([only], true) = (&*same, are_all) {
            return Ok(Some(only.clone()));
        }
        // Whichever of several it is, it is the one that is used. Of an older one, a change that was lost shows in all values only.
        if let Some(lead) = existing
            && (same.contains(&lead.id) || (lead.holds(&plan.entries) && !plan.entries.is_empty()))
        {
            return Ok(Some(lead.id.clone()));
        }
        let is_none = same.is_empty() && near.is_empty() && are_all;
        let is_settled = match (existing, self.is_conclusive()) {
            // A Lead that is used makes a second one needless, whichever of them it is.
            (Some(_), true) => true,
            // One that was there before was used by the lost try too.
            (Some(lead), false) => is_none && is_old(lead),
            (None, is_conclusive) => is_none && is_conclusive,
        };
        if is_settled {
            Ok(None)
        } else if is_none {
            Err(self.pending())
        } else {
            same.append(&mut near);
            Err(self.unclear(same))
        }
    }

    /// When the oldest try of unknown outcome began.
    pub fn since_lost_try(&self) -> Option<Moment> {
        Moment::parse(&self.history.unknown_tries.as_ref()?.oldest)
    }

    /// Whether the org can no longer commit the newest of what was lost: finding nothing then proves that there is nothing.
    pub fn is_conclusive(&self) -> bool {
        self.seconds_until_conclusive().is_some_and(|seconds| seconds <= 0)
    }

    /// Seconds until then; `None` where the times cannot be read.
    fn seconds_until_conclusive(&self) -> Option<i64> {
        let began = Moment::parse(&self.history.unknown_tries.as_ref()?.newest)?;
        Some(began.unix() + i64::from(LOST_REQUEST_SECONDS) - Moment::parse(&self.history.now)?.unix())
    }

    /// Nothing is there yet, and something may still come.
    fn pending(&self) -> Box<Problem> {
        let mut problem = mapping::refusal(
            codes::OUTCOME_PENDING,
            Reaction::CheckFirst,
            "An earlier try made no Lead so far, and Salesforce may still be working on it.",
        );
        problem.retry_after = Some(self.seconds_to_wait().unwrap_or(600));
        problem
    }

    /// Several Leads may be the one, or one that is not quite what was written. Time may tell; at last a person must.
    fn unclear(&self, ids: Vec<String>) -> Box<Problem> {
        let mut problem = mapping::refusal(
            codes::OUTCOME_UNCLEAR,
            Reaction::CheckFirst,
            "Several Leads, or ones that differ from this booking, may be what an earlier try made.",
        );
        problem.retry_after = self.seconds_to_wait();
        problem.record_ids = ids;
        problem
    }

    /// How long to wait for a conclusion, while one is to come.
    fn seconds_to_wait(&self) -> Option<u32> {
        self.seconds_until_conclusive().filter(|seconds| *seconds > 0).and_then(|seconds| u32::try_from(seconds).ok())
    }

    /// The guest's address, as the Lead would have it.
    pub fn email(&self, plan: &Plan<'_>) -> Option<String> {
        address(plan.text_of("Email").or(self.booking.guest.email.as_deref())?)
    }
}

/// The Leads of an answer. One that lacks what was asked for answers something else, and must not be taken for nobody.
fn read(answer: &Response, sought: &Sought<'_>) -> Result<Vec<Lead>, Box<Problem>> {
    let leads = lead::read(answer)?;
    let asks_for_addresses = sought.id.is_some() || sought.email.is_some();
    if asks_for_addresses && !leads.iter().all(|lead| lead.answers("Email")) {
        return Err(Box::new(unreadable(answer, "a record without the address that was asked for")));
    }
    Ok(leads)
}

/// Whether a Lead has this address and can be written to.
pub fn is_open_with(lead: &Lead, email: &str) -> bool {
    lead.text("Email").is_some_and(|held| held.eq_ignore_ascii_case(email)) && !lead.is_true("IsConverted")
}

/// The Lead with exactly this key. Salesforce may take upper and lower case for the same; such a Lead is another booking's.
pub fn with_key<'l>(leads: &'l [Lead], field: &str, key: &str) -> Result<Option<&'l Lead>, Box<Problem>> {
    let mut other = None;
    for lead in leads {
        match lead.text(field) {
            Some(held) if held == key => return Ok(Some(lead)),
            Some(held) if held.eq_ignore_ascii_case(key) => other = Some(lead),
            _ => {}
        }
    }
    let Some(other) = other else { return Ok(None) };
    let mut problem = mapping::refusal(
        codes::BOOKING_ID_COLLISION,
        Reaction::AskAdmin,
        "The booking-id field holds a key that differs from this booking's in upper and lower case only.",
    );
    problem.fields = vec![field.to_owned()];
    problem.record_ids = vec![other.id.clone()];
    Err(problem)
}

/// A field that is one of these texts.
fn push_in(soql: &mut String, field: &str, texts: &mut dyn Iterator<Item = &str>) {
    soql.push_str(field);
    let mut before = " IN (";
    for text in texts {
        soql.push_str(before);
        push_literal(soql, text);
        before = ",";
    }
    soql.push(')');
}
