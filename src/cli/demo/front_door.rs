//! The demo's people at the front door: their requests go through the true router, and are refused, recorded and
//! answered like anybody's.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context, ensure};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::http::{App, router};

/// Sends requests as the demo's people.
pub struct FrontDoor {
    app: Arc<App>,
    router: Router,
    tokens: HashMap<String, String>,
}

impl FrontDoor {
    /// In front of that program.
    pub fn new(app: Arc<App>) -> FrontDoor {
        FrontDoor { router: router(Arc::clone(&app)), app, tokens: HashMap::new() }
    }

    /// Asks a question or takes a step as somebody; a refusal is an error here.
    pub async fn ask(&mut self, who: &str, operation: &str, variables: Value) -> anyhow::Result<Value> {
        let token = match self.tokens.get(who) {
            Some(token) => token.clone(),
            None => {
                let tokens = self.app.accounts.token_for(who, None).await.with_context(|| format!("{who} signs in"))?;
                self.tokens.entry(who.to_owned()).or_insert(tokens.access_token).clone()
            }
        };
        let body = json!({ "query": operation, "variables": variables }).to_string();
        let request = Request::post("/graphql")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Body::from(body))?;
        let Ok(response) = self.router.clone().oneshot(request).await;
        let bytes = response.into_body().collect().await?.to_bytes();
        let mut answer: Value = serde_json::from_slice(&bytes)?;
        ensure!(answer.get("errors").is_none(), "{who}: {operation}: {}", answer["errors"]);
        Ok(answer["data"].take())
    }
}
