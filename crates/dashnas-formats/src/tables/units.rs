//! The units of times in columns of numbers.

/// A unit of time.
#[derive(Debug, PartialEq)]
pub(crate) struct Unit {
    /// The words for it, lowercase; the first is its symbol.
    words: &'static [&'static str],
    /// Its name in the plural.
    pub called: &'static str,
    /// How many of it are a second.
    pub per_second: f64,
}

/// Every unit.
const UNITS: [Unit; 6] = [
    Unit { words: &["s", "sec", "secs", "second", "seconds"], called: "seconds", per_second: 1.0 },
    Unit { words: &["ms", "msec", "millis", "milliseconds"], called: "milliseconds", per_second: 1e3 },
    // The sign is the micro sign or the Greek letter.
    Unit { words: &["us", "µs", "μs", "usec", "micros", "microseconds"], called: "microseconds", per_second: 1e6 },
    Unit { words: &["ns", "nanos", "nanoseconds"], called: "nanoseconds", per_second: 1e9 },
    Unit { words: &["min", "minutes"], called: "minutes", per_second: 1.0 / 60.0 },
    Unit { words: &["h", "hours"], called: "hours", per_second: 1.0 / 3600.0 },
];

/// The Unix time of the year 2100 in seconds, after which no measurement was made.
pub(crate) const LAST: f64 = 4_102_444_800.0;

/// The symbols of the units, for messages.
pub(crate) const SYMBOLS: &str = "s, ms, us, ns, min or h";

/// The unit that a word names.
pub(crate) fn named(word: &str) -> Option<&'static Unit> {
    let word = word.trim().to_lowercase();
    UNITS.iter().find(|unit| unit.words.contains(&word.as_str()))
}

/// Divides the name of a column that ends in a unit, as `time_ms` and `Time (ms)` do, into what comes before the unit, and
/// the unit.
pub(crate) fn of_name(name: &str) -> Option<(&str, &'static Unit)> {
    const SIGNS: [char; 10] = ['_', ' ', '(', '[', ')', ']', '-', '.', '/', ':'];
    let name = name.trim().trim_end_matches([')', ']']);
    let (rest, word) = name.rsplit_once(SIGNS).unwrap_or(("", name));
    Some((rest.trim_end_matches(SIGNS), named(word)?))
}

/// The unit of Unix times between the years 2000 and 2100, if all numbers between two can be such times.
pub(crate) fn unix(min: f64, max: f64) -> Option<&'static Unit> {
    const FIRST: f64 = 946_684_800.0;
    UNITS[..4].iter().find(|unit| min >= FIRST * unit.per_second && max <= LAST * unit.per_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_follow_from_names_and_sizes() {
        let cases = [
            ("t", None),
            ("time_ms", Some(("time", "milliseconds"))),
            ("Time (us)", Some(("Time", "microseconds"))),
            ("time [s]", Some(("time", "seconds"))),
            ("Time - h", Some(("Time", "hours"))),
            ("seconds", Some(("", "seconds"))),
            ("items", None),
        ];
        for (name, expected) in cases {
            assert_eq!(of_name(name).map(|(rest, unit)| (rest, unit.called)), expected, "{name}");
        }
        let cases =
            [(0.0, 10.0, None), (1.7e9, 1.8e9, Some(1.0)), (1.7e12, 1.8e12, Some(1e3)), (1.7e18, 1.8e18, Some(1e9))];
        for (min, max, expected) in cases {
            assert_eq!(unix(min, max).map(|unit| unit.per_second), expected, "{min}");
        }
    }
}
