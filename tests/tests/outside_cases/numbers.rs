//! Numbers as people of different languages type them: `1.500` is one and a half in Tokyo and one thousand five hundred in Berlin.

use super::{
    Kind,
    bed::{Bed, booking_with},
};
use anyhow::Result;
use serde_json::{Value, json};

const ORG: &str = r#"
duplicate-rules = []

[[fields]]
name = "Count__c"
type = "double"
precision = 18
scale = 3
[[fields]]
name = "Price__c"
type = "currency"
precision = 18
scale = 2
[[fields]]
name = "Rate__c"
type = "percent"
precision = 18
scale = 3
[[fields]]
name = "CurrencyIsoCode"
type = "picklist"
length = 255
restricted = true
values = ["JPY", "EUR"]
"#;

/// Locale, answer, and the number; `None` where nobody can tell, which is a finding.
const CASES: &[(&str, &str, Option<f64>)] = &[
    // The locale decides what the shape does not.
    ("de", "1.500", Some(1_500.0)),
    ("de-DE", "10.000", Some(10_000.0)),
    ("de-AT", "1.500", Some(1_500.0)),
    ("hu", "1.500", Some(1_500.0)),
    ("hu-HU", "10.000", Some(10_000.0)),
    ("it", "2.750", Some(2_750.0)),
    ("es", "1.500", Some(1_500.0)),
    ("es-ES", "1,500", Some(1.5)),
    ("es-MX", "1,500", Some(1_500.0)),
    ("es-MX", "1.500", Some(1.5)),
    // A separator at the end tells nothing.
    ("en", "1.500,", Some(1.5)),
    ("de", "1,500.", Some(1.5)),
    ("de", "1.500,", Some(1_500.0)),
    ("", "1.500,", None),
    ("pt-BR", "1.500", Some(1_500.0)),
    ("nl", "1.500", Some(1_500.0)),
    ("id", "1.500", Some(1_500.0)),
    ("tr_TR", "1.500", Some(1_500.0)),
    ("vi", "1.500", Some(1_500.0)),
    ("de", "1,500", Some(1.5)),
    ("fr", "1,500", Some(1.5)),
    ("ja", "1,500", Some(1_500.0)),
    ("ja-JP", "1.500", Some(1.5)),
    ("en", "1,500", Some(1_500.0)),
    ("en-US", "1.500", Some(1.5)),
    ("en-GB", "10,000", Some(10_000.0)),
    ("ko", "1,500", Some(1_500.0)),
    ("zh-Hant-TW", "1,500", Some(1_500.0)),
    ("th", "1,500", Some(1_500.0)),
    ("de-CH", "1.500", Some(1.5)),
    ("de-u-nu-latn", "1.500", Some(1_500.0)),
    // These group with blanks or apostrophes: what is not their decimal separator separates thousands all the same.
    ("fr", "1.500", Some(1_500.0)),
    ("pl", "10.000", Some(10_000.0)),
    ("de-CH", "1,500", Some(1_500.0)),
    ("en-ZA", "1.500", Some(1_500.0)),
    // Nobody can tell: there is no locale, or none that is known.
    ("", "1.500", None),
    ("", "1,500", None),
    ("xx", "10.000", None),
    ("", "-1.500", None),
    // The shape decides, whatever the locale.
    ("ja", "1.234.567,8", Some(1_234_567.8)),
    ("de", "1,234,567.8", Some(1_234_567.8)),
    ("", "1.234.567", Some(1_234_567.0)),
    ("", "1,234.567", Some(1_234.567)),
    ("", "1.234,567", Some(1_234.567)),
    ("", "0,500", Some(0.5)),
    ("de", "0.500", Some(0.5)),
    ("ja", "1,5", Some(1.5)),
    ("de", "1.5", Some(1.5)),
    ("hu", "49.90", Some(49.9)),
    ("", "1234.567", Some(1_234.567)),
    ("de", "1234,567", Some(1_234.567)),
    ("fr", "1\u{202F}234\u{202F}567,5", Some(1_234_567.5)),
    ("cs", "1\u{A0}500", Some(1_500.0)),
    ("ru", "1 500,250", Some(1_500.25)),
    ("de-CH", "1’234’567.50", Some(1_234_567.5)),
    ("de-CH", "1'500", Some(1_500.0)),
    ("hi", "12,34,567", Some(1_234_567.0)),
    ("en-IN", "1,00,000.50", Some(100_000.5)),
    // Digits of other scripts.
    ("ar", "١٬٥٠٠٫٥", Some(1_500.5)),
    ("fa", "۱۲۳۴", Some(1_234.0)),
    ("hi", "१२३", Some(123.0)),
    ("ja", "１，５００", Some(1_500.0)),
    ("bn", "১২", Some(12.0)),
    // Minus signs of all kinds.
    ("en", "–5", Some(-5.0)),
    ("en", "‐5", Some(-5.0)),
];

/// Text in a currency field, the number, and the currency that the finding names.
const MONEY: &[(&str, f64, Option<&str>)] = &[
    ("€ 49,90", 49.9, Some("€")),
    ("49.90 EUR", 49.9, Some("EUR")),
    ("CHF 1'500.50", 1_500.5, Some("CHF")),
    ("5,500円", 5_500.0, Some("円")),
    ("￥５，５００", 5_500.0, Some("¥")),
    ("₹ 1,00,000", 100_000.0, Some("₹")),
    ("₫ 120", 120.0, Some("₫")),
    ("49.90", 49.9, None),
    ("5,500", 5_500.0, None),
];

fn booking_in(locale: &str, answer: &str) -> Result<crm_booking::Booking> {
    let locale = Some(locale).filter(|locale| !locale.is_empty());
    let guest = json!({ "name": "Anna Weiss", "email": "anna@example.com", "company": "Nordwind", "locale": locale });
    let answers = [json!({ "question_id": "q", "label": "q", "kind": "text", "required": false, "value": answer })];
    booking_with(json!({ "guest": guest, "answers": answers }))
}

pub async fn cases() -> Result<Kind> {
    let mut kind = Kind::new("numbers");
    let bed = Bed::of(ORG).await?;
    let answered = json!({ "answer": "q" });
    let mapped = bed.mapping([("Count__c", answered.clone())])?;
    for (locale, answer, expected) in CASES {
        let written = bed.written(&booking_in(locale, answer)?, &mapped, "Count__c").await?;
        let codes: &[&str] = if expected.is_some() { &[] } else { &["number-ambiguous"] };
        kind.case(format!("{answer} of {locale}"), (written.stored.as_f64(), &*written.codes()), (*expected, codes));
        if expected.is_none() {
            let readings = (written.particular("value"), written.particular("smaller"), written.particular("larger"));
            kind.case(
                format!("{answer} of {locale} has both readings"),
                readings.1.is_some() && readings.2.is_some(),
                true,
            );
        }
    }
    let percent = bed.mapping([("Rate__c", answered.clone())])?;
    let written = bed.written(&booking_in("de", "12,5 %")?, &percent, "Rate__c").await?;
    kind.case("a percentage", written.stored.as_f64(), Some(12.5));

    // What the mapping's owner typed is not read by the guest's language.
    for locale in ["de", "ja"] {
        let fixed = bed.mapping([("Count__c", json!({ "fixed": "1.500" }))])?;
        let written = bed.written(&booking_in(locale, "x")?, &fixed, "Count__c").await?;
        kind.case(format!("a fixed value for {locale}"), written.codes(), vec!["number-ambiguous"]);
    }

    let mapped = bed.mapping([("Price__c", answered.clone())])?;
    for (answer, amount, currency) in MONEY {
        let written = bed.written(&booking_in("ja", answer)?, &mapped, "Price__c").await?;
        kind.case(format!("{answer} is written"), written.stored.as_f64(), Some(*amount));
        let codes: Vec<&str> = currency.iter().map(|_| "currency-not-carried").collect();
        kind.case(
            format!("the currency of {answer}"),
            (written.codes(), written.particular("currency")),
            (codes, *currency),
        );
    }
    // A row that writes the currency carries it.
    let with_currency = bed.mapping([("Price__c", answered), ("CurrencyIsoCode", json!({ "fixed": "EUR" }))])?;
    for (answer, codes) in [("49.90 EUR", vec![]), ("€49.90", vec![]), ("49.90 JPY", vec!["currency-not-carried"])] {
        let written = bed.written(&booking_in("en", answer)?, &with_currency, "Price__c").await?;
        kind.case(format!("{answer} with a row for the currency"), written.codes(), codes);
    }
    // A payment has its currency beside it.
    let paid = || -> Result<_> {
        booking_with(json!({ "payment": { "provider": "stripe", "amount": "49.90", "currency": "EUR" } }))
    };
    let amount = ("Price__c", json!({ "booking": "payment.amount" }));
    let alone = bed.written(&paid()?, &bed.mapping([amount.clone()])?, "Price__c").await?;
    kind.case(
        "a payment alone",
        (alone.codes(), alone.particular("currency")),
        (vec!["currency-not-carried"], Some("EUR")),
    );
    let both = bed.mapping([amount, ("CurrencyIsoCode", json!({ "booking": "payment.currency" }))])?;
    let both = bed.written(&paid()?, &both, "CurrencyIsoCode").await?;
    kind.case("a payment with its currency", (both.codes(), &both.stored), (vec![], &Value::from("EUR")));
    Ok(kind)
}
