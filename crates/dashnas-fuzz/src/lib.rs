//! Every reader of dashnas fed with files that are damaged, cut off, glued together or made up. This crate has tests
//! only: `cargo test --release -p dashnas-fuzz`.
//!
//! Whatever the bytes are, a reader has to return: without a panic, without an endless loop, and with at most 256 MiB
//! of memory.
//!
//! Files are made by a few changes from those in `corpus/READER`. A file to which a reader gives a new answer joins
//! them until the end of the run: the answer stands for the path that was taken through the code. An ordinary run reads
//! the whole corpus, first the files that once revealed a defect (`found-…`), and then the same few made files each
//! time. These environment variables change that:
//!
//! | variable | effect |
//! |---|---|
//! | `DASHNAS_FUZZ_SECONDS` | fuzz each reader for this many seconds, with a new seed each time |
//! | `DASHNAS_FUZZ_CASES` | make this many files |
//! | `DASHNAS_FUZZ_SEED` | use this seed |
//! | `DASHNAS_FUZZ_KEEP` | write one file for each kind of answer to this folder |
//!
//! A file that reveals a defect is added to the corpus. A new reader needs a line in `tests/fuzz/targets.rs` and a few
//! small files in the corpus, which `corpus/make.py` generates.
