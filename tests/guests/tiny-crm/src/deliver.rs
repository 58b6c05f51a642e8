//! From a booking to a person and a lead.

use serde_json::Value as Json;

use crate::{
    bindings::{
        exports::scheduling::crm::settings::{PlannedAction, PlannedStep, PreviewResult, PreviewValue},
        scheduling::crm::types::{
            Booking, BookingKind, Consequence, Delivery, Finding, History, Mapping, Outcome, Problem, Reaction,
            RecordRef, SourceKind,
        },
    },
    crm::{Crm, FoundLead, LEAD, PERSON, problem},
    values::{Plan, Rows, finding},
};

/// Milliseconds after the beginning of a try until a search finds all that it wrote: the call itself (`limits.wall_ms`), and what
/// the CRM promises. It carries out a request within 60 seconds or never, and searches find a record after 30.
const SETTLED_AFTER: u64 = 10_000 + 60_000 + 30_000;

/// The field by which persons are found. The CRM requires it.
const MAIL: &str = "めーる";

pub(crate) fn deliver(booking: &Booking, mapping: &Mapping, history: &History) -> Result<Delivery, Problem> {
    let known = Known::of(&history.records);
    match (&booking.kind, &known.lead) {
        (BookingKind::Confirmed, Some(lead)) => return Ok(known.delivery(lead, Outcome::AlreadyDelivered, Vec::new())),
        (BookingKind::Confirmed | BookingKind::Rescheduled, _) => {}
        (BookingKind::Cancelled, _) if !mapping.rows.iter().any(|row| row.on_change) => return Ok(ignored(Vec::new())),
        (BookingKind::Cancelled, None) => return Ok(ignored(vec![record_unknown()])),
        (BookingKind::Cancelled, Some(_)) => {}
        (BookingKind::Other(_), _) => return Ok(ignored(Vec::new())),
    }
    let mut attempt = Try { booking, mapping, history, made: Vec::new(), settled: history.unknown_tries.is_none() };
    attempt.run(known).map_err(|problem| attempt.outward(problem))
}

/// The records of a booking.
#[derive(Clone, Default)]
struct Known {
    person: Option<RecordRef>,
    lead: Option<RecordRef>,
}

impl Known {
    fn of(records: &[RecordRef]) -> Self {
        let of = |object: &str| records.iter().find(|record| record.object == object).cloned();
        Self { person: of(PERSON), lead: of(LEAD) }
    }

    fn delivery(&self, lead: &RecordRef, outcome: Outcome, findings: Vec<Finding>) -> Delivery {
        let records = std::iter::once(lead).chain(&self.person).cloned().collect();
        Delivery { records, outcome, findings, more: Vec::new() }
    }
}

/// One try.
struct Try<'a> {
    booking: &'a Booking,
    mapping: &'a Mapping,
    history: &'a History,
    /// What the host does not know of yet.
    made: Vec<RecordRef>,
    /// Whether it is known what earlier tries wrote.
    settled: bool,
}

impl Try<'_> {
    fn run(&mut self, mut known: Known) -> Result<Delivery, Problem> {
        let crm = Crm::open()?;
        let is_change = !matches!(self.booking.kind, BookingKind::Confirmed);
        if known.lead.is_none() && (is_change || !self.settled) {
            if let Some(found) = find_lead(&crm, self.booking)? {
                self.made.extend([found.lead.clone(), found.person.clone()]);
                self.settled = true;
                if !is_change {
                    let known = Known { person: Some(found.person), lead: None };
                    return Ok(known.delivery(&found.lead, Outcome::AlreadyDelivered, Vec::new()));
                }
                known = Known { person: Some(found.person), lead: Some(found.lead) };
            } else {
                self.wait_until_searches_count()?;
            }
        }
        match known.lead.clone() {
            Some(lead) => self.change(&crm, &known, &lead),
            None => self.create(&crm, known.person),
        }
    }

    /// A search that found nothing counts only once no earlier try can take effect any more.
    fn wait_until_searches_count(&self) -> Result<(), Problem> {
        let Some(unknown) = &self.history.unknown_tries else { return Ok(()) };
        let left = unknown.newest.saturating_add(SETTLED_AFTER).saturating_sub(self.history.now);
        match u32::try_from(left.div_ceil(1_000)) {
            Ok(0) => Ok(()),
            left => {
                let message = "an earlier try may still take effect";
                let waits = problem("too-early", message, Reaction::CheckFirst);
                Err(Problem { retry_after: Some(left.unwrap_or(u32::MAX)), ..waits })
            }
        }
    }

    fn create(&mut self, crm: &Crm, known: Option<RecordRef>) -> Result<Delivery, Problem> {
        let pipeline = crm.pipeline(self.mapping.target.as_deref())?;
        let mut plan = match Plan::by_memos(self.mapping, Rows::All) {
            Some(plan) => plan,
            None => Plan::by_fields(self.mapping, Rows::All, &crm.fields(&pipeline)?)?,
        };
        let known = match (known, plan.text(MAIL)) {
            (None, Some(mail)) => crm.find_person(mail)?,
            (None, None) if !self.settled => {
                let message = "without a mail, the person of an earlier try cannot be looked for";
                return Err(problem("mail-needed", message, Reaction::CheckFirst));
            }
            (known, _) => known,
        };
        // All that an earlier try can have written has been looked for.
        self.settled = true;
        let person = match known {
            Some(person) => person,
            None => {
                let person =
                    self.written(crm, &pipeline, &mut plan, Rows::All, |plan| crm.create_person(&plan.of(PERSON)))?;
                self.made.push(person.clone());
                person
            }
        };
        let reference = reference(self.booking, &self.booking.id);
        let lead = self.written(crm, &pipeline, &mut plan, Rows::All, |plan| {
            crm.create_lead(&pipeline, &person, &reference, &plan.of(LEAD))
        })?;
        let known = Known { person: Some(person), lead: None };
        Ok(known.delivery(&lead, Outcome::Created, plan.findings))
    }

    fn change(&self, crm: &Crm, known: &Known, lead: &RecordRef) -> Result<Delivery, Problem> {
        if !self.mapping.rows.iter().any(|row| row.on_change) {
            return Ok(known.delivery(lead, Outcome::Kept, Vec::new()));
        }
        let pipeline = crm.pipeline(self.mapping.target.as_deref())?;
        let mut plan = match Plan::by_memos(self.mapping, Rows::OnChange) {
            Some(plan) => plan,
            None => Plan::by_fields(self.mapping, Rows::OnChange, &crm.fields(&pipeline)?)?,
        };
        for record in known.person.iter().chain([lead]) {
            self.written(crm, &pipeline, &mut plan, Rows::OnChange, |plan| match plan.of(&record.object) {
                Json::Object(values) if values.is_empty() => Ok(()),
                values => crm.change(record, &values),
            })
            .map_err(|problem| match problem.http_status {
                Some(404) => Problem {
                    concerned: vec![record.clone()],
                    ..self::problem("record-gone", problem.message, Reaction::FixBooking)
                },
                _ => problem,
            })?;
        }
        Ok(known.delivery(lead, Outcome::Updated, plan.findings))
    }

    /// Writes a plan. If the CRM refuses a field, it plans again by the fields as they are now, and then without that field.
    fn written<T>(
        &self,
        crm: &Crm,
        pipeline: &str,
        plan: &mut Plan,
        rows: Rows,
        write: impl Fn(&Plan) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        loop {
            match write(plan) {
                Err(refusal) if refusal.http_status == Some(422) && !refusal.fields.is_empty() => {
                    if plan.by_memos {
                        *plan = Plan::by_fields(self.mapping, rows, &crm.fields(pipeline)?)?;
                    } else if !plan.leave_out(&refusal) {
                        return Err(self.blamed(refusal));
                    }
                }
                outcome => return outcome,
            }
        }
    }

    /// Adds the rows to a refusal of fields.
    fn blamed(&self, refusal: Problem) -> Problem {
        let at_fault = (0..).zip(&self.mapping.rows).filter(|(_, row)| refusal.fields.contains(&row.field));
        let (rows, sources): (Vec<u32>, Vec<_>) = at_fault.map(|(position, row)| (position, &row.source)).unzip();
        let is_mapping = sources.iter().all(|source| matches!(source, SourceKind::Mapping));
        let reaction = if is_mapping { Reaction::FixMapping } else { Reaction::FixBooking };
        Problem { rows, reaction, ..refusal }
    }

    /// A problem as it leaves the plugin.
    fn outward(&self, problem: Problem) -> Problem {
        let problem = Problem { made: self.made.clone(), ..problem };
        match problem.reaction {
            _ if self.settled => problem,
            Reaction::Reconnect | Reaction::CheckFirst => problem,
            Reaction::Retry => {
                let retry_after = problem.retry_after.or(Some(60));
                Problem { reaction: Reaction::CheckFirst, retry_after, ..problem }
            }
            // Only a person can both settle the earlier tries and mend this.
            _ => Problem { reaction: Reaction::CheckFirst, retry_after: None, ..problem },
        }
    }
}

/// What the CRM keeps of a booking. A booking's id is unique within its team only.
fn reference(booking: &Booking, id: &str) -> String {
    format!("{}/{id}", booking.team_id)
}

/// The lead of a booking, or of the one it replaced.
fn find_lead(crm: &Crm, booking: &Booking) -> Result<Option<FoundLead>, Problem> {
    let mut found = crm.find_leads(&reference(booking, &booking.id))?;
    if let Some(previous) = booking.previous_id.as_ref().filter(|previous| **previous != booking.id) {
        found.extend(crm.find_leads(&reference(booking, previous))?);
    }
    match found.len() {
        0 | 1 => Ok(found.pop()),
        _ => {
            let several = problem("several-leads", "several leads have this booking's reference", Reaction::CheckFirst);
            Err(Problem { concerned: found.into_iter().map(|found| found.lead).collect(), ..several })
        }
    }
}

fn record_unknown() -> Finding {
    finding("record-unknown", Consequence::LeftOut, None, "no lead of this booking is known")
}

fn ignored(findings: Vec<Finding>) -> Delivery {
    Delivery { records: Vec::new(), outcome: Outcome::Ignored, findings, more: Vec::new() }
}

pub(crate) fn preview(booking: &Booking, mapping: &Mapping, records: &[RecordRef]) -> Result<PreviewResult, Problem> {
    let result = |steps, findings| PreviewResult { steps, findings, more: Vec::new() };
    let known = Known::of(records);
    match (&booking.kind, &known.lead) {
        (BookingKind::Confirmed, Some(lead)) => {
            let keep =
                PlannedStep { object: LEAD.to_owned(), action: PlannedAction::Keep(lead.clone()), values: Vec::new() };
            return Ok(result(vec![keep], Vec::new()));
        }
        (BookingKind::Confirmed | BookingKind::Rescheduled, _) => {}
        (BookingKind::Cancelled, _) if !mapping.rows.iter().any(|row| row.on_change) => {
            return Ok(result(Vec::new(), Vec::new()));
        }
        (BookingKind::Cancelled, None) => return Ok(result(Vec::new(), vec![record_unknown()])),
        (BookingKind::Cancelled, Some(_)) => {}
        (BookingKind::Other(_), _) => return Ok(result(Vec::new(), Vec::new())),
    }
    let crm = Crm::open()?;
    let known = match (&booking.kind, &known.lead) {
        (BookingKind::Rescheduled, None) => match find_lead(&crm, booking)? {
            Some(found) => Known { person: Some(found.person), lead: Some(found.lead) },
            None => known,
        },
        _ => known,
    };
    let pipeline = crm.pipeline(mapping.target.as_deref())?;
    let rows = if known.lead.is_some() { Rows::OnChange } else { Rows::All };
    let plan = match Plan::by_fields(mapping, rows, &crm.fields(&pipeline)?) {
        Ok(plan) => plan,
        Err(refusal) => {
            let action = PlannedAction::Refuse(refusal);
            return Ok(result(vec![PlannedStep { object: LEAD.to_owned(), action, values: Vec::new() }], Vec::new()));
        }
    };
    let person = match (known.person, plan.text(MAIL)) {
        (None, Some(mail)) if known.lead.is_none() => crm.find_person(mail)?,
        (person, _) => person,
    };
    let mut steps = Vec::new();
    for (object, record) in [(PERSON, &person), (LEAD, &known.lead)] {
        let mut values = shown(&plan, object);
        let action = match record {
            Some(record) if known.lead.is_none() || values.is_empty() => {
                values.clear();
                PlannedAction::Keep(record.clone())
            }
            Some(record) => PlannedAction::Update(record.clone()),
            // A change does not create the person.
            None if known.lead.is_some() => continue,
            None => PlannedAction::Create,
        };
        if object == LEAD && matches!(action, PlannedAction::Create) {
            values.push(added("reference", &reference(booking, &booking.id)));
            values.push(added("pipeline", &pipeline));
        }
        steps.push(PlannedStep { object: object.to_owned(), action, values });
    }
    Ok(result(steps, plan.findings))
}

fn shown(plan: &Plan, object: &str) -> Vec<PreviewValue> {
    let of_object = plan.values.iter().filter(|one| one.field.of == object);
    of_object
        .map(|one| PreviewValue {
            field: one.field.name.clone(),
            label: one.field.label.clone(),
            json: one.json.to_string(),
            row: Some(one.row),
            from_fallback: one.from_fallback,
        })
        .collect()
}

/// What the plugin writes besides the rows.
fn added(name: &str, value: &str) -> PreviewValue {
    let json = Json::from(value).to_string();
    PreviewValue { field: name.to_owned(), label: name.to_owned(), json, row: None, from_fallback: false }
}
