//! Who is who and holds what, as every request sees it: a snapshot compiled from the control database under its
//! epoch and swapped whole, so that a request is never decided by half of a change.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder};
use time::OffsetDateTime;

use super::entity::{account, account_role, agency, form_holder, form_item, form_purpose, form_version, master_form};
use super::{AccountsError, epoch};
use crate::access::{FormRights, Item, Rights, Uses};
use crate::catalog::Catalog;

/// How long the control database may fail to answer before requests are refused: a revoked right must not live on
/// because nobody could hear of it.
const DEAF_AT_MOST: Duration = Duration::from_secs(5);

/// An account as requests see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Number of the account.
    pub id: i64,
    /// `fire.officer`
    pub name: Arc<str>,
    /// Code of the agency.
    pub agency: Arc<str>,
    /// Name of the agency.
    pub agency_title: Arc<str>,
    /// Function.
    pub title: Arc<str>,
    /// Roles in the procedure.
    pub roles: Vec<String>,
    /// A machine.
    pub machine: bool,
    /// Neither suspended nor closed.
    pub active: bool,
    /// When the password was set; none for machines.
    pub password_set_at: Option<OffsetDateTime>,
}

/// A form as its holders see it beside its rights.
#[derive(Debug)]
pub struct HeldForm {
    /// What it grants.
    pub rights: Arc<FormRights>,
    /// Purposes with their titles.
    pub purposes: Vec<(Arc<str>, String)>,
    /// What it was compiled from; the same again needs no compiling.
    source: Source,
}

impl HeldForm {
    /// The items as they are stored.
    pub fn items(&self) -> Vec<Item> {
        self.source.items.iter().filter_map(item_of).collect()
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Source {
    version: form_version::Model,
    form: master_form::Model,
    agency: String,
    purposes: Vec<form_purpose::Model>,
    items: Vec<form_item::Model>,
}

/// All people and forms at one epoch.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// The epoch it was compiled under.
    pub epoch: u64,
    people: HashMap<Arc<str>, Arc<Person>>,
    forms: HashMap<i64, Arc<HeldForm>>,
    held: HashMap<i64, Vec<Arc<HeldForm>>>,
}

impl Snapshot {
    /// The account of that name.
    pub fn person(&self, name: &str) -> Option<Arc<Person>> {
        self.people.get(name).cloned()
    }

    /// The forms that an account holds, by number; also those whose period has not begun or is over.
    pub fn held_by(&self, account: i64) -> &[Arc<HeldForm>] {
        self.held.get(&account).map_or(&[], Vec::as_slice)
    }
}

/// Keeps the snapshot.
pub struct RightsStore {
    catalog: Arc<Catalog>,
    current: ArcSwap<Snapshot>,
    reloading: tokio::sync::Mutex<()>,
    deaf_since: Mutex<Option<Instant>>,
}

impl RightsStore {
    /// Reads the first snapshot.
    pub async fn open(db: &DatabaseConnection, catalog: Arc<Catalog>) -> Result<Self, AccountsError> {
        let store = Self {
            catalog,
            current: ArcSwap::default(),
            reloading: tokio::sync::Mutex::default(),
            deaf_since: Mutex::default(),
        };
        store.reload(db).await?;
        Ok(store)
    }

    /// The snapshot of this moment.
    pub fn current(&self) -> arc_swap::Guard<Arc<Snapshot>> {
        self.current.load()
    }

    /// What the forms are compiled against.
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// Whether changes still reach this server.
    pub fn hears(&self) -> bool {
        let since = self.deaf_since.lock().unwrap_or_else(PoisonError::into_inner);
        since.is_none_or(|since| since.elapsed() < DEAF_AT_MOST)
    }

    pub(super) fn answered(&self) {
        *self.deaf_since.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(super) fn failed(&self) {
        self.deaf_since.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(Instant::now);
    }

    /// Reads people and forms again; what has not changed keeps its compiled rights.
    pub async fn reload(&self, db: &DatabaseConnection) -> Result<(), AccountsError> {
        let _one_at_a_time = self.reloading.lock().await;
        // Read before the rows: a change in between makes the next poll read again, never be missed.
        let epoch = epoch::read(db).await?.rights;
        let mut snapshot = Snapshot { epoch, people: read_people(db).await?, ..Snapshot::default() };
        let known = self.current.load_full();
        for (id, source) in read_forms(db).await? {
            let form = match known.forms.get(&id) {
                Some(form) if form.source == source => Arc::clone(form),
                _ => Arc::new(self.compile(source, epoch)),
            };
            snapshot.forms.insert(id, form);
        }
        for holder in form_holder::Entity::find().all(db).await? {
            if let Some(form) = snapshot.forms.get(&holder.form_id) {
                snapshot.held.entry(holder.account_id).or_default().push(Arc::clone(form));
            }
        }
        for forms in snapshot.held.values_mut() {
            forms.sort_by(|a, b| a.rights.number.cmp(&b.rights.number));
        }
        self.current.store(Arc::new(snapshot));
        Ok(())
    }

    fn compile(&self, source: Source, epoch: u64) -> HeldForm {
        let items: Vec<Item> = source.items.iter().filter_map(item_of).collect();
        let (rights, problems) = Rights::compile(&self.catalog, &items);
        for problem in problems {
            // A dataset that is gone takes its items with it; everything else on the form still holds.
            tracing::warn!(form = %source.form.number, coordinate = %problem.coordinate, reason = problem.reason,
                "an item grants nothing");
        }
        let purposes: Vec<(Arc<str>, String)> =
            source.purposes.iter().map(|row| (row.code.as_str().into(), row.title.clone())).collect();
        let rights = FormRights {
            number: source.form.number.as_str().into(),
            title: source.form.title.as_str().into(),
            version: u32::try_from(source.version.version).unwrap_or(0),
            agency: source.agency.as_str().into(),
            purposes: purposes.iter().map(|(code, _)| Arc::clone(code)).collect(),
            case_required: source.version.case_required,
            from: source.version.valid_from,
            until: source.version.valid_until,
            epoch,
            rights,
        };
        HeldForm { rights: Arc::new(rights), purposes, source }
    }
}

fn item_of(row: &form_item::Model) -> Option<Item> {
    // Written by `Uses::to_string`; a word of a later version grants nothing here.
    let uses = Uses::parse(&row.uses).ok()?;
    let districts = row.districts.as_ref().map(|codes| codes.split(',').map(str::to_owned).collect());
    Some(Item { coordinate: row.coordinate.clone(), uses, masked: row.masked, districts })
}

async fn read_people(db: &DatabaseConnection) -> Result<HashMap<Arc<str>, Arc<Person>>, AccountsError> {
    let agencies: HashMap<i64, agency::Model> =
        agency::Entity::find().all(db).await?.into_iter().map(|row| (row.id, row)).collect();
    let mut roles: HashMap<i64, Vec<String>> = HashMap::new();
    for row in account_role::Entity::find().order_by_asc(account_role::Column::Id).all(db).await? {
        roles.entry(row.account_id).or_default().push(row.role);
    }
    let mut people = HashMap::new();
    for row in account::Entity::find().all(db).await? {
        let agency = agencies.get(&row.agency_id);
        let name: Arc<str> = row.name.as_str().into();
        let person = Person {
            id: row.id,
            name: Arc::clone(&name),
            agency: agency.map_or("-", |agency| agency.code.as_str()).into(),
            agency_title: agency.map_or("-", |agency| agency.title.as_str()).into(),
            title: row.title.as_str().into(),
            roles: roles.remove(&row.id).unwrap_or_default(),
            machine: row.kind == "client",
            active: row.status == "active",
            password_set_at: row.password_set_at,
        };
        people.insert(name, Arc::new(person));
    }
    Ok(people)
}

/// The versions in force of all open forms, by number of the form.
async fn read_forms(db: &DatabaseConnection) -> Result<Vec<(i64, Source)>, AccountsError> {
    let versions: Vec<form_version::Model> =
        form_version::Entity::find().filter(form_version::Column::Status.eq("open")).all(db).await?;
    let forms = master_form::Entity::find().filter(master_form::Column::Status.eq("open")).all(db).await?;
    let mut forms: HashMap<i64, master_form::Model> = forms.into_iter().map(|row| (row.id, row)).collect();
    let agencies = agency::Entity::find().all(db).await?;
    let agencies: HashMap<i64, String> = agencies.into_iter().map(|row| (row.id, row.code)).collect();
    let ids: Vec<i64> = versions.iter().map(|row| row.id).collect();
    let mut purposes: HashMap<i64, Vec<form_purpose::Model>> = HashMap::new();
    let of_versions = form_purpose::Column::FormVersionId.is_in(ids.iter().copied());
    let rows = form_purpose::Entity::find().filter(of_versions).order_by_asc(form_purpose::Column::Id);
    for row in rows.all(db).await? {
        purposes.entry(row.form_version_id).or_default().push(row);
    }
    let mut items: HashMap<i64, Vec<form_item::Model>> = HashMap::new();
    let of_versions = form_item::Column::FormVersionId.is_in(ids);
    for row in form_item::Entity::find().filter(of_versions).order_by_asc(form_item::Column::Id).all(db).await? {
        items.entry(row.form_version_id).or_default().push(row);
    }
    let mut sources = Vec::new();
    for version in versions {
        let Some(form) = forms.remove(&version.form_id) else { continue };
        let agency = agencies.get(&form.agency_id).cloned().unwrap_or_else(|| "-".to_owned());
        let (purposes, items) =
            (purposes.remove(&version.id).unwrap_or_default(), items.remove(&version.id).unwrap_or_default());
        sources.push((form.id, Source { version, form, agency, purposes, items }));
    }
    Ok(sources)
}
