//! The download of one file over HTTP, by ranges.

use crate::fetch::error::FetchError;
use crate::fetch::http;
use crate::fetch::observer::{DownloadProgress, FetchObserver};
use crate::fetch::published::PublishedFile;
use std::fs::OpenOptions;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;
use ureq::Body;
use ureq::http::Response;

/// The default number of further attempts after a connection breaks.
pub const RETRIES: u32 = 4;
/// The longest pause before another attempt.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The longest wait for a server that sends nothing.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Downloads files.
#[derive(Debug)]
pub struct Client {
    /// The pause before the second attempt; it doubles with each.
    pause: Duration,
    /// The number of attempts in a row that may fail without delivering a byte.
    retries: u32,
    /// The address of a folder that files are downloaded from instead of their published addresses.
    mirror: Option<String>,
    /// A proxy instead of the one that the environment names.
    proxy: Option<String>,
}

impl Default for Client {
    fn default() -> Self {
        Self::new(Duration::from_secs(1))
    }
}

impl Client {
    /// A client that pauses for `pause` after a broken connection before it tries again, and twice as long after each
    /// further one.
    pub fn new(pause: Duration) -> Self {
        Self { pause, retries: RETRIES, mirror: None, proxy: None }
    }

    /// The same client with another number of attempts that may fail without delivering a byte.
    pub fn with_retries(self, retries: u32) -> Self {
        Self { retries, ..self }
    }

    /// The same client for files that have the published names at another address, `http://` or `https://`.
    pub fn with_mirror(self, base: &str) -> Self {
        Self { mirror: Some(base.trim_end_matches('/').to_owned()), ..self }
    }

    /// The same client through this proxy, such as `http://127.0.0.1:3128`, and not the one that the environment names.
    pub fn with_proxy(self, proxy: &str) -> Self {
        Self { proxy: Some(proxy.to_owned()), ..self }
    }

    /// The address that a file is downloaded from.
    pub fn address(&self, source: &PublishedFile) -> String {
        match &self.mirror {
            None => source.url.to_owned(),
            Some(base) => format!("{base}/{}", source.file),
        }
    }

    /// Downloads a file into `part`, and continues a partial download in it.
    pub(super) fn download(
        &self,
        source: &PublishedFile,
        part: &Path,
        observer: &mut dyn FetchObserver,
    ) -> Result<(), FetchError> {
        let mut failures = 0;
        loop {
            let before = size(part);
            let reason = match self.attempt(source, part, observer) {
                Ok(()) => return Ok(()),
                Err(AttemptError::Final(error)) => return Err(error),
                Err(AttemptError::Broken(reason)) => reason,
            };
            let have = size(part);
            failures = if have > before { 1 } else { failures + 1 };
            if failures > self.retries {
                let kept = if have > 0 { format!("; the first {have} bytes were kept") } else { String::new() };
                return Err(FetchError::Connection { url: self.address(source), reason: reason + &kept });
            }
            observer.note(&format!("{}: {reason}; trying again from byte {have}", source.file));
            let doubled = 2u32.saturating_pow(failures - 1);
            let mut left = self.pause.saturating_mul(doubled).min(LONGEST_PAUSE.max(self.pause));
            while !left.is_zero() {
                if observer.cancelled() {
                    return Err(FetchError::Interrupted);
                }
                let nap = left.min(Duration::from_millis(100));
                std::thread::sleep(nap);
                left -= nap;
            }
        }
    }

    fn attempt(
        &self,
        source: &PublishedFile,
        part: &Path,
        observer: &mut dyn FetchObserver,
    ) -> Result<(), AttemptError> {
        let url = self.address(source);
        let tag_file = part.with_extension("tag");
        let have = size(part);
        let tag = std::fs::read_to_string(&tag_file).ok();
        let mut headers = Vec::new();
        // Without a tag of the version of the partial file, its rest could be of another version.
        if let (Some(tag), 1..) = (&tag, have) {
            headers.push(("Range", format!("bytes={have}-")));
            // Asks for the whole file if it has changed since.
            headers.push(("If-Range", tag.clone()));
        }
        let response = http::get(&url, &headers, TIMEOUT, self.proxy.as_deref()).map_err(|failure| match failure {
            http::Failure::Broken(reason) => AttemptError::Broken(reason),
            http::Failure::Final(reason) => FetchError::Connection { url: url.clone(), reason }.into(),
        })?;
        let start = match response.status().as_u16() {
            200 => 0,
            206 if content_range(&response).is_some_and(|(start, _)| start == have) => have,
            // Another range, or none: the partial file may be complete, or of another version.
            206 | 416 => {
                if unsatisfied_total(&response) == Some(have) && have > 0 {
                    return Ok(());
                }
                std::fs::remove_file(part).map_err(|e| FetchError::io(part, e))?;
                return Err(AttemptError::Broken("the file on the server has changed".into()));
            }
            status @ (408 | 429 | 500..=599) => {
                return Err(AttemptError::Broken(format!("the server answered {status}")));
            }
            status => return Err(FetchError::Status { url, status }.into()),
        };
        let length = http::header(&response, "content-length").and_then(|n| n.parse().ok());
        let total = if start == 0 { length } else { content_range(&response).and_then(|(_, total)| total) };
        // A weak tag does not promise identical bytes. The time of the last change does, if nobody changes a file twice
        // in a second.
        let strong = http::header(&response, "etag").filter(|tag| !tag.starts_with("W/"));
        match strong.or_else(|| http::header(&response, "last-modified")) {
            Some(mark) => std::fs::write(&tag_file, mark).map_err(|e| FetchError::io(&tag_file, e))?,
            // The response for the rest of a file need not repeat the tag.
            None if start > 0 => {}
            None => drop(std::fs::remove_file(&tag_file)),
        }
        self.body(source, part, response, start, total, observer)?;
        let _ = std::fs::remove_file(&tag_file);
        Ok(())
    }

    /// Writes the body from byte `start` of the file on.
    fn body(
        &self,
        source: &PublishedFile,
        part: &Path,
        response: Response<Body>,
        start: u64,
        total: Option<u64>,
        observer: &mut dyn FetchObserver,
    ) -> Result<(), AttemptError> {
        let io = |e| FetchError::io(part, e);
        let mut file = OpenOptions::new().create(true).write(true).truncate(false).open(part).map_err(io)?;
        file.set_len(start).map_err(io)?;
        file.seek(SeekFrom::Start(start)).map_err(io)?;
        let mut done = start;
        let mut reader = response.into_body().into_reader();
        let mut buffer = vec![0; 1 << 16];
        loop {
            if observer.cancelled() {
                return Err(FetchError::Interrupted.into());
            }
            match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => {
                    file.write_all(&buffer[..n]).map_err(io)?;
                    done += n as u64;
                    observer.progress(source.file, DownloadProgress { done, total });
                }
                Err(error) => return Err(AttemptError::Broken(format!("the connection broke: {error}"))),
            }
        }
        file.sync_all().map_err(io)?;
        match total {
            Some(total) if done < total => {
                Err(AttemptError::Broken(format!("the connection broke: it ended after {done} of {total} bytes")))
            }
            _ => Ok(()),
        }
    }
}

/// The failure of an attempt.
enum AttemptError {
    /// Another attempt may succeed.
    Broken(String),
    /// Another attempt would fail as well.
    Final(FetchError),
}

impl From<FetchError> for AttemptError {
    fn from(error: FetchError) -> Self {
        AttemptError::Final(error)
    }
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |m| m.len())
}

/// The first byte and the total of `Content-Range: bytes 100-199/200`.
fn content_range(response: &Response<Body>) -> Option<(u64, Option<u64>)> {
    let text = http::header(response, "content-range")?;
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    Some((range.split_once('-')?.0.trim().parse().ok()?, total.trim().parse().ok()))
}

/// The total of `Content-Range: bytes */200`.
fn unsatisfied_total(response: &Response<Body>) -> Option<u64> {
    let text = http::header(response, "content-range")?;
    text.trim().strip_prefix("bytes */")?.trim().parse().ok()
}
