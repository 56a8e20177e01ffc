//! The observer of downloads.

/// The progress of a download.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DownloadProgress {
    /// Bytes that are downloaded.
    pub done: u64,
    /// The size of the file in bytes, if the server tells.
    pub total: Option<u64>,
}

/// Observes downloads, and can cancel them.
pub trait FetchObserver {
    /// Reports the progress of a file, many times during its download.
    fn progress(&mut self, file: &str, progress: DownloadProgress);
    /// Reports an event, such as a broken connection and the next attempt.
    fn note(&mut self, text: &str);
    /// Whether to stop; the part that is downloaded is kept.
    fn cancelled(&self) -> bool;
}
