//! The plugin's own options: what a settings page offers, and what a mapping chose.

use crate::{
    bindings::{
        settings::{OptionChoice, OptionGroup},
        types::{FieldType, Mapping, Parameter, Problem, Reaction},
    },
    codes,
    field::{LeadField, is_same_field},
    mapping::check_target,
    problem::refusal,
    salesforce::{
        api::{AssignmentRules, LEAD},
        soql::is_field_name,
    },
    texts::{self, Language, Text},
    value::{is_record_id, particular},
};

/// The field that says who owns a Lead.
pub const OWNER_FIELD: &str = "OwnerId";
/// The field that existing Leads are looked for by.
pub const EMAIL_FIELD: &str = "Email";
/// The field that has the record type of a Lead.
pub const RECORD_TYPE_FIELD: &str = "RecordTypeId";

/// What happens if the org has a Lead with the guest's email address.
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
    /// The Lead that matched is used, if it is the only match and has the guest's email address.
    UseMatch,
}

/// What a settings page can ask the org for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    KeyFields,
    AssignmentRules,
    RecordTypes,
    Owners,
}

/// One option, with the values that are always offered and what each of them means. The first value is the default.
struct Offered<'v, T> {
    id: &'static str,
    label: &'static Text,
    help: &'static Text,
    values: &'v [(&'static str, T, &'static Text)],
    /// Where further values come from.
    asked: Option<Asked>,
    /// Whether a person can type a value. Only what the connected user may not be able to list needs that.
    typed: bool,
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
    asked: None,
    typed: false,
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
    asked: None,
    typed: false,
};

/// The field that holds the ids of team and booking.
static BOOKING_ID_FIELD: Offered<'_, Option<&str>> = Offered {
    id: "booking-id-field",
    label: &texts::OPTION_BOOKING_ID_FIELD,
    help: &texts::OPTION_BOOKING_ID_FIELD_HELP,
    values: &[("none", None, &texts::OPTION_BOOKING_ID_FIELD_NONE)],
    asked: Some(Asked::KeyFields),
    typed: false,
};

static ASSIGNMENT_RULES: Offered<'_, AssignmentRules<'_>> = Offered {
    id: "assignment-rules",
    label: &texts::OPTION_ASSIGNMENT_RULES,
    help: &texts::OPTION_ASSIGNMENT_RULES_HELP,
    values: &[
        ("run", AssignmentRules::Run, &texts::OPTION_ASSIGNMENT_RULES_RUN),
        ("skip", AssignmentRules::Skip, &texts::OPTION_ASSIGNMENT_RULES_SKIP),
    ],
    asked: Some(Asked::AssignmentRules),
    typed: true,
};

static RECORD_TYPE: Offered<'_, Option<&str>> = Offered {
    id: "record-type",
    label: &texts::OPTION_RECORD_TYPE,
    help: &texts::OPTION_RECORD_TYPE_HELP,
    values: &[("default", None, &texts::OPTION_RECORD_TYPE_DEFAULT)],
    asked: Some(Asked::RecordTypes),
    typed: false,
};

static OWNER: Offered<'_, Option<&str>> = Offered {
    id: "owner",
    label: &texts::OPTION_OWNER,
    help: &texts::OPTION_OWNER_HELP,
    values: &[("automatic", None, &texts::OPTION_OWNER_AUTOMATIC)],
    asked: Some(Asked::Owners),
    typed: true,
};

/// The objects that a mapping can write.
pub fn list_targets(locale: &str) -> Vec<OptionChoice> {
    let label = texts::TARGET_LEAD.to(Language::closest(locale)).to_owned();
    vec![OptionChoice { value: LEAD.to_owned(), label }]
}

/// All options, as a settings page shows them.
pub fn options(target: Option<&str>, locale: &str) -> Result<Vec<OptionGroup>, Box<Problem>> {
    check_target(target)?;
    let language = Language::closest(locale);
    Ok(vec![
        EXISTING.group(language),
        DUPLICATES.group(language),
        BOOKING_ID_FIELD.group(language),
        ASSIGNMENT_RULES.group(language),
        RECORD_TYPE.group(language),
        OWNER.group(language),
    ])
}

/// What the further values of an option are, if it has any.
pub fn asked(group: &str) -> Result<Option<Asked>, Box<Problem>> {
    [
        (EXISTING.id, EXISTING.asked),
        (DUPLICATES.id, DUPLICATES.asked),
        (BOOKING_ID_FIELD.id, BOOKING_ID_FIELD.asked),
        (ASSIGNMENT_RULES.id, ASSIGNMENT_RULES.asked),
        (RECORD_TYPE.id, RECORD_TYPE.asked),
        (OWNER.id, OWNER.asked),
    ]
    .into_iter()
    .find(|(id, _)| *id == group)
    .map(|(_, asked)| asked)
    .ok_or_else(|| {
        let message = format!("There is no option `{group}`.");
        let mut problem = refusal(codes::OPTION_INVALID, Reaction::FixMapping, message);
        problem.particulars.push(particular("option", group));
        problem
    })
}

impl<T: Copy> Offered<'_, T> {
    fn group(&self, language: Language) -> OptionGroup {
        let text = |text: &Text| text.to(language).to_owned();
        let choice =
            |(value, _, label): &(&str, T, &Text)| OptionChoice { value: (*value).to_owned(), label: text(label) };
        OptionGroup {
            id: self.id.to_owned(),
            label: text(self.label),
            help: text(self.help),
            default_value: self.values.first().map(|(value, ..)| (*value).to_owned()).unwrap_or_default(),
            choices: self.values.iter().map(choice).collect(),
            asks: self.asked.is_some(),
            typed: self.typed,
            more: Vec::new(),
        }
    }

    /// What a value means: one of those always offered, or else what `further` makes of it.
    fn read<'s>(&self, value: &'s str, further: impl FnOnce(&'s str) -> Option<T>) -> Result<T, Box<Problem>> {
        let fixed = self.values.iter().find(|(known, ..)| *known == value).map(|(_, meaning, _)| *meaning);
        fixed.or_else(|| further(value)).ok_or_else(|| {
            let message = format!("The option `{}` has no value `{value}`.", self.id);
            let mut problem = refusal(codes::OPTION_INVALID, Reaction::FixMapping, message);
            problem.particulars = vec![particular("option", self.id), particular("value", value)];
            problem
        })
    }
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
    /// nobody wanted. An unknown id belongs to another version of this plugin and is ignored. `fields` are those that rows
    /// write.
    pub fn of(options: &'a [Parameter], mut fields: impl Iterator<Item = &'a str>) -> Result<Self, Box<Problem>> {
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
        for option in options {
            let (id, value) = (option.name.as_str(), option.value.as_str());
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
        choices.owner_by_row =
            !assignment_chosen && choices.owner.is_none() && fields.any(|field| is_same_field(field, OWNER_FIELD));
        if choices.owner_by_row || (choices.owner.is_some() && !assignment_chosen) {
            choices.assignment_rules = AssignmentRules::Skip;
        }
        Ok(choices)
    }

    /// What a mapping with values chose.
    pub fn of_mapping(mapping: &'a Mapping) -> Result<Self, Box<Problem>> {
        Self::of(&mapping.options, mapping.rows.iter().map(|row| &*row.field))
    }

    /// The fields that the options set, so that rows must not.
    pub fn reserved(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let record_type = self.record_type.map(|_| RECORD_TYPE_FIELD);
        [self.booking_id_field, record_type, self.owner.map(|_| OWNER_FIELD)].into_iter().flatten()
    }
}

/// Whether a field can be the booking-id field: a text that no two Leads may share, and that the org indexes and can search by.
pub fn is_key_field(field: &LeadField<'_>) -> bool {
    field.unique && field.external_id && field.filterable && field.field_type == FieldType::Text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(options: &[(&str, &str)]) -> Vec<Parameter> {
        options.iter().map(|(id, value)| Parameter::new(*id, *value)).collect()
    }

    fn chosen(options: &[Parameter]) -> Result<Choices<'_>, Box<Problem>> {
        Choices::of(options, ["LastName", "Email"].into_iter())
    }

    fn groups(locale: &str) -> Vec<OptionGroup> {
        options(None, locale).unwrap()
    }

    #[test]
    fn every_value_that_is_offered_is_understood_and_the_default_means_none_chosen() {
        let by_default = chosen(&[]).unwrap();
        for group in groups("en") {
            assert!(asked(&group.id).is_ok());
            for choice in &group.choices {
                let options = with(&[(&group.id, &choice.value)]);
                let choices = chosen(&options).unwrap();
                assert_eq!(choices == by_default, choice.value == group.default_value, "{} {}", group.id, choice.value);
            }
        }
    }

    #[test]
    fn every_text_is_in_the_readers_language() {
        let texts = |locale| {
            let of_group = |group: OptionGroup| {
                let labels = group.choices.into_iter().map(|choice| choice.label);
                labels.chain([group.label, group.help]).collect::<Vec<_>>()
            };
            groups(locale).into_iter().flat_map(of_group).collect::<Vec<_>>()
        };
        let is_japanese = |text: &String| text.chars().any(|c| ('\u{3040}'..'\u{a000}').contains(&c));
        assert!(texts("ja-JP").iter().all(is_japanese));
        assert!(texts("fr").iter().all(|text| !text.is_empty() && !is_japanese(text)));
        assert_eq!(list_targets("ja"), [OptionChoice { value: "Lead".into(), label: "リード".into() }]);
        assert_eq!(list_targets("").first().map(|target| &*target.label), Some("Lead"));
    }

    #[test]
    fn only_what_the_user_may_be_unable_to_list_can_be_typed() {
        let groups = groups("en");
        let ids = |is: fn(&OptionGroup) -> bool| {
            groups.iter().filter(|group| is(group)).map(|group| &*group.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(|group| group.asks), ["booking-id-field", "assignment-rules", "record-type", "owner"]);
        assert_eq!(ids(|group| group.typed), ["assignment-rules", "owner"]);
    }

    #[test]
    fn an_unknown_target_has_no_options() {
        assert_eq!(options(Some("Contact"), "en").unwrap_err().code, codes::TARGET_UNKNOWN);
    }

    #[test]
    fn without_a_choice_a_new_lead_is_created_and_the_active_rule_runs() {
        let options = with(&[("of-a-later-version", "x")]);
        let choices = chosen(&options).unwrap();
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
            let options = with(&[(id, value)]);
            let problem = chosen(&options).unwrap_err();
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
            let options = with(&options);
            assert_eq!(chosen(&options).unwrap().assignment_rules.header(), header, "{options:?}");
        }
    }
}
