//! Characters that nobody sees, and characters that look alike: direction marks pasted with a telephone number, wave dashes of
//! two systems, accents as macOS decomposes them.

use super::{
    Kind,
    bed::{Bed, booking, booking_with},
};
use acceptance::samples;
use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

const ORG: &str = r#"
duplicate-rules = []

[[fields]]
name = "Size__c"
type = "picklist"
length = 255
restricted = true
values = ["1～10名", "11～50名", "51～300名", "Women's wear", '"Pro" plan', "New York", "A-1", "Café", "が く", "Việt Nam", "한국", "👩‍💻 Dev"]

[[fields]]
name = "Twin__c"
type = "picklist"
length = 255
restricted = true
values = ["A-1", "A–1", { value = "x", label = "B ~ C" }, { value = "y", label = "B 〜 C", active = false }, { value = "z", label = "D—E" }, "D-E"]

[[fields]]
name = "Area__c"
type = "multipicklist"
length = 4099
restricted = true
values = ["A－1", "B－2"]

[[fields]]
name = "Open__c"
type = "picklist"
length = 255
values = ["Web"]

[[fields]]
name = "Line__c"
type = "string"
length = 80
[[fields]]
name = "Note__c"
type = "textarea"
length = 32768
[[fields]]
name = "Tel__c"
type = "phone"
length = 40
[[fields]]
name = "Site__c"
type = "url"
length = 255
[[fields]]
name = "Count__c"
type = "double"
precision = 18
scale = 2
[[fields]]
name = "Day__c"
type = "date"
[[fields]]
name = "At__c"
type = "datetime"
[[fields]]
name = "Slot__c"
type = "time"
[[fields]]
name = "Ok__c"
type = "boolean"
[[fields]]
name = "Ref__c"
type = "reference"
reference-to = ["User"]
"#;

const REMOVED: &str = "invisible-characters-removed";
const REPLACED: &str = "characters-replaced";
const AMBIGUOUS: &str = "picklist-value-ambiguous";

/// Field, answer, what the org stores, and the codes of the findings.
fn table() -> Vec<(&'static str, Value, Value, &'static [&'static str])> {
    vec![
        // Wave dashes and tildes.
        ("Size__c", json!("11〜50名"), json!("11～50名"), &[]),
        ("Size__c", json!("11~50名"), json!("11～50名"), &[]),
        ("Size__c", json!("１１∼５０名"), json!("11～50名"), &[]),
        ("Size__c", json!("51\u{2DC}300名"), json!("51～300名"), &[]),
        ("Size__c", json!("51\u{3030}300名"), json!("51～300名"), &[]),
        // Dashes, hyphens and minus signs.
        ("Area__c", json!(["A−1", "B－2"]), json!("A－1;B－2"), &[]),
        ("Area__c", json!(["A-1", "B\u{2010}2"]), json!("A－1;B－2"), &[]),
        ("Area__c", json!("A\u{2011}1;B\u{2015}2"), json!("A－1;B－2"), &[]),
        ("Size__c", json!("A—1"), json!("A-1"), &[]),
        ("Size__c", json!("A\u{FE63}1"), json!("A-1"), &[]),
        ("Size__c", json!("A\u{2012}1"), json!("A-1"), &[]),
        // Quotation marks and apostrophes.
        ("Size__c", json!("Women’s wear"), json!("Women's wear"), &[]),
        ("Size__c", json!("Women\u{2BC}s wear"), json!("Women's wear"), &[]),
        ("Size__c", json!("Women＇s wear"), json!("Women's wear"), &[]),
        ("Size__c", json!("“Pro” plan"), json!("\"Pro\" plan"), &[]),
        ("Size__c", json!("„Pro“ plan"), json!("\"Pro\" plan"), &[]),
        ("Size__c", json!("«Pro» plan"), json!("\"Pro\" plan"), &[]),
        // Blanks.
        ("Size__c", json!("New  York"), json!("New York"), &[]),
        ("Size__c", json!("New\u{A0}York"), json!("New York"), &[]),
        ("Size__c", json!("New\u{3000}York"), json!("New York"), &[]),
        ("Size__c", json!("New\u{202F}\u{2009}York\u{A0}"), json!("New York"), &[]),
        ("Size__c", json!("New\tYork"), json!("New York"), &[]),
        // Decomposed and composed.
        ("Size__c", json!("か\u{3099} く"), json!("が く"), &[]),
        ("Size__c", json!("Cafe\u{301}"), json!("Café"), &[]),
        ("Size__c", json!("Vie\u{323}\u{302}t Nam"), json!("Việt Nam"), &[]),
        ("Size__c", json!("\u{1112}\u{1161}\u{11AB}\u{1100}\u{116E}\u{11A8}"), json!("한국"), &[]),
        // Exact matches win, invisible characters included; two that are alike are not told apart by a guess.
        ("Size__c", json!("👩‍💻 Dev"), json!("👩‍💻 Dev"), &[]),
        ("Twin__c", json!("A-1"), json!("A-1"), &[]),
        ("Twin__c", json!("A–1"), json!("A–1"), &[]),
        ("Twin__c", json!("A−1"), Value::Null, &[AMBIGUOUS]),
        ("Twin__c", json!("B ～ C"), json!("x"), &[]),
        ("Twin__c", json!("D‐E"), Value::Null, &[AMBIGUOUS]),
        // Invisible characters.
        ("Size__c", json!("A-1\u{200B}"), json!("A-1"), &[REMOVED]),
        ("Size__c", json!("\u{FEFF}New\u{2060} York"), json!("New York"), &[REMOVED]),
        ("Size__c", json!("New\u{AD} York\u{FE0F}"), json!("New York"), &[REMOVED]),
        ("Size__c", json!("A\u{E0101}-1\u{E0020}"), json!("A-1"), &[REMOVED]),
        ("Area__c", json!("A－1\u{200E};\u{3164}B－2"), json!("A－1;B－2"), &[REMOVED]),
        ("Open__c", json!("We\u{200C}b"), json!("Web"), &[REMOVED]),
        ("Open__c", json!("Fa\u{200B}x"), json!("Fax"), &[REMOVED]),
        ("Email", json!("misaki\u{200B}@example.com"), json!("misaki@example.com"), &[REMOVED]),
        ("Email", json!("\u{FEFF}misaki@example\u{AD}.com"), json!("misaki@example.com"), &[REMOVED]),
        ("Email", json!("\u{202A}misaki@example.com\u{202C}"), json!("misaki@example.com"), &[REMOVED]),
        ("Email", json!(" \u{2066}misaki@example.com \u{2069}"), json!("misaki@example.com"), &[REMOVED]),
        ("Email", json!("ｍｉｓａｋｉ＠ｅｘａｍｐｌｅ．ｃｏｍ"), json!("misaki@example.com"), &[REPLACED]),
        ("Tel__c", json!("\u{202A}+81 3-1234-5678\u{202C}"), json!("+81 3-1234-5678"), &[REMOVED]),
        ("Tel__c", json!("\u{2068}03\u{2060}1234\u{2069}"), json!("031234"), &[REMOVED]),
        ("Site__c", json!("https://minato\u{200B}.example/\u{200D}"), json!("https://minato.example/"), &[REMOVED]),
        ("Count__c", json!("1\u{200B}200"), json!(1200.0), &[REMOVED]),
        ("Count__c", json!("\u{200E}12.5\u{61C}"), json!(12.5), &[REMOVED]),
        ("Day__c", json!("\u{200E}2026-12-02\u{200F}"), json!("2026-12-02"), &[REMOVED]),
        ("At__c", json!("2026-12-02T08:30:00\u{200B}+09:00"), json!("2026-12-01T23:30:00.000+0000"), &[REMOVED]),
        ("Slot__c", json!("\u{200E}8:30"), json!("08:30:00.000Z"), &[REMOVED]),
        ("Ok__c", json!("はい\u{FE0F}"), json!(true), &[REMOVED]),
        ("Ok__c", json!("I don\u{2019}t\u{A0}agree"), json!(false), &[]),
        // Free text stays as it is, on one line too.
        ("Line__c", json!("a\u{200B}b\u{AD}"), json!("a\u{200B}b\u{AD}"), &[]),
        ("Note__c", json!("👩‍💻❤️ \u{200F}שלום"), json!("👩‍💻❤️ \u{200F}שלום"), &[]),
        // What only has characters that nobody sees is blank.
        ("Line__c", json!("\u{200B}\u{FEFF}"), Value::Null, &[]),
        ("Line__c", json!("\u{3164} \u{2800}\u{E0001}"), Value::Null, &[]),
        ("Area__c", json!(["\u{2060}", "A－1"]), json!("A－1"), &[]),
    ]
}

pub async fn cases() -> Result<Kind> {
    let mut kind = Kind::new("characters");
    let bed = Bed::of(ORG).await?;
    for (field, answer, stored, codes) in table() {
        let name = format!("{field} {}", escaped(&answer.to_string()));
        let (booking, mapped) = if field == "Email" {
            (booking_with(json!({ "guest": guest(&[("email", answer)]) }))?, bed.mapping([])?)
        } else {
            (booking([("q", answer)])?, bed.mapping([(field, json!({ "answer": "q" }))])?)
        };
        let written = bed.written(&booking, &mapped, field).await?;
        kind.case(format!("{name} is stored"), &written.stored, &stored);
        kind.case(format!("{name} has findings"), written.codes(), codes.to_vec());
        if field != "Count__c" && field != "At__c" {
            kind.case(format!("{name} is promised"), &written.promised, &written.stored);
        }
    }

    // The finding names each character once.
    let named = booking_with(json!({ "guest": guest(&[("email", json!("\u{200B}a\u{200B}\u{AD}@x.org\u{E0001}"))]) }))?;
    let written = bed.written(&named, &bed.mapping([])?, "Email").await?;
    kind.case("characters are named", written.particular("characters"), Some("U+200B U+00AD U+E0001"));

    // A record id, which the org generates.
    let user = bed.system.org().user_id("hanako.suzuki@example.com").context("a user")?;
    let given = booking([("q", json!(format!("{user}\u{200B}")))])?;
    let written = bed.written(&given, &bed.mapping([("Ref__c", json!({ "answer": "q" }))])?, "Ref__c").await?;
    kind.case("a record id", (&written.stored, written.codes()), (&json!(user), vec![REMOVED]));

    // A blank company takes the fallback, in the host too.
    for blank in ["\u{200B}", "\u{3164}", "\u{2060}\u{FEFF} \u{AD}"] {
        let given = booking_with(json!({ "guest": guest(&[("company", json!(blank))]) }))?;
        let rows = json!({ "rows": [
            { "field": "LastName", "source": { "booking": "guest.family-name" } },
            { "field": "Company", "source": { "booking": "guest.company" }, "fallback": "個人" },
        ]});
        let mapped = samples::mapping_of(rows, &bed.system.fields().await?)?;
        let resolved = mapped.resolve(&given);
        kind.case("the host finds it blank", resolved.mapping.rows.get(1).is_some_and(|row| row.value.is_none()), true);
        kind.case("its fallback", bed.written(&given, &mapped, "Company").await?.stored, json!("個人"));
    }

    // The address of the look-up is the cleaned one.
    let existing = json!({ "LastName": "高橋", "Company": "x", "Email": "lookup@example.com" });
    let id = bed.system.org().insert_lead(existing.as_object().cloned().unwrap_or_default());
    for address in ["lookup\u{200B}@example.com", "ｌｏｏｋｕｐ@example.com", "\u{FEFF}LOOKUP@example.com"] {
        let given = booking_with(json!({ "guest": guest(&[("email", json!(address))]) }))?;
        let kept = bed.deliver(&given, &bed.mapping([])?.with_option("existing", "keep")?).await?;
        let kept = kept.map(|delivery| samples::record_id(&delivery).to_owned()).map_err(|problem| problem.code);
        kind.case("an existing Lead is found", kept, Ok(id.clone()));
    }

    // Value tables, question ids and honorifics.
    let given = booking([("plan-〜Cafe\u{301}", json!("51～300\u{200B}名"))])?;
    let rows = json!({ "rows": [
        { "field": "LastName", "source": { "booking": "guest.family-name" } },
        { "field": "Company", "source": { "booking": "guest.company" } },
        { "field": "Line__c", "source": { "answer": "plan-～Café" }, "values": { "51〜300名": "51-300" } },
    ]});
    let mapped = samples::mapping_of(rows, &bed.system.fields().await?)?;
    let written = bed.written(&given, &mapped, "Line__c").await?;
    kind.case("a value table and a question id", (&written.stored, written.codes()), (&json!("51-300"), vec![]));
    for (name, family) in
        [("高橋 美咲 様\u{200B}", "高橋"), ("Dr.\u{200B} Anna Weiss", "Weiss"), ("Anna \u{200B} Weiss", "Weiss")]
    {
        let given = booking_with(json!({ "guest": guest(&[("name", json!(name)), ("locale", json!("de"))]) }))?;
        let written = bed.written(&given, &bed.mapping([])?, "LastName").await?;
        kind.case(format!("family name of {name}"), written.stored, json!(family));
    }
    Ok(kind)
}

/// The guest of all bookings here, with some members replaced.
fn guest(members: &[(&str, Value)]) -> Value {
    let usual =
        json!({ "name": "高橋 美咲", "email": "misaki@example.com", "company": "株式会社みなと", "locale": "ja" });
    let mut guest: Map<String, Value> = usual.as_object().cloned().unwrap_or_default();
    guest.extend(members.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    Value::Object(guest)
}

/// A text whose characters beyond ASCII can be told apart.
fn escaped(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii() { c.to_string() } else { c.escape_unicode().to_string() }).collect()
}
