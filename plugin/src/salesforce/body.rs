//! Bodies of requests.

use crate::value::Json;
use salesforce_text::json::push_string;

/// A JSON object with these members in this order.
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
