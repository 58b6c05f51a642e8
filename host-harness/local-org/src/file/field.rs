//! Fields of an org file.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One field of the Lead object.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Field {
    /// API name, such as `BookingId__c`. The suffix `__c` marks a custom field.
    pub name: String,
    /// Label; the API name if absent.
    #[serde(default)]
    pub label: String,
    /// Data type, as named in a describe result.
    #[serde(rename = "type")]
    pub kind: FieldType,
    /// Maximum length of text in UTF-16 code units; 0 for no limit.
    #[serde(default)]
    pub length: u32,
    /// Total digits of a number.
    #[serde(default)]
    pub precision: u32,
    /// Digits of a number after the decimal point.
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
    /// Whether the org fills the field (ids, owner, timestamps).
    #[serde(default)]
    pub defaulted_on_create: bool,
    /// Formula of a calculated field: string literals in double quotes and field names, joined by `&`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formula: Option<String>,
    /// Whether a picklist accepts only its own active values.
    #[serde(default)]
    pub restricted: bool,
    /// Values of a picklist.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<PicklistValue>,
    /// Name of the picklist or checkbox that decides which values are allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller: Option<String>,
    /// Whether the field is an external ID.
    #[serde(default)]
    pub external_id: bool,
    /// Whether values must be unique.
    #[serde(default)]
    pub unique: bool,
    /// Whether comparisons are case-sensitive.
    #[serde(default)]
    pub case_sensitive: bool,
    /// Whether an upsert may match records by this field.
    #[serde(default)]
    pub id_lookup: bool,
    /// Target objects of a reference.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reference_to: Vec<String>,
    /// Relationship name of a reference, used in queries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relationship: Option<String>,
    /// Compound field that includes this one, such as `Name` or `Address`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compound: Option<String>,
    /// Inline help text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Salesforce's refinement of the type, such as `personname`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra_type_info: Option<String>,
    /// Whether the field holds HTML. A rich text area does (`extra-type-info = "richtextarea"`), and a formula may.
    #[serde(default)]
    pub html_formatted: bool,
    /// Whether queries may filter by the field, if its type and encryption allow that.
    #[serde(default = "yes")]
    pub filterable: bool,
    /// How Shield Platform Encryption encrypts the field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encrypted: Option<Encryption>,
    /// The entry of the describe result that the field was imported from. It overrides derived values.
    #[serde(skip)]
    pub imported: Option<Map<String, Value>>,
}

fn yes() -> bool {
    true
}

impl Field {
    /// Whether this is a custom field.
    pub fn custom(&self) -> bool {
        self.name.ends_with("__c")
    }

    /// Whether the org computes the field.
    pub fn calculated(&self) -> bool {
        self.formula.is_some()
    }

    /// Whether a create must set the field.
    pub fn required(&self) -> bool {
        self.createable && !self.nillable && !self.defaulted() && self.kind != FieldType::Boolean
    }

    /// Whether a create that omits the field still gives it a value.
    pub fn defaulted(&self) -> bool {
        self.defaulted_on_create || self.default.is_some() || self.kind == FieldType::Boolean
    }

    /// Whether field-level security can hide the field. It cannot hide a field that every record needs.
    pub fn can_be_hidden(&self) -> bool {
        self.permissionable && (self.nillable || self.kind == FieldType::Boolean)
    }

    /// Whether text of the field is HTML.
    pub fn html(&self) -> bool {
        self.html_formatted || self.extra_type_info.as_deref() == Some("richtextarea")
    }

    /// Whether WHERE may use the field. Long and encrypted text is not filterable, unless the same text is always encrypted alike.
    pub fn can_filter(&self) -> bool {
        self.filterable
            && self.encrypted != Some(Encryption::Probabilistic)
            && !self.long_text()
            && !matches!(self.kind, FieldType::Base64 | FieldType::EncryptedString)
    }

    /// Whether ORDER BY may use the field.
    pub fn sortable(&self) -> bool {
        self.can_filter()
            && self.encrypted.is_none()
            && !matches!(self.kind, FieldType::Address | FieldType::Location | FieldType::MultiPicklist)
    }

    /// Whether the field is a long text area (over 255 characters), which is not indexed.
    pub fn long_text(&self) -> bool {
        self.kind == FieldType::TextArea && self.length > 255
    }

    /// The picklist value with this API name. An exact match wins over one that differs in case, which Salesforce accepts too.
    pub fn value(&self, name: &str) -> Option<&PicklistValue> {
        self.values.iter().find(|value| value.value == name).or_else(|| {
            let folded = name.to_lowercase();
            self.values.iter().find(|value| value.value.to_lowercase() == folded)
        })
    }
}

/// A new custom field with default settings.
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
        html_formatted: false,
        filterable: true,
        encrypted: None,
        imported: None,
    }
}

/// The schemes of Shield Platform Encryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encryption {
    /// The same text is encrypted differently each time: queries can neither filter nor sort by it.
    Probabilistic,
    /// The same text is always encrypted alike: queries can look for equal texts, and nothing else.
    Deterministic,
}

/// A value of a picklist.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(from = "PicklistEntry")]
#[serde(rename_all = "kebab-case")]
pub struct PicklistValue {
    /// API name, used in requests.
    pub value: String,
    /// Label; the API name if absent.
    pub label: String,
    /// Whether new records may use it.
    pub active: bool,
    /// Whether it is the picklist's default.
    pub default: bool,
    /// Whether it is a status that only conversion sets.
    pub converted: bool,
    /// Controlling values that allow this one; `None` if the picklist has no controlling field.
    pub valid_for: Option<Vec<String>>,
}

/// A picklist value in an org file: a string or a table.
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

/// Data types, as named in a describe result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "Salesforce's own names, documented in its object reference")]
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
    /// Name in a describe result.
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

    /// `soapType` in a describe result.
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

    /// Whether values are text.
    pub fn textual(self) -> bool {
        self.soap_type() == "xsd:string"
    }
}
