//! The reject file: every refused row, and every field that was left empty, with its line and the reason. It may
//! hold personal data, so only its owner can read it. Without anything to say there is no file.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::row::Complaint;

const HEADER: [&str; 8] = ["file", "line", "field", "value", "reason", "records", "effect", "原因"];

/// What a complaint led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The row is not imported.
    Rejected,
    /// The row is imported without this field.
    LeftEmpty,
    /// The row is imported, but for what an earlier row of the file says otherwise.
    FirstStays,
    /// The row is imported, but for what its table says otherwise.
    TableStays,
}

/// The reject file of one imported file.
pub struct Rejects {
    path: PathBuf,
    file: String,
    writer: Option<csv::Writer<File>>,
}

impl Rejects {
    /// Made when the first line is written. A file of an earlier run is removed, so that what is there is of this one;
    /// `taken` are those of this one, which stay: two imported files may have one name.
    pub fn begin(folder: &Path, imported: &Path, taken: &mut Vec<PathBuf>) -> std::io::Result<Rejects> {
        let name = imported.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let numbered = (2..).map(|number| folder.join(format!("{name}.{number}.rejects.csv")));
        let path = [folder.join(format!("{name}.rejects.csv"))]
            .into_iter()
            .chain(numbered)
            .find(|path| !taken.contains(path))
            .unwrap_or_default();
        taken.push(path.clone());
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        Ok(Rejects { path, file: name, writer: None })
    }

    /// Writes one line.
    pub fn write(&mut self, line: u64, records: &str, complaint: &Complaint, effect: Effect) -> std::io::Result<()> {
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => {
                let mut writer = csv::Writer::from_writer(create(&self.path)?);
                writer.write_record(HEADER)?;
                self.writer.insert(writer)
            }
        };
        let effect = match effect {
            Effect::Rejected => "rejected",
            Effect::LeftEmpty => "left empty",
            Effect::FirstStays => "first stays",
            Effect::TableStays => "table stays",
        };
        let Complaint { field, value, reason, reason_zh } = complaint;
        let line = line.to_string();
        writer.write_record([&self.file, &line, field, value, reason, records, effect, reason_zh])?;
        Ok(())
    }

    /// Its path, if anything was written.
    pub fn finish(mut self) -> std::io::Result<Option<PathBuf>> {
        match &mut self.writer {
            None => Ok(None),
            Some(writer) => writer.flush().map(|()| Some(self.path)),
        }
    }
}

fn create(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
