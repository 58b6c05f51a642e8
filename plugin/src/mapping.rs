//! Which rows a problem or finding concerns, by the fields that it names.

use crate::{
    bindings::types::{Consequence, Finding, Mapping, Problem, Reaction, Row, SourceKind},
    codes,
    field::is_same_field,
    problem::refusal,
    salesforce::api::LEAD,
    value::{Note, particular},
};

/// Adds the rows of the fields that a problem names. If only values of the mapping's own are at fault, nobody can correct
/// them in the booking.
pub fn attribute(problem: &mut Problem, mapping: &Mapping) {
    problem.rows = concerned(&problem.fields, mapping);
    for further in &mut problem.also {
        further.rows = concerned(&further.fields, mapping);
    }
    let is_of_mapping = |position: &u32| row(mapping, *position).is_some_and(|row| row.source == SourceKind::Mapping);
    if problem.reaction == Reaction::FixBooking && !problem.rows.is_empty() && problem.rows.iter().all(is_of_mapping) {
        problem.reaction = Reaction::FixMapping;
    }
}

/// Positions of the rows that write these fields.
fn concerned(fields: &[String], mapping: &Mapping) -> Vec<u32> {
    let writes = |row: &Row| fields.iter().any(|field| is_same_field(field, &row.field));
    positions(mapping).filter(|(_, row)| writes(row)).map(|(position, _)| position).collect()
}

/// The rows with their positions.
pub fn positions(mapping: &Mapping) -> impl Iterator<Item = (u32, &Row)> {
    (0..).zip(&mapping.rows)
}

/// The row at a position.
pub fn row(mapping: &Mapping, position: u32) -> Option<&Row> {
    mapping.rows.get(usize::try_from(position).ok()?)
}

/// A finding about one row. `label` is that of its field.
pub fn finding(note: Note, consequence: Consequence, position: u32, field: &str, label: &str) -> Finding {
    let mut particulars = note.particulars;
    particulars.push(particular("field", if label.is_empty() { field } else { label }));
    Finding {
        code: note.code.to_owned(),
        consequence,
        fields: vec![field.to_owned()],
        rows: vec![position],
        message: note.message,
        particulars,
        more: Vec::new(),
    }
}

/// Refuses any target but the one that this plugin has.
pub fn check_target(target: Option<&str>) -> Result<(), Box<Problem>> {
    let Some(unknown) = target.filter(|target| *target != LEAD) else { return Ok(()) };
    let message = format!("There is no target `{unknown}`.");
    let mut problem = refusal(codes::TARGET_UNKNOWN, Reaction::FixMapping, message);
    problem.particulars.push(particular("value", unknown));
    Err(problem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        bindings::types::FurtherError,
        fixture::{self, given_by, text},
    };

    #[test]
    fn a_problem_names_the_rows_of_its_fields() {
        let mut mapping = fixture::mapping();
        mapping.rows.push(fixture::row(fixture::text_field("Title", 128), text("部長")));
        let mut problem = Problem::new("code", Reaction::FixBooking, "message");
        problem.fields = vec!["company".into(), "Title".into(), "Unknown__c".into()];
        problem.also = vec![FurtherError {
            code: "code".into(),
            message: "message".into(),
            fields: vec!["Email".into()],
            rows: Vec::new(),
        }];
        attribute(&mut problem, &mapping);
        assert_eq!(problem.rows, [2, 6]);
        assert_eq!(problem.also[0].rows, [3]);
    }

    #[test]
    fn a_refused_value_that_only_the_mapping_has_is_to_be_fixed_there() {
        let mut mapping = fixture::mapping();
        let title = fixture::row(fixture::text_field("Title", 128), text("部長"));
        mapping.rows.push(given_by(SourceKind::Mapping, title));
        for (fields, reaction, expected) in [
            (vec!["Title"], Reaction::FixBooking, Reaction::FixMapping),
            (vec!["Title", "Company"], Reaction::FixBooking, Reaction::FixBooking),
            (vec![], Reaction::FixBooking, Reaction::FixBooking),
            (vec!["Title"], Reaction::AskAdmin, Reaction::AskAdmin),
        ] {
            let mut problem = Problem::new("code", reaction, "message");
            problem.fields = fields.iter().map(|field| (*field).to_owned()).collect();
            attribute(&mut problem, &mapping);
            assert_eq!(problem.reaction, expected, "{fields:?}");
        }
    }

    #[test]
    fn only_leads_can_be_written() {
        assert!(check_target(None).is_ok() && check_target(Some("Lead")).is_ok());
        for target in ["", "lead", "Contact"] {
            let problem = check_target(Some(target)).unwrap_err();
            assert_eq!((&*problem.code, problem.reaction), (codes::TARGET_UNKNOWN, Reaction::FixMapping));
        }
    }
}
