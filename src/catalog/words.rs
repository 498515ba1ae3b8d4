//! Names in declarations: which are allowed, how a field name becomes a column name, which known name
//! was meant. What the names stand for is left to `read`.

use super::scalar::Scalar;

impl Scalar {
    /// Kept as text in every database, so that text operators make sense.
    pub fn is_text(self) -> bool {
        match self {
            Scalar::Int | Scalar::Id | Scalar::Boolean | Scalar::Date | Scalar::Decimal => false,
            Scalar::String
            | Scalar::NationalId
            | Scalar::ParcelNumber
            | Scalar::BuildingNumber
            | Scalar::PermitNumber
            | Scalar::AddressKey => true,
        }
    }
}

/// `areaM2` → `area_m2`
pub(super) fn snake_case(name: &str) -> String {
    let mut column = String::with_capacity(name.len() + 4);
    for (i, c) in name.chars().enumerate() {
        if c.is_ascii_uppercase() && i > 0 {
            column.push('_');
        }
        column.push(c.to_ascii_lowercase());
    }
    column
}

/// A name that may stand in the schema. A leading `_` is kept for operators, `__` for introspection.
pub(super) fn is_graphql_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic()) && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// A plain SQL name: it can be quoted on every database without escaping, and PostgreSQL does not cut it.
pub(super) fn is_sql_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    name.len() <= 63
        && bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// The code of a dataset: it is a key in the configuration and part of environment variables.
pub(super) fn is_code(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_lowercase())
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// ` Did you mean "x"?` and its Chinese, or nothing when no known name is close.
pub fn hint<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> (String, String) {
    let limit = (name.chars().count() / 2).max(1);
    let nearest = known.into_iter().map(|known| (distance(name, known), known)).min();
    match nearest {
        Some((distance, known)) if distance <= limit => {
            (format!(" Did you mean \"{known}\"?"), format!("是否為「{known}」？"))
        }
        _ => Default::default(),
    }
}

/// Levenshtein distance, letter case ignored.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.to_lowercase().chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_named_after_fields() {
        for (field, column) in [("parcelNo", "parcel_no"), ("areaM2", "area_m2"), ("share", "share")] {
            assert_eq!(snake_case(field), column);
        }
    }
}
