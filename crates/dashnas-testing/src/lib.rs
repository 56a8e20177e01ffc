//! Test helpers that several crates share: a development dependency of those crates, which uses none of them.

use proptest::test_runner::Config;

/// The configuration of a property test on arbitrary bytes: as many cases as the environment variable
/// `DASHNAS_FUZZ_CASES` says, or `few`. Failing cases are not written to files.
pub fn cases(few: u32) -> Config {
    let cases = std::env::var("DASHNAS_FUZZ_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(few);
    Config { failure_persistence: None, ..Config::with_cases(cases) }
}
