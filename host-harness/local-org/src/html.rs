//! What a rich text area stores of the HTML that it gets.

/// Tags that Salesforce keeps (help, "Rich Text Editor"). Others are removed; the text within them stays.
const KEPT: [&str; 24] = [
    "a",
    "b",
    "blockquote",
    "br",
    "cite",
    "code",
    "dd",
    "div",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "hr",
    "i",
    "img",
    "li",
    "ol",
    "p",
    "pre",
    "span",
    "strong",
    "u",
    "ul",
];

/// The stored HTML: without tags that are not supported, and with characters escaped where they are not a part of markup. Line
/// breaks are white space in HTML.
pub(crate) fn stored(text: &str) -> String {
    let mut stored = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let behind = rest.get(c.len_utf8()..).unwrap_or_default();
        rest = behind;
        match c {
            '<' => match tag(behind) {
                Some((inner, after)) => {
                    if KEPT.contains(&name(inner).as_str()) {
                        stored.extend(["<", inner, ">"]);
                    }
                    rest = after;
                }
                None => stored.push_str("&lt;"),
            },
            '&' if is_entity(behind) => stored.push('&'),
            '&' => stored.push_str("&amp;"),
            '>' => stored.push_str("&gt;"),
            '"' => stored.push_str("&quot;"),
            '\'' => stored.push_str("&#39;"),
            '\r' | '\n' => stored.push(' '),
            c => stored.push(c),
        }
    }
    stored
}

/// What is inside a tag, and what follows it.
fn tag(behind: &str) -> Option<(&str, &str)> {
    let begins = behind.trim_start_matches('/').starts_with(|c: char| c.is_ascii_alphabetic());
    begins.then(|| behind.split_once('>')).flatten()
}

fn name(inner: &str) -> String {
    let inner = inner.trim_start_matches('/');
    inner.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default().to_ascii_lowercase()
}

fn is_entity(behind: &str) -> bool {
    let Some((name, _)) = behind.split_once(';') else { return false };
    let name = name.strip_prefix('#').unwrap_or(name);
    (1..=8).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsupported_tags_and_line_breaks_are_lost_and_text_is_escaped() {
        for (given, expected) in [
            ("a<br>b &lt;c&gt; &amp; &#39;d&#39;", "a<br>b &lt;c&gt; &amp; &#39;d&#39;"),
            ("1\n2 <Tanaka> & A<B", "1 2  &amp; A&lt;B"),
            ("<script>x</script>\"y\" it's", "x&quot;y&quot; it&#39;s"),
            ("a < b > c &; &x", "a &lt; b &gt; c &amp;; &amp;x"),
        ] {
            assert_eq!(stored(given), expected, "{given}");
        }
    }
}
