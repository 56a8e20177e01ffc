//! The layers of a configuration: preset, recipe, file, overrides.

use crate::config::error::ConfigError;
use crate::config::keys;
use crate::config::keys::KEYS;
use crate::config::sections::Config;
use crate::config::words::in_words;
use dashnas_core::names::Preset;
use dashnas_tasks::recipes::Recipe;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

/// One value that overrides the file, set for example by a command-line option.
#[derive(Debug, Clone, PartialEq)]
pub struct Override {
    /// The key with its section, such as `search.epochs`.
    pub key: String,
    /// The value; `"auto"` applies the rule for the data.
    pub value: Value,
    /// The origin of the value, named in errors, such as `--seed`.
    pub origin: String,
}

impl Override {
    /// The values that a task's recipe sets under a preset.
    ///
    /// # Errors
    /// Never for the built-in recipes: a test reads all of them.
    pub fn of_recipe(recipe: &Recipe, preset: Preset) -> Result<Vec<Self>, ConfigError> {
        let origin = format!("the recipe {}", recipe.name);
        recipe.settings(preset).iter().map(|text| Self::parse(text, &origin)).collect()
    }

    /// A value for a key.
    pub fn new(key: &str, value: impl Into<Value>, origin: &str) -> Self {
        Self { key: key.to_owned(), value: value.into(), origin: origin.to_owned() }
    }

    /// Reads `key=value`. The value is TOML, or a bare word without quotes.
    ///
    /// # Errors
    /// [`ConfigError::WrongType`] if there is no `=`.
    pub fn parse(text: &str, origin: &str) -> Result<Self, ConfigError> {
        let Some((key, value)) = text.split_once('=') else {
            return Err(ConfigError::WrongType {
                origin: origin.to_owned(),
                key: text.to_owned(),
                message: "expected `key=value`".to_owned(),
            });
        };
        let (key, value) = (key.trim(), value.trim());
        let parsed = toml::from_str::<Table>(&format!("value = {value}")).ok().filter(|table| table.len() == 1);
        let value = parsed.and_then(|mut table| table.remove("value")).unwrap_or_else(|| Value::from(value));
        Ok(Self::new(key, value, origin))
    }
}

impl Config {
    /// Layers a preset (the given one, else that of the file, else `standard`), a TOML file and overrides, each over
    /// the one before, and validates the result.
    ///
    /// # Errors
    /// [`ConfigError`], naming the key and the file and line or the override that set it.
    pub fn load(preset: Option<Preset>, file: Option<&Path>, overrides: &[Override]) -> Result<Config, ConfigError> {
        Self::load_over(preset, &[], file, overrides)
    }

    /// [`Config::load`] with a layer between preset and file: the settings of the recipe of a task.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn load_over(
        preset: Option<Preset>,
        recipe: &[Override],
        file: Option<&Path>,
        overrides: &[Override],
    ) -> Result<Config, ConfigError> {
        let file = match file {
            Some(path) => {
                let read = std::fs::read_to_string(path);
                let text = read.map_err(|source| ConfigError::Io { path: path.to_owned(), source })?;
                Some(File { path: path.to_owned(), text })
            }
            None => None,
        };
        layer(preset, recipe, file.as_ref(), overrides)
    }

    /// Reads a configuration from TOML text. Errors name it `path`.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn from_toml(text: &str, path: &Path) -> Result<Config, ConfigError> {
        layer(None, &[], Some(&File { path: path.to_owned(), text: text.to_owned() }), &[])
    }
}

struct File {
    path: PathBuf,
    text: String,
}

fn layer(
    preset: Option<Preset>,
    recipe: &[Override],
    file: Option<&File>,
    overrides: &[Override],
) -> Result<Config, ConfigError> {
    let (from_file, own_preset) = match file {
        Some(file) => {
            let config = file.check()?;
            let table: Table = toml::from_str(&file.text).map_err(|error| file.syntax(&error))?;
            let own = table.contains_key("preset").then_some(config.preset);
            (table, own)
        }
        None => (Table::new(), None),
    };
    let preset = preset.or(own_preset).unwrap_or(Preset::Standard);
    let mut table = to_table(&Config::preset(preset));
    for set in recipe {
        set.put(&mut table)?;
    }
    overlay(&mut table, from_file);
    table.insert("preset".to_owned(), Value::from(preset.name()));

    // The file was read as a whole configuration above, so that this merge of valid values deserializes.
    let mut config = Config::deserialize_table(&table).map_err(|error| ConfigError::WrongType {
        origin: file.map_or_else(|| "preset".to_owned(), |file| file.path.display().to_string()),
        key: String::new(),
        message: in_words(error.message()),
    })?;
    for set in overrides {
        set.put(&mut table)?;
        config = Config::deserialize_table(&table).map_err(|error| ConfigError::WrongType {
            origin: set.origin.clone(),
            key: set.key.clone(),
            message: in_words(error.message()),
        })?;
    }
    match config.validate() {
        Err(ConfigError::Invalid { key, value, reason, .. }) => {
            let flag = overrides.iter().rev().find(|set| set.key == key).map(|set| set.origin.clone());
            let origin = flag.or_else(|| file?.line_of(key));
            Err(ConfigError::Invalid { origin, key, value, reason })
        }
        checked => checked.map(|()| config),
    }
}

impl Override {
    /// Sets the value in a whole configuration.
    fn put(&self, table: &mut Table) -> Result<(), ConfigError> {
        if let Some(key) = KEYS.iter().find(|key| key.section == self.key) {
            return Err(ConfigError::WrongType {
                origin: self.origin.clone(),
                key: self.key.clone(),
                message: format!("this is a section; set one of its keys, such as `{}`", key.path()),
            });
        }
        if self.key == "preset" {
            let value = self.value.as_str().map_or_else(|| self.value.to_string(), str::to_owned);
            return Err(ConfigError::Preset { origin: self.origin.clone(), value });
        }
        if !KEYS.iter().any(|key| key.path() == self.key) {
            return Err(ConfigError::UnknownKey {
                origin: self.origin.clone(),
                key: self.key.clone(),
                suggestion: suggest_path(&self.key),
            });
        }
        match self.key.split_once('.') {
            Some((section, name)) => match table.get_mut(section) {
                Some(Value::Table(section)) => section.insert(name.to_owned(), self.value.clone()),
                _ => None,
            },
            None => table.insert(self.key.clone(), self.value.clone()),
        };
        Ok(())
    }
}

impl Config {
    /// The value of a key as TOML, by its path, such as `search.epochs`.
    pub fn value(&self, key: &str) -> Option<String> {
        let table = to_table(self);
        let value = match key.split_once('.') {
            Some((section, name)) => table.get(section)?.get(name)?,
            None => table.get(key)?,
        };
        Some(value.to_string())
    }

    fn deserialize_table(table: &Table) -> Result<Config, toml::de::Error> {
        table.clone().try_into()
    }
}

/// A configuration as a TOML table.
pub(crate) fn to_table(config: &Config) -> Table {
    // Serializing fails only on an integer beyond `i64`, which `validate` excludes. Clamping makes it succeed for
    // configurations that were never validated.
    let mut config = config.clone();
    config.seed = config.seed.min(i64::MAX as u64);
    Table::try_from(config).unwrap_or_default()
}

/// Replaces values of `lower` by those of `upper`, section by section.
fn overlay(lower: &mut Table, upper: Table) {
    for (key, value) in upper {
        match (lower.get_mut(&key), value) {
            (Some(Value::Table(lower)), Value::Table(upper)) => overlay(lower, upper),
            (_, value) => {
                lower.insert(key, value);
            }
        }
    }
}

impl File {
    /// Reads the file over the defaults, so that errors name their line.
    fn check(&self) -> Result<Config, ConfigError> {
        let table = DeTable::parse(&self.text).map_err(|error| self.syntax(&error))?;
        for (key, value) in table.get_ref() {
            let name = key.get_ref().as_ref();
            if keys::SECTIONS.iter().any(|(section, _)| *section == name) {
                if let DeValue::Table(entries) = value.get_ref() {
                    self.check_section(name, entries)?;
                }
            } else if !KEYS.iter().any(|key| key.section.is_empty() && key.name == name) {
                return Err(self.unknown(key, name.to_owned(), suggest_top(name)));
            }
        }
        toml::from_str(&self.text).map_err(|error| self.wrong_type(table.get_ref(), &error))
    }

    fn check_section(&self, section: &str, entries: &DeTable<'_>) -> Result<(), ConfigError> {
        for key in entries.keys() {
            let path = format!("{section}.{}", key.get_ref());
            if !KEYS.iter().any(|key| key.path() == path) {
                let near = suggest_path(&path);
                return Err(self.unknown(key, path, near));
            }
        }
        Ok(())
    }

    fn unknown<T>(&self, at: &Spanned<T>, key: String, suggestion: Option<String>) -> ConfigError {
        ConfigError::UnknownKey { origin: self.origin(at.span().start), key, suggestion }
    }

    fn wrong_type(&self, table: &DeTable<'_>, error: &toml::de::Error) -> ConfigError {
        let at = error.span().map_or(0, |span| span.start);
        let key = key_at(table, at).unwrap_or_default();
        ConfigError::WrongType { origin: self.origin(at), key, message: in_words(error.message()) }
    }

    fn syntax(&self, error: &toml::de::Error) -> ConfigError {
        let (line, column) = self.position(error.span().map_or(0, |span| span.start));
        ConfigError::Syntax { path: self.path.clone(), line, column, message: error.message().replace('\n', ", ") }
    }

    /// The line in which the file sets a key, if it does.
    fn line_of(&self, path: &str) -> Option<String> {
        let table = DeTable::parse(&self.text).ok()?;
        let (section, name) = path.split_once('.').map_or((None, path), |(section, name)| (Some(section), name));
        let find = |table: &DeTable<'_>| {
            let found = table.keys().find(|key| key.get_ref().as_ref() == name)?;
            Some(self.origin(found.span().start))
        };
        match section {
            None => find(table.get_ref()),
            Some(section) => match table.get_ref().get(section)?.get_ref() {
                DeValue::Table(entries) => find(entries),
                _ => None,
            },
        }
    }

    fn origin(&self, at: usize) -> String {
        format!("{}:{}", self.path.display(), self.position(at).0)
    }

    /// The line and column, from 1, of a byte.
    fn position(&self, at: usize) -> (usize, usize) {
        let before = &self.text.as_bytes()[..at.min(self.text.len())];
        let line_start = before.iter().rposition(|&b| b == b'\n').map_or(0, |newline| newline + 1);
        (before.iter().filter(|&&b| b == b'\n').count() + 1, at.min(self.text.len()) - line_start + 1)
    }
}

/// The path of the key whose value contains a byte.
fn key_at(table: &DeTable<'_>, at: usize) -> Option<String> {
    for (key, value) in table {
        if let DeValue::Table(entries) = value.get_ref()
            && let Some(inner) = key_at(entries, at)
        {
            return Some(format!("{}.{inner}", key.get_ref()));
        }
        if value.span().contains(&at) || key.span().contains(&at) {
            return Some(key.get_ref().to_string());
        }
    }
    None
}

/// A section or top-level key similar to the one written, or a key of a section that was written at the top level.
fn suggest_top(written: &str) -> Option<String> {
    if let Some(key) = KEYS.iter().find(|key| key.name == written) {
        return Some(key.path());
    }
    let top = KEYS.iter().filter(|key| key.section.is_empty()).map(|key| key.name);
    let names = top.chain(keys::SECTIONS.iter().map(|(section, _)| *section));
    keys::nearest(written, names).map(str::to_owned).or_else(|| suggest_name(written))
}

/// A key similar to the one written: first in the same section, then in all of them.
fn suggest_path(written: &str) -> Option<String> {
    let Some((section, name)) = written.split_once('.') else { return suggest_top(written) };
    let Some(section) = keys::nearest(section, keys::SECTIONS.iter().map(|(section, _)| *section)) else {
        return suggest_name(name);
    };
    let inside = KEYS.iter().filter(|key| key.section == section).map(|key| key.name);
    match keys::nearest(name, inside) {
        Some(name) => Some(format!("{section}.{name}")),
        None => suggest_name(name),
    }
}

fn suggest_name(written: &str) -> Option<String> {
    let name = keys::nearest(written, KEYS.iter().map(|key| key.name))?;
    KEYS.iter().find(|key| key.name == name).map(crate::config::keys::Key::path)
}
