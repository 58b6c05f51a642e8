//! JSON of any shape.

use crate::salesforce::json::{self, Scalar, Sink};
use std::borrow::Cow;

/// Twice as many as fifty Leads with all their fields have.
const MOST_VALUES: usize = 100_000;

/// A JSON value.
#[derive(Debug, Default, PartialEq)]
pub enum Tree {
    #[default]
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Tree>),
    /// Members in their order.
    Object(Vec<(String, Tree)>),
}

impl Tree {
    /// Parses JSON; `None` if invalid or over `MOST_VALUES` values.
    pub fn parse(text: &str) -> Option<Self> {
        let mut tree = Self::Null;
        json::read(text, MOST_VALUES, &mut tree).ok()?;
        Some(tree)
    }

    /// The member of that name; the first one if there are several.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(own, _)| own == name).map(|(_, value)| value),
            _ => None,
        }
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether the member of that name is true.
    pub fn is_true(&self, name: &str) -> bool {
        matches!(self.get(name), Some(Self::Bool(true)))
    }

    /// The items of a list; none if this is not a list.
    pub fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    pub fn list(&self, name: &str) -> &[Self] {
        self.get(name).map(Self::items).unwrap_or_default()
    }
}

impl<'a> Sink<'a> for Tree {
    fn scalar(&mut self, value: Scalar<'a>) {
        *self = match value {
            Scalar::Text(text) => Self::Text(text.into_owned()),
            Scalar::Bool(value) => Self::Bool(value),
            Scalar::Number(number) => Self::Number(number),
            Scalar::Null => Self::Null,
        };
    }

    fn list(&mut self) {
        *self = Self::List(Vec::new());
    }

    fn item(&mut self) -> Option<&mut dyn Sink<'a>> {
        let Self::List(items) = self else { return None };
        items.push(Self::Null);
        items.last_mut().map(|item| item as _)
    }

    fn object(&mut self) {
        *self = Self::Object(Vec::new());
    }

    fn member(&mut self, name: Cow<'a, str>) -> Option<&mut dyn Sink<'a>> {
        let Self::Object(members) = self else { return None };
        members.push((name.into_owned(), Self::Null));
        members.last_mut().map(|(_, value)| value as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_has_every_value() {
        let tree = Tree::parse(r#"{"a":[null,true,-1,2.5,18446744073709551615],"b":"x","b":"y","c":true}"#).unwrap();
        let numbers = [
            Tree::Null,
            Tree::Bool(true),
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
