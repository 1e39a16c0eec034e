//! Which devices jobs run on, and how many at a time.

use std::collections::BTreeSet;
use std::fmt;

/// One place where one worker runs one job at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotId(pub usize);

impl fmt::Display for SlotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "slot {}", self.0)
    }
}

/// A slot and its device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Which slot.
    pub id: SlotId,
    /// Where its jobs run.
    pub device: Device,
}

/// Where jobs run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Device {
    /// One core.
    Cpu,
    /// One GPU.
    Cuda {
        /// N of the `cuda:N` that a person typed.
        index: usize,
        /// What `CUDA_VISIBLE_DEVICES` must hold for a process to see this GPU and no other.
        visible: String,
    },
}

impl Device {
    /// What a person may write, for messages.
    pub const ACCEPTED: &str = "`cpu` and `cuda:N` (N from 0), separated by commas";

    /// The device's name inside the worker's process, which sees no other GPU.
    pub fn in_worker(&self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda { .. } => "cuda:0",
        }
    }

    /// The environment that keeps a worker to its device: one thread on the CPU, so that
    /// slots do not fight for cores; one visible GPU.
    pub fn environment(&self) -> (&'static str, &str) {
        match self {
            Self::Cpu => ("RAYON_NUM_THREADS", "1"),
            Self::Cuda { visible, .. } => ("CUDA_VISIBLE_DEVICES", visible),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda { index, .. } => write!(f, "cuda:{index}"),
        }
    }
}

/// What of this machine decides how many slots there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Cores this process may use.
    pub cores: usize,
    /// The present `CUDA_VISIBLE_DEVICES`, as a cluster's scheduler sets it: `cuda:N` is
    /// its entry N.
    pub visible_devices: Option<String>,
}

impl Host {
    /// This machine.
    pub fn here() -> Self {
        Self {
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            visible_devices: std::env::var("CUDA_VISIBLE_DEVICES").ok(),
        }
    }
}

/// `--devices` or `--slots` is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SlotsError {
    /// Not a device.
    #[error("`{text}` is not a device; accepted are {accepted}", accepted = Device::ACCEPTED)]
    UnknownDevice {
        /// What was typed.
        text: String,
    },
    /// A device was typed twice.
    #[error("{device} is listed twice; to run more jobs at a time on each device, use --slots N")]
    Repeated {
        /// The device.
        device: String,
    },
    /// `CUDA_VISIBLE_DEVICES` has no such entry.
    #[error(
        "cuda:{index} is not visible: CUDA_VISIBLE_DEVICES is `{visible}`, which lists {count}{accepted}",
        accepted = accepted(*count)
    )]
    Hidden {
        /// N of `cuda:N`.
        index: usize,
        /// The variable's value.
        visible: String,
        /// Its number of entries.
        count: usize,
    },
    /// A number of slots that makes no sense.
    #[error("--slots {slots} cannot be; accepted is 1 to {limit} for each device", limit = MOST_SLOTS)]
    Count {
        /// What was typed.
        slots: usize,
    },
}

/// What could be typed where so many GPUs are visible.
fn accepted(count: usize) -> String {
    match count {
        0 => ": no GPU can be used".to_owned(),
        1 => "; accepted: `cuda:0`".to_owned(),
        _ => format!("; accepted: `cuda:0` to `cuda:{}`", count - 1),
    }
}

/// Most slots of one device: far above any use, and below what breaks a machine.
const MOST_SLOTS: usize = 1024;

/// The slots that `--devices` and `--slots` ask for. Without devices it is the CPU;
/// without a number, the CPU has a slot for each core and each GPU one. A number counts for
/// each device. Slots alternate between devices, so that few jobs spread over all of them.
///
/// # Errors
/// What is not a device, is listed twice or is not visible, and a number out of range.
pub fn slots(devices: Option<&str>, slots: Option<usize>, host: &Host) -> Result<Vec<Slot>, SlotsError> {
    if let Some(slots) = slots.filter(|slots| !(1..=MOST_SLOTS).contains(slots)) {
        return Err(SlotsError::Count { slots });
    }
    let devices = parse_devices(devices.unwrap_or("cpu"), host)?;
    let counts: Vec<usize> = devices
        .iter()
        .map(|device| {
            slots.unwrap_or(match device {
                Device::Cpu => host.cores.max(1),
                Device::Cuda { .. } => 1,
            })
        })
        .collect();
    let most = counts.iter().copied().max().unwrap_or(0);
    let rounds =
        (0..most).flat_map(|round| devices.iter().zip(&counts).filter(move |(_, count)| round < **count));
    Ok(rounds.enumerate().map(|(id, (device, _))| Slot { id: SlotId(id), device: device.clone() }).collect())
}

fn parse_devices(text: &str, host: &Host) -> Result<Vec<Device>, SlotsError> {
    let mut seen = BTreeSet::new();
    text.split(',')
        .map(|name| {
            let device = parse_device(name.trim(), host)?;
            if seen.insert(device.clone()) {
                Ok(device)
            } else {
                Err(SlotsError::Repeated { device: device.to_string() })
            }
        })
        .collect()
}

fn parse_device(name: &str, host: &Host) -> Result<Device, SlotsError> {
    if name == "cpu" {
        return Ok(Device::Cpu);
    }
    let unknown = || SlotsError::UnknownDevice { text: name.to_owned() };
    let digits = name.strip_prefix("cuda:").ok_or_else(unknown)?;
    // `parse` would take `+1` too.
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    let index = digits.parse().ok().filter(|_| is_number).ok_or_else(unknown)?;
    Ok(Device::Cuda { index, visible: visible(index, host)? })
}

/// What `CUDA_VISIBLE_DEVICES` must hold for `cuda:index` alone: an index, or the name that
/// stands at its place in the present value.
fn visible(index: usize, host: &Host) -> Result<String, SlotsError> {
    let Some(present) = &host.visible_devices else { return Ok(index.to_string()) };
    let entries: Vec<&str> = present.split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect();
    match entries.get(index) {
        Some(entry) => Ok((*entry).to_owned()),
        None => Err(SlotsError::Hidden { index, visible: present.clone(), count: entries.len() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(cores: usize, visible: Option<&str>) -> Host {
        Host { cores, visible_devices: visible.map(str::to_owned) }
    }

    fn names(devices: Option<&str>, number: Option<usize>) -> Vec<String> {
        let slots = slots(devices, number, &host(3, None)).unwrap();
        slots.iter().map(|slot| slot.device.to_string()).collect()
    }

    #[test]
    fn the_cpu_has_a_slot_for_each_core_and_a_gpu_one() {
        assert_eq!(names(None, None), ["cpu", "cpu", "cpu"]);
        assert_eq!(names(None, Some(2)), ["cpu", "cpu"]);
        assert_eq!(names(Some("cuda:1"), None), ["cuda:1"]);
        let both = ["cpu", "cuda:0", "cpu", "cpu"];
        assert_eq!(names(Some("cpu, cuda:0"), None), both);
    }

    #[test]
    fn slots_alternate_between_devices() {
        let four = ["cuda:0", "cuda:1", "cuda:0", "cuda:1"];
        assert_eq!(names(Some("cuda:0,cuda:1"), Some(2)), four);
        let slots = slots(Some("cuda:0,cuda:1"), Some(2), &host(1, None)).unwrap();
        assert_eq!(slots.iter().map(|slot| slot.id.0).collect::<Vec<_>>(), [0, 1, 2, 3]);
    }

    #[test]
    fn a_worker_sees_its_own_device_only() {
        let slots = slots(Some("cpu,cuda:1"), Some(1), &host(1, Some("GPU-a, 7"))).unwrap();
        assert_eq!(slots[0].device.environment(), ("RAYON_NUM_THREADS", "1"));
        assert_eq!(slots[0].device.in_worker(), "cpu");
        assert_eq!(slots[1].device.environment(), ("CUDA_VISIBLE_DEVICES", "7"));
        assert_eq!(slots[1].device.in_worker(), "cuda:0");
    }

    #[test]
    fn what_is_wrong_is_named_with_what_is_accepted() {
        let check = |devices: &str, number: Option<usize>, expected: &str| {
            let error = slots(Some(devices), number, &host(2, Some("4,5"))).unwrap_err();
            assert_eq!(error.to_string(), expected);
        };
        for wrong in
            ["", "gpu", "CPU", "cuda", "cuda:", "cuda:-1", "cuda:+1", "cuda:x", "cuda:99999999999999999999"]
        {
            check(
                wrong,
                None,
                &format!(
                    "`{wrong}` is not a device; accepted are `cpu` and `cuda:N` (N from 0), separated by commas"
                ),
            );
        }
        check(
            "cpu,",
            None,
            "`` is not a device; accepted are `cpu` and `cuda:N` (N from 0), separated by commas",
        );
        check(
            "cpu,cpu",
            None,
            "cpu is listed twice; to run more jobs at a time on each device, use --slots N",
        );
        let hidden = "cuda:2 is not visible: CUDA_VISIBLE_DEVICES is `4,5`, which lists 2; accepted: `cuda:0` to \
                      `cuda:1`";
        check("cuda:2", None, hidden);
        assert!(accepted(1).ends_with("accepted: `cuda:0`") && accepted(0).contains("no GPU"));
        check("cpu", Some(0), "--slots 0 cannot be; accepted is 1 to 1024 for each device");
        check("cpu", Some(1025), "--slots 1025 cannot be; accepted is 1 to 1024 for each device");
    }
}
