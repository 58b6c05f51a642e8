//! The steps in order: what each does, what it expects, and what to do if it finds something else.

use super::{Action, Step, refusals::Refusal};

const SEE_CODE: &str =
    "see the code in docs/errors.md; `host-harness doctor` and `preview` with the same connection show more";
const LEARN: &str = "keep the transcript: the plugin or the local org does not handle this response yet \
                     (`live-check --from-transcript`)";

/// The step that shows whether the org has a duplicate rule.
pub(crate) const DUPLICATE_STEP: &str = "duplicate";

const DEPLOY: &str = "deploy the metadata in docs/salesforce-app and assign its permission set to the connected user";

/// The steps, in order.
pub const STEPS: &[Step] = &[
    step(
        Action::Connect,
        "connect",
        "connects with client credentials, or opens the stored grant",
        "a valid grant",
        "see the code in docs/errors.md and step 6 of docs/salesforce-app.md; renew a stored connection with \
         `host-harness connect`",
    ),
    step(
        Action::Versions,
        "versions",
        "lists the API versions",
        "a list of versions",
        "check the login host: this address does not respond like an org",
    ),
    step(Action::Doctor, "doctor", "lets the plugin check the connection", "no problem", SEE_CODE),
    step(
        Action::Describe,
        "describe",
        "reads the Lead's describe result",
        "fields, LastName among them",
        "give the connected user read access to Leads and their fields",
    ),
    step(
        Action::ListFields,
        "list-fields",
        "lets the plugin list the fields and compares their number with the describe result",
        "every field offered or withheld; what is offered can be created and updated; BookingId__c is unique",
        DEPLOY,
    ),
    step(
        Action::Options,
        "options",
        "asks the plugin for its options",
        "options in Japanese and English, no request",
        LEARN,
    ),
    step(
        Action::CheckMapping,
        "check-mapping",
        "checks its own mapping against the org",
        "no finding that would refuse a booking",
        "the org requires a field that the check cannot fill; use an org whose Leads require fewer",
    ),
    step(Action::Preview, "preview", "previews a booking", "a Lead would be created, no finding", SEE_CODE),
    step(
        Action::LeftOutValue,
        "left-out-value",
        "previews a booking with an invalid email address",
        "the address is left out with a finding, or the booking is refused if the org requires it",
        LEARN,
    ),
    step(
        Action::RequiredBlank,
        "required-blank",
        "delivers a booking without a name",
        "the problem `required-field-blank` on LastName, nothing written",
        LEARN,
    ),
    refusal(
        Refusal::RequiredBlank,
        "refusal-required-blank",
        "posts a Lead without LastName",
        "400 REQUIRED_FIELD_MISSING",
    ),
    refusal(Refusal::TooLong, "refusal-too-long", "posts a Company one character too long", "400 STRING_TOO_LONG"),
    refusal(Refusal::BadEmail, "refusal-bad-email", "posts an invalid Email", "400 INVALID_EMAIL_ADDRESS"),
    refusal(
        Refusal::RestrictedPicklist,
        "refusal-restricted-picklist",
        "posts an unknown value of a restricted picklist",
        "400 INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
    ),
    refusal(Refusal::UnknownField, "refusal-unknown-field", "posts a field that does not exist", "400 INVALID_FIELD"),
    refusal(
        Refusal::ReadOnlyField,
        "refusal-read-only-field",
        "posts the compound field Name",
        "400 INVALID_FIELD_FOR_INSERT_UPDATE",
    ),
    refusal(Refusal::WrongType, "refusal-wrong-type", "posts a word for a number", "400 JSON_PARSER_ERROR"),
    refusal(
        Refusal::OutOfRange,
        "refusal-out-of-range",
        "posts a number with more digits than the field allows",
        "400 NUMBER_OUTSIDE_VALID_RANGE",
    ),
    refusal(Refusal::BadReference, "refusal-bad-reference", "posts an OwnerId that is not an id", "400 MALFORMED_ID"),
    refusal(Refusal::MalformedJson, "refusal-malformed-json", "posts half an object", "400 JSON_PARSER_ERROR"),
    refusal(
        Refusal::UnknownObject,
        "refusal-unknown-object",
        "posts to an object that does not exist",
        "404 NOT_FOUND",
    ),
    refusal(Refusal::MalformedQuery, "refusal-malformed-query", "sends half a query", "400 MALFORMED_QUERY"),
    step(
        Action::InventedToken,
        "refusal-invented-token",
        "sends a request with an invented token",
        "401 INVALID_SESSION_ID",
        LEARN,
    ),
    step(
        Action::Create,
        "create",
        "delivers the booking",
        "a Lead, in one request that writes",
        "a rule of the org (validation, duplicate, flow) may refuse the test Lead; use an org that accepts it",
    ),
    step(
        Action::ReadBack,
        "read-back",
        "reads the Lead",
        "the values as they were sent, Japanese text intact",
        "a flow or trigger of the org may have changed the Lead; otherwise keep the transcript",
    ),
    step(
        Action::RepeatBooking,
        "booking-id-repeat",
        "delivers the same booking again, as after a lost response",
        "the existing Lead, found by the booking id, and no second one",
        DEPLOY,
    ),
    step(
        Action::ForgottenBooking,
        "booking-id-unique",
        "delivers the same booking again, as if for the first time",
        "the existing Lead: DUPLICATE_VALUE on the booking id, or found by it if a duplicate rule blocks first",
        DEPLOY,
    ),
    step(
        Action::KeepExisting,
        "existing-keep",
        "delivers another booking of the same guest that keeps existing Leads",
        "the Lead is found and left unchanged",
        LEARN,
    ),
    step(
        Action::FillExisting,
        "existing-fill-empty",
        "clears FirstName, then delivers another booking of the same guest that fills blank fields",
        "the Lead is found and FirstName is filled",
        LEARN,
    ),
    step(
        Action::OverwriteExisting,
        "existing-overwrite",
        "delivers another booking of the same guest that overwrites existing Leads",
        "the Lead is found and changed",
        LEARN,
    ),
    step(
        Action::Duplicate,
        DUPLICATE_STEP,
        "delivers another booking of the same guest that respects duplicate rules",
        "DUPLICATES_DETECTED, or a second Lead where no rule of the org applies",
        LEARN,
    ),
    step(
        Action::DuplicateSaved,
        "duplicate-save-anyway",
        "delivers another booking of the same guest that is saved anyway",
        "a second Lead, or DUPLICATES_DETECTED where the rule blocks",
        LEARN,
    ),
    step(
        Action::LongestText,
        "longest-text",
        "delivers a booking whose first name is far too long, in characters of two UTF-16 units",
        "a Lead with the first name shortened: the org does not count more strictly than the plugin",
        "keep the transcript: the plugin must shorten further",
    ),
    step(Action::Reschedule, "reschedule", "delivers the booking moved by a day", "the same Lead, changed", LEARN),
    step(
        Action::Delete,
        "delete",
        "looks for all test Leads of this run, deletes them, and one of them twice",
        "204, then 404 ENTITY_IS_DELETED",
        "delete the Leads whose company is `live-check (delete me)`; look again 10 minutes after a create \
         that got no response",
    ),
    step(
        Action::RescheduleGone,
        "lead-gone",
        "delivers the rescheduled booking again after its Lead was deleted",
        "the problem `lead-gone`, no new Lead",
        LEARN,
    ),
    step(
        Action::Refresh,
        "refresh",
        "refreshes the grant and reads with the new token",
        "a newer grant, 200",
        "check the app's refresh-token policy, and that its secret was not rotated",
    ),
    step(
        Action::Revoke,
        "revoke",
        "revokes the grant and reads with its old token",
        "revoked, then 401 INVALID_SESSION_ID",
        "revoke the grant in Setup > External Client Apps OAuth Usage, or in the user's own settings",
    ),
];

const fn step(
    action: Action,
    id: &'static str,
    does: &'static str,
    expects: &'static str,
    remedy: &'static str,
) -> Step {
    Step { id, does, expects, remedy, action }
}

const fn refusal(refusal: Refusal, id: &'static str, does: &'static str, expects: &'static str) -> Step {
    step(Action::Refuse(refusal), id, does, expects, LEARN)
}
