//! From the plugin's findings and problems back to the mapping's rows, the form's questions and the guest's answers.

use crm_contract::{Consequence, Finding, Problem};
use serde::Serialize;

use super::translate::translated_id;
use crate::{Row, RowId, source};

/// Where the rows of a call come from: leads findings and problems back to the mapping's rows, questions and answers.
#[derive(Clone, Debug, Default)]
pub struct Origins(pub(super) Vec<Origin>);

#[derive(Clone, Debug)]
pub(super) struct Origin {
    /// Position in the mapping, which has rows of other events too.
    position: u32,
    id: RowId,
    questions: Vec<QuestionRef>,
    /// What the guest gave, before any value table.
    pub(super) value: Option<String>,
}

/// A finding with the rows and questions it is about.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explained {
    /// The finding; its `rows` are positions in the mapping, its `question_ids` are those of the form.
    #[serde(flatten)]
    pub finding: Finding,
    /// Ids of the rows.
    pub row_ids: Vec<RowId>,
    /// The questions, with their labels.
    pub questions: Vec<QuestionRef>,
    /// The value that the first of the rows had in this booking, as text. Personal data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// A finding of a call without rows, such as a check of the connection.
impl From<Finding> for Explained {
    fn from(finding: Finding) -> Self {
        Self { finding, row_ids: Vec::new(), questions: Vec::new(), value: None }
    }
}

/// A problem with the rows and questions it is about.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExplainedProblem {
    /// The problem; its `rows` are positions in the mapping, its `question_ids` are those of the form.
    #[serde(flatten)]
    pub problem: Problem,
    /// Ids of the rows.
    pub row_ids: Vec<RowId>,
    /// The questions, with their labels.
    pub questions: Vec<QuestionRef>,
}

/// A problem of a call without rows, such as a check of the connection.
impl From<Problem> for ExplainedProblem {
    fn from(problem: Problem) -> Self {
        Self { problem, row_ids: Vec::new(), questions: Vec::new() }
    }
}

/// A question by id and label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QuestionRef {
    /// Stable id.
    pub id: String,
    /// The question as the guest read it; blank if it is unknown.
    pub label: String,
}

impl Origins {
    /// Leads a finding back to rows and questions.
    pub fn explain(&self, mut finding: Finding) -> Explained {
        let origins = self.of(&finding.rows);
        finding.rows = origins.iter().map(|origin| origin.position).collect();
        finding.question_ids = self.question_ids(finding.question_ids);
        let questions = self.questions(&origins, &finding.question_ids);
        Explained {
            row_ids: origins.iter().map(|origin| origin.id.clone()).collect(),
            value: origins.first().and_then(|origin| origin.value.clone()),
            finding,
            questions,
        }
    }

    /// Leads a problem back to rows and questions.
    pub fn explain_problem(&self, mut problem: Problem) -> ExplainedProblem {
        let positions = |rows: &[u32]| self.of(rows).iter().map(|origin| origin.position).collect();
        let origins = self.of(&problem.rows);
        problem.rows = positions(&problem.rows);
        problem.question_ids = self.question_ids(problem.question_ids);
        for further in &mut problem.also {
            further.rows = positions(&further.rows);
            further.question_ids = self.question_ids(std::mem::take(&mut further.question_ids));
        }
        ExplainedProblem {
            row_ids: origins.iter().map(|origin| origin.id.clone()).collect(),
            questions: self.questions(&origins, &problem.question_ids),
            problem,
        }
    }

    /// The position in the mapping of a row that was sent.
    pub fn position(&self, sent: u32) -> Option<u32> {
        self.of(&[sent]).first().map(|origin| origin.position)
    }

    fn of(&self, rows: &[u32]) -> Vec<&Origin> {
        rows.iter().filter_map(|row| self.0.get(usize::try_from(*row).ok()?)).collect()
    }

    /// Question ids as the form has them: those of translated answers stand for the questions of their rows.
    fn question_ids(&self, ids: Vec<String>) -> Vec<String> {
        let mut found: Vec<String> = Vec::with_capacity(ids.len());
        let mut add = |id: String| {
            if !found.contains(&id) {
                found.push(id);
            }
        };
        for id in ids {
            match self.0.iter().find(|origin| translated_id(&origin.id) == id) {
                Some(origin) => origin.questions.iter().for_each(|question| add(question.id.clone())),
                None => add(id),
            }
        }
        found
    }

    fn questions(&self, origins: &[&Origin], ids: &[String]) -> Vec<QuestionRef> {
        let known = |id: &String| {
            let mut questions = origins.iter().flat_map(|origin| &origin.questions);
            questions.find(|question| question.id == *id).cloned()
        };
        ids.iter().map(|id| known(id).unwrap_or_else(|| QuestionRef { id: id.clone(), label: String::new() })).collect()
    }
}

impl Origin {
    pub(super) fn new(
        position: u32,
        row: &Row,
        label: impl Fn(&str) -> Option<String>,
        booking: &crm_contract::Booking,
    ) -> Self {
        let value = source::value(&row.source, booking).map(|value| value.text().into_owned());
        Self { value, ..Self::without_value(position, row, label) }
    }

    pub(super) fn without_value(position: u32, row: &Row, label: impl Fn(&str) -> Option<String>) -> Self {
        let question = |id: &str| QuestionRef { id: id.to_owned(), label: label(id).unwrap_or_default() };
        let questions = source::question_ids(&row.source).into_iter().map(question).collect();
        Self { position, id: row.id.clone(), questions, value: None }
    }

    /// A finding of the host about this row.
    pub(super) fn finding(&self, row: &Row, code: &str, consequence: Consequence, detail: String) -> Explained {
        Explained {
            finding: Finding {
                code: code.to_owned(),
                consequence,
                fields: vec![row.field.clone()],
                rows: vec![self.position],
                question_ids: self.questions.iter().map(|question| question.id.clone()).collect(),
                detail,
            },
            row_ids: vec![self.id.clone()],
            questions: self.questions.clone(),
            value: self.value.clone(),
        }
    }
}
