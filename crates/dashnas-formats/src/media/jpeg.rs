//! What a JPEG file says of itself: whether it is whole, and in which colors it is.
//!
//! The decoder fills what is missing of a file that is cut short with gray, and takes every image of four colors for
//! one of Adobe's, which stores them inverted.

/// The facts about a JPEG file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Jpeg {
    /// Whether the marker of its end is there.
    pub ends: bool,
    /// The number of its colors.
    pub colors: u8,
    /// Whether it has the marker of Adobe's programs.
    pub adobe: bool,
}

impl Jpeg {
    /// Goes through the markers of a file; `None` if it is not JPEG.
    pub fn scan(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(b"\xff\xd8")?;
        let mut found = Self::default();
        loop {
            // Markers are found behind the data of a scan as well, in which 0xff is followed by 0 or by a restart.
            let Some(at) = rest.windows(2).position(|w| w[0] == 0xff && !matches!(w[1], 0 | 0xd0..=0xd7 | 0xff)) else {
                return Some(found);
            };
            let marker = rest[at + 1];
            rest = &rest[at + 2..];
            if marker == 0xd9 {
                return Some(Self { ends: true, ..found });
            }
            let length = usize::from(u16::from_be_bytes(*rest.first_chunk()?));
            let Some(segment) = rest.get(2..length) else { return Some(found) };
            match marker {
                // The head of a frame; 0xc4, 0xc8 and 0xcc are other segments.
                0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => found.colors = *segment.get(5)?,
                0xee => found.adobe |= segment.starts_with(b"Adobe"),
                _ => {}
            }
            rest = &rest[length..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_markers_tell_colors_and_end() {
        let head = b"\xff\xd8\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0\xff\xc0\0\x14\x08\0\x18\0\x18\x04\x43\x11\0\x4d\x11\0\
            \x59\x11\0\x4b\x11\0\xff\xda\0\x02";
        let whole = [&head[..], b"data\xff\0\xff\xd0\xff\xd9 more"].concat();
        assert_eq!(Jpeg::scan(&whole), Some(Jpeg { ends: true, colors: 4, adobe: true }));
        let cut = [&head[..], b"data\xff\0\xff\xd0"].concat();
        assert_eq!(Jpeg::scan(&cut), Some(Jpeg { ends: false, colors: 4, adobe: true }));
        assert_eq!(Jpeg::scan(b"\x89PNG"), None);
        for n in 0..whole.len() {
            Jpeg::scan(&whole[..n]);
        }
    }
}
