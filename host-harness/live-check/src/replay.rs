//! Sends the cases of one org to another, and compares status and error codes.

use crate::{Case, LiveCheckError, Obstacle, Operation, ReportedError, Subject, redaction, transcript::in_codes};

/// A case and the response of the second org.
#[derive(Debug)]
pub struct Replayed<'c> {
    /// The case.
    pub case: &'c Case,
    /// Status and errors of the response.
    pub found: Result<(u16, Vec<ReportedError>), Obstacle>,
}

impl Replayed<'_> {
    /// Whether both orgs responded alike.
    pub fn is_alike(&self) -> bool {
        self.found.as_ref().is_ok_and(|(status, errors)| *status == self.case.status && *errors == self.case.errors)
    }

    /// The response of the first org, in codes.
    pub fn expected(&self) -> String {
        in_codes(self.case.status, &self.case.errors)
    }

    /// The response of the second org, in codes.
    pub fn found(&self) -> String {
        match &self.found {
            Ok((status, errors)) => in_codes(*status, errors),
            Err(obstacle) => obstacle.code().to_owned(),
        }
    }
}

impl Case {
    /// Parses the text of [`crate::Imported::cases_json`].
    ///
    /// # Errors
    /// When the text is not a list of cases.
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
pub async fn replay<'c>(subject: &Subject, cases: &'c [Case]) -> Vec<Replayed<'c>> {
    let mut replayed = Vec::with_capacity(cases.len());
    for case in cases {
        replayed.push(Replayed { case, found: send(subject, case).await });
    }
    replayed
}

async fn send(subject: &Subject, case: &Case) -> Result<(u16, Vec<ReportedError>), Obstacle> {
    let operation = case.operation()?;
    let answer = match case.authorized {
        true => subject.send(operation).await?,
        false => subject.send_with_invented_token(operation).await?,
    };
    Ok((answer.status, answer.json.as_ref().map(redaction::errors).unwrap_or_default()))
}
