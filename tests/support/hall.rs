//! A city hall that begins empty: the running program over a fresh control database, its people known by name, each with
//! nothing but the front door. Every right in it comes about by the procedure.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use cityquery::access::{Code, Role};
use cityquery::accounts::people::NewPerson;
use cityquery::audit::decode::StoredRecord;
use cityquery::audit::read::Contents;
use cityquery::catalog::{Catalog, load_builtin};
use cityquery::config::{Clock, Config, Connection, Entropy};
use cityquery::http::App;
use cityquery::store::control;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use time::macros::datetime;
use tower::ServiceExt;

use super::postgres;

/// The password of everybody, once they have changed their first one.
pub const PASSWORD: &str = "Lanterns-7-above";

/// One server of the city hall.
pub struct Hall {
    /// What the handlers are given.
    pub app: Arc<App>,
    /// All routes.
    pub router: Router,
    /// Moves time.
    pub clock: Clock,
    /// Its settings, for a second server beside it.
    pub config: Config,
    tokens: BTreeMap<String, String>,
    folder: Arc<tempfile::TempDir>,
    database: Option<Arc<postgres::Database>>,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Status.
    pub status: StatusCode,
    /// Body as JSON.
    pub body: Value,
}

impl Reply {
    /// Code of the first error, or `-`.
    pub fn code(&self) -> &str {
        self.body["errors"][0]["extensions"]["code"].as_str().unwrap_or("-")
    }

    /// The data of an answer without errors.
    pub fn data(&self) -> &Value {
        assert!(self.body.get("errors").is_none(), "{:#}", self.body);
        &self.body["data"]
    }

    /// The answer under `step`.
    pub fn step(&self) -> &Value {
        &self.data()["step"]
    }

    /// Asserts that it was refused so.
    pub fn refused(&self, code: Code) -> &Value {
        assert_eq!(self.code(), code.word(), "{:#}", self.body);
        &self.body["errors"][0]
    }
}

impl Hall {
    /// One on SQLite, and one on PostgreSQL if there is a server.
    pub async fn on_each() -> Vec<Hall> {
        let mut halls = vec![Hall::open(None).await];
        if let Some(server) = postgres::server() {
            halls.push(Hall::open(Some(postgres::Database::create(&server).await)).await);
        }
        halls
    }

    /// The same with other settings.
    pub async fn on_each_with(set: impl Fn(&mut Config)) -> Vec<Hall> {
        let mut halls = vec![Hall::open_with(None, &set).await];
        if let Some(server) = postgres::server() {
            halls.push(Hall::open_with(Some(postgres::Database::create(&server).await), &set).await);
        }
        halls
    }

    /// On SQLite.
    pub async fn on_sqlite() -> Hall {
        Hall::open(None).await
    }

    /// With its control database and all datasets in that database, or in SQLite files.
    pub async fn open(database: Option<postgres::Database>) -> Hall {
        Hall::open_with(database, |_| {}).await
    }

    /// The same with other settings.
    pub async fn open_with(database: Option<postgres::Database>, set: impl Fn(&mut Config)) -> Hall {
        let folder = Arc::new(tempfile::tempdir().expect("a folder"));
        let mut config = Config::embedded(folder.path()).expect("settings");
        config.audit.segment_bytes = 1 << 20;
        config.audit.deadline_ms = 30_000;
        if let Some(database) = &database {
            config.control.url = database.url.clone();
            config.control.schema = Some("control".to_owned());
            for code in ["household", "land", "building", "zoning", "fire"] {
                let connection = Connection { url: database.url.clone(), schema: Some(code.to_owned()) };
                config.datasets.insert(code.to_owned(), connection);
            }
        }
        set(&mut config);
        let catalog: Arc<Catalog> = Arc::new(load_builtin().expect("sound declarations"));
        cityquery::store::migrate::migrate(&catalog.connections(&config.datasets)).await.expect("migrates");
        let db = control::connect(&config.control).await.expect("connects");
        control::migrate(&config.control, &db).await.expect("migrates");
        let clock = Clock::standing_at(datetime!(2026-03-02 01:00 UTC));
        let (app, _) = App::open(config.clone(), catalog, clock.clone(), Entropy::seeded(23)).await.expect("opens");
        let app = Arc::new(app);
        let router = cityquery::http::router(app.clone());
        Hall { app, router, clock, config, tokens: BTreeMap::new(), folder, database: database.map(Arc::new) }
    }

    /// Another server over the same databases, with an audit log of its own; it polls like a served one.
    pub async fn second_server(&self) -> Hall {
        let mut config = self.config.clone();
        config.audit.dir = self.folder.path().join("audit-of-the-second");
        config.audit.node = "second".to_owned();
        let catalog = self.app.catalog.clone();
        let (app, _) =
            App::open(config.clone(), catalog, self.clock.clone(), Entropy::seeded(29)).await.expect("opens");
        let app = Arc::new(app);
        let router = cityquery::http::router(app.clone());
        Hall {
            app,
            router,
            clock: self.clock.clone(),
            config,
            tokens: self.tokens.clone(),
            folder: self.folder.clone(),
            database: self.database.clone(),
        }
    }

    /// The operator's one act: the first account, in the information office.
    pub async fn found(&mut self) {
        let first = NewPerson {
            name: "it.admin",
            agency: "information-office",
            title: "系統管理科",
            roles: &[Role::InformationOffice.word()],
            password: PASSWORD,
            one_time: false,
            staff_number: Some("IT-001"),
            email: None,
            holder: None,
        };
        self.app.accounts.found("臺北市政府資訊局", &first).await.expect("founds");
        self.sign_in("it.admin", PASSWORD).await;
    }

    /// Opens an agency.
    pub async fn agency(&self, code: &str, kind: &str) {
        let open = "mutation($code: String!, $kind: AgencyKind!) { step: openAgency(code: $code, title: \"機關\", kind: $kind) { code } }";
        self.ask("it.admin", open, json!({ "code": code, "kind": kind })).await.step();
    }

    /// Opens somebody's account, changes the first password, and signs in.
    pub async fn person(&mut self, by: &str, name: &str, agency: &str, role: &str) {
        let open = "mutation($input: AccountInput!) { step: openAccount(input: $input) { firstPassword } }";
        let input = json!({
            "account": name, "agency": agency, "title": "承辦人", "staffNumber": format!("S-{name}"), "roles": [role],
        });
        let reply = self.ask(by, open, json!({ "input": input })).await;
        let first = reply.step()["firstPassword"].as_str().expect("a first password").to_owned();
        self.first_sign_in(name, &first).await;
    }

    /// Changes a first password and signs in.
    pub async fn first_sign_in(&mut self, name: &str, first: &str) {
        let body = json!({ "account": name, "password": first });
        assert_eq!(self.post("/auth/sign-in", body).await.code(), Code::PasswordExpired.word(), "it must be changed");
        let body = json!({ "account": name, "password": first, "newPassword": PASSWORD });
        assert_eq!(self.post("/auth/password", body).await.status, StatusCode::NO_CONTENT);
        self.sign_in(name, PASSWORD).await;
    }

    /// Signs in.
    pub async fn sign_in(&mut self, name: &str, password: &str) {
        let reply = self.post("/auth/sign-in", json!({ "account": name, "password": password })).await;
        let token = reply.body["access_token"].as_str().unwrap_or_else(|| panic!("{name}: {:#}", reply.body));
        self.tokens.insert(name.to_owned(), token.to_owned());
    }

    /// The access token of somebody.
    pub fn token(&self, name: &str) -> &str {
        &self.tokens[name]
    }

    /// What stands in the audit log of this server.
    pub fn records(&self) -> Vec<StoredRecord> {
        let folder = self.app.audit.folder();
        let mut records = Vec::new();
        for number in folder.numbers().expect("a folder") {
            let bytes = std::fs::read(folder.segment(number)).unwrap_or_default();
            let contents = Contents::of(&bytes);
            records.extend(contents.records.iter().filter_map(|frame| contents.decode(frame).ok()));
        }
        records
    }

    /// Posts JSON.
    pub async fn post(&self, path: &str, body: Value) -> Reply {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(body.to_string().into()).expect("a request")).await
    }

    /// Asks a question or takes a step as somebody; nobody is signed in under "".
    pub async fn ask(&self, who: &str, operation: &str, variables: Value) -> Reply {
        self.ask_with(who, operation, variables, &[]).await
    }

    /// The same with further headers.
    pub async fn ask_with(&self, who: &str, operation: &str, variables: Value, headers: &[(&str, &str)]) -> Reply {
        let body = json!({ "query": operation, "variables": variables });
        let mut request = Request::post("/graphql").header(header::CONTENT_TYPE, "application/json");
        if !who.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.token(who)));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(body.to_string().into()).expect("a request")).await
    }

    /// Sends a request.
    pub async fn send(&self, request: Request<Body>) -> Reply {
        let Ok(response) = self.router.clone().oneshot(request).await;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Reply { status: parts.status, body }
    }
}
