//! Fetches the texts of further declaration files. What they say is left to `catalog`.

use super::{ConfigError, Declarations};

impl Declarations {
    /// (file name, text) of every file in `catalog.declarations`, all unreadable ones reported at once.
    pub fn texts(&self) -> Result<Vec<(String, String)>, ConfigError> {
        let mut texts = Vec::new();
        let mut faults = Vec::new();
        for file in &self.declarations {
            match std::fs::read_to_string(file) {
                Ok(text) => texts.push((file.display().to_string(), text)),
                Err(error) => faults.push(format!("catalog.declarations: {}: {error}", file.display())),
            }
        }
        if faults.is_empty() { Ok(texts) } else { Err(ConfigError { faults }) }
    }
}
