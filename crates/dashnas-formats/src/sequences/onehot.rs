//! One-hot arrays of sequences of letters.

use crate::array::Array;
use crate::error::DataError;
use crate::found::UnassembledData;
use crate::options::{Lengths, ReadOptions};
use crate::series::values::cut_warning;
use crate::spill::Rows;
use std::path::Path;

/// The letters of DNA; RNA's U is read as T.
const DNA: &str = "ACGT";
/// The twenty amino acids.
const PROTEIN: &str = "ACDEFGHIKLMNPQRSTVWY";

/// Chooses the alphabet of sequences: DNA if nine letters in ten are DNA's, otherwise protein.
fn alphabet<'a>(sequences: impl Iterator<Item = &'a str>) -> &'static str {
    let (mut dna, mut all) = (0usize, 0usize);
    for byte in sequences.flat_map(str::bytes).take(1 << 20) {
        all += 1;
        dna += usize::from(b"ACGTUN".contains(&byte.to_ascii_uppercase()));
    }
    if dna * 10 >= all * 9 { DNA } else { PROTEIN }
}

/// Chooses the length and the alphabet that sequences are encoded with, from the options or else by the training
/// sequences, and writes them into the options and the notes.
pub(crate) fn choose_encoding<'a>(
    training: impl Iterator<Item = &'a str> + Clone,
    raw: &mut UnassembledData,
) -> (usize, String) {
    let options = &mut raw.reading;
    let lens = training.clone().map(str::len);
    let (min, max) = (lens.clone().min().unwrap_or(0), lens.clone().max().unwrap_or(0));
    // A model has both.
    let cut = match (options.length, &options.alphabet) {
        (Some(length), Some(_)) => cut_warning(lens, length, "letters", options),
        _ => None,
    };
    let length = options.length.unwrap_or(if options.lengths == Lengths::Truncate { min } else { max });
    let alphabet = options.alphabet.clone().unwrap_or_else(|| alphabet(training.clone()).to_owned());
    (options.length, options.alphabet) = (Some(length), Some(alphabet.clone()));
    cut.into_iter().for_each(|warning| raw.warn(warning));
    raw.note(format!("sequences are one-hot over {alphabet}; other letters are zeros"));
    if min < max {
        let masked = raw.reading.lengths == Lengths::Mask;
        let how = if masked { "kept, and masked up to" } else { "padded with zeros or cut off to" };
        raw.note(format!("sequences are {min} to {max} long: {how} {length}"));
    }
    (length, alphabet)
}

/// Encodes sequences as a one-hot array `[N, letters, length]`. Letters that are not in the alphabet become zeros,
/// shorter sequences are padded with zeros at the end (or NaN, if they keep their lengths), and longer ones are cut off.
///
/// # Errors
/// [`DataError::File`] if the array would be far larger than the sequences.
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
    let letters_read: u128 = sequences.iter().map(|s| s.len() as u128).sum();
    if elements > 1 << 26 && elements > letters_read * 64 * letters.len() as u128 {
        let reason = format!(
            "one-hot sequences of {length} letters would make {elements} numbers out of {letters_read} letters"
        );
        return Err(DataError::file(path, reason)
            .with_hint("choose a shorter `data.length`, or set `data.lengths` to truncate"));
    }
    let mut rows = Rows::new(path, "sequences", vec![sequences.len(), letters.len(), length], options)?;
    let mut out = vec![0.0; row];
    for sequence in sequences {
        out.fill(0.0);
        if options.lengths == Lengths::Mask && sequence.len() < length {
            out.chunks_mut(length).for_each(|line| line[sequence.len()..].fill(f32::NAN));
        }
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
