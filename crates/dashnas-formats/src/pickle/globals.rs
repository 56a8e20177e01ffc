//! The few functions that pickles of data name, each implemented here without Python.

use crate::pickle::object::{Global, Id, Object};

impl Global {
    /// Calls the function with these arguments.
    pub fn call(self, arguments: &[Id], objects: &[Object], bytes: &[u8]) -> Result<Object, String> {
        let raw = |i: usize| arguments.get(i).and_then(|&id| raw(&objects[id], bytes));
        match self {
            Global::Reconstruct => Ok(Object::Unbuilt),
            Global::NdArray => Err("arrays are not made by calling their type".into()),
            Global::Dtype => {
                let code = raw(0).ok_or("a dtype has no name")?;
                Ok(Object::Dtype(format!("|{}", String::from_utf8_lossy(code))))
            }
            Global::Scalar => {
                let (Some(Object::Dtype(descr)), Some(value)) = (arguments.first().map(|&id| &objects[id]), raw(1))
                else {
                    return Err("a NumPy number is not made of a dtype and bytes".into());
                };
                (number(descr, value).or_else(|| text(descr, value)))
                    .ok_or_else(|| format!("a NumPy number of dtype {descr} is not supported"))
            }
            Global::FromBuffer => {
                let &[data, dtype, shape, order] = arguments else {
                    return Err("an array is not made of bytes, dtype, shape and order".into());
                };
                let fortran = self::raw(&objects[order], bytes) == Some(b"F");
                Ok(Object::Array { shape: sizes(&objects[shape], objects)?, dtype, fortran, data })
            }
            Global::Encode => {
                let text = raw(0).and_then(|t| std::str::from_utf8(t).ok()).ok_or("only text is encoded")?;
                if raw(1) != Some(b"latin1") {
                    return Err("text is encoded otherwise than as latin1".into());
                }
                let narrow = text.chars().map(|c| u8::try_from(u32::from(c)));
                Ok(Object::Owned(narrow.collect::<Result<_, _>>().map_err(|_| "text does not fit latin1")?))
            }
        }
    }
}

/// Sets the state of an array or dtype.
pub(super) fn build(target: &Object, state: &Object, objects: &[Object], bytes: &[u8]) -> Result<Object, String> {
    let Object::Tuple(state) = state else { return Err("an object's state is not a tuple".into()) };
    match target {
        Object::Unbuilt => {
            let &[_, shape, dtype, fortran, data] = &state[..] else {
                return Err("an array's state does not have five parts".into());
            };
            let fortran = matches!(objects[fortran], Object::Bool(true) | Object::Int(1));
            Ok(Object::Array { shape: sizes(&objects[shape], objects)?, dtype, fortran, data })
        }
        Object::Dtype(descr) => {
            let order = state.get(1).and_then(|&id| raw(&objects[id], bytes)).unwrap_or(b"|");
            let order = String::from_utf8_lossy(order);
            Ok(Object::Dtype(format!("{order}{}", descr.trim_start_matches(['|', '<', '>', '=']))))
        }
        _ => Err("only arrays and dtypes have a state".into()),
    }
}

/// Returns the bytes of text or bytes.
pub(super) fn raw<'a>(object: &'a Object, bytes: &'a [u8]) -> Option<&'a [u8]> {
    match object {
        Object::Bytes(range) => Some(&bytes[range.clone()]),
        Object::Owned(owned) => Some(owned),
        _ => None,
    }
}

/// Reads a shape from a tuple or list.
fn sizes(object: &Object, objects: &[Object]) -> Result<Vec<usize>, String> {
    let (Object::Tuple(items) | Object::List(items)) = object else { return Err("a shape is not a tuple".into()) };
    if items.len() > 32 {
        return Err("a shape has too many axes".into());
    }
    let size = |&id: &Id| match objects[id] {
        Object::Int(n) => usize::try_from(n).map_err(|_| format!("a shape has the size {n}")),
        _ => Err("a shape has a size that is no whole number".into()),
    };
    items.iter().map(size).collect()
}

/// A number from its little- or big-endian bytes.
fn number(descr: &str, value: &[u8]) -> Option<Object> {
    let mut bytes = value.to_vec();
    if descr.starts_with('>') {
        bytes.reverse();
    }
    let wide = |n: usize| -> [u8; 8] { std::array::from_fn(|i| if i < n { bytes[i] } else { 0 }) };
    let code = descr.trim_start_matches(['|', '<', '>', '=']);
    Some(match (code, bytes.len()) {
        ("f8", 8) => Object::Float(f64::from_le_bytes(wide(8))),
        ("f4", 4) => Object::Float(f64::from(f32::from_bits(u64::from_le_bytes(wide(4)) as u32))),
        ("b1", 1) => Object::Bool(bytes[0] != 0),
        ("u1", 1) | ("u2", 2) | ("u4", 4) | ("u8", 8) => {
            Object::Int(i64::try_from(u64::from_le_bytes(wide(bytes.len()))).ok()?)
        }
        ("i1", 1) | ("i2", 2) | ("i4", 4) | ("i8", 8) => {
            let unused = 64 - 8 * bytes.len();
            Object::Int((u64::from_le_bytes(wide(bytes.len())) << unused) as i64 >> unused)
        }
        _ => return None,
    })
}

/// A text of NumPy from its characters of four bytes.
fn text(descr: &str, value: &[u8]) -> Option<Object> {
    let code = descr.trim_start_matches(['|', '<', '>', '=']);
    if !code.starts_with('U') || !value.len().is_multiple_of(4) {
        return None;
    }
    let big_endian = descr.starts_with('>');
    let character = |&bytes: &[u8; 4]| {
        let code = if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
        char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
    };
    let text: String = value.as_chunks::<4>().0.iter().map(character).take_while(|&c| c != '\0').collect();
    Some(Object::Owned(text.into_bytes()))
}
