//! The text of a CSV file on its way to the parser: lines end in `\n` whatever ended them, the last one too, and
//! quotes are followed, because the parser takes the end of a file for the end of an open quote.

use std::io::{self, ErrorKind, Read};

/// Where in a field the text is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before its first character: a quote here opens it.
    Start,
    /// Outside quotes: a quote here stands for itself.
    Plain,
    /// Inside the quotes that were opened on this line.
    Quoted(u64),
    /// Behind a quote inside quotes: it closed them, or the next one doubles it.
    Closing(u64),
}

/// Reads CSV text and follows it.
pub struct CsvText<R> {
    inner: R,
    delimiter: u8,
    place: Place,
    line: u64,
    last: u8,
    ended: bool,
}

impl<R: Read> CsvText<R> {
    /// Over a reader of UTF-8.
    pub fn new(inner: R, delimiter: u8) -> Self {
        CsvText { inner, delimiter, place: Place::Start, line: 1, last: b'\n', ended: false }
    }

    fn follow(&mut self, byte: u8) -> io::Result<()> {
        let ends_field = byte == self.delimiter || byte == b'\n';
        self.place = match (self.place, byte) {
            (Place::Start, b'"') => Place::Quoted(self.line),
            (Place::Quoted(opened), b'"') => Place::Closing(opened),
            (Place::Quoted(opened), _) => Place::Quoted(opened),
            (Place::Closing(opened), b'"') => Place::Quoted(opened),
            (_, _) if ends_field => Place::Start,
            // On one line it is a slip in one cell; over several, the rows between would be gone in it.
            (Place::Closing(opened), _) if opened < self.line => {
                let text = format!("a quote opened on line {opened} is closed on line {}, before more text", self.line);
                return Err(io::Error::new(ErrorKind::InvalidData, text));
            }
            (_, _) => Place::Plain,
        };
        self.line += u64::from(byte == b'\n');
        Ok(())
    }

    fn end(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if let Place::Quoted(opened) = self.place {
            let text = format!("a quote opened on line {opened} is never closed");
            return Err(io::Error::new(ErrorKind::InvalidData, text));
        }
        self.ended = true;
        if matches!(self.last, b'\n' | b'\r') {
            return Ok(0);
        }
        out[0] = b'\n';
        Ok(1)
    }
}

impl<R: Read> Read for CsvText<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while !self.ended && !out.is_empty() {
            let read = self.inner.read(out)?;
            if read == 0 {
                return self.end(out);
            }
            let mut kept = 0;
            for at in 0..read {
                let byte = out[at];
                let before = std::mem::replace(&mut self.last, byte);
                if (before, byte) == (b'\r', b'\n') {
                    continue;
                }
                out[kept] = if byte == b'\r' { b'\n' } else { byte };
                self.follow(out[kept])?;
                kept += 1;
            }
            if kept > 0 {
                return Ok(kept);
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> io::Result<String> {
        let mut all = String::new();
        CsvText::new(text.as_bytes(), b',').read_to_string(&mut all).map(|_| all)
    }

    #[test]
    fn ends_lines_one_way() {
        for text in ["a\nb\n", "a\r\nb\r\n", "a\rb\r", "a\rb", "a\r\nb"] {
            assert_eq!(read(text).unwrap(), "a\nb\n", "{text:?}");
        }
        assert_eq!(read("").unwrap(), "");
        assert_eq!(read("\n\r\n\r").unwrap(), "\n\n\n");
    }

    #[test]
    fn follows_quotes() {
        for sound in ["\"a\"\"\nb\",\"\"\n", "a\"b,c\n", "\"a\"b,c\n", "a,\"b\"", "\"a\nb\"\n"] {
            assert!(read(sound).is_ok(), "{sound:?}");
        }
        let fault = |text: &str| read(text).unwrap_err().to_string();
        assert_eq!(fault("a,b\nc,\"d\ne,f\n"), "a quote opened on line 2 is never closed");
        assert_eq!(fault("a,\"b\nc,\"d\"\n"), "a quote opened on line 1 is closed on line 2, before more text");
    }
}
