//! Hand-written cases; `random` adds every other order of events.

mod random;

use super::*;

fn key(name: &str) -> Key {
    Key(name.to_owned())
}

fn node(name: &str, parents: &[&str]) -> Node {
    Node {
        key: key(name),
        parents: parents.iter().map(|parent| key(parent)).collect(),
        priority: 0,
        state: Initial::Pending,
    }
}

fn with_state(state: Initial, node: Node) -> Node {
    Node { state, ..node }
}

fn slots(count: usize) -> Vec<SlotId> {
    (0..count).map(SlotId).collect()
}

fn run(slot: usize, name: &str) -> Command {
    Command::Run { slot: SlotId(slot), key: key(name) }
}

fn start_worker(slot: usize) -> Command {
    Command::StartWorker { slot: SlotId(slot) }
}

fn replace(slot: usize) -> Command {
    Command::ReplaceWorker { slot: SlotId(slot) }
}

fn shutdown(slot: usize) -> Command {
    Command::Shutdown { slot: SlotId(slot) }
}

fn skipped(name: &str, because: &str) -> Command {
    Command::Skipped { key: key(name), because: key(because) }
}

fn ready(slot: usize) -> Event {
    Event::SlotReady(SlotId(slot))
}

fn finished(slot: usize, name: &str) -> Event {
    Event::Finished { slot: SlotId(slot), key: key(name) }
}

fn lost(slot: usize, left: Left) -> Event {
    Event::WorkerLost { slot: SlotId(slot), left }
}

/// A started machine that checks itself, and its first commands.
fn started(nodes: &[Node], count: usize) -> (Checked, Vec<Command>) {
    let mut machine = Machine::new(nodes, &slots(count)).unwrap();
    let commands = machine.start();
    machine.sanity_check();
    (Checked(machine), commands)
}

struct Checked(Machine);

impl Checked {
    fn on(&mut self, event: Event) -> Vec<Command> {
        let commands = self.0.handle(event);
        self.0.sanity_check();
        commands
    }
}

fn counts(done: usize, failed: usize, skipped: usize, remaining: usize) -> Counts {
    Counts { done, failed, skipped, remaining }
}

#[test]
fn one_slot_takes_jobs_by_priority_then_place_in_the_list() {
    let mut nodes = ["a", "b", "c", "d"].map(|name| node(name, &[]));
    nodes[2].priority = 5;
    let (mut machine, commands) = started(&nodes, 1);
    assert_eq!(commands, [start_worker(0)]);
    assert_eq!(machine.on(ready(0)), [run(0, "c")]);
    assert_eq!(machine.0.running_on(SlotId(0)), Some(&key("c")));
    assert_eq!(machine.on(finished(0, "c")), [run(0, "a")]);
    assert_eq!(machine.on(finished(0, "a")), [run(0, "b")]);
    assert_eq!(machine.on(finished(0, "b")), [run(0, "d")]);
    assert_eq!(machine.on(finished(0, "d")), [shutdown(0), Command::Complete]);
    assert_eq!(machine.0.counts(), counts(4, 0, 0, 0));
}

#[test]
fn a_job_waits_for_all_its_parents_wherever_they_stand_in_the_list() {
    let nodes = [node("c", &["a", "b", "a"]), node("a", &[]), node("b", &[])];
    let (mut machine, commands) = started(&nodes, 2);
    assert_eq!(commands, [start_worker(0), start_worker(1)]);
    assert_eq!(machine.on(ready(1)), [run(1, "a")]);
    assert_eq!(machine.on(ready(0)), [run(0, "b")]);
    assert_eq!(machine.on(finished(0, "b")), []);
    // Both are idle: the first slot gets it.
    assert_eq!(machine.on(finished(1, "a")), [run(0, "c")]);
}

#[test]
fn no_more_workers_than_jobs_to_run_and_more_when_more_can_run() {
    let nodes = [node("a", &[]), node("b", &["a"]), node("c", &["a"])];
    let (mut machine, commands) = started(&nodes, 8);
    assert_eq!(commands, [start_worker(0)]);
    assert_eq!(machine.on(ready(0)), [run(0, "a")]);
    assert_eq!(machine.on(finished(0, "a")), [run(0, "b"), start_worker(1)]);
}

#[test]
fn a_failure_skips_descendants_names_its_root_and_costs_the_worker() {
    let nodes =
        [node("a", &[]), node("b", &["a"]), node("c", &["b"]), node("d", &["c", "e"]), node("e", &[])];
    let (mut machine, _) = started(&nodes, 1);
    assert_eq!(machine.on(ready(0)), [run(0, "a")]);
    let commands = machine.on(lost(0, Left::Nothing));
    assert_eq!(commands, [skipped("b", "a"), skipped("c", "a"), skipped("d", "a"), replace(0)]);
    assert_eq!(machine.on(ready(0)), [run(0, "e")]);
    assert_eq!(machine.on(finished(0, "e")), [shutdown(0), Command::Complete]);
    assert_eq!(machine.0.counts(), counts(1, 1, 3, 0));
}

#[test]
fn a_lost_worker_with_nothing_to_do_is_replaced_when_needed() {
    let nodes = [node("a", &[]), node("b", &[]), node("c", &["b"]), node("d", &["b"])];
    let (mut machine, _) = started(&nodes, 2);
    machine.on(ready(0));
    machine.on(ready(1));
    assert_eq!(machine.on(lost(0, Left::Nothing)), []);
    assert_eq!(machine.on(finished(1, "b")), [run(1, "c"), replace(0)]);
}

#[test]
fn a_lost_worker_fails_its_job_unless_the_record_is_there() {
    let nodes = [node("a", &[]), node("b", &["a"]), node("c", &[]), node("d", &["c"])];
    let (mut machine, _) = started(&nodes, 1);
    assert_eq!(machine.on(ready(0)), [run(0, "a")]);
    assert_eq!(machine.on(lost(0, Left::Nothing)), [skipped("b", "a"), replace(0)]);
    assert_eq!(machine.on(ready(0)), [run(0, "c")]);
    assert_eq!(machine.on(lost(0, Left::Record)), [replace(0)]);
    assert_eq!(machine.on(ready(0)), [run(0, "d")]);
}

#[test]
fn the_last_failure_needs_no_replacement() {
    let (mut machine, _) = started(&[node("a", &[])], 1);
    machine.on(ready(0));
    assert_eq!(machine.on(lost(0, Left::Nothing)), [Command::Complete]);
}

#[test]
fn earlier_failures_block_and_earlier_skips_are_revived() {
    let nodes = [
        with_state(Initial::Failed(Outcome::Diverged), node("a", &[])),
        // Done before, whatever became of its parent since.
        with_state(Initial::Done, node("b", &["a"])),
        node("c", &["b"]),
        with_state(Initial::Failed(Outcome::Skipped), node("d", &["a"])),
        with_state(Initial::Failed(Outcome::Skipped), node("e", &["b"])),
    ];
    let (mut machine, commands) = started(&nodes, 1);
    assert_eq!(commands, [skipped("d", "a"), start_worker(0)]);
    assert_eq!(machine.on(ready(0)), [run(0, "c")]);
    assert_eq!(machine.on(finished(0, "c")), [run(0, "e")]);
    machine.on(finished(0, "e"));
    assert_eq!(machine.0.counts(), counts(3, 1, 1, 0));
}

#[test]
fn nothing_to_do_is_complete_at_once() {
    let done = with_state(Initial::Done, node("a", &[]));
    let failed = with_state(Initial::Failed(Outcome::Crashed), node("b", &[]));
    for (nodes, commands) in [
        (vec![], vec![Command::Complete]),
        (vec![done], vec![Command::Complete]),
        (vec![failed, node("c", &["b"])], vec![skipped("c", "b"), Command::Complete]),
    ] {
        assert_eq!(started(&nodes, 2).1, commands);
    }
    assert_eq!(started(&[node("a", &[])], 0).1, [Command::Complete]);
}

#[test]
fn a_stop_lets_running_jobs_end_and_starts_none() {
    let nodes = [node("a", &[]), node("b", &["a"]), node("c", &[]), node("d", &[])];
    let (mut machine, _) = started(&nodes, 3);
    machine.on(ready(0));
    machine.on(ready(1));
    assert_eq!(machine.on(Event::Stop), []);
    assert_eq!(machine.on(ready(2)), []);
    assert_eq!(machine.on(finished(0, "a")), []);
    assert_eq!(machine.on(lost(1, Left::Nothing)), [shutdown(0), shutdown(2), Command::Complete]);
    assert_eq!(machine.0.counts(), counts(1, 1, 0, 2));
    assert_eq!(machine.on(Event::StopNow), []);
}

#[test]
fn a_second_stop_kills_and_running_jobs_remain() {
    let nodes = [node("a", &[]), node("b", &["a"]), node("c", &[])];
    let (mut machine, _) = started(&nodes, 2);
    machine.on(ready(0));
    machine.on(Event::Stop);
    let kill = |slot| Command::Kill { slot: SlotId(slot) };
    assert_eq!(machine.on(Event::StopNow), [kill(0), kill(1), Command::Complete]);
    assert_eq!(machine.0.counts(), counts(0, 0, 0, 3));
}

#[test]
fn a_slot_that_cannot_start_is_given_up_and_without_slots_jobs_remain() {
    let (mut machine, _) = started(&[node("a", &[]), node("b", &[])], 2);
    let retired = |slot| Command::Retired { slot: SlotId(slot) };
    for _ in 1..BARREN_LIMIT {
        assert_eq!(machine.on(lost(0, Left::Nothing)), [replace(0)]);
    }
    assert_eq!(machine.on(lost(0, Left::Nothing)), [retired(0)]);
    assert_eq!(machine.on(ready(1)), [run(1, "a")]);
    // A worker that was given a job has shown that the slot can start.
    assert_eq!(machine.on(lost(1, Left::Record)), [replace(1)]);
    for _ in 1..BARREN_LIMIT {
        assert_eq!(machine.on(lost(1, Left::Nothing)), [replace(1)]);
    }
    assert_eq!(machine.on(lost(1, Left::Nothing)), [retired(1), Command::Complete]);
    assert_eq!(machine.0.counts(), counts(1, 0, 0, 1));
}

#[test]
fn late_words_change_nothing() {
    let (mut machine, _) = started(&[node("a", &[]), node("b", &[])], 1);
    machine.on(ready(0));
    let before = machine.0.clone();
    let late = [
        ready(0),
        ready(7),
        finished(0, "b"),
        finished(0, "unknown"),
        finished(7, "a"),
        lost(7, Left::Nothing),
    ];
    for event in late {
        assert_eq!(machine.on(event.clone()), [], "{event:?}");
        assert_eq!(machine.0, before, "{event:?}");
    }
}

#[test]
fn lists_that_are_no_graph_are_refused() {
    let check = |nodes: &[Node], expected: &str| {
        assert_eq!(Machine::new(nodes, &slots(1)).unwrap_err().to_string(), expected);
    };
    check(&[node("a", &[]), node("a", &[])], "job a is in the list twice; each job must be there once");
    check(&[node("a", &["z"])], "job a builds on z, which is not in the list");
    check(&[node("a", &["a"])], "job a builds, through others, on itself");
    let behind = [node("d", &[]), node("a", &["c"]), node("b", &["a"]), node("c", &["b"])];
    check(&behind, "job a builds, through others, on itself");
}
