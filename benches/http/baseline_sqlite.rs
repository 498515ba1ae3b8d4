//! The expert's statements on SQLite: two threads, each with every file attached to one connection, so that joins
//! between datasets are joins; cached statements.

use std::collections::HashMap;

use cityquery::config::Config;
use rusqlite::{Connection, OpenFlags, Row};

use crate::baseline::{
    List, ListedParcel, Name, Nodes, Parcel, Permit, PersonBorn, PersonId, Point, Premises, Share, Zone, ZonePart,
};
use crate::city;

type Job = Box<dyn FnOnce(&Files) + Send>;

#[derive(Clone)]
pub struct Threads {
    jobs: crossbeam_channel::Sender<Job>,
}

/// One thread's connection.
pub struct Files(Connection);

impl Threads {
    pub fn open(config: &Config) -> anyhow::Result<Threads> {
        let (jobs, queue) = crossbeam_channel::unbounded::<Job>();
        for _ in 0..2 {
            let connection = Connection::open_with_flags(city::file(config, "land"), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            for dataset in ["household", "building", "zoning", "fire"] {
                let file = city::file(config, dataset);
                connection.execute(&format!("ATTACH '{}' AS {dataset}", file.display()), [])?;
            }
            for schema in ["main", "household", "building", "zoning", "fire"] {
                connection.execute_batch(&format!(
                    "PRAGMA {schema}.mmap_size=268435456; PRAGMA {schema}.cache_size=-8192;"
                ))?;
            }
            connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
            connection.set_prepared_statement_cache_capacity(100);
            rusqlite::vtab::array::load_module(&connection)?;
            let (files, queue) = (Files(connection), queue.clone());
            std::thread::spawn(move || {
                while let Ok(job) = queue.recv() {
                    job(&files);
                }
            });
        }
        Ok(Threads { jobs })
    }

    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce(&Files) -> T + Send + 'static) -> T {
        let (answer, wait) = tokio::sync::oneshot::channel();
        let job: Job = Box::new(move |files| {
            let _ = answer.send(work(files));
        });
        self.jobs.send(job).expect("the threads live");
        wait.await.expect("the thread answers")
    }
}

fn decimal(row: &Row, column: usize) -> Option<String> {
    row.get::<_, Option<f64>>(column).expect("a number").map(|value| format!("{value:.2}"))
}

impl Files {
    fn query<T>(&self, sql: &str, parameter: impl rusqlite::ToSql, mut read: impl FnMut(&Row) -> T) -> Vec<T> {
        let mut statement = self.0.prepare_cached(sql).expect("the statement is sound");
        let rows = statement.query_map([parameter], |row| Ok(read(row))).expect("the statement runs");
        rows.map(|row| row.expect("a row")).collect()
    }

    pub fn point(&self, key: &str) -> Point {
        let parcel = self.query(
            "SELECT p.parcel_no, p.area_m2, s.id, s.name FROM parcels p LEFT JOIN land_sections s ON s.section_key = p.section_key WHERE p.parcel_key = ?1",
            key,
            |row| {
                let section = row.get::<_, Option<i64>>(2).expect("an id").map(|_| Name { name: row.get(3).expect("a name") });
                (row.get::<_, String>(0).expect("a number"), decimal(row, 1), section)
            },
        );
        let Some((parcel_no, area_m2, section)) = parcel.into_iter().next() else { return Point { parcel: None } };
        let ownerships = self.query(
            "SELECT o.share, w.id, w.name, w.birth_date FROM land_ownerships o LEFT JOIN household.persons w ON w.national_id = o.owner_id WHERE o.parcel_key = ?1 ORDER BY o.id",
            key,
            |row| Share {
                share: row.get(0).expect("a share"),
                owner: row.get::<_, Option<i64>>(1).expect("an id").map(|_| PersonBorn {
                    name: row.get(2).expect("a name"),
                    birth_date: row.get(3).expect("a day"),
                }),
            },
        );
        let zones = self.query(
            "SELECT z.ratio_pct, n.id, n.name, n.bcr_pct, n.far_pct FROM zoning.parcel_zones z LEFT JOIN zoning.zones n ON n.zone_no = z.zone_no WHERE z.parcel_key = ?1 ORDER BY z.id",
            key,
            |row| ZonePart {
                ratio_pct: decimal(row, 0),
                zone: row.get::<_, Option<i64>>(1).expect("an id").map(|_| Zone {
                    name: row.get(2).expect("a name"),
                    bcr_pct: decimal(row, 3),
                    far_pct: decimal(row, 4),
                }),
            },
        );
        let mut use_permits = self.query(
            "SELECT u.permit_no, u.issued_on FROM building.use_permit_parcels l JOIN building.use_permits u ON u.permit_no = l.permit_no WHERE l.parcel_key = ?1 ORDER BY u.id",
            key,
            |row| Permit { permit_no: row.get(0).expect("a number"), issued_on: row.get(1).expect("a day"), premises: Vec::new() },
        );
        for permit in &mut use_permits {
            permit.premises = self.query(
                "SELECT name, class_code FROM fire.fire_premises WHERE use_permit_no = ?1 ORDER BY id",
                &permit.permit_no,
                |row| Premises { name: row.get(0).expect("a name"), class_code: row.get(1).expect("a code") },
            );
        }
        Point { parcel: Some(Parcel { parcel_no, area_m2, section, ownerships, zones, use_permits }) }
    }

    pub fn list(&self, section: &str) -> List {
        let mut nodes = self.query(
            "SELECT parcel_key, parcel_no, area_m2 FROM parcels WHERE section_key = ?1 ORDER BY id LIMIT 100",
            section,
            |row| ListedParcel {
                parcel_key: row.get(0).expect("a key"),
                parcel_no: row.get(1).expect("a number"),
                area_m2: decimal(row, 2),
                ownerships: Vec::new(),
            },
        );
        let keys: Vec<rusqlite::types::Value> = nodes.iter().map(|node| node.parcel_key.clone().into()).collect();
        let mut of_parcel: HashMap<String, Vec<Share<PersonId>>> = HashMap::with_capacity(nodes.len());
        let rows = self.query(
            "SELECT o.parcel_key, o.share, w.id, w.name, w.national_id FROM land_ownerships o LEFT JOIN household.persons w ON w.national_id = o.owner_id WHERE o.parcel_key IN rarray(?1) ORDER BY o.id",
            std::rc::Rc::new(keys),
            |row| {
                let owner = row.get::<_, Option<i64>>(2).expect("an id").map(|_| PersonId {
                    name: row.get(3).expect("a name"),
                    national_id: row.get(4).expect("an id"),
                });
                (row.get::<_, String>(0).expect("a key"), Share { share: row.get(1).expect("a share"), owner })
            },
        );
        for (key, share) in rows {
            of_parcel.entry(key).or_default().push(share);
        }
        for node in &mut nodes {
            node.ownerships = of_parcel.remove(&node.parcel_key).unwrap_or_default();
        }
        List { parcels: Nodes { nodes } }
    }
}
