//! Help for people on what the host itself finds in a mapping, as `guidance.advice` of a plugin gives it on the plugin's codes.

use crm_contract::{Actor, AdviceStep, AdviceText, Parameter};
use fluent_bundle::{FluentArgs, FluentBundle, FluentResource};
use unic_langid::{LanguageIdentifier, langid};

use crate::codes;

const ENGLISH: (LanguageIdentifier, &str) = (langid!("en"), include_str!("../locales/en.ftl"));
const JAPANESE: (LanguageIdentifier, &str) = (langid!("ja"), include_str!("../locales/ja.ftl"));

/// Explains a code of [`codes`]; `None` for any other. `particulars` are those of the finding. The language is the closest one to a
/// BCP 47 tag: Japanese, or else English.
pub fn advice(code: &str, particulars: &[Parameter], locale: &str) -> Option<AdviceText> {
    if !codes::ALL.contains(&code) {
        return None;
    }
    let is_japanese = locale.parse::<LanguageIdentifier>().is_ok_and(|tag| tag.language == JAPANESE.0.language);
    let (language, catalog) = if is_japanese { JAPANESE } else { ENGLISH };
    let texts = Texts::of(&language, catalog, particulars)?;
    let steps_of = |who: Actor, name: &str| -> Vec<AdviceStep> {
        let texts = (1..).map_while(|number| texts.get(&format!("{code}-{name}-{number}")));
        texts.map(|action| AdviceStep { who: who.clone(), action, place: None }).collect()
    };
    Some(AdviceText {
        what: texts.get(&format!("{code}-what"))?,
        why: texts.get(&format!("{code}-why"))?,
        steps: [steps_of(Actor::CalendarOwner, "do"), steps_of(Actor::CrmAdmin, "admin")].concat(),
        locale: language.to_string(),
    })
}

struct Texts<'p> {
    bundle: FluentBundle<FluentResource>,
    particulars: FluentArgs<'p>,
}

impl<'p> Texts<'p> {
    fn of(language: &LanguageIdentifier, catalog: &str, particulars: &'p [Parameter]) -> Option<Self> {
        let mut bundle = FluentBundle::new(vec![language.clone()]);
        // The texts are plain: marks around inserted values would be seen in logs and terminals.
        bundle.set_use_isolating(false);
        bundle.add_resource(FluentResource::try_new(catalog.to_owned()).ok()?).ok()?;
        let particulars = particulars.iter().map(|given| (given.name.as_str(), given.value.as_str())).collect();
        Some(Self { bundle, particulars })
    }

    fn get(&self, id: &str) -> Option<String> {
        let pattern = self.bundle.get_message(id)?.value()?;
        Some(self.bundle.format_pattern(pattern, Some(&self.particulars), &mut Vec::new()).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_explained_in_both_languages() {
        for code in codes::ALL {
            let [ja, en] = ["ja-JP", "en-GB"].map(|locale| advice(code, &[], locale).unwrap());
            assert_eq!((ja.locale.as_str(), en.locale.as_str()), ("ja", "en"));
            assert_eq!(ja.steps.len(), en.steps.len(), "{code}");
            assert!(!ja.steps.is_empty() && ja.what != en.what && ja.why != en.why, "{code}");
        }
        assert_eq!(advice("no-such-code", &[], "en"), None);
        assert_eq!(advice(codes::FIELD_UNKNOWN, &[], "").unwrap().locale, "en");
    }

    #[test]
    fn braces_appear_as_they_are_typed() {
        assert!(advice(codes::TEMPLATE_INVALID, &[], "en").unwrap().why.contains("{guest.name}"));
    }
}
