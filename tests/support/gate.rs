//! The running program as an attacker meets it: its true router, people with forms of a test's own, and answers kept
//! to the byte. Databases may be of the test's making, dead, or locked.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use cityquery::access::{Item, Use, Uses};
use cityquery::accounts::forms::NewForm;
use cityquery::accounts::people::NewPerson;
use cityquery::catalog::{Catalog, load_with};
use cityquery::config::{Clock, Config, Connection, Entropy};
use cityquery::http::App;
use cityquery::store::control;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use time::macros::{date, datetime};
use tower::ServiceExt;

use super::postgres::Database;

const CODES: [&str; 5] = ["household", "land", "building", "zoning", "fire"];

/// The password of everybody here.
pub const PASSWORD: &str = "Lanterns-7-above";

/// The program under attack.
pub struct Gate {
    /// What the handlers are given.
    pub app: Arc<App>,
    /// All routes.
    pub router: Router,
    /// What is declared.
    pub catalog: Arc<Catalog>,
    tokens: BTreeMap<String, String>,
    _folder: tempfile::TempDir,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Got {
    /// Status.
    pub status: StatusCode,
    /// Body as it was sent.
    pub text: String,
    /// Body as JSON; null when it is none.
    pub body: Value,
}

impl Got {
    /// Codes of all errors.
    pub fn codes(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().map(|error| error["extensions"]["code"].as_str().unwrap_or("-")).collect()
    }

    /// Code of the first error, or `-`.
    pub fn code(&self) -> &str {
        self.codes().first().copied().unwrap_or("-")
    }

    /// `select Person.name` of each error that is about a field.
    pub fn denied(&self) -> Vec<String> {
        let errors = self.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        let word = |error: &Value, key: &str| error["extensions"][key].as_str().map(str::to_owned);
        errors
            .iter()
            .filter_map(|error| Some(format!("{} {}", word(error, "use")?, word(error, "coordinate")?)))
            .collect()
    }
}

/// One line of a form: coordinates (`Person.{name sex}` names several), uses, and how far.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// `select,filter`
    pub uses: String,
    /// Coordinates; `*` is every field there is, `Person.*` every field of a type, `Query.*` every root.
    pub items: Vec<String>,
    /// Shown masked.
    #[serde(default)]
    pub masked: bool,
    /// Districts; the whole city without.
    pub districts: Option<Vec<String>>,
}

/// A grant of the whole city in full.
pub fn grant(uses: &str, items: &[&str]) -> Grant {
    let items = items.iter().map(|item| (*item).to_owned()).collect();
    Grant { uses: uses.to_owned(), items, masked: false, districts: None }
}

/// The items of grants. A field named twice has the uses of both, and the level and scope of the first.
pub fn items(catalog: &Catalog, grants: &[Grant]) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    for grant in grants {
        let uses = Uses::parse(&grant.uses).expect("uses");
        for coordinate in grant.items.iter().flat_map(|item| expanded(catalog, item)) {
            match items.iter_mut().find(|known| known.coordinate == coordinate) {
                Some(known) => known.uses = known.uses.union(uses),
                None => items.push(Item { coordinate, uses, masked: grant.masked, districts: grant.districts.clone() }),
            }
        }
    }
    items
}

fn expanded(catalog: &Catalog, item: &str) -> Vec<String> {
    if let Some((of, fields)) = item.split_once(".{") {
        return fields.trim_end_matches('}').split_whitespace().map(|field| format!("{of}.{field}")).collect();
    }
    let Some(prefix) = item.strip_suffix('*') else { return vec![item.to_owned()] };
    let all = catalog.fields.iter().map(|field| field.coordinate.clone());
    all.filter(|coordinate| coordinate.starts_with(prefix)).collect()
}

/// Every use of every field.
pub fn everything(catalog: &Catalog) -> Vec<Item> {
    let uses: Uses = Use::ALL.into_iter().collect();
    items(catalog, &[grant(&uses.to_string(), &["*"])])
}

/// How a gate differs from the settings as they come.
#[derive(Default)]
pub struct Setup {
    /// Declarations beside the built-in ones: file name and text.
    pub further: Vec<(String, String)>,
    /// Connections in place of fresh SQLite files.
    pub datasets: Option<BTreeMap<String, Connection>>,
    /// Changes to the settings.
    pub change: Option<fn(&mut Config)>,
    /// Where the audit log writes.
    pub disk: Option<Arc<dyn cityquery::audit::disk::Disk>>,
}

impl Gate {
    /// Opens the program for these people; nobody holds a form yet. Default tables are made unless databases are given.
    pub async fn open(setup: Setup, people: &[&str]) -> Gate {
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = Config::embedded(folder.path()).expect("settings");
        config.audit.segment_bytes = 1 << 20;
        if setup.disk.is_none() {
            // What is asked here is not how fast this machine's disk is.
            config.audit.deadline_ms = 30_000;
        }
        let catalog: Arc<Catalog> = Arc::new(load_with(&setup.further).unwrap_or_else(|faults| panic!("{faults:?}")));
        match setup.datasets {
            Some(datasets) => config.datasets = datasets,
            None => {
                let connections = catalog.connections(&config.datasets);
                cityquery::store::migrate::migrate(&connections).await.expect("migrates the datasets");
            }
        }
        if let Some(change) = setup.change {
            change(&mut config);
        }
        let db = control::connect(&config.control).await.expect("connects");
        control::migrate(&config.control, &db).await.expect("migrates");
        let clock = Clock::standing_at(datetime!(2026-03-02 01:00 UTC));
        let entropy = Entropy::seeded(11);
        let (mut app, _) = App::open(config, catalog.clone(), clock.clone(), entropy.clone()).await.expect("opens");
        if let Some(disk) = setup.disk {
            let mut settings = app.config.audit.clone();
            settings.dir = folder.path().join("faulty");
            let mut options = cityquery::audit::log::Options::new(
                &settings,
                cityquery::audit::log::SERVER,
                catalog.hash,
                clock,
                entropy,
            );
            options.disk = disk;
            app.audit = Arc::new(cityquery::audit::AuditLog::open(options).expect("opens").0);
        }
        let app = Arc::new(app);
        let router = cityquery::http::router(app.clone());
        let mut gate = Gate { app, router, catalog, tokens: BTreeMap::new(), _folder: folder };
        gate.app.accounts.put_agency("fire-department", "臺北市政府消防局").await.expect("an agency");
        for name in people {
            gate.person(name).await;
        }
        gate
    }

    async fn person(&mut self, name: &str) {
        let person = NewPerson {
            name,
            agency: "fire-department",
            title: "承辦人",
            roles: &["general-user"],
            password: PASSWORD,
            one_time: false,
            staff_number: None,
            email: None,
            holder: None,
        };
        self.app.accounts.open_person(&person).await.expect("a person");
        self.app.accounts.rights().reload(self.app.accounts.db()).await.expect("reads people");
        let body = json!({ "account": name, "password": PASSWORD }).to_string();
        let request = Request::post("/auth/sign-in").header(header::CONTENT_TYPE, "application/json");
        let got = self.send(request.body(body.into()).expect("a request")).await;
        let token = got.body["access_token"].as_str().unwrap_or_else(|| panic!("{name} cannot sign in: {got:?}"));
        self.tokens.insert(name.to_owned(), token.to_owned());
    }

    /// Signs in with a password, as somebody who was opened elsewhere.
    pub async fn sign_in(&mut self, name: &str, password: &str) {
        let body = json!({ "account": name, "password": password }).to_string();
        let request = Request::post("/auth/sign-in").header(header::CONTENT_TYPE, "application/json");
        let got = self.send(request.body(body.into()).expect("a request")).await;
        let token = got.body["access_token"].as_str().unwrap_or_else(|| panic!("{name} cannot sign in: {got:?}"));
        self.tokens.insert(name.to_owned(), token.to_owned());
    }

    /// The access token of somebody.
    pub fn token(&self, person: &str) -> &str {
        &self.tokens[person]
    }

    /// Opens a form, or its next version.
    pub async fn form(&self, number: &str, items: Vec<Item>, holders: &[&str]) {
        let form = NewForm {
            number: number.to_owned(),
            title: "測試".to_owned(),
            agency: "fire-department".to_owned(),
            purposes: vec![("test".to_owned(), "測試".to_owned())],
            legal_basis: "-".to_owned(),
            case_required: false,
            from: date!(2026 - 01 - 01),
            until: date!(2026 - 12 - 31),
            items,
            holders: holders.iter().map(|holder| (*holder).to_owned()).collect(),
        };
        self.app.accounts.open_form(&form).await.expect("a form");
    }

    /// Sends a request.
    pub async fn send(&self, request: Request<Body>) -> Got {
        let response = self.router.clone().oneshot(request).await.expect("the router answers");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        let text = String::from_utf8(bytes.to_vec()).expect("UTF-8");
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Got { status: parts.status, text, body }
    }

    /// Asks as somebody under a form; an empty form names none.
    pub async fn ask(&self, person: &str, form: &str, query: &str, variables: Value) -> Got {
        let body = json!({ "query": query, "variables": variables });
        let mut request = Request::post("/graphql")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token(person)));
        if !form.is_empty() {
            request = request.header("x-form", form);
        }
        self.send(request.body(body.to_string().into()).expect("a request")).await
    }
}

/// Fresh tables of every dataset in one PostgreSQL database.
pub async fn in_one(database: &Database) -> Setup {
    let connection = Connection { url: database.url.clone(), schema: None };
    let datasets = CODES.map(|code| (code.to_owned(), connection.clone())).into();
    let catalog = cityquery::catalog::load_builtin().expect("sound");
    cityquery::store::migrate::migrate(&catalog.connections(&datasets)).await.expect("migrates");
    Setup { datasets: Some(datasets), ..Setup::default() }
}

/// Databases that nobody can reach: whatever is asked of them is refused as SOURCE_UNAVAILABLE, so that any other
/// answer shows that nothing was asked.
pub fn dead() -> BTreeMap<String, Connection> {
    let connection = Connection { url: "postgres://nobody@127.0.0.1:1/none".to_owned(), schema: None };
    CODES.map(|code| (code.to_owned(), connection.clone())).into()
}
