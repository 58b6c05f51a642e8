//! The files of a check: its transcript, and the org file and cases made from one.

use std::{fs, path::Path};

use salesforce_live_check::{Imported, Recorder, Transcript};

use crate::{error::CliError, files, ui::Ui};

const ORG: &str = "org.toml";
const CASES: &str = "cases.json";

pub(super) fn write_transcript(recorder: &Recorder, file: &Path) -> Result<(), CliError> {
    files::write(file, &recorder.transcript()?.to_json_lines()?)
}

/// Makes an org file and cases for the local org from a transcript.
pub(super) fn import(ui: &Ui, transcript: &Path, out: &Path) -> Result<(), CliError> {
    let imported = Imported::from_transcript(&Transcript::parse(&files::read_text(transcript)?)?)?;
    fs::create_dir_all(out).map_err(|source| CliError::Unwritable { file: out.to_owned(), source })?;
    files::write(&out.join(ORG), &imported.org_toml()?)?;
    files::write(&out.join(CASES), &imported.cases_json()?)?;
    ui.json(&serde_json::json!({ "org": out.join(ORG), "cases": out.join(CASES) }))?;
    ui.print(ui.say.live_org_written(out.join(ORG).display(), imported.org.fields.len()));
    ui.print(ui.say.live_cases_written(out.join(CASES).display(), imported.cases.len()));
    Ok(())
}
