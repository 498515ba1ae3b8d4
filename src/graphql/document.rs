//! A validated document with the plans made of it: what is kept between requests.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use async_graphql::Variables;
use async_graphql_value::ConstValue;
use bytes::Bytes;

use super::Validated;
use super::engine::Request;
use crate::audit::Asked;
use crate::audit::shape::Blob;
use crate::query::plan::Plan;

/// By compilation of the rights and presence of the variables.
pub(super) type Plans = HashMap<(u64, Vec<u8>), Arc<Plan>>;

/// A validated document with the plans made of it.
pub(super) struct Document {
    pub(super) validated: Arc<Validated>,
    pub(super) text: Arc<Blob>,
    pub(super) strings: Arc<[Box<str>]>,
    pub(super) name: Option<Arc<str>>,
    pub(super) plans: RwLock<Plans>,
}

impl Document {
    /// Which variables are there, which are null, which are true: what decides a plan besides the rights.
    pub(super) fn presence(&self, variables: &Variables) -> Vec<u8> {
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
        // A map of JSON values always becomes JSON.
        let variables = serde_json::to_vec(&request.variables).unwrap_or_default();
        Asked {
            document: self.text.clone(),
            strings: self.strings.clone(),
            shape: Blob::none(),
            operation_name: self.name.clone(),
            variables: Bytes::from(variables),
        }
    }
}
