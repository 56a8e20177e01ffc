//! The dialect of a file of separated values: where its rows begin, the separator and the quotes.

use memchr::memchr2_iter;

/// Characters of a file that are looked at.
const SAMPLE: usize = 1 << 16;
/// Lines that are looked at.
const LINES: usize = 50;

/// How the rows of a file are divided into fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// The position of the first row in the text.
    pub start: usize,
    /// The separator of fields.
    pub separator: u8,
    /// The quote around fields, if fields may be quoted.
    pub quote: Option<u8>,
    /// The number of lines of comments that are skipped.
    pub comments: usize,
    /// Whether the first line names the separator.
    pub named: bool,
}

impl Dialect {
    /// Finds the dialect of a text.
    pub fn of(text: &str) -> Self {
        let (mut start, mut comments, mut named) = (0, 0, None);
        while let Some(line) = text[start..].split_inclusive('\n').next() {
            let trimmed = line.trim();
            if trimmed.starts_with('#') {
                // The names of the columns may stand behind the sign of a comment.
                let next = text[start + line.len()..].lines().find(|l| !l.trim().is_empty() && !l.starts_with('#'));
                if let Some(next) = next
                    && is_header_of(trimmed, next)
                {
                    start += line.find('#').map_or(0, |i| i + 1);
                    break;
                }
                comments += 1;
            } else if let Some(separator) = named_separator(trimmed).filter(|_| named.is_none()) {
                named = Some(separator);
            } else if !trimmed.is_empty() {
                break;
            }
            start += line.len();
        }
        let sample = sample(&text[start..]);
        let quote = if sample.contains('"') || !single_quotes(sample) { b'"' } else { b'\'' };
        let separator = named.unwrap_or_else(|| separator(sample, quote));
        Self { start, separator, quote: Some(quote), comments, named: named.is_some() }
    }
}

/// The first lines of a text.
fn sample(text: &str) -> &str {
    let mut end = text.len().min(SAMPLE);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The separator that the first line of a file from Excel names: `sep=;`.
fn named_separator(line: &str) -> Option<u8> {
    let name = line.trim_matches('"');
    let rest = name.get(..4).filter(|head| head.eq_ignore_ascii_case("sep=")).map(|_| &name[4..])?;
    match (rest, rest.as_bytes()) {
        ("\\t" | "", _) => Some(b'\t'),
        (_, &[b]) if b.is_ascii() && !b.is_ascii_alphanumeric() => Some(b),
        _ => None,
    }
}

/// Returns whether a line of a comment names the columns of the line after the comments: it has as many fields, and
/// the other line has numbers where it has words.
fn is_header_of(comment: &str, next: &str) -> bool {
    let separator = separator(next, b'"');
    let fields = |line: &str| line.split(separator as char).map(|f| f.trim().to_owned()).collect::<Vec<_>>();
    let (names, values) = (fields(comment.trim_start_matches('#')), fields(next));
    let is_number = |text: &String| text.parse::<f64>().is_ok();
    names.len() > 1 && names.len() == values.len() && !names.iter().any(is_number) && values.iter().any(is_number)
}

/// Returns whether the fields are quoted with `'`: every field that begins with one ends with one, and there are some.
fn single_quotes(sample: &str) -> bool {
    let mut found = false;
    for line in sample.lines().take(LINES) {
        for field in line.split([',', ';', '\t', '|']).map(str::trim) {
            if field.starts_with('\'') {
                if field.len() < 2 || !field.ends_with('\'') {
                    return false;
                }
                found = true;
            }
        }
    }
    found
}

/// Chooses the separator that divides the first lines into equal numbers of fields; of several, the one that is least
/// likely to occur in a field. If none does, the one that the first line has most of.
fn separator(sample: &str, quote: u8) -> u8 {
    const SEPARATORS: [u8; 4] = [b'\t', b';', b',', b'|'];
    let mut lines: Vec<[usize; 4]> = Vec::new();
    let mut ends = false;
    let mut line = [0; 4];
    let (mut quoted, mut empty) = (false, true);
    for b in sample.bytes() {
        if b == quote {
            quoted = !quoted;
        }
        if b == b'\n' && !quoted {
            if !empty {
                lines.push(line);
            }
            (line, empty, ends) = ([0; 4], true, true);
            if lines.len() == LINES {
                break;
            }
        } else if !quoted && let Some(i) = SEPARATORS.iter().position(|&s| s == b) {
            line[i] += 1;
            empty = false;
        } else if !b.is_ascii_whitespace() {
            empty = false;
        }
    }
    // The last line of a sample may be cut.
    if !empty && (!ends || sample.len() < SAMPLE - 4) {
        lines.push(line);
    }
    let [first, rest @ ..] = &lines[..] else { return b',' };
    let consistent = |i: &usize| first[*i] > 0 && rest.iter().all(|line| line[*i] == first[*i]);
    let most = (0..4).rev().max_by_key(|&i| first[i]).filter(|&i| first[i] > 0);
    (0..4).find(consistent).or(most).map_or(b',', |i| SEPARATORS[i])
}

/// Counts the line ends of a text: no more rows than these and one are in it.
pub(crate) fn line_ends(text: &str) -> usize {
    let ends = memchr2_iter(b'\n', b'\r', text.as_bytes());
    // Both characters of a Windows line end are found.
    let bytes = text.as_bytes();
    ends.filter(|&i| bytes[i] == b'\n' || bytes.get(i + 1) != Some(&b'\n')).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_quotes_and_lines_before_the_rows_are_found() {
        let cases: [(&str, u8, u8, usize); 14] = [
            ("a,b\n1,2\n", b',', b'"', 0),
            ("a;b\n0,5;1,5\n", b';', b'"', 0),
            ("0,5;1,5;2,5\n0,1;1,2;2,3\n", b';', b'"', 0),
            ("a\tb\n1\t2\n", b'\t', b'"', 0),
            ("a|b\n1|2\n", b'|', b'"', 0),
            ("sep=;\na;b\n1;2\n", b';', b'"', 6),
            ("\"sep=,\"\r\na,b\r\n", b',', b'"', 9),
            ("# one\n# two, three\na,b\n1,2\n", b',', b'"', 19),
            ("# note\n# a,b\n1,2\n", b',', b'"', 8),
            ("#a,b\n1,2\n", b',', b'"', 1),
            ("a,b\n'x',1\n'y z',2\n", b',', b'\'', 0),
            ("a,b\n'tis,1\n", b',', b'"', 0),
            ("\"a;b\",c\n1,2\n", b',', b'"', 0),
            ("one\n1\n", b',', b'"', 0),
        ];
        for (text, separator, quote, start) in cases {
            let found = Dialect::of(text);
            assert_eq!((found.separator, found.quote, found.start), (separator, Some(quote), start), "{text}");
        }
    }

    #[test]
    fn line_ends_of_all_systems_are_counted() {
        for (text, ends) in [("a\nb\n", 2), ("a\r\nb", 1), ("a\rb\r", 2), ("", 0)] {
            assert_eq!(line_ends(text), ends, "{text:?}");
        }
    }
}
