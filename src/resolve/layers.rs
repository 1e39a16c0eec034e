//! Layers of settings: defaults, system, scale, task, sweep, axes; the last one counts.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::spec::{ArchitectureKind, Override, Place, Scale, Settings, System, defaults};

/// Settings, and where each was last set.
#[derive(Clone, Debug)]
pub(super) struct Layers {
    pub(super) settings: Settings,
    places: BTreeMap<String, Place>,
}

impl Layers {
    /// Defaults, then the system, then the scale. A scale is a size of encoders.
    pub(super) fn of_system(system: &System, scale: &Scale) -> Self {
        let mut layers = Self { settings: defaults(), places: BTreeMap::new() };
        layers.add(&system.overrides);
        match system.architecture {
            ArchitectureKind::Encoder => layers.add(&scale.overrides),
            ArchitectureKind::KmerLogistic => {}
        }
        layers
    }

    pub(super) fn add(&mut self, overrides: &[Override]) {
        for setting in overrides {
            self.set(&setting.path, setting.value.clone(), &setting.place);
        }
    }

    pub(super) fn set(&mut self, path: &str, value: Json, place: &Place) {
        self.settings.set(path, value);
        self.places.insert(path.to_owned(), place.clone());
    }

    /// Where a setting was last set; `None` for a default.
    pub(super) fn place(&self, path: &str) -> Option<&Place> {
        self.places.get(path)
    }

    pub(super) fn json(&self, path: &str) -> Json {
        self.settings.get(path).cloned().unwrap_or(Json::Null)
    }

    /// A number that has a default.
    pub(super) fn number(&self, path: &str) -> f64 {
        self.settings.get(path).and_then(Json::as_f64).expect("the schema gives it a default and a kind")
    }

    /// A count that has a default.
    pub(super) fn count(&self, path: &str) -> usize {
        self.optional_count(path).expect("the schema gives it a default and a kind")
    }

    /// A count that nobody may have set.
    pub(super) fn optional_count(&self, path: &str) -> Option<usize> {
        self.settings.get(path).and_then(Json::as_u64).map(|count| count as usize)
    }
}
