//! Whether the kernel killed for memory, by the counters of this process's control group.
//! A machine without them gives no evidence, and none is made up.

use std::fs;
use std::path::PathBuf;

/// The counter, and what it was when last looked at.
pub(super) struct OomWatch {
    files: Vec<PathBuf>,
    seen: u64,
}

impl OomWatch {
    pub(super) fn new() -> Self {
        let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let mut watch = Self { files: candidates(&groups), seen: 0 };
        watch.seen = watch.kills();
        watch
    }

    /// Whether there was a kill that no earlier call of this answered for. For each process
    /// that was killed, and for no other: one kill explains one death.
    pub(super) fn take(&mut self) -> bool {
        let is_new = self.kills() > self.seen;
        self.seen += u64::from(is_new);
        is_new
    }

    fn kills(&self) -> u64 {
        let count_in = |file: &PathBuf| count(&fs::read_to_string(file).ok()?);
        self.files.iter().find_map(count_in).unwrap_or(0)
    }
}

/// Where the counter may be: version 2 of control groups has it in `memory.events`,
/// version 1 in `memory.oom_control`; inside a container the group's path may not exist,
/// and the root is the container's group.
fn candidates(groups: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let (root, file) = if controllers.is_empty() {
            ("/sys/fs/cgroup", "memory.events")
        } else if controllers.split(',').any(|controller| controller == "memory") {
            ("/sys/fs/cgroup/memory", "memory.oom_control")
        } else {
            continue;
        };
        files.push(PathBuf::from(format!("{root}{path}")).join(file));
        files.push(PathBuf::from(root).join(file));
    }
    files
}

fn count(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_of_control_groups_are_looked_at() {
        let files = candidates("5:cpu,cpuacct:/a\n4:memory:/b\n1:name=systemd:/c\n0::/d\nodd\n");
        let expected = [
            "/sys/fs/cgroup/memory/b/memory.oom_control",
            "/sys/fs/cgroup/memory/memory.oom_control",
            "/sys/fs/cgroup/d/memory.events",
            "/sys/fs/cgroup/memory.events",
        ];
        assert_eq!(files, expected.map(PathBuf::from));
    }

    #[test]
    fn each_kill_is_reported_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("memory.events");
        let mut watch = OomWatch { files: vec![folder.path().join("missing"), file.clone()], seen: 0 };
        assert!(!watch.take());
        fs::write(&file, "low 0\noom 3\noom_kill 2\noom_group_kill 0\n").unwrap();
        // Two workers that were killed at once.
        assert!(watch.take());
        assert!(watch.take());
        assert!(!watch.take());
        fs::write(&file, "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n").unwrap();
        assert!(watch.take());
    }
}
