//! The stack machine: one opcode after the other, of protocols 0 to 5.

use std::collections::BTreeMap;

use super::{Id, Name, Pickle, PickleError, Storage, Tensor, Value, shown};

/// Most axes of a tensor.
const RANK: usize = 8;

/// Most marks that are open at once.
const MARKS: usize = 1000;

/// All that tells nothing.
const OTHER: Id = Id(0);

pub(super) struct Machine<'a> {
    input: &'a [u8],
    /// The next byte.
    at: usize,
    /// The opcode that is being done.
    op: usize,
    values: Vec<Value<'a>>,
    stack: Vec<Id>,
    marks: Vec<u32>,
    memo: BTreeMap<u32, Id>,
    /// Entries copied from one container into another.
    copied: usize,
}

impl<'a> Machine<'a> {
    pub(super) fn new(input: &'a [u8], start: usize) -> Self {
        Self {
            input,
            at: start,
            op: start,
            values: vec![Value::Other],
            stack: Vec::new(),
            marks: Vec::new(),
            memo: BTreeMap::new(),
            copied: 0,
        }
    }

    pub(super) fn run(mut self) -> Result<Pickle<'a>, PickleError> {
        while self.step()? {}
        let root = self.pop()?;
        Ok(Pickle { values: self.values, root, end: self.at })
    }

    /// Does one opcode; false at the end.
    fn step(&mut self) -> Result<bool, PickleError> {
        self.op = self.at;
        let code = self.number(1)? as u8;
        match code {
            b'.' => return Ok(false),
            0x80 if self.number(1)? > 5 => return Err(self.wrong("a protocol above 5")),
            0x80 => {}
            0x95 => drop(self.number(8)?),
            b'(' if self.marks.len() == MARKS => return Err(self.wrong("too many open marks")),
            b'(' => self.marks.push(self.stack.len() as u32),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.pop_to_mark()?),
            b'2' => {
                let top = self.top()?;
                self.stack.push(top);
            }
            b'N' | 0x88 | 0x89 => self.stack.push(OTHER),
            b'I' | b'L' | b'F' | b'J' | b'K' | b'M' | b'G' | 0x8a | 0x8b => self.scalar(code)?,
            b'V' | b'S' | b'X' | b'U' | b'T' | 0x8c | 0x8d => self.text(code)?,
            b'B' | b'C' | 0x8e | 0x96 => self.skip_bytes(code)?,
            b')' | b']' | b'}' | b't' | b'l' | b'd' | 0x85..=0x87 => self.container(code)?,
            b'a' | b'e' | b's' | b'u' => self.extend(code)?,
            b'g' | b'h' | b'j' => self.fetch(code)?,
            b'p' | b'q' | b'r' | 0x94 => self.memoize(code)?,
            b'c' | 0x93 => self.name(code)?,
            b'Q' => self.persistent()?,
            b'R' => self.reduce()?,
            b'b' => self.build()?,
            _ => return Err(PickleError::Opcode { at: self.op, code }),
        }
        Ok(true)
    }

    fn wrong(&self, what: &'static str) -> PickleError {
        PickleError::Wrong { at: self.op, what }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], PickleError> {
        let rest = &self.input[self.at..];
        let taken = rest.get(..length).ok_or(PickleError::CutOff(self.input.len()))?;
        self.at += length;
        Ok(taken)
    }

    /// An unsigned little-endian number.
    fn number(&mut self, width: usize) -> Result<u64, PickleError> {
        Ok(self.take(width)?.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// As many bytes as a number of `width` bytes before them says.
    fn counted(&mut self, width: usize) -> Result<&'a [u8], PickleError> {
        let length = usize::try_from(self.number(width)?).map_err(|_| self.wrong("a length is too large"))?;
        self.take(length)
    }

    fn line(&mut self) -> Result<&'a str, PickleError> {
        let rest = &self.input[self.at..];
        let length =
            rest.iter().position(|byte| *byte == b'\n').ok_or(PickleError::CutOff(self.input.len()))?;
        let line = self.take(length + 1)?;
        let line = line[..length].strip_suffix(b"\r").unwrap_or(&line[..length]);
        std::str::from_utf8(line).map_err(|_| self.wrong("a text is not UTF-8"))
    }

    /// A pickle of a state dict has far fewer values than half its bytes.
    fn push(&mut self, value: Value<'a>) -> Result<(), PickleError> {
        if self.values.len() > self.input.len() / 2 + MARKS {
            return Err(self.wrong("more values than a state dict of its length has"));
        }
        self.stack.push(Id(self.values.len() as u32));
        self.values.push(value);
        Ok(())
    }

    /// The height of the stack at the innermost mark: nothing below it is in reach.
    fn floor(&self) -> usize {
        self.marks.last().map_or(0, |mark| *mark as usize)
    }

    fn top(&self) -> Result<Id, PickleError> {
        let reachable = self.stack.get(self.floor()..).unwrap_or_default();
        reachable.last().copied().ok_or_else(|| self.wrong("the stack is empty"))
    }

    fn pop(&mut self) -> Result<Id, PickleError> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Id>, PickleError> {
        let mark = self.marks.pop().ok_or_else(|| self.wrong("there is no mark"))? as usize;
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }

    fn value(&self, id: Id) -> &Value<'a> {
        &self.values[id.0 as usize]
    }

    fn scalar(&mut self, code: u8) -> Result<(), PickleError> {
        let integer = match code {
            b'I' | b'L' => self.line()?.trim_end_matches('L').parse().ok(),
            b'F' => self.line().map(|_| None)?,
            b'G' => self.take(8).map(|_| None)?,
            b'J' => Some(i64::from(self.number(4)? as u32 as i32)),
            b'K' => Some(self.number(1)? as i64),
            b'M' => Some(self.number(2)? as i64),
            0x8a => long(self.counted(1)?),
            _ => long(self.counted(4)?),
        };
        match integer {
            Some(integer) => self.push(Value::Int(integer)),
            None => {
                self.stack.push(OTHER);
                Ok(())
            }
        }
    }

    fn text(&mut self, code: u8) -> Result<(), PickleError> {
        let raw = match code {
            b'V' => self.line()?,
            b'S' => {
                let line = self.line()?;
                let quoted = |quote| line.strip_prefix(quote).and_then(|line| line.strip_suffix(quote));
                quoted('\'').or(quoted('"')).ok_or_else(|| self.wrong("a text without quotes"))?
            }
            _ => {
                let width = match code {
                    b'U' | 0x8c => 1,
                    b'X' | b'T' => 4,
                    _ => 8,
                };
                let bytes = self.counted(width)?;
                std::str::from_utf8(bytes).map_err(|_| self.wrong("a text is not UTF-8"))?
            }
        };
        if matches!(code, b'V' | b'S') && raw.contains('\\') {
            return Err(self.wrong("a text with escapes"));
        }
        self.push(Value::Text(raw))
    }

    fn skip_bytes(&mut self, code: u8) -> Result<(), PickleError> {
        self.counted(match code {
            b'C' => 1,
            b'B' => 4,
            _ => 8,
        })?;
        self.stack.push(OTHER);
        Ok(())
    }

    fn container(&mut self, code: u8) -> Result<(), PickleError> {
        let value = match code {
            b')' | b']' => Value::Items(Vec::new()),
            b'}' => Value::Dict(Vec::new()),
            b't' | b'l' => Value::Items(self.pop_to_mark()?),
            b'd' => {
                let items = self.pop_to_mark()?;
                Value::Dict(self.pairs(&items)?)
            }
            _ => {
                let mut items = Vec::new();
                for _ in 0x85..=code {
                    items.push(self.pop()?);
                }
                items.reverse();
                Value::Items(items)
            }
        };
        self.push(value)
    }

    fn pairs(&self, items: &[Id]) -> Result<Vec<(Id, Id)>, PickleError> {
        let (pairs, rest) = items.as_chunks();
        if !rest.is_empty() {
            return Err(self.wrong("a key without a value"));
        }
        Ok(pairs.iter().map(|[key, value]| (*key, *value)).collect())
    }

    /// Adds to the list or dict on top of the stack.
    fn extend(&mut self, code: u8) -> Result<(), PickleError> {
        let items = match code {
            b'a' => vec![self.pop()?],
            b's' => {
                let value = self.pop()?;
                vec![self.pop()?, value]
            }
            _ => self.pop_to_mark()?,
        };
        let top = self.top()?;
        let pairs = if matches!(code, b's' | b'u') { self.pairs(&items)? } else { Vec::new() };
        match (&mut self.values[top.0 as usize], code) {
            (Value::Items(list), b'a' | b'e') => list.extend(items),
            (Value::Dict(dict), b's' | b'u') => dict.extend(pairs),
            _ => return Err(self.wrong("it adds to what is no list or dict")),
        }
        Ok(())
    }

    fn fetch(&mut self, code: u8) -> Result<(), PickleError> {
        let index = match code {
            b'g' => self.line()?.parse().map_err(|_| self.wrong("no number of the memo"))?,
            b'h' => self.number(1)? as u32,
            _ => self.number(4)? as u32,
        };
        let id = self.memo.get(&index).copied().ok_or_else(|| self.wrong("the memo does not have it"))?;
        self.stack.push(id);
        Ok(())
    }

    fn memoize(&mut self, code: u8) -> Result<(), PickleError> {
        let index = match code {
            b'p' => self.line()?.parse().map_err(|_| self.wrong("no number of the memo"))?,
            b'q' => self.number(1)? as u32,
            b'r' => self.number(4)? as u32,
            _ => self.memo.len() as u32,
        };
        let top = self.top()?;
        self.memo.insert(index, top);
        Ok(())
    }

    fn name(&mut self, code: u8) -> Result<(), PickleError> {
        let (module, name) = if code == b'c' {
            (self.line()?, self.line()?)
        } else {
            let (name, module) = (self.pop()?, self.pop()?);
            match (self.value(module), self.value(name)) {
                (Value::Text(module), Value::Text(name)) => (*module, *name),
                _ => return Err(self.wrong("a name that is no text")),
            }
        };
        let known = Name::of(module, name).ok_or_else(|| PickleError::Name(shown(module, name)))?;
        self.push(Value::Name(known))
    }

    /// A storage: `('storage', TYPE, KEY, PLACE, COUNT)`, and in early files a view of it,
    /// `(KEY, START, COUNT)`.
    fn persistent(&mut self) -> Result<(), PickleError> {
        let wrong = self.wrong("no storage of a tensor");
        let id = self.pop()?;
        let Value::Items(fields) = self.value(id) else { return Err(wrong) };
        let [tag, kind, key, _place, count, view @ ..] = &fields[..] else { return Err(wrong) };
        let (Value::Text("storage"), Value::Name(Name::Storage(elements)), Value::Text(key), Some(count)) =
            (self.value(*tag), self.value(*kind), self.value(*key), self.size(*count))
        else {
            return Err(wrong);
        };
        let start = match view.first().map(|view| self.value(*view)) {
            None | Some(Value::Other) => Some(0),
            Some(Value::Items(view)) => view.get(1).and_then(|start| self.size(*start)),
            Some(_) => None,
        };
        let start = start.ok_or(wrong)?;
        let storage = Storage { elements: *elements, key, count, start };
        self.push(Value::Storage(Box::new(storage)))
    }

    fn size(&self, id: Id) -> Option<usize> {
        match self.value(id) {
            Value::Int(integer) => usize::try_from(*integer).ok(),
            _ => None,
        }
    }

    fn sizes(&self, id: Id) -> Option<Vec<usize>> {
        match self.value(id) {
            Value::Items(items) if items.len() <= RANK => items.iter().map(|item| self.size(*item)).collect(),
            _ => None,
        }
    }

    /// What the call of a name would have built, for the few whose values are known.
    fn reduce(&mut self) -> Result<(), PickleError> {
        let wrong = self.wrong("a call that no state dict has");
        let (arguments, called) = (self.pop()?, self.pop()?);
        let (Value::Name(name), Value::Items(arguments)) = (self.value(called), self.value(arguments)) else {
            return Err(wrong);
        };
        match (name, &arguments[..]) {
            (Name::OrderedDict, []) => self.push(Value::Dict(Vec::new())),
            (Name::OrderedDict, &[items]) => self.ordered(items),
            (Name::RebuildTensor, &[storage, start, shape, strides, ..]) => {
                let (Value::Storage(_), Some(start), Some(shape), Some(strides)) =
                    (self.value(storage), self.size(start), self.sizes(shape), self.sizes(strides))
                else {
                    return Err(self.wrong("no tensor of at most 8 axes"));
                };
                if shape.len() != strides.len() {
                    return Err(self.wrong("a tensor with axes and strides of different number"));
                }
                self.push(Value::Tensor(Box::new(Tensor { storage, start, shape, strides })))
            }
            (Name::RebuildParameter, &[tensor, ..]) => {
                self.stack.push(tensor);
                Ok(())
            }
            _ => Err(wrong),
        }
    }

    /// Python 2 hands all items of an `OrderedDict` to its call, as a list of pairs.
    fn ordered(&mut self, items: Id) -> Result<(), PickleError> {
        let wrong = self.wrong("no list of keys and values");
        let Value::Items(items) = self.value(items) else { return Err(wrong) };
        let copied = self.copied + items.len();
        if copied > self.input.len() {
            return Err(self.wrong("the same items again and again"));
        }
        let mut dict = Vec::with_capacity(items.len());
        for item in items {
            match self.value(*item) {
                Value::Items(pair) if pair.len() == 2 => dict.push((pair[0], pair[1])),
                _ => return Err(wrong),
            }
        }
        self.copied = copied;
        self.push(Value::Dict(dict))
    }

    /// Sets attributes: an `OrderedDict` of weights has one, with the versions of modules.
    fn build(&mut self) -> Result<(), PickleError> {
        self.pop()?;
        let top = self.top()?;
        match self.value(top) {
            Value::Dict(_) => Ok(()),
            _ => Err(self.wrong("it sets attributes of what has none")),
        }
    }
}

/// A little-endian two's complement number, where it fits.
fn long(bytes: &[u8]) -> Option<i64> {
    let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
    let mut full = [if negative { 0xff } else { 0 }; 8];
    full.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(i64::from_le_bytes(full))
}
