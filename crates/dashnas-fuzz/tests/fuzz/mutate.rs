//! Files made from others by a few changes.

use dashnas_core::rng::Stream;
use rand::RngExt;

/// Length in bytes of the longest file that is made.
const LONGEST: usize = 1 << 16;

/// Numbers at which sizes, counts and offsets go wrong.
const NUMBERS: [u64; 16] = [
    0,
    1,
    2,
    7,
    8,
    127,
    128,
    255,
    256,
    1 << 15,
    (1 << 16) - 1,
    1 << 24,
    (1 << 31) - 1,
    1 << 31,
    (1 << 32) - 1,
    u64::MAX,
];

/// Such numbers as text, and other text in place of a number.
const TEXTS: [&str; 16] = [
    "0",
    "1",
    "-1",
    "3",
    "255",
    "65536",
    "2147483648",
    "4294967295",
    "18446744073709551616",
    "1e39",
    "-0.0",
    "1e-400",
    "nan",
    "inf",
    "",
    "0x10",
];

/// Bytes that have a meaning in text.
const MARKS: &[u8] = b"\0\x01\x7f\x80\xff ,;:\t\r\n\"'`>@{}()[]|#%?-.=\\/";

/// An index of a slice of length n, or its end.
fn place(rng: &mut Stream, n: usize) -> usize {
    rng.random_range(0..=n)
}

/// A short span of a slice of length n; most are short, some are long.
fn span(rng: &mut Stream, n: usize) -> std::ops::Range<usize> {
    let start = place(rng, n);
    let most = if rng.random_range(0..8) == 0 { n } else { 16 };
    start..n.min(start + rng.random_range(0..=most))
}

/// Overwrites bytes from an index on.
fn overwrite(file: &mut [u8], at: usize, bytes: &[u8]) {
    file.iter_mut().skip(at).zip(bytes).for_each(|(slot, &b)| *slot = b);
}

/// The first number in decimal digits from an index on.
fn digits(file: &[u8], from: usize) -> Option<std::ops::Range<usize>> {
    let start = from + file.get(from..)?.iter().position(u8::is_ascii_digit)?;
    let len = file[start..].iter().take_while(|b| b.is_ascii_digit()).count();
    Some(start..start + len)
}

/// Makes one random change.
fn change(file: &mut Vec<u8>, pool: &[Vec<u8>], words: &[&[u8]], rng: &mut Stream) {
    let n = file.len();
    let at = place(rng, n);
    match rng.random_range(0..14) {
        0 => overwrite(file, at, &[rng.random()]),
        1 => overwrite(file, at, &[MARKS[rng.random_range(0..MARKS.len())]]),
        2 if n > 0 => file[at.min(n - 1)] ^= 1 << rng.random_range(0..8),
        3 if n > 0 => {
            let b = &mut file[at.min(n - 1)];
            *b = b.wrapping_add_signed(rng.random_range(-4..=4));
        }
        4 => {
            let number = NUMBERS[rng.random_range(0..NUMBERS.len())].wrapping_add_signed(rng.random_range(-1..=1));
            let size = [1, 2, 4, 8][rng.random_range(0..4)];
            let bytes = if rng.random() { number.to_le_bytes() } else { number.rotate_right(8 * size).to_be_bytes() };
            overwrite(file, at, &bytes[..size as usize]);
        }
        5 => drop(file.drain(span(rng, n))),
        6 => {
            let part = file[span(rng, n)].to_vec();
            drop(file.splice(at..at, part));
        }
        7 => {
            let part = file[span(rng, n)].to_vec();
            overwrite(file, at, &part);
        }
        8 => file.truncate(at),
        9 => {
            let other = &pool[rng.random_range(0..pool.len())];
            file.truncate(at);
            file.extend_from_slice(&other[place(rng, other.len())..]);
        }
        10 => {
            let other = &pool[rng.random_range(0..pool.len())];
            let part = other[span(rng, other.len())].to_vec();
            drop(file.splice(at..at, part));
        }
        11 => {
            if let Some(number) = digits(file, at) {
                drop(file.splice(number, TEXTS[rng.random_range(0..TEXTS.len())].bytes()));
            }
        }
        12 if !words.is_empty() => {
            let word = words[rng.random_range(0..words.len())];
            drop(file.splice(at..at, word.iter().copied()));
        }
        _ if !words.is_empty() => overwrite(file, at, words[rng.random_range(0..words.len())]),
        _ => file.insert(at, rng.random()),
    }
    file.truncate(LONGEST);
}

/// A file that resembles one of the pool, or sometimes none. `words` are byte strings with a meaning in its format.
pub(super) fn file(pool: &[Vec<u8>], words: &[&[u8]], rng: &mut Stream) -> Vec<u8> {
    let mut file = match rng.random_range(0..32) {
        0 => (0..rng.random_range(0..200)).map(|_| rng.random()).collect(),
        1 => (0..rng.random_range(0..120)).map(|_| b" ,\t\n0123456789.-abc"[rng.random_range(0..19)]).collect(),
        2 if !words.is_empty() => {
            (0..rng.random_range(0..20)).flat_map(|_| words[rng.random_range(0..words.len())].to_vec()).collect()
        }
        _ => pool[rng.random_range(0..pool.len())].clone(),
    };
    let changes = 1 << rng.random_range(0..5);
    for _ in 0..rng.random_range(1..=changes) {
        change(&mut file, pool, words, rng);
    }
    file
}
