//! What must hold between two events, whatever they were.

use super::{JobState, Machine, Mode, SlotState};

impl Machine {
    /// Checks every cross-reference of a machine that was started. For tests, after each
    /// event.
    ///
    /// # Panics
    /// Where one does not hold: a bug of the machine.
    pub fn sanity_check(&self) {
        for job in self.graph.jobs() {
            self.check_job(job);
        }
        for &(priority, job) in &self.ready {
            assert_eq!((priority, job), self.graph.turn(job));
        }
        self.check_slots();
    }

    fn check_job(&self, job: usize) {
        let key = self.graph.key(job);
        assert_eq!(self.graph.find(key), Some(job), "{key} is not found");
        let state = self.jobs[job];
        let slots = self.slots.values().filter(|record| record.state == SlotState::Running(job)).count();
        assert_eq!(slots, usize::from(state == JobState::Running), "{key} runs on {slots} slots");
        let in_ready = self.ready.contains(&self.graph.turn(job));
        assert_eq!(in_ready, state == JobState::Ready, "{key} is {state:?}");

        let parents = self.graph.parents(job);
        let all_done = parents.iter().all(|&parent| self.jobs[parent] == JobState::Done);
        let is_lost = |parent| matches!(self.jobs[parent], JobState::Failed | JobState::Skipped { .. });
        let some_lost = parents.iter().any(|&parent| is_lost(parent));
        match state {
            JobState::Waiting => assert!(!all_done && !some_lost, "{key} waits for nothing"),
            JobState::Ready | JobState::Running => assert!(all_done, "{key} goes before its parents"),
            JobState::Skipped { because } => {
                assert!(some_lost, "{key} is skipped without a reason");
                assert_eq!(self.jobs[because], JobState::Failed, "{key} is skipped for another reason");
            }
            // An earlier sweep may have left them so, whatever the parents are now.
            JobState::Done | JobState::Failed => {}
        }
    }

    fn check_slots(&self) {
        for (slot, record) in &self.slots {
            assert!(record.barren <= super::BARREN_LIMIT, "{slot} goes on failing to start");
            match record.state {
                SlotState::Retired => assert_eq!(record.barren, super::BARREN_LIMIT),
                SlotState::Idle => {
                    let kept_waiting = self.mode == Mode::Open && !self.ready.is_empty();
                    assert!(!kept_waiting, "{slot} is idle beside a ready job");
                }
                SlotState::Running(job) => assert_eq!(self.jobs[job], JobState::Running),
                SlotState::Unused | SlotState::Starting | SlotState::Gone => {}
            }
            let has_worker =
                matches!(record.state, SlotState::Starting | SlotState::Idle | SlotState::Running(_));
            assert!(!(has_worker && self.mode == Mode::Complete), "{slot} outlives the queue");
        }
        let starting = self.slots.values().filter(|record| record.state == SlotState::Starting).count();
        let usable =
            self.slots.values().any(|record| matches!(record.state, SlotState::Unused | SlotState::Gone));
        if self.mode == Mode::Open && usable {
            assert!(starting >= self.ready.len(), "a ready job waits beside an empty slot");
        }
    }
}
