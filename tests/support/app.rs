//! The running program without a network: its true router over a fresh control database, with a clock that moves.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use cityquery::access::{Item, Use, Uses};
use cityquery::accounts::forms::NewForm;
use cityquery::accounts::people::NewPerson;
use cityquery::catalog::{Catalog, load_builtin};
use cityquery::config::{Clock, Config, Connection, Entropy};
use cityquery::http::App;
use cityquery::store::control;
use http_body_util::BodyExt;
use serde_json::Value;
use time::macros::{date, datetime};
use tower::ServiceExt;

use super::postgres;

/// The password of everybody whom a test opens an account for.
pub const PASSWORD: &str = "Lanterns-7-above";

/// The program under test.
pub struct TestApp {
    /// What the handlers are given.
    pub app: Arc<App>,
    /// The routes of accounts.
    pub router: Router,
    /// Moves time.
    pub clock: Clock,
    _folder: tempfile::TempDir,
    _database: Option<postgres::Database>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body; null when it is not JSON.
    pub body: Value,
}

impl Answer {
    /// Code of the first error.
    pub fn code(&self) -> &str {
        self.body["errors"][0]["extensions"]["code"].as_str().unwrap_or("-")
    }

    /// A text of the body.
    pub fn text(&self, key: &str) -> String {
        self.body[key].as_str().unwrap_or_else(|| panic!("no {key} in {self:?}")).to_owned()
    }
}

impl TestApp {
    /// On SQLite.
    pub async fn on_sqlite() -> Self {
        Self::on(None).await
    }

    /// On SQLite, with nobody in it.
    pub async fn on_sqlite_without_people() -> Self {
        Self::empty(None, None).await
    }

    /// On SQLite, over datasets that are migrated and filled already.
    pub async fn over(databases: &super::Databases) -> Self {
        let test = Self::empty(None, Some(databases.connections.clone())).await;
        test.open_people().await;
        test
    }

    /// On each control database there is to test with.
    pub async fn on_each() -> Vec<Self> {
        let mut all = vec![Self::on(None).await];
        if let Some(server) = postgres::server() {
            all.push(Self::on(Some(postgres::Database::create(&server).await)).await);
        }
        all
    }

    async fn on(database: Option<postgres::Database>) -> Self {
        let test = Self::empty(database, None).await;
        test.open_people().await;
        test
    }

    async fn empty(database: Option<postgres::Database>, datasets: Option<BTreeMap<String, Connection>>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = Config::embedded(folder.path()).expect("settings");
        config.audit.segment_bytes = 1 << 20;
        // What is asked here is not how fast this machine's disk is.
        config.audit.deadline_ms = 30_000;
        if let Some(database) = &database {
            config.control.url = database.url.clone();
            config.control.schema = Some("control".to_owned());
        }
        if let Some(datasets) = datasets {
            config.datasets = datasets;
        }
        let db = control::connect(&config.control).await.expect("connects");
        control::migrate(&config.control, &db).await.expect("migrates");
        let catalog: Arc<Catalog> = Arc::new(load_builtin().expect("sound declarations"));
        let connections = catalog.connections(&config.datasets);
        cityquery::store::migrate::migrate(&connections).await.expect("migrates the datasets");
        let clock = Clock::standing_at(datetime!(2026-03-02 01:00 UTC));
        let (app, _) = App::open(config, catalog, clock.clone(), Entropy::seeded(7)).await.expect("opens");
        let app = Arc::new(app);
        let router = cityquery::http::router(app.clone());
        Self { app, router, clock, _folder: folder, _database: database }
    }

    async fn open_people(&self) {
        let accounts = &self.app.accounts;
        accounts.put_agency("fire-department", "臺北市政府消防局").await.expect("an agency");
        for (name, one_time) in [("fire.officer", false), ("newcomer", false), ("first.timer", true)] {
            let person = NewPerson {
                name,
                agency: "fire-department",
                title: "承辦人",
                roles: &["general-user"],
                password: PASSWORD,
                one_time,
                staff_number: None,
                email: None,
                holder: None,
            };
            accounts.open_person(&person).await.expect("a person");
        }
        accounts.open_client("partner", "s3cret/with+signs", "fire-department", "維護廠商").await.expect("a client");
        self.open_form("FIRE-1", &["fire-safety"], &["fire.officer", "partner"]).await;
    }

    /// Opens a form over open fields.
    pub async fn open_form(&self, number: &str, purposes: &[&str], holders: &[&str]) {
        let item = |coordinate: &str| Item {
            coordinate: coordinate.to_owned(),
            uses: Uses::parse("select,filter").expect("uses"),
            masked: false,
            districts: None,
        };
        let form = NewForm {
            number: number.to_owned(),
            title: "消防安全".to_owned(),
            agency: "fire-department".to_owned(),
            purposes: purposes.iter().map(|code| ((*code).to_owned(), "目的".to_owned())).collect(),
            legal_basis: "消防法第六條".to_owned(),
            case_required: true,
            from: date!(2026 - 01 - 01),
            until: date!(2026 - 12 - 31),
            items: vec![item("Query.usePermit"), item("UsePermit.permitNo")],
            holders: holders.iter().map(|holder| (*holder).to_owned()).collect(),
        };
        self.app.accounts.open_form(&form).await.expect("a form");
    }

    /// Opens a form of those items, for one holder.
    pub async fn open_form_of(&self, number: &str, items: Vec<Item>, holder: &str) {
        let form = NewForm {
            number: number.to_owned(),
            title: "測試".to_owned(),
            agency: "fire-department".to_owned(),
            purposes: vec![("test".to_owned(), "目的".to_owned())],
            legal_basis: "-".to_owned(),
            case_required: false,
            from: date!(2026 - 01 - 01),
            until: date!(2026 - 12 - 31),
            items,
            holders: vec![holder.to_owned()],
        };
        self.app.accounts.open_form(&form).await.expect("a form");
    }

    /// Asks under a form.
    pub async fn ask(&self, token: &str, form: &str, query: &str, variables: Value) -> Answer {
        let body = serde_json::json!({ "query": query, "variables": variables });
        let request = Request::post("/graphql")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header("x-form", form);
        self.send(request.body(body.to_string().into()).expect("a request")).await
    }

    /// Sends a request.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("the router answers");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        }
    }

    /// Posts JSON.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(body.to_string().into()).expect("a request")).await
    }

    /// Signs in with the usual password.
    pub async fn sign_in(&self, account: &str) -> Answer {
        self.post("/auth/sign-in", serde_json::json!({ "account": account, "password": PASSWORD })).await
    }

    /// Asks who a token belongs to.
    pub async fn me(&self, token: &str) -> Answer {
        let request = Request::get("/auth/me").header(header::AUTHORIZATION, format!("Bearer {token}"));
        self.send(request.body(Body::empty()).expect("a request")).await
    }
}

/// Items that grant every use of everything.
pub fn everything(catalog: &Catalog) -> Vec<Item> {
    let item = |coordinate: &String| Item {
        coordinate: coordinate.clone(),
        uses: Use::ALL.into_iter().collect(),
        masked: false,
        districts: None,
    };
    let mut coordinates: Vec<&String> = catalog.fields_by_coordinate.keys().collect();
    coordinates.sort();
    coordinates.into_iter().map(item).collect()
}
