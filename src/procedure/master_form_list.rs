//! Which master forms somebody may see, and loading them: many at once with as few statements as one. What a master form
//! is stands in `master_form`.

use std::collections::{HashMap, HashSet};

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::agency::agency_codes;
use super::difference::{InForce, all_in_force};
use super::entity::application;
use super::item::{Purpose, shown};
use super::master_form::{FormStatus, MasterForm, find_form, unknown};
use super::page::{Page, no_entry};
use super::watch::oversees;
use super::{Act, Fault, Procedure, has_role};
use crate::access::Role;
use crate::accounts::entity::{form_purpose, form_version, master_form};

/// Forms that are loaded at once.
const AT_ONCE: u64 = 200;

impl Procedure {
    /// The master forms that the caller may see, by number: those of one's agency, those with items of one's datasets,
    /// all for the information office, the ethics office and the commission.
    pub async fn master_forms(&self, act: &Act, page: &Page) -> Result<Vec<MasterForm>, Fault> {
        let limit = usize::try_from(page.limit()?).unwrap_or(usize::MAX);
        let mut after = match &page.after {
            // One that the caller may not see is no entry of this list.
            Some(after) => match self.master_form(act, after).await {
                Err(Fault::Refused(_)) => return Err(no_entry(after)),
                found => Some(found?.number),
            },
            None => None,
        };
        let mut forms = Vec::new();
        loop {
            let mut next = master_form::Entity::find().order_by_asc(master_form::Column::Number).limit(AT_ONCE);
            if let Some(after) = &after {
                next = next.filter(master_form::Column::Number.gt(after));
            }
            let rows = next.all(self.db()).await?;
            let Some(last) = rows.last() else { return Ok(forms) };
            after = Some(last.number.clone());
            forms.extend(self.forms_shown(act, rows).await?);
            if forms.len() >= limit {
                forms.truncate(limit);
                return Ok(forms);
            }
        }
    }

    /// One master form.
    pub async fn master_form(&self, act: &Act, number: &str) -> Result<MasterForm, Fault> {
        let form = find_form(self.db(), number).await?;
        self.forms_shown(act, vec![form.row]).await?.pop().ok_or_else(|| unknown(number))
    }

    pub(crate) async fn form_by_id(&self, act: &Act, id: i64) -> Result<MasterForm, Fault> {
        let row = master_form::Entity::find_by_id(id).one(self.db()).await?;
        let row = row.ok_or_else(|| unknown(&id.to_string()))?;
        let number = row.number.clone();
        self.forms_shown(act, vec![row]).await?.pop().ok_or_else(|| unknown(&number))
    }

    /// Those of these forms that the caller may see.
    async fn forms_shown(&self, act: &Act, rows: Vec<master_form::Model>) -> Result<Vec<MasterForm>, Fault> {
        let agencies = agency_codes(self.db(), rows.iter().map(|row| row.agency_id)).await?;
        let mut versions = newest(self.db(), &rows).await?;
        let oversees = oversees(self.db(), act).await?;
        let mut visible = Vec::new();
        for row in rows {
            let (Some(newest), Some(agency)) = (versions.remove(&row.id), agencies.get(&row.agency_id)) else {
                continue;
            };
            if oversees || self.may_see_form(act, agency, &newest) {
                visible.push((row, agency.clone(), newest));
            }
        }
        let ids = visible.iter().map(|(_, _, (version, _))| version.id);
        let mut purposes: HashMap<i64, Vec<Purpose>> = HashMap::new();
        let of_versions = form_purpose::Entity::find().filter(form_purpose::Column::FormVersionId.is_in(ids));
        for row in of_versions.order_by_asc(form_purpose::Column::Id).all(self.db()).await? {
            let of = purposes.entry(row.form_version_id).or_default();
            of.push(Purpose { code: row.code, title: row.title });
        }
        let opened_for = visible.iter().filter_map(|(_, _, (version, _))| version.application_id);
        let applications = application::Entity::find().filter(application::Column::Id.is_in(opened_for));
        let applications: HashMap<i64, String> =
            applications.all(self.db()).await?.into_iter().map(|row| (row.id, row.number)).collect();
        let show = |(row, agency, (version, items)): (master_form::Model, String, InForce)| MasterForm {
            status: match row.status.as_str() {
                "open" if version.valid_until < self.today() => FormStatus::Expired,
                "open" => FormStatus::Open,
                "suspended" => FormStatus::Suspended,
                _ => FormStatus::Closed,
            },
            number: row.number,
            title: row.title,
            agency,
            version: version.version,
            application: version.application_id.and_then(|id| applications.get(&id).cloned()),
            purposes: purposes.remove(&version.id).unwrap_or_default(),
            opened_by: version.opened_by,
            opened_at: version.opened_at,
            legal_basis: version.legal_basis,
            case_required: version.case_required,
            from: version.valid_from,
            until: version.valid_until,
            items: items.iter().map(|item| shown(item, None)).collect(),
        };
        Ok(visible.into_iter().map(show).collect())
    }

    /// Whether the caller sees a form for being of its agency, or of one whose items it holds.
    fn may_see_form(&self, act: &Act, agency: &str, (_, items): &InForce) -> bool {
        let caller = &act.caller;
        let has_items = || items.iter().any(|item| self.custodian_of(&item.coordinate) == Some(&*caller.agency));
        *caller.agency == *agency || has_role(caller, Role::DatabaseAdministrator) && has_items()
    }
}

/// The version of each form that is in force; where none is, the last one without its items.
async fn newest(db: &impl ConnectionTrait, forms: &[master_form::Model]) -> Result<HashMap<i64, InForce>, Fault> {
    let ids: Vec<i64> = forms.iter().map(|form| form.id).collect();
    let mut newest = all_in_force(db, &ids).await?;
    let without: HashSet<i64> = ids.into_iter().filter(|id| !newest.contains_key(id)).collect();
    let rows = form_version::Entity::find().filter(form_version::Column::FormId.is_in(without));
    for row in rows.order_by_asc(form_version::Column::Version).all(db).await? {
        newest.insert(row.form_id, (row, Vec::new()));
    }
    Ok(newest)
}
