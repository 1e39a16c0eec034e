//! What a name may have been meant for that is known elsewhere.

use super::AXES;
use super::diagnostic::quoted;
use super::schema::{SECTIONS, fields};
use super::sweep::KEYS;

/// What other programs call a setting, and what it is called here.
const ELSEWHERE: [(&str, &str); 12] = [
    ("lr", "learning_rate"),
    ("bs", "batch_size"),
    ("wd", "weight_decay"),
    ("warmup", "warmup_steps"),
    ("warmup_ratio", "warmup_share"),
    ("mlm_probability", "mask_share"),
    ("max_grad_norm", "clip_norm"),
    ("hidden_size", "d_model"),
    ("width", "d_model"),
    ("heads", "n_heads"),
    ("layers", "n_layers"),
    ("num_hidden_layers", "n_layers"),
];

/// The name of a setting, where this is what other programs call it.
pub(super) fn own_name(name: &str) -> &str {
    ELSEWHERE.iter().find(|(theirs, _)| *theirs == name).map_or(name, |(_, own)| own)
}

/// Settings of this name in any section, by their dotted paths.
fn settings_named(name: &str) -> Vec<&'static str> {
    let name = own_name(name);
    fields()
        .iter()
        .map(|field| field.path)
        .filter(|path| path.split_once('.').is_some_and(|(_, own)| own == name))
        .collect()
}

/// For an unknown key at the top of an experiment file.
pub(super) fn at_the_top(name: &str) -> Option<String> {
    if name != "task" && AXES.contains(&name) {
        return Some(format!("`{name}` is an axis: give it in a `[[grid]]`"));
    }
    of_a_setting(name)
}

/// For an unknown key at the top of a file that has tables of settings.
pub(super) fn of_a_setting(name: &str) -> Option<String> {
    let paths = settings_named(name);
    let sections = paths.iter().filter_map(|path| path.split_once('.'));
    let tables: Vec<String> = sections.map(|(section, _)| format!("`[{section}]`")).collect();
    let what = match own_name(name) {
        own if own == name => format!("`{name}` is a setting"),
        own => format!("`{name}` is called `{own}` here"),
    };
    (!tables.is_empty()).then(|| format!("{what}: give it in {}", tables.join(" or ")))
}

/// For a name that is no axis.
pub(super) fn in_a_grid(name: &str) -> Option<String> {
    let paths = settings_named(name);
    if !paths.is_empty() {
        let what = match own_name(name) {
            own if own == name => "as a setting it needs its dotted path".to_owned(),
            own => format!("`{name}` is called `{own}` here, and needs its dotted path"),
        };
        return Some(format!("{what}: {}", quoted(paths)));
    }
    if SECTIONS.contains(&name) {
        return Some(format!(
            "settings of all cells belong in a table `[{name}]`; to vary one: `\"{name}.NAME\" = [..]`"
        ));
    }
    let is_top = KEYS.contains(&name) && !["tasks", "grid", "table"].contains(&name);
    is_top.then(|| format!("`{name}` belongs at the top of the file, above the first `[[grid]]`"))
}

/// For an unknown setting of a section that has none that may have been meant.
pub(super) fn in_another_section(section: &str, name: &str) -> Option<String> {
    let paths = settings_named(name);
    let is_own = |path: &&str| path.split_once('.').is_some_and(|(of, _)| of == section);
    let is_elsewhere = !paths.is_empty() && !paths.iter().any(is_own);
    is_elsewhere.then(|| format!("there is {}", quoted(paths)))
}
