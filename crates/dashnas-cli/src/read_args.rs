//! Options that say what data files do not.

use clap::Args;
use clap::builder::PossibleValuesParser;
use dashnas::config::{Config, ConfigError, Override};
use dashnas::data::{Fill, Layout, Lengths, ReadOptions};

/// How files are read; each flag sets a key of `[data]`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Reading data")]
pub struct ReadArgs {
    /// Name of the array of inputs, in files that hold several.
    #[arg(long, value_name = "NAME")]
    inputs: Option<String>,
    /// Name of the array of targets; in tables the label column, by name or position (0: first, -1: last).
    #[arg(long, value_name = "NAME", alias = "label", allow_hyphen_values = true)]
    targets: Option<String>,
    /// Column or array of groups that no split may divide.
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    group: Option<String>,
    /// Whether the first row of a table is a header.
    #[arg(long, value_name = "yes|no", value_parser = ["yes", "no"])]
    header: Option<String>,
    /// Where the channels are in arrays.
    #[arg(long, value_parser = PossibleValuesParser::new(Layout::ALL.iter().map(|l| l.name())))]
    layout: Option<String>,
    /// Channels of images, or channels that the columns of a table are divided into.
    #[arg(long, value_name = "N")]
    channels: Option<u32>,
    /// Resize images to this height and width.
    #[arg(long, value_name = "HxW", value_parser = size)]
    resize: Option<[u32; 2]>,
    /// Fill missing values instead of refusing them.
    #[arg(long, value_parser = PossibleValuesParser::new(Fill::ALL.iter().map(|f| f.name())))]
    fill_missing: Option<String>,
    /// What is done with series of unequal lengths [default: pad].
    #[arg(long, value_parser = PossibleValuesParser::new(Lengths::ALL.iter().map(|l| l.name())))]
    lengths: Option<String>,
    /// Length that series are brought to.
    #[arg(long, value_name = "N")]
    length: Option<u32>,
    /// Letters of one-hot sequences.
    #[arg(long, value_name = "LETTERS")]
    alphabet: Option<String>,
    /// Sampling rate in hertz that sound is brought to [default: 22050].
    #[arg(long, value_name = "HZ")]
    audio_rate: Option<u32>,
    /// Bands of the log-mel spectrograms that sound is turned to [default: 96].
    #[arg(long, value_name = "N")]
    mel_bands: Option<u32>,
    /// Length of their windows in milliseconds [default: 30].
    #[arg(long, value_name = "MS")]
    mel_window_ms: Option<f64>,
    /// From one of their windows to the next, in milliseconds [default: 10].
    #[arg(long, value_name = "MS")]
    mel_hop_ms: Option<f64>,
    /// Points of their transforms [default: 1920, or more for longer windows].
    #[arg(long, value_name = "N")]
    mel_fft: Option<u32>,
    /// Share of the samples set aside where there is no test split [default: 0.2].
    #[arg(long, value_name = "SHARE")]
    test_fraction: Option<f64>,
}

fn size(text: &str) -> Result<[u32; 2], String> {
    let (h, w) = text.split_once(['x', 'X', '×']).unwrap_or((text, text));
    match (h.trim().parse(), w.trim().parse()) {
        (Ok(h), Ok(w)) => Ok([h, w]),
        _ => Err("expected a height and a width, as in 64x64".into()),
    }
}

impl ReadArgs {
    /// The settings that the flags stand for.
    pub fn overrides(&self) -> Vec<Override> {
        let mut found = Vec::new();
        for (value, key, flag) in [
            (&self.inputs, "data.inputs", "--inputs"),
            (&self.targets, "data.targets", "--targets"),
            (&self.group, "data.group", "--group"),
            (&self.layout, "data.layout", "--layout"),
            (&self.fill_missing, "data.fill-missing", "--fill-missing"),
            (&self.lengths, "data.lengths", "--lengths"),
            (&self.alphabet, "data.alphabet", "--alphabet"),
        ] {
            found.extend(value.as_deref().map(|v| Override::new(key, v, flag)));
        }
        for (value, key, flag) in [
            (self.channels, "data.channels", "--channels"),
            (self.length, "data.length", "--length"),
            (self.audio_rate, "data.audio-rate", "--audio-rate"),
            (self.mel_bands, "data.mel-bands", "--mel-bands"),
            (self.mel_fft, "data.mel-fft", "--mel-fft"),
        ] {
            found.extend(value.map(|v| Override::new(key, i64::from(v), flag)));
        }
        found.extend(self.header.as_deref().map(|v| Override::new("data.header", v == "yes", "--header")));
        found.extend(self.resize.map(|v| Override::new("data.resize", v.map(i64::from).to_vec(), "--resize")));
        for (value, key, flag) in [
            (self.mel_window_ms, "data.mel-window-ms", "--mel-window-ms"),
            (self.mel_hop_ms, "data.mel-hop-ms", "--mel-hop-ms"),
            (self.test_fraction, "data.test-fraction", "--test-fraction"),
        ] {
            found.extend(value.map(|v| Override::new(key, v, flag)));
        }
        found
    }

    /// These options where they are given, `base` where they are not.
    ///
    /// # Errors
    /// If a value is none that a configuration may have.
    pub fn over(&self, base: &ReadOptions) -> Result<ReadOptions, ConfigError> {
        let given = Config::load(None, None, &self.overrides())?.data;
        let mut options = base.clone();
        macro_rules! take {
            ($($name:ident),*) => { $(if self.$name.is_some() { options.$name = given.$name; })* };
        }
        take!(inputs, targets, group, header, layout, channels, resize, fill_missing, lengths, length, alphabet);
        take!(audio_rate, mel_bands, mel_window_ms, mel_hop_ms, mel_fft, test_fraction);
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        assert_eq!(size("32x48"), Ok([32, 48]));
        assert_eq!(size("32"), Ok([32, 32]));
        assert!(size("32x").is_err());
    }
}
