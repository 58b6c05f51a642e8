//! `rotate-key`: seals all stored connections with a new key.

use crm_store::Key;

use super::Ending;
use crate::{
    cli::RotateKey,
    connection::{given_key, open_store},
    error::CliError,
    files,
    ui::Ui,
};

const KEY_FILE: &str = "the key file is replaced; a new key is made by the command itself";

pub(super) fn run(ui: &mut Ui, arguments: &RotateKey) -> Result<Ending, CliError> {
    let is_given = given_key()?.is_some();
    let next = match &arguments.new_key_file {
        Some(_) if !is_given => {
            return Err(CliError::ArgumentUnfit { argument: "--new-key-file", reason: KEY_FILE });
        }
        Some(file) => Some(Key::from_base64(&files::read_secret(file)?)?),
        None if is_given => return Err(CliError::NewKeyMissing),
        None => None,
    };
    if !arguments.data.exists() {
        return Err(CliError::NoStore(arguments.data.clone()));
    }
    let store = open_store(&arguments.data)?;
    let rotated = match &next {
        Some(key) => store.reseal(key)?,
        None => store.rotate_key_file()?,
    };
    ui.json(&serde_json::json!({ "rows": rotated.rows, "damaged": rotated.damaged }))?;
    ui.print(format!("Sealed {} rows in {} with a new key.", rotated.rows, arguments.data.display()));
    if next.is_some() {
        ui.note("Set HARNESS_STORE_KEY to the new key now; the old one opens nothing here any more.");
    }
    if rotated.damaged > 0 {
        ui.note(format!("{} rows were damaged before and stay so; connect their teams again.", rotated.damaged));
    }
    Ok(Ending::Done)
}
