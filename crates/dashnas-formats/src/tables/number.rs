//! The text of a cell: numbers, truth values, missing values and dates.

/// How numbers are written in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    /// The decimal sign, `.` or `,`.
    pub decimal: char,
    /// Whether digits may be grouped by threes: by the other sign, by spaces or by apostrophes.
    pub grouped: bool,
}

impl Style {
    /// Decimal points without groups.
    pub const PLAIN: Self = Self { decimal: '.', grouped: false };

    /// The style that the option `data.decimal` sets.
    pub fn of_option(decimal: Option<&str>) -> Self {
        match decimal {
            Some(",") => Self { decimal: ',', grouped: true },
            Some(_) => Self { decimal: '.', grouped: true },
            None => Self::PLAIN,
        }
    }
}

/// The meaning of a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell {
    /// A missing value.
    Missing,
    /// A number that fits into float32.
    Number(f64),
    /// A truth value.
    Bool(bool),
    /// Any other text.
    Text,
}

/// Spellings of a missing number, in lower case, besides an empty cell.
const MISSING: [&str; 24] = [
    "?", "nan", "+nan", "-nan", "na", "n/a", "n.a.", "null", "none", "nil", "missing", "#n/a", "#na", "#n/a n/a",
    "#value!", "#div/0!", "#num!", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan", "<na>", "nat", "-",
];

/// Returns whether a cell of a column of numbers stands for a missing value.
pub(crate) fn is_missing(text: &str) -> bool {
    text.is_empty()
        || text.len() <= 8 && (matches!(text, "." | "--") || MISSING.iter().any(|m| text.eq_ignore_ascii_case(m)))
}

/// Returns whether a cell of a column of labels stands for a missing label. Words that may well name a class, such as
/// `none`, do not.
pub(crate) fn is_missing_label(text: &str) -> bool {
    let missing = ["?", "nan", "-nan", "na", "n/a", "null", "#n/a", "<na>", "nat"];
    text.is_empty() || missing.iter().any(|m| text.eq_ignore_ascii_case(m))
}

/// Reads a trimmed cell.
#[inline]
pub(crate) fn cell(text: &str, style: Style) -> Cell {
    match text.as_bytes().first() {
        None => return Cell::Missing,
        Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b',') => {
            if let Some(value) = number(text, style) {
                return Cell::Number(value);
            }
        }
        // As Excel is made to keep a text.
        Some(b'=') => {
            if let Some(inner) = text.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')) {
                return cell(inner.trim(), style);
            }
        }
        _ => {}
    }
    if is_missing(text) {
        Cell::Missing
    } else if text.eq_ignore_ascii_case("true") {
        Cell::Bool(true)
    } else if text.eq_ignore_ascii_case("false") {
        Cell::Bool(false)
    } else {
        Cell::Text
    }
}

/// Parses a number that fits into float32.
#[inline]
pub(crate) fn number(text: &str, style: Style) -> Option<f64> {
    if style == Style::PLAIN {
        return finite(text);
    }
    if style.decimal == '.'
        && let Some(value) = finite(text)
    {
        return Some(value);
    }
    let group = if style.decimal == ',' { '.' } else { ',' };
    let (whole, fraction) = match text.rsplit_once(style.decimal) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    // An exponent follows the fraction, or the digits where there is none.
    let (digits, exponent) = match fraction {
        Some(_) => (whole, ""),
        None => whole.split_at(whole.find(['e', 'E']).unwrap_or(whole.len())),
    };
    let digits = ungrouped(digits, group)?;
    let plain = match fraction {
        Some(fraction) if fraction.contains([',', '.']) => return None,
        Some(fraction) => format!("{digits}.{fraction}"),
        None => format!("{digits}{exponent}"),
    };
    finite(&plain)
}

/// Powers of ten, which float64 holds exactly.
const TENS: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// Parses a number of at most 15 digits without an exponent, as most numbers in tables are; `None` for all others. The
/// digits and the power of ten of the fraction are exact in float64, so that the quotient is rounded once and equals what
/// the parser of the standard library gives.
#[inline]
fn short(text: &[u8]) -> Option<f64> {
    let (negative, rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if rest.len() > 16 {
        return None;
    }
    let (mut value, mut digits, mut point) = (0u64, 0usize, None);
    for &b in rest {
        let digit = b.wrapping_sub(b'0');
        if digit < 10 {
            value = value * 10 + u64::from(digit);
            digits += 1;
        } else if b == b'.' && point.is_none() {
            point = Some(digits);
        } else {
            return None;
        }
    }
    if !(1..=15).contains(&digits) {
        return None;
    }
    let value = value as f64 / TENS[digits - point.unwrap_or(digits)];
    Some(if negative { -value } else { value })
}

/// Parses a plain number that fits into float32.
#[inline]
fn finite(text: &str) -> Option<f64> {
    short(text.as_bytes()).or_else(|| any_finite(text))
}

/// As [`finite`], of any length and with an exponent.
fn any_finite(text: &str) -> Option<f64> {
    // The parser also knows words.
    let last = *text.as_bytes().last()?;
    if !(last.is_ascii_digit() || last == b'.') {
        return None;
    }
    text.parse::<f64>().ok().filter(|&v| (v as f32).is_finite())
}

/// Removes the signs between groups of three digits; `None` if the groups are not of three digits.
fn ungrouped(text: &str, group: char) -> Option<String> {
    let (sign, digits) = text.split_at(text.len() - text.trim_start_matches(['-', '+']).len());
    let is_group = |c: char| c == group || matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\'' | '’');
    let parts: Vec<&str> = digits.split(is_group).collect();
    let digits_only = |part: &&str| part.bytes().all(|b| b.is_ascii_digit());
    let [first, rest @ ..] = &parts[..] else { return None };
    let good = parts.iter().all(digits_only)
        && (rest.is_empty() || ((1..=3).contains(&first.len()) && rest.iter().all(|part| part.len() == 3)));
    good.then(|| format!("{sign}{}", parts.concat()))
}

/// What a cell that is no plain number tells about how numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// A number with a decimal comma, such as `0,25` or `1.234,5`.
    Comma,
    /// A number with groups of digits, such as `1,234.5` or `1 234`.
    Grouped,
    /// A number with one comma before three digits, such as `1,234`, which may be either.
    Either,
}

/// Returns the way in which a number is written that has a decimal comma or groups of digits.
pub(crate) fn spelling(text: &str) -> Option<Spelling> {
    let comma = number(text, Style { decimal: ',', grouped: true });
    let point = number(text, Style { decimal: '.', grouped: true });
    match (comma, point) {
        (Some(_), None) => Some(Spelling::Comma),
        (None, Some(_)) => Some(Spelling::Grouped),
        (Some(a), Some(b)) if a == b => Some(Spelling::Grouped),
        // No group of digits begins with 0.
        (Some(_), Some(_)) if text.trim_start_matches(['-', '+']).starts_with("0,") => Some(Spelling::Comma),
        (Some(_), Some(_)) => Some(Spelling::Either),
        (None, None) => None,
    }
}

/// Returns whether the point in a number can only be a decimal sign; `None` if it has no point.
pub(crate) fn spelling_of_point(text: &str) -> Option<bool> {
    text.contains('.').then(|| {
        let digits = text.trim_start_matches(['-', '+']);
        digits.starts_with("0.") || number(text, Style { decimal: ',', grouped: true }).is_none()
    })
}

/// Returns whether a number is a date as eight digits, `20240131`, between the years 1900 and 2100.
pub(crate) fn is_compact_date(text: &str) -> bool {
    let number = |range: std::ops::Range<usize>| text.get(range).and_then(|part| part.parse::<u32>().ok());
    let (Some(year), Some(month), Some(day)) = (number(0..4), number(4..6), number(6..8)) else { return false };
    let digits = text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit());
    digits && (1900..=2100).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day)
}

/// Returns whether a text is a date, or a date with a time: `2024-01-31`, `31.01.2024`, `1/31/2024 10:00`, `2-Dec-2023`,
/// `Dec 2, 2023`.
pub(crate) fn is_date(text: &str) -> bool {
    is_date_of_numbers(text) || is_date_with_month(text)
}

/// The names of months.
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Returns whether a text begins with a day, the name of a month and a year, in any order that is usual.
fn is_date_with_month(text: &str) -> bool {
    if text.len() > 64 || !text.bytes().any(|b| b.is_ascii_alphabetic()) {
        return false;
    }
    let mut parts = text.split(['-', '/', ' ', ',', '.', 'T', ':']).filter(|part| !part.is_empty());
    let [Some(a), Some(b), Some(c)] = [parts.next(), parts.next(), parts.next()] else { return false };
    // In full, or the first three letters.
    let is_month = |part: &str| {
        MONTHS.iter().any(|month| part.eq_ignore_ascii_case(month) || part.eq_ignore_ascii_case(&month[..3]))
    };
    let number =
        |part: &str, lengths: &[usize]| lengths.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let (day, year) = ([1, 2], [2, 4]);
    (is_month(b) && ((number(a, &day) && number(c, &year)) || (number(a, &[4]) && number(c, &day))))
        || (is_month(a) && number(b, &day) && number(c, &[4]))
}

/// Returns whether a text begins with a date of three numbers.
fn is_date_of_numbers(text: &str) -> bool {
    let mut parts = Vec::new();
    let mut rest = text;
    while parts.len() < 3 {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        if end == 0 || end > 4 {
            return false;
        }
        parts.push(end);
        let sign = rest[end..].chars().next();
        rest = &rest[end..];
        if parts.len() < 3 {
            if !matches!(sign, Some('-' | '/' | '.')) {
                return false;
            }
            rest = &rest[1..];
        }
    }
    let year_first = parts[0] == 4 && parts[1] <= 2 && parts[2] <= 2;
    let year_last = parts[0] <= 2 && parts[1] <= 2 && matches!(parts[2], 2 | 4);
    (year_first || year_last) && (rest.is_empty() || rest.starts_with([' ', 'T', 't', ',']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_numbers_truth_values_missing_or_text() {
        let plain = |text| cell(text, Style::PLAIN);
        for text in ["", "NaN", "-nan", "NULL", "#N/A", "1.#IND", "<NA>", "-", "?", "None", "."] {
            assert_eq!(plain(text), Cell::Missing, "{text}");
        }
        for (text, value) in [("1", 1.0), ("-0.5", -0.5), ("+2e3", 2000.0), (".5", 0.5), ("5.", 5.0), ("007", 7.0)] {
            assert_eq!(plain(text), Cell::Number(value), "{text}");
        }
        for text in ["inf", "-inf", "1e999", "0x10", "1,5", "a", "1 2", "+", "infinity", "12%"] {
            assert_eq!(plain(text), Cell::Text, "{text}");
        }
        assert_eq!((plain("=\"0.5\""), plain("=\"x\""), plain("=A1")), (Cell::Number(0.5), Cell::Text, Cell::Text));
        assert_eq!((plain("TRUE"), plain("False")), (Cell::Bool(true), Cell::Bool(false)));
    }

    #[test]
    fn short_numbers_are_those_of_the_standard_library() {
        let cases = [
            "0",
            "-0",
            "+0.",
            ".5",
            "-.25",
            "1.",
            "3.1415926535897",
            "123456789012345",
            "0.00000000000001",
            "-9.99999",
            "0.1",
            "2.675",
            "1234567.8901234",
            "000000000000001",
            "99999999999999.9",
        ];
        for text in cases {
            let expected: f64 = text.parse().expect("a number");
            assert_eq!(short(text.as_bytes()).map(f64::to_bits), Some(expected.to_bits()), "{text}");
        }
        for text in ["", "-", ".", "+.", "1e5", "1.2.3", "1234567890123456", "--1", "1-", " 1", "0x1", "inf"] {
            assert_eq!(short(text.as_bytes()), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn numbers_are_those_of_the_standard_library(text in "[-+]?[0-9]{0,12}[.]?[0-9]{0,9}(e-?[0-9]{1,2})?") {
            let last = text.ends_with(|c: char| c.is_ascii_digit() || c == '.');
            let expected = text.parse::<f64>().ok().filter(|&v| last && (v as f32).is_finite());
            assert_eq!(number(&text, Style::PLAIN).map(f64::to_bits), expected.map(f64::to_bits));
        }
    }

    #[test]
    fn decimal_commas_and_groups_are_told_apart() {
        let cases = [
            ("0,25", Some(Spelling::Comma)),
            ("-12,5e-3", Some(Spelling::Comma)),
            ("0,123", Some(Spelling::Comma)),
            ("1.234,5", Some(Spelling::Comma)),
            ("1.234.567", Some(Spelling::Comma)),
            ("1,234", Some(Spelling::Either)),
            ("1,234.5", Some(Spelling::Grouped)),
            ("1,234,567", Some(Spelling::Grouped)),
            ("1 234", Some(Spelling::Grouped)),
            ("1'234.5", Some(Spelling::Grouped)),
            ("1 234,56", Some(Spelling::Comma)),
            ("12,34,5", None),
            ("a,5", None),
            ("1, 2", None),
        ];
        for (text, expected) in cases {
            assert_eq!(spelling(text), expected, "{text}");
        }
        let comma = Style::of_option(Some(","));
        assert_eq!(number("1.234,5", comma), Some(1234.5));
        assert_eq!(number("-0,5e1", comma), Some(-5.0));
        assert_eq!(number("1.5", comma), None);
        assert_eq!(number("1,234,567.25", Style::of_option(Some("."))), Some(1_234_567.25));
    }

    #[test]
    fn points_may_group_thousands() {
        let cases = [("1.100", Some(false)), ("1.234.567", Some(false)), ("0.125", Some(true)), ("1.25", Some(true))];
        for (text, expected) in
            cases.into_iter().chain([("1100", None), ("-12.500", Some(false)), ("1.5e3", Some(true))])
        {
            assert_eq!(spelling_of_point(text), expected, "{text}");
        }
    }

    #[test]
    fn eight_digits_may_be_a_date() {
        assert!(is_compact_date("20240131") && is_compact_date("19991231"));
        for text in ["20241301", "20240132", "2024013", "202401311", "20240131.0", "18990101", "+2024013"] {
            assert!(!is_compact_date(text), "{text}");
        }
    }

    #[test]
    fn dates_have_three_numbers_or_the_name_of_a_month() {
        let named = ["02-Dec-2023", "Dec 2, 2023", "2 December 2023 10:00", "2023-Dec-02", "02-DEC-23"];
        for text in ["2024-01-31", "31.01.2024", "1/31/24 10:00", "2024-01-31T10:00:00Z"].into_iter().chain(named) {
            assert!(is_date(text), "{text}");
        }
        for text in [
            "2024",
            "1.5",
            "1-2",
            "12345-1-1",
            "10:00",
            "1.2.3.4",
            "a-1-2",
            "2-Dez-x",
            "mar 12",
            "decade 1 2000 x",
            "Dec 123, 2023",
        ] {
            assert!(!is_date(text), "{text}");
        }
    }
}
