//! What can be asked for and granted: a coordinate with use rights, level and row scope, as it is sent, shown and stored.

use std::collections::BTreeSet;

use async_graphql::{Enum, InputObject, SimpleObject};

use super::Fault;
use super::agency::check_title;
use super::fault::wrong;
use crate::access::{Item, Use, Uses, unmasking};
use crate::catalog::scalar::district::{DISTRICTS, find_by_code};
use crate::catalog::{Catalog, FieldDef, FieldKind};

/// 使用權: a way of using a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "Use", remote = "crate::access::Use")]
pub enum UseName {
    /// 查看: show it; for a join or a root field, walk it.
    Select,
    /// 篩選: narrow rows by it.
    Filter,
    /// 排序: sort and page by it.
    Order,
    /// 分組: group by it.
    Group,
    /// 統計: count, sum, minimum, maximum of it.
    Aggregate,
    /// 比對: ask yes or no about one value of it.
    Match,
}

/// 揭露程度: how far a field is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum Level {
    /// 全部: as it is.
    Full,
    /// 遮罩: masked, as the declaration says.
    Masked,
}

/// 目的: a purpose of use.
#[derive(Debug, Clone, PartialEq, Eq, SimpleObject, InputObject)]
#[graphql(input_name = "PurposeInput")]
pub struct Purpose {
    /// 目的代碼: code, as `X-Purpose` names it.
    pub code: String,
    /// 目的: as people know it.
    pub title: String,
}

/// 查詢項目: an item of a form, an annex or a group.
#[derive(Debug, Clone, PartialEq, Eq, SimpleObject)]
pub struct GrantedItem {
    /// 欄位座標: schema coordinate, `Person.name`, `Parcel.ownerships`, `Query.parcels`.
    pub coordinate: String,
    /// 使用權: use rights.
    pub uses: Vec<UseName>,
    /// 揭露程度: in full or masked.
    pub level: Level,
    /// 行政區: row scope as district codes; none is the whole city.
    pub districts: Option<Vec<String>>,
    /// 理由: why it is needed, in an annex.
    pub reason: Option<String>,
}

/// 查詢項目: an item that is asked for, or named for a group.
#[derive(Debug, Clone, InputObject)]
pub struct ItemInput {
    /// 欄位座標: schema coordinate; several of a type as `Person.{name sex}`, all of it as `Person.*`.
    pub coordinate: String,
    /// 使用權: use rights.
    pub uses: Vec<UseName>,
    /// 揭露程度: in full without it.
    pub level: Option<Level>,
    /// 行政區: row scope as district codes (63000030 …); the whole city without it.
    pub districts: Option<Vec<String>>,
    /// 理由: why it is needed; compulsory for personal data in an application.
    pub reason: Option<String>,
}

/// An item that is asked for, with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The item.
    pub item: Item,
    /// Why it is needed.
    pub reason: String,
}

/// Reads items that were sent: coordinates spelled out, each checked against the declarations. Every fault is told.
pub fn read(catalog: &Catalog, sent: &[ItemInput]) -> Result<Vec<Asked>, Fault> {
    let (mut items, mut faults): (Vec<Asked>, Vec<(String, String)>) = (Vec::new(), Vec::new());
    for input in sent {
        let uses: Uses = input.uses.iter().map(|one| Use::from(*one)).collect();
        if uses.is_empty() {
            faults.push((format!("{} has no use", input.coordinate), format!("「{}」未列使用權", input.coordinate)));
        }
        let fields = spelled_out(catalog, &input.coordinate);
        if fields.is_empty() {
            faults.push((format!("no field {}", input.coordinate), format!("查無欄位「{}」", input.coordinate)));
        }
        for field in fields {
            let masked = input.level == Some(Level::Masked);
            if let Some(fault) = misfit(catalog, field, uses, masked, input.districts.as_deref()) {
                faults.push(fault);
            }
            let item = Item { coordinate: field.coordinate.clone(), uses, masked, districts: input.districts.clone() };
            // What stands earlier in the list wins, so that the particular can stand before the general.
            if !items.iter().any(|known| known.item.coordinate == item.coordinate) {
                items.push(Asked { item, reason: input.reason.clone().unwrap_or_default().trim().to_owned() });
            }
        }
    }
    if faults.is_empty() {
        return Ok(items);
    }
    faults.truncate(20);
    let (en, zh): (Vec<_>, Vec<_>) = faults.into_iter().unzip();
    Err(wrong("items", en.join("; "), zh.join("；")))
}

/// The fields that a coordinate names.
pub fn spelled_out<'a>(catalog: &'a Catalog, coordinate: &str) -> Vec<&'a FieldDef> {
    let known = |coordinate: &str| catalog.fields_by_coordinate.get(coordinate).map(|id| catalog.field(*id));
    if let Some(prefix) = coordinate.strip_suffix('*') {
        return catalog.fields.iter().filter(|field| field.coordinate.starts_with(prefix)).collect();
    }
    match coordinate.split_once(".{").and_then(|(of, rest)| Some((of, rest.strip_suffix('}')?))) {
        Some((of, names)) => {
            let found: Vec<_> = names.split_whitespace().map(|name| known(&format!("{of}.{name}"))).collect();
            // One unknown name makes the whole unknown: nothing is dropped silently.
            found.into_iter().collect::<Option<Vec<_>>>().unwrap_or_default()
        }
        None => known(coordinate).into_iter().collect(),
    }
}

fn misfit(
    catalog: &Catalog,
    field: &FieldDef,
    uses: Uses,
    masked: bool,
    districts: Option<&[String]>,
) -> Option<(String, String)> {
    let name = &field.coordinate;
    if masked && matches!(field.kind, FieldKind::Column(_)) && field.mask.is_none() {
        return Some((format!("{name} has no mask"), format!("「{name}」無遮罩方式")));
    }
    let telling = uses.intersection(unmasking(field));
    if masked && !telling.is_empty() {
        return Some((
            format!(
                "{name} is masked: {telling} would tell what the mask hides (match asks yes or no about one value)"
            ),
            format!("「{name}」為遮罩，{}將揭露其內容（得申請比對單一值）", words_zh(telling)),
        ));
    }
    match districts {
        Some([]) => Some((format!("{name}: no district"), format!("「{name}」未列行政區"))),
        Some(_) if catalog.type_def(field.owner).scope_column.is_none() => {
            Some((format!("{name}: its rows have no district"), format!("「{name}」之資料無行政區")))
        }
        Some(codes) => {
            let unknown = codes.iter().find(|code| find_by_code(code).is_none())?;
            let known: Vec<String> = DISTRICTS.iter().map(|one| format!("{} {}", one.code, one.name)).collect();
            Some((
                format!("{name}: no district \"{unknown}\", expected codes: {}", known.join(", ")),
                format!("「{name}」查無行政區代碼「{unknown}」，應為：{}", known.join("、")),
            ))
        }
        None => None,
    }
}

fn words_zh(uses: Uses) -> String {
    uses.iter().map(Use::word_zh).collect::<Vec<_>>().join("、")
}

/// An item as it is shown.
pub fn shown(item: &Item, reason: Option<String>) -> GrantedItem {
    GrantedItem {
        coordinate: item.coordinate.clone(),
        uses: item.uses.iter().map(UseName::from).collect(),
        level: if item.masked { Level::Masked } else { Level::Full },
        districts: item.districts.clone(),
        reason,
    }
}

/// Purposes as they are stored.
pub fn purposes_text(purposes: &[Purpose]) -> String {
    let pairs: Vec<(&str, &str)> = purposes.iter().map(|one| (one.code.as_str(), one.title.as_str())).collect();
    serde_json::to_string(&pairs).unwrap_or_default() // texts always become JSON
}

/// Purposes from what is stored, each code once: earlier releases took one twice, and a form holds it once.
pub fn purposes_of(text: &str) -> Vec<Purpose> {
    let pairs: Vec<(String, String)> = serde_json::from_str(text).unwrap_or_default();
    let mut seen = BTreeSet::new();
    let first = pairs.into_iter().filter(|(code, _)| seen.insert(code.clone()));
    first.map(|(code, title)| Purpose { code, title }).collect()
}

/// Purposes that were sent: codes that a header can hold, each once.
pub fn check_purposes(purposes: &[Purpose]) -> Result<(), Fault> {
    let plain = |code: &str| {
        (1..=64).contains(&code.len())
            && code.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-')
    };
    if purposes.is_empty() {
        return Err(wrong("purposes", "expected at least one", "至少須列一項"));
    }
    let mut seen = BTreeSet::new();
    for Purpose { code, title } in purposes {
        if !plain(code) || title.trim().is_empty() {
            return Err(wrong(
                "purposes",
                format!("\"{code}\": expected a code of small letters, digits and hyphens, and a title"),
                format!("「{code}」：應有小寫英文字母、數字、連字號組成之代碼及名稱"),
            ));
        }
        check_title("purposes", title)?;
        if !seen.insert(code) {
            return Err(wrong(
                "purposes",
                format!("\"{code}\" stands twice: name each purpose once"),
                format!("「{code}」重複，每項目的僅列一次"),
            ));
        }
    }
    Ok(())
}

/// Texts as they are stored.
pub fn texts(list: &[String]) -> String {
    serde_json::to_string(list).unwrap_or_default() // texts always become JSON
}

/// Texts from what is stored.
pub fn texts_of(text: &str) -> Vec<String> {
    serde_json::from_str(text).unwrap_or_default()
}
