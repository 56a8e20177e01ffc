//! Whether the level of a channel differs more between groups of samples, such as persons or recordings, than the channel
//! varies within one. A network can then tell the groups apart by it, which does not help on new ones.

use crate::dataset::Dataset;
use crate::groups::Groups;
use dashnas_core::math::mean_and_deviation;
use dashnas_core::text::short;
use dashnas_formats::array::Array;
use dashnas_formats::called::Called;
use dashnas_formats::error::DataError;

/// Fewest groups whose levels are compared.
const FEWEST: usize = 4;
/// Shortest series that have a level.
const SHORTEST: usize = 16;
/// Most samples that are looked at.
const SAMPLES: usize = 4096;
/// Most channels that are named.
const NAMED: usize = 3;

/// The number, the sum and the sum of squares of some values.
#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    n: f64,
    sum: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, value: f64) {
        self.n += 1.0;
        self.sum += value;
        self.squares += value * value;
    }

    fn mean(self) -> f64 {
        self.sum / self.n
    }

    /// The sum of the squared differences to the mean.
    fn spread(self) -> f64 {
        (self.squares - self.sum * self.sum / self.n).max(0.0)
    }
}

/// The levels of a channel: the standard deviation of its means over groups, and that of its values within a group.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Levels {
    between: f64,
    within: f64,
}

/// The levels of every channel of series whose samples belong to groups; `None` if there are too few groups.
fn levels(x: &Array, of: &[u32]) -> Result<Option<Vec<Levels>>, DataError> {
    let (rows, channels) = (x.rows().min(of.len()), x.shape[1]);
    let groups = of.iter().max().map_or(0, |&most| most as usize + 1);
    if groups < FEWEST {
        return Ok(None);
    }
    let mut seen = vec![vec![Moments::default(); groups]; channels];
    // Sums of squares are of differences to the first sample, so that large levels leave digits for what varies.
    let origin: Vec<f64> = {
        let first = x.fetch(0)?;
        first.chunks(x.shape[2].max(1)).map(|channel| channel.first().map_or(0.0, |&v| f64::from(v))).collect()
    };
    for i in (0..rows).step_by(rows.div_ceil(SAMPLES).max(1)) {
        let row = x.fetch(i)?;
        for ((values, groups), origin) in row.chunks(x.shape[2].max(1)).zip(&mut seen).zip(&origin) {
            let moments = &mut groups[of[i] as usize];
            values.iter().filter(|v| v.is_finite()).for_each(|&v| moments.add(f64::from(v) - origin));
        }
    }
    let of_channel = |groups: Vec<Moments>| {
        let groups: Vec<Moments> = groups.into_iter().filter(|moments| moments.n > 1.0).collect();
        let means: Vec<f64> = groups.iter().map(|moments| moments.mean()).collect();
        let n: f64 = groups.iter().map(|moments| moments.n).sum();
        let spread: f64 = groups.iter().map(|moments| moments.spread()).sum();
        let between =
            mean_and_deviation(&means).filter(|_| means.len() >= FEWEST).map_or(0.0, |(_, deviation)| deviation);
        Levels { between, within: (spread / n.max(1.0)).sqrt() }
    };
    Ok(Some(seen.into_iter().map(of_channel).collect()))
}

/// Warns of series whose channels differ more between the groups of the training samples than they vary within one.
///
/// # Errors
/// [`DataError::Gone`] if the inputs are in a file that can no longer be read.
pub(crate) fn warning(data: &Dataset) -> Result<Option<String>, DataError> {
    let x = &data.train.x;
    let Some(Groups { are, train: Some(of), blocks: 0, .. }) = &data.groups else { return Ok(None) };
    // A table of features may be one channel of many columns, which have no common level.
    let table = data.reading.window.is_none() && !data.origin.columns.is_empty() && x.shape[1] == 1;
    let [_, _, length] = x.shape[..] else { return Ok(None) };
    if length < SHORTEST || table || data.task.is_dense() {
        return Ok(None);
    }
    let Some(levels) = levels(x, of)? else { return Ok(None) };
    let mut far: Vec<(usize, Levels)> = levels
        .into_iter()
        .enumerate()
        .filter(|(_, found)| found.between > found.within && found.within > 0.0)
        .collect();
    far.sort_by(|a, b| (b.1.between / b.1.within).total_cmp(&(a.1.between / a.1.within)));
    if far.is_empty() {
        return Ok(None);
    }
    let called = Called::channels(&data.reading, data.channels());
    let of_channel = |&(i, Levels { between, within }): &(usize, Levels)| {
        format!("{}, by {} between them and {} within one", called.one(i), short(between), short(within))
    };
    let more = if far.len() > NAMED { format!("; and {} more", far.len() - NAMED) } else { String::new() };
    let channels = far.iter().take(NAMED).map(of_channel).collect::<Vec<_>>().join("; ");
    Ok(Some(format!(
        "{noun}s differ more in the level of a channel than the channel varies within one {noun}: {channels}{more}, as \
         standard deviations; a network may learn to tell the {noun}s apart by it, and be wrong about new ones: if the level says \
         nothing about the targets, as the tilt of a sensor does not, set `task.transforms` to standardize-samples, which removes \
         it from every sample",
        noun = are.noun(),
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::groups::GroupKind;
    use crate::preprocess;
    use crate::split::Split;
    use crate::targets::Targets;
    use crate::transform::kind::Transform;
    use dashnas_core::rng::Seed;
    use dashnas_core::task::TaskKind;
    use rand::RngExt;

    /// Samples of two channels of 32 values with deviation 1; the second has another level in each of some groups.
    fn set(groups: usize, far: f32) -> Dataset {
        let mut random = Seed(1).stream("levels", &[]);
        let n = 10 * groups;
        let mut data = Vec::new();
        for i in 0..n {
            let level = far * [-1.5f32, -0.5, 0.5, 1.5][i / 10 % 4];
            data.extend((0..32).map(|_| 3.46 * (random.random::<f32>() - 0.5)));
            data.extend((0..32).map(|_| 1e4 + level + 3.46 * (random.random::<f32>() - 0.5)));
        }
        let split = |n: usize, data: Vec<f32>| Split {
            x: Array::new(vec![n, 2, 32], data),
            y: Targets::Classes((0..n as u32).map(|i| i % 2).collect()),
        };
        let test = split(2, data[..128].to_vec());
        let kind = TaskKind::Classification { classes: 2 };
        let mut set = Dataset::new("s", kind, split(n, data), None, test).expect("valid");
        let names: Vec<String> = (0..n).map(|i| (i / 10).to_string()).collect();
        set.groups = Some(Groups::new(GroupKind::Recordings, [Some(&names), None, None]));
        set
    }

    #[test]
    fn groups_that_differ_in_level_are_said_unless_the_level_is_removed() {
        let text = warning(&set(8, 4.0)).expect("in memory").expect("the levels differ");
        // The deviation of -6, -2, 2 and 6, twice, is 4.78.
        assert!(text.contains("channel 1, by 4.7") || text.contains("channel 1, by 4.8"), "{text}");
        assert!(text.contains("and 0.99") || text.contains("and 1.00"), "{text}");
        assert!(!text.contains("channel 0"), "{text}");
        let transforms = [Transform::StandardizeSamples];
        let standardized = preprocess::apply(set(8, 4.0), None, &transforms).expect("it applies");
        assert_eq!(standardized.origin.warnings, Vec::<String>::new());
        let kept = preprocess::apply(set(8, 4.0), None, &[]).expect("nothing to apply");
        assert_eq!(kept.origin.warnings, [text]);
        // Levels that are alike, and too few groups.
        assert_eq!(warning(&set(8, 0.2)).expect("in memory"), None);
        assert_eq!(warning(&set(3, 4.0)).expect("in memory"), None);
    }
}
