mod anything;
mod create;
mod existing;
mod paths;
mod repeat;
mod reschedule;
mod world;

use super::deliver;
use crate::{
    bindings::{
        http::{Failure, Response},
        types::{Delivery, History, Mapping, Problem},
    },
    fixture,
    script::Script,
};

/// Delivers the test booking to an org with these answers.
fn run(
    mapping: &Mapping,
    history: &History,
    replies: impl IntoIterator<Item = Result<Response, Failure>>,
) -> (Result<Delivery, Box<Problem>>, Script) {
    let script = Script::new(replies);
    let result = deliver(&mut script.clone(), &fixture::booking(), mapping, history);
    (result, script)
}
