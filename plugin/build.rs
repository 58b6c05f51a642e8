//! Link arguments of the component, and what is made smaller for it: the texts of advice, and tables of Unicode.

use guidance::{cause::Words, texts};
use std::{env, error::Error, fs, path::Path};
use unicode_segmentation::UnicodeSegmentation as _;

#[path = "build/pairs.rs"]
mod pairs;
#[path = "src/guidance"]
mod guidance {
    pub mod cause;
    pub mod places;
    pub mod texts;
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=src/guidance");
    // The stack lies in linear memory, and every call pays for what is there: 64 KiB are plenty, where Rust takes 1 MiB.
    if env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("wasm32") {
        println!("cargo::rustc-link-arg-cdylib=-zstack-size=65536");
        // Room for a whole booking, so that no call pays for growing the memory.
        println!("cargo::rustc-link-arg-cdylib=--initial-heap=131072");
        // Otherwise every address takes five bytes.
        println!("cargo::rustc-link-arg-cdylib=--compress-relocations");
    }
    let folder = env::var_os("OUT_DIR").ok_or("cargo names no OUT_DIR")?;
    let folder = Path::new(&folder);
    fs::write(folder.join("advice"), pairs::pack(&advice()))?;
    fs::write(folder.join("joining"), ranges(may_join))?;
    fs::write(folder.join("holding"), ranges(may_hold))?;
    Ok(())
}

fn is_one(text: [char; 3]) -> bool {
    text.iter().collect::<String>().graphemes(true).nth(1).is_none()
}

/// Whether a character belongs to the one before it, be that any or a part of a Korean syllable.
fn may_join(c: char) -> bool {
    ['a', '\u{1160}', '\u{AC00}', '\u{AC01}']
        .into_iter()
        .any(|before| is_one([before, '\u{301}', c]) || is_one([before, c, c]))
}

/// Whether a character holds the one after it: any, the next consonant of an Indic cluster, the next person of a family, or the
/// rest of a Korean syllable.
fn may_hold(c: char) -> bool {
    is_one([c, c, 'a']) || is_one(['क', c, 'क']) || is_one(['\u{1F468}', c, '\u{1F468}']) || is_one([c, c, '\u{AC00}'])
}

/// The characters of which something holds, as the ranges that `src/value/cluster.rs` reads: the first one, and in eleven further
/// bits how many follow it.
fn ranges(holds: impl Fn(char) -> bool) -> String {
    const MOST: u32 = (1 << 11) - 1;
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    // The planes between hold ideographs or nothing yet, those behind are for private use.
    let planes = (0..0x2_0000).chain(0xE_0000..0xF_0000);
    for c in planes.filter_map(char::from_u32).filter(|c| holds(*c)) {
        match ranges.last_mut() {
            Some((first, further)) if *first + *further + 1 == c.into() && *further < MOST => *further += 1,
            _ => ranges.push((c.into(), 0)),
        }
    }
    let ranges: Vec<u32> = ranges.into_iter().map(|(first, further)| first << 11 | further).collect();
    format!("&{ranges:?}")
}

/// The texts as lines, in the form that `src/guidance/packed.rs` reads.
fn advice() -> String {
    let causes = || texts::ALL.iter().copied().flatten();
    let mut lines = Vec::new();
    for cause in causes() {
        lines.push(cause.codes.join(" "));
        lines.push(cause.steps.iter().map(|step| char::from(step.who as u8)).collect());
    }
    lines.push(String::new());
    for language in [|words: Words| words.en, |words: Words| words.ja] {
        let mut push = |words: Option<Words>| lines.push(words.map(language).unwrap_or_default().to_owned());
        for cause in causes() {
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
