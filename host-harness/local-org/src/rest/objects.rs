//! The objects that can be queried: Lead, Organization, User, Group and QueueSobject (queues), RecordType and AssignmentRule.

use serde_json::{Map, Value, json};

use super::{Call, record};
use crate::{
    clock::rest_datetime,
    file::{Field, FieldType, User, plain_field},
    id,
    org::Settings,
    soql::Query,
};

pub(super) struct Table {
    pub name: &'static str,
    pub fields: Vec<Field>,
    pub rows: Vec<Map<String, Value>>,
}

impl Table {
    /// A field by a name of any case.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name))
    }

    /// A table whose fields are inferred from its first row.
    fn of_rows(name: &'static str, rows: Vec<Value>) -> Self {
        let rows: Vec<Map<String, Value>> = rows
            .into_iter()
            .filter_map(|row| match row {
                Value::Object(row) => Some(row),
                _ => None,
            })
            .collect();
        let fields = rows.first().into_iter().flatten().map(|(name, value)| {
            let kind = match value {
                _ if name == "Id" => FieldType::Id,
                Value::Bool(_) => FieldType::Boolean,
                Value::Number(_) => FieldType::Double,
                _ if name.ends_with("Id") => FieldType::Reference,
                _ if name.ends_with("Date") => FieldType::DateTime,
                _ => FieldType::String,
            };
            Field { length: 255, ..plain_field(name, name, kind) }
        });
        Self { name, fields: fields.collect(), rows }
    }

    /// A table whose fields are inferred from an example, since it may have no rows.
    fn of_example(name: &'static str, example: Value, rows: Vec<Value>) -> Self {
        let mut table = Self::of_rows(name, std::iter::once(example).chain(rows).collect());
        table.rows.remove(0);
        table
    }
}

/// The Lead object, with only the columns that a query needs.
fn leads(call: &Call<'_>, query: Option<&Query>) -> Table {
    let settings = &call.settings;
    let state = call.org.state();
    let leads = state.kept.leads.iter();
    let rows = match query {
        None => leads.map(|lead| record::row(settings, lead)).collect(),
        Some(query) => {
            let names: Vec<&str> =
                query.paths().iter().map(|path| path.text.split('.').next().unwrap_or_default()).collect();
            let named = |name: &str| names.iter().any(|one| one.eq_ignore_ascii_case(name));
            // A dotted name goes through a relationship, which needs its reference field.
            let needed = settings.schema.visible().filter(|field| {
                named(&field.name) || field.relationship.as_ref().is_some_and(|relationship| named(relationship))
            });
            let needed: Vec<_> = needed.collect();
            leads.map(|lead| record::partial_row(settings, lead, &needed)).collect()
        }
    };
    Table { name: "Lead", fields: settings.schema.visible().cloned().collect(), rows }
}

/// An object by a name of any case. Without a query, Lead rows have all columns.
pub(super) fn find(call: &Call<'_>, name: &str, query: Option<&Query>) -> Option<Table> {
    let settings = &call.settings;
    let file = &settings.file;
    match name.to_ascii_lowercase().as_str() {
        "lead" if super::sees_leads(call) => Some(leads(call, query)),
        "organization" => Some(Table::of_rows(
            "Organization",
            vec![json!({
                "Id": settings.org_id(),
                "Name": file.name,
                "OrganizationType": file.edition,
                "IsSandbox": file.sandbox,
                "InstanceName": "LOCAL1",
                "NamespacePrefix": null,
                "LanguageLocaleKey": file.locale.split('_').next(),
                "DefaultLocaleSidKey": file.locale,
                "TimeZoneSidKey": file.time_zone,
                "PrimaryContact": null,
                "Country": null,
                "TrialExpirationDate": null,
                "CreatedDate": rest_datetime(settings.described),
            })],
        )),
        "user" => Some(users(settings)),
        "group" => Some(queues(settings)),
        "queuesobject" => Some(queued_objects(settings)),
        "assignmentrule" => Some(assignment_rules(settings)),
        "recordtype" => Some(record_types(settings)),
        _ => None,
    }
}

fn users(settings: &Settings) -> Table {
    let file = &settings.file;
    let row = |(id, user): (String, &User)| {
        json!({
            "Id": id,
            "Username": user.username,
            "Name": crate::oauth::display_name(user),
            "FirstName": user.first_name,
            "LastName": user.last_name,
            "Email": user.email,
            "IsActive": user.active,
            "UserType": "Standard",
            "ProfileId": id::mint("00e", 1),
            "LanguageLocaleKey": file.locale.split('_').next(),
            "LocaleSidKey": file.locale,
            "TimeZoneSidKey": file.time_zone,
            "CreatedDate": rest_datetime(settings.described),
        })
    };
    Table::of_rows("User", settings.users().map(row).collect())
}

fn queues(settings: &Settings) -> Table {
    let row = |id: &str, name: &str, developer_name: &str| json!({"Id": id, "Name": name, "DeveloperName": developer_name, "Type": "Queue", "Email": null});
    let rows = settings.queues().map(|(id, queue)| row(&id, &queue.name, &queue.developer_name));
    Table::of_example("Group", row("", "", ""), rows.collect())
}

/// Which objects a queue can own: Leads only.
fn queued_objects(settings: &Settings) -> Table {
    let row =
        |queue: &str, number: u64| json!({"Id": id::mint("03g", number), "QueueId": queue, "SobjectType": "Lead"});
    let rows = settings.queues().zip(1..).map(|((queue, _), number)| row(&queue, number));
    let mut table = Table::of_example("QueueSobject", row("", 0), rows.collect());
    for field in table.fields.iter_mut().filter(|field| field.name == "QueueId") {
        field.relationship = Some("Queue".to_owned());
        field.reference_to = vec!["Group".to_owned()];
    }
    table
}

fn assignment_rules(settings: &Settings) -> Table {
    let row = |id: &str, name: &str| json!({"Id": id, "Name": name, "SobjectType": "Lead", "Active": true});
    let rule = settings.file.assignment_rule.iter().filter_map(|rule| Some(row(&id::to_18(&rule.id)?, &rule.name)));
    Table::of_example("AssignmentRule", row("", ""), rule.collect())
}

fn record_types(settings: &Settings) -> Table {
    let row = |id: &str, name: &str, developer_name: &str, active: bool| {
        json!({
            "Id": id,
            "Name": name,
            "DeveloperName": developer_name,
            "SobjectType": "Lead",
            "IsActive": active,
            "NamespacePrefix": null,
            "Description": null,
        })
    };
    let kinds = settings.schema.rules.record_types.iter();
    let rows = kinds.map(|(id, kind)| row(id, &kind.name, &kind.developer_name, kind.active));
    Table::of_example("RecordType", row("", "", "", true), rows.collect())
}

/// The object of an id, by its key prefix.
pub(super) fn of_id(id: &str) -> &'static str {
    match id.get(..3) {
        Some(id::LEAD) => "Lead",
        Some(id::RECORD_TYPE) => "RecordType",
        Some(id::GROUP) => "Group",
        _ => "User",
    }
}
