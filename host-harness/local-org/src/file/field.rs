//! A field of an object, as an org file writes it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One field of the Lead object.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Field {
    /// API name, such as `BookingId__c`. A name that ends in `__c` makes the field a custom one.
    pub name: String,
    /// Label that people see; the API name if absent.
    #[serde(default)]
    pub label: String,
    /// Data type, in the words of a describe result.
    #[serde(rename = "type")]
    pub kind: FieldType,
    /// Greatest number of characters of a text.
    #[serde(default)]
    pub length: u32,
    /// Digits of a number altogether.
    #[serde(default)]
    pub precision: u32,
    /// Digits of a number after the point.
    #[serde(default)]
    pub scale: u32,
    /// Digits of an `int`.
    #[serde(default)]
    pub digits: u32,
    /// Whether the field may be blank.
    #[serde(default = "yes")]
    pub nillable: bool,
    /// Whether a create may set the field.
    #[serde(default = "yes")]
    pub createable: bool,
    /// Whether an update may set the field.
    #[serde(default = "yes")]
    pub updateable: bool,
    /// Whether field-level security can hide the field.
    #[serde(default = "yes")]
    pub permissionable: bool,
    /// Value of a new record that does not set the field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// Whether the org fills the field by itself (ids, owner, time stamps).
    #[serde(default)]
    pub defaulted_on_create: bool,
    /// Formula of a calculated field: texts in double quotes and field names, joined by `&`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formula: Option<String>,
    /// Whether a picklist takes no other values than its own active ones.
    #[serde(default)]
    pub restricted: bool,
    /// Values of a picklist.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<PicklistValue>,
    /// Name of the picklist or checkbox that decides which values are allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller: Option<String>,
    /// Whether the field is an external id.
    #[serde(default)]
    pub external_id: bool,
    /// Whether no two records may share a value.
    #[serde(default)]
    pub unique: bool,
    /// Whether values that differ only in case differ.
    #[serde(default)]
    pub case_sensitive: bool,
    /// Whether an upsert may look records up by this field.
    #[serde(default)]
    pub id_lookup: bool,
    /// Objects that a reference points to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reference_to: Vec<String>,
    /// Name of the relationship of a reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relationship: Option<String>,
    /// Compound field that this one is a part of, such as `Name` or `Address`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compound: Option<String>,
    /// Help text beside the field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Salesforce's refinement of the type, such as `personname`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra_type_info: Option<String>,
    /// The field's entry in the describe result that it was taken from. What it says outranks what we would derive.
    #[serde(skip)]
    pub imported: Option<Map<String, Value>>,
}

fn yes() -> bool {
    true
}

impl Field {
    /// Whether an admin made this field.
    pub fn custom(&self) -> bool {
        self.name.ends_with("__c")
    }

    /// Whether the org computes the field.
    pub fn calculated(&self) -> bool {
        self.formula.is_some()
    }

    /// Whether a create must give a value.
    pub fn required(&self) -> bool {
        self.createable && !self.nillable && !self.defaulted() && self.kind != FieldType::Boolean
    }

    /// Whether a create that leaves the field out gives it a value all the same.
    pub fn defaulted(&self) -> bool {
        self.defaulted_on_create || self.default.is_some() || self.kind == FieldType::Boolean
    }

    /// Whether field-level security can hide the field: what every record must have, nobody can be kept from.
    pub fn can_be_hidden(&self) -> bool {
        self.permissionable && (self.nillable || self.kind == FieldType::Boolean)
    }

    /// Whether WHERE may name the field. Long texts and encrypted ones cannot be searched.
    pub fn filterable(&self) -> bool {
        !self.long_text() && !matches!(self.kind, FieldType::Base64 | FieldType::EncryptedString)
    }

    /// Whether ORDER BY may name the field.
    pub fn sortable(&self) -> bool {
        self.filterable() && !matches!(self.kind, FieldType::Address | FieldType::Location | FieldType::MultiPicklist)
    }

    /// Whether the field is a text too long to be indexed.
    pub fn long_text(&self) -> bool {
        self.kind == FieldType::TextArea && self.length > 255
    }

    /// The picklist value with this API name, matched without regard to case as Salesforce does it.
    pub fn value(&self, name: &str) -> Option<&PicklistValue> {
        self.values.iter().find(|value| value.value == name).or_else(|| {
            let folded = name.to_lowercase();
            self.values.iter().find(|value| value.value.to_lowercase() == folded)
        })
    }
}

/// A field as an admin makes it, without any setting.
pub(crate) fn plain_field(name: &str, label: &str, kind: FieldType) -> Field {
    Field {
        name: name.to_owned(),
        label: label.to_owned(),
        kind,
        length: 0,
        precision: 0,
        scale: 0,
        digits: 0,
        nillable: true,
        createable: true,
        updateable: true,
        permissionable: true,
        default: None,
        defaulted_on_create: false,
        formula: None,
        restricted: false,
        values: Vec::new(),
        controller: None,
        external_id: false,
        unique: false,
        case_sensitive: false,
        id_lookup: false,
        reference_to: Vec::new(),
        relationship: None,
        compound: None,
        help: None,
        extra_type_info: None,
        imported: None,
    }
}

/// A value of a picklist.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(from = "PicklistEntry")]
#[serde(rename_all = "kebab-case")]
pub struct PicklistValue {
    /// The API name, which requests carry.
    pub value: String,
    /// The label that people see.
    pub label: String,
    /// Whether new records may use it.
    pub active: bool,
    /// Whether it is the picklist's default.
    pub default: bool,
    /// Whether it is a status that Leads get when they are converted, and no other way.
    pub converted: bool,
    /// Values of the controlling field that allow this one; `None` if nothing controls it.
    pub valid_for: Option<Vec<String>>,
}

/// Either spelling of a picklist value in a file: the bare text, or a table.
#[derive(Deserialize)]
#[serde(untagged)]
enum PicklistEntry {
    Text(String),
    Table(PicklistTable),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct PicklistTable {
    value: String,
    label: Option<String>,
    #[serde(default = "yes")]
    active: bool,
    #[serde(default)]
    default: bool,
    #[serde(default)]
    converted: bool,
    valid_for: Option<Vec<String>>,
}

impl From<PicklistEntry> for PicklistValue {
    fn from(entry: PicklistEntry) -> Self {
        match entry {
            PicklistEntry::Text(value) => {
                Self { label: value.clone(), value, active: true, default: false, converted: false, valid_for: None }
            }
            PicklistEntry::Table(table) => Self {
                label: table.label.unwrap_or_else(|| table.value.clone()),
                value: table.value,
                active: table.active,
                default: table.default,
                converted: table.converted,
                valid_for: table.valid_for,
            },
        }
    }
}

/// Data types, in the words of a describe result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are Salesforce's own and say what they are")]
pub enum FieldType {
    Address,
    #[serde(rename = "anyType")]
    AnyType,
    Base64,
    Boolean,
    Combobox,
    Currency,
    Date,
    DateTime,
    Double,
    Email,
    EncryptedString,
    Id,
    Int,
    Location,
    Long,
    MultiPicklist,
    Percent,
    Phone,
    Picklist,
    Reference,
    String,
    TextArea,
    Time,
    Url,
}

impl FieldType {
    /// The type's name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::AnyType => "anyType",
            Self::Base64 => "base64",
            Self::Boolean => "boolean",
            Self::Combobox => "combobox",
            Self::Currency => "currency",
            Self::Date => "date",
            Self::DateTime => "datetime",
            Self::Double => "double",
            Self::Email => "email",
            Self::EncryptedString => "encryptedstring",
            Self::Id => "id",
            Self::Int => "int",
            Self::Location => "location",
            Self::Long => "long",
            Self::MultiPicklist => "multipicklist",
            Self::Percent => "percent",
            Self::Phone => "phone",
            Self::Picklist => "picklist",
            Self::Reference => "reference",
            Self::String => "string",
            Self::TextArea => "textarea",
            Self::Time => "time",
            Self::Url => "url",
        }
    }

    /// The SOAP type that a describe names beside it.
    pub fn soap_type(self) -> &'static str {
        match self {
            Self::Address => "urn:address",
            Self::AnyType => "xsd:anyType",
            Self::Base64 => "xsd:base64Binary",
            Self::Boolean => "xsd:boolean",
            Self::Currency | Self::Double | Self::Percent => "xsd:double",
            Self::Date => "xsd:date",
            Self::DateTime => "xsd:dateTime",
            Self::Id | Self::Reference => "tns:ID",
            Self::Int => "xsd:int",
            Self::Location => "urn:location",
            Self::Long => "xsd:long",
            Self::Time => "xsd:time",
            _ => "xsd:string",
        }
    }

    /// Whether values are numbers.
    pub fn numeric(self) -> bool {
        matches!(self, Self::Currency | Self::Double | Self::Int | Self::Long | Self::Percent)
    }

    /// Whether values are texts.
    pub fn textual(self) -> bool {
        self.soap_type() == "xsd:string"
    }
}
