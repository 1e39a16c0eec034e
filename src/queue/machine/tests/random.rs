//! Random graphs under random events, watched by a model of the workers.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug, PartialEq)]
enum Worker {
    Starting,
    Idle,
    Running(Key),
    /// There was one.
    Lost,
}

/// What the commands so far mean, kept apart from the machine.
struct World {
    machine: Machine,
    parents: BTreeMap<Key, Vec<Key>>,
    workers: BTreeMap<SlotId, Worker>,
    done: BTreeSet<Key>,
    failed: BTreeSet<Key>,
    skipped: BTreeSet<Key>,
    given: Vec<Key>,
    retired: BTreeSet<SlotId>,
    complete: bool,
}

impl World {
    fn new(nodes: &[Node], slots: usize) -> Self {
        let state = |wanted: fn(&Initial) -> bool| {
            nodes.iter().filter(|node| wanted(&node.state)).map(|node| node.key.clone()).collect()
        };
        let mut world = Self {
            machine: Machine::new(nodes, &super::slots(slots)).unwrap(),
            parents: nodes.iter().map(|node| (node.key.clone(), node.parents.clone())).collect(),
            workers: BTreeMap::new(),
            done: state(|state| *state == Initial::Done),
            failed: state(|state| matches!(state, Initial::Failed(outcome) if *outcome != Outcome::Skipped)),
            skipped: BTreeSet::new(),
            given: Vec::new(),
            retired: BTreeSet::new(),
            complete: false,
        };
        let commands = world.machine.start();
        world.obey(commands);
        world
    }

    /// What the workers could do next: what goes well comes first.
    fn possible(&self) -> Vec<Event> {
        let mut events = Vec::new();
        for (&slot, worker) in &self.workers {
            match worker {
                Worker::Starting => events.push(Event::SlotReady(slot)),
                Worker::Running(key) => events.push(Event::Finished { slot, key: key.clone() }),
                Worker::Idle | Worker::Lost => {}
            }
        }
        for (&slot, worker) in &self.workers {
            if let Worker::Running(key) = worker {
                events.push(Event::WorkerLost { slot, left: Left::Record });
                events.push(Event::WorkerLost { slot, left: Left::Another });
                events.push(Event::Paused { slot, key: key.clone() });
            }
            if matches!(worker, Worker::Starting | Worker::Idle | Worker::Running(_)) {
                events.push(Event::WorkerLost { slot, left: Left::Nothing });
            }
        }
        events
    }

    fn feed(&mut self, event: Event) {
        match &event {
            Event::SlotReady(slot) => {
                self.workers.insert(*slot, Worker::Idle);
            }
            Event::Finished { slot, key } => {
                self.workers.insert(*slot, Worker::Idle);
                self.done.insert(key.clone());
            }
            Event::WorkerLost { slot, left } => {
                if let Some(Worker::Running(key)) = self.workers.insert(*slot, Worker::Lost) {
                    match left {
                        Left::Record => {
                            self.done.insert(key);
                        }
                        Left::Nothing => {
                            self.failed.insert(key);
                        }
                        Left::Another => self.take_back(&key),
                    }
                }
            }
            Event::Paused { slot, key } => {
                self.workers.insert(*slot, Worker::Idle);
                self.take_back(key);
            }
            Event::Stop | Event::StopNow => {}
        }
        let commands = self.machine.handle(event);
        self.obey(commands);
    }

    /// A job that may be given again.
    fn take_back(&mut self, key: &Key) {
        self.given.retain(|given| given != key);
    }

    fn obey(&mut self, commands: Vec<Command>) {
        self.machine.sanity_check();
        for command in commands {
            assert!(!self.complete, "{command:?} after the end");
            self.obey_one(command);
        }
    }

    fn obey_one(&mut self, command: Command) {
        match command {
            Command::StartWorker { slot } => {
                assert_eq!(self.workers.insert(slot, Worker::Starting), None);
            }
            Command::ReplaceWorker { slot } => {
                let old = self.workers.insert(slot, Worker::Starting);
                assert_eq!(old, Some(Worker::Lost));
            }
            Command::Run { slot, key } => {
                assert!(self.parents[&key].iter().all(|parent| self.done.contains(parent)));
                assert!(!self.given.contains(&key), "{key} given twice");
                self.given.push(key.clone());
                let old = self.workers.insert(slot, Worker::Running(key));
                assert_eq!(old, Some(Worker::Idle));
            }
            Command::Shutdown { slot } => {
                let old = self.workers.insert(slot, Worker::Lost);
                assert!(matches!(old, Some(Worker::Starting | Worker::Idle)));
            }
            Command::Kill { slot } => {
                let old = self.workers.insert(slot, Worker::Lost);
                assert!(matches!(old, Some(Worker::Starting | Worker::Idle | Worker::Running(_))));
            }
            Command::Retired { slot } => {
                assert_eq!(self.workers.get(&slot), Some(&Worker::Lost));
                assert!(self.retired.insert(slot));
            }
            Command::Skipped { key, because } => {
                assert!(self.failed.contains(&because));
                assert!(self.skipped.insert(key));
            }
            Command::Complete => self.complete = true,
        }
    }

    fn settled(&self) -> usize {
        self.done.len() + self.failed.len() + self.skipped.len()
    }
}

/// Jobs whose parents stand anywhere in the list.
fn graph() -> impl Strategy<Value = Vec<Node>> {
    let state = prop_oneof![
        6 => Just(Initial::Pending),
        1 => Just(Initial::Done),
        1 => Just(Initial::Failed(Outcome::Crashed)),
        1 => Just(Initial::Failed(Outcome::Skipped)),
    ];
    let job = (prop::collection::vec(any::<prop::sample::Index>(), 0..3), 0_u64..3, state);
    prop::collection::vec(job, 0..14)
        .prop_map(|jobs| {
            let name = |job: usize| Key(format!("job-{job}"));
            let node =
                |(job, (parents, priority, state)): (usize, (Vec<prop::sample::Index>, u64, Initial))| {
                    let parents = parents.iter().filter(|_| job > 0).map(|parent| name(parent.index(job)));
                    Node { key: name(job), parents: parents.collect(), priority, state }
                };
            jobs.into_iter().enumerate().map(node).collect::<Vec<_>>()
        })
        .prop_shuffle()
}

/// Runs a world to its end: each choice picks among the possible events, and after the
/// last choice all goes well.
fn drive(world: &mut World, choices: &[prop::sample::Index]) {
    let mut choices = choices.iter();
    while !world.complete {
        let possible = world.possible();
        assert!(!possible.is_empty(), "nothing can happen, and it is not over");
        let event = choices.next().map_or(&possible[0], |choice| choice.get(&possible));
        world.feed(event.clone());
    }
    assert_eq!(world.possible(), []);
}

proptest! {
    #[test]
    fn every_job_ends_done_failed_or_skipped(
        nodes in graph(),
        slots in 1_usize..5,
        choices in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
    ) {
        let mut world = World::new(&nodes, slots);
        drive(&mut world, &choices);
        let counts = world.machine.counts();
        let model = [world.done.len(), world.failed.len(), world.skipped.len()];
        prop_assert_eq!([counts.done, counts.failed, counts.skipped], model);
        if world.retired.len() < slots {
            prop_assert_eq!(world.settled(), nodes.len());
            prop_assert_eq!(counts.remaining, 0);
        }
    }

    #[test]
    fn a_stop_ends_in_order_and_what_is_left_remains(
        nodes in graph(),
        slots in 1_usize..5,
        before in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        after in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        at_once in any::<bool>(),
    ) {
        let mut world = World::new(&nodes, slots);
        for choice in before {
            let possible = world.possible();
            if !possible.is_empty() && !world.complete {
                world.feed(choice.get(&possible).clone());
            }
        }
        let given = world.given.clone();
        world.feed(if at_once { Event::StopNow } else { Event::Stop });
        prop_assert!(!at_once || world.complete);
        drive(&mut world, &after);
        prop_assert!(world.given.iter().all(|key| given.contains(key)));
        let counts = world.machine.counts();
        prop_assert_eq!(world.settled() + counts.remaining, nodes.len());
    }

    #[test]
    fn events_that_do_not_fit_change_nothing(
        nodes in graph(),
        choices in prop::collection::vec(any::<prop::sample::Index>(), 0..30),
    ) {
        let mut world = World::new(&nodes, 2);
        for choice in choices {
            let possible = world.possible();
            for event in unfitting(&nodes, &possible) {
                let before = world.machine.clone();
                prop_assert_eq!(world.machine.handle(event), []);
                prop_assert_eq!(&world.machine, &before);
            }
            if world.complete {
                break;
            }
            world.feed(choice.get(&possible).clone());
        }
    }

    #[test]
    fn one_slot_runs_in_one_order(nodes in graph()) {
        let mut world = World::new(&nodes, 1);
        drive(&mut world, &[]);
        // The rule, written down a second way: of all that can run, the most urgent first.
        let mut done: BTreeSet<Key> =
            nodes.iter().filter(|node| node.state == Initial::Done).map(|node| node.key.clone()).collect();
        for given in &world.given {
            let mut best: Option<&Node> = None;
            for node in &nodes {
                let blocked = matches!(node.state, Initial::Failed(Outcome::Crashed));
                let can_run = !blocked
                    && !done.contains(&node.key)
                    && node.parents.iter().all(|parent| done.contains(parent));
                if can_run && best.is_none_or(|best| node.priority > best.priority) {
                    best = Some(node);
                }
            }
            prop_assert_eq!(Some(given), best.map(|node| &node.key));
            done.insert(given.clone());
        }
    }
}

/// Every event that no worker could cause now.
fn unfitting(nodes: &[Node], possible: &[Event]) -> Vec<Event> {
    let mut events = Vec::new();
    for slot in [0, 1, 9].map(SlotId) {
        events.push(Event::SlotReady(slot));
        events.push(Event::WorkerLost { slot, left: Left::Nothing });
        for node in nodes {
            events.push(Event::Finished { slot, key: node.key.clone() });
            events.push(Event::Paused { slot, key: node.key.clone() });
        }
    }
    events.retain(|event| !possible.contains(event));
    events
}
