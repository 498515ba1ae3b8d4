//! Key files: 32 bytes as 64 hexadecimal digits, readable by the owner alone. Which keys there are is left to `seal`.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::disk::sync_folder_of;

/// The file of a key.
pub fn path(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.key"))
}

/// Reads a key.
pub fn load(folder: &Path, name: &str) -> io::Result<[u8; 32]> {
    let path = path(folder, name);
    let mode = fs::metadata(&path)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(io::Error::other(format!("{} may be read by others: chmod 600 it", path.display())));
    }
    let no_key = || io::Error::other(format!("{} is no key: 64 hexadecimal digits expected", path.display()));
    let text = fs::read_to_string(&path)?;
    let digits = text.trim().as_bytes();
    let mut key = [0u8; 32];
    if digits.len() != 64 {
        return Err(no_key());
    }
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).map_err(|_| no_key())?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| no_key())?;
    }
    Ok(key)
}

/// Writes a key where there is none of that name, and reads what is there then.
pub fn make(folder: &Path, name: &str, key: &[u8; 32]) -> io::Result<[u8; 32]> {
    let path = path(folder, name);
    let digits: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let draft = folder.join(format!(".{name}.{}.new", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    writeln!(file, "{digits}")?;
    file.sync_all()?;
    // A link does not replace: of two processes that make the same key, the second takes the first one's.
    let linked = fs::hard_link(&draft, &path);
    fs::remove_file(&draft)?;
    match linked {
        Ok(()) => sync_folder_of(&path)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    load(folder, name)
}

/// The names of the keys in a folder, sorted.
pub fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        names.extend(name.to_str().and_then(|name| name.strip_suffix(".key")).map(str::to_owned));
    }
    names.sort();
    Ok(names)
}
