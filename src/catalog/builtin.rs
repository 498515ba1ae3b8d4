//! The declarations that come with the program: five datasets and what they share. Reading more of them
//! from files is left to the caller.

use super::fault::Fault;
use super::model::Catalog;
use super::read::read;

/// The built-in declarations, file name and text, in the order in which datasets are numbered.
pub fn builtin() -> Vec<(String, String)> {
    [
        ("shared.graphql", include_str!("../datasets/shared.graphql")),
        ("household.graphql", include_str!("../datasets/household.graphql")),
        ("land.graphql", include_str!("../datasets/land.graphql")),
        ("building.graphql", include_str!("../datasets/building.graphql")),
        ("zoning.graphql", include_str!("../datasets/zoning.graphql")),
        ("fire.graphql", include_str!("../datasets/fire.graphql")),
    ]
    .map(|(name, text)| (name.to_owned(), text.to_owned()))
    .to_vec()
}

/// The catalogue of the built-in declarations alone.
pub fn load_builtin() -> Result<Catalog, Vec<Fault>> {
    read(&builtin())
}

/// The catalogue of the built-in declarations and further ones, (file name, text) each.
pub fn load_with(further: &[(String, String)]) -> Result<Catalog, Vec<Fault>> {
    let mut files = builtin();
    files.extend_from_slice(further);
    read(&files)
}
