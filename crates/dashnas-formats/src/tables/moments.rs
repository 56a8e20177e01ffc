//! Weights and times of samples, from the texts of a column.

use crate::tables::number::{Style, is_missing, number};
use crate::text::excerpt;
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime};

/// What is wrong in a column: the row from 0, the reason, and what to do.
pub(crate) type Flaw = (usize, String, &'static str);

/// Reads the weights of samples.
///
/// # Errors
/// The first weight that is missing, no number, or negative.
pub(crate) fn weights(texts: &[String], style: Style) -> Result<Vec<f32>, Flaw> {
    const HINT: &str = "weights are numbers from 0 on; a sample of weight 0 does not count";
    let weight = |(row, text): (usize, &String)| match number(text, style) {
        Some(value) if value >= 0.0 => Ok(value as f32),
        Some(_) => Err((row, format!("the weight is negative: `{}`", excerpt(text)), HINT)),
        None if is_missing(text) => Err((row, "the weight is missing".to_owned(), HINT)),
        None => Err((row, format!("the weight `{}` is not a number", excerpt(text)), HINT)),
    };
    texts.iter().enumerate().map(weight).collect()
}

/// Dates, without and with the time of day.
const DATES: [&str; 22] = [
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d.%m.%Y",
    "%d.%m.%y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d-%m-%y",
    "%m-%d-%y",
    // Names of months, in full or of three letters, in any case.
    "%d-%B-%Y",
    "%d-%B-%y",
    "%d/%B/%Y",
    "%d %B %Y",
    "%d. %B %Y",
    "%B %d, %Y",
    "%B %d %Y",
    "%Y-%B-%d",
    "%Y %B %d",
];
/// What may follow a date.
const CLOCKS: [&str; 10] = [
    "",
    " %H:%M:%S%.f",
    "T%H:%M:%S%.f",
    " %H:%M",
    "T%H:%M",
    ", %H:%M:%S%.f",
    " %I:%M:%S %p",
    " %I:%M %p",
    "T%H:%M:%S%.fZ",
    " %H:%M:%S%.f UTC",
];
/// Dates and times with the distance from Greenwich, which cannot be left out.
const ZONED: [&str; 4] =
    ["%Y-%m-%dT%H:%M:%S%.f%:z", "%Y-%m-%d %H:%M:%S%.f%:z", "%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f %z"];

/// Times of day, without a date.
const OF_DAY: [&str; 3] = ["%H:%M:%S%.f", "%H:%M", "%I:%M:%S %p"];

/// Reads times, all written in one way: numbers, dates with or without the time of day, or times of day. The result is in
/// seconds since 1970 for dates, and since midnight for times of day.
///
/// # Errors
/// The first time that is missing or not written as the others are, or dates whose day and month cannot be told apart.
pub(crate) fn times(texts: &[String], style: Style) -> Result<Vec<f64>, Flaw> {
    const HINT: &str = "write all times in one way, as numbers or as 2024-01-31 12:00:00";
    if let Some(row) = texts.iter().position(|text| is_missing(text)) {
        return Err((row, "the time is missing".to_owned(), HINT));
    }
    let found = readings(texts, style);
    match &found[..] {
        [] => {
            let alone = |text: &String| readings(std::slice::from_ref(text), style).is_empty();
            let row = texts.iter().position(alone).unwrap_or(0);
            Err((
                row,
                format!("`{}` is not a time, or is written in another way than the others", excerpt(&texts[row])),
                HINT,
            ))
        }
        [one, others @ ..] if others.iter().all(|other| same_order(one, other)) => Ok(one.clone()),
        _ => {
            Err((0, format!("it is not clear which is the day and which the month in `{}`", excerpt(&texts[0])), HINT))
        }
    }
}

/// The times in every way in which all of the texts can be read; numbers can be read in one way only.
fn readings(texts: &[String], style: Style) -> Vec<Vec<f64>> {
    let Some(first) = texts.first() else { return vec![Vec::new()] };
    let read_all = |read: &dyn Fn(&str) -> Option<f64>| texts.iter().map(|text| read(text)).collect::<Option<Vec<_>>>();
    if let Some(times) = read_all(&|text| number(text, style)) {
        return vec![times];
    }
    let mut found: Vec<Vec<f64>> = Vec::new();
    for form in ZONED {
        let read = |text: &str| DateTime::parse_from_str(text, form).ok().map(|t| seconds(t.naive_utc()));
        found.extend(read(first).and_then(|_| read_all(&read)));
    }
    for form in OF_DAY {
        let midnight = NaiveDate::default().and_time(NaiveTime::MIN);
        let of_day = |time| seconds(NaiveDate::default().and_time(time)) - seconds(midnight);
        let read = |text: &str| NaiveTime::parse_from_str(text, form).ok().map(of_day);
        found.extend(read(first).and_then(|_| read_all(&read)));
    }
    for date in DATES {
        for clock in CLOCKS {
            let form = format!("{date}{clock}");
            let read = |text: &str| match clock {
                "" => whole(NaiveDate::parse_from_str(text, &form).ok()?.and_hms_opt(0, 0, 0)?),
                _ => whole(NaiveDateTime::parse_from_str(text, &form).ok()?),
            };
            // The first text rules out most forms.
            found.extend(read(first).and_then(|_| read_all(&read)));
        }
    }
    found
}

/// The seconds of a time whose year is written in full: the library takes the year 24 for one.
fn whole(time: NaiveDateTime) -> Option<f64> {
    (time.year() >= 1000).then(|| seconds(time))
}

fn seconds(time: NaiveDateTime) -> f64 {
    let time = time.and_utc();
    time.timestamp() as f64 + f64::from(time.timestamp_subsec_nanos()) * 1e-9
}

/// Whether two readings of the same times put them into the same order.
fn same_order(a: &[f64], b: &[f64]) -> bool {
    let mut order: Vec<usize> = (0..a.len().min(b.len())).collect();
    order.sort_by(|&i, &j| a[i].total_cmp(&a[j]).then(b[i].total_cmp(&b[j])));
    order.windows(2).all(|w| a[w[0]].total_cmp(&a[w[1]]) == b[w[0]].total_cmp(&b[w[1]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(texts: &[&str]) -> Result<Vec<f64>, Flaw> {
        times(&texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>(), Style::PLAIN)
    }

    #[test]
    fn times_are_numbers_or_dates_in_one_form() {
        let rising: &[&[&str]] = &[
            &["0.5", "1", "2e3"],
            &["1700000000123456789", "1700000001123456789"],
            &["2023-12-31", "2024-01-01", "2024-02-29"],
            &["31.12.2023 23:59", "01.01.2024 00:00"],
            &["2024-01-31T10:00:00Z", "2024-01-31T10:00:00.5Z"],
            &["2024-01-31T10:00:00+02:00", "2024-01-31T09:00:00+00:00"],
            &["12/13/2023 11:00 PM", "01/02/2024 01:00 AM"],
            &["13/01/24", "14/01/24"],
            &["2024/01/31 10:00:00", "2024/01/31 10:00:01"],
            &["31-Dec-2023", "01-JAN-2024", "1-february-2024"],
            &["Dec 2, 2023", "Dec 10, 2023", "January 3, 2024"],
            &["2 Dec 2023 10:00", "2 Dec 2023 10:01"],
            &["02-Dec-23", "03-Dec-23"],
        ];
        for texts in rising {
            let found = of(texts).unwrap();
            assert!(found.windows(2).all(|w| w[0] < w[1]), "{texts:?} {found:?}");
        }
        let refused: &[(&[&str], usize, &str)] = &[
            (&["1", "", "3"], 1, "missing"),
            (&["2024-01-31", "soon"], 1, "not a time"),
            (&["02-Dec-2023", "02-Dez-2023"], 1, "not a time"),
            (&["01/02/2024", "02/01/2024"], 0, "the day and which the month"),
            (&["1", "NaN"], 1, "missing"),
        ];
        for (texts, row, reason) in refused {
            let (at, why, _) = of(texts).unwrap_err();
            assert!(at == *row && why.contains(reason), "{texts:?} {at} {why}");
        }
        // In whatever order they are read, these are in the same order.
        assert!(of(&["01/01/2024", "02/02/2024"]).is_ok());
    }

    #[test]
    fn dates_are_seconds() {
        let cases = [
            ("1970-01-02", 86_400.0),
            ("1970-01-01T00:00:01.5", 1.5),
            ("1970-01-01 00:01", 60.0),
            ("1970-01-01T01:00:00+01:00", 0.0),
            ("1970-01-01 01:00:02+01:00", 2.0),
            ("00:00:10.25", 10.25),
            ("01:02", 3720.0),
        ];
        for (text, expected) in cases {
            assert_eq!(of(&[text]).unwrap(), [expected], "{text}");
        }
        for text in ["yesterday", ""] {
            assert!(of(&[text]).is_err(), "{text}");
        }
    }

    #[test]
    fn weights_are_numbers_from_zero() {
        let of = |texts: &[&str]| weights(&texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>(), Style::PLAIN);
        assert_eq!(of(&["1", "0", "2.5"]).unwrap(), [1.0, 0.0, 2.5]);
        for (texts, row, reason) in [
            (["1", "-1"], 1, "negative"),
            (["1", ""], 1, "missing"),
            (["inf", "1"], 0, "not a number"),
            (["1", "nan"], 1, "missing"),
        ] {
            let (at, why, _) = of(&texts).unwrap_err();
            assert!(at == row && why.contains(reason), "{texts:?} {at} {why}");
        }
    }
}
