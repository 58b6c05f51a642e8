//! The saved inputs of the fuzzers, on the stable toolchain.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use fuzz_targets::TARGETS;

/// They are part of the repository, so they stay small.
const MOST_FILES: usize = 60;
const MOST_BYTES: usize = 4_096;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

/// The files of a folder, which may be absent.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

#[test]
fn every_target_holds_for_its_corpus_and_for_what_was_found_earlier() -> io::Result<()> {
    for target in TARGETS {
        let corpus = files(&fuzz().join("corpus").join(target.name))?;
        assert!(!corpus.is_empty(), "{} has no corpus", target.name);
        assert!(corpus.len() <= MOST_FILES, "{} has {} inputs", target.name, corpus.len());
        for file in corpus.into_iter().chain(files(&fuzz().join("regressions").join(target.name))?) {
            let input = fs::read(&file)?;
            assert!(input.len() <= MOST_BYTES, "{} has {} bytes", file.display(), input.len());
            // Shown if the target panics.
            println!("{}", file.display());
            (target.run)(&input);
        }
    }
    Ok(())
}

#[test]
fn every_target_has_a_fuzzer_and_every_folder_a_target() -> io::Result<()> {
    let targets: BTreeSet<_> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    let names = |folder: &str| -> io::Result<BTreeSet<String>> {
        let files = files(&fuzz().join(folder))?;
        Ok(files.iter().filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned())).collect())
    };
    assert_eq!(names("fuzz_targets")?, targets);
    assert_eq!(names("corpus")?, targets);
    assert!(names("regressions")?.is_subset(&targets));
    Ok(())
}
