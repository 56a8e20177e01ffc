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
        format!(
            "The race estimates a probability of {} that the chosen network is better than the plain network{random}. This is \
             no test result: the estimate weighs short trials on {} together with what kernels did on other data sets{}.",
            percent(than_plain),
            plural(sure.held_out, "held-out sample"),
            sure.expected.map_or(String::new(), |p| format!(" (from these alone it would be {})", percent(p)))
        )
    };
    if let Some((other, lowest, own)) = sure.ahead {
        text += &format!(
            " In the last round, network {} had a lower loss ({} instead of {}), which decides less than all rounds and \
             other data sets together.",
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
            "other data sets (from these alone it would be 70 %)",
            "no test result",
            "network 4 had a lower loss (0.3 instead of 0.35)",
        ];
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
        assert!(first_sentence(&text).ends_with("random network of the space)."), "{text}");
        assert_eq!(first_sentence("One."), "One.");
        let close = conclusion(&Sure { better_than_plain: Some(0.55), ahead: None, ..sure });
        assert!(close.starts_with("The search makes no difference") && !close.contains("lower loss"), "{close}");
        assert!(conclusion(&Sure { untried: true, ..sure }).starts_with("No networks could be compared"));
        assert!(conclusion(&Sure { better_than_plain: None, ..sure }).contains("was not compared"));
    }
}
