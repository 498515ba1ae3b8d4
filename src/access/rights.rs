//! What a master form grants, compiled per field; the storing of forms is left to `accounts`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest as _, Sha256};
use time::Date;

use super::decide::{Granted, RowScope};
use super::uses::{Use, Uses};
use crate::catalog::{Catalog, FieldDef, FieldId, FieldKind, Mask, TypeId};

/// One granted item of a master form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Schema coordinate: `Person.name`, `Parcel.ownerships`, `Query.parcels`.
    pub coordinate: String,
    /// Use rights.
    pub uses: Uses,
    /// Shown masked only.
    pub masked: bool,
    /// Row scope: district codes (63000030 …); none means the whole city.
    pub districts: Option<Vec<String>>,
}

/// An item that could not be compiled. It grants nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The item's coordinate.
    pub coordinate: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// The rights of one master form version, as one holder has them.
#[derive(Clone, Debug)]
pub struct FormRights {
    /// Number of the master form, `FIRE-2026-001`.
    pub number: Arc<str>,
    /// Number of the sub-form by which it is held, `FIRE-2026-001/1`.
    pub sub_form: Arc<str>,
    /// Title as people know it.
    pub title: Arc<str>,
    /// Version of the form.
    pub version: u32,
    /// Agency that holds the form.
    pub agency: Arc<str>,
    /// Purposes for which it may be used; a request names one.
    pub purposes: Vec<Arc<str>>,
    /// A request that uses personal data must name a case number.
    pub case_required: bool,
    /// First day of the period.
    pub from: Date,
    /// Last day of the period.
    pub until: Date,
    /// Permission epoch under which it was compiled.
    pub epoch: u64,
    /// The compiled items.
    pub rights: Rights,
}

#[derive(Clone, Copy, Debug, Default)]
struct FieldRight {
    uses: Uses,
    masked: bool,
    scope: u16,
}

/// Compiled rights: one entry per field of the catalogue.
#[derive(Clone, Debug)]
pub struct Rights {
    generation: u64,
    digest: u64,
    fields: Box<[FieldRight]>,
    scopes: Vec<RowScope>,
    /// By type: rows that may be known to exist.
    reach: Box<[RowScope]>,
}

/// Numbers compilations, so that plans made under other rights are never found again.
static GENERATION: AtomicU64 = AtomicU64::new(1);

impl Rights {
    /// Rights to nothing: what everybody has before a form is granted.
    pub fn none(catalog: &Catalog) -> Rights {
        Rights::compile(catalog, &[]).0
    }

    /// Compiles items; those that cannot be compiled are returned and grant nothing.
    pub fn compile(catalog: &Catalog, items: &[Item]) -> (Rights, Vec<Problem>) {
        let mut rights = Rights {
            generation: GENERATION.fetch_add(1, Ordering::Relaxed),
            digest: digest(catalog, items),
            fields: vec![FieldRight::default(); catalog.fields.len()].into(),
            scopes: vec![RowScope::WholeCity],
            reach: Box::default(),
        };
        let mut problems = Vec::new();
        for item in items {
            if let Err(reason) = rights.add(catalog, item) {
                problems.push(Problem { coordinate: item.coordinate.clone(), reason });
            }
        }
        rights.reach = catalog.types.iter().map(|of| rights.reach_of(catalog, of.id)).collect();
        (rights, problems)
    }

    fn reach_of(&self, catalog: &Catalog, of: TypeId) -> RowScope {
        let custodian = |dataset| &catalog.dataset(dataset).custodian;
        let own = custodian(catalog.type_def(of).dataset);
        let granted =
            |field: &&FieldDef| !self.fields[field.id.0 as usize].uses.is_empty() && custodian(field.dataset) == own;
        let fields = catalog.fields.iter().filter(|field| field.owner == of).filter(granted);
        let scopes = fields.map(|field| &self.scopes[self.fields[field.id.0 as usize].scope as usize]);
        let nothing = || {
            let is_led_there =
                catalog.fields.iter().filter(|field| field.kind.target() == Some(of)).any(|field| granted(&field));
            if is_led_there { RowScope::WholeCity } else { RowScope::Districts(Vec::new()) }
        };
        scopes.cloned().reduce(|all, scope| all.or(&scope)).unwrap_or_else(nothing)
    }

    fn add(&mut self, catalog: &Catalog, item: &Item) -> Result<(), &'static str> {
        let id = *catalog.fields_by_coordinate.get(&item.coordinate).ok_or("no such coordinate")?;
        let field = catalog.field(id);
        if item.masked && matches!(field.kind, FieldKind::Column(_)) && field.mask.is_none() {
            return Err("granted masked, but the field has no mask");
        }
        let scope = match &item.districts {
            None => 0,
            Some(districts) => {
                if catalog.type_def(field.owner).scope_column.is_none() {
                    return Err("scoped to districts, but its rows have no district");
                }
                let mut districts = districts.clone();
                districts.sort();
                districts.dedup();
                self.scope_number(RowScope::Districts(districts))
            }
        };
        let right = &mut self.fields[id.0 as usize];
        let differs = right.uses != Uses::NONE && (right.masked != item.masked || right.scope != scope);
        if differs {
            return Err("granted twice with different levels or scopes");
        }
        let uses = if item.masked { item.uses.without(unmasking(field)) } else { item.uses };
        *right = FieldRight { uses: right.uses.union(uses), masked: item.masked, scope };
        Ok(())
    }

    fn scope_number(&mut self, scope: RowScope) -> u16 {
        let number = self.scopes.iter().position(|known| *known == scope).unwrap_or_else(|| {
            self.scopes.push(scope);
            self.scopes.len() - 1
        });
        number as u16
    }

    /// Decides one use of one field: the only door to [`Granted`].
    pub fn decide(&self, field: FieldId, asked: Use) -> Option<Granted> {
        let right = self.fields.get(field.0 as usize)?;
        right.uses.has(asked).then(|| Granted::new(field, asked, right.masked, &self.scopes[right.scope as usize]))
    }

    /// Decides a condition on a column. Yes or no about one value is what the right to match allows, too.
    pub fn decide_condition(&self, field: FieldId, one_value: bool) -> Option<Granted> {
        let matched = || if one_value { self.decide(field, Use::Match) } else { None };
        self.decide(field, Use::Filter).or_else(matched)
    }

    /// The rows of a type that may be known to exist: those that some granted field of it covers. Where its custodian
    /// has granted no field, but a root or a join that leads there: all; otherwise none, whoever lets one walk there.
    pub fn reach(&self, of: TypeId) -> RowScope {
        self.reach.get(of.0 as usize).cloned().unwrap_or(RowScope::Districts(Vec::new()))
    }

    /// Number of this compilation; no two compilations of a process share one.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The same for the same items under the same declarations, on every server: what cursors are bound to.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// The uses granted of a field, for tables and explanations.
    pub fn uses(&self, field: FieldId) -> Uses {
        self.fields.get(field.0 as usize).map_or(Uses::NONE, |right| right.uses)
    }

    /// Whether a field is granted masked only.
    pub fn masked(&self, field: FieldId) -> bool {
        self.fields.get(field.0 as usize).is_some_and(|right| right.masked)
    }
}

/// What would tell more of a field than its mask shows. A day that is shown as its year is compared as its year.
pub fn unmasking(field: &FieldDef) -> Uses {
    match (&field.kind, field.mask) {
        (FieldKind::Column(_), Some(Mask::Year)) => [Use::Order, Use::Group, Use::Aggregate].into_iter().collect(),
        (FieldKind::Column(_), _) => [Use::Filter, Use::Order, Use::Group, Use::Aggregate].into_iter().collect(),
        _ => Uses::NONE,
    }
}

fn digest(catalog: &Catalog, items: &[Item]) -> u64 {
    let mut lines: Vec<String> = items.iter().map(|item| format!("{item:?}")).collect();
    lines.sort();
    let hash = Sha256::new().chain_update(catalog.hash).chain_update(lines.join("\n")).finalize();
    // Eight bytes tell two states of the rights apart; nothing is kept secret by them.
    hash.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}
