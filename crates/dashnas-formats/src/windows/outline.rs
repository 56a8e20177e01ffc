//! Recordings before they are cut: their stretches without a gap, each in one split.

use crate::places::{Place, Recording};
use crate::role::Role;
use crate::windows::spans::Sizes;
use std::collections::BTreeSet;

/// Most blocks that the training part of one recording is divided into.
const BLOCKS: usize = 10;

/// A part of a recording that windows may lie in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// The first step.
    pub from: usize,
    /// The step after the last one.
    pub to: usize,
    /// The split.
    pub role: Role,
    /// The block, where the recording is divided into blocks.
    pub block: Option<usize>,
}

/// A recording that is to be cut.
#[derive(Debug, Clone)]
pub(crate) struct Outline {
    /// The recording.
    pub recording: Recording,
    /// What no split divides, if the recording belongs to something larger.
    pub group: Option<String>,
    /// Its stretches, in order.
    pub stretches: Vec<Stretch>,
}

impl Outline {
    /// A recording without gaps.
    pub fn whole(recording: Recording, role: Role, group: Option<String>) -> Self {
        let stretches = vec![Stretch { from: 0, to: recording.steps, role, block: None }];
        Self { recording, group, stretches }
    }

    /// Divides the stretches of a split at a step; what comes after it belongs to another split or block.
    fn divide(&mut self, at: usize, wanted: Role, after: impl Fn(&Stretch) -> (Role, Option<usize>)) {
        let mut divided = Vec::with_capacity(self.stretches.len() + 1);
        for stretch in self.stretches.drain(..) {
            if stretch.role != wanted || stretch.to <= at {
                divided.push(stretch);
                continue;
            }
            let (role, block) = after(&stretch);
            if stretch.from < at {
                divided.push(Stretch { to: at, ..stretch.clone() });
            }
            divided.push(Stretch { from: stretch.from.max(at), to: stretch.to, role, block });
        }
        self.stretches = divided;
    }
}

/// The windows of a recording with their stretches.
pub(crate) fn windows(outline: &Outline, recording: usize, sizes: Sizes) -> impl Iterator<Item = (&Stretch, Place)> {
    outline.stretches.iter().flat_map(move |stretch| {
        let last = stretch.to.checked_sub(sizes.window);
        let starts = last.map(|last| (stretch.from..=last).step_by(sizes.stride.max(1))).into_iter().flatten();
        starts.map(move |start| (stretch, Place { recording, start, end: start + sizes.window }))
    })
}

/// How recordings were divided besides the splits that are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Divided {
    /// Whether the last part of the only recording is the test split.
    pub by_time: bool,
    /// Number of blocks of the only training recording; 0 if it is not divided.
    pub blocks: usize,
    /// Number of windows that would cross from one block to the next.
    pub crossing: usize,
}

/// Divides the only recording into training and test data by time, and the only training recording into blocks, one of
/// which can be held out for validation. `validated` says that there is a validation split.
pub(crate) fn divide(outlines: &mut [Outline], sizes: Sizes, test_fraction: f64, validated: bool) -> Divided {
    let mut divided = Divided::default();
    let roles: BTreeSet<Role> = outlines.iter().flat_map(|o| &o.stretches).map(|stretch| stretch.role).collect();
    let with = |outlines: &[Outline], role: Role| {
        let has = |o: &Outline| o.stretches.iter().any(|s| s.role == role && s.to - s.from >= sizes.window);
        outlines.iter().enumerate().filter(|(_, o)| has(o)).map(|(i, _)| i).collect::<Vec<_>>()
    };
    if roles.len() == 1
        && let [only] = with(outlines, Role::All)[..]
    {
        let outline = &mut outlines[only];
        let steps = outline.recording.steps;
        let test = ((steps as f64 * test_fraction).round() as usize).clamp(sizes.window.min(steps), steps);
        // On the grid of the windows, so that none is lost without need.
        let at = (steps - test) / sizes.stride.max(1) * sizes.stride.max(1);
        outline.divide(at, Role::All, |_| (Role::Test, None));
        for outline in outlines.iter_mut() {
            outline.stretches.iter_mut().filter(|s| s.role == Role::All).for_each(|s| s.role = Role::Train);
        }
        divided.by_time = true;
    }
    if let [only] = with(outlines, Role::Train)[..]
        && !validated
        && !roles.contains(&Role::Val)
    {
        let outline = &mut outlines[only];
        let trained = || outline.stretches.iter().filter(|s| s.role == Role::Train);
        let (from, to) = (trained().map(|s| s.from).min().unwrap_or(0), trained().map(|s| s.to).max().unwrap_or(0));
        let stride = sizes.stride.max(1);
        let length = to.saturating_sub(from).div_ceil(BLOCKS).max(sizes.window).div_ceil(stride).saturating_mul(stride);
        let count = |outline: &Outline| {
            let trained = outline.stretches.iter().filter(|s| s.role == Role::Train);
            trained.filter_map(|s| Some((s.to - s.from).checked_sub(sizes.window)? / stride + 1)).sum::<usize>()
        };
        let whole = count(outline);
        outline.stretches.iter_mut().filter(|s| s.role == Role::Train).for_each(|s| s.block = Some(0));
        let mut at = from.saturating_add(length);
        // What is left at the end is no block of its own if it is shorter than a window.
        while at.saturating_add(sizes.window) <= to && divided.blocks < BLOCKS {
            divided.blocks += 1;
            let block = divided.blocks;
            outline.divide(at, Role::Train, |_| (Role::Train, Some(block)));
            at = at.saturating_add(length);
        }
        divided.blocks += usize::from(divided.blocks > 0);
        divided.crossing = whole.saturating_sub(count(outline));
    }
    divided
}
