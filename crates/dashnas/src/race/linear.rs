//! Small dense linear algebra: the Cholesky factor of a symmetric positive definite matrix.

/// The lower triangular factor L of A = L·Lᵀ, row by row up to the diagonal.
#[derive(Debug, Clone)]
pub(super) struct Cholesky {
    rows: Vec<Vec<f64>>,
}

impl Cholesky {
    /// Factors a symmetric matrix. A pivot that rounding makes negative is raised to a small positive number.
    pub fn new(matrix: &[Vec<f64>]) -> Self {
        let mut rows: Vec<Vec<f64>> = Vec::with_capacity(matrix.len());
        for (i, given) in matrix.iter().enumerate() {
            let mut row: Vec<f64> = Vec::with_capacity(i + 1);
            for (above, &value) in rows.iter().zip(given) {
                let j = row.len();
                row.push((value - dot(&row, &above[..j])) / above[j]);
            }
            row.push((given[i] - dot(&row, &row)).max(1e-12).sqrt());
            rows.push(row);
        }
        Self { rows }
    }

    /// Returns L·v.
    pub fn times(&self, v: &[f64]) -> Vec<f64> {
        self.rows.iter().map(|row| dot(row, v)).collect()
    }

    /// Solves L·x = b.
    pub fn forward(&self, b: &[f64]) -> Vec<f64> {
        let mut x: Vec<f64> = Vec::with_capacity(b.len());
        for (i, row) in self.rows.iter().enumerate() {
            x.push((b[i] - dot(&row[..i], &x)) / row[i]);
        }
        x
    }

    /// Solves A·x = b.
    pub fn solve(&self, b: &[f64]) -> Vec<f64> {
        let mut x = self.forward(b);
        for i in (0..x.len()).rev() {
            let after: f64 = (i + 1..x.len()).map(|k| self.rows[k][i] * x[k]).sum();
            x[i] = (x[i] - after) / self.rows[i][i];
        }
        x
    }
}

/// Returns the inner product of two vectors.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factor_solves_its_system() {
        let a = vec![vec![4.0, 2.0, 0.6], vec![2.0, 5.0, 1.0], vec![0.6, 1.0, 3.0]];
        let factor = Cholesky::new(&a);
        let x = factor.solve(&[1.0, -2.0, 0.5]);
        for (row, b) in a.iter().zip([1.0, -2.0, 0.5]) {
            assert!((dot(row, &x) - b).abs() < 1e-12);
        }
        // L·Lᵀ·e is A·e.
        let e = [1.0, 0.0, 0.0];
        let lower: Vec<Vec<f64>> = (0..3).map(|i| factor.times(&unit(i))).collect();
        let product: Vec<f64> = (0..3).map(|i| (0..3).map(|k| lower[k][i] * lower[k][0]).sum()).collect();
        assert!(product.iter().zip(&a).all(|(p, row)| (p - dot(row, &e)).abs() < 1e-12));
    }

    fn unit(i: usize) -> [f64; 3] {
        let mut e = [0.0; 3];
        e[i] = 1.0;
        e
    }
}
