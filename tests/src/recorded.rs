//! Responses of real orgs. `tests/fixtures/salesforce` has hand-written ones of the same shapes; `ORG_FIXTURES` names a
//! folder with recorded ones.

use crate::guests;
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// A file with a response.
#[derive(Debug)]
pub struct Recorded {
    /// Folder and file name.
    pub name: String,
    /// Content of the file.
    pub bytes: Vec<u8>,
}

impl Recorded {
    /// Parses the content as JSON, with or without a byte-order mark.
    pub fn json(&self) -> Result<Value> {
        let bytes = self.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.bytes);
        serde_json::from_slice(bytes).with_context(|| self.name.clone())
    }

    /// Status and body of the response. A file contains a bare body, an exchange, or a response with notes.
    pub fn answer(&self, usual: u16) -> Result<(u16, Value)> {
        let file = self.json()?;
        let answer = file.get("response").unwrap_or(&file);
        match (answer.get("status").and_then(Value::as_u64), answer.get("body")) {
            (Some(status), Some(body)) => Ok((u16::try_from(status)?, body.clone())),
            _ => Ok((usual, file)),
        }
    }
}

/// The responses in a folder: the project's own, and those of real orgs if available.
pub fn answers(folder: &str) -> Result<Vec<Recorded>> {
    let mut files = read(&own()?, folder)?;
    match of_real_orgs()? {
        Some(all) => files.extend(read(&all, folder)?),
        None => println!("not run with recorded responses: ORG_FIXTURES is not set"),
    }
    Ok(files)
}

/// The folder names: of the project's own responses, and of real orgs if available.
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

/// `None` if `ORG_FIXTURES` is not set. Relative paths start at the workspace root.
fn of_real_orgs() -> Result<Option<PathBuf>> {
    let Some(folder) = env::var_os("ORG_FIXTURES") else { return Ok(None) };
    Ok(Some(guests::workspace()?.root().join(folder)))
}

fn read(all: &Path, folder: &str) -> Result<Vec<Recorded>> {
    let path = all.join(folder);
    let entries = fs::read_dir(&path).with_context(|| path.display().to_string())?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<PathBuf>>>()?;
    paths.sort();
    ensure!(!paths.is_empty(), "{} has no responses", path.display());
    let file = |path: PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Recorded { name: format!("{folder}/{name}"), bytes: fs::read(path)? })
    };
    paths.into_iter().map(file).collect()
}
