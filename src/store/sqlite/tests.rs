//! What SQLite and its binding did wrong once, and must not do again.

use super::*;

/// SQLite 3.51.1 took two of its locks in either order when connections to one file in WAL mode closed at once: the
/// program then stood still, and every later opening of a file with it. It takes many closings to meet that moment.
#[test]
fn connections_to_one_file_may_close_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("one.db");
    let writer = Connection::open(&file).expect("a file");
    writer.execute_batch("PRAGMA journal_mode=WAL; CREATE TABLE one (a); INSERT INTO one VALUES (1);").expect("sql");
    drop(writer);
    let (done, finished) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for _ in 0..600 {
            let (start, holders) = (Arc::new(std::sync::Barrier::new(4)), Arc::default());
            let close = || {
                let memory = config::Sqlite { map_bytes: 0, cache_bytes: 1 << 20 };
                let worker = Worker::open(std::slice::from_ref(&file), &memory, &holders).expect("opens");
                let start = start.clone();
                let statement =
                    Statement { sql: "SELECT a FROM f0.one".into(), columns: vec![Kind::Int], lane: Lane::Shared };
                assert_eq!(worker.query(0, &statement, &[]).expect("a row").len(), 1);
                std::thread::spawn(move || {
                    start.wait();
                    drop(worker);
                })
            };
            let closing: Vec<_> = std::iter::repeat_with(close).take(4).collect();
            closing.into_iter().for_each(|thread| thread.join().expect("closes"));
        }
        done.send(())
    });
    finished.recv_timeout(Duration::from_secs(120)).expect("closing does not wait for ever");
}

/// Resident memory of this process in bytes.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").expect("Linux tells");
    let pages: u64 = pages.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).expect("a number");
    pages * rustix::param::page_size() as u64
}

/// rusqlite 0.39 never freed a list of keys: each statement with one left its list behind.
#[test]
fn lists_of_keys_are_freed() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("one.db");
    Connection::open(&file)
        .and_then(|db| db.execute_batch("CREATE TABLE one (a); INSERT INTO one VALUES (7);"))
        .expect("sql");
    let worker =
        Worker::open(&[file], &config::Sqlite { map_bytes: 0, cache_bytes: 1 << 20 }, &Arc::default()).expect("opens");
    let statement = Statement {
        sql: "SELECT a FROM f0.one WHERE a IN rarray(?1)".into(),
        columns: vec![Kind::Int],
        lane: Lane::Shared,
    };
    let ask = |times: usize| {
        for _ in 0..times {
            let found = worker.query(0, &statement, &[Bind::Ints((0..10_000).collect())]).expect("rows");
            assert_eq!(found.len(), 1);
        }
    };
    ask(20);
    let before = resident();
    // Left behind, they would be 160 MB.
    ask(500);
    let grown = resident().saturating_sub(before);
    assert!(grown < 40 << 20, "{} MB stayed", grown >> 20);
    // One that fails leaves none behind, either, and no binding for the next.
    let faulty = Statement { columns: vec![Kind::Bool], ..statement.clone() };
    assert!(worker.query(0, &faulty, &[Bind::Texts(Default::default())]).is_ok_and(|rows| rows.is_empty()));
    assert_eq!(worker.query(0, &statement, &[]).expect("rows").len(), 0, "nothing is bound any more");
}

/// Each thread for short statements keeps one core where there are as many as threads; those for long ones stay free.
#[tokio::test]
async fn threads_for_short_statements_keep_a_core_each() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("one.db");
    Connection::open(&file).expect("a file").execute_batch("CREATE TABLE one (a);").expect("sql");
    let memory = config::Sqlite { map_bytes: 0, cache_bytes: 1 << 20 };
    let group = SqliteGroup::open(vec![file], &memory).expect("opens");
    let cores = |_: &mut Worker| rustix::thread::sched_getaffinity(None).expect("cores").count() as usize;
    let deadline = Instant::now() + Duration::from_secs(60);
    let allowed = rustix::thread::sched_getaffinity(None).expect("cores").count() as usize;
    let expected = if allowed == cores::threads() { 1 } else { allowed };
    assert_eq!(group.run(Lane::Shared, None, deadline, cores).await.expect("runs"), expected);
    assert_eq!(group.run(Lane::Own, None, deadline, cores).await.expect("runs"), allowed);
}

/// A whole number beyond the doubles is the one that it is, alone and in a list.
#[test]
fn large_whole_numbers_are_compared_exactly() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("one.db");
    Connection::open(&file)
        .and_then(|db| {
            db.execute_batch("CREATE TABLE one (a NUMERIC(18)); INSERT INTO one VALUES (9007199254740993), (2.5), (7);")
        })
        .expect("sql");
    let worker =
        Worker::open(&[file], &config::Sqlite { map_bytes: 0, cache_bytes: 1 << 20 }, &Arc::default()).expect("opens");
    let found = |sql: &str, bind: Bind| {
        let statement = Statement { sql: sql.into(), columns: vec![Kind::Decimal(1)], lane: Lane::Shared };
        worker.query(0, &statement, &[bind]).expect("answers").len()
    };
    let decimal = |text: &str| text.parse::<Decimal>().expect("a number");
    for (text, count) in [("9007199254740993", 1), ("9007199254740992", 0), ("2.5", 1), ("7.0", 1), ("7.1", 0)] {
        assert_eq!(found("SELECT a FROM f0.one WHERE a = ?1", Bind::Decimal(decimal(text))), count, "{text}");
        let list = Bind::Decimals(vec![decimal(text)]);
        assert_eq!(found("SELECT a FROM f0.one WHERE a IN rarray(?1)", list), count, "{text} in a list");
    }
}
