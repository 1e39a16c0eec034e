//! What a name may have been meant for that is known elsewhere.

use super::AXES;
use super::diagnostic::quoted;
use super::schema::{SECTIONS, fields};
use super::sweep::KEYS;

/// Settings of this name in any section, by their dotted paths.
fn settings_named(name: &str) -> Vec<&'static str> {
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
    (!tables.is_empty()).then(|| format!("`{name}` is a setting: give it in {}", tables.join(" or ")))
}

/// For a name that is no axis.
pub(super) fn in_a_grid(name: &str) -> Option<String> {
    let paths = settings_named(name);
    if !paths.is_empty() {
        return Some(format!("as a setting it needs its dotted path: {}", quoted(paths)));
    }
    if SECTIONS.contains(&name) {
        return Some(format!(
            "settings of all cells belong in a table `[{name}]`; to vary one: `\"{name}.NAME\" = [..]`"
        ));
    }
    let is_top = KEYS.contains(&name) && !["tasks", "grid", "table"].contains(&name);
    is_top.then(|| format!("`{name}` belongs at the top of the file, above the first `[[grid]]`"))
}

/// For an unknown setting of a section.
pub(super) fn in_another_section(name: &str) -> Option<String> {
    let paths = settings_named(name);
    (!paths.is_empty()).then(|| format!("there is {}", quoted(paths)))
}
