//! `build`: builds a plugin's component.

use super::Ending;
use crate::{cli::Build, component_file, error::CliError, ui::Ui};

pub(super) fn run(ui: &mut Ui, arguments: &Build) -> Result<Ending, CliError> {
    let built = component_file::build(ui, &arguments.package, arguments.out.as_deref())?;
    ui.json(&serde_json::json!({
        "path": built.path,
        "bytes": built.bytes,
        "sha256": built.sha256,
        "unchanged": built.unchanged,
    }))?;
    ui.print(format!(
        "{}{}\n  {}\n  sha256 {}",
        built.path.display(),
        if built.unchanged { format!(" {}", ui.say.unchanged()) } else { String::new() },
        ui.say.bytes(built.bytes),
        built.sha256
    ));
    Ok(Ending::Done)
}
