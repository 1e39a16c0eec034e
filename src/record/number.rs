//! JSON has no NaN and no infinity: serde_json writes both as `null`. A diverging loss is
//! when a reader most needs the line, so `null` is read back as NaN.

use serde::{Deserialize, Deserializer};

/// For `#[serde(deserialize_with)]` on a number that may not be finite.
pub(crate) fn or_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}
