//! What the tests of the command share.

/// Settings under which a run takes moments.
const SMALL: [(&str, &str); 12] = [
    ("space.kernel-sizes", "[3, 5]"),
    ("space.dilations", "[1]"),
    ("search.epochs", "1"),
    ("search.min-steps", "0"),
    ("search.max-steps", "2"),
    ("tune.epochs", "1"),
    ("tune.min-steps", "0"),
    ("tune.max-steps", "2"),
    ("tune.learning-rates", "[0.1]"),
    ("retrain.epochs", "1"),
    ("retrain.min-steps", "0"),
    ("retrain.max-steps", "2"),
];

/// A configuration file of them, with others over them.
pub fn settings(over: &[(&str, &str)]) -> String {
    let given = |key: &str| over.iter().any(|&(other, _)| other == key);
    let small = SMALL.iter().filter(|(key, _)| !given(key));
    let lines = small.chain(over).map(|(key, value)| format!("{key} = {value}\n"));
    format!("preset = \"quick\"\n{}", lines.collect::<String>())
}
