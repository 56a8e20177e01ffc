//! Numbers on the command line, with messages that say what is expected.

use std::num::{IntErrorKind, ParseIntError};

/// Reads a whole number of type `T` between `least` and `most`, both included.
pub fn between<T: TryFrom<i64>>(
    least: i64,
    most: i64,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static {
    move |text: &str| {
        let expected = || match most {
            i64::MAX => format!("expected a whole number from {least} on"),
            _ => format!("expected a whole number from {least} to {most}"),
        };
        let number: i64 = text.trim().parse().map_err(|e: ParseIntError| match e.kind() {
            IntErrorKind::PosOverflow => too_large(),
            _ => expected(),
        })?;
        if !(least..=most).contains(&number) {
            return Err(expected());
        }
        T::try_from(number).map_err(|_| too_large())
    }
}

fn too_large() -> String {
    "the number is too large".to_owned()
}

/// Reads a whole number from 0 on. The configuration has its own limits, which it names.
pub fn whole<T: TryFrom<i64>>() -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static {
    between(0, i64::MAX)
}

/// Reads a whole number from 1 on.
pub fn positive<T: TryFrom<i64>>() -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static {
    between(1, i64::MAX)
}

/// Reads a finite number.
pub fn decimal(text: &str) -> Result<f64, String> {
    let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| "expected a number such as 0.2".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_out_of_range_are_refused_with_the_range() {
        assert_eq!(between::<u16>(1, 64)("64"), Ok(64));
        assert_eq!(between::<i64>(0, i64::MAX)("0"), Ok(0));
        for wrong in ["0", "65", "-1", "1.5", "many", ""] {
            assert_eq!(between::<u16>(1, 64)(wrong), Err("expected a whole number from 1 to 64".into()), "{wrong}");
        }
        assert_eq!(positive::<u16>()("0"), Err("expected a whole number from 1 on".into()));
        assert_eq!(positive::<u16>()("65536"), Err("the number is too large".into()));
        assert_eq!(whole::<i64>()("99999999999999999999"), Err("the number is too large".into()));
        assert_eq!(decimal("0.25"), Ok(0.25));
        assert!(decimal("nan").is_err() && decimal("x").is_err());
    }
}
