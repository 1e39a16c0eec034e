//! What a point chose on every axis, what its system and task give filled in.

use std::rc::Rc;

use super::expand::Expansion;
use super::layers::{Base, Layers};
use super::start::START;
use crate::settings::{Architecture, Encoder, Init, KmerLogistic, Targets, Tokenization};
use crate::spec::{ArchitectureKind, AxisValue, Library, Place, Sweep, System, TaskEntry, value_text};

/// What a point chose.
pub(super) struct Choice<'a> {
    pub(super) grid: &'a Place,
    expansion: &'a Expansion<'a>,
    pub(super) values: &'a [(&'a str, &'a AxisValue)],
    pub(super) system: &'a System,
    pub(super) task: &'a TaskEntry,
    pub(super) tokenization: Tokenization,
    pub(super) masking: Targets,
    pub(super) init: Init,
    pub(super) label_fraction: f64,
    pub(super) layers: Layers<'a>,
}

impl<'a> Choice<'a> {
    /// The system and the task of a point. Nothing where a name is known of which nothing
    /// else is known.
    pub(super) fn named(
        values: &[(&str, &AxisValue)],
        library: &'a Library,
    ) -> Option<(&'a System, &'a TaskEntry)> {
        let system = system(on(values, "model")?, library)?;
        Some((system, library.tasks.get(on(values, "task")?.value.as_str()?)?))
    }

    /// What a point chose; `layers` are those of its system and task with its own values.
    pub(super) fn of(
        system: &'a System,
        task: &'a TaskEntry,
        expansion: &'a Expansion<'a>,
        values: &'a [(&'a str, &'a AxisValue)],
        layers: Layers<'a>,
    ) -> Option<Self> {
        let text = |axis| on(values, axis).and_then(|value| value.value.as_str());
        let number = |axis| on(values, axis).map(|value| &value.value);
        Some(Self {
            grid: &expansion.grid().place,
            expansion,
            values,
            system,
            task,
            tokenization: text("tokenization").map_or(Some(system.tokenization), |name| name.parse().ok())?,
            masking: text("masking").map_or(Some(system.masking), |name| name.parse().ok())?,
            init: match text("init") {
                Some(name) => Init::ALL.into_iter().find(|init| init.name() == name)?,
                None => *system.init.first()?,
            },
            label_fraction: number("label_fraction").and_then(serde_json::Value::as_f64).unwrap_or(1.0),
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
        let base = Rc::new(base(system, self.task, sweep, library));
        let mut layers = Layers::over(base, self.values);
        layers.reset_to(START, system);
        Self { system, masking: system.masking, init: Init::Pretrained, layers, ..*self }
    }

    /// Where a setting was typed, or else its grid.
    pub(super) fn place_of_setting(&self, path: &str) -> &Place {
        self.layers.last_of(&[path]).unwrap_or(self.grid)
    }

    /// What a point of a model has on a named axis that its grid leaves out.
    pub(super) fn default_on(axis: &str, model: &AxisValue, library: &Library) -> Option<String> {
        let system = system(model, library)?;
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
        self.expansion.axes().iter().any(|axis| axes.contains(&axis.name.as_str()) && axis.values.len() > 1)
    }

    /// Nothing for a tokenization that the architecture cannot have.
    pub(super) fn architecture(&self) -> Option<Architecture> {
        architecture(self.system, self.tokenization, &self.layers)
    }

    /// Its value on an axis that is not the repetition.
    pub(super) fn coordinate(&self, axis: &str) -> String {
        match axis {
            "model" => self.system.name.clone(),
            "tokenization" => self.tokenization.to_string(),
            "masking" => self.masking.to_string(),
            "init" => self.init.name().to_owned(),
            "task" => self.task.task.id.clone(),
            "label_fraction" => value_text(&self.label_fraction.into()),
            path => self.layers.coordinate(path),
        }
    }
}

/// The layers below the axes of a system on a task.
pub(super) fn base(system: &System, task: &TaskEntry, sweep: &Sweep, library: &Library) -> Base {
    Base::of(system, library.scales.get(&sweep.scale), &[&task.overrides, &sweep.overrides])
}

/// The value of a point on an axis.
fn on<'v>(values: &[(&str, &'v AxisValue)], axis: &str) -> Option<&'v AxisValue> {
    values.iter().find(|(name, _)| *name == axis).map(|(_, value)| *value)
}

/// The system of a model's name.
fn system<'l>(model: &AxisValue, library: &'l Library) -> Option<&'l System> {
    library.systems.get(model.value.as_str()?)
}

/// The architecture of a system with a tokenization and settings.
pub(super) fn architecture(
    system: &System,
    tokenization: Tokenization,
    layers: &Layers<'_>,
) -> Option<Architecture> {
    match system.architecture {
        ArchitectureKind::Encoder => Some(Architecture::Encoder(Encoder::clone(&layers.encoder().encoder))),
        ArchitectureKind::KmerLogistic => match tokenization {
            Tokenization::Kmer { k, .. } => Some(Architecture::KmerLogistic(KmerLogistic { k })),
            Tokenization::Bpe | Tokenization::BpeTrained | Tokenization::Character => None,
        },
    }
}
