//! Large buffers: pieces of one stretch of addresses, whose pages stay when a buffer is dropped.
//!
//! Buffers of all sizes come and go in a training step. An allocator that keeps freed ones whole either holds many of the
//! wrong size or makes new ones all the time, and making one costs more than the arithmetic done on it: the system
//! clears every page. Here a buffer is the lowest stretch that is free and long enough, whatever buffers were there
//! before, so that a step uses the same pages in every round. No more pages are kept than were once in use at a time:
//! what is lost in gaps is made up for by giving back free ones, those highest up first.

use super::Line;
use memmap2::{MmapMut, MmapOptions, MmapRaw, UncheckedAdvice};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Lines of the addresses that are taken at once (1 GiB): addresses, not memory, which comes into being where it is
/// written to.
const REGION: usize = 1 << 24;

/// Lines of a granule (2 MiB, a large page where the system has them): what is given back at a time.
const GRANULE: usize = 1 << 15;

/// Addresses, and which are free.
struct Region {
    memory: MmapRaw,
    /// Free stretches by where they start, in lines; never two that touch.
    free: BTreeMap<usize, usize>,
    /// Which granules may have been written to.
    touched: Vec<bool>,
}

impl Region {
    /// `lines` of them, whole granules, if the system has as many addresses.
    fn new(lines: usize) -> Option<Self> {
        let map: MmapMut = MmapOptions::new().len(lines * size_of::<Line>()).no_reserve_swap().map_anon().ok()?;
        #[cfg(target_os = "linux")]
        // Buffers' rows are far apart, often a page each: with small ones, their addresses would be looked up anew all
        // the time. Where there are no large ones, it stays at small ones.
        let _ = map.advise(memmap2::Advice::HugePage);
        let touched = vec![false; lines / GRANULE];
        Some(Self { memory: map.into(), free: BTreeMap::from([(0, lines)]), touched })
    }

    /// The lowest free stretch of so many lines.
    fn take(&mut self, need: usize) -> Option<usize> {
        let (&start, &len) = self.free.iter().find(|&(_, &len)| len >= need)?;
        self.free.remove(&start);
        if len > need {
            self.free.insert(start + need, len - need);
        }
        Some(start)
    }

    /// Takes a stretch back.
    fn put(&mut self, mut start: usize, mut len: usize) {
        if let Some((&before, &lines)) = self.free.range(..start).next_back()
            && before + lines == start
        {
            self.free.remove(&before);
            (start, len) = (before, len + lines);
        }
        if let Some(lines) = self.free.remove(&(start + len)) {
            len += lines;
        }
        self.free.insert(start, len);
    }

    /// Notes that a stretch is written to: how many granules are for the first time.
    fn touch(&mut self, start: usize, len: usize) -> usize {
        let granules = &mut self.touched[start / GRANULE..(start + len).div_ceil(GRANULE)];
        granules.iter_mut().map(|touched| usize::from(!std::mem::replace(touched, true))).sum()
    }

    /// Gives back up to `most` granules that no buffer is in: how many.
    fn give_back(&mut self, most: usize) -> usize {
        let mut given = 0;
        for (&start, &len) in self.free.iter().rev() {
            for granule in (start.div_ceil(GRANULE)..(start + len) / GRANULE).rev() {
                if given == most {
                    return given;
                }
                if std::mem::replace(&mut self.touched[granule], false) {
                    let (offset, bytes) = (granule * GRANULE * size_of::<Line>(), GRANULE * size_of::<Line>());
                    // SAFETY: the granule lies within a free stretch: nobody borrows it, and whoever takes it expects no
                    // particular contents.
                    let _ = unsafe { self.memory.unchecked_advise_range(UncheckedAdvice::DontNeed, offset, bytes) };
                    given += 1;
                }
            }
        }
        given
    }
}

/// Every region, and the lines in use.
struct Arena {
    regions: Vec<Region>,
    in_use: usize,
    /// The most that ever were in use.
    most: usize,
    /// Granules that may have been written to.
    touched: usize,
}

/// The lock is held for a search in a short list, and where memory is given back.
static ARENA: Mutex<Arena> = Mutex::new(Arena::new());

impl Arena {
    const fn new() -> Self {
        Self { regions: Vec::new(), in_use: 0, most: 0, touched: 0 }
    }

    fn with<R>(f: impl FnOnce(&mut Arena) -> R) -> R {
        f(&mut ARENA.lock().unwrap_or_else(|e| e.into_inner()))
    }

    /// A stretch of so many lines: its region and where it starts.
    fn take(&mut self, need: usize) -> Option<(usize, usize)> {
        let found = self.regions.iter_mut().enumerate().find_map(|(i, region)| Some((i, region.take(need)?)));
        let (region, start) = match found {
            Some(found) => found,
            None => {
                let lines = need.next_multiple_of(GRANULE);
                let mut region = Region::new(lines.max(REGION)).or_else(|| Region::new(lines))?;
                let start = region.take(need)?;
                self.regions.push(region);
                (self.regions.len() - 1, start)
            }
        };
        self.in_use += need;
        self.most = self.most.max(self.in_use);
        self.touched += self.regions[region].touch(start, need);
        let allowed = self.most.div_ceil(GRANULE);
        // The regions made last first: the first is where buffers are looked for first.
        for region in self.regions.iter_mut().rev() {
            self.touched -= region.give_back(self.touched.saturating_sub(allowed));
        }
        Some((region, start))
    }

    fn put(&mut self, region: usize, start: usize, len: usize) {
        self.in_use -= len;
        self.regions[region].put(start, len);
    }
}

/// A stretch of lines that nobody else has, with unspecified contents.
pub(super) struct Block {
    floats: *mut f32,
    lines: usize,
    region: usize,
    start: usize,
}

// SAFETY: it owns its stretch as a `Box` does.
unsafe impl Send for Block {}
// SAFETY: as above; shared, it is only read.
unsafe impl Sync for Block {}

impl Block {
    /// Of so many lines, not zero, if the system has as many addresses.
    pub(super) fn new(lines: usize) -> Option<Self> {
        Arena::with(|arena| {
            let (region, start) = arena.take(lines)?;
            // A region stays where it is, and `start` lies within it.
            let floats = arena.regions[region].memory.as_mut_ptr().cast::<f32>().wrapping_add(16 * start);
            Some(Self { floats, lines, region, start })
        })
    }

    /// The floats of all lines, from the start of a cache line on.
    pub(super) fn floats(&self) -> &[f32] {
        // SAFETY: this block's own stretch of a region, which is never unmapped; pages begin at cache lines, they are
        // zero before they are written to, and all bits are floats.
        unsafe { std::slice::from_raw_parts(self.floats, 16 * self.lines) }
    }

    /// As [`Block::floats`].
    pub(super) fn floats_mut(&mut self) -> &mut [f32] {
        // SAFETY: as above; the borrow is unique.
        unsafe { std::slice::from_raw_parts_mut(self.floats, 16 * self.lines) }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        Arena::with(|arena| arena.put(self.region, self.start, self.lines));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Stretches that are taken do not overlap, all that are free are known as such, and the pages
    /// kept are bounded.
    fn check(arena: &Arena, taken: &[(usize, usize, usize)]) {
        for (i, region) in arena.regions.iter().enumerate() {
            let mut all: Vec<(usize, usize)> = region.free.iter().map(|(&start, &len)| (start, len)).collect();
            all.extend(taken.iter().filter(|t| t.0 == i).map(|t| (t.1, t.2)));
            all.sort_unstable();
            let end = all.iter().fold(0, |at, &(start, len)| {
                assert_eq!(at, start, "a gap or an overlap");
                start + len
            });
            assert_eq!(end, region.touched.len() * GRANULE);
            assert!(taken.iter().filter(|t| t.0 == i).all(|t| {
                region.touched[t.1 / GRANULE..(t.1 + t.2).div_ceil(GRANULE)].iter().all(|&touched| touched)
            }));
        }
        let touched = arena.regions.iter().flat_map(|r| &r.touched).filter(|&&t| t).count();
        assert_eq!((arena.touched, arena.in_use), (touched, taken.iter().map(|t| t.2).sum()));
    }

    proptest! {
        #[test]
        fn stretches_are_disjoint_and_none_is_lost(steps in proptest::collection::vec((0usize..3, 1usize..1 << 20), 1..60)) {
            let (mut arena, mut taken) = (Arena::new(), Vec::new());
            for (what, n) in steps {
                if what > 0 || taken.is_empty() {
                    let (region, start) = arena.take(n).expect("addresses");
                    taken.push((region, start, n));
                    // What is free within the granules of buffers cannot be given back.
                    let partial = 2 * taken.len();
                    let allowed = arena.most.div_ceil(GRANULE);
                    prop_assert!(arena.touched <= allowed.max(arena.in_use / GRANULE + partial));
                } else {
                    let (region, start, len) = taken.swap_remove(n % taken.len());
                    arena.put(region, start, len);
                }
                check(&arena, &taken);
            }
        }
    }

    /// The same requests in the same order, as in every step: from the second round on they touch no new page.
    #[test]
    fn a_round_uses_the_pages_of_the_one_before() {
        let mut arena = Arena::new();
        let round = |arena: &mut Arena| {
            let mut new = 0;
            let mut take = |arena: &mut Arena, n: usize| {
                let before = arena.touched;
                let (region, start) = arena.take(n).expect("addresses");
                new += arena.touched - before;
                (region, start, n)
            };
            let long: Vec<_> = [200_000, 70_000, 300_000].map(|n| take(arena, n)).into();
            let short = take(arena, 500_000);
            arena.put(short.0, short.1, short.2);
            let other = take(arena, 100_000);
            for (region, start, n) in long.into_iter().chain([other]) {
                arena.put(region, start, n);
            }
            new
        };
        assert!(round(&mut arena) > 0);
        assert_eq!((round(&mut arena), arena.in_use), (0, 0));
    }

    #[test]
    fn pages_that_were_never_in_use_together_are_given_back() {
        let mut arena = Arena::new();
        // A large buffer above a small one, and a gap that the next does not fit into.
        let small = arena.take(GRANULE).expect("addresses");
        let large = arena.take(8 << 20).expect("addresses");
        arena.put(small.0, small.1, GRANULE);
        arena.put(large.0, large.1, 8 << 20);
        let low = arena.take(GRANULE / 2).expect("addresses");
        assert_eq!(low, small);
        assert_eq!(arena.touched, (8 << 20) / GRANULE + 1);
        // As if less had been in use: the highest granules go.
        arena.most = 1 << 20;
        let _ = arena.take(GRANULE / 4).expect("addresses");
        assert_eq!(arena.touched, (1 << 20) / GRANULE);
        assert_eq!(arena.regions[0].touched.iter().rposition(|&t| t), Some((1 << 20) / GRANULE - 1));
    }

    #[test]
    fn blocks_are_aligned_and_apart() {
        let mut blocks: Vec<Block> = (1..20).map(|i| Block::new(1000 * i).expect("addresses")).collect();
        for (i, block) in blocks.iter_mut().enumerate() {
            assert!((block.floats().as_ptr() as usize).is_multiple_of(64));
            block.floats_mut().fill(i as f32);
        }
        for (i, block) in blocks.iter().enumerate() {
            assert!(block.floats().len() == 16_000 * (i + 1) && block.floats().iter().all(|&v| v == i as f32));
        }
    }
}
