//! The SOQL parser.

use jiff::{Timestamp, civil::Date};
use thiserror::Error;
use winnow::{
    LocatingSlice, ModalResult, Parser,
    ascii::{Caseless, dec_uint, multispace0},
    combinator::{alt, cut_err, delimited, eof, not, opt, peek, preceded, repeat, separated, terminated},
    error::{ContextError, ErrMode, ParserError},
    token::{any, none_of, one_of, take_while},
};

use super::{Condition, Days, LikePart, Literal, Operator, Order, Path, Query, Select, SoqlError};

type Input<'a> = LocatingSlice<&'a str>;

/// Salesforce's maximum query length in characters.
const LONGEST: usize = 100_000;
/// Maximum nesting of parentheses and NOT. The limit is ours: the parser recurses.
const DEEPEST: usize = 100;

/// Keywords that cannot be names.
const RESERVED: [&str; 17] = [
    "AND", "ASC", "DESC", "EXCLUDES", "FROM", "GROUP", "HAVING", "IN", "INCLUDES", "LIKE", "LIMIT", "NOT", "NULL",
    "OR", "SELECT", "WHERE", "WITH",
];

fn reserved(name: &str) -> bool {
    RESERVED.iter().any(|word| word.eq_ignore_ascii_case(name))
}

pub(crate) fn query(text: &str) -> Result<Query, SoqlError> {
    if text.chars().count() > LONGEST {
        return Err(SoqlError::malformed("SOQL statements cannot be longer than 100000 characters.".to_owned()));
    }
    terminated(select_statement, (multispace0, eof)).parse(Input::new(text)).map_err(|error| refusal(text, &error))
}

/// Parses a standalone condition, as in a validation rule.
pub(crate) fn condition(text: &str) -> Result<Condition, SoqlError> {
    let whole = |input: &mut Input<'_>| conditions(input, 0);
    terminated(whole, (multispace0, eof)).parse(Input::new(text)).map_err(|error| refusal(text, &error))
}

fn refusal(text: &str, error: &winnow::error::ParseError<Input<'_>, ContextError>) -> SoqlError {
    let rest = text.get(error.offset()..).unwrap_or_default();
    let at = text.len() - rest.trim_start().len();
    let rest = rest.trim_start();
    if let Some(bad) = error.inner().cause().and_then(|cause| cause.downcast_ref::<BadLiteral>()) {
        return SoqlError::at("MALFORMED_QUERY", text, at, &bad.to_string());
    }
    if rest.is_empty() && unterminated(text) {
        let column = text.chars().count();
        return SoqlError::malformed(format!("line 1:{column} mismatched character '<EOF>' expecting '''"));
    }
    let word = rest.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '.')).collect::<String>();
    let token = match (word.is_empty(), rest.chars().next()) {
        (false, _) => word,
        (true, Some(character)) => character.to_string(),
        (true, None) => "<EOF>".to_owned(),
    };
    let complaint = format!("unexpected token: '{token}'");
    // Text that does not start like a query gets an error without an extract.
    if at == 0 { SoqlError::malformed(complaint) } else { SoqlError::at("MALFORMED_QUERY", text, at, &complaint) }
}

/// Whether the text ends inside a string literal.
fn unterminated(text: &str) -> bool {
    let (mut inside, mut escaped) = (false, false);
    for character in text.chars() {
        inside ^= character == '\'' && !escaped;
        escaped = inside && character == '\\' && !escaped;
    }
    inside
}

fn select_statement(input: &mut Input<'_>) -> ModalResult<Query> {
    keyword("SELECT").parse_next(input)?;
    let select = cut_err(alt((count.value(Select::Count), fields.map(Select::Fields)))).parse_next(input)?;
    let from = preceded(cut_err(keyword("FROM")), cut_err(object)).parse_next(input)?;
    let filter =
        opt(keyword("WHERE")).parse_next(input)?.map(|()| cut_err(|i: &mut _| conditions(i, 0)).parse_next(input));
    let filter = filter.transpose()?;
    let keys = separated(1.., order_key, symbol(","));
    let order = opt(preceded((keyword("ORDER"), cut_err(keyword("BY"))), cut_err(keys))).parse_next(input)?;
    let limit = opt(preceded(keyword("LIMIT"), cut_err(number))).parse_next(input)?;
    let offset = opt(preceded(keyword("OFFSET"), cut_err(number))).parse_next(input)?;
    Ok(Query { select, from, filter, order: order.unwrap_or_default(), limit, offset })
}

fn count(input: &mut Input<'_>) -> ModalResult<()> {
    (keyword("COUNT"), symbol("("), symbol(")")).void().parse_next(input)
}

fn fields(input: &mut Input<'_>) -> ModalResult<Vec<Path>> {
    separated(1.., path, symbol(",")).parse_next(input)
}

fn path(input: &mut Input<'_>) -> ModalResult<Path> {
    name(input, |name| !reserved(name))
}

/// An object's name. `Group` is an object despite being a keyword.
fn object(input: &mut Input<'_>) -> ModalResult<Path> {
    name(input, |name| name.eq_ignore_ascii_case("Group") || !reserved(name))
}

fn name(input: &mut Input<'_>, allowed: impl Fn(&str) -> bool) -> ModalResult<Path> {
    let step = || (one_of(|c: char| c.is_ascii_alphabetic()), take_while(0.., name_character));
    let steps = separated::<_, _, (), _, _, _, _>(1..=5, step(), '.').take();
    let named = steps.verify(|name: &str| allowed(name));
    preceded(multispace0, named.with_span())
        .map(|(name, span): (&str, _)| Path { text: name.to_owned(), at: span.start })
        .parse_next(input)
}

fn order_key(input: &mut Input<'_>) -> ModalResult<Order> {
    let field = path(input)?;
    let descending = opt(alt((keyword("ASC").value(false), keyword("DESC").value(true)))).parse_next(input)?;
    let places = alt((keyword("FIRST").value(false), keyword("LAST").value(true)));
    let nulls_last = opt(preceded(keyword("NULLS"), cut_err(places))).parse_next(input)?;
    Ok(Order { field, descending: descending.unwrap_or(false), nulls_last: nulls_last.unwrap_or(false) })
}

/// Terms joined by AND or by OR. SOQL rejects a mix without parentheses.
fn conditions(input: &mut Input<'_>, depth: usize) -> ModalResult<Condition> {
    if depth > DEEPEST {
        return Err(ErrMode::from_input(input).cut());
    }
    let next = |input: &mut Input<'_>| term(input, depth);
    let first = term(input, depth)?;
    let more: Vec<_> = repeat(0.., preceded(keyword("AND"), cut_err(next))).parse_next(input)?;
    if !more.is_empty() {
        return Ok(Condition::All(std::iter::once(first).chain(more).collect()));
    }
    let more: Vec<_> = repeat(0.., preceded(keyword("OR"), cut_err(next))).parse_next(input)?;
    if !more.is_empty() {
        return Ok(Condition::Any(std::iter::once(first).chain(more).collect()));
    }
    Ok(first)
}

fn term(input: &mut Input<'_>, depth: usize) -> ModalResult<Condition> {
    if depth > DEEPEST {
        return Err(ErrMode::from_input(input).cut());
    }
    if opt(keyword("NOT")).parse_next(input)?.is_some() {
        let inner = cut_err(|i: &mut _| term(i, depth + 1)).parse_next(input)?;
        return Ok(Condition::Not(Box::new(inner)));
    }
    if opt(symbol("(")).parse_next(input)?.is_some() {
        return cut_err(terminated(|i: &mut _| conditions(i, depth + 1), symbol(")"))).parse_next(input);
    }
    let field = path(input)?;
    cut_err(|i: &mut _| comparison(i, &field)).parse_next(input)
}

fn comparison(input: &mut Input<'_>, field: &Path) -> ModalResult<Condition> {
    let field = field.clone();
    if opt(keyword("LIKE")).parse_next(input)?.is_some() {
        let pattern = preceded(multispace0, quoted.try_map(like_pattern)).parse_next(input)?;
        return Ok(Condition::Like { field, pattern });
    }
    let membership = alt((keyword("IN").value(false), (keyword("NOT"), keyword("IN")).value(true)));
    if let Some(negated) = opt(membership).parse_next(input)? {
        let list = separated(1.., literal, symbol(","));
        let values = cut_err(delimited(symbol("("), list, symbol(")"))).parse_next(input)?;
        return Ok(Condition::In { field, negated, values });
    }
    let operator = preceded(
        multispace0,
        alt((
            "<=".value(Operator::LessOrEqual),
            ">=".value(Operator::GreaterOrEqual),
            "!=".value(Operator::NotEqual),
            "<>".value(Operator::NotEqual),
            "=".value(Operator::Equal),
            "<".value(Operator::Less),
            ">".value(Operator::Greater),
        )),
    )
    .parse_next(input)?;
    let value = literal(input)?;
    Ok(Condition::Compare { field, operator, value })
}

fn literal(input: &mut Input<'_>) -> ModalResult<Literal> {
    let word = take_while(1.., |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '+' | '.' | '-'));
    let text = preceded(peek('\''), cut_err(quoted.try_map(unescape).map(Literal::Text)));
    preceded(multispace0, alt((text, word.verify_map(bare_literal)))).parse_next(input)
}

/// The content of a string literal, escapes included.
fn quoted<'a>(input: &mut Input<'a>) -> ModalResult<&'a str> {
    let character = alt((none_of(['\'', '\\']).void(), ('\\', any).void()));
    let inside = repeat::<_, _, (), _, _>(0.., character).take();
    delimited('\'', inside, '\'').parse_next(input)
}

fn bare_literal(word: &str) -> Option<Literal> {
    let upper = word.to_ascii_uppercase();
    match upper.as_str() {
        "NULL" => return Some(Literal::Null),
        "TRUE" => return Some(Literal::Boolean(true)),
        "FALSE" => return Some(Literal::Boolean(false)),
        _ => {}
    }
    if let Some(days) = Days::of(&upper) {
        return Some(Literal::Days(days));
    }
    if word.contains(['T', 't']) {
        return word.parse::<Timestamp>().ok().map(Literal::DateTime);
    }
    if word.len() == 10 && word.get(4..5) == Some("-") {
        return word.parse::<Date>().ok().map(Literal::Date);
    }
    let digits = word.strip_prefix(['-', '+']).unwrap_or(word);
    let plain = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit() || c == '.');
    plain.then(|| word.parse().ok().map(Literal::Number)).flatten()
}

/// An invalid escape sequence, in Salesforce's words.
#[derive(Debug, Error)]
#[error("Invalid string literal '{literal}'. Illegal character sequence '\\{escape}' in string literal.")]
struct BadLiteral {
    literal: String,
    escape: char,
}

fn unescape(raw: &str) -> Result<String, BadLiteral> {
    let mut text = String::with_capacity(raw.len());
    let mut characters = raw.chars();
    while let Some(character) = characters.next() {
        text.push(if character == '\\' { escaped(raw, &mut characters)? } else { character });
    }
    Ok(text)
}

/// Parses a LIKE pattern, where `\%` and `\_` are literal.
fn like_pattern(raw: &str) -> Result<Vec<LikePart>, BadLiteral> {
    let mut parts = Vec::with_capacity(raw.len());
    let mut characters = raw.chars();
    while let Some(character) = characters.next() {
        parts.push(match character {
            '%' => LikePart::AnyText,
            '_' => LikePart::AnyCharacter,
            '\\' if characters.as_str().starts_with(['%', '_']) => {
                characters.next().map_or(LikePart::AnyCharacter, LikePart::Character)
            }
            '\\' => LikePart::Character(escaped(raw, &mut characters)?),
            other => LikePart::Character(other),
        });
    }
    Ok(parts)
}

/// Decodes an escape sequence ("Quoted String Escape Sequences" in the SOQL reference).
fn escaped(raw: &str, rest: &mut std::str::Chars<'_>) -> Result<char, BadLiteral> {
    let escape = rest.next().unwrap_or('\\');
    let illegal = || BadLiteral { literal: raw.to_owned(), escape };
    match escape {
        'n' | 'N' => Ok('\n'),
        'r' | 'R' => Ok('\r'),
        't' | 'T' => Ok('\t'),
        'b' | 'B' => Ok('\u{8}'),
        'f' | 'F' => Ok('\u{c}'),
        '"' | '\'' | '\\' => Ok(escape),
        'u' => {
            let digits: String = rest.clone().take(4).filter(char::is_ascii_hexdigit).collect();
            let code = u32::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 4);
            let character = code.and_then(char::from_u32).ok_or_else(illegal)?;
            rest.nth(3);
            Ok(character)
        }
        _ => Err(illegal()),
    }
}

fn number(input: &mut Input<'_>) -> ModalResult<usize> {
    preceded(multispace0, dec_uint).parse_next(input)
}

fn name_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

fn keyword<'a>(word: &'static str) -> impl Parser<Input<'a>, (), ErrMode<ContextError>> {
    (multispace0, Caseless(word), not(one_of(name_character))).void()
}

fn symbol<'a>(symbol: &'static str) -> impl Parser<Input<'a>, (), ErrMode<ContextError>> {
    (multispace0, symbol).void()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The parsed literal of `... WHERE Title = '<inside>'`.
    fn text_of(inside: &str) -> Result<String, SoqlError> {
        match query(&format!("SELECT Id FROM Lead WHERE Title = '{inside}'"))?.filter {
            Some(Condition::Compare { value: Literal::Text(text), .. }) => Ok(text),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn exactly_the_documented_escapes_are_accepted() {
        for (escape, text) in [
            (r"\n\N", "\n\n"),
            (r"\r\R", "\r\r"),
            (r"\t\T", "\t\t"),
            (r"\b\B", "\u{8}\u{8}"),
            (r"\f\F", "\u{c}\u{c}"),
            (r#"\"\'\\"#, "\"'\\"),
            (r"\u5C71\u00e9", "山é"),
        ] {
            assert_eq!(text_of(escape).as_deref(), Ok(text));
        }
        for bad in [r"\a", r"\%", r"\_", r"\0", r"\u12", r"\uD800", r"\ "] {
            let error = text_of(bad).unwrap_err();
            assert!(
                error.code == "MALFORMED_QUERY" && error.message.contains("Illegal character sequence"),
                "{bad}: {error}"
            );
        }
    }

    proptest! {
        #[test]
        fn the_parser_never_panics(text in ".*", soql in "SELECT [ a-z(),']{0,20} FROM Lead( WHERE [A-Za-z ()='<>!\\\\%,:0-9.-]{0,60})?") {
            let _ = query(&text);
            let _ = query(&soql);
            let _ = condition(&text);
        }

        #[test]
        fn escaped_text_round_trips(text in proptest::arbitrary::any::<String>()) {
            let escaped = text.replace('\\', r"\\").replace('\'', r"\'");
            prop_assert_eq!(text_of(&escaped).unwrap(), text);
        }

        #[test]
        fn unescaped_quotes_and_backslashes_are_rejected(before in "[a-z]{0,5}", after in "[a-z ]{0,9}") {
            let quote = text_of(&format!("{before}'{after}"));
            prop_assert!(quote.is_err());
            let backslash = text_of(&format!("{before}\\"));
            prop_assert!(backslash.is_err());
        }
    }
}
