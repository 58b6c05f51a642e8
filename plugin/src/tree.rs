//! JSON of any shape. A tree of its own, since `serde_json::Value` weighs several times as much in the component, mostly
//! for the maps in it.

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use std::fmt;

/// A JSON value.
#[derive(Debug, Default, PartialEq)]
pub enum Tree {
    /// Null.
    #[default]
    Null,
    /// True or false.
    Truth(bool),
    /// A number.
    Number(f64),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Tree>),
    /// An object, its members in their order.
    Object(Vec<(String, Tree)>),
}

impl Tree {
    /// The member of that name; of several the first.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(own, _)| own == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text of the member of that name.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether the member of that name is true.
    pub fn is_true(&self, name: &str) -> bool {
        matches!(self.get(name), Some(Self::Truth(true)))
    }

    /// What is in the list; nothing where this is no list.
    pub fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// What is in the list of that name.
    pub fn list(&self, name: &str) -> &[Self] {
        self.get(name).map(Self::items).unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Tree;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    // Salesforce keeps numbers as doubles too.
    fn visit_u64<E: Error>(self, number: u64) -> Result<Tree, E> {
        Ok(Tree::Number(number as f64))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Tree, E> {
        Ok(Tree::Number(number as f64))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Tree, E> {
        Ok(Tree::Number(number))
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Tree, E> {
        Ok(Tree::Truth(truth))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Tree::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = map.next_key()? {
            let value = map.next_value()?;
            members.push((name, value));
        }
        Ok(Tree::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_holds_what_was_written() {
        let tree: Tree =
            serde_json::from_str(r#"{"a":[null,true,-1,2.5,18446744073709551615],"b":"x","b":"y","c":true}"#).unwrap();
        let numbers = [
            Tree::Null,
            Tree::Truth(true),
            Tree::Number(-1.0),
            Tree::Number(2.5),
            Tree::Number(1.844_674_407_370_955_2e19),
        ];
        assert_eq!(tree.list("a"), numbers);
        assert_eq!((tree.text("b"), tree.text("a"), tree.text("d")), (Some("x"), None, None));
        assert!(tree.is_true("c") && !tree.is_true("b"));
        assert!(tree.list("b").is_empty() && tree.items().is_empty());
    }

    #[test]
    fn what_is_nested_too_deep_is_refused() {
        let nested = |depth: usize| ["[".repeat(depth), "]".repeat(depth)].concat();
        assert!(serde_json::from_str::<Tree>(&nested(100)).is_ok());
        assert!(serde_json::from_str::<Tree>(&nested(1_000)).is_err());
    }
}
