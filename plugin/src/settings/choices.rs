//! The further values of an option, which only the org knows.

use crate::{
    bindings::{settings::OptionChoice, types::Problem},
    mapping::check_target,
    salesforce::{
        api::Api,
        lead::records,
        open,
        org::{Connect, Org},
        tree::Tree,
    },
    settings::options::{Asked, asked, is_key_field},
};

/// The most choices that a host takes.
const MOST: usize = 2_000;

/// Lists the further values of an option.
pub fn list_choices(
    connect: &mut impl Connect,
    target: Option<&str>,
    group: &str,
) -> Result<Vec<OptionChoice>, Box<Problem>> {
    check_target(target)?;
    let Some(asked) = asked(group)? else { return Ok(Vec::new()) };
    let mut org = open(connect)?;
    let mut api = Api::new(&mut org);
    let mut choices = match asked {
        Asked::KeyFields => {
            let fields = api.describe()?.fields.into_iter().filter(is_key_field);
            fields.map(|field| choice(&field.name, format!("{} ({})", field.label, field.name))).collect()
        }
        Asked::RecordTypes => {
            let types = api.describe()?.record_types.into_iter();
            types.map(|record_type| choice(&record_type.id, record_type.name)).collect()
        }
        Asked::AssignmentRules => {
            let soql = "SELECT Id,Name FROM AssignmentRule WHERE SobjectType = 'Lead' ORDER BY Active DESC,Name";
            let rule = |record: &Tree| Some(choice(record.text("Id")?, record.text("Name")?));
            queried(&mut api, soql, rule)?
        }
        Asked::Owners => owners(&mut api)?,
    };
    choices.truncate(MOST);
    Ok(choices)
}

/// Queues, and then people: queues are few, so that none is cut off.
fn owners<O: Org>(api: &mut Api<'_, O>) -> Result<Vec<OptionChoice>, Box<Problem>> {
    let soql = "SELECT QueueId,Queue.Name FROM QueueSobject WHERE SobjectType = 'Lead' ORDER BY Queue.Name";
    let queue = |record: &Tree| Some(choice(record.text("QueueId")?, record.get("Queue")?.text("Name")?));
    let mut owners = queried(api, soql, queue)?;
    let soql = "SELECT Id,Name,Username FROM User WHERE IsActive = true AND UserType = 'Standard' ORDER BY Name";
    // Two people may have one name.
    let user = |record: &Tree| {
        Some(choice(record.text("Id")?, format!("{} ({})", record.text("Name")?, record.text("Username")?)))
    };
    owners.extend(queried(api, soql, user)?);
    Ok(owners)
}

/// The records of a query as choices. One without the requested values is left out.
fn queried<O: Org>(
    api: &mut Api<'_, O>,
    soql: &str,
    read: impl Fn(&Tree) -> Option<OptionChoice>,
) -> Result<Vec<OptionChoice>, Box<Problem>> {
    let response = api.query(&format!("{soql} LIMIT {MOST}"))?;
    Ok(records(&response)?.iter().filter_map(read).collect())
}

fn choice(value: &str, label: impl Into<String>) -> OptionChoice {
    OptionChoice { value: value.to_owned(), label: label.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        bindings::http::{Failure, Response},
        codes,
        script::{Script, answer, described, leads},
    };
    use serde_json::{Value, json};

    /// Values with their labels.
    type Pairs = Vec<(String, String)>;

    fn listed(
        group: &str,
        replies: impl IntoIterator<Item = Result<Response, Failure>>,
    ) -> (Result<Pairs, String>, Vec<String>) {
        let script = Script::new(replies);
        let choices = list_choices(&mut script.clone(), Some("Lead"), group);
        let pairs = choices.map(|choices| choices.into_iter().map(|choice| (choice.value, choice.label)).collect());
        (pairs.map_err(|problem| problem.code), script.asked())
    }

    fn pairs(pairs: &[(&str, &str)]) -> Pairs {
        pairs.iter().map(|(value, label)| ((*value).to_owned(), (*label).to_owned())).collect()
    }

    fn found(records: &[Value]) -> Result<Response, Failure> {
        let records: Vec<String> = records.iter().map(Value::to_string).collect();
        leads(&records.iter().map(String::as_str).collect::<Vec<_>>())
    }

    #[test]
    fn fields_for_the_booking_id_are_those_that_keep_out_a_second_lead() {
        let (choices, asked) = listed("booking-id-field", [described(&[("Title", "unique", json!(true))])]);
        assert_eq!(choices.unwrap(), pairs(&[("BookingId__c", "BookingId__c label (BookingId__c)")]));
        assert_eq!(asked, ["GET /sobjects/Lead/describe"]);
    }

    #[test]
    fn record_types_are_those_of_leads() {
        let body = json!({"fields": [], "recordTypeInfos": [
            {"recordTypeId": "0125e00000AbCdEAAV", "name": "Partner", "active": true, "available": true},
            {"recordTypeId": "012000000000000AAA", "name": "Master", "active": true, "available": true, "master": true},
        ]});
        let (choices, _) = listed("record-type", [answer(200, &body.to_string())]);
        assert_eq!(choices.unwrap(), pairs(&[("0125e00000AbCdEAAV", "Partner")]));
    }

    #[test]
    fn assignment_rules_are_those_of_leads_with_the_active_one_first() {
        let rules =
            [json!({"Id": "01Q5e00000AbCdE", "Name": "By region"}), json!({"Id": "01Q5e00000AbCdF", "Name": "Old"})];
        let (choices, asked) = listed("assignment-rules", [found(&rules)]);
        assert_eq!(choices.unwrap(), pairs(&[("01Q5e00000AbCdE", "By region"), ("01Q5e00000AbCdF", "Old")]));
        assert_eq!(
            asked,
            [
                "GET /query?q=SELECT Id,Name FROM AssignmentRule WHERE SobjectType = 'Lead' ORDER BY Active DESC,Name LIMIT 2000"
            ]
        );
    }

    #[test]
    fn owners_are_queues_and_active_people_and_no_more_than_a_host_takes() {
        let queues = [json!({"QueueId": "00G5e00000AbCdE", "Queue": {"Name": "Inbound"}})];
        let user = |number: usize| json!({"Id": format!("005{number:012}"), "Name": "Ken Ito", "Username": format!("ken{number}@x.org")});
        let users: Vec<Value> = (0..2_000).map(user).collect();
        let (choices, asked) = listed("owner", [found(&queues), found(&users)]);
        let choices = choices.unwrap();
        assert_eq!(choices[..2], pairs(&[("00G5e00000AbCdE", "Inbound"), ("005000000000000", "Ken Ito (ken0@x.org)")]));
        assert_eq!(choices.len(), MOST);
        assert_eq!(
            asked[1],
            "GET /query?q=SELECT Id,Name,Username FROM User WHERE IsActive = true AND UserType = 'Standard' ORDER BY Name LIMIT 2000"
        );
    }

    #[test]
    fn an_option_without_further_values_lists_none_and_an_unknown_one_is_a_problem() {
        assert_eq!(listed("existing", []).0, Ok(Vec::new()));
        assert_eq!(listed("color", []).0, Err(codes::OPTION_INVALID.to_owned()));
        let problem = list_choices(&mut Script::default(), Some("Contact"), "owner").unwrap_err();
        assert_eq!(problem.code, codes::TARGET_UNKNOWN);
    }

    #[test]
    fn choices_that_could_not_be_read_are_a_problem_and_not_none() {
        for (group, reply) in [
            ("owner", answer(400, r#"[{"errorCode":"INVALID_TYPE","message":"x"}]"#)),
            ("assignment-rules", answer(200, "<html>")),
            ("record-type", answer(503, "")),
        ] {
            assert!(listed(group, [reply]).0.is_err(), "{group}");
        }
    }
}
