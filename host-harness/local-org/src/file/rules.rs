//! What an admin sets up for Leads: record types, queues, and rules.

use serde::{Deserialize, Serialize};

/// A record type of the Lead object.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RecordType {
    /// Id (key prefix `012`); generated if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Label.
    pub name: String,
    /// API name.
    pub developer_name: String,
    /// Whether the record type is active.
    #[serde(default = "yes")]
    pub active: bool,
    /// Whether it is assigned to the users.
    #[serde(default = "yes")]
    pub available: bool,
    /// Whether it is the default of new records.
    #[serde(default)]
    pub default: bool,
}

/// A duplicate rule with its matching rule.
///
/// Real matching rules compare names fuzzily. Here a new record matches an existing one if all fields of any `when-same`
/// group are equal, ignoring case and surrounding whitespace, and the group's last field is not blank.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct DuplicateRule {
    /// Developer name.
    pub name: String,
    /// Name of the matching rule.
    pub matching_rule: String,
    /// Whether the rule is active.
    pub active: bool,
    /// What happens on a match.
    pub action: DuplicateAction,
    /// Alert text of the rule.
    pub message: String,
    /// Whether the rule runs on updates too. The standard rule runs on creates only.
    pub on_update: bool,
    /// How matches are reported.
    pub matched: Matched,
    /// Groups of fields, as described above.
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

/// What a duplicate rule does on a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DuplicateAction {
    /// Rejects the record unless the request has `allowSave=true`.
    Alert,
    /// Rejects the record.
    Block,
}

/// How a duplicate rule reports matching Leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Matched {
    /// As Leads.
    Lead,
    /// As Contacts, which Lead rules can match too. The Contact cannot be read.
    Contact,
    /// Without records, as if the user had no access to them.
    Hidden,
}

/// A validation rule.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ValidationRule {
    /// Developer name.
    pub name: String,
    /// Condition that rejects a record, as a SOQL WHERE clause, such as `Phone = null AND Email = null`.
    pub refuse_when: String,
    /// Error message of the rule.
    pub message: String,
    /// Field that the error is attached to; the top of the page if absent.
    #[serde(default)]
    pub field: Option<String>,
}

/// A queue: a group of users that can own Leads.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Queue {
    /// Label.
    pub name: String,
    /// Developer name.
    pub developer_name: String,
}

/// An assignment rule, which sets the owner of a created or updated Lead.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AssignmentRule {
    /// Id of the rule (key prefix `01Q`).
    pub id: String,
    /// Label.
    #[serde(default = "standard_rule")]
    pub name: String,
    /// User name of the owner, or developer name of a queue.
    pub owner: String,
}

/// An Apex trigger that can fail. It runs after all other checks.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Trigger {
    /// Name of the trigger.
    pub name: String,
    /// Condition under which it fails, as a SOQL WHERE clause.
    pub fail_when: String,
    /// Text of the uncaught exception, such as `System.DmlException: ...`.
    pub message: String,
}

fn standard_rule() -> String {
    "Standard".to_owned()
}

fn yes() -> bool {
    true
}
