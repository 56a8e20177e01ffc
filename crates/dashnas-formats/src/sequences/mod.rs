//! Sequences of letters, such as DNA and proteins: FASTA and FASTQ files, and one-hot arrays.

pub(crate) mod fasta;
pub(crate) mod onehot;
mod records;
