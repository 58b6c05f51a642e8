//! Looking for Leads: one query for everything that a step must know. A look-up that fails is a failure, never "nobody
//! found".
//!
//! The Lead that a try of unknown outcome may have created was created since that try began, by whomever the team was
//! connected as at the time. It has the guest's address; or, if Salesforce refused the address, it has none, but the
//! guest's last name, which every Lead has. Its other values say how like it is ([`Likeness`]):
//!
//! - *exactly one* is the same: that is it;
//! - *none* is the same or near: there is none, once the org can no longer commit the lost request;
//! - *several* are the same, or some are near: nobody can tell. Time may; in the end a person must.
//!
//! The org stamps Leads by its own clock, while the history has instants of the ledger's, and a plugin has no clock. The
//! look-up therefore asks for Leads from well before the try on, and the `Date` of the answer shows how far the two clocks
//! are apart ([`cut`]).

use super::{
    Job, Stopped,
    likeness::{Likeness, has_all},
    plan::{Plan, text},
};
use crate::{
    bindings::{
        http::Response,
        types::{Instant, Problem, Reaction, UnknownTries},
    },
    codes,
    field::is_same_field,
    problem::refusal,
    salesforce::{
        api::unreadable,
        lead::{self, Lead},
        org::Org,
        soql::{address, is_field_name, push_literal},
    },
    settings::options::EMAIL_FIELD,
    value::{particular, timestamp::Moment},
};

/// How long the org may still commit a request after it began: Salesforce ends one after ten minutes (REST API guide, "API
/// request limits"), plus a margin for the network.
const LOST_REQUEST_SECONDS: i64 = 12 * 60;
/// How far the org's clock can be behind the ledger's without a second query.
const LATE_CLOCK_SECONDS: i64 = 60 * 60;
/// How far the org's clock is taken to be behind if its answer does not show it.
const UNKNOWN_CLOCK_SECONDS: i64 = 15 * 60;
/// How much later than it should the difference between `Date` and `now` can put a Lead. The org writes `Date` after the
/// host has read its clock: a call takes up to a minute (`wall_ms` in `plugin.toml`), and may begin some time after that.
/// Besides, `Date` and `CreatedDate` are whole seconds. Too large a margin only admits older Leads, which must still match.
const CLOCK_MARGIN_SECONDS: i64 = 120;
/// The most Leads that a look-up reads, unless it is about the newest one.
const MOST: usize = 50;

/// The Leads that a look-up asks for: those that meet any of these conditions.
#[derive(Default)]
pub struct LeadQuery<'q> {
    /// Values of the booking-id field.
    pub keys: Vec<String>,
    pub id: Option<&'q str>,
    /// The address of Leads that were not converted.
    pub email: Option<String>,
    /// Leads that were created since then, in seconds since 1970, and that may be the one of a try of unknown outcome.
    pub since: Option<i64>,
    /// Whether the values of the mapped fields are read too.
    pub values: bool,
}

impl LeadQuery<'_> {
    /// Whether it has no condition.
    fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.id.is_none() && self.email.is_none() && self.since.is_none()
    }
}

/// The result of a look-up.
#[derive(Default)]
pub struct Found {
    /// Newest first.
    pub leads: Vec<Lead>,
    /// The tries of unknown outcome made none of the Leads that were created before, by the org's clock.
    cut: i64,
    /// Whether there may be no further Lead that these tries made.
    is_complete: bool,
}

impl<'a, O: Org> Job<'a, '_, O> {
    /// Looks for Leads; sends nothing if the query has no condition. If a mapped field is gone, makes the plan again by the
    /// live fields and asks once more.
    pub fn look_up(&mut self, query: &LeadQuery<'_>, plan: &mut Plan<'a>) -> Result<Found, Stopped> {
        if let Some(field) = self.unsearchable(query) {
            let message = format!("field '{field}' can not be filtered in a query call");
            let problem = refusal(codes::FIELD_NOT_SEARCHABLE, Reaction::FixMapping, message);
            return Err(self.tries.stop(not_searchable(problem, field)));
        }
        let Some(soql) = self.soql(query, plan) else { return Ok(Found { is_complete: true, ..Found::default() }) };
        let (mut leads, date) = match self.leads(&soql, query) {
            // The live fields say what is gone, and what can be searched by.
            Err(problem)
                if self.attempt.live.get().is_none()
                    && (problem.code == "INVALID_FIELD" || unsearchable_field(&problem).is_some()) =>
            {
                self.live()?;
                *plan = self.plan(plan.scope)?;
                return self.look_up(query, plan);
            }
            Err(problem) => {
                let field = unsearchable_field(&problem);
                let problem = match field {
                    Some(field) => not_searchable(problem, &field),
                    None => problem,
                };
                return Err(self.tries.stop(problem));
            }
            Ok(leads) => leads,
        };
        let cut = self.attempt.history.unknown_tries.map(|tries| cut(tries, self.attempt.history.now, date));
        // The org's clock is so far behind that the query began too late.
        if let (Some(since), Some(cut)) = (query.since, cut)
            && cut < since
        {
            let earlier =
                LeadQuery { since: Some(cut), keys: query.keys.clone(), email: query.email.clone(), ..*query };
            if let Some(soql) = self.soql(&earlier, plan) {
                (leads, _) = self.leads(&soql, &earlier).map_err(|problem| self.tries.stop(problem))?;
            }
        }
        let cut = cut.unwrap_or_default();
        let is_complete = leads.len() < MOST || leads.last().is_some_and(|lead| is_before(lead, cut));
        // A guest with very many Leads may hide the one that has the key.
        if leads.len() >= MOST && !query.keys.is_empty() {
            let query = LeadQuery { keys: query.keys.clone(), ..LeadQuery::default() };
            if let Some(soql) = self.soql(&query, plan) {
                leads.extend(self.leads(&soql, &query).map_err(|problem| self.tries.stop(problem))?.0);
            }
        }
        Ok(Found { leads, cut, is_complete })
    }

    /// The Leads of a query, and the org's time, if the answer has it.
    fn leads(&mut self, soql: &str, query: &LeadQuery<'_>) -> Result<(Vec<Lead>, Option<i64>), Box<Problem>> {
        let answer = self.api.query(soql)?;
        Ok((read(&answer, query)?, date(&answer)))
    }

    /// The text of a query, if it has a condition.
    fn soql(&self, query: &LeadQuery<'_>, plan: &Plan<'_>) -> Option<String> {
        if query.is_empty() {
            return None;
        }
        let key_field = self.attempt.choices.booking_id_field;
        let mut names: Vec<&str> = vec!["Id"];
        names.extend(key_field);
        if query.id.is_some() || query.email.is_some() {
            names.extend([EMAIL_FIELD, "IsConverted"]);
        }
        if query.since.is_some() {
            names.push("CreatedDate");
        }
        if query.values {
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
        if let Some(field) = key_field.filter(|_| !query.keys.is_empty()) {
            next(&mut soql);
            push_in(&mut soql, field, query.keys.iter().map(|key| &**key));
        }
        if let Some(id) = query.id {
            next(&mut soql);
            push_in(&mut soql, "Id", [id].into_iter());
        }
        if let Some(email) = &query.email {
            next(&mut soql);
            soql.push_str("(Email = ");
            push_literal(&mut soql, email);
            soql.push_str(" AND IsConverted = false)");
        }
        if let Some(since) = query.since {
            next(&mut soql);
            soql.push_str("(CreatedDate >= ");
            Moment::at(since).push_to(&mut soql);
            self.push_distinctive(&mut soql, plan);
            soql.push(')');
        }
        let is_of_one = query.keys.is_empty() && query.since.is_none();
        let limit = if is_of_one { 1 } else { MOST };
        soql.push_str(&format!(" ORDER BY CreatedDate DESC LIMIT {limit}"));
        Some(soql)
    }

    /// The field that a query cannot do without and, as far as the live fields are known, cannot search by.
    fn unsearchable(&self, query: &LeadQuery<'_>) -> Option<&'a str> {
        let live = self.attempt.live.get()?;
        let key_field = self.attempt.choices.booking_id_field.filter(|_| !query.keys.is_empty());
        let needed = [key_field, query.email.as_ref().map(|_| EMAIL_FIELD)];
        needed
            .into_iter()
            .flatten()
            .find(|name| live.fields.iter().any(|field| is_same_field(&field.name, name) && !field.filterable))
    }

    /// The texts that a Lead of this booking has, as far as they can be searched by. An address that cannot be is compared
    /// afterwards.
    fn push_distinctive(&self, soql: &mut String, plan: &Plan<'_>) {
        let searchable = |name: &str| plan.entry_of(name).filter(|entry| entry.field.filterable);
        let email = searchable(EMAIL_FIELD).and_then(|entry| text(&entry.value));
        if let Some(email) = email {
            soql.push_str(" AND (Email = ");
            push_literal(soql, email);
        }
        let name = ["LastName", "Company"].into_iter().find_map(|name| Some((searchable(name)?, plan.text_of(name)?)));
        if let Some((entry, name)) = name {
            soql.push_str(if email.is_some() { " OR (" } else { " AND (" });
            let fallback = entry.fallback(self.attempt.mapping);
            // Salesforce trims ASCII spaces around a text, but not those of other scripts.
            let names = [Some(name.trim_ascii()), fallback.as_ref().and_then(text)];
            push_in(soql, &entry.field.name, names.into_iter().flatten());
            soql.push_str(if email.is_some() { " AND Email = null))" } else { ")" });
        } else if email.is_some() {
            soql.push(')');
        }
    }

    /// The Lead that the tries of unknown outcome created or changed, if they did and no key tells. `existing` is the Lead
    /// that is used if they created none.
    pub fn lost_lead(
        &self,
        found: &Found,
        existing: Option<&Lead>,
        plan: &Plan<'_>,
    ) -> Result<Option<String>, Stopped> {
        let is_old = |lead: &Lead| is_before(lead, found.cut);
        let mut same = Vec::new();
        let mut near = Vec::new();
        for lead in found.leads.iter().filter(|lead| !is_old(lead)) {
            match Likeness::of(lead, &plan.entries, self.attempt.mapping) {
                Likeness::Same => same.push(lead.id.clone()),
                Likeness::Near => near.push(lead.id.clone()),
                Likeness::Other => {}
            }
        }
        if let ([only], true) = (&*same, found.is_complete) {
            return Ok(Some(only.clone()));
        }
        // Whichever of several it is, the existing Lead is the one that is used. A lost change of an older Lead shows only in
        // all its values together.
        if let Some(lead) = existing
            && (same.contains(&lead.id) || (has_all(lead, &plan.entries) && !plan.entries.is_empty()))
        {
            return Ok(Some(lead.id.clone()));
        }
        let is_none = same.is_empty() && near.is_empty() && found.is_complete;
        let is_settled = match (existing, self.is_conclusive()) {
            // A Lead that is used makes a second one needless, whichever of them it is.
            (Some(_), true) => true,
            // One that existed before was used by the lost try too.
            (Some(lead), false) => is_none && is_old(lead),
            (None, is_conclusive) => is_none && is_conclusive,
        };
        if is_settled {
            Ok(None)
        } else if is_none {
            Err(self.tries.stop(self.pending()))
        } else {
            same.append(&mut near);
            Err(self.tries.stop(self.unclear(&same)))
        }
    }

    /// From when on the query asks for the Lead of a try of unknown outcome.
    pub fn earliest_lost_lead(&self) -> Option<i64> {
        let tries = self.attempt.history.unknown_tries?;
        Some(seconds(tries.oldest) - LATE_CLOCK_SECONDS)
    }

    /// Whether the org can no longer commit the newest lost request. Finding nothing then proves that there is nothing.
    pub fn is_conclusive(&self) -> bool {
        self.seconds_to_wait().is_none()
    }

    /// How long to wait until a look-up is conclusive, if it is not yet. Both instants are the ledger's.
    fn seconds_to_wait(&self) -> Option<u32> {
        let history = self.attempt.history;
        let passed = seconds(history.now).saturating_sub(seconds(history.unknown_tries?.newest));
        let seconds = LOST_REQUEST_SECONDS.saturating_sub(passed);
        // A try that seems to have begun long after now is at least not over.
        (seconds > 0).then(|| u32::try_from(seconds).unwrap_or(u32::MAX))
    }

    /// Whether the tries of unknown outcome may still add a Lead beside the one at this place. One that existed before them was
    /// used by them too [H33].
    pub fn may_add_to(&self, found: &Found, place: usize) -> bool {
        !self.is_conclusive() && !found.leads.get(place).is_some_and(|lead| is_before(lead, found.cut))
    }

    /// There is no Lead yet, and one may still come.
    pub fn pending(&self) -> Box<Problem> {
        let mut problem = refusal(
            codes::OUTCOME_PENDING,
            Reaction::CheckFirst,
            "An earlier try has created no Lead so far, and Salesforce may still be working on it.",
        );
        problem.retry_after = self.seconds_to_wait();
        problem
    }

    /// Several Leads may be the one, or one that differs from what was written. Time may tell; in the end a person must.
    fn unclear(&self, ids: &[String]) -> Box<Problem> {
        let mut problem = refusal(
            codes::OUTCOME_UNCLEAR,
            Reaction::CheckFirst,
            "Several Leads, or ones that differ from this booking, may be what an earlier try created.",
        );
        problem.retry_after = self.seconds_to_wait();
        problem.concerned = ids.iter().map(|id| self.api.lead(id)).collect();
        problem
    }

    /// The guest's address, as the Lead would have it.
    pub fn email(&self, plan: &Plan<'_>) -> Option<String> {
        address(plan.text_of(EMAIL_FIELD)?)
    }

    /// The Lead with exactly this key. Salesforce may ignore case; a Lead whose key differs in case is another booking's.
    pub fn with_key<'l>(&self, leads: &'l [Lead], field: &str, key: &str) -> Result<Option<&'l Lead>, Box<Problem>> {
        let mut other = None;
        for lead in leads {
            match lead.text(field) {
                Some(held) if held == key => return Ok(Some(lead)),
                Some(held) if held.eq_ignore_ascii_case(key) => other = Some(lead),
                _ => {}
            }
        }
        let Some(other) = other else { return Ok(None) };
        let mut problem = refusal(
            codes::BOOKING_ID_COLLISION,
            Reaction::AskAdmin,
            "The booking-id field has a key that differs from this booking's only in upper and lower case.",
        );
        problem.fields = vec![field.to_owned()];
        problem.concerned = vec![self.api.lead(&other.id)];
        Err(problem)
    }
}

/// The field by which the org does not search: Shield Platform Encryption or its type keep it from that. Salesforce says so under
/// several codes, in words like `field 'Email' can not be filtered in a query call`.
fn unsearchable_field(problem: &Problem) -> Option<String> {
    const CODES: [&str; 4] = ["INVALID_FIELD", "INVALID_OPERATION", "INVALID_QUERY_FILTER_OPERATOR", "MALFORMED_QUERY"];
    let message = problem.message.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
    let is_said = has(&["can not be", "cannot be", "can't be"]) && has(&["filtered", "sorted", "searched"]);
    if !is_said || !CODES.contains(&&*problem.code) {
        return None;
    }
    let (_, name) = problem.message.rsplit_once("ield '")?;
    name.split_once('\'').map(|(name, _)| name.to_owned())
}

/// A problem that says which option needs a field that cannot be searched by.
fn not_searchable(mut problem: Box<Problem>, field: &str) -> Box<Problem> {
    problem.code = codes::FIELD_NOT_SEARCHABLE.to_owned();
    problem.reaction = Reaction::FixMapping;
    problem.fields = vec![field.to_owned()];
    problem.particulars.push(particular("field", field));
    problem
}

/// From when on, by the org's clock, Leads may be those of tries of unknown outcome.
///
/// The host called at `now` by the ledger's clock, and the org answered at `date` by its own. Their difference is how far
/// the org's clock is ahead, plus the time that the call took so far, which the margin makes up for. The result is at or
/// before the instant at which the oldest try began by the org's clock.
fn cut(tries: UnknownTries, now: Instant, date: Option<i64>) -> i64 {
    let oldest = seconds(tries.oldest);
    match date {
        Some(date) => oldest + (date - seconds(now)) - CLOCK_MARGIN_SECONDS,
        None => oldest - UNKNOWN_CLOCK_SECONDS,
    }
}

/// Whether a Lead was created before an instant of the org's. One whose date cannot be read may be as new as any.
fn is_before(lead: &Lead, instant: i64) -> bool {
    lead.text("CreatedDate").and_then(Moment::parse).is_some_and(|created| created.unix() < instant)
}

/// The org's time when it answered (RFC 9110, section 6.6.1).
fn date(answer: &Response) -> Option<i64> {
    let header = answer.headers.iter().find(|header| header.name.eq_ignore_ascii_case("date"))?;
    Moment::parse_http(&header.value).map(Moment::unix)
}

fn seconds(instant: Instant) -> i64 {
    i64::try_from(instant / 1_000).unwrap_or(i64::MAX)
}

/// The Leads of an answer. A Lead without a field that was asked for is a broken answer, and must not be taken for nobody.
fn read(answer: &Response, query: &LeadQuery<'_>) -> Result<Vec<Lead>, Box<Problem>> {
    let leads = lead::read(answer)?;
    let asks_for_addresses = query.id.is_some() || query.email.is_some();
    if asks_for_addresses && !leads.iter().all(|lead| lead.has_field("Email")) {
        return Err(Box::new(unreadable(answer, "a record without the requested address")));
    }
    Ok(leads)
}

/// Whether a Lead has this address and can be written to.
pub fn is_open_with(lead: &Lead, email: &str) -> bool {
    lead.text("Email").is_some_and(|held| held.eq_ignore_ascii_case(email)) && !lead.is_true("IsConverted")
}

/// Appends the condition that a field is one of these texts.
fn push_in<'t>(soql: &mut String, field: &str, texts: impl Iterator<Item = &'t str>) {
    soql.push_str(field);
    let mut before = " IN (";
    for text in texts {
        soql.push_str(before);
        push_literal(soql, text);
        before = ",";
    }
    soql.push(')');
}
