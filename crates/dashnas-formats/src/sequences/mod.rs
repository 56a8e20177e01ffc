//! Sequences of letters, such as DNA and proteins: FASTA files, and one-hot arrays.

pub(crate) mod fasta;
pub(crate) mod onehot;
