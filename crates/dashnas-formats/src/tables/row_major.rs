//! The numbers of a table, row by row, as the samples need them.

use rayon::prelude::*;

/// The numbers of those columns that may be columns of numbers, in the order of the rows.
#[derive(Debug)]
pub(crate) struct RowMajor {
    /// The place in a row of each column of the table that has one.
    places: Vec<Option<usize>>,
    width: usize,
    data: Vec<f32>,
}

impl RowMajor {
    /// Prepares for so many rows; `None` if there is no memory for them.
    pub fn new(places: Vec<Option<usize>>, rows: usize) -> Option<Self> {
        let width = places.iter().flatten().count();
        let elements = width.checked_mul(rows)?;
        // This tells whether there is memory; a vector of zeros then takes it page by page, as it is written to.
        Vec::<f32>::new().try_reserve_exact(elements).ok()?;
        Some(Self { places, width, data: vec![0.0; elements] })
    }

    /// The place in a row of each column of the table that has one.
    pub fn places(&self) -> &[Option<usize>] {
        &self.places
    }

    /// The number of numbers in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Parts for so many rows each.
    pub fn parts(&mut self, rows: &[usize]) -> Vec<&mut [f32]> {
        let mut left = &mut self.data[..];
        let mut parts = Vec::with_capacity(rows.len());
        for &rows in rows {
            let (part, others) = left.split_at_mut((rows * self.width).min(left.len()));
            parts.push(part);
            left = others;
        }
        parts
    }

    /// Closes the gaps between parts for so many rows each, of which so many at their beginnings are used.
    pub fn close(&mut self, rows: &[usize], used: &[usize]) {
        let (mut from, mut to) = (0, 0);
        for (&rows, &used) in rows.iter().zip(used) {
            let filled = from..from + used * self.width;
            if from != to {
                self.data.copy_within(filled.clone(), to);
            }
            to += filled.len();
            from += rows * self.width;
        }
        self.data.truncate(to);
    }

    /// Writes columns of numbers, given with their positions in the table, to the rows from `first` on. Columns with fewer
    /// numbers than rows hold something else. Returns whether there are so many rows.
    pub fn fill<'a>(&mut self, first: usize, rows: usize, columns: impl Iterator<Item = (usize, &'a [f32])>) -> bool {
        /// Rows that one thread writes at a time.
        const BLOCK: usize = 256;
        /// Rows of a block that are written together. Parts of no more rows are in the cache at once, however far apart: it
        /// has as many places for lines whose addresses differ by a power of two.
        const SIDE: usize = 8;
        /// Neighboring columns that are written together.
        const TOGETHER: usize = 4;
        let width = self.width;
        let mut placed: Vec<(usize, &[f32])> = columns
            .filter(|(_, numbers)| numbers.len() == rows)
            .filter_map(|(c, numbers)| Some((self.places.get(c).copied().flatten()?, numbers)))
            .collect();
        placed.sort_unstable_by_key(|(place, _)| *place);
        let (mut together, mut single) = (Vec::new(), Vec::new());
        let mut left = &placed[..];
        while let Some(first) = left.first() {
            let neighbors = left.first_chunk::<TOGETHER>().filter(|all| all[TOGETHER - 1].0 == first.0 + TOGETHER - 1);
            let taken = match neighbors {
                Some(all) => {
                    together.push((first.0, all.map(|(_, numbers)| numbers)));
                    TOGETHER
                }
                None => {
                    single.push(*first);
                    1
                }
            };
            left = &left[taken..];
        }
        let Some(out) = self.data.get_mut(first * width..(first + rows) * width) else { return false };
        out.par_chunks_mut((BLOCK * width).max(1)).enumerate().for_each(|(block, out)| {
            for (side, out) in out.chunks_mut(SIDE * width).enumerate() {
                let at = block * BLOCK + side * SIDE;
                let to = rows.min(at + SIDE);
                for &(place, columns) in &together {
                    let [a, b, c, d] = columns.map(|numbers| &numbers[at..to]);
                    for ((((out, &a), &b), &c), &d) in out.chunks_mut(width).zip(a).zip(b).zip(c).zip(d) {
                        if let Some(out) = out[place..].first_chunk_mut::<TOGETHER>() {
                            *out = [a, b, c, d];
                        }
                    }
                }
                for &(place, numbers) in &single {
                    out.chunks_mut(width).zip(&numbers[at..to]).for_each(|(out, &v)| out[place] = v);
                }
            }
        });
        true
    }

    /// Keeps the first rows.
    pub fn truncate(&mut self, rows: usize) {
        self.data.truncate(rows * self.width);
    }

    /// The numbers of a column of the table.
    pub fn column(&self, c: usize) -> Option<impl Iterator<Item = f32>> {
        let place = self.places.get(c).copied().flatten()?;
        Some(self.data.iter().skip(place).step_by(self.width.max(1)).copied())
    }

    /// The same table with its columns in another order.
    pub fn reordered(mut self, order: &[usize]) -> Self {
        self.places = order.iter().map(|&c| self.places.get(c).copied().flatten()).collect();
        self
    }

    /// The numbers of some columns, in their order, row by row; `None` if one has no numbers here.
    pub fn of(self, columns: &[usize]) -> Option<Vec<f32>> {
        let places: Vec<usize> =
            columns.iter().map(|&c| self.places.get(c).copied().flatten()).collect::<Option<_>>()?;
        let Self { width, mut data, .. } = self;
        if places.iter().copied().eq(0..width) {
            return Some(data);
        }
        if places.len() > width {
            return None;
        }
        // In place: the new rows are no longer than the old ones.
        let mut row = vec![0.0; places.len()];
        let rows = data.len() / width.max(1);
        for r in 0..rows {
            let old = &data[r * width..][..width];
            row.iter_mut().zip(&places).for_each(|(v, &place)| *v = old[place]);
            data[r * places.len()..][..places.len()].copy_from_slice(&row);
        }
        data.truncate(rows * places.len());
        Some(data)
    }
}

/// Changes each of the rows of this width, side by side.
pub(crate) fn for_rows(data: &mut [f32], width: usize, change: impl Fn(&mut [f32]) + Sync + Send) {
    data.par_chunks_mut(width.max(1)).for_each(change);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_become_rows() {
        let mut table = RowMajor::new(vec![Some(1), None, Some(0)], 1000).expect("memory");
        let column = |from: usize| (from..from + 300).map(|v| v as f32).collect::<Vec<_>>();
        let (a, b, short) = (column(0), column(1000), column(0));
        assert!(table.fill(0, 300, [(0, &a[..]), (1, &a[..]), (2, &b[..])].into_iter()));
        assert!(table.fill(300, 300, [(0, &b[..]), (2, &short[..9])].into_iter()));
        assert!(!table.fill(900, 300, [(0, &a[..])].into_iter()));
        table.truncate(600);
        let numbers = table.of(&[0]).expect("it has a place");
        assert_eq!(numbers, [a, b].concat());
    }

    #[test]
    fn gaps_close_and_columns_are_chosen() {
        let table = |places: Vec<Option<usize>>| {
            let mut table = RowMajor::new(places, 5).expect("memory");
            let mut next = 0.0;
            for (part, rows) in table.parts(&[2, 3]).into_iter().zip([1, 3]) {
                let width = part.len() / (rows + usize::from(rows == 1));
                for v in &mut part[..rows * width] {
                    next += 1.0;
                    *v = next;
                }
            }
            table.close(&[2, 3], &[1, 3]);
            table
        };
        let places = vec![Some(0), None, Some(1), Some(2)];
        let column = |c| table(places.clone()).column(c).map(Vec::from_iter);
        assert_eq!((column(2), column(1)), (Some(vec![2.0, 5.0, 8.0, 11.0]), None));
        let of = |columns: &[usize]| table(places.clone()).of(columns);
        assert_eq!(of(&[0, 2, 3]), Some((1..=12).map(|v| v as f32).collect()));
        assert_eq!(of(&[3, 0]), Some(vec![3.0, 1.0, 6.0, 4.0, 9.0, 7.0, 12.0, 10.0]));
        assert_eq!((of(&[1]), of(&[])), (None, Some(Vec::new())));
        let turned = table(places.clone()).reordered(&[3, 2, 1, 0]);
        assert_eq!(turned.column(0).map(Vec::from_iter), Some(vec![3.0, 6.0, 9.0, 12.0]));
    }
}
