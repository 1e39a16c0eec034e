//! Checkpoints: pickles that ask for functions, archives that lie, links that lead out.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use bench::model::{HostTensors, load, read_checkpoint, read_config};

use super::torch_files::{Member, Pickler, VIEWS, View, legacy, members, zip};
use crate::fixtures::fixture;
use crate::fuzz::memory::peak_of;

/// What a folder with this `pytorch_model.bin` is read as, and the memory it took.
fn read(file: &[u8]) -> (Result<HostTensors, String>, usize) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("pytorch_model.bin"), file).unwrap();
    let (tensors, peak) = peak_of(|| read_checkpoint(folder.path()));
    let path = folder.path().display().to_string();
    (tensors.map_err(|error| error.to_string().replace(&path, "")), peak)
}

fn refusal(file: &[u8]) -> String {
    let (tensors, peak) = read(file);
    assert!(peak < (1 << 17) + 32 * file.len(), "{peak} bytes for a file of {}", file.len());
    tensors.unwrap_err()
}

#[test]
fn state_dicts_of_every_protocol_are_read() {
    // Protocol 0 has no storages: their ids are tuples there, which torch cannot write.
    for protocol in 1..=5 {
        let pickle = Pickler::new(protocol).state_dict(&VIEWS);
        for file in [zip(&members(&pickle)), legacy(&pickle)] {
            let tensors = read(&file).0.unwrap();
            assert_eq!(tensors.keys().collect::<Vec<_>>(), ["a", "b"], "integers are left out");
            assert_eq!((&tensors["a"].shape[..], &tensors["b"].shape[..]), (&[2, 3][..], &[3, 2][..]));
            assert_eq!(tensors["a"].data, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
            assert_eq!(tensors["b"].data, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        }
    }
}

/// Our reader against another one, which knows less of what is dangerous.
#[test]
fn real_checkpoints_are_read_as_burn_reads_them() {
    let mut files = 0;
    for entry in fs::read_dir(fixture("")).unwrap() {
        let folder = entry.unwrap().path();
        let file = folder.join("pytorch_model.bin");
        if !file.is_file() {
            continue;
        }
        files += 1;
        let ours = read_checkpoint(&folder).unwrap();
        let mut theirs = burn::store::pytorch_reader::PytorchReader::new(&file).unwrap().into_tensors();
        theirs.retain(|_, tensor| matches!(tensor.dtype(), burn::store::pytorch_reader::DType::F32));
        assert_eq!(ours.len(), theirs.len(), "{}", file.display());
        for (name, tensor) in ours {
            assert_eq!(tensor.shape, theirs[&name].shape(), "{name}");
            let bytes: Vec<u8> = tensor.data.iter().flat_map(|value| value.to_le_bytes()).collect();
            assert_eq!(bytes, theirs[&name].read().unwrap(), "{name}");
        }
    }
    assert!(files > 3, "{files}");
}

/// A pickle that calls `os.system` with a command that would leave a file.
fn command(protocol: u8, trace: &Path) -> Vec<u8> {
    let mut pickler = Pickler::new(protocol);
    pickler.name("os", "system").raw(b"(").text(&format!("touch {}", trace.display())).raw(b"tR.");
    pickler.bytes
}

#[test]
fn nothing_in_a_pickle_is_executed() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    for protocol in 0..=5 {
        let pickle = command(protocol, &trace);
        // As a value of a state dict, behind tensors that are good.
        let mut nested = Pickler::new(protocol.max(1));
        nested.raw(b"}(").tensor(VIEWS[0].0, &VIEWS[0].1).text("x").raw(b"](").name("os", "system");
        nested.raw(b"(").text("true").raw(b"tReu.");
        for file in [
            zip(&members(&pickle)),
            legacy(&pickle),
            pickle.clone(),
            zip(&members(&nested.bytes)),
            legacy(&nested.bytes),
            // In the place of one of the pickles that stand before the state dict.
            [&legacy(&pickle)[..15], &pickle].concat(),
        ] {
            let message = refusal(&file);
            assert!(message.contains("the pickle asks for `os.system`, and nothing was called"), "{message}");
        }
    }
    assert!(!trace.exists());
}

#[test]
fn what_else_python_would_do_is_refused() {
    let pickled = |build: &dyn Fn(&mut Pickler)| {
        let mut pickler = Pickler::new(2);
        build(&mut pickler);
        refusal(&zip(&members(&pickler.bytes)))
    };
    let named = |module, name| pickled(&|pickler| _ = pickler.name(module, name).raw(b"(tR."));
    for (module, name) in [
        ("builtins", "eval"),
        ("builtins", "getattr"),
        ("__builtin__", "exec"),
        ("subprocess", "Popen"),
        ("torch", "load"),
        ("torch.hub", "load"),
        ("runpy", "_run_code"),
        ("collections", "OrderedDict.__init__"),
        ("torch._utils", "_rebuild_tensor_v2.__globals__"),
        ("torch", "FloatStorage.from_file"),
    ] {
        let message = named(module, name);
        assert!(message.contains(&format!("`{module}.{name}`")), "{message}");
    }
    let long = named("os\u{1b}[2J", &"x".repeat(5000));
    assert!(long.len() < 300 && !long.contains('\u{1b}'), "{long}");
    // Objects of classes, the registry of extensions, buffers outside, sets, a persistent line.
    for opcode in [0x81, 0x92, b'i', b'o', 0x82, 0x83, 0x84, 0x97, 0x98, 0x8f, b'P'] {
        let message = pickled(&|pickler| _ = pickler.raw(b"()").raw(&[opcode]).raw(b"a\nb\n."));
        assert!(message.contains("no state dict has it"), "{opcode:#x}: {message}");
    }
    // A list is no function, an attribute of a tensor is none.
    for (pickle, says) in [
        (&b"](tR."[..], "a call that no state dict has"),
        (b"]}b.", "sets attributes of what has none"),
        (b"\x80\x06.", "a protocol above 5"),
        (b"h\x05.", "the memo does not have it"),
        (b".", "the stack is empty"),
        (b"(.", "the stack is empty"),
        (b"X\xff\xff\xff\xffa", "ends too early"),
        (b"\x8d\xff\xff\xff\xff\xff\xff\xff\xffa", "ends too early"),
    ] {
        let message = pickled(&|pickler| _ = pickler.raw(pickle));
        assert!(message.contains(says), "{message} lacks {says}");
    }
}

/// Each level is a list of ten of the level below.
#[test]
fn what_a_pickle_repeats_costs_nothing() {
    for protocol in [2, 4] {
        let mut pickler = Pickler::new(protocol);
        pickler.raw(b"}(").tensor(VIEWS[0].0, &VIEWS[0].1);
        pickler.text("x").raw(b"]r\xff\0\0\0");
        for level in 0..200_u32 {
            pickler.raw(b"](");
            for _ in 0..10 {
                pickler.raw(b"j").raw(&(255 + level).to_le_bytes());
            }
            pickler.raw(b"er").raw(&(256 + level).to_le_bytes());
        }
        // Also a list that holds itself.
        pickler.raw(b"2a");
        // What is left below the last level belongs to nothing.
        pickler.raw(b"1}(").tensor(VIEWS[0].0, &VIEWS[0].1).raw(b"u.");
        let file = zip(&members(&pickler.bytes));
        let (tensors, peak) = read(&file);
        assert_eq!(tensors.unwrap().len(), 1);
        assert!(peak < 60 * file.len(), "{peak} for {}", file.len());
    }
    // A million open lists, and a million marks.
    let deep = |bytes: &[u8]| {
        let mut pickler = Pickler::new(2);
        pickler.raw(bytes);
        let file = zip(&members(&pickler.bytes));
        let (tensors, peak) = read(&file);
        assert!(peak < 96 * file.len(), "{peak} for {}", file.len());
        tensors.unwrap_err()
    };
    let lists = [&b"]".repeat(1_000_000)[..], b"."].concat();
    assert!(deep(&lists).contains("more values than a state dict of its length has"));
    assert!(deep(&b"(".repeat(1_000_000)).contains("too many open marks"));
    let nested = [&b"N".repeat(100)[..], &b"\x85N0".repeat(300_000), b"."].concat();
    assert!(deep(&nested).contains("no dict from names to tensors"));
    // The same items of a dict, called again and again.
    let items = [&b"](](NNe"[..], &b"](NNe".repeat(500), b"eq\0"].concat();
    let calls = b"ccollections\nOrderedDict\nh\0\x85R0".repeat(2000);
    assert!(deep(&[&items[..], &calls].concat()).contains("the same items again and again"));
}

#[test]
fn tensors_that_claim_more_than_the_file_has_are_refused() {
    const HUGE: i32 = i32::MAX;
    let claim = |view: View<'_>| {
        let pickle = Pickler::new(2).state_dict(&[("a", view)]);
        assert_eq!(read(&legacy(&pickle)).0.is_err(), read(&zip(&members(&pickle))).0.is_err());
        refusal(&zip(&members(&pickle)))
    };
    let view =
        |count, start, shape, strides| View { kind: "FloatStorage", key: "0", count, start, shape, strides };
    for (view, says) in [
        (view(HUGE, 0, &[HUGE], &[1]), "the values that the file has"),
        (view(6, 0, &[7], &[1]), "`a` reaches beyond its storage"),
        (view(6, 6, &[1], &[1]), "`a` reaches beyond its storage"),
        (view(6, 0, &[2, 2], &[HUGE, HUGE]), "`a` reaches beyond its storage"),
        (view(6, 0, &[HUGE, HUGE, HUGE, HUGE], &[0, 0, 0, 0]), "`a` reaches beyond its storage"),
        // One element, again and again.
        (view(6, 0, &[HUGE, 8], &[0, 0]), "the values that the file has"),
        (view(7, 0, &[6], &[1]), "storage `0` is missing, cut off or of another length"),
        (view(6, 0, &[-6], &[1]), "no tensor of at most 8 axes"),
        (view(6, 0, &[1; 9], &[1; 9]), "no tensor of at most 8 axes"),
        (view(6, 0, &[6], &[1, 1]), "axes and strides of different number"),
        (view(-6, 0, &[6], &[1]), "no storage of a tensor"),
        (View { key: "../0", ..view(6, 0, &[6], &[1]) }, "storage `../0` is missing"),
        (View { key: "9", ..view(6, 0, &[6], &[1]) }, "storage `9` is missing"),
    ] {
        let message = claim(view);
        assert!(message.contains(says), "{message} lacks {says}");
    }
    // Two thousand names for one tensor, itself one value again and again.
    let many: Vec<String> = (0..2000).map(|index| index.to_string()).collect();
    let mut pickler = Pickler::new(2);
    pickler.raw(b"}(").tensor("a", &view(6, 0, &[100], &[0])).raw(b"q\xc8");
    for name in &many {
        pickler.text(name).raw(b"h\xc8");
    }
    pickler.raw(b"u.");
    assert!(refusal(&zip(&members(&pickler.bytes))).contains("accepted are at most 4 times"));
}

#[test]
fn archives_that_lie_are_refused() {
    let pickle = Pickler::new(2).state_dict(&VIEWS);
    let changed = |change: &dyn Fn(&mut Vec<Member>)| {
        let mut members = members(&pickle);
        change(&mut members);
        refusal(&zip(&members))
    };
    let storage =
        |members: &mut Vec<Member>| members.iter().position(|m| m.name == "archive/data/0").unwrap();
    let with = |change: &dyn Fn(&mut Member)| {
        changed(&|members: &mut Vec<Member>| {
            let at = storage(members);
            change(&mut members[at]);
        })
    };
    assert!(with(&|member| member.method = 8).contains("`archive/data/0` is compressed"));
    assert!(with(&|member| member.claimed = Some(0xffff_fff0)).contains("reaches beyond the file"));
    assert!(with(&|member| member.data.truncate(20)).contains("storage `0` is missing, cut off"));
    for name in ["../../evil", "/etc/passwd", "archive/../../x", "C:\\x", "archive/data/1"] {
        let message = changed(&|members| members.push(Member::new(name, "x")));
        assert!(message.contains(&format!("`{name}`")) && message.contains("leads out"), "{message}");
    }
    let mut damaged = zip(&members(&pickle));
    let at = damaged.windows(4).position(|window| window == 2.0_f32.to_le_bytes()).unwrap();
    damaged[at] ^= 1;
    assert!(refusal(&damaged).contains("`archive/data/0` fails its checksum"));
    assert!(refusal(&[&zip(&members(&pickle))[..], b"more"].concat()).contains("cut off or damaged"));
    assert!(
        refusal(b"PK\x05\x06").contains("not a file of torch.save")
            || refusal(b"PK\x05\x06").contains("opcode")
    );
    let mut tar = vec![b'.'; 1024];
    tar[257..262].copy_from_slice(b"ustar");
    assert!(refusal(&tar).contains("a tar archive"));
    assert!(changed(&|members| drop(members.remove(0))).contains("not a file of torch.save"));
    let big = changed(&|members| members[1] = Member::new("archive/byteorder", "big"));
    assert!(big.contains("big-endian"), "{big}");
}

#[test]
fn a_header_of_safetensors_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let refused = |header: &str, length: Option<u64>, data: usize| {
        let mut file = length.unwrap_or(header.len() as u64).to_le_bytes().to_vec();
        file.extend(header.as_bytes());
        file.extend(vec![0; data]);
        fs::write(&path, &file).unwrap();
        let (tensors, peak) = peak_of(|| load(&path));
        assert!(peak < 1 << 18, "{peak} bytes for {header}");
        tensors.unwrap_err().to_string()
    };
    let one = |dtype: &str, shape: &str, offsets: &str| {
        format!(r#"{{"a":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}}}}}"#)
    };
    let good = one("F32", "[2]", "[0,8]");
    let cases = [
        refused(&good, None, 7),
        refused(&good, None, 9),
        refused(&good, Some(u64::MAX), 8),
        refused(&good, Some(100_000_001), 8),
        refused(&good, Some(good.len() as u64 - 1), 8),
        refused(&one("F32", "[3]", "[0,8]"), None, 8),
        refused(&one("F32", "[2]", "[0,18446744073709551615]"), None, 8),
        refused(&one("F32", "[2]", "[8,0]"), None, 8),
        refused(&one("F32", "[4611686018427387904,4]", "[0,0]"), None, 0),
        refused(&one("F32", "[18446744073709551615]", "[0,8]"), None, 8),
        refused(&one("Q9", "[2]", "[0,8]"), None, 8),
        refused(
            r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#,
            None,
            12,
        ),
        refused(
            r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}"#,
            None,
            12,
        ),
        refused(&"[".repeat(100_000), None, 0),
    ];
    assert!(cases.iter().all(|message| message.contains("model.safetensors: ")), "{cases:#?}");
}

#[test]
fn links_are_followed_within_a_checkpoint_and_its_cache() {
    let (place, source) = (tempfile::tempdir().unwrap(), fixture("dnabert-3mer"));
    let cache = place.path().join("models--x--y");
    let (snapshot, blobs) = (cache.join("snapshots/abc"), cache.join("blobs"));
    fs::create_dir_all(&snapshot).unwrap();
    fs::create_dir_all(&blobs).unwrap();
    for (name, blob) in [("config.json", "1"), ("model.safetensors", "2")] {
        fs::copy(source.join(name), blobs.join(blob)).unwrap();
        symlink(format!("../../blobs/{blob}"), snapshot.join(name)).unwrap();
    }
    read_config(&snapshot).unwrap();
    let tensors = read_checkpoint(&snapshot).unwrap();
    // The folder itself may be a link: a person has named it.
    let named = place.path().join("named");
    symlink(&snapshot, &named).unwrap();
    assert_eq!(read_checkpoint(&named).unwrap(), tensors);
    // And a file a link within it.
    let own = place.path().join("own");
    fs::create_dir(&own).unwrap();
    fs::copy(source.join("config.json"), own.join("original")).unwrap();
    symlink("original", own.join("config.json")).unwrap();
    read_config(&own).unwrap();
}

#[test]
fn links_out_of_a_checkpoint_are_refused() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("checkpoint");
    fs::create_dir(&folder).unwrap();
    // A checkpoint that is whole, beside the one that is read.
    let outside = place.path().join("outside");
    fs::create_dir(&outside).unwrap();
    for name in ["config.json", "model.safetensors"] {
        fs::copy(fixture("dnabert-3mer").join(name), outside.join(name)).unwrap();
    }
    symlink("/etc/passwd", folder.join("config.json")).unwrap();
    symlink("../outside/model.safetensors", folder.join("model.safetensors")).unwrap();
    for message in
        [read_config(&folder).unwrap_err().to_string(), read_checkpoint(&folder).unwrap_err().to_string()]
    {
        assert!(message.contains("outside of the checkpoint's folder"), "{message}");
    }
    // `blobs` counts in a cache alone.
    let blobs = place.path().join("blobs");
    fs::rename(&outside, &blobs).unwrap();
    fs::remove_file(folder.join("model.safetensors")).unwrap();
    symlink("../blobs/model.safetensors", folder.join("model.safetensors")).unwrap();
    assert!(read_checkpoint(&folder).unwrap_err().to_string().contains("outside"));
    // What has no end is not begun.
    fs::remove_file(folder.join("model.safetensors")).unwrap();
    fs::create_dir(folder.join("model.safetensors")).unwrap();
    assert!(read_checkpoint(&folder).unwrap_err().to_string().contains("accepted is a file"));
    // A list of further files is not read.
    fs::remove_dir(folder.join("model.safetensors")).unwrap();
    let index = r#"{"weight_map": {"a": "../outside/model.safetensors", "b": "/etc/passwd"}}"#;
    fs::write(folder.join("model.safetensors.index.json"), index).unwrap();
    assert!(read_checkpoint(&folder).unwrap_err().to_string().contains("neither `model.safetensors`"));
}
