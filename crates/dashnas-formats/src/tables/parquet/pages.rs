//! The pages of a column, unpacked. The crate `parquet` would unpack them as well, but Zstandard with a library in C, and
//! whatever the header of a page claims to be its size.

use crate::tables::parquet::buffers::Buffers;
use crate::tables::parquet::file_bytes::FileBytes;
use bytes::Bytes;
use parquet::arrow::arrow_reader::RowGroups;
use parquet::basic::{Compression, Encoding};
use parquet::column::page::{Page, PageIterator, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};
use parquet::file::serialized_reader::SerializedPageReader;
use std::io::Read;
use std::sync::Arc;

/// A row group of a file.
pub(super) struct Group<'a> {
    pub file: &'a FileBytes,
    /// The buffers that pages are unpacked into.
    pub buffers: &'a Arc<Buffers>,
    pub metadata: &'a ParquetMetaData,
    pub group: &'a RowGroupMetaData,
    /// Rows that are decoded at a time.
    pub batch: usize,
    /// Most bytes of a page, and of the texts of a batch.
    pub limit: u64,
}

impl RowGroups for Group<'_> {
    fn num_rows(&self) -> usize {
        usize::try_from(self.group.num_rows()).unwrap_or(0)
    }

    fn column_chunks(&self, i: usize) -> Result<Box<dyn PageIterator>> {
        let column = self.group.columns().get(i).ok_or_else(|| general("a column is missing"))?;
        let packed = column.compression();
        // The pages are taken as they are in the file.
        let plain = column.clone().into_builder().set_compression(Compression::UNCOMPRESSED).build()?;
        check_range(&plain)?;
        let inner = SerializedPageReader::new(Arc::new(self.file.clone()), &plain, self.num_rows(), None)?;
        let (buffers, batch, limit) = (self.buffers.clone(), self.batch, self.limit);
        let pages = Pages { inner, packed, buffers, batch, limit, longest: 0 };
        Ok(Box::new(Chunk(Some(Box::new(pages)))))
    }

    fn row_groups(&self) -> Box<dyn Iterator<Item = &RowGroupMetaData> + '_> {
        Box::new(std::iter::once(self.group))
    }

    fn metadata(&self) -> &ParquetMetaData {
        self.metadata
    }
}

fn general(reason: impl Into<String>) -> ParquetError {
    ParquetError::General(reason.into())
}

/// Refuses a place in the file that is no place.
fn check_range(column: &ColumnChunkMetaData) -> Result<()> {
    let at = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
    if at < 0 || column.compressed_size() < 0 {
        return Err(general("the place of a column is not in the file"));
    }
    Ok(())
}

/// The pages of the one chunk of a column in a row group.
struct Chunk(Option<Box<dyn PageReader>>);

impl Iterator for Chunk {
    type Item = Result<Box<dyn PageReader>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.take().map(Ok)
    }
}

impl PageIterator for Chunk {}

/// Unpacks the pages of a column.
struct Pages {
    inner: SerializedPageReader<FileBytes>,
    packed: Compression,
    buffers: Arc<Buffers>,
    batch: usize,
    limit: u64,
    /// The length of the longest text in the dictionary.
    longest: usize,
}

impl Pages {
    /// Refuses texts that a few bytes blow up: a dictionary or a common beginning may stand for any number of copies.
    fn check_texts(&self, encoding: Encoding, values: u32, bytes: usize) -> Result<()> {
        let longest = match encoding {
            Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY => self.longest,
            Encoding::DELTA_BYTE_ARRAY => bytes,
            _ => return Ok(()),
        };
        let decoded = self.batch.min(values as usize) as u128 * longest as u128;
        if decoded > u128::from(self.limit) {
            return Err(general("its texts are larger than the memory limit"));
        }
        Ok(())
    }

    fn unpack(&self, body: Bytes) -> Result<Bytes> {
        unpack(self.packed, body, self.limit, &self.buffers)
    }

    fn unpacked(&mut self, page: Page) -> Result<Page> {
        Ok(match page {
            Page::DataPage { buf, num_values, encoding, def_level_encoding, rep_level_encoding, statistics } => {
                let buf = self.unpack(buf)?;
                self.check_texts(encoding, num_values, buf.len())?;
                Page::DataPage { buf, num_values, encoding, def_level_encoding, rep_level_encoding, statistics }
            }
            Page::DataPageV2 {
                buf,
                num_values,
                encoding,
                num_nulls,
                num_rows,
                def_levels_byte_len,
                rep_levels_byte_len,
                is_compressed,
                statistics,
            } => {
                let levels = (def_levels_byte_len as usize).saturating_add(rep_levels_byte_len as usize);
                if levels > buf.len() {
                    return Err(general("it is cut short"));
                }
                let buf = if is_compressed && self.packed != Compression::UNCOMPRESSED && levels < buf.len() {
                    let values = self.unpack(buf.slice(levels..))?;
                    [&buf[..levels], &values[..]].concat().into()
                } else {
                    buf
                };
                self.check_texts(encoding, num_values, buf.len())?;
                Page::DataPageV2 {
                    buf,
                    num_values,
                    encoding,
                    num_nulls,
                    num_rows,
                    def_levels_byte_len,
                    rep_levels_byte_len,
                    is_compressed: false,
                    statistics,
                }
            }
            Page::DictionaryPage { buf, num_values, encoding, is_sorted } => {
                let buf = self.unpack(buf)?;
                self.longest = buf.len().min(longest(&buf, num_values));
                Page::DictionaryPage { buf, num_values, encoding, is_sorted }
            }
        })
    }
}

/// The length of the longest of the texts in a dictionary, each with its length before it. Of other values than texts
/// the result is at most their size.
fn longest(mut bytes: &[u8], values: u32) -> usize {
    let mut longest = 0;
    for _ in 0..values {
        let Some((head, rest)) = bytes.split_first_chunk::<4>() else { break };
        let Some(rest) = rest.get(u32::from_le_bytes(*head) as usize..) else { break };
        longest = longest.max(bytes.len() - rest.len());
        bytes = rest;
    }
    longest
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        match self.inner.get_next_page()? {
            Some(page) => self.unpacked(page).map(Some),
            None => Ok(None),
        }
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.inner.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.inner.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> Result<bool> {
        self.inner.at_record_boundary()
    }
}

/// Decompresses a page of at most `limit` bytes.
fn unpack(codec: Compression, body: Bytes, limit: u64, buffers: &Arc<Buffers>) -> Result<Bytes> {
    let limit = limit.min(1 << 30);
    let bad = |e: String| general(format!("a page cannot be decompressed: {e}"));
    let large = || general("a page is larger than the memory limit");
    let mut out = Vec::new();
    let mut take = |reader: &mut dyn Read| {
        reader.take(limit + 1).read_to_end(&mut out).map_err(|e| bad(e.to_string())).map(|_| ())
    };
    match codec {
        Compression::UNCOMPRESSED => return Ok(body),
        Compression::SNAPPY => {
            let size = snap::raw::decompress_len(&body).map_err(|e| bad(e.to_string()))?;
            // No page of this codec is compressed that much.
            if size as u64 > limit.min(body.len() as u64 * 256 + 1024) {
                return Err(large());
            }
            let mut page = buffers.lend(size)?;
            snap::raw::Decoder::new().decompress(&body, page.bytes_mut()).map_err(|e| bad(e.to_string()))?;
            return Ok(page.share());
        }
        Compression::GZIP(_) => take(&mut flate2::read::MultiGzDecoder::new(&body[..]))?,
        Compression::ZSTD(_) => {
            let mut reader = ruzstd::decoding::StreamingDecoder::new(&body[..]).map_err(|e| bad(e.to_string()))?;
            take(&mut reader)?;
        }
        Compression::LZ4_RAW => {
            // A block does not say its size, but no byte stands for more than 255.
            let most = (body.len() as u64).saturating_mul(255).saturating_add(64).min(limit);
            let mut size = (body.len() as u64).saturating_mul(4).clamp(64, most.max(64));
            loop {
                match lz4_flex::block::decompress(&body, size as usize) {
                    Ok(page) => return Ok(page.into()),
                    Err(_) if size < most => size = size.saturating_mul(4).min(most),
                    Err(e) => return Err(bad(e.to_string())),
                }
            }
        }
        other => {
            let name = match other {
                Compression::LZO => "LZO",
                Compression::BROTLI(_) => "Brotli",
                _ => "framed LZ4",
            };
            return Err(general(format!(
                "compression by {name} is not supported (use Snappy, gzip, Zstandard, LZ4_RAW or none)"
            )));
        }
    }
    if out.len() as u64 > limit { Err(large()) } else { Ok(out.into()) }
}
