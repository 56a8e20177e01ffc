//! The seed of everything that transforms draw.

use dashnas_core::rng::Seed;

/// A constant, so that transforms do not depend on the seed of a run.
pub(super) const SEED: Seed = Seed(0x5e1ec7);
