//! Bodies of calls.

use crate::value::Json;

/// A JSON object of these members, in their order.
pub fn object<'a, 'v: 'a>(members: impl Iterator<Item = (&'a str, &'a Json<'v>)>) -> Vec<u8> {
    let mut body = Vec::with_capacity(1024);
    body.push(b'{');
    for (name, value) in members {
        if body.len() > 1 {
            body.push(b',');
        }
        push_string(&mut body, name);
        body.push(b':');
        push_value(&mut body, value);
    }
    body.push(b'}');
    body
}

/// A value as JSON text.
pub fn json(value: &Json<'_>) -> String {
    let mut body = Vec::new();
    push_value(&mut body, value);
    String::from_utf8(body).unwrap_or_default()
}

fn push_value(body: &mut Vec<u8>, value: &Json<'_>) {
    match value {
        Json::Text(text) => push_string(body, text),
        Json::Number(number) => body.extend_from_slice(number.as_bytes()),
        Json::Boolean(true) => body.extend_from_slice(b"true"),
        Json::Boolean(false) => body.extend_from_slice(b"false"),
    }
}

fn push_string(body: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    body.push(b'"');
    let mut rest = text.as_bytes();
    // What needs no escape is copied at once.
    while let Some((plain, escaped)) = split_at_escape(rest) {
        body.extend_from_slice(plain);
        let Some((byte, after)) = escaped.split_first() else { break };
        match byte {
            b'"' | b'\\' => body.extend_from_slice(&[b'\\', *byte]),
            b'\n' => body.extend_from_slice(b"\\n"),
            b'\r' => body.extend_from_slice(b"\\r"),
            b'\t' => body.extend_from_slice(b"\\t"),
            _ => {
                body.extend_from_slice(b"\\u00");
                body.extend([byte >> 4, byte & 15].iter().filter_map(|digit| HEX.get(usize::from(*digit))));
            }
        }
        rest = after;
    }
    body.push(b'"');
}

/// What stands before the first byte that needs an escape, and what begins with that byte.
fn split_at_escape(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1F)).unwrap_or(bytes.len());
    bytes.split_at_checked(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_keep_their_types() {
        let members = [
            ("LastName", Json::Text("山田\"\\\n".into())),
            ("Amount__c", Json::Number("9007199254740993.01".into())),
            ("Flag__c", Json::Boolean(false)),
        ];
        let body = object(members.iter().map(|(name, value)| (*name, value)));
        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#"{"LastName":"山田\"\\\n","Amount__c":9007199254740993.01,"Flag__c":false}"#
        );
        assert_eq!(object(std::iter::empty()), b"{}");
    }

    proptest! {
        #[test]
        fn any_text_is_read_back_as_it_was(name in any::<String>(), text in any::<String>()) {
            let value = Json::Text(text.as_str().into());
            let body = object(std::iter::once((name.as_str(), &value)));
            let read: std::collections::BTreeMap<String, String> = serde_json::from_slice(&body).unwrap();
            prop_assert_eq!(read.get(&name), Some(&text));
        }
    }
}
