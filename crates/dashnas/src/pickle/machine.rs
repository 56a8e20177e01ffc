//! The stack machine of the pickle format.

use super::MAX_OBJECTS;
use super::globals::{self, Global};
use super::object::{Id, Object};
use std::collections::HashMap;
use std::ops::Range;

/// Where and why it stopped short.
#[derive(Debug)]
pub(super) struct Stop {
    pub at: usize,
    pub why: Why,
}

#[derive(Debug)]
pub(super) enum Why {
    Bad(String),
    Refused(String),
}

impl From<String> for Why {
    fn from(reason: String) -> Self {
        Why::Bad(reason)
    }
}

impl From<&str> for Why {
    fn from(reason: &str) -> Self {
        Why::Bad(reason.into())
    }
}

/// Runs a pickle; gives its objects and which of them is the outcome.
pub(super) fn run(bytes: &[u8]) -> Result<(Vec<Object>, Id), Stop> {
    let mut machine =
        Machine { bytes, at: 0, objects: Vec::new(), stack: Vec::new(), marks: Vec::new(), memo: HashMap::new() };
    loop {
        let at = machine.at;
        match machine.step() {
            Ok(Some(root)) => return Ok((machine.objects, root)),
            Ok(None) => {}
            Err(why) => return Err(Stop { at, why }),
        }
    }
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    objects: Vec<Object>,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: HashMap<u64, Id>,
}

impl Machine<'_> {
    fn take(&mut self, n: usize) -> Result<Range<usize>, Why> {
        let end = self.at.checked_add(n).filter(|&end| end <= self.bytes.len()).ok_or("it ends too early")?;
        let range = self.at..end;
        self.at = end;
        Ok(range)
    }

    /// A little-endian unsigned number of `n` ≤ 8 bytes.
    fn uint(&mut self, n: usize) -> Result<u64, Why> {
        let range = self.take(n)?;
        Ok(self.bytes[range].iter().rev().fold(0, |value, &b| value << 8 | u64::from(b)))
    }

    /// Bytes after their length, which takes `n` bytes.
    fn sized(&mut self, n: usize) -> Result<Object, Why> {
        let size = usize::try_from(self.uint(n)?).map_err(|_| "it ends too early")?;
        Ok(Object::Bytes(self.take(size)?))
    }

    /// Up to the end of the line, as text of one byte a character.
    fn line(&mut self) -> Result<String, Why> {
        let rest = &self.bytes[self.at..];
        let end = rest.iter().position(|&b| b == b'\n').ok_or("it ends too early")?;
        self.at += end + 1;
        Ok(rest[..end].iter().map(|&b| char::from(b)).collect())
    }

    fn push(&mut self, object: Object) -> Result<(), Why> {
        if self.objects.len() >= MAX_OBJECTS {
            return Err(Why::Bad(format!("it has more than {MAX_OBJECTS} objects")));
        }
        self.stack.push(self.objects.len());
        self.objects.push(object);
        Ok(())
    }

    fn pop(&mut self) -> Result<Id, Why> {
        // What lies under the last mark belongs to whoever set it.
        if self.stack.len() <= self.marks.last().copied().unwrap_or(0) {
            return Err("it takes from an empty stack".into());
        }
        self.stack.pop().ok_or_else(|| "it takes from an empty stack".into())
    }

    fn top(&self) -> Result<Id, Why> {
        self.stack.last().copied().ok_or_else(|| "it looks at an empty stack".into())
    }

    /// Everything above the last mark.
    fn marked(&mut self) -> Result<Vec<Id>, Why> {
        let mark = self.marks.pop().filter(|&m| m <= self.stack.len()).ok_or("a mark is missing")?;
        Ok(self.stack.split_off(mark))
    }

    fn append(&mut self, items: Vec<Id>) -> Result<(), Why> {
        let list = self.top()?;
        match &mut self.objects[list] {
            Object::List(old) => old.extend(items),
            _ => return Err("it appends to what is no list".into()),
        }
        Ok(())
    }

    fn set(&mut self, items: Vec<Id>) -> Result<(), Why> {
        let dict = self.top()?;
        match &mut self.objects[dict] {
            Object::Dict(old) => old.extend(pairs(&items)?),
            _ => return Err("it sets an item of what is no dictionary".into()),
        }
        Ok(())
    }

    fn global(&mut self, module: &str, name: &str) -> Result<(), Why> {
        match Global::named(module, name) {
            Some(global) => self.push(Object::Global(global)),
            None => Err(Why::Refused(format!("{module}.{name}"))),
        }
    }

    fn remember(&mut self, key: u64) -> Result<(), Why> {
        let top = self.top()?;
        self.memo.insert(key, top);
        Ok(())
    }

    fn recall(&mut self, key: u64) -> Result<(), Why> {
        let id = *self.memo.get(&key).ok_or("it recalls what it has not remembered")?;
        self.stack.push(id);
        Ok(())
    }

    fn text(&self, id: Id) -> Result<String, Why> {
        match &self.objects[id] {
            Object::Bytes(range) => Ok(String::from_utf8_lossy(&self.bytes[range.clone()]).into_owned()),
            Object::Owned(bytes) => Ok(String::from_utf8_lossy(bytes).into_owned()),
            _ => Err("a name is not text".into()),
        }
    }

    /// One instruction; the outcome at the last.
    fn step(&mut self) -> Result<Option<Id>, Why> {
        let opcode = self.uint(1)? as u8;
        match opcode {
            b'.' => return self.pop().map(Some),
            0x80 => {
                self.take(1)?;
            }
            0x95 => {
                self.take(8)?;
            }
            b'(' => self.marks.push(self.stack.len()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.marked()?),
            b'2' => self.stack.push(self.top()?),
            b'N' => self.push(Object::None)?,
            0x88 => self.push(Object::Bool(true))?,
            0x89 => self.push(Object::Bool(false))?,
            b'I' => {
                let object = match self.line()?.as_str() {
                    "00" => Object::Bool(false),
                    "01" => Object::Bool(true),
                    line => Object::Int(line.trim().parse().map_err(|_| "a whole number is invalid")?),
                };
                self.push(object)?;
            }
            b'L' => {
                let value = self.line()?.trim_end_matches('L').parse().map_err(|_| "a whole number is invalid")?;
                self.push(Object::Int(value))?;
            }
            b'J' => {
                let value = self.uint(4)? as u32 as i32;
                self.push(Object::Int(value.into()))?;
            }
            b'K' | b'M' => {
                let value = self.uint(if opcode == b'K' { 1 } else { 2 })?;
                self.push(Object::Int(value as i64))?;
            }
            0x8a | 0x8b => {
                let size = self.uint(if opcode == 0x8a { 1 } else { 4 })?;
                if size > 8 {
                    return Err("a whole number has more than 64 bits".into());
                }
                let unused = 64 - 8 * size as u32;
                let value = self.uint(size as usize)?;
                self.push(Object::Int(if size == 0 { 0 } else { (value << unused) as i64 >> unused }))?;
            }
            b'F' => {
                let value = self.line()?.trim().parse().map_err(|_| "a number is invalid")?;
                self.push(Object::Float(value))?;
            }
            b'G' => {
                let value = f64::from_bits(self.uint(8)?.swap_bytes());
                self.push(Object::Float(value))?;
            }
            b'S' => {
                let bytes = unquoted(&self.line()?).ok_or("a quoted text is invalid")?;
                self.push(Object::Owned(bytes))?;
            }
            b'V' => {
                let text = unescaped(&self.line()?).ok_or("an escaped text is invalid")?;
                self.push(Object::Owned(text.into_bytes()))?;
            }
            // Bytes and text by the width of their lengths.
            b'U' | b'C' | 0x8c => self.sized(1).and_then(|o| self.push(o))?,
            b'T' | b'B' | b'X' => self.sized(4).and_then(|o| self.push(o))?,
            0x8d | 0x8e | 0x96 => self.sized(8).and_then(|o| self.push(o))?,
            b']' => self.push(Object::List(Vec::new()))?,
            b')' => self.push(Object::Tuple(Vec::new()))?,
            b'}' => self.push(Object::Dict(Vec::new()))?,
            b'l' => self.marked().and_then(|items| self.push(Object::List(items)))?,
            b't' => self.marked().and_then(|items| self.push(Object::Tuple(items)))?,
            b'd' => self.marked().and_then(|items| self.push(Object::Dict(pairs(&items)?)))?,
            0x85..=0x87 => {
                let mut items = Vec::new();
                for _ in 0x84..opcode {
                    items.push(self.pop()?);
                }
                items.reverse();
                self.push(Object::Tuple(items))?;
            }
            b'a' => self.pop().and_then(|item| self.append(vec![item]))?,
            b'e' => self.marked().and_then(|items| self.append(items))?,
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.set(vec![key, value])?;
            }
            b'u' => self.marked().and_then(|items| self.set(items))?,
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.global(&module, &name)?;
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let (module, name) = (self.text(module)?, self.text(name)?);
                self.global(&module, &name)?;
            }
            b'R' => {
                let (arguments, callee) = (self.pop()?, self.pop()?);
                let (Object::Global(global), Object::Tuple(arguments)) =
                    (&self.objects[callee], &self.objects[arguments])
                else {
                    return Err("it calls what is no function".into());
                };
                let made = global.call(arguments, &self.objects, self.bytes)?;
                self.push(made)?;
            }
            b'b' => {
                let (state, target) = (self.pop()?, self.top()?);
                let built = globals::build(&self.objects[target], &self.objects[state], &self.objects, self.bytes)?;
                self.objects[target] = built;
            }
            b'p' | b'g' => {
                let key = self.line()?.trim().parse().map_err(|_| "a memo's number is invalid")?;
                if opcode == b'p' { self.remember(key)? } else { self.recall(key)? }
            }
            b'q' | b'h' => {
                let key = self.uint(1)?;
                if opcode == b'q' { self.remember(key)? } else { self.recall(key)? }
            }
            b'r' | b'j' => {
                let key = self.uint(4)?;
                if opcode == b'r' { self.remember(key)? } else { self.recall(key)? }
            }
            0x94 => self.remember(self.memo.len() as u64)?,
            _ => {
                return Err(Why::Bad(format!("the instruction 0x{opcode:02x} makes something other than plain data")));
            }
        }
        Ok(None)
    }
}

fn pairs(items: &[Id]) -> Result<Vec<(Id, Id)>, Why> {
    if !items.len().is_multiple_of(2) {
        return Err("a dictionary has a key without a value".into());
    }
    Ok(items.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect())
}

/// A Python 2 string literal.
fn unquoted(line: &str) -> Option<Vec<u8>> {
    let quote = line.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let inside = line[1..].strip_suffix(quote)?.as_bytes();
    let mut out = Vec::with_capacity(inside.len());
    let mut rest = inside;
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'\\' {
            out.push(*first);
            continue;
        }
        let [kind, tail @ ..] = rest else { return None };
        rest = tail;
        match kind {
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'\\' | b'\'' | b'"' => out.push(*kind),
            b'x' => {
                let (digits, tail) = rest.split_at_checked(2)?;
                out.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
                rest = tail;
            }
            _ => return None,
        }
    }
    Some(out)
}

/// Python's raw-unicode-escape: only `\uXXXX` and `\UXXXXXXXX` are escapes.
fn unescaped(line: &str) -> Option<String> {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(i) = rest.find('\\') {
        out.push_str(&rest[..i]);
        let digits = match rest.as_bytes().get(i + 1) {
            Some(b'u') => 4,
            Some(b'U') => 8,
            _ => {
                out.push('\\');
                rest = &rest[i + 1..];
                continue;
            }
        };
        let code = rest.get(i + 2..i + 2 + digits)?;
        out.push(char::from_u32(u32::from_str_radix(code, 16).ok()?)?);
        rest = &rest[i + 2 + digits..];
    }
    out.push_str(rest);
    Some(out)
}
