//! Numbers, durations and plurals as text for people.

/// A duration in its two largest units: `1 h 2 min`, `3 min 4 s`, `5.6 s`.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..60 => format!("{seconds:.1} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// A number with narrow spaces between the thousands.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// The date and time of a number of seconds since 1970, as `2026-01-31 12:34 UTC`.
pub fn utc(seconds: u64) -> String {
    let (mut days, rest) = (seconds / 86400, seconds % 86400);
    let leap = |y: u64| y.is_multiple_of(4) && (!y.is_multiple_of(100) || y.is_multiple_of(400));
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let mut month = 0;
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    format!("{year}-{:02}-{:02} {:02}:{:02} UTC", month + 1, days + 1, rest / 3600, rest % 3600 / 60)
}

/// A number with all its digits if it is whole, and otherwise the shortest text that reads back as the same number. The
/// shortest text of a large whole number may name another one: that of 2⁶⁰ ends in 000.
pub fn exact(v: f64) -> String {
    if v.fract() == 0.0 && v.abs() < 1e30 { format!("{v:.0}") } else { v.to_string() }
}

/// A number in few characters, for axes and tables.
pub fn short(v: f64) -> String {
    let size = v.abs();
    if size == 0.0 {
        return "0".into();
    }
    if !(1e-4..1e6).contains(&size) {
        return format!("{v:.1e}").replace(".0e", "e").replace('-', "−");
    }
    // Four significant digits, without zeros at the end.
    let decimals = (3 - size.log10().floor() as i32).max(0) as usize;
    let text = format!("{v:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    text.replace('-', "−")
}

/// A number with its noun: `1 sample`, `3 samples`.
pub fn plural(n: usize, noun: &str) -> String {
    plural_of(n, noun, &format!("{noun}s"))
}

/// A number with its noun, whose plural is irregular: `1 class`, `3 classes`.
pub fn plural_of(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// Bytes in MiB, rounded up, so that a limit of the printed size is enough.
pub fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1 << 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_have_all_their_digits() {
        let texts = [2f64.powi(40), -(2f64.powi(60)), 0.1, 3.0, 1e300].map(exact);
        assert_eq!(texts[..4], ["1099511627776", "-1152921504606846976", "0.1", "3"]);
        assert_eq!(texts[4].parse(), Ok(1e300));
    }

    #[test]
    fn nouns_follow_their_number() {
        assert_eq!([0, 1, 2].map(|n| plural(n, "sample")), ["0 samples", "1 sample", "2 samples"]);
        assert_eq!([1, 2].map(|n| plural_of(n, "class", "classes")), ["1 class", "2 classes"]);
    }
}
