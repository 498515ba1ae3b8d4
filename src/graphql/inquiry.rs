//! What an operation would need: the denial that helps, a draft that asks for exactly what is lacking, and the
//! explanation of what would happen. Nothing is read from a dataset here.

use std::collections::{BTreeMap, BTreeSet};

use async_graphql::{SimpleObject, Variables};
use serde_json::{Map, Value, json};

use super::document::Document;
use super::engine::{Engine, Request};
use super::validate::roots;
use crate::access::{Refusal, Rights, Use, Uses};
use crate::accounts::rights::HeldForm;
use crate::catalog::{Class, FieldId};
use crate::procedure::item::{GrantedItem, Level, UseName, shown};
use crate::query::{planner, resolve, run, uses};

/// 使用說明: whether one use of one field is granted.
#[derive(Debug, Clone, SimpleObject)]
pub struct UseDecision {
    /// 欄位座標: schema coordinate.
    pub coordinate: String,
    /// 使用權: the use.
    #[graphql(name = "use")]
    pub used: UseName,
    /// 是否核准: whether the form grants it.
    pub granted: bool,
    /// 揭露程度: how far it is shown.
    pub level: Option<Level>,
    /// 核准項目: the item that grants it.
    pub item: Option<GrantedItem>,
    /// 管理機關: who decides on it.
    pub custodian: String,
}

/// 查詢敘述: a statement that would run.
#[derive(Debug, Clone, SimpleObject)]
pub struct PlannedStatement {
    /// 資料庫: datasets of the database that it runs in.
    pub datasets: Vec<String>,
    /// 位置: which part of the operation it answers.
    pub path: String,
    /// SQL: its text; values are parameters and do not stand in it.
    pub sql: String,
}

/// 查詢說明: what would happen if the operation were run.
#[derive(Debug, Clone, SimpleObject)]
pub struct Explanation {
    /// 表單: sub-form that it was decided under; none where none is held.
    pub form: Option<String>,
    /// 逐項決定: every use of every field, in the order of the document.
    pub decisions: Vec<UseDecision>,
    /// 將被拒絕之理由: why the operation would be refused as a whole; empty if it would be answered.
    pub refusals: Vec<String>,
    /// 查詢敘述: the statements that would run.
    pub statements: Vec<PlannedStatement>,
    /// 估計成本: rows times fields, as the limit counts them.
    pub cost: Option<String>,
}

impl Engine {
    /// What was asked and is not granted, by custodian; none where nothing was denied.
    pub(super) fn missing(
        &self,
        document: &Document,
        rights: &Rights,
        variables: &Variables,
        denied: &[Refusal],
    ) -> Option<Value> {
        if !denied.iter().any(|refusal| refusal.extensions.contains_key("coordinate")) {
            return None;
        }
        let catalog = self.face.catalog();
        let mut by_custodian: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for (field, lacking) in self.lacking(document, rights, variables).ok()? {
            let field = catalog.field(field);
            let words: Vec<&str> = lacking.iter().map(Use::word).collect();
            let item = json!({ "coordinate": field.coordinate, "uses": words });
            by_custodian.entry(&catalog.dataset(field.dataset).custodian).or_default().push(item);
        }
        let title = |custodian: &str| {
            let known = catalog.datasets.iter().find(|dataset| dataset.custodian == custodian);
            known.map(|dataset| dataset.custodian_title.as_str())
        };
        let groups = by_custodian.into_iter().map(
            |(custodian, items)| json!({ "custodian": custodian, "custodianTitle": title(custodian), "items": items }),
        );
        Some(groups.collect())
    }

    /// What an operation uses and the rights do not grant, in the order of the document.
    pub fn lacks(&self, request: &Request, rights: Option<&Rights>) -> Result<Vec<(FieldId, Uses)>, Vec<Refusal>> {
        let document = self.document(request)?;
        let variables = self.face.variables(&document.validated, &request.variables)?;
        self.lacking(&document, rights.unwrap_or(&self.nothing), &variables)
    }

    fn lacking(
        &self,
        document: &Document,
        rights: &Rights,
        variables: &Variables,
    ) -> Result<Vec<(FieldId, Uses)>, Vec<Refusal>> {
        let used = self.used(document, variables)?;
        let mut lacking: Vec<(FieldId, Uses)> = Vec::new();
        for one in used.iter().filter(|one| one.decide(rights).is_none()) {
            match lacking.iter_mut().find(|(field, _)| *field == one.field) {
                Some((_, uses)) => *uses = uses.with(one.used),
                None => lacking.push((one.field, Uses::NONE.with(one.used))),
            }
        }
        Ok(lacking)
    }

    /// Whether an operation looks for persons: compares a personal field with a value that it brings along, or hands over
    /// another operation that may.
    pub fn looks_for_persons(&self, request: &Request) -> bool {
        if self.document(request).is_ok_and(|document| takes_an_operation(&document)) {
            return true;
        }
        let used = self.document(request).and_then(|document| {
            let variables = self.face.variables(&document.validated, &request.variables)?;
            self.used(&document, &variables)
        });
        let catalog = self.face.catalog();
        let personal = |one: &uses::Used| catalog.field(one.field).class >= Class::Personal;
        // What cannot be read is refused anyway.
        used.is_ok_and(|used| used.iter().any(|one| one.used == Use::Filter && personal(one)))
    }

    fn used(&self, document: &Document, variables: &Variables) -> Result<Vec<uses::Used>, Vec<Refusal>> {
        let operation = document.validated.operation();
        let fragments = &document.validated.document.fragments;
        let operation = resolve::resolve(self.face.catalog(), operation, fragments, variables, &self.bounds);
        operation.map(|operation| uses::list(&operation)).map_err(|refusal| vec![refusal])
    }

    /// What would happen under a form, without running it.
    pub fn explain(&self, request: &Request, form: Option<&HeldForm>) -> Result<Explanation, Vec<Refusal>> {
        let document = self.document(request)?;
        let variables = self.face.variables(&document.validated, &request.variables)?;
        let catalog = self.face.catalog();
        let rights = form.map_or(&self.nothing, |form| &form.rights.rights);
        let items = form.map(HeldForm::items).unwrap_or_default();
        let mut seen = BTreeSet::new();
        let mut decisions = Vec::new();
        for used in self.used(&document, &variables)? {
            if !seen.insert((used.field, used.used, used.one_value)) {
                continue;
            }
            let field = catalog.field(used.field);
            let granted = used.decide(rights).is_some();
            let level = if rights.masked(used.field) { Level::Masked } else { Level::Full };
            let item = items.iter().find(|item| item.coordinate == field.coordinate).filter(|_| granted);
            decisions.push(UseDecision {
                coordinate: field.coordinate.clone(),
                used: used.used.into(),
                granted,
                level: granted.then_some(level),
                item: item.map(|item| shown(item, None)),
                custodian: catalog.dataset(field.dataset).custodian.clone(),
            });
        }
        let operation = document.validated.operation();
        let fragments = &document.validated.document.fragments;
        let resolved = resolve::resolve(catalog, operation, fragments, &variables, &self.bounds)
            .map_err(|refusal| vec![refusal])?;
        // A cursor is opened for its owner only, when the operation is run.
        let closed = |_: &str, _: &str| Err(Refusal::input("cursors are not explained", "不說明游標"));
        let form = form.map(|form| form.rights.sub_form.to_string());
        let nothing = |refusals: Vec<String>| Explanation {
            form: form.clone(),
            decisions: decisions.clone(),
            refusals,
            statements: Vec::new(),
            cost: None,
        };
        let plan = match planner::plan(catalog, &self.databases, rights, &self.bounds, &closed, &resolved) {
            Ok(plan) => plan,
            Err(refusals) => return Ok(nothing(refusals.into_iter().map(|refusal| refusal.en).collect())),
        };
        let cost = run::cost(&plan.estimates, &variables, &self.bounds).map_err(|refusal| vec![refusal])?;
        let too_costly = self.bounds.cost(cost).err().map(|refusal| refusal.en);
        let statements = plan.steps.iter().map(|step| PlannedStatement {
            datasets: self.datasets_of(step.database),
            path: step.path.clone(),
            sql: step.statement.sql.to_string(),
        });
        Ok(Explanation {
            statements: statements.collect(),
            cost: Some(cost.to_string()),
            ..nothing(too_costly.into_iter().collect())
        })
    }

    fn datasets_of(&self, database: usize) -> Vec<String> {
        let all = self.face.catalog().datasets.iter();
        let here =
            all.filter(|dataset| self.databases.place(&dataset.code).is_some_and(|place| place.database == database));
        here.map(|dataset| dataset.code.clone()).collect()
    }
}

/// Whether a root field is given an operation as text.
fn takes_an_operation(document: &Document) -> bool {
    let mut found = false;
    let operation = document.validated.operation();
    roots(&document.validated.document, &operation.selection_set.node, &mut |field| {
        found |= field.get_argument("operation").is_some();
    });
    found
}

/// An operation as text with its variables, as it is sent to be explained or drafted from.
pub(super) fn request(operation: String, variables: Option<Value>) -> Result<Request, Refusal> {
    let variables = match variables {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(variables)) => variables,
        Some(_) => return Err(Refusal::input("variables: expected an object", "variables：應為物件")),
    };
    Ok(Request { query: operation, variables, ..Request::default() })
}
