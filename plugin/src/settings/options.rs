//! The plugin's own options: what a settings page offers, and what a mapping chose.

use crate::{
    bindings::{
        settings::{LocalizedText, OptionChoice, OptionGroup, OptionSource},
        types::{FieldType, LeadField, Mapping, Problem, Reaction},
    },
    codes,
    problem::refusal,
    salesforce::{api::AssignmentRules, fields::is_same_field, soql::is_field_name},
    texts::{self, Language, Text},
    value::is_record_id,
};

/// The field that says who owns a Lead.
pub const OWNER_FIELD: &str = "OwnerId";

/// What happens if the org has a Lead with the guest's e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    CreateAnother,
    Keep,
    FillEmpty,
    Overwrite,
}

/// What happens if a duplicate rule refuses the Lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DuplicateRules {
    Refuse,
    /// The Lead is saved if the rule allows it.
    SaveAnyway,
    /// The Lead that matched is used, if it is the only match and has the guest's e-mail address.
    UseMatch,
}

/// One option, with the values that are always offered and what each of them means. The first value is the default.
struct Offered<'v, T> {
    id: &'static str,
    label: &'static Text,
    help: &'static Text,
    values: &'v [(&'static str, T, &'static Text)],
    /// Where further values come from.
    source: Option<OptionSource>,
}

static EXISTING: Offered<'_, Existing> = Offered {
    id: "existing",
    label: &texts::OPTION_EXISTING,
    help: &texts::OPTION_EXISTING_HELP,
    values: &[
        ("create-another", Existing::CreateAnother, &texts::OPTION_EXISTING_CREATE_ANOTHER),
        ("keep", Existing::Keep, &texts::OPTION_EXISTING_KEEP),
        ("fill-empty", Existing::FillEmpty, &texts::OPTION_EXISTING_FILL_EMPTY),
        ("overwrite", Existing::Overwrite, &texts::OPTION_EXISTING_OVERWRITE),
    ],
    source: None,
};

static DUPLICATES: Offered<'_, DuplicateRules> = Offered {
    id: "duplicates",
    label: &texts::OPTION_DUPLICATES,
    help: &texts::OPTION_DUPLICATES_HELP,
    values: &[
        ("refuse", DuplicateRules::Refuse, &texts::OPTION_DUPLICATES_REFUSE),
        ("save-anyway", DuplicateRules::SaveAnyway, &texts::OPTION_DUPLICATES_SAVE_ANYWAY),
        ("use-match", DuplicateRules::UseMatch, &texts::OPTION_DUPLICATES_USE_MATCH),
    ],
    source: None,
};

/// The field that holds the ids of team and booking.
static BOOKING_ID_FIELD: Offered<'_, Option<&str>> = Offered {
    id: "booking-id-field",
    label: &texts::OPTION_BOOKING_ID_FIELD,
    help: &texts::OPTION_BOOKING_ID_FIELD_HELP,
    values: &[("none", None, &texts::OPTION_BOOKING_ID_FIELD_NONE)],
    source: Some(OptionSource::UniqueTextField),
};

static ASSIGNMENT_RULES: Offered<'_, AssignmentRules<'_>> = Offered {
    id: "assignment-rules",
    label: &texts::OPTION_ASSIGNMENT_RULES,
    help: &texts::OPTION_ASSIGNMENT_RULES_HELP,
    values: &[
        ("run", AssignmentRules::Run, &texts::OPTION_ASSIGNMENT_RULES_RUN),
        ("skip", AssignmentRules::Skip, &texts::OPTION_ASSIGNMENT_RULES_SKIP),
    ],
    source: Some(OptionSource::RecordId),
};

static RECORD_TYPE: Offered<'_, Option<&str>> = Offered {
    id: "record-type",
    label: &texts::OPTION_RECORD_TYPE,
    help: &texts::OPTION_RECORD_TYPE_HELP,
    values: &[("default", None, &texts::OPTION_RECORD_TYPE_DEFAULT)],
    source: Some(OptionSource::RecordType),
};

static OWNER: Offered<'_, Option<&str>> = Offered {
    id: "owner",
    label: &texts::OPTION_OWNER,
    help: &texts::OPTION_OWNER_HELP,
    values: &[("automatic", None, &texts::OPTION_OWNER_AUTOMATIC)],
    source: Some(OptionSource::RecordId),
};

/// All options, as a settings page shows them.
pub fn options() -> Vec<OptionGroup> {
    vec![
        EXISTING.group(),
        DUPLICATES.group(),
        BOOKING_ID_FIELD.group(),
        ASSIGNMENT_RULES.group(),
        RECORD_TYPE.group(),
        OWNER.group(),
    ]
}

/// Whether the plugin has an option of this id.
pub fn is_known(id: &str) -> bool {
    [EXISTING.id, DUPLICATES.id, BOOKING_ID_FIELD.id, ASSIGNMENT_RULES.id, RECORD_TYPE.id, OWNER.id].contains(&id)
}

impl<T: Copy> Offered<'_, T> {
    fn group(&self) -> OptionGroup {
        let choice =
            |(value, _, label): &(&str, T, &Text)| OptionChoice { value: (*value).to_owned(), label: localized(label) };
        OptionGroup {
            id: self.id.to_owned(),
            label: localized(self.label),
            help: localized(self.help),
            choices: self.values.iter().map(choice).collect(),
            source: self.source,
            default_value: self.values.first().map(|(value, ..)| (*value).to_owned()).unwrap_or_default(),
        }
    }

    /// What a value means: one of those always offered, or else what `further` makes of it.
    fn read<'s>(&self, value: &'s str, further: impl FnOnce(&'s str) -> Option<T>) -> Result<T, Box<Problem>> {
        let fixed = self.values.iter().find(|(known, ..)| *known == value).map(|(_, meaning, _)| *meaning);
        fixed.or_else(|| further(value)).ok_or_else(|| {
            let message = format!("The option `{}` has no value `{value}`.", self.id);
            refusal(codes::OPTION_INVALID, Reaction::FixMapping, message)
        })
    }
}

fn localized(text: &Text) -> Vec<LocalizedText> {
    let of =
        |language: Language| LocalizedText { locale: language.tag().to_owned(), text: text.to(language).to_owned() };
    Language::ALL.map(of).into()
}

/// What a mapping chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choices<'a> {
    pub existing: Existing,
    pub duplicates: DuplicateRules,
    /// API name of the field that holds the ids of team and booking.
    pub booking_id_field: Option<&'a str>,
    pub assignment_rules: AssignmentRules<'a>,
    /// Whether no rule runs only because a row sets the owner.
    pub owner_by_row: bool,
    /// Id of the record type of new Leads.
    pub record_type: Option<&'a str>,
    /// Id of the user or queue who owns new Leads.
    pub owner: Option<&'a str>,
}

impl<'a> Choices<'a> {
    /// Reads a mapping's options. A value that is not offered is a problem: continuing with the default could create what
    /// nobody wanted. An unknown id belongs to another version of this plugin and is ignored.
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
        let record_id = |id: &'a str| is_record_id(id).then_some(Some(id));
        let mut assignment_chosen = false;
        for option in &mapping.options {
            let (id, value) = (option.id.as_str(), option.value.as_str());
            if id == EXISTING.id {
                choices.existing = EXISTING.read(value, |_| None)?;
            } else if id == DUPLICATES.id {
                choices.duplicates = DUPLICATES.read(value, |_| None)?;
            } else if id == BOOKING_ID_FIELD.id {
                choices.booking_id_field =
                    BOOKING_ID_FIELD.read(value, |name| is_field_name(name).then_some(Some(name)))?;
            } else if id == ASSIGNMENT_RULES.id {
                assignment_chosen = true;
                choices.assignment_rules =
                    ASSIGNMENT_RULES.read(value, |id| is_record_id(id).then_some(AssignmentRules::Rule(id)))?;
            } else if id == RECORD_TYPE.id {
                choices.record_type = RECORD_TYPE.read(value, record_id)?;
            } else if id == OWNER.id {
                choices.owner = OWNER.read(value, record_id)?;
            }
        }
        // A rule would give the Lead to somebody other than the chosen owner.
        choices.owner_by_row = !assignment_chosen && choices.owner.is_none() && writes_owner(mapping);
        if choices.owner_by_row || (choices.owner.is_some() && !assignment_chosen) {
            choices.assignment_rules = AssignmentRules::Skip;
        }
        Ok(choices)
    }
}

fn writes_owner(mapping: &Mapping) -> bool {
    mapping.rows.iter().any(|row| is_same_field(&row.field.name, OWNER_FIELD))
}

/// Whether a field can be the booking-id field: a text that no two Leads may share, and that the org indexes.
pub fn is_key_field(field: &LeadField) -> bool {
    field.unique && field.external_id && field.field_type == FieldType::Text
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
    fn every_value_that_is_offered_is_understood_and_the_default_means_none_chosen() {
        let none = fixture::mapping();
        let by_default = Choices::of(&none).unwrap();
        for group in options() {
            assert!(is_known(&group.id));
            for choice in &group.choices {
                let mapping = with(&[(&group.id, &choice.value)]);
                let choices = Choices::of(&mapping).unwrap();
                assert_eq!(choices == by_default, choice.value == group.default_value, "{} {}", group.id, choice.value);
            }
        }
    }

    #[test]
    fn every_text_is_in_both_languages() {
        for group in options() {
            let labels = group.choices.iter().map(|choice| &choice.label);
            for texts in labels.chain([&group.label, &group.help]) {
                let locales: Vec<&str> = texts.iter().map(|text| text.locale.as_str()).collect();
                assert_eq!(locales, ["ja", "en"], "{}", group.id);
                assert!(texts.iter().all(|text| !text.text.is_empty()));
            }
        }
    }

    #[test]
    fn without_a_choice_a_new_lead_is_created_and_the_active_rule_runs() {
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
            assert_eq!((&*problem.code, problem.reaction), (codes::OPTION_INVALID, Reaction::FixMapping), "{id}");
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
