//! The results of a comparison of methods as text for people.

use crate::text_table::table_of_numbers;
use dashnas_core::text::{duration, plural};
use dashnas_methods::comparison::results::Results;
use dashnas_report::methods::MethodsView;
use std::path::Path;

/// The whole text.
pub fn text(results: &Results, dir: &Path) -> String {
    let view = MethodsView::new(results);
    let limit = results.time_limit.map_or_else(String::new, |limit| format!(", {} each", duration(limit)));
    let mut text = format!(
        "{}: {} (preset {}, {}{limit}), {} to train on and {} to test on\n\n",
        results.dataset,
        results.task,
        results.preset.name(),
        plural(results.seeds.len(), "seed"),
        plural(results.samples[0], "sample"),
        results.samples[1],
    );
    for part in &view.tables {
        let header: Vec<&str> = part.header.iter().map(String::as_str).collect();
        let mut table = table_of_numbers(&header);
        part.rows.iter().for_each(|row| {
            table.add_row(row.cells.clone());
        });
        text += &format!("{table}\n{}\n\n", part.note);
    }
    for sentence in &view.sentences {
        text += &format!("{sentence}\n");
    }
    text + &format!("Results: {}\n", dir.display())
}
