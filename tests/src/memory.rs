//! Looks for credentials in the memory of plugins. [`host`] begins every host of these tests, so that no scenario can forget it:
//! `clippy.toml` forbids the other way.
//!
//! Each linear memory is searched when its call has ended, over all bytes that it ever had, for every [`Secret`](crm_host::secret::Secret) that this
//! process has made until then: tokens, codes, client secrets, keys. A credential in it ends the process.

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use crm_host::secret::remembered;
use crm_host::{Host, HostBuilder};
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Shorter secrets occur by chance. The host accepts none from a server.
const SHORTEST: usize = 8;
/// Secrets are looked for in pieces of this length, so that a part of one is found too.
const PIECE: usize = 16;
/// What is compared with zeros at once. Most of a memory was never touched.
const PAGE: [u8; 4096] = [0; 4096];

/// How a credential can be written.
pub const ENCODINGS: [&str; 8] = ["plain", "percent", "JSON", "HTML entities", "base64", "hex", "UTF-16", "backwards"];

static MEMORIES: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);
static MICROS: AtomicU64 = AtomicU64::new(0);
static KNOWN: Mutex<Known> = Mutex::new(Known { secrets: 0, scanners: Vec::new() });

/// Settings of a host whose plugins' memory is searched.
#[expect(clippy::disallowed_methods, reason = "the one place")]
pub fn host() -> HostBuilder {
    Host::builder().inspect_memory(search)
}

/// What was searched in this process.
#[derive(Clone, Copy, Debug)]
pub struct Searched {
    /// Linear memories.
    pub memories: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The secrets that were looked for, at the end.
    pub secrets: usize,
    /// How long it took.
    pub time: Duration,
}

/// What was searched until now.
pub fn searched() -> Searched {
    let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let secrets = KNOWN.lock().unwrap_or_else(PoisonError::into_inner).secrets;
    Searched { memories: read(&MEMORIES), bytes: read(&BYTES), secrets, time: Duration::from_micros(read(&MICROS)) }
}

fn search(memory: &[u8]) {
    let began = Instant::now();
    MEMORIES.fetch_add(1, Ordering::Relaxed);
    BYTES.fetch_add(memory.len() as u64, Ordering::Relaxed);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.update();
    let found = known.scanners.iter().find_map(|scanner| scanner.find(memory));
    if let Some(Found { encoding, offset }) = found {
        // A panic could be lost: this runs while a call is dropped, perhaps in a task that nobody awaits. The test harness would
        // keep a captured message to itself.
        let thread = std::thread::current();
        let test = thread.name().unwrap_or("unnamed");
        let size = memory.len();
        let said =
            format!("a plugin's memory holds a credential: {encoding}, at {offset} of {size} bytes, in {test}\n");
        let _ = std::io::stderr().write_all(said.as_bytes());
        std::process::abort();
    }
    MICROS.fetch_add(began.elapsed().as_micros().try_into().unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// The secrets of this process. Several scanners, because making one of all secrets for each new secret takes long.
struct Known {
    secrets: usize,
    scanners: Vec<Scanner>,
}

impl Known {
    fn update(&mut self) {
        let new = remembered(self.secrets);
        if new.is_empty() {
            return;
        }
        self.secrets += new.len();
        let mut new: Vec<_> = new.iter().map(|secret| secret.expose().to_owned()).collect();
        // Each scanner has at least twice as many secrets as the next one.
        while let Some(last) = self.scanners.pop_if(|last| last.secrets.len() < 2 * new.len()) {
            new.extend(last.secrets);
        }
        self.scanners.push(Scanner::new(new));
    }
}

/// Finds secrets, or parts of them, in however they are encoded.
///
/// There are thousands of needles, so that searching for one after another would dominate the tests.
pub struct Scanner {
    secrets: Vec<String>,
    needles: AhoCorasick,
    /// Of each needle.
    encodings: Vec<&'static str>,
}

/// A secret in a memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// One of [`ENCODINGS`].
    pub encoding: &'static str,
    /// Where it begins.
    pub offset: usize,
}

impl Scanner {
    /// Looks for these secrets.
    ///
    /// # Panics
    /// When they are far too many.
    #[expect(clippy::expect_used, reason = "only gigabytes of secrets are too many")]
    pub fn new(secrets: Vec<String>) -> Self {
        let long = secrets.iter().filter(|secret| secret.len() >= SHORTEST);
        let mut needles: Vec<_> = long.flat_map(|secret| pieces(secret.as_bytes())).flat_map(encoded).collect();
        // Of two that are the same the first one stays: letters are written alike in most encodings.
        needles.sort_by(|(_, one), (_, other)| one.cmp(other));
        needles.dedup_by(|(_, one), (_, other)| one == other);
        let encodings = needles.iter().map(|(encoding, _)| *encoding).collect();
        let needles = AhoCorasick::new(needles.iter().map(|(_, needle)| needle)).expect("needles");
        Self { secrets, needles, encodings }
    }

    /// The first one.
    pub fn find(&self, memory: &[u8]) -> Option<Found> {
        touched(memory).find_map(|(start, bytes)| {
            let found = self.needles.find(bytes)?;
            let encoding = self.encodings.get(found.pattern().as_usize()).copied().unwrap_or_default();
            Some(Found { encoding, offset: start + found.start() })
        })
    }
}

/// The runs of pages that are not zero, each with its offset. A needle does not begin or end with a zero.
fn touched(memory: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let is_zero = |page: &[u8]| PAGE.starts_with(page);
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = memory.get(start..)?;
        let skipped = rest.chunks(PAGE.len()).take_while(|page| is_zero(page)).map(<[u8]>::len).sum::<usize>();
        let run = rest.get(skipped..)?;
        let length = run.chunks(PAGE.len()).take_while(|page| !is_zero(page)).map(<[u8]>::len).sum::<usize>();
        let found = (start + skipped, run.get(..length)?);
        start += skipped + length;
        (length > 0).then_some(found)
    })
}

/// A secret in pieces; the last one overlaps the one before.
fn pieces(secret: &[u8]) -> Vec<&[u8]> {
    let end = secret.len().saturating_sub(PIECE);
    let last = secret.get(end..).unwrap_or(secret);
    secret.chunks_exact(PIECE).chain([last]).collect()
}

type Escape = fn(u8) -> String;

fn encoded(piece: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let each = |write: &dyn Fn(u8) -> String| piece.iter().map(|byte| write(*byte)).collect::<String>().into_bytes();
    let special = |write: &dyn Fn(u8) -> String| {
        each(&|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { write(byte) })
    };
    let mut all = vec![("plain", piece.to_vec())];
    let escapes: [(&str, Escape); 7] = [
        ("percent", |byte| format!("%{byte:02X}")),
        ("percent", |byte| format!("%{byte:02x}")),
        ("JSON", |byte| format!("\\u{byte:04x}")),
        ("JSON", |byte| format!("\\u{byte:04X}")),
        ("HTML entities", |byte| format!("&#{byte};")),
        ("HTML entities", |byte| format!("&#x{byte:x};")),
        ("HTML entities", |byte| format!("&#x{byte:X};")),
    ];
    for (encoding, escape) in escapes {
        all.extend([(encoding, special(&escape)), (encoding, each(&escape))]);
    }
    for (before, depend_on_it) in [(0, 0), (1, 2), (2, 3)] {
        let bytes = [&vec![0; before], piece].concat();
        for text in [STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
            let end = text.len() - usize::from(!bytes.len().is_multiple_of(3));
            all.push(("base64", text.as_bytes().get(depend_on_it..end).unwrap_or_default().to_vec()));
        }
    }
    all.extend([("hex", each(&|byte| format!("{byte:02x}"))), ("hex", each(&|byte| format!("{byte:02X}")))]);
    // Without the zero at its end; the other byte order is the same without the zero at its beginning.
    let mut wide: Vec<_> = piece.iter().flat_map(|byte| [*byte, 0]).collect();
    wide.pop();
    all.push(("UTF-16", wide));
    all.push(("backwards", piece.iter().rev().copied().collect()));
    all
}
