//! Files that earlier commands wrote, told by their content. Only these are replaced without `--force`.

use dashnas_formats::predictions::is_csv_of_predictions;
use dashnas_nn::export::torch::MARK;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// Bytes at the beginning of a file that are looked at.
const START: u64 = 4096;
/// Bytes at the end of a Parquet file that are looked at: its metadata name the program.
const END: u64 = 4 << 20;

/// Kinds of files that commands write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// Predictions: a table or an array.
    Predictions,
    /// A model in ONNX.
    Onnx,
    /// A module of PyTorch.
    Module,
    /// The weights of a module of PyTorch, which lies beside them.
    Weights,
    /// A model file. It may be the only copy, so that none is replaced.
    Model,
    /// An HTML page.
    Page,
}

impl Written {
    /// Returns whether a file of this kind, written by dashnas, is at a path; `false` if it cannot be read. Of most kinds the
    /// beginning or the end tells; tables in CSV, which are easily edited, are looked at as a whole.
    pub fn is_at(self, path: &Path) -> bool {
        let start = || start(path).unwrap_or_default();
        match self {
            Written::Predictions => match &start()[..] {
                bytes if bytes.starts_with(b"\x93NUMPY") => is_array(bytes),
                bytes if bytes.starts_with(b"PAR1") => {
                    end(path).is_some_and(|bytes| contains(&bytes, b"dashnas version "))
                }
                _ => is_csv_of_predictions(path),
            },
            // The name of the producer, which is the second field.
            Written::Onnx => contains(&start()[..start().len().min(64)], b"\x12\x07dashnas"),
            Written::Module => contains(&start(), MARK.as_bytes()),
            Written::Weights => {
                contains(&start(), b"\"__metadata__\":{\"format\":\"pt\"}")
                    && Written::Module.is_at(&path.with_extension("py"))
            }
            Written::Model => false,
            Written::Page => contains(&start(), b"<meta name=\"generator\" content=\"dashnas"),
        }
    }
}

/// Returns whether an array was written by dashnas: it writes a comma behind the last of several sizes, and NumPy does not.
fn is_array(start: &[u8]) -> bool {
    let header = start.split(|&b| b == b'\n').next().unwrap_or_default();
    let shape = header.split(|&b| b == b'(').nth(1).unwrap_or_default();
    let shape = shape.split(|&b| b == b')').next().unwrap_or_default();
    contains(header, b"'<f4'") && shape.ends_with(b",") && shape.iter().filter(|&&b| b == b',').count() > 1
}

/// The first bytes of a file.
fn start(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(START).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// The last bytes of a file.
fn end(path: &Path) -> Option<Vec<u8>> {
    let mut file = File::open(path).ok()?;
    let size = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(END))).ok()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Returns whether some bytes occur among others.
fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn files_of_dashnas_are_told_from_others() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| folder.path().join(name);
        let npy = |shape: &[usize]| {
            let mut bytes = Vec::new();
            let elements = vec![0; 4 * shape.iter().product::<usize>()];
            dashnas_formats::npy::write(&mut bytes, "<f4", shape, &elements).expect("it fits");
            bytes
        };
        let of_numpy =
            [&b"\x93NUMPY\x01\0v\0{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"[..], &[b' '; 60], b"\n"];
        let cases: [(&str, Vec<u8>, Written, bool); 14] = [
            ("a.csv", b"sample,id,class,p_a,p_b\n0,x,a,1,0\n".into(), Written::Predictions, true),
            ("a.csv", b"sample,\"p_a, b\"\n0,1\n".into(), Written::Predictions, true),
            ("a.csv", b"sample,age\n0,1\n".into(), Written::Predictions, false),
            ("a.csv", b"\xff\xfe,,\n".into(), Written::Predictions, false),
            ("a.npy", npy(&[2, 3]), Written::Predictions, true),
            ("a.npy", of_numpy.concat(), Written::Predictions, false),
            ("a.parquet", b"PAR1 ... dashnas version 0.1.0 PAR1".into(), Written::Predictions, true),
            ("a.parquet", b"PAR1 ... parquet-cpp-arrow PAR1".into(), Written::Predictions, false),
            ("a.onnx", b"\x08\x08\x12\x07dashnas\x1a\x050.1.0".into(), Written::Onnx, true),
            ("a.onnx", b"\x08\x08\x12\x07pytorch\x1a\x052.0.0".into(), Written::Onnx, false),
            ("a.dashnas", b"anything".into(), Written::Model, false),
            ("a.html", b"<meta name=\"generator\" content=\"dashnas 0.1.0\">".into(), Written::Page, true),
            ("a.html", b"<html>my notes on dashnas</html>".into(), Written::Page, false),
            ("a.py", format!("\"\"\"A network.\n\n{MARK}\n\"\"\"").into_bytes(), Written::Module, true),
        ];
        for (name, bytes, kind, expected) in cases {
            fs::write(at(name), &bytes).expect("writable");
            assert_eq!(kind.is_at(&at(name)), expected, "{name}: {}", String::from_utf8_lossy(&bytes));
        }
        assert!(!Written::Predictions.is_at(&at("nosuch.csv")));
        let weights = b"        {\"__metadata__\":{\"format\":\"pt\"},\"w\":{}}";
        for (name, expected) in [("a.safetensors", true), ("b.safetensors", false)] {
            fs::write(at(name), weights).expect("writable");
            assert_eq!(Written::Weights.is_at(&at(name)), expected, "{name}");
        }
    }
}
