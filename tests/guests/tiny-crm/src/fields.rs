//! The fields of a pipeline, and the plugin's memo about each.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::{
    bindings::scheduling::crm::types::{Choice, Field as Listed, FieldList, FieldType, WithheldField},
    crm::{LEAD, PERSON},
};

/// A field, as far as writing to it needs to know.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) label: String,
    /// The object that has it: [`PERSON`] or [`LEAD`]. The CRM never moves a field, so a memo can be relied on for this.
    pub(crate) of: &'static str,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
    writable: bool,
}

/// What a field takes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// Text of at most so many characters.
    Text(usize),
    Mail,
    Date,
    Moment,
    Flag,
    /// One of these codes, each with its label.
    Choice(Vec<(String, String)>),
}

impl Kind {
    fn name(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Mail => "mail",
            Self::Date => "date",
            Self::Moment => "moment",
            Self::Flag => "flag",
            Self::Choice(_) => "choice",
        }
    }

    fn of(json: &Json) -> Option<Self> {
        Some(match json.get("kind")?.as_str()? {
            "text" => Self::Text(usize::try_from(json.get("max")?.as_u64()?).ok()?),
            "mail" => Self::Mail,
            "date" => Self::Date,
            "moment" => Self::Moment,
            "flag" => Self::Flag,
            "choice" => {
                let pair =
                    |one: &Json| Some((one.get("code")?.as_str()?.to_owned(), one.get("label")?.as_str()?.to_owned()));
                Self::Choice(json.get("choices")?.as_array()?.iter().map(pair).collect::<Option<_>>()?)
            }
            _ => return None,
        })
    }
}

impl Field {
    fn of(json: &Json) -> Option<Self> {
        let text = |name: &str| json.get(name)?.as_str().map(str::to_owned);
        let holds = |name: &str| json.get(name).and_then(Json::as_bool).unwrap_or_default();
        Some(Self {
            name: text("name")?,
            label: text("label").unwrap_or_default(),
            of: [PERSON, LEAD].into_iter().find(|object| json.get("of").is_some_and(|of| of == object))?,
            kind: Kind::of(json)?,
            required: holds("required"),
            writable: !holds("read_only"),
        })
    }

    /// What the memo of a row says about its field; `None` if it is empty or of another version.
    pub(crate) fn of_memo(name: &str, memo: &str) -> Option<Self> {
        let mut json: Json = serde_json::from_str(memo).ok()?;
        json.as_object_mut()?.insert("name".to_owned(), name.into());
        Self::of(&json)
    }

    /// The memo. Of the choices, it holds only those with a label in `texts`: all of them can be too many.
    pub(crate) fn memo(&self, texts: &[String]) -> String {
        let further = match &self.kind {
            Kind::Text(max) => Some(("max", json!(max))),
            Kind::Choice(choices) => {
                let fits = |(code, label): &&(String, String)| texts.iter().any(|text| text == label || text == code);
                let some = choices.iter().filter(fits).take(50);
                Some(("choices", some.map(|(code, label)| json!({ "code": code, "label": label })).collect()))
            }
            _ => None,
        };
        let mut memo = BTreeMap::from([
            ("of", json!(self.of)),
            ("kind", json!(self.kind.name())),
            ("required", json!(self.required)),
        ]);
        memo.extend(further);
        json!(memo).to_string()
    }

    fn into_listed(self) -> Listed {
        let memo = self.memo(&[]);
        let suggested_source = match self.name.as_str() {
            "なまえ" => Some("guest.name"),
            "めーる" => Some("guest.email"),
            "かいしゃ" => Some("guest.company"),
            "にちじ" => Some("start"),
            _ => None,
        };
        let field_type = match &self.kind {
            Kind::Text(..=100) => FieldType::Text,
            Kind::Text(_) => FieldType::TextArea,
            Kind::Mail => FieldType::Email,
            Kind::Date => FieldType::Date,
            Kind::Moment => FieldType::DateTime,
            Kind::Flag => FieldType::Checkbox,
            Kind::Choice(_) => FieldType::Choice,
        };
        let choices = match self.kind {
            Kind::Choice(choices) => choices,
            _ => Vec::new(),
        };
        Listed {
            name: self.name,
            label: self.label,
            field_type,
            required: self.required,
            group: if self.of == PERSON { "ひと".to_owned() } else { "あんけん".to_owned() },
            choices: choices.into_iter().map(|(value, label)| Choice { value, label, active: true }).collect(),
            help: None,
            suggested_source: suggested_source.map(str::to_owned),
            memo,
            more: Vec::new(),
        }
    }
}

/// The fields of a pipeline as the CRM has them now.
pub(crate) struct Fields(Vec<Field>);

impl Fields {
    pub(crate) fn of(list: &[Json]) -> Option<Self> {
        list.iter().map(Field::of).collect::<Option<_>>().map(Self)
    }

    /// A field that can be written.
    pub(crate) fn find(&self, name: &str) -> Option<&Field> {
        self.0.iter().find(|field| field.name == name && field.writable)
    }

    pub(crate) fn required(&self) -> impl Iterator<Item = &Field> {
        self.0.iter().filter(|field| field.required)
    }

    pub(crate) fn into_list(self) -> FieldList {
        let (writable, others): (Vec<_>, Vec<_>) = self.0.into_iter().partition(|field| field.writable);
        let withheld = others.into_iter().map(|field| WithheldField {
            name: field.name,
            label: field.label,
            reason: "read-only".to_owned(),
        });
        let mut fields: Vec<_> = writable.into_iter().map(Field::into_listed).collect();
        fields.sort_by_key(|field| !field.required);
        FieldList { fields, withheld: withheld.collect(), more: Vec::new() }
    }
}
