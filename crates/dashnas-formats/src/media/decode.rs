//! Decodes sound: WAV, AIFF, FLAC, Ogg Vorbis and MP3.

use crate::error::DataError;
use crate::limits::check_bytes;
use crate::media::defect::{CONVERT, Defect};
use crate::media::wav;
use crate::media::wav::Wav;
use crate::naming::extension;
use dashnas_core::text::plural;
use std::io::{Cursor, Read};
use std::path::Path;
use symphonia::core::codecs::CodecParameters;
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatReader, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream, ReadOnlySource};

/// Rates in hertz that are supported.
pub(super) const RATES: std::ops::RangeInclusive<u32> = 1_000..=384_000;

/// A decoded recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Clip {
    /// The samples, from −1 to 1, averaged over the channels.
    pub samples: Vec<f32>,
    /// The rate of the samples in hertz.
    pub rate: u32,
    /// A defect of the file that the samples were read in spite of.
    pub defect: Option<Defect>,
}

/// Contents of files of sound that cannot be read: how they begin, at which byte, and their names.
const REFUSED: [(&[u8], usize, &str); 8] = [
    (b"ftyp", 4, "sound in an MP4 container (AAC or ALAC)"),
    (b"\x30\x26\xb2\x75", 0, "Windows Media sound"),
    (b"riff\x2e\x91\xcf\x11", 0, "Sony Wave64"),
    (b"MThd", 0, "MIDI, notes and not sound"),
    (b"\x1aE\xdf\xa3", 0, "Matroska or WebM"),
    (b"NIST_1A", 0, "NIST SPHERE"),
    (b".snd", 0, "sound of Sun (AU)"),
    (b"caff", 0, "sound in a Core Audio container"),
];

/// Decodes the bytes of a file of sound of at most `limit` bytes.
///
/// # Errors
/// [`DataError::File`] if it cannot be decoded, and [`DataError::TooLarge`].
pub fn parse(path: &Path, bytes: &[u8], limit: u64) -> Result<Clip, DataError> {
    if wav::is_wav(bytes) {
        let wav = Wav::scan(path, &mut Cursor::new(bytes), bytes.len() as u64)?;
        // The range is within the bytes.
        let sound = bytes.get(wav.data.start as usize..wav.data.end as usize).unwrap_or_default();
        let source = ReadOnlySource::new(Cursor::new(wav.header()).chain(sound));
        let mut clip = decode(path, "wav", Box::new(source), limit)?;
        // The size that was found is right, so that nothing is cut short beyond it.
        clip.defect = wav.defect.or(clip.defect.filter(|defect| *defect == Defect::Damaged));
        return Ok(clip);
    }
    let hint = kind(path, bytes)?;
    let mut clip = decode(path, hint, Box::new(Cursor::new(bytes)), limit)?;
    if hint == "ogg" && clip.defect.is_none() && !ogg_ends(bytes) {
        clip.defect = Some(Defect::CutShort);
    }
    Ok(clip)
}

/// Returns the usual extension of the format of some bytes.
fn kind(path: &Path, bytes: &[u8]) -> Result<&'static str, DataError> {
    let refused =
        |what: &str| DataError::file(path, format!("it is {what}, which is not supported")).with_hint(CONVERT);
    let head = &bytes[..bytes.len().min(512)];
    if let Some((.., what)) =
        REFUSED.iter().find(|(magic, at, _)| head.get(*at..).is_some_and(|b| b.starts_with(magic)))
    {
        return Err(refused(what));
    }
    let holds = |word: &[u8]| head.windows(word.len()).any(|w| w == word);
    match head {
        [b'f', b'L', b'a', b'C', ..] => Ok("flac"),
        [b'O', b'g', b'g', b'S', ..] if holds(b"OpusHead") => Err(refused("Opus")),
        [b'O', b'g', b'g', b'S', ..] if holds(b"Speex") => Err(refused("Speex")),
        [b'O', b'g', b'g', b'S', ..] => Ok("ogg"),
        [b'F', b'O', b'R', b'M', ..] => Ok("aiff"),
        // Eleven bits of ones begin a frame; a layer of 0 is AAC.
        [0xff, second, ..] if second & 0xf6 == 0xf0 => Err(refused("AAC")),
        [b'I', b'D', b'3', ..] => Ok("mp3"),
        [0xff, second, ..] if second & 0xe0 == 0xe0 => Ok("mp3"),
        // Some begin with zeros or with the rest of a frame.
        _ if extension(path) == "mp3" => Ok("mp3"),
        _ => Err(DataError::file(path, "it is not sound in a format that is known").with_hint(CONVERT)),
    }
}

/// Decodes a stream to its end.
fn decode(path: &Path, hint: &str, source: Box<dyn MediaSource + '_>, limit: u64) -> Result<Clip, DataError> {
    let name = hint.to_uppercase();
    let bad = |e: &dyn std::fmt::Display| {
        DataError::file(path, format!("it cannot be read as {name}: {e}")).with_hint(CONVERT)
    };
    let stream = MediaSourceStream::new(source, Default::default());
    let mut hints = Hint::new();
    hints.with_extension(hint);
    let probed = symphonia::default::get_probe().probe(&hints, stream, Default::default(), Default::default());
    let mut format = probed.map_err(|e| bad(&e))?;
    let track = format.default_track(TrackType::Audio).ok_or_else(|| bad(&"it holds no sound"))?;
    let (id, expected) = (track.id, track.num_frames);
    let Some(CodecParameters::Audio(codec)) = &track.codec_params else { return Err(bad(&"its codec is unknown")) };
    let mut decoder =
        symphonia::default::get_codecs().make_audio_decoder(codec, &Default::default()).map_err(|e| bad(&e))?;
    let mut clip = Clip { samples: Vec::new(), rate: codec.sample_rate.unwrap_or(0), defect: None };
    let (mut frames, mut failure) = (Vec::new(), None);
    while let Some(packet) = next(&mut *format, &mut clip.defect).map_err(|e| bad(&e))? {
        if packet.track_id != id {
            continue;
        }
        match decoder.decode(&packet) {
            Ok(decoded) => {
                let spec = decoded.spec();
                let (rate, channels) = (spec.rate(), spec.channels().count());
                if clip.samples.is_empty() {
                    clip.rate = rate;
                }
                supported(path, channels, rate)?;
                if rate != clip.rate {
                    return Err(bad(&format!("its rate changes from {} to {rate} Hz", clip.rate)));
                }
                decoded.copy_to_vec_interleaved(&mut frames);
                let mono = |frame: &[f32]| frame.iter().sum::<f32>() / channels as f32;
                clip.samples.extend(frames.chunks_exact(channels).map(mono));
                check_bytes(path, "sound", 4 * clip.samples.len() as u128, limit)?;
            }
            // A packet of a compressed format stands by itself; the others can be decoded without it.
            Err(Error::DecodeError(reason)) => {
                failure.get_or_insert(reason);
            }
            Err(Error::IoError(_)) => clip.defect = clip.defect.or(Some(Defect::CutShort)),
            Err(e) => return Err(bad(&e)),
        }
    }
    match failure {
        Some(reason) if clip.samples.is_empty() => return Err(bad(&reason)),
        Some(_) => clip.defect = Some(Defect::Damaged),
        None if clip.samples.is_empty() => return Err(bad(&"it holds no sound")),
        None if expected.is_some_and(|n| (clip.samples.len() as u64) < n) => clip.defect = Some(Defect::CutShort),
        None => {}
    }
    Ok(clip)
}

/// The next packet; a file that ends within one is cut short.
fn next(
    format: &mut dyn FormatReader,
    defect: &mut Option<Defect>,
) -> Result<Option<symphonia::core::packet::Packet>, Error> {
    match format.next_packet() {
        Err(Error::IoError(e)) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
            *defect = Some(Defect::CutShort);
            Ok(None)
        }
        Err(Error::ResetRequired) => {
            *defect = Some(Defect::SeveralStreams);
            Ok(None)
        }
        other => other,
    }
}

/// Refuses sound without channels or at a rate that nothing records at.
pub(super) fn supported(path: &Path, channels: usize, rate: u32) -> Result<(), DataError> {
    if channels > 0 && RATES.contains(&rate) {
        return Ok(());
    }
    let reason = format!("sound of {} at {rate} Hz is not supported", plural(channels, "channel"));
    Err(DataError::file(path, reason))
}

/// Returns whether the last page of an Ogg file is whole and is marked as the last of its stream.
fn ogg_ends(bytes: &[u8]) -> bool {
    let Some(at) = bytes.windows(4).rposition(|w| w == b"OggS") else { return false };
    let page = &bytes[at..];
    // The kind of the page is its sixth byte; after 27 bytes come the lengths of its segments.
    let (Some(kind), Some(&count)) = (page.get(5), page.get(26)) else { return false };
    let lengths = page.get(27..27 + usize::from(count));
    let body = lengths.map(|l| l.iter().map(|&n| usize::from(n)).sum::<usize>());
    kind & 4 != 0 && body.is_some_and(|body| page.len() >= 27 + usize::from(count) + body)
}
