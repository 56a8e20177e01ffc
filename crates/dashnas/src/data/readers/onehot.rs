//! Sequences of letters as one-hot arrays.

use crate::data::spill::Rows;
use crate::data::{Array, DataError, ReadOptions};
use std::path::Path;

/// The letters of DNA; RNA's U is read as T.
pub(crate) const DNA: &str = "ACGT";
/// The twenty amino acids.
pub(crate) const PROTEIN: &str = "ACDEFGHIKLMNPQRSTVWY";

/// The alphabet that sequences are written in: DNA if nine letters in ten are, else protein.
pub(crate) fn alphabet<'a>(sequences: impl Iterator<Item = &'a str>) -> &'static str {
    let (mut dna, mut all) = (0usize, 0usize);
    for byte in sequences.flat_map(str::bytes).take(1 << 20) {
        all += 1;
        dna += usize::from(b"ACGTUN".contains(&byte.to_ascii_uppercase()));
    }
    if dna * 10 >= all * 9 { DNA } else { PROTEIN }
}

/// Whether a text could be a sequence.
pub(crate) fn is_sequence(text: &str) -> bool {
    text.len() >= 8 && text.bytes().all(|b| b.is_ascii_alphabetic() || b"-*.".contains(&b))
}

/// One-hot N×letters×length. Letters that are not in the alphabet are zeros, as is what shorter
/// sequences lack at the end; longer ones are cut off.
pub(crate) fn encode(
    path: &Path,
    sequences: &[&str],
    alphabet: &str,
    length: usize,
    options: &ReadOptions,
) -> Result<Array, DataError> {
    let letters = alphabet.to_ascii_uppercase().into_bytes();
    let mut channel = [usize::MAX; 256];
    for (c, &letter) in letters.iter().enumerate() {
        channel[letter as usize] = c;
        channel[letter.to_ascii_lowercase() as usize] = c;
    }
    if alphabet == DNA {
        (channel[b'U' as usize], channel[b'u' as usize]) = (3, 3);
    }
    let row = letters.len() * length;
    let elements = sequences.len() as u128 * row as u128;
    let held: u128 = sequences.iter().map(|s| s.len() as u128).sum();
    if elements > 1 << 26 && elements > held * 64 * letters.len() as u128 {
        let reason =
            format!("one-hot sequences of {length} letters would make {elements} numbers out of {held} letters");
        return Err(DataError::file(path, reason).with_hint("choose a shorter --length, or --lengths truncate"));
    }
    let mut rows = Rows::new(path, "sequences", vec![sequences.len(), letters.len(), length], options)?;
    let mut out = vec![0.0; row];
    for sequence in sequences {
        out.fill(0.0);
        for (i, byte) in sequence.bytes().take(length).enumerate() {
            let c = channel[byte as usize];
            if c != usize::MAX {
                out[c * length + i] = 1.0;
            }
        }
        rows.push(&out)?;
    }
    rows.array()
}
