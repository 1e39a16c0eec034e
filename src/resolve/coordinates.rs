//! Where cells stand: every value on an axis held once, a cell a row of numbers.

use std::collections::HashMap;
use std::ops::Index;
use std::sync::Arc;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::settings::Coordinates;

/// The axes of a sweep, and all values that its cells have on them.
#[derive(Debug, PartialEq, Eq)]
pub struct AxisTable {
    axes: Vec<String>,
    /// Axis by axis, in the order in which cells have them.
    values: Vec<Vec<String>>,
}

impl AxisTable {
    /// The axes, in the order of the numbers.
    pub fn axes(&self) -> &[String] {
        &self.axes
    }

    /// The values on an axis, by its place among the axes.
    pub fn values(&self, axis: usize) -> &[String] {
        &self.values[axis]
    }
}

/// The value of one cell on every axis, as text for people and tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedCoordinates {
    table: Arc<AxisTable>,
    /// Axis by axis, which of its values.
    row: Arc<[u32]>,
}

impl SharedCoordinates {
    /// The value on an axis; none where the sweep has no such axis.
    pub fn get(&self, axis: &str) -> Option<&str> {
        let place = self.table.axes.iter().position(|name| name == axis)?;
        Some(self.at(place))
    }

    /// Axes with values, named axes first.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.table.axes.iter().enumerate().map(|(place, axis)| (axis.as_str(), self.at(place)))
    }

    /// The axes and values that the numbers stand for, the same for all cells of a sweep.
    pub fn table(&self) -> &Arc<AxisTable> {
        &self.table
    }

    /// Axis by axis, which of its values.
    pub fn row(&self) -> &[u32] {
        &self.row
    }

    /// By axis, for who knows nothing of tables.
    pub fn to_map(&self) -> Coordinates {
        self.iter().map(|(axis, value)| (axis.to_owned(), value.to_owned())).collect()
    }

    fn at(&self, place: usize) -> &str {
        &self.table.values[place][self.row[place] as usize]
    }
}

impl Index<&str> for SharedCoordinates {
    type Output = str;

    fn index(&self, axis: &str) -> &str {
        self.get(axis).expect("an axis of the sweep")
    }
}

/// As an object with sorted keys, like the map it stands for.
impl Serialize for SharedCoordinates {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut pairs: Vec<(&str, &str)> = self.iter().collect();
        pairs.sort_unstable();
        let mut map = serializer.serialize_map(Some(pairs.len()))?;
        for (axis, value) in pairs {
            map.serialize_entry(axis, value)?;
        }
        map.end()
    }
}

/// Values on axes, while they are being met.
#[derive(Debug)]
pub(super) struct Interner {
    axes: Vec<(HashMap<String, u32>, Vec<String>)>,
}

impl Interner {
    pub(super) fn new(axes: usize) -> Self {
        Self { axes: vec![(HashMap::new(), Vec::new()); axes] }
    }

    /// The number of a value on the axis at `place`.
    pub(super) fn number(&mut self, place: usize, value: String) -> u32 {
        let (known, values) = &mut self.axes[place];
        if let Some(number) = known.get(&value) {
            return *number;
        }
        let number = u32::try_from(values.len()).expect("fewer values than cells");
        values.push(value.clone());
        known.insert(value, number);
        number
    }

    /// The values met on an axis.
    pub(super) fn values(&self, place: usize) -> &[String] {
        &self.axes[place].1
    }

    /// All values, axis by axis.
    pub(super) fn into_values(self) -> Vec<Vec<String>> {
        self.axes.into_iter().map(|(_, values)| values).collect()
    }
}

/// The rows of numbers with what they stand for.
pub(super) fn table(axes: &[String], interner: Interner) -> Arc<AxisTable> {
    Arc::new(AxisTable { axes: axes.to_vec(), values: interner.into_values() })
}

pub(super) fn shared(table: &Arc<AxisTable>, row: Arc<[u32]>) -> SharedCoordinates {
    SharedCoordinates { table: Arc::clone(table), row }
}
