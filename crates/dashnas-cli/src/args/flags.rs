//! The options that stand for keys of the configuration.

/// Each key that has an option of its own, with the option.
pub const FLAGS: [(&str, &str); 49] = [
    ("seed", "--seed"),
    ("tensorboard", "--tensorboard"),
    ("space.kernel-sizes", "--kernel-sizes"),
    ("space.dilations", "--dilations"),
    ("backbone.name", "--backbone"),
    ("task.kind", "--task"),
    ("task.loss", "--loss"),
    ("task.metric", "--metric"),
    ("task.data-dir", "--data-dir"),
    ("task.transforms", "--transform"),
    ("task.train-samples", "--train-samples"),
    ("baseline.enabled", "--no-baseline"),
    ("tune.enabled", "--no-tune"),
    ("tune.tuner", "--tuner"),
    ("budget.time-limit", "--time-limit"),
    ("budget.use-all-the-time", "--use-all-the-time"),
    ("budget.memory-limit", "--memory-limit"),
    ("budget.max-params", "--max-params"),
    ("budget.max-latency", "--max-latency"),
    ("data.inputs", "--inputs"),
    ("data.targets", "--targets"),
    ("data.group", "--group"),
    ("data.recording", "--recording"),
    ("data.split", "--split"),
    ("data.weight", "--weight"),
    ("data.time", "--time"),
    ("data.ignore", "--ignore"),
    ("data.decimal", "--decimal"),
    ("data.header", "--header"),
    ("data.layout", "--layout"),
    ("data.channels", "--channels"),
    ("data.resize", "--resize"),
    ("data.fill-missing", "--fill-missing"),
    ("data.lengths", "--lengths"),
    ("data.length", "--length"),
    ("data.window", "--window"),
    ("data.stride", "--stride"),
    ("data.window-label", "--window-label"),
    ("data.alphabet", "--alphabet"),
    ("data.audio-rate", "--audio-rate"),
    ("data.mel-bands", "--mel-bands"),
    ("data.mel-window-ms", "--mel-window-ms"),
    ("data.mel-hop-ms", "--mel-hop-ms"),
    ("data.mel-fft", "--mel-fft"),
    ("data.test-fraction", "--test-fraction"),
    ("data.split-seed", "--split-seed"),
    ("data.split-by", "--split-by"),
    ("data.folds", "--folds"),
    ("preset", "--preset"),
];

/// Options that take no value: they cannot replace their key where it is set to a value.
const SWITCHES: [&str; 4] = ["--tensorboard", "--no-baseline", "--no-tune", "--use-all-the-time"];

/// The option of a key; of a key without one, the key itself.
pub fn flag(key: &'static str) -> &'static str {
    find(key).unwrap_or(key)
}

fn find(key: &str) -> Option<&'static str> {
    FLAGS.iter().find(|(k, _)| *k == key).map(|(_, flag)| *flag)
}

/// A text of the libraries, which name a setting by its key in backticks, for a user of the command: `` `data.header` ``
/// becomes `--header`, and `` `data.header = false` `` becomes `--header no`. Keys without an option are left.
pub fn translate(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // Odd parts are between backticks.
    let mut parts = text.split('`').enumerate().peekable();
    while let Some((i, part)) = parts.next() {
        let closed = parts.peek().is_some();
        match option(part) {
            Some(option) if i % 2 == 1 && closed => out += &option,
            _ if i % 2 == 1 => {
                out.push('`');
                out += part;
                if closed {
                    out.push('`');
                }
            }
            _ => out += part,
        }
    }
    out
}

/// The option for `key` or `key = value`.
fn option(text: &str) -> Option<String> {
    let (key, value) = match text.split_once('=') {
        Some((key, value)) => (key.trim(), Some(value.trim().trim_matches('"'))),
        None => (text, None),
    };
    let flag = find(key).filter(|flag| !SWITCHES.contains(flag))?;
    // Options that take a truth value take `yes` or `no`.
    let spelled = |value| match value {
        "true" => "yes",
        "false" => "no",
        value => value,
    };
    Some(value.map_or_else(|| flag.to_owned(), |value| format!("{flag} {}", spelled(value))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use dashnas::config::keys::KEYS;

    #[test]
    fn every_key_exists() {
        for (key, flag) in FLAGS {
            assert!(KEYS.iter().any(|k| k.path() == key), "{key} of {flag}");
        }
    }

    #[test]
    fn keys_become_options() {
        let cases = [
            ("set `data.fill-missing` to `mean`", "set --fill-missing to `mean`"),
            ("set `data.header = false`, or", "set --header no, or"),
            ("set `data.fill-missing = \"mean\"`", "set --fill-missing mean"),
            ("lower `backbone.width`", "lower `backbone.width`"),
            ("set `tune.enabled` to true", "set `tune.enabled` to true"),
            ("data.header stays, and so does `an open one", "data.header stays, and so does `an open one"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(translate(text), expected);
        }
    }
}
