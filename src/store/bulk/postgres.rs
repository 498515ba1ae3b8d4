//! Bulk load of one dataset on PostgreSQL: binary COPY in chunks, all in one transaction.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use futures::SinkExt;
use tokio::sync::mpsc;
use tokio_postgres::Client;

use super::super::postgres_address::Address;
use super::{BulkError, Filled, Rows, Target, Value, encode, not_empty};

/// Bytes of a table that are gathered before they are sent: large enough that COPY's start does not count, small
/// enough that a chunk for each table fits into memory many times.
const CHUNK: usize = 1 << 20;

/// Chunks under way between the thread that makes rows and the connection.
const CHUNKS_WAITING: usize = 2;

/// An open load. Dropping it without [`PostgresLoad::commit`] leaves the database as it was.
pub struct PostgresLoad {
    client: Client,
    tables: Vec<&'static str>,
    indexes: Vec<String>,
}

/// A chunk of rows of one table.
pub struct Chunk {
    copy: Arc<str>,
    bytes: Bytes,
}

/// Takes rows on one thread and hands chunks to the connection's task.
pub struct PostgresRows {
    tables: Vec<Table>,
    chunks: mpsc::Sender<Chunk>,
}

struct Table {
    name: &'static str,
    columns: Vec<&'static str>,
    copy: Arc<str>,
    buffer: BytesMut,
    rows: i64,
}

impl PostgresLoad {
    /// Connects, looks whether the tables are empty and drops their indexes.
    pub async fn begin(target: &Target, filled: Filled) -> Result<PostgresLoad, BulkError> {
        let address = Address::read(&target.connection.url, "cityquery bulk load")?;
        let client = address.connect().await?;
        client.batch_execute("BEGIN; SET LOCAL maintenance_work_mem = '256MB'").await?;
        if let Some(schema) = &target.connection.schema {
            let quoted = schema.replace('"', "\"\"");
            client.batch_execute(&format!("SET LOCAL search_path TO \"{quoted}\"")).await?;
        }
        let tables: Vec<&'static str> = target.tables().collect();
        let mut load = PostgresLoad { client, tables, indexes: Vec::new() };
        load.prepare(filled).await?;
        Ok(load)
    }

    async fn prepare(&mut self, filled: Filled) -> Result<(), BulkError> {
        let mut held = Vec::new();
        for table in &self.tables {
            let rows = self.client.query_one(&format!("SELECT EXISTS (SELECT 1 FROM \"{table}\")"), &[]).await?;
            if rows.get(0) {
                held.push(format!("table {table}"));
            }
        }
        if filled == Filled::Refuse && !held.is_empty() {
            return Err(not_empty(&held));
        }
        for table in &self.tables {
            // Emptied in this transaction, so that COPY may write rows as already frozen.
            self.client.batch_execute(&format!("TRUNCATE \"{table}\" RESTART IDENTITY")).await?;
            let indexes = self
                .client
                .query(
                    "SELECT c.relname::text, pg_get_indexdef(i.indexrelid) FROM pg_index i \
                     JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = $1::text::regclass AND NOT i.indisprimary",
                    &[&format!("\"{table}\"")],
                )
                .await?;
            for index in indexes {
                self.client.batch_execute(&format!("DROP INDEX \"{}\"", index.get::<_, String>(0))).await?;
                self.indexes.push(index.get(1));
            }
        }
        Ok(())
    }

    /// Runs `make` on a thread of its own and stores what it makes. Gives back the number of rows.
    pub async fn rows<F>(&mut self, make: F) -> Result<u64, BulkError>
    where
        F: FnOnce(&mut PostgresRows) -> Result<(), BulkError> + Send + 'static,
    {
        let (chunks, mut waiting) = mpsc::channel(CHUNKS_WAITING);
        let mut rows = PostgresRows::new(&self.tables, chunks);
        let maker = tokio::task::spawn_blocking(move || {
            make(&mut rows)?;
            rows.finish()
        });
        let mut stored = Ok(());
        while let Some(chunk) = waiting.recv().await {
            stored = self.store(chunk).await;
            if stored.is_err() {
                break; // closes the channel, which stops the thread
            }
        }
        drop(waiting);
        let made = maker.await.map_err(|error| BulkError::Stopped(error.to_string()))?;
        stored?;
        made
    }

    async fn store(&self, chunk: Chunk) -> Result<(), BulkError> {
        let sink = self.client.copy_in::<_, Bytes>(&*chunk.copy).await?;
        futures::pin_mut!(sink);
        sink.send(chunk.bytes).await?;
        sink.finish().await?;
        Ok(())
    }

    /// Builds the indexes again and sets the counters of `id` behind the last row.
    pub async fn build_indexes(&mut self) -> Result<(), BulkError> {
        for index in std::mem::take(&mut self.indexes) {
            self.client.batch_execute(&index).await?;
        }
        for table in &self.tables {
            let counter = format!(
                "SELECT setval(pg_get_serial_sequence('\"{table}\"', 'id'), coalesce(max(id), 0) + 1, false) FROM \"{table}\""
            );
            self.client.batch_execute(&counter).await?;
            self.client.batch_execute(&format!("ANALYZE \"{table}\"")).await?;
        }
        Ok(())
    }

    /// Makes everything last.
    pub async fn commit(self) -> Result<(), BulkError> {
        Ok(self.client.batch_execute("COMMIT").await?)
    }
}

impl PostgresRows {
    fn new(tables: &[&'static str], chunks: mpsc::Sender<Chunk>) -> PostgresRows {
        let table = |name: &&'static str| Table {
            name,
            columns: Vec::new(),
            copy: Arc::from(""),
            buffer: BytesMut::new(),
            rows: 0,
        };
        PostgresRows { tables: tables.iter().map(table).collect(), chunks }
    }

    fn finish(&mut self) -> Result<u64, BulkError> {
        let mut rows = 0;
        for table in &mut self.tables {
            rows += table.rows.unsigned_abs();
            table.send(&self.chunks)?;
        }
        Ok(rows)
    }
}

impl Rows for PostgresRows {
    fn row(&mut self, table: &'static str, values: &[(&'static str, Value<'_>)]) -> Result<(), BulkError> {
        let Some(entry) = self.tables.iter_mut().find(|entry| entry.name == table) else {
            return Err(BulkError::Stopped(format!("table {table} is not part of this load")));
        };
        if entry.columns.is_empty() {
            entry.learn(values);
        }
        debug_assert!(entry.columns.iter().eq(values.iter().map(|(column, _)| column)), "{table}");
        if entry.buffer.is_empty() {
            entry.buffer.reserve(CHUNK + CHUNK / 8);
            entry.buffer.put_slice(encode::HEADER);
        }
        entry.rows += 1;
        encode::row(entry.rows, values, &mut entry.buffer);
        if entry.buffer.len() >= CHUNK { entry.send(&self.chunks) } else { Ok(()) }
    }
}

impl Table {
    fn learn(&mut self, values: &[(&'static str, Value<'_>)]) {
        self.columns = values.iter().map(|(column, _)| *column).collect();
        let columns = self.columns.join("\", \"");
        let copy = format!("COPY \"{}\" (id, \"{columns}\") FROM STDIN WITH (FORMAT binary, FREEZE)", self.name);
        self.copy = Arc::from(copy);
    }

    fn send(&mut self, chunks: &mpsc::Sender<Chunk>) -> Result<(), BulkError> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        self.buffer.put_i16(-1);
        let bytes = std::mem::take(&mut self.buffer).freeze();
        chunks
            .blocking_send(Chunk { copy: self.copy.clone(), bytes })
            .map_err(|_| BulkError::Stopped("the database refused a chunk".to_owned()))
    }
}
