//! Labels that are numbers of classes whose names are listed beside them, from 0 or, as in MATLAB, from 1.

use dashnas_formats::found::{Labels, UnassembledData};

/// The number of the first of `names` classes, if the labels tell it: 1 where the last class has the number of all classes
/// and none has 0, 0 where all numbers are below that; `None` where a number has no name.
pub(crate) fn first(names: usize, labels: impl IntoIterator<Item = f32>) -> Option<u8> {
    let (mut least, mut most) = (f32::INFINITY, f32::NEG_INFINITY);
    for label in labels {
        if label.fract() != 0.0 {
            return None;
        }
        (least, most) = (least.min(label), most.max(label));
    }
    let names = names as f32;
    if least >= 1.0 && most == names {
        return Some(1);
    }
    (least >= 0.0 && most < names).then_some(0)
}

/// Makes labels that count the listed classes from 1 count them from 0.
pub(crate) fn from_zero(raw: &mut UnassembledData, names: &[String]) {
    let single = |y: &Labels| match y {
        Labels::Numbers(y) => y.array.row_len() == 1 && y.array.shape.len() <= 2,
        Labels::Names(_) => false,
    };
    if !raw.parts.iter().all(|part| part.y.as_ref().is_some_and(single)) {
        return;
    }
    let numbers = raw.parts.iter().filter_map(|part| match &part.y {
        Some(Labels::Numbers(y)) => Some(&y.array.data),
        _ => None,
    });
    if first(names.len(), numbers.flatten().copied()) != Some(1) {
        return;
    }
    for part in &mut raw.parts {
        if let Some(Labels::Numbers(y)) = &mut part.y {
            y.array.data.iter_mut().for_each(|label| *label -= 1.0);
        }
    }
    if let Some(name) = names.first() {
        raw.note(format!("the labels count the classes from 1: 1 is `{name}`"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_class_is_0_or_1() {
        let cases: [(&[f32], Option<u8>); 7] = [
            (&[0., 1., 2.], Some(0)),
            (&[1., 2.], Some(0)),
            (&[1., 2., 3.], Some(1)),
            (&[3.], Some(1)),
            (&[0., 3.], None),
            (&[-1., 1.], None),
            (&[0.5, 1.], None),
        ];
        for (labels, expected) in cases {
            assert_eq!(first(3, labels.iter().copied()), expected, "{labels:?}");
        }
    }
}
