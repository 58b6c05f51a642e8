//! Currencies in a text, as people type them before or after an amount.

/// ISO 4217, the codes of currencies in use.
const CODES: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC \
    CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY \
    KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR \
    NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP \
    TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG";

/// Whether a character is a currency sign: Unicode's (General_Category Sc), and the words of East Asia.
fn is_sign(c: char) -> bool {
    matches!(
        u32::from(c),
        0x24 | 0xA2..=0xA5
            | 0x58F | 0x60B | 0x7FE..=0x7FF | 0x9F2..=0x9F3 | 0x9FB | 0xAF1 | 0xBF9 | 0xE3F | 0x17DB
            | 0x20A0..=0x20CF
            | 0xA838 | 0xFDFC | 0xFE69 | 0xFF04 | 0xFFE0..=0xFFE1 | 0xFFE5..=0xFFE6
            | 0x11FDD..=0x11FE0 | 0x1E2FF | 0x1ECB0
    ) || matches!(c, '円' | '元' | '圓' | '원')
}

/// The amount without its currency, and the currency as typed: before the amount, or else after it.
pub fn amount(text: &str) -> (&str, Option<&str>) {
    let whole =
        |text: &str| text.trim_start().starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.' || c == ',');
    for length in [first_sign(text), first_code(text)].into_iter().flatten() {
        if let (Some(currency), Some(rest)) = (text.get(..length), text.get(length..))
            && whole(rest)
        {
            return (rest.trim_start(), Some(currency));
        }
    }
    for length in [last_sign(text), last_code(text)].into_iter().flatten() {
        let at = text.len() - length;
        if let (Some(rest), Some(currency)) = (text.get(..at), text.get(at..)) {
            return (rest.trim_end(), Some(currency));
        }
    }
    (text, None)
}

fn first_sign(text: &str) -> Option<usize> {
    text.chars().next().filter(|c| is_sign(*c)).map(char::len_utf8)
}

fn last_sign(text: &str) -> Option<usize> {
    text.chars().next_back().filter(|c| is_sign(*c)).map(char::len_utf8)
}

fn first_code(text: &str) -> Option<usize> {
    text.get(..3).filter(|code| is_code(code)).map(str::len)
}

fn last_code(text: &str) -> Option<usize> {
    text.get(text.len().checked_sub(3)?..).filter(|code| is_code(code)).map(str::len)
}

/// Whether a text is the code of a currency.
pub fn is_code(text: &str) -> bool {
    text.len() == 3 && CODES.split(' ').any(|code| code == text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use icu_properties::{CodePointMapData, props::GeneralCategory};

    #[test]
    fn signs_are_those_of_unicode() {
        let categories = CodePointMapData::<GeneralCategory>::new();
        for c in ('\0'..=char::MAX).filter(|c| categories.get(*c) == GeneralCategory::CurrencySymbol) {
            assert!(is_sign(c), "U+{:04X}", u32::from(c));
        }
    }

    #[test]
    fn a_currency_is_before_or_after_the_amount() {
        for (text, expected) in [
            ("€ 49,90", ("49,90", Some("€"))),
            ("49.90 EUR", ("49.90", Some("EUR"))),
            ("USD -5", ("-5", Some("USD"))),
            ("5,500円", ("5,500", Some("円"))),
            ("12 PCS", ("12 PCS", None)),
            ("EUR", ("", Some("EUR"))),
            ("12", ("12", None)),
        ] {
            assert_eq!(amount(text), expected, "{text}");
        }
    }
}
