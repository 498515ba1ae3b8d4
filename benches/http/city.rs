//! The city to measure on: made once, kept in a folder; the guarded server; the questions.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use cityquery::access::{Item, Use, Uses};
use cityquery::accounts::forms::NewForm;
use cityquery::accounts::people::NewPerson;
use cityquery::catalog::{Catalog, load_builtin};
use cityquery::config::{Clock, Config, Connection, Entropy};
use cityquery::http::App;
use cityquery::http::connections::{self, Bounds};
use serde_json::json;
use time::macros::date;

use crate::Arguments;

/// The password of the measuring account.
pub const PASSWORD: &str = "Bench-only-8-lanterns";

/// One question with many keys.
#[derive(Clone)]
pub struct Case {
    pub name: &'static str,
    pub query: &'static str,
    pub keys: Vec<String>,
}

/// The keys to ask with.
pub struct Question {
    parcels: Vec<String>,
    sections: Vec<String>,
}

impl Question {
    pub fn cases(&self) -> Vec<Case> {
        vec![
            Case {
                name: "point",
                query: "query Point($key: String!) { parcel(parcelKey: $key) { parcelNo areaM2 section { name } ownerships { share owner { name birthDate } } zones { ratioPct zone { name bcrPct farPct } } usePermits { permitNo issuedOn premises { name classCode } } } }",
                keys: self.parcels.clone(),
            },
            Case {
                name: "list",
                query: "query List($key: String!) { parcels(where: { sectionKey: { _eq: $key } }, first: 100) { nodes { parcelKey parcelNo areaM2 ownerships { share owner { name nationalId } } } } }",
                keys: self.sections.clone(),
            },
        ]
    }
}

/// Settings of the installation in the folder.
pub fn settings(arguments: &Arguments) -> anyhow::Result<Config> {
    let folder = arguments.folder.join(&arguments.database);
    std::fs::create_dir_all(&folder)?;
    let mut config = Config::embedded(&folder)?;
    if arguments.database == "postgres" {
        let url = arguments.url.clone().ok_or_else(|| anyhow::anyhow!("--url is needed"))?;
        let place = |code: &String| (code.clone(), Connection { url: url.clone(), schema: Some(code.clone()) });
        config.datasets = config.datasets.keys().map(place).collect::<BTreeMap<_, _>>();
    }
    config.limits.rows = 100_000;
    Ok(config)
}

/// Makes the city and the form if they are not there, and picks the keys.
pub async fn prepare(arguments: &Arguments) -> anyhow::Result<Question> {
    let config = settings(arguments)?;
    let catalog: Arc<Catalog> = Arc::new(load_builtin().map_err(|faults| anyhow::anyhow!("{faults:?}"))?);
    let mark = arguments.folder.join(&arguments.database).join(format!("made-{}", arguments.scale));
    let control = cityquery::store::control::connect(&config.control).await?;
    cityquery::store::control::migrate(&config.control, &control).await?;
    cityquery::store::migrate::migrate(&config.datasets).await?;
    if !mark.exists() {
        crate::city::generate(arguments, &config).await?;
        let (app, _) = App::open(config.clone(), catalog.clone(), Clock::system(), Entropy::system()).await?;
        open_form(&app, &catalog).await?;
        app.audit.close();
        std::fs::write(&mark, "")?;
    }
    keys(&config).await
}

async fn generate(arguments: &Arguments, config: &Config) -> anyhow::Result<()> {
    use cityquery::ingest::generate::{Options, Quiet, run};
    let options = Options { scale: arguments.scale, seed: 1, replace: true };
    run(&config.datasets, options, Arc::new(Quiet)).await?;
    Ok(())
}

async fn open_form(app: &App, catalog: &Catalog) -> anyhow::Result<()> {
    app.accounts.put_agency("bench", "Measuring").await?;
    let person = NewPerson {
        name: "bench",
        agency: "bench",
        title: "",
        roles: &["general-user"],
        password: PASSWORD,
        one_time: false,
        staff_number: None,
        email: None,
        holder: None,
    };
    app.accounts.open_person(&person).await?;
    let uses: Uses = [Use::Select, Use::Filter, Use::Order].into_iter().collect();
    let item = |coordinate: &String| Item { coordinate: coordinate.clone(), uses, masked: false, districts: None };
    let form = NewForm {
        number: "BENCH-1".into(),
        title: "Measuring".into(),
        agency: "bench".into(),
        purposes: vec![("measure".into(), "量測".into())],
        legal_basis: "none: synthetic persons only".into(),
        case_required: true,
        from: date!(2000 - 01 - 01),
        until: date!(2999 - 12 - 31),
        items: catalog.fields_by_coordinate.keys().map(item).collect(),
        holders: vec!["bench".into()],
    };
    app.accounts.open_form(&form).await?;
    Ok(())
}

/// Parcels that stand on permits, and sections with at least a hundred parcels, spread evenly.
async fn keys(config: &Config) -> anyhow::Result<Question> {
    use cityquery::store::layout::Databases;
    use cityquery::store::rows::{Cell, Kind};
    use cityquery::store::source::{Lane, Statement};
    let databases =
        Databases::open(&config.datasets, &config.sqlite, &config.postgres, std::time::Duration::from_secs(60))?;
    let texts = async |dataset: &str, sql: &dyn Fn(&str) -> String| {
        let place = databases.place(dataset).ok_or_else(|| anyhow::anyhow!("no {dataset}"))?;
        let schema = place.schema.as_ref().map(|schema| format!("{schema}.")).unwrap_or_default();
        let statement = Statement { sql: sql(&schema).into(), columns: vec![Kind::Text], lane: Lane::Own };
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        let rows = databases.source(place.database).query(&statement, vec![], deadline).await?;
        let text = |row| match rows.cell(row, 0) {
            Cell::Text(start, length) => rows.text(start, length).to_string(),
            _ => String::new(),
        };
        anyhow::Ok((0..rows.len()).map(text).collect::<Vec<String>>())
    };
    let parcels = texts("building", &|schema| {
        format!("SELECT DISTINCT parcel_key FROM {schema}use_permit_parcels ORDER BY parcel_key LIMIT 5000")
    });
    let sections = texts("land", &|schema| {
        format!(
            "SELECT section_key FROM {schema}parcels GROUP BY section_key HAVING COUNT(*) >= 100 ORDER BY section_key LIMIT 200"
        )
    });
    Ok(Question { parcels: parcels.await?, sections: sections.await? })
}

/// The guarded server; prints its address.
pub async fn serve(arguments: &Arguments, unrecorded: bool) -> anyhow::Result<()> {
    let mut config = settings(arguments)?;
    config.audit.enabled = !unrecorded;
    if unrecorded {
        config.audit.dir = config.audit.dir.join("off");
        config.audit.node = "off".to_owned();
    }
    let catalog: Arc<Catalog> = Arc::new(load_builtin().map_err(|faults| anyhow::anyhow!("{faults:?}"))?);
    let (app, _) = App::open(config, catalog, Clock::system(), Entropy::system()).await?;
    let app = Arc::new(app);
    let _watch = app.accounts.watch();
    let listener = free_port().await?;
    connections::serve(listener, cityquery::http::router(app), Bounds::of_this_process(), std::future::pending()).await;
    Ok(())
}

/// A free port, whose address is printed.
async fn free_port() -> anyhow::Result<tokio::net::TcpListener> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    Ok(listener)
}

/// Serves the hand-written handler as axum does, without the bounds of the guarded one.
pub async fn listen(router: axum::Router) -> anyhow::Result<()> {
    let listener = axum::serve::ListenerExt::tap_io(free_port().await?, |stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).await?;
    Ok(())
}

/// A token of the measuring account.
pub async fn sign_in(address: &str) -> anyhow::Result<String> {
    let body = json!({ "account": "bench", "password": PASSWORD }).to_string();
    let request = format!(
        "POST /auth/sign-in HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = crate::client::Connection::open(address).await?.ask(request.as_bytes()).await?;
    let answer: serde_json::Value = serde_json::from_slice(&answer)?;
    Ok(answer["access_token"].as_str().unwrap_or_default().to_string())
}

/// The SQLite file of a dataset.
pub fn file(config: &Config, dataset: &str) -> std::path::PathBuf {
    let url = config.datasets.get(dataset).map(|connection| connection.url.clone()).unwrap_or_default();
    cityquery::store::layout::sqlite_file(&url).unwrap_or_else(|| Path::new("missing").to_path_buf())
}
