//! Tests of the Darcy flow data: the random field, the solver, the data set.

mod dataset;
mod field;
mod solver;
