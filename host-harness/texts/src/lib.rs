//! What people read of the command and its errors, in English and Japanese.
//!
//! The texts are in `locales/`, in the words of `docs/glossary.md`. Each message has a method, made from the English catalog; errors are
//! looked up by their stable codes ([`Texts::explain`]), so that a command and settings pages explain them alike.

use std::fmt;

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use unic_langid::{LanguageIdentifier, langid};

include!(concat!(env!("OUT_DIR"), "/methods.rs"));

/// The languages that there are texts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Japanese.
    Japanese,
}

impl Language {
    /// The closest language to a BCP 47 tag: Japanese, or else English.
    pub fn closest(tag: &str) -> Self {
        let is_japanese = tag.parse::<LanguageIdentifier>().is_ok_and(|tag| tag.language == langid!("ja").language);
        if is_japanese { Self::Japanese } else { Self::English }
    }

    fn catalog(self) -> (LanguageIdentifier, &'static str) {
        match self {
            Self::English => (langid!("en"), include_str!("../locales/en.ftl")),
            Self::Japanese => (langid!("ja"), include_str!("../locales/ja.ftl")),
        }
    }
}

/// What an error means, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What went wrong, in one sentence.
    pub headline: String,
    /// What to do. `None` where the headline says all.
    pub remedy: Option<String>,
}

/// The texts of one language.
pub struct Texts {
    language: Language,
    bundle: FluentBundle<FluentResource>,
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Texts").field("language", &self.language).finish_non_exhaustive()
    }
}

impl Texts {
    /// The texts of a language.
    pub fn new(language: Language) -> Self {
        let (identifier, catalog) = language.catalog();
        let mut bundle = FluentBundle::new_concurrent(vec![identifier]);
        // The texts are plain: marks around inserted values would be seen in logs and terminals.
        bundle.set_use_isolating(false);
        // A test parses both catalogs. What cannot be parsed is left out.
        let resource = FluentResource::try_new(catalog.to_owned()).unwrap_or_else(|(parsed, _)| parsed);
        bundle.add_resource_overriding(resource);
        Self { language, bundle }
    }

    /// The language.
    pub fn language(&self) -> Language {
        self.language
    }

    /// What an error with this stable code means; `None` for a code without a text.
    pub fn explain(&self, code: &str) -> Option<Explanation> {
        let message = self.bundle.get_message(&format!("code-{code}"))?;
        let text = |pattern| self.bundle.format_pattern(pattern, None, &mut Vec::new()).into_owned();
        let remedy = message.get_attribute("do").map(|attribute| text(attribute.value()));
        Some(Explanation { headline: text(message.value()?), remedy })
    }

    fn format<const N: usize>(&self, id: &str, values: [(&'static str, FluentValue<'_>); N]) -> String {
        let Some(pattern) = self.bundle.get_message(id).and_then(|message| message.value()) else {
            return id.to_owned();
        };
        let arguments: FluentArgs<'_> = values.into_iter().collect();
        self.bundle.format_pattern(pattern, Some(&arguments), &mut Vec::new()).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_catalogs_parse() {
        for language in [Language::English, Language::Japanese] {
            let (_, catalog) = language.catalog();
            let parsed = FluentResource::try_new(catalog.to_owned());
            assert!(parsed.is_ok(), "{language:?}: {:?}", parsed.err().map(|(_, errors)| errors));
        }
    }

    #[test]
    fn a_language_is_the_closest_to_a_tag() {
        for (tag, language) in [
            ("ja", Language::Japanese),
            ("ja-JP", Language::Japanese),
            ("ja-Latn-JP", Language::Japanese),
            ("en-GB", Language::English),
            ("de", Language::English),
            ("jam", Language::English),
            ("", Language::English),
            ("nonsense!", Language::English),
        ] {
            assert_eq!(Language::closest(tag), language, "{tag}");
        }
    }

    #[test]
    fn a_text_has_its_values_and_its_number() {
        let (en, ja) = (Texts::new(Language::English), Texts::new(Language::Japanese));
        assert_eq!(en.left_out_count(1), "1 value was not written; see above.");
        assert_eq!(en.left_out_count(2), "2 values were not written; see above.");
        assert!(ja.left_out_count(2).contains("2 件"));
        assert!(en.connected("sales", "https://acme.example").contains("`sales` to https://acme.example"));
    }

    #[test]
    fn an_error_is_explained_by_its_code() {
        for language in [Language::English, Language::Japanese] {
            let texts = Texts::new(language);
            assert!(texts.explain("no-connection").is_some_and(|known| known.remedy.is_some()));
            assert_eq!(texts.explain("no-such-code"), None);
        }
    }
}
