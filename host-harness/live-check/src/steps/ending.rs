//! Steps that take back what the check made.

use runtime::types::{BookingKind, Outcome};

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
        let Some(last) = last else { return Err(Obstacle::Needs("create")) };
        if !self.leads.is_empty() {
            return unmet(found.join(", "));
        }
        let again = self.subject.send(Operation::delete(self.api(&format!("sobjects/Lead/{last}"))?)).await?;
        let errors = again.json.as_ref().map(redaction::errors).unwrap_or_default();
        let codes: Vec<&str> = errors.iter().map(|error| error.code.as_str()).collect();
        found.push(format!("then {} {}", again.status, codes.join(" ")));
        match (again.status, codes.as_slice()) {
            (404, ["ENTITY_IS_DELETED"]) => met(found.join(", ")),
            _ => unmet(found.join(", ")),
        }
    }

    pub(super) async fn reschedule_gone(&mut self) -> Verdicts {
        let lead = self.lead()?.to_owned();
        let mapping = self.mapping()?.clone();
        if self.leads.contains(&lead) {
            return Err(Obstacle::Needs("delete"));
        }
        if !mapping.rows.iter().any(|row| row.field.name == "Description") {
            return not_applicable("the connected user cannot write Description, the one field with the time");
        }
        let moved = self.samples.moved(1, 8);
        let booking = runtime::types::Booking { kind: BookingKind::Rescheduled(moved.id), ..self.samples.moved(1, 9) };
        let called = self.deliver(&booking, &mapping, &self.samples.history(Some(&lead))).await?;
        match called.answer {
            Err(problem) if problem.code == "lead-gone" => met(in_codes(&problem)),
            Err(problem) => refused(&problem),
            Ok(delivery) => {
                // It should not be there, so it is not left there.
                if delivery.outcome == Outcome::Created {
                    self.delete().await?;
                }
                unmet("a Lead")
            }
        }
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
        let gone = broker.disconnect(self.subject.connection(), self.subject.credential()).await?;
        if !gone.revoked.is_certain() {
            return unmet("the org did not confirm it");
        }
        // Revoked even where the doctor did not get so far that the old token could be tried.
        let path = self.api("sobjects/Lead/describe")?;
        let answer = self.subject.send_with(Operation::get(path), &old).await?;
        let errors = answer.json.as_ref().map(redaction::errors).unwrap_or_default();
        let codes: Vec<&str> = errors.iter().map(|error| error.code.as_str()).collect();
        let found = format!("revoked, then {} {}", answer.status, codes.join(" "));
        if answer.status == 401 && codes == ["INVALID_SESSION_ID"] { met(found) } else { unmet(found) }
    }
}
