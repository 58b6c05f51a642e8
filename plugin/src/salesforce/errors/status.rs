//! What an HTTP status means if Salesforce gave no code, or an unknown one.

use super::catalogue::{BUSY, Class};
use crate::codes;

/// The plugin's own code for an answer without a code.
pub fn code_of(status: u16) -> &'static str {
    match status {
        200..300 => codes::ANSWER_UNREADABLE,
        300 => codes::SEVERAL_RECORDS,
        304 => codes::ANSWER_UNREADABLE,
        301..400 => codes::ORG_MOVED,
        401 => codes::CONNECTION_ENDED,
        403 => codes::ACCESS_REFUSED,
        404 => codes::RESOURCE_MISSING,
        409 | 412 => codes::RECORD_CHANGED,
        410 => codes::API_VERSION_RETIRED,
        413 | 414 | 431 => codes::REQUEST_TOO_LARGE,
        420 => codes::ORG_UNKNOWN,
        429 => codes::ORG_BUSY,
        400..500 => codes::REQUEST_REFUSED,
        _ => codes::ORG_ERROR,
    }
}

/// The class of an answer with this status.
pub fn class_of(status: u16) -> Class {
    match status {
        // Cut short or garbled on its way.
        200..300 | 304 | 408 => Class::Unclear,
        301..400 | 401 | 420 => Class::Reconnect,
        403 | 404 | 410 => Class::Admin,
        405 | 406 | 415 | 428 => Class::Mapping,
        409 | 412 => Class::Wait(5),
        429 => Class::Wait(BUSY),
        300 | 400..500 => Class::Booking,
        // A gateway may give up on a request that continues behind it.
        _ => Class::Unclear,
    }
}
