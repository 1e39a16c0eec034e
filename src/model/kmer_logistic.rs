//! Logistic regression on k-mer counts: the floor every table should show.
//!
//! Plain double-precision slices, fitted to convergence by Newton's method with conjugate
//! gradients; no randomness, no tensors. The objective is scikit-learn's: the sum of the
//! cross-entropies plus `l2 / 2` times the squared weights, intercepts free, so `l2` is its
//! `1 / C`. Two classes share one weight vector; more have one each.

use super::ModelError;

/// Non-zero features of one sequence, by ascending index.
pub type SparseRow = Vec<(u32, f64)>;

/// Newton steps before giving up on further digits; a handful suffice.
const MOST_STEPS: usize = 100;

/// Conjugate-gradient steps for one Newton step.
const MOST_INNER_STEPS: usize = 500;

/// Fitted when no component of the gradient is larger than this per row.
const TOLERANCE: f64 = 1e-9;

/// The features of a sequence: `ln(1 + count)` of each of the `4^k` words over ACGT, scaled
/// to unit length, so that the penalty means the same at every sequence length. On GUE this
/// beats raw counts and frequencies at `l2 = 1`, whose MCC it also varies least with. Words
/// with another letter are passed over; case does not matter.
pub fn kmer_features(sequence: &[u8], k: u8) -> SparseRow {
    let k = usize::from(k);
    let mask = (1_u64 << (2 * k)) - 1;
    let (mut word, mut length) = (0_u64, 0);
    let mut words = Vec::with_capacity(sequence.len());
    for letter in sequence {
        let digit = match letter.to_ascii_uppercase() {
            b'A' => 0,
            b'C' => 1,
            b'G' => 2,
            b'T' => 3,
            _ => {
                length = 0;
                continue;
            }
        };
        word = ((word << 2) | digit) & mask;
        length += 1;
        if length >= k {
            words.push(word as u32);
        }
    }
    words.sort_unstable();
    let counts = words.chunk_by(|a, b| a == b);
    let mut row: SparseRow = counts.map(|equal| (equal[0], (equal.len() as f64).ln_1p())).collect();
    let norm = row.iter().map(|(_, value)| value * value).sum::<f64>().sqrt();
    for (_, value) in &mut row {
        *value /= norm;
    }
    row
}

/// A fitted model.
#[derive(Clone, Debug, PartialEq)]
pub struct KmerLogistic {
    classes: usize,
    /// Number of features.
    width: usize,
    /// For each output `width` weights and an intercept.
    parameters: Vec<f64>,
}

impl KmerLogistic {
    /// Fits `rows` of `width` features, with their labels below `classes`.
    ///
    /// # Errors
    /// No rows, fewer than two classes, labels or features out of range, a penalty that is
    /// not positive.
    pub fn fit(
        rows: &[SparseRow],
        labels: &[usize],
        width: usize,
        classes: usize,
        l2: f64,
    ) -> Result<Self, ModelError> {
        check(rows, labels, width, classes, l2)?;
        let problem = Problem { rows, labels, width, outputs: outputs(classes), l2 };
        Ok(Self { classes, width, parameters: problem.minimum() })
    }

    /// The probability of each class.
    pub fn scores(&self, row: &[(u32, f64)]) -> Vec<f64> {
        let outputs = outputs(self.classes);
        let mut scores = linear(&self.parameters, self.width, outputs, row);
        if outputs == 1 {
            scores.insert(0, 0.0);
        }
        softmax(&mut scores);
        scores
    }

    /// Number of parameters, intercepts included.
    pub fn parameter_count(&self) -> usize {
        self.parameters.len()
    }
}

fn check(
    rows: &[SparseRow],
    labels: &[usize],
    width: usize,
    classes: usize,
    l2: f64,
) -> Result<(), ModelError> {
    if rows.is_empty() {
        return Err(ModelError::NoRows);
    }
    if classes < 2 {
        return Err(ModelError::Count { what: "classes", found: classes, expected: 2 });
    }
    if labels.len() != rows.len() {
        return Err(ModelError::Count { what: "labels", found: labels.len(), expected: rows.len() });
    }
    if !(l2 > 0.0 && l2.is_finite()) {
        return Err(ModelError::Penalty(l2));
    }
    if let Some((row, &label)) = labels.iter().enumerate().find(|(_, label)| **label >= classes) {
        return Err(ModelError::Label { row, label, classes });
    }
    for (row, features) in rows.iter().enumerate() {
        if let Some(&(feature, _)) = features.iter().find(|(feature, _)| *feature as usize >= width) {
            return Err(ModelError::Feature { row, feature, width });
        }
    }
    Ok(())
}

/// Linear scores that are fitted: with two classes the first one's is 0.
fn outputs(classes: usize) -> usize {
    if classes == 2 { 1 } else { classes }
}

/// `w . x + b` of each output.
fn linear(parameters: &[f64], width: usize, outputs: usize, row: &[(u32, f64)]) -> Vec<f64> {
    let of = |output: &[f64]| row.iter().map(|(i, x)| output[*i as usize] * x).sum::<f64>() + output[width];
    let scores: Vec<f64> = parameters.chunks_exact(width + 1).map(of).collect();
    debug_assert_eq!(scores.len(), outputs);
    scores
}

/// Turns scores into probabilities; gives the logarithm of the sum of their exponentials.
fn softmax(scores: &mut [f64]) -> f64 {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    for score in &mut *scores {
        *score = (*score - largest).exp();
    }
    let sum: f64 = scores.iter().sum();
    for score in &mut *scores {
        *score /= sum;
    }
    largest + sum.ln()
}

/// A convex function of the parameters.
struct Problem<'a> {
    rows: &'a [SparseRow],
    labels: &'a [usize],
    width: usize,
    outputs: usize,
    l2: f64,
}

/// What is known of the function at one point.
struct Point {
    value: f64,
    gradient: Vec<f64>,
    /// The probabilities of the outputs' classes, row by row.
    probabilities: Vec<f64>,
}

impl Problem<'_> {
    fn minimum(&self) -> Vec<f64> {
        let mut parameters = vec![0.0; self.outputs * (self.width + 1)];
        let mut point = self.at(&parameters);
        for _ in 0..MOST_STEPS {
            let steepest = point.gradient.iter().fold(0.0, |most: f64, slope| most.max(slope.abs()));
            if steepest <= TOLERANCE * self.rows.len() as f64 {
                break;
            }
            let direction = self.newton_direction(&point);
            let Some(next) = self.descend(&parameters, &point, &direction) else { break };
            (parameters, point) = next;
        }
        parameters
    }

    /// Value, gradient and probabilities at `parameters`.
    fn at(&self, parameters: &[f64]) -> Point {
        let mut value = 0.0;
        let mut gradient = vec![0.0; parameters.len()];
        let mut probabilities = Vec::with_capacity(self.rows.len() * self.outputs);
        for (row, &label) in self.rows.iter().zip(self.labels) {
            let mut scores = linear(parameters, self.width, self.outputs, row);
            if self.outputs == 1 {
                scores.insert(0, 0.0);
            }
            let score = scores[label];
            value += softmax(&mut scores) - score;
            scores[label] -= 1.0;
            let first = scores.len() - self.outputs;
            self.add_row(&mut gradient, row, &scores[first..]);
            scores[label] += 1.0;
            probabilities.extend_from_slice(&scores[first..]);
        }
        for (parameter, slope) in self.weights(parameters).zip(self.weights_mut(&mut gradient)) {
            value += 0.5 * self.l2 * parameter * parameter;
            *slope += self.l2 * parameter;
        }
        Point { value, gradient, probabilities }
    }

    /// The Hessian at `point` times `vector`.
    fn curvature(&self, point: &Point, vector: &[f64]) -> Vec<f64> {
        let mut product = vec![0.0; vector.len()];
        for (row, shares) in self.rows.iter().zip(point.probabilities.chunks_exact(self.outputs)) {
            let mut along = linear(vector, self.width, self.outputs, row);
            let mean: f64 = along.iter().zip(shares).map(|(a, p)| a * p).sum();
            along.iter_mut().zip(shares).for_each(|(a, p)| *a = p * (*a - mean));
            self.add_row(&mut product, row, &along);
        }
        for (component, total) in self.weights(vector).zip(self.weights_mut(&mut product)) {
            *total += self.l2 * component;
        }
        product
    }

    /// Adds `factors[output] * (row, 1)` to each output's part of `total`.
    fn add_row(&self, total: &mut [f64], row: &[(u32, f64)], factors: &[f64]) {
        for (output, factor) in total.chunks_exact_mut(self.width + 1).zip(factors) {
            for (i, x) in row {
                output[*i as usize] += factor * x;
            }
            output[self.width] += factor;
        }
    }

    /// Conjugate gradients on `H d = -g`, stopped early far from the minimum.
    fn newton_direction(&self, point: &Point) -> Vec<f64> {
        let mut direction = vec![0.0; point.gradient.len()];
        let mut residual: Vec<f64> = point.gradient.iter().map(|slope| -slope).collect();
        let mut search = residual.clone();
        let mut squared = dot(&residual, &residual);
        let enough = squared * squared.sqrt().min(0.25);
        for _ in 0..MOST_INNER_STEPS {
            let bent = self.curvature(point, &search);
            let bend = dot(&search, &bent);
            if squared <= enough || bend <= 0.0 {
                break;
            }
            let length = squared / bend;
            add(&mut direction, length, &search);
            add(&mut residual, -length, &bent);
            let next = dot(&residual, &residual);
            let keep = next / squared;
            search.iter_mut().zip(&residual).for_each(|(s, r)| *s = keep * *s + r);
            squared = next;
        }
        direction
    }

    /// The longest of the steps 1, 1/2, 1/4, ... along `direction` that lowers the value
    /// enough (Armijo); none where rounding leaves no lower value.
    fn descend(&self, parameters: &[f64], point: &Point, direction: &[f64]) -> Option<(Vec<f64>, Point)> {
        let slope = dot(&point.gradient, direction);
        let lengths = std::iter::successors(Some(1.0), |length| Some(length * 0.5));
        lengths.take(50).find_map(|length| {
            let mut next = parameters.to_vec();
            add(&mut next, length, direction);
            let at = self.at(&next);
            (at.value < point.value + 1e-4 * length * slope).then_some((next, at))
        })
    }

    /// The penalised ones of the parameters.
    fn weights<'v>(&self, parameters: &'v [f64]) -> impl Iterator<Item = &'v f64> {
        let width = self.width;
        parameters.chunks_exact(width + 1).flat_map(move |output| &output[..width])
    }

    fn weights_mut<'v>(&self, parameters: &'v mut [f64]) -> impl Iterator<Item = &'v mut f64> {
        let width = self.width;
        parameters.chunks_exact_mut(width + 1).flat_map(move |output| &mut output[..width])
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// `total += factor * other`.
fn add(total: &mut [f64], factor: f64, other: &[f64]) {
    total.iter_mut().zip(other).for_each(|(total, other)| *total += factor * other);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Twelve rows of five small integers.
    fn rows() -> Vec<SparseRow> {
        let value = |i: u32, j: u32| if (i + j).is_multiple_of(3) { 0 } else { (7 * i + 3 * j + i * j) % 5 };
        let row = |i| (0..5).map(|j| (j, f64::from(value(i, j)))).filter(|(_, x)| *x != 0.0).collect();
        (0..12).map(row).collect()
    }

    const TWO: [usize; 12] = [1, 0, 1, 1, 0, 1, 0, 1, 1, 0, 1, 0];
    const THREE: [usize; 12] = [0, 2, 0, 0, 1, 0, 0, 2, 2, 0, 2, 0];

    /// `LogisticRegression(C=1/l2, tol=1e-12, solver="newton-cg")` of scikit-learn 1.9 on
    /// these rows: `predict_proba` of rows 0, 5 and 11. Its own two solvers agree to 1e-7.
    #[test]
    fn probabilities_are_those_of_scikit_learn() {
        let two = [
            [0.143_716_409_806_061_7, 0.856_283_590_193_938_3],
            [0.303_865_950_579_587_65, 0.696_134_049_420_412_3],
            [0.795_290_825_835_370_1, 0.204_709_174_164_629_8],
        ];
        let three = [
            [0.883_064_046_830_360_2, 0.008_401_648_521_962_596, 0.108_534_304_647_677_06],
            [0.641_481_367_362_905_3, 0.065_072_896_160_014, 0.293_445_736_477_080_4],
            [0.608_556_322_575_355_3, 0.213_697_780_353_898_66, 0.177_745_897_070_746],
        ];
        let rows = rows();
        let check = |labels: &[usize], classes, l2, expected: &[&[f64]]| {
            let model = KmerLogistic::fit(&rows, labels, 5, classes, l2).expect("a fit");
            for (row, expected) in [0, 5, 11].into_iter().zip(expected) {
                for (found, expected) in model.scores(&rows[row]).iter().zip(*expected) {
                    assert!((found - expected).abs() < 3e-7, "row {row}: {found} instead of {expected}");
                }
            }
        };
        check(&TWO, 2, 0.5, &two.each_ref().map(|row| &row[..]));
        check(&THREE, 3, 2.0, &three.each_ref().map(|row| &row[..]));
    }

    #[test]
    fn gradient_and_curvature_are_those_of_the_value() {
        for (labels, outputs) in [(&TWO, 1), (&THREE, 3)] {
            let problem = Problem { rows: &rows(), labels, width: 5, outputs, l2: 0.7 };
            let parameters: Vec<f64> = (0..outputs * 6).map(|i| (i as f64 * 1.3).sin() * 0.4).collect();
            let point = problem.at(&parameters);
            let h = 1e-5;
            for i in 0..parameters.len() {
                let moved = |by: f64| {
                    let mut moved = parameters.clone();
                    moved[i] += by;
                    problem.at(&moved)
                };
                let slope = (moved(h).value - moved(-h).value) / (2.0 * h);
                assert!((slope - point.gradient[i]).abs() < 1e-7, "{outputs} outputs, parameter {i}");
                let mut unit = vec![0.0; parameters.len()];
                unit[i] = 1.0;
                let (after, before) = (moved(h).gradient, moved(-h).gradient);
                for (j, found) in problem.curvature(&point, &unit).into_iter().enumerate() {
                    let expected = (after[j] - before[j]) / (2.0 * h);
                    assert!((found - expected).abs() < 1e-7, "{outputs} outputs, parameters {i}, {j}");
                }
            }
        }
    }

    #[test]
    fn the_minimum_has_no_slope_even_where_classes_are_separable() {
        let rows: Vec<SparseRow> = (0..40).map(|i| vec![(i % 4, 1.0), (4, 0.1 * f64::from(i))]).collect();
        let labels: Vec<usize> = (0..40).map(|i| (i % 4) as usize).collect();
        let model = KmerLogistic::fit(&rows, &labels, 5, 4, 1e-4).expect("a fit");
        let problem = Problem { rows: &rows, labels: &labels, width: 5, outputs: 4, l2: 1e-4 };
        let point = problem.at(&model.parameters);
        assert!(point.gradient.iter().all(|slope| slope.abs() <= 40.0 * TOLERANCE), "{:?}", point.gradient);
        assert!(rows.iter().zip(&labels).all(|(row, label)| model.scores(row)[*label] > 0.9));
        assert_eq!(model, KmerLogistic::fit(&rows, &labels, 5, 4, 1e-4).expect("a fit"));
    }

    #[test]
    fn features_count_words_and_have_unit_length() {
        // AC twice, CA once; `N` breaks the word.
        let row = kmer_features(b"acAcNa", 2);
        assert_eq!(row.iter().map(|(word, _)| *word).collect::<Vec<_>>(), [1, 4]);
        assert!((row[0].1 / row[1].1 - 3.0_f64.ln() / 2.0_f64.ln()).abs() < 1e-12);
        assert!((row[0].1.hypot(row[1].1) - 1.0).abs() < 1e-12);
        assert_eq!(kmer_features(b"AC", 3), []);
    }

    #[test]
    fn what_cannot_be_fitted_is_an_error() {
        let rows = rows();
        assert!(KmerLogistic::fit(&[], &[], 5, 2, 1.0).is_err());
        assert!(KmerLogistic::fit(&rows, &TWO[1..], 5, 2, 1.0).is_err());
        assert!(KmerLogistic::fit(&rows, &THREE, 5, 2, 1.0).is_err());
        assert!(KmerLogistic::fit(&rows, &TWO, 4, 2, 1.0).is_err());
        assert!(KmerLogistic::fit(&rows, &TWO, 5, 1, 1.0).is_err());
        assert!(KmerLogistic::fit(&rows, &TWO, 5, 2, 0.0).is_err());
        assert!(KmerLogistic::fit(&rows, &TWO, 5, 2, f64::NAN).is_err());
    }
}
