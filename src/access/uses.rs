//! The ways in which an operation can use a field; each needs a right of its own.

use serde::{Deserialize, Serialize};

/// One way of using a field. Cursors are an `Order` use of the fields they carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Use {
    /// Show it, in full or masked; for a join or a root field, walk it.
    Select,
    /// Narrow rows by it.
    Filter,
    /// Sort by it, page by it.
    Order,
    /// Group by it.
    Group,
    /// Count, sum, minimum, maximum of it; `totalCount` of a root field.
    Aggregate,
    /// Ask yes or no about one value of it.
    Match,
}

impl Use {
    /// All uses, in the order of their bits.
    pub const ALL: [Use; 6] = [Use::Select, Use::Filter, Use::Order, Use::Group, Use::Aggregate, Use::Match];

    /// The word for it in items, records and errors.
    pub fn word(self) -> &'static str {
        match self {
            Use::Select => "select",
            Use::Filter => "filter",
            Use::Order => "order",
            Use::Group => "group",
            Use::Aggregate => "aggregate",
            Use::Match => "match",
        }
    }

    /// The word in Traditional Chinese.
    pub fn word_zh(self) -> &'static str {
        match self {
            Use::Select => "查看",
            Use::Filter => "篩選",
            Use::Order => "排序",
            Use::Group => "分組",
            Use::Aggregate => "統計",
            Use::Match => "比對",
        }
    }
}

/// A set of uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Uses(u8);

impl Uses {
    /// No use at all.
    pub const NONE: Uses = Uses(0);

    /// The set with one more use.
    #[must_use]
    pub fn with(self, one: Use) -> Uses {
        Uses(self.0 | 1 << one as u8)
    }

    /// Whether the set holds that use.
    pub fn has(self, one: Use) -> bool {
        self.0 & (1 << one as u8) != 0
    }

    /// Both sets together.
    #[must_use]
    pub fn union(self, other: Uses) -> Uses {
        Uses(self.0 | other.0)
    }

    /// What both sets hold.
    #[must_use]
    pub fn intersection(self, other: Uses) -> Uses {
        Uses(self.0 & other.0)
    }

    /// The set without those of another.
    #[must_use]
    pub fn without(self, other: Uses) -> Uses {
        Uses(self.0 & !other.0)
    }

    /// Whether the set holds nothing.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The uses held, in order.
    pub fn iter(self) -> impl Iterator<Item = Use> {
        Use::ALL.into_iter().filter(move |one| self.has(*one))
    }

    /// Reads `select,filter`; an unknown word is the error.
    pub fn parse(text: &str) -> Result<Uses, String> {
        let mut uses = Uses::NONE;
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let one = Use::ALL.into_iter().find(|one| one.word() == word).ok_or_else(|| word.to_string())?;
            uses = uses.with(one);
        }
        Ok(uses)
    }
}

impl FromIterator<Use> for Uses {
    fn from_iter<T: IntoIterator<Item = Use>>(iter: T) -> Self {
        iter.into_iter().fold(Uses::NONE, Uses::with)
    }
}

impl std::fmt::Display for Uses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words: Vec<_> = self.iter().map(Use::word).collect();
        f.write_str(&words.join(","))
    }
}
