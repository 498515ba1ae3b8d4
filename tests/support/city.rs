//! A small made-up city for tests that compare answers: every declared table, dense joins, many nulls and ties, keys
//! that lead nowhere, and texts that sort or match oddly. The same for the same seed, whatever the database.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use cityquery::catalog::scalar::{Scalar, national_id};
use cityquery::catalog::{Catalog, FieldKind};
use cityquery::config::Connection;
use cityquery::store::layout::sqlite_file;

use super::dice::Dice;

/// Rows of a table, where its keys allow as many.
const ROWS: usize = 28;

/// Distinct values of a key that identifies rows: more than rows, so that some references lead nowhere.
const KEYS: usize = 32;

/// Distinct values of a key that several rows on both sides share.
const SHARED_KEYS: usize = 7;

/// The districts' codes.
pub const DISTRICTS: [&str; 12] = [
    "63000010", "63000020", "63000030", "63000040", "63000050", "63000060", "63000070", "63000080", "63000090",
    "63000100", "63000110", "63000120",
];

/// Texts that trip careless comparing, matching and quoting.
const TEXTS: [&str; 22] = [
    "",
    " ",
    "a",
    "A",
    "b",
    "B",
    "ab",
    "aB",
    "a%b",
    "a_b",
    "a\\b",
    "axb",
    "%",
    "é",
    "É",
    "Ｚ",
    "中",
    "中山",
    "中山路",
    "😀",
    "\"quoted\"",
    "line\nbreak",
];

const DAYS: [&str; 7] =
    ["1911-10-10", "1949-12-31", "1950-01-01", "1999-12-31", "2000-02-29", "2024-12-31", "2025-01-01"];

/// One value. Dates and decimals stand as an answer shows them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cell {
    /// No value.
    Null,
    /// Any integer.
    Int(i64),
    /// A truth value.
    Bool(bool),
    /// Text, date or decimal.
    Text(String),
}

/// A column of a table.
#[derive(Clone, Debug)]
pub struct Column {
    /// Database name.
    pub name: String,
    /// What it holds.
    pub scalar: Scalar,
    scale: u32,
    required: bool,
    unique: bool,
}

/// A table with its rows.
#[derive(Clone, Debug)]
pub struct Table {
    /// Code of its dataset.
    pub dataset: String,
    /// Name.
    pub name: String,
    /// Columns, `id` first.
    pub columns: Vec<Column>,
    /// Rows.
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// Number of a column.
    pub fn column(&self, name: &str) -> usize {
        self.columns.iter().position(|column| column.name == name).unwrap_or_else(|| panic!("{}.{name}", self.name))
    }
}

/// All tables.
#[derive(Clone, Debug)]
pub struct City {
    /// By name.
    pub tables: BTreeMap<String, Table>,
}

impl City {
    /// The city of a seed.
    pub fn new(catalog: &Catalog, seed: u64) -> City {
        let mut dice = Dice::new(seed);
        let mut tables = empty_tables(catalog);
        let pools = pools(catalog, &tables);
        for (number, table) in tables.values_mut().enumerate() {
            fill(table, number, &pools, &mut dice);
        }
        City { tables }
    }

    /// The table of that name.
    pub fn table(&self, name: &str) -> &Table {
        &self.tables[name]
    }

    /// Puts all rows into migrated databases; connections of every dataset.
    pub async fn load(&self, connections: &BTreeMap<String, Connection>) {
        let mut scripts: BTreeMap<&str, String> = BTreeMap::new();
        for table in self.tables.values() {
            let connection = &connections[&table.dataset];
            insert(table, connection.schema.as_deref(), scripts.entry(&connection.url).or_default());
        }
        for (url, script) in scripts {
            execute(url, &script).await;
        }
    }
}

/// Runs a script of statements.
pub async fn execute(url: &str, script: &str) {
    if let Some(file) = sqlite_file(url) {
        let database = rusqlite::Connection::open(file).expect("opens");
        database.execute_batch(script).expect("inserts");
        return;
    }
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.expect("connects");
    let driver = tokio::spawn(connection);
    client.batch_execute(script).await.unwrap_or_else(|error| panic!("inserts: {error:?}"));
    drop(client);
    let _ = driver.await;
}

fn empty_tables(catalog: &Catalog) -> BTreeMap<String, Table> {
    let mut tables = BTreeMap::new();
    let plain = |name: &str, scalar| Column { name: name.into(), scalar, scale: 0, required: true, unique: false };
    for of in &catalog.types {
        let columns = of.fields.iter().filter_map(|id| match &catalog.field(*id).kind {
            FieldKind::Column(column) => Some(Column {
                name: column.name.clone(),
                scalar: column.scalar,
                scale: column.scale,
                required: column.not_null,
                unique: of.keys.contains(id),
            }),
            _ => None,
        });
        let dataset = catalog.dataset(of.dataset).code.clone();
        let table = Table { dataset, name: of.table.clone(), columns: columns.collect(), rows: Vec::new() };
        tables.insert(of.table.clone(), table);
    }
    for field in &catalog.fields {
        let FieldKind::Join(join) = &field.kind else { continue };
        let Some(through) = &join.through else { continue };
        let dataset = catalog.dataset(through.dataset).code.clone();
        let columns =
            vec![plain("id", Scalar::Id), plain(&through.from, Scalar::String), plain(&through.to, Scalar::String)];
        let table = Table { dataset, name: through.table.clone(), columns, rows: Vec::new() };
        tables.entry(through.table.clone()).or_insert(table);
    }
    tables
}

/// `table.column` → the values that everything joined to it shares.
fn pools(catalog: &Catalog, tables: &BTreeMap<String, Table>) -> HashMap<String, Vec<String>> {
    let mut groups: Vec<Vec<String>> = Vec::new();
    let mut tie = |a: String, b: String| {
        let (mut mine, others): (Vec<_>, Vec<_>) =
            groups.drain(..).partition(|group: &Vec<String>| group.contains(&a) || group.contains(&b));
        groups = others;
        let mut group: Vec<String> = mine.drain(..).flatten().chain([a, b]).collect();
        group.sort();
        group.dedup();
        groups.push(group);
    };
    for field in &catalog.fields {
        let FieldKind::Join(join) = &field.kind else { continue };
        let from = format!("{}.{}", catalog.type_def(field.owner).table, join.from);
        let to = format!("{}.{}", catalog.type_def(join.target).table, join.to);
        match &join.through {
            Some(through) => {
                tie(from, format!("{}.{}", through.table, through.from));
                tie(to, format!("{}.{}", through.table, through.to));
            }
            None => tie(from, to),
        }
    }
    let mut pools = HashMap::new();
    for group in groups {
        let columns: Vec<&Column> = group
            .iter()
            .map(|name| {
                let (table, column) = name.split_once('.').expect("a table and a column");
                &tables[table].columns[tables[table].column(column)]
            })
            .collect();
        let scalar = columns.iter().map(|column| column.scalar).find(|scalar| *scalar != Scalar::String);
        let count = if columns.iter().any(|column| column.unique) { KEYS } else { SHARED_KEYS };
        let pool: Vec<String> = if group.iter().any(|name| name == "districts.district_code") {
            DISTRICTS.map(str::to_owned).into()
        } else {
            (0..count).map(|number| key(scalar.unwrap_or(Scalar::String), &group[0], number)).collect()
        };
        pools.extend(group.into_iter().map(|name| (name, pool.clone())));
    }
    pools
}

/// A canonical value of a scalar by number.
fn key(scalar: Scalar, name: &str, number: usize) -> String {
    let text = match scalar {
        Scalar::NationalId => {
            let nine = format!("A{}{:07}", 1 + number % 2, 1_000_003 * (number + 1) % 10_000_000);
            format!("{nine}{}", national_id::check_digit(&nine).expect("a check digit"))
        }
        Scalar::ParcelNumber => format!("{:04}{:04}", number / 2 + 1, number % 2),
        Scalar::BuildingNumber => format!("{:05}{:03}", number / 2 + 1, number % 2),
        Scalar::PermitNumber => format!("{}使字第{:04}號", 100 + number % 3, number + 1),
        Scalar::AddressKey => format!("臺北市大安區復興南路一段{}號", number + 1),
        _ => format!("{}{number:03}", &name[..2]),
    };
    let canonical = scalar.parse_text(&text);
    canonical.unwrap_or_else(|expected| panic!("{text}: expected {expected}"))
}

fn fill(table: &mut Table, number: usize, pools: &HashMap<String, Vec<String>>, dice: &mut Dice) {
    let unique = table.columns.iter().position(|column| column.unique);
    let pool_of = |column: &Column| pools.get(&format!("{}.{}", table.name, column.name));
    let mut keys: Vec<String> = match unique.map(|at| (&table.columns[at], pool_of(&table.columns[at]))) {
        Some((_, Some(pool))) => pool.clone(),
        Some((column, None)) => (0..KEYS).map(|number| key(column.scalar, &column.name, number)).collect(),
        None => vec![String::new(); 2 * KEYS],
    };
    dice.shuffle(&mut keys);
    let link = unique.is_none() && table.columns.len() == 3;
    let count = if link { 2 * ROWS } else { ROWS.min(keys.len() - 1) };
    let mut ids: Vec<i64> = (0..count as i64).map(|id| 1 + number as i64 * 1_000 + id * 7).collect();
    dice.shuffle(&mut ids);
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for (at, id) in ids.into_iter().enumerate() {
        let row: Vec<Cell> = table
            .columns
            .iter()
            .enumerate()
            .map(|(place, column)| match (place, pool_of(column)) {
                (0, _) => Cell::Int(id),
                _ if Some(place) == unique => Cell::Text(keys[at].clone()),
                _ if !column.required && dice.below(5) == 0 => Cell::Null,
                (_, Some(pool)) => Cell::Text(dice.pick(pool).clone()),
                _ if column.name == "district_code" => Cell::Text((*dice.pick(&DISTRICTS)).into()),
                _ if column.name == "seq" => Cell::Int(at as i64),
                _ => any(column, dice),
            })
            .collect();
        if !link || !rows.iter().any(|known| known[1..] == row[1..]) {
            rows.push(row);
        }
    }
    table.rows = rows;
}

fn any(column: &Column, dice: &mut Dice) -> Cell {
    match column.scalar {
        Scalar::Int | Scalar::Id => Cell::Int(*dice.pick(&[-2_147_483_648, -3, -1, 0, 1, 2, 2, 3, 10, 2_147_483_647])),
        Scalar::Boolean => Cell::Bool(dice.below(2) == 0),
        Scalar::Date => Cell::Text((*dice.pick(&DAYS)).into()),
        Scalar::Decimal => {
            let mantissa: i64 = *dice.pick(&[0, 1, -1, 10, 99, 100, 101, 1_250, 33_333, -7_001, 999_999_999_999]);
            Cell::Text(rust_decimal::Decimal::new(mantissa, column.scale).to_string())
        }
        Scalar::String => Cell::Text((*dice.pick(&TEXTS)).into()),
        other => Cell::Text(key(other, "", dice.below(6))),
    }
}

fn insert(table: &Table, schema: Option<&str>, out: &mut String) {
    let schema = schema.map(|schema| format!("\"{schema}\".")).unwrap_or_default();
    let names: Vec<String> = table.columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
    let _ = writeln!(out, "INSERT INTO {schema}\"{}\" ({}) VALUES", table.name, names.join(", "));
    for (number, row) in table.rows.iter().enumerate() {
        let cells: Vec<String> =
            row.iter().zip(&table.columns).map(|(cell, column)| literal(cell, column.scalar)).collect();
        let _ = writeln!(out, "{}({})", if number == 0 { "" } else { "," }, cells.join(", "));
    }
    out.push_str(";\n");
}

/// A value as SQL text, the same for every database.
pub fn literal(cell: &Cell, scalar: Scalar) -> String {
    match (cell, scalar) {
        (Cell::Null, _) => "NULL".into(),
        (Cell::Int(value), _) => value.to_string(),
        (Cell::Bool(value), _) => if *value { "TRUE" } else { "FALSE" }.into(),
        (Cell::Text(text), Scalar::Decimal) => text.clone(),
        (Cell::Text(text), _) => format!("'{}'", text.replace('\'', "''")),
    }
}
