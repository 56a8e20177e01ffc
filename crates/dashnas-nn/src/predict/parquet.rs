//! Tables as Apache Parquet files with one row group and one plain, uncompressed page for each column. The metadata are
//! structures in the compact protocol of Thrift, of which only the parts that are needed are implemented.

use crate::predict::columns::{Column, ColumnValues};

const MAGIC: &[u8] = b"PAR1";

/// Physical types of Parquet.
const INT32: i32 = 1;
const FLOAT: i32 = 4;
const DOUBLE: i32 = 5;
const BYTE_ARRAY: i32 = 6;

/// The encodings `PLAIN` and `RLE`; the format requires one for levels even where there are none.
const PLAIN: i32 = 0;
const RLE: i32 = 3;

/// Encodes a table as a Parquet file.
pub fn parquet(columns: &[Column]) -> Vec<u8> {
    let rows = columns.first().map_or(0, |c| c.values.len());
    let mut out = MAGIC.to_vec();
    let mut chunks = Vec::with_capacity(columns.len());
    for column in columns {
        let (kind, page) = plain(&column.values);
        let offset = out.len();
        let mut header = Thrift::default();
        // DATA_PAGE; sizes with and without compression.
        header.i32(1, 0).i32(2, page.len() as i32).i32(3, page.len() as i32);
        header.structure(5, |h| {
            h.i32(1, rows as i32).i32(2, PLAIN).i32(3, RLE).i32(4, RLE);
        });
        out.extend(header.end());
        out.extend(page);
        chunks.push((kind, column.name.as_str(), offset, out.len() - offset));
    }
    let total: usize = chunks.iter().map(|c| c.3).sum();

    let mut footer = Thrift::default();
    footer.i32(1, 1);
    footer.list(2, STRUCT, chunks.len() + 1, |list| {
        list.element(|root| {
            root.text(4, "schema").i32(5, chunks.len() as i32);
        });
        for &(kind, name, ..) in &chunks {
            list.element(|leaf| {
                // Required: without nulls.
                leaf.i32(1, kind).i32(3, 0).text(4, name);
                if kind == BYTE_ARRAY {
                    leaf.i32(6, 0);
                }
            });
        }
    });
    footer.i64(3, rows as i64);
    footer.list(4, STRUCT, 1, |groups| {
        groups.element(|group| {
            group.list(1, STRUCT, chunks.len(), |list| {
                for &(kind, name, offset, size) in &chunks {
                    list.element(|chunk| {
                        chunk.i64(2, offset as i64);
                        chunk.structure(3, |meta| {
                            meta.i32(1, kind);
                            meta.list(2, I32, 2, |l| {
                                l.varint(zigzag(PLAIN.into())).varint(zigzag(RLE.into()));
                            });
                            meta.list(3, BINARY, 1, |l| {
                                l.bytes(name.as_bytes());
                            });
                            meta.i32(4, 0).i64(5, rows as i64).i64(6, size as i64).i64(7, size as i64);
                            meta.i64(9, offset as i64);
                        });
                    });
                }
            });
            group.i64(2, total as i64).i64(3, rows as i64);
        });
    });
    footer.text(6, concat!("dashnas version ", env!("CARGO_PKG_VERSION")));
    let footer = footer.end();
    out.extend(&footer);
    out.extend((footer.len() as u32).to_le_bytes());
    out.extend(MAGIC);
    out
}

/// Returns the physical type and the encoded values of a column.
fn plain(values: &ColumnValues) -> (i32, Vec<u8>) {
    match values {
        ColumnValues::Numbers(v) => (INT32, v.iter().flat_map(|n| n.to_le_bytes()).collect()),
        ColumnValues::Doubles(v) => (DOUBLE, v.iter().flat_map(|n| n.to_le_bytes()).collect()),
        ColumnValues::Reals(v) => (FLOAT, v.iter().flat_map(|n| n.to_le_bytes()).collect()),
        ColumnValues::Texts(v) => {
            (BYTE_ARRAY, v.iter().flat_map(|t| [&(t.len() as u32).to_le_bytes()[..], t.as_bytes()].concat()).collect())
        }
    }
}

/// The types of the compact protocol.
const I32: u8 = 5;
const I64: u8 = 6;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;

/// A structure, or the elements of a list, being written.
#[derive(Default)]
struct Thrift {
    out: Vec<u8>,
    last: u8,
}

impl Thrift {
    /// Writes the header of a field. Fields must come in ascending order, less than 16 apart.
    fn field(&mut self, id: u8, kind: u8) -> &mut Self {
        self.out.push(((id - self.last) << 4) | kind);
        self.last = id;
        self
    }

    fn varint(&mut self, mut n: u64) -> &mut Self {
        while n >= 0x80 {
            self.out.push(n as u8 | 0x80);
            n >>= 7;
        }
        self.out.push(n as u8);
        self
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.varint(bytes.len() as u64);
        self.out.extend(bytes);
        self
    }

    fn i32(&mut self, id: u8, n: i32) -> &mut Self {
        self.field(id, I32).varint(zigzag(n.into()))
    }

    fn i64(&mut self, id: u8, n: i64) -> &mut Self {
        self.field(id, I64).varint(zigzag(n))
    }

    fn text(&mut self, id: u8, text: &str) -> &mut Self {
        self.field(id, BINARY).bytes(text.as_bytes())
    }

    fn structure(&mut self, id: u8, write: impl FnOnce(&mut Self)) -> &mut Self {
        self.field(id, STRUCT).element(write)
    }

    /// Writes a structure that is an element of a list.
    fn element(&mut self, write: impl FnOnce(&mut Self)) -> &mut Self {
        let mut inner = Self::default();
        write(&mut inner);
        self.out.extend(inner.end());
        self
    }

    fn list(&mut self, id: u8, kind: u8, count: usize, write: impl FnOnce(&mut Self)) -> &mut Self {
        self.field(id, LIST);
        if count < 15 {
            self.out.push(((count as u8) << 4) | kind);
        } else {
            self.out.push(0xF0 | kind);
            self.varint(count as u64);
        }
        let mut inner = Self::default();
        write(&mut inner);
        self.out.extend(inner.out);
        self
    }

    /// Ends the structure and returns its bytes.
    fn end(mut self) -> Vec<u8> {
        self.out.push(0);
        self.out
    }
}

fn zigzag(n: i64) -> u64 {
    ((n << 1) ^ (n >> 63)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use dashnas_formats::found::Labels;
    use dashnas_formats::options::ReadOptions;

    /// A file that pyarrow and DuckDB read as the columns below, byte for byte.
    #[test]
    fn the_bytes_of_a_small_table() {
        let columns = [
            Column { name: "n".into(), values: ColumnValues::Numbers(vec![1, -2]) },
            Column { name: "t".into(), values: ColumnValues::Texts(vec!["ä".into(), String::new()]) },
            Column { name: "x".into(), values: ColumnValues::Reals(vec![0.5, -1.0]) },
        ];
        let file = parquet(&columns);
        assert_eq!((&file[..4], &file[file.len() - 4..]), (MAGIC, MAGIC));
        let footer = u32::from_le_bytes(file[file.len() - 8..file.len() - 4].try_into().unwrap()) as usize;
        assert!(footer < file.len() - 12);
        // The first page: its header, then two little-endian integers.
        assert_eq!(file[4..21], [0x15, 0, 0x15, 16, 0x15, 16, 0x2C, 0x15, 4, 0x15, 0, 0x15, 6, 0x15, 6, 0, 0]);
        assert_eq!(file[21..29], [1, 0, 0, 0, 0xFE, 0xFF, 0xFF, 0xFF]);
        assert_eq!([zigzag(0), zigzag(-1), zigzag(1), zigzag(i64::MIN)], [0, 1, 2, u64::MAX]);
    }

    /// Through the reader of tables, which shares no code with the writer: the columns are as the CSV has them.
    #[test]
    fn what_is_written_is_what_is_read() {
        let texts: Vec<String> = (0..40).map(|i| format!("class \"{}\", é", i % 3)).collect();
        let reals = |scale: f32| ColumnValues::Reals((0..40).map(|i| scale / (i as f32 - 17.5)).collect());
        let mut columns = vec![
            Column { name: "sample".into(), values: ColumnValues::Numbers((0..40).map(|i| i - 3).collect()) },
            Column { name: "class".into(), values: ColumnValues::Texts(texts) },
        ];
        // More than the fifteen that the short form of a list holds.
        columns.extend((0..20).map(|i| Column { name: format!("p_{i}, x"), values: reals(10f32.powi(3 * i - 30)) }));
        let options = ReadOptions { targets: Some("class".into()), inputs: Some("p_*".into()), ..Default::default() };
        let folder = tempfile::tempdir().expect("a folder");
        let read = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).expect("a file");
            dashnas_formats::readers::read(&path, &options, true).expect("it reads").parts.remove(0)
        };
        let table = read("p.parquet", &parquet(&columns));
        let csv = read("p.csv", crate::predict::columns::csv(&columns).as_bytes());
        assert_eq!((&table.x, &table.x.shape[..]), (&csv.x, &[40, 1, 20][..]));
        assert_eq!(table.x.row(39)[1], 1e-27 / 21.5);
        let names = |labels: Option<Labels>| match labels {
            Some(Labels::Names(names)) => names,
            other => panic!("{other:?}"),
        };
        assert_eq!(names(table.y), names(csv.y));
    }
}
