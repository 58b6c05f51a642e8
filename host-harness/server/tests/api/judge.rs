//! An outside judge: schemathesis makes requests from the OpenAPI document, right and wrong ones, and holds the answers to it.
//!
//! It is installed from its lock file in `tests/judges` into `target/judges`. Without Python the test says that it did not run, which
//! CI does not accept. `HARNESS_NO_INSTALL=1` keeps it from installing anything.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::bed::Bed;

/// What JSON Schema cannot say makes bodies that it describes invalid, for example an unknown time zone.
const NOT_ASKED: &str = "positive_data_acceptance";

/// The judge's program; why there is none otherwise.
fn set_up() -> Result<PathBuf, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let lock_file = root.join("tests/judges/schemathesis/requirements.txt");
    let finish = |command: &mut Command| -> Result<Output, String> {
        let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(output) } else { Err(format!("{command:?}: {said}")) }
    };
    let release = finish(Command::new("python3").args(["-c", "import ensurepip, sys; print(sys.version)"]))?;
    let all = root.join("target/judges");
    fs::create_dir_all(&all).unwrap();
    let turn = File::create(all.join("schemathesis.lock")).unwrap();
    turn.lock().unwrap();
    let home = all.join("schemathesis");
    let wanted = [release.stdout, fs::read(&lock_file).unwrap()].concat();
    if !fs::read(home.join(".installed")).is_ok_and(|installed| installed == wanted) {
        if env::var_os("HARNESS_NO_INSTALL").is_some_and(|value| value == "1") {
            return Err("schemathesis is not installed, and HARNESS_NO_INSTALL forbids it".to_owned());
        }
        let _ = fs::remove_dir_all(&home);
        finish(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
        let options = ["-m", "pip", "install", "--quiet", "--no-input", "--require-hashes", "--only-binary", ":all:"];
        finish(Command::new(home.join("bin/python")).args(options).arg("--requirement").arg(&lock_file))?;
        fs::write(home.join(".installed"), wanted).unwrap();
    }
    Ok(home.join("bin/st"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_judge_from_outside_finds_no_answer_that_the_document_does_not_have() {
    let program = match set_up() {
        Ok(program) => program,
        Err(why) if env::var_os("CI").is_none() => return println!("not run: {why}"),
        Err(why) => panic!("not run, which CI does not accept: {why}"),
    };
    let bed = Bed::new().await;
    bed.map("intro-call").await;
    for number in 0..20 {
        bed.accept(&format!("b-{number}")).await;
    }
    let reports = tempfile::tempdir().unwrap();
    let output = tokio::process::Command::new(program)
        .args(["run", &format!("http://{}/v1/openapi.json", bed.address)])
        .args(["--header", &format!("Authorization: Bearer {}", bed.operator)])
        .args(["--phases", "coverage,fuzzing", "--max-examples", "10", "--seed", "1", "--continue-on-failure"])
        .args(["--exclude-checks", NOT_ASKED, "--warnings", "off", "--no-color"])
        // It keeps its findings in the present folder.
        .current_dir(reports.path())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    // Its run must not have ended early. It does not judge the document's own route.
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let operations = crate::document::get(&bed).await.operations().len() - 1;
    assert!(said.contains(&format!("Tested: {operations}")), "{said}");
    crate::log::has_nothing_personal();
}
