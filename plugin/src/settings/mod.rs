//! What a settings page asks: the fields, the plugin's options and their values, and whether a mapping fits the org and the
//! form.

pub mod check;
mod choices;
pub mod options;

pub use choices::list_choices;

use crate::{
    bindings::types::{FieldList, Problem},
    mapping::check_target,
    salesforce::{api::Api, open, org::Connect},
};

/// The Lead fields that the connected user can map.
pub fn list_lead_fields(connect: &mut impl Connect, target: Option<&str>) -> Result<FieldList, Box<Problem>> {
    check_target(target)?;
    Ok(Api::new(&mut open(connect)?).describe()?.into_list())
}
