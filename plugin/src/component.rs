//! The component's exports.
//!
//! The canonical ABI gives up to sixteen numbers as parameters, else the address of the arguments; of a result it takes the
//! address. A host gives arguments that are valid, in memory that it took from this component.

use crate::{
    api::Api,
    bindings::connection::{OauthError, OauthStage},
    bindings::types::{Booking, Delivery, Finding, History, LeadFields, Mapping, Problem},
    canonical::{Canonical, list, returned, text},
    check, deliver, doctor,
    errors::problem_from_secret_error,
    guidance,
    host::Host,
    oauth_error, options,
    org::Connect,
    preview,
};
use alloc::{vec, vec::Vec};
use core::mem::ManuallyDrop;

#[derive(Canonical)]
struct OnBookingCompleted {
    booking: Booking,
    mapping: Mapping,
    history: History,
}

#[derive(Canonical)]
struct Preview {
    booking: Booking,
    mapping: Mapping,
}

#[unsafe(export_name = "scheduling:crm/leads@0.1.0#on-booking-completed")]
unsafe extern "C" fn on_booking_completed(arguments: *const u8) -> *const u8 {
    // SAFETY: the arguments lie there.
    let arguments: ManuallyDrop<OnBookingCompleted> = ManuallyDrop::new(unsafe { Canonical::lift(arguments) });
    let OnBookingCompleted { booking, mapping, history } = &*arguments;
    let result: Result<Delivery, Problem> =
        deliver::deliver(&mut Host, booking, mapping, history).map_err(|problem| *problem);
    returned(result)
}

#[unsafe(export_name = "scheduling:crm/leads@0.1.0#list-lead-fields")]
extern "C" fn list_lead_fields() -> *const u8 {
    returned(fields())
}

fn fields() -> Result<LeadFields, Problem> {
    let mut org = Host.connect().map_err(problem_from_secret_error)?;
    Api::new(&mut org).and_then(|mut api| api.describe()).map_err(|problem| *problem)
}

#[unsafe(export_name = "scheduling:crm/settings@0.1.0#preview")]
unsafe extern "C" fn preview(arguments: *const u8) -> *const u8 {
    // SAFETY: the arguments lie there.
    let arguments: ManuallyDrop<Preview> = ManuallyDrop::new(unsafe { Canonical::lift(arguments) });
    let Preview { booking, mapping } = &*arguments;
    returned(preview::preview(&mut Host, booking, mapping).map_err(|problem| *problem))
}

#[unsafe(export_name = "scheduling:crm/settings@0.1.0#check-mapping")]
unsafe extern "C" fn check_mapping(
    rows: *const u8,
    row_count: usize,
    options: *const u8,
    option_count: usize,
    questions: *const u8,
    question_count: usize,
) -> *const u8 {
    // SAFETY: so many of each lie there.
    let (mapping, questions) = unsafe {
        let mapping = Mapping { rows: list(rows, row_count), options: list(options, option_count) };
        (mapping, list(questions, question_count))
    };
    let result: Result<Vec<Finding>, Problem> =
        check::check(&mut Host, &mapping, &questions).map_err(|problem| *problem);
    returned(result)
}

#[unsafe(export_name = "scheduling:crm/settings@0.1.0#options")]
extern "C" fn options() -> *const u8 {
    returned(options::options())
}

#[unsafe(export_name = "scheduling:crm/connection@0.1.0#check")]
extern "C" fn check() -> *const u8 {
    returned(match Host.connect() {
        Ok(mut org) => doctor::check(&mut org),
        Err(error) => Err(vec![problem_from_secret_error(error)]),
    })
}

#[unsafe(export_name = "scheduling:crm/connection@0.1.0#explain")]
unsafe extern "C" fn explain(
    stage: u32,
    error: *mut u8,
    error_length: usize,
    has_description: u32,
    description: *mut u8,
    description_length: usize,
    has_http_status: u32,
    http_status: u32,
) -> *const u8 {
    // SAFETY: the texts lie there, and the stage is one of the contract's.
    let error = unsafe {
        OauthError {
            stage: OauthStage::lift((&raw const stage).cast()),
            error: text(error, error_length),
            description: (has_description != 0).then(|| text(description, description_length)),
            http_status: (has_http_status != 0).then_some(http_status as u16),
        }
    };
    returned(oauth_error::explain(error))
}

#[unsafe(export_name = "scheduling:crm/guidance@0.1.0#advice")]
unsafe extern "C" fn advice(code: *mut u8, code_length: usize, locale: *mut u8, locale_length: usize) -> *const u8 {
    // SAFETY: the texts lie there.
    let (code, locale) = unsafe { (text(code, code_length), text(locale, locale_length)) };
    returned(guidance::advice(&code, &locale))
}

#[unsafe(export_name = "scheduling:crm/guidance@0.1.0#codes")]
extern "C" fn codes() -> *const u8 {
    returned(guidance::codes())
}
