//! Fields that hold HTML: what a guest types is text, and must be read as text there.

use super::{
    Kind,
    bed::{Bed, booking, booking_with},
};
use acceptance::samples::after_unknown;
use anyhow::Result;
use crm_contract::Outcome;
use salesforce_local_org::Fault;
use serde_json::{Value, json};

const ORG: &str = r#"
duplicate-rules = []

[[fields]]
name = "Notes__c"
type = "textarea"
length = 32768
extra-type-info = "richtextarea"
[[fields]]
name = "Short__c"
type = "textarea"
length = 256
html-formatted = true
[[fields]]
name = "Tiny__c"
type = "textarea"
length = 20
html-formatted = true
[[fields]]
name = "Plain__c"
type = "textarea"
length = 32768
[[fields]]
name = "Link__c"
type = "string"
length = 1300
formula = 'Company & " / " & Name'
html-formatted = true
"#;

/// Answer, and what a rich text area holds.
const ESCAPED: &[(&str, &str)] = &[
    (
        "1. 料金について\n2. 契約 <重要> & 期間\nA<B なら?",
        "1. 料金について<br>2. 契約 &lt;重要&gt; &amp; 期間<br>A&lt;B なら?",
    ),
    ("a\r\nb\rc\nd", "a<br>b<br>c<br>d"),
    ("a\u{2028}b\u{2029}c", "a<br>b<br>c"),
    ("a\n\nb", "a<br><br>b"),
    ("<script>alert('x')</script>", "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"),
    ("\"quoted\" & 'single'", "&quot;quoted&quot; &amp; &#39;single&#39;"),
    ("&amp; stays &lt;", "&amp;amp; stays &amp;lt;"),
    ("<b>bold</b>", "&lt;b&gt;bold&lt;/b&gt;"),
    ("a  b   c", "a&nbsp; b&nbsp;&nbsp; c"),
    ("line\n  indented", "line<br>&nbsp; indented"),
    ("👩‍💻 & ❤️", "👩‍💻 &amp; ❤️"),
    ("plain text", "plain text"),
];

pub async fn cases() -> Result<Kind> {
    let mut kind = Kind::new("HTML fields");
    let bed = Bed::of(ORG).await?;
    let answered = json!({ "answer": "q" });
    for (answer, expected) in ESCAPED {
        let given = booking([("q", json!(answer))])?;
        let mapped = bed.mapping([("Notes__c", answered.clone()), ("Plain__c", answered.clone())])?;
        let rich = bed.written(&given, &mapped, "Notes__c").await?;
        let seen = (&rich.stored, &rich.promised, rich.codes());
        kind.case(format!("{answer:?} in HTML"), seen, (&json!(expected), &json!(expected), vec![]));
        kind.case(
            format!("{answer:?} as text"),
            bed.written(&given, &mapped, "Plain__c").await?.promised,
            json!(answer),
        );
    }
    // The length is that of the HTML, and a cut leaves whole entities, tags and characters.
    for (field, answer, expected) in [
        ("Short__c", "&".repeat(300), "&amp;".repeat(51)),
        ("Short__c", "<".repeat(64), "&lt;".repeat(64)),
        ("Short__c", "a\n".repeat(100), "a<br>".repeat(51) + "a"),
        ("Short__c", "👩‍💻".repeat(80), "👩‍💻".repeat(51)),
        ("Short__c", "e\u{301}&".repeat(60), "e\u{301}&amp;".repeat(36) + "e\u{301}"),
        ("Tiny__c", "1234567890123456789&".into(), "1234567890123456789".into()),
        ("Tiny__c", "123456789012345678\nx".into(), "123456789012345678".into()),
    ] {
        let given = booking([("q", json!(answer))])?;
        let cut = bed.written(&given, &bed.mapping([(field, answered.clone())])?, field).await?;
        let codes = if expected == "&lt;".repeat(64) { vec![] } else { vec!["value-shortened"] };
        kind.case(format!("{answer:.9} in {field}"), (&cut.stored, cut.codes()), (&json!(expected), codes));
    }
    // Templates, fixed texts and choices are text, too.
    for (source, expected) in [
        (json!({ "template": "<b>{answers.q}</b>\n{title}" }), "&lt;b&gt;A &amp; B&lt;/b&gt;<br>Intro"),
        (json!({ "fixed": "Q&A <web>" }), "Q&amp;A &lt;web&gt;"),
    ] {
        let given = booking([("q", json!("A & B"))])?;
        let written = bed.written(&given, &bed.mapping([("Notes__c", source)])?, "Notes__c").await?;
        kind.case("a text of the mapping", written.stored, json!(expected));
    }
    let given = booking([("q", json!(["A & B", "<C>"]))])?;
    let written = bed.written(&given, &bed.mapping([("Notes__c", answered.clone())])?, "Notes__c").await?;
    kind.case("choices", written.stored, json!("A &amp; B, &lt;C&gt;"));
    let written = bed
        .written(
            &booking_with(json!({ "comment": "a<b" }))?,
            &bed.mapping([("Notes__c", json!({ "booking": "comment" }))])?,
            "Notes__c",
        )
        .await?;
    kind.case("a comment", written.stored, json!("a&lt;b"));

    // A formula that is formatted as HTML is not offered.
    let listed = bed.system.fields().await?;
    let withheld = listed.withheld.iter().find(|field| field.name == "Link__c").map(|field| field.reason.as_str());
    kind.case("a formula", withheld, Some("calculated"));

    // A Lead of a lost response is recognized, though the org keeps HTML in its own way.
    let bed = Bed::of(ORG).await?;
    let given = booking([("q", json!("\"lost\"  & 'found'\n<x>"))])?;
    let mapped = bed.mapping([("Notes__c", answered)])?;
    let began = bed.system.time(0);
    let drop =
        json!({ "method": "POST", "path": "*/sobjects/Lead", "effect": { "kind": "drop", "after-commit": true } });
    bed.system.org().add_fault(serde_json::from_value::<Fault>(drop)?);
    let first = bed.system.deliver(&given, &mapped, &acceptance::samples::first_try(began)).await?.answer;
    kind.case("a lost response", first.is_err(), true);
    let again = bed.system.deliver(&given, &mapped, &after_unknown(bed.system.time(5), began)).await?.answer;
    let outcome = again.map(|delivery| delivery.outcome).map_err(|problem| problem.code);
    kind.case("its Lead is recognized", outcome, Ok(Outcome::AlreadyDelivered));
    kind.case("there is one Lead", bed.system.org().leads().len(), 1);
    let held = bed.system.org().leads().last().and_then(|lead| lead.get("Notes__c").cloned());
    kind.case(
        "as the org keeps it",
        held.is_some_and(|held: Value| held.as_str().is_some_and(|held| held.contains("&lt;x&gt;"))),
        true,
    );
    Ok(kind)
}
