//! The stack machine of the pickle format.

use crate::pickle::globals;
use crate::pickle::object::{Global, Id, Object};
use std::collections::HashMap;
use std::ops::Range;

/// Most objects that a pickle may make.
const MAX_OBJECTS: usize = 1 << 24;

/// The instruction at which a pickle cannot be continued, and the cause.
#[derive(Debug)]
pub(super) struct Failure {
    /// The byte of the instruction, from 0.
    pub at: usize,
    pub cause: Cause,
}

/// Cause an instruction cannot be carried out.
#[derive(Debug)]
pub(super) enum Cause {
    /// The pickle is invalid, for this reason.
    Bad(String),
    /// The pickle names this function or type, which is not plain data.
    Refused(String),
}

impl From<String> for Cause {
    fn from(reason: String) -> Self {
        Cause::Bad(reason)
    }
}

impl From<&str> for Cause {
    fn from(reason: &str) -> Self {
        Cause::Bad(reason.into())
    }
}

/// Carries out the instructions of a pickle. Returns its objects and the index of the pickled one.
pub(super) fn run(bytes: &[u8]) -> Result<(Vec<Object>, Id), Failure> {
    let mut machine =
        Machine { bytes, at: 0, objects: Vec::new(), stack: Vec::new(), marks: Vec::new(), memo: HashMap::new() };
    loop {
        let at = machine.at;
        match machine.step() {
            Ok(Some(root)) => return Ok((machine.objects, root)),
            Ok(None) => {}
            Err(cause) => return Err(Failure { at, cause }),
        }
    }
}

/// The state of the stack machine.
struct Machine<'a> {
    bytes: &'a [u8],
    /// The next byte to read.
    at: usize,
    objects: Vec<Object>,
    stack: Vec<Id>,
    /// Heights of the stack at which marks were set.
    marks: Vec<usize>,
    memo: HashMap<u64, Id>,
}

impl Machine<'_> {
    fn take(&mut self, n: usize) -> Result<Range<usize>, Cause> {
        let end = self.at.checked_add(n).filter(|&end| end <= self.bytes.len()).ok_or("it ends too early")?;
        let range = self.at..end;
        self.at = end;
        Ok(range)
    }

    /// Reads a little-endian unsigned number of `n` ≤ 8 bytes.
    fn uint(&mut self, n: usize) -> Result<u64, Cause> {
        let range = self.take(n)?;
        Ok(self.bytes[range].iter().rev().fold(0, |value, &b| value << 8 | u64::from(b)))
    }

    /// Reads bytes that follow their length, which takes `n` bytes.
    fn sized(&mut self, n: usize) -> Result<Object, Cause> {
        let size = usize::try_from(self.uint(n)?).map_err(|_| "it ends too early")?;
        Ok(Object::Bytes(self.take(size)?))
    }

    /// Reads up to the end of the line, as text of one byte a character.
    fn line(&mut self) -> Result<String, Cause> {
        let rest = &self.bytes[self.at..];
        let end = rest.iter().position(|&b| b == b'\n').ok_or("it ends too early")?;
        self.at += end + 1;
        Ok(rest[..end].iter().map(|&b| char::from(b)).collect())
    }

    fn push(&mut self, object: Object) -> Result<(), Cause> {
        if self.objects.len() >= MAX_OBJECTS {
            return Err(Cause::Bad(format!("it has more than {MAX_OBJECTS} objects")));
        }
        self.stack.push(self.objects.len());
        self.objects.push(object);
        Ok(())
    }

    fn pop(&mut self) -> Result<Id, Cause> {
        // The objects below the last mark belong to the instruction that set it.
        if self.stack.len() <= self.marks.last().copied().unwrap_or(0) {
            return Err("it takes from an empty stack".into());
        }
        self.stack.pop().ok_or_else(|| "it takes from an empty stack".into())
    }

    fn top(&self) -> Result<Id, Cause> {
        self.stack.last().copied().ok_or_else(|| "it reads from an empty stack".into())
    }

    /// Removes and returns the objects above the last mark.
    fn marked(&mut self) -> Result<Vec<Id>, Cause> {
        let mark = self.marks.pop().filter(|&m| m <= self.stack.len()).ok_or("a mark is missing")?;
        Ok(self.stack.split_off(mark))
    }

    fn append(&mut self, items: Vec<Id>) -> Result<(), Cause> {
        let list = self.top()?;
        match &mut self.objects[list] {
            Object::List(old) => old.extend(items),
            _ => return Err("it appends to an object that is not a list".into()),
        }
        Ok(())
    }

    fn set(&mut self, items: Vec<Id>) -> Result<(), Cause> {
        let dict = self.top()?;
        match &mut self.objects[dict] {
            Object::Dict(old) => old.extend(pairs(&items)?),
            _ => return Err("it sets an item of an object that is not a dictionary".into()),
        }
        Ok(())
    }

    fn global(&mut self, module: &str, name: &str) -> Result<(), Cause> {
        match Global::named(module, name) {
            Some(global) => self.push(Object::Global(global)),
            None => Err(Cause::Refused(format!("{module}.{name}"))),
        }
    }

    fn remember(&mut self, key: u64) -> Result<(), Cause> {
        let top = self.top()?;
        self.memo.insert(key, top);
        Ok(())
    }

    fn recall(&mut self, key: u64) -> Result<(), Cause> {
        let id = *self.memo.get(&key).ok_or("it recalls an object that is not in the memo")?;
        self.stack.push(id);
        Ok(())
    }

    /// Returns the text of an object.
    fn string(&self, id: Id) -> Result<String, Cause> {
        match &self.objects[id] {
            Object::Bytes(range) => Ok(String::from_utf8_lossy(&self.bytes[range.clone()]).into_owned()),
            Object::Owned(bytes) => Ok(String::from_utf8_lossy(bytes).into_owned()),
            _ => Err("a name is not text".into()),
        }
    }

    /// Carries out one instruction. Returns the pickled object at the last one.
    fn step(&mut self) -> Result<Option<Id>, Cause> {
        let opcode = self.uint(1)? as u8;
        match opcode {
            b'.' => return self.pop().map(Some),
            // The number of the protocol.
            0x80 => {
                self.take(1)?;
            }
            // The length of a frame.
            0x95 => {
                self.take(8)?;
            }
            b'(' => self.marks.push(self.stack.len()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.marked()?),
            b'2' => self.stack.push(self.top()?),
            b'N' | 0x88 | 0x89 | b'I' | b'L' | b'J' | b'K' | b'M' | 0x8a | 0x8b | b'F' | b'G' => {
                let number = self.number(opcode)?;
                self.push(number)?;
            }
            b'S' | b'V' | b'U' | b'C' | 0x8c | b'T' | b'B' | b'X' | 0x8d | 0x8e | 0x96 => {
                let text = self.text(opcode)?;
                self.push(text)?;
            }
            b']' | b')' | b'}' | b'l' | b't' | b'd' | 0x85..=0x87 | b'a' | b'e' | b's' | b'u' => {
                self.collection(opcode)?;
            }
            b'c' | 0x93 | b'R' | b'b' => self.call(opcode)?,
            b'p' | b'q' | b'r' | 0x94 | b'g' | b'h' | b'j' => self.memo(opcode)?,
            _ => {
                return Err(Cause::Bad(format!(
                    "the instruction 0x{opcode:02x} makes something other than plain data"
                )));
            }
        }
        Ok(None)
    }

    /// Reads the number, truth value or `None` that an instruction makes.
    fn number(&mut self, opcode: u8) -> Result<Object, Cause> {
        Ok(match opcode {
            b'N' => Object::None,
            0x88 => Object::Bool(true),
            0x89 => Object::Bool(false),
            b'I' => match self.line()?.as_str() {
                "00" => Object::Bool(false),
                "01" => Object::Bool(true),
                line => Object::Int(line.trim().parse().map_err(|_| "a whole number is invalid")?),
            },
            b'L' => Object::Int(self.line()?.trim_end_matches('L').parse().map_err(|_| "a whole number is invalid")?),
            b'J' => Object::Int((self.uint(4)? as u32 as i32).into()),
            b'K' => Object::Int(self.uint(1)? as i64),
            b'M' => Object::Int(self.uint(2)? as i64),
            0x8a | 0x8b => {
                let size = self.uint(if opcode == 0x8a { 1 } else { 4 })?;
                if size > 8 {
                    return Err("a whole number has more than 64 bits".into());
                }
                let unused = 64 - 8 * size as u32;
                let value = self.uint(size as usize)?;
                Object::Int(if size == 0 { 0 } else { (value << unused) as i64 >> unused })
            }
            b'F' => Object::Float(self.line()?.trim().parse().map_err(|_| "a number is invalid")?),
            _ => Object::Float(f64::from_bits(self.uint(8)?.swap_bytes())),
        })
    }

    /// Reads the text or bytes that an instruction makes.
    fn text(&mut self, opcode: u8) -> Result<Object, Cause> {
        match opcode {
            b'S' => Ok(Object::Owned(unquoted(&self.line()?).ok_or("a quoted text is invalid")?)),
            b'V' => Ok(Object::Owned(unescaped(&self.line()?).ok_or("an escaped text is invalid")?.into_bytes())),
            // The others differ in the width of the length before them.
            b'U' | b'C' | 0x8c => self.sized(1),
            b'T' | b'B' | b'X' => self.sized(4),
            _ => self.sized(8),
        }
    }

    /// Makes or extends a list, tuple or dictionary.
    fn collection(&mut self, opcode: u8) -> Result<(), Cause> {
        match opcode {
            b']' => self.push(Object::List(Vec::new())),
            b')' => self.push(Object::Tuple(Vec::new())),
            b'}' => self.push(Object::Dict(Vec::new())),
            b'l' => self.marked().and_then(|items| self.push(Object::List(items))),
            b't' => self.marked().and_then(|items| self.push(Object::Tuple(items))),
            b'd' => self.marked().and_then(|items| self.push(Object::Dict(pairs(&items)?))),
            b'a' => self.pop().and_then(|item| self.append(vec![item])),
            b'e' => self.marked().and_then(|items| self.append(items)),
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.set(vec![key, value])
            }
            b'u' => self.marked().and_then(|items| self.set(items)),
            // 0x85 to 0x87 make tuples of one to three objects.
            _ => {
                let mut items = Vec::new();
                for _ in 0x84..opcode {
                    items.push(self.pop()?);
                }
                items.reverse();
                self.push(Object::Tuple(items))
            }
        }
    }

    /// Names a function, calls one, or sets the state of an object.
    fn call(&mut self, opcode: u8) -> Result<(), Cause> {
        match opcode {
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.global(&module, &name)
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let (module, name) = (self.string(module)?, self.string(name)?);
                self.global(&module, &name)
            }
            b'R' => {
                let (arguments, callee) = (self.pop()?, self.pop()?);
                let (Object::Global(global), Object::Tuple(arguments)) =
                    (&self.objects[callee], &self.objects[arguments])
                else {
                    return Err("it calls an object that is not a function".into());
                };
                let made = global.call(arguments, &self.objects, self.bytes)?;
                self.push(made)
            }
            _ => {
                let (state, target) = (self.pop()?, self.top()?);
                let built = globals::build(&self.objects[target], &self.objects[state], &self.objects, self.bytes)?;
                self.objects[target] = built;
                Ok(())
            }
        }
    }

    /// Stores the top of the stack in the memo, or pushes an object from the memo.
    fn memo(&mut self, opcode: u8) -> Result<(), Cause> {
        let key = match opcode {
            b'p' | b'g' => self.line()?.trim().parse().map_err(|_| "the number of a memo is invalid")?,
            b'q' | b'h' => self.uint(1)?,
            b'r' | b'j' => self.uint(4)?,
            _ => self.memo.len() as u64,
        };
        if matches!(opcode, b'g' | b'h' | b'j') { self.recall(key) } else { self.remember(key) }
    }
}

/// Groups objects into pairs of a key and a value.
fn pairs(items: &[Id]) -> Result<Vec<(Id, Id)>, Cause> {
    if !items.len().is_multiple_of(2) {
        return Err("a dictionary has a key without a value".into());
    }
    Ok(items.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect())
}

/// Decodes a string literal of Python 2.
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

/// Decodes Python's raw-unicode-escape, in which only `\uXXXX` and `\UXXXXXXXX` are escapes.
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
