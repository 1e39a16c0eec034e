//! The experiment file.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value as Json;

use super::AXES;
use super::axis::{Axis, AxisValue, Repeats, known, read_axis};
use super::diagnostic::{Diagnostic, Diagnostics, Place, Source, quoted};
use super::grid::{Grid, read_grid};
use super::hint;
use super::library::{Library, LibraryKind};
use super::node::{Name, Node, NodeValue, Table};
use super::run::read_run;
use super::schema::SECTIONS;
use super::syntax;
use super::system::{Override, optional_text, read_section};
use super::table::{TableRequest, read_table};
use crate::settings::Run;

/// One experiment file and everything it asks for.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// The file's name without its ending: the folder of its results.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// The size systems are built at; empty where none could be read.
    pub scale: String,
    /// The corpus of pre-training, where one is named; its name may be wrong, and reported.
    pub corpus: Option<Named>,
    /// Axes for the grids that do not have their own: `task`, `seed`.
    pub defaults: Vec<Axis>,
    /// Settings over those of systems and scales.
    pub overrides: Vec<Override>,
    /// The grids, in the order of the file.
    pub grids: Vec<Grid>,
    /// The tables, in the order of the file.
    pub tables: Vec<TableRequest>,
    /// How its jobs are run.
    pub run: Run,
    /// The start of the file.
    pub place: Place,
}

/// A name of the library, and where it was typed.
#[derive(Clone, Debug)]
pub struct Named {
    /// The name.
    pub name: String,
    /// Where.
    pub place: Place,
}

/// Keys at the top of the file, beside the tables of settings.
pub(super) const KEYS: [&str; 8] = ["title", "scale", "tasks", "corpus", "seed", "run", "grid", "table"];

impl Sweep {
    /// Whether the points of all grids could be read.
    pub fn is_complete(&self) -> bool {
        self.grids.iter().all(Grid::is_complete) && self.defaults.iter().all(|axis| axis.complete)
    }

    /// The axes of a grid and those it takes from the top of the file.
    pub fn axes_of<'a>(&'a self, grid: &'a Grid) -> Vec<&'a Axis> {
        let is_own = |axis: &&Axis| grid.axes.iter().any(|own| own.name == axis.name);
        grid.axes.iter().chain(self.defaults.iter().filter(|axis| !is_own(axis))).collect()
    }
}

/// Reads an experiment file. Mistakes go to `out`; the sweep can be planned only if there
/// are none, and resolved for further mistakes if the text is valid TOML.
pub fn read_sweep(name: &str, source: &Arc<Source>, library: &Library, out: &mut Diagnostics) -> Sweep {
    let root = syntax::parse(source, out);
    let nothing = Table::default();
    let table = match &root.value {
        NodeValue::Table(table) => table,
        _ => &nothing,
    };
    let place = Place::start_of(source);
    let is_misplaced = check_keys(table, out);
    let title = optional_text(table, "title", out);
    let scale = read_scale(table, &place, library, out);
    let corpus = table.get("corpus").map(|node| {
        let name = known(node, LibraryKind::Corpus, library, out);
        let name = name.as_ref().and_then(Json::as_str).unwrap_or_default().to_owned();
        Named { name, place: node.place.clone() }
    });
    let defaults = read_defaults(table, &place, library, out);
    let sections = SECTIONS.iter().filter(|section| !is_misplaced || **section != "model");
    let sections = sections.filter_map(|section| table.get(section).map(|node| (section, node)));
    let overrides =
        sections.flat_map(|(section, node)| read_section(section, node, Some(library), out)).collect();
    let grids = read_grids(table, &place, library, out);
    let varied = varied(&grids);
    let tables = read_tables(table, library, &varied, out);
    Sweep {
        name: name.to_owned(),
        title: if title.is_empty() { name.to_owned() } else { title },
        scale: scale.unwrap_or_default(),
        corpus,
        defaults,
        overrides,
        grids,
        tables,
        run: read_run(table.get("run"), out),
        place,
    }
}

/// Reports unknown keys. Answers whether the axis `model` stands where the table of the
/// model's settings belongs, and reports that too.
fn check_keys(table: &Table, out: &mut Diagnostics) -> bool {
    table.only(&[KEYS.as_slice(), &SECTIONS].concat(), hint::at_the_top, out);
    let is_text = |node: &Node| match &node.value {
        NodeValue::Text(_) => true,
        NodeValue::List(items) => items.iter().any(|item| matches!(item.value, NodeValue::Text(_))),
        _ => false,
    };
    let axis = table.entries.iter().find(|(name, node)| name.text == "model" && is_text(node));
    if let Some((Name { place, .. }, _)) = axis {
        let message = "`model` at the top of the file is the table of the model's settings";
        out.push(
            Diagnostic::new(place, message, "expected a `[[grid]]` first")
                .help("the axis `model` belongs in a grid: write the line `[[grid]]` above it"),
        );
    }
    axis.is_some()
}

fn read_scale(table: &Table, place: &Place, library: &Library, out: &mut Diagnostics) -> Option<String> {
    let accepted = format!("`scale = \"NAME\"` with one of {}", quoted(library.names(LibraryKind::Scale)));
    let node = table.require("scale", place, &accepted, out)?;
    Some(known(node, LibraryKind::Scale, library, out)?.as_str()?.to_owned())
}

/// `tasks` and `seed` at the top of the file; one repetition where nothing is said.
fn read_defaults(table: &Table, place: &Place, library: &Library, out: &mut Diagnostics) -> Vec<Axis> {
    let mut axis = |key: &str, name: &str| {
        let (typed, node) = table.entries.iter().find(|(typed, _)| typed.text == key)?;
        Some(read_axis(name, key, &typed.place, (node, Repeats::Refused), library, out))
    };
    let task = axis("tasks", "task");
    let seed = axis("seed", "seed").unwrap_or_else(|| Axis {
        name: "seed".to_owned(),
        place: place.clone(),
        values: vec![AxisValue { value: 1.into(), place: place.clone() }],
        complete: true,
    });
    task.into_iter().chain([seed]).collect()
}

fn read_grids(table: &Table, place: &Place, library: &Library, out: &mut Diagnostics) -> Vec<Grid> {
    let accepted = "a table `[[grid]]` with `model = [..]`, what to compare";
    let Some(node) = table.require("grid", place, accepted, out) else { return Vec::new() };
    if matches!(node.value, NodeValue::Table(_)) {
        out.push(
            Diagnostic::new(&node.place, "`[grid]` is one table", "write `[[grid]]`")
                .note("a sweep may have several grids, so each is written with two brackets"),
        );
        return Vec::new();
    }
    if matches!(&node.value, NodeValue::List(items) if items.is_empty()) {
        node.refuse("`[[grid]]` and below it `model = [..]`", out);
    }
    node.one_or_more().iter().filter_map(|grid| read_grid(grid, library, out)).collect()
}

/// The axes that results of these grids have.
fn varied(grids: &[Grid]) -> BTreeSet<String> {
    let own = grids.iter().flat_map(|grid| &grid.axes).map(|axis| axis.name.as_str());
    AXES.into_iter().chain(own).map(str::to_owned).collect()
}

fn read_tables(
    table: &Table,
    library: &Library,
    varied: &BTreeSet<String>,
    out: &mut Diagnostics,
) -> Vec<TableRequest> {
    let Some(node) = table.get("table") else { return Vec::new() };
    if matches!(node.value, NodeValue::Table(_)) {
        out.push(
            Diagnostic::new(&node.place, "`[table]` is one table", "write `[[table]]`")
                .note("a sweep may have several tables, so each is written with two brackets"),
        );
        return Vec::new();
    }
    let mut tables: Vec<TableRequest> = Vec::new();
    for item in node.one_or_more() {
        let Some(request) = read_table(item, library, varied, out) else { continue };
        if tables.iter().any(|other| other.name == request.name) {
            let message = format!("two tables are named `{}`", request.name);
            out.push(
                Diagnostic::new(&request.place, message, "the second")
                    .help("accepted: a name of its own, since each table is a file of that name"),
            );
        }
        tables.push(request);
    }
    tables
}
