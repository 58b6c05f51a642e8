//! The org itself: its file, its state, and the handle through which tests and programs reach into it.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use jiff::{SignedDuration, Timestamp, civil::Weekday, tz::TimeZone};
use serde_json::{Map, Value};

use crate::{
    clock::Clock,
    fault::Fault,
    file::{Field, FileError, OrgFile, Queue, User},
    id,
    log::LogEntry,
    schema::Schema,
    soql::Scope,
    state::{self, State},
    store::{self, Store},
    token, value,
};

/// A handle to a running org. Clones are handles to the same org.
#[derive(Clone, Debug)]
pub struct Org(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: RwLock<Arc<Settings>>,
    /// Held while the settings are changed, so that no change is made to what another one replaces.
    changing: Mutex<()>,
    clock: Clock,
    place: Place,
    state: Mutex<State>,
    /// Held for reading by every call, for writing by one that may take back what it did.
    traffic: RwLock<()>,
}

/// Where an org is found, and where it keeps its state.
#[derive(Debug)]
pub(crate) struct Place {
    pub base_url: String,
    /// What token responses name, if not the base URL.
    pub instance_url: Option<String>,
    pub store: Option<Store>,
}

/// What the org file says, compiled.
#[derive(Debug)]
pub(crate) struct Settings {
    pub file: OrgFile,
    pub schema: Schema,
    pub zone: TimeZone,
    /// When the Lead object was last changed.
    pub described: Timestamp,
}

impl Settings {
    fn new(file: OrgFile, described: Timestamp) -> Result<Self, FileError> {
        let schema = Schema::of_leads(&file)?;
        let contradiction = |text: String| Err(FileError::Contradiction(text));
        let zone = match TimeZone::get(&file.time_zone) {
            Ok(zone) => zone,
            Err(error) => return contradiction(format!("time-zone {:?}: {error}", file.time_zone)),
        };
        if id::to_18(&file.id).is_none() {
            return contradiction(format!("id {:?} is no record id", file.id));
        }
        if file.users.is_empty() {
            return contradiction("an org needs a user".to_owned());
        }
        if let Some(rule) = &file.assignment_rule
            && !file.users.iter().any(|user| user.username == rule.owner)
            && !file.queues.iter().any(|queue| queue.developer_name == rule.owner)
        {
            return contradiction(format!(
                "the assignment rule's owner {:?} is neither a user nor a queue",
                rule.owner
            ));
        }
        if let Some(rule) = &file.assignment_rule
            && !(id::to_18(&rule.id).is_some() && rule.id.starts_with(id::ASSIGNMENT_RULE))
        {
            return contradiction(format!("the assignment rule's id {:?} is none of one (01Q...)", rule.id));
        }
        Ok(Self { file, schema, zone, described })
    }

    /// The org's id, 18 characters.
    pub fn org_id(&self) -> String {
        id::to_18(&self.file.id).unwrap_or_default()
    }

    /// The day with which a week begins, which follows from the country of the org's locale.
    pub fn week_begins(&self) -> Weekday {
        const SUNDAY: [&str; 10] = ["BR", "CA", "HK", "IL", "IN", "JP", "KR", "MX", "TW", "US"];
        match self.file.locale.rsplit('_').next() {
            Some(country) if SUNDAY.contains(&country) => Weekday::Sunday,
            _ => Weekday::Monday,
        }
    }

    /// What a condition on Leads needs to know of the org.
    pub fn scope<'a>(
        &'a self,
        field: &'a dyn Fn(&str) -> Option<&'a Field>,
        entity: &'a str,
        now: Timestamp,
    ) -> Scope<'a> {
        Scope { entity, field, now, zone: &self.zone, week_begins: self.week_begins() }
    }

    /// A user, by name.
    pub fn user(&self, username: &str) -> Option<&User> {
        self.file.users.iter().find(|user| user.username.eq_ignore_ascii_case(username))
    }

    /// The id of a user, by name.
    pub fn user_id(&self, username: &str) -> Option<String> {
        self.users().find(|(_, user)| user.username.eq_ignore_ascii_case(username)).map(|(id, _)| id)
    }

    /// The id of a queue, by developer name.
    pub fn queue_id(&self, developer_name: &str) -> Option<String> {
        self.queues().find(|(_, queue)| queue.developer_name == developer_name).map(|(id, _)| id)
    }

    /// All queues with their ids.
    pub fn queues(&self) -> impl Iterator<Item = (String, &Queue)> {
        self.file.queues.iter().zip(1..).map(|(queue, number)| (id::mint(id::GROUP, number), queue))
    }

    /// All users with their ids.
    pub fn users(&self) -> impl Iterator<Item = (String, &User)> {
        self.file.users.iter().zip(1..).map(|(user, number)| (id::mint(id::USER, number), user))
    }
}

impl OrgFile {
    /// Whether the file makes an org: names lead to fields, rules can hold, values are of their types.
    ///
    /// # Errors
    /// [`FileError::Contradiction`], which names the first part that does not fit the others.
    pub fn check(&self) -> Result<(), FileError> {
        Settings::new(self.clone(), Timestamp::UNIX_EPOCH).map(drop)
    }
}

/// What a client must know of the app that it is.
#[derive(Clone, Debug)]
pub struct AppCredentials {
    /// Consumer key.
    pub client_id: String,
    /// Consumer secret.
    pub client_secret: String,
    /// Callback URLs that are registered.
    pub redirect_uris: Vec<String>,
}

impl Org {
    pub(crate) fn new(file: OrgFile, clock: Clock, place: Place, mut state: State) -> Result<Self, FileError> {
        let settings = Settings::new(file, clock.now())?;
        let app = &settings.file.app;
        let kept = state.kept.change();
        let settle = |kept: &mut String, file: &str, made_up: String| {
            if !file.is_empty() {
                file.clone_into(kept);
            } else if kept.is_empty() {
                *kept = made_up;
            }
        };
        settle(&mut kept.client_id, &app.client_id, format!("3MVG9{}", token::random(80)));
        settle(&mut kept.client_secret, &app.client_secret, token::random(64));
        for callback in &app.callbacks {
            if !kept.callbacks.contains(callback) {
                kept.callbacks.push(callback.clone());
            }
        }
        let settings = RwLock::new(Arc::new(settings));
        let (state, changing, traffic) = (Mutex::new(state), Mutex::default(), RwLock::default());
        Ok(Self(Arc::new(Inner { settings, changing, clock, place, state, traffic })))
    }

    /// The file that the org goes by now.
    pub fn file(&self) -> OrgFile {
        self.settings().file.clone()
    }

    /// Changes the org as an admin does in Setup: fields, rules, policies, users. Leads and tokens stay.
    pub fn change(&self, change: impl FnOnce(&mut OrgFile)) -> Result<(), FileError> {
        let _turn = self.0.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.settings();
        let mut file = before.file.clone();
        change(&mut file);
        // Clients compare the stamp by the second, so that two changes within one must not share it.
        let described =
            self.now().max(before.described.saturating_add(SignedDuration::from_secs(1)).unwrap_or(self.now()));
        let settings = Arc::new(Settings::new(file, described)?);
        *self.0.settings.write().unwrap_or_else(PoisonError::into_inner) = settings;
        Ok(())
    }

    /// Where the org answers, such as `http://127.0.0.1:40123`.
    pub fn base_url(&self) -> &str {
        &self.0.place.base_url
    }

    /// The app that clients present.
    pub fn app(&self) -> AppCredentials {
        let state = self.state();
        AppCredentials {
            client_id: state.kept.client_id.clone(),
            client_secret: state.kept.client_secret.clone(),
            redirect_uris: state.kept.callbacks.clone(),
        }
    }

    /// Registers one more callback URL.
    pub fn register_callback(&self, url: &str) {
        let mut state = self.state();
        if !state.kept.callbacks.iter().any(|known| known == url) {
            state.kept.change().callbacks.push(url.to_owned());
        }
    }

    /// The Leads that are not deleted, as a read of all visible fields answers them, in the order of their creation.
    pub fn leads(&self) -> Vec<Value> {
        let settings = self.settings();
        let leads: Vec<_> = self.state().kept.leads.iter().filter(|lead| !lead.deleted).cloned().collect();
        leads.iter().map(|lead| crate::rest::record::whole(&settings, lead, settings.file.api.newest)).collect()
    }

    /// Puts a Lead into the org past all rules, as a data loader would, and returns its id.
    ///
    /// Use it for what the API does not let a client make, such as converted Leads.
    pub fn insert_lead(&self, mut values: Map<String, Value>) -> String {
        let settings = self.settings();
        for (name, value) in &mut values {
            let field = settings.schema.field_of_org(name);
            if let Some(typed) = field.and_then(|field| value::typed(field, value, &value.to_string())) {
                *value = typed;
            }
        }
        let owner = settings.users().next().map(|(id, _)| id).unwrap_or_default();
        crate::rest::record::insert(&settings, &mut self.state(), self.now(), values, &owner)
    }

    /// The requests that came, oldest first.
    pub fn requests(&self) -> Vec<LogEntry> {
        self.state().log.iter().cloned().collect()
    }

    /// Empties the request log.
    pub fn clear_requests(&self) {
        self.state().log.clear();
    }

    /// Sets a fault. Several wait in line.
    pub fn add_fault(&self, fault: Fault) {
        self.state().faults.push(fault);
    }

    /// Takes all faults back.
    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    /// Lets time pass.
    pub fn advance_clock(&self, by: SignedDuration) {
        self.0.clock.advance(by);
    }

    /// The org's time.
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Ends every session: access tokens are refused, refresh tokens still work.
    pub fn expire_access_tokens(&self) {
        self.state().kept.change().sessions.clear();
    }

    /// Ends every grant, as an admin's "Revoke All" does: access and refresh tokens are refused.
    pub fn revoke_all_tokens(&self) {
        let mut state = self.state();
        state.kept.change().sessions.clear();
        state.kept.change().grants.clear();
    }

    /// Uses up the org's API calls of the last 24 hours.
    pub fn exhaust_api_limit(&self) {
        let minute = state::minute(self.now());
        let limit = self.settings().file.api.daily_limit;
        self.state().kept.change().usage.insert(minute, limit);
    }

    /// Writes the state to its file, if it has one and anything changed.
    pub(crate) async fn save(&self) -> io::Result<()> {
        if self.0.place.store.is_none() {
            return Ok(());
        }
        let org = self.clone();
        // Off the threads that serve others: a file system takes its time.
        let save = move || org.0.place.store.as_ref().map_or(Ok(()), |store| store.save(&org.0.state));
        tokio::task::spawn_blocking(save).await?
    }

    /// Writes the state to its file for the last time.
    pub(crate) fn save_all(&self) -> io::Result<()> {
        self.0.place.store.as_ref().map_or(Ok(()), |store| store.save_all(&self.0.state))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        store::lock(&self.0.state)
    }

    /// Runs a call beside others.
    pub(crate) fn beside_others<T>(&self, call: impl FnOnce() -> T) -> T {
        let _shared = self.0.traffic.read().unwrap_or_else(PoisonError::into_inner);
        call()
    }

    /// Runs a call while no other one runs.
    pub(crate) fn alone<T>(&self, call: impl FnOnce() -> T) -> T {
        let _exclusive = self.0.traffic.write().unwrap_or_else(PoisonError::into_inner);
        call()
    }

    pub(crate) fn settings(&self) -> Arc<Settings> {
        self.0.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn instance_url(&self) -> &str {
        self.0.place.instance_url.as_ref().unwrap_or(&self.0.place.base_url)
    }

    /// The org's id, 18 characters.
    pub fn id(&self) -> String {
        self.settings().org_id()
    }

    /// The id of a user, by name.
    pub fn user_id(&self, username: &str) -> Option<String> {
        self.settings().user_id(username)
    }

    /// The id of a queue, by developer name.
    pub fn queue_id(&self, developer_name: &str) -> Option<String> {
        self.settings().queue_id(developer_name)
    }
}
