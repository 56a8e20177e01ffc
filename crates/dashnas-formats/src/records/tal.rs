//! Lists of annotations with their times, as EDF+ has them: `+30.5`, perhaps 0x15 and a duration, and texts between bytes
//! 0x14. A byte 0 ends a list.

/// A list: its texts share a time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct List {
    /// Seconds from the beginning of the file.
    pub onset: f64,
    /// Seconds, if they are given.
    pub duration: Option<f64>,
    /// The texts; the list that gives the time of a record has none.
    pub texts: Vec<String>,
}

/// Reads the lists in a block of bytes.
///
/// # Errors
/// The byte at which a list begins that cannot be read, and why.
pub(super) fn lists(block: &[u8]) -> Result<Vec<List>, (usize, String)> {
    let (mut found, mut at) = (Vec::new(), 0);
    for bytes in block.split(|&b| b == 0) {
        if !bytes.is_empty() {
            found.push(list(bytes).map_err(|reason| (at, reason))?);
        }
        at += bytes.len() + 1;
    }
    Ok(found)
}

/// Reads a list without the byte that ends it.
fn list(bytes: &[u8]) -> Result<List, String> {
    let Some(fields) = bytes.strip_suffix(b"\x14") else {
        return Err("an annotation is cut short: no byte 0x14 is behind its text".into());
    };
    let mut fields = fields.split(|&b| b == 0x14);
    let mut times = fields.next().unwrap_or_default().splitn(2, |&b| b == 0x15);
    let onset = text(times.next().unwrap_or_default());
    let signed = onset.starts_with(['+', '-']).then(|| seconds(&onset[1..])).flatten();
    let Some(value) = signed else {
        return Err(format!("the time of an annotation is `{}`", excerpt(&onset)));
    };
    let duration = match times.next().map(text).filter(|duration| !duration.is_empty()) {
        Some(duration) => match seconds(&duration) {
            Some(value) => Some(value),
            None => return Err(format!("the duration of an annotation is `{}`", excerpt(&duration))),
        },
        None => None,
    };
    let texts = fields.map(|field| text(field).trim().to_owned()).filter(|text| !text.is_empty()).collect();
    Ok(List { onset: if onset.starts_with('-') { -value } else { value }, duration, texts })
}

/// A number of seconds, without a sign.
fn seconds(text: &str) -> Option<f64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    digits.then(|| text.parse().ok()).flatten().filter(|value: &f64| value.is_finite())
}

/// A text in UTF-8; other bytes are those of Latin 1, so that different texts stay different.
fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|&b| char::from(b)).collect(),
    }
}

/// The first characters of a field, without those that cannot be printed.
fn excerpt(field: &str) -> String {
    field.chars().take(24).collect::<String>().escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_or_refused_with_their_place() {
        let list = |onset: f64, duration: Option<f64>, texts: &[&str]| List {
            onset,
            duration,
            texts: texts.iter().map(|&t| t.to_owned()).collect(),
        };
        type Case<'a> = (&'a [u8], Result<Vec<List>, (usize, &'a str)>);
        let cases: [Case<'_>; 13] = [
            (b"", Ok(vec![])),
            (b"\0\0\0", Ok(vec![])),
            (b"+0\x14\x14\0\0\0", Ok(vec![list(0.0, None, &[])])),
            (b"+0.5\x14\x14\0+3\x1530\x14W\x14\0\0", Ok(vec![list(0.5, None, &[]), list(3.0, Some(30.0), &["W"])])),
            (b"-1.25\x14a\x14b \x14\0", Ok(vec![list(-1.25, None, &["a", "b"])])),
            (b"+1\x15\x14a\x14", Ok(vec![list(1.0, None, &["a"])])),
            (b"+1\x14\xe9\x14\0+2\x14\xc3\xa9\x14\0", Ok(vec![list(1.0, None, &["é"]), list(2.0, None, &["é"])])),
            (b"+0\x14\x14\0+1\x14a\0", Err((5, "cut short"))),
            (b"12\x14a\x14\0", Err((0, "time of an annotation is `12`"))),
            (b"+nan\x14a\x14\0", Err((0, "`+nan`"))),
            (b"+\x14a\x14\0", Err((0, "`+`"))),
            (b"\0+1\x15-5\x14a\x14\0", Err((1, "duration of an annotation is `-5`"))),
            (b"+1\x15inf\x14a\x14\0", Err((0, "`inf`"))),
        ];
        for (bytes, expected) in cases {
            match (lists(bytes), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err((at, reason)), Err((place, words))) => {
                    assert!(at == place && reason.contains(words), "{at}: {reason}");
                }
                (found, _) => panic!("{bytes:?}: {found:?}"),
            }
        }
    }
}
