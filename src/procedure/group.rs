//! Directory groups (目錄組: what) and user groups (使用群組: who) of a using agency (clause 8(2)).

use std::collections::BTreeSet;

use async_graphql::SimpleObject;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::json;

use super::account_name;
use super::agency::{check_text, check_title, get_agency};
use super::appointment::roles_of;
use super::difference::in_force;
use super::entity::{annex, application};
use super::fault::{conflict, forbidden, not_found, wrong};
use super::item::{self, GrantedItem, ItemInput, shown};
use super::master_form::{find_form, unknown};
use super::person::names_of;
use super::step::{Begun, News, To};
use super::{Act, Fault, Procedure};
use crate::access::Item;
use crate::access::attenuate::{attenuate, exceeds};
use crate::accounts::entity::{
    account, directory_group, directory_item, form_version, sub_form, user_group, user_group_member,
};
use crate::accounts::forms::write_directory_items;
use crate::accounts::rights_read;

/// 目錄組: a named selection of a master form's items.
#[derive(Debug, Clone, SimpleObject)]
pub struct DirectoryGroup {
    /// 主表單: number of the master form.
    pub form: String,
    /// 代碼: name within the form.
    pub name: String,
    /// 名稱: title.
    pub title: String,
    /// 項目: items, as far as the master form in force still grants them.
    pub items: Vec<GrantedItem>,
}

/// 使用群組: people and machine clients who use a sub-form together.
#[derive(Debug, Clone, SimpleObject)]
pub struct UserGroup {
    /// 使用機關: code of the agency.
    pub agency: String,
    /// 代碼: name within the agency.
    pub name: String,
    /// 名稱: title.
    pub title: String,
    /// 成員: accounts that belong to it today.
    pub members: Vec<String>,
}

impl Procedure {
    /// The directory groups of a form of the caller's agency.
    pub async fn directory_groups(&self, act: &Act, form: &str) -> Result<Vec<DirectoryGroup>, Fault> {
        let found = find_form(self.db(), form).await?;
        if *found.agency != *act.caller.agency {
            return Err(unknown(form));
        }
        let rows = directory_group::Entity::find().filter(directory_group::Column::FormId.eq(found.row.id));
        let mut groups = Vec::new();
        for row in rows.order_by_asc(directory_group::Column::Name).all(self.db()).await? {
            groups.push(self.directory_shown(row).await?);
        }
        Ok(groups)
    }

    /// The user groups of the caller's agency.
    pub async fn user_groups(&self, act: &Act) -> Result<Vec<UserGroup>, Fault> {
        let own = get_agency(self.db(), &act.caller.agency).await?;
        let rows = user_group::Entity::find().filter(user_group::Column::AgencyId.eq(own.id));
        let mut groups = Vec::new();
        for row in rows.order_by_asc(user_group::Column::Name).all(self.db()).await? {
            groups.push(self.users_shown(row, &own.code).await?);
        }
        Ok(groups)
    }

    /// Makes a directory group, or gives it other items; without items it holds all that the form grants. It can hold
    /// nothing that the master form does not.
    pub async fn put_directory_group(
        &self,
        act: &Act,
        form: &str,
        name: &str,
        title: &str,
        items: Option<&[ItemInput]>,
    ) -> Result<DirectoryGroup, Fault> {
        let (name, title) = (check_text("name", name, 64)?, check_title("title", title)?);
        let wanted = items.map(|items| item::read(&self.catalog, items)).transpose()?;
        let mut step = match self.begin(act, "putDirectoryGroup").await? {
            Begun::Before(id) => return self.directory_by_id(id).await,
            Begun::New(step) => step,
        };
        let found = find_form(step.tx(), form).await?;
        if *found.agency != *act.caller.agency {
            return Err(unknown(form));
        }
        let Some((_, granted)) = in_force(step.tx(), found.row.id).await? else { return Err(unknown(form)) };
        let items: Vec<Item> = match wanted {
            None => granted,
            Some(wanted) => {
                wanted.into_iter().map(|one| one.item).map(|item| narrowed(&granted, item)).collect::<Result<_, _>>()?
            }
        };
        let known = directory_group::Entity::find()
            .filter(directory_group::Column::FormId.eq(found.row.id))
            .filter(directory_group::Column::Name.eq(name))
            .one(step.tx())
            .await?;
        let id = match known {
            Some(known) => {
                self.check_opens(step.tx(), &found.row, known.id, &items).await?;
                directory_group::Entity::update_many()
                    .col_expr(directory_group::Column::Title, Expr::value(title))
                    .filter(directory_group::Column::Id.eq(known.id))
                    .exec(step.tx())
                    .await?;
                known.id
            }
            None => self.accounts.write_directory_group(step.tx(), found.row.id, name, title).await?,
        };
        write_directory_items(step.tx(), id, &items).await?;
        step.changes_rights();
        let list: Vec<&str> = items.iter().map(|item| item.coordinate.as_str()).collect();
        step.finish("directory group", id, json!({ "form": form, "name": name, "items": list })).await?;
        self.directory_by_id(id).await
    }

    /// Makes a user group of the caller's agency, or gives it another title.
    pub async fn put_user_group(&self, act: &Act, name: &str, title: &str) -> Result<UserGroup, Fault> {
        let (name, title) = (check_text("name", name, 64)?, check_title("title", title)?);
        let step = match self.begin(act, "putUserGroup").await? {
            Begun::Before(id) => return self.users_by_id(id).await,
            Begun::New(step) => step,
        };
        let own = get_agency(step.tx(), &act.caller.agency).await?;
        let known = find_users(step.tx(), own.id, name).await?;
        let id = match known {
            Some(known) => {
                user_group::Entity::update_many()
                    .col_expr(user_group::Column::Title, Expr::value(title))
                    .filter(user_group::Column::Id.eq(known.id))
                    .exec(step.tx())
                    .await?;
                known.id
            }
            None => self.accounts.write_user_group(step.tx(), own.id, name, title).await?,
        };
        step.finish("user group", id, json!({ "name": name })).await?;
        self.users_by_id(id).await
    }

    /// Puts an account of the caller's agency into a user group.
    pub async fn add_member(&self, act: &Act, group: &str, name: &str) -> Result<UserGroup, Fault> {
        let mut step = match self.begin(act, "addMember").await? {
            Begun::Before(id) => return self.users_by_id(id).await,
            Begun::New(step) => step,
        };
        let own = get_agency(step.tx(), &act.caller.agency).await?;
        let users = find_users(step.tx(), own.id, group).await?.ok_or_else(|| unknown_group(group))?;
        let member = account::Entity::find().filter(account::Column::Name.eq(name)).one(step.tx()).await?;
        let member = member.filter(|member| member.agency_id == own.id && member.status != "closed");
        let member = member.ok_or_else(|| not_found("account of this agency", "本機關帳號", name))?;
        check_queries(step.tx(), &member).await?;
        for form in sub_form::Entity::find().filter(sub_form::Column::UserGroupId.eq(users.id)).all(step.tx()).await? {
            check_did_not_decide(step.tx(), form.form_id, &member.name).await?;
        }
        if present(step.tx(), users.id, member.id).await?.is_some() {
            return Err(conflict(format!("{name} is a member already."), format!("{name} 已為成員。"), name.into()));
        }
        self.accounts.write_member(step.tx(), users.id, member.id, &act.caller.account).await?;
        step.changes_rights();
        let news = News {
            kind: "user group",
            number: group,
            en: format!("You belong to the user group \"{}\" now.", users.title),
            zh: format!("您已加入使用群組「{}」。", users.title),
            due: None,
        };
        step.tell(To::Account(name), &news).await?;
        step.finish("user group", users.id, json!({ "group": group, "added": name })).await?;
        self.users_by_id(users.id).await
    }

    /// Takes an account out of a user group; its rights end at once.
    pub async fn remove_member(&self, act: &Act, group: &str, name: &str) -> Result<UserGroup, Fault> {
        let mut step = match self.begin(act, "removeMember").await? {
            Begun::Before(id) => return self.users_by_id(id).await,
            Begun::New(step) => step,
        };
        let own = get_agency(step.tx(), &act.caller.agency).await?;
        let users = find_users(step.tx(), own.id, group).await?.ok_or_else(|| unknown_group(group))?;
        let member = account::Entity::find().filter(account::Column::Name.eq(name)).one(step.tx()).await?;
        let membership = match member {
            Some(member) => present(step.tx(), users.id, member.id).await?,
            None => None,
        };
        let membership = membership.ok_or_else(|| not_found("member", "成員", name))?;
        user_group_member::Entity::update_many()
            .col_expr(user_group_member::Column::RemovedBy, Expr::value(&*act.caller.account))
            .col_expr(user_group_member::Column::RemovedAt, Expr::value(self.now()))
            .filter(user_group_member::Column::Id.eq(membership.id))
            .exec(step.tx())
            .await?;
        step.changes_rights();
        step.finish("user group", users.id, json!({ "group": group, "removed": name })).await?;
        self.users_by_id(users.id).await
    }

    async fn directory_by_id(&self, id: i64) -> Result<DirectoryGroup, Fault> {
        let row = directory_group::Entity::find_by_id(id).one(self.db()).await?;
        self.directory_shown(row.ok_or_else(|| unknown_group(&id.to_string()))?).await
    }

    async fn directory_shown(&self, row: directory_group::Model) -> Result<DirectoryGroup, Fault> {
        let rows = directory_item::Entity::find().filter(directory_item::Column::GroupId.eq(row.id));
        let rows = rows.order_by_asc(directory_item::Column::Id).all(self.db()).await?;
        let items: Vec<Item> = rows.iter().filter_map(rights_read::directory_item_of).collect();
        let granted = in_force(self.db(), row.form_id).await?.map_or_else(Vec::new, |(_, items)| items);
        let form = crate::accounts::entity::master_form::Entity::find_by_id(row.form_id).one(self.db()).await?;
        Ok(DirectoryGroup {
            form: form.map_or_else(|| "-".to_owned(), |form| form.number),
            name: row.name,
            title: row.title,
            items: attenuate(&granted, &items).iter().map(|item| shown(item, None)).collect(),
        })
    }

    async fn users_by_id(&self, id: i64) -> Result<UserGroup, Fault> {
        let row = user_group::Entity::find_by_id(id).one(self.db()).await?;
        let row = row.ok_or_else(|| unknown_group(&id.to_string()))?;
        let agency = super::agency::agency_code(self.db(), row.agency_id).await?;
        self.users_shown(row, &agency).await
    }

    async fn users_shown(&self, row: user_group::Model, agency: &str) -> Result<UserGroup, Fault> {
        let mut members = Vec::new();
        for id in members_of(self.db(), row.id).await? {
            members.push(account_name(self.db(), id).await?);
        }
        members.sort();
        Ok(UserGroup { agency: agency.to_owned(), name: row.name, title: row.title, members })
    }
}

/// The item as a directory group may hold it.
fn narrowed(granted: &[Item], item: Item) -> Result<Item, Fault> {
    let wider = granted.iter().find(|granted| granted.coordinate == item.coordinate);
    match wider {
        Some(wider) if !exceeds(wider, &item) => Ok(item),
        _ => Err(wrong(
            "items",
            format!("{}: more than the master form grants", item.coordinate),
            format!("「{}」逾主表單核准範圍", item.coordinate),
        )),
    }
}

/// The present members of a user group. Closed accounts that earlier releases left in it are none.
pub(crate) async fn members_of(db: &impl ConnectionTrait, group: i64) -> Result<Vec<i64>, Fault> {
    let present = user_group_member::Entity::find()
        .filter(user_group_member::Column::GroupId.eq(group))
        .filter(user_group_member::Column::RemovedAt.is_null())
        .order_by_asc(user_group_member::Column::Id);
    let ids: Vec<i64> = present.all(db).await?.into_iter().map(|row| row.account_id).collect();
    let closed = account::Entity::find()
        .filter(account::Column::Id.is_in(ids.iter().copied()))
        .filter(account::Column::Status.eq("closed"));
    let closed: BTreeSet<i64> = closed.all(db).await?.into_iter().map(|row| row.id).collect();
    Ok(ids.into_iter().filter(|id| !closed.contains(id)).collect())
}

async fn present(
    db: &impl ConnectionTrait,
    group: i64,
    member: i64,
) -> Result<Option<user_group_member::Model>, Fault> {
    Ok(user_group_member::Entity::find()
        .filter(user_group_member::Column::GroupId.eq(group))
        .filter(user_group_member::Column::AccountId.eq(member))
        .filter(user_group_member::Column::RemovedAt.is_null())
        .one(db)
        .await?)
}

/// Who inspects is never the one inspected: those who run, decide or inspect do not query.
async fn check_queries(db: &impl ConnectionTrait, member: &account::Model) -> Result<(), Fault> {
    let roles = roles_of(db, member.id).await?;
    let may = member.kind == "client" || !roles.is_empty() && roles.iter().all(|role| role.queries());
    match may {
        true => Ok(()),
        false => Err(forbidden(
            format!("{} inspects or runs the agency's use and is not one of its users.", member.name),
            format!("{} 負責管理或查驗，不得為使用者。", member.name),
            "8",
        )),
    }
}

/// Who is to inspect or to run an agency's use leaves the groups of those who query first.
pub(crate) async fn check_no_member(db: &impl ConnectionTrait, account: &account::Model) -> Result<(), Fault> {
    let present = user_group_member::Entity::find()
        .filter(user_group_member::Column::AccountId.eq(account.id))
        .filter(user_group_member::Column::RemovedAt.is_null())
        .one(db)
        .await?;
    let Some(present) = present else { return Ok(()) };
    let group = user_group::Entity::find_by_id(present.group_id).one(db).await?;
    let group = group.map_or_else(|| "-".to_owned(), |group| group.name);
    Err(conflict(
        format!("{} is a member of the user group \"{group}\": remove it there first.", account.name),
        format!("{} 為使用群組「{group}」之成員，請先移除。", account.name),
        json!({ "account": account.name, "userGroup": group }),
    ))
}

/// Whether somebody is among those who query under a form.
pub(crate) async fn uses_form(db: &impl ConnectionTrait, form_id: i64, account_id: i64) -> Result<bool, Fault> {
    for row in sub_form::Entity::find().filter(sub_form::Column::FormId.eq(form_id)).all(db).await? {
        if present(db, row.user_group_id, account_id).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Nobody uses what they have approved themselves.
pub(crate) async fn check_did_not_decide(db: &impl ConnectionTrait, form_id: i64, name: &str) -> Result<(), Fault> {
    let versions = form_version::Entity::find().filter(form_version::Column::FormId.eq(form_id)).all(db).await?;
    let mut applications: Vec<i64> = versions.iter().filter_map(|version| version.application_id).collect();
    // What was approved is used as soon as it is opened.
    let waiting = application::Entity::find()
        .filter(application::Column::FormId.eq(form_id))
        .filter(application::Column::Status.is_in(["submitted", "decided"]));
    applications.extend(waiting.all(db).await?.iter().map(|row| row.id));
    let decided = annex::Entity::find()
        .filter(annex::Column::ApplicationId.is_in(applications))
        .filter(annex::Column::DecidedBy.is_in(names_of(db, name).await?))
        .one(db)
        .await?;
    let Some(decided) = decided else { return Ok(()) };
    let number = application::Entity::find_by_id(decided.application_id).one(db).await?;
    let number = number.map_or_else(|| "-".to_owned(), |row| row.number);
    Err(forbidden(
        format!("{name} has decided on {number} and cannot use what was granted by it."),
        format!("{name} 曾審核 {number}，不得使用其核准之項目。"),
        "7",
    ))
}

/// The user group of that name.
pub(crate) async fn find_users(
    db: &impl ConnectionTrait,
    agency_id: i64,
    name: &str,
) -> Result<Option<user_group::Model>, Fault> {
    Ok(user_group::Entity::find()
        .filter(user_group::Column::AgencyId.eq(agency_id))
        .filter(user_group::Column::Name.eq(name))
        .one(db)
        .await?)
}

/// There is no such group.
pub(crate) fn unknown_group(name: &str) -> Fault {
    not_found("group", "群組", name)
}
