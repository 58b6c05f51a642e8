//! Org files: an org described in TOML.

mod field;
mod import;
mod named;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub(crate) use field::plain_field;
pub use field::{Field, FieldType, PicklistValue};

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
}

impl Default for Api {
    fn default() -> Self {
        Self { enabled: true, oldest: 31, newest: 67, daily_limit: 101_000 }
    }
}

/// The app that clients present to the org, and the admin's policies for it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct App {
    /// Name that the allow page shows.
    pub name: String,
    /// Consumer key; made up at the start if empty.
    pub client_id: String,
    /// Consumer secret; made up at the start if empty.
    pub client_secret: String,
    /// Callback URLs, compared character for character.
    pub callbacks: Vec<String>,
    /// Scopes that the app may ask for.
    pub scopes: Vec<String>,
    /// Whether an authorisation must carry a PKCE code challenge.
    pub pkce_required: bool,
    /// Whether the code exchange needs the secret.
    pub secret_required_for_web: bool,
    /// Whether a refresh needs the secret.
    pub secret_required_for_refresh: bool,
    /// Whether every refresh issues a new refresh token and retires the old one.
    pub rotation: bool,
    /// How long refresh tokens live.
    pub refresh_policy: RefreshPolicy,
    /// Whether the client-credentials flow is on.
    pub client_credentials: bool,
    /// Whether the org is reached under a host name that all orgs share (as `login.salesforce.com` is), where the
    /// client-credentials flow is refused.
    pub generic_login_host: bool,
    /// Minutes of disuse after which an access token expires.
    pub session_minutes: u32,
    /// What an admin did to the app.
    pub access: AppAccess,
}

impl Default for App {
    fn default() -> Self {
        Self {
            name: "Scheduling".into(),
            client_id: String::new(),
            client_secret: String::new(),
            callbacks: vec!["http://127.0.0.1:8917/callback".into()],
            scopes: ["api", "refresh_token", "id"].map(Into::into).to_vec(),
            pkce_required: false,
            secret_required_for_web: true,
            secret_required_for_refresh: true,
            rotation: false,
            refresh_policy: RefreshPolicy::Infinite,
            client_credentials: true,
            generic_login_host: false,
            session_minutes: 120,
            access: AppAccess::AllUsers,
        }
    }
}

/// How long a refresh token lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefreshPolicy {
    /// Until it is revoked.
    Infinite,
    /// Not at all.
    Zero,
    /// So many days from its first issue.
    LifetimeDays(u32),
    /// Until it has not been used for so many days.
    IdleDays(u32),
}

/// Who may use the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AppAccess {
    /// All users may authorise themselves.
    AllUsers,
    /// Only users whom an admin approved (`users.approved`).
    AdminApproved,
    /// An admin blocked the app.
    Blocked,
    /// The connected app is not installed in the org.
    Uninstalled,
    /// The external client app is not installed in the org.
    ExternalClientAppMissing,
}

/// A person who can log in.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct User {
    /// Name to log in with.
    pub username: String,
    /// Password to log in with.
    pub password: String,
    /// Family name.
    pub last_name: String,
    /// Given name.
    pub first_name: String,
    /// E-mail address.
    pub email: String,
    /// Whether the user is active.
    pub active: bool,
    /// Whether an admin approved the user for the app.
    pub approved: bool,
    /// Whether the profile has the permission "API Enabled".
    pub api_enabled: bool,
    /// Whether the user is restricted to other IP addresses than this machine's.
    pub ip_restricted: bool,
    /// Whether the user can see Leads at all.
    pub read_leads: bool,
    /// Whether the user can create Leads.
    pub create_leads: bool,
    /// Whether the user has "View Setup and Configuration", which the limits resource needs.
    pub view_setup: bool,
}

impl Default for User {
    fn default() -> Self {
        Self {
            username: "hanako.suzuki@example.com".into(),
            password: "local-org".into(),
            last_name: "鈴木".into(),
            first_name: "花子".into(),
            email: "hanako.suzuki@example.com".into(),
            active: true,
            approved: true,
            api_enabled: true,
            ip_restricted: false,
            read_leads: true,
            create_leads: true,
            view_setup: true,
        }
    }
}

/// A record type of the Lead object.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RecordType {
    /// Id (key prefix `012`); made up if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Label.
    pub name: String,
    /// Developer name.
    pub developer_name: String,
    /// Whether it is in use.
    #[serde(default = "yes")]
    pub active: bool,
    /// Whether the users are assigned to it.
    #[serde(default = "yes")]
    pub available: bool,
    /// Whether it is what new records get.
    #[serde(default)]
    pub default: bool,
}

/// A duplicate rule with its matching rule.
///
/// Real matching rules compare names fuzzily. Here a new record matches an old one if, for one of the groups in `when-same`,
/// all fields are the same but for case and surrounding blanks, and the group's last field is not blank.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct DuplicateRule {
    /// Developer name.
    pub name: String,
    /// Name of the matching rule.
    pub matching_rule: String,
    /// Whether the rule is in force.
    pub active: bool,
    /// What a match does.
    pub action: DuplicateAction,
    /// The text that the rule shows.
    pub message: String,
    /// Groups of fields; see above.
    pub when_same: Vec<Vec<String>>,
}

impl Default for DuplicateRule {
    fn default() -> Self {
        let same = |fields: &[&str]| fields.iter().map(ToString::to_string).collect();
        Self {
            name: "Standard_Lead_Duplicate_Rule".into(),
            matching_rule: "Standard_Lead_Match_Rule_v1_0".into(),
            active: true,
            action: DuplicateAction::Alert,
            message: "Use one of these records?".into(),
            when_same: vec![
                same(&["LastName", "FirstName", "Email"]),
                same(&["LastName", "FirstName", "Phone"]),
                same(&["LastName", "FirstName", "Title", "Company"]),
            ],
        }
    }
}

/// What a duplicate rule does with a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DuplicateAction {
    /// Refuses the record unless the request says that it may be saved.
    Alert,
    /// Refuses the record.
    Block,
}

/// A validation rule.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ValidationRule {
    /// Developer name.
    pub name: String,
    /// Condition that refuses a record, in the language of a SOQL WHERE clause, such as `Phone = null AND Email = null`.
    pub refuse_when: String,
    /// The text that the rule shows.
    pub message: String,
    /// Field beside which the text is shown; the top of the page if absent.
    #[serde(default)]
    pub field: Option<String>,
}

/// An assignment rule: who owns a new Lead.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AssignmentRule {
    /// Id of the rule (key prefix `01Q`).
    pub id: String,
    /// User name of the new owner.
    pub owner: String,
}

/// An Apex trigger that fails, after all other checks.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Trigger {
    /// Name of the trigger.
    pub name: String,
    /// Condition under which it fails, in the language of a SOQL WHERE clause.
    pub fail_when: String,
    /// What it dies of, such as `System.DmlException: ...`.
    pub message: String,
}

fn yes() -> bool {
    true
}

/// Why a file makes no org.
#[derive(Debug, Error)]
pub enum FileError {
    /// The text is no TOML, or has a key or value that an org file does not know.
    #[error("the org file cannot be read: {0}")]
    Syntax(#[from] toml::de::Error),
    /// Two parts of the file contradict each other.
    #[error("the org file contradicts itself: {0}")]
    Contradiction(String),
    /// A describe result cannot be read.
    #[error("the describe result cannot be read: {0}")]
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
