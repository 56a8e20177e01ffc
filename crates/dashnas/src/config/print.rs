//! A configuration as TOML with a comment on every key.

use crate::config::keys::{KEYS, SECTIONS};
use crate::config::layers::to_table;
use crate::config::sections::Config;
use std::fmt::Write;
use toml::Value;

/// The column at which comments are wrapped.
const WIDTH: usize = 100;

impl Config {
    /// The configuration as a TOML file, with every key below a comment that describes it. Reading it back gives the
    /// same configuration.
    pub fn to_toml(&self) -> String {
        let table = to_table(self);
        let mut text = String::new();
        let sections = std::iter::once(("", "")).chain(SECTIONS);
        for (section, about) in sections {
            if !section.is_empty() {
                text.push('\n');
                comment(&mut text, about);
                // Writing to a string cannot fail.
                let _ = writeln!(text, "[{section}]");
            }
            let values = if section.is_empty() { Some(&table) } else { table.get(section).and_then(Value::as_table) };
            for key in KEYS.iter().filter(|key| key.section == section) {
                if let Some(value) = values.and_then(|values| values.get(key.name)) {
                    comment(&mut text, key.help);
                    let _ = writeln!(text, "{} = {value}", key.name);
                }
            }
        }
        text
    }
}

/// Appends a wrapped `#` comment.
fn comment(text: &mut String, about: &str) {
    let mut line = String::from("#");
    for word in about.split_whitespace() {
        if line.len() + 1 + word.len() > WIDTH {
            text.push_str(&line);
            text.push('\n');
            line.truncate(1);
        }
        line.push(' ');
        line.push_str(word);
    }
    text.push_str(&line);
    text.push('\n');
}
