//! Local orgs, by file, by name, or from a describe result.

use std::path::Path;

use salesforce_local_org::{FileError, OrgFile};

use crate::{error::CliError, files};

/// Reads an org file or takes a built-in org. Without a name, it is the default org.
pub(crate) fn find(named: Option<&str>) -> Result<OrgFile, CliError> {
    let fault = |source: FileError| CliError::OrgFile { file: named.unwrap_or("(default org)").into(), source };
    let Some(name) = named else { return OrgFile::enterprise().map_err(fault) };
    if let Some(built_in) = OrgFile::named(name) {
        return built_in.map_err(fault);
    }
    let text = files::read_text(Path::new(name)).map_err(|_| CliError::NoOrg(name.to_owned()))?;
    let org = OrgFile::parse(&text).map_err(fault)?;
    org.check().map_err(fault)?;
    Ok(org)
}

/// Makes an org from the describe result of a real one.
pub(crate) fn from_describe(file: &Path) -> Result<OrgFile, CliError> {
    let text = files::read(file)?;
    OrgFile::from_describe(&text).map_err(|source| CliError::OrgFile { file: file.to_owned(), source })
}
