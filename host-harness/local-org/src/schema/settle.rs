//! Completes the fields of an org file as Salesforce would.

use serde_json::Value;

use crate::{
    file::{Field, FieldType, FileError},
    value,
};

/// Fills in derived attributes of a field and checks its default against its type.
pub(super) fn settle(field: &mut Field) -> Result<(), FileError> {
    if field.label.is_empty() {
        field.label.clone_from(&field.name);
    }
    if field.formula.is_some() {
        (field.createable, field.updateable) = (false, false);
    }
    match field.kind {
        // A checkbox is never blank.
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
            || FileError::Contradiction(format!("the default of {}, {given}, is not one of its values", field.name));
        field.default = Some(default(field, &given).ok_or_else(complaint)?);
    }
    Ok(())
}

/// The default converted to the field's type; `None` if it is not a valid value.
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
