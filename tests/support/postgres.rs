//! The PostgreSQL server of the tests, named by CITYQUERY_TEST_POSTGRES (a superuser's URL); each test makes and
//! drops databases of its own in it.

use std::sync::atomic::{AtomicU32, Ordering};

use tokio_postgres::NoTls;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// URL of the server; `None` only if CITYQUERY_TEST_SQLITE_ONLY=1 says to go without.
pub fn server() -> Option<String> {
    match std::env::var("CITYQUERY_TEST_POSTGRES") {
        Ok(url) if !url.is_empty() => Some(url),
        _ if std::env::var("CITYQUERY_TEST_SQLITE_ONLY").is_ok_and(|value| value == "1") => None,
        _ => panic!(
            "set CITYQUERY_TEST_POSTGRES to the URL of a PostgreSQL superuser (tests/run starts a server and does), \
             or CITYQUERY_TEST_SQLITE_ONLY=1 to test on SQLite alone"
        ),
    }
}

/// A database of a test's own, dropped with it.
pub struct Database {
    server: String,
    name: String,
    /// Where it is.
    pub url: String,
}

impl Database {
    /// Makes an empty database.
    pub async fn create(server: &str) -> Database {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("cityquery_test_{}_{number}", std::process::id());
        run(server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        run(server, &format!("CREATE DATABASE {name}")).await;
        let (front, _) = server.rsplit_once('/').expect("the server's URL names a database");
        Database { server: server.to_owned(), url: format!("{front}/{name}"), name }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, statement) = (self.server.clone(), format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        // A thread of its own: a test's runtime may be going down.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(run(&server, &statement));
        });
        let _ = dropped.join();
    }
}

async fn run(server: &str, statement: &str) {
    let (client, connection) = tokio_postgres::connect(server, NoTls).await.expect("the test server answers");
    let driver = tokio::spawn(connection);
    client.batch_execute(statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
    drop(client);
    let _ = driver.await;
}
