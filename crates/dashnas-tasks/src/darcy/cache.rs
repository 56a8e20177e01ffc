//! Darcy flow data on disk: an `.npz` archive (each entry with its checksum) of `a` and `u` that can be read as a data
//! set of its own, together with the configuration and the seed that it was generated with.

use crate::darcy::config::DarcyConfig;
use crate::darcy::error::DarcyError;
use crate::darcy::fields::Fields;
use dashnas_core::names::TaskName;
use dashnas_data::npz;
use dashnas_formats::options::ReadOptions;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

/// Is incremented when a change of the code changes the data of a configuration.
const VERSION: u32 = 1;

const ENTRY: &str = "darcy.json";

/// The description of the data in a cache file.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct CacheHeader {
    version: u32,
    config: CachedConfig,
}

/// The configuration and the seed of the data in a cache file.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CachedConfig {
    resolution: usize,
    stride: usize,
    train: usize,
    test: usize,
    seed: u64,
}

impl CacheHeader {
    fn new(config: &DarcyConfig, seed: u64) -> Self {
        let DarcyConfig { resolution, stride, train, test } = *config;
        Self { version: VERSION, config: CachedConfig { resolution, stride, train, test, seed } }
    }
}

/// The fields in the file at `path`: `None` if there is no file, or if it holds other data.
///
/// # Errors
/// The defect of the file.
pub(super) fn read(path: &Path, config: &DarcyConfig, seed: u64) -> Result<Option<[Fields; 2]>, String> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e.to_string()),
    };
    let mut zip = ZipArchive::new(BufReader::new(file)).map_err(|e| e.to_string())?;
    let mut text = String::new();
    let entry = zip.by_name(ENTRY).map_err(|e| e.to_string())?;
    entry.take(4096).read_to_string(&mut text).map_err(|e| e.to_string())?;
    let header: CacheHeader = serde_json::from_str(&text).map_err(|e| e.to_string())?;
    if header != CacheHeader::new(config, seed) {
        return Ok(None);
    }
    let options = ReadOptions { task: Some(TaskName::DenseRegression), ..Default::default() };
    let set = npz::load(path, &options).map_err(|e| e.to_string())?;
    let n = config.nodes();
    let fields = |split: dashnas_data::split::Split, count: usize| {
        let y = split.y.values().filter(|u| u.shape == [count, 1, n, n] && split.x.shape == u.shape).cloned();
        y.map(|u| Fields { a: split.x, u }).ok_or_else(|| "its arrays have another shape".to_string())
    };
    Ok(Some([fields(set.train, config.train)?, fields(set.test, config.test)?]))
}

/// Writes the file whole or not at all.
pub(super) fn write(
    path: &Path,
    config: &DarcyConfig,
    seed: u64,
    [train, test]: &[Fields; 2],
) -> Result<(), DarcyError> {
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    let fill = || -> io::Result<()> {
        let mut zip = ZipWriter::new(BufWriter::new(File::create(&temporary)?));
        for (part, fields) in [("train", train), ("test", test)] {
            // 3 and 12 fit in a byte each.
            let a: Vec<u8> = fields.a.data.iter().map(|&v| v as u8).collect();
            npz::put(&mut zip, &format!("x_{part}"), "|u1", &fields.a.shape, &a)?;
            npz::put(
                &mut zip,
                &format!("y_{part}"),
                "<f4",
                &fields.u.shape,
                &dashnas_formats::npy::le_bytes(&fields.u.data),
            )?;
        }
        zip.start_file(ENTRY, SimpleFileOptions::default())?;
        zip.write_all(serde_json::to_string(&CacheHeader::new(config, seed))?.as_bytes())?;
        zip.finish()?.into_inner().map_err(|e| e.into_error())?.sync_all()?;
        fs::rename(&temporary, path)?;
        // The new name is on disk once its folder is; where folders cannot be synced, nothing is lost
        // but a cache.
        if let Some(folder) = path.parent().and_then(|f| File::open(f).ok()) {
            let _ = folder.sync_all();
        }
        Ok(())
    };
    fill().map_err(|source| {
        let _ = fs::remove_file(&temporary);
        DarcyError::Cache { path: path.into(), source }
    })
}
