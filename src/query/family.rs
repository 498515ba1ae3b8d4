//! Which rows belong to which parent: rows of one statement for all parents, put in families by their keys.

use std::hash::{BuildHasher, Hash};

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use crate::store::rows::{Cell, Rows};

/// The children of each parent row, in the children's order.
#[derive(Debug, Default)]
pub struct Families {
    ends: Vec<u32>,
    children: Vec<u32>,
}

impl Families {
    /// The children of a parent's row.
    pub fn of(&self, parent: usize) -> &[u32] {
        let Some(end) = self.ends.get(parent) else { return &[] };
        let start = if parent == 0 { 0 } else { self.ends[parent - 1] };
        &self.children[start as usize..*end as usize]
    }

    /// How often each child stands in the answer, from how often each parent does: a row is loaded once and written under
    /// every parent that it belongs to.
    pub fn times(&self, parents: &[u32], children: usize) -> Vec<u32> {
        let mut times = vec![0_u32; children];
        for (parent, often) in parents.iter().enumerate() {
            for child in self.of(parent) {
                times[*child as usize] = times[*child as usize].saturating_add(*often);
            }
        }
        times
    }

    fn close(&mut self) {
        self.ends.push(self.children.len() as u32);
    }
}

#[derive(PartialEq, Eq, Hash)]
enum Key<'r> {
    Int(i64),
    Text(&'r str),
}

fn key(rows: &Rows, row: usize, column: usize) -> Option<Key<'_>> {
    match rows.cell(row, column) {
        Cell::Null | Cell::Unreadable => None,
        Cell::Int(value) => Some(Key::Int(value)),
        Cell::Bool(value) => Some(Key::Int(value.into())),
        Cell::Text(start, length) => Some(Key::Text(rows.text(start, length))),
    }
}

fn hash(key: &Key) -> u64 {
    FxBuildHasher.hash_one(key)
}

/// The first row of each distinct key that is not null.
pub fn distinct(rows: &Rows, column: usize) -> impl Iterator<Item = usize> {
    let index = Index::new(rows, column);
    let mut first: Vec<usize> = index.table.iter().map(|entry| entry.first as usize).collect();
    first.sort_unstable();
    first.into_iter()
}

#[derive(Clone, Copy)]
struct Entry {
    first: u32,
    last: u32,
}

/// Rows by key, those of one key chained in order.
struct Index<'r> {
    rows: &'r Rows,
    column: usize,
    table: HashTable<Entry>,
    next: Vec<u32>,
}

const END: u32 = u32::MAX;

impl<'r> Index<'r> {
    fn new(rows: &'r Rows, column: usize) -> Index<'r> {
        let mut table: HashTable<Entry> = HashTable::with_capacity(rows.len());
        let mut next = vec![END; rows.len()];
        for row in 0..rows.len() {
            let Some(own) = key(rows, row, column) else { continue };
            let hashed = hash(&own);
            let same = |entry: &Entry| key(rows, entry.first as usize, column).as_ref() == Some(&own);
            match table.find_mut(hashed, same) {
                Some(entry) => {
                    next[entry.last as usize] = row as u32;
                    entry.last = row as u32;
                }
                None => {
                    let rehash =
                        |entry: &Entry| key(rows, entry.first as usize, column).map_or(0, |known| hash(&known));
                    table.insert_unique(hashed, Entry { first: row as u32, last: row as u32 }, rehash);
                }
            }
        }
        Index { rows, column, table, next }
    }

    fn find(&self, wanted: &Key) -> impl Iterator<Item = u32> + '_ {
        let same = |entry: &Entry| key(self.rows, entry.first as usize, self.column).as_ref() == Some(wanted);
        let mut at = self.table.find(hash(wanted), same).map_or(END, |entry| entry.first);
        std::iter::from_fn(move || {
            let found = (at != END).then_some(at)?;
            at = self.next[found as usize];
            Some(found)
        })
    }
}

/// Children whose key equals the parent's, in their own order or by a column with their numbers. None where the families
/// hold more than `most` in all.
pub fn by_key(
    parents: &Rows,
    column: usize,
    children: &Rows,
    own: usize,
    by_number: Option<usize>,
    most: usize,
) -> Option<Families> {
    let index = Index::new(children, own);
    let mut families =
        Families { ends: Vec::with_capacity(parents.len()), children: Vec::with_capacity(children.len()) };
    for parent in 0..parents.len() {
        let start = families.children.len();
        if let Some(wanted) = key(parents, parent, column) {
            families.children.extend(index.find(&wanted));
        }
        if let Some(number) = by_number {
            families.children[start..].sort_unstable_by_key(|child| children.int(*child as usize, number));
        }
        if families.children.len() > most {
            return None;
        }
        families.close();
    }
    Some(families)
}

/// Children tied to the parent by link rows (first column the parent's key, second the child's), cut to a page of
/// (offset, first) for each parent. None where a parent has more than `most`, or all together.
pub fn through(
    parents: &Rows,
    column: usize,
    links: &Rows,
    children: &Rows,
    own: usize,
    page: Option<(usize, usize)>,
    most: usize,
) -> Option<Families> {
    let (link_index, index) = (Index::new(links, 0), Index::new(children, own));
    let mut families = Families::default();
    let mut mine = Vec::new();
    for parent in 0..parents.len() {
        mine.clear();
        if let Some(wanted) = key(parents, parent, column) {
            for link in link_index.find(&wanted) {
                if let Some(far) = key(links, link as usize, 1) {
                    mine.extend(index.find(&far));
                }
                if mine.len() > most {
                    return None;
                }
            }
        }
        mine.sort_unstable();
        let (offset, first) = page.unwrap_or((0, usize::MAX));
        families.children.extend(mine.iter().skip(offset).take(first));
        if families.children.len() > most {
            return None;
        }
        families.close();
    }
    Some(families)
}
