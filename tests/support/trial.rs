//! Trying bad input on the program: code, text in both languages, and time of each refusal. The databases are dead, so
//! an answer other than SOURCE_UNAVAILABLE was given before any SQL.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};

use super::gate::{Gate, Got, Setup, dead, everything};

/// Refused within this, on a machine that does much else. What is aimed at is 100 ms; the slowest is printed.
pub const QUICK: Duration = Duration::from_secs(1);

/// A gate before dead databases, and one who holds everything.
pub async fn gate() -> Gate {
    let gate = Gate::open(Setup { datasets: Some(dead()), ..Setup::default() }, &["asker"]).await;
    gate.form("ALL-1", everything(&gate.catalog), &["asker"]).await;
    gate
}

/// Sends one piece of bad input in both languages, and checks code, texts, time.
pub struct Trial<'g> {
    gate: &'g Gate,
    slowest: (Duration, String),
    wrong: String,
}

impl Trial<'_> {
    /// Begins.
    pub fn new(gate: &Gate) -> Trial<'_> {
        Trial { gate, slowest: (Duration::ZERO, String::new()), wrong: String::new() }
    }

    /// Sends a request in each language.
    pub async fn send(&mut self, name: &str, code: &str, request: impl Fn(&'static str) -> Request<Body>) -> Got {
        let mut texts = Vec::new();
        let mut last = None;
        for language in ["en", "zh-TW"] {
            let started = Instant::now();
            let got = self.gate.send(request(language)).await;
            let took = started.elapsed();
            if took > self.slowest.0 {
                self.slowest = (took, name.to_owned());
            }
            if got.code() != code || took > QUICK || got.body["data"] != Value::Null {
                let _ = writeln!(
                    self.wrong,
                    "{name}: {code} expected within {QUICK:?}; after {took:?}: {}",
                    cut(&got.text)
                );
            }
            let message = got.body["errors"][0]["message"].as_str().unwrap_or_default().to_owned();
            texts.push(message);
            last = Some(got);
        }
        let chinese = texts[1].chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter));
        if texts[0].is_empty() || texts[0] == texts[1] || !chinese {
            let _ = writeln!(self.wrong, "{name}: not said in both languages: {texts:?}");
        }
        last.expect("asked twice")
    }

    /// Posts a body.
    pub async fn body(&mut self, name: &str, code: &str, body: impl Into<Vec<u8>>) -> Got {
        let (body, token) = (body.into(), self.gate.token("asker").to_owned());
        self.send(name, code, move |language| post(&token, language).body(body.clone().into()).expect("a request"))
            .await
    }

    /// Posts an operation.
    pub async fn ask(&mut self, name: &str, code: &str, query: &str, variables: Value) -> Got {
        self.body(name, code, json!({ "query": query, "variables": variables }).to_string()).await
    }

    /// Ends: prints the slowest, and fails with all that was wrong.
    pub fn end(self) {
        eprintln!("slowest: {:?}, {}", self.slowest.0, self.slowest.1);
        assert!(self.wrong.is_empty(), "{}", self.wrong);
    }
}

/// A request in the making.
pub fn post(token: &str, language: &str) -> axum::http::request::Builder {
    Request::post("/graphql")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT_LANGUAGE, language)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
}

fn cut(text: &str) -> String {
    text.chars().take(400).collect()
}
