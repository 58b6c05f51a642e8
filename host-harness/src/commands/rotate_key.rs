//! `rotate-key`: seals all stored connections with a new key.

use crm_delivery_sqlite::{DATABASE_FILE, SqliteLedger};
use crm_store::{Key, OpenError, Store as _};

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
        Some(file) => Some(Key::from_base64(&files::read_secret(file)?).map_err(OpenError::from)?),
        None if is_given => return Err(CliError::NewKeyMissing),
        None => None,
    };
    if !arguments.data.exists() {
        return Err(CliError::NoStore(arguments.data.clone()));
    }
    let store = open_store(ui, &arguments.data)?;
    let data = &arguments.data;
    let has_ledger = data.join(DATABASE_FILE).exists();
    let present = store.keys()?;
    // The ledger opens with both keys until the store has the next one.
    let rotated = match &next {
        Some(key) => {
            if has_ledger {
                SqliteLedger::add_key(data, &present, key)?;
            }
            store.reseal(key).await?
        }
        None => store.rotate_key_file_after(|_, next| {
            if has_ledger {
                SqliteLedger::add_key(data, &present, next)?;
            }
            Ok(())
        })?,
    };
    if let (true, Some(key)) = (has_ledger, store.keys()?.first()) {
        SqliteLedger::retire_keys(data, key)?;
    }
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
