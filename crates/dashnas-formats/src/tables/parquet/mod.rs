//! Parquet tables, by the crate `parquet`. Columns are decoded side by side, in batches of rows.

mod buffers;
mod file_bytes;
mod floats;
mod pages;

use crate::error::{DataError, Location};
use crate::options::ReadOptions;
use crate::tables::arrow::{numeric, tensor_shape};
use crate::tables::batches::{Batches, Numeric, Segment, Take, TakeFloats};
use crate::tables::guard::guard;
use crate::tables::parquet::buffers::Buffers;
use crate::tables::parquet::file_bytes::{ByPlace, FileBytes};
use crate::tables::parquet::pages::Group;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, RowGroups};
use parquet::arrow::{ProjectionMask, parquet_to_arrow_field_levels, parquet_to_arrow_schema};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Rows that are decoded at a time.
const ROWS: usize = 1024;
/// Most columns that are decoded by one thread.
const COLUMNS: usize = 16;
/// Numbers from which on a thread decodes fewer columns, so that they stay in the cache until they are rearranged.
const NUMBERS: usize = 1 << 20;

/// A Parquet file whose footer has been read.
pub(crate) struct ParquetFile {
    path: PathBuf,
    bytes: FileBytes,
    buffers: Arc<Buffers>,
    metadata: ParquetMetaData,
    names: Vec<String>,
    /// Whether the values of the columns can be numbers; empty if the schema does not tell.
    numeric: Vec<Numeric>,
    /// The shapes of the columns that are tensors.
    tensors: Vec<Option<Vec<usize>>>,
    /// The places among the primitive columns of those that hold floating-point numbers.
    floats: Vec<Option<usize>>,
    rows: usize,
    limit: u64,
}

impl fmt::Debug for ParquetFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParquetFile").field("path", &self.path).field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl ParquetFile {
    /// Opens a file.
    ///
    /// # Errors
    /// [`DataError`] if it is not a Parquet file.
    pub fn open(path: &Path, options: &ReadOptions) -> Result<Self, DataError> {
        let buffers = Arc::<Buffers>::default();
        let bytes = if crate::naming::is_gzipped(path) {
            FileBytes::Memory(crate::bytes::bytes(path, options.whole_file())?.into())
        } else {
            let file = File::open(path).map_err(|e| DataError::io(path, e))?;
            let size = file.metadata().map_err(|e| DataError::io(path, e))?.len();
            FileBytes::File(Arc::new(ByPlace::new(file)), size, buffers.clone())
        };
        Self::new(path, bytes, buffers, options)
    }

    /// Reads the footer.
    fn new(path: &Path, bytes: FileBytes, buffers: Arc<Buffers>, options: &ReadOptions) -> Result<Self, DataError> {
        use parquet::file::reader::Length;
        let bad = |reason: String| {
            DataError::file(path, format!("it cannot be read as Parquet: {reason}"))
                .with_hint("it may be cut short: get it again")
        };
        let metadata = guard(|| ParquetMetaDataReader::new().parse_and_finish(&bytes)).map_err(bad)?;
        let rows =
            usize::try_from(metadata.file_metadata().num_rows()).map_err(|_| bad("it has no number of rows".into()))?;
        // Run-length encoding can claim any number of rows in a few bytes; no real table is compressed that much.
        if rows as u128 > u128::from(bytes.len()) * 4096 {
            return Err(bad(format!("{} bytes do not hold {rows} rows", bytes.len())));
        }
        let of_groups = metadata.row_groups().iter().map(|group| u128::try_from(group.num_rows()).ok());
        if of_groups.sum::<Option<u128>>() != Some(rows as u128) {
            return Err(bad(format!("its row groups do not hold {rows} rows")));
        }
        let root = metadata.file_metadata().schema();
        let names: Vec<String> = root.get_fields().iter().map(|field| field.name().to_owned()).collect();
        let tensors = tensors(&metadata, &names);
        let schema = guard(|| parquet_to_arrow_schema(metadata.file_metadata().schema_descr(), None));
        let numeric =
            schema.map_or_else(|_| Vec::new(), |s| s.fields().iter().map(|f| numeric(f.data_type())).collect());
        let floats = floats::leaves(metadata.file_metadata().schema_descr());
        Ok(Self {
            path: path.into(),
            bytes,
            buffers,
            metadata,
            names,
            numeric,
            tensors,
            floats,
            rows,
            limit: options.max_bytes,
        })
    }
}

/// The shapes of the columns that are tensors, which only the schema says that Arrow wrote.
fn tensors(metadata: &ParquetMetaData, names: &[String]) -> Vec<Option<Vec<usize>>> {
    let file = metadata.file_metadata();
    let schema = guard(|| parquet_to_arrow_schema(file.schema_descr(), file.key_value_metadata()));
    // A damaged schema of Arrow does not matter: the types of Parquet are those that are read.
    let Ok(schema) = schema else { return Vec::new() };
    names.iter().map(|name| schema.field_with_name(name).ok().and_then(tensor_shape)).collect()
}

impl ParquetFile {
    /// The pages of a row group.
    fn pages<'a>(&'a self, group: &'a RowGroupMetaData) -> Group<'a> {
        Group {
            file: &self.bytes,
            buffers: &self.buffers,
            metadata: &self.metadata,
            group,
            batch: ROWS,
            limit: self.limit,
        }
    }

    /// Reads columns of a row group. The outer error is that of the file, the inner one that of `take`.
    fn read_columns(
        &self,
        group: &RowGroupMetaData,
        columns: &[usize],
        take: Take<'_>,
    ) -> Result<Result<(), DataError>, String> {
        let schema = self.metadata.file_metadata().schema_descr();
        let mut reader = guard(|| {
            let mask = ProjectionMask::roots(schema, columns.iter().copied());
            let levels = parquet_to_arrow_field_levels(schema, mask, None)?;
            ParquetRecordBatchReader::try_new_with_row_groups(&levels, &self.pages(group), ROWS, None)
        })?;
        // The reader gives the columns in the order of the file.
        let mut order: Vec<usize> = (0..columns.len()).collect();
        order.sort_by_key(|&i| columns[i]);
        let mut place = vec![0; order.len()];
        order.iter().enumerate().for_each(|(at, &i)| place[i] = at);
        let mut rows = 0;
        while let Some(batch) = guard(|| reader.next().transpose())? {
            rows += batch.num_rows();
            let batch = guard(|| batch.project(&place))?;
            if let Err(error) = take(&batch) {
                return Ok(Err(error));
            }
        }
        if rows as i64 == group.num_rows() {
            return Ok(Ok(()));
        }
        Err(format!("it has {rows} values for {} rows", group.num_rows()))
    }
}

impl Batches for ParquetFile {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn numeric(&self, column: usize) -> Option<Numeric> {
        self.numeric.get(column).copied()
    }

    fn tensor(&self, column: usize) -> Option<Vec<usize>> {
        self.tensors.get(column)?.clone()
    }

    fn max_rows(&self) -> usize {
        self.rows
    }

    fn segments(&self, columns: &[usize], whole_rows: bool) -> Vec<Segment> {
        let groups = 0..self.metadata.num_row_groups();
        let parts = |at| {
            let rows = usize::try_from(self.metadata.row_group(at).num_rows()).unwrap_or(0);
            let width = if whole_rows { columns.len() } else { (NUMBERS / rows.max(1)).clamp(1, COLUMNS) };
            let part = move |part: &[usize]| Segment { file: 0, at, columns: part.to_vec() };
            columns.chunks(width.max(1)).map(part)
        };
        groups.flat_map(parts).collect()
    }

    fn read(&self, segment: &Segment, take: Take<'_>) -> Result<(), DataError> {
        let Some(group) = self.metadata.row_groups().get(segment.at) else { return Ok(()) };
        if group.num_rows() == 0 || segment.columns.is_empty() {
            return Ok(());
        }
        match self.read_columns(group, &segment.columns, take) {
            Ok(result) => result,
            Err(reason) => {
                // The column that cannot be read cannot be read by itself either.
                let alone = |c: usize| self.read_columns(group, &[c], &mut |_| Ok(())).err().map(|reason| (c, reason));
                let found = segment.columns.iter().find_map(|&c| alone(c));
                let (c, reason) = found.unwrap_or((segment.columns[0], reason));
                Err(DataError::at(&self.path, Location::Entry(self.names[c].clone()), reason))
            }
        }
    }

    fn read_floats(&self, segment: &Segment, column: usize, take: TakeFloats<'_>) -> Result<bool, DataError> {
        let Some(leaf) = self.floats.get(column).copied().flatten() else { return Ok(false) };
        let Some(group) = self.metadata.row_groups().get(segment.at) else { return Ok(false) };
        let rows = usize::try_from(group.num_rows()).unwrap_or(0);
        if rows == 0 {
            return Ok(true);
        }
        let mut read = || {
            let mut chunks = guard(|| self.pages(group).column_chunks(leaf))?;
            let pages = guard(|| chunks.next().transpose())?.ok_or("it has no pages")?;
            floats::read(self.metadata.file_metadata().schema_descr().column(leaf), pages, rows, take)
        };
        let bad = |reason: String| DataError::at(&self.path, Location::Entry(self.names[column].clone()), reason);
        read().map(|()| true).map_err(bad)
    }

    fn rows_in(&self, segment: &Segment) -> usize {
        let rows = self.metadata.row_groups().get(segment.at).map_or(0, RowGroupMetaData::num_rows);
        usize::try_from(rows).unwrap_or(0).min(self.rows)
    }

    fn line(&self, row: usize) -> (PathBuf, usize) {
        (self.path.clone(), row + 1)
    }
}
