//! The passes over a table: the first collects the facts about every column, and the numbers where they fit into memory;
//! later ones read the texts of some columns, or the rows.

use crate::error::DataError;
use crate::limits::{check_memory, stays_in_file};
use crate::options::ReadOptions;
use crate::tables::arrow::text;
use crate::tables::batches::{Batches, Numeric, Segment};
use crate::tables::chunk::{Budget, Chunk, Keep};
use crate::tables::facts::Facts;
use crate::tables::number::{Cell, Style, cell, spelling_of_point};
use crate::tables::row_major::RowMajor;
use crate::tables::table::{Column, Table};
use crate::text::first_duplicate;
use arrow_array::Array as _;
use rayon::prelude::*;
use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Rows that are looked at to tell texts from numbers.
const LOOKED_AT: usize = 50;

/// Reads the facts about the columns of a table, and its numbers where they fit into memory.
///
/// # Errors
/// [`DataError`] if two columns have one name, if there are no rows, and the errors of reading.
pub(crate) fn load(path: &Path, source: Arc<dyn Batches>, options: &ReadOptions) -> Result<Table, DataError> {
    let names = source.names();
    if let Some((i, j)) = first_duplicate(names) {
        let reason = format!("columns {} and {} are both named `{}`", i + 1, j + 1, names[j]);
        return Err(DataError::file(path, reason).with_hint("give every column its own name"));
    }
    let most = source.max_rows();
    if names.is_empty() || most == 0 {
        return Err(DataError::file(path, "it holds no rows"));
    }
    let elements = most as u128 * names.len() as u128;
    // Numbers from which others are subtracted are read once the columns of inputs are known.
    let stored = stays_in_file(elements, options.in_memory) || !options.centers.inputs.is_empty();
    // With columns left in the file, only those that are needed as a whole are in memory.
    check_memory(path, "table", if stored { most as u128 } else { elements }, options)?;
    let budget = Budget::new(options.max_bytes / 4);
    let style = Style::of_option(options.decimal.as_deref());
    let keep = Keep { numbers: !stored, style, texts: Some(&budget), center: 0.0 };
    let (mut columns, mut rows, file_rows) = first_pass(path, source.as_ref(), keep)?;
    if columns.iter().all(|column| column.facts.rows == 0) {
        return Err(DataError::file(path, "it holds no rows"));
    }
    let mut notes = source.notes();
    let mut decimal = None;
    if options.decimal.is_none()
        && let Some(style) = number_style(path, &columns)?
    {
        let sign = style.decimal.to_string();
        notes.push(match style.decimal {
            ',' => "the decimal sign is a comma (`data.decimal`)".to_owned(),
            _ => "digits are grouped by threes, as in 1,234.5 (`data.decimal`)".to_owned(),
        });
        drop(rows);
        (columns, rows, _) = first_pass(path, source.as_ref(), Keep { style, texts: None, ..keep })?;
        decimal = Some(sign);
    }
    if options.decimal.is_none() && decimal.is_none() && source.semicolons() {
        check_points(path, source.as_ref(), &columns)?;
    }
    Ok(Table { path: path.into(), named: source.named(), columns, rows, notes, decimal, stored, file_rows, source })
}

/// The columns of a table, its numbers if they are kept, and the number of rows of each file.
type Read = (Vec<Column>, Option<RowMajor>, Vec<usize>);

/// Adds rows to those of a file.
fn add_rows(file_rows: &mut Vec<usize>, file: usize, rows: usize) {
    file_rows.resize(file_rows.len().max(file + 1), 0);
    file_rows[file] += rows;
}

/// Reads every column once, and the numbers if they are kept.
fn first_pass(path: &Path, source: &dyn Batches, keep: Keep<'_>) -> Result<Read, DataError> {
    let all: Vec<usize> = (0..source.names().len()).collect();
    let segments = source.segments(&all, false);
    let within: Option<Vec<usize>> = segments.par_iter().map(|segment| source.rows_within(segment)).collect();
    match within {
        Some(within) => by_rows(path, source, &segments, &within, keep),
        None => by_columns(path, source, &segments, keep),
    }
}

/// Reads segments of rows of texts, of at most so many rows each. The numbers are written to where the samples need them.
fn by_rows(
    path: &Path,
    source: &dyn Batches,
    segments: &[Segment],
    within: &[usize],
    keep: Keep<'_>,
) -> Result<Read, DataError> {
    let changed = || DataError::file(path, "the file has changed while it was read");
    let count = source.names().len();
    let places = if keep.numbers { places(source, segments, keep)? } else { vec![None; count] };
    let most = within.iter().fold(0, |n: usize, &rows| n.saturating_add(rows));
    let mut rows =
        RowMajor::new(places, most).ok_or_else(|| DataError::file(path, "its numbers do not fit into memory"))?;
    let (places, width) = (rows.places().to_vec(), rows.width());
    // Columns of fractions, of which no other segment need count the distinct numbers.
    let settled: Vec<AtomicBool> = (0..count).map(|_| AtomicBool::new(false)).collect();
    let read = |(segment, out): (&Segment, &mut [f32])| {
        let start = |&c: &usize| if settled[c].load(Ordering::Relaxed) { Chunk::settled() } else { Chunk::default() };
        let mut chunks: Vec<Chunk> = segment.columns.iter().map(start).collect();
        let keep = Keep { numbers: false, ..keep };
        let (mut read, mut fits) = (0, true);
        source.read_rows(segment, &mut |cells| {
            let Some(row) = out.get_mut(read * width..(read + 1) * width) else {
                fits = false;
                return false;
            };
            read += 1;
            for ((chunk, text), place) in chunks.iter_mut().zip(cells.texts()).zip(&places) {
                let value = chunk.text(text, keep);
                if let Some(place) = place {
                    row[*place] = value;
                }
            }
            true
        })?;
        if !fits {
            return Err(changed());
        }
        for (chunk, &c) in chunks.iter().zip(&segment.columns) {
            settled[c].fetch_or(chunk.facts.is_settled(), Ordering::Relaxed);
        }
        Ok((chunks, read))
    };
    let parts = rows.parts(within);
    let found: Vec<Result<_, DataError>> = segments.par_iter().zip(parts).map(read).collect();
    let mut parts: Vec<Vec<Chunk>> = (0..count).map(|_| Vec::new()).collect();
    let mut used = Vec::with_capacity(found.len());
    let mut file_rows = Vec::new();
    for (segment, found) in segments.iter().zip(found) {
        let (chunks, rows) = found?;
        add_rows(&mut file_rows, segment.file, rows);
        parts.iter_mut().zip(chunks).for_each(|(parts, chunk)| parts.push(chunk));
        used.push(rows);
    }
    rows.close(within, &used);
    Ok((join(source, parts), keep.numbers.then_some(rows), file_rows))
}

/// The places in a row of the columns that may hold numbers: their first cells are no other texts.
fn places(source: &dyn Batches, segments: &[Segment], keep: Keep<'_>) -> Result<Vec<Option<usize>>, DataError> {
    let mut numeric = vec![true; source.names().len()];
    let mut seen = 0;
    if let Some(first) = segments.first() {
        source.read_rows(first, &mut |cells| {
            for (numeric, text) in numeric.iter_mut().zip(cells.texts()) {
                *numeric &= cell(text.trim(), keep.style) != Cell::Text;
            }
            seen += 1;
            seen < LOOKED_AT
        })?;
    }
    Ok(places_of(numeric))
}

/// Reads segments of some columns each, a window of them at a time, whose numbers are then rearranged to where the samples
/// need them.
fn by_columns(path: &Path, source: &dyn Batches, segments: &[Segment], keep: Keep<'_>) -> Result<Read, DataError> {
    let no_memory = || DataError::file(path, "its numbers do not fit into memory");
    let names = source.names().len();
    let mut rows: Option<RowMajor> = None;
    if let Some(numeric) = keep.numbers.then(|| numeric(source, keep)).flatten() {
        rows = Some(RowMajor::new(places_of(numeric), source.max_rows()).ok_or_else(no_memory)?);
    }
    // The memory for the numbers of one window is that of the next one.
    let spare = Mutex::new(Vec::new());
    let mut parts: Vec<Vec<Chunk>> = (0..names).map(|_| Vec::new()).collect();
    let mut file_rows = Vec::new();
    // The part of the rows that is read, its first row, and the number of its rows.
    let (mut part, mut first, mut count) = (None, 0, 0);
    let mut left = segments;
    while !left.is_empty() {
        // Without types, the first part of the rows tells which columns are numeric.
        let (window, others) = left.split_at(window(source, left, keep.numbers && rows.is_none()));
        left = others;
        let read = |segment: &Segment| read_columns(source, segment, rows.as_ref().map(RowMajor::places), keep, &spare);
        let found: Vec<Result<Vec<Chunk>, DataError>> = window.par_iter().map(read).collect();
        let mut found = found.into_iter();
        for group in window.chunk_by(|a, b| part_of(a) == part_of(b)) {
            let mut columns: Vec<(usize, Chunk)> = Vec::new();
            for (segment, chunks) in group.iter().zip(&mut found) {
                columns.extend(segment.columns.iter().copied().zip(chunks?));
            }
            let read = columns.first().map_or(0, |(_, chunk)| chunk.facts.rows);
            if part != group.first().map(part_of) {
                part = group.first().map(part_of);
                (first, count) = (first + count, read);
                add_rows(&mut file_rows, group.first().map_or(0, |segment| segment.file), count);
            }
            if keep.numbers {
                if rows.is_none() {
                    let places = of_numbers(names, &columns);
                    rows = Some(RowMajor::new(places, source.max_rows()).ok_or_else(no_memory)?);
                }
                let numbers = columns.iter().map(|(c, chunk)| (*c, &chunk.numbers[..]));
                if read != count || !rows.as_mut().is_some_and(|rows| rows.fill(first, count, numbers)) {
                    return Err(DataError::file(path, "the file has changed while it was read"));
                }
            }
            let mut spare = spare.lock().unwrap_or_else(PoisonError::into_inner);
            for (c, mut chunk) in columns {
                let numbers = std::mem::take(&mut chunk.numbers);
                spare.extend(Some(numbers).filter(|numbers| numbers.capacity() > 0));
                parts[c].push(chunk);
            }
        }
    }
    if let Some(rows) = &mut rows {
        rows.truncate(first + count);
    }
    Ok((join(source, parts), rows, file_rows))
}

/// Returns which columns may hold numbers, where the types of all columns are known. The first texts of a column tell whether
/// they are numbers.
fn numeric(source: &dyn Batches, keep: Keep<'_>) -> Option<Vec<bool>> {
    let kinds: Vec<Numeric> = (0..source.names().len()).map(|c| source.numeric(c)).collect::<Option<_>>()?;
    let texts: Vec<usize> = (0..kinds.len()).filter(|&c| kinds[c] == Numeric::AsTexts).collect();
    let segments = source.segments(&texts, false);
    let first = segments.chunk_by(|a, b| part_of(a) == part_of(b)).next().unwrap_or_default();
    let others = first.par_iter().flat_map_iter(|segment| {
        let mut others = Vec::new();
        // An error ends the reading after the first batch. Other errors are found again where all is read.
        let _ = source.read(segment, &mut |batch| {
            for (&c, array) in segment.columns.iter().zip(batch.columns()) {
                let is_text =
                    |i| text(array.as_ref(), i).is_some_and(|text| cell(text.trim(), keep.style) == Cell::Text);
                if (0..array.len().min(LOOKED_AT)).any(is_text) {
                    others.push(c);
                }
            }
            Err(DataError::file(Path::new(""), "it is not read further"))
        });
        others
    });
    let others: HashSet<usize> = others.collect();
    Some((0..kinds.len()).map(|c| kinds[c] != Numeric::No && !others.contains(&c)).collect())
}

/// The part of the rows that a segment belongs to.
fn part_of(segment: &Segment) -> (usize, usize) {
    (segment.file, segment.at)
}

/// The number of segments that are read before their numbers are rearranged: enough for every thread, but no more than a
/// small part of a large table. With `whole`, all those of the first part of the rows.
fn window(source: &dyn Batches, segments: &[Segment], whole: bool) -> usize {
    /// Numbers that are read before they are rearranged.
    const NUMBERS: usize = 4 << 20;
    let mut numbers = 0_usize;
    let fits = |i: usize, segment: &Segment| {
        let room = numbers < NUMBERS || i < 2 * rayon::current_num_threads();
        numbers = numbers.saturating_add(source.rows_in(segment).saturating_mul(segment.columns.len()));
        room || (whole && part_of(segment) == part_of(&segments[0]))
    };
    let mut fits = fits;
    segments.iter().enumerate().position(|(i, segment)| !fits(i, segment)).unwrap_or(segments.len())
}

/// Reads the columns of a segment. Only those that have a place keep their numbers, if the places are known.
fn read_columns(
    source: &dyn Batches,
    segment: &Segment,
    places: Option<&[Option<usize>]>,
    keep: Keep<'_>,
    spare: &Mutex<Vec<Vec<f32>>>,
) -> Result<Vec<Chunk>, DataError> {
    let mut chunks: Vec<Chunk> = segment.columns.iter().map(|_| Chunk::default()).collect();
    let keeps: Vec<Keep<'_>> = segment
        .columns
        .iter()
        .map(|&c| Keep { numbers: keep.numbers && places.is_none_or(|places| places[c].is_some()), ..keep })
        .collect();
    let rows = source.rows_in(segment);
    let reserve = |chunk: &mut Chunk| {
        let used = spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        chunk.reserve(rows, used.unwrap_or_default());
    };
    let mut others = Vec::new();
    for (i, &c) in segment.columns.iter().enumerate() {
        let (chunk, keep) = (&mut chunks[i], keeps[i]);
        let read = source.read_floats(segment, c, &mut |floats| {
            if rows > 0 && keep.numbers && chunk.facts.rows == 0 {
                reserve(chunk);
            }
            chunk.add_floats(floats, keep);
        })?;
        others.extend(Some(i).filter(|_| !read));
    }
    let columns: Vec<usize> = others.iter().map(|&i| segment.columns[i]).collect();
    source.read(&Segment { columns, ..segment.clone() }, &mut |batch| {
        for (&i, array) in others.iter().zip(batch.columns()) {
            let (chunk, keep) = (&mut chunks[i], keeps[i]);
            if rows > 0 && keep.numbers && chunk.facts.rows == 0 && array.data_type().is_numeric() {
                reserve(chunk);
            }
            chunk.add(array.as_ref(), keep);
        }
        Ok(())
    })?;
    Ok(chunks)
}

/// The places in a row of the columns that have one.
fn places_of(has: impl IntoIterator<Item = bool>) -> Vec<Option<usize>> {
    let mut next = 0..;
    has.into_iter().map(|has| if has { next.next() } else { None }).collect()
}

/// The places in a row of the columns whose first part holds nothing but numbers.
fn of_numbers(columns: usize, first: &[(usize, Chunk)]) -> Vec<Option<usize>> {
    places_of((0..columns).map(|c| first.iter().any(|(column, chunk)| *column == c && chunk.facts.is_numeric())))
}

/// Joins the chunks of every column.
fn join(source: &dyn Batches, parts: Vec<Vec<Chunk>>) -> Vec<Column> {
    let join = |(name, mut chunks): (&String, Vec<Chunk>)| {
        let mut facts = Facts::default();
        chunks.iter().for_each(|chunk| facts.merge(&chunk.facts));
        let mut texts = None;
        if facts.texts > 0 && chunks.iter().all(|chunk| chunk.texts.is_some() || chunk.facts.rows == 0) {
            texts = Some(chunks.iter_mut().filter_map(|chunk| chunk.texts.take()).flatten().collect());
        }
        Column { name: name.clone(), facts, texts }
    };
    source.names().iter().zip(parts).map(join).collect()
}

/// Refuses a table separated by semicolons whose points may be decimal signs or stand between thousands: no number has
/// another number of digits behind a point than three, and none begins with `0.`.
fn check_points(path: &Path, source: &dyn Batches, columns: &[Column]) -> Result<(), DataError> {
    let fractions: Vec<usize> = (0..columns.len())
        .filter(|&c| columns[c].facts.is_numeric() && columns[c].facts.numbers > 0 && !columns[c].facts.all_whole())
        .collect();
    let Some(segment) = source.segments(&fractions, true).into_iter().next() else { return Ok(()) };
    let (mut example, mut decimal) = (None, false);
    source.read(&segment, &mut |batch| {
        for (array, &c) in batch.columns().iter().zip(&segment.columns) {
            for i in 0..array.len() {
                let Some(text) = text(array.as_ref(), i) else { continue };
                match spelling_of_point(text.trim()) {
                    Some(true) => decimal = true,
                    Some(false) => _ = example.get_or_insert_with(|| (c, text.trim().to_owned())),
                    None => {}
                }
            }
        }
        Ok(())
    })?;
    match example {
        Some((c, text)) if !decimal => {
            let (thousand, name) = (text.replace('.', ""), &columns[c].name);
            let reason = format!(
                "it is not clear whether the point in column `{name}` is the decimal sign or groups the digits of thousands: \
                 is `{text}` {thousand}?"
            );
            Err(DataError::file(path, reason).with_hint(
                "set `data.decimal` to `,` if the points group thousands, or to `.` if they are decimal signs",
            ))
        }
        _ => Ok(()),
    }
}

/// Returns the way in which the numbers of a table are written, if it is another one than usual.
fn number_style(path: &Path, columns: &[Column]) -> Result<Option<Style>, DataError> {
    let spelled = |facts: &&Facts| {
        let numbers = facts.comma + facts.grouped + facts.either;
        numbers > 0 && numbers * 10 >= facts.texts * 9 && (numbers + facts.numbers) * 2 > facts.known()
    };
    let (mut comma, mut grouped, mut either) = (0, 0, None);
    for (c, facts) in columns.iter().map(|column| &column.facts).enumerate().filter(|(_, facts)| spelled(facts)) {
        comma += facts.comma;
        grouped += facts.grouped;
        either = either.or((facts.either > 0).then_some(c));
    }
    match (comma, grouped, either) {
        (0, 0, None) => Ok(None),
        (1.., 0, _) => Ok(Some(Style { decimal: ',', grouped: true })),
        (0, 1.., _) => Ok(Some(Style { decimal: '.', grouped: true })),
        (0, 0, Some(c)) => {
            let reason = format!(
                "it is not clear whether the comma in column `{}` is the decimal sign or groups the digits of thousands",
                columns[c].name
            );
            Err(DataError::file(path, reason).with_hint(
                "set `data.decimal` to `,` if 1,234 is a little more than one, or to `.` if it is a thousand",
            ))
        }
        _ => Err(DataError::file(
            path,
            "some of its numbers have a decimal comma, and some have commas between thousands",
        )
        .with_hint("write numbers in one way; `data.decimal` says which sign is the decimal sign")),
    }
}
