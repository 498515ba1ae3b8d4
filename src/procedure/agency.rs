//! Agencies (機關): opened by the information office; which of them manage datasets is declared with the datasets.

use std::collections::HashMap;

use async_graphql::{Enum, SimpleObject};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::json;

use super::fault::{conflict, not_found, wrong};
use super::step::Begun;
use super::wording::is_blank;
use super::{Act, Fault, Procedure};
use crate::access::Role;
use crate::accounts::entity::{account, account_role, agency};

/// 機關種類: what an agency is besides a user of the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum AgencyKind {
    /// 使用機關: queries under forms, and may manage datasets.
    Using,
    /// 資訊局: runs the system and opens master forms.
    InformationOffice,
    /// 研究發展考核委員會: keeps operating rules on file.
    Commission,
    /// 政風處: is told of every agency's inspections and incidents.
    EthicsOffice,
}

impl AgencyKind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            AgencyKind::Using => "using",
            AgencyKind::InformationOffice => "information-office",
            AgencyKind::Commission => "commission",
            AgencyKind::EthicsOffice => "ethics-office",
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            AgencyKind::Using => "使用機關",
            AgencyKind::InformationOffice => "資訊局",
            AgencyKind::Commission => "研究發展考核委員會",
            AgencyKind::EthicsOffice => "政風處",
        }
    }

    pub(crate) fn parse(word: &str) -> AgencyKind {
        match word {
            "information-office" => AgencyKind::InformationOffice,
            "commission" => AgencyKind::Commission,
            "ethics-office" => AgencyKind::EthicsOffice,
            _ => AgencyKind::Using,
        }
    }
}

/// 機關: an agency of the city, or a partner of one.
#[derive(Debug, Clone, SimpleObject)]
pub struct Agency {
    /// 機關代碼: code, `fire-department`.
    pub code: String,
    /// 機關名稱: name as people know it.
    pub title: String,
    /// 機關種類: what it is.
    pub kind: AgencyKind,
    /// 管理之資料庫: codes of the datasets that it manages.
    pub manages: Vec<String>,
}

impl Procedure {
    /// All agencies, by code.
    pub async fn agencies(&self) -> Result<Vec<Agency>, Fault> {
        let rows = agency::Entity::find().order_by_asc(agency::Column::Code).all(self.db()).await?;
        Ok(rows.into_iter().map(|row| self.agency_shown(row)).collect())
    }

    /// Opens an agency, or changes what is known of it; what kind it is stays unless another is named.
    pub async fn open_agency(
        &self,
        act: &Act,
        code: &str,
        title: &str,
        kind: Option<AgencyKind>,
    ) -> Result<Agency, Fault> {
        let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        if !(2..=40).contains(&code.len()) || !code.chars().all(plain) {
            let (en, zh) = ("2 to 40 small letters, digits and hyphens", "2 至 40 個小寫英文字母、數字與連字號");
            return Err(wrong("code", format!("expected {en}"), format!("應為{zh}")));
        }
        let title = check_title("title", title)?;
        let id = match self.begin(act, "openAgency").await? {
            Begun::Before(id) => id,
            Begun::New(mut step) => {
                let known = agency::Entity::find().filter(agency::Column::Code.eq(code)).one(step.tx()).await?;
                let before = known.as_ref().map(|known| AgencyKind::parse(&known.kind));
                let kind = kind.or(before).unwrap_or(AgencyKind::Using);
                if let Some(known) = known.filter(|_| before != Some(kind)) {
                    check_without_officers(step.tx(), &known).await?;
                }
                let id = self.accounts.write_agency(step.tx(), code, title, kind.word()).await?;
                step.changes_rights();
                step.finish("agency", id, json!({ "code": code, "title": title, "kind": kind.word() })).await?;
                id
            }
        };
        let row = agency::Entity::find_by_id(id).one(self.db()).await?;
        row.map(|row| self.agency_shown(row)).ok_or_else(|| not_found("agency", "機關", code))
    }

    fn agency_shown(&self, row: agency::Model) -> Agency {
        let managed = self.catalog.datasets.iter().filter(|dataset| dataset.custodian == row.code);
        Agency {
            manages: managed.map(|dataset| dataset.code.clone()).collect(),
            kind: AgencyKind::parse(&row.kind),
            code: row.code,
            title: row.title,
        }
    }
}

/// An agency stays of its kind while accounts there have a role that exists in no other: without the information office
/// nobody could be let in.
async fn check_without_officers(db: &impl ConnectionTrait, of: &agency::Model) -> Result<(), Fault> {
    let role = match AgencyKind::parse(&of.kind) {
        AgencyKind::InformationOffice => Role::InformationOffice,
        AgencyKind::Commission => Role::CommissionOfficer,
        AgencyKind::Using | AgencyKind::EthicsOffice => return Ok(()),
    };
    let held = account_role::Entity::find().filter(account_role::Column::Role.eq(role.word())).all(db).await?;
    let officers: Vec<String> = account::Entity::find()
        .filter(account::Column::AgencyId.eq(of.id))
        .filter(account::Column::Status.ne("closed"))
        .filter(account::Column::Id.is_in(held.iter().map(|row| row.account_id)))
        .order_by_asc(account::Column::Name)
        .all(db)
        .await?
        .into_iter()
        .map(|row| row.name)
        .collect();
    if officers.is_empty() {
        return Ok(());
    }
    let list = officers.join(", ");
    Err(conflict(
        format!(
            "Accounts of {} have the role {}: {list}. Give them others first, or close them.",
            of.code,
            role.word()
        ),
        format!("{} 尚有{}帳號：{list}。請先變更其角色或關閉帳號，再變更機關種類。", of.title, role.title()),
        json!({ "code": of.code, "kind": of.kind, "accounts": officers }),
    ))
}

/// The agency of that code.
pub(crate) async fn get_agency(db: &impl ConnectionTrait, code: &str) -> Result<agency::Model, Fault> {
    let known = agency::Entity::find().filter(agency::Column::Code.eq(code)).one(db).await?;
    known.ok_or_else(|| not_found("agency", "機關", code))
}

/// The code of an agency by its number; a dash if it is gone.
pub(crate) async fn agency_code(db: &impl ConnectionTrait, id: i64) -> Result<String, Fault> {
    Ok(agency::Entity::find_by_id(id).one(db).await?.map_or_else(|| "-".to_owned(), |row| row.code))
}

/// The name of an agency as people know it; its code if it is gone.
pub(crate) async fn agency_title(db: &impl ConnectionTrait, code: &str) -> Result<String, Fault> {
    let known = agency::Entity::find().filter(agency::Column::Code.eq(code)).one(db).await?;
    Ok(known.map_or_else(|| code.to_owned(), |row| row.title))
}

/// The codes of agencies by their numbers.
pub(crate) async fn agency_codes(
    db: &impl ConnectionTrait,
    ids: impl Iterator<Item = i64>,
) -> Result<HashMap<i64, String>, Fault> {
    let rows = agency::Entity::find().filter(agency::Column::Id.is_in(ids)).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.code)).collect())
}

/// A title: something to be read, and not too long.
pub(crate) fn check_title<'a>(field: &str, title: &'a str) -> Result<&'a str, Fault> {
    check_text(field, title, 200)
}

/// A text: something, and no longer than its column, for not every database looks at that.
pub(crate) fn check_text<'a>(field: &str, text: &'a str, most: usize) -> Result<&'a str, Fault> {
    let text = text.trim();
    match text.chars().count() {
        count if (1..=most).contains(&count) && !is_blank(text) => Ok(text),
        _ => Err(wrong(
            field,
            format!("expected 1 to {most} characters that can be read"),
            format!("應為 1 至 {most} 個可閱讀之文字"),
        )),
    }
}
