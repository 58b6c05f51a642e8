//! Every code of Salesforce's, with the text that it really comes with.

use super::{usual, write};
use crate::{
    bindings::types::Reaction::{self, AskAdmin, CheckFirst, FixBooking, FixMapping, Reconnect, Retry},
    salesforce::errors::catalogue,
};
use std::collections::BTreeSet;

#[rustfmt::skip]
const CATALOGUE: &[(u16, &str, &str, Reaction)] = &[
    (400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", FixMapping),
    (400, "STRING_TOO_LONG", "Last Name: data value too large: Wolfeschlegel (max length=80)", FixBooking),
    (400, "INVALID_EMAIL_ADDRESS", "Email: invalid email address: 123", FixBooking),
    (400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "Job Category: bad value for restricted picklist field: Nurse", FixMapping),
    (400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "Please contact your administrator.", FixBooking),
    (400, "FIELD_INTEGRITY_EXCEPTION", "There's a problem with this state, even though it may appear correct.", FixBooking),
    (400, "FIELD_FILTER_VALIDATION_EXCEPTION", "Value does not exist or does not match filter criteria.", FixMapping),
    (400, "INVALID_FIELD", "No such column 'LeadSubject' on sobject of type Lead", FixMapping),
    (400, "INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update fields: Name. Please check the security settings of this field.", FixMapping),
    (400, "JSON_PARSER_ERROR", "Cannot deserialize instance of datetime from VALUE_STRING value 2024-07-30 20:54:16 UTC", FixMapping),
    (400, "INVALID_TYPE", "sObject type 'Lead' is not supported.", AskAdmin),
    (400, "INVALID_TYPE_ON_FIELD_IN_RECORD", "Do Not Call: value not of required type: maybe", FixMapping),
    (404, "NOT_FOUND", "The requested resource does not exist", AskAdmin),
    (400, "MALFORMED_ID", "malformed id 001RM000003oLrB000", FixMapping),
    (400, "MISSING_ARGUMENT", "Id not specified in an update call", FixMapping),
    (400, "INVALID_CROSS_REFERENCE_KEY", "Record Type ID: this ID value isn't valid for the user: 0128M0000004HVOQA2", FixMapping),
    (400, "INVALID_ID_FIELD", "invalid ID field: null", FixMapping),
    (400, "DUPLICATE_VALUE", "duplicate value found: BookingId__c duplicates value on record with id: 00Q8M000003uKqq", FixBooking),
    (400, "DUPLICATE_EXTERNAL_ID", "Duplicate external id specified: b-1", FixBooking),
    (400, "DUPLICATES_DETECTED", "Use one of these records?", FixBooking),
    (400, "NUMBER_OUTSIDE_VALID_RANGE", "Employees: value outside of valid range on numeric field: 1431655766", FixBooking),
    (400, "TEXT_DATA_OUTSIDE_SUPPORTED_CHARSET", "Unsupported character", FixBooking),
    (400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "entity type cannot be inserted: Lead", AskAdmin),
    (400, "CANNOT_EXECUTE_FLOW_TRIGGER", "We can't save this record because the “New Lead” process failed.", AskAdmin),
    (500, "APEX_ERROR", "System.NullPointerException: Attempt to de-reference a null object", AskAdmin),
    (400, "CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", FixBooking),
    (403, "INSUFFICIENT_ACCESS", "insufficient access", AskAdmin),
    (403, "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", AskAdmin),
    (400, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "insufficient access rights on cross-reference id: 0015e00000tW1f0", AskAdmin),
    (400, "INACTIVE_OWNER_OR_USER", "operation performed with inactive user [005000000000001AAA] as owner of lead", AskAdmin),
    (400, "INVALID_ASSIGNMENT_RULE", "invalid assignment rule", FixMapping),
    (400, "STORAGE_LIMIT_EXCEEDED", "storage limit exceeded", AskAdmin),
    (403, "LICENSE_LIMIT_EXCEEDED", "license limit exceeded", AskAdmin),
    (403, "TXN_SECURITY_NO_ACCESS", "The operation you requested was blocked due to a security policy", AskAdmin),
    (403, "FUNCTIONALITY_NOT_ENABLED", "This feature is not enabled for this organization", AskAdmin),
    (403, "TRIAL_EXPIRED", "Your trial has expired", AskAdmin),
    (403, "ORG_LOCKED", "Organization locked", AskAdmin),
    (403, "CLIENT_NOT_ACCESSIBLE_FOR_USER", "client not accessible for user", AskAdmin),
    (403, "LOGIN_DURING_RESTRICTED_DOMAIN", "cannot log in from current domain", AskAdmin),
    (403, "LOGIN_DURING_RESTRICTED_TIME", "cannot log in at this time", AskAdmin),
    (503, "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", "read only mode", Retry),
    (400, "TXN_SECURITY_METERING_ERROR", "We can't complete the action because enabled transaction security policies took too long to complete.", Retry),
    (400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record or 1 records: 001XXXXXXXXXXXXXX", Retry),
    (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", Retry),
    (503, "SERVER_UNAVAILABLE", "Server too busy", Retry),
    (400, "INVALID_QUERY_LOCATOR", "invalid query locator", Retry),
    (400, "REQUEST_RUNNING_TOO_LONG", "Your request was running for too long, and has been stopped.", CheckFirst),
    (500, "QUERY_TIMEOUT", "Your query request was running for too long.", CheckFirst),
    (500, "UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId if you contact support", CheckFirst),
    (403, "API_DISABLED_FOR_ORG", "The REST API is not enabled for this Organization.", AskAdmin),
    (403, "API_CURRENTLY_DISABLED", "API is currently disabled for this user", AskAdmin),
    (403, "API_CURRENTLY_DISABLED", "API is currently disabled", Retry),
    (403, "INVALID_OPERATION_WITH_EXPIRED_PASSWORD", "The users password has expired", AskAdmin),
    (401, "INVALID_SESSION_ID", "Session expired or invalid", Reconnect),
    (401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE", Reconnect),
    (401, "LOGIN_OAUTH_INVALID_TOKEN", "", Reconnect),
    (404, "ENTITY_IS_DELETED", "entity is deleted", FixBooking),
    (400, "MALFORMED_QUERY", "unexpected token: 'invalid'", FixMapping),
    (400, "INVALID_QUERY_FILTER_OPERATOR", "invalid operator on Id field", FixMapping),
    (405, "METHOD_NOT_ALLOWED", "HTTP Method 'PATCH' not allowed. Allowed are GET,HEAD,POST", FixMapping),
    (415, "UNSUPPORTED_MEDIA_TYPE", "MediaType of 'multipart/related' is not supported by this resource", FixMapping),
    (410, "GONE", "The requested API version has been retired", AskAdmin),
    (410, "UNSUPPORTED_API_VERSION", "Invalid Api version specified on URL", AskAdmin),
    (400, "ALL_OR_NONE_OPERATION_ROLLED_BACK", "Record rolled back because not all records were valid", FixBooking),
    (400, "PROCESSING_HALTED", "The transaction was rolled back since another operation in the same transaction failed.", FixBooking),
];

#[test]
fn every_code_keeps_its_name_its_words_and_has_its_reaction() {
    for (status, code, message, reaction) in CATALOGUE.iter().cloned() {
        let problem = write(status, &usual(code, message));
        assert_eq!((problem.code.as_str(), problem.reaction), (code, reaction), "{code}");
        assert_eq!(problem.http_status, Some(status), "{code}");
        if !message.is_empty() {
            assert_eq!(problem.message, message, "{code}");
        }
    }
}

#[test]
fn the_table_above_names_every_code_that_has_a_class() {
    let tested: BTreeSet<_> = CATALOGUE.iter().map(|(_, code, ..)| *code).collect();
    let alike: BTreeSet<_> = catalogue::explained_alike().map(|(code, _)| code).collect();
    let known: BTreeSet<_> = catalogue::known_codes().collect();
    assert_eq!(known.len(), catalogue::known_codes().count(), "a code is in two classes");
    assert_eq!(tested, &known - &alike);
}

#[test]
fn a_code_that_is_explained_like_another_calls_for_the_same_kind_of_help() {
    let own: BTreeSet<_> =
        CATALOGUE.iter().map(|(_, code, ..)| *code).chain(crate::codes::ALL.iter().copied()).collect();
    for (code, like) in catalogue::explained_alike() {
        assert!(own.contains(like) && !own.contains(code), "{code} is explained like {like}");
        let problem = write(400, &usual(code, "?"));
        assert_eq!((problem.code.as_str(), problem.message.as_str()), (code, "?"));
    }
}

#[test]
fn retry_after_is_given_exactly_if_waiting_or_looking_helps() {
    for (status, code, message, reaction) in CATALOGUE.iter().cloned() {
        let problem = write(status, &usual(code, message));
        assert_eq!(problem.retry_after.is_some(), matches!(reaction, Retry | CheckFirst), "{code}");
    }
}

#[test]
fn an_exhausted_quota_is_waited_for_by_the_quarter_of_an_hour() {
    // Those that run at the same time are over sooner.
    for (text, seconds) in [("TotalRequests Limit exceeded.", 900), ("ConcurrentPerOrgLongTxn Limit exceeded.", 60)] {
        let problem = write(403, &usual("REQUEST_LIMIT_EXCEEDED", text));
        assert_eq!((problem.reaction, problem.retry_after), (Retry, Some(seconds)));
    }
}

#[test]
fn what_may_have_been_written_is_never_simply_tried_again() {
    for code in ["UNKNOWN_EXCEPTION", "REQUEST_RUNNING_TOO_LONG", "QUERY_TIMEOUT"] {
        for status in [400, 500] {
            assert_eq!(write(status, &usual(code, "?")).reaction, CheckFirst, "{code}");
            assert_eq!(super::read(status, &usual(code, "?")).reaction, Retry, "{code}");
        }
    }
}

#[test]
fn sessions_that_no_refresh_cures_go_to_an_admin_and_not_round_in_circles() {
    for text in ["This session is not valid for use with the REST API", "Connected app is not attached to Agent"] {
        let problem = write(401, &usual("INVALID_SESSION_ID", text));
        assert_eq!((problem.code.as_str(), problem.reaction), ("session-not-for-api", AskAdmin));
        assert_eq!(problem.message, text);
    }
}

#[test]
fn a_lock_wrapped_in_the_error_of_a_trigger_is_still_a_lock() {
    let message = "LeadTrigger: execution of AfterInsert\n\ncaused by: System.DmlException: Update failed. First exception on \
                   row 0; first error: UNABLE_TO_LOCK_ROW, unable to obtain exclusive access to this record: []";
    for code in ["CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "CANNOT_EXECUTE_FLOW_TRIGGER", "APEX_ERROR"] {
        let problem = write(400, &usual(code, message));
        assert_eq!((problem.code.as_str(), problem.reaction), ("UNABLE_TO_LOCK_ROW", Retry));
        assert_eq!(problem.message, message);
    }
    let quoted = write(400, &usual("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Not UNABLE_TO_LOCK_ROW at all"));
    assert_eq!(quoted.code, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "only automation wraps");
}

#[test]
fn automation_that_exceeds_a_limit_of_the_load_is_tried_again() {
    for code in ["CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "CANNOT_EXECUTE_FLOW_TRIGGER", "APEX_ERROR", "FLOW_EXCEPTION"]
    {
        for text in ["LeadTrigger: Too many SOQL queries: 101", "System.LimitException: Apex CPU Time Limit Exceeded"] {
            let problem = write(400, &usual(code, text));
            assert_eq!((problem.code.as_str(), problem.reaction), (code, Retry), "{text}");
        }
    }
    let quoted = write(400, &usual("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Too many SOQL queries"));
    assert_eq!(quoted.reaction, FixBooking, "only automation tells of its limits");
}

#[test]
fn an_unknown_code_is_kept_and_blames_the_booking_only_if_it_names_a_field() {
    #[rustfmt::skip]
    let cases = [
        (400, AskAdmin), (401, Reconnect), (403, AskAdmin), (404, AskAdmin), (405, AskAdmin), (409, Retry), (410, AskAdmin),
        (412, Retry), (414, AskAdmin), (415, AskAdmin), (420, Reconnect), (428, AskAdmin), (429, Retry), (431, AskAdmin),
        (500, CheckFirst), (502, CheckFirst), (503, CheckFirst), (504, CheckFirst), (599, CheckFirst),
    ];
    for (status, reaction) in cases {
        let problem = write(status, &usual("NEVER_SEEN_BEFORE", "?"));
        assert_eq!((problem.code.as_str(), problem.message.as_str()), ("NEVER_SEEN_BEFORE", "?"));
        assert_eq!(problem.reaction, reaction, "{status}");
    }
    let named = r#"[{"errorCode":"NEVER_SEEN_BEFORE","message":"?","fields":["Phone"]}]"#;
    assert_eq!(write(400, named).reaction, FixBooking);
    assert_eq!(write(403, named).reaction, AskAdmin);
    for (code, seconds) in [
        ("SOME_SERVICE_UNAVAILABLE", 60),
        ("NEW_OPERATION_TIMED_OUT", 60),
        ("SERVER_BUSY", 60),
        ("NEW_LIMIT_EXCEEDED", 900),
        ("SITE_UNDER_MAINTENANCE", 600),
    ] {
        let problem = write(400, &usual(code, "?"));
        assert_eq!((problem.reaction, problem.retry_after), (Retry, Some(seconds)), "{code}");
    }
}
