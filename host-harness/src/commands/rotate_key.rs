//! `rotate-key`: seals all stored connections with a new key.

use crm_store::{Key, Store as _};

use super::Ending;
use crate::{
    cli::RotateKey,
    connection::{given_key, open_store},
    error::CliError,
    files,
    ui::Ui,
};

const KEY_FILE: &str = "the key file is replaced; a new key is made by the command itself";

pub(super) async fn run(ui: &mut Ui, arguments: &RotateKey) -> Result<Ending, CliError> {
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
    let store = open_store(ui, &arguments.data)?;
    let rotated = match &next {
        Some(key) => store.reseal(key).await?,
        None => store.rotate_key_file()?,
    };
    ui.json(&serde_json::json!({ "rows": rotated.rows, "damaged": rotated.damaged }))?;
    ui.print(ui.say.resealed(rotated.rows, arguments.data.display()));
    if next.is_some() {
        ui.note(ui.say.set_new_key());
    }
    if rotated.damaged > 0 {
        ui.note(ui.say.damaged_rows(rotated.damaged));
    }
    Ok(Ending::Done)
}
