//! The org: its file, its state, and the handle that tests and programs control it with.

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
    message::Request,
    route,
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
    /// Held while the settings are changed, so that concurrent changes do not overwrite each other.
    changing: Mutex<()>,
    clock: Clock,
    place: Place,
    /// The address to which the org has moved. Apart from the state, which is locked while a token response is made.
    moved_to: RwLock<Option<String>>,
    state: Mutex<State>,
    /// Locked shared by every call, exclusively by a call that may roll back.
    traffic: RwLock<()>,
}

/// Where an org is reached, and where it keeps its state.
#[derive(Debug)]
pub(crate) struct Place {
    pub base_url: String,
    /// `instance_url` of token responses; the base URL if absent.
    pub instance_url: Option<String>,
    pub store: Option<Store>,
}

/// The org file, compiled.
#[derive(Debug)]
pub(crate) struct Settings {
    pub file: OrgFile,
    pub schema: Schema,
    pub zone: TimeZone,
    /// Time of the last change to the Lead object.
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
            return contradiction(format!("id {:?} is not a record id", file.id));
        }
        if file.users.is_empty() {
            return contradiction("an org needs at least one user".to_owned());
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
            return contradiction(format!(
                "the assignment rule's id {:?} is not an assignment-rule id (expected 01Q…)",
                rule.id
            ));
        }
        Ok(Self { file, schema, zone, described })
    }

    /// The 18-character org id.
    pub fn org_id(&self) -> String {
        id::to_18(&self.file.id).unwrap_or_default()
    }

    /// First day of the week, by the country of the org's locale.
    pub fn week_begins(&self) -> Weekday {
        const SUNDAY: [&str; 10] = ["BR", "CA", "HK", "IL", "IN", "JP", "KR", "MX", "TW", "US"];
        match self.file.locale.rsplit('_').next() {
            Some(country) if SUNDAY.contains(&country) => Weekday::Sunday,
            _ => Weekday::Monday,
        }
    }

    /// The context in which conditions are evaluated.
    pub fn scope<'a>(
        &'a self,
        field: &'a dyn Fn(&str) -> Option<&'a Field>,
        entity: &'a str,
        now: Timestamp,
    ) -> Scope<'a> {
        Scope { entity, field, now, zone: &self.zone, week_begins: self.week_begins() }
    }

    /// Looks a user up by a name of any case.
    pub fn user(&self, username: &str) -> Option<&User> {
        self.file.users.iter().find(|user| user.username.eq_ignore_ascii_case(username))
    }

    pub fn user_id(&self, username: &str) -> Option<String> {
        self.users().find(|(_, user)| user.username.eq_ignore_ascii_case(username)).map(|(id, _)| id)
    }

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
    /// Checks that the file describes a consistent org: named fields exist, rules can match, values have the right types.
    ///
    /// # Errors
    /// [`FileError::Contradiction`], which names the first inconsistent part.
    pub fn check(&self) -> Result<(), FileError> {
        Settings::new(self.clone(), Timestamp::UNIX_EPOCH).map(drop)
    }
}

/// The app's credentials, which a client needs for OAuth.
#[derive(Clone, Debug)]
pub struct AppCredentials {
    /// Consumer key.
    pub client_id: String,
    /// Consumer secret.
    pub client_secret: String,
    /// Registered callback URLs.
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
        let moved_to = RwLock::default();
        Ok(Self(Arc::new(Inner { settings, changing, clock, place, moved_to, state, traffic })))
    }

    /// The current org file.
    pub fn file(&self) -> OrgFile {
        self.settings().file.clone()
    }

    /// Changes the org as an admin does in Setup: fields, rules, policies, users. Leads and tokens are kept.
    ///
    /// # Errors
    /// [`FileError::Contradiction`] if the changed file is inconsistent; the org then stays as it was.
    pub fn change(&self, change: impl FnOnce(&mut OrgFile)) -> Result<(), FileError> {
        let _turn = self.0.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.settings();
        let mut file = before.file.clone();
        change(&mut file);
        // Clients compare the timestamp by the second, so two changes within one second must not share it.
        let described =
            self.now().max(before.described.saturating_add(SignedDuration::from_secs(1)).unwrap_or(self.now()));
        let settings = Arc::new(Settings::new(file, described)?);
        *self.0.settings.write().unwrap_or_else(PoisonError::into_inner) = settings;
        Ok(())
    }

    /// The org's address, such as `http://127.0.0.1:40123`.
    pub fn base_url(&self) -> &str {
        &self.0.place.base_url
    }

    /// Credentials of the app that clients present.
    pub fn app(&self) -> AppCredentials {
        let state = self.state();
        AppCredentials {
            client_id: state.kept.client_id.clone(),
            client_secret: state.kept.client_secret.clone(),
            redirect_uris: state.kept.callbacks.clone(),
        }
    }

    /// Registers another callback URL.
    pub fn register_callback(&self, url: &str) {
        let mut state = self.state();
        if !state.kept.callbacks.iter().any(|known| known == url) {
            state.kept.change().callbacks.push(url.to_owned());
        }
    }

    /// The Leads that are not deleted, as a read of all visible fields returns them, in order of creation.
    pub fn leads(&self) -> Vec<Value> {
        self.commit_late_requests();
        let settings = self.settings();
        let leads: Vec<_> = self.state().kept.leads.iter().filter(|lead| !lead.deleted).cloned().collect();
        leads.iter().map(|lead| crate::rest::record::whole(&settings, lead, settings.file.api.newest)).collect()
    }

    /// Inserts a Lead without checking any rule, as a data loader would, and returns its id.
    ///
    /// Use it for Leads that the API cannot create, such as converted ones.
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

    /// The request log, oldest first.
    pub fn requests(&self) -> Vec<LogEntry> {
        self.state().log.iter().cloned().collect()
    }

    /// Clears the request log.
    pub fn clear_requests(&self) {
        self.state().log.clear();
    }

    /// Moves the org to another address of its own, such as `http://localhost:40123`, which token responses name from now on. The old
    /// address works until a fault for its host says otherwise.
    pub fn move_to(&self, url: &str) {
        *self.0.moved_to.write().unwrap_or_else(PoisonError::into_inner) = Some(url.to_owned());
    }

    /// Adds a fault. Each request meets the first fault that matches it.
    pub fn add_fault(&self, fault: Fault) {
        self.state().faults.push(fault);
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    /// Advances the clock. Requests that a fault delayed are carried out on the way, each at its due time.
    pub fn advance_clock(&self, by: SignedDuration) {
        let end = self.now().saturating_add(by).unwrap_or(Timestamp::MAX);
        let mut on_the_way: Vec<_> = self.state().late.iter().map(|(due, _)| *due).filter(|due| *due < end).collect();
        on_the_way.sort_unstable();
        for time in on_the_way.into_iter().chain([end]) {
            self.0.clock.advance(time.duration_since(self.now()));
            self.commit_late_requests();
        }
    }

    /// Queues a request to be carried out later by the org's clock.
    pub(crate) fn commit_later(&self, request: Request, delay: SignedDuration) {
        let due = self.now().saturating_add(delay).unwrap_or(Timestamp::MAX);
        self.state().late.push((due, request));
    }

    /// Carries out the delayed requests that are due. Nobody waits for their responses.
    pub(crate) fn commit_late_requests(&self) {
        let now = self.now();
        let due: Vec<_> = {
            let mut state = self.state();
            if state.late.is_empty() {
                return;
            }
            let (mut due, waiting): (Vec<_>, Vec<_>) = state.late.drain(..).partition(|(due, _)| *due <= now);
            state.late = waiting;
            due.sort_by_key(|(due, _)| *due);
            due
        };
        for (_, request) in due {
            route::respond(self, &request);
        }
    }

    /// The current time of the org's clock.
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Ends every session: access tokens are rejected, refresh tokens still work.
    pub fn expire_access_tokens(&self) {
        self.state().kept.change().sessions.clear();
    }

    /// Ends every grant, as an admin's "Revoke All" does: access and refresh tokens are rejected.
    pub fn revoke_all_tokens(&self) {
        let mut state = self.state();
        state.kept.change().sessions.clear();
        state.kept.change().grants.clear();
    }

    /// Uses up the org's API calls for the next 24 hours.
    pub fn exhaust_api_limit(&self) {
        let minute = state::minute(self.now());
        let limit = self.settings().file.api.daily_limit;
        self.state().kept.change().usage.insert(minute, limit);
    }

    /// Writes the state to its file, if the org has one and anything changed.
    pub(crate) async fn save(&self) -> io::Result<()> {
        if self.0.place.store.is_none() {
            return Ok(());
        }
        let org = self.clone();
        // File I/O blocks, so it runs off the threads that serve requests.
        let save = move || org.0.place.store.as_ref().map_or(Ok(()), |store| store.save(&org.0.state));
        tokio::task::spawn_blocking(save).await?
    }

    /// Writes the state to its file, including changes that do not trigger a write of their own.
    pub(crate) fn save_all(&self) -> io::Result<()> {
        self.0.place.store.as_ref().map_or(Ok(()), |store| store.save_all(&self.0.state))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        store::lock(&self.0.state)
    }

    /// Runs a call concurrently with others.
    pub(crate) fn beside_others<T>(&self, call: impl FnOnce() -> T) -> T {
        let _shared = self.0.traffic.read().unwrap_or_else(PoisonError::into_inner);
        call()
    }

    /// Runs a call while no other call runs.
    pub(crate) fn alone<T>(&self, call: impl FnOnce() -> T) -> T {
        let _exclusive = self.0.traffic.write().unwrap_or_else(PoisonError::into_inner);
        call()
    }

    pub(crate) fn settings(&self) -> Arc<Settings> {
        self.0.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn instance_url(&self) -> String {
        let moved_to = self.0.moved_to.read().unwrap_or_else(PoisonError::into_inner).clone();
        moved_to.or_else(|| self.0.place.instance_url.clone()).unwrap_or_else(|| self.0.place.base_url.clone())
    }

    /// The 18-character org id.
    pub fn id(&self) -> String {
        self.settings().org_id()
    }

    /// The 18-character id of a user, by a user name of any case.
    pub fn user_id(&self, username: &str) -> Option<String> {
        self.settings().user_id(username)
    }

    /// The 18-character id of a queue, by developer name.
    pub fn queue_id(&self, developer_name: &str) -> Option<String> {
        self.settings().queue_id(developer_name)
    }
}
