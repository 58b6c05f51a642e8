//! Salesforce's error codes and what each one calls for.
//!
//! Sources: the `StatusCode` and `ExceptionCode` enumerations of the partner WSDL, the REST API guide's list of status
//! codes, and what REST adds to both (`NOT_FOUND`, `METHOD_NOT_ALLOWED`, `APEX_ERROR` ...). The set is open: Salesforce
//! adds codes without notice, so an unknown one is classed by its HTTP status.

use super::Call;
use crate::bindings::types::Reaction;

/// What an error calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// This booking's data.
    Booking,
    /// The mapping.
    Mapping,
    /// Something in the org that its admin decides.
    Admin,
    /// A new connection.
    Reconnect,
    /// To wait this many seconds at least. Nothing was written.
    Wait(u32),
    /// To look first: the write may have happened.
    Unclear,
    /// Nothing: it only says that a sibling failed.
    Sibling,
}

/// How long to wait before looking for a write of unknown outcome: Salesforce ends a request after ten minutes, but most end
/// within seconds.
const LOOK_AFTER: u32 = 30;

impl Class {
    /// The reaction, and after how many seconds at least.
    pub fn reaction(self, call: Call) -> (Reaction, Option<u32>) {
        match (self, call) {
            (Self::Booking | Self::Sibling, _) => (Reaction::FixBooking, None),
            (Self::Mapping, _) => (Reaction::FixMapping, None),
            (Self::Admin, _) => (Reaction::AskAdmin, None),
            (Self::Reconnect, _) => (Reaction::Reconnect, None),
            (Self::Wait(seconds), _) => (Reaction::Retry, Some(seconds)),
            (Self::Unclear, Call::Read) => (Reaction::Retry, Some(LOOK_AFTER)),
            (Self::Unclear, Call::Write) => (Reaction::CheckFirst, Some(LOOK_AFTER)),
        }
    }

    /// Which of several errors represents the answer: the one to be overcome first. Waiting is useless while something else is
    /// wrong, and an unknown outcome outweighs everything.
    pub fn rank(self) -> u8 {
        match self {
            Self::Unclear => 6,
            Self::Reconnect => 5,
            Self::Admin => 4,
            Self::Mapping => 3,
            Self::Booking => 2,
            Self::Wait(_) => 1,
            Self::Sibling => 0,
        }
    }
}

/// A repeat of an earlier write gets this error. It proves that the key exists already, whatever else is wrong.
pub const DUPLICATE_VALUE: &str = "DUPLICATE_VALUE";
/// A duplicate rule refused.
pub const DUPLICATES_DETECTED: &str = "DUPLICATES_DETECTED";
/// A record is locked by somebody else.
pub const UNABLE_TO_LOCK_ROW: &str = "UNABLE_TO_LOCK_ROW";

/// A lock lasts as long as another transaction: seconds.
const LOCKED: u32 = 5;
/// Calls are counted over a rolling 24 hours, and each early repeat adds to them.
const QUOTA: u32 = 900;
/// Maintenance in read-only mode takes minutes at least.
const MAINTENANCE: u32 = 600;
/// An overloaded server.
pub const BUSY: u32 = 60;

/// The class of a code of Salesforce's, by the code alone.
pub fn class_of(code: &str) -> Option<Class> {
    GROUPS.iter().find(|(_, codes)| codes.split(' ').any(|known| known == code)).map(|(class, _)| *class)
}

/// All codes of Salesforce's that have a class.
#[cfg(test)]
pub fn codes() -> impl Iterator<Item = &'static str> {
    GROUPS.iter().flat_map(|(_, codes)| codes.split(' '))
}

/// Codes by their class.
static GROUPS: &[(Class, &str)] = &[
    (
        Class::Booking,
        "CANNOT_UPDATE_CONVERTED_LEAD DUPLICATES_DETECTED DUPLICATE_EXTERNAL_ID DUPLICATE_VALUE \
     ENTITY_IS_DELETED FIELD_CUSTOM_VALIDATION_EXCEPTION FIELD_INTEGRITY_EXCEPTION INVALID_EMAIL_ADDRESS \
     NUMBER_OUTSIDE_VALID_RANGE STRING_TOO_LONG TEXT_DATA_OUTSIDE_SUPPORTED_CHARSET",
    ),
    (
        Class::Mapping,
        "FIELD_FILTER_VALIDATION_EXCEPTION INVALID_ASSIGNMENT_RULE INVALID_CROSS_REFERENCE_KEY INVALID_FIELD \
     INVALID_FIELD_FOR_INSERT_UPDATE INVALID_ID_FIELD INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST \
     INVALID_QUERY_FILTER_OPERATOR INVALID_TYPE_ON_FIELD_IN_RECORD JSON_PARSER_ERROR MALFORMED_ID \
     MALFORMED_QUERY METHOD_NOT_ALLOWED MISSING_ARGUMENT REQUIRED_FIELD_MISSING UNSUPPORTED_MEDIA_TYPE",
    ),
    (
        Class::Admin,
        "API_CURRENTLY_DISABLED API_DISABLED_FOR_ORG APEX_ERROR CANNOT_EXECUTE_FLOW_TRIGGER \
     CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY CLIENT_NOT_ACCESSIBLE_FOR_USER FUNCTIONALITY_NOT_ENABLED GONE \
     INACTIVE_OWNER_OR_USER INSUFFICIENT_ACCESS INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY \
     INSUFFICIENT_ACCESS_OR_READONLY INVALID_OPERATION_WITH_EXPIRED_PASSWORD INVALID_TYPE \
     LICENSE_LIMIT_EXCEEDED LOGIN_DURING_RESTRICTED_DOMAIN LOGIN_DURING_RESTRICTED_TIME NOT_FOUND \
     ORG_LOCKED STORAGE_LIMIT_EXCEEDED TRIAL_EXPIRED TXN_SECURITY_NO_ACCESS UNSUPPORTED_API_VERSION",
    ),
    (Class::Reconnect, "INVALID_AUTH_HEADER INVALID_SESSION_ID LOGIN_OAUTH_INVALID_TOKEN"),
    (Class::Wait(LOCKED), "UNABLE_TO_LOCK_ROW"),
    (Class::Wait(LOCKED), "INVALID_QUERY_LOCATOR"),
    (Class::Wait(BUSY), "SERVER_UNAVAILABLE"),
    (Class::Wait(MAINTENANCE), "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE"),
    (Class::Wait(QUOTA), "REQUEST_LIMIT_EXCEEDED"),
    (Class::Unclear, "QUERY_TIMEOUT REQUEST_RUNNING_TOO_LONG UNKNOWN_EXCEPTION"),
    (Class::Sibling, "ALL_OR_NONE_OPERATION_ROLLED_BACK PROCESSING_HALTED"),
];

/// What an error calls for: by its code, and by its text for the few codes that have several meanings.
pub fn class_of_error(code: &str, message: &str) -> Option<Class> {
    match code {
        // A trigger or flow in the org exceeded its limits: with less load the same record succeeds.
        _ if runs_automation(code) && message.contains("Too many SOQL queries") => Some(Class::Wait(BUSY)),
        _ => class_of(code),
    }
}

/// The code of the error that another one wraps: automation in the org quotes in its message what stopped it.
pub fn wrapped_code(code: &str, message: &str) -> Option<&'static str> {
    (runs_automation(code) && message.contains(UNABLE_TO_LOCK_ROW)).then_some(UNABLE_TO_LOCK_ROW)
}

fn runs_automation(code: &str) -> bool {
    matches!(code, "APEX_ERROR" | "CANNOT_EXECUTE_FLOW_TRIGGER" | "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY")
}
