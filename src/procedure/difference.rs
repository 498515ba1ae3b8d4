//! What an application changes of its master form (clause 9): item by item, before and after.

use std::collections::BTreeMap;

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

/// The differences to the form's version in force; none where nothing is in force. Items of custodians that the
/// application does not turn to stay as they are.
pub(crate) async fn of(db: &impl ConnectionTrait, whole: &Whole) -> Result<Vec<Difference>, Fault> {
    let Some(form_id) = whole.header.form_id else { return Ok(Vec::new()) };
    let Some((version, before)) = in_force(db, form_id).await? else { return Ok(Vec::new()) };
    if version.application_id == Some(whole.header.id) {
        return Ok(Vec::new());
    }
    let after: Vec<Item> = whole.annexes.iter().flat_map(|(_, items)| Whole::items(items)).collect();
    let mut coordinates: BTreeMap<&str, (Option<&Item>, Option<&Item>)> = BTreeMap::new();
    for item in &before {
        coordinates.entry(&item.coordinate).or_default().0 = Some(item);
    }
    for item in &after {
        coordinates.entry(&item.coordinate).or_default().1 = Some(item);
    }
    Ok(coordinates.into_iter().filter_map(|(coordinate, (before, after))| differs(coordinate, before, after)).collect())
}

/// The version of a form that is in force, with its items.
pub(crate) async fn in_force(
    db: &impl ConnectionTrait,
    form_id: i64,
) -> Result<Option<(form_version::Model, Vec<Item>)>, Fault> {
    let open = form_version::Entity::find()
        .filter(form_version::Column::FormId.eq(form_id))
        .filter(form_version::Column::Status.eq("open"));
    let Some(version) = open.one(db).await? else { return Ok(None) };
    let rows = form_item::Entity::find().filter(form_item::Column::FormVersionId.eq(version.id));
    let rows = rows.order_by_asc(form_item::Column::Id).all(db).await?;
    let items = rows.iter().filter_map(rights_read::item_of).collect();
    Ok(Some((version, items)))
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
