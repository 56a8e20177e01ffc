//! How sure the choice of a race is, as sentences.

use crate::record::race::told_apart;
use dashnas_core::text::{plural, short};

/// What the conclusion of a race follows from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sure {
    /// Whether no two networks could be compared.
    pub untried: bool,
    /// Whether the plain network was chosen.
    pub plain_chosen: bool,
    /// The probability that the chosen network is better than the plain one, if they were compared.
    pub better_than_plain: Option<f64>,
    /// The same probability by other data sets alone, before any trial.
    pub expected: Option<f64>,
    /// The probability that it is better than a random one.
    pub better_than_random: f64,
    /// The number of held-out samples that score a trial.
    pub held_out: usize,
    /// The contestant with a lower loss than the chosen one in its last round: its number, its loss and that of the chosen
    /// one.
    pub ahead: Option<(usize, f64, f64)>,
}

/// The first sentence of a conclusion, which says the most.
pub(crate) fn first_sentence(conclusion: &str) -> &str {
    conclusion.split_once(". ").map_or(conclusion, |(first, _)| &conclusion[..=first.len()])
}

/// How sure the choice is.
pub(crate) fn conclusion(sure: &Sure) -> String {
    let percent = |p: f64| if p > 0.99 { "more than 99 %".to_owned() } else { format!("{:.0} %", 100.0 * p) };
    if sure.untried {
        return "No networks could be compared: the kernels are those that did best on other data sets.".to_owned();
    }
    if sure.plain_chosen {
        return "The search found no kernels that are better than those of the plain network on this data.".to_owned();
    }
    let Some(than_plain) = sure.better_than_plain else {
        return "The chosen network was not compared with the plain network.".to_owned();
    };
    let mut text = if !told_apart(than_plain) {
        "The search makes no difference on this data: the chosen network cannot be told from the plain network."
            .to_owned()
    } else {
        let random = if told_apart(sure.better_than_random) {
            format!(
                " (and of {} that it is better than a random network of the space)",
                percent(sure.better_than_random)
            )
        } else {
            String::new()
        };
        let held_out = plural(sure.held_out, "held-out sample");
        let weighed = match sure.expected {
            Some(expected) if (expected - than_plain).abs() < 0.005 => format!(
                "This is no test result, and it does not come from this data: other data sets alone give the same probability, \
                 which the short trials on {held_out} did not change."
            ),
            Some(expected) => format!(
                "This is no test result: the estimate weighs short trials on {held_out} together with what kernels did on other \
                 data sets, which alone would give {}.",
                percent(expected)
            ),
            None => format!("This is no test result: the estimate is from short trials on {held_out}."),
        };
        format!(
            "The race estimates a probability of {} that the chosen network is better than the plain network{random}. {weighed}",
            percent(than_plain)
        )
    };
    if let Some((other, lowest, own)) = sure.ahead {
        text += &format!(
            " In the last round, another network (number {}) had a lower loss than the chosen one ({} instead of {}); all rounds \
             and other data sets together count for more.",
            other + 1,
            short(lowest),
            short(own)
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_computed_is_said_and_that_the_table_may_differ() {
        let sure = Sure {
            untried: false,
            plain_chosen: false,
            better_than_plain: Some(0.92),
            expected: Some(0.7),
            better_than_random: 0.8,
            held_out: 48,
            ahead: Some((3, 0.3, 0.35)),
        };
        let text = conclusion(&sure);
        let parts = [
            "a probability of 92 % that the chosen network is better than the plain network (and of 80 % that",
            "random network of the space). This",
            "48 held-out samples",
            "other data sets, which alone would give 70 %",
            "no test result",
            "another network (number 4) had a lower loss than the chosen one (0.3 instead of 0.35)",
        ];
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
        assert!(first_sentence(&text).ends_with("random network of the space)."), "{text}");
        assert_eq!(first_sentence("One."), "One.");
        let same = conclusion(&Sure { expected: Some(0.921), ..sure });
        assert!(same.contains("does not come from this data") && !same.contains("weighs"), "{same}");
        let close = conclusion(&Sure { better_than_plain: Some(0.55), ahead: None, ..sure });
        assert!(close.starts_with("The search makes no difference") && !close.contains("lower loss"), "{close}");
        assert!(conclusion(&Sure { untried: true, ..sure }).starts_with("No networks could be compared"));
        assert!(conclusion(&Sure { better_than_plain: None, ..sure }).contains("was not compared"));
    }
}
