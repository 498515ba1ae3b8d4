//! Imported rows into PostgreSQL: COPY into a temporary table shaped like the target, then one statement each
//! to find what differs, to update and to insert.

use std::collections::HashMap;
use std::fmt::Write as _;

use bytes::Bytes;
use futures::SinkExt;
use tokio_postgres::Client;

use super::postgres_address::{Address, why};
use super::upsert::{Change, Datum, Fate, NextIds, Outcome, TableColumn, Target, UpsertError, quoted};

/// Bytes sent to COPY at a time.
const PORTION: usize = 256 * 1024;

/// One transaction on one database.
pub struct PostgresSession {
    client: Client,
    next_ids: NextIds,
    /// Target → its temporary table.
    stages: HashMap<Target, String>,
}

impl PostgresSession {
    /// Connects and begins.
    pub(super) async fn begin(url: &str) -> Result<PostgresSession, UpsertError> {
        let unavailable = |error: tokio_postgres::Error| UpsertError::Unavailable(why(&error));
        let address =
            Address::read(url, "cityquery import").map_err(|error| UpsertError::Unavailable(error.to_string()))?;
        let client = address.connect().await.map_err(unavailable)?;
        client.batch_execute("BEGIN; SET LOCAL client_min_messages = warning").await.map_err(unavailable)?;
        Ok(PostgresSession { client, next_ids: NextIds::default(), stages: HashMap::new() })
    }

    pub(super) async fn columns(&self, schema: Option<&str>, table: &str) -> Result<Vec<TableColumn>, UpsertError> {
        let rows = self
            .client
            .query(
                "SELECT column_name::text, is_nullable = 'NO' FROM information_schema.columns \
                 WHERE table_schema = coalesce($1::text, current_schema()) AND table_name = $2",
                &[&schema, &table],
            )
            .await
            .map_err(refused(table))?;
        Ok(rows.iter().map(|row| TableColumn { name: row.get(0), not_null: row.get(1) }).collect())
    }

    pub(super) async fn read(
        &self,
        schema: Option<&str>,
        table: &str,
        columns: &[String],
    ) -> Result<Vec<Vec<Option<String>>>, UpsertError> {
        let list: Vec<String> = columns.iter().map(|column| format!("{}::text", quoted(column))).collect();
        let schema = schema.map(|schema| format!("{}.", quoted(schema))).unwrap_or_default();
        let sql = format!("SELECT DISTINCT {} FROM {schema}{}", list.join(", "), quoted(table));
        let rows = self.client.query(&sql, &[]).await.map_err(refused(table))?;
        Ok(rows.iter().map(|row| (0..columns.len()).map(|at| row.get(at)).collect()).collect())
    }

    pub(super) async fn hold(&self, schema: Option<&str>, table: &str) -> Result<(), UpsertError> {
        let schema = schema.map(|schema| format!("{}.", quoted(schema))).unwrap_or_default();
        let sql = format!("LOCK TABLE {schema}{} IN SHARE ROW EXCLUSIVE MODE", quoted(table));
        self.client.batch_execute(&sql).await.map_err(refused(table))
    }

    pub(super) async fn upsert(&mut self, target: &Target, rows: &[Vec<Datum>]) -> Result<Vec<Outcome>, UpsertError> {
        let refused = refused(&target.table);
        let stage = self.stage(target).await?;
        let mut next_id = match self.next_ids.get(&target.name()) {
            Some(next) => next,
            None => {
                let sql = format!("SELECT coalesce(max({}), 0) + 1 FROM {}", quoted(&target.id_column), target.name());
                self.client.query_one(&sql, &[]).await.map_err(&refused)?.get::<_, i64>(0)
            }
        };
        self.fill(target, &stage, rows).await?;
        let mut outcomes = vec![Outcome { fate: Fate::Unchanged, gave_way: false }; rows.len()];
        let sql = Statements::of(target, &stage);
        for row in self.client.query(&sql.different, &[]).await.map_err(&refused)? {
            let (number, is_new, is_changed, gave_way): (i32, bool, bool, bool) =
                (row.get(0), row.get(1), row.get(2), row.get(3));
            let fate = match (is_new, is_changed) {
                (true, _) => Fate::Inserted,
                (false, true) => Fate::Updated,
                (false, false) => Fate::Unchanged,
            };
            outcomes[number as usize] = Outcome { fate, gave_way };
        }
        let any = |fate| outcomes.iter().any(|outcome| outcome.fate == fate);
        if let (Some(update), true) = (&sql.update, any(Fate::Updated)) {
            self.client.execute(update.as_str(), &[]).await.map_err(&refused)?;
        }
        if any(Fate::Inserted) {
            next_id += self.client.execute(&sql.insert, &[&next_id]).await.map_err(&refused)? as i64;
        }
        self.next_ids.set(&target.name(), next_id);
        Ok(outcomes)
    }

    /// The temporary table of a target. Its first use also keeps other writers out, so that the surrogate keys
    /// given out here stay free until the end of the transaction.
    async fn stage(&mut self, target: &Target) -> Result<String, UpsertError> {
        if let Some(stage) = self.stages.get(target) {
            return Ok(stage.clone());
        }
        let stage = format!("import_stage_{}", self.stages.len());
        let columns: Vec<String> = target.columns.iter().map(|column| quoted(column)).collect();
        self.hold(target.schema.as_deref(), &target.table).await?;
        let sql = format!(
            "CREATE TEMP TABLE {stage} ON COMMIT DROP AS SELECT 0::int AS stage_number, {columns} FROM {table} WITH NO DATA",
            table = target.name(),
            columns = columns.join(", ")
        );
        self.client.batch_execute(&sql).await.map_err(refused(&target.table))?;
        self.stages.insert(target.clone(), stage.clone());
        Ok(stage)
    }

    async fn fill(&self, target: &Target, stage: &str, rows: &[Vec<Datum>]) -> Result<(), UpsertError> {
        let refused = refused(&target.table);
        self.client.batch_execute(&format!("TRUNCATE {stage}")).await.map_err(&refused)?;
        let sink = self.client.copy_in::<_, Bytes>(&format!("COPY {stage} FROM STDIN")).await.map_err(&refused)?;
        let mut sink = std::pin::pin!(sink);
        let mut text = String::with_capacity(PORTION + 4096);
        for (number, row) in rows.iter().enumerate() {
            let _ = write!(text, "{number}");
            for datum in row {
                text.push('\t');
                write_copy(datum, &mut text);
            }
            text.push('\n');
            if text.len() >= PORTION {
                sink.send(Bytes::from(std::mem::take(&mut text))).await.map_err(&refused)?;
            }
        }
        sink.send(Bytes::from(text)).await.map_err(&refused)?;
        sink.finish().await.map_err(&refused)?;
        // Without statistics the planner takes the stage for tiny and loops over the target.
        self.client.batch_execute(&format!("ANALYZE {stage}")).await.map_err(&refused)
    }

    pub(super) async fn commit(self) -> Result<(), UpsertError> {
        for (table, next_id) in self.next_ids.into_tables() {
            // Rows inserted later without a key of their own count on from here.
            let sql = "SELECT setval(s::regclass, greatest($2::bigint - 1, 1)) FROM pg_get_serial_sequence($1, 'id') s \
                       WHERE s IS NOT NULL AND $2::bigint > 1";
            let has_id =
                "SELECT EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = $1::text::regclass AND attname = 'id')";
            if self.client.query_one(has_id, &[&table]).await.map_err(refused(&table))?.get(0) {
                self.client.query(sql, &[&table, &next_id]).await.map_err(refused(&table))?;
            }
        }
        self.client.batch_execute("COMMIT").await.map_err(|error| UpsertError::Refused(describe(&error)))
    }

    pub(super) async fn roll_back(self) -> Result<(), UpsertError> {
        self.client.batch_execute("ROLLBACK").await.map_err(|error| UpsertError::Refused(describe(&error)))
    }
}

/// The statements over a filled stage.
struct Statements {
    different: String,
    update: Option<String>,
    insert: String,
}

impl Statements {
    fn of(target: &Target, stage: &str) -> Statements {
        let table = target.name();
        let id = quoted(&target.id_column);
        let key = target.key().iter().map(|c| format!("t.{0} = s.{0}", quoted(c)));
        let matches = key.collect::<Vec<_>>().join(" AND ");
        let after_key = |at: usize| quoted(&target.columns[target.key_length + at]);
        let changing = || target.rest().filter(|(_, change)| *change != Change::Stay);
        let differs = changing().map(|(c, change)| match change {
            Change::Replace | Change::Stay => format!("t.{0} IS DISTINCT FROM s.{0}", quoted(c)),
            Change::Keep(with) => {
                format!("(s.{1} IS NOT NULL AND t.{0} IS DISTINCT FROM s.{0})", quoted(c), after_key(with))
            }
            Change::Fill => format!("(t.{0} IS NULL AND s.{0} IS NOT NULL)", quoted(c)),
        });
        let differs = differs.collect::<Vec<_>>().join(" OR ");
        let changed = if differs.is_empty() { "false" } else { &differs };
        let filled = target.rest().filter(|(_, change)| *change == Change::Fill);
        let gave_way = filled.map(|(c, _)| {
            format!("(t.{0} IS NOT NULL AND s.{0} IS NOT NULL AND t.{0} IS DISTINCT FROM s.{0})", quoted(c))
        });
        let gave_way = gave_way.collect::<Vec<_>>().join(" OR ");
        let gave_way = if gave_way.is_empty() { "false" } else { &gave_way };
        let set = changing().map(|(c, change)| match change {
            Change::Replace | Change::Stay => format!("{0} = s.{0}", quoted(c)),
            Change::Keep(with) => {
                format!("{0} = CASE WHEN s.{1} IS NULL THEN t.{0} ELSE s.{0} END", quoted(c), after_key(with))
            }
            Change::Fill => format!("{0} = coalesce(t.{0}, s.{0})", quoted(c)),
        });
        let set: Vec<String> = set.collect();
        let columns: Vec<String> = target.columns.iter().map(|c| quoted(c)).collect();
        let staged: Vec<String> = target.columns.iter().map(|c| format!("s.{}", quoted(c))).collect();
        Statements {
            different: format!(
                "SELECT s.stage_number, t.{id} IS NULL, {changed}, {gave_way} \
                 FROM {stage} s LEFT JOIN {table} t ON {matches} \
                 WHERE t.{id} IS NULL OR {changed} OR {gave_way}"
            ),
            update: (!set.is_empty()).then(|| {
                format!("UPDATE {table} t SET {} FROM {stage} s WHERE {matches} AND ({differs})", set.join(", "))
            }),
            insert: format!(
                "INSERT INTO {table} ({id}, {}) \
                 SELECT $1::bigint - 1 + row_number() OVER (ORDER BY s.stage_number), {} \
                 FROM {stage} s WHERE NOT EXISTS (SELECT 1 FROM {table} t WHERE {matches})",
                columns.join(", "),
                staged.join(", ")
            ),
        }
    }
}

/// One value in COPY's text format.
fn write_copy(datum: &Datum, out: &mut String) {
    match datum {
        Datum::Null => out.push_str("\\N"),
        Datum::Int(number) => {
            let _ = write!(out, "{number}"); // a String takes everything
        }
        Datum::Boolean(value) => out.push(if *value { 't' } else { 'f' }),
        Datum::Decimal(text) => out.push_str(text),
        Datum::Text(text) => {
            for c in text.chars() {
                match c {
                    '\\' => out.push_str("\\\\"),
                    '\t' => out.push_str("\\t"),
                    '\n' => out.push_str("\\n"),
                    '\r' => out.push_str("\\r"),
                    c => out.push(c),
                }
            }
        }
    }
}

fn refused(table: &str) -> impl Fn(tokio_postgres::Error) -> UpsertError + '_ {
    move |error| UpsertError::Refused(format!("{table}: {}", describe(&error)))
}

/// The server's own message; its detail, which may quote a row, is left out.
fn describe(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(said) => said.message().to_owned(),
        None => error.to_string(),
    }
}
