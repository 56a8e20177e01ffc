//! HDF5 in Rust, by the crate `hdf5-pure`.

use crate::hdf5::error::guard;
use crate::hdf5::links::{Links, WithoutLinks};
use crate::hdf5::source::{Attributes, Data, Kind, Member, Members, Source, are_characters, is_truth_value};
use crate::npy::half_to_f32;
use hdf5_pure::{
    DType, Dataset, Datatype, DatatypeByteOrder, File, FloatingPointLayout, Group, Layout, Object, ReadSeekSource,
    VlenStringReadOptions,
};
use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

/// A file that `hdf5-pure` has opened.
pub(super) struct Pure(File);

impl Pure {
    /// Opens the file at a path, which has these links.
    ///
    /// # Errors
    /// The error of the library.
    pub fn open(path: &Path, file: std::fs::File, links: &Links) -> Result<Self, String> {
        let file = if links.in_tables() {
            let source = WithoutLinks::new(file, links).map_err(|e| e.to_string())?;
            guard(|| File::from_source(ReadSeekSource::new(source)?))
        } else {
            guard(|| File::open_streaming(path))
        };
        Ok(Self(file?))
    }

    fn group(&self, path: &str) -> Result<Group, String> {
        if path.is_empty() { Ok(self.0.root()) } else { guard(|| self.0.group(path)) }
    }
}

impl Source for Pure {
    fn members(&self, group: &str) -> Result<Members, String> {
        let group = self.group(group)?;
        let names = guard(|| group.datasets())?;
        let data = names.into_iter().map(|name| Member { name, object: None, link: false }).collect();
        Ok(Members { data, groups: guard(|| group.groups())?, broken: Vec::new() })
    }

    fn attrs(&self, group: &str) -> Result<Attributes, String> {
        let group = self.group(group)?;
        guard(|| group.attrs())
    }

    fn data(&self, path: &str) -> Result<Box<dyn Data>, String> {
        Ok(Box::new(guard(|| self.0.dataset(path))?))
    }
}

/// The layout of floating-point numbers of 16 bits.
const HALF: FloatingPointLayout = FloatingPointLayout {
    bit_offset: 0,
    bit_precision: 16,
    exponent_location: 10,
    exponent_size: 5,
    mantissa_location: 0,
    mantissa_size: 10,
    exponent_bias: 15,
};

impl Data for Dataset {
    fn shape(&self) -> Result<Vec<u64>, String> {
        guard(|| Dataset::shape(self))
    }

    fn kind(&self) -> Result<(Kind, String), String> {
        let (dtype, datatype) = guard(|| Ok((self.dtype()?, self.datatype()?)))?;
        let (integer, float) = (|bytes, signed| Kind::Integer { bytes, signed }, |bytes| Kind::Float { bytes });
        if let (DType::F32 | DType::F64 | DType::Other(_), Datatype::FloatingPoint { size, layout, .. }) =
            (&dtype, &datatype)
            && ![HALF, FloatingPointLayout::IEEE754_BINARY32, FloatingPointLayout::IEEE754_BINARY64].contains(layout)
        {
            return Ok((Kind::Other, format!("float of {} bits in an unusual layout", size * 8)));
        }
        let kind = match (&dtype, datatype) {
            (DType::String | DType::VariableLengthString, _) => Kind::Text,
            (DType::Enum(_), Datatype::Enumeration { members, size, .. }) => {
                if size == 1 && members.iter().all(|m| is_truth_value(&m.name)) { Kind::Bool } else { Kind::Names }
            }
            (DType::Other(_), Datatype::FloatingPoint { size: 2, .. }) => Kind::Half,
            (DType::F32, _) => float(4),
            (DType::F64, _) => float(8),
            (DType::I8, _) => integer(1, true),
            (DType::I16, _) => integer(2, true),
            (DType::I32, _) => integer(4, true),
            (DType::I64, _) => integer(8, true),
            (DType::U8, _) => integer(1, false),
            (DType::U16, _) => integer(2, false),
            (DType::U32, _) => integer(4, false),
            (DType::U64, _) => integer(8, false),
            (DType::ObjectReference, _) => Kind::References,
            (DType::Compound(fields), _) => Kind::Compound(fields.iter().map(|(name, _)| name.clone()).collect()),
            (DType::Array(..), _) => Kind::Arrays,
            (_, Datatype::VariableLength { .. }) => Kind::Ragged,
            _ => Kind::Other,
        };
        Ok((kind, dtype.to_string()))
    }

    fn attrs(&self) -> Result<Attributes, String> {
        guard(|| Dataset::attrs(self))
    }

    fn outside(&self) -> Result<u64, String> {
        match guard(|| self.layout())? {
            Layout::Virtual => Err("virtual (VDS)".into()),
            _ => Ok(0),
        }
    }

    fn chunk_rows(&self) -> Result<Option<u64>, String> {
        Ok(guard(|| self.chunk_shape())?.and_then(|chunk| chunk.first().copied()))
    }

    fn numbers(&self, kind: &Kind, rows: Range<u64>) -> Result<Vec<f32>, String> {
        let (at, n) = (rows.start, rows.end - rows.start);
        macro_rules! numbers {
            ($read:ident) => {
                self.$read(at, n).map(|v| v.iter().map(|&v| v as f32).collect())
            };
        }
        guard(|| match kind {
            Kind::Bool => Ok(self.read_raw_rows(at, n)?.iter().map(|&b| f32::from(b)).collect()),
            Kind::Half => {
                let raw = self.read_raw_rows(at, n)?;
                let big = matches!(
                    self.datatype()?,
                    Datatype::FloatingPoint { byte_order: DatatypeByteOrder::BigEndian, .. }
                );
                let half = |&b: &[u8; 2]| half_to_f32(if big { u16::from_be_bytes(b) } else { u16::from_le_bytes(b) });
                Ok(raw.as_chunks::<2>().0.iter().map(half).collect())
            }
            Kind::Float { bytes: 8 } => numbers!(read_f64_rows),
            Kind::Integer { bytes: 8, signed: true } => numbers!(read_i64_rows),
            Kind::Integer { bytes: 8, signed: false } => numbers!(read_u64_rows),
            Kind::Integer { bytes: 4, signed: true } => numbers!(read_i32_rows),
            Kind::Integer { bytes: 4, signed: false } => numbers!(read_u32_rows),
            _ => self.read_f32_rows(at, n),
        })
    }

    fn f64_rows(&self, kind: &Kind, rows: Range<u64>) -> Result<Vec<f64>, String> {
        match kind {
            Kind::Half | Kind::Bool => Ok(self.numbers(kind, rows)?.into_iter().map(f64::from).collect()),
            _ => guard(|| self.read_f64_rows(rows.start, rows.end - rows.start)),
        }
    }

    fn i64_rows(&self, rows: Range<u64>) -> Result<Vec<i64>, String> {
        guard(|| self.read_i64_rows(rows.start, rows.end - rows.start))
    }

    fn u64_rows(&self, rows: Range<u64>) -> Result<Vec<u64>, String> {
        guard(|| self.read_u64_rows(rows.start, rows.end - rows.start))
    }

    fn i64s(&self) -> Result<Vec<i64>, String> {
        guard(|| self.read_i64())
    }

    fn u64s(&self) -> Result<Vec<u64>, String> {
        guard(|| self.read_u64())
    }

    fn f64s(&self) -> Result<Vec<f64>, String> {
        guard(|| self.read_f64())
    }

    fn names(&self) -> Result<Vec<String>, String> {
        let names: HashMap<Vec<u8>, String> = match guard(|| self.datatype())? {
            Datatype::Enumeration { members, .. } => members.into_iter().map(|m| (m.value, m.name)).collect(),
            _ => return Err("it is not an enumeration".into()),
        };
        let raw = guard(|| self.read_raw())?;
        let size = names.keys().next().map_or(1, Vec::len).max(1);
        let name = |value: &[u8]| names.get(value).cloned().ok_or("a value is none of its names".to_owned());
        raw.chunks_exact(size).map(name).collect()
    }

    fn texts(&self, most: usize) -> Result<Vec<String>, String> {
        let limits = VlenStringReadOptions::default().with_max_payload_bytes(most);
        guard(|| match self.dtype()? {
            DType::VariableLengthString => self.read_vlen_strings(limits),
            _ => self.read_string(),
        })
    }

    fn characters(&self) -> Result<Option<Vec<u8>>, String> {
        match guard(|| Ok((self.dtype()?, self.element_size()?))) {
            Ok((DType::String, 1)) => guard(|| self.read_raw()).map(Some),
            _ => Ok(None),
        }
    }

    fn cells(&self, count: usize) -> Result<Vec<Option<Vec<u16>>>, String> {
        let codes = |cell| match cell {
            Object::Dataset(cell) if Data::attrs(&*cell).is_ok_and(|attrs| are_characters(&attrs)) => {
                guard(|| cell.read_u16()).map(Some)
            }
            _ => Ok(None),
        };
        guard(|| self.dereference())?.into_iter().take(count).map(codes).collect()
    }
}
