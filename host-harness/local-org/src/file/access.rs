//! Who may use an org, through which app, and for how long.

use jiff::{Span, Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

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
    /// So many hours from its first issue.
    LifetimeHours(u32),
    /// So many days from its first issue.
    LifetimeDays(u32),
    /// So many months from its first issue.
    LifetimeMonths(u32),
    /// Until it has not been used for so many hours.
    IdleHours(u32),
    /// Until it has not been used for so many days.
    IdleDays(u32),
    /// Until it has not been used for so many months.
    IdleMonths(u32),
}

impl RefreshPolicy {
    /// When a token ends that was first issued and last used then; `None` if it does not end by itself.
    pub(crate) fn end(self, issued: Timestamp, used: Timestamp) -> Option<Timestamp> {
        let span = Span::new();
        let (from, life) = match self {
            Self::Infinite => return None,
            Self::Zero => return Some(Timestamp::MIN),
            Self::LifetimeHours(hours) => (issued, span.try_hours(hours)),
            Self::LifetimeDays(days) => (issued, span.try_days(days)),
            Self::LifetimeMonths(months) => (issued, span.try_months(months)),
            Self::IdleHours(hours) => (used, span.try_hours(hours)),
            Self::IdleDays(days) => (used, span.try_days(days)),
            Self::IdleMonths(months) => (used, span.try_months(months)),
        };
        // Days and months have a length on a calendar only. What is longer than a calendar never ends.
        from.to_zoned(TimeZone::UTC).checked_add(life.ok()?).ok().map(|end| end.timestamp())
    }
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
    /// Whether the user can change Leads.
    pub edit_leads: bool,
    /// Whether the user can delete Leads.
    pub delete_leads: bool,
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
            edit_leads: true,
            delete_leads: true,
            view_setup: true,
        }
    }
}
