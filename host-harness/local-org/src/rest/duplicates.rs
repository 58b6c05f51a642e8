//! Duplicate rules.

use serde_json::{Map, Value, json};

use super::{Call, record};
use crate::{
    file::{DuplicateAction, DuplicateRule, Field, Matched},
    id,
    message::ApiError,
    state::Lead,
};

/// The options of `Sforce-Duplicate-Rule-Header`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Wish {
    allow_save: bool,
    include_details: bool,
}

impl Wish {
    /// Parses the header, such as `allowSave=true; includeRecordDetails=true`.
    fn of(header: Option<&str>) -> Self {
        let set = |name: &str| {
            header.unwrap_or_default().split([';', ',']).any(|part| {
                let (key, value) = part.split_once('=').unwrap_or((part, ""));
                key.trim().eq_ignore_ascii_case(name) && value.trim().eq_ignore_ascii_case("true")
            })
        };
        Self { allow_save: set("allowSave"), include_details: set("includeRecordDetails") }
    }
}

/// The error for a record that matches others, if a rule rejects it. `own` is the record's id if it already exists.
pub(super) fn check(
    call: &Call<'_>,
    own: Option<&str>,
    draft: &Map<String, Value>,
    leads: &[Lead],
) -> Option<ApiError> {
    let wish = Wish::of(call.request.header("sforce-duplicate-rule-header"));
    let rules = call.settings.file.duplicate_rules.iter().zip(&call.settings.schema.rules.duplicates);
    let in_force = rules.filter(|(rule, _)| rule.active && (own.is_none() || rule.on_update));
    in_force.filter(|(rule, _)| rule.action == DuplicateAction::Block || !wish.allow_save).find_map(|(rule, groups)| {
        let fields: Vec<&Field> = groups.iter().flatten().collect();
        let same = |lead: &&Lead| same(groups, draft, &record::partial_row(&call.settings, lead, &fields));
        let others = leads.iter().filter(|lead| !lead.deleted && own != Some(lead.id.as_str()));
        let matched: Vec<&Lead> = others.filter(same).collect();
        (!matched.is_empty()).then(|| refusal(call, wish, rule, &matched))
    })
}

fn same(groups: &[Vec<Field>], new: &Map<String, Value>, old: &Map<String, Value>) -> bool {
    let text = |record: &Map<String, Value>, field: &Field| match record.get(&field.name) {
        Some(Value::String(text)) => text.trim().to_lowercase(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    };
    groups.iter().any(|group| {
        group.last().is_some_and(|last| !text(new, last).is_empty())
            && group.iter().all(|field| text(new, field) == text(old, field))
    })
}

fn refusal(call: &Call<'_>, wish: Wish, rule: &DuplicateRule, matched: &[&Lead]) -> ApiError {
    let (entity, shown) = match rule.matched {
        Matched::Lead => ("Lead", matched),
        Matched::Contact => ("Contact", matched),
        Matched::Hidden => ("Lead", Default::default()),
    };
    let records = shown.iter().map(|lead| {
        let id = match rule.matched {
            Matched::Contact => id::of_object(id::CONTACT, &lead.id),
            _ => lead.id.clone(),
        };
        let mut record = json!({"attributes": record::attributes(entity, &id, call.version), "Id": id});
        if let Value::Object(members) = &mut record
            && wish.include_details
        {
            let row = record::row(&call.settings, lead);
            let shown = ["Name", "Email", "Company", "Phone", "OwnerId", "CreatedDate", "LastModifiedDate"];
            members.extend(shown.iter().filter_map(|name| Some(((*name).to_owned(), row.get(*name)?.clone()))));
        }
        json!({"additionalInformation": [], "fieldDiffs": [], "matchConfidence": 100.0, "record": record})
    });
    let result = json!({
        "allowSave": rule.action == DuplicateAction::Alert,
        "duplicateRule": rule.name,
        "duplicateRuleEntityType": "Lead",
        "errorMessage": rule.message,
        "matchResults": [{
            "entityType": entity,
            "errors": [],
            "matchEngine": "FuzzyMatchEngine",
            "matchRecords": records.collect::<Vec<_>>(),
            "rule": rule.matching_rule,
            "size": shown.len(),
            "success": true,
        }],
    });
    // Versions up to 56 misspell the key, and 60 has it right. Which version fixed it is not known.
    let key = if call.version < 58 { "duplicateResut" } else { "duplicateResult" };
    ApiError { detail: Some((key, result)), ..ApiError::new("DUPLICATES_DETECTED", rule.message.clone()) }
}

#[cfg(test)]
mod tests {
    use super::Wish;

    #[test]
    fn the_duplicate_rule_header_ignores_case_and_accepts_both_separators() {
        let both = Wish { allow_save: true, include_details: true };
        assert_eq!(Wish::of(Some("allowSave=true; includeRecordDetails=true")), both);
        assert_eq!(Wish::of(Some("ALLOWSAVE = TRUE, includerecorddetails=true")), both);
        assert_eq!(Wish::of(Some("allowSave=false")), Wish::default());
        assert_eq!(Wish::of(None), Wish::default());
    }
}
