//! Every text that people read, in every language of `locales/`. `build.rs` makes the statics from the catalogues.

// A text that nothing uses is an error, like one that is missing.
#![deny(dead_code)]

/// A text in every language.
pub struct Text {
    pub en: &'static str,
    pub ja: &'static str,
}

/// What people read about one cause of an error.
pub struct Advice<const STEPS: usize> {
    pub what: Text,
    pub why: Text,
    pub steps: [Text; STEPS],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    English,
    Japanese,
}

impl Language {
    /// The closest language to a BCP 47 tag: Japanese for any kind of Japanese, English for everything else.
    pub fn closest(locale: &str) -> Self {
        let primary = locale.split(['-', '_']).next().unwrap_or_default();
        if primary.eq_ignore_ascii_case("ja") { Self::Japanese } else { Self::English }
    }

    /// Its BCP 47 tag.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Japanese => "ja",
        }
    }
}

impl Text {
    pub fn to(&self, language: Language) -> &'static str {
        match language {
            Language::English => self.en,
            Language::Japanese => self.ja,
        }
    }
}

include!(concat!(env!("OUT_DIR"), "/texts.rs"));
