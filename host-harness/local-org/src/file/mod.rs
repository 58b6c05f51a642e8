//! Org files: an org described in TOML.

mod access;
mod field;
mod import;
mod named;
mod rules;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use access::{App, AppAccess, RefreshPolicy, User};
pub(crate) use field::plain_field;
pub use field::{Field, FieldType, PicklistValue};
pub use rules::{AssignmentRule, DuplicateAction, DuplicateRule, Matched, Queue, RecordType, Trigger, ValidationRule};

/// Everything that makes one org differ from another.
///
/// Every key has a default, so that the empty file is the org that a new enterprise customer gets. Unknown keys are
/// errors: a misspelt setting must not silently leave an org as it was.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct OrgFile {
    /// Name of the organisation.
    pub name: String,
    /// One sentence on what this org is for.
    pub description: String,
    /// Edition, as `Organization.OrganizationType` names it, such as `Enterprise Edition`.
    pub edition: String,
    /// Whether the org is a sandbox.
    pub sandbox: bool,
    /// Whether the org is locked, closed or suspended.
    pub locked: bool,
    /// Organisation id, 15 or 18 characters.
    pub id: String,
    /// Locale of the org, such as `ja_JP`.
    pub locale: String,
    /// IANA time zone of the org.
    pub time_zone: String,
    /// The REST API.
    pub api: Api,
    /// The connected app (or external client app) that clients use.
    pub app: App,
    /// People who can log in. The first one is the run-as user of the client-credentials flow.
    pub users: Vec<User>,
    /// Whether person accounts are on, so that `Company` may be blank.
    pub person_accounts: bool,
    /// Whether the state and country picklists are on.
    pub state_country_picklists: bool,
    /// Lead fields beside the standard ones; one with the name of a standard field takes its place.
    pub fields: Vec<Field>,
    /// Standard fields that this org does not have.
    pub without_fields: BTreeSet<String>,
    /// Fields that field-level security hides from the users.
    pub hidden_fields: BTreeSet<String>,
    /// Plain text fields made up to fill the Lead object until it has so many fields altogether.
    pub pad_to_fields: usize,
    /// Record types of the Lead object, beside the master record type.
    pub record_types: Vec<RecordType>,
    /// Queues that can own Leads.
    pub queues: Vec<Queue>,
    /// Duplicate rules of the Lead object.
    pub duplicate_rules: Vec<DuplicateRule>,
    /// Validation rules of the Lead object.
    pub validation_rules: Vec<ValidationRule>,
    /// The active assignment rule of the Lead object.
    pub assignment_rule: Option<AssignmentRule>,
    /// Apex triggers of the Lead object that can fail.
    pub triggers: Vec<Trigger>,
}

impl Default for OrgFile {
    fn default() -> Self {
        Self {
            name: "Local Org".into(),
            description: String::new(),
            edition: "Enterprise Edition".into(),
            sandbox: false,
            locked: false,
            id: "00D5i00000LoCaL".into(),
            locale: "ja_JP".into(),
            time_zone: "Asia/Tokyo".into(),
            api: Api::default(),
            app: App::default(),
            users: vec![User::default()],
            person_accounts: false,
            state_country_picklists: false,
            fields: Vec::new(),
            without_fields: BTreeSet::new(),
            hidden_fields: BTreeSet::new(),
            pad_to_fields: 0,
            record_types: Vec::new(),
            queues: Vec::new(),
            duplicate_rules: vec![DuplicateRule::default()],
            validation_rules: Vec::new(),
            assignment_rule: None,
            triggers: Vec::new(),
        }
    }
}

/// The REST API of an org.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Api {
    /// Whether the edition includes the API at all.
    pub enabled: bool,
    /// Oldest version that answers. Older ones are retired.
    pub oldest: u32,
    /// Newest version.
    pub newest: u32,
    /// API calls in 24 hours.
    pub daily_limit: u64,
    /// What `Sforce-Limit-Info` says behind `api-usage`, such as `api-bursts=1/750; per-app-api-usage=17/250(appName=x)`.
    pub limit_info_extra: String,
}

impl Default for Api {
    fn default() -> Self {
        Self { enabled: true, oldest: 31, newest: 67, daily_limit: 101_000, limit_info_extra: String::new() }
    }
}

/// Why a file makes no org.
#[derive(Debug, Error)]
pub enum FileError {
    /// The text is no TOML, or has a key or value that an org file does not know.
    #[error("the org file cannot be parsed")]
    Syntax(#[from] toml::de::Error),
    /// Two parts of the file contradict each other.
    #[error("the org file contradicts itself: {0}")]
    Contradiction(String),
    /// A describe result cannot be read.
    #[error("the describe result cannot be parsed")]
    Describe(#[from] serde_json::Error),
}

impl FileError {
    /// A stable code for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Syntax(_) => "org-file-syntax",
            Self::Contradiction(_) => "org-file-contradiction",
            Self::Describe(_) => "org-file-describe",
        }
    }
}

impl OrgFile {
    /// Whether the file lists all fields itself, standard ones included.
    pub(crate) fn replaces_standard_fields(&self) -> bool {
        self.fields.iter().any(|field| field.imported.is_some())
    }

    /// Fields that a feature of the org brings.
    pub(crate) fn feature_fields(&self) -> Result<Vec<Field>, FileError> {
        if !self.state_country_picklists || self.replaces_standard_fields() {
            return Ok(Vec::new());
        }
        Ok(toml::from_str::<Fields>(include_str!("state_country.toml"))?.fields)
    }

    /// Reads an org file.
    pub fn parse(text: &str) -> Result<Self, FileError> {
        Ok(toml::from_str(text)?)
    }
}

#[derive(Deserialize)]
struct Fields {
    fields: Vec<Field>,
}

/// The standard fields of the Lead object.
pub(crate) fn standard_lead_fields() -> Result<Vec<Field>, FileError> {
    Ok(toml::from_str::<Fields>(include_str!("standard_lead.toml"))?.fields)
}
