//! Link arguments of the component, and the texts of `locales/` as Rust statics.

use fluent_syntax::{
    ast::{Attribute, Entry, Expression, InlineExpression, Pattern, PatternElement},
    parser,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::Path,
};

/// The texts of one language: by message, then by attribute; a message's own text has an empty attribute.
type Catalogue = BTreeMap<String, BTreeMap<String, String>>;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=locales");
    if env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("wasm32") {
        // The stack is part of linear memory, which every call pays for: 64 KiB are plenty, Rust's default is 1 MiB.
        println!("cargo::rustc-link-arg-cdylib=-zstack-size=65536");
        // Room for a whole booking, so that no call pays for growing the memory.
        println!("cargo::rustc-link-arg-cdylib=--initial-heap=131072");
        // Without this, every address takes five bytes.
        println!("cargo::rustc-link-arg-cdylib=--compress-relocations");
    }
    let (en, ja) = (read("en")?, read("ja")?);
    for (language, own, other) in [("en", &en, &ja), ("ja", &ja, &en)] {
        if let Some(missing) = names(other).difference(&names(own)).next() {
            return Err(format!("locales/{language}.ftl: `{missing}` is missing").into());
        }
    }
    let folder = env::var_os("OUT_DIR").ok_or("cargo sets no OUT_DIR")?;
    Ok(fs::write(Path::new(&folder).join("texts.rs"), statics(&en, &ja)?)?)
}

fn read(language: &str) -> Result<Catalogue, Box<dyn Error>> {
    let path = format!("locales/{language}.ftl");
    let source = fs::read_to_string(&path)?;
    let resource = parser::parse(source.as_str()).map_err(|(_, errors)| format!("{path}: {errors:?}"))?;
    let mut catalogue = Catalogue::new();
    for entry in resource.body {
        let message = match entry {
            Entry::Message(message) => message,
            Entry::Comment(_) | Entry::GroupComment(_) | Entry::ResourceComment(_) => continue,
            Entry::Term(_) | Entry::Junk { .. } => return Err(format!("{path}: only messages are supported").into()),
        };
        let id = message.id.name;
        let own = message.value.as_ref().map(|text| ("", text));
        let attributes = message.attributes.iter().map(|Attribute { id, value }| (id.name, value));
        let mut texts = BTreeMap::new();
        for (attribute, pattern) in own.into_iter().chain(attributes) {
            let text = plain(pattern)
                .ok_or_else(|| format!("{path}: `{id}.{attribute}` is not text and variables in one line"))?;
            if texts.insert(attribute.to_owned(), text).is_some() {
                return Err(format!("{path}: `{id}.{attribute}` occurs twice").into());
            }
        }
        if catalogue.insert(id.to_owned(), texts).is_some() {
            return Err(format!("{path}: `{id}` occurs twice").into());
        }
    }
    Ok(catalogue)
}

/// The text of a pattern of one line. A variable becomes `{$name}`.
fn plain(pattern: &Pattern<&str>) -> Option<String> {
    let parts = pattern.elements.iter().map(|element| match element {
        PatternElement::TextElement { value } => Some((*value).to_owned()),
        PatternElement::Placeable { expression: Expression::Inline(InlineExpression::VariableReference { id }) } => {
            Some(format!("{{${}}}", id.name))
        }
        PatternElement::Placeable { .. } => None,
    });
    parts.collect::<Option<String>>().filter(|text| !text.contains('\n'))
}

fn names(catalogue: &Catalogue) -> BTreeSet<String> {
    let of_message = |(id, texts): (&String, &BTreeMap<String, String>)| {
        texts.keys().map(|attribute| format!("{id}.{attribute}")).collect::<Vec<_>>()
    };
    catalogue.iter().flat_map(of_message).collect()
}

/// The statics of `src/texts.rs`: an `Advice` for each message with `.what`, a `Text` for each text of the others.
fn statics(en: &Catalogue, ja: &Catalogue) -> Result<String, Box<dyn Error>> {
    let mut source = String::new();
    for (id, texts) in en {
        // Both have the same names.
        let text = |attribute: &str| {
            let of = |catalogue: &Catalogue| catalogue.get(id)?.get(attribute).cloned();
            let (en, ja) = (of(en)?, of(ja)?);
            Some(format!("Text {{ en: {en:?}, ja: {ja:?} }}"))
        };
        let name = id.replace('-', "_").to_uppercase();
        if let Some(what) = text("what") {
            let why = text("why").ok_or_else(|| format!("`{id}` has no `.why`"))?;
            let steps: Vec<String> = (1..).map_while(|number| text(&format!("step{number}"))).collect();
            if texts.len() != 2 + steps.len() {
                return Err(
                    format!("`{id}` has more than `.what`, `.why` and `.step1` to `.step{}`", steps.len()).into()
                );
            }
            let (count, steps) = (steps.len(), steps.join(", "));
            writeln!(
                source,
                "pub static {name}: Advice<{count}> = Advice {{ what: {what}, why: {why}, steps: [{steps}] }};"
            )?;
            continue;
        }
        for attribute in texts.keys() {
            let separator = if attribute.is_empty() { "" } else { "_" };
            let name = format!("{name}{separator}{}", attribute.replace('-', "_").to_uppercase());
            let text = text(attribute).unwrap_or_default();
            writeln!(source, "pub static {name}: Text = {text};")?;
        }
    }
    Ok(source)
}
