//! What is subtracted from the elements of an array before they become `f32`, by their positions in the file.

use crate::centers::Shift;
use crate::layout;
use crate::options::{Layout, ReadOptions};

/// What is subtracted from the elements of the samples of an array, whatever their order in a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Subtract {
    /// One number for each element of a sample, in row-major order.
    row: Vec<f64>,
    /// Whether the samples are the last axis.
    samples_last: bool,
}

impl Subtract {
    /// What the options say about inputs of this shape; `None` if they say nothing, or if it is not known which axis holds
    /// the channels.
    pub(crate) fn inputs(
        shape: &[usize],
        samples_last: bool,
        channels_first: bool,
        options: &ReadOptions,
    ) -> Option<Self> {
        let centers = &options.centers.inputs;
        let axes = if samples_last { shape.split_last()?.1 } else { shape.split_first()?.1 };
        let width: usize = axes.iter().product();
        if centers.is_empty() || width == 0 {
            return None;
        }
        let layout = options.layout.or(options.first_reading.layout);
        let layout = layout.or(channels_first.then_some(Layout::ChannelsFirst));
        let channel: Box<dyn Fn(usize) -> usize> = match (layout, axes) {
            // Arrays of two axes have no axis of channels.
            (_, [_]) if width.is_multiple_of(centers.len()) => Box::new(|j| j / (width / centers.len())),
            (Some(Layout::NoChannels), [_, _]) if centers.len() == 1 => Box::new(|_| 0),
            (Some(Layout::ChannelsLast), [.., last]) if *last == centers.len() => Box::new(|j| j % centers.len()),
            (Some(Layout::ChannelsFirst | Layout::NoChannels), [first, ..]) if *first == centers.len() => {
                Box::new(|j| j / (width / centers.len()))
            }
            _ => return None,
        };
        let row = (0..width).map(|j| centers[channel(j)]).collect();
        Some(Self { row, samples_last })
    }

    /// What is subtracted from the channels of a recording of this shape, of which the longer axis is the time.
    pub(crate) fn recording(shape: &[usize], options: &ReadOptions) -> Option<Self> {
        let centers = &options.centers.inputs;
        let (channels, samples_last) = match *shape {
            [_] => (1, false),
            [rows, columns] if rows <= columns => (rows, true),
            [_, columns] => (columns, false),
            _ => return None,
        };
        (channels == centers.len()).then(|| Self { row: centers.clone(), samples_last })
    }

    /// What the options say about targets of this shape, one row of outputs for each sample.
    pub(crate) fn targets(shape: &[usize], options: &ReadOptions) -> Option<Self> {
        let centers = &options.centers.targets;
        let outputs = match *shape {
            [_] | [_, 1] => 1,
            // A vector that MATLAB saved as a row.
            [1, _] if centers.len() == 1 => 1,
            [_, outputs] => outputs,
            _ => 0,
        };
        (outputs > 0 && outputs == centers.len()).then(|| Self { row: centers.clone(), samples_last: false })
    }

    /// The same by the positions of the elements in a file of this shape, whose elements are in row-major order, or in
    /// column-major order.
    pub(crate) fn by_position(&self, shape: &[usize], column_major: bool) -> Shift {
        let samples = if self.samples_last { shape.last() } else { shape.first() };
        let samples = samples.copied().unwrap_or(1).max(1);
        let axes = match (self.samples_last, shape) {
            (true, [axes @ .., _]) | (false, [_, axes @ ..]) => axes,
            _ => &[],
        };
        let one = axes.iter().product::<usize>() != self.row.len() || self.row.len() <= 1;
        let mut row = self.row.clone();
        if column_major && !one {
            let mut reversed = vec![0.0; row.len()];
            for (at, place) in layout::row_major_positions(axes).into_iter().enumerate() {
                reversed[at] = row[place];
            }
            row = reversed;
        }
        // The samples are the slowest axis, or the fastest one.
        let slowest = self.samples_last == column_major;
        Shift::new(row, if slowest || one { 1 } else { samples })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::centers::Centers;

    #[test]
    fn every_element_has_the_number_of_its_channel_in_every_order() {
        let options = |layout| ReadOptions {
            layout: Some(layout),
            centers: Centers { inputs: vec![10.0, 20.0], targets: vec![1.0] },
            ..ReadOptions::default()
        };
        // Channels first: 3 samples of 2 channels of 4 values.
        let shape = [3, 2, 4];
        let first = Subtract::inputs(&shape, false, false, &options(Layout::ChannelsFirst)).unwrap();
        let by_row = first.by_position(&shape, false);
        let by_column = first.by_position(&shape, true);
        let last = Subtract::inputs(&[2, 4, 3], true, false, &options(Layout::ChannelsFirst)).unwrap();
        for n in 0..3 {
            for c in 0..2 {
                for l in 0..4 {
                    let expected = [10.0, 20.0][c];
                    assert_eq!(by_row.at((n * 2 + c) * 4 + l), expected);
                    assert_eq!(by_column.at(n + 3 * (c + 2 * l)), expected);
                    assert_eq!(last.by_position(&[2, 4, 3], false).at((c * 4 + l) * 3 + n), expected);
                    assert_eq!(last.by_position(&[2, 4, 3], true).at(c + 2 * (l + 4 * n)), expected);
                }
            }
        }
        let last = Subtract::inputs(&[3, 4, 2], false, false, &options(Layout::ChannelsLast)).unwrap();
        assert_eq!(
            (0..4).map(|i| last.by_position(&[3, 4, 2], false).at(i)).collect::<Vec<_>>(),
            [10.0, 20.0, 10.0, 20.0]
        );
        let flat = Subtract::inputs(&[3, 4], false, false, &options(Layout::NoChannels)).unwrap();
        assert_eq!(
            (0..4).map(|i| flat.by_position(&[3, 4], false).at(i)).collect::<Vec<_>>(),
            [10.0, 10.0, 20.0, 20.0]
        );
        // Another number of channels.
        assert_eq!(Subtract::inputs(&[3, 4, 5], false, false, &options(Layout::ChannelsFirst)), None);
        for shape in [&[5][..], &[5, 1], &[1, 5]] {
            let targets = Subtract::targets(shape, &options(Layout::NoChannels)).unwrap();
            assert!([false, true].iter().all(|&order| (0..5).all(|i| targets.by_position(shape, order).at(i) == 1.0)));
        }
        assert_eq!(Subtract::targets(&[5, 2], &options(Layout::NoChannels)), None);
    }
}
