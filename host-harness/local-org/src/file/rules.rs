//! What an admin lays down for Leads: record types, queues, and the rules that records meet.

use serde::{Deserialize, Serialize};

/// A record type of the Lead object.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RecordType {
    /// Id (key prefix `012`); made up if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Label.
    pub name: String,
    /// Developer name.
    pub developer_name: String,
    /// Whether it is in use.
    #[serde(default = "yes")]
    pub active: bool,
    /// Whether the users are assigned to it.
    #[serde(default = "yes")]
    pub available: bool,
    /// Whether it is what new records get.
    #[serde(default)]
    pub default: bool,
}

/// A duplicate rule with its matching rule.
///
/// Real matching rules compare names fuzzily. Here a new record matches an old one if, for one of the groups in
/// `when-same`, all fields are the same but for case and surrounding blanks, and the group's last field is not blank.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct DuplicateRule {
    /// Developer name.
    pub name: String,
    /// Name of the matching rule.
    pub matching_rule: String,
    /// Whether the rule is in force.
    pub active: bool,
    /// What a match does.
    pub action: DuplicateAction,
    /// The text that the rule shows.
    pub message: String,
    /// Whether updates meet the rule as well. That of a new org is for new records.
    pub on_update: bool,
    /// What kind of record a match is.
    pub matched: Matched,
    /// Groups of fields; see above.
    pub when_same: Vec<Vec<String>>,
}

impl Default for DuplicateRule {
    fn default() -> Self {
        let same = |fields: &[&str]| fields.iter().map(ToString::to_string).collect();
        Self {
            name: "Standard_Lead_Duplicate_Rule".into(),
            matching_rule: "Standard_Lead_Match_Rule_v1_0".into(),
            active: true,
            action: DuplicateAction::Alert,
            message: "Use one of these records?".into(),
            on_update: false,
            matched: Matched::Lead,
            when_same: vec![
                same(&["LastName", "FirstName", "Email"]),
                same(&["LastName", "FirstName", "Phone"]),
                same(&["LastName", "FirstName", "Title", "Company"]),
            ],
        }
    }
}

/// What a duplicate rule does with a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DuplicateAction {
    /// Refuses the record unless the request says that it may be saved.
    Alert,
    /// Refuses the record.
    Block,
}

/// What a duplicate rule shows of the Leads that match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Matched {
    /// The Leads themselves.
    Lead,
    /// Contacts: rules of Leads can match these, too. A Lead stands for the contact, which cannot be read.
    Contact,
    /// Nothing, as if they belonged to somebody whose records the user cannot see.
    Hidden,
}

/// A validation rule.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ValidationRule {
    /// Developer name.
    pub name: String,
    /// Condition that refuses a record, in the language of a SOQL WHERE clause, such as `Phone = null AND Email =
    /// null`.
    pub refuse_when: String,
    /// The text that the rule shows.
    pub message: String,
    /// Field beside which the text is shown; the top of the page if absent.
    #[serde(default)]
    pub field: Option<String>,
}

/// A queue: a group of users who own Leads together until one of them takes them.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Queue {
    /// Label.
    pub name: String,
    /// Developer name.
    pub developer_name: String,
}

/// An assignment rule: who owns a Lead that is created or changed.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AssignmentRule {
    /// Id of the rule (key prefix `01Q`).
    pub id: String,
    /// User name of the new owner, or developer name of a queue.
    pub owner: String,
}

/// An Apex trigger that fails, after all other checks.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Trigger {
    /// Name of the trigger.
    pub name: String,
    /// Condition under which it fails, in the language of a SOQL WHERE clause.
    pub fail_when: String,
    /// What it dies of, such as `System.DmlException: ...`.
    pub message: String,
}

fn yes() -> bool {
    true
}
