//! Defects of files of sound that do not prevent reading them.

/// What to do about sound that cannot be read.
pub(super) const CONVERT: &str = "convert it: ffmpeg -i in -c:a pcm_s16le out.wav";

/// A defect of a file of sound that does not prevent reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Defect {
    /// It ends before its header says.
    CutShort,
    /// Its header says 0 bytes, though sound follows.
    NoSize,
    /// Bytes follow after the end that its header gives.
    MoreThanDeclared,
    /// Some of its packets cannot be decoded.
    Damaged,
    /// It holds further streams after the first.
    SeveralStreams,
}

impl Defect {
    /// What is wrong with the file.
    pub fn text(self) -> &'static str {
        match self {
            Defect::CutShort => "cut short",
            Defect::NoSize => "of 0 bytes by its header, though sound follows",
            Defect::MoreThanDeclared => "longer than its header says",
            Defect::Damaged => "damaged",
            Defect::SeveralStreams => "made of several streams",
        }
    }

    /// How such a file is read.
    pub(super) fn reading(self) -> &'static str {
        match self {
            Defect::CutShort => "read as far as it goes",
            Defect::NoSize => "read to its end",
            Defect::MoreThanDeclared => "read as far as the header says",
            Defect::Damaged => "read without the parts that cannot be decoded",
            Defect::SeveralStreams => "of which the first is read",
        }
    }
}
