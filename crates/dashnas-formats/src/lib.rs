//! Reads files of many formats into arrays and labels: NumPy, HDF5, MATLAB, Parquet, Arrow, CSV, JSON lines, series, sequences, images and
//! sound.
//!
//! [`readers::read`] reads the file or folder at a path with the first reader in [`readers::READERS`] that recognizes
//! it, and returns [`UnassembledData`]: the arrays and labels as they are in the files. The crate does not know data
//! sets: layouts, kinds of tasks and splits are decided by the crate above it.
//!
//! | modules | contents |
//! |---|---|
//! | [`error`], [`options`], [`found`], [`sample_facts`], [`account`], [`role`] | errors, options, results, the roles of columns and arrays, and splits |
//! | [`array`](mod@array), [`row_source`], `file_rows`, [`spill`], [`fill`], [`ends`], `layout`, `limits` | arrays in memory or in a file |
//! | [`centers`], `subtract` | what is subtracted from numbers before they become `f32` |
//! | [`naming`], `partners`, `content`, `probe`, `unsupported` | how files are recognized and belong together |
//! | [`readers`], `data_sets`, `effects` | the table of readers, the data sets in a folder, and which settings have an effect |
//! | [`container`], `split_arrays`, [`info`], [`npy`], [`npz`], `npy_files`, [`hdf5`], [`mat`], `idx` | files of named arrays |
//! | [`ragged`] | series of unequal lengths among named arrays |
//! | [`tables`], [`account`] | tables of one sample a row, and the roles of their columns |
//! | `series` | files of one series a line |
//! | `sequences` | sequences of letters |
//! | [`folders`], [`media`], [`audio`] | folders of images, sound and recordings |
//! | `records` | recordings of signals: WFDB, EDF and BDF |
//! | `windows`, [`places`] | recordings cut into windows, and where these are |
//! | [`predictions`] | the tables that `dashnas predict` writes |
//! | [`pickle`] | Python pickles of data, without Python |
//! | [`bytes`](mod@bytes), `text` | whole files in memory |

pub mod account;
pub mod array;
mod array_use;
pub mod audio;
pub mod bytes;
pub mod called;
pub mod centers;
pub mod container;
mod content;
mod data_sets;
mod effects;
pub mod ends;
pub mod error;
mod file_rows;
pub mod fill;
pub mod folders;
pub mod found;
mod groups;
pub mod hdf5;
mod idx;
pub mod info;
mod large_labels;
mod layout;
mod limits;
pub mod mat;
pub mod media;
pub mod naming;
pub mod npy;
mod npy_files;
mod npy_objects;
pub mod npz;
pub mod options;
mod partners;
pub mod pickle;
pub mod places;
pub mod predictions;
mod probe;
pub mod ragged;
pub mod readers;
mod records;
pub mod role;
pub mod row_source;
pub mod sample_facts;
mod samples_last;
mod sequences;
mod series;
pub mod spill;
mod split_arrays;
mod subtract;
pub mod tables;
mod text;
mod unsupported;
mod windows;

pub use crate::array::Array;
pub use crate::error::DataError;
pub use crate::found::UnassembledData;
pub use crate::options::ReadOptions;
