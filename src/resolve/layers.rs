//! Layers of settings: defaults, system, scale, task, sweep, axes; the last one counts.
//!
//! The lower layers are the same for all points of a system and a task and are laid once
//! ([`Base`]); a point adds the few values that its axes have.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::LazyLock;

use serde_json::{Map, Value as Json};

use super::memo::Memo;
use crate::settings::{Architecture, Encoder, Finetuning, Optimisation, Pretraining, Refresh, Shared};
use crate::spec::{
    ArchitectureKind, AxisValue, Override, Place, Scale, Settings, System, alternative, defaults, fields,
    value_text,
};

static DEFAULTS: LazyLock<Settings> = LazyLock::new(defaults);

/// The layers below the axes, and what was made of them so far: points differ in few
/// settings, and most share those of a stage.
#[derive(Debug)]
pub(super) struct Base {
    settings: Settings,
    /// Each with how many were set before it.
    places: BTreeMap<String, (usize, Place)>,
    set: usize,
    encoders: Memo<Built, Vec<usize>>,
    pretrainings: Memo<PretrainSettings, Vec<usize>>,
    finetunings: Memo<Shared<Finetuning>, Vec<usize>>,
}

/// An encoder, as both stages hold it.
#[derive(Clone, Debug)]
pub(super) struct Built {
    pub(super) encoder: Shared<Encoder>,
    pub(super) architecture: Shared<Architecture>,
}

/// What `[pretrain]` comes to.
#[derive(Clone, Debug)]
pub(super) struct PretrainSettings {
    pub(super) optimisation: Shared<Optimisation>,
    pub(super) pretraining: Shared<Pretraining>,
    /// Share of tokens hidden, and of those the shares replaced by the mask and at random.
    pub(super) shares: [f64; 3],
    pub(super) refresh: Refresh,
}

impl Base {
    /// Defaults, then the system, then the scale, then the `further` ones. A scale is a size
    /// of encoders.
    pub(super) fn of(system: &System, scale: Option<&Scale>, further: &[&[Override]]) -> Self {
        let mut base = Self {
            settings: DEFAULTS.clone(),
            places: BTreeMap::new(),
            set: 0,
            encoders: Memo::default(),
            pretrainings: Memo::default(),
            finetunings: Memo::default(),
        };
        base.add(&system.overrides);
        match (system.architecture, scale) {
            (ArchitectureKind::Encoder, Some(scale)) => base.add(&scale.overrides),
            (ArchitectureKind::Encoder, None) | (ArchitectureKind::KmerLogistic, _) => {}
        }
        for overrides in further {
            base.add(overrides);
        }
        base
    }

    fn add(&mut self, overrides: &[Override]) {
        for setting in overrides {
            self.settings.set(&setting.path, setting.value.clone());
            self.set += 1;
            self.places.insert(setting.path.clone(), (self.set, setting.place.clone()));
        }
    }
}

/// Settings, and where each was last set.
#[derive(Clone, Debug)]
pub(super) struct Layers<'a> {
    base: Rc<Base>,
    /// What axes set, the last one counts.
    over: Vec<Over<'a>>,
}

/// A setting over the base.
#[derive(Clone, Copy, Debug)]
struct Over<'a> {
    path: &'a str,
    value: &'a Json,
    /// None where it is a default again.
    place: Option<&'a Place>,
}

impl<'a> Layers<'a> {
    /// The values of axes over a base; named axes are no settings.
    pub(super) fn over(base: Rc<Base>, values: &[(&'a str, &'a AxisValue)]) -> Self {
        let settings = values.iter().filter(|(axis, _)| axis.contains('.'));
        let over =
            settings.map(|(path, value)| Over { path, value: &value.value, place: Some(&value.place) });
        Self { base, over: over.collect() }
    }

    /// What `[pretrain]` comes to, made with `make` where it is not known yet.
    pub(super) fn pretraining(&self, make: impl FnOnce() -> PretrainSettings) -> PretrainSettings {
        self.base.pretrainings.get(self.varied(|path| path.starts_with("pretrain.")), make)
    }

    /// Back to what a system's file says, or the default: what a scale, a sweep or an axis
    /// set is taken back.
    pub(super) fn reset_to(&mut self, path: &'a str, system: &'a System) {
        let own = system.overrides.iter().rev().find(|setting| setting.path == path);
        match (own, DEFAULTS.get(path)) {
            (Some(own), _) => self.over.push(Over { path, value: &own.value, place: Some(&own.place) }),
            (None, Some(value)) => self.over.push(Over { path, value, place: None }),
            (None, None) => {}
        }
    }

    /// Where the one of these settings was set that was set last; `None` where all of them
    /// are defaults. Who sets last is who can mend it.
    pub(super) fn last_of(&self, paths: &[&str]) -> Option<&Place> {
        let places = paths.iter().filter_map(|path| self.place(path));
        places.max_by_key(|(order, _)| *order).map(|(_, place)| place)
    }

    /// What a setting is and who set it, for messages that have their caret elsewhere.
    pub(super) fn told(&self, path: &str) -> String {
        let value = self.get(path).map_or_else(|| "-".to_owned(), value_text);
        match self.place(path) {
            Some((_, place)) => format!("`{path}` is `{value}`, set in {}", place.shown()),
            None => format!("`{path}` is `{value}` by default"),
        }
    }

    fn place(&self, path: &str) -> Option<(usize, &Place)> {
        match self.over.iter().rposition(|over| over.path == path) {
            Some(at) => self.over[at].place.map(|place| (self.base.set + 1 + at, place)),
            None => self.base.places.get(path).map(|(order, place)| (*order, place)),
        }
    }

    /// A value, where there is one.
    pub(super) fn get(&self, path: &str) -> Option<&Json> {
        for over in self.over.iter().rev() {
            if over.path == path {
                return Some(over.value);
            }
            // Setting one of two ways to say a thing forgets the other.
            if alternative(over.path) == Some(path) {
                return None;
            }
        }
        self.base.settings.get(path)
    }

    /// What axes set of the settings of which `counts` holds, as the addresses of the values:
    /// equal ones over one base make equal settings.
    fn varied(&self, counts: impl Fn(&str) -> bool) -> Vec<usize> {
        let own = self.over.iter().filter(|over| counts(over.path));
        own.map(|over| std::ptr::from_ref(over.value).addr()).collect()
    }

    /// A value as coordinates show it.
    pub(super) fn coordinate(&self, path: &str) -> String {
        self.get(path).map_or_else(|| "-".to_owned(), value_text)
    }

    /// A number that has a default.
    pub(super) fn number(&self, path: &str) -> f64 {
        self.get(path).and_then(Json::as_f64).expect("the schema gives it a default and a kind")
    }

    /// A count that has a default.
    pub(super) fn count(&self, path: &str) -> usize {
        self.optional_count(path).expect("the schema gives it a default and a kind")
    }

    /// A count that nobody may have set.
    pub(super) fn optional_count(&self, path: &str) -> Option<usize> {
        self.get(path).and_then(Json::as_u64).map(|count| count as usize)
    }

    /// Some settings of a stage as an object; null where nobody has set one.
    pub(super) fn pick(&self, stage: &str, names: &[&str]) -> Json {
        let value = |name: &str| self.get(&format!("{stage}.{name}")).cloned().unwrap_or(Json::Null);
        Json::Object(names.iter().map(|name| ((*name).to_owned(), value(name))).collect::<Map<_, _>>())
    }

    /// What of `[finetune]` is no optimisation.
    pub(super) fn finetuning(&self) -> Shared<Finetuning> {
        const NAMES: [&str; 5] = ["freeze", "selection", "evaluations", "dev_fraction", "l2"];
        let own = |path: &str| path.strip_prefix("finetune.").is_some_and(|name| NAMES.contains(&name));
        self.base
            .finetunings
            .get(self.varied(own), || typed::<Finetuning>(self.pick("finetune", &NAMES)).into())
    }

    /// The encoder that `[model]` comes to.
    pub(super) fn encoder(&self) -> Built {
        self.base.encoders.get(self.varied(|path| path.starts_with("model.")), || {
            let encoder: Encoder = typed(self.section("model"));
            let architecture = Architecture::Encoder(encoder.clone());
            Built { encoder: encoder.into(), architecture: architecture.into() }
        })
    }

    /// All settings of a section as an object.
    fn section(&self, section: &str) -> Json {
        let own = fields().iter().filter_map(|field| {
            let name = field.path.strip_prefix(section)?.strip_prefix('.')?;
            Some((name.to_owned(), self.get(field.path)?.clone()))
        });
        Json::Object(own.collect::<Map<_, _>>())
    }
}

/// Typed settings. The schema has checked each value.
pub(super) fn typed<T: serde::de::DeserializeOwned>(json: Json) -> T {
    serde_json::from_value(json).expect("the schema lists what the typed settings have")
}
