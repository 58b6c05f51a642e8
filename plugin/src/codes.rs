//! The plugin's own codes, of problems and findings. Salesforce's and its authorization server's codes keep their spelling
//! and are listed where they are classified.

macro_rules! codes {
    ($($(#[$doc:meta])+ $name:ident = $code:literal;)+) => {
        $($(#[$doc])+ pub const $name: &str = $code;)+

        #[cfg(test)]
        pub const ALL: &[&str] = &[$($name),+];
    };
}

codes! {
    // A value was changed, or replaced.

    /// A text was cut to the field's length.
    VALUE_SHORTENED = "value-shortened";
    /// A number was rounded to the field's decimals.
    VALUE_ROUNDED = "value-rounded";
    /// Characters that Salesforce does not store were removed.
    CHARACTERS_REMOVED = "characters-removed";
    /// Characters that nobody sees were removed from a value that has a form of its own.
    INVISIBLE_CHARACTERS_REMOVED = "invisible-characters-removed";
    /// Full-width characters of an address were replaced by the usual ones.
    CHARACTERS_REPLACED = "characters-replaced";
    /// An amount was written without the currency that stands beside it.
    CURRENCY_NOT_CARRIED = "currency-not-carried";
    /// Some of several choices were left out, because the multi-select picklist does not have them.
    CHOICES_LEFT_OUT = "choices-left-out";
    /// The row's fallback was written instead of a value that cannot be written.
    FALLBACK_USED = "fallback-used";
    /// A row was skipped, because one of the options sets the same field.
    FIELD_SET_BY_OPTION = "field-set-by-option";

    // A value does not fit its field.

    /// A value that must not be cut is longer than the field.
    VALUE_TOO_LONG = "value-too-long";
    /// Not an email address.
    EMAIL_INVALID = "email-invalid";
    /// Not a number.
    NUMBER_INVALID = "number-invalid";
    /// A number that has two readings, of which one is a thousand times the other.
    NUMBER_AMBIGUOUS = "number-ambiguous";
    /// A number has more digits than the field takes.
    NUMBER_OUT_OF_RANGE = "number-out-of-range";
    /// Not a calendar date.
    DATE_INVALID = "date-invalid";
    /// Not a date and time with an offset.
    DATE_TIME_INVALID = "date-time-invalid";
    /// Not a time of day.
    TIME_INVALID = "time-invalid";
    /// Neither a yes nor a no.
    CHECKBOX_INVALID = "checkbox-invalid";
    /// Not among the values of a restricted picklist.
    PICKLIST_VALUE_UNKNOWN = "picklist-value-unknown";
    /// Like several of a picklist's values, and the same as none.
    PICKLIST_VALUE_AMBIGUOUS = "picklist-value-ambiguous";
    /// A value of a restricted picklist that was deactivated.
    PICKLIST_VALUE_INACTIVE = "picklist-value-inactive";
    /// A value that the controlling field's value does not allow.
    PICKLIST_VALUE_NOT_ALLOWED = "picklist-value-not-allowed";
    /// Not the id of a Salesforce record.
    REFERENCE_INVALID = "reference-invalid";

    // A field cannot be written, or must be.

    /// The field does not exist, or is hidden from the connected user.
    FIELD_GONE = "field-gone";
    /// The connected user is not allowed to write the field.
    FIELD_NOT_WRITABLE = "field-not-writable";
    /// A required field got no value from this booking.
    REQUIRED_FIELD_BLANK = "required-field-blank";

    // Why a field cannot be mapped.

    /// The connected user is not allowed to both create and change it.
    NOT_WRITABLE = "not-writable";
    /// Salesforce computes it: formula, roll-up or auto-number.
    CALCULATED = "calculated";
    /// It is made of other fields, which can be mapped.
    COMPOUND = "compound";
    /// Salesforce maintains it: ids, owners of changes, timestamps, conversion.
    SYSTEM = "system";

    // A mapping does not fit the org or the form.

    /// A required field has no mapping row.
    REQUIRED_FIELD_UNMAPPED = "required-field-unmapped";
    /// A required field is mapped to something that guests may leave blank.
    REQUIRED_FIELD_MAY_BE_BLANK = "required-field-may-be-blank";
    /// The field has become required since the row was saved.
    FIELD_NEWLY_REQUIRED = "field-newly-required";
    /// The field takes less than when the row was saved.
    FIELD_SHRUNK = "field-shrunk";
    /// The field has another type than when the row was saved.
    FIELD_TYPE_CHANGED = "field-type-changed";
    /// The field occurs in more than one row.
    FIELD_MAPPED_TWICE = "field-mapped-twice";
    /// What a row gives does not fit the field's type.
    TYPE_MISMATCH = "type-mismatch";
    /// A target that the plugin does not have.
    TARGET_UNKNOWN = "target-unknown";
    /// An option that the plugin does not offer, or a value that the option does not take.
    OPTION_INVALID = "option-invalid";
    /// The booking-id field is not a unique external-ID text field that the connected user can write.
    BOOKING_ID_FIELD_UNFIT = "booking-id-field-unfit";
    /// An option needs a search by a field that the org cannot search by.
    FIELD_NOT_SEARCHABLE = "field-not-searchable";
    /// The mapping has a policy for existing Leads, and no row by which to find any.
    EMAIL_UNMAPPED = "email-unmapped";
    /// The connected user is not allowed to use the record type.
    RECORD_TYPE_UNAVAILABLE = "record-type-unavailable";
    /// An owner is set, and an assignment rule that may give the Lead to somebody else.
    OWNER_AND_ASSIGNMENT_RULE = "owner-and-assignment-rule";

    // A booking cannot be delivered.

    /// Team id and booking id together are longer than the booking-id field.
    BOOKING_ID_TOO_LONG = "booking-id-too-long";
    /// The booking-id field has a key that differs from this booking's only in upper and lower case.
    BOOKING_ID_COLLISION = "booking-id-collision";
    /// None of the booking's values could be written.
    NOTHING_TO_WRITE = "nothing-to-write";
    /// The mapping has more fields than one query can read.
    MAPPING_TOO_LARGE = "mapping-too-large";
    /// The booking has no Lead that is known.
    RECORD_UNKNOWN = "record-unknown";
    /// The Lead of the changed booking no longer exists.
    LEAD_GONE = "lead-gone";
    /// The Lead of the changed booking was converted and can no longer be changed.
    LEAD_CONVERTED = "lead-converted";
    /// An earlier try may still create a Lead.
    OUTCOME_PENDING = "outcome-pending";
    /// Several Leads, or slightly different ones, may be the one that an earlier try created.
    OUTCOME_UNCLEAR = "outcome-unclear";

    // A call to Salesforce failed, and Salesforce gave no code.

    /// The host has no grant: the team never connected, or disconnected.
    NOT_CONNECTED = "not-connected";
    /// The grant has ended.
    CONNECTION_ENDED = "connection-ended";
    /// The host cannot read or refresh the credential for the moment.
    CREDENTIAL_UNAVAILABLE = "credential-unavailable";
    /// The grant stands, but Salesforce does not let the host use it until somebody acts.
    CREDENTIAL_BLOCKED = "credential-blocked";
    /// The session is valid, but not for the REST API.
    SESSION_NOT_FOR_API = "session-not-for-api";
    /// The org cannot be reached, or did not answer a read in time.
    ORG_UNREACHABLE = "org-unreachable";
    /// There is no org at this address.
    ORG_UNKNOWN = "org-unknown";
    /// The org is at another address.
    ORG_MOVED = "org-moved";
    /// Salesforce failed without giving a code.
    ORG_ERROR = "org-error";
    /// Salesforce asks to slow down, without giving a code.
    ORG_BUSY = "org-busy";
    /// It is not known whether the write happened.
    OUTCOME_UNKNOWN = "outcome-unknown";
    /// Salesforce refused without giving a code.
    REQUEST_REFUSED = "request-refused";
    /// Salesforce refused for lack of a permission, without giving a code.
    ACCESS_REFUSED = "access-refused";
    /// The resource does not exist, and Salesforce gave no code.
    RESOURCE_MISSING = "resource-missing";
    /// The record was changed meanwhile.
    RECORD_CHANGED = "record-changed";
    /// The org does not have this API version, or no longer has it.
    API_VERSION_RETIRED = "api-version-retired";
    /// The request is larger than Salesforce or the host accepts.
    REQUEST_TOO_LARGE = "request-too-large";
    /// Several records have the same external ID.
    SEVERAL_RECORDS = "several-records";
    /// The host's policy forbids the request.
    REQUEST_DENIED = "request-denied";
    /// The host rejected the request as malformed.
    REQUEST_INVALID = "request-invalid";
    /// The host's limits for one call are used up.
    BUDGET_EXHAUSTED = "budget-exhausted";
    /// The answer is larger than the host allows.
    ANSWER_TOO_LARGE = "answer-too-large";
    /// The host withheld the answer, because it contained the credential.
    ANSWER_BLOCKED = "answer-blocked";
    /// The answer is not one that Salesforce gives.
    ANSWER_UNREADABLE = "answer-unreadable";

    // A login or a refresh failed, for causes that the authorization server has no code for.

    /// Another refresh of the same token is in progress.
    REFRESH_IN_PROGRESS = "refresh-in-progress";
    /// The authorization code was used before, or too late.
    AUTHORIZATION_CODE_ENDED = "authorization-code-ended";
    /// Wrong name or password, or a user who is not allowed to log in.
    LOGIN_REFUSED = "login-refused";
    /// The network address or the time is outside what the org allows.
    LOGIN_RESTRICTED = "login-restricted";
    /// The user never authorized the app.
    APP_NOT_AUTHORIZED = "app-not-authorized";
    /// An admin must approve the user for the app.
    APP_NOT_APPROVED = "app-not-approved";
    /// An admin blocked the app.
    APP_BLOCKED = "app-blocked";
    /// The app is not installed in the org.
    APP_NOT_INSTALLED = "app-not-installed";
    /// Only the org's own My Domain accepts this request.
    MY_DOMAIN_REQUIRED = "my-domain-required";
    /// The login host no longer serves the org.
    LOGIN_HOST_MOVED = "login-host-moved";
    /// The client-credentials flow has no user to run as.
    RUN_AS_USER_MISSING = "run-as-user-missing";
    /// The assertion names another audience.
    AUDIENCE_INVALID = "audience-invalid";
    /// The code challenge and its verifier do not match.
    PKCE_FAILED = "pkce-failed";
    /// The grant was already revoked.
    ALREADY_REVOKED = "already-revoked";
    /// The authorization server failed without giving a code.
    LOGIN_SERVER_ERROR = "login-server-error";
    /// The authorization server refused without giving a reason.
    LOGIN_UNEXPLAINED = "login-unexplained";

    // The connection lacks something that deliveries need.

    /// The user is not allowed to read Leads.
    LEAD_NOT_READABLE = "lead-not-readable";
    /// The user is not allowed to create Leads.
    LEAD_NOT_CREATABLE = "lead-not-creatable";
    /// The user is not allowed to change Leads.
    LEAD_NOT_EDITABLE = "lead-not-editable";
    /// A required field is not writable.
    REQUIRED_FIELD_NOT_WRITABLE = "required-field-not-writable";
    /// Few of the daily API calls are left.
    DAILY_CALLS_LOW = "daily-calls-low";
}

#[cfg(test)]
mod tests {
    use super::ALL;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_codes_are_the_same() {
        assert_eq!(ALL.iter().collect::<BTreeSet<_>>().len(), ALL.len());
    }
}
