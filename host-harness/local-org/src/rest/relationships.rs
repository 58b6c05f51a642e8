//! Parent relationships in queries, such as `Owner.Name`.

use serde_json::{Map, Value, json};

use super::{
    Call,
    objects::{self, Table},
    record,
};
use crate::{
    file::Field,
    soql::{Query, SoqlError},
};

/// Adds a column for every parent field in the query, so that WHERE, ORDER BY and SELECT find it under its dotted name.
/// Unknown parent fields are left for the usual field check to reject.
pub(super) fn join(call: &Call<'_>, text: &str, query: &Query, table: &mut Table) -> Result<(), SoqlError> {
    for path in query.paths() {
        let Some((relationship, name)) = path.text.split_once('.').filter(|_| table.field(&path.text).is_none()) else {
            continue;
        };
        let through =
            |field: &&Field| field.relationship.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(relationship));
        let Some(reference) = table.fields.iter().find(through).cloned() else {
            return Err(SoqlError::no_such_relationship(text, path, relationship));
        };
        // A reference can point to several objects, as Owner does.
        let objects = reference.reference_to.iter().filter_map(|object| objects::find(call, object, None));
        let parents: Vec<Table> = objects.filter(|parents| parents.field(name).is_some()).collect();
        let Some(field) = parents.first().and_then(|parents| parents.field(name)).cloned() else { continue };
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
    Ok(())
}

fn find<'a>(parents: &'a [Table], id: &Value) -> Option<&'a Map<String, Value>> {
    parents.iter().flat_map(|table| &table.rows).find(|parent| !id.is_null() && parent.get("Id") == Some(id))
}

/// Puts a selected value into a record, nesting parent fields in an object.
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
    let object = objects::of_id(id);
    let parent = record
        .entry(relationship.to_owned())
        .or_insert_with(|| json!({"attributes": record::attributes(object, id, call.version)}));
    if let Value::Object(parent) = parent {
        parent.insert(name.to_owned(), value);
    }
}
