//! The account of the columns of a table: the role of each, and the reason for it.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a column of a table is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ColumnRole {
    /// An input of the network.
    Input,
    /// What the network is to predict.
    Label,
    /// The group of a sample, which no split divides.
    Group,
    /// The recording of a time step, among those of its group.
    Recording,
    /// The split of a sample.
    Split,
    /// The weight of a sample.
    Weight,
    /// The time of a sample.
    Time,
    /// The number or name of a sample.
    Id,
    /// Nothing.
    LeftOut,
}

impl fmt::Display for ColumnRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ColumnRole::Input => "input",
            ColumnRole::Label => "label",
            ColumnRole::Group => "group",
            ColumnRole::Recording => "recording",
            ColumnRole::Split => "split",
            ColumnRole::Weight => "weight",
            ColumnRole::Time => "time",
            ColumnRole::Id => "id",
            ColumnRole::LeftOut => "left out",
        })
    }
}

/// A column, its role, and why it has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnAccount {
    /// The name, or the number from 1 if the table does not name its columns.
    pub name: String,
    /// The role.
    pub role: ColumnRole,
    /// The reason, as the rest of a sentence that begins with the column and its role.
    pub reason: String,
}
