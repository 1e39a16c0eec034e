//! What a process has taken so far, as the system counts it.

use std::time::{SystemTime, UNIX_EPOCH};

/// Processor time and memory of this process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Usage {
    /// User and system time of all threads, in seconds.
    pub(super) cpu_seconds: f64,
    /// Largest resident size so far, in bytes.
    pub(super) peak_memory_bytes: u64,
}

impl Usage {
    pub(super) fn now() -> Self {
        let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
        #[expect(unsafe_code, reason = "getrusage fills the struct it is given; zeroes are a valid one")]
        let usage = unsafe {
            libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
            usage.assume_init()
        };
        let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 * 1e-6;
        // Linux counts in kibibytes, macOS in bytes.
        let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
        Self {
            cpu_seconds: seconds(usage.ru_utime) + seconds(usage.ru_stime),
            peak_memory_bytes: usage.ru_maxrss as u64 * unit,
        }
    }
}

/// Seconds since 1970.
pub(super) fn unix_time() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
