//! The size of the Darcy flow problems.

use crate::darcy::error::DarcyError;
use serde::{Deserialize, Serialize};

/// `[darcy]`: the Darcy flow problems of the built-in data set `darcy-flow`. The default is that of
/// the preset `standard`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct DarcyConfig {
    /// Grid points on a side, boundary included, at which the equation is solved: 5 to 4097.
    pub resolution: usize,
    /// Every `stride`-th point is kept; divides `resolution − 1`, and leaves at least 4 points on a side.
    pub stride: usize,
    /// Number of training samples.
    pub train: usize,
    /// Number of test samples.
    pub test: usize,
}

impl Default for DarcyConfig {
    fn default() -> Self {
        Self::standard()
    }
}

impl DarcyConfig {
    /// The problems of the paper: solved on 421×421 points, kept on 85×85, 1000 training and 100 test samples.
    pub const fn paper() -> Self {
        Self { resolution: 421, stride: 5, train: 1000, test: 100 }
    }

    /// Problems of medium size: solved on 113×113 points, kept on 57×57, 400 training and 100 test samples.
    pub const fn standard() -> Self {
        Self { resolution: 113, stride: 2, train: 400, test: 100 }
    }

    /// Problems that take minutes: solved on 57×57 points, kept on 29×29, 200 training and 50 test samples.
    pub const fn quick() -> Self {
        Self { resolution: 57, stride: 2, train: 200, test: 50 }
    }

    /// Points on a side that are kept.
    pub fn nodes(&self) -> usize {
        self.resolution.saturating_sub(1) / self.stride.max(1) + 1
    }

    /// Checks every value.
    ///
    /// # Errors
    /// [`DarcyError::Config`] for the first value that is out of its range.
    pub fn check(&self) -> Result<(), DarcyError> {
        let check = |key, value, holds: bool, reason| {
            if holds { Ok(()) } else { Err(DarcyError::Config { key, value, reason }) }
        };
        let Self { resolution, stride, train, test } = *self;
        check("darcy.resolution", resolution, (5..=4097).contains(&resolution), "it must be from 5 to 4097")?;
        let divides = stride > 0 && (resolution - 1).is_multiple_of(stride);
        check("darcy.stride", stride, divides, "it must divide darcy.resolution - 1")?;
        check("darcy.stride", stride, self.nodes() >= 4, "it must leave at least 4 grid points on a side")?;
        for (key, count) in [("darcy.train", train), ("darcy.test", test)] {
            check(key, count, (1..=1 << 24).contains(&count), "it must be from 1 to 16777216")?;
        }
        Ok(())
    }
}
