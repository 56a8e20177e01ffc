//! An arena for large buffers, which are ranges of one reserved range of addresses whose pages stay when a buffer is
//! dropped.
//!
//! A training step allocates and drops buffers of all sizes. An allocator that caches freed buffers either holds many
//! of the wrong size or creates new ones all the time, which costs more than the arithmetic on them, because the system
//! clears every page. Here, a buffer is the lowest free range that is long enough, whatever buffers were there before,
//! so that every step uses the same pages. The arena keeps at most as many pages as were in use at the same time: to
//! compensate for gaps, it releases free pages, the highest first.

use super::cache_line::CacheLine;
use memmap2::{MmapMut, MmapOptions, MmapRaw, UncheckedAdvice};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// The number of cache lines that are reserved at a time (1 GiB). Only addresses are reserved; the system provides
/// memory when it is written to.
const REGION_LINES: usize = 1 << 24;

/// The number of cache lines of a granule (2 MiB, the size of a huge page), the unit in which pages are released.
const GRANULE_LINES: usize = 1 << 15;

/// A range of addresses, and which parts of it are free.
struct Region {
    memory: MmapRaw,
    /// The free ranges by their start, in cache lines. Adjacent ranges are merged.
    free: BTreeMap<usize, usize>,
    /// Which granules may have been written to.
    touched: Vec<bool>,
}

impl Region {
    /// Reserves `lines` cache lines, a multiple of a granule, if the system has enough addresses.
    pub(super) fn new(lines: usize) -> Option<Self> {
        let map: MmapMut = MmapOptions::new().len(lines * size_of::<CacheLine>()).no_reserve_swap().map_anon().ok()?;
        #[cfg(target_os = "linux")]
        // The rows of a buffer lie far apart, often a page each, so that small pages would cause TLB misses. Where huge
        // pages are not available, small pages are used.
        let _ = map.advise(memmap2::Advice::HugePage);
        let touched = vec![false; lines / GRANULE_LINES];
        Some(Self { memory: map.into(), free: BTreeMap::from([(0, lines)]), touched })
    }

    /// Takes the lowest free range of `need` cache lines and returns its start.
    fn take(&mut self, need: usize) -> Option<usize> {
        let (&start, &len) = self.free.iter().find(|&(_, &len)| len >= need)?;
        self.free.remove(&start);
        if len > need {
            self.free.insert(start + need, len - need);
        }
        Some(start)
    }

    /// Returns a range to the free ranges.
    fn release(&mut self, mut start: usize, mut len: usize) {
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

    /// Marks a range as written to. Returns how many granules were not marked before.
    fn touch(&mut self, start: usize, len: usize) -> usize {
        let granules = &mut self.touched[start / GRANULE_LINES..(start + len).div_ceil(GRANULE_LINES)];
        granules.iter_mut().map(|touched| usize::from(!std::mem::replace(touched, true))).sum()
    }

    /// Releases the pages of up to `most` granules that contain no buffer. Returns how many were released.
    fn release_pages(&mut self, most: usize) -> usize {
        let mut given = 0;
        for (&start, &len) in self.free.iter().rev() {
            for granule in (start.div_ceil(GRANULE_LINES)..(start + len) / GRANULE_LINES).rev() {
                if given == most {
                    return given;
                }
                if std::mem::replace(&mut self.touched[granule], false) {
                    let (offset, bytes) =
                        (granule * GRANULE_LINES * size_of::<CacheLine>(), GRANULE_LINES * size_of::<CacheLine>());
                    // SAFETY: the granule lies within a free range, so nobody borrows it, and the next user of the
                    // range expects no particular contents.
                    let _ = unsafe { self.memory.unchecked_advise_range(UncheckedAdvice::DontNeed, offset, bytes) };
                    given += 1;
                }
            }
        }
        given
    }
}

/// All regions, and the number of cache lines in use.
struct Arena {
    regions: Vec<Region>,
    in_use: usize,
    /// The maximum number of cache lines that were in use at the same time.
    peak: usize,
    /// The number of granules that may have been written to.
    touched: usize,
}

/// The lock is held while a short list is searched and while pages are released.
static ARENA: Mutex<Arena> = Mutex::new(Arena::new());

impl Arena {
    pub(super) const fn new() -> Self {
        Self { regions: Vec::new(), in_use: 0, peak: 0, touched: 0 }
    }

    fn with<R>(f: impl FnOnce(&mut Arena) -> R) -> R {
        f(&mut ARENA.lock().unwrap_or_else(|e| e.into_inner()))
    }

    /// Takes a range of `need` cache lines. Returns the index of its region and its start.
    fn take(&mut self, need: usize) -> Option<(usize, usize)> {
        let found = self.regions.iter_mut().enumerate().find_map(|(i, region)| Some((i, region.take(need)?)));
        let (region, start) = match found {
            Some(found) => found,
            None => {
                let lines = need.next_multiple_of(GRANULE_LINES);
                let mut region = Region::new(lines.max(REGION_LINES)).or_else(|| Region::new(lines))?;
                let start = region.take(need)?;
                self.regions.push(region);
                (self.regions.len() - 1, start)
            }
        };
        self.in_use += need;
        self.peak = self.peak.max(self.in_use);
        self.touched += self.regions[region].touch(start, need);
        let allowed = self.peak.div_ceil(GRANULE_LINES);
        // The newest regions first, because buffers are searched from the first region on.
        for region in self.regions.iter_mut().rev() {
            self.touched -= region.release_pages(self.touched.saturating_sub(allowed));
        }
        Some((region, start))
    }

    fn release(&mut self, region: usize, start: usize, len: usize) {
        self.in_use -= len;
        self.regions[region].release(start, len);
    }
}

/// A range of cache lines with a single owner and unspecified contents.
pub(super) struct ArenaBlock {
    floats: *mut f32,
    lines: usize,
    region: usize,
    start: usize,
}

// SAFETY: it owns its range as a `Box` does.
unsafe impl Send for ArenaBlock {}
// SAFETY: as above; a shared block is only read.
unsafe impl Sync for ArenaBlock {}

impl ArenaBlock {
    /// Allocates `lines` cache lines, at least one, if the system has enough addresses.
    pub(super) fn new(lines: usize) -> Option<Self> {
        Arena::with(|arena| {
            let (region, start) = arena.take(lines)?;
            // A region never moves, and `start` lies within it.
            let floats = arena.regions[region].memory.as_mut_ptr().cast::<f32>().wrapping_add(16 * start);
            Some(Self { floats, lines, region, start })
        })
    }

    /// The floats of all cache lines.
    pub(super) fn floats(&self) -> &[f32] {
        // SAFETY: the range belongs to this block, and its region is never unmapped. Pages begin at cache lines and are
        // zero before they are written to, and all bit patterns are floats.
        unsafe { std::slice::from_raw_parts(self.floats, 16 * self.lines) }
    }

    /// The floats of all cache lines, for writing.
    pub(super) fn floats_mut(&mut self) -> &mut [f32] {
        // SAFETY: as above; the borrow is unique.
        unsafe { std::slice::from_raw_parts_mut(self.floats, 16 * self.lines) }
    }
}

impl Drop for ArenaBlock {
    fn drop(&mut self) {
        Arena::with(|arena| arena.release(self.region, self.start, self.lines));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Checks that the ranges in use do not overlap, that all other ranges are known as free, and that the number of
    /// kept pages is bounded.
    fn check(arena: &Arena, taken: &[(usize, usize, usize)]) {
        for (i, region) in arena.regions.iter().enumerate() {
            let mut all: Vec<(usize, usize)> = region.free.iter().map(|(&start, &len)| (start, len)).collect();
            all.extend(taken.iter().filter(|t| t.0 == i).map(|t| (t.1, t.2)));
            all.sort_unstable();
            let end = all.iter().fold(0, |at, &(start, len)| {
                assert_eq!(at, start, "a gap or an overlap");
                start + len
            });
            assert_eq!(end, region.touched.len() * GRANULE_LINES);
            assert!(taken.iter().filter(|t| t.0 == i).all(|t| {
                region.touched[t.1 / GRANULE_LINES..(t.1 + t.2).div_ceil(GRANULE_LINES)].iter().all(|&touched| touched)
            }));
        }
        let touched = arena.regions.iter().flat_map(|r| &r.touched).filter(|&&t| t).count();
        assert_eq!((arena.touched, arena.in_use), (touched, taken.iter().map(|t| t.2).sum()));
    }

    proptest! {
        #[test]
        fn ranges_are_disjoint_and_none_is_lost(steps in proptest::collection::vec((0usize..3, 1usize..1 << 20), 1..60)) {
            let (mut arena, mut taken) = (Arena::new(), Vec::new());
            for (what, n) in steps {
                if what > 0 || taken.is_empty() {
                    let (region, start) = arena.take(n).expect("addresses");
                    taken.push((region, start, n));
                    // Free parts of granules that contain a buffer cannot be released.
                    let partial = 2 * taken.len();
                    let allowed = arena.peak.div_ceil(GRANULE_LINES);
                    prop_assert!(arena.touched <= allowed.max(arena.in_use / GRANULE_LINES + partial));
                } else {
                    let (region, start, len) = taken.swap_remove(n % taken.len());
                    arena.release(region, start, len);
                }
                check(&arena, &taken);
            }
        }
    }

    /// The same requests in the same order, as in every step: from the second round on, no new page is touched.
    #[test]
    fn repeated_requests_reuse_pages() {
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
            arena.release(short.0, short.1, short.2);
            let other = take(arena, 100_000);
            for (region, start, n) in long.into_iter().chain([other]) {
                arena.release(region, start, n);
            }
            new
        };
        assert!(round(&mut arena) > 0);
        assert_eq!((round(&mut arena), arena.in_use), (0, 0));
    }

    #[test]
    fn pages_that_were_never_in_use_together_are_released() {
        let mut arena = Arena::new();
        // A large buffer above a small one, and a gap that the next buffer does not fit into.
        let small = arena.take(GRANULE_LINES).expect("addresses");
        let large = arena.take(8 << 20).expect("addresses");
        arena.release(small.0, small.1, GRANULE_LINES);
        arena.release(large.0, large.1, 8 << 20);
        let low = arena.take(GRANULE_LINES / 2).expect("addresses");
        assert_eq!(low, small);
        assert_eq!(arena.touched, (8 << 20) / GRANULE_LINES + 1);
        // As if less had been in use: the highest granules are released.
        arena.peak = 1 << 20;
        let _ = arena.take(GRANULE_LINES / 4).expect("addresses");
        assert_eq!(arena.touched, (1 << 20) / GRANULE_LINES);
        assert_eq!(arena.regions[0].touched.iter().rposition(|&t| t), Some((1 << 20) / GRANULE_LINES - 1));
    }

    #[test]
    fn blocks_are_aligned_and_apart() {
        let mut blocks: Vec<ArenaBlock> = (1..20).map(|i| ArenaBlock::new(1000 * i).expect("addresses")).collect();
        for (i, block) in blocks.iter_mut().enumerate() {
            assert!((block.floats().as_ptr() as usize).is_multiple_of(64));
            block.floats_mut().fill(i as f32);
        }
        for (i, block) in blocks.iter().enumerate() {
            assert!(block.floats().len() == 16_000 * (i + 1) && block.floats().iter().all(|&v| v == i as f32));
        }
    }
}
