//! Limits of one operation, each checked before any SQL runs, with texts that name the limit.

use crate::access::{Code, Refusal};
use crate::config::Limits;

/// The farthest that `offset` reaches; beyond it, page by cursor.
const OFFSET: u32 = 1_000_000;

/// Most conditions of one operation: databases bound the size of a statement, and nest what is chained.
const CONDITIONS: u64 = 500;

/// Most objects in the variables of one request: a condition and each relation that leads to it is one.
const OBJECTS: u64 = 16 * CONDITIONS;

/// Most words of one order.
const ORDER_WORDS: u64 = 16;

/// The configured limits, asked while an operation is read and planned.
#[derive(Debug, Clone)]
pub struct Bounds {
    limits: Limits,
}

impl Bounds {
    /// Bounds by configuration.
    pub fn new(limits: &Limits) -> Bounds {
        Bounds { limits: limits.clone() }
    }

    /// The limits themselves.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Nesting of selections.
    pub fn depth(&self, depth: u32) -> Result<(), Refusal> {
        check("depth", "selections nested", "巢狀選取層數", depth.into(), self.limits.depth.into())
    }

    /// Selected fields in all.
    pub fn fields(&self, fields: u32) -> Result<(), Refusal> {
        check("fields", "selected fields", "選取欄位數", fields.into(), self.limits.fields.into())
    }

    /// Fields under an alias.
    pub fn aliases(&self, aliases: u32) -> Result<(), Refusal> {
        check("aliases", "aliases", "別名數", aliases.into(), self.limits.aliases.into())
    }

    /// Estimated rows times fields.
    pub fn cost(&self, cost: u64) -> Result<(), Refusal> {
        check("cost", "estimated cost", "預估成本", cost, self.limits.cost)
    }

    /// Values in one list of `_in` or `_nin`.
    pub fn listed(&self, coordinate: &str, values: usize) -> Result<(), Refusal> {
        let most = self.limits.keys;
        if values <= most as usize {
            return Ok(());
        }
        Err(Refusal::new(
            Code::QueryTooCostly,
            format!("{coordinate}: a list of {values} values, at most {most} allowed."),
            format!("{coordinate}：清單有 {values} 個值，上限 {most}。"),
        )
        .with("limit", "keys")
        .with("found", values)
        .with("most", most))
    }

    /// Conditions of one operation, however they are nested.
    pub fn conditions(&self, conditions: u32) -> Result<(), Refusal> {
        check("conditions", "conditions", "篩選條件數", conditions.into(), CONDITIONS)
    }

    /// Objects inside the variables, before any of them is read: the longest filter has some for each condition.
    pub fn objects(&self, objects: u64) -> Result<(), Refusal> {
        check("objects", "objects in variables", "變數中的物件數", objects, OBJECTS)
    }

    /// Words of one order.
    pub fn order_words(&self, words: usize) -> Result<(), Refusal> {
        check("orderBy", "fields in one order", "排序欄位數", words as u64, ORDER_WORDS)
    }

    /// A page asked for.
    pub fn page(&self, argument: &str, asked: i64) -> Result<u32, Refusal> {
        // An offset passes rows over; it does not load them.
        let most = if argument == "offset" { OFFSET } else { self.limits.page };
        match u32::try_from(asked) {
            Ok(asked) if asked <= most => Ok(asked),
            Ok(_) => Err(Refusal::new(
                Code::QueryTooCostly,
                format!("{argument}: {asked} is above the most allowed, {most}."),
                format!("{argument}：{asked} 超過上限 {most}。"),
            )
            .with("limit", if argument == "offset" { "offset" } else { "page" })
            .with("found", asked)
            .with("most", most)),
            Err(_) => Err(Refusal::input(
                format!("{argument}: expected a number from 0 to {most}, found {asked}."),
                format!("{argument}：應為 0 到 {most} 的整數，收到 {asked}。"),
            )),
        }
    }

    /// More rows than an operation may load.
    pub fn too_many_rows(&self, path: &str) -> Refusal {
        let most = self.limits.rows;
        Refusal::new(
            Code::QueryTooCostly,
            format!("{path} leads to more than {most} rows. Narrow it with where, or page with first."),
            format!("{path} 超過 {most} 筆資料列。請以 where 縮小範圍，或以 first 分頁。"),
        )
        .with("limit", "rows")
        .with("most", most)
    }

    /// More keys than a filter may carry from one database to another.
    pub fn too_many_keys(&self, path: &str) -> Refusal {
        let most = self.limits.keys;
        Refusal::new(
            Code::QueryTooCostly,
            format!("The filter through {path} matches more than {most} keys in another database. Make it narrower."),
            format!("經由 {path} 的篩選在另一個資料庫中符合超過 {most} 個鍵。請縮小條件。"),
        )
        .with("limit", "keys")
        .with("most", most)
    }
}

fn check(name: &str, en: &str, zh: &str, found: u64, most: u64) -> Result<(), Refusal> {
    if found <= most {
        return Ok(());
    }
    let en = format!("Too costly: {en} {found}, at most {most} allowed.");
    let zh = format!("查詢成本過高：{zh} {found}，上限 {most}。");
    Err(Refusal::new(Code::QueryTooCostly, en, zh).with("limit", name).with("found", found).with("most", most))
}
