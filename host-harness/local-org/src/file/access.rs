//! The app, its policies, and the users of an org.

use jiff::{Span, Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// The app that clients present to the org, and the admin's policies for it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct App {
    /// Name shown on the allow page.
    pub name: String,
    /// Consumer key; generated at startup if empty.
    pub client_id: String,
    /// Consumer secret; generated at startup if empty.
    pub client_secret: String,
    /// Callback URLs, compared character for character.
    pub callbacks: Vec<String>,
    /// Scopes that the app may request.
    pub scopes: Vec<String>,
    /// Whether an authorization request must have a PKCE code challenge.
    pub pkce_required: bool,
    /// Whether the code exchange needs the secret.
    pub secret_required_for_web: bool,
    /// Whether a refresh needs the secret.
    pub secret_required_for_refresh: bool,
    /// Whether every refresh issues a new refresh token and retires the old one.
    pub rotation: bool,
    /// How long refresh tokens live.
    pub refresh_policy: RefreshPolicy,
    /// Whether the client-credentials flow is enabled.
    pub client_credentials: bool,
    /// Whether the org acts as a login host shared by all orgs (`login.salesforce.com`), which rejects the
    /// client-credentials flow.
    pub generic_login_host: bool,
    /// Idle minutes after which an access token expires.
    pub session_minutes: u32,
    /// Whether the app's list of IP addresses has this machine's. If not, codes and refresh tokens are refused.
    pub ip_allowlisted: bool,
    /// Who may use the app.
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
            ip_allowlisted: true,
            access: AppAccess::AllUsers,
        }
    }
}

/// How long a refresh token lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefreshPolicy {
    /// Until revoked.
    Infinite,
    /// Never usable.
    Zero,
    /// For this many hours from first issue.
    LifetimeHours(u32),
    /// For this many days from first issue.
    LifetimeDays(u32),
    /// For this many months from first issue.
    LifetimeMonths(u32),
    /// Until unused for this many hours.
    IdleHours(u32),
    /// Until unused for this many days.
    IdleDays(u32),
    /// Until unused for this many months.
    IdleMonths(u32),
}

impl RefreshPolicy {
    /// Expiry of a token from its first issue and last use; `None` if it never expires.
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
        // Days and months need a calendar. A life beyond the calendar's end never expires.
        from.to_zoned(TimeZone::UTC).checked_add(life.ok()?).ok().map(|end| end.timestamp())
    }
}

/// Who may use the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AppAccess {
    /// All users may authorize themselves.
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

/// A user who can log in.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct User {
    /// Login name, compared without regard to case.
    pub username: String,
    /// Login password.
    pub password: String,
    /// Family name.
    pub last_name: String,
    /// Given name.
    pub first_name: String,
    /// Email address.
    pub email: String,
    /// Whether the user is active. An inactive user's tokens are rejected.
    pub active: bool,
    /// Whether an admin approved the user for the app.
    pub approved: bool,
    /// Whether the profile has the permission "API Enabled".
    pub api_enabled: bool,
    /// Whether login IP ranges exclude this machine.
    pub ip_restricted: bool,
    /// Whether the user can see the Lead object.
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
