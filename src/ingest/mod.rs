//! Filling the datasets: importing real files, generating a synthetic city.

pub mod import; // files by mappings
