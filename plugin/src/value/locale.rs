//! The decimal separators of languages and regions (CLDR 48, `decimal` of the default number system; a test compares the lists
//! with ICU4X's data).

/// What separates the whole part of a number from its fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Separator {
    Point,
    Comma,
}

/// Languages with a decimal comma.
const COMMA: &str = "ady af ast az ba be bg blo br bs bua ca cs cv da de dsb el eo es et eu fi fo fr fy gl hr hsb hu hy ia id ie is \
    it jv ka kbd kea kgp kk ksh ku ky lb lij lld lmo lo lt lv mk nb nds nl nn no oc pl pms prg pt rm ro ru rw sah sc scn sk sl sq \
    sr su sv szl tg tk tr tt uk uz vec vi vmw wo yrl";
/// Languages with a decimal point, so that a language that nobody knows is not taken for one.
const POINT: &str = "ak am ar as bn bo ceb chr ckb cy dz ee en fa fil ga gd gu ha haw he hi ig iw ja km kn ko kok ks lg mi ml mn mr \
    ms mt my ne om or pa ps qu sa sat sd si sn so sw ta te th ti tl to ug ur xh yo yue zh zu";
/// Regions that use the separator that their language does not.
const OTHERWISE: &str = "ar-DZ ar-LY ar-MA ar-TN az-IQ az-IR az-RU de-CH de-LI en-AT en-BE en-CZ en-DE en-DK en-EE en-ES en-FI en-FR \
    en-GE en-HU en-ID en-IT en-LT en-LV en-NL en-NO en-PL en-PT en-RO en-SE en-SI en-SK en-UA en-ZA es-BR es-BZ es-CU es-DO es-GT \
    es-HN es-JP es-MX es-NI es-PA es-PE es-PR es-SV es-US es-419 fr-RW it-CH kk-AF kk-CN kk-IR kk-MN ku-AM ku-AZ ku-GE ku-IQ ku-IR \
    ku-LB ku-TM ky-CN ky-TR ms-BN ms-ID qu-BO sw-CD tg-PK uz-AF";

/// The decimal separator of a locale such as `de`, `es-MX` or `zh-Hant-TW`; `None` if the language is not known.
pub fn decimal_separator(locale: &str) -> Option<Separator> {
    let mut subtags = locale.split(['-', '_']);
    let language = subtags.next()?;
    let has = |list: &str| list.split(' ').any(|known| known.eq_ignore_ascii_case(language));
    let usual = if has(COMMA) {
        Separator::Comma
    } else if has(POINT) {
        Separator::Point
    } else {
        return None;
    };
    // Extensions begin with one letter.
    let region = subtags.take_while(|subtag| subtag.len() > 1).find(|subtag| {
        (subtag.len() == 2 && subtag.bytes().all(|byte| byte.is_ascii_alphabetic()))
            || (subtag.len() == 3 && subtag.bytes().all(|byte| byte.is_ascii_digit()))
    });
    let is_otherwise = region.is_some_and(|region| {
        OTHERWISE
            .split(' ')
            .filter_map(|known| known.split_once('-'))
            .any(|(known, there)| known.eq_ignore_ascii_case(language) && there.eq_ignore_ascii_case(region))
    });
    Some(match (usual, is_otherwise) {
        (Separator::Comma, false) | (Separator::Point, true) => Separator::Comma,
        _ => Separator::Point,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use icu_decimal::{DecimalFormatter, input::Decimal};
    use icu_locale_core::Locale;

    fn of_cldr(locale: &str) -> Separator {
        let locale: Locale = locale.parse().unwrap();
        let formatter = DecimalFormatter::try_new(locale.into(), Default::default()).unwrap();
        let text = formatter.format(&"1.5".parse::<Decimal>().unwrap()).to_string();
        if text.contains(',') { Separator::Comma } else { Separator::Point }
    }

    #[test]
    fn separators_are_those_of_cldr() {
        let regions: Vec<String> =
            ('A'..='Z').flat_map(|one| ('A'..='Z').map(move |other| format!("{one}{other}"))).collect();
        for language in COMMA.split(' ').chain(POINT.split(' ')) {
            assert_eq!(decimal_separator(language), Some(of_cldr(language)), "{language}");
            for region in regions.iter().map(String::as_str).chain(["419", "001", "150"]) {
                let locale = format!("{language}-{region}");
                assert_eq!(decimal_separator(&locale), Some(of_cldr(&locale)), "{locale}");
            }
        }
    }

    #[test]
    fn locales_are_read_in_all_their_forms() {
        for (locale, expected) in [
            ("DE", Some(Separator::Comma)),
            ("de_CH", Some(Separator::Point)),
            ("es-Latn-MX", Some(Separator::Point)),
            ("es-419", Some(Separator::Point)),
            ("en-u-rg-dezzzz", Some(Separator::Point)),
            ("zh-Hant-TW", Some(Separator::Point)),
            ("xx", None),
            ("", None),
            ("日本語", None),
        ] {
            assert_eq!(decimal_separator(locale), expected, "{locale}");
        }
    }
}
