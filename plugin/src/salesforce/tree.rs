//! JSON of any shape. A tree of its own, since `serde_json::Value` weighs several times as much in the component, mostly
//! for the maps in it.

use crate::salesforce::json::{self, Place, Scalar};
use std::borrow::Cow;

/// Fifty Leads with every field of theirs have half of these.
const MOST_VALUES: usize = 100_000;

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
    /// Reads a text, if it is JSON, and not of so many values that none of the answers asked for has them.
    pub fn parse(text: &str) -> Option<Self> {
        if !json::has_at_most(text, MOST_VALUES) {
            return None;
        }
        let mut tree = Self::Null;
        json::read(text, &mut tree).ok()?;
        Some(tree)
    }

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

impl<'a> Place<'a> for Tree {
    fn scalar(&mut self, value: Scalar<'a>) {
        *self = match value {
            Scalar::Text(text) => Self::Text(text.into_owned()),
            Scalar::Truth(truth) => Self::Truth(truth),
            Scalar::Number(number) => Self::Number(number),
            Scalar::Null => Self::Null,
        };
    }

    fn list(&mut self) {
        *self = Self::List(Vec::new());
    }

    fn item(&mut self) -> Option<&mut dyn Place<'a>> {
        let Self::List(items) = self else { return None };
        items.push(Self::Null);
        items.last_mut().map(|item| item as _)
    }

    fn object(&mut self) {
        *self = Self::Object(Vec::new());
    }

    fn member(&mut self, name: Cow<'a, str>) -> Option<&mut dyn Place<'a>> {
        let Self::Object(members) = self else { return None };
        members.push((name.into_owned(), Self::Null));
        members.last_mut().map(|(_, value)| value as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_holds_what_was_written() {
        let tree = Tree::parse(r#"{"a":[null,true,-1,2.5,18446744073709551615],"b":"x","b":"y","c":true}"#).unwrap();
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
        assert!(Tree::parse(&nested(100)).is_some());
        assert!(Tree::parse(&nested(1_000)).is_none());
    }
}
