//! Elementwise functions on host slices, in a form that compilers turn into vector
//! instructions: no calls, no branches. burn's CPU backend calls the C library once per
//! value.
//!
//! Only slices go in and out; which device they came from is not known here.

/// `1.5 * 2^23`: adding it to a small float leaves the nearest integer in its low bits.
const ROUND: f32 = 12_582_912.0;

/// Below this, `exp` is taken to be what it is here: some 1e-38.
const SMALLEST_EXPONENT: f32 = -87.0;

/// `exp(x)` for `x <= 0`, to 1e-7 of its value; Cephes' polynomial.
#[inline]
fn exponential(x: f32) -> f32 {
    const LOG2_E: f32 = std::f32::consts::LOG2_E;
    // ln 2 in two parts, the first of few bits, so that the reduction is exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    let x = if x < SMALLEST_EXPONENT { SMALLEST_EXPONENT } else { x };
    let rounded = x * LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = x - n * LN_2[0] - n * LN_2[1];
    let mut sum = 1.987_569_1e-4;
    for coefficient in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_65, 0.5] {
        sum = sum * r + coefficient;
    }
    let fraction = sum * r * r + r + 1.0;
    // Times 2^n, by adding n to the exponent's bits.
    f32::from_bits(fraction.to_bits().wrapping_add(rounded.to_bits() << 23))
}

/// The normal distribution at `x`: up to `x`, and the density without its constant.
#[inline]
fn normal(x: f32) -> (f32, f32) {
    /// Of the polynomial in `t = 1 / (1 + P z)` that, times `t exp(-z^2)`, is `erfc(z)`;
    /// fitted for a relative error of 2e-8 on `[0, 9]`, highest power first.
    const TAIL: [f32; 9] = [
        0.059_561_193,
        -0.265_134_87,
        0.369_670_57,
        -0.167_986_35,
        0.234_437_96,
        0.136_818_07,
        0.204_361_13,
        0.213_857_89,
        0.214_414_42,
    ];
    const P: f32 = 0.38;
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + P * z);
    let mut sum = TAIL[0];
    for coefficient in &TAIL[1..] {
        sum = sum * t + coefficient;
    }
    let density = exponential(-(z * z));
    let tail = 0.5 * sum * t * density;
    (if x < 0.0 { tail } else { 1.0 - tail }, density)
}

/// `1 / sqrt(2 pi)`.
const DENSITY: f32 = 0.398_942_3;

/// Turns each value into its GELU (models.md 1.2).
pub(super) fn gelu(values: &mut [f32]) {
    for x in values {
        *x *= normal(*x).0;
    }
}

/// Turns each value into the slope of GELU's tangent there, and gives where the tangents
/// meet the axis at 0: `gelu(x) = slope * x + intercept`.
pub(super) fn gelu_tangents(values: &mut [f32]) -> Vec<f32> {
    let mut intercepts = vec![0.0; values.len()];
    for (x, intercept) in values.iter_mut().zip(&mut intercepts) {
        let (below, density) = normal(*x);
        let steep = *x * density * DENSITY;
        *intercept = -(*x * steep);
        *x = below + steep;
    }
    intercepts
}

/// Turns each row of `width` values into `exp(x - max)`.
pub(super) fn exponentials(values: &mut [f32], width: usize) {
    for row in values.chunks_exact_mut(width) {
        let largest = largest(row);
        for x in row {
            *x = exponential(*x - largest);
        }
    }
}

/// Turns each row of `width` values into its softmax.
pub(super) fn softmax(values: &mut [f32], width: usize) {
    exponentials(values, width);
    for row in values.chunks_exact_mut(width) {
        let scale = 1.0 / sum(row);
        for x in row {
            *x *= scale;
        }
    }
}

/// Lanes of the reductions: more than any vector unit needs, few enough for short rows.
const LANES: usize = 16;

fn largest(row: &[f32]) -> f32 {
    let (chunks, rest) = row.as_chunks::<LANES>();
    let mut lanes = [f32::NEG_INFINITY; LANES];
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane = if *x > *lane { *x } else { *lane };
        }
    }
    lanes.iter().chain(rest).copied().fold(f32::NEG_INFINITY, f32::max)
}

fn sum(row: &[f32]) -> f32 {
    let (chunks, rest) = row.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += x;
        }
    }
    lanes.iter().chain(rest).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The normal distribution up to `x`, by its series, in double precision.
    fn below(x: f64) -> f64 {
        let (mut term, mut sum) = (x, x);
        for k in 1..200 {
            term *= x * x / f64::from(2 * k + 1);
            sum += term;
        }
        0.5 + sum * (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt()
    }

    fn grid() -> Vec<f32> {
        (-600..=600).map(|i| i as f32 / 100.0).collect()
    }

    #[test]
    fn gelu_and_its_tangents_are_right_to_single_precision() {
        let (mut curve, mut slopes) = (grid(), grid());
        gelu(&mut curve);
        let intercepts = gelu_tangents(&mut slopes);
        for (i, x) in grid().into_iter().enumerate() {
            let (y, slope, tangent) = (curve[i], slopes[i], slopes[i] * x + intercepts[i]);
            let wide = f64::from(x);
            let density = (-0.5 * wide * wide).exp() / std::f64::consts::TAU.sqrt();
            let bound = 2.5e-7 * wide.abs().max(1.0);
            assert!((f64::from(y) - wide * below(wide)).abs() < bound, "gelu({x}) = {y}");
            assert!(
                (f64::from(slope) - (below(wide) + wide * density)).abs() < 3e-7,
                "slope at {x}: {slope}"
            );
            assert!((f64::from(tangent) - f64::from(y)).abs() < bound, "tangent at {x}: {tangent}");
        }
        let mut far = [-50.0, 50.0, f32::NAN];
        gelu(&mut far);
        assert!(far[0].abs() < 1e-37 && far[1] == 50.0, "{far:?}");
        assert!(far[2].is_nan());
    }

    #[test]
    fn exponentials_are_right_to_single_precision() {
        // One row of every length around the number of lanes, masked keys among them.
        for width in 1..40 {
            let row: Vec<f32> =
                (0..width).map(|i| 3.0 - 0.91 * i as f32 - f32::from(i % 7 == 3) * 10_000.0).collect();
            let mut weights = row.clone();
            exponentials(&mut weights, width);
            let mut shares = row.clone();
            softmax(&mut shares, width);
            let exact: Vec<f64> = row.iter().map(|x| (f64::from(*x) - 3.0).exp()).collect();
            let total: f64 = exact.iter().sum();
            for ((weight, share), exact) in weights.iter().zip(&shares).zip(exact) {
                let relative = 2e-7 * exact + 1e-37;
                assert!((f64::from(*weight) - exact).abs() < relative, "{weight} {exact}");
                assert!(
                    (f64::from(*share) - exact / total).abs() < 2.0 * relative,
                    "{share} {}",
                    exact / total
                );
            }
        }
        let mut rows = [1.0, 1.0, 0.0, f32::NAN];
        softmax(&mut rows, 2);
        assert_eq!(rows[..2], [0.5, 0.5]);
        assert!(rows[3].is_nan(), "{rows:?}");
    }
}
