//! A validated document, and the plans made of documents: what is kept between requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_graphql::Variables;
use async_graphql_value::ConstValue;
use bytes::Bytes;
use moka::sync::Cache;
use serde_json::Map;

use super::Validated;
use super::engine::Request;
use crate::audit::Asked;
use crate::audit::shape::Blob;
use crate::query::plan::Plan;

/// Memory of the plans kept, in bytes.
const PLANS: u64 = 64 << 20;

/// Plans by document, compilation of the rights and presence of the variables.
pub(super) struct Plans(Cache<(u64, u64, Vec<u8>), Arc<Plan>>);

impl Plans {
    /// None yet.
    pub(super) fn new() -> Plans {
        let weigher = |_: &(u64, u64, Vec<u8>), plan: &Arc<Plan>| u32::try_from(plan.weight()).unwrap_or(u32::MAX);
        Plans(Cache::builder().max_capacity(PLANS).weigher(weigher).build())
    }

    /// The plan kept for a document under rights.
    pub(super) fn get(&self, document: &Document, generation: u64, variables: &Variables) -> Option<Arc<Plan>> {
        self.0.get(&(document.number, generation, document.presence(variables)))
    }

    /// Keeps a plan.
    pub(super) fn keep(&self, document: &Document, generation: u64, variables: &Variables, plan: &Arc<Plan>) {
        self.0.insert((document.number, generation, document.presence(variables)), plan.clone());
    }
}

/// A number for each document read, never used twice.
pub(super) fn number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A validated document.
pub(super) struct Document {
    /// Tells its plans from those of others.
    pub(super) number: u64,
    pub(super) validated: Arc<Validated>,
    pub(super) text: Arc<Blob>,
    pub(super) strings: Arc<[Box<str>]>,
    pub(super) name: Option<Arc<str>>,
}

impl Document {
    /// Which variables are there, which are null, which are true: what decides a plan besides the rights.
    fn presence(&self, variables: &Variables) -> Vec<u8> {
        let names = self.validated.variable_names();
        names
            .map(|name| match variables.get(name) {
                None => 0,
                Some(ConstValue::Null) => 1,
                Some(ConstValue::Boolean(false)) => 2,
                Some(ConstValue::Boolean(true)) => 3,
                Some(_) => 4,
            })
            .collect()
    }

    /// What was asked, before there is a plan.
    pub(super) fn asked(&self, request: &Request) -> Asked {
        // What no operation declares is passed over, and would only fill the log.
        let declared: Map<String, serde_json::Value> = self
            .validated
            .variable_names()
            .filter_map(|name| Some((name.to_owned(), request.variables.get(name)?.clone())))
            .collect();
        // A map of JSON values always becomes JSON.
        let variables = serde_json::to_vec(&declared).unwrap_or_default();
        Asked {
            document: self.text.clone(),
            strings: self.strings.clone(),
            shape: Blob::none(),
            operation_name: self.name.clone(),
            variables: Bytes::from(variables),
        }
    }
}
