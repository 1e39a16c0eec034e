//! Files of `torch.save`, written by hand: pickles of any protocol, zip archives, and the
//! format before PyTorch 1.6.

use flate2::Crc;

/// Bytes of a pickle, as Python's pickler of a protocol writes them.
pub(crate) struct Pickler {
    protocol: u8,
    pub(crate) bytes: Vec<u8>,
}

impl Pickler {
    pub(crate) fn new(protocol: u8) -> Self {
        let bytes = if protocol >= 2 { vec![0x80, protocol] } else { Vec::new() };
        Self { protocol, bytes }
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        let length = text.len() as u32;
        match self.protocol {
            0 => self.raw(b"V").raw(text.as_bytes()).raw(b"\n"),
            1..=3 => self.raw(b"X").raw(&length.to_le_bytes()).raw(text.as_bytes()),
            _ => self.raw(&[0x8c, length as u8]).raw(text.as_bytes()).raw(&[0x94]),
        }
    }

    pub(crate) fn integer(&mut self, value: i32) -> &mut Self {
        match self.protocol {
            0 => self.raw(format!("I{value}\n").as_bytes()),
            _ => self.raw(b"J").raw(&value.to_le_bytes()),
        }
    }

    pub(crate) fn name(&mut self, module: &str, name: &str) -> &mut Self {
        match self.protocol {
            0..=3 => self.raw(format!("c{module}\n{name}\n").as_bytes()),
            _ => self.text(module).text(name).raw(&[0x93]),
        }
    }

    pub(crate) fn integers(&mut self, values: &[i32]) -> &mut Self {
        self.raw(b"(");
        for value in values {
            self.integer(*value);
        }
        self.raw(b"t")
    }

    /// A key and a tensor, to stand between a mark and `u`.
    pub(crate) fn tensor(&mut self, name: &str, view: &View<'_>) -> &mut Self {
        let View { kind, key, count, start, shape, strides } = view;
        self.text(name)
            .name("torch._utils", "_rebuild_tensor_v2")
            .raw(b"((")
            .text("storage")
            .name("torch", kind);
        self.text(key)
            .text("cpu")
            .integer(*count)
            .raw(b"tQ")
            .integer(*start)
            .integers(shape)
            .integers(strides);
        // requires_grad and hooks.
        self.raw(b"N").name("collections", "OrderedDict").raw(b"(tRtR")
    }

    /// A state dict of these tensors, in an `OrderedDict` with an attribute.
    pub(crate) fn state_dict(mut self, views: &[(&str, View<'_>)]) -> Vec<u8> {
        self.name("collections", "OrderedDict").raw(b"(tR(");
        for (name, view) in views {
            self.tensor(name, view);
        }
        self.raw(b"u(d(").text("_metadata").name("collections", "OrderedDict").raw(b"(tRub.");
        self.bytes
    }
}

/// A tensor as a pickle describes it.
pub(crate) struct View<'a> {
    pub(crate) kind: &'a str,
    pub(crate) key: &'a str,
    pub(crate) count: i32,
    pub(crate) start: i32,
    pub(crate) shape: &'a [i32],
    pub(crate) strides: &'a [i32],
}

/// `a` `[2, 3]`, its transpose `b` out of the same storage, and integers.
pub(crate) const VIEWS: [(&str, View<'_>); 3] = [
    ("a", View { kind: "FloatStorage", key: "0", count: 6, start: 0, shape: &[2, 3], strides: &[3, 1] }),
    ("b", View { kind: "FloatStorage", key: "0", count: 6, start: 0, shape: &[3, 2], strides: &[1, 3] }),
    ("ids", View { kind: "LongStorage", key: "1", count: 2, start: 0, shape: &[2], strides: &[1] }),
];

/// The storages of [`VIEWS`]: key, elements and bytes.
pub(crate) fn storages() -> Vec<(String, u64, Vec<u8>)> {
    let floats = [1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0].iter().flat_map(|value| value.to_le_bytes()).collect();
    let integers = [7_i64, 8].iter().flat_map(|value| value.to_le_bytes()).collect();
    vec![("0".to_owned(), 6, floats), ("1".to_owned(), 2, integers)]
}

/// A member of a zip archive.
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) data: Vec<u8>,
    /// Compression, 0 for none.
    pub(crate) method: u16,
    /// The size that its list of members claims, where it is another.
    pub(crate) claimed: Option<u32>,
}

impl Member {
    pub(crate) fn new(name: impl Into<String>, data: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), data: data.into(), method: 0, claimed: None }
    }
}

/// The members that `torch.save` writes around a pickle.
pub(crate) fn members(pickle: &[u8]) -> Vec<Member> {
    let mut members =
        vec![Member::new("archive/data.pkl", pickle), Member::new("archive/byteorder", "little")];
    members.extend(
        storages().into_iter().map(|(key, _, data)| Member::new(format!("archive/data/{key}"), data)),
    );
    members.push(Member::new("archive/version", "3\n"));
    members
}

/// A zip archive of them.
pub(crate) fn zip(members: &[Member]) -> Vec<u8> {
    let (mut file, mut list) = (Vec::new(), Vec::new());
    for Member { name, data, method, claimed } in members {
        let mut crc = Crc::new();
        crc.update(data);
        let size = claimed.unwrap_or(data.len() as u32).to_le_bytes();
        let place = file.len() as u32;
        let mut fields = vec![0, 0];
        fields.extend(method.to_le_bytes());
        fields.extend([0; 4]);
        fields.extend(crc.sum().to_le_bytes());
        fields.extend(size);
        fields.extend(size);
        fields.extend((name.len() as u16).to_le_bytes());
        fields.extend([0; 2]);
        file.extend(b"PK\x03\x04\x14\0");
        file.extend(&fields);
        file.extend(name.as_bytes());
        file.extend(data);
        list.extend(b"PK\x01\x02\x14\0\x14\0");
        list.extend(&fields);
        list.extend([0; 10]);
        list.extend(place.to_le_bytes());
        list.extend(name.as_bytes());
    }
    let (start, count) = (file.len() as u32, (members.len() as u16).to_le_bytes());
    file.extend(&list);
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend(count);
    file.extend(count);
    file.extend((list.len() as u32).to_le_bytes());
    file.extend(start.to_le_bytes());
    file.extend([0; 2]);
    file
}

/// The format before PyTorch 1.6 around a pickle.
pub(crate) fn legacy(pickle: &[u8]) -> Vec<u8> {
    let mut file = vec![0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, b'.'];
    file.extend([0x80, 2, b'M', 0xe9, 0x03, b'.']);
    file.extend(b"\x80\x02}(X\x0d\0\0\0little_endian\x88u.");
    file.extend(pickle);
    let mut keys = Pickler::new(2);
    keys.raw(b"](");
    for (key, ..) in storages() {
        keys.text(&key);
    }
    file.extend(&keys.raw(b"e.").bytes);
    for (_, count, data) in storages() {
        file.extend(count.to_le_bytes());
        file.extend(data);
    }
    file
}
