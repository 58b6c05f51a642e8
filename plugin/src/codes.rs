//! The codes of what the plugin itself finds or refuses. Salesforce's own error codes are in [`crate::errors`].

/// A text was cut to the field's length.
pub const VALUE_SHORTENED: &str = "value-shortened";
/// A number was rounded to the field's decimals.
pub const VALUE_ROUNDED: &str = "value-rounded";
/// Characters that Salesforce does not take were removed.
pub const CHARACTERS_REMOVED: &str = "characters-removed";
/// Some of several choices were not written, because the multi-select picklist does not have them.
pub const CHOICES_LEFT_OUT: &str = "choices-left-out";
/// The row's fallback was written in place of a value that cannot be written.
pub const FALLBACK_USED: &str = "fallback-used";
/// A row was skipped, because one of the plugin's own choices sets the same field.
pub const FIELD_SET_BY_OPTION: &str = "field-set-by-option";

/// A value that may not be cut is longer than the field.
pub const VALUE_TOO_LONG: &str = "value-too-long";
/// Not an e-mail address.
pub const EMAIL_INVALID: &str = "email-invalid";
/// Not a number.
pub const NUMBER_INVALID: &str = "number-invalid";
/// A number with more digits than the field takes.
pub const NUMBER_OUT_OF_RANGE: &str = "number-out-of-range";
/// Not a calendar date.
pub const DATE_INVALID: &str = "date-invalid";
/// Not a moment with a date, a time and an offset.
pub const DATE_TIME_INVALID: &str = "date-time-invalid";
/// Not a time of day.
pub const TIME_INVALID: &str = "time-invalid";
/// Neither a yes nor a no.
pub const CHECKBOX_INVALID: &str = "checkbox-invalid";
/// Not among the values of a restricted picklist.
pub const PICKLIST_VALUE_UNKNOWN: &str = "picklist-value-unknown";
/// A value of a restricted picklist that was deactivated.
pub const PICKLIST_VALUE_INACTIVE: &str = "picklist-value-inactive";
/// A value that the controlling field's value does not allow.
pub const PICKLIST_VALUE_NOT_ALLOWED: &str = "picklist-value-not-allowed";
/// Not the id of a Salesforce record.
pub const REFERENCE_INVALID: &str = "reference-invalid";

/// The field is not there, or hidden from the connected user.
pub const FIELD_GONE: &str = "field-gone";
/// The connected user may not write the field.
pub const FIELD_NOT_WRITABLE: &str = "field-not-writable";
/// A required field got no value from this booking.
pub const REQUIRED_FIELD_BLANK: &str = "required-field-blank";

/// A required field has no mapping row.
pub const REQUIRED_FIELD_UNMAPPED: &str = "required-field-unmapped";
/// A required field is mapped to something that guests may leave blank.
pub const REQUIRED_FIELD_MAY_BE_BLANK: &str = "required-field-may-be-blank";
/// The field has become required since the row was saved.
pub const FIELD_NEWLY_REQUIRED: &str = "field-newly-required";
/// The field takes less than when the row was saved.
pub const FIELD_SHRUNK: &str = "field-shrunk";
/// The field has another type than when the row was saved.
pub const FIELD_TYPE_CHANGED: &str = "field-type-changed";
/// The field occurs in more than one row.
pub const FIELD_MAPPED_TWICE: &str = "field-mapped-twice";
/// What a question is answered with does not fit the field's type.
pub const TYPE_MISMATCH: &str = "type-mismatch";
/// The row refers to a question that the form does not have.
pub const QUESTION_UNKNOWN: &str = "question-unknown";
/// The row refers to a booking attribute that does not exist.
pub const ATTRIBUTE_UNKNOWN: &str = "attribute-unknown";
/// The template's braces do not match.
pub const TEMPLATE_INVALID: &str = "template-invalid";
/// A choice that the plugin does not offer, or a value that it does not take.
pub const OPTION_INVALID: &str = "option-invalid";
/// The booking-id field is not a unique external-ID text field that the connected user can write.
pub const BOOKING_ID_FIELD_UNFIT: &str = "booking-id-field-unfit";
/// The connected user may not use the record type.
pub const RECORD_TYPE_UNAVAILABLE: &str = "record-type-unavailable";
/// An owner is chosen, and an assignment rule that may give the Lead to somebody else.
pub const OWNER_AND_ASSIGNMENT_RULE: &str = "owner-and-assignment-rule";

/// Team id and booking id together are longer than the booking-id field.
pub const BOOKING_ID_TOO_LONG: &str = "booking-id-too-long";
/// The booking-id field holds a key that differs from this booking's in upper and lower case only.
pub const BOOKING_ID_COLLISION: &str = "booking-id-collision";
/// No value of the booking could be written at all.
pub const NOTHING_TO_WRITE: &str = "nothing-to-write";
/// The mapping has more fields than one look-up can read.
pub const MAPPING_TOO_LARGE: &str = "mapping-too-large";
/// The Lead of the booking that was moved is not there any more.
pub const LEAD_GONE: &str = "lead-gone";
/// The Lead of the booking that was moved was converted, and can no longer be changed.
pub const LEAD_CONVERTED: &str = "lead-converted";
/// An earlier try may still become a Lead.
pub const OUTCOME_PENDING: &str = "outcome-pending";
/// Several Leads, or ones that differ a little, may be the one that an earlier try made.
pub const OUTCOME_UNCLEAR: &str = "outcome-unclear";
/// The host does not say where the connected org is.
pub const INSTANCE_URL_MISSING: &str = "instance-url-missing";

/// All of them.
pub const ALL: &[&str] = &[
    VALUE_SHORTENED,
    VALUE_ROUNDED,
    CHARACTERS_REMOVED,
    CHOICES_LEFT_OUT,
    FALLBACK_USED,
    FIELD_SET_BY_OPTION,
    VALUE_TOO_LONG,
    EMAIL_INVALID,
    NUMBER_INVALID,
    NUMBER_OUT_OF_RANGE,
    DATE_INVALID,
    DATE_TIME_INVALID,
    TIME_INVALID,
    CHECKBOX_INVALID,
    PICKLIST_VALUE_UNKNOWN,
    PICKLIST_VALUE_INACTIVE,
    PICKLIST_VALUE_NOT_ALLOWED,
    REFERENCE_INVALID,
    FIELD_GONE,
    FIELD_NOT_WRITABLE,
    REQUIRED_FIELD_BLANK,
    REQUIRED_FIELD_UNMAPPED,
    REQUIRED_FIELD_MAY_BE_BLANK,
    FIELD_NEWLY_REQUIRED,
    FIELD_SHRUNK,
    FIELD_TYPE_CHANGED,
    FIELD_MAPPED_TWICE,
    TYPE_MISMATCH,
    QUESTION_UNKNOWN,
    ATTRIBUTE_UNKNOWN,
    TEMPLATE_INVALID,
    OPTION_INVALID,
    BOOKING_ID_FIELD_UNFIT,
    RECORD_TYPE_UNAVAILABLE,
    OWNER_AND_ASSIGNMENT_RULE,
    BOOKING_ID_TOO_LONG,
    BOOKING_ID_COLLISION,
    NOTHING_TO_WRITE,
    MAPPING_TOO_LARGE,
    LEAD_GONE,
    LEAD_CONVERTED,
    OUTCOME_PENDING,
    OUTCOME_UNCLEAR,
    INSTANCE_URL_MISSING,
];
