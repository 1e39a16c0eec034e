//! Weights: safetensors, and files of `torch.save`.

use bench::model::{HostTensor, HostTensors, encode, load, read_checkpoint};

use super::mutate::Dice;
use super::{Fuzz, folder, plain};
use crate::fixtures::fixture;
use crate::strangers::torch_files::{Pickler, VIEWS, legacy, members, zip};

fn answer(tensors: &HostTensors) -> String {
    for (name, HostTensor { shape, data }) in tensors {
        assert_eq!(shape.iter().product::<usize>(), data.len(), "{name}");
    }
    format!("{} tensors", tensors.len())
}

/// Half of the time the length that stands before a header becomes that of the header.
fn with_length(dice: &mut Dice, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let end = bytes.iter().rposition(|byte| *byte == b'}');
    if let Some(end) = end
        && end >= 8
        && dice.below(2) == 0
    {
        bytes[..8].copy_from_slice(&(end as u64 - 7).to_le_bytes());
    }
    bytes
}

#[test]
fn safetensors() {
    let folder = folder();
    let path = folder.path().join("model.safetensors");
    let tensor =
        |shape: &[usize]| HostTensor { shape: shape.to_vec(), data: vec![0.5; shape.iter().product()] };
    let tensors = [("a".to_owned(), tensor(&[2, 3])), ("b.weight".to_owned(), tensor(&[4]))].into();
    std::fs::write(&path, encode(&tensors, "a note").unwrap()).unwrap();
    let small = std::fs::read(&path).unwrap();
    let half = br#"{"__metadata__":{"format":"pt"},"h":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"i":{"dtype":"I64","shape":[1],"data_offsets":[4,12]}}"#;
    let mut other = (half.len() as u64).to_le_bytes().to_vec();
    other.extend_from_slice(half);
    other.extend([1; 12]);
    let fuzz = Fuzz {
        reader: "safetensors",
        seeds: vec![small, other, std::fs::read(fixture("dnabert-3mer").join("model.safetensors")).unwrap()],
        words: &[
            "\"dtype\":\"F16\"",
            "\"BF16\"",
            "\"F64\"",
            "\"F8_E5M2\"",
            "\"F4\"",
            "\"shape\":[",
            "\"data_offsets\":[0,0]",
            "[18446744073709551615,2]",
            "[0,9223372036854775807]",
            "[4611686018427387904,4]",
            "[0]",
            "[1,1,1,1,1,1]",
            "\"__metadata__\":{",
            "\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},",
            "null",
        ],
        longest: 120_000,
        pack: with_length,
        // The file, its header as a table, and values of 16 bits twice as long.
        multiple: 16,
        constant: 1 << 13,
    };
    fuzz.run(|bytes| {
        std::fs::write(&path, bytes).unwrap();
        load(&path).map(|tensors| answer(&tensors)).map_err(|error| error.to_string())
    });
}

const TORCH: &[&str] = &[
    "(",
    ")",
    "}",
    "]",
    "t",
    "tR",
    "u",
    "s",
    "a",
    "e",
    "0",
    "1",
    "2",
    "22222222",
    "N",
    "Q",
    "R",
    "b",
    ".",
    "h\0",
    "q\0",
    "ctorch\nFloatStorage\n",
    "ctorch\nLongStorage\n",
    "ccollections\nOrderedDict\n",
    "cos\nsystem\n",
    "ctorch._utils\n_rebuild_tensor_v2\n",
    "ctorch._utils\n_rebuild_parameter\n",
    "X\u{1}\0\0\0a",
    "K\u{1}",
    "J\u{7f}\u{7f}\u{7f}\u{7f}",
    "PK\u{3}\u{4}",
    "PK\u{1}\u{2}",
    "PK\u{5}\u{6}",
    "PK\u{6}\u{6}",
    "archive/data.pkl",
    "archive/data/0",
    "../",
    "I-1\n",
    "L99L\n",
    "Vtext\n",
    "S'x'\n",
];

/// A checkpoint's `pytorch_model.bin`.
fn torch(reader: &'static str, seeds: Vec<Vec<u8>>, pack: fn(&mut Dice, &[u8]) -> Vec<u8>, longest: usize) {
    let folder = folder();
    let path = folder.path().join("pytorch_model.bin");
    // A pickle's values take tens of bytes for each of its opcodes.
    let fuzz = Fuzz { reader, seeds, words: TORCH, longest, pack, multiple: 64, constant: 1 << 17 };
    fuzz.run(|bytes| {
        std::fs::write(&path, bytes).unwrap();
        read_checkpoint(folder.path())
            .map(|tensors| answer(&tensors))
            .map_err(|error| error.to_string().replace(&folder.path().display().to_string(), ""))
    });
}

fn pickles() -> Vec<Vec<u8>> {
    (1..=5).map(|protocol| Pickler::new(protocol).state_dict(&VIEWS)).collect()
}

/// Pickles that are damaged and then put into whole archives.
#[test]
fn pickle_in_zip() {
    torch("pickle_in_zip", pickles(), |_, pickle| zip(&members(pickle)), 8000);
}

#[test]
fn pickle_in_legacy() {
    torch("pickle_in_legacy", pickles(), |_, pickle| legacy(pickle), 8000);
}

/// Archives that are damaged themselves.
#[test]
fn torch_zip() {
    let small = pickles().into_iter().map(|pickle| zip(&members(&pickle)));
    let real = std::fs::read(fixture("genomenet-bert-1000nt-classifier").join("pytorch_model.bin")).unwrap();
    torch("torch_zip", small.chain([real]).collect(), plain, 1_000_000);
}

#[test]
fn torch_legacy() {
    let small = pickles().iter().map(|pickle| legacy(pickle)).collect::<Vec<_>>();
    let real = std::fs::read(fixture("dnabert-3mer-legacy-bin").join("pytorch_model.bin")).unwrap();
    torch("torch_legacy", small.into_iter().chain([real]).collect(), plain, 200_000);
}
