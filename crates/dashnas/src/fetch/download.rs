//! One file over HTTP, by ranges.

use super::http::{self, Response};
use super::{FetchError, Progress, Source, Watch};
use std::fs::OpenOptions;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

/// How often a connection that breaks is tried again, unless it is told otherwise.
pub const RETRIES: u32 = 4;
/// Longest pause before it is tried again.
const LONGEST: Duration = Duration::from_secs(60);
/// Longest wait for a server that says nothing.
const PATIENCE: Duration = Duration::from_secs(60);

/// Makes connections.
#[derive(Debug)]
pub struct Client {
    /// Pause before the second attempt; it doubles with each.
    pause: Duration,
    /// Broken connections in a row, without a byte in between, that are tried again.
    retries: u32,
    /// The folder on the web that files are got from instead of from where they were published.
    mirror: Option<String>,
}

impl Default for Client {
    fn default() -> Self {
        Self::new(Duration::from_secs(1))
    }
}

impl Client {
    /// A client that pauses so long after a broken connection before it tries again, and twice as long
    /// after each further one.
    pub fn new(pause: Duration) -> Self {
        Self { pause, retries: RETRIES, mirror: None }
    }

    /// The same with so many further attempts where a connection breaks without a byte since the last time.
    pub fn with_retries(self, retries: u32) -> Self {
        Self { retries, ..self }
    }

    /// The same for files that lie under their own names at another address, `http://` or `https://`.
    pub fn with_mirror(self, base: &str) -> Self {
        Self { mirror: Some(base.trim_end_matches('/').to_owned()), ..self }
    }

    /// Where a file is got from.
    pub fn address(&self, source: &Source) -> String {
        match &self.mirror {
            None => source.url.to_owned(),
            Some(base) => format!("{base}/{}", source.file),
        }
    }

    /// Downloads into `part`, going on after what is there.
    pub(super) fn download(&self, source: &Source, part: &Path, watch: &mut dyn Watch) -> Result<(), FetchError> {
        let mut failures = 0;
        loop {
            let before = size(part);
            let reason = match self.attempt(source, part, watch) {
                Ok(()) => return Ok(()),
                Err(Attempt::Final(error)) => return Err(error),
                Err(Attempt::Broken(reason)) => reason,
            };
            let have = size(part);
            failures = if have > before { 1 } else { failures + 1 };
            if failures > self.retries {
                let kept = if have > 0 { format!("; the first {have} bytes are kept") } else { String::new() };
                return Err(FetchError::Connection { url: self.address(source), reason: reason + &kept });
            }
            watch.note(&format!("{}: {reason}; trying again from byte {have}", source.file));
            let doubled = 2u32.saturating_pow(failures - 1);
            let mut left = self.pause.saturating_mul(doubled).min(LONGEST.max(self.pause));
            while !left.is_zero() {
                if watch.cancelled() {
                    return Err(FetchError::Interrupted);
                }
                let nap = left.min(Duration::from_millis(100));
                std::thread::sleep(nap);
                left -= nap;
            }
        }
    }

    fn attempt(&self, source: &Source, part: &Path, watch: &mut dyn Watch) -> Result<(), Attempt> {
        let url = self.address(source);
        let tag_file = part.with_extension("tag");
        let have = size(part);
        let tag = std::fs::read_to_string(&tag_file).ok();
        let mut headers = Vec::new();
        // Without a mark of the version that the part is of, nothing says that the rest goes with it.
        if let (Some(tag), 1..) = (&tag, have) {
            headers.push(("Range", format!("bytes={have}-")));
            // The whole file, should it have changed since.
            headers.push(("If-Range", tag.clone()));
        }
        let response = http::get(&url, &headers, PATIENCE).map_err(|failure| match failure {
            http::Failure::Broken(reason) => Attempt::Broken(reason),
            http::Failure::Final(reason) => FetchError::Connection { url: url.clone(), reason }.into(),
        })?;
        let start = match response.status {
            200 => 0,
            206 if content_range(&response).is_some_and(|(start, _)| start == have) => have,
            // Another part than was asked for, or none: what is there may be whole, or of another version.
            206 | 416 => {
                if unsatisfied_total(&response) == Some(have) && have > 0 {
                    return Ok(());
                }
                std::fs::remove_file(part).map_err(|e| FetchError::io(part, e))?;
                return Err(Attempt::Broken("the server has another version of the file".into()));
            }
            status @ (408 | 429 | 500..=599) => {
                return Err(Attempt::Broken(format!("the server answered {status}")));
            }
            status => return Err(FetchError::Status { url, status }.into()),
        };
        let length = response.header("content-length").and_then(|n| n.parse().ok());
        let total = if start == 0 { length } else { content_range(&response).and_then(|(_, total)| total) };
        // A weak tag does not promise equal bytes; the time of the last change does, if nobody changes a file twice in
        // a second.
        let strong = response.header("etag").filter(|tag| !tag.starts_with("W/"));
        match strong.or_else(|| response.header("last-modified")) {
            Some(mark) => std::fs::write(&tag_file, mark).map_err(|e| FetchError::io(&tag_file, e))?,
            // The rest of a file need not repeat what its beginning said.
            None if start > 0 => {}
            None => drop(std::fs::remove_file(&tag_file)),
        }
        self.body(source, part, response, start, total, watch)?;
        let _ = std::fs::remove_file(&tag_file);
        Ok(())
    }

    /// Writes the body from byte `start` of the file on.
    fn body(
        &self,
        source: &Source,
        part: &Path,
        mut reader: Response,
        start: u64,
        total: Option<u64>,
        watch: &mut dyn Watch,
    ) -> Result<(), Attempt> {
        let io = |e| FetchError::io(part, e);
        let mut file = OpenOptions::new().create(true).write(true).truncate(false).open(part).map_err(io)?;
        file.set_len(start).map_err(io)?;
        file.seek(SeekFrom::Start(start)).map_err(io)?;
        let mut done = start;
        let mut buffer = vec![0; 1 << 16];
        loop {
            if watch.cancelled() {
                return Err(FetchError::Interrupted.into());
            }
            match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => {
                    file.write_all(&buffer[..n]).map_err(io)?;
                    done += n as u64;
                    watch.progress(source.file, Progress { done, total });
                }
                Err(error) => return Err(Attempt::Broken(format!("the connection broke: {error}"))),
            }
        }
        file.sync_all().map_err(io)?;
        match total {
            Some(total) if done < total => Err(Attempt::Broken(format!("it ended after {done} of {total} bytes"))),
            _ => Ok(()),
        }
    }
}

/// How an attempt failed.
enum Attempt {
    /// It can be tried again.
    Broken(String),
    /// It cannot.
    Final(FetchError),
}

impl From<FetchError> for Attempt {
    fn from(error: FetchError) -> Self {
        Attempt::Final(error)
    }
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |m| m.len())
}

/// First byte and total of `Content-Range: bytes 100-199/200`.
fn content_range(response: &Response) -> Option<(u64, Option<u64>)> {
    let text = response.header("content-range")?;
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    Some((range.split_once('-')?.0.trim().parse().ok()?, total.trim().parse().ok()))
}

/// Total of `Content-Range: bytes */200`.
fn unsatisfied_total(response: &Response) -> Option<u64> {
    let text = response.header("content-range")?;
    text.trim().strip_prefix("bytes */")?.trim().parse().ok()
}
