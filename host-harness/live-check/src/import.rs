//! Makes a local org and its cases from a transcript.

use salesforce_local_org::OrgFile;

use crate::{Case, LiveCheckError, Transcript};

/// A local org and its cases.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The org.
    pub org: OrgFile,
    /// The requests that it must refuse, and how.
    pub cases: Vec<Case>,
}

impl Imported {
    /// Makes an org from the describe result, and takes the cases. The org has the standard duplicate rule only if the check
    /// met a rule, because a copy must not refuse what the real org accepts.
    ///
    /// # Errors
    /// When the transcript has no describe result, or it cannot become an org.
    pub fn from_transcript(transcript: &Transcript) -> Result<Self, LiveCheckError> {
        let described = transcript.describe().ok_or(LiveCheckError::NoDescribe)?;
        let mut org = OrgFile::from_describe(described.to_string().as_bytes())?;
        for field in &mut org.fields {
            // A transcript has no formulas, and only Salesforce evaluates them. In the local org such a field is blank.
            if field.formula.take().is_some() {
                (field.createable, field.updateable) = (false, false);
            }
        }
        if !transcript.met_a_duplicate_rule() {
            org.duplicate_rules.clear();
        }
        Ok(Self { org, cases: transcript.cases().cloned().collect() })
    }

    /// The org as a file for `org --file`.
    ///
    /// # Errors
    /// When the org has no TOML form.
    pub fn org_toml(&self) -> Result<String, LiveCheckError> {
        Ok(toml::to_string(&self.org)?)
    }

    /// The cases as a JSON list.
    ///
    /// # Errors
    /// When the cases have no JSON form.
    pub fn cases_json(&self) -> Result<String, LiveCheckError> {
        Ok(serde_json::to_string_pretty(&self.cases)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Line;

    #[test]
    fn a_transcript_without_a_describe_result_cannot_become_an_org() {
        let error = Imported::from_transcript(&Transcript::default()).unwrap_err();
        assert!(matches!(error, LiveCheckError::NoDescribe), "{error}");
        assert!(error.is_input());
    }

    #[test]
    fn the_org_file_can_be_parsed_again() {
        let result = serde_json::json!({"name": "Lead", "fields": [
            {"name": "LastName", "label": "姓", "type": "string", "length": 80, "nillable": false},
            {"name": "Sum__c", "label": "合計", "type": "double", "precision": 18, "calculated": true, "createable": false},
        ]});
        let transcript = Transcript { lines: vec![Line::Describe { result }] };
        let imported = Imported::from_transcript(&transcript).unwrap();
        let read = OrgFile::parse(&imported.org_toml().unwrap()).unwrap();
        let names: Vec<&str> = read.fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names, ["LastName", "Sum__c"]);
        assert!(read.fields.iter().all(|field| field.formula.is_none()));
        assert!(!read.fields[1].createable, "what is computed cannot be written");
    }
}
