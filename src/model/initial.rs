//! What parameters start from: BERT's rule (models.md 1.6) with the settings' standard
//! deviations, drawn on the host.
//!
//! Each parameter has a stream of its own, named by its path, so that its values depend on
//! nothing but the repetition. It knows no device: burn's lazy global source is not used.

use rand::Rng;

use super::inventory::{Kind, Slot};
use super::{HostTensor, HostTensors};
use crate::seed;
use crate::settings::Encoder;

/// Standard deviations of what is drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spread {
    weights: f64,
    tables: f64,
}

impl Spread {
    pub(super) fn of(settings: &Encoder) -> Self {
        Self { weights: settings.weight_std, tables: settings.embedding_std }
    }
}

/// Initial values of every slot, by path.
pub(super) fn initial_values(slots: &[Slot], spread: Spread, repetition: u64) -> HostTensors {
    slots.iter().map(|slot| (slot.path.clone(), initial_value(slot, spread, repetition))).collect()
}

fn initial_value(slot: &Slot, spread: Spread, repetition: u64) -> HostTensor {
    let count = slot.count();
    let data = match slot.kind {
        Kind::Weight => normal_values(slot, spread.weights, repetition),
        Kind::Table { padding_row } => {
            let mut data = normal_values(slot, spread.tables, repetition);
            if let Some(row) = padding_row {
                let width = count / slot.shape[0];
                data[row as usize * width..][..width].fill(0.0);
            }
            data
        }
        Kind::Bias => vec![0.0; count],
        Kind::Scale => vec![1.0; count],
    };
    HostTensor { shape: slot.shape.clone(), data }
}

/// Independent draws from `N(0, deviation^2)`, by Box and Muller's transform.
fn normal_values(slot: &Slot, deviation: f64, repetition: u64) -> Vec<f32> {
    let mut source = seed::stream(repetition, slot.purpose, &[&slot.path]);
    let mut values = Vec::with_capacity(slot.count() + 1);
    while values.len() < slot.count() {
        // In (0, 1], so that the logarithm is finite.
        let radius = (-2.0 * (1.0 - unit(&mut source)).ln()).sqrt() * deviation;
        let (sine, cosine) = (std::f64::consts::TAU * unit(&mut source)).sin_cos();
        values.extend([(radius * cosine) as f32, (radius * sine) as f32]);
    }
    values.truncate(slot.count());
    values
}

/// A uniform draw from `[0, 1)` with 53 bits.
fn unit(source: &mut impl Rng) -> f64 {
    (source.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Purpose;

    const SPREAD: Spread = Spread { weights: 0.02, tables: 0.05 };

    fn slot(path: &str, shape: &[usize], kind: Kind) -> Slot {
        Slot {
            path: path.to_owned(),
            shape: shape.to_vec(),
            kind,
            purpose: Purpose::Weights,
            public: String::new(),
            piece: (0, 1),
        }
    }

    #[test]
    fn weights_have_the_stated_spread_and_depend_on_path_and_repetition_alone() {
        let weight = slot("encoder.a.weight", &[100, 101], Kind::Weight);
        let values = initial_value(&weight, SPREAD, 1).data;
        let n = values.len() as f64;
        let mean = values.iter().copied().map(f64::from).sum::<f64>() / n;
        let variance = values.iter().copied().map(|value| (f64::from(value) - mean).powi(2)).sum::<f64>() / n;
        let beyond = values.iter().filter(|value| value.abs() > 0.04).count() as f64 / n;
        // Five standard errors each.
        assert!(mean.abs() < 5.0 * 0.02 / n.sqrt(), "mean {mean}");
        assert!((variance.sqrt() / 0.02 - 1.0).abs() < 5.0 / (2.0 * n).sqrt(), "variance {variance}");
        assert!((beyond - 0.0455).abs() < 5.0 * (0.0455 / n).sqrt(), "beyond two deviations {beyond}");

        assert_eq!(values, initial_value(&weight, SPREAD, 1).data);
        assert_ne!(values, initial_value(&weight, SPREAD, 2).data);
        assert_ne!(
            values,
            initial_value(&slot("encoder.b.weight", &[100, 101], Kind::Weight), SPREAD, 1).data
        );
    }

    #[test]
    fn biases_scales_and_padding_rows_are_constant() {
        let values = |kind| initial_value(&slot("x", &[3, 2], kind), SPREAD, 1).data;
        assert_eq!(values(Kind::Bias), vec![0.0; 6]);
        assert_eq!(values(Kind::Scale), vec![1.0; 6]);
        let table = values(Kind::Table { padding_row: Some(1) });
        let zeros: Vec<usize> = (0..6).filter(|place| table[*place] == 0.0).collect();
        assert_eq!(zeros, [2, 3]);
    }
}
