//! Which rows and questions a problem or finding concerns, by the fields that it names.

use crate::{
    bindings::types::{Consequence, Finding, Mapping, MappingRow, Problem},
    salesforce::fields::is_same_field,
    source::question_ids,
    value::Note,
};

/// Adds the rows and questions of the fields that a problem names.
pub fn attribute(problem: &mut Problem, mapping: &Mapping) {
    (problem.rows, problem.question_ids) = concerned(&problem.fields, mapping);
    for further in &mut problem.also {
        (further.rows, further.question_ids) = concerned(&further.fields, mapping);
    }
}

/// Positions of the rows that write these fields, and the questions that those rows read.
fn concerned(fields: &[String], mapping: &Mapping) -> (Vec<u32>, Vec<String>) {
    let mut rows = Vec::new();
    let mut questions: Vec<String> = Vec::new();
    for (position, row) in positions(mapping) {
        if fields.iter().any(|field| is_same_field(field, &row.field.name)) {
            rows.push(position);
            add_questions(&mut questions, row);
        }
    }
    (rows, questions)
}

/// Adds the questions that a row reads, each once.
fn add_questions(questions: &mut Vec<String>, row: &MappingRow) {
    for id in question_ids(&row.source) {
        if !questions.iter().any(|known| known == id) {
            questions.push(id.to_owned());
        }
    }
}

/// The rows with their positions.
pub fn positions(mapping: &Mapping) -> impl Iterator<Item = (u32, &MappingRow)> {
    (0..).zip(&mapping.rows)
}

/// The row at a position.
pub fn row(mapping: &Mapping, position: u32) -> Option<&MappingRow> {
    mapping.rows.get(usize::try_from(position).ok()?)
}

/// A finding about one row.
pub fn finding(note: Note, consequence: Consequence, position: u32, row: &MappingRow) -> Finding {
    let mut questions = Vec::new();
    add_questions(&mut questions, row);
    Finding {
        code: note.code.to_owned(),
        consequence,
        fields: vec![row.field.name.clone()],
        rows: vec![position],
        question_ids: questions,
        detail: note.detail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        bindings::types::{FurtherError, Reaction, Source},
        fixture,
        problem::problem,
    };

    #[test]
    fn a_problem_names_the_rows_and_questions_of_its_fields() {
        let mut mapping = fixture::mapping();
        mapping.rows.push(fixture::row(
            fixture::text_field("Title", 128),
            Source::Template("{answers.q-topic} {answers.q-company} {answers.q-topic}".into()),
        ));
        let mut problem = problem("code", Reaction::FixBooking, "message");
        problem.fields = vec!["company".into(), "Title".into(), "Unknown__c".into()];
        problem.also = vec![FurtherError {
            code: "code".into(),
            message: "message".into(),
            fields: vec!["Email".into()],
            rows: Vec::new(),
            question_ids: Vec::new(),
        }];
        attribute(&mut problem, &mapping);
        assert_eq!(problem.rows, [2, 6]);
        assert_eq!(problem.question_ids, ["q-company", "q-topic"]);
        assert_eq!(problem.also[0].rows, [3]);
        assert!(problem.also[0].question_ids.is_empty());

        let note = Note { code: "code", detail: String::new() };
        assert_eq!(finding(note, Consequence::Changed, 6, &mapping.rows[6]).question_ids, ["q-topic", "q-company"]);
    }
}
