//! The samples in signal files of WFDB records.

use std::ops::RangeInclusive;

/// The way in which samples are packed, by its number in the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    /// 8: differences of 8 bits.
    Differences,
    /// 16: little-endian, of 16 bits.
    Bits16,
    /// 24: little-endian, of 24 bits.
    Bits24,
    /// 32: little-endian, of 32 bits.
    Bits32,
    /// 61: big-endian, of 16 bits.
    Big16,
    /// 80: of 8 bits, from −128 as 0.
    Offset8,
    /// 160: of 16 bits, from −32768 as 0.
    Offset16,
    /// 212: pairs of 12 bits in three bytes.
    Pairs12,
}

impl Packing {
    /// The packing of this number.
    pub fn of(number: u32) -> Option<Self> {
        Some(match number {
            8 => Packing::Differences,
            16 => Packing::Bits16,
            24 => Packing::Bits24,
            32 => Packing::Bits32,
            61 => Packing::Big16,
            80 => Packing::Offset8,
            160 => Packing::Offset16,
            212 => Packing::Pairs12,
            _ => return None,
        })
    }

    /// The number of samples in some bytes.
    pub fn count(self, bytes: usize) -> usize {
        match self {
            Packing::Differences | Packing::Offset8 => bytes,
            Packing::Bits16 | Packing::Big16 | Packing::Offset16 => bytes / 2,
            Packing::Bits24 => bytes / 3,
            Packing::Bits32 => bytes / 4,
            // Two bytes hold the first of a pair.
            Packing::Pairs12 => bytes / 3 * 2 + usize::from(bytes % 3 == 2),
        }
    }

    /// Sample `i` of some bytes; zero beyond them. Of [`Packing::Differences`], the difference.
    pub fn sample(self, bytes: &[u8], i: usize) -> i32 {
        let byte = |at: usize| i32::from(bytes.get(at).copied().unwrap_or(0));
        let [low, high] = match self {
            Packing::Big16 => [byte(2 * i + 1), byte(2 * i)],
            _ => [byte(2 * i), byte(2 * i + 1)],
        };
        let signed16 = (low | high << 8) << 16 >> 16;
        match self {
            Packing::Differences => byte(i) << 24 >> 24,
            Packing::Offset8 => byte(i) - 128,
            Packing::Bits16 | Packing::Big16 => signed16,
            Packing::Offset16 => (low | high << 8) - 32768,
            Packing::Bits24 => (byte(3 * i) | byte(3 * i + 1) << 8 | byte(3 * i + 2) << 16) << 8 >> 8,
            Packing::Bits32 => [3, 2, 1, 0].iter().fold(0, |value, k| value << 8 | byte(4 * i + k)),
            Packing::Pairs12 => {
                let pair = i / 2 * 3;
                let twelve = if i.is_multiple_of(2) {
                    byte(pair) | byte(pair + 1) << 8
                } else {
                    byte(pair + 2) | byte(pair + 1) << 4 & 0xf00
                };
                twelve << 20 >> 20
            }
        }
    }

    /// The value that stands for a missing sample.
    pub fn missing(self) -> Option<i32> {
        match self {
            Packing::Differences => None,
            Packing::Offset8 => Some(-128),
            Packing::Bits16 | Packing::Big16 | Packing::Offset16 => Some(-32768),
            Packing::Bits24 => Some(-(1 << 23)),
            Packing::Bits32 => Some(i32::MIN),
            Packing::Pairs12 => Some(-2048),
        }
    }
}

/// The numbers of samples of one signal in a frame.
pub(super) const PER_FRAME: RangeInclusive<usize> = 1..=10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_as_the_format_packs_them() {
        let cases: [(u32, &[u8], &[i32]); 8] = [
            (8, &[1, 0xff, 2], &[1, -1, 2]),
            (16, &[1, 0, 0xff, 0xff, 0, 0x80], &[1, -1, -32768]),
            (24, &[1, 0, 0, 0xff, 0xff, 0xff], &[1, -1]),
            (32, &[1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], &[1, -1]),
            (61, &[0, 1, 0xff, 0xff], &[1, -1]),
            (80, &[129, 127, 0], &[1, -1, -128]),
            (160, &[1, 0x80, 0xff, 0x7f], &[1, -1]),
            // The low bytes, and between them the high bits of both; a last sample has two bytes.
            (212, &[0x01, 0xf0, 0xff, 0x34, 0x02], &[1, -1, 0x234]),
        ];
        for (number, bytes, expected) in cases {
            let packing = Packing::of(number).unwrap();
            assert_eq!(packing.count(bytes.len()), expected.len(), "{number}");
            let found: Vec<i32> = (0..expected.len()).map(|i| packing.sample(bytes, i)).collect();
            assert_eq!(found, expected, "{number}");
        }
        assert_eq!(Packing::of(516), None);
    }
}
