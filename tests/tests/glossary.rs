//! What people read keeps to the words and the style of `docs/glossary.md`, in both languages.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fs,
    path::Path,
};

use fluent_syntax::{
    ast::{Entry, Expression, InlineExpression, Pattern, PatternElement},
    parser,
};

type Fallible<T> = Result<T, Box<dyn Error>>;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const FOLDERS: [&str; 3] = ["plugin/locales", "host-harness/booking/locales", "host-harness/texts/locales"];
const LONGEST_SENTENCE: usize = 60;

#[derive(Default)]
struct Message {
    /// The text itself and those of its variants. A variable is `…`.
    texts: Vec<String>,
    variables: BTreeSet<String>,
}

/// A message's own text has its id, an attribute's `id.attribute`.
type Catalog = BTreeMap<String, Message>;

fn catalog(folder: &str, language: &str) -> Fallible<Catalog> {
    let path = format!("{folder}/{language}.ftl");
    let source = fs::read_to_string(Path::new(ROOT).join(&path)).map_err(|error| format!("{path}: {error}"))?;
    let resource = parser::parse(source.as_str()).map_err(|(_, errors)| format!("{path}: {errors:?}"))?;
    let mut catalog = Catalog::new();
    for entry in resource.body {
        let Entry::Message(message) = entry else { continue };
        let id = message.id.name;
        let own = message.value.into_iter().map(|text| (id.to_owned(), text));
        let attributes = message.attributes.into_iter().map(|text| (format!("{id}.{}", text.id.name), text.value));
        for (id, pattern) in own.chain(attributes) {
            catalog.entry(id).or_default().read(&pattern);
        }
    }
    Ok(catalog)
}

impl Message {
    fn read(&mut self, pattern: &Pattern<&str>) {
        let mut text = String::new();
        for element in &pattern.elements {
            match element {
                PatternElement::TextElement { value } => text.push_str(value),
                PatternElement::Placeable { expression: Expression::Inline(inline) } => self.inline(inline, &mut text),
                PatternElement::Placeable { expression: Expression::Select { selector, variants } } => {
                    self.inline(selector, &mut text);
                    variants.iter().for_each(|variant| self.read(&variant.value));
                }
            }
        }
        self.texts.push(text);
    }

    fn inline(&mut self, inline: &InlineExpression<&str>, text: &mut String) {
        match inline {
            InlineExpression::StringLiteral { value } | InlineExpression::NumberLiteral { value } => {
                text.push_str(value);
            }
            InlineExpression::VariableReference { id } => {
                self.variables.insert(id.name.to_owned());
                text.push('…');
            }
            _ => text.push('…'),
        }
    }
}

/// Reports what `fault` finds in the texts of a language, with file and id.
fn check(language: &str, fault: impl Fn(&str, &str) -> Vec<String>) -> Fallible<()> {
    let mut faults = Vec::new();
    for folder in FOLDERS {
        for (id, message) in catalog(folder, language)? {
            for found in message.texts.iter().flat_map(|text| fault(&id, text)) {
                faults.push(format!("{folder}/{language}.ftl: {id}: {found}"));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    Ok(())
}

/// A row of a table of words to avoid.
struct Avoided {
    words: Vec<String>,
    instead: String,
    /// Longer words that contain one of `words` and are fine.
    but: Vec<String>,
}

impl Avoided {
    fn listed(section: &str) -> Fallible<Vec<Self>> {
        let page = fs::read_to_string(Path::new(ROOT).join("docs/glossary.md"))?;
        let (_, rest) = page.split_once(&format!("\n## {section}\n")).ok_or_else(|| format!("no section {section}"))?;
        let table = rest.split("\n## ").next().unwrap_or_default();
        let split = |cell: Option<&str>| {
            let words = cell.unwrap_or_default().split(',').map(|word| word.trim().to_owned());
            words.filter(|word| !word.is_empty()).collect::<Vec<_>>()
        };
        let rows = table.lines().filter(|line| line.starts_with('|')).skip(2).map(|line| {
            let mut cells = line.trim_matches('|').split('|').map(str::trim);
            let (words, instead) = (split(cells.next()), cells.next().unwrap_or_default().to_owned());
            Self { words, instead, but: split(cells.next()) }
        });
        let rows: Vec<_> = rows.collect();
        if rows.is_empty() { Err(format!("section {section} has no table").into()) } else { Ok(rows) }
    }

    fn found_in(&self, text: &str) -> Vec<String> {
        let text = self.but.iter().fold(text.to_lowercase(), |text, fine| text.replace(&fine.to_lowercase(), "…"));
        let found = self.words.iter().filter(|word| has_word(&text, &word.to_lowercase()));
        found.map(|word| format!("`{word}`; use: {}", self.instead)).collect()
    }
}

/// Whether a text contains a word: an English one as a whole word.
fn has_word(text: &str, word: &str) -> bool {
    let apart = |neighbor: Option<char>| !word.is_ascii() || neighbor.is_none_or(|c| !c.is_ascii_alphanumeric());
    text.match_indices(word).any(|(start, _)| {
        let (before, from) = text.split_at(start);
        apart(before.chars().next_back()) && apart(from.chars().nth(word.chars().count()))
    })
}

#[test]
fn texts_use_the_words_of_the_glossary() -> Fallible<()> {
    for section in ["Words to avoid", "British spellings"] {
        let avoided = Avoided::listed(section)?;
        for language in ["en", "ja"] {
            check(language, |_, text| avoided.iter().flat_map(|row| row.found_in(text)).collect())?;
        }
    }
    Ok(())
}

#[test]
fn japanese_sentences_are_short() -> Fallible<()> {
    check("ja", |id, text| {
        // Paths through Salesforce's menus are as long as they are.
        let sentences = text.split_inclusive('。').flat_map(|sentence| sentence.split(": "));
        let long = sentences.filter(|part| !id.starts_with("place-") && part.chars().count() > LONGEST_SENTENCE);
        long.map(|part| format!("{} characters: {part}", part.chars().count())).collect()
    })
}

#[test]
fn japanese_texts_have_half_width_letters_and_digits_with_a_space_beside_japanese() -> Fallible<()> {
    let is_japanese = |c: char| matches!(c, 'ぁ'..='ヿ' | '一'..='龠') && c != '・';
    check("ja", |_, text| {
        let full_width =
            text.chars().filter(|c| matches!(c, '０'..='９' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ' | '（' | '）' | '：'));
        let mut faults: Vec<_> = full_width.map(|c| format!("full-width `{c}`")).collect();
        for (left, right) in text.chars().zip(text.chars().skip(1)) {
            let touching = |latin: char, other: char| latin.is_ascii_alphanumeric() && is_japanese(other);
            if touching(left, right) || touching(right, left) {
                faults.push(format!("no space in `{left}{right}`"));
            }
        }
        faults
    })
}

#[test]
fn both_languages_have_the_same_messages_and_variables() -> Fallible<()> {
    for folder in FOLDERS {
        let [en, ja] = ["en", "ja"].map(|language| {
            let catalog = catalog(folder, language)?;
            Ok::<_, Box<dyn Error>>(
                catalog.into_iter().map(|(id, message)| (id, message.variables)).collect::<BTreeSet<_>>(),
            )
        });
        let (en, ja) = (en?, ja?);
        let differing: Vec<_> = en.symmetric_difference(&ja).collect();
        assert!(differing.is_empty(), "{folder}: only in one language: {differing:?}");
    }
    Ok(())
}

/// Only `--help` and the words of errors, which are for developers too, stay English.
#[test]
fn the_command_says_nothing_that_is_not_in_the_catalogs() -> Fallible<()> {
    let mut files = vec![Path::new(ROOT).join("host-harness/src")];
    let mut literal = Vec::new();
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<Fallible<Vec<_>>>()?);
            continue;
        }
        let source = fs::read_to_string(&path)?;
        let source = source.split("#[cfg(test)]").next().unwrap_or_default();
        for call in [".print(", ".note(", "println!("] {
            for (at, _) in source.match_indices(call) {
                let statement = source.get(at..).and_then(|rest| rest.split(';').next()).unwrap_or_default();
                // Every second part is within quotes.
                for text in statement.split('"').skip(1).step_by(2).filter(|text| has_words(text)) {
                    literal.push(format!("{}: {text}", path.display()));
                }
            }
        }
    }
    // What a shell reads, a digest, and a failure before there is a language.
    let fine = ["{name}={}", "sha256", "error: no threads"];
    literal.retain(|found| !fine.iter().any(|fine| found.contains(fine)));
    assert!(literal.is_empty(), "{}", literal.join("\n"));
    Ok(())
}

/// Whether a text has a word outside its placeholders.
fn has_words(text: &str) -> bool {
    let mut depth = 0_u32;
    let outside: String = text
        .chars()
        .filter(|c| {
            match c {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0
        })
        .collect();
    outside.split(|c: char| !c.is_alphabetic()).any(|word| word.chars().count() >= 3)
}

#[test]
fn every_code_of_the_command_is_explained() -> Fallible<()> {
    let known = catalog("host-harness/texts/locales", "en")?;
    let mut missing = Vec::new();
    for file in [
        "src/error.rs",
        "src/input.rs",
        "runtime/src/credentials/connect.rs",
        "store/src/error.rs",
        "delivery/src/ledger.rs",
        "delivery/sqlite/src/lib.rs",
        "delivery/postgres/src/lib.rs",
        "server/src/alert_webhook.rs",
    ] {
        let source = fs::read_to_string(Path::new(ROOT).join("host-harness").join(file))?;
        let codes = source.split("pub fn code(&self)").nth(1).and_then(|rest| rest.split("\n    }").next());
        for line in codes.unwrap_or_default().lines() {
            let Some(code) = line.split("=> \"").nth(1).and_then(|rest| rest.split('"').next()) else { continue };
            if !known.contains_key(&format!("code-{code}")) {
                missing.push(format!("{file}: {code}"));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    Ok(())
}

#[test]
fn an_english_word_is_found_only_as_a_whole_and_a_listed_exception_is_fine() {
    let row =
        Avoided {
            words: vec!["接続".into(), "plugin".into()], instead: "連携".into(), but: vec!["接続先".into()]
        };
    for (text, found) in [
        ("Salesforce に接続してください。", 1),
        ("接続先を確認してください。", 0),
        ("接続先に接続してください。", 1),
        ("Update the Plugin.", 1),
        ("Two plugins.", 0),
    ] {
        assert_eq!(row.found_in(text).len(), found, "{text}");
    }
}
