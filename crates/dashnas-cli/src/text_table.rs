//! Tables as text for people.

use comfy_table::{CellAlignment, Table, presets};

/// An empty table with a frame.
pub fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_header(header);
    table
}

/// An empty table with a frame whose columns hold numbers, except for the first one.
pub fn table_of_numbers(header: &[&str]) -> Table {
    let mut table = table(header);
    right_align(&mut table, 1);
    table
}

/// Aligns the columns from this one on to the right, as numbers are.
pub fn right_align(table: &mut Table, from: usize) {
    for column in table.column_iter_mut().skip(from) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}
