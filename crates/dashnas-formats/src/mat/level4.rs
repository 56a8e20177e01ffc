//! Variables of level 4: for each, five numbers, its name and its values.

use crate::mat::variable::{Variable, numbers, whole};
use crate::text::rows_of_text;

/// Reads the variables of a file, of at most `limit` elements each.
/// With `digits`, numbers that have more digits than `f32` are kept as they are as well.
pub(super) fn read(bytes: &[u8], limit: u64, digits: bool) -> Result<Vec<Variable>, String> {
    let mut rest = bytes;
    let mut variables = Vec::new();
    while !rest.is_empty() {
        let word = |i: usize| rest.get(i * 4..i * 4 + 4).and_then(|b| b.try_into().ok());
        let words: Vec<[u8; 4]> = (0..5).map_while(word).collect();
        // The first number is at most 4999 in the byte order of the file.
        let big = words.first().is_some_and(|&w| u32::from_le_bytes(w) > 4999);
        let head: Vec<u32> =
            words.into_iter().map(|w| if big { u32::from_be_bytes(w) } else { u32::from_le_bytes(w) }).collect();
        let &[kind, rows, columns, imaginary, name_len] = &head[..] else {
            return Err("it ends in the middle of a variable".into());
        };
        // M = 0 little-endian or 1 big-endian, O = 0, P the type of the values, T the type of the matrix.
        let (order, p, t) = (kind / 1000, kind / 10 % 10, kind % 10);
        if kind > 4999 || order != u32::from(big) || kind / 100 % 10 != 0 || p > 5 || t > 2 || imaginary > 1 {
            return Err("it does not begin as a MATLAB file".into());
        }
        let size = [8, 4, 4, 2, 2, 1][p as usize];
        let count = u64::from(rows) * u64::from(columns);
        let (from, name_len) = (20u64, u64::from(name_len));
        let bytes_of_values = count.checked_mul(size * (1 + u64::from(imaginary)));
        let end = bytes_of_values.and_then(|n| n.checked_add(from + name_len));
        let Some(end) = end.filter(|&end| end <= rest.len() as u64 && (1..256).contains(&name_len)) else {
            return Err(format!("a variable of {rows}×{columns} does not fit into its {} bytes", rest.len()));
        };
        if count > limit {
            return Err("its variables are larger than the memory limit".into());
        }
        let name = &rest[20..20 + name_len as usize];
        let name = String::from_utf8_lossy(name).trim_end_matches('\0').to_owned();
        let body = &rest[20 + name_len as usize..end as usize];
        rest = &rest[end as usize..];
        if imaginary == 1 {
            variables.push(Variable::refused(name.clone(), "complex", format!("save {name} = abs({name})")));
            continue;
        }
        if t == 2 {
            variables.push(Variable::refused(name.clone(), "sparse", format!("save {name} = full({name})")));
            continue;
        }
        let kind = [9, 7, 5, 3, 4, 2][p as usize];
        let data = numbers(kind, body, big).ok_or("it holds values of an unknown type")?;
        let shape = vec![rows as usize, columns as usize];
        variables.push(if t == 1 {
            Variable::text(name, rows_of_text(&shape, &data))
        } else {
            let integral = p >= 2 || data.iter().all(|v| v.fract() == 0.0);
            let whole = if integral { whole(kind, body, big, &shape, &data) } else { None };
            Variable::numbers(name, shape, data, integral, whole).with_digits(kind, body, big, digits)
        });
    }
    Ok(variables)
}
