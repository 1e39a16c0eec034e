//! Who holds a results folder, as the lock file says, and whether that is still so.
//!
//! The lock itself is the system's. The text says whose it is, and is all that is known on
//! file systems that do not lock across hosts: there, and only there, it is believed.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::results_folder::host_name;

/// A scheduler, told from all others of all times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Holder {
    pid: u32,
    host: String,
    /// The host's start, by the kernel's own name for it; empty where there is none.
    #[serde(default)]
    boot: String,
    /// The process's start in ticks after that; process ids are used again.
    #[serde(default)]
    born: u64,
    /// Unix time, in seconds.
    #[serde(default)]
    since: u64,
}

/// What a lock file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Signature {
    /// Nothing: never used, or released in order.
    None,
    Of(Holder),
    /// Text that names nobody, such as half a name.
    Torn,
}

/// How the lock stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Free,
    /// It may be taken, and why that is worth telling.
    Stale(String),
    Held(String),
    /// Held on another host, as far as can be known here.
    Elsewhere(String),
}

impl Holder {
    pub(super) fn this_process() -> Self {
        let pid = std::process::id();
        let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Self { pid, host: host_name(), boot: boot(), born: born(pid).unwrap_or(0), since }
    }

    /// Writes itself over what was there.
    pub(super) fn sign(&self, file: &mut File) -> io::Result<()> {
        let text = serde_json::to_vec(self)?;
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&text)
    }

    /// Whether the process is still there; only for holders on this host.
    fn is_alive(&self) -> bool {
        (self.boot.is_empty() || self.boot == boot())
            && born(self.pid).is_some_and(|born| self.born == 0 || self.born == born)
    }

    fn describe(&self) -> String {
        let host = if self.host.is_empty() { String::new() } else { format!(" on {}", self.host) };
        let since = if self.since == 0 { String::new() } else { format!(" since {}", utc(self.since)) };
        format!("process {}{host}{since}", self.pid)
    }
}

impl Signature {
    pub(super) fn read(file: &mut File) -> Self {
        let mut bytes = Vec::new();
        // A name is short; whatever is longer is none.
        let limit = 64 * 1024;
        let read = file.seek(SeekFrom::Start(0)).and_then(|_| file.take(limit).read_to_end(&mut bytes));
        match (read, serde_json::from_slice(&bytes)) {
            (Ok(0), _) => Self::None,
            (Ok(_), Ok(holder)) => Self::Of(holder),
            (Ok(_) | Err(_), _) => Self::Torn,
        }
    }

    /// How a lock with this text stands. `locked`: whether this process got the system's
    /// lock.
    pub(super) fn standing(&self, locked: bool) -> Standing {
        match (self, locked) {
            (Self::Of(holder), false) => Standing::Held(holder.describe()),
            // The holder may not have signed yet.
            (Self::None | Self::Torn, false) => Standing::Held("another process".to_owned()),
            (Self::None, true) => Standing::Free,
            (Self::Torn, true) => {
                Standing::Stale("its .lock names nobody and nobody locks it; it was taken over".to_owned())
            }
            (Self::Of(holder), true) if holder.host != host_name() => Standing::Elsewhere(holder.describe()),
            // Alive and not locking: its file system does not lock.
            (Self::Of(holder), true) if holder.is_alive() => Standing::Held(holder.describe()),
            (Self::Of(holder), true) => Standing::Stale(format!(
                "{} ended without releasing it; it was taken over",
                holder.describe()
            )),
        }
    }
}

fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// When a process that is there was started, in ticks after the host's start.
fn born(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in brackets may hold anything; the start is the 20th field after it.
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    let is_dead = matches!(fields.next()?, "Z" | "X");
    if is_dead { None } else { fields.nth(18)?.parse().ok() }
}

/// `2026-11-25 10:00:00 UTC` of a Unix time (the civil-from-days rule of the proleptic
/// Gregorian calendar).
fn utc(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Days since 0000-03-01, in eras of 400 years.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute) = (second / 3_600, second / 60 % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{:02} UTC", second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(holder: Holder) -> Standing {
        Signature::Of(holder).standing(true)
    }

    #[test]
    fn a_holder_that_is_gone_is_stale_and_one_elsewhere_never_is() {
        let this = Holder::this_process();
        // Alive, yet the system gave us its lock: this file system does not lock.
        assert_eq!(standing(this.clone()), Standing::Held(this.describe()));
        let is_stale = |holder: Holder| matches!(standing(holder), Standing::Stale(_));
        assert!(is_stale(Holder { boot: "another".to_owned(), ..this.clone() }));
        assert!(is_stale(Holder { born: this.born + 1, ..this.clone() }), "its id is used again");
        // Above any limit of process ids.
        assert!(is_stale(Holder { pid: u32::MAX, ..this.clone() }));
        let elsewhere = Holder { host: "another".to_owned(), pid: u32::MAX, ..this };
        assert!(
            matches!(standing(elsewhere), Standing::Elsewhere(said) if said.contains(" on another since "))
        );
    }

    #[test]
    fn a_lock_file_cut_at_any_byte_blocks_nobody() {
        let mut file = tempfile::tempfile().unwrap();
        let holder = Holder { pid: u32::MAX, ..Holder::this_process() };
        holder.sign(&mut file).unwrap();
        assert_eq!(Signature::read(&mut file), Signature::Of(holder.clone()));
        for length in (0..file.metadata().unwrap().len()).rev() {
            file.set_len(length).unwrap();
            let found = Signature::read(&mut file);
            assert_eq!(found, if length == 0 { Signature::None } else { Signature::Torn });
            assert!(matches!(found.standing(true), Standing::Free | Standing::Stale(_)));
            assert_eq!(found.standing(false), Standing::Held("another process".to_owned()));
        }
    }

    #[test]
    fn times_are_told_as_people_write_them() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (1_795_615_199, "2026-11-25 13:59:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
        ] {
            assert_eq!(utc(seconds), text);
        }
    }
}
