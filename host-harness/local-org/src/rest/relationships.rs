//! Parent relationships in queries, such as `Owner.Name`.

use serde_json::{Map, Value, json};

use super::{
    Call,
    objects::{self, Table},
    record,
};
use crate::{
    file::Field,
    soql::{Path, Query},
};

/// Adds a column for every field of a parent that the query names, so that conditions, order and selection find it
/// under its dotted name. What is no relationship is left to be refused as an unknown column.
pub(super) fn join(call: &Call<'_>, query: &Query, table: &mut Table) {
    for path in query.paths() {
        if table.field(&path.text).is_some() {
            continue;
        }
        let Some((reference, parents, field)) = resolve(call, table, path) else { continue };
        let column = Field {
            name: format!("{}.{}", reference.relationship.as_deref().unwrap_or_default(), field.name),
            ..field
        };
        let parent_field = column.name.rsplit('.').next().unwrap_or_default().to_owned();
        for row in &mut table.rows {
            let parent = row.get(&reference.name).and_then(|id| find(&parents, id));
            let value = parent.and_then(|parent| parent.get(&parent_field)).cloned().unwrap_or(Value::Null);
            row.insert(column.name.clone(), value);
        }
        table.fields.push(column);
    }
}

/// The reference that a path goes through, the object that it leads to, and the field there.
fn resolve(call: &Call<'_>, table: &Table, path: &Path) -> Option<(Field, Table, Field)> {
    let (relationship, name) = path.text.split_once('.')?;
    let through =
        |field: &&Field| field.relationship.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(relationship));
    let reference = table.fields.iter().find(through)?.clone();
    let parents = reference
        .reference_to
        .iter()
        .filter(|object| *object != "Lead")
        .find_map(|object| objects::find(call, object, None))?;
    let field = parents.field(name)?.clone();
    Some((reference, parents, field))
}

fn find<'a>(parents: &'a Table, id: &Value) -> Option<&'a Map<String, Value>> {
    parents.rows.iter().find(|parent| !id.is_null() && parent.get("Id") == Some(id))
}

/// Puts a selected value into a record: that of a parent's field into an object of its own.
pub(super) fn put(
    call: &Call<'_>,
    table: &Table,
    record: &mut Map<String, Value>,
    field: &Field,
    row: &Map<String, Value>,
) {
    let value = row.get(&field.name).cloned().unwrap_or(Value::Null);
    let Some((relationship, name)) = field.name.split_once('.') else {
        record.insert(field.name.clone(), value);
        return;
    };
    let reference = table.fields.iter().find(|field| field.relationship.as_deref() == Some(relationship));
    let id = reference.and_then(|reference| row.get(&reference.name)).and_then(Value::as_str);
    let Some(id) = id else {
        record.insert(relationship.to_owned(), Value::Null);
        return;
    };
    let object = if id.starts_with("012") { "RecordType" } else { "User" };
    let parent = record
        .entry(relationship.to_owned())
        .or_insert_with(|| json!({"attributes": record::attributes(object, id, call.version)}));
    if let Value::Object(parent) = parent {
        parent.insert(name.to_owned(), value);
    }
}
