//! Tensors on the host: what checkpoints hold and what parameters start from.
//!
//! Plain `f32` values in row-major order. This file knows neither devices nor models.

use std::collections::BTreeMap;

/// Tensors by name, in the order of their names.
pub type HostTensors = BTreeMap<String, HostTensor>;

/// A tensor on the host.
#[derive(Clone, Debug, PartialEq)]
pub struct HostTensor {
    /// Length of each axis.
    pub shape: Vec<usize>,
    /// The values, the last axis fastest.
    pub data: Vec<f32>,
}

impl HostTensor {
    /// The rows `first..first + count` of the first axis.
    pub(super) fn rows(&self, first: usize, count: usize) -> Self {
        let width: usize = self.shape[1..].iter().product();
        let mut shape = self.shape.clone();
        shape[0] = count;
        Self { shape, data: self.data[first * width..(first + count) * width].to_vec() }
    }

    /// The transpose of a matrix; anything else is returned as it is.
    pub(super) fn transposed(self) -> Self {
        let [rows, columns] = self.shape[..] else { return self };
        let mut data = Vec::with_capacity(self.data.len());
        for column in 0..columns {
            data.extend(self.data.iter().skip(column).step_by(columns).copied());
        }
        debug_assert_eq!(data.len(), rows * columns);
        Self { shape: vec![columns, rows], data }
    }

    /// `other` appended along the first axis; the other axes agree.
    pub(super) fn append(&mut self, other: &Self) {
        self.shape[0] += other.shape[0];
        self.data.extend_from_slice(&other.data);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_is_cut_transposed_and_put_together() {
        let matrix = HostTensor { shape: vec![2, 3], data: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0] };
        let transposed = matrix.clone().transposed();
        assert_eq!(transposed, HostTensor { shape: vec![3, 2], data: vec![1.0, 4.0, 2.0, 5.0, 3.0, 6.0] });
        let mut first = matrix.rows(0, 1);
        first.append(&matrix.rows(1, 1));
        assert_eq!(first, matrix);
        let vector = HostTensor { shape: vec![2], data: vec![1.0, 2.0] };
        assert_eq!(vector.clone().transposed(), vector);
    }
}
