//! What each answer of Salesforce's calls for, and whose advice explains it.
//!
//! One decision, from the most telling to the least:
//!
//! | what the answer has | what decides |
//! | --- | --- |
//! | a code with several meanings, such as that of the org's own automation | the code and its words: [`WORDS`] |
//! | a known code | [`GROUPS`] |
//! | an unknown code | a part of its name ([`PARTS`]), else its status; it blames the booking only if it names fields |
//! | no code, so that a server on the way may have written it | its status, and whether it is JSON: [`Uncoded`] |
//!
//! Sources: the `StatusCode` and `ExceptionCode` enumerations of the partner WSDL, the REST API guide's list of status codes, and what
//! REST adds to both (`NOT_FOUND`, `METHOD_NOT_ALLOWED`, `APEX_ERROR` ...). The set is open: Salesforce adds codes without notice.
//! How long something passing may last is not decided here: whoever keeps the tries counts them, and asks a person.

use super::Call;
use crate::{bindings::types::Reaction, codes};

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
const UNABLE_TO_LOCK_ROW: &str = "UNABLE_TO_LOCK_ROW";

/// A lock lasts as long as another transaction: seconds.
const LOCKED: u32 = 5;
/// An overloaded server.
pub const BUSY: u32 = 60;
/// Maintenance in read-only mode takes minutes at least.
const MAINTENANCE: u32 = 600;
/// Calls are counted over a rolling 24 hours, and each early repeat adds to them.
const QUOTA: u32 = 900;

/// Codes with the same class.
struct Group {
    class: Class,
    /// The code whose advice explains these; empty if each has its own.
    like: &'static str,
    /// Separated by blanks.
    codes: &'static str,
}

const fn group(class: Class, like: &'static str, codes: &'static str) -> Group {
    Group { class, like, codes }
}

static GROUPS: &[Group] = &[
    group(
        Class::Booking,
        "",
        "CANNOT_UPDATE_CONVERTED_LEAD DUPLICATES_DETECTED DUPLICATE_EXTERNAL_ID DUPLICATE_VALUE ENTITY_IS_DELETED \
     FIELD_CUSTOM_VALIDATION_EXCEPTION FIELD_INTEGRITY_EXCEPTION INVALID_EMAIL_ADDRESS NUMBER_OUTSIDE_VALID_RANGE STRING_TOO_LONG \
     TEXT_DATA_OUTSIDE_SUPPORTED_CHARSET",
    ),
    group(
        Class::Booking,
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "EMAIL_ADDRESS_BOUNCED EMAIL_OPTED_OUT ENTITY_SAVE_VALIDATION_ERROR FIELD_KEYWORD_LIST_MATCH_LIMIT FIELD_MODERATION_RULE_BLOCK \
     INVALID_DATA_URI INVALID_INET_ADDRESS INVALID_MARKUP INVALID_TEXT_REPRESENTATION UNSAFE_HTML_CONTENT",
    ),
    group(
        Class::Mapping,
        "",
        "FIELD_FILTER_VALIDATION_EXCEPTION INVALID_ASSIGNMENT_RULE INVALID_CROSS_REFERENCE_KEY INVALID_FIELD \
     INVALID_FIELD_FOR_INSERT_UPDATE INVALID_ID_FIELD INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST INVALID_QUERY_FILTER_OPERATOR \
     INVALID_TYPE_ON_FIELD_IN_RECORD JSON_PARSER_ERROR MALFORMED_ID MALFORMED_QUERY METHOD_NOT_ALLOWED MISSING_ARGUMENT \
     REQUIRED_FIELD_MISSING UNSUPPORTED_MEDIA_TYPE",
    ),
    group(
        Class::Mapping,
        "INVALID_TYPE_ON_FIELD_IN_RECORD",
        "FIELD_MAPPING_ERROR INVALID_ARGUMENT_TYPE INVALID_CURRENCY_ISO INVALID_DATE_FORMAT INVALID_STATUS TOO_MANY_ENUM_VALUE",
    ),
    group(Class::Mapping, "INVALID_FIELD_FOR_INSERT_UPDATE", "FIELD_NOT_UPDATABLE"),
    group(Class::Mapping, "FIELD_FILTER_VALIDATION_EXCEPTION", "RELATED_ENTITY_FILTER_VALIDATION_EXCEPTION"),
    group(
        Class::Mapping,
        "MALFORMED_ID",
        "INVALID_ASSIGNEE_TYPE INVALID_CROSS_REFERENCE_TYPE_FOR_FIELD INVALID_OWNER INVALID_USERID UNAVAILABLE_RECORDTYPE_EXCEPTION",
    ),
    group(
        Class::Mapping,
        "MALFORMED_QUERY",
        "ARGUMENT_OBJECT_PARSE_ERROR EXCEEDED_ID_LIMIT EXCEEDED_MAX_FILTER_ENTITIES EXCEEDED_MAX_SIZE_REQUEST INVALID_FILTER_VALUE \
     INVALID_OPERATION INVALID_OPERATOR INVALID_QUERY_KEY INVALID_QUERY_SCOPE INVALID_QUERY_VALUE INVALID_SORT_OPTION \
     OPERATION_TOO_LARGE POST_BODY_PARSE_ERROR QUERY_TOO_COMPLICATED URI_TOO_LONG",
    ),
    group(
        Class::Admin,
        "",
        "APEX_ERROR API_DISABLED_FOR_ORG CANNOT_EXECUTE_FLOW_TRIGGER CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY \
     CLIENT_NOT_ACCESSIBLE_FOR_USER FUNCTIONALITY_NOT_ENABLED GONE INACTIVE_OWNER_OR_USER INSUFFICIENT_ACCESS \
     INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY INSUFFICIENT_ACCESS_OR_READONLY INVALID_OPERATION_WITH_EXPIRED_PASSWORD \
     INVALID_TYPE LICENSE_LIMIT_EXCEEDED LOGIN_DURING_RESTRICTED_DOMAIN LOGIN_DURING_RESTRICTED_TIME NOT_FOUND ORG_LOCKED \
     STORAGE_LIMIT_EXCEEDED TRIAL_EXPIRED TXN_SECURITY_NO_ACCESS UNSUPPORTED_API_VERSION",
    ),
    // Codes of things that a create does not touch itself come from the org's own automation, and so do those of its credentials for
    // other systems, which no new connection renews.
    group(
        Class::Admin,
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        "APEX_DATA_ACCESS_RESTRICTION APEX_TRIGGER_COUPLING_LIMIT AUTH_PROVIDER_NEEDS_AUTH AUTH_PROVIDER_NOT_FOUND CIRCULAR_DEPENDENCY \
     CUSTOM_APEX_ERROR ENTITY_SAVE_ERROR EXTERNAL_RESOURCE_FORBIDDEN FILTERED_LOOKUP_LIMIT_EXCEEDED FLOW_EXCEPTION INACTIVE_RULE_ERROR \
     INVALID_ACCESS_TOKEN INVALID_OAUTH_URL INVALID_REFRESH_TOKEN MANAGER_NOT_DEFINED MAX_DEPTH_IN_FLOW_EXECUTION \
     MIXED_DML_OPERATION NO_ACCESS_TOKEN NO_ACCESS_TOKEN_FROM_REFRESH NO_APPLICABLE_PROCESS NO_AUTH_PROVIDER NO_REFRESH_TOKEN \
     NO_TOKEN_ENDPOINT ORCHESTRATION_INVALID SELF_REFERENCE_FROM_FLOW SELF_REFERENCE_FROM_TRIGGER UNKNOWN_TOKEN_ERROR \
     UNSUPPORTED_APEX_TRIGGER_OPERATON",
    ),
    group(
        Class::Admin,
        "INSUFFICIENT_ACCESS",
        "COMMUNITY_NOT_ACCESSIBLE ENTITY_IS_ARCHIVED ENTITY_IS_LOCKED FORBIDDEN INVALID_READ_ONLY_USER_DML \
     OP_WITH_INVALID_USER_TYPE_EXCEPTION PORTAL_NO_ACCESS SHARE_NEEDED_FOR_CHILD_OWNER TERMS_OF_SERVICE_UNREAD TRANSFER_REQUIRES_READ",
    ),
    group(
        Class::Admin,
        "FUNCTIONALITY_NOT_ENABLED",
        "APEX_REST_SERVICES_DISABLED CLIENT_REQUIRE_UPDATE_FOR_USER INSUFFICIENT_CREDITS INVALID_PACKAGE_LICENSE PACKAGE_DISABLED \
     PACKAGE_LICENSE_REQUIRED REQUIRED_FEATURE_MISSING",
    ),
    group(
        Class::Admin,
        "TXN_SECURITY_NO_ACCESS",
        "TXN_SECURITY_APEX_ERROR TXN_SECURITY_FAIL_CLOSE TXN_SECURITY_RUNTIME_ERROR TXN_SECURITY_TWO_FA_REQUIRED",
    ),
    group(
        Class::Admin,
        "INVALID_OPERATION_WITH_EXPIRED_PASSWORD",
        "LOGIN_CHALLENGE_ISSUED LOGIN_CHALLENGE_PENDING LOGIN_MUST_USE_SECURITY_TOKEN PASSWORD_LOCKOUT",
    ),
    group(Class::Reconnect, "", "INVALID_AUTH_HEADER INVALID_SESSION_ID LOGIN_OAUTH_INVALID_TOKEN"),
    group(Class::Reconnect, codes::CONNECTION_ENDED, "INVALID_LOGIN TXN_SECURITY_END_A_SESSION"),
    // The host has asked for the org's address by then.
    group(Class::Reconnect, codes::ORG_MOVED, "ORG_NOT_OWNED_BY_INSTANCE URL_NOT_RESET"),
    group(Class::Wait(LOCKED), "", "INVALID_QUERY_LOCATOR UNABLE_TO_LOCK_ROW"),
    group(
        Class::Wait(LOCKED),
        UNABLE_TO_LOCK_ROW,
        "COLLISION_DETECTED ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE INVALID_LOCATOR MODIFIED RECORD_IN_USE_BY_WORKFLOW",
    ),
    group(Class::Wait(BUSY), "", "SERVER_UNAVAILABLE TXN_SECURITY_METERING_ERROR"),
    group(
        Class::Wait(BUSY),
        "SERVER_UNAVAILABLE",
        "CLEAN_SERVICE_ERROR DATACLOUDADDRESS_PROCESSING_ERROR DATACLOUDADDRESS_SERVER_ERROR DATA_INTEGRATION_SERVER_ERROR \
     EMAIL_EXTERNAL_TRANSPORT_CONNECTION_ERROR EMAIL_EXTERNAL_TRANSPORT_TOO_MANY_REQUESTS_ERROR EXTERNAL_OBJECT_CONNECTION_EXCEPTION \
     EXTERNAL_OBJECT_EXCEPTION EXTERNAL_SERVICE_CONNECTION_EXCEPTION EXTERNAL_SERVICE_EXCEPTION FIND_DUPLICATES_ERROR \
     LICENSING_UNKNOWN_ERROR MATCH_OPERATION_ERROR MATCH_RUNTIME_ERROR MATCH_SERVICE_ERROR MATCH_SERVICE_TIMED_OUT \
     MATCH_SERVICE_UNAVAILABLE_ERROR NOT_ACCEPTABLE PLATFORM_EVENT_PUBLISHING_UNAVAILABLE PLATFORM_EVENT_PUBLISH_FAILED \
     REALTIME_PROCESSING_TIME_EXCEEDED_LIMIT SSO_SERVICE_DOWN TOO_MANY_APEX_REQUESTS UNAVAILABLE_REF XCLEAN_DJ_MATCH_RETRIABLE_ERROR",
    ),
    group(Class::Wait(MAINTENANCE), "", "API_CURRENTLY_DISABLED INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE"),
    group(
        Class::Wait(MAINTENANCE),
        "SERVER_UNAVAILABLE",
        "FUNCTIONALITY_TEMPORARILY_UNAVAILABLE ORG_IN_MAINTENANCE ORG_IS_SIGNING_UP TERRITORY_REALIGN_IN_PROGRESS",
    ),
    group(Class::Wait(QUOTA), "", "REQUEST_LIMIT_EXCEEDED"),
    group(
        Class::Wait(QUOTA),
        "REQUEST_LIMIT_EXCEEDED",
        "EXCEEDED_QUOTA LIMIT_EXCEEDED MASS_MAIL_LIMIT_EXCEEDED MAX_LIMIT_EXCEEDED SINGLE_EMAIL_LIMIT_EXCEEDED TOO_MANY_JOBS",
    ),
    group(Class::Unclear, "", "QUERY_TIMEOUT REQUEST_RUNNING_TOO_LONG UNKNOWN_EXCEPTION"),
    group(Class::Unclear, "UNKNOWN_EXCEPTION", "BATCH_PROCESSING_HALTED INTERNAL_ERROR OPERATION_ENQUEUED"),
    group(Class::Sibling, "", "ALL_OR_NONE_OPERATION_ROLLED_BACK PROCESSING_HALTED"),
];

/// A known code, with the life of the program, and its group.
fn known(code: &str) -> Option<(&'static str, &'static Group)> {
    let mut all = GROUPS.iter().flat_map(|group| group.codes.split(' ').map(move |known| (known, group)));
    all.find(|(known, _)| *known == code)
}

/// The code whose advice explains a code of Salesforce's that has none of its own.
pub fn explained_like(code: &str) -> Option<&'static str> {
    known(code).map(|(_, group)| group.like).filter(|like| !like.is_empty())
}

/// All codes that are explained like another, with that one.
pub fn explained_alike() -> impl Iterator<Item = (&'static str, &'static str)> {
    let groups = GROUPS.iter().filter(|group| !group.like.is_empty());
    groups.flat_map(|group| group.codes.split(' ').map(|code| (code, group.like)))
}

/// All codes of Salesforce's that have a class.
#[cfg(test)]
pub fn known_codes() -> impl Iterator<Item = &'static str> {
    GROUPS.iter().flat_map(|group| group.codes.split(' '))
}

/// Codes of the org's own automation, which quotes in its message what stopped it. It was rolled back with the record.
const AUTOMATION: [&str; 5] = [
    "APEX_ERROR",
    "CANNOT_EXECUTE_FLOW_TRIGGER",
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
    "CUSTOM_APEX_ERROR",
    "FLOW_EXCEPTION",
];

/// Words in lower case by which automation tells of a limit that depends on the load, or on what else is in the transaction (Apex
/// Developer Guide, "Execution Governors and Limits"). With less load the same record succeeds.
static WORDS: &[(Class, &[&str])] = &[
    (Class::Wait(LOCKED), &["currently unavailable", "exclusive access"]),
    (
        Class::Wait(BUSY),
        &[
            "callout",
            "concurrent",
            "heap size too large",
            "limitexception",
            "maximum stack depth",
            "running for too long",
            "time limit exceeded",
            "timed out",
            "too many ",
        ],
    ),
];

/// Parts of a code's name by which a code that nobody knows yet tells that it passes.
static PARTS: &[(Class, &[&str])] = &[
    (Class::Wait(MAINTENANCE), &["MAINTENANCE"]),
    (Class::Wait(BUSY), &["BUSY", "METERING", "TEMPORAR", "TIMED_OUT", "TIMEOUT", "TOO_MANY_REQUESTS", "UNAVAILABLE"]),
    (Class::Wait(QUOTA), &["LIMIT_EXCEEDED", "QUOTA"]),
];

fn class_by(table: &[(Class, &[&str])], text: &str) -> Option<Class> {
    table.iter().find(|(_, parts)| parts.iter().any(|part| text.contains(part))).map(|(class, _)| *class)
}

/// An error's code, and what it calls for. `names_fields` tells whether it names fields of the record.
///
/// The code is the one that another one wraps, if waiting overcomes that.
pub fn judge<'a>(code: &'a str, message: &str, status: u16, names_fields: bool) -> (&'a str, Class) {
    let words = || message.to_ascii_lowercase();
    if AUTOMATION.contains(&code) {
        let is_part = |c: char| !(c.is_ascii_uppercase() || c == '_');
        let mut quoted = message.split(is_part).filter(|word| word.contains('_'));
        let passing = quoted.find_map(|word| match known(word)? {
            (word, Group { class: class @ Class::Wait(_), .. }) => Some((word, *class)),
            _ => None,
        });
        if let Some(passing) = passing {
            return passing;
        }
        return (code, class_by(WORDS, &words()).unwrap_or(Class::Admin));
    }
    let class = match known(code).map(|(_, group)| group.class) {
        // The calls that run now are counted, besides those of a day.
        Some(Class::Wait(QUOTA)) if words().contains("concurrent") => Class::Wait(BUSY),
        // For all, as the WSDL has it, or for one user.
        Some(Class::Wait(MAINTENANCE)) if words().contains("for this user") => Class::Admin,
        Some(class) => class,
        None => class_by(PARTS, code).unwrap_or_else(|| class_of_unknown(status, names_fields)),
    };
    (code, class)
}

/// The class of a code whose name tells nothing. The org gave it, so that its admin can find out.
fn class_of_unknown(status: u16, names_fields: bool) -> Class {
    match status {
        400 if names_fields => Class::Booking,
        ..400 | 401 | 408 | 409 | 412 | 420 | 429 | 500.. => Uncoded { status, is_json: true }.class(),
        _ => Class::Admin,
    }
}

/// An answer without a code of Salesforce's. Servers on the way write such answers before Salesforce sees the request, or instead of
/// its answer, so that they say nothing about the booking or the mapping.
#[derive(Clone, Copy)]
pub struct Uncoded {
    pub status: u16,
    /// The API writes JSON; a page is somebody else's.
    pub is_json: bool,
}

impl Uncoded {
    /// The plugin's own code for it.
    pub fn code(self) -> &'static str {
        match self.status {
            200..300 | 304 => codes::ANSWER_UNREADABLE,
            300 if self.is_json => codes::SEVERAL_RECORDS,
            300..400 => codes::ORG_MOVED,
            401 => codes::CONNECTION_ENDED,
            403 | 404 | 410 | 421 if !self.is_json => codes::ORG_MOVED,
            403 => codes::ACCESS_REFUSED,
            404 => codes::RESOURCE_MISSING,
            406 | 429 => codes::ORG_BUSY,
            409 | 412 if self.is_json => codes::RECORD_CHANGED,
            410 => codes::API_VERSION_RETIRED,
            413 | 414 | 431 => codes::REQUEST_TOO_LARGE,
            420 => codes::ORG_UNKNOWN,
            400..500 => codes::REQUEST_REFUSED,
            _ => codes::ORG_ERROR,
        }
    }

    /// What it calls for.
    pub fn class(self) -> Class {
        match self.status {
            // Cut short or garbled on its way, or given by a proxy that no longer waited (nginx: 499; AWS: 460).
            200..300 | 304 | 408 | 460 | 499 => Class::Unclear,
            300 if self.is_json => Class::Admin,
            300..400 | 401 | 420 => Class::Reconnect,
            // The host has asked for the org's address by then.
            403 | 404 | 410 | 421 if !self.is_json => Class::Reconnect,
            403 | 404 | 410 | 413 | 414 | 431 => Class::Admin,
            409 | 412 => Class::Wait(LOCKED),
            // 406 with an empty body comes from Salesforce's edge servers now and then.
            400..500 => Class::Wait(BUSY),
            // A gateway may give up on a request that continues behind it.
            _ => Class::Unclear,
        }
    }
}
