//! Describe results.

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{
    HeaderName, StatusCode,
    header::{ETAG, IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE, LAST_MODIFIED},
};
use serde_json::{Map, Value, json};

use super::Call;
use crate::{
    clock::{http_date, parse_http_date},
    file::{Field, FieldType, PicklistValue, User},
    message::Answer,
    org::Settings,
    schema::MASTER_RECORD_TYPE,
    token::sha256_base64url,
};

/// Children of a Lead: object, field, relationship, and whether deleting the Lead deletes them.
const CHILDREN: [(&str, &str, &str, bool); 24] = [
    ("AcceptedEventRelation", "RelationId", "AcceptedEventRelations", false),
    ("ActivityHistory", "WhoId", "ActivityHistories", true),
    ("AttachedContentDocument", "LinkedEntityId", "AttachedContentDocuments", true),
    ("Attachment", "ParentId", "Attachments", true),
    ("CampaignMember", "LeadId", "CampaignMembers", true),
    ("CombinedAttachment", "ParentId", "CombinedAttachments", true),
    ("ContactRequest", "WhoId", "ContactRequests", false),
    ("ContentDocumentLink", "LinkedEntityId", "ContentDocumentLinks", true),
    ("DuplicateRecordItem", "RecordId", "DuplicateRecordItems", true),
    ("EmailMessageRelation", "RelationId", "EmailMessageRelations", true),
    ("EmailStatus", "WhoId", "EmailStatuses", true),
    ("EntitySubscription", "ParentId", "FeedSubscriptionsForEntity", true),
    ("Event", "WhoId", "Events", true),
    ("EventRelation", "RelationId", "EventRelations", true),
    ("LeadFeed", "ParentId", "Feeds", true),
    ("LeadHistory", "LeadId", "Histories", true),
    ("LeadShare", "LeadId", "Shares", true),
    ("Note", "ParentId", "Notes", true),
    ("NoteAndAttachment", "ParentId", "NotesAndAttachments", true),
    ("OpenActivity", "WhoId", "OpenActivities", true),
    ("ProcessInstance", "TargetObjectId", "ProcessInstances", true),
    ("Task", "WhoId", "Tasks", true),
    ("TopicAssignment", "EntityId", "TopicAssignments", true),
    ("UserEmailPreferredPerson", "PersonRecordId", "PersonRecord", true),
];

/// `GET sobjects/Lead/describe`.
pub(super) fn lead(call: &Call<'_>) -> Answer {
    if_changed(call, &describe(call))
}

/// `GET sobjects`: the list of objects.
pub(super) fn global(call: &Call<'_>) -> Answer {
    let objects: Vec<_> = super::sees_leads(call).then(|| summary(call)).into_iter().collect();
    if_changed(call, &json!({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects}))
}

/// The description, or 304 if the caller's copy is current.
fn if_changed(call: &Call<'_>, body: &Value) -> Answer {
    let tag = format!("\"{}\"", sha256_base64url(&body.to_string()).get(..8).unwrap_or_default());
    // HTTP dates have no fractions, so compare whole seconds.
    let changed = call.settings.described.as_second();
    let date = |name: HeaderName| Some(call.request.header(name.as_str()).and_then(parse_http_date)?.as_second());
    let answer = match (date(IF_MODIFIED_SINCE), date(IF_UNMODIFIED_SINCE)) {
        (Some(since), _) if since >= changed => Answer::empty(StatusCode::NOT_MODIFIED),
        (_, Some(since)) if since < changed => Answer::empty(StatusCode::PRECONDITION_FAILED),
        _ => Answer::json(StatusCode::OK, body),
    };
    answer.with(LAST_MODIFIED, &http_date(call.settings.described)).with(ETAG, &tag)
}

/// `GET sobjects/Lead`: a summary and recent records.
pub(super) fn basic(call: &Call<'_>) -> Answer {
    let leads = call.org.state().kept.leads.clone();
    let recent = leads.iter().rev().filter(|lead| !lead.deleted).take(10).map(|lead| {
        let row = super::record::row(&call.settings, lead);
        json!({
            "attributes": {"type": "Lead", "url": call.path(&format!("sobjects/Lead/{}", lead.id))},
            "Id": lead.id,
            "Name": row.get("Name"),
        })
    });
    let body = json!({"objectDescribe": summary(call), "recentItems": recent.collect::<Vec<_>>()});
    Answer::json(StatusCode::OK, &body)
}

/// The members that the object list and the basic response share with the full describe.
fn summary(call: &Call<'_>) -> Value {
    const FULL_ONLY: [&str; 10] = [
        "actionOverrides",
        "childRelationships",
        "compactLayoutable",
        "fields",
        "listviewable",
        "lookupLayoutable",
        "namedLayoutInfos",
        "networkScopeFieldName",
        "recordTypeInfos",
        "supportedScopes",
    ];
    let mut body = head(call);
    if let Value::Object(members) = &mut body {
        members.retain(|key, _| !FULL_ONLY.contains(&key.as_str()) && key != "sobjectDescribeOption");
        members.insert(
            "urls".to_owned(),
            json!({
                "sobject": call.path("sobjects/Lead"),
                "describe": call.path("sobjects/Lead/describe"),
                "rowTemplate": call.path("sobjects/Lead/{ID}"),
            }),
        );
    }
    body
}

fn describe(call: &Call<'_>) -> Value {
    let mut body = head(call);
    if let Value::Object(members) = &mut body {
        let fields = call.settings.schema.visible().map(|field| describe_field(&call.settings, field));
        members.insert("fields".to_owned(), fields.collect());
    }
    body
}

/// Everything except the fields.
fn head(call: &Call<'_>) -> Value {
    let instance = call.org.instance_url();
    let at = |rest: &str| call.path(&format!("sobjects/Lead{rest}"));
    let may = |right: fn(&User) -> bool| call.user().is_some_and(right);
    json!({
        "actionOverrides": [],
        "activateable": false,
        "associateEntityType": null,
        "associateParentEntity": null,
        "childRelationships": CHILDREN.map(|(object, field, relationship, cascade)| json!({
            "cascadeDelete": cascade,
            "childSObject": object,
            "deprecatedAndHidden": false,
            "field": field,
            "junctionIdListNames": [],
            "junctionReferenceTo": [],
            "relationshipName": relationship,
            "restrictedDelete": false,
        })),
        "compactLayoutable": true,
        "createable": may(|user| user.create_leads),
        "custom": false,
        "customSetting": false,
        "deepCloneable": false,
        "defaultImplementation": null,
        "deletable": may(|user| user.delete_leads),
        "deprecatedAndHidden": false,
        "extendedBy": null,
        "extendsInterfaces": null,
        "feedEnabled": true,
        "hasSubtypes": false,
        "implementedBy": null,
        "implementsInterfaces": null,
        "isInterface": false,
        "isSubtype": false,
        "keyPrefix": "00Q",
        "label": "Lead",
        "labelPlural": "Leads",
        "layoutable": true,
        "listviewable": null,
        "lookupLayoutable": null,
        "mergeable": true,
        "mruEnabled": true,
        "name": "Lead",
        "namedLayoutInfos": [],
        "networkScopeFieldName": null,
        "queryable": true,
        "recordTypeInfos": record_types(call),
        "replicateable": true,
        "retrieveable": true,
        "searchLayoutable": true,
        "searchable": true,
        "sobjectDescribeOption": "FULL",
        "supportedScopes": [
            {"label": "All leads", "name": "everything"},
            {"label": "My leads", "name": "mine"},
            {"label": "Queue owned leads", "name": "queue_owned"},
            {"label": "Filter by scope", "name": "scopingRule"},
            {"label": "My team's leads", "name": "team"},
            {"label": "User owned leads", "name": "user_owned"},
        ],
        "triggerable": true,
        "undeletable": true,
        "updateable": may(|user| user.edit_leads),
        "urls": {
            "compactLayouts": at("/describe/compactLayouts"),
            "rowTemplate": at("/{ID}"),
            "approvalLayouts": at("/describe/approvalLayouts"),
            "uiDetailTemplate": format!("{instance}/{{ID}}"),
            "uiEditTemplate": format!("{instance}/{{ID}}/e"),
            "listviews": at("/listviews"),
            "describe": at("/describe"),
            "uiNewRecord": format!("{instance}/00Q/e"),
            "quickActions": at("/quickActions"),
            "layouts": at("/describe/layouts"),
            "sobject": at(""),
        },
    })
}

fn record_types(call: &Call<'_>) -> Vec<Value> {
    let info = |id: &str, name: &str, developer_name: &str, active: bool, available: bool, default: bool| {
        json!({
            "active": active,
            "available": available,
            "defaultRecordTypeMapping": default,
            "developerName": developer_name,
            "master": id == MASTER_RECORD_TYPE,
            "name": name,
            "recordTypeId": id,
            "urls": {"layout": call.path(&format!("sobjects/Lead/describe/layouts/{id}"))},
        })
    };
    let kinds = &call.settings.schema.rules.record_types;
    let own = kinds
        .iter()
        .map(|(id, kind)| info(id, &kind.name, &kind.developer_name, kind.active, kind.available, kind.default));
    let master_is_default = !kinds.iter().any(|(_, kind)| kind.default);
    let master = info(MASTER_RECORD_TYPE, "Master", "Master", true, true, master_is_default);
    own.chain(std::iter::once(master)).collect()
}

/// A field's entry: always the same 57 keys.
fn describe_field(settings: &Settings, field: &Field) -> Value {
    let kind = field.kind;
    let text = kind.textual();
    let length = if matches!(kind, FieldType::Id | FieldType::Reference) { 18 } else { field.length };
    let calculated = field.calculated();
    let compound = matches!(kind, FieldType::Address | FieldType::Location);
    let searchable = field.can_filter();
    let values: Vec<_> = field.values.iter().map(|value| describe_value(settings, field, value)).collect();
    let fraction = matches!(kind, FieldType::Currency | FieldType::Double | FieldType::Percent);
    let byte_length = if text { length * 3 } else { length };
    let json = json!({
        "aggregatable": searchable && !compound && !matches!(kind, FieldType::Boolean | FieldType::MultiPicklist),
        "aiPredictionField": false,
        "autoNumber": false,
        "byteLength": byte_length,
        "calculated": calculated,
        "calculatedFormula": field.formula,
        "cascadeDelete": false,
        "caseSensitive": field.case_sensitive,
        "compoundFieldName": field.compound,
        "controllerName": field.controller,
        "createable": field.createable,
        "custom": field.custom(),
        "defaultValue": field.default,
        "defaultValueFormula": null,
        "defaultedOnCreate": field.defaulted(),
        "dependentPicklist": field.controller.is_some(),
        "deprecatedAndHidden": false,
        "digits": field.digits,
        "displayLocationInDecimal": false,
        "encrypted": kind == FieldType::EncryptedString || field.encrypted.is_some(),
        "externalId": field.external_id,
        "extraTypeInfo": field.extra_type_info,
        "filterable": searchable,
        "filteredLookupInfo": null,
        "formulaTreatNullNumberAsZero": calculated,
        "groupable": field.sortable() && !fraction && kind != FieldType::DateTime && !calculated,
        "highScaleNumber": false,
        "htmlFormatted": field.html(),
        "idLookup": field.id_lookup || field.external_id,
        "inlineHelpText": field.help,
        "label": field.label,
        "length": length,
        "mask": null,
        "maskType": null,
        "name": field.name,
        "nameField": field.name == "Name",
        "namePointing": field.reference_to.len() > 1,
        "nillable": field.nillable,
        "permissionable": field.can_be_hidden(),
        "picklistValues": values,
        "polymorphicForeignKey": field.reference_to.len() > 1,
        "precision": field.precision,
        "queryByDistance": compound,
        "referenceTargetField": null,
        "referenceTo": field.reference_to,
        "relationshipName": field.relationship,
        "relationshipOrder": null,
        "restrictedDelete": false,
        "restrictedPicklist": field.restricted,
        "scale": field.scale,
        "searchPrefilterable": kind == FieldType::Reference && !field.custom() && !prefilter_excluded(field),
        "soapType": kind.soap_type(),
        "sortable": field.sortable(),
        "type": kind.name(),
        "unique": field.unique,
        "updateable": field.updateable,
        "writeRequiresMasterRead": false,
    });
    match (json, &field.imported) {
        (Value::Object(members), Some(imported)) => Value::Object(overlay(members, imported)),
        (json, _) => json,
    }
}

/// Standard references to these objects are not `searchPrefilterable`.
fn prefilter_excluded(field: &Field) -> bool {
    field.reference_to.iter().any(|object| ["Group", "Lead", "RecordType", "User"].contains(&object.as_str()))
}

fn overlay(mut members: Map<String, Value>, imported: &Map<String, Value>) -> Map<String, Value> {
    members.extend(imported.clone());
    members
}

fn describe_value(settings: &Settings, field: &Field, value: &PicklistValue) -> Value {
    let controller = field.controller.as_ref().and_then(|name| settings.schema.field_of_org(name));
    let valid_for = value.valid_for.as_ref().zip(controller).map(|(allowed, controller)| bitmap(controller, allowed));
    json!({
        "active": value.active,
        "defaultValue": value.default || field.default.as_ref().and_then(Value::as_str) == Some(value.value.as_str()),
        "label": value.label,
        "validFor": valid_for,
        "value": value.value,
    })
}

/// The base64 `validFor` bitmap of allowed controlling values: bit *i* is `0x80 >> i % 8` of byte `i / 8`.
fn bitmap(controller: &Field, allowed: &[String]) -> String {
    // A controlling checkbox has the values false and true.
    let names: Vec<&str> = match controller.kind {
        FieldType::Boolean => vec!["false", "true"],
        _ => controller.values.iter().map(|value| value.value.as_str()).collect(),
    };
    let bits: Vec<bool> = names.iter().map(|name| allowed.iter().any(|one| one == name)).collect();
    let byte =
        |bits: &[bool]| bits.iter().enumerate().fold(0, |byte, (i, &on)| if on { byte | 0x80 >> i } else { byte });
    let mut bytes: Vec<u8> = bits.chunks(8).map(byte).collect();
    // Salesforce pads bitmaps to multiples of three bytes, so their base64 has no "=".
    bytes.resize(bytes.len().next_multiple_of(3), 0);
    BASE64_STANDARD.encode(bytes)
}
