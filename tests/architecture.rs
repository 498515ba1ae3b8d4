//! The house rules that the compiler does not know: who may import whom, who is pure, who talks to a database, how long
//! a file may be, what it begins with, and what no folder is called. Exceptions stand in `architecture/exceptions.txt`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use regex::Regex;

/// Top to bottom. A module imports modules further down only; `store` reads settings.
const LAYERS: [&[&str]; 10] = [
    &["cli"],
    &["http"],
    &["graphql"],
    &["procedure"],
    &["accounts", "reports", "backup", "ingest"],
    &["query"],
    &["access", "audit"],
    &["catalog"],
    &["store"],
    &["config", "telemetry"],
];

/// Longest file.
const LINES: usize = 400;

/// More exceptions than this there shall never be. Lower it when one goes.
const EXCEPTIONS: usize = 2;

/// A source file.
struct Source {
    /// From the top of the repository.
    name: String,
    text: String,
}

impl Source {
    /// `query` of `src/query/load.rs`; nothing for `src/lib.rs` and `src/main.rs`.
    fn module(&self) -> Option<&str> {
        let (module, _) = self.name.strip_prefix("src/")?.split_once('/')?;
        Some(module)
    }

    /// The text without comments and without the tests at its end.
    fn code(&self) -> String {
        let code = self.text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let code = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        code.map(|line| line.split(" // ").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(folder: &str, extension: &str) -> Vec<Source> {
    fn walk(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("readable").path()) {
            match entry.is_dir() {
                true => walk(&entry, extension, found),
                false if entry.extension().is_some_and(|known| known == extension) => found.push(entry),
                false => {}
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), extension, &mut found);
    found.sort();
    found
        .into_iter()
        .map(|path| Source {
            name: path.strip_prefix(root()).expect("inside").to_str().expect("plain names").to_owned(),
            text: std::fs::read_to_string(&path).expect("text"),
        })
        .collect()
}

fn layer(module: &str) -> usize {
    LAYERS
        .iter()
        .position(|layer| layer.contains(&module))
        .unwrap_or_else(|| panic!("{module} has no place in LAYERS: give it one, here and in src/lib.rs"))
}

/// `rule` → faulty files with what is wrong; exceptions taken out, and each has to be of use.
fn without_exceptions(faults: Vec<(&'static str, String, String)>) {
    let list = include_str!("architecture/exceptions.txt");
    let exceptions: Vec<(&str, &str)> = list
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .map(|line| match line.split('|').map(str::trim).collect::<Vec<_>>()[..] {
            [rule, file, reason] if reason.len() > 20 => (rule, file),
            _ => panic!("an exception is: rule | file | reason. Found: {line}"),
        })
        .collect();
    assert!(exceptions.len() <= EXCEPTIONS, "the list of exceptions may only shrink");
    let excepted = |rule: &str, file: &str| exceptions.contains(&(rule, file));
    let faulty: BTreeSet<(&str, &str)> = faults.iter().map(|(rule, file, _)| (*rule, file.as_str())).collect();
    let idle: Vec<_> = exceptions.iter().filter(|known| !faulty.contains(known)).collect();
    let left: Vec<String> = faults
        .iter()
        .filter(|(rule, file, _)| !excepted(rule, file))
        .map(|(rule, file, what)| format!("{rule}: {file}: {what}"))
        .collect();
    assert!(left.is_empty(), "{}", left.join("\n"));
    assert!(idle.is_empty(), "no longer needed, take them out and lower EXCEPTIONS: {idle:?}");
}

#[test]
fn the_house_rules_hold() {
    let sources = read("src", "rs");
    assert!(sources.len() > 100, "the sources are not where they were");
    let mut faults = Vec::new();
    for source in &sources {
        faults.extend(imports(source).into_iter().map(|what| ("layers", source.name.clone(), what)));
        faults.extend(impurities(source).into_iter().map(|what| ("pure", source.name.clone(), what)));
        faults.extend(drivers(source).into_iter().map(|what| ("databases", source.name.clone(), what)));
        faults.extend(bad_name(source).map(|what| ("names", source.name.clone(), what)));
        let lines = source.text.lines().count();
        if lines > LINES {
            faults.push(("long", source.name.clone(), format!("{lines} lines, at most {LINES}")));
        }
        if !source.text.starts_with("//! ") {
            faults.push(("first line", source.name.clone(), "begins with //! and what it is for".to_owned()));
        }
    }
    for declaration in read("src", "graphql") {
        let lines = declaration.text.lines().count();
        if lines > LINES {
            faults.push(("long", declaration.name, format!("{lines} lines, at most {LINES}")));
        }
    }
    without_exceptions(faults);
}

/// Modules that are imported and stand beside or above.
fn imports(source: &Source) -> Vec<String> {
    let Some(own) = source.module() else { return Vec::new() };
    let (code, mut wrong) = (source.code(), BTreeSet::new());
    let path = Regex::new(r"crate::(\w+)").expect("a pattern");
    let several = Regex::new(r"crate::\{([^;]*)\}").expect("a pattern");
    let word = Regex::new(r"(?:^|,)\s*(\w+)").expect("a pattern");
    let mut imported: Vec<&str> =
        path.captures_iter(&code).filter_map(|found| found.get(1)).map(|name| name.as_str()).collect();
    for list in several.captures_iter(&code).filter_map(|found| found.get(1)) {
        imported.extend(word.captures_iter(list.as_str()).filter_map(|found| found.get(1)).map(|name| name.as_str()));
    }
    for module in imported {
        if module != own && LAYERS.iter().any(|layer| layer.contains(&module)) && layer(module) <= layer(own) {
            wrong.insert(format!("{own} imports {module}, which is not below it"));
        }
    }
    let _ = layer(own);
    wrong.into_iter().collect()
}

/// `catalog` and `access` do no I/O and wait for nothing. `async_graphql_parser` reads text, no more.
fn impurities(source: &Source) -> Vec<String> {
    if !matches!(source.module(), Some("catalog" | "access")) {
        return Vec::new();
    }
    let impure = [
        r"\basync_graphql::",
        r"\bsea_orm",
        r"\bsea_query",
        r"\brusqlite",
        r"\btokio",
        r"\basync fn\b",
        r"\.await\b",
        r"\bstd::fs\b",
        r"\bstd::net::Tcp",
        r"\bstd::env\b",
        r"\bstd::time::(Instant|SystemTime)",
        r"\brand::",
    ];
    let code = source.code();
    let found = impure.into_iter().filter(|pattern| Regex::new(pattern).expect("a pattern").is_match(&code));
    found.map(|pattern| format!("is pure, but has {pattern}")).collect()
}

/// Only the stores of a layer talk to a database: on the way of a request, `query/load.rs` through a `Source`.
fn drivers(source: &Source) -> Vec<String> {
    let (code, name) = (source.code(), source.name.as_str());
    let mut wrong = Vec::new();
    let allowed = name.starts_with("src/store/")
        || ["src/accounts/", "src/audit/index/", "src/procedure/", "src/reports/"]
            .iter()
            .any(|folder| name.starts_with(folder));
    let driver = Regex::new(r"\b(sea_orm|rusqlite|tokio_postgres|sqlx)\b").expect("a pattern");
    if let Some(found) = driver.find(&code).filter(|_| !allowed) {
        wrong.push(format!("talks to a database through {}", found.as_str()));
    }
    let asks = Regex::new(r"\.source\(|worker\.query\(|source\.query\(").expect("a pattern");
    if source.module() == Some("query") && name != "src/query/load.rs" && asks.is_match(&code) {
        wrong.push("asks a database; that is src/query/load.rs's".to_owned());
    }
    wrong
}

fn bad_name(source: &Source) -> Option<String> {
    let bad = ["utils", "util", "helpers", "helper", "common", "misc", "manager", "imp", "types"];
    let mut parts = source.name.trim_end_matches(".rs").split('/');
    parts.find(|part| bad.contains(part)).map(|part| format!("\"{part}\" says nothing"))
}

/// A rule that finds nothing wrong in wrong files is no rule.
#[test]
fn the_rules_find_what_they_forbid() {
    let source = |name: &str, text: &str| Source { name: name.to_owned(), text: text.to_owned() };
    assert_eq!(imports(&source("src/audit/log.rs", "use crate::query::plan;")).len(), 1);
    assert_eq!(imports(&source("src/audit/log.rs", "use crate::{config, access::Use, accounts};")).len(), 2);
    assert_eq!(imports(&source("src/query/load.rs", "use crate::store::rows; // crate::http")).len(), 0);
    assert_eq!(impurities(&source("src/access/decide.rs", "async fn decide() { tokio::spawn(x) }")).len(), 2);
    assert_eq!(impurities(&source("src/catalog/read.rs", "use async_graphql_parser::parse_schema;")).len(), 0);
    assert_eq!(drivers(&source("src/http/health.rs", "use tokio_postgres::NoTls;")).len(), 1);
    assert_eq!(drivers(&source("src/query/write.rs", "let rows = source.query(x);")).len(), 1);
    assert!(bad_name(&source("src/query/utils.rs", "")).is_some());
}

/// Rights come about by the procedure alone. What writes them without it is there for tests and for measuring.
#[test]
fn the_program_makes_no_right_without_the_procedure() {
    let bypass =
        Regex::new(r"accounts(\(\))?\s*\.(open_form|open_person|open_client|put_agency|set_status|set_form_status)\(")
            .expect("a pattern");
    let sources = read("src", "rs").into_iter().filter(|source| bypass.is_match(&source.code()));
    let passing: Vec<String> = sources.map(|source| source.name).collect();
    assert!(passing.is_empty(), "{passing:?}");
    assert!(bypass.is_match("app.accounts.open_form(&form)") && bypass.is_match("self.accounts().put_agency(a, b)"));
}
