//! From the plugin's findings and problems back to the mapping's rows, the form's questions and the guest's answers.

use crm_contract::{Consequence, Finding, Parameter, Problem};
use serde::Serialize;

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
    /// What the source has in the booking, before any value table.
    pub(super) value: Option<String>,
}

/// A finding with the rows and questions it is about.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explained {
    /// The finding; its `rows` are positions in the mapping.
    #[serde(flatten)]
    pub finding: Finding,
    /// Ids of the rows.
    pub row_ids: Vec<RowId>,
    /// The questions that the rows read, each once.
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
    /// The problem; its `rows` are positions in the mapping.
    #[serde(flatten)]
    pub problem: Problem,
    /// Ids of the rows.
    pub row_ids: Vec<RowId>,
    /// The questions that the rows read, each once.
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
        Explained {
            row_ids: origins.iter().map(|origin| origin.id.clone()).collect(),
            questions: questions(&origins),
            value: origins.first().and_then(|origin| origin.value.clone()),
            finding,
        }
    }

    /// Leads a problem back to rows and questions.
    pub fn explain_problem(&self, mut problem: Problem) -> ExplainedProblem {
        let positions = |rows: &[u32]| self.of(rows).iter().map(|origin| origin.position).collect();
        let origins = self.of(&problem.rows);
        problem.rows = positions(&problem.rows);
        for further in &mut problem.also {
            further.rows = positions(&further.rows);
        }
        ExplainedProblem {
            row_ids: origins.iter().map(|origin| origin.id.clone()).collect(),
            questions: questions(&origins),
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
}

fn questions(origins: &[&Origin]) -> Vec<QuestionRef> {
    let mut questions: Vec<QuestionRef> = Vec::new();
    for question in origins.iter().flat_map(|origin| &origin.questions) {
        if !questions.contains(question) {
            questions.push(question.clone());
        }
    }
    questions
}

impl Origin {
    pub(super) fn new(position: u32, row: &Row, label: impl Fn(&str) -> Option<String>, value: Option<String>) -> Self {
        let question = |id: &str| QuestionRef { id: id.to_owned(), label: label(id).unwrap_or_default() };
        let questions = source::question_ids(&row.source).into_iter().map(question).collect();
        Self { position, id: row.id.clone(), questions, value }
    }

    /// A finding of the host about this row.
    pub(super) fn finding(&self, row: &Row, consequence: Consequence, found: Found) -> Explained {
        Explained {
            finding: Finding {
                code: found.code.to_owned(),
                consequence,
                fields: vec![row.field.clone()],
                rows: vec![self.position],
                message: found.message,
                particulars: found.particulars,
                more: Vec::new(),
            },
            row_ids: vec![self.id.clone()],
            questions: self.questions.clone(),
            value: self.value.clone(),
        }
    }
}

/// What the host found about a row.
pub(super) struct Found {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) particulars: Vec<Parameter>,
}

impl Found {
    pub(super) fn new(code: &'static str, message: impl Into<String>, name: &str, value: &str) -> Self {
        Self { code, message: message.into(), particulars: vec![Parameter::new(name, value)] }
    }
}
