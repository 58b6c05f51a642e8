//! The plugin's own choices, as a settings page shows them.

use crate::{
    bindings::settings::{LocalizedText, OptionChoice, OptionGroup, OptionSource},
    choices::ids,
    texts::{self, Language, Text},
};

/// All choices. The first one of each group is its default.
pub fn options() -> Vec<OptionGroup> {
    vec![
        group(
            ids::EXISTING,
            (&texts::OPTION_EXISTING, &texts::OPTION_EXISTING_HELP),
            &[
                ("create-another", &texts::OPTION_EXISTING_CREATE_ANOTHER),
                ("keep", &texts::OPTION_EXISTING_KEEP),
                ("fill-empty", &texts::OPTION_EXISTING_FILL_EMPTY),
                ("overwrite", &texts::OPTION_EXISTING_OVERWRITE),
            ],
            None,
        ),
        group(
            ids::DUPLICATES,
            (&texts::OPTION_DUPLICATES, &texts::OPTION_DUPLICATES_HELP),
            &[
                ("refuse", &texts::OPTION_DUPLICATES_REFUSE),
                ("save-anyway", &texts::OPTION_DUPLICATES_SAVE_ANYWAY),
                ("use-match", &texts::OPTION_DUPLICATES_USE_MATCH),
            ],
            None,
        ),
        group(
            ids::BOOKING_ID_FIELD,
            (&texts::OPTION_BOOKING_ID_FIELD, &texts::OPTION_BOOKING_ID_FIELD_HELP),
            &[("none", &texts::OPTION_BOOKING_ID_FIELD_NONE)],
            Some(OptionSource::UniqueTextField),
        ),
        group(
            ids::ASSIGNMENT_RULES,
            (&texts::OPTION_ASSIGNMENT_RULES, &texts::OPTION_ASSIGNMENT_RULES_HELP),
            &[("run", &texts::OPTION_ASSIGNMENT_RULES_RUN), ("skip", &texts::OPTION_ASSIGNMENT_RULES_SKIP)],
            Some(OptionSource::RecordId),
        ),
        group(
            ids::RECORD_TYPE,
            (&texts::OPTION_RECORD_TYPE, &texts::OPTION_RECORD_TYPE_HELP),
            &[("default", &texts::OPTION_RECORD_TYPE_DEFAULT)],
            Some(OptionSource::RecordType),
        ),
        group(
            ids::OWNER,
            (&texts::OPTION_OWNER, &texts::OPTION_OWNER_HELP),
            &[("automatic", &texts::OPTION_OWNER_AUTOMATIC)],
            Some(OptionSource::RecordId),
        ),
    ]
}

fn group(
    id: &str,
    (label, help): (&Text, &Text),
    choices: &[(&str, &Text)],
    source: Option<OptionSource>,
) -> OptionGroup {
    OptionGroup {
        id: id.to_owned(),
        label: localized(label),
        help: localized(help),
        choices: choices
            .iter()
            .map(|(value, label)| OptionChoice { value: (*value).to_owned(), label: localized(label) })
            .collect(),
        source,
        default_value: choices.first().map(|(value, _)| (*value).to_owned()).unwrap_or_default(),
    }
}

fn localized(text: &Text) -> Vec<LocalizedText> {
    let of =
        |language: Language| LocalizedText { locale: language.tag().to_owned(), text: text.to(language).to_owned() };
    Language::ALL.map(of).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        bindings::types::{ChosenOption, Mapping},
        choices::Choices,
        fixture,
    };

    #[test]
    fn every_choice_that_is_offered_is_understood_and_the_default_means_none_chosen() {
        let none = fixture::mapping();
        let by_default = Choices::of(&none).unwrap();
        for group in options() {
            for choice in &group.choices {
                let chosen = ChosenOption { id: group.id.clone(), value: choice.value.clone() };
                let mapping = Mapping { options: vec![chosen], ..fixture::mapping() };
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
}
