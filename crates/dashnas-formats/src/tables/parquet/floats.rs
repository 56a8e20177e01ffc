//! Columns of floating-point numbers, decoded from their pages to where they are looked at, without arrays of Arrow in between.

use crate::tables::batches::{Floats, TakeFloats};
use crate::tables::guard::guard;
use parquet::basic::Type;
use parquet::column::page::PageReader;
use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::{DataType, DoubleType, FloatType};
use parquet::schema::types::{ColumnDescPtr, SchemaDescriptor};

/// Numbers that are decoded at a time. They stay in the cache while they are looked at.
const ROWS: usize = 4096;

/// For each column, its place among the primitive columns if it holds one floating-point number, or none, a row.
pub(super) fn leaves(schema: &SchemaDescriptor) -> Vec<Option<usize>> {
    let mut leaves = vec![None; schema.root_schema().get_fields().len()];
    for (leaf, column) in schema.columns().iter().enumerate() {
        let single = column.path().parts().len() == 1 && column.max_rep_level() == 0 && column.max_def_level() <= 1;
        let plain = column.logical_type_ref().is_none();
        let place = leaves.get_mut(schema.get_column_root_idx(leaf));
        if let (Some(place), true, true, Type::FLOAT | Type::DOUBLE) = (place, single, plain, column.physical_type()) {
            *place = Some(leaf);
        }
    }
    leaves
}

/// Reads the numbers of such a column in the one chunk that it has in a row group of so many rows.
///
/// # Errors
/// What is wrong in the file.
pub(super) fn read(
    column: ColumnDescPtr,
    pages: Box<dyn PageReader>,
    rows: usize,
    take: TakeFloats<'_>,
) -> Result<(), String> {
    match column.physical_type() {
        Type::FLOAT => numbers::<FloatType>(column, pages, rows, f32::NAN, |values| take(Floats::Single(values))),
        _ => numbers::<DoubleType>(column, pages, rows, f64::NAN, |values| take(Floats::Double(values))),
    }
}

fn numbers<T: DataType>(
    column: ColumnDescPtr,
    pages: Box<dyn PageReader>,
    rows: usize,
    missing: T::T,
    mut take: impl FnMut(&[T::T]),
) -> Result<(), String>
where
    T::T: Copy,
{
    let known = column.max_def_level();
    let mut reader = guard(|| Ok::<_, String>(ColumnReaderImpl::<T>::new(column, pages)))?;
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    let mut read = 0;
    loop {
        values.clear();
        levels.clear();
        let (records, found, _) = guard(|| reader.read_records(ROWS, Some(&mut levels), None, &mut values))?;
        read += records;
        if records == 0 || read > rows {
            break;
        }
        if found < records {
            spread(&mut values, &levels, known, records, missing);
        }
        take(&values);
    }
    if read == rows { Ok(()) } else { Err(format!("it has {read} values for {rows} rows")) }
}

/// Moves values to the records that have one, by their levels.
fn spread<T: Copy>(values: &mut Vec<T>, levels: &[i16], known: i16, records: usize, missing: T) {
    let mut from = values.len();
    values.resize(records, missing);
    for (to, &level) in levels.iter().enumerate().take(records).rev() {
        values[to] = match from.checked_sub(1).filter(|_| level == known) {
            Some(last) => {
                from = last;
                values[last]
            }
            None => missing,
        };
    }
}
