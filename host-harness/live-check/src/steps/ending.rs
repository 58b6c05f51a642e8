//! Steps that undo what the check has done.

use crm_booking::Booking;
use crm_host::credentials::Asker;
use serde_json::Value;
use url::form_urlencoded;

use super::{
    Ending, Run, Verdicts, met, not_applicable,
    reading::{in_codes, refused},
    unmet,
};
use crate::{Obstacle, Operation, redaction};

impl Run<'_> {
    pub(super) async fn delete(&mut self) -> Verdicts {
        let mut found = Vec::new();
        let mut left = Vec::new();
        let has_looked = self.look().await;
        if let Err(obstacle) = &has_looked {
            found.push(format!("looking for others: {}", obstacle.code()));
        }
        let leads = std::mem::take(&mut self.leads);
        let last = leads.last().cloned();
        for lead in leads {
            let answered = match self.api(&format!("sobjects/Lead/{lead}")) {
                Ok(path) => self.subject.send(Operation::delete(path)).await,
                Err(obstacle) => Err(obstacle),
            };
            match answered {
                Ok(answer) if answer.status == 204 => found.push("204".to_owned()),
                Ok(answer) => {
                    found.push(answer.status.to_string());
                    left.push(lead);
                }
                Err(obstacle) => {
                    found.push(obstacle.code().to_owned());
                    left.push(lead);
                }
            }
        }
        self.leads = left;
        if self.unanswered > 0 {
            found.push(format!("{} creates without a response or a Lead", self.unanswered));
        }
        if has_looked.is_err() || self.unanswered > 0 || !self.leads.is_empty() {
            return unmet(found.join(", "));
        }
        let Some(last) = last else { return Err(Obstacle::Needs("create")) };
        let again = self.subject.send(Operation::delete(self.api(&format!("sobjects/Lead/{last}"))?)).await?;
        let errors = again.json.as_ref().map(redaction::errors).unwrap_or_default();
        let codes: Vec<&str> = errors.iter().map(|error| error.code.as_str()).collect();
        found.push(format!("then {} {}", again.status, codes.join(" ")));
        match (again.status, codes.as_slice()) {
            (404, ["ENTITY_IS_DELETED"]) => met(found.join(", ")),
            _ => unmet(found.join(", ")),
        }
    }

    /// Remembers the Leads of this run that no response has named.
    async fn look(&mut self) -> Result<(), Obstacle> {
        // Without a mapping, nothing was written.
        let Some(mapping) = &self.mapping else { return Ok(()) };
        let query =
            form_urlencoded::Serializer::new(String::new()).append_pair("q", &self.samples.leads(mapping)).finish();
        let answer = self.subject.send(Operation::get(self.api(&format!("query?{query}"))?)).await?;
        let records = answer.json.as_ref().and_then(|page| page.get("records")).and_then(Value::as_array);
        let records = records.filter(|_| answer.status == 200).ok_or(Obstacle::Unreadable(answer.status))?;
        for lead in records.iter().filter_map(|record| record.get("Id")?.as_str()) {
            if !self.leads.iter().any(|known| known == lead) {
                self.leads.push(lead.to_owned());
                self.unanswered = self.unanswered.saturating_sub(1);
            }
        }
        Ok(())
    }

    pub(super) async fn reschedule_gone(&mut self) -> Verdicts {
        let lead = self.lead()?.to_owned();
        let mapping = self.mapping()?.clone();
        if self.leads.contains(&lead) {
            return Err(Obstacle::Needs("delete"));
        }
        if !mapping.rows().iter().any(|row| row.field == "Description") {
            return not_applicable("the connected user cannot write Description, the one field with the time");
        }
        let moved = self.samples.moved(1, 8);
        let booking = Booking { previous_id: Some(moved.id), ..self.samples.moved(1, 9) };
        let called = self.deliver(&booking, &mapping, &self.samples.history(Some(&lead))).await?;
        let verdict = match called.answer {
            Err(problem) if problem.code == "lead-gone" => return met(in_codes(&problem)),
            Err(problem) => refused(&problem),
            Ok(_) => unmet("a Lead"),
        };
        // It should not exist, so it is deleted as well; the summary lists what could not be deleted.
        let _ = self.delete().await;
        verdict
    }

    pub(super) async fn refresh(&self) -> Verdicts {
        let used = self.subject.open().await?.generation();
        let broker = self.subject.plugin().broker();
        let renewed = broker.refresh(self.subject.connection(), self.subject.credential(), used).await?;
        let answer = self.subject.send(Operation::get(self.api("sobjects/Lead/describe")?)).await?;
        match (renewed.generation() != used, answer.status) {
            (true, 200) => met("renewed, 200"),
            (renewed, status) => unmet(format!("renewed: {renewed}, {status}")),
        }
    }

    pub(super) async fn revoke(&self) -> Verdicts {
        if self.ending == Ending::Keep {
            return not_applicable("the stored connection is kept; `--revoke` ends it");
        }
        let old = self.subject.open().await?;
        let broker = self.subject.plugin().broker();
        let gone = broker.disconnect(self.subject.connection(), self.subject.credential(), &Asker::operator()).await?;
        if !gone.revoked.is_certain() {
            return unmet("the org did not confirm it");
        }
        // Revoke even if the doctor failed before the old token could be tried.
        let path = self.api("sobjects/Lead/describe")?;
        let answer = self.subject.send_with(Operation::get(path), &old).await?;
        let errors = answer.json.as_ref().map(redaction::errors).unwrap_or_default();
        let codes: Vec<&str> = errors.iter().map(|error| error.code.as_str()).collect();
        let found = format!("revoked, then {} {}", answer.status, codes.join(" "));
        if answer.status == 401 && codes == ["INVALID_SESSION_ID"] { met(found) } else { unmet(found) }
    }
}
