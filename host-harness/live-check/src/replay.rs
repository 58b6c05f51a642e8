//! Cases held against an org: whether it refuses what another one refused, and in the same words of codes.

use crate::{Case, LiveCheckError, Obstacle, Operation, ReportedError, Subject, redaction, transcript::in_codes};

/// A case, and what an org made of it.
#[derive(Debug)]
pub struct Held<'c> {
    /// The case.
    pub case: &'c Case,
    /// Status and errors of the org's answer.
    pub found: Result<(u16, Vec<ReportedError>), Obstacle>,
}

impl Held<'_> {
    /// Whether the org answered as the one of which the case tells.
    pub fn is_alike(&self) -> bool {
        self.found.as_ref().is_ok_and(|(status, errors)| *status == self.case.status && *errors == self.case.errors)
    }

    /// What the org of which the case tells answered, in codes.
    pub fn expected(&self) -> String {
        in_codes(self.case.status, &self.case.errors)
    }

    /// What this org answered, in codes.
    pub fn found(&self) -> String {
        match &self.found {
            Ok((status, errors)) => in_codes(*status, errors),
            Err(obstacle) => obstacle.code().to_owned(),
        }
    }
}

impl Case {
    /// Reads what [`crate::Imported::cases_json`] wrote.
    ///
    /// # Errors
    /// When it is no list of cases.
    pub fn parse_all(json: &str) -> Result<Vec<Self>, LiveCheckError> {
        serde_json::from_str(json).map_err(LiveCheckError::UnreadableCases)
    }

    fn operation(&self) -> Result<Operation, Obstacle> {
        let method = self.method.parse().map_err(|_| Obstacle::Request(format!("the method {:?}", self.method)))?;
        let (path, headers) = (self.path.clone(), self.headers.clone());
        Ok(Operation { method, path, headers, body: self.body.clone() })
    }
}

/// Sends each case to a connected org.
pub async fn hold<'c>(subject: &Subject, cases: &'c [Case]) -> Vec<Held<'c>> {
    let mut held = Vec::with_capacity(cases.len());
    for case in cases {
        held.push(Held { case, found: send(subject, case).await });
    }
    held
}

async fn send(subject: &Subject, case: &Case) -> Result<(u16, Vec<ReportedError>), Obstacle> {
    let operation = case.operation()?;
    let answer = match case.authorized {
        true => subject.send(operation).await?,
        false => subject.send_with_invented_token(operation).await?,
    };
    Ok((answer.status, answer.json.as_ref().map(redaction::errors).unwrap_or_default()))
}
