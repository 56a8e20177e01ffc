//! The compact protocol of Thrift, in which Parquet writes its metadata.

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ThriftValue<'a> {
    Bool(bool),
    Int(i64),
    Bytes(&'a [u8]),
    List(Vec<ThriftValue<'a>>),
    Struct(Vec<(i16, ThriftValue<'a>)>),
    Other,
}

impl<'a> ThriftValue<'a> {
    /// Returns the field `id` of a struct.
    pub fn field(&self, id: i16) -> Option<&ThriftValue<'a>> {
        match self {
            ThriftValue::Struct(fields) => fields.iter().find(|f| f.0 == id).map(|f| &f.1),
            _ => None,
        }
    }

    pub fn int(&self, id: i16) -> Option<i64> {
        match self.field(id)? {
            ThriftValue::Int(v) => Some(*v),
            _ => None,
        }
    }

    pub fn list(&self, id: i16) -> &[ThriftValue<'a>] {
        match self.field(id) {
            Some(ThriftValue::List(items)) => items,
            _ => &[],
        }
    }

    pub fn text(&self) -> Option<&'a str> {
        match self {
            ThriftValue::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }
}

/// Reads values from the start of some bytes.
pub(crate) struct ThriftReader<'a> {
    pub rest: &'a [u8],
}

/// Deepest nesting of structs that is accepted.
const MAX_DEPTH: usize = 16;

impl<'a> ThriftReader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    /// Reads an unsigned number of seven bits per byte.
    pub fn varint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// Reads a number whose last bit is the sign.
    pub fn zigzag(&mut self) -> Option<i64> {
        let v = self.varint()?;
        Some((v >> 1) as i64 ^ -((v & 1) as i64))
    }

    /// Reads a struct.
    pub fn read(&mut self) -> Option<ThriftValue<'a>> {
        self.fields(0)
    }

    fn fields(&mut self, depth: usize) -> Option<ThriftValue<'a>> {
        let mut fields = Vec::new();
        let mut id = 0i16;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Some(ThriftValue::Struct(fields));
            }
            id = match head >> 4 {
                0 => i16::try_from(self.zigzag()?).ok()?,
                step => id.checked_add(i16::from(step))?,
            };
            let value = match head & 15 {
                1 => ThriftValue::Bool(true),
                2 => ThriftValue::Bool(false),
                kind => self.value(kind, depth + 1)?,
            };
            fields.push((id, value));
        }
    }

    fn value(&mut self, kind: u8, depth: usize) -> Option<ThriftValue<'a>> {
        if depth > MAX_DEPTH {
            return None;
        }
        Some(match kind {
            1 | 2 => ThriftValue::Bool(self.byte()? == 1),
            3 => ThriftValue::Int(i64::from(self.byte()? as i8)),
            4..=6 => ThriftValue::Int(self.zigzag()?),
            7 => {
                self.rest = self.rest.get(8..)?;
                ThriftValue::Other
            }
            8 => {
                let n = usize::try_from(self.varint()?).ok()?;
                let (bytes, rest) = self.rest.split_at_checked(n)?;
                self.rest = rest;
                ThriftValue::Bytes(bytes)
            }
            9 | 10 => {
                let head = self.byte()?;
                let n = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
                // Every item takes at least one byte.
                let n = usize::try_from(n).ok().filter(|&n| n <= self.rest.len())?;
                let items = (0..n).map(|_| self.value(head & 15, depth + 1)).collect::<Option<_>>()?;
                ThriftValue::List(items)
            }
            12 => self.fields(depth)?,
            _ => return None,
        })
    }
}
