//! AdamW with warm-up, decay and clipping by the global norm (models.md 1.10).
//!
//! burn's own optimiser keeps its state by random parameter ids, decays everything and
//! clips each tensor by itself; this one knows parameters by their path, so that its state
//! can be stored beside the weights, and makes fewer passes.

use std::collections::BTreeMap;

use burn::module::{ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};

use crate::model::{HostTensor, HostTensors, ModelError, Parameterised};
use crate::settings::{Decay, Optimisation};

/// Added to the norm when a gradient is clipped, as PyTorch does.
const CLIP_EPSILON: f64 = 1e-6;

/// The learning rate of optimiser step `step`, counted from 0: linear from 0 over the
/// warm-up steps, then to 0 at `steps` or constant. With a warm-up the first rate is 0.
pub fn rate(step: usize, settings: &Optimisation) -> f64 {
    let share = if step < settings.warmup_steps {
        step as f64 / settings.warmup_steps as f64
    } else {
        match settings.decay {
            Decay::Constant => 1.0,
            Decay::Linear => {
                let left = settings.steps.saturating_sub(step);
                left as f64 / settings.steps.saturating_sub(settings.warmup_steps).max(1) as f64
            }
        }
    };
    settings.learning_rate * share
}

/// AdamW's settings and state.
#[derive(Clone, Debug)]
pub struct AdamW {
    beta1: f64,
    beta2: f64,
    epsilon: f64,
    weight_decay: f64,
    decay_all: bool,
    clip_norm: f64,
    /// Updates done.
    updates: usize,
    /// By the parameter's path.
    moments: BTreeMap<String, Moments>,
}

/// Running sums of a parameter's gradient and of its square, flat. Both lack the factor
/// `1 - beta` of the textbook moments, which saves two passes per update.
#[derive(Clone, Debug)]
struct Moments {
    first: Tensor<1>,
    second: Tensor<1>,
}

impl AdamW {
    /// An optimiser that has seen nothing.
    pub fn new(settings: &Optimisation) -> Self {
        Self {
            beta1: settings.beta1,
            beta2: settings.beta2,
            epsilon: settings.epsilon,
            weight_decay: settings.weight_decay,
            decay_all: settings.decay_all,
            clip_norm: settings.clip_norm,
            updates: 0,
            moments: BTreeMap::new(),
        }
    }

    /// Updates done.
    pub fn updates(&self) -> usize {
        self.updates
    }

    /// One update with learning rate `rate`. `norm` is the norm of all gradients together;
    /// above the clipping norm they are scaled down. A parameter without a gradient stays
    /// as it is.
    ///
    /// ```text
    /// p *= 1 - rate * decay;  m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
    /// p -= rate / (1 - b1^t) * m / (sqrt(v) / sqrt(1 - b2^t) + epsilon)
    /// ```
    pub(super) fn update<M: Parameterised>(
        &mut self,
        model: M,
        gradients: GradientsParams,
        norm: f64,
        rate: f64,
    ) -> M {
        self.updates += 1;
        let clip = if self.clip_norm > 0.0 { (self.clip_norm / (norm + CLIP_EPSILON)).min(1.0) } else { 1.0 };
        let mut updater =
            Updater { factors: self.factors(rate), clip, gradients, path: Vec::new(), optimiser: self };
        model.map(&mut updater)
    }

    /// The constants of this update.
    fn factors(&self, rate: f64) -> Factors {
        let exponent = self.updates as f64;
        // sqrt(v) / sqrt(1 - b2^t) = spread * sqrt(second).
        let spread = ((1.0 - self.beta2) / (1.0 - self.beta2.powf(exponent))).sqrt();
        Factors {
            step: rate * (1.0 - self.beta1) / (1.0 - self.beta1.powf(exponent)) / spread,
            epsilon: self.epsilon / spread,
            keep: 1.0 - rate * self.weight_decay,
        }
    }

    /// The state for a checkpoint: `PATH.first` and `PATH.second` for each parameter, and
    /// the number of updates as [`Self::updates`].
    pub fn state(&self) -> HostTensors {
        let host = |tensor: &Tensor<1>| HostTensor {
            shape: tensor.dims().to_vec(),
            data: tensor.to_data().iter::<f32>().collect(),
        };
        let both = self.moments.iter().flat_map(|(path, moments)| {
            [
                (format!("{path}.first"), host(&moments.first)),
                (format!("{path}.second"), host(&moments.second)),
            ]
        });
        both.collect()
    }

    /// Takes up where [`Self::state`] was read, after `updates` updates.
    ///
    /// # Errors
    /// A first moment without its second.
    pub fn restore(
        &mut self,
        mut state: HostTensors,
        updates: usize,
        device: &Device,
    ) -> Result<(), ModelError> {
        let device = device.clone().without_autodiff();
        let tensor = |value: HostTensor| Tensor::from_data(TensorData::new(value.data, value.shape), &device);
        let paths: Vec<String> =
            state.keys().filter_map(|name| name.strip_suffix(".first")).map(str::to_owned).collect();
        let mut moments = BTreeMap::new();
        for path in paths {
            let name = format!("{path}.first");
            let other = format!("{path}.second");
            let taken = state.remove(&name).zip(state.remove(&other));
            let (first, second) = taken.ok_or(ModelError::Missing { name: other })?;
            moments.insert(path, Moments { first: tensor(first), second: tensor(second) });
        }
        self.updates = updates;
        self.moments = moments;
        Ok(())
    }
}

/// The constants of one update, the same for all parameters.
struct Factors {
    /// What the ratio of the running sums is multiplied by.
    step: f64,
    /// What is added to the root of the second running sum.
    epsilon: f64,
    /// What is left of a parameter after decay.
    keep: f64,
}

/// Visits the parameters and moves each.
struct Updater<'a> {
    factors: Factors,
    clip: f64,
    gradients: GradientsParams,
    path: Vec<String>,
    optimiser: &'a mut AdamW,
}

impl ModuleMapper for Updater<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(gradient) = self.gradients.remove::<D>(param.id) else { return param };
        let shape = gradient.shape();
        let count = shape.num_elements();
        let gradient: Tensor<1> = gradient.reshape([count]);
        let gradient = if self.clip < 1.0 { gradient * self.clip } else { gradient };
        // Matrices decay; biases and norms are vectors.
        let decays = D > 1 || self.optimiser.decay_all;
        param.map(|value| {
            let trainable = value.is_require_grad();
            let value: Tensor<1> = value.inner().reshape([count]);
            let value = if decays { value * self.factors.keep } else { value };
            let value = value - self.direction(gradient);
            Tensor::from_inner(value.reshape(shape)).set_require_grad(trainable)
        })
    }
}

impl Updater<'_> {
    /// Takes the gradient into the running sums; what the parameter moves by.
    fn direction(&mut self, gradient: Tensor<1>) -> Tensor<1> {
        let squared = gradient.clone() * gradient.clone();
        let (beta1, beta2) = (self.optimiser.beta1, self.optimiser.beta2);
        let moments = match self.optimiser.moments.remove(&self.path.join(".")) {
            Some(Moments { first, second }) => {
                Moments { first: first * beta1 + gradient, second: second * beta2 + squared }
            }
            None => Moments { first: gradient, second: squared },
        };
        let root = moments.second.clone().sqrt() + self.factors.epsilon;
        let direction = moments.first.clone() / root * self.factors.step;
        self.optimiser.moments.insert(self.path.join("."), moments);
        direction
    }
}

/// The square of the norm of all gradients of `model` together, `[1]`, on the device.
pub(super) fn squared_norm<M: Parameterised>(model: &M, gradients: &GradientsParams) -> Option<Tensor<1>> {
    let mut squares = Squares { gradients, sums: Vec::new() };
    model.visit(&mut squares);
    (!squares.sums.is_empty()).then(|| Tensor::cat(squares.sums, 0).sum())
}

/// Collects the sums of squares of gradients.
struct Squares<'a> {
    gradients: &'a GradientsParams,
    sums: Vec<Tensor<1>>,
}

impl ModuleVisitor for Squares<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            self.sums.push(gradient.square().sum());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(warmup_steps: usize, decay: Decay) -> Optimisation {
        Optimisation {
            steps: 10,
            batch_size: 1,
            micro_batch: 1,
            learning_rate: 2.0,
            warmup_steps,
            decay,
            weight_decay: 0.0,
            decay_all: false,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            clip_norm: 0.0,
        }
    }

    #[test]
    fn the_rate_rises_from_0_and_falls_to_0() {
        let check = |warmup, decay, expected: &[f64]| {
            for (step, expected) in expected.iter().enumerate() {
                let found = rate(step, &settings(warmup, decay)) / 2.0;
                assert!((found - expected).abs() < 1e-12, "step {step}: {found} instead of {expected}");
            }
        };
        let sixth = 1.0 / 6.0;
        let falling = [1.0, 5.0 * sixth, 4.0 * sixth, 0.5, 2.0 * sixth, sixth, 0.0, 0.0];
        check(4, Decay::Linear, &[&[0.0, 0.25, 0.5, 0.75][..], &falling].concat());
        check(4, Decay::Constant, &[0.0, 0.25, 0.5, 0.75, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
        check(0, Decay::Linear, &[1.0, 0.9, 0.8]);
        check(10, Decay::Linear, &[0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.0]);
    }
}
