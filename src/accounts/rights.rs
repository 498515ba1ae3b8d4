//! Who is who and holds what, as every request sees it: a snapshot compiled from the control database under its
//! epoch and swapped whole, so that a request is never decided by half of a change.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use sea_orm::DatabaseConnection;
use time::OffsetDateTime;

use super::rights_read::{self, Source, directory_item_of, item_of};
use super::{AccountsError, epoch};
use crate::access::attenuate::attenuate;
use crate::access::{FormRights, Item, Rights, Role};
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
    pub roles: Arc<[Role]>,
    /// A machine.
    pub machine: bool,
    /// Neither suspended nor closed.
    pub active: bool,
    /// When the password was set; none for machines.
    pub password_set_at: Option<OffsetDateTime>,
}

/// A dataset that nobody may ask now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutOfService {
    /// For good; otherwise it is suspended.
    pub withdrawn: bool,
    /// As it is told to callers.
    pub reason: String,
}

/// A sub-form as its holders see it beside its rights.
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
    /// The items that are held by it.
    pub fn items(&self) -> Vec<Item> {
        self.source.items_held()
    }
}

/// All people and forms at one epoch.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// The epoch it was compiled under.
    pub epoch: u64,
    people: HashMap<Arc<str>, Arc<Person>>,
    sub_forms: HashMap<i64, Arc<HeldForm>>,
    held: HashMap<i64, Vec<Arc<HeldForm>>>,
    out_of_service: HashMap<String, OutOfService>,
}

impl Snapshot {
    /// The account of that name.
    pub fn person(&self, name: &str) -> Option<Arc<Person>> {
        self.people.get(name).cloned()
    }

    /// The sub-forms that an account holds, by number; also those whose period has not begun or is over.
    pub fn held_by(&self, account: i64) -> &[Arc<HeldForm>] {
        self.held.get(&account).map_or(&[], Vec::as_slice)
    }

    /// All accounts.
    pub fn people(&self) -> impl Iterator<Item = &Arc<Person>> {
        self.people.values()
    }

    /// Why a dataset may not be asked now, if it may not.
    pub fn out_of_service(&self, dataset: &str) -> Option<&OutOfService> {
        self.out_of_service.get(dataset)
    }
}

/// Keeps the snapshot.
pub struct RightsStore {
    catalog: Arc<Catalog>,
    current: ArcSwap<Snapshot>,
    reloading: tokio::sync::Mutex<()>,
    /// When the control database was last heard, by those who follow it.
    heard_at: Mutex<Option<Instant>>,
}

impl RightsStore {
    /// Reads the first snapshot.
    pub async fn open(db: &DatabaseConnection, catalog: Arc<Catalog>) -> Result<Self, AccountsError> {
        let store = Self {
            catalog,
            current: ArcSwap::default(),
            reloading: tokio::sync::Mutex::default(),
            heard_at: Mutex::default(),
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
        let at = self.heard_at.lock().unwrap_or_else(PoisonError::into_inner);
        at.is_none_or(|at| at.elapsed() < DEAF_AT_MOST)
    }

    /// Changes have been asked for, and the answer is here. From the first time on they have to be heard again and again.
    pub(super) fn heard(&self) {
        *self.heard_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Reads people and forms again; what has not changed keeps its compiled rights.
    pub async fn reload(&self, db: &DatabaseConnection) -> Result<(), AccountsError> {
        let _one_at_a_time = self.reloading.lock().await;
        // Read before the rows: a change in between makes the next poll read again, never be missed.
        let epoch = epoch::read(db).await?.rights;
        let people = rights_read::people(db).await?;
        let out_of_service = rights_read::out_of_service(db).await?;
        let mut snapshot = Snapshot { epoch, people, out_of_service, ..Snapshot::default() };
        let known = self.current.load_full();
        let members = rights_read::members(db).await?;
        for source in rights_read::forms(db).await? {
            let (id, users) = (source.sub_form.id, source.sub_form.user_group_id);
            let form = match known.sub_forms.get(&id) {
                Some(form) if form.source == source => Arc::clone(form),
                _ => Arc::new(self.compile(source, epoch)),
            };
            for member in members.get(&users).into_iter().flatten() {
                snapshot.held.entry(*member).or_default().push(Arc::clone(&form));
            }
            snapshot.sub_forms.insert(id, form);
        }
        for forms in snapshot.held.values_mut() {
            forms.sort_by(|a, b| a.rights.sub_form.cmp(&b.rights.sub_form));
        }
        self.current.store(Arc::new(snapshot));
        Ok(())
    }

    fn compile(&self, source: Source, epoch: u64) -> HeldForm {
        let items = source.items_held();
        let (rights, problems) = Rights::compile(&self.catalog, &items);
        for problem in problems {
            // A dataset that is gone takes its items with it; everything else on the form still holds.
            tracing::warn!(form = %source.sub_form.number, coordinate = %problem.coordinate, reason = problem.reason,
                "an item grants nothing");
        }
        let purposes: Vec<(Arc<str>, String)> =
            source.purposes.iter().map(|row| (row.code.as_str().into(), row.title.clone())).collect();
        let rights = FormRights {
            number: source.form.number.as_str().into(),
            sub_form: source.sub_form.number.as_str().into(),
            title: source.form.title.as_str().into(),
            version: u32::try_from(source.version.version).unwrap_or(0),
            agency: source.agency.as_str().into(),
            purposes: purposes.iter().map(|(code, _)| Arc::clone(code)).collect(),
            case_required: source.version.case_required,
            from: source.version.valid_from.max(source.sub_form.valid_from),
            until: source.version.valid_until.min(source.sub_form.valid_until),
            epoch,
            rights,
        };
        HeldForm { rights: Arc::new(rights), purposes, source }
    }
}

impl Source {
    fn items_held(&self) -> Vec<Item> {
        let master: Vec<Item> = self.items.iter().filter_map(item_of).collect();
        let directory: Vec<Item> = self.directory.iter().filter_map(directory_item_of).collect();
        attenuate(&master, &directory)
    }
}
