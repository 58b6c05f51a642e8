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
pub use field::{Encryption, Field, FieldType, PicklistValue};
pub use rules::{AssignmentRule, DuplicateAction, DuplicateRule, Matched, Queue, RecordType, Trigger, ValidationRule};

/// The configuration of an org.
///
/// Every key has a default; the empty file is a new Enterprise org. Unknown keys are errors: a misspelled setting must not
/// be silently ignored.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct OrgFile {
    /// Name of the organization.
    pub name: String,
    /// One sentence on the purpose of this org.
    pub description: String,
    /// Edition, as `Organization.OrganizationType` names it, such as `Enterprise Edition`.
    pub edition: String,
    /// Whether the org is a sandbox.
    pub sandbox: bool,
    /// Whether the org is locked, closed or suspended.
    pub locked: bool,
    /// Organization id, 15 or 18 characters.
    pub id: String,
    /// Locale, such as `ja_JP`. It sets the order of names and the first day of the week.
    pub locale: String,
    /// IANA time zone, in which date literals such as `TODAY` are evaluated.
    pub time_zone: String,
    /// REST API versions and limits.
    pub api: Api,
    /// The connected app (or external client app) that clients use.
    pub app: App,
    /// Users who can log in. The first is the run-as user of the client-credentials flow.
    pub users: Vec<User>,
    /// Whether person accounts are enabled, so that `Company` may be blank.
    pub person_accounts: bool,
    /// Whether state and country picklists are enabled.
    pub state_country_picklists: bool,
    /// Additional Lead fields; one with the name of a standard field replaces it.
    pub fields: Vec<Field>,
    /// Standard fields that this org lacks.
    pub without_fields: BTreeSet<String>,
    /// Fields that field-level security hides from all users.
    pub hidden_fields: BTreeSet<String>,
    /// Text fields are generated until the Lead object has this many fields in total.
    pub pad_to_fields: usize,
    /// Record types of the Lead object, excluding the master record type.
    pub record_types: Vec<RecordType>,
    /// Queues that can own Leads.
    pub queues: Vec<Queue>,
    /// Duplicate rules of the Lead object; the standard rule if absent.
    pub duplicate_rules: Vec<DuplicateRule>,
    /// Validation rules of the Lead object.
    pub validation_rules: Vec<ValidationRule>,
    /// The active assignment rule of the Lead object.
    pub assignment_rule: Option<AssignmentRule>,
    /// Failing Apex triggers of the Lead object.
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
    /// Oldest supported version, such as 31. Older ones are retired (410).
    pub oldest: u32,
    /// Newest supported version.
    pub newest: u32,
    /// API calls allowed in 24 hours.
    pub daily_limit: u64,
    /// Text after `api-usage` in `Sforce-Limit-Info`, such as `api-bursts=1/750; per-app-api-usage=17/250(appName=x)`.
    pub limit_info_extra: String,
}

impl Default for Api {
    fn default() -> Self {
        Self { enabled: true, oldest: 31, newest: 67, daily_limit: 101_000, limit_info_extra: String::new() }
    }
}

/// Why an org cannot be made from a file.
#[derive(Debug, Error)]
pub enum FileError {
    /// The text is not TOML, or has an unknown key or an invalid value.
    #[error("cannot read the org file")]
    Syntax(#[from] toml::de::Error),
    /// Two parts of the file, or of a describe result, contradict each other.
    #[error("the org file is inconsistent: {0}")]
    Contradiction(String),
    /// A describe result is not JSON.
    #[error("the describe result is not JSON")]
    Describe(#[from] serde_json::Error),
    /// JSON that is not a describe result of the Lead object: another object's, or an error.
    #[error("{0}; expected the describe result of Lead, as from `sf sobject describe --sobject Lead --json`")]
    NotLead(String),
}

impl FileError {
    /// A stable code for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Syntax(_) => "org-file-syntax",
            Self::Contradiction(_) => "org-file-contradiction",
            Self::Describe(_) => "org-file-describe",
            Self::NotLead(_) => "org-file-not-lead",
        }
    }
}

impl OrgFile {
    /// Whether the file's fields come from a describe result and so include the standard ones.
    pub(crate) fn replaces_standard_fields(&self) -> bool {
        self.fields.iter().any(|field| field.imported.is_some())
    }

    /// Fields that an enabled feature adds.
    pub(crate) fn feature_fields(&self) -> Result<Vec<Field>, FileError> {
        if !self.state_country_picklists || self.replaces_standard_fields() {
            return Ok(Vec::new());
        }
        Ok(toml::from_str::<Fields>(include_str!("state_country.toml"))?.fields)
    }

    /// Parses an org file. Consistency is checked by [`OrgFile::check`].
    ///
    /// # Errors
    /// [`FileError::Syntax`].
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
