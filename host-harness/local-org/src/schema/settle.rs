//! Fields as Salesforce would have made them of what a file says.

use serde_json::Value;

use crate::{
    file::{Field, FieldType, FileError},
    value,
};

/// Fills in what follows from the rest of a field, and holds its default against its type.
pub(super) fn settle(field: &mut Field) -> Result<(), FileError> {
    if field.label.is_empty() {
        field.label.clone_from(&field.name);
    }
    if field.formula.is_some() {
        (field.createable, field.updateable) = (false, false);
    }
    match field.kind {
        // A checkbox is on or off, never blank.
        FieldType::Boolean => {
            field.nillable = false;
            field.default.get_or_insert(Value::Bool(false));
        }
        FieldType::Picklist | FieldType::MultiPicklist | FieldType::Combobox if field.default.is_none() => {
            let values: Vec<_> = field.values.iter().filter(|value| value.default).map(|one| &*one.value).collect();
            field.default = Some(values.join(";")).filter(|joined| !joined.is_empty()).map(Value::from);
        }
        _ => {}
    }
    if let Some(given) = field.default.take() {
        let complaint =
            || FileError::Contradiction(format!("the default of {}, {given}, is none of its values", field.name));
        field.default = Some(default(field, &given).ok_or_else(complaint)?);
    }
    Ok(())
}

/// A default in the type of its field, if it is one of the field's values.
pub(crate) fn default(field: &Field, given: &Value) -> Option<Value> {
    let value = value::typed(field, given, &given.to_string()).filter(|value| !value.is_null())?;
    let listed = |text: &str| field.value(text).is_some();
    let known = match (&value, field.kind) {
        (Value::String(text), FieldType::Picklist) => listed(text),
        (Value::String(text), FieldType::MultiPicklist) => text.split(';').all(listed),
        _ => true,
    };
    (known || !field.restricted).then_some(value)
}
