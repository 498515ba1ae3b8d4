//! Where the city's published files are, for the tests that read them. They are not in the repository: set
//! CITYQUERY_REAL_DATA, or put them in `../shared/data/real`. A test without them says so and passes.

use std::path::PathBuf;

/// The file of that name, if the published files are here.
pub fn find(name: &str) -> Option<PathBuf> {
    let folder = match std::env::var_os("CITYQUERY_REAL_DATA") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data/real"),
    };
    let path = folder.join(name);
    if path.is_file() {
        return Some(path);
    }
    eprintln!("SKIPPED, nothing was tested: no {} (set CITYQUERY_REAL_DATA)", path.display());
    None
}
