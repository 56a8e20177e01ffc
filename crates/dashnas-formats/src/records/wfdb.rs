//! WFDB records: a header `.hea`, and signals in the files that it names.

use crate::error::{DataError, Location};
use crate::limits::check_memory;
use crate::options::ReadOptions;
use crate::records::recording::{CUT_SHORT, Recording, factor, with_rest};
use crate::records::wfdb_samples::{PER_FRAME, Packing};
use crate::series::values::Series;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Values per unit where the header does not say.
const DEFAULT_GAIN: f64 = 200.0;
/// Most signals or segments.
const MOST: usize = 100_000;
/// Largest header.
const HEADER_BYTES: u64 = 16 << 20;

/// A signal as the header describes it.
#[derive(Debug, Clone, PartialEq)]
struct Signal {
    /// The file; `None` in a layout, which describes signals of segments.
    file: Option<PathBuf>,
    packing: Packing,
    per_frame: usize,
    /// Frames by which it is late.
    skew: usize,
    /// Where it begins in the file.
    offset: usize,
    gain: f64,
    baseline: f64,
    /// The physical unit.
    unit: String,
    name: String,
}

/// A header.
#[derive(Debug, Clone, PartialEq)]
struct Header {
    rate: f64,
    frames: Option<usize>,
    label: Option<String>,
    body: Body,
}

#[derive(Debug, Clone, PartialEq)]
enum Body {
    Signals(Vec<Signal>),
    /// Headers of segments with their numbers of frames; without a header, a gap.
    Segments(Vec<(Option<PathBuf>, usize)>),
}

/// Reads a header.
fn header(path: &Path) -> Result<Header, DataError> {
    let text = crate::bytes::text(path, HEADER_BYTES)?;
    let lines: Vec<(usize, &str)> = text.lines().enumerate().map(|(i, line)| (i + 1, line.trim())).collect();
    let mut described = lines.iter().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let bad = |line: usize, reason: &str| {
        DataError::at(path, Location::Line(line), format!("it is not a WFDB header: {reason}"))
    };
    let Some((at, first)) = described.next() else { return Err(bad(1, "it is empty")) };
    let mut fields = first.split_whitespace();
    let (name, segments) = match fields.next().unwrap_or("").split_once('/') {
        Some((name, count)) => (name, Some(count.parse::<usize>().map_err(|_| bad(*at, "a number of segments"))?)),
        None => (*first, None),
    };
    let count: usize = fields.next().and_then(|n| n.parse().ok()).ok_or_else(|| bad(*at, "no number of signals"))?;
    if name.is_empty() || count > MOST || segments.is_some_and(|n| n > MOST) {
        return Err(bad(*at, "no name, or too many signals"));
    }
    // The frequency may be followed by that of a counter.
    let rate = fields.next().map_or(Some(250.0), |f| f.split(['/', '(']).next().and_then(|f| f.parse().ok()));
    let rate = rate.filter(|f: &f64| f.is_finite() && *f > 0.0).ok_or_else(|| bad(*at, "no sampling frequency"))?;
    let frames: Option<usize> = match fields.next() {
        Some(n) => Some(n.parse().map_err(|_| bad(*at, "no number of samples"))?),
        None => None,
    };
    let label = lines.iter().filter_map(|(_, line)| comment_label(line)).next();
    let wanted = segments.unwrap_or(count);
    let body: Vec<&(usize, &str)> = described.take(wanted).collect();
    if body.len() < wanted {
        return Err(bad(lines.len(), &format!("it describes {} of {wanted}", body.len())));
    }
    let body = if segments.is_some() {
        Body::Segments(body.into_iter().map(|(at, line)| segment(path, *at, line)).collect::<Result<_, _>>()?)
    } else {
        Body::Signals(body.into_iter().map(|(at, line)| signal(path, *at, line)).collect::<Result<_, _>>()?)
    };
    Ok(Header { rate, frames: frames.filter(|n| *n > 0), label, body })
}

/// The label in a comment such as `#Dx: 426783006`.
fn comment_label(line: &str) -> Option<String> {
    let (key, value) = line.strip_prefix('#')?.split_once(':')?;
    let known = ["dx", "label", "class", "diagnosis"].contains(&key.trim().to_ascii_lowercase().as_str());
    Some(value.trim().to_owned()).filter(|value| known && !value.is_empty())
}

/// The path of a file in the folder of a header.
fn beside(path: &Path, line: usize, name: &str) -> Result<PathBuf, DataError> {
    let plain = |c: std::path::Component<'_>| matches!(c, std::path::Component::Normal(_));
    if name.is_empty() || !Path::new(name).components().all(plain) {
        let reason = format!("it names the file `{}`, which is not in its folder", name.escape_debug());
        return Err(DataError::at(path, Location::Line(line), reason));
    }
    Ok(path.with_file_name(name))
}

/// A line of a header of segments.
fn segment(path: &Path, at: usize, line: &str) -> Result<(Option<PathBuf>, usize), DataError> {
    let mut fields = line.split_whitespace();
    let (Some(name), Some(Ok(frames))) = (fields.next(), fields.next().map(str::parse)) else {
        return Err(DataError::at(path, Location::Line(at), "a segment is a name and a number of samples"));
    };
    let file = if name == "~" { None } else { Some(beside(path, at, &format!("{name}.hea"))?) };
    Ok((file, frames))
}

/// A line of a header of signals.
fn signal(path: &Path, at: usize, line: &str) -> Result<Signal, DataError> {
    let bad = |reason: String| DataError::at(path, Location::Line(at), reason);
    let mut fields = line.split_whitespace();
    let (Some(file), Some(format)) = (fields.next(), fields.next()) else {
        return Err(bad("a signal is a file, a format and more".into()));
    };
    // The format may be followed by the samples per frame, the skew and the offset, each after its sign.
    let starts: Vec<usize> = format.char_indices().filter(|(_, c)| "x:+".contains(*c)).map(|(i, _)| i).collect();
    let number = format.get(..starts.first().copied().unwrap_or(format.len())).and_then(|n| n.parse().ok());
    let mut extra = HashMap::new();
    for (k, &start) in starts.iter().enumerate() {
        let end = starts.get(k + 1).copied().unwrap_or(format.len());
        let value: usize = format[start + 1..end].parse().map_err(|_| bad(format!("`{format}` is not a format")))?;
        extra.insert(format.as_bytes()[start], value);
    }
    let packing = number.and_then(Packing::of).ok_or_else(|| {
        bad(format!("signals in format {format} are not supported"))
            .with_hint("supported are 8, 16, 24, 32, 61, 80, 160 and 212; convert the record with `xform -o 16`")
    })?;
    let gain = fields.next().unwrap_or("");
    let per_unit = gain.split(['(', '/']).next().and_then(|g| g.parse::<f64>().ok()).unwrap_or(0.0);
    let baseline = gain.split_once('(').and_then(|(_, rest)| rest.split(')').next()?.parse::<f64>().ok());
    let unit = gain.split_once('/').map_or("", |(_, unit)| unit).to_owned();
    let _resolution = fields.next();
    let zero = fields.next().and_then(|z| z.parse::<f64>().ok()).unwrap_or(0.0);
    // Then come the first value, the checksum and the size of blocks, and the rest is the name.
    let name = fields.skip(3).collect::<Vec<_>>().join(" ");
    let per_frame = extra.get(&b'x').copied().unwrap_or(1);
    if !PER_FRAME.contains(&per_frame) {
        return Err(bad(format!("{per_frame} samples per frame are not supported")));
    }
    Ok(Signal {
        file: if file == "~" { None } else { Some(beside(path, at, file)?) },
        packing,
        per_frame,
        skew: extra.get(&b':').copied().unwrap_or(0),
        offset: extra.get(&b'+').copied().unwrap_or(0),
        gain: if per_unit.is_finite() && per_unit != 0.0 { per_unit } else { DEFAULT_GAIN },
        baseline: baseline.filter(|b| b.is_finite()).unwrap_or(zero),
        unit,
        name,
    })
}

/// The headers of the segments of a record.
pub(super) fn segments(path: &Path) -> Result<Vec<PathBuf>, DataError> {
    match header(path)?.body {
        Body::Segments(segments) => Ok(segments.into_iter().filter_map(|(file, _)| file).collect()),
        Body::Signals(_) => Ok(Vec::new()),
    }
}

/// The label in the comments of a header.
pub(super) fn label(path: &Path) -> Result<Option<String>, DataError> {
    Ok(header(path)?.label)
}

/// Reads a record.
pub(super) fn read(path: &Path, options: &ReadOptions) -> Result<Recording, DataError> {
    let header = header(path)?;
    let (channels, names, facts) = match &header.body {
        Body::Signals(signals) => {
            let (channels, facts) = signals_of(path, signals, header.frames, options)?;
            (channels, signals.iter().map(|s| (s.name.clone(), s.unit.clone())).collect(), facts)
        }
        Body::Segments(segments) => joined(path, &header, segments, options)?,
    };
    if channels.iter().all(Vec::is_empty) {
        return Err(DataError::file(path, "the record holds no samples"));
    }
    let keep = !options.centers.inputs.is_empty();
    let divided = channels.into_iter().map(|channel| with_rest(channel.into_iter(), keep));
    let (channels, rests): (_, Vec<Vec<f32>>) = divided.unzip();
    let rests = keep.then_some(rests);
    let series = Series { channels, path: path.into(), line: 0, first_column: 1 };
    // Millivolts are meant where nothing is said.
    let said = |unit: String| if unit.is_empty() { "mV".to_owned() } else { unit };
    let (names, units) = names.into_iter().map(|(name, unit)| (name, said(unit))).unzip();
    Ok(Recording { series, rests, names, units, rate: header.rate, gaps: Vec::new(), facts })
}

/// The channels of a record, their names and units, and facts about them.
type Joined = (Vec<Vec<f64>>, Vec<(String, String)>, Vec<&'static str>);

/// Reads the segments of a record one after another. A signal that a segment lacks is missing there.
fn joined(
    path: &Path,
    whole: &Header,
    segments: &[(Option<PathBuf>, usize)],
    options: &ReadOptions,
) -> Result<Joined, DataError> {
    let mut names: Vec<(String, String)> = Vec::new();
    let mut channels: Vec<Vec<f64>> = Vec::new();
    let mut facts = Vec::new();
    for (file, frames) in segments {
        let Some(file) = file else {
            extend(path, &mut channels, *frames, options)?;
            continue;
        };
        let own = header(file)?;
        let Body::Signals(signals) = &own.body else {
            return Err(DataError::file(file, "a segment consists of segments"));
        };
        if own.rate != whole.rate {
            let reason = format!("the segment is at {} Hz, but {} is at {} Hz", own.rate, path.display(), whole.rate);
            return Err(DataError::file(file, reason));
        }
        let known = |signal: &&Signal| names.iter().any(|(name, _)| *name == signal.name);
        for signal in signals.iter().filter(|signal| !known(signal)).collect::<Vec<_>>() {
            // What came before lacks the signal.
            let before = channels.first().map_or(0, Vec::len);
            names.push((signal.name.clone(), signal.unit.clone()));
            check_memory(path, "record", (names.len() * before.max(1)) as u128, options)?;
            channels.push(vec![f64::NAN; before]);
        }
        // A layout names the signals and has no samples.
        if *frames == 0 || signals.iter().all(|s| s.file.is_none()) {
            continue;
        }
        let (values, found) = signals_of(file, signals, Some(*frames), options)?;
        facts.extend(found);
        let before = channels.first().map_or(0, Vec::len);
        let mut own_names = names.iter().map(|_| false).collect::<Vec<_>>();
        for (signal, values) in signals.iter().zip(values) {
            // Names that occur twice stand for one signal each.
            let free = |&(i, (name, _)): &(usize, &(String, String))| *name == signal.name && !own_names[i];
            let Some((i, _)) = names.iter().enumerate().find(free) else {
                let reason = format!("two signals of the segment are named `{}`", signal.name);
                return Err(DataError::file(file, reason));
            };
            own_names[i] = true;
            let unit = &mut names[i].1;
            if unit.is_empty() {
                // A layout need not say it.
                unit.clone_from(&signal.unit);
            }
            let same = signal.unit.is_empty().then_some(1.0);
            let Some(factor) = same.or_else(|| factor(&signal.unit, unit)) else {
                let reason = format!("the signal `{}` is in {}, but in {unit} before", signal.name, signal.unit);
                return Err(DataError::file(file, reason).with_hint("give segments in the same units"));
            };
            channels[i]
                .extend(values.into_iter().map(|v| if factor == 1.0 { v } else { f64::from(v as f32) * factor }));
        }
        let length = channels.iter().map(Vec::len).max().unwrap_or(before);
        let missing = length.max(before) - before;
        check_memory(path, "record", channels.len() as u128 * (before + missing) as u128, options)?;
        channels.iter_mut().for_each(|channel| channel.resize(length, f64::NAN));
    }
    facts.sort_unstable();
    facts.dedup();
    Ok((channels, names, facts))
}

/// Appends a gap to all channels.
fn extend(path: &Path, channels: &mut [Vec<f64>], frames: usize, options: &ReadOptions) -> Result<(), DataError> {
    let before = channels.first().map_or(0, Vec::len);
    check_memory(path, "record", channels.len() as u128 * (before as u128 + frames as u128), options)?;
    channels.iter_mut().for_each(|channel| channel.resize(before + frames, f64::NAN));
    Ok(())
}

/// Reads signals; those of one file are interleaved in it.
fn signals_of(
    path: &Path,
    signals: &[Signal],
    frames: Option<usize>,
    options: &ReadOptions,
) -> Result<(Vec<Vec<f64>>, Vec<&'static str>), DataError> {
    let mut channels: Vec<Vec<f64>> = Vec::with_capacity(signals.len());
    let mut facts = Vec::new();
    let mut start = 0;
    while let Some(first) = signals.get(start) {
        let together = signals[start..].iter().take_while(|s| s.file == first.file).count();
        let group = &signals[start..start + together];
        start += together;
        let Some(file) = &first.file else { return Err(DataError::file(path, "a signal has no file")) };
        if group.iter().any(|s| s.packing != first.packing) {
            return Err(DataError::file(path, format!("the signals in {} have several formats", file.display())));
        }
        let bytes = crate::bytes::bytes(file, options.max_bytes)?;
        let bytes = bytes.get(first.offset..).unwrap_or_default();
        let per_frame: usize = group.iter().map(|s| s.per_frame).sum();
        let held = first.packing.count(bytes.len()) / per_frame;
        let count = frames.unwrap_or(held).min(held);
        if frames.is_some_and(|frames| frames > held) {
            facts.push(CUT_SHORT);
        }
        check_memory(path, "record", (channels.len() + group.len()) as u128 * count as u128, options)?;
        channels.extend(unpacked(group, bytes, count));
        if group.iter().any(|s| s.per_frame > 1) {
            facts.push("with several samples of a signal in a frame, of which the mean is read");
        }
    }
    // Files of one record that differ in length end together.
    let length = channels.iter().map(Vec::len).min().unwrap_or(0);
    if channels.iter().any(|c| c.len() > length) {
        facts.push(CUT_SHORT);
    }
    channels.iter_mut().for_each(|channel| channel.truncate(length));
    facts.dedup();
    Ok((channels, facts))
}

/// The channels of the signals in some bytes, in physical units.
fn unpacked(group: &[Signal], bytes: &[u8], frames: usize) -> Vec<Vec<f64>> {
    let mut channels: Vec<Vec<f64>> = group.iter().map(|_| Vec::with_capacity(frames)).collect();
    let mut totals = vec![0i64; group.len()];
    let mut at = 0;
    for _ in 0..frames {
        for (k, signal) in group.iter().enumerate() {
            let (mut sum, mut known) = (0.0, 0);
            for _ in 0..signal.per_frame {
                let sample = signal.packing.sample(bytes, at);
                at += 1;
                let value = if signal.packing == Packing::Differences {
                    totals[k] += i64::from(sample);
                    totals[k] as f64
                } else {
                    f64::from(sample)
                };
                if Some(sample) != signal.packing.missing() {
                    sum += value;
                    known += 1;
                }
            }
            let mean = sum / f64::from(known);
            channels[k].push((mean - signal.baseline) / signal.gain);
        }
    }
    for (signal, channel) in group.iter().zip(&mut channels).filter(|(signal, _)| signal.skew > 0) {
        channel.drain(..signal.skew.min(channel.len()));
        channel.resize(frames, f64::NAN);
    }
    channels
}
