//! Series of unequal lengths among named arrays, as NumPy keeps them in arrays of objects.

use crate::array::Array;
use crate::error::{DataError, Location};
use crate::found::UnassembledData;
use crate::layout::channels_first;
use crate::options::{Layout, ReadOptions};
use crate::role::Role;
use crate::series::values::{Series, common_length, cut_warning, filled_notes, lengths_note, pack};
use dashnas_core::text::plural;
use std::path::Path;
use std::sync::Arc;

/// Series of unequal lengths: all of one axis, or all of two axes of which one has the same size in all of them, which are
/// the channels.
#[derive(Debug, Clone)]
pub struct Ragged {
    samples: Arc<[Array]>,
    /// The number of channels; `None` for series of one axis.
    channels: Option<usize>,
    /// Whether the first axis of the samples is the time.
    time_first: bool,
}

/// The inputs of a split as they are in a file.
pub(crate) enum Loaded {
    /// An array of numbers.
    Dense(Array),
    /// Series of unequal lengths.
    Ragged(Ragged),
}

impl Ragged {
    /// Returns the series in these arrays of numbers; `None` if they are none, or if all have one shape.
    pub(crate) fn new(samples: Vec<Array>) -> Option<Self> {
        let first = samples.first()?.shape.clone();
        let same = |axis: usize| samples.iter().all(|sample| sample.shape[axis] == first[axis]);
        let alike = samples.iter().all(|sample| sample.shape.len() == first.len());
        let (channels, time_first) = match first[..] {
            _ if !alike => return None,
            [_] if !same(0) => (None, false),
            [rows, _] if same(0) && !same(1) => (Some(rows), false),
            [_, columns] if same(1) && !same(0) => (Some(columns), true),
            _ => return None,
        };
        Some(Self { samples: samples.into(), channels, time_first })
    }

    /// The shape of an array that holds the series, filled up to the longest, and the range of their lengths.
    pub(crate) fn shape(&self) -> (Vec<usize>, [usize; 2]) {
        let lengths = || self.samples.iter().map(|sample| sample.shape[self.time_axis()]);
        let (least, most) = (lengths().min().unwrap_or(0), lengths().max().unwrap_or(0));
        let mut shape = vec![self.samples.len()];
        match (self.channels, self.time_first) {
            (None, _) => shape.push(most),
            (Some(channels), true) => shape.extend([most, channels]),
            (Some(channels), false) => shape.extend([channels, most]),
        }
        (shape, [least, most])
    }

    fn time_axis(&self) -> usize {
        usize::from(self.channels.is_some() && !self.time_first)
    }

    /// The array of a split in which all samples have one length, as series like these; `None` if it has other axes.
    fn of_dense(&self, array: &Array) -> Option<Self> {
        let samples: Vec<Array> = match (&array.shape[..], self.channels) {
            ([_, length], None) => rows(array, &[*length]),
            ([_, rows_of, columns], Some(channels)) if [*rows_of, *columns][1 - self.time_axis()] == channels => {
                rows(array, &[*rows_of, *columns])
            }
            _ => return None,
        };
        Some(Self { samples: samples.into(), ..self.clone() })
    }

    /// The series of equal lengths in an array `[N, L]`, `[N, C, L]` or, as the layout says, `[N, L, C]`; `None` if it has
    /// other axes.
    fn of_equal(array: &Array, layout: Option<Layout>) -> Option<Self> {
        let time_first = layout == Some(Layout::ChannelsLast);
        let (samples, channels, time_first) = match array.shape[..] {
            [_, length] => (rows(array, &[length]), None, false),
            [_, first, last] => (rows(array, &[first, last]), Some(if time_first { last } else { first }), time_first),
            _ => return None,
        };
        Some(Self { samples: samples.into(), channels, time_first })
    }

    /// The series with their channels.
    fn series(&self, path: &Path) -> Vec<Series> {
        let channels = |sample: &Array| match (self.channels, self.time_first) {
            (None, _) => vec![sample.data.clone()],
            (Some(channels), true) => {
                (0..channels).map(|c| sample.data.iter().skip(c).step_by(channels.max(1)).copied().collect()).collect()
            }
            (Some(_), false) => sample.data.chunks(sample.shape[1].max(1)).map(<[f32]>::to_vec).collect(),
        };
        let series = |sample| Series { channels: channels(sample), path: path.into(), line: 0, first_column: 1 };
        self.samples.iter().map(series).collect()
    }

    /// Refuses samples without values, and missing values unless they are filled.
    fn check(&self, path: &Path, name: &str, options: &ReadOptions) -> Result<(), DataError> {
        let refuse =
            |reason: String, hint: &str| Err(DataError::at(path, Location::Entry(name.into()), reason).with_hint(hint));
        for (i, sample) in self.samples.iter().enumerate() {
            if sample.data.is_empty() {
                return refuse(format!("sample {i} (from 0) has no values"), "remove samples without values");
            }
            if options.fill_missing.is_none()
                && let Some(at) = sample.data.iter().position(|v| v.is_nan())
            {
                let index = sample.unravel(at);
                return refuse(
                    format!("the value at {index:?} of sample {i} (from 0) is missing"),
                    "fill missing values with `data.fill-missing` (linear, zero or mean), or drop these samples",
                );
            }
        }
        Ok(())
    }
}

/// The rows of an array as arrays of a shape.
fn rows(array: &Array, shape: &[usize]) -> Vec<Array> {
    (0..array.rows()).map(|i| Array::new(shape.to_vec(), array.row(i).to_vec())).collect()
}

/// Takes arrays of objects of equal lengths for series, which are brought to a length that is given as those of unequal
/// lengths are: what a sample becomes must not depend on the other samples. Returns whether there are some.
pub(crate) fn take_equal(
    found: &mut [(Role, String, Loaded)],
    holds_objects: impl Fn(&str) -> bool,
    layout: Option<Layout>,
) -> bool {
    let mut any = false;
    for (_, name, loaded) in found {
        if let Loaded::Dense(array) = loaded
            && holds_objects(name)
            && let Some(series) = Ragged::of_equal(array, layout)
        {
            any = true;
            *loaded = Loaded::Ragged(series);
        }
    }
    any
}

/// Brings the inputs of all splits to arrays: series of unequal lengths to one length, as the options say. Returns them in
/// the order in which they are given, with their splits and names.
///
/// # Errors
/// [`DataError`] with the array whose samples differ from those of the others, or have no value, and with an option that
/// contradicts the samples.
pub(crate) fn arrays(
    path: &Path,
    found: Vec<(Role, String, Loaded)>,
    labeled: bool,
    raw: &mut UnassembledData,
) -> Result<Vec<Array>, DataError> {
    let first = found.iter().find_map(|(_, name, loaded)| match loaded {
        Loaded::Ragged(ragged) => Some((name.clone(), ragged.clone())),
        Loaded::Dense(_) => None,
    });
    let Some((name, like)) = first else {
        let dense = |(_, _, loaded)| match loaded {
            Loaded::Dense(array) => Some(array),
            Loaded::Ragged(_) => None,
        };
        return Ok(found.into_iter().filter_map(dense).collect());
    };
    let options = raw.reading.clone();
    check_options(path, &name, &like, &options, labeled)?;
    let mut splits: Vec<(Role, Vec<Series>)> = Vec::with_capacity(found.len());
    for (role, other, loaded) in found {
        let ragged = match loaded {
            Loaded::Ragged(ragged) if (ragged.channels, ragged.time_first) == (like.channels, like.time_first) => {
                Some(ragged)
            }
            Loaded::Ragged(_) => None,
            Loaded::Dense(array) => like.of_dense(&array.in_memory()?),
        };
        let Some(ragged) = ragged else {
            let reason = format!("its samples have other axes or channels than those of `{name}`");
            return Err(DataError::at(path, Location::Entry(other), reason)
                .with_hint("give all splits the same channels in the same order of axes"));
        };
        ragged.check(path, &other, &options)?;
        splits.push((role, ragged.series(path)));
    }
    let all = || splits.iter().flat_map(|(_, series)| series);
    let training = splits.iter().filter(|(role, _)| matches!(role, Role::All | Role::Train));
    let training: Vec<&Series> = training.flat_map(|(_, series)| series).collect();
    let (length, _) = match training[..] {
        [] => common_length(all(), &options),
        _ => common_length(training.into_iter(), &options),
    };
    let mut said: Vec<String> = lengths_note(all(), length, &options).into_iter().collect();
    said.extend(filled_notes(all(), options.fill_missing));
    if (!labeled || options.scored) && options.length.is_some() {
        raw.warnings.extend(cut_warning(all().map(Series::len), length, "values", &options));
    }
    let [least, most] = like.shape().1;
    if like.time_first && least < most {
        said.push(format!("the samples of `{name}` differ in length along their first axis, which is the time"));
    }
    said.into_iter().for_each(|note| raw.note(note));
    raw.reading.length = Some(length);
    if like.channels.is_some() {
        raw.reading.layout = Some(if like.time_first { Layout::ChannelsLast } else { Layout::ChannelsFirst });
    }
    let array = |(_, series): (Role, Vec<Series>)| {
        let packed = pack(series, length, &options)?;
        let n = packed.rows();
        Ok(match (like.channels, like.time_first) {
            (None, _) => Array::new(vec![n, length], packed.data),
            (Some(channels), true) => {
                // The steps become the first axis.
                let data = packed.data.chunks((channels * length).max(1)).flat_map(|row| channels_first(row, length));
                Array::new(vec![n, length, channels], data.collect())
            }
            (Some(_), false) => packed,
        })
    };
    splits.into_iter().map(array).collect()
}

/// Refuses options that contradict series of unequal lengths; for new data only those that are given for it.
fn check_options(
    path: &Path,
    name: &str,
    like: &Ragged,
    options: &ReadOptions,
    labeled: bool,
) -> Result<(), DataError> {
    let refuse =
        |reason: String, hint: &str| Err(DataError::at(path, Location::Entry(name.into()), reason).with_hint(hint));
    let axes = if like.time_first { "first" } else { "last" };
    let found = if like.time_first { Layout::ChannelsLast } else { Layout::ChannelsFirst };
    match (options.layout, like.channels) {
        (Some(layout), Some(_)) if layout != found && (labeled || options.gives("layout")) => {
            let reason = format!(
                "`data.layout` is {}, but the samples differ in length along their {axes} axis, which is the time then",
                layout.name()
            );
            return refuse(reason, "leave out `data.layout`");
        }
        _ => {}
    }
    let channels = like.channels.unwrap_or(1);
    let wanted = options.channels.filter(|_| labeled || options.gives("channels"));
    if let Some(wanted) = wanted.filter(|wanted| *wanted != channels) {
        let reason = format!("`data.channels` is {wanted}, but the series have {}", plural(channels, "channel"));
        return refuse(reason, "give arrays of channels × time for series of several channels");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_that_differs_is_the_time() {
        // The shapes of the samples, the shape of their array, and the channels of the last sample.
        type Case<'a> = (&'a [&'a [usize]], Option<(&'a [usize], &'a [&'a [f32]])>);
        let cases: [Case<'_>; 8] = [
            (&[&[3], &[2]], Some((&[2, 3], &[&[0., 1.]]))),
            (&[&[2, 3], &[2, 2]], Some((&[2, 2, 3], &[&[0., 1.], &[2., 3.]]))),
            (&[&[3, 2], &[2, 2]], Some((&[2, 3, 2], &[&[0., 2.], &[1., 3.]]))),
            (&[&[3, 2], &[2, 3]], None),
            (&[&[3, 2], &[3, 2]], None),
            (&[&[3], &[3, 2]], None),
            (&[&[3, 2, 1], &[2, 2, 1]], None),
            (&[], None),
        ];
        for (shapes, expected) in cases {
            let array = |shape: &&[usize]| {
                let n = shape.iter().product::<usize>();
                Array::new(shape.to_vec(), (0..n).map(|v| v as f32).collect())
            };
            let found = Ragged::new(shapes.iter().map(array).collect());
            let read = found.map(|ragged| (ragged.shape().0, ragged.series(Path::new("")).pop().unwrap().channels));
            let expected = expected.map(|(shape, channels)| {
                (shape.to_vec(), channels.iter().map(|channel| channel.to_vec()).collect::<Vec<_>>())
            });
            assert_eq!(read, expected, "{shapes:?}");
        }
    }
}
