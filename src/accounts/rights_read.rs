//! Reads people, forms and dataset states from the control database for `rights`: rows in, nothing decided.

use std::collections::HashMap;
use std::sync::Arc;

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use super::AccountsError;
use super::entity::{
    account, account_role, agency, dataset_state, directory_item, form_item, form_purpose, form_version, master_form,
    sub_form, user_group_member,
};
use super::rights::{OutOfService, Person};
use crate::access::{Item, Role, Uses};

/// What the rights of one sub-form are compiled from.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) version: form_version::Model,
    pub(super) form: master_form::Model,
    pub(super) agency: String,
    pub(super) purposes: Vec<form_purpose::Model>,
    pub(super) items: Arc<Vec<form_item::Model>>,
    pub(super) sub_form: sub_form::Model,
    pub(super) directory: Vec<directory_item::Model>,
}

/// An item as it is stored with a form.
pub fn item_of(row: &form_item::Model) -> Option<Item> {
    item(&row.coordinate, &row.uses, row.masked, row.districts.as_deref())
}

/// An item as it is stored with a directory group.
pub fn directory_item_of(row: &directory_item::Model) -> Option<Item> {
    item(&row.coordinate, &row.uses, row.masked, row.districts.as_deref())
}

/// Reads an item; one with a word of a later version grants nothing here.
pub fn item(coordinate: &str, uses: &str, masked: bool, districts: Option<&str>) -> Option<Item> {
    // Written by `Uses::to_string`.
    let uses = Uses::parse(uses).ok()?;
    let districts = districts.map(|codes| codes.split(',').map(str::to_owned).collect());
    Some(Item { coordinate: coordinate.to_owned(), uses, masked, districts })
}

/// All accounts by name.
pub(super) async fn people(db: &impl ConnectionTrait) -> Result<HashMap<Arc<str>, Arc<Person>>, AccountsError> {
    let agencies: HashMap<i64, agency::Model> =
        agency::Entity::find().all(db).await?.into_iter().map(|row| (row.id, row)).collect();
    let mut roles: HashMap<i64, Vec<Role>> = HashMap::new();
    for row in account_role::Entity::find().order_by_asc(account_role::Column::Id).all(db).await? {
        // A role that this version does not know gives nothing.
        roles.entry(row.account_id).or_default().extend(Role::parse(&row.role));
    }
    let mut people = HashMap::new();
    for row in account::Entity::find().all(db).await? {
        let agency = agencies.get(&row.agency_id);
        let name: Arc<str> = row.name.as_str().into();
        let machine = row.kind == "client";
        let mut roles = roles.remove(&row.id).unwrap_or_default();
        if machine && roles.is_empty() {
            roles.push(Role::MachineClient);
        }
        let person = Person {
            id: row.id,
            name: Arc::clone(&name),
            agency: agency.map_or("-", |agency| agency.code.as_str()).into(),
            agency_title: agency.map_or("-", |agency| agency.title.as_str()).into(),
            title: row.title.as_str().into(),
            roles: roles.into(),
            machine,
            active: row.status == "active",
            password_set_at: row.password_set_at,
        };
        people.insert(name, Arc::new(person));
    }
    Ok(people)
}

/// The open sub-forms of open master forms with the version in force.
pub(super) async fn forms(db: &impl ConnectionTrait) -> Result<Vec<Source>, AccountsError> {
    let versions = form_version::Entity::find().filter(form_version::Column::Status.eq("open")).all(db).await?;
    let forms = master_form::Entity::find().filter(master_form::Column::Status.eq("open")).all(db).await?;
    let forms: HashMap<i64, master_form::Model> = forms.into_iter().map(|row| (row.id, row)).collect();
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
    let mut by_form = HashMap::new();
    for version in versions {
        let items = Arc::new(items.remove(&version.id).unwrap_or_default());
        by_form.insert(version.form_id, (version, items));
    }
    let (sub_forms, mut directories) = (open_sub_forms(db).await?, directories(db).await?);
    let mut sources = Vec::new();
    for sub_form in sub_forms {
        let (Some(form), Some((version, items))) = (forms.get(&sub_form.form_id), by_form.get(&sub_form.form_id))
        else {
            continue;
        };
        sources.push(Source {
            purposes: purposes.get(&version.id).cloned().unwrap_or_default(),
            version: version.clone(),
            agency: agencies.get(&form.agency_id).cloned().unwrap_or_else(|| "-".to_owned()),
            form: form.clone(),
            items: Arc::clone(items),
            directory: directories.get_mut(&sub_form.directory_group_id).cloned().unwrap_or_default(),
            sub_form,
        });
    }
    Ok(sources)
}

async fn open_sub_forms(db: &impl ConnectionTrait) -> Result<Vec<sub_form::Model>, AccountsError> {
    let open = sub_form::Entity::find().filter(sub_form::Column::Status.eq("open"));
    Ok(open.order_by_asc(sub_form::Column::Id).all(db).await?)
}

async fn directories(db: &impl ConnectionTrait) -> Result<HashMap<i64, Vec<directory_item::Model>>, AccountsError> {
    let mut directories: HashMap<i64, Vec<directory_item::Model>> = HashMap::new();
    for row in directory_item::Entity::find().order_by_asc(directory_item::Column::Id).all(db).await? {
        directories.entry(row.group_id).or_default().push(row);
    }
    Ok(directories)
}

/// User group → its members of today.
pub(super) async fn members(db: &impl ConnectionTrait) -> Result<HashMap<i64, Vec<i64>>, AccountsError> {
    let present = user_group_member::Entity::find().filter(user_group_member::Column::RemovedAt.is_null());
    let mut members: HashMap<i64, Vec<i64>> = HashMap::new();
    for row in present.order_by_asc(user_group_member::Column::Id).all(db).await? {
        members.entry(row.group_id).or_default().push(row.account_id);
    }
    Ok(members)
}

/// Datasets that nobody may ask now.
pub(super) async fn out_of_service(db: &impl ConnectionTrait) -> Result<HashMap<String, OutOfService>, AccountsError> {
    let closed = dataset_state::Entity::find().filter(dataset_state::Column::Status.ne("active"));
    let rows = closed.all(db).await?;
    let read = |row: dataset_state::Model| {
        (row.code, OutOfService { withdrawn: row.status == "withdrawn", reason: row.reason })
    };
    Ok(rows.into_iter().map(read).collect())
}
