//! Numbers that the importer gives where a file has none, and a table keeps: a row that the table has keeps its
//! number, whatever file it comes in again; a new one gets the lowest that is free. So a file in parts, or a corrected
//! row, makes the table that the whole file makes, and no row takes another one's place.

use std::collections::{HashMap, HashSet};

use super::plan::{ColumnPlan, KeptNumbers, TablePlan};
use crate::store::upsert::{Datum, Session, UpsertError};

/// The numbers of one table.
#[derive(Default)]
pub struct Numbers {
    /// Numbers of rows that this file has not met yet, the lowest last; by their group and what they are known by.
    known: HashMap<(Vec<Datum>, Vec<Datum>), Vec<u32>>,
    groups: HashMap<Vec<Datum>, Group>,
}

#[derive(Default)]
struct Group {
    used: HashSet<u32>,
    /// Every number up to this one is used.
    last: u32,
}

impl Numbers {
    /// Reads those that the table has. Another import that gives numbers there has to wait: it would give the same ones.
    pub async fn read(
        kept: &KeptNumbers,
        table: &TablePlan,
        schema: Option<&str>,
        session: &mut Session,
    ) -> Result<Numbers, UpsertError> {
        let places: Vec<usize> = kept.group.iter().chain(&kept.same).chain([&kept.number]).copied().collect();
        let columns: Vec<&ColumnPlan> = places.iter().map(|at| &table.columns[*at]).collect();
        let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        let mut numbers = Numbers::default();
        session.hold(schema, &table.table).await?;
        for mut row in session.read(schema, &table.table, &names).await? {
            let number = row.pop().flatten().and_then(|text| text.parse().ok());
            let data = row.into_iter().zip(&columns).map(|(text, column)| match text {
                None => Datum::Null,
                // As the file's own values are read, so that they compare equal.
                Some(text) => column.holds.read(&text).unwrap_or(Datum::Text(text)),
            });
            let mut group: Vec<Datum> = data.collect();
            let same = group.split_off(kept.group.len());
            if let Some(number) = number {
                numbers.add(group, same, number);
            }
        }
        numbers.known.values_mut().for_each(|known| known.sort_unstable_by(|a, b| b.cmp(a)));
        Ok(numbers)
    }

    fn add(&mut self, group: Vec<Datum>, same: Vec<Datum>, number: u32) {
        self.groups.entry(group.clone()).or_default().used.insert(number);
        self.known.entry((group, same)).or_default().push(number);
    }

    /// The number of a row. One that will be refused, because nobody can say what it is known by, takes one as well:
    /// the rows after it keep theirs when it is corrected.
    pub fn give(&mut self, group: Vec<Datum>, same: Option<Vec<Datum>>) -> u32 {
        let place = (group, same.unwrap_or_default());
        if let Some(number) = self.known.get_mut(&place).and_then(Vec::pop) {
            return number;
        }
        let group = self.groups.entry(place.0).or_default();
        loop {
            group.last += 1;
            if group.used.insert(group.last) {
                return group.last;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn datum(text: &str) -> Vec<Datum> {
        vec![Datum::Text(text.to_owned())]
    }

    #[test]
    fn rows_keep_their_numbers_and_new_ones_fill_the_gaps() {
        let mut numbers = Numbers::default();
        for (same, number) in [("hall", 4), ("roof", 3), ("hall", 1)] {
            numbers.add(datum("permit"), datum(same), number);
        }
        numbers.known.values_mut().for_each(|known| known.sort_unstable_by(|a, b| b.cmp(a)));
        let mut give = |same: &str| numbers.give(datum("permit"), Some(datum(same)));
        assert_eq!(["roof", "hall", "hall", "hall", "shop"].map(&mut give), [3, 1, 4, 2, 5]);
        assert_eq!(numbers.give(datum("permit"), None), 6);
        assert_eq!(numbers.give(datum("another"), None), 1);
    }
}
