//! The experiment file.

use std::sync::Arc;

use super::diagnostic::{Diagnostic, Diagnostics, Place, Source};
use super::grid::{Axis, AxisValue, Grid, known, read_axis_value, read_grid};
use super::library::Library;
use super::node::{self, Node, NodeValue, Table};
use super::schema::SECTIONS;
use super::system::{Override, read_section};
use super::table::{TableRequest, read_table};

/// One experiment file and everything it asks for.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// The file's name without its ending: the folder of its results.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// The size systems are built at.
    pub scale: String,
    /// Where the scale was typed, or the file.
    pub scale_place: Place,
    /// The corpus of pre-training, where one is named.
    pub corpus: Option<String>,
    /// Axes for the grids that do not have their own: `task`, `seed`.
    pub defaults: Vec<Axis>,
    /// Settings over those of systems and scales.
    pub overrides: Vec<Override>,
    /// The grids, in the order of the file.
    pub grids: Vec<Grid>,
    /// The tables, in the order of the file.
    pub tables: Vec<TableRequest>,
    /// The file.
    pub place: Place,
}

const KEYS: [&str; 7] = ["title", "scale", "tasks", "corpus", "seed", "grid", "table"];

/// Most repetitions that `seed = N` may ask for.
const MAX_SEEDS: i64 = 10_000;

/// Reads an experiment file. Mistakes go to `out`; what is returned can be trusted only if
/// there are none.
pub fn read_sweep(
    name: &str,
    source: &Arc<Source>,
    library: &Library,
    out: &mut Diagnostics,
) -> Option<Sweep> {
    let root = node::parse(source, out);
    let table = root.table("a table", out)?;
    table.only(&[KEYS.as_slice(), &SECTIONS].concat(), out);
    let title = super::system::optional_text(table, "title", out);
    let scale = read_scale(table, &root, library, out);
    let corpus = table
        .get("corpus")
        .and_then(|node| known(node, "corpus", library.corpora.keys(), out))
        .and_then(|value| value.as_str().map(str::to_owned));
    let defaults = [read_tasks(table, library, out), read_seeds(table, &root, out)];
    let overrides = SECTIONS
        .iter()
        .filter_map(|section| table.get(section).map(|node| (section, node)))
        .flat_map(|(section, node)| read_section(section, node, out))
        .collect();
    let grids = read_grids(table, &root, library, out);
    let tables = read_tables(table, library, out);
    let (scale, scale_place) = scale?;
    Some(Sweep {
        name: name.to_owned(),
        title: if title.is_empty() { name.to_owned() } else { title },
        scale,
        scale_place,
        corpus,
        defaults: defaults.into_iter().flatten().collect(),
        overrides,
        grids,
        tables,
        place: root.place.clone(),
    })
}

fn read_scale(
    table: &Table,
    root: &Node,
    library: &Library,
    out: &mut Diagnostics,
) -> Option<(String, Place)> {
    let node = table.require("scale", &root.place, out)?;
    let scale = known(node, "scale", library.scales.keys(), out)?;
    Some((scale.as_str()?.to_owned(), node.place.clone()))
}

fn read_tasks(table: &Table, library: &Library, out: &mut Diagnostics) -> Option<Axis> {
    let node = table.get("tasks")?;
    let values = node
        .one_or_more()
        .iter()
        .filter_map(|item| {
            let value = read_axis_value("task", item, library, out)?;
            Some(AxisValue { value, place: item.place.clone() })
        })
        .collect();
    Some(Axis { name: "task".to_owned(), place: node.place.clone(), values })
}

/// `seed = 5` is five repetitions, 1 to 5; a list names them.
fn read_seeds(table: &Table, root: &Node, out: &mut Diagnostics) -> Option<Axis> {
    let Some(node) = table.get("seed") else {
        let start = Place { source: Arc::clone(&root.place.source), span: 0..0 };
        return Some(seeds(1..=1, &start));
    };
    if let NodeValue::List(items) = &node.value {
        let values = items
            .iter()
            .filter_map(|item| {
                let value = item.integer(0, i64::MAX, out)?;
                Some(AxisValue { value: value.into(), place: item.place.clone() })
            })
            .collect();
        return Some(Axis { name: "seed".to_owned(), place: node.place.clone(), values });
    }
    let n = node.integer(1, MAX_SEEDS, out)?;
    Some(seeds(1..=n, &node.place))
}

fn seeds(range: std::ops::RangeInclusive<i64>, place: &Place) -> Axis {
    let values = range.map(|seed| AxisValue { value: seed.into(), place: place.clone() }).collect();
    Axis { name: "seed".to_owned(), place: place.clone(), values }
}

fn read_grids(table: &Table, root: &Node, library: &Library, out: &mut Diagnostics) -> Vec<Grid> {
    let Some(node) = table.require("grid", &root.place, out) else { return Vec::new() };
    if matches!(node.value, NodeValue::Table(_)) {
        out.push(
            Diagnostic::new(&node.place, "`[grid]` is one table", "write `[[grid]]`")
                .help("a sweep may have several grids, so each is written with two brackets"),
        );
        return Vec::new();
    }
    node.one_or_more().iter().filter_map(|grid| read_grid(grid, library, out)).collect()
}

fn read_tables(table: &Table, library: &Library, out: &mut Diagnostics) -> Vec<TableRequest> {
    let Some(node) = table.get("table") else { return Vec::new() };
    let mut tables: Vec<TableRequest> = Vec::new();
    for item in node.one_or_more() {
        let Some(request) = read_table(item, library, out) else { continue };
        if tables.iter().any(|other| other.name == request.name) {
            let message = format!("two tables are named `{}`", request.name);
            out.push(Diagnostic::new(&request.place, message, "the second"));
        }
        tables.push(request);
    }
    tables
}
