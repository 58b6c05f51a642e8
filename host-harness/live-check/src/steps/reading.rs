//! Steps that do not write.

use crm_booking::{Booking, Event, Expected, Memos, Resolved, expectations, resolve};
use crm_host::{
    credentials::{ConnectError, GrantState},
    types::{Account, Consequence, Finding, PlannedAction, PreviewResult, Problem},
};
use serde_json::Value;
use url::Url;

use super::{Run, Verdicts, fact, met, not_applicable, unmet, unmet_because};
use crate::{Obstacle, Operation, samples};

impl Run<'_> {
    pub(super) async fn connect(&mut self) -> Verdicts {
        let plugin = self.subject.plugin();
        match self.subject.connect().await {
            Ok(()) => {}
            Err(ConnectError::Refused(error)) if plugin.exports().connection => {
                return refused(&plugin.explain_refusal(error).await?.answer);
            }
            Err(error) => return Err(error.into()),
        }
        let stored = plugin.broker().state(self.subject.connection(), self.subject.credential()).await?;
        match stored.map(|stored| stored.state) {
            Some(GrantState::Live(grant)) => {
                self.is_connected = true;
                met(format!("scopes: {}", grant.scopes().join(" ")))
            }
            Some(GrantState::Ended(_)) => unmet("the grant has ended"),
            None => unmet("no grant"),
        }
    }

    pub(super) async fn versions(&self) -> Verdicts {
        let answer = self.subject.send(Operation::get("/services/data/")).await?;
        let versions = answer.json.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
        let numbers: Vec<&str> = versions.iter().filter_map(|one| one.get("version")?.as_str()).collect();
        match numbers.as_slice() {
            [oldest, .., newest] => met(format!("{oldest} to {newest}")),
            _ => unmet(format!("{} without a list of versions", answer.status)),
        }
    }

    pub(super) async fn doctor(&mut self) -> Verdicts {
        let checked = self.subject.plugin().check_connection(self.subject.connection(), "en").await?;
        match checked.answer {
            Ok(account) => {
                self.subject.recorder().conceal(identities(&account));
                if account.name.is_some() && fact(&account, "username").is_some() {
                    self.subject.recorder().all_concealed();
                }
                let found = {
                    let version = fact(&account, "api-version").unwrap_or("unknown");
                    format!("API {version}; {}", codes(&account.findings))
                };
                self.account = Some(account);
                met(found)
            }
            Err(problems) => {
                let codes: Vec<&str> = problems.iter().map(|problem| problem.code.as_str()).collect();
                let words: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
                unmet_because(codes.join(", "), words.join("; "))
            }
        }
    }

    pub(super) async fn describe(&mut self) -> Verdicts {
        let answer = self.subject.send(Operation::get(self.api("sobjects/Lead/describe")?)).await?;
        let described = answer.json.filter(|_| answer.status == 200);
        let fields = described.as_ref().and_then(|result| result.get("fields")).and_then(Value::as_array);
        let Some(fields) = fields else { return unmet(format!("{} without fields", answer.status)) };
        let count = fields.len();
        let has_name = fields.iter().any(|field| field.get("name").and_then(Value::as_str) == Some("LastName"));
        self.described = described;
        if has_name { met(format!("{count} fields")) } else { unmet(format!("{count} fields, no LastName")) }
    }

    pub(super) async fn list_fields(&mut self) -> Verdicts {
        let listed = match self.subject.plugin().list_lead_fields(self.subject.connection(), None, "en").await?.answer {
            Ok(listed) => listed,
            Err(problem) => return refused(&problem),
        };
        let entries = self.described()?.to_vec();
        let writable = |name: &str| {
            let entry = entries.iter().find(|entry| entry.get("name").and_then(Value::as_str) == Some(name));
            entry.is_some_and(|entry| {
                ["createable", "updateable"].iter().all(|key| entry.get(*key) == Some(&Value::Bool(true)))
            })
        };
        let names = listed.fields.iter().map(|field| field.name.as_str());
        let closed: Vec<String> = names.filter(|name| !writable(name)).map(str::to_owned).collect();
        let (offered, withheld) = (listed.fields.len(), listed.withheld.len());
        let has_key = samples::booking_id_field(&entries).is_some();
        let expected = entries.len();
        self.mapping = Some(samples::mapping(&listed.fields, &entries)?);
        self.memos = Memos::of_list(&listed);
        self.fields = Some(listed);
        if !closed.is_empty() {
            return unmet(format!("offered, but not writable: {}", closed.join(", ")));
        }
        if offered + withheld != expected {
            return unmet(format!("{offered} offered and {withheld} withheld of {expected}"));
        }
        if !has_key {
            return unmet("no field BookingId__c that is text, an external ID and unique");
        }
        met(format!("{offered} offered, {withheld} withheld"))
    }

    pub(super) async fn options(&self) -> Verdicts {
        let mut found = Vec::new();
        for locale in ["ja", "en"] {
            let called = self.subject.plugin().options(self.subject.connection(), None, locale).await?;
            let groups = match called.answer {
                Ok(groups) => groups,
                Err(problem) => return refused(&problem),
            };
            let labels =
                groups.iter().flat_map(|group| group.choices.iter().map(|choice| &choice.label).chain([&group.label]));
            let is_complete = !groups.is_empty() && labels.into_iter().all(|label| !label.is_empty());
            if !is_complete || !called.usage.requests.is_empty() {
                return unmet(format!("{locale}: complete: {is_complete}, requests: {}", called.usage.requests.len()));
            }
            found.push(format!("{} choices in {locale}", groups.len()));
        }
        met(found.join(", "))
    }

    pub(super) async fn check_mapping(&self) -> Verdicts {
        let (plugin, mapping) = (self.subject.plugin(), self.mapping()?);
        let Expected { rows, options, .. } = expectations(&[], mapping, Event::Confirmed, &self.memos, None);
        let (connection, kind) = (self.subject.connection(), Event::Confirmed.to_contract());
        match plugin.check_mapping(connection, &kind, None, &rows, &options).await?.answer {
            // A fixed filler value may be changed to fit; a finding that would refuse every booking must not occur.
            Ok(checked) => {
                match checked.findings.iter().filter(|finding| refuses_always(finding)).collect::<Vec<_>>() {
                    none if none.is_empty() => met(codes(&checked.findings)),
                    refusing => {
                        let messages: Vec<&str> = refusing.iter().map(|finding| finding.message.as_str()).collect();
                        unmet_because(codes(refusing.iter().copied()), messages.join("; "))
                    }
                }
            }
            Err(problem) => refused(&problem),
        }
    }

    pub(super) async fn preview(&mut self) -> Verdicts {
        let preview = match self.previewed(&self.samples.booking(1)).await? {
            Ok(preview) => preview,
            Err(problem) => return refused(&problem),
        };
        let Some(step) = preview.steps.first() else { return unmet("no step") };
        // Values that the plugin adds itself (the booking id) are left out: a refused request must not use the key.
        let rows = step.values.iter().filter(|value| value.row.is_some());
        let values = rows.filter_map(|value| Some((value.field.clone(), serde_json::from_str(&value.json).ok()?)));
        self.body = Some(values.collect());
        match (&step.action, preview.findings.is_empty()) {
            (PlannedAction::Create, true) => met(format!("{} values", step.values.len())),
            (PlannedAction::Create, false) => unmet(codes(&preview.findings)),
            (PlannedAction::Refuse(problem), _) => refused(problem),
            (PlannedAction::Update(_) | PlannedAction::Keep(_), _) => unmet("a Lead of this guest is there already"),
            (PlannedAction::Other(action), _) => unmet(action.clone()),
        }
    }

    async fn previewed(&self, booking: &Booking) -> Result<Result<PreviewResult, Problem>, Obstacle> {
        let Resolved { booking, mapping, .. } = resolve(booking, self.mapping()?, &self.memos);
        Ok(self.subject.plugin().preview(self.subject.connection(), &booking, &mapping, &[]).await?.answer)
    }

    pub(super) async fn left_out_value(&self) -> Verdicts {
        if !self.mapping()?.rows().iter().any(|row| row.field == "Email") {
            return not_applicable("the connected user cannot write Email");
        }
        let mut booking = self.samples.booking(1);
        booking.guest.email = Some("live-check".to_owned());
        match self.previewed(&booking).await? {
            Ok(preview) => {
                let is_named = |finding: &Finding| finding.code == "email-invalid" && finding.fields == ["Email"];
                let Some(step) = preview.steps.first() else { return unmet("no step") };
                let is_written = step.values.iter().any(|value| value.field == "Email");
                match &step.action {
                    PlannedAction::Refuse(problem) if problem.fields == ["Email"] => met(problem.code.clone()),
                    PlannedAction::Refuse(problem) => refused(problem),
                    _ if preview.findings.iter().any(is_named) && !is_written => met("email-invalid, left out"),
                    _ => unmet(codes(&preview.findings)),
                }
            }
            Err(problem) => refused(&problem),
        }
    }
}

/// An unexpected problem.
pub(super) fn refused(problem: &Problem) -> Verdicts {
    unmet_because(in_codes(problem), problem.message.clone())
}

/// A problem without the org's texts.
pub(super) fn in_codes(problem: &Problem) -> String {
    let status = problem.http_status.map_or(String::new(), |status| format!(" ({status})"));
    let fields = match problem.fields.as_slice() {
        [] => String::new(),
        fields => format!(" on {}", fields.join(", ")),
    };
    format!("{}{status}{fields}", problem.code)
}

fn refuses_always(finding: &Finding) -> bool {
    // The check provides a name, a company and an address in every booking, so blanks do not matter.
    finding.consequence == Consequence::Refused && finding.code != "required-field-may-be-blank"
}

fn codes<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> String {
    let codes: Vec<String> =
        findings.into_iter().map(|finding| format!("{} {}", finding.code, finding.fields.join(" "))).collect();
    if codes.is_empty() { "no finding".to_owned() } else { codes.join(", ") }
}

/// Texts that must not occur in a transcript: the names of the org, its user and its host, and their ids in both lengths.
fn identities(account: &Account) -> Vec<String> {
    let owned = |id: &str| fact(account, id).map(str::to_owned);
    let url = fact(account, "instance-url").and_then(|url| Url::parse(url).ok());
    let host = url.and_then(|url| url.host_str().map(str::to_owned));
    let label = host.as_deref().filter(|host| !host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'));
    let label = label.and_then(|host| host.split('.').next()).map(str::to_owned);
    let ids = [Some(account.id.clone()), owned("user-id")];
    let short = ids.clone().map(|id| id.and_then(|id| id.get(..15).map(str::to_owned)));
    let named = [account.name.clone(), owned("username"), host, label];
    ids.into_iter().chain(short).chain(named).flatten().filter(|text| !text.is_empty()).collect()
}
