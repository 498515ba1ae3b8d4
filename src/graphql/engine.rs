//! From a request's text to its answer: documents validated once and kept, plans kept for the same rights and the
//! same presence of variables, then run. Who asks was settled before; the record is committed after, by `http`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_graphql::futures_util::stream::BoxStream;
use async_graphql::parser::types::OperationType;
use async_graphql::{Data, Response, Variables};
use bytes::Bytes;
use moka::sync::Cache;
use serde_json::{Map, Value};

use super::document::{self, Document, Plans};
use super::reply::Reply;
use super::validate::roots;
use super::{Face, Validated};
use crate::access::{Caller, Code, Refusal, Rights};
use crate::audit::Asked;
use crate::audit::shape::Blob;
use crate::audit::wording::Wording;
use crate::catalog::Catalog;
use crate::config::Limits;
use crate::procedure::{Act, Procedure, rules};
use crate::query::cost::Bounds;
use crate::query::page::Sealer;
use crate::query::plan::Plan;
use crate::query::run::{self, Run};
use crate::query::{planner, resolve, write};
use crate::store::layout::Databases;

/// Text of the documents kept, in bytes; a document read takes some ten times its text.
const DOCUMENTS: u64 = 4 << 20;

/// A request as it came in.
#[derive(Debug, Default)]
pub struct Request {
    /// The document.
    pub query: String,
    /// Which of its operations.
    pub operation_name: Option<String>,
    /// Variables by name.
    pub variables: Map<String, Value>,
    /// Id of its audit record.
    pub record: uuid::Uuid,
}

/// Answers operations.
pub struct Engine {
    pub(super) face: Face,
    procedure: Arc<Procedure>,
    pub(super) databases: Arc<Databases>,
    pub(super) bounds: Arc<Bounds>,
    sealer: Sealer,
    pub(super) nothing: Rights,
    documents: Cache<(String, Option<String>), Arc<Document>>,
    plans: Plans,
}

/// What is said to those who send anything else over a WebSocket.
pub fn subscriptions_only() -> Refusal {
    Refusal::input(
        "Only subscriptions are answered over a WebSocket: send queries and mutations by POST.",
        "WebSocket 僅受理 subscription：query 與 mutation 請以 POST 傳送。",
    )
}

/// What an error of the procedure says, by the closed list of codes.
pub use super::others::refusal;

impl Engine {
    /// An engine over a catalogue and its databases.
    pub fn new(
        catalog: Arc<Catalog>,
        databases: Arc<Databases>,
        procedure: Arc<Procedure>,
        limits: &Limits,
        sealer: Sealer,
    ) -> Engine {
        Engine {
            procedure,
            nothing: Rights::none(&catalog),
            face: Face::new(catalog),
            databases,
            bounds: Arc::new(Bounds::new(limits)),
            sealer,
            documents: Cache::builder()
                .max_capacity(DOCUMENTS)
                .weigher(|key: &(String, Option<String>), _: &Arc<Document>| {
                    u32::try_from(key.0.len()).unwrap_or(u32::MAX).saturating_add(512)
                })
                .build(),
            plans: Plans::new(),
        }
    }

    /// The schema.
    pub fn face(&self) -> &Face {
        &self.face
    }

    /// The databases.
    pub fn databases(&self) -> &Databases {
        &self.databases
    }

    /// The procedure.
    pub fn procedure(&self) -> &Arc<Procedure> {
        &self.procedure
    }

    /// What kind of operation a request holds; none where it cannot be read, which the answer will say.
    pub fn kind_of(&self, request: &Request) -> Option<OperationType> {
        // The word stands in every operation that is not a query, and documents that are read are kept.
        let other = request.query.contains("mutation") || request.query.contains("subscription");
        if !other {
            return Some(OperationType::Query);
        }
        self.document(request).ok().map(|document| document.validated.operation().ty)
    }

    /// Answers a request. `anonymous` is the refusal for those who are not signed in: the schema they may read.
    pub async fn answer(self: &Arc<Self>, caller: Result<&Caller, Refusal>, request: &Request) -> Reply {
        let started = Instant::now();
        let document = match self.document(request) {
            Ok(document) => document,
            Err(errors) => return Reply::refused(errors, None),
        };
        let caller = match caller {
            Ok(caller) => Some(caller),
            Err(refusal) if document.validated.needs_caller() => return Reply::refused(vec![refusal], None),
            Err(_) => None,
        };
        let mut asked = document.asked(request);
        if let Some(refusal) = caller.and_then(|caller| caller.without_form.as_deref())
            && document.validated.has_data
        {
            return Reply::refused(vec![refusal.clone()], Some(asked));
        }
        let within_bounds = self.bounds.objects(request.variables.values().map(objects).sum());
        if let Err(refusal) = within_bounds {
            return Reply::refused(vec![refusal], Some(asked));
        }
        let variables = match self.face.variables(&document.validated, &request.variables) {
            Ok(variables) => variables,
            Err(errors) => return Reply::refused(errors, Some(asked)),
        };
        let others = match self.others(&document.validated, request, caller, &variables).await {
            Ok(others) => others,
            Err(errors) => return Reply::refused(errors, Some(asked)),
        };
        if document.validated.operation().ty != OperationType::Query {
            return Reply::stepped(&others, asked);
        }
        let others = others.into_iter().map(|(key, value)| (key, value.to_string())).collect();
        let rights = caller.and_then(|caller| caller.form.as_ref()).map_or(&self.nothing, |form| &form.rights);
        let bound_to = caller.map_or(String::new(), |caller| format!("{} {:x}", caller.account_id, rights.digest()));
        let plan = match self.plan(&document, rights, &variables, &bound_to) {
            Ok(plan) => plan,
            Err(errors) => {
                let missing = self.missing(&document, rights, &variables, &errors);
                return Reply { missing, ..Reply::refused(errors, Some(asked)) };
            }
        };
        asked.shape = plan.shape.clone();
        if let Some(refusal) = self.out_of_service(&plan) {
            return Reply::refused(vec![refusal], Some(asked));
        }
        if let Some(refusal) = case_number_missing(caller, &plan) {
            return Reply::refused(vec![refusal], Some(asked));
        }
        let run = Run {
            databases: &self.databases,
            bounds: &self.bounds,
            sealer: &self.sealer,
            bound_to: &bound_to,
            account: caller.map_or(0, |caller| caller.account_id),
            deadline: started + Duration::from_millis(self.bounds.limits().time_ms),
        };
        let missing = self.missing(&document, rights, &variables, &plan.denied);
        match run::run(&run, &plan, variables, &others).await {
            Ok(answer) => Reply { missing, ..Reply::answered(answer, &plan, asked, &document.validated) },
            Err(refusal) => Reply::refused(vec![refusal], Some(asked)),
        }
    }

    /// Begins what a subscription watches. Its events are the caller's to record before they leave.
    pub async fn watch(
        self: &Arc<Self>,
        caller: &Caller,
        request: &Request,
    ) -> Result<BoxStream<'static, Response>, Vec<Refusal>> {
        let document = self.document(request)?;
        if document.validated.operation().ty != OperationType::Subscription {
            return Err(vec![subscriptions_only()]);
        }
        // The table of rules stands before every root field of a subscription, as of the others.
        let operation = document.validated.operation();
        let mut allowed = Ok(());
        roots(&document.validated.document, &operation.selection_set.node, &mut |field| {
            let one = rules::decide(&caller.roles, field.name.node.as_str());
            allowed = std::mem::replace(&mut allowed, Ok(())).and(one);
        });
        allowed.map_err(|refusal| vec![refusal])?;
        let variables = self.face.variables(&document.validated, &request.variables)?;
        Ok(self.face.watch(&document.validated, &variables, self.data(request, Some(caller))))
    }

    fn data(self: &Arc<Self>, request: &Request, caller: Option<&Caller>) -> Data {
        let mut data = Data::default();
        if let Some(caller) = caller {
            data.insert(self.clone());
            data.insert(self.procedure.clone());
            data.insert(request.act(caller));
        }
        data
    }

    /// A dataset that was suspended or withdrawn is not asked, whoever asks.
    fn out_of_service(&self, plan: &Plan) -> Option<Refusal> {
        let snapshot = self.procedure.accounts().rights().current();
        let mut closed = plan.datasets.iter().filter_map(|id| {
            let dataset = self.face.catalog().dataset(*id);
            Some((dataset, snapshot.out_of_service(&dataset.code)?))
        });
        let (dataset, state) = closed.next()?;
        let (en, zh) = if state.withdrawn { ("withdrawn", "終止提供") } else { ("suspended", "暫停提供") };
        let refusal = Refusal::new(
            Code::DatasetSuspended,
            format!("The dataset {} is {en}: {}", dataset.code, state.reason),
            format!("資料庫 {}（{}）{zh}：{}", dataset.title, dataset.code, state.reason),
        );
        Some(refusal.with("dataset", dataset.code.as_str()).with("custodian", dataset.custodian.as_str()))
    }

    pub(super) fn document(&self, request: &Request) -> Result<Arc<Document>, Vec<Refusal>> {
        let key = (request.query.clone(), request.operation_name.clone());
        if let Some(document) = self.documents.get(&key) {
            return Ok(document);
        }
        let name = request.operation_name.as_deref();
        let validated = self.face.validate(&request.query, name, self.bounds.limits())?;
        let wording = Wording::of(&request.query);
        let document = Arc::new(Document {
            number: document::number(),
            name: validated.operation_name.as_deref().map(Arc::from),
            validated,
            text: Blob::text(&wording.text),
            strings: wording.strings,
        });
        self.documents.insert(key, document.clone());
        Ok(document)
    }

    async fn others(
        self: &Arc<Self>,
        validated: &Validated,
        request: &Request,
        caller: Option<&Caller>,
        variables: &Variables,
    ) -> Result<Map<String, Value>, Vec<Refusal>> {
        if !validated.has_introspection && !validated.has_procedure {
            return Ok(Map::new());
        }
        let answers = self.face.others(validated, variables, self.data(request, caller)).await;
        answers.map_err(|refusals| {
            let ours = |refusal: Refusal| match refusal.code {
                Code::Internal => {
                    tracing::error!(request = %request.record, "an operation of the procedure failed");
                    refusal.with("requestId", request.record.to_string())
                }
                _ => refusal,
            };
            refusals.into_iter().map(ours).collect()
        })
    }

    fn plan(
        &self,
        document: &Document,
        rights: &Rights,
        variables: &Variables,
        bound_to: &str,
    ) -> Result<Arc<Plan>, Vec<Refusal>> {
        if let Some(plan) = self.plans.get(document, rights.generation(), variables) {
            return Ok(plan);
        }
        let catalog = self.face.catalog();
        let fragments = &document.validated.document.fragments;
        let operation = document.validated.operation();
        let operation = resolve::resolve(catalog, operation, fragments, variables, &self.bounds)
            .map_err(|refusal| vec![refusal])?;
        let open = |order: &str, cursor: &str| self.sealer.open(&write::bound(bound_to, order), cursor);
        let plan = Arc::new(planner::plan(catalog, &self.databases, rights, &self.bounds, &open, &operation)?);
        // What is refused for its cost is not worth a place.
        let is_run =
            run::cost(&plan.estimates, variables, &self.bounds).and_then(|cost| self.bounds.cost(cost)).is_ok();
        if is_run && !operation.single_use {
            self.plans.keep(document, rights.generation(), variables, &plan);
        }
        Ok(plan)
    }
}

impl Request {
    fn act(&self, caller: &Caller) -> Act {
        let mut digest = blake3::Hasher::new();
        // A map of JSON values always becomes JSON.
        let variables = serde_json::to_vec(&self.variables).unwrap_or_default();
        digest.update(self.query.as_bytes()).update(&[0]).update(&variables);
        // A document may hold several operations: which of them is meant is part of the request.
        if let Some(name) = &self.operation_name {
            digest.update(&[0]).update(name.as_bytes());
        }
        Act { caller: caller.clone(), digest: digest.finalize().to_hex().to_string(), record: self.record }
    }

    /// What was asked, for the record of a request that did not come to its end.
    pub fn asked(&self) -> Asked {
        let wording = Wording::of(&self.query);
        Asked {
            document: Blob::text(&wording.text),
            strings: wording.strings,
            shape: Blob::none(),
            operation_name: self.operation_name.as_deref().map(Arc::from),
            // A map of JSON values always becomes JSON.
            variables: Bytes::from(serde_json::to_vec(&self.variables).unwrap_or_default()),
        }
    }
}

/// Objects in a value, itself included.
fn objects(value: &Value) -> u64 {
    match value {
        Value::Array(items) => items.iter().map(objects).sum(),
        Value::Object(fields) => 1 + fields.values().map(objects).sum::<u64>(),
        _ => 0,
    }
}

/// Personal data needs a case number where the form demands one.
fn case_number_missing(caller: Option<&Caller>, plan: &Plan) -> Option<Refusal> {
    let caller = caller?;
    let form = caller.form.as_ref().filter(|form| form.case_required && plan.personal)?;
    if caller.case_number.is_some() || plan.steps.is_empty() {
        return None;
    }
    Some(
        Refusal::new(
            Code::PurposeRequired,
            format!("Form {} demands a case number for personal data: name it in X-Case-Number.", form.number),
            format!("表單 {} 規定查詢個人資料須填案號：請於 X-Case-Number 註明。", form.number),
        )
        .with("missing", "X-Case-Number"),
    )
}
