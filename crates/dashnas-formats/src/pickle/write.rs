//! Writes small pickles as Python 2 and 3 with NumPy do, for tests.

/// A value to pickle.
#[derive(Debug, Clone)]
pub enum Value {
    /// A whole number.
    Int(i64),
    /// Text.
    Text(&'static str),
    /// A list.
    List(Vec<Value>),
    /// A dictionary with keys of text.
    Dict(Vec<(&'static str, Value)>),
    /// An array: its dtype, such as `<f4`, its shape and its little-endian bytes.
    Array(&'static str, Vec<usize>, Vec<u8>),
    /// An array of objects: its shape and its elements.
    Objects(Vec<usize>, Vec<Value>),
}

impl Value {
    /// An array of bytes.
    pub fn u8s(shape: &[usize], data: Vec<u8>) -> Self {
        Value::Array("|u1", shape.to_vec(), data)
    }

    /// An array of float32 numbers.
    pub fn f32s(shape: &[usize], data: &[f32]) -> Self {
        Value::Array("<f4", shape.to_vec(), data.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    /// A list of whole numbers.
    pub fn ints(values: impl IntoIterator<Item = i64>) -> Self {
        Value::List(values.into_iter().map(Value::Int).collect())
    }

    /// Pickles the value as Python 2 does in protocol 2, where text and bytes are the same.
    pub fn pickle2(&self) -> Vec<u8> {
        let mut out = vec![0x80, 2];
        self.put(&mut out, true);
        out.push(b'.');
        out
    }

    /// Pickles the value as Python 3 does in protocol 3.
    pub fn pickle3(&self) -> Vec<u8> {
        let mut out = vec![0x80, 3];
        self.put(&mut out, false);
        out.push(b'.');
        out
    }

    /// Writes the value as `numpy.save(…, allow_pickle=True)` does.
    pub fn npy(&self) -> Vec<u8> {
        let shape = match self {
            Value::Objects(shape, _) => shape.iter().map(|n| format!("{n}, ")).collect(),
            _ => String::new(),
        };
        let mut header = format!("{{'descr': '|O', 'fortran_order': False, 'shape': ({shape}), }}");
        while (10 + header.len() + 1) % 64 != 0 {
            header.push(' ');
        }
        header.push('\n');
        let mut out = b"\x93NUMPY\x01\x00".to_vec();
        out.extend((header.len() as u16).to_le_bytes());
        out.extend(header.as_bytes());
        let whole = match self {
            Value::Objects(..) => self.clone(),
            other => Value::Objects(vec![], vec![other.clone()]),
        };
        out.extend(whole.pickle3());
        out
    }

    fn put(&self, out: &mut Vec<u8>, two: bool) {
        match self {
            Value::Int(v) => {
                out.push(b'J');
                out.extend((*v as i32).to_le_bytes());
            }
            Value::Text(text) => {
                out.push(if two { b'T' } else { b'X' });
                out.extend((text.len() as u32).to_le_bytes());
                out.extend(text.as_bytes());
            }
            Value::List(items) => {
                out.extend(b"](");
                items.iter().for_each(|item| item.put(out, two));
                out.push(b'e');
            }
            Value::Dict(entries) => {
                out.extend(b"}(");
                for (key, value) in entries {
                    Value::Text(key).put(out, two);
                    value.put(out, two);
                }
                out.push(b'u');
            }
            Value::Array(dtype, shape, data) => {
                array_head(out, two, shape, dtype);
                out.push(if two { b'T' } else { b'B' });
                out.extend((data.len() as u32).to_le_bytes());
                out.extend(data);
                out.extend(b"tb");
            }
            Value::Objects(shape, items) => {
                array_head(out, two, shape, "|O8");
                Value::List(items.clone()).put(out, two);
                out.extend(b"tb");
            }
        }
    }
}

/// Up to the array's elements: `_reconstruct(ndarray, (0,), b"b")`, then the state `(1, shape, dtype, False`.
fn array_head(out: &mut Vec<u8>, two: bool, shape: &[usize], dtype: &str) {
    out.extend(b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85");
    out.extend(if two { &b"U\x01b"[..] } else { &b"C\x01b"[..] });
    out.extend(b"\x87R(K\x01(");
    for &n in shape {
        out.push(b'J');
        out.extend((n as i32).to_le_bytes());
    }
    out.extend(b"tcnumpy\ndtype\n");
    let (order, code) = dtype.split_at(1);
    out.extend([if two { b'U' } else { 0x8c }, code.len() as u8]);
    out.extend(code.as_bytes());
    out.extend(b"K\x00K\x01\x87R(K\x03");
    out.extend([if two { b'U' } else { 0x8c }, 1]);
    out.extend(order.as_bytes());
    out.extend(b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89");
}
