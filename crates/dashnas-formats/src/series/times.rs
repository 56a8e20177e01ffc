//! Time stamps of series, which must be at equal steps.

/// The part of a step by which a time may differ from its place.
const TOLERANCE: f64 = 0.02;

/// The time steps of the channels of a file.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    /// The step of each channel, in the first series that has one.
    of_channels: Vec<Option<f64>>,
}

impl Steps {
    /// Checks that times are at equal steps, the same in all series.
    ///
    /// # Errors
    /// The index of the first time that is not, and the reason.
    pub fn check(&mut self, channel: usize, times: &[f64]) -> Result<(), (usize, String)> {
        let (&[first, second, ..], Some(&last)) = (times, times.last()) else { return Ok(()) };
        let step = (last - first) / (times.len() - 1) as f64;
        let place = |i: usize| first + step * i as f64;
        let unequal = (0..times.len()).find(|&i| (times[i] - place(i)).abs() > TOLERANCE * step.abs());
        if step <= 0.0 || unequal.is_some() {
            // The step between the first two times is the one that the others are compared with.
            let expected = second - first;
            let gap = |i: &usize| (times[*i] - times[i - 1] - expected).abs() > TOLERANCE * expected.abs();
            let at = (1..times.len()).find(gap).or(unequal).unwrap_or(1);
            let reason = format!(
                "the time stamps are not at equal steps: this one comes {} after the one before, the first step is \
                 {expected}",
                times[at] - times[at.max(1) - 1]
            );
            return Err((at, reason));
        }
        if self.of_channels.len() <= channel {
            self.of_channels.resize(channel + 1, None);
        }
        let known = *self.of_channels[channel].get_or_insert(step);
        if (known - step).abs() > TOLERANCE * known {
            return Err((1, format!("the time step is {step}, but {known} in the first series of this channel")));
        }
        Ok(())
    }

    /// The note about the steps, if there were time stamps.
    pub fn note(&self) -> Option<String> {
        let step = self.of_channels.iter().flatten().next()?;
        Some(format!("the time stamps are at equal steps of {step} and were left out"))
    }
}

/// Parses a time in seconds (or in the unit of a plain number): a number, or a date with or without a time of day.
pub(crate) fn seconds(text: &str) -> Option<f64> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        return Some(number).filter(|v| v.is_finite());
    }
    let (date, time) = text.split_once([' ', 'T']).unwrap_or((text, ""));
    let mut parts = date.split(['-', '/']);
    let mut next = || parts.next()?.parse::<i64>().ok();
    let (year, month, day) = (next()?, next()?, next()?);
    let plain = parts.next().is_none() && (1000..=9999).contains(&year);
    if !plain || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let mut of_day = 0.0;
    for (part, unit) in time.trim_end_matches('Z').split(':').filter(|p| !p.is_empty()).zip([3600.0, 60.0, 1.0]) {
        of_day += part.trim().parse::<f64>().ok().filter(|v| (0.0..=60.0).contains(v))? * unit;
    }
    Some(days(year, month, day) as f64 * 86_400.0 + of_day)
}

/// The days from 1970-01-01 to a date of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that the leap day is the last.
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_seconds() {
        let known = [
            ("1970-01-01", 0.0),
            ("2000-02-29 00:00:01", 951_782_401.0),
            ("2013-03-01T12:30", 1_362_141_000.0),
            ("2024/01/01 00:00:00.5", 1_704_067_200.5),
            ("17.5", 17.5),
        ];
        for (text, expected) in known {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
        for text in ["", "yesterday", "2013-13-01", "2013-03", "01.03.2013", "2013-03-01 ab:00", "inf"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn steps_are_equal_or_refused_with_the_place() {
        let mut steps = Steps::default();
        assert_eq!(steps.check(0, &[0.0, 1.0, 2.001, 3.0]), Ok(()));
        assert_eq!(steps.check(0, &[5.0]), Ok(()));
        assert_eq!(steps.check(0, &[0.0, 1.0, 2.0, 4.0]).unwrap_err().0, 3);
        assert_eq!(steps.check(0, &[0.0, 2.0, 4.0]).unwrap_err().0, 1);
        assert!(steps.check(1, &[3.0, 2.0, 1.0]).is_err());
        assert!(steps.check(1, &[1.0, 1.0, 1.0]).is_err());
    }
}
