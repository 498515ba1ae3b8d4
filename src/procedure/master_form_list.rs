//! Which master forms somebody may see, and loading them: many at once with as few statements as one. What a master form
//! is stands in `master_form`.

use std::collections::{HashMap, HashSet};

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::agency::{agency_codes, get_agency};
use super::difference::{InForce, all_in_force};
use super::entity::application;
use super::item::{Purpose, shown};
use super::master_form::{FormStatus, MasterForm, find_form, unknown};
use super::page::{Page, no_entry};
use super::watch::oversees;
use super::{Act, Fault, Procedure, has_role};
use crate::access::Role;
use crate::accounts::entity::{form_item, form_purpose, form_version, master_form};

/// Forms that are loaded at once.
const AT_ONCE: u64 = 200;

impl Procedure {
    /// The master forms that the caller may see, by number: those of one's agency, those that hold or have held items of
    /// one's datasets, all for the information office, the ethics office and the commission.
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
            forms.extend(self.forms_shown(self.forms_seen(act, rows).await?).await?);
            if forms.len() >= limit {
                forms.truncate(limit);
                return Ok(forms);
            }
        }
    }

    /// One master form.
    pub async fn master_form(&self, act: &Act, number: &str) -> Result<MasterForm, Fault> {
        let form = find_form(self.db(), number).await?;
        let seen = self.forms_seen(act, vec![form.row]).await?;
        self.forms_shown(seen).await?.pop().ok_or_else(|| unknown(number))
    }

    /// The form as the answer of a step that was taken, whoever took it.
    pub(crate) async fn form_by_id(&self, id: i64) -> Result<MasterForm, Fault> {
        let row = master_form::Entity::find_by_id(id).one(self.db()).await?;
        let row = row.ok_or_else(|| unknown(&id.to_string()))?;
        let number = row.number.clone();
        self.forms_shown(vec![row]).await?.pop().ok_or_else(|| unknown(&number))
    }

    /// Those of these forms that the caller may see.
    async fn forms_seen(&self, act: &Act, rows: Vec<master_form::Model>) -> Result<Vec<master_form::Model>, Fault> {
        let caller = &act.caller;
        if oversees(self.db(), act).await? {
            return Ok(rows);
        }
        let own = get_agency(self.db(), &caller.agency).await?.id;
        let grants = [Role::DatabaseAdministrator, Role::AgencyHead].into_iter().any(|role| has_role(caller, role));
        let granted = match grants {
            true => self.with_items_of(self.db(), &caller.agency, &rows).await?,
            false => HashSet::new(),
        };
        Ok(rows.into_iter().filter(|row| row.agency_id == own || granted.contains(&row.id)).collect())
    }

    /// Those of these forms that hold items of a custodian, or have held some in an earlier version: what was granted, and
    /// taken back, stays known to those who did.
    pub(crate) async fn with_items_of(
        &self,
        db: &impl ConnectionTrait,
        custodian: &str,
        rows: &[master_form::Model],
    ) -> Result<HashSet<i64>, Fault> {
        let fields = self.catalog.fields.iter().map(|field| field.coordinate.as_str());
        let own: Vec<&str> = fields.filter(|coordinate| self.custodian_of(coordinate) == Some(custodian)).collect();
        if own.is_empty() {
            return Ok(HashSet::new());
        }
        let versions = form_version::Entity::find()
            .filter(form_version::Column::FormId.is_in(rows.iter().map(|row| row.id)))
            .all(db)
            .await?;
        let with_items: Vec<i64> = form_item::Entity::find()
            .select_only()
            .column(form_item::Column::FormVersionId)
            .distinct()
            .filter(form_item::Column::FormVersionId.is_in(versions.iter().map(|version| version.id)))
            .filter(form_item::Column::Coordinate.is_in(own))
            .into_tuple()
            .all(db)
            .await?;
        let of = versions.into_iter().filter(|version| with_items.contains(&version.id));
        Ok(of.map(|version| version.form_id).collect())
    }

    async fn forms_shown(&self, rows: Vec<master_form::Model>) -> Result<Vec<MasterForm>, Fault> {
        let agencies = agency_codes(self.db(), rows.iter().map(|row| row.agency_id)).await?;
        let mut versions = newest(self.db(), &rows).await?;
        let mut visible = Vec::new();
        for row in rows {
            if let (Some(newest), Some(agency)) = (versions.remove(&row.id), agencies.get(&row.agency_id)) {
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
