//! Samples that end before the others: beyond its end a sample is NaN, in all channels, at the end of the last axis.
//!
//! Only `data.lengths` mask makes such samples. Networks with a mask leave out what follows the end.

/// Returns the length of a sample along its last axis, which has `width` positions: all that follows is NaN.
pub fn length(sample: &[f32], width: usize) -> usize {
    sample.chunks(width.max(1)).map(line_length).max().unwrap_or(0)
}

/// Returns the length of one channel, or one line of it: all that follows is NaN.
fn line_length(line: &[f32]) -> usize {
    line.iter().rposition(|v| !v.is_nan()).map_or(0, |last| last + 1)
}

/// Returns the first position of a sample that is not finite before its end, and 0 if it has no value at all.
pub fn first_bad(sample: &[f32], width: usize) -> Option<usize> {
    let length = length(sample, width);
    if length == 0 {
        return Some(0);
    }
    let bad = |(i, v): (usize, &f32)| if i % width < length { !v.is_finite() } else { !v.is_nan() };
    sample.iter().enumerate().position(bad)
}

#[cfg(test)]
mod tests {
    use super::{first_bad, length};

    const NAN: f32 = f32::NAN;

    #[test]
    fn the_end_is_that_of_the_longest_line() {
        assert_eq!(length(&[1.0, 2.0, NAN, NAN], 4), 2);
        assert_eq!(length(&[1.0, 2.0, NAN, NAN, 1.0, 2.0, 3.0, NAN], 4), 3);
        assert_eq!(length(&[NAN, NAN], 2), 0);
        assert_eq!(length(&[NAN, 1.0], 2), 2);
        assert_eq!(length(&[], 0), 0);
    }

    #[test]
    fn values_are_known_up_to_the_end_and_not_beyond() {
        assert_eq!(first_bad(&[1.0, 2.0, NAN, 3.0, 4.0, NAN], 3), None);
        assert_eq!(first_bad(&[1.0, NAN, NAN, 3.0, 4.0, NAN], 3), Some(1), "one line is shorter");
        assert_eq!(first_bad(&[1.0, NAN, 2.0], 3), Some(1));
        assert_eq!(first_bad(&[1.0, f32::INFINITY, NAN], 3), Some(1));
        assert_eq!(first_bad(&[NAN, NAN], 2), Some(0), "no value at all");
    }
}
