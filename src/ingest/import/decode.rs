//! Bytes to text: finds out the encoding (UTF-8 with or without BOM, Big5, UTF-16 by its BOM) and decodes
//! while reading. Bytes that are no text become U+FFFD, and the rows that hold them are refused later.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use encoding_rs::{BIG5, Decoder, Encoding, UTF_8};

const PORTION: usize = 64 * 1024;

/// The encoding of a file: the one that its BOM says, the one that is named, or the one that it can be seen to be.
pub fn detect(path: &Path, named: Option<&'static Encoding>) -> io::Result<Option<&'static Encoding>> {
    let mut start = [0u8; 3];
    let length = read_full(&mut File::open(path)?, &mut start)?;
    if let Some((by_bom, _)) = Encoding::for_bom(&start[..length]) {
        return Ok(Some(by_bom));
    }
    if named.is_some() {
        return Ok(named);
    }
    let signs = Signs::read(path)?;
    let in_utf8 = faults(path, UTF_8)?;
    if in_utf8 > 0 && signs.is_big5() {
        let in_big5 = faults(path, BIG5)?;
        if in_big5 < in_utf8 && in_big5 * 100 <= signs.pairs {
            return Ok(Some(BIG5));
        }
    }
    // Hardly anything else can be read as UTF-8, so that a few lost bytes do not hide it.
    Ok((in_utf8 * 10 <= signs.pairs).then_some(UTF_8))
}

/// What bytes beyond ASCII look like, taken two by two.
#[derive(Default)]
struct Signs {
    pairs: usize,
    frequent: usize,
}

impl Signs {
    fn read(path: &Path) -> io::Result<Signs> {
        let mut signs = Signs::default();
        let mut lead = false;
        for byte in BufReader::with_capacity(PORTION, File::open(path)?).bytes() {
            let byte = byte?;
            if lead {
                lead = false;
            } else if byte >= 0x80 {
                lead = true;
                signs.pairs += 1;
                signs.frequent += usize::from((0xa1..=0xc6).contains(&byte));
            }
        }
        Ok(signs)
    }

    /// Big5 puts signs and the frequent characters first, and text hardly needs others: 998 of 1,000 in the city's
    /// files. In other encodings of Chinese every second pair begins like that, and most can be read as some Big5.
    fn is_big5(&self) -> bool {
        self.frequent * 10 >= self.pairs * 9
    }
}

/// How often the file is no text in this encoding.
fn faults(path: &Path, encoding: &'static Encoding) -> io::Result<usize> {
    let mut reader = DecodingReader::new(BufReader::with_capacity(PORTION, File::open(path)?), encoding);
    let mut count = 0;
    let mut buffer = vec![0u8; PORTION];
    loop {
        let read = reader.read(&mut buffer)?;
        if read == 0 {
            return Ok(count);
        }
        // The last byte of U+FFFD in UTF-8 also ends other characters; its three bytes in a row do not.
        count += buffer[..read].windows(3).filter(|bytes| *bytes == "\u{fffd}".as_bytes()).count();
    }
}

fn read_full(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

/// Opens a file as UTF-8 text without its BOM.
pub fn open(path: &Path, encoding: &'static Encoding) -> io::Result<DecodingReader<BufReader<File>>> {
    Ok(DecodingReader::new(BufReader::with_capacity(PORTION, File::open(path)?), encoding))
}

/// Decodes while reading.
pub struct DecodingReader<R> {
    inner: R,
    decoder: Decoder,
    raw: Vec<u8>,
    /// Decoded bytes and how many of them were handed out.
    text: Vec<u8>,
    given: usize,
    ended: bool,
}

impl<R: Read> DecodingReader<R> {
    /// A reader of UTF-8 over a reader of `encoding`.
    pub fn new(inner: R, encoding: &'static Encoding) -> Self {
        let decoder = encoding.new_decoder_with_bom_removal();
        DecodingReader { inner, decoder, raw: vec![0; PORTION], text: Vec::new(), given: 0, ended: false }
    }

    fn refill(&mut self) -> io::Result<()> {
        let read = self.inner.read(&mut self.raw)?;
        self.ended = read == 0;
        let room = self.decoder.max_utf8_buffer_length(read).unwrap_or(PORTION * 3 + 16);
        self.text.resize(room, 0);
        let (_, _, written, _) = self.decoder.decode_to_utf8(&self.raw[..read], &mut self.text, self.ended);
        self.text.truncate(written);
        self.given = 0;
        Ok(())
    }
}

impl<R: Read> Read for DecodingReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() && !self.ended {
            self.refill()?;
        }
        let length = out.len().min(self.text.len() - self.given);
        out[..length].copy_from_slice(&self.text[self.given..self.given + length]);
        self.given += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(bytes: &[u8]) -> (String, &'static str) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, bytes).unwrap();
        let encoding = detect(&path, None).unwrap().expect("an encoding");
        let mut text = String::new();
        open(&path, encoding).unwrap().read_to_string(&mut text).unwrap();
        (text, encoding.name())
    }

    #[test]
    fn finds_the_encoding() {
        assert_eq!(round("松山區,1".as_bytes()), ("松山區,1".into(), "UTF-8"));
        assert_eq!(round("\u{feff}松山區".as_bytes()), ("松山區".into(), "UTF-8"));
        assert_eq!(round(&BIG5.encode("松山區,寶清段").0), ("松山區,寶清段".into(), "Big5"));
        assert_eq!(round(b""), (String::new(), "UTF-8"));
        assert_eq!(round(b"\xff\xfea\0"), ("a".into(), "UTF-16LE"));
        // One broken byte in a long UTF-8 text does not make it Big5.
        let mut broken = "臺北市大安區".repeat(20).into_bytes();
        broken[7] = 0xff;
        assert_eq!(round(&broken).1, "UTF-8");
    }

    #[test]
    fn portions_do_not_split_characters() {
        let long = "區".repeat(100_000);
        assert_eq!(round(long.as_bytes()).0, long);
        assert_eq!(round(&BIG5.encode(&long).0).0, long);
    }
}
