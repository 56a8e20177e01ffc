//! Raw inputs, checked against a model and brought into the form that its normalization takes.

use crate::artifact::card::ModelCard;
use crate::error::{InputError, ModelError};
use dashnas_data::centering;
use dashnas_data::transform;
use dashnas_data::unlike::unlike;
use dashnas_formats::array::Array;
use dashnas_formats::called::Called;
use dashnas_formats::ends;
use dashnas_formats::error::DataError;
use std::borrow::Cow;

impl ModelCard {
    /// Returns raw inputs with an axis of channels: it is added or removed where there is a single channel.
    ///
    /// # Errors
    /// As [`Array::fetch`].
    pub(crate) fn shaped<'a>(&self, x: &'a Array) -> Result<Cow<'a, Array>, DataError> {
        let (channels, axes) = (self.read_as.first(), self.read_as.len() + 1);
        let mut shape = x.shape.clone();
        match x.shape.len() {
            n if n + 1 == axes && n > 1 && channels == Some(&1) => shape.insert(1, 1),
            n if n == axes + 1 && shape[1] == 1 => {
                shape.remove(1);
            }
            _ => return Ok(Cow::Borrowed(x)),
        }
        let mut x = x.clone();
        x.load()?;
        Ok(Cow::Owned(Array::new(shape, x.data)))
    }

    /// Checks and transforms raw inputs, less the centers of the model, so that they can be normalized.
    ///
    /// # Errors
    /// As [`ModelCard::check_inputs`], and [`ModelError::Data`] if a transform does not apply to the inputs.
    pub(crate) fn transformed<'a>(&self, x: &'a Array) -> Result<Cow<'a, Array>, ModelError> {
        let x = self.shaped(x)?;
        self.check_inputs(&x)?;
        let centers = &self.centers().inputs;
        if self.transforms.is_empty() && centers.is_empty() {
            return Ok(x);
        }
        let mut x = x.into_owned();
        x.load()?;
        centering::subtract(&mut x, centers);
        Ok(Cow::Owned(transform::inputs("the inputs", x, &self.transforms)?))
    }

    /// Says of each channel of inputs that does not look like that of the training data in what it differs, so that
    /// predictions mean little. The centers of the model are subtracted from the inputs.
    ///
    /// # Errors
    /// As [`ModelCard::check_inputs`].
    pub fn unlike_training(&self, x: &Array) -> Result<Vec<String>, ModelError> {
        let centers = if self.transforms.is_empty() { &self.centers().inputs[..] } else { &[] };
        let called = Called::channels(&self.reading, self.read_as.first().copied().unwrap_or(0));
        Ok(unlike(&self.inputs, &called, centers, &*self.of_centered().transformed(x)?)?)
    }

    /// Checks the shape of raw inputs.
    fn check_shape(&self, x: &Array) -> Result<(), InputError> {
        let expected = self.read_as.clone();
        if x.shape.len() != expected.len() + 1 {
            return Err(InputError::Rank { shape: x.shape.clone(), expected });
        }
        if x.shape[1] != expected[0] {
            return Err(InputError::Channels { found: x.shape[1], expected: expected[0], shape: x.shape.clone() });
        }
        if x.shape.contains(&0) {
            return Err(InputError::Empty { shape: x.shape.clone() });
        }
        if !self.any_size() && x.shape[2..] != expected[1..] {
            return Err(InputError::Size { found: x.shape[2..].to_vec(), expected: expected[1..].to_vec() });
        }
        Ok(())
    }

    /// Checks raw inputs against the model. If its samples have lengths of their own, they are NaN after their ends.
    ///
    /// # Errors
    /// [`ModelError::Input`] with the first problem found, or [`ModelError::Data`] if the inputs are in a file that can
    /// no longer be read.
    pub fn check_inputs(&self, x: &Array) -> Result<(), ModelError> {
        self.check_shape(x)?;
        for i in 0..x.rows() {
            let row = x.fetch(i)?;
            let bad = match self.graph.is_masked() {
                true => ends::first_bad(&row, x.shape.last().copied().unwrap_or(1)),
                false => row.iter().position(|v| !v.is_finite()),
            };
            if let Some(at) = bad {
                return Err(InputError::NotFinite { index: x.unravel(i * x.row_len() + at), value: row[at] }.into());
            }
        }
        Ok(())
    }
}
