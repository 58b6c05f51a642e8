//! The plugin's own choices as a mapping makes them.

use crate::{
    bindings::types::{FieldType, LeadField, Mapping, Problem, Reaction},
    codes,
    mapping::{self, is_same_field},
    soql::is_field_name,
    value::is_record_id,
};

/// Ids of the choices.
pub mod ids {
    /// What happens when the org has a Lead with the guest's e-mail address.
    pub const EXISTING: &str = "existing";
    /// What happens when a duplicate rule refuses the Lead.
    pub const DUPLICATES: &str = "duplicates";
    /// The field that holds team and booking id.
    pub const BOOKING_ID_FIELD: &str = "booking-id-field";
    /// Whether the org's Lead assignment rules run.
    pub const ASSIGNMENT_RULES: &str = "assignment-rules";
    /// The record type of new Leads.
    pub const RECORD_TYPE: &str = "record-type";
    /// The owner of new Leads.
    pub const OWNER: &str = "owner";
}

/// The field that says whose a Lead is.
pub const OWNER_FIELD: &str = "OwnerId";

/// What happens when the org has a Lead with the guest's e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// A new Lead is created all the same.
    CreateAnother,
    /// It is left as it is.
    Keep,
    /// Its blank fields are filled.
    FillEmpty,
    /// The mapped fields are overwritten.
    Overwrite,
}

/// What happens when a duplicate rule refuses the Lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DuplicateRules {
    /// The refusal is reported.
    Refuse,
    /// The Lead is saved where the rule lets it.
    SaveAnyway,
    /// The Lead that matched is used, if it is one and has the guest's e-mail address.
    UseMatch,
}

/// Who decides on the owner of a new Lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssignmentRules<'a> {
    /// The org's active rule.
    Run,
    /// No rule.
    Skip,
    /// The rule with this id.
    Rule(&'a str),
}

impl<'a> AssignmentRules<'a> {
    /// Value of the header `Sforce-Auto-Assign`, which is always sent: without it the active rule runs.
    pub fn header(self) -> &'a str {
        match self {
            Self::Run => "TRUE",
            Self::Skip => "FALSE",
            Self::Rule(id) => id,
        }
    }
}

/// All choices of a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choices<'a> {
    /// See [`ids::EXISTING`].
    pub existing: Existing,
    /// See [`ids::DUPLICATES`].
    pub duplicates: DuplicateRules,
    /// See [`ids::BOOKING_ID_FIELD`]: the field's API name.
    pub booking_id_field: Option<&'a str>,
    /// See [`ids::ASSIGNMENT_RULES`].
    pub assignment_rules: AssignmentRules<'a>,
    /// Whether no rule runs only because a row says whose the Lead is.
    pub owner_by_row: bool,
    /// See [`ids::RECORD_TYPE`]: the record type's id.
    pub record_type: Option<&'a str>,
    /// See [`ids::OWNER`]: the id of a user or queue.
    pub owner: Option<&'a str>,
}

impl<'a> Choices<'a> {
    /// Reads a mapping's choices. A value that is none of those offered is a problem: to go on with a default could create what
    /// nobody wanted. An id that is not offered concerns another version of this plugin and is passed over.
    pub fn of(mapping: &'a Mapping) -> Result<Self, Box<Problem>> {
        let mut choices = Self {
            existing: Existing::CreateAnother,
            duplicates: DuplicateRules::Refuse,
            booking_id_field: None,
            assignment_rules: AssignmentRules::Run,
            owner_by_row: false,
            record_type: None,
            owner: None,
        };
        let mut assignment_chosen = false;
        for option in &mapping.options {
            let value = option.value.as_str();
            let invalid = || invalid(&option.id, value);
            match option.id.as_str() {
                ids::EXISTING => {
                    choices.existing = match value {
                        "create-another" => Existing::CreateAnother,
                        "keep" => Existing::Keep,
                        "fill-empty" => Existing::FillEmpty,
                        "overwrite" => Existing::Overwrite,
                        _ => return Err(invalid()),
                    };
                }
                ids::DUPLICATES => {
                    choices.duplicates = match value {
                        "refuse" => DuplicateRules::Refuse,
                        "save-anyway" => DuplicateRules::SaveAnyway,
                        "use-match" => DuplicateRules::UseMatch,
                        _ => return Err(invalid()),
                    };
                }
                ids::BOOKING_ID_FIELD => {
                    choices.booking_id_field = match value {
                        "none" => None,
                        name if is_field_name(name) => Some(name),
                        _ => return Err(invalid()),
                    };
                }
                ids::ASSIGNMENT_RULES => {
                    assignment_chosen = true;
                    choices.assignment_rules = match value {
                        "run" => AssignmentRules::Run,
                        "skip" => AssignmentRules::Skip,
                        id if is_record_id(id) => AssignmentRules::Rule(id),
                        _ => return Err(invalid()),
                    };
                }
                ids::RECORD_TYPE => {
                    choices.record_type = match value {
                        "default" => None,
                        id if is_record_id(id) => Some(id),
                        _ => return Err(invalid()),
                    };
                }
                ids::OWNER => {
                    choices.owner = match value {
                        "automatic" => None,
                        id if is_record_id(id) => Some(id),
                        _ => return Err(invalid()),
                    };
                }
                _ => {}
            }
        }
        // A rule would give the Lead to somebody else than the owner who was chosen.
        choices.owner_by_row = !assignment_chosen && choices.owner.is_none() && writes_owner(mapping);
        if choices.owner_by_row || (choices.owner.is_some() && !assignment_chosen) {
            choices.assignment_rules = AssignmentRules::Skip;
        }
        Ok(choices)
    }
}

/// Whether a row says whose the Lead is.
fn writes_owner(mapping: &Mapping) -> bool {
    mapping.rows.iter().any(|row| is_same_field(&row.field.name, OWNER_FIELD))
}

/// Whether a field can be the booking-id field: a text that no two Leads may hold, and that the org indexes.
pub fn is_key_field(field: &LeadField) -> bool {
    field.unique && field.external_id && field.field_type == FieldType::Text
}

fn invalid(id: &str, value: &str) -> Box<Problem> {
    let message = format!("The choice `{id}` has no value `{value}`.");
    mapping::refusal(codes::OPTION_INVALID, Reaction::FixMapping, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{bindings::types::ChosenOption, fixture};

    fn with(options: &[(&str, &str)]) -> Mapping {
        let options = options.iter().map(|(id, value)| ChosenOption { id: (*id).into(), value: (*value).into() });
        Mapping { options: options.collect(), ..fixture::mapping() }
    }

    #[test]
    fn what_is_not_chosen_has_the_reference_products_behaviour() {
        let mapping = with(&[("of-a-later-version", "x")]);
        let choices = Choices::of(&mapping).unwrap();
        assert_eq!(choices.existing, Existing::CreateAnother);
        assert_eq!(choices.duplicates, DuplicateRules::Refuse);
        assert_eq!(choices.booking_id_field, None);
        assert_eq!(choices.assignment_rules.header(), "TRUE");
        assert_eq!((choices.record_type, choices.owner), (None, None));
    }

    #[test]
    fn a_value_that_is_not_offered_is_a_problem() {
        for (id, value) in [
            ("existing", "update"),
            ("duplicates", ""),
            ("booking-id-field", "Booking Id"),
            ("booking-id-field", "X FROM User"),
            ("assignment-rules", "TRUE"),
            ("record-type", "012"),
            ("owner", "taro@example.com"),
        ] {
            let problem = Choices::of(&with(&[(id, value)])).unwrap_err();
            assert_eq!(
                (problem.code.as_str(), problem.reaction),
                (codes::OPTION_INVALID, Reaction::FixMapping),
                "{id}"
            );
        }
    }

    #[test]
    fn a_chosen_owner_keeps_the_lead_unless_a_rule_is_chosen_too() {
        let owner = ("owner", "0055e00000AbCdE");
        for (options, header) in [
            (vec![owner], "FALSE"),
            (vec![owner, ("assignment-rules", "run")], "TRUE"),
            (vec![("assignment-rules", "skip")], "FALSE"),
            (vec![("assignment-rules", "01Q5e00000AbCdE")], "01Q5e00000AbCdE"),
        ] {
            let mapping = with(&options);
            assert_eq!(Choices::of(&mapping).unwrap().assignment_rules.header(), header, "{options:?}");
        }
    }
}
