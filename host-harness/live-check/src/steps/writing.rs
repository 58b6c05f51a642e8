//! Steps in which the plugin writes test Leads.

use crm_booking::{Booking, Mapping, Resolved, resolve};
use crm_host::{
    Called, RequestNote,
    types::{Delivery, History, Outcome, Problem},
};
use serde_json::{Value, json};

use super::{
    Run, Verdicts, met, not_applicable,
    reading::{in_codes, refused},
    unmet,
};
use crate::{
    Obstacle, Operation,
    samples::{self, with_option},
};

/// The code of a duplicate rule's refusal.
pub(crate) const DUPLICATES_DETECTED: &str = "DUPLICATES_DETECTED";

impl Run<'_> {
    /// Delivers a booking, and remembers the Lead, or a create with an unknown outcome.
    pub(super) async fn deliver(
        &mut self,
        booking: &Booking,
        mapping: &Mapping,
        history: &History,
    ) -> Result<Called<Result<Delivery, Problem>>, Obstacle> {
        let plugin = self.subject.plugin();
        let Resolved { booking, mapping, .. } = resolve(booking, mapping, &self.memos);
        let called = plugin.on_booking_completed(self.subject.connection(), &booking, &mapping, history).await;
        let requests = match &called {
            Ok(called) => &called.usage.requests,
            Err(error) => &error.usage.requests,
        };
        self.unanswered += requests.iter().filter(|request| may_have_created(request)).count();
        let called = called?;
        if let Ok(delivery) = &called.answer
            && delivery.outcome == Outcome::Created
        {
            self.leads.extend(delivery.records.iter().map(|record| record.id.clone()));
        }
        Ok(called)
    }

    pub(super) async fn required_blank(&mut self) -> Verdicts {
        let mapping = self.mapping()?.clone();
        let mut booking = self.samples.booking(1);
        booking.guest.name = String::new();
        booking.guest.family_name = Some(String::new());
        booking.guest.given_name = Some(String::new());
        let called = self.deliver(&booking, &mapping, &self.samples.history(None)).await?;
        let has_written = called.usage.requests.iter().any(|request| !request.harmless);
        match called.answer {
            Err(problem) if problem.code == "required-field-blank" && !has_written => met(in_codes(&problem)),
            Err(problem) => refused(&problem),
            Ok(delivery) => unmet(outcome(&delivery)),
        }
    }

    pub(super) async fn create(&mut self) -> Verdicts {
        let mapping = self.mapping()?.clone();
        let called = self.deliver(&self.samples.booking(1), &mapping, &self.samples.history(None)).await?;
        let writes = called.usage.requests.iter().filter(|request| !request.harmless).count();
        match called.answer {
            Ok(delivery) => {
                self.lead = lead_of(&delivery).map(str::to_owned);
                let found =
                    format!("{}, {writes} of {} requests wrote", outcome(&delivery), called.usage.requests.len());
                match delivery.outcome {
                    Outcome::Created if writes == 1 => met(found),
                    _ => unmet(found),
                }
            }
            Err(problem) => refused(&problem),
        }
    }

    pub(super) async fn read_back(&self) -> Verdicts {
        let lead = self.lead()?;
        let body = self.body.as_ref().ok_or(Obstacle::Needs("preview"))?;
        let names: Vec<&str> = body.keys().map(String::as_str).collect();
        let path = self.api(&format!("sobjects/Lead/{lead}?fields={}", names.join(",")))?;
        let answer = self.subject.send(Operation::get(path)).await?;
        let Some(read) = answer.json.filter(|_| answer.status == 200) else { return unmet(answer.status.to_string()) };
        let differing: Vec<&str> = body
            .iter()
            .filter(|(name, sent)| !is_same(sent, read.get(name.as_str()).unwrap_or(&Value::Null)))
            .map(|(name, _)| name.as_str())
            .collect();
        if differing.is_empty() {
            met(format!("{} values as sent", names.len()))
        } else {
            unmet(format!("otherwise than sent: {}", differing.join(", ")))
        }
    }

    pub(super) async fn repeat_booking(&mut self) -> Verdicts {
        let mapping = self.mapping()?.clone();
        self.repeated(&mapping, &self.samples.unknown_outcome()).await
    }

    pub(super) async fn forgotten_booking(&mut self) -> Verdicts {
        // Salesforce applies duplicate rules before it saves; if a rule lets the Lead pass, the unique field decides.
        let mapping = with_option(self.mapping()?, "duplicates", "save-anyway")?;
        self.repeated(&mapping, &self.samples.history(None)).await
    }

    /// Delivers the first booking again.
    async fn repeated(&mut self, mapping: &Mapping, history: &History) -> Verdicts {
        let lead = self.lead()?.to_owned();
        if samples::booking_id_field(self.described()?).is_none() {
            return unmet("the org has no booking-id field");
        }
        let called = self.deliver(&self.samples.booking(1), mapping, history).await?;
        match called.answer {
            Ok(delivery) if delivery.outcome == Outcome::AlreadyDelivered && lead_of(&delivery) == Some(&lead) => {
                met(outcome(&delivery))
            }
            Ok(delivery) => unmet(outcome(&delivery)),
            Err(problem) => refused(&problem),
        }
    }

    pub(super) async fn keep_existing(&mut self) -> Verdicts {
        self.existing("keep", 2, Outcome::Kept).await
    }

    pub(super) async fn fill_existing(&mut self) -> Verdicts {
        let path = self.api(&format!("sobjects/Lead/{}", self.lead()?))?;
        if !self.mapping()?.rows().iter().any(|row| row.field == "FirstName") {
            return not_applicable("the connected user cannot write FirstName");
        }
        let mut blank = Operation::post(path.clone(), json!({ "FirstName": null }).to_string());
        blank.method = http::Method::PATCH;
        let blanked = self.subject.send(blank).await?;
        if blanked.status != 204 {
            return unmet(format!("blanking FirstName: {}", blanked.status));
        }
        let verdict = self.existing("fill-empty", 3, Outcome::Updated).await?;
        let read = self.subject.send(Operation::get(format!("{path}?fields=FirstName"))).await?;
        let name = read.json.as_ref().and_then(|lead| lead.get("FirstName")).and_then(Value::as_str);
        if name == self.samples.booking(1).guest.given_name.as_deref() {
            Ok(verdict)
        } else {
            unmet("FirstName is not filled")
        }
    }

    pub(super) async fn overwrite_existing(&mut self) -> Verdicts {
        self.existing("overwrite", 4, Outcome::Updated).await
    }

    /// Delivers another booking of the same guest with a policy for existing Leads.
    async fn existing(&mut self, policy: &str, number: u32, expected: Outcome) -> Verdicts {
        let lead = self.lead()?.to_owned();
        let mapping = with_option(self.mapping()?, "existing", policy)?;
        let called = self.deliver(&self.samples.booking(number), &mapping, &self.samples.history(None)).await?;
        match called.answer {
            Ok(delivery) if delivery.outcome == expected && lead_of(&delivery) == Some(&lead) => {
                met(outcome(&delivery))
            }
            Ok(delivery) => unmet(outcome(&delivery)),
            Err(problem) => refused(&problem),
        }
    }

    pub(super) async fn duplicate(&mut self) -> Verdicts {
        self.lead()?;
        let mapping = with_option(self.mapping()?, "duplicates", "refuse")?;
        let called = self.deliver(&self.samples.booking(5), &mapping, &self.samples.history(None)).await?;
        match called.answer {
            Err(problem) if problem.code == DUPLICATES_DETECTED => {
                met(format!("{}, {} records named", in_codes(&problem), problem.concerned.len()))
            }
            Ok(delivery) if delivery.outcome == Outcome::Created => met("created: no duplicate rule applies"),
            Ok(delivery) => unmet(outcome(&delivery)),
            Err(problem) => refused(&problem),
        }
    }

    pub(super) async fn duplicate_saved(&mut self) -> Verdicts {
        self.lead()?;
        let mapping = with_option(self.mapping()?, "duplicates", "save-anyway")?;
        let called = self.deliver(&self.samples.booking(6), &mapping, &self.samples.history(None)).await?;
        match called.answer {
            Ok(delivery) if delivery.outcome == Outcome::Created => met(outcome(&delivery)),
            Err(problem) if problem.code == DUPLICATES_DETECTED => {
                met(format!("{}: the rule blocks", in_codes(&problem)))
            }
            Ok(delivery) => unmet(outcome(&delivery)),
            Err(problem) => refused(&problem),
        }
    }

    pub(super) async fn longest_text(&mut self) -> Verdicts {
        if !self.mapping()?.rows().iter().any(|row| row.field == "FirstName") {
            return not_applicable("the connected user cannot write FirstName");
        }
        let mapping = with_option(self.mapping()?, "duplicates", "save-anyway")?;
        let mut booking = self.samples.booking(7);
        booking.guest.given_name = Some("𠮷😀".repeat(400));
        let called = self.deliver(&booking, &mapping, &self.samples.history(None)).await?;
        match called.answer {
            Ok(delivery) => {
                let is_told = delivery.findings.iter().any(|finding| finding.code == "value-shortened");
                if is_told { met(outcome(&delivery)) } else { unmet("no finding `value-shortened`") }
            }
            Err(problem) if problem.code == DUPLICATES_DETECTED => {
                not_applicable("a duplicate rule blocks the guest's second Lead")
            }
            Err(problem) => refused(&problem),
        }
    }

    pub(super) async fn reschedule(&mut self) -> Verdicts {
        let lead = self.lead()?.to_owned();
        if !self.mapping()?.rows().iter().any(|row| row.field == "Description") {
            return not_applicable("the connected user cannot write Description, the one field with the time");
        }
        let mapping = self.mapping()?.clone();
        let called = self.deliver(&self.samples.moved(1, 8), &mapping, &self.samples.history(Some(&lead))).await?;
        match called.answer {
            Ok(delivery) if delivery.outcome == Outcome::Updated && lead_of(&delivery) == Some(&lead) => {
                met(outcome(&delivery))
            }
            Ok(delivery) => unmet(outcome(&delivery)),
            Err(problem) => refused(&problem),
        }
    }
}

/// Whether a create without a response may have made a Lead.
fn may_have_created(request: &RequestNote) -> bool {
    request.method == "POST" && !request.harmless && request.status.is_none_or(|status| status >= 500)
}

fn lead_of(delivery: &Delivery) -> Option<&str> {
    delivery.records.first().map(|record| record.id.as_str())
}

fn outcome(delivery: &Delivery) -> String {
    let outcome = match &delivery.outcome {
        Outcome::Created => "created",
        Outcome::Updated => "updated",
        Outcome::Kept => "kept",
        Outcome::AlreadyDelivered => "already delivered",
        Outcome::Ignored => "ignored",
        Outcome::Other(outcome) => outcome,
    };
    let findings: Vec<&str> = delivery.findings.iter().map(|finding| finding.code.as_str()).collect();
    if findings.is_empty() { outcome.to_owned() } else { format!("{outcome}, {}", findings.join(", ")) }
}

/// Whether a value was returned as it was sent. Salesforce returns line ends as CRLF, and numbers with a fraction.
fn is_same(sent: &Value, read: &Value) -> bool {
    match (sent, read) {
        (Value::String(sent), Value::String(read)) => *sent == read.replace("\r\n", "\n"),
        (Value::Number(sent), Value::Number(read)) => sent.as_f64() == read.as_f64(),
        _ => sent == read,
    }
}
