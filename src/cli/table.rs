//! `bench table`.

use clap::{Args, ValueEnum};

use super::collect::collect;
use super::errors::{CliError, coloured};
use super::stored::StoredPlan;
use super::{Verdict, say_as_is};
use crate::report::{self, Styling, Table, TableSpec, default_table, tabulate};
use polars::prelude::DataFrame;

/// Arguments of `bench table`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bench table ablation                            all tables of the sweep
  bench table ablation gain-from-pretraining      one of them
  bench table ablation --format latex > t.tex     for a paper (booktabs)
  bench table ablation --metric macro-f1          another metric than each task's own
  bench table ablation --rows task --columns model,init   a table of your own")]
pub(super) struct Arguments {
    /// A sweep, by its name or its experiment file
    sweep: String,
    /// A table that the experiment file names; all of them without it
    name: Option<String>,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
    /// Another metric than each task's own
    #[arg(long)]
    metric: Option<String>,
    /// Axes of the rows, for a table that the file does not name
    #[arg(long, value_delimiter = ',', requires = "columns")]
    rows: Vec<String>,
    /// Axes of the columns
    #[arg(long, value_delimiter = ',', requires = "rows")]
    columns: Vec<String>,
    /// Folder of all results
    #[arg(long, value_name = "DIR", default_value = "results")]
    results: std::path::PathBuf,
}

/// How a table is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// With lines, for reading
    Terminal,
    /// For a README
    Markdown,
    /// For a paper, with booktabs
    Latex,
    /// One row per cell, for a script
    Csv,
}

impl Format {
    /// The ending of a file in this form.
    pub(super) fn ending(self) -> &'static str {
        match self {
            Self::Terminal => "txt",
            Self::Markdown => "md",
            Self::Latex => "tex",
            Self::Csv => "csv",
        }
    }

    pub(super) fn render(self, table: &Table, width: u16, styling: Styling) -> String {
        match self {
            Self::Terminal => report::terminal(table, width, styling),
            Self::Markdown => report::markdown(table),
            Self::Latex => report::latex(table),
            Self::Csv => report::csv(table),
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<Verdict, CliError> {
    let plan = StoredPlan::read(&arguments.results, &arguments.sweep)?;
    let frame = collect(&arguments.results, &plan)?;
    for spec in chosen(arguments, &plan, &frame)? {
        let table = tabulate(&frame, &spec)?;
        say_as_is(&arguments.format.render(&table, width(), styling()))?;
        say_as_is("\n")?;
    }
    Ok(Verdict::Complete)
}

fn chosen(arguments: &Arguments, plan: &StoredPlan, frame: &DataFrame) -> Result<Vec<TableSpec>, CliError> {
    let mut specs = if arguments.rows.is_empty() {
        specs(plan, frame)?
    } else {
        vec![TableSpec {
            rows: arguments.rows.clone(),
            columns: arguments.columns.clone(),
            ..TableSpec::new("table", &[], &[])
        }]
    };
    if let Some(name) = &arguments.name {
        let names: Vec<String> = specs.iter().map(|spec| format!("`{}`", spec.name)).collect();
        specs.retain(|spec| spec.name == *name);
        if specs.is_empty() {
            let accepted = names.join(", ");
            return Err(CliError::message(format!(
                "`{}` has no table `{name}`\nhelp: accepted: {accepted}",
                plan.sweep
            )));
        }
    }
    if let Some(metric) = &arguments.metric {
        for spec in &mut specs {
            spec.metric = Some(metric.replace('-', "_"));
        }
    }
    Ok(specs)
}

/// The tables of a sweep: those it names, or the default one.
pub(super) fn specs(plan: &StoredPlan, frame: &DataFrame) -> Result<Vec<TableSpec>, CliError> {
    let named = plan.tables();
    Ok(if named.is_empty() { vec![default_table(frame)?] } else { named })
}

/// Columns of the terminal; wide where there is none, so that nothing wraps in a file.
pub(super) fn width() -> u16 {
    const WIDE: u16 = 200;
    comfy_table::Table::new().width().unwrap_or(WIDE)
}

/// Whether stdout takes bold text.
pub(super) fn styling() -> Styling {
    if coloured(&std::io::stdout()) { Styling::Ansi } else { Styling::Plain }
}
