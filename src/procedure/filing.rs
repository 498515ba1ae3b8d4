//! What has to be on file: an agency's operating rules (作業規定, clause 8(1)) with the receipts of everybody they were
//! sent to, and a custodian's audit plan (稽核計畫, clause 6(3)) for each of its datasets.

use std::collections::BTreeSet;

use async_graphql::SimpleObject;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use super::agency::{AgencyKind, agency_code, agency_title, check_title, get_agency};
use super::entity::{audit_plan, operating_rules, rules_receipt};
use super::fault::{conflict, forbidden, not_found, wrong};
use super::step::{Begun, News, To};
use super::watch::is_of_ethics_office;
use super::{Act, Fault, Procedure};
use crate::access::Role;
use crate::accounts::entity::agency;
use crate::accounts::secret;
use crate::catalog::Class;

/// 備查紀錄: that an agency has received operating rules.
#[derive(Debug, Clone, SimpleObject)]
pub struct Receipt {
    /// 收文機關: code of the agency that they were sent to.
    pub recipient: String,
    /// 收文者: account that acknowledged them.
    pub received_by: Option<String>,
    /// 收文時間: when; none while they wait.
    pub received_at: Option<OffsetDateTime>,
}

/// 作業規定: an agency's own rules for use and inspection, as filed.
#[derive(Debug, Clone, SimpleObject)]
pub struct OperatingRules {
    /// 使用機關: code of the agency.
    pub agency: String,
    /// 版次: version, from 1.
    pub version: i32,
    /// 名稱: title.
    pub title: String,
    /// 內容: text.
    pub content: String,
    /// 摘要: SHA-256 of the text in hexadecimal.
    pub sha256: String,
    /// 函送時間: when they were filed.
    pub filed_at: OffsetDateTime,
    /// 備查紀錄: every custodian, the information office and the commission.
    pub receipts: Vec<Receipt>,
}

/// 資料庫使用稽核計畫: a custodian's plan for checking use of a dataset, or its waiver.
#[derive(Debug, Clone, SimpleObject)]
pub struct AuditPlan {
    /// 資料庫: code of the dataset.
    pub dataset: String,
    /// 版次: version, from 1.
    pub version: i32,
    /// 免訂: there is none, since the data are public and touch nobody's privacy.
    pub waived: bool,
    /// 內容: text, or the reason of the waiver.
    pub content: String,
    /// 稽核週期: how often use is checked, in days.
    pub interval_days: i32,
    /// 訂定時間: when it was filed.
    pub filed_at: OffsetDateTime,
}

impl Procedure {
    /// The operating rules that the caller may see, newest first: one's own and those that one has to keep on file.
    pub async fn operating_rules(&self, act: &Act) -> Result<Vec<OperatingRules>, Fault> {
        let rows = operating_rules::Entity::find().order_by_desc(operating_rules::Column::Id).all(self.db()).await?;
        let watches = is_of_ethics_office(self.db(), act).await?;
        let mut shown = Vec::new();
        for row in rows {
            let rules = self.rules_shown(row).await?;
            let own = *rules.agency == *act.caller.agency;
            let addressed = rules.receipts.iter().any(|receipt| *receipt.recipient == *act.caller.agency);
            if own || addressed || watches {
                shown.push(rules);
            }
        }
        Ok(shown)
    }

    /// Files the operating rules of the caller's agency, and sends them to those who keep them.
    pub async fn file_operating_rules(&self, act: &Act, title: &str, content: &str) -> Result<OperatingRules, Fault> {
        let title = check_title("title", title)?;
        if content.trim().is_empty() {
            return Err(wrong("content", "expected the rules", "應載明規定內容"));
        }
        let step = match self.begin(act, "fileOperatingRules").await? {
            Begun::Before(id) => return self.rules_by_id(id).await,
            Begun::New(step) => step,
        };
        let own = get_agency(step.tx(), &act.caller.agency).await?;
        let last = latest_rules(step.tx(), own.id).await?;
        let version = last.map_or(1, |last| last.version + 1);
        let sha256 = secret::hex(&Sha256::digest(content.as_bytes()));
        let row = operating_rules::ActiveModel {
            agency_id: Set(own.id),
            version: Set(version),
            title: Set(title.to_owned()),
            content: Set(content.to_owned()),
            sha256: Set(sha256.clone()),
            filed_by: Set(act.caller.account.to_string()),
            filed_at: Set(self.now()),
            ..Default::default()
        };
        let id = operating_rules::Entity::insert(row).exec(step.tx()).await?.last_insert_id;
        for recipient in self.keepers(step.tx()).await? {
            write_receipt(step.tx(), id, &recipient).await?;
            let number = format!("{}/{version}", own.code);
            let news = News {
                kind: "operating rules",
                number: &number,
                en: format!("{} has filed its operating rules, version {version}: acknowledge them.", own.code),
                zh: format!("{}函送作業規定第 {version} 版，請予備查。", own.title),
                due: None,
            };
            for role in KEEPERS {
                step.tell(To::Role(role, &recipient), &news).await?;
            }
        }
        step.finish("operating rules", id, json!({ "version": version, "sha256": sha256 })).await?;
        self.rules_by_id(id).await
    }

    /// Acknowledges an agency's operating rules for the caller's agency.
    pub async fn acknowledge_rules(&self, act: &Act, of: &str, version: i32) -> Result<OperatingRules, Fault> {
        let step = match self.begin(act, "acknowledgeOperatingRules").await? {
            Begun::Before(id) => return self.rules_by_id(id).await,
            Begun::New(step) => step,
        };
        let missing = || not_found("operating rules", "作業規定", &format!("{of}/{version}"));
        let sender = get_agency(step.tx(), of).await?;
        let rules = operating_rules::Entity::find()
            .filter(operating_rules::Column::AgencyId.eq(sender.id))
            .filter(operating_rules::Column::Version.eq(version))
            .one(step.tx())
            .await?
            .ok_or_else(missing)?;
        let receipt = rules_receipt::Entity::find()
            .filter(rules_receipt::Column::RulesId.eq(rules.id))
            .filter(rules_receipt::Column::Recipient.eq(&*act.caller.agency))
            .one(step.tx())
            .await?;
        let id = match receipt {
            Some(receipt) => match receipt.received_by {
                None => receipt.id,
                Some(by) => {
                    return Err(conflict("It is acknowledged already.", "已完成備查。", json!({ "receivedBy": by })));
                }
            },
            // One who keeps them today and did not when they were filed.
            None if self.not_sent_to(step.tx(), &rules).await?.contains(&*act.caller.agency) => {
                write_receipt(step.tx(), rules.id, &act.caller.agency).await?
            }
            None => return Err(missing()),
        };
        rules_receipt::Entity::update_many()
            .col_expr(rules_receipt::Column::ReceivedBy, Expr::value(&*act.caller.account))
            .col_expr(rules_receipt::Column::ReceivedAt, Expr::value(self.now()))
            .filter(rules_receipt::Column::Id.eq(id))
            .exec(step.tx())
            .await?;
        let number = format!("{of}/{version}");
        let title = agency_title(step.tx(), &act.caller.agency).await?;
        let news = News {
            kind: "operating rules",
            number: &number,
            en: format!("{} has acknowledged your operating rules.", act.caller.agency),
            zh: format!("{title}已就貴機關作業規定完成備查。"),
            due: None,
        };
        step.tell(To::Role(Role::BusinessAdministrator, of), &news).await?;
        step.finish("operating rules", rules.id, json!({ "of": of, "version": version })).await?;
        self.rules_by_id(rules.id).await
    }

    /// No sub-form opens before the rules are on file with these custodians, the information office and the commission.
    pub(crate) async fn check_rules(
        &self,
        db: &impl ConnectionTrait,
        agency_id: i64,
        custodians: &BTreeSet<String>,
    ) -> Result<(), Fault> {
        let latest = latest_rules(db, agency_id).await?;
        let refused = |en: String, zh: String| forbidden(en, zh, "8(1)");
        let Some(latest) = latest else {
            let (en, zh) = ("File the agency's operating rules first.", "請先訂定並函送作業規定。");
            return Err(refused(en.to_owned(), zh.to_owned()));
        };
        let receipts =
            rules_receipt::Entity::find().filter(rules_receipt::Column::RulesId.eq(latest.id)).all(db).await?;
        check_kept_centrally(db).await?;
        let central = central(db).await?;
        let needed = custodians.iter().chain(&central);
        let waiting: Vec<&str> = needed
            .filter(|code| !receipts.iter().any(|row| row.recipient == **code && row.received_at.is_some()))
            .map(String::as_str)
            .collect();
        match waiting.is_empty() {
            true => Ok(()),
            false => Err(refused(
                format!("The operating rules are not yet acknowledged by: {}.", waiting.join(", ")),
                format!("作業規定尚待下列機關備查：{}。", waiting.join("、")),
            )),
        }
    }

    /// The audit plans of the day, by dataset.
    pub async fn audit_plans(&self) -> Result<Vec<AuditPlan>, Fault> {
        let rows = audit_plan::Entity::find().order_by_desc(audit_plan::Column::Version).all(self.db()).await?;
        let mut seen = BTreeSet::new();
        let newest = rows.into_iter().filter(|row| seen.insert(row.dataset.clone()));
        let mut plans: Vec<AuditPlan> = newest.map(plan_shown).collect();
        plans.sort_by(|a, b| a.dataset.cmp(&b.dataset));
        Ok(plans)
    }

    /// Files the audit plan of a dataset of the caller's agency, or that none is needed.
    pub async fn file_audit_plan(
        &self,
        act: &Act,
        dataset: &str,
        content: &str,
        interval_days: i32,
        waived: bool,
    ) -> Result<AuditPlan, Fault> {
        let own = self.catalog.datasets.iter().find(|known| known.code == dataset);
        let Some(own) = own.filter(|known| *known.custodian == *act.caller.agency) else {
            return Err(not_found("dataset of this agency", "本機關管理之資料庫", dataset));
        };
        if content.trim().is_empty() {
            return Err(wrong("content", "expected the plan, or why there is none", "應載明計畫內容或免訂理由"));
        }
        if !(1..=366).contains(&interval_days) {
            return Err(wrong("intervalDays", "expected 1 to 366 days", "應為 1 至 366 日"));
        }
        let personal =
            self.catalog.fields.iter().any(|field| field.dataset == own.id && field.class >= Class::Personal);
        if waived && personal {
            return Err(forbidden(
                format!("{dataset} holds personal data: its audit plan cannot be waived."),
                format!("{dataset} 含個人資料，不得免訂稽核計畫。"),
                "6(3)",
            ));
        }
        let step = match self.begin(act, "fileAuditPlan").await? {
            Begun::Before(id) => return self.plan_by_id(id).await,
            Begun::New(step) => step,
        };
        let last = audit_plan::Entity::find()
            .filter(audit_plan::Column::Dataset.eq(dataset))
            .order_by_desc(audit_plan::Column::Version)
            .one(step.tx())
            .await?;
        let row = audit_plan::ActiveModel {
            dataset: Set(dataset.to_owned()),
            version: Set(last.map_or(1, |last| last.version + 1)),
            waived: Set(waived),
            content: Set(content.to_owned()),
            interval_days: Set(interval_days),
            filed_by: Set(act.caller.account.to_string()),
            filed_at: Set(self.now()),
            ..Default::default()
        };
        let id = audit_plan::Entity::insert(row).exec(step.tx()).await?.last_insert_id;
        step.finish("audit plan", id, json!({ "dataset": dataset, "waived": waived })).await?;
        self.plan_by_id(id).await
    }

    async fn plan_by_id(&self, id: i64) -> Result<AuditPlan, Fault> {
        let row = audit_plan::Entity::find_by_id(id).one(self.db()).await?;
        row.map(plan_shown).ok_or_else(|| not_found("audit plan", "稽核計畫", &id.to_string()))
    }

    async fn rules_by_id(&self, id: i64) -> Result<OperatingRules, Fault> {
        let row = operating_rules::Entity::find_by_id(id).one(self.db()).await?;
        self.rules_shown(row.ok_or_else(|| not_found("operating rules", "作業規定", &id.to_string()))?).await
    }

    async fn rules_shown(&self, row: operating_rules::Model) -> Result<OperatingRules, Fault> {
        let receipts = rules_receipt::Entity::find().filter(rules_receipt::Column::RulesId.eq(row.id));
        let receipts = receipts.order_by_asc(rules_receipt::Column::Recipient).all(self.db()).await?;
        let mut receipts: Vec<Receipt> = receipts.into_iter().map(receipt_shown).collect();
        let later = self.not_sent_to(self.db(), &row).await?.into_iter();
        receipts.extend(later.map(|recipient| Receipt { recipient, received_by: None, received_at: None }));
        receipts.sort_by(|a, b| a.recipient.cmp(&b.recipient));
        Ok(OperatingRules {
            agency: agency_code(self.db(), row.agency_id).await?,
            version: row.version,
            title: row.title,
            content: row.content,
            sha256: row.sha256,
            filed_at: row.filed_at,
            receipts,
        })
    }

    /// Those who keep the rules of the day and did not when these were filed. Former rules are no longer to be kept.
    async fn not_sent_to(
        &self,
        db: &impl ConnectionTrait,
        rules: &operating_rules::Model,
    ) -> Result<BTreeSet<String>, Fault> {
        if latest_rules(db, rules.agency_id).await?.is_none_or(|latest| latest.id != rules.id) {
            return Ok(BTreeSet::new());
        }
        let mut keepers = self.keepers(db).await?;
        let sent = rules_receipt::Entity::find().filter(rules_receipt::Column::RulesId.eq(rules.id)).all(db).await?;
        keepers.retain(|keeper| !sent.iter().any(|row| row.recipient == *keeper));
        Ok(keepers)
    }

    /// Every managing agency, the information office and the commission.
    async fn keepers(&self, db: &impl ConnectionTrait) -> Result<BTreeSet<String>, Fault> {
        let mut keepers: BTreeSet<String> = central(db).await?.into_iter().collect();
        keepers.extend(self.catalog.datasets.iter().map(|dataset| dataset.custodian.clone()));
        Ok(keepers)
    }
}

/// The information office and the commission.
async fn central(db: &impl ConnectionTrait) -> Result<Vec<String>, Fault> {
    let central = agency::Entity::find().filter(agency::Column::Kind.is_in(CENTRAL.map(AgencyKind::word)));
    Ok(central.all(db).await?.into_iter().map(|row| row.code).collect())
}

/// Kinds of agencies of which each city has one that keeps all rules.
const CENTRAL: [AgencyKind; 2] = [AgencyKind::InformationOffice, AgencyKind::Commission];

/// Rules cannot be on file where nobody keeps them.
async fn check_kept_centrally(db: &impl ConnectionTrait) -> Result<(), Fault> {
    for kind in CENTRAL {
        if agency::Entity::find().filter(agency::Column::Kind.eq(kind.word())).one(db).await?.is_none() {
            let (word, en, zh) = (kind.word(), "to keep operating rules", "尚未設立，無法備查作業規定");
            return Err(forbidden(
                format!("There is no {word} yet {en}: the information office opens it (openAgency)."),
                format!("{}{zh}：請洽資訊局設立（openAgency）。", kind.title()),
                "8(1)",
            ));
        }
    }
    Ok(())
}

async fn write_receipt(db: &impl ConnectionTrait, rules_id: i64, recipient: &str) -> Result<i64, Fault> {
    let row = rules_receipt::ActiveModel {
        rules_id: Set(rules_id),
        recipient: Set(recipient.to_owned()),
        received_by: Set(None),
        received_at: Set(None),
        ..Default::default()
    };
    Ok(rules_receipt::Entity::insert(row).exec(db).await?.last_insert_id)
}

fn receipt_shown(row: rules_receipt::Model) -> Receipt {
    Receipt { recipient: row.recipient, received_by: row.received_by, received_at: row.received_at }
}

/// Who acknowledges rules in the agencies that keep them.
const KEEPERS: [Role; 3] = [Role::DatabaseAdministrator, Role::InformationOffice, Role::CommissionOfficer];

async fn latest_rules(db: &impl ConnectionTrait, agency_id: i64) -> Result<Option<operating_rules::Model>, Fault> {
    let of = operating_rules::Entity::find().filter(operating_rules::Column::AgencyId.eq(agency_id));
    Ok(of.order_by_desc(operating_rules::Column::Version).one(db).await?)
}

fn plan_shown(row: audit_plan::Model) -> AuditPlan {
    AuditPlan {
        dataset: row.dataset,
        version: row.version,
        waived: row.waived,
        content: row.content,
        interval_days: row.interval_days,
        filed_at: row.filed_at,
    }
}
