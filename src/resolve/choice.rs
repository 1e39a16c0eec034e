//! What a point chose on every axis, what its system and task give filled in.

use std::collections::BTreeMap;

use super::expand::Point;
use super::layers::{Layers, typed};
use super::start::START;
use crate::settings::{Architecture, Coordinates, Encoder, Init, KmerLogistic, Targets, Tokenization};
use crate::spec::{
    AXES, ArchitectureKind, AxisValue, Grid, Library, Place, Sweep, System, TaskEntry, value_text,
};

/// What a point chose.
pub(super) struct Choice<'a> {
    pub(super) grid: &'a Place,
    block: &'a Grid,
    sweep: &'a Sweep,
    pub(super) values: &'a [(&'a str, &'a AxisValue)],
    pub(super) system: &'a System,
    pub(super) task: &'a TaskEntry,
    pub(super) tokenization: Tokenization,
    pub(super) masking: Targets,
    pub(super) init: Init,
    pub(super) label_fraction: f64,
    pub(super) repetition: u64,
    pub(super) layers: Layers,
}

impl<'a> Choice<'a> {
    /// Nothing where a name is known of which nothing else is known.
    pub(super) fn of(sweep: &'a Sweep, library: &'a Library, point: &'a Point<'a>) -> Option<Self> {
        let system = system(point, library)?;
        let task = library.tasks.get(point.get("task")?.value.as_str()?)?;
        let layers = layers(system, task, &point.values, sweep, library);
        let text = |axis| point.get(axis).and_then(|value| value.value.as_str());
        let number = |axis| point.get(axis).map(|value| &value.value);
        Some(Self {
            grid: &point.grid.place,
            block: point.grid,
            sweep,
            values: &point.values,
            system,
            task,
            tokenization: text("tokenization").map_or(Some(system.tokenization), |name| name.parse().ok())?,
            masking: text("masking").map_or(Some(system.masking), |name| name.parse().ok())?,
            init: match text("init") {
                Some(name) => Init::ALL.into_iter().find(|init| init.name() == name)?,
                None => *system.init.first()?,
            },
            label_fraction: number("label_fraction").and_then(serde_json::Value::as_f64).unwrap_or(1.0),
            repetition: number("seed").and_then(serde_json::Value::as_u64).unwrap_or(1),
            layers,
        })
    }

    /// The system whose pre-training its own starts from.
    pub(super) fn starts_from(&self) -> Option<&str> {
        self.layers.get(START).and_then(serde_json::Value::as_str).filter(|name| *name != "random")
    }

    /// What the pre-training of `system` would be that this one starts from: its own
    /// masking and settings, this one's tokenization. Where *it* starts from, its file says.
    pub(super) fn of_start(&self, system: &'a System, sweep: &Sweep, library: &Library) -> Self {
        let mut layers = layers(system, self.task, self.values, sweep, library);
        layers.reset_to(START, system);
        Self { system, masking: system.masking, init: Init::Pretrained, layers, ..*self }
    }

    /// Where a setting was typed, or else its grid.
    pub(super) fn place_of_setting(&self, path: &str) -> &Place {
        self.layers.last_of(&[path]).unwrap_or(self.grid)
    }

    /// What a point has on a named axis that its grid leaves out.
    pub(super) fn default_on(axis: &str, point: &Point<'_>, library: &Library) -> Option<String> {
        let system = system(point, library)?;
        match axis {
            "tokenization" => Some(system.tokenization.to_string()),
            "masking" => Some(system.masking.to_string()),
            "init" => system.init.first().map(|init| init.name().to_owned()),
            "label_fraction" => Some("1".to_owned()),
            _ => None,
        }
    }

    /// Where its value on an axis was typed, or else its grid.
    pub(super) fn place(&self, axis: &str) -> &'a Place {
        self.values.iter().find(|(name, _)| *name == axis).map_or(self.grid, |(_, value)| &value.place)
    }

    /// Whether its grid or the file gives values to an axis.
    pub(super) fn has_axis(&self, axis: &str) -> bool {
        self.values.iter().any(|(name, _)| *name == axis)
    }

    /// Whether its grid has another value on one of these axes: only then is there something
    /// left where this one is left out.
    pub(super) fn varies(&self, axes: &[&str]) -> bool {
        let all = self.sweep.axes_of(self.block);
        all.iter().any(|axis| axes.contains(&axis.name.as_str()) && axis.values.len() > 1)
    }

    /// Nothing for a tokenization that the architecture cannot have.
    pub(super) fn architecture(&self) -> Option<Architecture> {
        architecture(self.system, self.tokenization, &self.layers)
    }

    /// Its value on every axis of the sweep.
    pub(super) fn coordinates(&self, axes: &[String]) -> Coordinates {
        let value = |axis: &str| match axis {
            "model" => self.system.name.clone(),
            "tokenization" => self.tokenization.to_string(),
            "masking" => self.masking.to_string(),
            "init" => self.init.name().to_owned(),
            "task" => self.task.task.id.clone(),
            "label_fraction" => value_text(&self.label_fraction.into()),
            "seed" => self.repetition.to_string(),
            path => self.layers.get(path).map_or_else(|| "-".to_owned(), value_text),
        };
        axes.iter().map(|axis| (axis.clone(), value(axis))).collect::<BTreeMap<_, _>>()
    }
}

/// All layers of settings of a system at a point.
fn layers(
    system: &System,
    task: &TaskEntry,
    values: &[(&str, &AxisValue)],
    sweep: &Sweep,
    library: &Library,
) -> Layers {
    let mut layers = Layers::of_system(system, library.scales.get(&sweep.scale));
    layers.add(&task.overrides);
    layers.add(&sweep.overrides);
    for (axis, value) in values.iter().filter(|(axis, _)| !AXES.contains(axis)) {
        layers.set(axis, value.value.clone(), &value.place);
    }
    layers
}

/// The system of a point.
fn system<'l>(point: &Point<'_>, library: &'l Library) -> Option<&'l System> {
    library.systems.get(point.get("model")?.value.as_str()?)
}

/// The architecture of a system with a tokenization and settings.
pub(super) fn architecture(
    system: &System,
    tokenization: Tokenization,
    layers: &Layers,
) -> Option<Architecture> {
    match system.architecture {
        ArchitectureKind::Encoder => Some(Architecture::Encoder(typed::<Encoder>(layers.section("model")))),
        ArchitectureKind::KmerLogistic => match tokenization {
            Tokenization::Kmer { k, .. } => Some(Architecture::KmerLogistic(KmerLogistic { k })),
            Tokenization::Bpe | Tokenization::BpeTrained | Tokenization::Character => None,
        },
    }
}
