//! Options that say how data files are read, where the files do not say it themselves.

use crate::args::flags::flag;
use crate::args::numbers::{decimal, whole};
use clap::Args;
use clap::builder::PossibleValuesParser;
use dashnas::config::Config;
use dashnas::config::error::ConfigError;
use dashnas::config::layers::Override;
use dashnas_formats::options::{Fill, Layout, Lengths, ReadOptions, Span, SplitBy, WindowLabel};

/// How files are read; each option sets a key of the section `[data]`.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Reading data")]
pub struct ReadArgs {
    /// The name of the array of inputs, in files with several arrays; in tables the columns of inputs, as for --targets.
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    inputs: Option<String>,
    /// The name of the array of targets; in tables the label columns, by names, patterns such as y_* or positions (0:
    /// first, -1: last), separated by commas.
    #[arg(long, value_name = "NAME", alias = "label", allow_hyphen_values = true)]
    targets: Option<String>,
    /// The column or array of groups; samples of one group are never split between training and test. Of several, separated
    /// by commas, a group has equal values in all of them.
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    group: Option<String>,
    /// The column of a table that tells several recordings of one group apart, with --window.
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    recording: Option<String>,
    /// The column of a table that divides its rows into train, val and test [default: split, if its values are these].
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    split: Option<String>,
    /// The column or array of the weights of the samples, which count in the loss and in the metric; 0 leaves a sample
    /// out [default: sample_weight].
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    weight: Option<String>,
    /// The column of a table with the times of the samples, which is no input; also with the unit of its numbers, as in
    /// t:ms (s, ms, us, ns, min or h).
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    time: Option<String>,
    /// The columns of a table that are left out, as for --targets.
    #[arg(long, value_name = "NAMES", allow_hyphen_values = true)]
    ignore: Option<String>,
    /// The decimal sign of the numbers in a text table [default: derived from the table].
    #[arg(long, value_name = "SIGN", value_parser = [".", ","])]
    decimal: Option<String>,
    /// Whether the first row of a table is a header [default: derived from the table].
    #[arg(long, value_name = "yes|no", value_parser = ["yes", "no"])]
    header: Option<String>,
    /// The position of the channel axis in arrays.
    #[arg(long, value_parser = PossibleValuesParser::new(Layout::ALL.iter().map(|l| l.name())))]
    layout: Option<String>,
    /// The number of channels of images, or of channels that the columns of a table are divided into.
    #[arg(long, value_name = "N", value_parser = whole::<u32>())]
    channels: Option<u32>,
    /// The height and width that images are resized to.
    #[arg(long, value_name = "HxW", value_parser = size)]
    resize: Option<[u32; 2]>,
    /// The value for missing values, which are refused otherwise.
    #[arg(long, value_parser = PossibleValuesParser::new(Fill::ALL.iter().map(|f| f.name())))]
    fill_missing: Option<String>,
    /// The treatment of series of unequal lengths [default: pad].
    #[arg(long, value_parser = PossibleValuesParser::new(Lengths::ALL.iter().map(|l| l.name())))]
    lengths: Option<String>,
    /// The length to which series are padded or cut.
    #[arg(long, value_name = "N", value_parser = whole::<u32>())]
    length: Option<u32>,
    /// The length of the windows that recordings are cut into, in time steps, or as a duration such as 2.5s or 500ms.
    #[arg(long, value_name = "LENGTH")]
    window: Option<Span>,
    /// The distance from one window to the next, in time steps or as a duration [default: the length of a window].
    #[arg(long, value_name = "LENGTH")]
    stride: Option<Span>,
    /// Whether the label of a window is that of most of its time steps (of numbers the mean), or that of the last one
    /// [default: majority].
    #[arg(long, value_parser = PossibleValuesParser::new(WindowLabel::ALL.iter().map(|l| l.name())))]
    window_label: Option<String>,
    /// The letters of one-hot encoded sequences.
    #[arg(long, value_name = "LETTERS")]
    alphabet: Option<String>,
    /// The sampling rate in hertz to which audio is resampled [default: 22050].
    #[arg(long, value_name = "HZ", value_parser = whole::<u32>())]
    audio_rate: Option<u32>,
    /// The number of bands of the log-mel spectrograms of audio [default: 96].
    #[arg(long, value_name = "N", value_parser = whole::<u32>())]
    mel_bands: Option<u32>,
    /// The window length of the spectrograms in milliseconds [default: 30].
    #[arg(long, value_name = "MS", value_parser = decimal)]
    mel_window_ms: Option<f64>,
    /// The hop between windows of the spectrograms in milliseconds [default: 10].
    #[arg(long, value_name = "MS", value_parser = decimal)]
    mel_hop_ms: Option<f64>,
    /// The FFT size of the spectrograms [default: 1920, or more for longer windows].
    #[arg(long, value_name = "N", value_parser = whole::<u32>())]
    mel_fft: Option<u32>,
    /// The share of the samples that becomes the test split of data without one [default: 0.2].
    #[arg(long, value_name = "SHARE", value_parser = decimal)]
    test_fraction: Option<f64>,
    /// The seed of the random test split of data without one [default: that of --seed].
    #[arg(long, value_name = "N", value_parser = whole::<u32>())]
    split_seed: Option<u32>,
    /// Which samples become the test split of data without one: random ones, or by time the last ones, which need times
    /// (--time). Samples for validation are chosen in the same way [default: random].
    #[arg(long, value_parser = PossibleValuesParser::new(SplitBy::ALL.iter().map(|s| s.name())))]
    split_by: Option<String>,
    /// Cross-validation: divide the samples into N folds and run N times, each time with another fold as the test split.
    #[arg(long, value_name = "N", value_parser = whole::<u32>())]
    folds: Option<u32>,
}

fn size(text: &str) -> Result<[u32; 2], String> {
    let (h, w) = text.split_once(['x', 'X', '×']).unwrap_or((text, text));
    match (h.trim().parse(), w.trim().parse()) {
        (Ok(h), Ok(w)) => Ok([h, w]),
        _ => Err("expected a height and a width, as in 64x64".into()),
    }
}

impl ReadArgs {
    /// The keys of the configuration that are set by these options.
    pub fn overrides(&self) -> Vec<Override> {
        let mut found = Vec::new();
        for (value, key) in [
            (&self.inputs, "data.inputs"),
            (&self.targets, "data.targets"),
            (&self.group, "data.group"),
            (&self.recording, "data.recording"),
            (&self.split, "data.split"),
            (&self.weight, "data.weight"),
            (&self.time, "data.time"),
            (&self.ignore, "data.ignore"),
            (&self.decimal, "data.decimal"),
            (&self.layout, "data.layout"),
            (&self.fill_missing, "data.fill-missing"),
            (&self.lengths, "data.lengths"),
            (&self.window_label, "data.window-label"),
            (&self.alphabet, "data.alphabet"),
            (&self.split_by, "data.split-by"),
        ] {
            found.extend(value.as_deref().map(|v| Override::new(key, v, flag(key))));
        }
        for (value, key) in [
            (self.channels, "data.channels"),
            (self.length, "data.length"),
            (self.audio_rate, "data.audio-rate"),
            (self.mel_bands, "data.mel-bands"),
            (self.mel_fft, "data.mel-fft"),
            (self.split_seed, "data.split-seed"),
            (self.folds, "data.folds"),
        ] {
            found.extend(value.map(|v| Override::new(key, i64::from(v), flag(key))));
        }
        for (value, key) in [(self.window, "data.window"), (self.stride, "data.stride")] {
            found.extend(value.map(|v| match v {
                Span::Steps(n) => Override::new(key, i64::try_from(n).unwrap_or(i64::MAX), flag(key)),
                Span::Seconds(_) => Override::new(key, v.to_string(), flag(key)),
            }));
        }
        found.extend(self.header.as_deref().map(|v| Override::new("data.header", v == "yes", flag("data.header"))));
        found.extend(self.resize.map(|v| Override::new("data.resize", v.map(i64::from).to_vec(), flag("data.resize"))));
        for (value, key) in [
            (self.mel_window_ms, "data.mel-window-ms"),
            (self.mel_hop_ms, "data.mel-hop-ms"),
            (self.test_fraction, "data.test-fraction"),
        ] {
            found.extend(value.map(|v| Override::new(key, v, flag(key))));
        }
        found
    }

    /// The first of these options that is given, if any is.
    pub fn first_option(&self) -> Option<String> {
        self.overrides().into_iter().next().map(|given| given.origin)
    }

    /// The first of these options that divides a data set into splits, if one is given. New data is not divided.
    pub fn dividing_option(&self) -> Option<String> {
        const DIVIDING: [&str; 4] = ["data.test-fraction", "data.split-seed", "data.split-by", "data.folds"];
        self.overrides().into_iter().find(|given| DIVIDING.contains(&given.key.as_str())).map(|given| given.origin)
    }

    /// These options where they are given, `base` where they are not.
    ///
    /// # Errors
    /// [`ConfigError`] for a value that the configuration does not allow.
    pub fn over(&self, base: &ReadOptions) -> Result<ReadOptions, ConfigError> {
        let overrides = self.overrides();
        let given = Config::load(None, None, &overrides)?.data;
        let mut options = base.clone();
        macro_rules! take {
            ($($name:ident),*) => { $(if self.$name.is_some() { options.$name = given.$name; })* };
        }
        take!(
            inputs, targets, group, recording, split, weight, time, ignore, decimal, header, layout, channels, resize
        );
        take!(fill_missing, lengths, length, window, stride, window_label, alphabet);
        take!(audio_rate, mel_bands, mel_window_ms, mel_hop_ms, mel_fft, test_fraction, split_seed, split_by, folds);
        // The model has the targets in the order of its training, in which the same names stand for the same columns.
        if let (Some(new), Some(own)) = (&options.targets, &base.targets)
            && names(new) == names(own)
        {
            options.targets.clone_from(&base.targets);
        }
        options.given =
            overrides.iter().filter_map(|given| given.key.strip_prefix("data.")).map(str::to_owned).collect();
        Ok(options)
    }
}

/// The names in a list, sorted.
fn names(list: &str) -> Vec<&str> {
    let mut names: Vec<&str> = list.split(',').map(str::trim).collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_in_another_order_are_those_of_the_training() {
        let base = ReadOptions { targets: Some("u,v".into()), ..ReadOptions::default() };
        for (given, expected) in [("v, u", "u,v"), ("u,v", "u,v"), ("u,w", "u,w")] {
            let read = ReadArgs { targets: Some(given.into()), ..ReadArgs::default() };
            assert_eq!(read.over(&base).expect("allowed").targets.as_deref(), Some(expected), "{given}");
        }
    }

    #[test]
    fn sizes_are_read() {
        assert_eq!(size("32x48"), Ok([32, 48]));
        assert_eq!(size("32"), Ok([32, 32]));
        assert!(size("32x").is_err());
    }
}
