//! The causes of errors: which codes have which cause, and who takes each step of its advice.
//!
//! Codes share a cause if the same thing must be done about them.

use crate::texts::{self, Advice, Text};
use Step::{CalendarOwner, CrmAdmin, Operator, TeamAdmin};

/// Why something went wrong, for all the codes that say so.
pub struct Cause {
    pub codes: &'static [&'static str],
    pub what: &'static Text,
    /// `what` with particulars.
    pub exact: Option<&'static Text>,
    pub why: &'static Text,
    /// What to do, in order.
    pub actions: &'static [Text],
    /// Who does each of the actions, and where.
    pub steps: &'static [Step],
}

/// Who takes a step. An admin of the CRM is always told where.
pub enum Step {
    TeamAdmin,
    CalendarOwner,
    CrmAdmin(&'static Text),
    Operator,
}

/// A cause. The compiler checks that the advice has as many actions as the cause has steps.
const fn cause<const STEPS: usize>(
    advice: &'static Advice<STEPS>,
    codes: &'static [&'static str],
    steps: &'static [Step; STEPS],
) -> Cause {
    Cause { codes, what: &advice.what, exact: None, why: &advice.why, actions: &advice.steps, steps }
}

impl Cause {
    const fn exactly(self, exact: &'static Text) -> Self {
        Self { exact: Some(exact), ..self }
    }
}

pub static CAUSES: &[Cause] = &[
    // Values that Salesforce does not accept as they are.
    cause(
        &texts::STRING_TOO_LONG,
        &["STRING_TOO_LONG", "value-too-long", "value-shortened", "field-shrunk"],
        &[CalendarOwner, CrmAdmin(&texts::PLACE_LEAD_FIELDS)],
    )
    .exactly(&texts::EXACT_STRING_TOO_LONG),
    cause(&texts::INVALID_EMAIL_ADDRESS, &["INVALID_EMAIL_ADDRESS", "email-invalid"], &[TeamAdmin, CalendarOwner]),
    cause(
        &texts::NUMBER_OUTSIDE_VALID_RANGE,
        &["NUMBER_OUTSIDE_VALID_RANGE", "number-invalid", "number-out-of-range", "value-rounded"],
        &[CalendarOwner, CrmAdmin(&texts::PLACE_LEAD_FIELDS)],
    )
    .exactly(&texts::EXACT_NUMBER_OUTSIDE_VALID_RANGE),
    cause(&texts::NUMBER_AMBIGUOUS, &["number-ambiguous"], &[TeamAdmin, CalendarOwner])
        .exactly(&texts::EXACT_NUMBER_AMBIGUOUS),
    cause(&texts::CURRENCY_NOT_CARRIED, &["currency-not-carried"], &[CalendarOwner]),
    cause(&texts::DATE_INVALID, &["date-invalid", "date-time-invalid", "time-invalid"], &[CalendarOwner]),
    cause(&texts::CHECKBOX_INVALID, &["checkbox-invalid"], &[CalendarOwner]),
    cause(
        &texts::INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST,
        &[
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "picklist-value-unknown",
            "picklist-value-inactive",
            "picklist-value-not-allowed",
            "choices-left-out",
        ],
        &[CalendarOwner, CrmAdmin(&texts::PLACE_LEAD_FIELDS)],
    )
    .exactly(&texts::EXACT_INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST),
    cause(
        &texts::PICKLIST_VALUE_AMBIGUOUS,
        &["picklist-value-ambiguous"],
        &[CalendarOwner, CrmAdmin(&texts::PLACE_LEAD_FIELDS)],
    ),
    cause(
        &texts::JSON_PARSER_ERROR,
        &["JSON_PARSER_ERROR", "INVALID_TYPE_ON_FIELD_IN_RECORD", "type-mismatch", "field-type-changed"],
        &[CalendarOwner],
    ),
    cause(
        &texts::TEXT_DATA_OUTSIDE_SUPPORTED_CHARSET,
        &["TEXT_DATA_OUTSIDE_SUPPORTED_CHARSET", "characters-removed"],
        &[TeamAdmin],
    ),
    cause(&texts::INVISIBLE_CHARACTERS_REMOVED, &["invisible-characters-removed", "characters-replaced"], &[TeamAdmin])
        .exactly(&texts::EXACT_INVISIBLE_CHARACTERS_REMOVED),
    cause(
        &texts::FIELD_INTEGRITY_EXCEPTION,
        &["FIELD_INTEGRITY_EXCEPTION"],
        &[CalendarOwner, CrmAdmin(&texts::PLACE_STATES_AND_COUNTRIES)],
    ),
    cause(
        &texts::FIELD_CUSTOM_VALIDATION_EXCEPTION,
        &["FIELD_CUSTOM_VALIDATION_EXCEPTION"],
        &[CrmAdmin(&texts::PLACE_LEAD_VALIDATION_RULES), CalendarOwner, TeamAdmin],
    ),
    cause(
        &texts::FIELD_FILTER_VALIDATION_EXCEPTION,
        &["FIELD_FILTER_VALIDATION_EXCEPTION"],
        &[CalendarOwner, CrmAdmin(&texts::PLACE_LEAD_FIELDS)],
    ),
    cause(
        &texts::MALFORMED_ID,
        &["MALFORMED_ID", "INVALID_CROSS_REFERENCE_KEY", "reference-invalid"],
        &[CalendarOwner, CrmAdmin(&texts::PLACE_LEAD_FIELDS)],
    ),
    // Fields that need a value, cannot be written or are gone.
    cause(
        &texts::REQUIRED_FIELD_MISSING,
        &["REQUIRED_FIELD_MISSING", "required-field-unmapped", "field-newly-required"],
        &[CalendarOwner, CrmAdmin(&texts::PLACE_LEAD_FIELDS)],
    )
    .exactly(&texts::EXACT_REQUIRED_FIELD_MISSING),
    cause(
        &texts::REQUIRED_FIELD_BLANK,
        &["required-field-blank", "required-field-may-be-blank"],
        &[CalendarOwner, CrmAdmin(&texts::PLACE_LEAD_FIELDS)],
    )
    .exactly(&texts::EXACT_REQUIRED_FIELD_BLANK),
    cause(
        &texts::INVALID_FIELD_FOR_INSERT_UPDATE,
        &["INVALID_FIELD_FOR_INSERT_UPDATE", "field-not-writable", "required-field-not-writable"],
        &[CrmAdmin(&texts::PLACE_PERMISSION_SETS), CalendarOwner],
    )
    .exactly(&texts::EXACT_INVALID_FIELD_FOR_INSERT_UPDATE),
    cause(
        &texts::INVALID_FIELD,
        &["INVALID_FIELD", "field-gone"],
        &[CrmAdmin(&texts::PLACE_LEAD_FIELDS), CalendarOwner],
    )
    .exactly(&texts::EXACT_INVALID_FIELD),
    // Why a field cannot be mapped.
    cause(&texts::NOT_WRITABLE, &["not-writable"], &[CrmAdmin(&texts::PLACE_PERMISSION_SETS)]),
    cause(&texts::CALCULATED, &["calculated"], &[CalendarOwner]),
    cause(&texts::COMPOUND, &["compound"], &[CalendarOwner]),
    cause(&texts::SYSTEM, &["system"], &[CalendarOwner]),
    // Problems in a mapping.
    cause(&texts::FIELD_MAPPED_TWICE, &["field-mapped-twice", "field-set-by-option"], &[CalendarOwner]),
    cause(&texts::FALLBACK_USED, &["fallback-used"], &[CalendarOwner]),
    cause(&texts::NOTHING_TO_WRITE, &["nothing-to-write"], &[CalendarOwner]),
    cause(&texts::TARGET_UNKNOWN, &["target-unknown"], &[CalendarOwner]).exactly(&texts::EXACT_TARGET_UNKNOWN),
    cause(
        &texts::FIELD_NOT_SEARCHABLE,
        &["field-not-searchable"],
        &[CalendarOwner, CrmAdmin(&texts::PLACE_ENCRYPTION_POLICY)],
    )
    .exactly(&texts::EXACT_FIELD_NOT_SEARCHABLE),
    cause(&texts::EMAIL_UNMAPPED, &["email-unmapped"], &[CalendarOwner]),
    cause(&texts::OPTION_INVALID, &["option-invalid"], &[CalendarOwner, Operator])
        .exactly(&texts::EXACT_OPTION_INVALID),
    cause(&texts::MAPPING_TOO_LARGE, &["mapping-too-large"], &[CalendarOwner]),
    cause(
        &texts::BOOKING_ID_FIELD_UNFIT,
        &["booking-id-field-unfit", "booking-id-too-long", "booking-id-collision"],
        &[CrmAdmin(&texts::PLACE_LEAD_FIELDS), CalendarOwner],
    ),
    cause(
        &texts::RECORD_TYPE_UNAVAILABLE,
        &["record-type-unavailable"],
        &[CrmAdmin(&texts::PLACE_LEAD_RECORD_TYPES), CalendarOwner],
    ),
    cause(
        &texts::INVALID_ASSIGNMENT_RULE,
        &["INVALID_ASSIGNMENT_RULE", "owner-and-assignment-rule"],
        &[CrmAdmin(&texts::PLACE_ASSIGNMENT_RULES), CalendarOwner],
    ),
    // Leads that exist already, or no longer.
    cause(
        &texts::DUPLICATES_DETECTED,
        &["DUPLICATES_DETECTED"],
        &[TeamAdmin, CalendarOwner, CrmAdmin(&texts::PLACE_DUPLICATE_RULES)],
    ),
    cause(
        &texts::DUPLICATE_VALUE,
        &["DUPLICATE_VALUE", "DUPLICATE_EXTERNAL_ID", "several-records"],
        &[CrmAdmin(&texts::PLACE_LEADS), CalendarOwner, CrmAdmin(&texts::PLACE_LEAD_FIELDS)],
    ),
    cause(
        &texts::CANNOT_UPDATE_CONVERTED_LEAD,
        &["CANNOT_UPDATE_CONVERTED_LEAD", "lead-converted"],
        &[CrmAdmin(&texts::PLACE_LEADS)],
    ),
    cause(&texts::RECORD_UNKNOWN, &["record-unknown"], &[CrmAdmin(&texts::PLACE_LEADS), CalendarOwner]),
    cause(
        &texts::ENTITY_IS_DELETED,
        &["ENTITY_IS_DELETED", "lead-gone"],
        &[CrmAdmin(&texts::PLACE_RECYCLE_BIN), TeamAdmin],
    ),
    cause(
        &texts::ALL_OR_NONE_OPERATION_ROLLED_BACK,
        &["ALL_OR_NONE_OPERATION_ROLLED_BACK", "PROCESSING_HALTED"],
        &[TeamAdmin],
    ),
    // What the org, its edition and the user's permissions do not allow.
    cause(
        &texts::API_DISABLED_FOR_ORG,
        &["API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED", "FUNCTIONALITY_NOT_ENABLED"],
        &[CrmAdmin(&texts::PLACE_COMPANY_INFORMATION), CrmAdmin(&texts::PLACE_PERMISSION_SETS)],
    ),
    cause(
        &texts::LEAD_NOT_READABLE,
        &["lead-not-readable", "lead-not-creatable", "lead-not-editable", "INVALID_TYPE", "NOT_FOUND"],
        &[CrmAdmin(&texts::PLACE_PERMISSION_SETS), TeamAdmin],
    ),
    cause(
        &texts::ACCESS_REFUSED,
        &["access-refused", "resource-missing", "INSUFFICIENT_ACCESS", "INSUFFICIENT_ACCESS_OR_READONLY"],
        &[CrmAdmin(&texts::PLACE_PERMISSION_SETS)],
    ),
    cause(
        &texts::INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY,
        &["INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"],
        &[CrmAdmin(&texts::PLACE_PERMISSION_SETS), CalendarOwner],
    ),
    cause(&texts::INACTIVE_OWNER_OR_USER, &["INACTIVE_OWNER_OR_USER"], &[CrmAdmin(&texts::PLACE_USERS), CalendarOwner]),
    cause(
        &texts::CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY,
        &["CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "CANNOT_EXECUTE_FLOW_TRIGGER", "APEX_ERROR"],
        &[CrmAdmin(&texts::PLACE_FLOWS), CrmAdmin(&texts::PLACE_LEAD_TRIGGERS), TeamAdmin],
    ),
    cause(&texts::TXN_SECURITY_NO_ACCESS, &["TXN_SECURITY_NO_ACCESS"], &[CrmAdmin(&texts::PLACE_TRANSACTION_SECURITY)]),
    cause(
        &texts::REQUEST_LIMIT_EXCEEDED,
        &["REQUEST_LIMIT_EXCEEDED", "daily-calls-low"],
        &[CrmAdmin(&texts::PLACE_COMPANY_INFORMATION), TeamAdmin],
    )
    .exactly(&texts::EXACT_REQUEST_LIMIT_EXCEEDED),
    cause(
        &texts::STORAGE_LIMIT_EXCEEDED,
        &["STORAGE_LIMIT_EXCEEDED"],
        &[CrmAdmin(&texts::PLACE_STORAGE_USAGE), TeamAdmin],
    ),
    cause(&texts::LICENSE_LIMIT_EXCEEDED, &["LICENSE_LIMIT_EXCEEDED"], &[CrmAdmin(&texts::PLACE_COMPANY_INFORMATION)]),
    cause(&texts::API_VERSION_RETIRED, &["api-version-retired", "GONE", "UNSUPPORTED_API_VERSION"], &[Operator]),
    // Connections that are missing or have ended.
    cause(
        &texts::CONNECTION_ENDED,
        &[
            "connection-ended",
            "INVALID_SESSION_ID",
            "INVALID_AUTH_HEADER",
            "LOGIN_OAUTH_INVALID_TOKEN",
            "invalid_token",
        ],
        &[TeamAdmin, CrmAdmin(&texts::PLACE_APP_POLICIES)],
    ),
    cause(&texts::NOT_CONNECTED, &["not-connected"], &[TeamAdmin]),
    cause(&texts::SESSION_NOT_FOR_API, &["session-not-for-api"], &[CrmAdmin(&texts::PLACE_PERMISSION_SETS), TeamAdmin]),
    cause(&texts::ORG_UNKNOWN, &["org-unknown", "org-moved"], &[CrmAdmin(&texts::PLACE_MY_DOMAIN), TeamAdmin]),
    cause(&texts::ALREADY_REVOKED, &["already-revoked"], &[TeamAdmin]),
    cause(
        &texts::UNSUPPORTED_TOKEN_TYPE,
        &["unsupported_token_type"],
        &[CrmAdmin(&texts::PLACE_OAUTH_USAGE), Operator],
    ),
    cause(&texts::CREDENTIAL_UNAVAILABLE, &["credential-unavailable", "refresh-in-progress"], &[TeamAdmin, Operator]),
    cause(
        &texts::CREDENTIAL_BLOCKED,
        &["credential-blocked"],
        &[CrmAdmin(&texts::PLACE_LOGIN_HISTORY), CrmAdmin(&texts::PLACE_APP_POLICIES)],
    ),
    cause(
        &texts::APP_ATTEST_FAILED_RETRY,
        &[
            "app_attest_failed_retry",
            "authorization_pending",
            "login-server-error",
            "login_error",
            "server_error",
            "service_unavailable",
            "slow_down",
            "system_down",
            "temporarily_unavailable",
            "unknown_error",
        ],
        &[TeamAdmin, CrmAdmin(&texts::PLACE_LOGIN_HISTORY)],
    ),
    cause(&texts::RATE_LIMIT_EXCEEDED, &["rate_limit_exceeded"], &[TeamAdmin, CrmAdmin(&texts::PLACE_LOGIN_HISTORY)]),
    // The org's policies on apps, and how the app is registered.
    cause(
        &texts::APP_BLOCKED,
        &[
            "app-blocked",
            "OAUTH_APP_BLOCKED",
            "app_blocked",
            "fail_close_app_blocked",
            "CLIENT_NOT_ACCESSIBLE_FOR_USER",
        ],
        &[CrmAdmin(&texts::PLACE_OAUTH_USAGE), TeamAdmin],
    ),
    cause(
        &texts::APP_NOT_INSTALLED,
        &[
            "app-not-installed",
            "OAUTH_EC_APP_NOT_FOUND",
            "app_not_found",
            "installation_error",
            "invalid_distribution_state",
        ],
        &[CrmAdmin(&texts::PLACE_INSTALLED_PACKAGES), CrmAdmin(&texts::PLACE_OAUTH_USAGE), TeamAdmin],
    ),
    cause(
        &texts::APP_NOT_APPROVED,
        &["app-not-approved", "invalid_app_access", "OAUTH_APP_ACCESS_DENIED", "NO_ACCESS", "app-not-authorized"],
        &[CrmAdmin(&texts::PLACE_APP_POLICIES), TeamAdmin],
    ),
    cause(
        &texts::OAUTH_APPROVAL_ERROR_GENERIC,
        &["OAUTH_APPROVAL_ERROR_GENERIC", "login-unexplained"],
        &[
            CrmAdmin(&texts::PLACE_LOGIN_HISTORY),
            CrmAdmin(&texts::PLACE_OAUTH_USAGE),
            CrmAdmin(&texts::PLACE_APP_POLICIES),
            TeamAdmin,
        ],
    ),
    cause(
        &texts::LOGIN_RESTRICTED,
        &["login-restricted", "LOGIN_DURING_RESTRICTED_DOMAIN", "LOGIN_DURING_RESTRICTED_TIME"],
        &[Operator, CrmAdmin(&texts::PLACE_NETWORK_ACCESS), CrmAdmin(&texts::PLACE_APP_POLICIES)],
    ),
    cause(&texts::MY_DOMAIN_REQUIRED, &["my-domain-required"], &[CrmAdmin(&texts::PLACE_MY_DOMAIN), TeamAdmin]),
    cause(&texts::RUN_AS_USER_MISSING, &["run-as-user-missing"], &[CrmAdmin(&texts::PLACE_APP_POLICIES)]),
    cause(&texts::INVALID_CLIENT_ID, &["invalid_client_id", "invalid_client"], &[Operator, TeamAdmin]),
    cause(&texts::REDIRECT_URI_MISMATCH, &["redirect_uri_mismatch", "redirect_uri_missing"], &[Operator]),
    cause(
        &texts::AUDIENCE_INVALID,
        &[
            "audience-invalid",
            "app_attest_failed",
            "bad_jti_claim",
            "ecapp_policy_not_found",
            "exceeded_registration_limit",
            "failed_registration",
            "invalid_assertion_type",
            "invalid_basic_auth_header",
            "invalid_dpop_proof",
            "invalid_expid",
            "invalid_scope",
            "oauth_flow_disabled",
            "oauth_policy_not_found",
            "registration_error",
            "unsupported_expid",
            "unsupported_grant_type",
            "unsupported_response_type",
            "use_dpop_nonce",
        ],
        &[Operator, CrmAdmin(&texts::PLACE_APP_POLICIES)],
    ),
    cause(
        &texts::INVALID_SESSION_LEVEL,
        &["invalid_session_level"],
        &[CrmAdmin(&texts::PLACE_APP_POLICIES), TeamAdmin],
    ),
    // Logins that were not completed, and users who are not allowed to log in.
    cause(&texts::ACCESS_DENIED, &["access_denied"], &[TeamAdmin]),
    cause(
        &texts::AUTHORIZATION_CODE_ENDED,
        &["authorization-code-ended", "pkce-failed", "invalid_grant", "invalid_request", "immediate_unsuccessful"],
        &[TeamAdmin, Operator],
    ),
    cause(
        &texts::LOGIN_REFUSED,
        &["login-refused", "inactive_user", "INVALID_OPERATION_WITH_EXPIRED_PASSWORD", "invalid_otp", "otp_error"],
        &[CrmAdmin(&texts::PLACE_USERS), TeamAdmin],
    ),
    cause(
        &texts::INACTIVE_ORG,
        &["inactive_org", "ORG_LOCKED", "TRIAL_EXPIRED"],
        &[CrmAdmin(&texts::PLACE_COMPANY_INFORMATION), TeamAdmin],
    ),
    // Salesforce busy, unreachable or unclear.
    cause(
        &texts::UNABLE_TO_LOCK_ROW,
        &["UNABLE_TO_LOCK_ROW", "record-changed"],
        &[TeamAdmin, CrmAdmin(&texts::PLACE_FLOWS)],
    ),
    cause(
        &texts::SERVER_UNAVAILABLE,
        &[
            "SERVER_UNAVAILABLE",
            "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE",
            "INVALID_QUERY_LOCATOR",
            "org-busy",
            "org-error",
        ],
        &[TeamAdmin, CrmAdmin(&texts::PLACE_COMPANY_INFORMATION)],
    ),
    cause(&texts::ORG_UNREACHABLE, &["org-unreachable"], &[TeamAdmin, Operator]),
    cause(
        &texts::OUTCOME_UNKNOWN,
        &["outcome-unknown", "outcome-pending", "UNKNOWN_EXCEPTION", "REQUEST_RUNNING_TOO_LONG", "QUERY_TIMEOUT"],
        &[TeamAdmin, CrmAdmin(&texts::PLACE_COMPANY_INFORMATION)],
    ),
    cause(&texts::OUTCOME_UNCLEAR, &["outcome-unclear"], &[CrmAdmin(&texts::PLACE_LEADS), TeamAdmin, CalendarOwner]),
    // The scheduling platform's limits and policy, and faults of this plugin.
    cause(&texts::REQUEST_DENIED, &["request-denied"], &[Operator]),
    cause(&texts::BUDGET_EXHAUSTED, &["budget-exhausted"], &[TeamAdmin, Operator]),
    cause(&texts::ANSWER_TOO_LARGE, &["answer-too-large"], &[Operator]),
    cause(&texts::ANSWER_BLOCKED, &["answer-blocked"], &[Operator, TeamAdmin]),
    cause(
        &texts::ANSWER_UNREADABLE,
        &[
            "answer-unreadable",
            "request-invalid",
            "request-refused",
            "INVALID_ID_FIELD",
            "INVALID_QUERY_FILTER_OPERATOR",
            "MALFORMED_QUERY",
            "METHOD_NOT_ALLOWED",
            "MISSING_ARGUMENT",
            "UNSUPPORTED_MEDIA_TYPE",
        ],
        &[TeamAdmin, Operator],
    ),
    cause(&texts::REQUEST_TOO_LARGE, &["request-too-large"], &[CalendarOwner]),
];
