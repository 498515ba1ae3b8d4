//! What a custodian lets others apply for (clause 6(1)): the annex (附表) as it is to be filled in. Each change is a new
//! version; applications are checked against the one of the day.

use async_graphql::{InputObject, SimpleObject};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::json;
use time::OffsetDateTime;

use super::agency::{agency_title, check_text};
use super::entity::{offer, offer_item};
use super::fault::{not_found, wrong};
use super::item::{self, GrantedItem, ItemInput, Purpose};
use super::step::{Begun, News, To};
use super::{Act, Fault, Procedure};
use crate::access::{Item, Role};
use crate::accounts::rights_read;

/// Longest term of any grant, in days: three years.
pub const LONGEST_DAYS: i32 = 1096;

/// 申請附表: what a managing agency lets others apply for.
#[derive(Debug, Clone, SimpleObject)]
pub struct Offer {
    /// 管理機關: code of the managing agency.
    pub custodian: String,
    /// 版次: version, from 1.
    pub version: i32,
    /// 目的: purposes that are allowed; none leaves them to the applicant.
    pub purposes: Vec<Purpose>,
    /// 法律依據: legal bases that are accepted; none leaves it to the applicant.
    pub legal_bases: Vec<String>,
    /// 最長期限: longest term in days.
    pub longest_days: i32,
    /// 須填案號: requests for personal data must name a case number.
    pub case_required: bool,
    /// 應備文件: what must be attached.
    pub attachments: Vec<String>,
    /// 可申請項目: items, each with the most that may be asked of it.
    pub items: Vec<GrantedItem>,
    /// 訂定時間: when it was defined.
    pub defined_at: OffsetDateTime,
}

/// 申請附表: the annex as a custodian defines it.
#[derive(Debug, Clone, InputObject)]
pub struct OfferInput {
    /// 目的: purposes that are allowed; none leaves them to the applicant.
    pub purposes: Vec<Purpose>,
    /// 法律依據: legal bases that are accepted; none leaves it to the applicant.
    pub legal_bases: Vec<String>,
    /// 最長期限: longest term in days, 1096 (three years) at most.
    pub longest_days: i32,
    /// 須填案號: requests for personal data must name a case number.
    pub case_required: bool,
    /// 應備文件: what must be attached.
    pub attachments: Vec<String>,
    /// 可申請項目: what may be asked for; what stands earlier wins. Reasons and districts are the applicant's to give.
    pub items: Vec<ItemInput>,
}

impl Procedure {
    /// The offers of the day, by custodian.
    pub async fn offers(&self) -> Result<Vec<Offer>, Fault> {
        let current = offer::Entity::find().filter(offer::Column::Status.eq("current"));
        let rows = current.order_by_asc(offer::Column::Custodian).all(self.db()).await?;
        let mut offers = Vec::new();
        for row in rows {
            let items = items_of(self.db(), row.id).await?;
            offers.push(show(row, &items));
        }
        Ok(offers)
    }

    /// Defines the annex of the caller's agency anew.
    pub async fn define_offer(&self, act: &Act, input: &OfferInput) -> Result<Offer, Fault> {
        if !(1..=LONGEST_DAYS).contains(&input.longest_days) {
            return Err(wrong("longestDays", "expected 1 to 1096 days", "應為 1 至 1096 日"));
        }
        if !input.purposes.is_empty() {
            item::check_purposes(&input.purposes)?;
        }
        let legal_bases = all_said("legalBases", &input.legal_bases, 2_000)?;
        // A document that is attached names the one that it is in as many letters.
        let attachments = all_said("attachments", &input.attachments, 200)?;
        let asked = item::read(&self.catalog, &input.items)?;
        let custodian = act.caller.agency.as_ref();
        let foreign = asked.iter().find(|one| self.custodian_of(&one.item.coordinate) != Some(custodian));
        if let Some(foreign) = foreign {
            let name = &foreign.item.coordinate;
            let (en, zh) = (format!("{name} is another custodian's"), format!("「{name}」非屬本機關管理"));
            return Err(wrong("items", en, zh));
        }
        let step = match self.begin(act, "defineOffer").await? {
            Begun::Before(id) => return self.offer_by_id(id).await,
            Begun::New(step) => step,
        };
        let last = newest(step.tx(), custodian).await?;
        let version = last.map_or(1, |last| last.version + 1);
        offer::Entity::update_many()
            .col_expr(offer::Column::Status, Expr::value("superseded"))
            .filter(offer::Column::Custodian.eq(custodian))
            .exec(step.tx())
            .await?;
        let row = offer::ActiveModel {
            custodian: Set(custodian.to_owned()),
            version: Set(version),
            status: Set("current".to_owned()),
            purposes: Set(item::purposes_text(&input.purposes)),
            legal_bases: Set(item::texts(&legal_bases)),
            longest_days: Set(input.longest_days),
            case_required: Set(input.case_required),
            attachments: Set(item::texts(&attachments)),
            defined_by: Set(act.caller.account.to_string()),
            defined_at: Set(self.now()),
            ..Default::default()
        };
        let id = offer::Entity::insert(row).exec(step.tx()).await?.last_insert_id;
        let row = |one: &item::Asked| offer_item::ActiveModel {
            offer_id: Set(id),
            coordinate: Set(one.item.coordinate.clone()),
            uses: Set(one.item.uses.to_string()),
            masked: Set(one.item.masked),
            ..Default::default()
        };
        let rows: Vec<offer_item::ActiveModel> = asked.iter().map(row).collect();
        for some in rows.chunks(100) {
            offer_item::Entity::insert_many(some.to_vec()).exec_without_returning(step.tx()).await?;
        }
        let title = agency_title(step.tx(), custodian).await?;
        let news = News {
            kind: "offer",
            number: custodian,
            en: format!("{custodian} has defined version {version} of its application annex."),
            zh: format!("{title}已訂定申請附表第 {version} 版。"),
            due: None,
        };
        step.tell(To::Everywhere(Role::BusinessAdministrator), &news).await?;
        step.finish("offer", id, json!({ "custodian": custodian, "version": version, "items": rows.len() })).await?;
        self.offer_by_id(id).await
    }

    async fn offer_by_id(&self, id: i64) -> Result<Offer, Fault> {
        let row = offer::Entity::find_by_id(id).one(self.db()).await?;
        let row = row.ok_or_else(|| not_found("offer", "申請附表", &id.to_string()))?;
        let items = items_of(self.db(), id).await?;
        Ok(show(row, &items))
    }

    /// Who decides on a coordinate.
    pub(crate) fn custodian_of(&self, coordinate: &str) -> Option<&str> {
        let field = self.catalog.fields_by_coordinate.get(coordinate)?;
        Some(self.catalog.dataset(self.catalog.field(*field).dataset).custodian.as_str())
    }
}

/// Texts that say something, each once: nobody could hand in what a blank one demands.
fn all_said(field: &str, texts: &[String], most: usize) -> Result<Vec<String>, Fault> {
    let mut said: Vec<String> = Vec::new();
    for text in texts {
        let text = check_text(field, text, most)?;
        if !said.iter().any(|known| known == text) {
            said.push(text.to_owned());
        }
    }
    Ok(said)
}

/// The offer of the day of a custodian, with its items.
pub(crate) async fn current(
    db: &impl ConnectionTrait,
    custodian: &str,
) -> Result<Option<(offer::Model, Vec<Item>)>, Fault> {
    match newest(db, custodian).await? {
        Some(row) => {
            let items = items_of(db, row.id).await?;
            Ok(Some((row, items)))
        }
        None => Ok(None),
    }
}

async fn newest(db: &impl ConnectionTrait, custodian: &str) -> Result<Option<offer::Model>, Fault> {
    let of = offer::Entity::find().filter(offer::Column::Custodian.eq(custodian));
    Ok(of.order_by_desc(offer::Column::Version).one(db).await?)
}

async fn items_of(db: &impl ConnectionTrait, id: i64) -> Result<Vec<Item>, Fault> {
    let rows = offer_item::Entity::find().filter(offer_item::Column::OfferId.eq(id));
    let rows = rows.order_by_asc(offer_item::Column::Id).all(db).await?;
    Ok(rows.iter().filter_map(|row| rights_read::item(&row.coordinate, &row.uses, row.masked, None)).collect())
}

fn show(row: offer::Model, items: &[Item]) -> Offer {
    Offer {
        custodian: row.custodian,
        version: row.version,
        purposes: item::purposes_of(&row.purposes),
        legal_bases: item::texts_of(&row.legal_bases),
        longest_days: row.longest_days,
        case_required: row.case_required,
        attachments: item::texts_of(&row.attachments),
        items: items.iter().map(|one| item::shown(one, None)).collect(),
        defined_at: row.defined_at,
    }
}
