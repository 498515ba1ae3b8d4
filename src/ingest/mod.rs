//! Filling the datasets: importing real files, generating a synthetic city.

pub mod generate; // a city of made-up people
pub mod import; // files by mappings
