//! Errors for people.

use std::error::Error;

/// An error with its causes: `what failed: why: why`. Errors of this workspace name their causes as sources only, so no
/// text appears twice.
pub fn full_message(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
