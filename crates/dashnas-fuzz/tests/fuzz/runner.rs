//! Feeds a reader with files until its time or its number of cases is over.

use crate::memory;
use crate::mutate;
use dashnas_core::rng::Seed;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// The most bytes that reading a file of at most 64 KiB may take, where arrays may take 16 MiB.
const MOST_MEMORY: usize = 256 << 20;
/// Number of files that an ordinary run makes.
const FEW: u64 = 300;
/// Seconds that a reader may take for a file when it is fuzzed by time, on a machine that does other work as well.
const PATIENCE: u64 = 300;
/// The most files that others are made from.
const POOL: usize = 4096;
/// The length in bytes of the longest of them.
const LONGEST_KEPT: usize = 8 << 10;

/// Files that every reader gets because they caused trouble in some.
const ODD: [&[u8]; 11] = [
    b"\n\n",
    b"\"",
    b"@data",
    b"@attribute",
    b"@attribute a{",
    b"@attribute \xc3\xa9t\xc3\xa9 numeric\n@data\n",
    b">",
    b"1",
    b"\0\0\x08\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    b"PAR1\x15\x00\x00\x00\x01\x00\x00\x00PAR1",
    b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0data\0\0\0\0",
];

/// A reader under test.
pub struct Target {
    /// The name of the reader and of its folder in the corpus.
    pub name: &'static str,
    /// Reads a file and describes the result in words.
    pub read: fn(&[u8]) -> String,
    /// Valid files besides those in the corpus.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Byte strings that have a meaning in files of this format.
    pub words: &'static [&'static [u8]],
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name)
}

/// The files of the corpus, those that once revealed a defect first.
fn kept(name: &str) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(corpus(name)).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
    let name = |p: &Path| p.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    paths.sort_by_key(|p| (!name(p).starts_with("found-"), name(p)));
    paths.iter().filter_map(|p| Some((name(p), std::fs::read(p).ok()?))).collect()
}

/// The answer of a reader to a file, or the defect that the file reveals.
fn verdict(target: &Target, bytes: &[u8]) -> Result<String, String> {
    let (said, peak) = memory::peak(|| catch_unwind(AssertUnwindSafe(|| (target.read)(bytes))));
    match said {
        Err(_) => Err("it panicked".into()),
        Ok(_) if peak > MOST_MEMORY => Err(format!("it took {} MiB of memory", peak >> 20)),
        Ok(said) => Ok(said),
    }
}

/// An answer without the numbers and names in it.
fn kind(said: &str) -> String {
    let mut out = String::new();
    let mut quoted = false;
    for c in said.chars() {
        match c {
            '`' | '"' => quoted = !quoted,
            _ if quoted => {}
            c if c.is_ascii_digit() => {
                if !out.ends_with('0') {
                    out.push('0');
                }
            }
            c => out.push(c),
        }
        if out.len() > 200 {
            break;
        }
    }
    out
}

fn digest(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    dashnas_core::digest::hex(Sha256::digest(bytes))[..12].to_owned()
}

/// Ends the process when a file takes too long, and adds that file to the corpus.
struct Guard {
    /// Milliseconds from `start` to the beginning of the file that is being read; 0 if there is none.
    since: AtomicU64,
    start: Instant,
    file: PathBuf,
}

impl Guard {
    fn new(name: &'static str) -> Arc<Self> {
        let file = std::env::temp_dir().join(format!("dashnas-fuzz-{name}-{}", std::process::id()));
        let guard = Arc::new(Self { since: AtomicU64::new(0), start: Instant::now(), file });
        let watched = guard.clone();
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(Duration::from_secs(1));
                let since = watched.since.load(Ordering::Relaxed);
                if since > 0 && watched.now() > since + PATIENCE * 1000 {
                    if let Ok(bytes) = std::fs::read(&watched.file) {
                        let _ = std::fs::write(corpus(name).join(format!("found-{}", digest(&bytes))), bytes);
                    }
                    eprintln!("{name}: a file took more than {PATIENCE} s; it was added to the corpus");
                    std::process::exit(101);
                }
            }
        });
        guard
    }

    fn now(&self) -> u64 {
        self.start.elapsed().as_millis() as u64 + 1
    }

    /// Writes the file before it is read, since a stack overflow or a lack of memory leaves nothing else behind.
    fn begin(&self, bytes: &[u8]) {
        let _ = std::fs::write(&self.file, bytes);
        self.since.store(self.now(), Ordering::Relaxed);
    }

    fn end(&self) -> u64 {
        self.now().saturating_sub(self.since.swap(0, Ordering::Relaxed))
    }
}

/// Feeds a reader with its corpus and with files made from it.
pub fn fuzz(target: &Target) {
    let name = target.name;
    // Parallel work runs on this thread, whose memory is counted.
    let _here = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build();
    let (mut said, mut pool) = (HashSet::new(), Vec::new());
    let seeds = (target.seeds)().into_iter().enumerate().map(|(i, bytes)| (format!("seed {i}"), bytes));
    for (file, bytes) in kept(name).into_iter().chain(seeds) {
        match verdict(target, &bytes) {
            Ok(answer) => said.insert(kind(&answer)),
            Err(fault) => panic!("{name}: {fault} ({file} of the corpus)"),
        };
        pool.push(bytes);
    }
    assert!(!pool.is_empty(), "{name}: the corpus {} is empty", corpus(name).display());
    let cut = pool.iter().flat_map(|file| (0..file.len()).step_by(1 + file.len() / 50).map(|n| file[..n].to_vec()));
    for bytes in cut.chain(ODD.iter().map(|bytes| bytes.to_vec())) {
        if let Err(fault) = verdict(target, &bytes) {
            panic!("{name}: {fault}: {}", String::from_utf8_lossy(&bytes).escape_debug());
        }
    }

    let seconds = number("DASHNAS_FUZZ_SECONDS");
    let fresh = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_nanos() as u64);
    let seed = number("DASHNAS_FUZZ_SEED").unwrap_or_else(|| if seconds.is_some() { fresh() } else { 360 });
    let few = number("DASHNAS_FUZZ_CASES").unwrap_or(FEW);
    let keep = std::env::var_os("DASHNAS_FUZZ_KEEP").map(|folder| PathBuf::from(folder).join(name));
    if let Some(folder) = &keep {
        std::fs::create_dir_all(folder).expect("DASHNAS_FUZZ_KEEP names a folder that can be written to");
    }
    let guard = seconds.map(|_| Guard::new(name));
    let end = seconds.map(|s| Instant::now() + Duration::from_secs(s));
    let mut rng = Seed(seed).stream("fuzz", &[name.len() as u64]);
    let (mut cases, mut slowest) = (0u64, 0);
    while end.map_or(cases < few, |end| Instant::now() < end) {
        let bytes = mutate::file(&pool, target.words, &mut rng);
        cases += 1;
        if let Some(guard) = &guard {
            guard.begin(&bytes);
        }
        let answer = verdict(target, &bytes);
        if let Some(guard) = &guard {
            slowest = slowest.max(guard.end());
        }
        match answer {
            Err(fault) => {
                let path = corpus(name).join(format!("found-{}", digest(&bytes)));
                let _ = std::fs::create_dir_all(corpus(name));
                let _ = std::fs::write(&path, &bytes);
                panic!("{name}: {fault} at case {cases} with DASHNAS_FUZZ_SEED={seed}; the file is {}", path.display());
            }
            Ok(answer) => {
                if bytes.len() <= LONGEST_KEPT && pool.len() < POOL && said.insert(kind(&answer)) {
                    if let Some(folder) = &keep {
                        let _ = std::fs::write(folder.join(digest(&bytes)), &bytes);
                    }
                    pool.push(bytes);
                }
            }
        }
    }
    if let Some(guard) = guard {
        let _ = std::fs::remove_file(&guard.file);
        eprintln!(
            "{name}: {cases} files in {} s with seed {seed}, {} kinds of answer, the slowest in {slowest} ms: no fault",
            seconds.unwrap_or(0),
            said.len()
        );
    }
}
