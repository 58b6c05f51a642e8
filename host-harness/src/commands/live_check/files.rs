//! The files of a check: its transcript, and what is made of one.

use std::path::Path;

use ::live_check::{Imported, Recorder, Transcript};
use anyhow::{Context, Result};

use crate::{input::InputError, ui::Ui};

const ORG: &str = "org.toml";
const CASES: &str = "cases.json";

pub(super) fn read(file: &Path) -> Result<String> {
    let unreadable = |source| InputError::Unreadable { file: file.to_owned(), source };
    Ok(std::fs::read_to_string(file).map_err(unreadable)?)
}

pub(super) fn write_transcript(recorder: &Recorder, file: &Path) -> Result<()> {
    let text = recorder.transcript()?.to_json_lines()?;
    std::fs::write(file, text).with_context(|| file.display().to_string())
}

/// Makes an org file and cases for the local org of a transcript.
pub(super) fn import(ui: &Ui, transcript: &Path, out: &Path) -> Result<()> {
    let imported = Imported::from_transcript(&Transcript::parse(&read(transcript)?)?)?;
    let write = |name: &str, text: String| {
        let file = out.join(name);
        std::fs::write(&file, text).with_context(|| file.display().to_string())
    };
    std::fs::create_dir_all(out).with_context(|| out.display().to_string())?;
    write(ORG, imported.org_toml()?)?;
    write(CASES, imported.cases_json()?)?;
    ui.json(&serde_json::json!({ "org": out.join(ORG), "cases": out.join(CASES) }))?;
    ui.print(format!(
        "{}: {} fields; `host-harness org --file` runs it",
        out.join(ORG).display(),
        imported.org.fields.len()
    ));
    ui.print(format!(
        "{}: {} refusals; `host-harness live-check --cases` with this org as `--org` holds it against them",
        out.join(CASES).display(),
        imported.cases.len()
    ));
    Ok(())
}
