//! The objects that can be queried: Lead, and the few others that clients ask for the org, its users and record types.

use serde_json::{Map, Value, json};

use super::{Call, record};
use crate::{
    clock::rest_datetime,
    file::{Field, FieldType, plain_field},
    id,
    soql::Query,
};

/// An object's fields and rows.
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

    /// A table whose fields follow from its first row.
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
}

/// The Lead object, with what a query needs of its records.
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
            // A dotted name goes through a relationship, and needs its reference.
            let needed = settings.schema.visible().filter(|field| {
                named(&field.name) || field.relationship.as_ref().is_some_and(|relationship| named(relationship))
            });
            let needed: Vec<_> = needed.collect();
            leads.map(|lead| record::partial_row(settings, lead, &needed)).collect()
        }
    };
    Table { name: "Lead", fields: settings.schema.visible().cloned().collect(), rows }
}

/// An object by a name of any case, with all of its records or what a query needs of them.
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
        "user" => {
            let row = |(id, user): (String, &crate::file::User)| {
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
            Some(Table::of_rows("User", settings.users().map(row).collect()))
        }
        "recordtype" => {
            let row = |(id, kind): &(String, crate::file::RecordType)| {
                json!({
                    "Id": id,
                    "Name": kind.name,
                    "DeveloperName": kind.developer_name,
                    "SobjectType": "Lead",
                    "IsActive": kind.active,
                    "NamespacePrefix": null,
                    "Description": null,
                })
            };
            let mut rows: Vec<Value> = settings.schema.rules.record_types.iter().map(row).collect();
            // Without rows there would be no columns.
            let columns = json!({"Id": "", "Name": "", "DeveloperName": "", "SobjectType": "", "IsActive": true, "NamespacePrefix": null, "Description": null});
            rows.insert(0, columns);
            let mut table = Table::of_rows("RecordType", rows);
            table.rows.remove(0);
            Some(table)
        }
        _ => None,
    }
}

/// The object that an id belongs to.
pub(super) fn of_id(id: &str) -> &'static str {
    match id.get(..3) {
        Some(id::LEAD) => "Lead",
        Some(id::RECORD_TYPE) => "RecordType",
        _ => "User",
    }
}
