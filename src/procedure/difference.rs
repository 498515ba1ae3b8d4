//! What an application changes of its master form (clause 9): item by item, before and after.

use std::collections::{BTreeMap, HashMap};

use async_graphql::{Enum, SimpleObject};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use super::Fault;
use super::application::Whole;
use super::item::{GrantedItem, shown};
use crate::access::Item;
use crate::accounts::entity::{form_item, form_version};
use crate::accounts::rights_read;

/// 異動種類: how an item changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum Change {
    /// 新增: it is not in the form.
    Added,
    /// 刪除: it is no longer asked for.
    Removed,
    /// 變更: other uses, another level or another scope.
    Changed,
}

/// 異動項目: an item that an application changes.
#[derive(Debug, Clone, SimpleObject)]
pub struct Difference {
    /// 欄位座標: schema coordinate.
    pub coordinate: String,
    /// 異動種類: how it changes.
    pub change: Change,
    /// 異動前: as the form has it.
    pub before: Option<GrantedItem>,
    /// 異動後: as it is asked for.
    pub after: Option<GrantedItem>,
}

/// A form's version in force, with its items.
pub(crate) type InForce = (form_version::Model, Vec<Item>);

/// The differences to the form's version in force. Items of custodians that the application does not turn to stay as they
/// are, so only those for which `asked` holds are compared.
pub(crate) fn of(whole: &Whole, (version, before): &InForce, asked: impl Fn(&Item) -> bool) -> Vec<Difference> {
    if version.application_id == Some(whole.header.id) {
        return Vec::new();
    }
    let after: Vec<Item> = whole.annexes.iter().flat_map(|(_, items)| Whole::items(items)).collect();
    let mut coordinates: BTreeMap<&str, (Option<&Item>, Option<&Item>)> = BTreeMap::new();
    for item in before.iter().filter(|item| asked(item)) {
        coordinates.entry(&item.coordinate).or_default().0 = Some(item);
    }
    for item in &after {
        coordinates.entry(&item.coordinate).or_default().1 = Some(item);
    }
    coordinates.into_iter().filter_map(|(coordinate, (before, after))| differs(coordinate, before, after)).collect()
}

/// The version of a form that is in force, with its items; none where nothing is in force.
pub(crate) async fn in_force(db: &impl ConnectionTrait, form_id: i64) -> Result<Option<InForce>, Fault> {
    Ok(all_in_force(db, &[form_id]).await?.remove(&form_id))
}

/// The same for several forms.
pub(crate) async fn all_in_force(db: &impl ConnectionTrait, forms: &[i64]) -> Result<HashMap<i64, InForce>, Fault> {
    let versions = form_version::Entity::find()
        .filter(form_version::Column::FormId.is_in(forms.iter().copied()))
        .filter(form_version::Column::Status.eq("open"))
        .all(db)
        .await?;
    let rows = form_item::Entity::find()
        .filter(form_item::Column::FormVersionId.is_in(versions.iter().map(|version| version.id)))
        .order_by_asc(form_item::Column::Id)
        .all(db)
        .await?;
    let mut items: HashMap<i64, Vec<Item>> = HashMap::new();
    for row in &rows {
        items.entry(row.form_version_id).or_default().extend(rights_read::item_of(row));
    }
    let with_items = |version: form_version::Model| {
        let items = items.remove(&version.id).unwrap_or_default();
        (version.form_id, (version, items))
    };
    Ok(versions.into_iter().map(with_items).collect())
}

fn differs(coordinate: &str, before: Option<&Item>, after: Option<&Item>) -> Option<Difference> {
    let change = match (before, after) {
        (None, _) => Change::Added,
        (_, None) => Change::Removed,
        (Some(before), Some(after)) if before == after => return None,
        _ => Change::Changed,
    };
    let show = |item: Option<&Item>| item.map(|item| shown(item, None));
    Some(Difference { coordinate: coordinate.to_owned(), change, before: show(before), after: show(after) })
}
