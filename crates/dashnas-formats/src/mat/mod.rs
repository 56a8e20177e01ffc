//! MATLAB files of level 4 and level 5 (also compressed). Level 7.3 is HDF5, see [`crate::hdf5`].
//!
//! The fields of a structure are variables of their own (`data.X`), sparse matrices are read as full ones. Variables of
//! other kinds (objects, struct arrays, cells of arrays) are listed with what they are, and refused when they are asked
//! for.

mod level4;
mod level5;
mod variable;

use crate::array::Array;
use crate::container::Container;
use crate::error::{DataError, Location};
use crate::info::ArrayInfo;
use crate::layout::row_major;
use crate::limits::check_memory;
use crate::mat::variable::Value;
use crate::options::ReadOptions;
use crate::subtract::Subtract;
use std::path::{Path, PathBuf};

/// The variables of a MATLAB file.
#[derive(Debug)]
pub struct Mat {
    path: PathBuf,
    format: &'static str,
    list: Vec<ArrayInfo>,
    values: Vec<Value>,
}

impl Mat {
    /// Opens a file and reads its variables.
    ///
    /// # Errors
    /// [`DataError`] if it is not a MATLAB file of these levels.
    pub fn open(path: &Path, options: &ReadOptions) -> Result<Self, DataError> {
        Self::parse(path, &crate::bytes::bytes(path, options.max_bytes)?, options)
    }

    /// Reads the variables from the bytes of a file.
    fn parse(path: &Path, bytes: &[u8], options: &ReadOptions) -> Result<Self, DataError> {
        let (limit, digits) = (options.max_bytes / 4, !options.centers.is_empty());
        let (format, variables) = match bytes.get(126..128) {
            Some(b"IM" | b"MI") => ("MATLAB file, level 5", level5::read(bytes, limit, digits)),
            _ => ("MATLAB file, level 4", level4::read(bytes, limit, digits)),
        };
        let variables = variables.map_err(|reason| {
            DataError::file(path, reason)
                .with_hint("it may be cut short or not be a MATLAB file: save it again with -v7")
        })?;
        if variables.is_empty() {
            return Err(DataError::file(path, "it holds no variable of numbers or text"));
        }
        let elements = variables.iter().map(|v| v.info.shape.iter().map(|&n| n as u128).product::<u128>()).sum();
        check_memory(path, "variables", elements, options)?;
        let (list, values) = variables.into_iter().map(|v| (v.info, v.value)).unzip();
        Ok(Self { path: path.into(), format, list, values })
    }

    /// Returns the variable of a name.
    fn variable(&self, name: &str) -> Result<(&ArrayInfo, &Value), DataError> {
        let found = self.list.iter().zip(&self.values).find(|(info, _)| info.name == name);
        let (info, value) = found
            .ok_or_else(|| DataError::at(&self.path, Location::Entry(name.into()), "there is no such variable"))?;
        info.readable(&self.path)?;
        Ok((info, value))
    }
}

impl Container for Mat {
    fn path(&self) -> &Path {
        &self.path
    }

    fn format(&self) -> &str {
        self.format
    }

    fn list(&self) -> &[ArrayInfo] {
        &self.list
    }

    fn samples_may_be_last(&self) -> bool {
        true
    }

    fn numbers(&mut self, name: &str, subtract: Option<&Subtract>) -> Result<(Array, bool), DataError> {
        match self.variable(name)? {
            (info, Value::Numbers { data, integral, wide, .. }) => {
                let shift = subtract.map(|subtract| subtract.by_position(&info.shape, true));
                let data = match (shift, wide) {
                    (None, _) => row_major(&info.shape, data),
                    (Some(shift), Some(wide)) => row_major(&info.shape, &wide.less(|at| shift.at(at))),
                    (Some(shift), None) => {
                        let mut relative = data.clone();
                        shift.apply(&mut relative, 0);
                        row_major(&info.shape, &relative)
                    }
                };
                Ok((Array::new(info.shape.clone(), data), *integral))
            }
            _ => Err(DataError::at(&self.path, Location::Entry(name.into()), "the variable holds text, not numbers")),
        }
    }

    fn whole(&mut self, name: &str) -> Result<Option<Vec<i128>>, DataError> {
        match self.variable(name)? {
            (_, Value::Numbers { whole: Some(whole), .. }) => Ok(Some(whole.clone())),
            (info, Value::Numbers { data, .. }) if data.iter().all(|v| v.fract() == 0.0 && v.abs() < 16_777_216.0) => {
                let data = row_major(&info.shape, data);
                Ok(Some(data.iter().map(|&v| v as i128).collect()))
            }
            _ => Ok(None),
        }
    }

    fn text(&mut self, name: &str) -> Result<Vec<String>, DataError> {
        match self.variable(name)? {
            (_, Value::Text(text)) => Ok(text.clone()),
            _ => Err(DataError::at(&self.path, Location::Entry(name.into()), "the variable holds numbers, not text")),
        }
    }
}
