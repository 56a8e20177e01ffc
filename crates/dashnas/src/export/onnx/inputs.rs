//! What is done to the inputs before they are normalized, as nodes.

use super::Writer;
use super::graph::int;
use crate::artefact::ModelCard;
use crate::export::ExportError;
use crate::transform::{self, Transform};

impl Writer<'_> {
    /// The transforms of a model.
    pub fn transforms(&mut self, card: &ModelCard, mut x: String) -> Result<String, ExportError> {
        let mut shape = card.read_as.clone();
        for &transform in &card.transforms {
            x = match transform {
                Transform::StandardizeSamples => self.standardize(&x),
                Transform::Flatten => self.reshape(&x, "points", &[0, 0, -1]),
                Transform::Permute => self.permute(x, &shape[1..]),
                Transform::Spherical => return Err(ExportError::Transform { transform: transform.name() }),
            };
            shape = transform::shape(shape, &[transform]);
        }
        Ok(x)
    }

    /// Each channel of each sample to mean 0 and deviation 1 over its own points, as [`transform::standardize`] does
    /// in double precision. In single precision the mean is off by its rounding; taking the mean of what is left
    /// once more makes up for that, so that a constant channel becomes 0 here too.
    fn standardize(&mut self, x: &str) -> String {
        let mean = self.mean(x);
        let around = self.graph.node("Sub", &[x, &mean], Vec::new());
        let rest = self.mean(&around);
        let centred = self.graph.node("Sub", &[&around, &rest], Vec::new());
        let squares = self.graph.node("Mul", &[&centred, &centred], Vec::new());
        let variance = self.mean(&squares);
        let deviation = self.graph.node("Sqrt", &[&variance], Vec::new());
        let size = self.graph.node("Abs", &[&mean], Vec::new());
        let rounding = self.scalar("standardize_rounding", 1e-7);
        let least = self.scalar("standardize_least", f32::MIN_POSITIVE);
        let one = self.scalar("standardize_one", 1.0);
        let limit = self.graph.node("Mul", &[&size, &rounding], Vec::new());
        let limit = self.graph.node("Add", &[&limit, &least], Vec::new());
        let varies = self.graph.node("Greater", &[&deviation, &limit], Vec::new());
        let scale = self.graph.node("Where", &[&varies, &deviation, &one], Vec::new());
        self.graph.node("Div", &[&centred, &scale], Vec::new())
    }

    fn mean(&mut self, x: &str) -> String {
        self.graph.node("GlobalAveragePool", &[x], Vec::new())
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

    /// The points in their fixed order, in images row after row.
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
