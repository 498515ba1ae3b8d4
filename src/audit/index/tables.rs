//! The index's tables in the control database: the same statements for SQLite and PostgreSQL.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, QueryResult, Statement, TransactionTrait, Value};

use super::IndexError;
use super::batch::{Batch, EntryRow, Position, RELEASED, UNCONFIRMED, withheld_reason};
use super::search::{Criteria, Place};
use crate::audit::Kind;
use crate::audit::recover::Reach;
use crate::audit::show::hex;
use crate::config;
use crate::store::control;

/// Touches in one transaction: a record of a million rows must not keep other writers waiting.
const TOUCHES: usize = 4_096;
/// Rows in one statement, largest first: few different statements, so that each is prepared once.
const CHUNKS: [usize; 4] = [256, 32, 4, 1];

const ENTRY_COLUMNS: [&str; 14] = [
    "entry",
    "record_id",
    "segment",
    "started_us",
    "duration_us",
    "kind",
    "account",
    "agency",
    "form",
    "case_key",
    "shape",
    "code",
    "row_count",
    "release_state",
];

/// The tables.
pub struct Tables {
    db: DatabaseConnection,
}

/// Times that a number in the index is asked for again, when another server was faster.
const TRIES: usize = 20;

/// The number of a node in the index, given to it now where it has none. A node is one log: another of the same name is
/// refused.
pub async fn claim(db: &DatabaseConnection, node: &str, log_id: Option<&str>) -> Result<i64, IndexError> {
    let statement =
        |sql: &str, values: Vec<Value>| Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let mut failed = None;
    for _ in 0..TRIES {
        let known = statement("SELECT id, log_id FROM audit_nodes WHERE node = $1", vec![node.into()]);
        if let Some(row) = db.query_one_raw(known).await? {
            let (id, other): (i64, Option<String>) = (row.try_get("", "id")?, row.try_get("", "log_id")?);
            if let (Some(own), Some(other)) = (log_id, &other) {
                return if own == other { Ok(id) } else { Err(IndexError::NameTaken(node.to_owned())) };
            }
            let adopt = statement(
                "UPDATE audit_nodes SET log_id = $1 WHERE id = $2 AND log_id IS NULL",
                vec![log_id.into(), id.into()],
            );
            db.execute_raw(adopt).await?;
            return Ok(id);
        }
        let sql = "INSERT INTO audit_nodes (id, node, segment, frame_offset, last_seq, log_id) \
                   SELECT COALESCE(MAX(id), 0) + 1, $1, 0, 0, 0, $2 FROM audit_nodes";
        // Of two servers that take the same number one fails, and looks again.
        failed = db.execute_raw(statement(sql, vec![node.into(), log_id.into()])).await.err();
    }
    Err(failed.map_or_else(|| IndexError::NameTaken(node.to_owned()), IndexError::from))
}

/// How far a node is indexed, and with it how far its log had reached; nothing of a node that the index does not know.
pub async fn reach(db: &DatabaseConnection, node: &str) -> Result<Reach, IndexError> {
    let sql = "SELECT segment, last_seq FROM audit_nodes WHERE node = $1";
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, vec![node.into()]);
    let Some(row) = db.query_one_raw(statement).await? else { return Ok(Reach::default()) };
    let number = |name| row.try_get::<i64>("", name).map(|number| number as u64);
    Ok(Reach { segment: number("segment")?, last_seq: number("last_seq")? })
}

/// The number of the log of that name, once it is known.
pub async fn log_id(db: &DatabaseConnection, node: &str) -> Result<Option<String>, IndexError> {
    let sql = "SELECT log_id FROM audit_nodes WHERE node = $1";
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, vec![node.into()]);
    Ok(db.query_one_raw(statement).await?.map(|row| row.try_get("", "log_id")).transpose()?.flatten())
}

/// Operations of an agency that stand in the logs of other nodes than these.
pub async fn elsewhere(
    db: &DatabaseConnection,
    here: &[String],
    agency: &str,
    (from_us, until_us): (i64, i64),
) -> Result<u64, IndexError> {
    let all = nodes(db).await?;
    let mut count = 0;
    for (id, _) in all.into_iter().filter(|(_, node)| !here.contains(node)) {
        let sql = "SELECT COUNT(*) AS operations FROM audit_entries WHERE agency = $1 AND started_us >= $2 AND started_us < $3 \
                   AND entry >= $4 AND entry < $5 AND (kind = $6 AND form IS NOT NULL OR kind = $7)";
        let position = Position { id, node: String::new(), segment: 0, offset: 0, last_seq: 0 };
        let values: Vec<Value> = vec![
            agency.into(),
            from_us.into(),
            until_us.into(),
            position.entry(0).into(),
            position.next_node().into(),
            i16::from(Kind::Query.code()).into(),
            i16::from(Kind::Outside.code()).into(),
        ];
        let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
        if let Some(row) = db.query_one_raw(statement).await? {
            count += u64::try_from(row.try_get::<i64>("", "operations")?).unwrap_or(0);
        }
    }
    Ok(count)
}

async fn nodes(db: &DatabaseConnection) -> Result<Vec<(i64, String)>, IndexError> {
    let sql = Statement::from_string(db.get_database_backend(), "SELECT id, node FROM audit_nodes");
    let rows = db.query_all_raw(sql).await?;
    let node =
        |row: QueryResult| -> Result<(i64, String), DbErr> { Ok((row.try_get("", "id")?, row.try_get("", "node")?)) };
    Ok(rows.into_iter().map(node).collect::<Result<_, _>>()?)
}

impl Tables {
    /// Connects; the tables must have been migrated.
    pub async fn open(control: &config::Control) -> Result<Tables, IndexError> {
        Ok(Tables { db: control::connect_for_an_index(control).await? })
    }

    /// The connection.
    pub fn db(&self) -> &DatabaseConnection {
        &self.db
    }

    /// How far each node is indexed; those of which nothing is yet are left out.
    pub async fn positions(&self) -> Result<Vec<Position>, IndexError> {
        let sql =
            "SELECT id, node, segment, frame_offset, last_seq FROM audit_nodes WHERE last_seq > 0 OR frame_offset > 0";
        let rows = self.db.query_all_raw(Statement::from_string(self.backend(), sql)).await?;
        let position = |row: QueryResult| -> Result<Position, DbErr> {
            Ok(Position {
                id: row.try_get("", "id")?,
                node: row.try_get("", "node")?,
                segment: row.try_get::<i64>("", "segment")? as u64,
                offset: row.try_get::<i64>("", "frame_offset")? as u64,
                last_seq: row.try_get::<i64>("", "last_seq")? as u64,
            })
        };
        Ok(rows.into_iter().map(position).collect::<Result<_, _>>()?)
    }

    /// Writes a batch; what it holds already, from an earlier time, is written over.
    pub async fn apply(&mut self, batch: &Batch) -> Result<(), IndexError> {
        let touches: Vec<[Value; 3]> = batch
            .touches
            .iter()
            .map(|(name, row, entry)| [name.to_string().into(), (*row).into(), (*entry).into()])
            .collect();
        let (early, last) = touches.split_at(touches.len().saturating_sub(TOUCHES));
        for piece in early.chunks(TOUCHES) {
            let transaction = self.db.begin().await?;
            insert(&transaction, "audit_touches", &["type_name", "row_number", "entry"], "DO NOTHING", piece).await?;
            transaction.commit().await?;
        }
        let transaction = self.db.begin().await?;
        insert(&transaction, "audit_touches", &["type_name", "row_number", "entry"], "DO NOTHING", last).await?;
        let entries: Vec<[Value; 14]> = batch.entries.iter().map(entry_values).collect();
        let update: Vec<String> = ENTRY_COLUMNS[1..].iter().map(|name| format!("{name} = excluded.{name}")).collect();
        let update = format!("(entry) DO UPDATE SET {}", update.join(", "));
        insert(&transaction, "audit_entries", &ENTRY_COLUMNS, &update, &entries).await?;
        let uses: Vec<[Value; 4]> = batch
            .uses
            .iter()
            .map(|row| {
                let (use_code, outcome) = (i16::from(row.use_code), i16::from(row.outcome));
                [row.coordinate.as_str().into(), use_code.into(), outcome.into(), row.shape.as_str().into()]
            })
            .collect();
        insert(&transaction, "audit_uses", &["coordinate", "use_code", "outcome", "shape"], "DO NOTHING", &uses)
            .await?;
        for (entry, state, after_us) in &batch.withheld {
            let sql = "UPDATE audit_entries SET release_state = $1, withheld_after_us = $2 WHERE entry = $3";
            execute(&transaction, sql, vec![(*state).into(), (*after_us).into(), (*entry).into()]).await?;
        }
        if let Some((from, segment)) = batch.unconfirmed {
            let sql = "UPDATE audit_entries SET release_state = $1 WHERE release_state = $2 \
                       AND segment = $3 AND entry >= $4 AND entry < $5";
            let (segment, next_node) = (segment as i64, batch.position.next_node());
            let values = vec![UNCONFIRMED.into(), RELEASED.into(), segment.into(), from.into(), next_node.into()];
            execute(&transaction, sql, values).await?;
        }
        let Position { id, node, segment, offset, last_seq } = &batch.position;
        let position: [Value; 5] = [
            (*id).into(),
            node.as_str().into(),
            (*segment as i64).into(),
            (*offset as i64).into(),
            (*last_seq as i64).into(),
        ];
        let update = "(id) DO UPDATE SET segment = excluded.segment, frame_offset = excluded.frame_offset, \
                      last_seq = excluded.last_seq";
        let columns = ["id", "node", "segment", "frame_offset", "last_seq"];
        insert(&transaction, "audit_nodes", &columns, update, &[position]).await?;
        Ok(transaction.commit().await?)
    }

    /// Empties everything.
    pub async fn clear(&mut self) -> Result<(), IndexError> {
        let transaction = self.db.begin().await?;
        for table in ["audit_touches", "audit_uses", "audit_entries", "audit_nodes"] {
            transaction.execute_unprepared(&format!("DELETE FROM {table}")).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Where the records stand that the criteria ask for, latest first.
    pub async fn search(&self, criteria: &Criteria, case_key: Option<&str>) -> Result<Vec<Place>, IndexError> {
        let (mut conditions, mut values): (Vec<String>, Vec<Value>) = (Vec::new(), Vec::new());
        let mut add = |sql: &str, asked: Option<Value>| {
            if let Some(value) = asked {
                values.push(value);
                conditions.push(sql.replace('?', &format!("${}", values.len())));
            }
        };
        let text = |text: &Option<String>| text.as_deref().map(Value::from);
        add("account = ?", text(&criteria.account));
        add("agency = ?", text(&criteria.agency));
        add("form = ?", text(&criteria.form));
        add("case_key = ?", case_key.map(Value::from));
        add("kind = ?", criteria.kind.map(|kind| i16::from(kind.code()).into()));
        add("started_us >= ?", criteria.from_us.map(Value::from));
        add("started_us < ?", criteria.until_us.map(Value::from));
        add("shape IN (SELECT shape FROM audit_uses WHERE coordinate = ?)", text(&criteria.coordinate));
        if let Some((type_name, row)) = &criteria.row {
            let by_type = "entry IN (SELECT entry FROM audit_touches WHERE type_name = ?";
            add(by_type, Some(type_name.as_str().into()));
            add("row_number = ?)", Some((*row).into()));
        }
        let filter = if conditions.is_empty() { "1 = 1".to_owned() } else { conditions.join(" AND ") };
        let limit = criteria.limit;
        let sql = format!(
            "SELECT entry, record_id, segment, release_state, withheld_after_us FROM audit_entries WHERE {filter} ORDER BY started_us DESC, entry DESC LIMIT {limit}"
        );
        let rows = self.db.query_all_raw(Statement::from_sql_and_values(self.backend(), sql, values)).await?;
        let place = |row: QueryResult| -> Result<Place, DbErr> {
            let after_us: Option<i64> = row.try_get("", "withheld_after_us")?;
            let reason = withheld_reason(row.try_get("", "release_state")?);
            Ok(Place {
                entry: row.try_get("", "entry")?,
                record_id: row.try_get("", "record_id")?,
                segment: row.try_get::<i64>("", "segment")? as u64,
                withheld: reason.map(|reason| (reason, after_us.unwrap_or(0) as u64)),
            })
        };
        Ok(rows.into_iter().map(place).collect::<Result<_, _>>()?)
    }

    fn backend(&self) -> DbBackend {
        self.db.get_database_backend()
    }
}

fn entry_values(row: &EntryRow) -> [Value; 14] {
    let EntryRow { entry, segment, record, case_key } = row;
    let shape = record.asked.as_ref().map(|asked| hex(&asked.shape));
    [
        (*entry).into(),
        record.id.to_string().into(),
        (*segment as i64).into(),
        record.started_us.into(),
        i64::from(record.duration_us).into(),
        i16::from(record.kind.code()).into(),
        record.who.account.to_string().into(),
        record.who.agency.to_string().into(),
        record.why.form.as_deref().map(str::to_owned).into(),
        case_key.clone().into(),
        shape.into(),
        record.outcome.code.as_deref().map(str::to_owned).into(),
        i64::from(record.outcome.rows).into(),
        RELEASED.into(),
    ]
}

async fn execute<C: ConnectionTrait>(db: &C, sql: &str, values: Vec<Value>) -> Result<(), DbErr> {
    db.execute_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await.map(drop)
}

/// Inserts rows, many at a time. Every identifier comes from this file.
async fn insert<C: ConnectionTrait, const N: usize>(
    db: &C,
    table: &str,
    columns: &[&str; N],
    on_conflict: &str,
    mut rows: &[[Value; N]],
) -> Result<(), DbErr> {
    for chunk in CHUNKS {
        while rows.len() >= chunk {
            let (now, later) = rows.split_at(chunk);
            let places: Vec<String> = (0..chunk)
                .map(|row| {
                    let places: Vec<String> = (1..=N).map(|column| format!("${}", row * N + column)).collect();
                    format!("({})", places.join(","))
                })
                .collect();
            let (columns, places) = (columns.join(","), places.join(","));
            let sql = format!("INSERT INTO {table} ({columns}) VALUES {places} ON CONFLICT {on_conflict}");
            execute(db, &sql, now.iter().flatten().cloned().collect()).await?;
            rows = later;
        }
    }
    Ok(())
}
