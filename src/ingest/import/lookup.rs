//! Tables to look values up in, read whole before the first row: sections, villages, permits.

use std::collections::HashMap;

use super::plan::LookupPlan;
use crate::catalog::scalar::parcel_number::section_name_key;
use crate::store::upsert::{Session, UpsertError};

/// A table in memory: matched columns → given columns.
pub struct LookupTable {
    rows: HashMap<Vec<String>, Option<Vec<Option<String>>>>,
    fold: bool,
}

/// What a lookup found.
pub enum Found<'a> {
    /// Nothing.
    None,
    /// The given columns.
    One(&'a [Option<String>]),
    /// More than one row that differ in what they give.
    Several,
}

impl LookupTable {
    /// Reads the table.
    pub async fn read(
        plan: &LookupPlan,
        schema: Option<&str>,
        session: &mut Session,
    ) -> Result<LookupTable, UpsertError> {
        let columns: Vec<String> = plan.matching.iter().chain(&plan.give).cloned().collect();
        let mut table = LookupTable { rows: HashMap::new(), fold: plan.fold };
        for mut row in session.read(schema, &plan.table, &columns).await? {
            let give = row.split_off(plan.matching.len());
            table.add(row.into_iter().map(Option::unwrap_or_default).collect(), give);
        }
        Ok(table)
    }

    /// Whether the table holds nothing that can be found.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn add(&mut self, key: Vec<String>, give: Vec<Option<String>>) {
        if key.iter().all(String::is_empty) {
            return;
        }
        let key = self.folded(key);
        self.rows
            .entry(key)
            .and_modify(|known| {
                if known.as_ref() != Some(&give) {
                    *known = None;
                }
            })
            .or_insert(Some(give));
    }

    fn folded(&self, key: Vec<String>) -> Vec<String> {
        // Codes stay as they are; only names are folded.
        let fold = |part: String| if part.bytes().all(|b| b.is_ascii_digit()) { part } else { section_name_key(&part) };
        if self.fold { key.into_iter().map(fold).collect() } else { key }
    }

    /// The row whose columns equal the key; an empty column equals an empty text, but a key that is empty as a whole
    /// equals nothing.
    pub fn find(&self, key: &[String]) -> Found<'_> {
        let folded = self.fold.then(|| self.folded(key.to_vec()));
        match self.rows.get(folded.as_deref().unwrap_or(key)) {
            None => Found::None,
            Some(None) => Found::Several,
            Some(Some(give)) => Found::One(give),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_names_and_tells_doubles() {
        let mut table = LookupTable { rows: HashMap::new(), fold: true };
        table.add(vec!["舊莊段".into(), "二小段".into()], vec![Some("AD0677".into())]);
        table.add(vec!["新里".into(), "族段".into()], vec![Some("AC0479".into())]);
        table.add(vec!["新里".into(), "族段".into()], vec![Some("AC0498".into())]);
        let key = |a: &str, b: &str| [a.to_owned(), b.to_owned()];
        assert!(matches!(table.find(&key("舊庄段", "2小段")), Found::One([Some(code)]) if code == "AD0677"));
        assert!(matches!(table.find(&key("新里", "族段")), Found::Several));
        assert!(matches!(table.find(&key("無", "")), Found::None));
        table.add(vec![String::new(), String::new()], vec![Some("AA0001".into())]);
        assert!(matches!(table.find(&key("", "")), Found::None));
    }
}
