//! Segment files: their names, their order, and the one that is being written. When to write is left to
//! `committer`, making files ahead to `keeper`.

use std::collections::HashSet;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::disk::DiskFile;
use super::frame::HEADER;
use crate::config::Audit;

/// File that holds the log's number.
const LOG_ID: &str = "id";

/// Room that stays free for a segment's last frame.
pub const END_ROOM: u64 = 128;

/// The folder of one node's segments.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
    node: String,
}

impl Folder {
    /// The folder of a node's segments within the log's folder.
    pub fn new(log: &Path, node: &str) -> Folder {
        Folder { path: log.join(node), node: node.to_owned() }
    }

    /// Every node that has a folder in the log's folder. What else stands there, such as `lost+found` on a disk of its own,
    /// is not the log's.
    pub fn all(log: &Path) -> io::Result<Vec<Folder>> {
        let mut nodes = Vec::new();
        for entry in std::fs::read_dir(log)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type()?.is_dir() && name != super::log::KEYS && Audit::is_node(&name) {
                nodes.push(Folder::new(log, &name));
            }
        }
        nodes.sort_by(|a, b| a.node.cmp(&b.node));
        Ok(nodes)
    }

    /// The number that tells this log from any other of the same name; none of a log that was begun before it had one.
    pub fn log_id(&self) -> Option<String> {
        let text = std::fs::read_to_string(self.path.join(LOG_ID)).ok()?;
        uuid::Uuid::parse_str(text.trim()).ok().map(|id| id.to_string())
    }

    /// The file that holds the log's number.
    pub fn number_file(&self) -> PathBuf {
        self.path.join(LOG_ID)
    }

    /// Whether anything was ever written here; as far as one may look.
    pub fn has_segments(&self) -> bool {
        self.numbers().map_or(true, |numbers| !numbers.is_empty())
    }

    /// Gives the log its number, if it has none.
    pub fn number(&self, id: uuid::Uuid) -> io::Result<()> {
        if self.log_id().is_some() {
            return Ok(());
        }
        let file = self.number_file();
        if file.exists() && self.has_segments() {
            let told = "holds no number, and the log has records: put the file back from a backup; `cityquery doctor` tells the number";
            return Err(io::Error::other(format!("{} {told}", file.display())));
        }
        let mut options = std::fs::OpenOptions::new();
        let mut written = options.write(true).create(true).truncate(true).mode(0o600).open(file)?;
        written.write_all(format!("{id}\n").as_bytes())?;
        written.sync_all()
    }

    /// The node's name.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// Where the files are.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file of a segment.
    pub fn segment(&self, number: u64) -> PathBuf {
        self.path.join(format!("{}-{number:010}.seg", self.node))
    }

    /// The numbers of the segments that are there, ascending.
    pub fn numbers(&self) -> io::Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for entry in std::fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix(&self.node)?.strip_prefix('-'));
            numbers.extend(number.and_then(|rest| rest.strip_suffix(".seg")?.parse::<u64>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }
}

/// A segment file made ahead, all zeros.
pub struct Prepared {
    /// Its number.
    pub number: u64,
    /// The file.
    pub file: Box<dyn DiskFile>,
    /// Its size.
    pub bytes: u64,
}

/// The segment that is being written.
pub struct Segment {
    /// Its number.
    pub number: u64,
    /// Where the next batch goes.
    pub offset: u64,
    capacity: u64,
    file: Box<dyn DiskFile>,
    blobs: HashSet<[u8; 32]>,
}

impl Segment {
    /// Takes a prepared file into use.
    pub fn begin(prepared: Prepared) -> Segment {
        let Prepared { number, file, bytes } = prepared;
        Segment { number, file, offset: 0, capacity: bytes, blobs: HashSet::new() }
    }

    /// Bytes that still go in behind a batch of that length.
    pub fn room(&self, batch: usize) -> u64 {
        self.capacity.saturating_sub(self.offset + batch as u64 + END_ROOM)
    }

    /// Whether most of it is used: the next one should be there.
    pub fn is_nearly_full(&self) -> bool {
        self.offset > self.capacity / 4 * 3
    }

    /// Makes room for a record that is larger than a whole segment.
    pub fn grow(&mut self, bytes: u64) -> io::Result<()> {
        let capacity = self.offset + bytes + END_ROOM;
        self.file.grow(capacity)?;
        self.capacity = capacity;
        Ok(())
    }

    /// Notes a blob; true when the segment does not hold it yet.
    pub fn is_new(&mut self, hash: &[u8; 32]) -> bool {
        self.blobs.insert(*hash)
    }

    /// Writes a batch and makes it durable under the segment's name. After a failure nothing is known about
    /// the file's pages, so it must not be written again.
    pub fn append(&mut self, batch: &[u8]) -> io::Result<()> {
        let mut written = 0;
        while written < batch.len() {
            match self.file.write_at(&batch[written..], self.offset + written as u64) {
                Ok(0) => return Err(io::Error::new(io::ErrorKind::WriteZero, "the disk takes no more bytes")),
                Ok(bytes) => written += bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.file.sync()?;
        self.file.check(self.capacity)?;
        self.offset += batch.len() as u64;
        Ok(())
    }

    /// Fails when the file is no longer there under its name.
    pub fn check(&self) -> io::Result<()> {
        self.file.check(self.capacity)
    }

    /// Gives back the room behind the last frame.
    pub fn cut(&mut self) -> io::Result<()> {
        self.file.cut(self.offset)
    }
}

/// Bytes that a frame of that payload takes.
pub fn framed(payload: usize) -> u64 {
    (HEADER + payload) as u64
}
