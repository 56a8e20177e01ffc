//! Published files, with their addresses and checksums.

/// A published file of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishedFile {
    /// Its address, `http://` or `https://`.
    pub url: &'static str,
    /// Its name in the folder of the task.
    pub file: &'static str,
    /// Its size in bytes, if it is known.
    pub bytes: Option<u64>,
    /// Its checksum, if one was published.
    pub checksum: Checksum,
    /// How it is unpacked.
    pub unpack: Unpack,
}

/// A published checksum, in hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checksum {
    /// No checksum was published.
    Unknown,
    /// MD5, which detects damage, but not malice.
    Md5(&'static str),
    /// SHA-256.
    Sha256(&'static str),
}

/// How a file is unpacked after its download.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unpack {
    /// Not at all.
    No,
    /// As a tar archive.
    Tar,
    /// As a tar archive compressed with gzip.
    TarGz,
    /// As a zip archive.
    Zip,
}
