//! The transforms of the inputs as nodes.

use crate::artifact::card::ModelCard;
use crate::error::ExportError;
use crate::export::onnx::graph::int;
use crate::export::onnx::proto::{DOUBLE, FLOAT};
use crate::export::onnx::writer::Writer;
use dashnas_data::transform;
use dashnas_data::transform::kind::Transform;

impl Writer<'_> {
    /// Adds the transforms of a model, and returns the name of the transformed inputs.
    pub(super) fn transforms(&mut self, card: &ModelCard, mut x: String) -> Result<String, ExportError> {
        let mut shape = card.read_as.clone();
        for &transform in &card.transforms {
            x = match transform {
                Transform::StandardizeSamples => self.standardize(&x, card.graph.is_masked()),
                Transform::Flatten => self.reshape(&x, "points", &[0, 0, -1]),
                Transform::Permute => self.permute(x, &shape[1..]),
                Transform::Spherical => return Err(ExportError::Transform { transform: transform.name() }),
            };
            shape = transform::shape(shape, &[transform]);
        }
        Ok(x)
    }

    /// Subtracts a number from each channel of inputs with so many axes in double precision, and makes single precision of
    /// the differences.
    pub(super) fn less(&mut self, x: &str, centers: &[f64], axes: usize) -> String {
        let shape = [&[1, centers.len()][..], &vec![1; axes - 1]].concat();
        let centers = self.graph.doubles("input_center", &shape, centers);
        let less = self.graph.node("Sub", &[x, &centers], Vec::new());
        self.graph.node("Cast", &[&less], vec![int("to", i64::from(FLOAT))])
    }

    /// Adds a number to each output in double precision.
    pub(super) fn plus(&mut self, x: &str, centers: &[f64]) -> String {
        let centers = self.graph.doubles("output_center", &[1, centers.len()], centers);
        let double = self.graph.node("Cast", &[x], vec![int("to", i64::from(DOUBLE))]);
        self.graph.node("Add", &[&double, &centers], Vec::new())
    }

    /// Standardizes each channel of each sample to mean 0 and deviation 1 over its points, as the transform of
    /// `dashnas-data` does in double precision. In single precision the mean has a rounding error; subtracting the mean
    /// of the differences once more corrects it, so that a constant channel becomes 0 here as well.
    fn standardize(&mut self, x: &str, masked: bool) -> String {
        let x = if masked { &self.masks.cut_off(&mut self.graph, x) } else { x };
        let mean = self.mean(x, masked);
        let around = self.around(x, &mean, masked);
        let rest = self.mean(&around, masked);
        let centered = self.around(&around, &rest, masked);
        let squares = self.graph.node("Mul", &[&centered, &centered], Vec::new());
        let variance = self.mean(&squares, masked);
        let deviation = self.graph.node("Sqrt", &[&variance], Vec::new());
        let size = self.graph.node("Abs", &[&mean], Vec::new());
        let rounding = self.scalar("standardize_rounding", 1e-7);
        let least = self.scalar("standardize_least", f32::MIN_POSITIVE);
        let one = self.scalar("standardize_one", 1.0);
        let limit = self.graph.node("Mul", &[&size, &rounding], Vec::new());
        let limit = self.graph.node("Add", &[&limit, &least], Vec::new());
        let varies = self.graph.node("Greater", &[&deviation, &limit], Vec::new());
        let scale = self.graph.node("Where", &[&varies, &deviation, &one], Vec::new());
        self.graph.node("Div", &[&centered, &scale], Vec::new())
    }

    /// Adds the mean over the positions, or with a mask over those before the ends of a value that is zero after them.
    fn mean(&mut self, x: &str, masked: bool) -> String {
        if masked {
            self.masks.mean(&mut self.graph, x, 1)
        } else {
            self.graph.node("GlobalAveragePool", &[x], Vec::new())
        }
    }

    /// Subtracts a mean; with a mask, the result is zero after the ends.
    fn around(&mut self, x: &str, mean: &str, masked: bool) -> String {
        let around = self.graph.node("Sub", &[x, mean], Vec::new());
        if masked { self.masks.cleared(&mut self.graph, &around, 1) } else { around }
    }

    fn scalar(&mut self, name: &str, value: f32) -> String {
        let name = self.graph.free(name);
        self.graph.tensor(&name, &[1], &[value])
    }

    fn reshape(&mut self, x: &str, name: &str, shape: &[i64]) -> String {
        let name = self.graph.free(name);
        let shape = self.graph.integers(&name, shape);
        self.graph.node("Reshape", &[x, &shape], Vec::new())
    }

    /// Reorders the positions by the fixed permutation; images are numbered row by row.
    fn permute(&mut self, x: String, spatial: &[usize]) -> String {
        let order: Vec<i64> = transform::order(spatial.iter().product()).iter().map(|&i| i as i64).collect();
        let name = self.graph.free("order");
        let order = self.graph.integers(&name, &order);
        let along = |writer: &mut Self, x: &str| writer.graph.node("Gather", &[x, &order], vec![int("axis", 2)]);
        match spatial {
            &[h, w] => {
                let line = self.reshape(&x, "line", &[0, 0, -1]);
                let line = along(self, &line);
                self.reshape(&line, "image", &[0, 0, h as i64, w as i64])
            }
            _ => along(self, &x),
        }
    }
}
