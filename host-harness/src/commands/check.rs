//! `check`: checks a mapping against the org's fields and the form.

use runtime::types::{Answer, AnswerValue, Booking, Consequence, Question};

use super::{
    Ending,
    booking::{self, Opened, answered, parts},
};
use crate::{cli::BookingAndMapping, error::CliError, ui::Ui};

pub(super) async fn run(ui: &mut Ui, arguments: &BookingAndMapping) -> Result<Ending, CliError> {
    let Some(Opened { connected, booking, mapping }) = booking::open(ui, arguments).await? else {
        return Ok(Ending::Refused);
    };
    let plugin = &connected.plugin;
    let (answer, usage) = parts(plugin.check_mapping(&connected.connection, &mapping, &questions(&booking)).await?);
    let ending = match answered(ui, plugin, answer).await? {
        Some(findings) => {
            ui.json(&serde_json::json!({ "findings": findings, "usage": usage }))?;
            if findings.is_empty() {
                ui.print("No findings: a booking can be delivered.");
            }
            ui.findings(&findings);
            let refused = findings.iter().any(|finding| finding.consequence == Consequence::Refused);
            if refused { Ending::Refused } else { Ending::Done }
        }
        None => Ending::Refused,
    };
    connected.close().await;
    Ok(ending)
}

/// The form, as far as its booking shows it: choices are those that the guest took.
fn questions(booking: &Booking) -> Vec<Question> {
    booking.answers.iter().map(question).collect()
}

fn question(answer: &Answer) -> Question {
    let choices = match &answer.value {
        Some(AnswerValue::Choices(choices)) => choices.clone(),
        _ => Vec::new(),
    };
    Question {
        id: answer.question_id.clone(),
        label: answer.label.clone(),
        kind: answer.kind,
        required: answer.required,
        choices,
    }
}
