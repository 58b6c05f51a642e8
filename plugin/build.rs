//! Link arguments of the component, and its texts of advice, packed.

use guidance::{cause::Words, texts};
use std::{env, error::Error, fs, path::Path};

#[path = "src/guidance"]
mod guidance {
    pub mod cause;
    pub mod places;
    pub mod texts;
}

/// Packs as small as it can; there is no hurry.
const BEST: u8 = 10;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/guidance");
    // The stack lies in linear memory, and every call pays for what is there: 64 KiB are plenty, where Rust takes 1 MiB.
    if env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("wasm32") {
        println!("cargo::rustc-link-arg-cdylib=-zstack-size=65536");
        // Room for a whole booking, so that no call pays for growing the memory.
        println!("cargo::rustc-link-arg-cdylib=--initial-heap=131072");
    }
    let folder = env::var_os("OUT_DIR").ok_or("cargo names no OUT_DIR")?;
    let packed = miniz_oxide::deflate::compress_to_vec(advice().as_bytes(), BEST);
    Ok(fs::write(Path::new(&folder).join("advice"), packed)?)
}

/// The texts as lines, in the form that `src/guidance/packed.rs` reads.
fn advice() -> String {
    let mut lines = Vec::new();
    for cause in texts::ALL.iter().copied().flatten() {
        lines.push(cause.codes.join(" "));
        lines.push(cause.steps.iter().map(|step| char::from(step.who as u8)).collect());
        for language in [|words: Words| words.en, |words: Words| words.ja] {
            let mut push = |words: Option<Words>| lines.push(words.map(language).unwrap_or_default().to_owned());
            push(Some(cause.what));
            push(Some(cause.why));
            for step in cause.steps {
                push(Some(step.action));
                push(step.place);
            }
        }
    }
    lines.into_iter().map(|line| line + "\n").collect()
}
