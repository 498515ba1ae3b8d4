//! The hand-written handler's server: the same questions, the same answers, no guard, no audit.

use axum::Json;
use axum::extract::State;
use axum::routing::post;
use serde::{Deserialize, Serialize};

use crate::{Arguments, baseline_postgres, baseline_sqlite, city};

/// A request of the same form and size as the guarded one.
#[derive(Deserialize)]
pub struct Asked {
    pub variables: Variables,
}

#[derive(Deserialize)]
pub struct Variables {
    pub key: String,
}

#[derive(Serialize)]
pub struct Data<T> {
    pub data: T,
}

#[derive(Serialize)]
pub struct Point {
    pub parcel: Option<Parcel>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Parcel {
    pub parcel_no: String,
    #[serde(rename = "areaM2")]
    pub area_m2: Option<String>,
    pub section: Option<Name>,
    pub ownerships: Vec<Share<PersonBorn>>,
    pub zones: Vec<ZonePart>,
    pub use_permits: Vec<Permit>,
}

#[derive(Serialize)]
pub struct Name {
    pub name: Option<String>,
}

#[derive(Serialize)]
pub struct Share<P> {
    pub share: Option<String>,
    pub owner: Option<P>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonBorn {
    pub name: Option<String>,
    pub birth_date: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonId {
    pub name: Option<String>,
    pub national_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ZonePart {
    pub ratio_pct: Option<String>,
    pub zone: Option<Zone>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Zone {
    pub name: Option<String>,
    pub bcr_pct: Option<String>,
    pub far_pct: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Permit {
    pub permit_no: String,
    pub issued_on: Option<String>,
    pub premises: Vec<Premises>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Premises {
    pub name: Option<String>,
    pub class_code: Option<String>,
}

#[derive(Serialize)]
pub struct List {
    pub parcels: Nodes,
}

#[derive(Serialize)]
pub struct Nodes {
    pub nodes: Vec<ListedParcel>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedParcel {
    pub parcel_key: String,
    pub parcel_no: String,
    #[serde(rename = "areaM2")]
    pub area_m2: Option<String>,
    pub ownerships: Vec<Share<PersonId>>,
}

pub async fn serve(arguments: &Arguments) -> anyhow::Result<()> {
    let config = city::settings(arguments)?;
    let router = match arguments.database.as_str() {
        "postgres" => {
            let pool = baseline_postgres::Pool::open(arguments.url.as_deref().unwrap_or_default()).await?;
            axum::Router::new()
                .route(
                    "/point",
                    post(async |State(pool): State<baseline_postgres::Pool>, Json(asked): Json<Asked>| {
                        Json(Data { data: pool.point(&asked.variables.key).await })
                    }),
                )
                .route(
                    "/list",
                    post(async |State(pool): State<baseline_postgres::Pool>, Json(asked): Json<Asked>| {
                        Json(Data { data: pool.list(&asked.variables.key).await })
                    }),
                )
                .with_state(pool)
        }
        _ => {
            let threads = baseline_sqlite::Threads::open(&config)?;
            axum::Router::new()
                .route(
                    "/point",
                    post(async |State(threads): State<baseline_sqlite::Threads>, Json(asked): Json<Asked>| {
                        Json(Data { data: threads.run(move |files| files.point(&asked.variables.key)).await })
                    }),
                )
                .route(
                    "/list",
                    post(async |State(threads): State<baseline_sqlite::Threads>, Json(asked): Json<Asked>| {
                        Json(Data { data: threads.run(move |files| files.list(&asked.variables.key)).await })
                    }),
                )
                .with_state(threads)
        }
    };
    city::listen(router).await
}
