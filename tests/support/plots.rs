//! A tiny city in which everything is known: six rows in every declared table, odd ones in district 63000010 and even
//! ones in 63000020, each text naming its column and row. Joined columns share their values.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use cityquery::catalog::scalar::{Scalar, national_id};
use cityquery::catalog::{Catalog, FieldKind};
use cityquery::config::Connection;
use cityquery::store::layout::sqlite_file;

/// Rows of each table.
pub const ROWS: usize = 6;

/// The districts, those of odd and of even rows first.
pub const DISTRICTS: [&str; 12] = [
    "63000010", "63000020", "63000030", "63000040", "63000050", "63000060", "63000070", "63000080", "63000090",
    "63000100", "63000110", "63000120",
];

/// A column of a table.
#[derive(Clone, Debug)]
pub struct Column {
    /// Database name.
    pub name: String,
    /// What it holds.
    pub scalar: Scalar,
    scale: u32,
    /// Never null.
    pub required: bool,
    /// Tells rows apart.
    pub unique: bool,
}

/// A table with its rows; a missing value is null.
#[derive(Clone, Debug)]
pub struct Table {
    /// Code of its dataset.
    pub dataset: String,
    /// Columns, `id` first.
    pub columns: Vec<Column>,
    /// Rows.
    pub rows: Vec<Vec<Option<String>>>,
}

/// All tables by name.
pub type Plots = BTreeMap<String, Table>;

/// Name of a column's values: columns that joins tie together have one name.
pub type Names = BTreeMap<(String, String), (String, Scalar)>;

/// The city.
pub fn plots(catalog: &Catalog) -> Plots {
    let mut tables = empty(catalog);
    let names = names(catalog, &tables);
    for (name, table) in &mut tables {
        let link =
            table.columns.len() == 3 && table.columns[1..].iter().all(|column| !column.unique && column.required);
        for row in 1..=ROWS {
            let cells = table.columns.iter().map(|column| cell(&names, name, column, row));
            table.rows.push(cells.collect());
        }
        if link && name.contains('_') && !catalog.types.iter().any(|of| of.table == *name) {
            link_rows(&names, name, table);
        }
    }
    tables
}

/// Each row is linked to its like and to the next.
fn link_rows(names: &Names, name: &str, table: &mut Table) {
    table.rows.clear();
    for row in 1..=ROWS {
        for (place, far) in [row, row % ROWS + 1].into_iter().enumerate() {
            let value = |column: usize, row| {
                let (group, scalar) = &names[&(name.to_owned(), table.columns[column].name.clone())];
                Some(value(group, *scalar, row))
            };
            let id = (row * 10 + place).to_string();
            table.rows.push(vec![Some(id), value(1, row), value(2, far)]);
        }
    }
}

/// One value of a column; `row` beyond [`ROWS`] gives values that no other row has.
pub fn cell(names: &Names, table: &str, column: &Column, row: usize) -> Option<String> {
    if column.name == "id" {
        return Some(row.to_string());
    }
    let Some((group, scalar)) = names.get(&(table.to_owned(), column.name.clone())) else {
        return Some(plain(table, column, row));
    };
    // What tells rows apart has six values, what leads to them three: some are led to twice, some never, and the ways
    // lead from one district into the other.
    let number = if column.unique || row > ROWS { row } else { (row - 1) % 3 + 1 };
    if group == "district_code" {
        return Some(DISTRICTS[if column.unique { (row - 1) % 12 } else { (row - 1) % 2 }].to_owned());
    }
    Some(value(group, *scalar, number))
}

fn plain(table: &str, column: &Column, row: usize) -> String {
    match column.scalar {
        Scalar::Int | Scalar::Id => (10 + row).to_string(),
        Scalar::Boolean => if row % 2 == 1 { "TRUE" } else { "FALSE" }.to_owned(),
        Scalar::Date => format!("{}-{:02}-{:02}", 1950 + row % 50, row % 12 + 1, row % 28 + 1),
        Scalar::Decimal => format!("{row}.{}", &"2500000000"[..column.scale as usize]).trim_end_matches('.').to_owned(),
        Scalar::String => format!("{table}-{}-{row}", column.name),
        other => value(&column.name, other, row),
    }
}

/// A canonical value of a scalar by number.
pub fn value(group: &str, scalar: Scalar, number: usize) -> String {
    let text = match scalar {
        Scalar::NationalId => {
            let nine = format!("A{}{:07}", 1 + number % 2, 1_000_003 * (number + 1) % 10_000_000);
            format!("{nine}{}", national_id::check_digit(&nine).expect("a check digit"))
        }
        Scalar::ParcelNumber => format!("{number:04}0000"),
        Scalar::BuildingNumber => format!("{number:05}000"),
        Scalar::PermitNumber => format!("115使字第{number:04}號"),
        Scalar::AddressKey => format!("臺北市大安區復興南路一段{number}號"),
        _ => return format!("{group}-{number}"),
    };
    scalar.parse_text(&text).unwrap_or_else(|expected| panic!("{text}: expected {expected}"))
}

fn empty(catalog: &Catalog) -> Plots {
    let mut tables = Plots::new();
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
        tables.insert(of.table.clone(), Table { dataset, columns: columns.collect(), rows: Vec::new() });
    }
    for field in &catalog.fields {
        let FieldKind::Join(join) = &field.kind else { continue };
        let Some(through) = &join.through else { continue };
        let dataset = catalog.dataset(through.dataset).code.clone();
        let mut ends = [through.from.as_str(), through.to.as_str()];
        ends.sort_unstable();
        let columns = [plain("id", Scalar::Id)].into_iter().chain(ends.map(|end| plain(end, Scalar::String)));
        tables.entry(through.table.clone()).or_insert(Table { dataset, columns: columns.collect(), rows: Vec::new() });
    }
    tables
}

/// Which columns share their values, by the joins.
pub fn names(catalog: &Catalog, tables: &Plots) -> Names {
    let mut groups: Vec<Vec<(String, String)>> = Vec::new();
    let mut tie = |a: (String, String), b: (String, String)| {
        let (mine, others): (Vec<_>, Vec<_>) =
            groups.drain(..).partition(|group: &Vec<(String, String)>| group.contains(&a) || group.contains(&b));
        groups = others;
        let mut group: Vec<_> = mine.into_iter().flatten().chain([a, b]).collect();
        group.sort();
        group.dedup();
        groups.push(group);
    };
    for field in &catalog.fields {
        let FieldKind::Join(join) = &field.kind else { continue };
        let from = (catalog.type_def(field.owner).table.clone(), join.from.clone());
        let to = (catalog.type_def(join.target).table.clone(), join.to.clone());
        match &join.through {
            Some(through) => {
                tie(from, (through.table.clone(), through.from.clone()));
                tie(to, (through.table.clone(), through.to.clone()));
            }
            None => tie(from, to),
        }
    }
    for of in catalog.types.iter().filter(|of| of.scope_column.is_some()) {
        let column = of.scope_column.clone().unwrap_or_default();
        tie((of.table.clone(), column), ("districts".to_owned(), "district_code".to_owned()));
    }
    let mut names = Names::new();
    for group in groups {
        let column = |(table, column): &(String, String)| {
            tables[table]
                .columns
                .iter()
                .find(|known| known.name == *column)
                .unwrap_or_else(|| panic!("{table}.{column}"))
        };
        let scalars = group.iter().map(|name| column(name).scalar);
        let scalar = scalars.into_iter().find(|scalar| *scalar != Scalar::String).unwrap_or(Scalar::String);
        let districts = group.iter().any(|(_, column)| column == "district_code");
        let name = if districts { "district_code".to_owned() } else { group[0].1.clone() };
        names.extend(group.into_iter().map(|member| (member, (name.clone(), scalar))));
    }
    names
}

/// Puts rows in place of those that are there; connections of every dataset.
pub async fn load(plots: &Plots, connections: &BTreeMap<String, Connection>) {
    let mut scripts: BTreeMap<&str, String> = BTreeMap::new();
    for (name, table) in plots {
        let connection = &connections[&table.dataset];
        let schema = connection.schema.as_deref().map(|schema| format!("\"{schema}\".")).unwrap_or_default();
        let script = scripts.entry(&connection.url).or_default();
        let _ = writeln!(script, "DELETE FROM {schema}\"{name}\";");
        let columns: Vec<String> = table.columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
        for row in &table.rows {
            let cells: Vec<String> =
                row.iter().zip(&table.columns).map(|(cell, column)| literal(cell, column)).collect();
            let _ = writeln!(
                script,
                "INSERT INTO {schema}\"{name}\" ({}) VALUES ({});",
                columns.join(","),
                cells.join(",")
            );
        }
    }
    for (url, script) in scripts {
        execute(url, &format!("BEGIN; {script} COMMIT;")).await;
    }
}

/// Runs statements as the database's owner.
pub async fn execute(url: &str, script: &str) {
    if let Some(file) = sqlite_file(url) {
        let database = rusqlite::Connection::open(file).expect("opens");
        database.execute_batch(script).unwrap_or_else(|error| panic!("{error}"));
        return;
    }
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.expect("connects");
    let driver = tokio::spawn(connection);
    client.batch_execute(script).await.unwrap_or_else(|error| panic!("{error:?}"));
    drop(client);
    let _ = driver.await;
}

fn literal(cell: &Option<String>, column: &Column) -> String {
    match (cell, column.scalar) {
        (None, _) => "NULL".to_owned(),
        (Some(text), Scalar::Int | Scalar::Id | Scalar::Decimal | Scalar::Boolean) => text.clone(),
        (Some(text), _) => format!("'{}'", text.replace('\'', "''")),
    }
}
