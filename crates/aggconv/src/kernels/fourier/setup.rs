//! The parts of a convolution that do not depend on the data, and their cache.

use super::fft::FftPlan;
use super::layout::{LaneAxis, channels, layout, size};
use super::phases::phases;
use crate::kernels::simd::Isa;
use crate::{ConvGeometry, TapSet};
use std::sync::{Arc, Mutex};

/// The parts of the computation of one group of channels that do not depend on the data.
pub(super) struct FourierSetup {
    /// The instruction set in use.
    pub(super) isa: Isa,
    /// The axis of the planes in the vector lanes.
    pub(super) lane_axis: LaneAxis,
    /// Whether the convolution is depthwise.
    pub(super) depthwise: bool,
    /// The transform of the rows.
    pub(super) row_plan: FftPlan,
    /// The transform of the columns.
    pub(super) column_plan: FftPlan,
    /// The phase factors of the column offsets of the reachable taps: see [`phases`].
    pub(super) phases: Vec<[f32; 2]>,
    /// The taps that can touch the input.
    pub(super) taps: TapSet,
    /// The positions of the reachable taps among all taps.
    pub(super) reachable: Vec<usize>,
}

/// The properties of a geometry that determine its [`FourierSetup`].
#[derive(PartialEq)]
struct SetupKey {
    input: [usize; 2],
    lane_axis: LaneAxis,
    depthwise: bool,
    taps: Arc<TapSet>,
}

/// The setups of the layers used last, the most recent first. Each training step needs the same setups again, and
/// creating one takes longer than computing a small layer.
static SETUPS: Mutex<Vec<(SetupKey, Arc<FourierSetup>)>> = Mutex::new(Vec::new());

/// The maximum number of cached setups: more than a network has layers of different shapes.
const MAX_SETUPS: usize = 64;

impl FourierSetup {
    /// The setup for a geometry, from the cache if possible.
    pub(super) fn of(g: &ConvGeometry) -> Arc<Self> {
        let key = SetupKey { input: g.input, lane_axis: layout(g), depthwise: g.is_depthwise(), taps: g.taps.clone() };
        let setups = || SETUPS.lock().unwrap_or_else(|e| e.into_inner());
        let find = |setups: &mut Vec<(SetupKey, Arc<FourierSetup>)>| {
            let i = setups.iter().position(|(k, _)| *k == key)?;
            setups[..=i].rotate_right(1);
            Some(setups[0].1.clone())
        };
        if let Some(setup) = find(&mut setups()) {
            return setup;
        }
        // The lock is not held while the setup is created, because this may take a while.
        let setup = Arc::new(Self::new(g));
        let mut setups = setups();
        if let Some(setup) = find(&mut setups) {
            return setup;
        }
        setups.truncate(MAX_SETUPS - 1);
        setups.insert(0, (key, setup.clone()));
        setup
    }

    fn new(g: &ConvGeometry) -> Self {
        let taps = g.taps.reachable(g.input);
        let reachable = (0..g.taps.len()).filter(|&i| taps.position(g.taps.offsets()[i]).is_some()).collect();
        let [nh, nw] = size(g, taps.radius());
        Self {
            isa: Isa::current(),
            lane_axis: layout(g),
            depthwise: g.is_depthwise(),
            row_plan: FftPlan::new(nw),
            column_plan: FftPlan::new(nh),
            phases: phases(nw, taps.offsets().iter().map(|o| o[1])),
            taps,
            reachable,
        }
    }

    /// The ranges of channels that are convolved separately: (start, length) of the input and of the output channels.
    pub(super) fn groups(&self, g: &ConvGeometry) -> Vec<[(usize, usize); 2]> {
        let (calls, ci, co) = channels(g);
        (0..calls).map(|i| [(i * ci, ci), (i * co, co)]).collect()
    }

    /// The number of frequencies of a transform, which is also the factor by which a transform and its inverse scale.
    pub(super) fn points(&self) -> f32 {
        (self.row_plan.len() * self.column_plan.len()) as f32
    }

    /// Whether column frequency `k` is its own conjugate: k ≡ −k (mod N).
    pub(super) fn is_self_conjugate(&self, k: usize) -> bool {
        k == 0 || 2 * k == self.row_plan.len()
    }

    /// The number of column frequencies that are stored; the others are their conjugates.
    pub(super) fn bins(&self) -> usize {
        self.row_plan.len() / 2 + 1
    }
}
