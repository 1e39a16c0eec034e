//! Layers of settings: defaults, system, scale, task, sweep, axes; the last one counts.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::spec::{ArchitectureKind, Override, Place, Scale, Settings, System, defaults, value_text};

/// Settings, and where each was last set.
#[derive(Clone, Debug)]
pub(super) struct Layers {
    settings: Settings,
    /// Each with how many were set before it.
    places: BTreeMap<String, (usize, Place)>,
    set: usize,
}

impl Layers {
    /// Defaults, then the system, then the scale. A scale is a size of encoders.
    pub(super) fn of_system(system: &System, scale: Option<&Scale>) -> Self {
        let mut layers = Self { settings: defaults(), places: BTreeMap::new(), set: 0 };
        layers.add(&system.overrides);
        match (system.architecture, scale) {
            (ArchitectureKind::Encoder, Some(scale)) => layers.add(&scale.overrides),
            (ArchitectureKind::Encoder, None) | (ArchitectureKind::KmerLogistic, _) => {}
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
        self.set += 1;
        self.places.insert(path.to_owned(), (self.set, place.clone()));
    }

    /// Back to what a system's file says, or the default: what a scale, a sweep or an axis
    /// set is taken back.
    pub(super) fn reset_to(&mut self, path: &str, system: &System) {
        let own = system.overrides.iter().rev().find(|setting| setting.path == path);
        match (own, defaults().get(path)) {
            (Some(own), _) => self.set(path, own.value.clone(), &own.place),
            (None, Some(default)) => {
                self.settings.set(path, default.clone());
                self.places.remove(path);
            }
            (None, None) => {}
        }
    }

    /// Where the one of these settings was set that was set last; `None` where all of them
    /// are defaults. Who sets last is who can mend it.
    pub(super) fn last_of(&self, paths: &[&str]) -> Option<&Place> {
        let places = paths.iter().filter_map(|path| self.places.get(*path));
        places.max_by_key(|(order, _)| *order).map(|(_, place)| place)
    }

    /// What a setting is and who set it, for messages that have their caret elsewhere.
    pub(super) fn told(&self, path: &str) -> String {
        let value = self.get(path).map_or_else(|| "-".to_owned(), value_text);
        match self.places.get(path) {
            Some((_, place)) => format!("`{path}` is `{value}`, set in {}", place.shown()),
            None => format!("`{path}` is `{value}` by default"),
        }
    }

    /// A value, where there is one.
    pub(super) fn get(&self, path: &str) -> Option<&Json> {
        self.settings.get(path)
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

    /// Some settings of a stage as an object; null where nobody has set one.
    pub(super) fn pick(&self, stage: &str, names: &[&str]) -> Json {
        let value = |name: &str| self.get(&format!("{stage}.{name}")).cloned().unwrap_or(Json::Null);
        Json::Object(names.iter().map(|name| ((*name).to_owned(), value(name))).collect::<Map<_, _>>())
    }

    /// All settings of a section as an object.
    pub(super) fn section(&self, section: &str) -> Json {
        let prefix = format!("{section}.");
        let own = self.settings.0.iter().filter_map(|(path, value)| {
            path.strip_prefix(&prefix).map(|name| (name.to_owned(), value.clone()))
        });
        Json::Object(own.collect::<Map<_, _>>())
    }
}

/// Typed settings. The schema has checked each value.
pub(super) fn typed<T: serde::de::DeserializeOwned>(json: Json) -> T {
    serde_json::from_value(json).expect("the schema lists what the typed settings have")
}
