//! Tables in several files of the same columns.

use crate::error::DataError;
use crate::tables::batches::{Batches, Numeric, Segment, Take, TakeFloats, TakeRow};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// The parts of a table, one after another.
#[derive(Debug)]
pub(crate) struct Parts {
    parts: Vec<Reordered>,
    /// Number of rows of each part, counted when a place is asked for.
    rows: OnceLock<Vec<usize>>,
}

impl Parts {
    /// Joins tables; `None` if their columns differ in their names.
    pub fn join(sources: Vec<Arc<dyn Batches>>) -> Option<Self> {
        let first = sources.first()?.clone();
        let mut parts = Vec::with_capacity(sources.len());
        for source in sources {
            let names = source.names();
            if names.len() != first.names().len() || source.named() != first.named() {
                return None;
            }
            let place = |name: &String| names.iter().position(|other| other == name);
            let columns = first.names().iter().map(place).collect::<Option<Vec<_>>>()?;
            parts.push(Reordered::new(source, columns));
        }
        Some(Self { parts, rows: OnceLock::new() })
    }

    fn count_rows(&self) -> Vec<usize> {
        let count = |part: &Reordered| {
            let mut rows = 0;
            for segment in part.segments(&[0], true) {
                // A part that cannot be read is refused where it is read.
                let _ = part.read(&segment, &mut |batch| {
                    rows += batch.num_rows();
                    Ok(())
                });
            }
            rows
        };
        self.parts.iter().map(count).collect()
    }
}

impl Batches for Parts {
    fn names(&self) -> &[String] {
        self.parts.first().map_or(&[], |part| part.names())
    }

    fn named(&self) -> bool {
        self.parts.first().is_some_and(|part| part.named())
    }

    fn typed(&self) -> bool {
        self.parts.first().is_some_and(|part| part.typed())
    }

    fn numeric(&self, column: usize) -> Option<Numeric> {
        let mut of_parts = self.parts.iter().map(|part| part.numeric(column));
        of_parts.try_fold(Numeric::No, |any, numeric| Some(any.max(numeric?)))
    }

    fn tensor(&self, column: usize) -> Option<Vec<usize>> {
        self.parts.first()?.tensor(column)
    }

    fn semicolons(&self) -> bool {
        self.parts.iter().any(Batches::semicolons)
    }

    fn max_rows(&self) -> usize {
        self.parts.iter().fold(0, |n, part| n.saturating_add(part.max_rows()))
    }

    fn segments(&self, columns: &[usize], whole_rows: bool) -> Vec<Segment> {
        let mut all = Vec::new();
        for (file, part) in self.parts.iter().enumerate() {
            all.extend(part.segments(columns, whole_rows).into_iter().map(|segment| Segment { file, ..segment }));
        }
        all
    }

    fn read(&self, segment: &Segment, take: Take<'_>) -> Result<(), DataError> {
        let Some(part) = self.parts.get(segment.file) else { return Ok(()) };
        part.read(&Segment { file: 0, ..segment.clone() }, take)
    }

    fn read_floats(&self, segment: &Segment, column: usize, take: TakeFloats<'_>) -> Result<bool, DataError> {
        let Some(part) = self.parts.get(segment.file) else { return Ok(false) };
        part.read_floats(&Segment { file: 0, ..segment.clone() }, column, take)
    }

    fn rows_in(&self, segment: &Segment) -> usize {
        self.parts.get(segment.file).map_or(0, |part| part.rows_in(&Segment { file: 0, ..segment.clone() }))
    }

    fn rows_within(&self, segment: &Segment) -> Option<usize> {
        self.parts.get(segment.file)?.rows_within(&Segment { file: 0, ..segment.clone() })
    }

    fn read_rows(&self, segment: &Segment, take: TakeRow<'_>) -> Result<(), DataError> {
        let Some(part) = self.parts.get(segment.file) else { return Ok(()) };
        part.read_rows(&Segment { file: 0, ..segment.clone() }, take)
    }

    fn line(&self, row: usize) -> (PathBuf, usize) {
        let rows = self.rows.get_or_init(|| self.count_rows());
        let mut left = row;
        for (part, &n) in self.parts.iter().zip(rows) {
            if left < n {
                return part.line(left);
            }
            left -= n;
        }
        self.parts.last().map_or((PathBuf::new(), row + 1), |part| part.line(left))
    }

    fn file(&self, number: usize) -> Option<PathBuf> {
        Some(self.parts.get(number)?.line(0).0)
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = vec![format!("{} files of the same columns are one table", self.parts.len())];
        for note in self.parts.iter().flat_map(|part| part.source.notes()) {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        notes
    }
}

/// A table with its columns in another order.
#[derive(Debug)]
pub(crate) struct Reordered {
    source: Arc<dyn Batches>,
    /// The position in the source of each column.
    order: Vec<usize>,
    names: Vec<String>,
}

impl Reordered {
    /// Gives the columns at these positions, in this order.
    pub fn new(source: Arc<dyn Batches>, order: Vec<usize>) -> Self {
        let names = order.iter().map(|&c| source.names()[c].clone()).collect();
        Self { source, order, names }
    }
}

impl Batches for Reordered {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn named(&self) -> bool {
        self.source.named()
    }

    fn typed(&self) -> bool {
        self.source.typed()
    }

    fn numeric(&self, column: usize) -> Option<Numeric> {
        self.source.numeric(*self.order.get(column)?)
    }

    fn tensor(&self, column: usize) -> Option<Vec<usize>> {
        self.source.tensor(*self.order.get(column)?)
    }

    fn semicolons(&self) -> bool {
        self.source.semicolons()
    }

    fn max_rows(&self) -> usize {
        self.source.max_rows()
    }

    fn segments(&self, columns: &[usize], whole_rows: bool) -> Vec<Segment> {
        let own: Vec<usize> = columns.iter().map(|&c| self.order[c]).collect();
        let mut segments = self.source.segments(&own, whole_rows);
        for segment in &mut segments {
            let back = |c: &usize| self.order.iter().position(|own| own == c).unwrap_or(0);
            segment.columns = segment.columns.iter().map(back).collect();
        }
        segments
    }

    fn read(&self, segment: &Segment, take: Take<'_>) -> Result<(), DataError> {
        let columns = segment.columns.iter().map(|&c| self.order[c]).collect();
        self.source.read(&Segment { columns, ..segment.clone() }, take)
    }

    fn read_floats(&self, segment: &Segment, column: usize, take: TakeFloats<'_>) -> Result<bool, DataError> {
        // The column alone tells what is read.
        self.source.read_floats(segment, self.order[column], take)
    }

    fn rows_in(&self, segment: &Segment) -> usize {
        self.source.rows_in(segment)
    }

    fn rows_within(&self, segment: &Segment) -> Option<usize> {
        self.source.rows_within(segment)
    }

    fn read_rows(&self, segment: &Segment, take: TakeRow<'_>) -> Result<(), DataError> {
        let columns = segment.columns.iter().map(|&c| self.order[c]).collect();
        self.source.read_rows(&Segment { columns, ..segment.clone() }, take)
    }

    fn line(&self, row: usize) -> (PathBuf, usize) {
        self.source.line(row)
    }

    fn file(&self, number: usize) -> Option<PathBuf> {
        self.source.file(number)
    }
}
