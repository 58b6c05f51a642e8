//! Text in fields that hold HTML, such as rich text areas: it is to be read there as it was typed.

use unicode_segmentation::UnicodeSegmentation as _;

/// The HTML of a text, as far as it fits.
pub struct Escaped {
    pub html: String,
    /// The length of all of it. Salesforce counts markup too (help, "Rich Text Area Field Considerations").
    pub length: usize,
    /// Whether the end was left out, between characters as people see them.
    pub is_cut: bool,
}

/// Escapes a text: what is markup in HTML becomes an entity, a line break a `<br>`, and of several blanks all but the last one a
/// `&nbsp;`, since HTML shows a run of blanks as one. `limit` is in UTF-16 code units.
pub fn escaped(text: &str, limit: usize) -> Escaped {
    let mut escaped = Escaped { html: String::with_capacity(text.len()), length: 0, is_cut: false };
    let mut clusters = text.graphemes(true).peekable();
    while let Some(cluster) = clusters.next() {
        let before = escaped.html.len();
        match cluster {
            " " | "\t" if matches!(clusters.peek(), Some(&" " | &"\t")) => escaped.html.push_str("&nbsp;"),
            "\t" => escaped.html.push(' '),
            "\r\n" => escaped.html.push_str("<br>"),
            cluster => cluster.chars().for_each(|c| push(&mut escaped.html, c)),
        }
        escaped.length += escaped.html.get(before..).unwrap_or_default().encode_utf16().count();
        // A shorter character behind one that does not fit must not take its place.
        escaped.is_cut |= escaped.length > limit;
        if escaped.is_cut {
            escaped.html.truncate(before);
        }
    }
    escaped
}

fn push(html: &mut String, c: char) {
    match c {
        '&' => html.push_str("&amp;"),
        '<' => html.push_str("&lt;"),
        '>' => html.push_str("&gt;"),
        '"' => html.push_str("&quot;"),
        '\'' => html.push_str("&#39;"),
        '\n' | '\r' | '\u{2028}' | '\u{2029}' => html.push_str("<br>"),
        c => html.push(c),
    }
}

/// The words of HTML, to compare what was sent with what the org made of it: Salesforce writes markup and entities in its own way.
pub fn words(html: &str) -> String {
    let mut words = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(c) = rest.chars().next() {
        let behind = rest.get(c.len_utf8()..).unwrap_or_default();
        rest = match c {
            '<' => {
                words.push(' ');
                behind.split_once('>').map_or("", |(_, after)| after)
            }
            '&' => {
                let (c, after) = entity(behind).unwrap_or(('&', behind));
                words.push(c);
                after
            }
            c => {
                words.push(if c.is_whitespace() { ' ' } else { c });
                behind
            }
        };
    }
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The character of an entity, and what follows it.
fn entity(behind: &str) -> Option<(char, &str)> {
    let (name, after) = behind.split_once(';')?;
    let c = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        _ => char::from_u32(name.strip_prefix('#')?.parse().ok()?)?,
    };
    Some((if c.is_whitespace() { ' ' } else { c }, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_is_read_as_it_was_typed() {
        for (text, expected) in [
            ("1 < 2 & 'a' > \"b\"", "1 &lt; 2 &amp; &#39;a&#39; &gt; &quot;b&quot;"),
            ("a\r\nb\nc\rd\u{2028}e", "a<br>b<br>c<br>d<br>e"),
            ("a   b\t\tc\td", "a&nbsp;&nbsp; b&nbsp; c d"),
            ("👩‍💻e\u{301}", "👩‍💻e\u{301}"),
        ] {
            assert_eq!(escaped(text, usize::MAX).html, expected, "{text}");
        }
    }

    #[test]
    fn a_cut_leaves_entities_tags_and_characters_whole() {
        for (text, limit, expected) in [("&&", 9, "&amp;"), ("a\nb", 4, "a"), ("a👩‍💻b", 5, "a"), ("<a", 3, "")]
        {
            let cut = escaped(text, limit);
            assert_eq!((&*cut.html, cut.is_cut), (expected, true), "{text}");
        }
    }

    #[test]
    fn the_orgs_way_of_writing_has_the_same_words() {
        let sent = escaped("\"a\"  & 'b'\n<c>", usize::MAX).html;
        for held in [&*sent, "<p>\"a\"\u{A0} &amp; &#39;b&#39;</p><p>&lt;c&gt;</p>", "&#34;a&#34; & 'b'<br/>&lt;c&gt; "]
        {
            assert_eq!(words(held), "\"a\" & 'b' <c>", "{held}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_markup(text in any::<String>(), limit in 0_usize..60) {
            let cut = escaped(&text, limit);
            prop_assert!(cut.html.encode_utf16().count() <= limit && !cut.html.replace("<br>", "").contains(['<', '>', '"', '\'']));
            prop_assert_eq!(cut.is_cut, cut.length > limit);
            prop_assert!(escaped(&text, usize::MAX).html.starts_with(&cut.html));
        }
    }
}
