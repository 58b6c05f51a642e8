//! Templates: text with references in braces; a blank reference leaves no dangling punctuation.

use std::{borrow::Cow, str::Chars};

/// More bytes than the contract allows for a text: a template that repeats a long answer stops here.
const LONGEST: usize = crm_contract::ARGUMENTS.text;

/// A parsed template.
#[derive(Debug, PartialEq, Eq)]
pub struct Template<'a> {
    parts: Vec<Part<'a>>,
    /// Whether all braces are paired.
    pub well_formed: bool,
}

/// What a template refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference<'a> {
    /// `{answers.ID}`.
    Answer(&'a str),
    /// `{tracking.NAME}`.
    Tracking(&'a str),
    /// `{ATTRIBUTE}`.
    Attribute(&'a str),
}

#[derive(Debug, PartialEq, Eq)]
enum Part<'a> {
    Literal(&'a str),
    Reference(Reference<'a>),
}

impl<'a> Template<'a> {
    /// Parses a template. An unpaired brace stands for itself.
    pub fn parse(text: &'a str) -> Self {
        let mut parts = Vec::new();
        let mut well_formed = true;
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (literal, from_brace) = rest.split_at_checked(at).unwrap_or((rest, ""));
            push_literal(&mut parts, literal);
            let (brace, after) = from_brace.split_at_checked(1).unwrap_or((from_brace, ""));
            if let Some(after_pair) = after.strip_prefix(brace) {
                push_literal(&mut parts, brace);
                rest = after_pair;
                continue;
            }
            // The next brace of either kind, not the next closing one: otherwise a text of opening braces would be searched to
            // its end for each of them.
            let reference = match after.find(['{', '}']).and_then(|at| after.split_at_checked(at)) {
                Some((name, behind)) if brace == "{" => behind.strip_prefix('}').map(|behind| (name, behind)),
                _ => None,
            };
            match reference {
                Some((name, behind)) => {
                    parts.push(Part::Reference(Reference::parse(name.trim())));
                    rest = behind;
                }
                None => {
                    well_formed = false;
                    push_literal(&mut parts, brace);
                    rest = after;
                }
            }
        }
        push_literal(&mut parts, rest);
        Self { parts, well_formed }
    }

    /// The references, in order.
    pub fn references(&self) -> impl Iterator<Item = Reference<'a>> + '_ {
        self.parts.iter().filter_map(|part| match part {
            Part::Reference(reference) => Some(*reference),
            Part::Literal(_) => None,
        })
    }

    /// Replaces every reference. A blank one also removes the template's punctuation and spaces before it, or those after it if
    /// nothing comes before. Brackets stay around a value or a word, and go if all that they enclose is blank. If all references are
    /// blank, so is the whole.
    pub fn render<'v>(&self, value: impl Fn(Reference<'a>) -> Option<Cow<'v, str>>) -> String {
        let pieces = self.parts.iter().flat_map(|part| match part {
            Part::Literal(literal) => Pieces::Characters(literal.chars()),
            Part::Reference(reference) => Pieces::Value(Some(value(*reference))),
        });
        let pieces: Vec<Piece<'v>> = pieces.collect();
        let is_blank = !pieces.iter().any(|piece| matches!(piece, Piece::Value(_)));
        if is_blank && pieces.iter().any(|piece| matches!(piece, Piece::Blank)) {
            return String::new();
        }
        let brackets = Bracket::all(&pieces);
        let mut is_removed = vec![false; pieces.len()];
        let mut remove = |at: usize| is_removed.iter_mut().skip(at).take(1).for_each(|removed| *removed = true);
        // Separators since the last thing that stays, which a blank reference takes along.
        let mut separators = Vec::new();
        // Whether nothing stays before, except opening brackets, and whether a blank reference was there.
        let (mut is_first, mut trims) = (true, false);
        for (at, (piece, bracket)) in pieces.iter().zip(&brackets).enumerate() {
            match (piece, bracket) {
                (Piece::Blank, _) => {
                    separators.drain(..).for_each(&mut remove);
                    trims |= is_first;
                }
                (Piece::Character(_), Some(Bracket { is_empty: true, encloses_blank: true, .. })) => remove(at),
                (Piece::Character(c), Some(Bracket { is_empty: true, .. }) | None) if is_separator(*c) => {
                    if trims {
                        remove(at)
                    } else {
                        separators.push(at)
                    }
                }
                (_, bracket) => {
                    separators.clear();
                    is_first = bracket.as_ref().is_some_and(|bracket| bracket.opens);
                    trims = false;
                }
            }
        }
        let mut out = String::new();
        for piece in pieces.iter().zip(&is_removed).filter(|(_, removed)| !**removed).map(|(piece, _)| piece) {
            match piece {
                Piece::Character(c) => out.push(*c),
                Piece::Value(text) => out.push_str(text),
                Piece::Blank => {}
            }
            if out.len() > LONGEST {
                break;
            }
        }
        out
    }
}

/// A piece of a template with its values.
enum Piece<'v> {
    /// A character of the template itself.
    Character(char),
    Value(Cow<'v, str>),
    /// A reference that has no value.
    Blank,
}

/// The pieces of a part.
enum Pieces<'a, 'v> {
    Characters(Chars<'a>),
    Value(Option<Option<Cow<'v, str>>>),
}

impl<'v> Iterator for Pieces<'_, 'v> {
    type Item = Piece<'v>;

    fn next(&mut self) -> Option<Piece<'v>> {
        match self {
            Self::Characters(characters) => characters.next().map(Piece::Character),
            Self::Value(value) => Some(value.take()?.map_or(Piece::Blank, Piece::Value)),
        }
    }
}

/// A bracket of the template that has its other half there.
#[derive(Clone, Copy)]
struct Bracket {
    opens: bool,
    /// Whether it encloses neither a value nor a word.
    is_empty: bool,
    encloses_blank: bool,
}

impl Bracket {
    /// The bracket at each piece, if it is one.
    fn all(pieces: &[Piece<'_>]) -> Vec<Option<Self>> {
        let mut brackets = vec![None; pieces.len()];
        // Open brackets: what closes them, where they are, and how much stood before them.
        let mut open: Vec<(char, usize, usize, usize)> = Vec::new();
        let (mut content, mut blanks) = (0, 0);
        for (at, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::Blank => blanks += 1,
                Piece::Value(_) => content += 1,
                Piece::Character(c) => {
                    if let Some(closing) = closing_bracket(*c) {
                        open.push((closing, at, content, blanks));
                    } else if let Some((_, opening, before, blanks_before)) = open.pop_if(|(closing, ..)| closing == c)
                    {
                        let (is_empty, encloses_blank) = (content == before, blanks > blanks_before);
                        for (place, opens) in [(opening, true), (at, false)] {
                            if let Some(bracket) = brackets.get_mut(place) {
                                *bracket = Some(Self { opens, is_empty, encloses_blank });
                            }
                        }
                    } else if !is_separator(*c) {
                        content += 1;
                    }
                }
            }
        }
        brackets
    }
}

impl<'a> Reference<'a> {
    fn parse(name: &'a str) -> Self {
        if let Some(id) = name.strip_prefix("answers.") {
            Self::Answer(id)
        } else if let Some(name) = name.strip_prefix("tracking.") {
            Self::Tracking(name)
        } else {
            Self::Attribute(name)
        }
    }
}

fn push_literal<'a>(parts: &mut Vec<Part<'a>>, literal: &'a str) {
    if !literal.is_empty() {
        parts.push(Part::Literal(literal));
    }
}

/// Whether a character is a blank or punctuation, in ASCII, in the usual Latin texts, and in both widths of Japanese.
fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || c.is_ascii_punctuation()
        || matches!(u32::from(c),
            0xA1 | 0xA7 | 0xAB | 0xB6 | 0xB7 | 0xBB | 0xBF
            | 0x2010..=0x2027 | 0x2030..=0x205E
            | 0x2190..=0x21FF
            | 0x3001..=0x3003 | 0x3008..=0x3011 | 0x3014..=0x301F | 0x3030 | 0x30FB
            | 0xFF01..=0xFF0F | 0xFF1A..=0xFF20 | 0xFF3B..=0xFF40 | 0xFF5B..=0xFF65)
}

const BRACKETS: [(char, char); 17] = [
    ('(', ')'),
    ('[', ']'),
    ('{', '}'),
    ('<', '>'),
    ('（', '）'),
    ('［', '］'),
    ('｛', '｝'),
    ('＜', '＞'),
    ('「', '」'),
    ('『', '』'),
    ('【', '】'),
    ('〈', '〉'),
    ('《', '》'),
    ('〔', '〕'),
    ('“', '”'),
    ('‘', '’'),
    ('«', '»'),
];

/// The bracket that closes this one.
fn closing_bracket(c: char) -> Option<char> {
    BRACKETS.iter().find(|(opening, _)| *opening == c).map(|(_, closing)| *closing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn render(template: &str, values: &[(&str, &str)]) -> String {
        Template::parse(template).render(|reference| {
            let name = match reference {
                Reference::Answer(name) | Reference::Tracking(name) | Reference::Attribute(name) => name,
            };
            values.iter().find(|(known, _)| *known == name).map(|(_, value)| Cow::Owned((*value).to_owned()))
        })
    }

    #[test]
    fn a_bracket_around_a_value_stays_whole() {
        for (template, expected) in [
            ("({a}) / {x}, {y}", "(A)"),
            ("{x} ({a})", "(A)"),
            ("{x}, {y} / 「{a}」", "「A」"),
            ("{x} [{a} / {y}] {x}", "[A]"),
            ("（{a}）{x}", "（A）"),
            ("（{a} {x}）", "（A）"),
            ("{a} ({x})", "A"),
            ("({x}) {a}", "A"),
            ("[({a}), {x}] {b}", "[(A)] B"),
            ("{x} (with) {a}", "(with) A"),
            ("{a} () {x}", "A"),
        ] {
            assert_eq!(render(template, &[("a", "A"), ("b", "B")]), expected, "{template}");
        }
    }

    proptest! {
        #[test]
        fn brackets_that_are_paired_stay_paired(
            parts in prop::collection::vec(prop::sample::select(vec!["{a}", "{x}", " / ", ", ", "({a})", "({x})", "[{x} {a}]", "word", "「{a}、{x}」", "(({x}) {a})"]), 0..8),
        ) {
            let rendered = render(&parts.concat(), &[("a", "A")]);
            let mut open = Vec::new();
            for c in rendered.chars() {
                match closing_bracket(c) {
                    Some(closing) => open.push(closing),
                    None if BRACKETS.iter().any(|(_, closing)| *closing == c) => prop_assert_eq!(open.pop(), Some(c), "{}: {}", parts.concat(), rendered),
                    None => {}
                }
            }
            prop_assert!(open.is_empty(), "{}: {}", parts.concat(), rendered);
        }
    }

    #[test]
    fn references_are_replaced_wherever_they_stand() {
        let values = [("a", "A"), ("b", "B"), ("q3", "答え")];
        for (template, expected) in [
            ("{a}", "A"),
            ("{a} / {answers.q3}", "A / 答え"),
            ("x{a}y{b}z", "xAyBz"),
            ("予約：{a}（{tracking.b}）様", "予約：A（B）様"),
            ("{{{a}}}", "{A}"),
            ("{{a}}", "{a}"),
            ("{ a }", "A"),
            ("no reference", "no reference"),
            ("", ""),
        ] {
            assert_eq!(render(template, &values), expected, "{template}");
        }
    }

    #[test]
    fn a_blank_reference_leaves_no_dangling_separator() {
        let values = [("a", "A"), ("c", "C")];
        for (template, expected) in [
            ("{a} / {none}", "A"),
            ("{none} / {a}", "A"),
            ("{a} / {none} / {c}", "A / C"),
            ("{none} / {none} / {a}", "A"),
            ("{a}、{none}、{c}", "A、C"),
            ("{a}（{none}）", "A"),
            ("{a}（{none}） {c}", "A C"),
            ("({none}) {a}", "A"),
            ("Name: {a}, Mail: {none}", "Name: A, Mail"),
            ("{none}: {a}", "A"),
            ("{none}", ""),
            ("about {none} and {none}", ""),
            ("「{none}」", ""),
        ] {
            assert_eq!(render(template, &values), expected, "{template}");
        }
    }

    #[test]
    fn what_people_typed_keeps_its_own_punctuation() {
        for (value, template, expected) in [
            ("C++", "{a} / {none}", "C++"),
            ("導入相談（30分）", "{a} / {none} / {none}", "導入相談（30分）"),
            ("100%", "{a} {none}", "100%"),
            ("よろしくお願いします。", "{a}\n{none}", "よろしくお願いします。"),
            ("!!!", "{a} - {none}", "!!!"),
            ("（株）", "{a}（{none}）", "（株）"),
            ("：（", "{a}（{none}）", "：（"),
            ("...", "{none} {a}", "..."),
            ("*", "Note: {a}, {none}", "Note: *"),
        ] {
            assert_eq!(render(template, &[("a", value)]), expected, "{template}");
        }
    }

    #[test]
    fn a_template_grows_no_longer_than_any_field() {
        let (value, template) = ("x".repeat(100_000), "{a}".repeat(10_000));
        assert!(render(&template, &[("a", &value)]).len() <= LONGEST + value.len());
    }

    #[test]
    fn an_unpaired_brace_stands_for_itself_and_is_reported() {
        for (template, expected) in [("{a", "{a"), ("a}", "a}"), ("{a {b}", "{a B"), ("}{", "}{")] {
            let values = [("a", "A"), ("b", "B")];
            assert_eq!(render(template, &values), expected, "{template}");
            assert!(!Template::parse(template).well_formed, "{template}");
        }
        assert!(Template::parse("{{ }} {a}").well_formed);
    }

    proptest! {
        #[test]
        fn any_text_survives_escaping(text in any::<String>()) {
            let template = text.replace('{', "{{").replace('}', "}}");
            prop_assert_eq!(render(&template, &[]), text);
        }

        #[test]
        fn any_template_renders(template in "([{}.a ]|[^a]){0,40}", value in any::<String>()) {
            let rendered = render(&template, &[("a", &value)]);
            prop_assert!(rendered.len() <= template.len() + template.len() * value.len());
        }

        #[test]
        fn given_values_are_kept_whole(
            first in any_value(), second in any_value(), before in r"[ /、（(「:.]{0,3}", after in r"[ /、）)」:.]{0,3}",
        ) {
            let values = [("a", first.as_str()), ("b", second.as_str())];
            prop_assert_eq!(render("{a} / {b}", &values), format!("{first} / {second}"));
            prop_assert_eq!(render("{a}{none}{b}", &values), format!("{first}{second}"));
            prop_assert_eq!(render("{a} / {none}", &values), first.clone());
            prop_assert_eq!(render("{none} / {a}", &values), first.clone());
            prop_assert_eq!(render("{a}（{none}）", &values), first.clone());
            for template in [
                format!("{{a}}{before}{{none}}{after}{{b}}"),
                format!("{{none}}{before}{{a}}{after}{{none}}{before}{{b}}{after}{{none}}"),
            ] {
                let rendered = render(&template, &values);
                let rest = rendered.find(&first).map(|at| &rendered[at + first.len()..]);
                prop_assert!(rest.is_some_and(|rest| rest.contains(&second)), "{}: {}", template, rendered);
            }
        }
    }

    /// Any text that is not blank, often one that ends in what separates.
    fn any_value() -> impl Strategy<Value = String> {
        prop_oneof![r"[a-zぁ-ん]{1,3}[+.,。）)!%/ -]{0,3}", r"[+.,。）)!%(（/-]{1,3}", any::<String>()]
            .prop_filter("not blank", |value| !value.trim().is_empty())
    }
}
