//! The expert's statements on PostgreSQL: prepared once, pipelined over eight shared connections.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rust_decimal::Decimal;
use time::Date;
use tokio_postgres::{Client, NoTls, Statement};

use crate::baseline::{
    List, ListedParcel, Name, Nodes, Parcel, Permit, PersonBorn, PersonId, Point, Premises, Share, Zone, ZonePart,
};

const PARCEL: &str = "SELECT p.parcel_no, p.area_m2, s.id, s.name FROM land.parcels p LEFT JOIN land.land_sections s ON s.section_key = p.section_key WHERE p.parcel_key = $1";
const OWNERS: &str = "SELECT o.share, w.id, w.name, w.birth_date FROM land.land_ownerships o LEFT JOIN household.persons w ON w.national_id = o.owner_id WHERE o.parcel_key = $1 ORDER BY o.id";
const ZONES: &str = "SELECT z.ratio_pct, n.id, n.name, n.bcr_pct, n.far_pct FROM zoning.parcel_zones z LEFT JOIN zoning.zones n ON n.zone_no = z.zone_no WHERE z.parcel_key = $1 ORDER BY z.id";
const PERMITS: &str = "SELECT u.permit_no, u.issued_on FROM building.use_permit_parcels l JOIN building.use_permits u ON u.permit_no = l.permit_no WHERE l.parcel_key = $1 ORDER BY u.id";
const PREMISES: &str =
    "SELECT use_permit_no, name, class_code FROM fire.fire_premises WHERE use_permit_no = ANY($1) ORDER BY id";
const PARCELS: &str =
    "SELECT parcel_key, parcel_no, area_m2 FROM land.parcels WHERE section_key = $1 ORDER BY id LIMIT 100";
const LISTED_OWNERS: &str = "SELECT o.parcel_key, o.share, w.id, w.name, w.national_id FROM land.land_ownerships o LEFT JOIN household.persons w ON w.national_id = o.owner_id WHERE o.parcel_key = ANY($1) ORDER BY o.id";

struct Link {
    client: Client,
    statements: [Statement; 7],
}

#[derive(Clone)]
pub struct Pool {
    links: Arc<Vec<Link>>,
    turn: Arc<AtomicUsize>,
}

fn decimal(value: Option<Decimal>) -> Option<String> {
    value.map(|value| value.to_string())
}

fn day(value: Option<Date>) -> Option<String> {
    value.map(cityquery::store::bind::iso)
}

impl Pool {
    pub async fn open(url: &str) -> anyhow::Result<Pool> {
        let mut links = Vec::new();
        for _ in 0..8 {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
            tokio::spawn(connection);
            let mut statements = Vec::new();
            for sql in [PARCEL, OWNERS, ZONES, PERMITS, PREMISES, PARCELS, LISTED_OWNERS] {
                statements.push(client.prepare(sql).await?);
            }
            let statements = statements.try_into().map_err(|_| anyhow::anyhow!("seven statements"))?;
            links.push(Link { client, statements });
        }
        Ok(Pool { links: Arc::new(links), turn: Arc::default() })
    }

    fn link(&self) -> &Link {
        &self.links[self.turn.fetch_add(1, Ordering::Relaxed) % self.links.len()]
    }

    pub async fn point(&self, key: &str) -> Point {
        let Link { client, statements: [parcel, owners, zones, permits, premises, ..] } = self.link();
        let by_key: [&(dyn tokio_postgres::types::ToSql + Sync); 1] = [&key];
        let rows = tokio::try_join!(
            client.query_opt(parcel, &by_key),
            client.query(owners, &by_key),
            client.query(zones, &by_key),
            client.query(permits, &by_key),
        );
        let (parcel, owners, zones, permits) = rows.expect("the statements are sound");
        let numbers: Vec<&str> = permits.iter().map(|row| row.get(0)).collect();
        let mut of_permit: HashMap<String, Vec<Premises>> = HashMap::new();
        if !numbers.is_empty() {
            for row in client.query(premises, &[&numbers]).await.expect("the statement is sound") {
                let one = Premises { name: row.get(1), class_code: row.get(2) };
                of_permit.entry(row.get(0)).or_default().push(one);
            }
        }
        let share = |row: &tokio_postgres::Row| Share {
            share: row.get(0),
            owner: row.get::<_, Option<i64>>(1).map(|_| PersonBorn { name: row.get(2), birth_date: day(row.get(3)) }),
        };
        let zone = |row: &tokio_postgres::Row| ZonePart {
            ratio_pct: decimal(row.get(0)),
            zone: row.get::<_, Option<i64>>(1).map(|_| Zone {
                name: row.get(2),
                bcr_pct: decimal(row.get(3)),
                far_pct: decimal(row.get(4)),
            }),
        };
        let permit = |row: &tokio_postgres::Row| {
            let permit_no: String = row.get(0);
            let premises = of_permit.remove(&permit_no).unwrap_or_default();
            Permit { permit_no, issued_on: day(row.get(1)), premises }
        };
        Point {
            parcel: parcel.map(|row| Parcel {
                parcel_no: row.get(0),
                area_m2: decimal(row.get(1)),
                section: row.get::<_, Option<i64>>(2).map(|_| Name { name: row.get(3) }),
                ownerships: owners.iter().map(share).collect(),
                zones: zones.iter().map(zone).collect(),
                use_permits: permits.iter().map(permit).collect(),
            }),
        }
    }

    pub async fn list(&self, section: &str) -> List {
        let Link { client, statements: [.., parcels, owners] } = self.link();
        let parcels = client.query(parcels, &[&section]).await.expect("the statement is sound");
        let keys: Vec<&str> = parcels.iter().map(|row| row.get(0)).collect();
        let mut of_parcel: HashMap<String, Vec<Share<PersonId>>> = HashMap::with_capacity(keys.len());
        for row in client.query(owners, &[&keys]).await.expect("the statement is sound") {
            let owner = row.get::<_, Option<i64>>(2).map(|_| PersonId { name: row.get(3), national_id: row.get(4) });
            of_parcel.entry(row.get(0)).or_default().push(Share { share: row.get(1), owner });
        }
        let node = |row: &tokio_postgres::Row| {
            let parcel_key: String = row.get(0);
            let ownerships = of_parcel.remove(&parcel_key).unwrap_or_default();
            ListedParcel { parcel_key, parcel_no: row.get(1), area_m2: decimal(row.get(2)), ownerships }
        };
        List { parcels: Nodes { nodes: parcels.iter().map(node).collect() } }
    }
}
