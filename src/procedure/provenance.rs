//! "Why could she read this?": from an audit record and a field back to the item, the annex, the decision, who took it,
//! and the documents it rests on.

use async_graphql::SimpleObject;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

use super::application::{Annex, Application};
use super::entity::{annex, annex_item};
use super::fault::{not_found, wrong};
use super::item::{GrantedItem, shown};
use super::log_reading::{moment, read_log};
use super::watch::watches;
use super::{Act, Fault, Procedure, has_role};
use crate::access::Role;
use crate::accounts::entity::{form_item, form_version, master_form, sub_form as sub_forms, user_group};
use crate::accounts::rights_read;
use crate::audit::reader::Entry;
use crate::audit::shape::{Shape, ShapeColumn};

/// 授權來源: under which grant a field could be read in one operation, and where that grant comes from.
#[derive(Debug, Clone, SimpleObject)]
pub struct Provenance {
    /// 紀錄編號: the audit record.
    pub record: String,
    /// 帳號: who acted.
    pub account: String,
    /// 機關: of which agency.
    pub agency: String,
    /// 時間: when.
    pub at: OffsetDateTime,
    /// 目的: purpose that was named.
    pub purpose: Option<String>,
    /// 主表單: the form in use.
    pub form: String,
    /// 版次: its version.
    pub version: i32,
    /// 次表單: the sub-form by which it was held.
    pub sub_form: Option<String>,
    /// 使用群組: the user group by which it was held.
    pub user_group: Option<String>,
    /// 主表單開放者: account of the information office that opened the version.
    pub opened_by: Option<String>,
    /// 主表單開放時間: when.
    pub opened_at: OffsetDateTime,
    /// 核准項目: the item of the form; none if the form does not hold the field.
    pub item: Option<GrantedItem>,
    /// 附表: the annex with its decision and who took it.
    pub annex: Option<Annex>,
    /// 申請表: the application, with its documents.
    pub application: Option<Application>,
}

/// Whether an operation used a field in any way. A custodian is told of operations on its own data only.
fn uses_field(shape: &Shape, coordinate: &str) -> bool {
    let used = shape.rectangles.iter().flat_map(|rectangle| {
        let of = |column: &ShapeColumn| column.of.clone().unwrap_or_else(|| rectangle.type_name.clone());
        rectangle.columns.iter().map(move |column| format!("{}.{}", of(column), column.field))
    });
    used.into_iter().any(|used| used == coordinate)
}

impl Procedure {
    /// Where the right to a field in a recorded operation comes from. The question is itself recorded as a reading of
    /// the log.
    pub async fn provenance(&self, act: &Act, record: &str, coordinate: &str) -> Result<Provenance, Fault> {
        let id = Uuid::parse_str(record).map_err(|_| wrong("record", "expected a UUID", "應為 UUID"))?;
        if !self.catalog.fields_by_coordinate.contains_key(coordinate) {
            return Err(not_found("field", "欄位", coordinate));
        }
        let missing = || not_found("record", "紀錄", record);
        let entry = self.read_record(act, id, coordinate).await?.ok_or_else(missing)?;
        let (who, why) = (&entry.record.who, &entry.record.why);
        let anywhere = watches(self.db(), act).await?;
        let custodian = has_role(&act.caller, Role::DatabaseAdministrator)
            && self.custodian_of(coordinate) == Some(&*act.caller.agency)
            && entry.shape.as_ref().is_some_and(|shape| uses_field(shape, coordinate));
        if !anywhere && !custodian && who.agency != act.caller.agency {
            return Err(missing());
        }
        let Some(number) = why.form.as_deref() else {
            return Err(not_found("form in that record", "紀錄所用之表單", record));
        };
        let form = master_form::Entity::find().filter(master_form::Column::Number.eq(number)).one(self.db()).await?;
        let form = form.ok_or_else(|| super::master_form::unknown(number))?;
        let version = i32::try_from(why.form_version).unwrap_or(0);
        let version = form_version::Entity::find()
            .filter(form_version::Column::FormId.eq(form.id))
            .filter(form_version::Column::Version.eq(version))
            .one(self.db())
            .await?
            .ok_or_else(|| super::master_form::unknown(number))?;
        let item = form_item::Entity::find()
            .filter(form_item::Column::FormVersionId.eq(version.id))
            .filter(form_item::Column::Coordinate.eq(coordinate))
            .one(self.db())
            .await?;
        let application = self.origin_of(item.as_ref()).await?;
        let annex = application.as_ref().and_then(|application| {
            let of = self.custodian_of(coordinate)?;
            application.annexes.iter().find(|annex| annex.custodian == of).cloned()
        });
        Ok(Provenance {
            record: record.to_owned(),
            account: who.account.to_string(),
            agency: who.agency.to_string(),
            at: moment(entry.record.started_us),
            purpose: why.purpose.as_deref().map(str::to_owned),
            form: number.to_owned(),
            version: version.version,
            user_group: self.group_of(why.sub_form.as_deref()).await?,
            sub_form: why.sub_form.as_deref().map(str::to_owned),
            opened_by: version.opened_by,
            opened_at: version.opened_at,
            item: item.as_ref().and_then(rights_read::item_of).map(|item| shown(&item, None)),
            annex,
            application,
        })
    }

    /// Reads a record of the log, for the one whose reading is recorded first.
    async fn read_record(&self, act: &Act, id: Uuid, coordinate: &str) -> Result<Option<Entry>, Fault> {
        let arguments = json!({ "record": id.to_string(), "coordinate": coordinate });
        let reader = self.open_log(act, "provenance", &arguments).await?;
        read_log(move || reader.find(id)).await
    }

    /// The application of the annex that an item rests on.
    async fn origin_of(&self, item: Option<&form_item::Model>) -> Result<Option<Application>, Fault> {
        let Some(id) = item.and_then(|item| item.annex_item_id) else { return Ok(None) };
        let Some(item) = annex_item::Entity::find_by_id(id).one(self.db()).await? else { return Ok(None) };
        let Some(annex) = annex::Entity::find_by_id(item.annex_id).one(self.db()).await? else { return Ok(None) };
        self.application_by_id(annex.application_id).await.map(Some)
    }

    async fn group_of(&self, sub_form: Option<&str>) -> Result<Option<String>, Fault> {
        let Some(number) = sub_form else { return Ok(None) };
        let by_number = sub_forms::Entity::find().filter(sub_forms::Column::Number.eq(number));
        let Some(row) = by_number.one(self.db()).await? else { return Ok(None) };
        Ok(user_group::Entity::find_by_id(row.user_group_id).one(self.db()).await?.map(|group| group.name))
    }
}
