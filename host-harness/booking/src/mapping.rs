//! The mapping format, described in `docs/mapping.md`: the same for library, command and files.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crm_contract::FieldList;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{Kind, Source, alike::named, source};

/// What a calendar's owner wants written for its bookings. Always valid: ids are unique, and no event writes a field twice.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Mapping {
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    rows: Vec<Row>,
    options: BTreeMap<String, String>,
}

/// A mapping, as `docs/mapping.md` describes it.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
struct Unchecked {
    /// The object to write, as the plugin names it; the plugin's first if absent.
    target: Option<String>,
    /// In the order in which they are shown.
    rows: Vec<Row>,
    /// The plugin's own options by id; an option that is not named has its default.
    #[serde(default, deserialize_with = "options")]
    options: BTreeMap<String, String>,
}

/// One field and where its value comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Names the row in findings and versions, for as long as it exists.
    pub id: RowId,
    /// The field, as the CRM names it. Compared byte by byte.
    pub field: String,
    /// Where the value comes from.
    pub source: Source,
    /// Written where the source is blank, and where a required field cannot take its value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
    /// Translates the source's value.
    #[serde(default, skip_serializing_if = "ValueTable::is_empty")]
    pub values: ValueTable,
    /// The events at which the row is written. Absent: at `confirmed`, and at `rescheduled` if the value is one of the meeting.
    /// A moved booking that has no record yet gets one with the rows for `confirmed`, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<Vec<Kind>>, min_items = 1))]
    pub on: Option<BTreeSet<Event>>,
}

/// The id of a row: 1 to 64 ASCII letters, digits, `-` and `_`, unique within its mapping.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = String, pattern = "^[A-Za-z0-9_-]{1,64}$"))]
#[serde(try_from = "String", into = "String")]
pub struct RowId(String);

/// An event that a row can name: the kinds of bookings.
pub type Event = Kind;

/// Translates values: `51〜300名` to `51-300`. A value is listed as it is, apart from white space around it, or else as the only one
/// that differs in no more than what people type differently, such as widths and kinds of dashes. Each choice of a multiple choice
/// is translated for itself. A value that is not listed passes unchanged, with a finding.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct ValueTable(BTreeMap<String, String>);

/// A key of a value table or of the options is listed twice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is listed twice")]
pub struct ListedTwice(pub String);

/// Why a mapping is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct MappingFault {
    /// Where, for example `rows[3].field`.
    pub path: String,
    /// What is wrong there.
    pub reason: String,
}

impl Mapping {
    /// Puts a mapping together.
    ///
    /// # Errors
    /// If two rows have the same id, two rows write the same field at the same event, or a row names no event.
    pub fn new(
        target: Option<String>,
        rows: Vec<Row>,
        options: BTreeMap<String, String>,
    ) -> Result<Self, MappingFault> {
        let fault = |position: usize, member: &str, reason: String| {
            Err(MappingFault { path: format!("rows[{position}].{member}"), reason })
        };
        let (mut ids, mut fields) = (HashMap::new(), HashMap::new());
        for (position, row) in rows.iter().enumerate() {
            if row.on.as_ref().is_some_and(BTreeSet::is_empty) {
                return fault(position, "on", "expected at least one event".to_owned());
            }
            if let Some(other) = ids.insert(&row.id, position) {
                return fault(position, "id", format!("rows[{other}] has the id `{}` already", row.id.0));
            }
            for event in EVENTS.into_iter().filter(|event| row.is_for(*event)) {
                if let Some(other) = fields.insert((event, &row.field), position) {
                    return fault(
                        position,
                        "field",
                        format!("rows[{other}] writes `{}` at the same event already", row.field),
                    );
                }
            }
        }
        Ok(Self { target, rows, options })
    }

    /// The object to write, as the plugin names it; the plugin's first if `None`.
    pub fn target(&self) -> Option<&str> {
        self.target.as_deref()
    }

    /// The rows, in the order in which they are shown.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The plugin's own options by id; an option that is not named has its default.
    pub fn options(&self) -> &BTreeMap<String, String> {
        &self.options
    }
}

/// All events.
pub const EVENTS: [Event; 3] = [Event::Confirmed, Event::Rescheduled, Event::Cancelled];

impl Row {
    /// Whether the row is written at an event. A row that names no events is written at `confirmed`, and at `rescheduled` if its
    /// value is one of the meeting.
    pub fn is_for(&self, event: Event) -> bool {
        match (&self.on, event) {
            (Some(events), _) => events.contains(&event),
            (None, Event::Confirmed) => true,
            (None, Event::Rescheduled) => source::kind(&self.source) == crm_contract::SourceKind::Meeting,
            (None, Event::Cancelled) => false,
        }
    }
}

/// What a plugin noted about the fields that it listed, by field name. A host keeps it beside a mapping; changing it makes no new
/// version of the mapping.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Memos(BTreeMap<String, String>);

impl Memos {
    /// The memos of all fields that were listed. Withheld ones are known too, without a memo.
    pub fn of_list(listed: &FieldList) -> Self {
        let fields = listed.fields.iter().map(|field| (field.name.clone(), field.memo.clone()));
        let withheld = listed.withheld.iter().map(|field| (field.name.clone(), String::new()));
        Self(withheld.chain(fields).collect())
    }

    /// The memo of a field; empty if there is none.
    pub fn of(&self, field: &str) -> &str {
        self.0.get(field).map_or("", String::as_str)
    }

    /// Whether a field was listed.
    pub fn know(&self, field: &str) -> bool {
        self.0.contains_key(field)
    }

    /// Whether all fields of a mapping were listed.
    pub fn cover(&self, mapping: &Mapping) -> bool {
        mapping.rows.iter().all(|row| self.know(&row.field))
    }

    /// Replaces the memo of a field, as after a check.
    pub fn replace(&mut self, field: &str, memo: String) {
        self.0.insert(field.to_owned(), memo);
    }

    /// Fields and their memos.
    pub fn pairs(&self) -> Vec<(String, String)> {
        self.0.iter().map(|(field, memo)| (field.clone(), memo.clone())).collect()
    }

    /// Names of the fields.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.keys().map(String::as_str)
    }
}

impl FromIterator<(String, String)> for Memos {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

#[cfg(feature = "schema")]
impl utoipa::PartialSchema for Mapping {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        Unchecked::schema()
    }
}

#[cfg(feature = "schema")]
impl utoipa::ToSchema for Mapping {
    fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::Schema>)>) {
        <Unchecked as utoipa::ToSchema>::schemas(schemas);
    }
}

impl TryFrom<Unchecked> for Mapping {
    type Error = MappingFault;

    fn try_from(Unchecked { target, rows, options }: Unchecked) -> Result<Self, MappingFault> {
        Self::new(target, rows, options)
    }
}

impl RowId {
    /// `r1`, `r2`, ...: ids for rows that a program makes.
    pub fn numbered(number: usize) -> Self {
        Self(format!("r{number}"))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RowId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if (1..=64).contains(&text.len()) && text.bytes().all(fits) {
            Ok(Self(text))
        } else {
            Err(format!("`{text}` is not a row id: expected 1 to 64 ASCII letters, digits, `-` or `_`"))
        }
    }
}

impl From<RowId> for String {
    fn from(id: RowId) -> Self {
        id.0
    }
}

impl std::fmt::Display for RowId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl ValueTable {
    /// Whether there is nothing to translate.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Makes a table of pairs from a value to what is written for it.
    ///
    /// # Errors
    /// If a value is listed twice, apart from white space around it.
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, ListedTwice> {
        unique(pairs.into_iter().map(|(value, written)| (value.trim().to_owned(), written))).map(Self)
    }

    /// The pairs from a value to what is written for it.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.0.iter().map(|(value, written)| (value.as_str(), written.as_str()))
    }

    /// What a value is translated to; `None` if it is not listed.
    pub fn translate(&self, value: &str) -> Option<&str> {
        self.pair(value).map(|(_, written)| written)
    }

    /// A value as it is listed.
    pub(crate) fn listed(&self, value: &str) -> Option<&str> {
        self.pair(value).map(|(listed, _)| listed)
    }

    fn pair(&self, value: &str) -> Option<(&str, &str)> {
        named(self.iter().map(|pair| (pair.0, pair)), value.trim())
    }
}

impl<'de> Deserialize<'de> for ValueTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(pairs(deserializer)?).map_err(serde::de::Error::custom)
    }
}

fn options<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    unique(pairs(deserializer)?).map_err(serde::de::Error::custom)
}

fn unique(pairs: impl IntoIterator<Item = (String, String)>) -> Result<BTreeMap<String, String>, ListedTwice> {
    let mut map = BTreeMap::new();
    for (key, value) in pairs {
        if map.contains_key(&key) {
            return Err(ListedTwice(key));
        }
        map.insert(key, value);
    }
    Ok(map)
}

/// Reads an object of texts with all its keys: a map type would silently keep one of two equal keys.
fn pairs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, String)>, D::Error> {
    struct Visitor;
    impl<'de> serde::de::Visitor<'de> for Visitor {
        type Value = Vec<(String, String)>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object of texts")
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut pairs = Vec::new();
            while let Some(pair) = map.next_entry()? {
                pairs.push(pair);
            }
            Ok(pairs)
        }
    }
    deserializer.deserialize_map(Visitor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Mapping, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_mapping_survives_json() {
        let json = r#"{"rows":[{"id":"r1","field":"Size__c","source":{"answer":"q4"},"fallback":"1-50","values":{"51〜300名":"51-300"}},{"id":"r2","field":"Status","source":{"fixed":"Cancelled"},"on":["cancelled"]}],"options":{"existing":"keep"}}"#;
        let mapping = read(json).unwrap();
        assert_eq!(serde_json::to_string(&mapping).unwrap(), json);
    }

    #[test]
    fn an_invalid_mapping_is_refused_with_the_row_and_the_reason() {
        for (json, reason) in [
            (
                r#"{"rows":[{"id":"a","field":"X","source":{"fixed":"1"}},{"id":"a","field":"Y","source":{"fixed":"2"}}]}"#,
                "rows[1].id: rows[0] has the id `a` already",
            ),
            (
                r#"{"rows":[{"id":"a","field":"X","source":{"fixed":"1"}},{"id":"b","field":"X","source":{"fixed":"2"}}]}"#,
                "rows[1].field: rows[0] writes `X` at the same event already",
            ),
            (
                r#"{"rows":[{"id":"a","field":"X","source":{"booking":"start"}},{"id":"b","field":"X","source":{"fixed":"2"},"on":["cancelled","rescheduled"]}]}"#,
                "rows[1].field: rows[0] writes `X` at the same event already",
            ),
            (r#"{"rows":[{"field":"X","source":{"fixed":"1"}}]}"#, "missing field `id`"),
            (r#"{"rows":[{"id":"a b","field":"X","source":{"fixed":"1"}}]}"#, "`a b` is not a row id"),
            (r#"{"rows":[{"id":"a","field":"X","source":{"fixed":"1"},"on":["moved"]}]}"#, "unknown variant `moved`"),
            (
                r#"{"rows":[{"id":"a","field":"X","source":{"fixed":"1"},"values":{"a":"1"," a ":"2"}}]}"#,
                "`a` is listed twice",
            ),
            (
                r#"{"rows":[{"id":"a","field":"X","source":{"fixed":"1"},"values":{"a":"1","a":"2"}}]}"#,
                "`a` is listed twice",
            ),
            (
                r#"{"rows":[{"id":"a","field":"X","source":{"fixed":"1"},"on":[]}]}"#,
                "rows[0].on: expected at least one event",
            ),
            (r#"{"rows":[],"options":{"a":"1","a":"2"}}"#, "`a` is listed twice"),
            (r#"{"rows":[],"option":{}}"#, "unknown field `option`"),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.contains(reason), "{json}: {error}");
        }
    }

    #[test]
    fn one_field_may_have_a_row_for_each_event() {
        let json = r#"{"rows":[{"id":"a","field":"Status","source":{"fixed":"Open"}},
            {"id":"m","field":"Status","source":{"fixed":"Moved"},"on":["rescheduled"]},
            {"id":"b","field":"Status","source":{"fixed":"Lost"},"on":["cancelled"]}]}"#;
        let mapping = read(json).unwrap();
        let at = |event| -> Vec<&str> {
            mapping.rows().iter().filter(|row| row.is_for(event)).map(|row| row.id.as_str()).collect()
        };
        assert_eq!(at(Event::Confirmed), ["a"]);
        assert_eq!(at(Event::Rescheduled), ["m"]);
        assert_eq!(at(Event::Cancelled), ["b"]);
    }
}
