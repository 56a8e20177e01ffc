//! Parquet's delta encodings: numbers as differences from the numbers before, in bit-packed blocks, and texts as the
//! length of the prefix that they share with the text before and the rest.

use crate::parquet::thrift::ThriftReader;

fn cut() -> String {
    "it is cut short".into()
}

/// Decodes `n` numbers: a header, then blocks, each with its smallest difference, a bit width for each of its parts, and
/// the differences from the smallest in that many bits. Leaves the reader behind the last block.
pub(super) fn integers(reader: &mut ThriftReader<'_>, n: usize) -> Result<Vec<i64>, String> {
    let size = |v: Option<u64>| v.and_then(|v| usize::try_from(v).ok()).ok_or_else(cut);
    let (block, parts, count) = (size(reader.varint())?, size(reader.varint())?, size(reader.varint())?);
    let mut last = reader.zigzag().ok_or_else(cut)?;
    if count != n {
        return Err(format!("it has {count} values where {n} are expected"));
    }
    let part =
        block.checked_div(parts).filter(|&part| part > 0 && part % 8 == 0 && block <= 1 << 20 && block % parts == 0);
    let part = part.ok_or("its blocks have an impossible size")?;
    let mut out = Vec::with_capacity(n);
    if n > 0 {
        out.push(last);
    }
    while out.len() < n {
        let least = reader.zigzag().ok_or_else(cut)?;
        let (widths, rest) = reader.rest.split_at_checked(parts).ok_or_else(cut)?;
        reader.rest = rest;
        for &width in widths {
            if out.len() == n {
                break;
            }
            let width = usize::from(width);
            // A part is complete even if the values end in it.
            let (packed, rest) =
                reader.rest.split_at_checked(part / 8 * width).filter(|_| width <= 64).ok_or_else(cut)?;
            reader.rest = rest;
            for i in 0..part.min(n - out.len()) {
                let bit = |b: usize| u64::from(packed[(i * width + b) / 8] >> ((i * width + b) % 8) & 1);
                let above = (0..width).fold(0u64, |value, b| value | bit(b) << b);
                last = last.wrapping_add(least).wrapping_add(above as i64);
                out.push(last);
            }
        }
    }
    Ok(out)
}

fn lengths(reader: &mut ThriftReader<'_>, n: usize) -> Result<Vec<usize>, String> {
    let length = |v: i64| usize::try_from(v).map_err(|_| "a text has a negative length".to_owned());
    integers(reader, n)?.into_iter().map(length).collect()
}

/// Decodes `n` texts. With `shared`, each begins with a prefix of the text before, whose lengths are listed. All texts
/// together may take `left` bytes.
pub(super) fn texts(bytes: &[u8], n: usize, shared: bool, left: &mut u64) -> Result<Vec<Vec<u8>>, String> {
    let mut reader = ThriftReader { rest: bytes };
    let prefixes = if shared { lengths(&mut reader, n)? } else { vec![0; n] };
    let suffixes = lengths(&mut reader, n)?;
    let mut out: Vec<Vec<u8>> = Vec::with_capacity(n);
    for (prefix, suffix) in prefixes.into_iter().zip(suffixes) {
        let (own, rest) = reader.rest.split_at_checked(suffix).ok_or_else(cut)?;
        reader.rest = rest;
        let before =
            out.last().map_or(&[][..], Vec::as_slice).get(..prefix).ok_or("a text begins beyond the one before")?;
        let text = [before, own].concat();
        *left = left.checked_sub(text.len() as u64 + 24).ok_or("its texts are larger than the memory limit")?;
        out.push(text);
    }
    Ok(out)
}
