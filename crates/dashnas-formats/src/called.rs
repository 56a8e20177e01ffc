//! What the channels of inputs and the outputs of targets are called in messages.

use crate::options::ReadOptions;

/// What the channels of inputs, or the outputs of targets, are called: their numbers from 0, with their names where the files name
/// them.
///
/// # Examples
/// ```
/// use dashnas_formats::called::Called;
/// use dashnas_formats::options::{ReadOptions, Signal};
///
/// let signal = |name: &str| Signal { names: vec![name.into()], units: vec!["mV".into()] };
/// let reading = ReadOptions { signals: Some(vec![signal("I"), signal("II")]), ..ReadOptions::default() };
/// assert_eq!(Called::channels(&reading, 2).one(1), "channel 1 (II)");
/// assert_eq!(Called::channels(&reading, 3).one(1), "channel 1");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    noun: &'static str,
    /// One name each, or none at all.
    names: Vec<String>,
}

impl Called {
    /// The channels of inputs that were read with these options. They have names if a recording names its signals, if each is
    /// one column of a table with a header, or if each stands for a letter of a sequence.
    pub fn channels(reading: &ReadOptions, channels: usize) -> Self {
        let signals = || {
            let first = |names: &[String]| names.first().cloned().unwrap_or_default();
            Some(reading.signals.as_ref()?.iter().map(|signal| first(&signal.names)).collect())
        };
        let columns = || {
            let columns = reading.columns.as_ref().filter(|columns| columns.named && !columns.sequences)?;
            named(&columns.names, &columns.inputs)
        };
        let letters = || Some(reading.alphabet.as_ref()?.chars().map(String::from).collect());
        Self::new("channel", channels, [&signals, &columns, &letters])
    }

    /// The outputs of targets that were read with these options. They have names if each is a column of a table with a header.
    pub fn outputs(reading: &ReadOptions, outputs: usize) -> Self {
        let columns = || {
            let columns = reading.columns.as_ref().filter(|columns| columns.named)?;
            named(&columns.names, &columns.labels)
        };
        Self::new("output", outputs, [&columns])
    }

    /// Those with these names, or with none at all.
    pub fn of(noun: &'static str, names: Vec<String>) -> Self {
        Self { noun, names }
    }

    /// Takes the first names of which there are so many.
    fn new<const N: usize>(noun: &'static str, count: usize, sources: [&dyn Fn() -> Option<Vec<String>>; N]) -> Self {
        let mut found = sources.into_iter().filter_map(|source| source());
        let names = found.find(|names| names.len() == count).unwrap_or_default();
        Self { noun, names }
    }

    /// The word for one of them.
    pub fn noun(&self) -> &'static str {
        self.noun
    }

    /// Their names; empty if they have none.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The number of one of them, with its name.
    pub fn number(&self, i: usize) -> String {
        match self.names.get(i).map(|name| name.trim()) {
            None | Some("") => i.to_string(),
            Some(name) => format!("{i} ({name})"),
        }
    }

    /// One of them, such as "channel 3 (pressure)".
    pub fn one(&self, i: usize) -> String {
        format!("{} {}", self.noun, self.number(i))
    }
}

/// The names of these columns.
fn named(names: &[String], columns: &[usize]) -> Option<Vec<String>> {
    columns.iter().map(|&c| names.get(c).cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Columns;

    #[test]
    fn names_are_those_of_columns_and_letters() {
        let columns = Columns {
            names: ["t", "pressure", " ", "price"].map(String::from).into(),
            named: true,
            inputs: vec![1, 2],
            labels: vec![3],
            sequences: false,
            lists: false,
        };
        let of = |columns: Columns| ReadOptions { columns: Some(columns), ..ReadOptions::default() };
        let table = of(columns.clone());
        let channels = Called::channels(&table, 2);
        assert_eq!(
            (channels.one(0), channels.one(1), channels.one(9)),
            ("channel 0 (pressure)".into(), "channel 1".into(), "channel 9".into())
        );
        assert_eq!(Called::outputs(&table, 1).one(0), "output 0 (price)");
        // Columns that are the values of one channel, without a header, or that a damaged model does not have.
        assert!(Called::channels(&table, 1).names().is_empty());
        assert!(Called::channels(&of(Columns { named: false, ..columns.clone() }), 2).names().is_empty());
        assert!(Called::channels(&of(Columns { inputs: vec![1, 7], ..columns.clone() }), 2).names().is_empty());
        let letters = ReadOptions { alphabet: Some("ACGT".into()), ..of(Columns { sequences: true, ..columns }) };
        assert_eq!(Called::channels(&letters, 4).one(2), "channel 2 (G)");
        assert!(Called::channels(&letters, 2).names().is_empty());
    }
}
