//! Answers of real orgs. The project's own of the same shapes lie in `tests/fixtures/salesforce`; the variable
//! `ORG_FIXTURES` names a folder of recorded ones.

use crate::guests;
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// A file of answers.
#[derive(Debug)]
pub struct Recorded {
    /// Its folder and name.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl Recorded {
    /// The content as JSON.
    pub fn json(&self) -> Result<Value> {
        let bytes = self.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.bytes);
        serde_json::from_slice(bytes).with_context(|| self.name.clone())
    }

    /// Status and body of the answer. A file is a bare body, an exchange, or an answer with notes.
    pub fn answer(&self, usual: u16) -> Result<(u16, Value)> {
        let file = self.json()?;
        let answer = file.get("response").unwrap_or(&file);
        match (answer.get("status").and_then(Value::as_u64), answer.get("body")) {
            (Some(status), Some(body)) => Ok((u16::try_from(status)?, body.clone())),
            _ => Ok((usual, file)),
        }
    }
}

/// The answers of a folder: the project's own, and those of real orgs where they are at hand.
pub fn answers(folder: &str) -> Result<Vec<Recorded>> {
    let mut files = read(&own()?, folder)?;
    match of_real_orgs()? {
        Some(all) => files.extend(read(&all, folder)?),
        None => println!("not run with recorded answers: ORG_FIXTURES is not set"),
    }
    Ok(files)
}

/// The folders of answers: the project's own, and those of real orgs where they are at hand.
pub fn folders() -> Result<Vec<BTreeSet<String>>> {
    let mut all = vec![own()?];
    all.extend(of_real_orgs()?);
    let names = |folder: PathBuf| -> Result<BTreeSet<String>> {
        let entries = fs::read_dir(&folder)?.collect::<Result<Vec<_>, _>>()?;
        let folders = entries.iter().filter(|entry| entry.path().is_dir());
        Ok(folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
    };
    all.into_iter().map(names).collect()
}

fn own() -> Result<PathBuf> {
    Ok(guests::workspace()?.root().join("tests/fixtures/salesforce"))
}

/// `None` where none are at hand. A relative path is one from the workspace's root, wherever a test runs.
fn of_real_orgs() -> Result<Option<PathBuf>> {
    let Some(folder) = env::var_os("ORG_FIXTURES") else { return Ok(None) };
    Ok(Some(guests::workspace()?.root().join(folder)))
}

fn read(all: &Path, folder: &str) -> Result<Vec<Recorded>> {
    let path = all.join(folder);
    let entries = fs::read_dir(&path).with_context(|| path.display().to_string())?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<PathBuf>>>()?;
    paths.sort();
    ensure!(!paths.is_empty(), "{} has no answers", path.display());
    let file = |path: PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Recorded { name: format!("{folder}/{name}"), bytes: fs::read(path)? })
    };
    paths.into_iter().map(file).collect()
}
