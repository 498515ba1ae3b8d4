//! Asks a database itself about one comparison with one column, in SQL written here and nowhere else: which rows it
//! holds for, fails for, or neither. What is made of many of them is `naive`'s.

use std::collections::{BTreeMap, HashMap};

use cityquery::catalog::scalar::Scalar;
use cityquery::catalog::{Catalog, FieldDef, FieldKind};
use cityquery::config::Connection;
use cityquery::store::layout::sqlite_file;
use tokio_postgres::SimpleQueryMessage;

use super::ask::{Asked, EdgeKind, Filter, Object, PartKind, RootKind, SelectedKind, Window};
use super::city::{Cell, literal};

/// Row number → true, false or unknown.
pub type Held = HashMap<i64, Option<bool>>;

/// The databases of a layout, asked one comparison at a time; each is asked once.
pub struct Oracle<'a> {
    catalog: &'a Catalog,
    connections: &'a BTreeMap<String, Connection>,
    sqlite: HashMap<String, rusqlite::Connection>,
    postgres: HashMap<String, tokio_postgres::Client>,
    known: HashMap<String, Held>,
}

impl<'a> Oracle<'a> {
    /// Over migrated and filled databases.
    pub fn new(catalog: &'a Catalog, connections: &'a BTreeMap<String, Connection>) -> Oracle<'a> {
        Oracle { catalog, connections, sqlite: HashMap::new(), postgres: HashMap::new(), known: HashMap::new() }
    }

    /// Asks about every comparison of an operation.
    pub async fn learn(&mut self, asked: &Asked) {
        let mut leaves = Vec::new();
        for root in &asked.roots {
            match &root.kind {
                RootKind::One { object, .. } => in_object(object, &mut leaves),
                RootKind::List { window, parts } => {
                    in_window(window, &mut leaves);
                    for part in parts {
                        match &part.kind {
                            PartKind::Nodes(object) => in_object(object, &mut leaves),
                            PartKind::Edges(fields) => fields.iter().for_each(|(_, field)| {
                                if let EdgeKind::Node(object) = field {
                                    in_object(object, &mut leaves);
                                }
                            }),
                            _ => {}
                        }
                    }
                }
            }
        }
        for leaf in leaves {
            self.ask(&leaf).await;
        }
    }

    /// What is known of a comparison.
    pub fn held(&self, leaf: &Filter) -> &Held {
        &self.known[&key(leaf)]
    }

    async fn ask(&mut self, leaf: &Filter) {
        if self.known.contains_key(&key(leaf)) {
            return;
        }
        let field = self.catalog.field(field_of(leaf));
        let of = self.catalog.type_def(field.owner);
        let connection = self.connections[&self.catalog.dataset(of.dataset).code].clone();
        let postgres = sqlite_file(&connection.url).is_none();
        let condition = condition(leaf, field, postgres);
        let schema = connection.schema.as_ref().map(|schema| format!("\"{schema}\".")).unwrap_or_default();
        let sql = format!("SELECT id, ({condition}) FROM {schema}\"{}\"", of.table);
        let held = if postgres {
            self.of_postgres(&connection.url, &sql).await
        } else {
            self.of_sqlite(&connection.url, &sql)
        };
        self.known.insert(key(leaf), held);
    }

    async fn of_postgres(&mut self, url: &str, sql: &str) -> Held {
        if !self.postgres.contains_key(url) {
            let (client, driver) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.expect("connects");
            tokio::spawn(driver);
            self.postgres.insert(url.to_owned(), client);
        }
        let rows = self.postgres[url].simple_query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        let rows = rows.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        rows.map(|row| (row.get(0).expect("an id").parse().expect("a number"), row.get(1).map(|held| held == "t")))
            .collect()
    }

    fn of_sqlite(&mut self, url: &str, sql: &str) -> Held {
        let connection = self
            .sqlite
            .entry(url.to_owned())
            .or_insert_with(|| rusqlite::Connection::open(sqlite_file(url).expect("a file")).expect("opens"));
        let sensitive = if sql.contains("/* any case */") { "OFF" } else { "ON" };
        connection.execute_batch(&format!("PRAGMA case_sensitive_like = {sensitive}")).expect("sets");
        let mut statement = connection.prepare(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, Option<bool>>(1)?))).expect("rows");
        rows.collect::<Result<_, _>>().expect("rows")
    }
}

fn key(leaf: &Filter) -> String {
    format!("{leaf:?}")
}

fn field_of(leaf: &Filter) -> cityquery::catalog::FieldId {
    match leaf {
        Filter::Compare { field, .. } | Filter::IsNull { field, .. } => *field,
        other => panic!("{other:?} is no comparison"),
    }
}

fn condition(leaf: &Filter, field: &FieldDef, postgres: bool) -> String {
    let FieldKind::Column(column) = &field.kind else { panic!("a column") };
    let name = format!("\"{}\"", column.name);
    let (operator, values) = match leaf {
        Filter::IsNull { wanted: true, .. } => return format!("{name} IS NULL"),
        Filter::IsNull { wanted: false, .. } => return format!("{name} IS NOT NULL"),
        Filter::Compare { operator, values, .. } => (*operator, values),
        other => panic!("{other:?} is no comparison"),
    };
    let scalar = if matches!(operator, "_like" | "_ilike" | "_startsWith") { Scalar::String } else { column.scalar };
    let values: Vec<String> = values.iter().map(|value: &Cell| literal(value, scalar)).collect();
    let sorted = if postgres && column.scalar.is_text() { format!("{name} COLLATE \"C\"") } else { name.clone() };
    match operator {
        "_eq" => format!("{name} = {}", values[0]),
        "_neq" => format!("{name} <> {}", values[0]),
        "_in" if values.is_empty() => "1 = 0".into(),
        "_nin" if values.is_empty() => "1 = 1".into(),
        "_in" => format!("{name} IN ({})", values.join(", ")),
        "_nin" => format!("{name} NOT IN ({})", values.join(", ")),
        "_gt" => format!("{sorted} > {}", values[0]),
        "_gte" => format!("{sorted} >= {}", values[0]),
        "_lt" => format!("{sorted} < {}", values[0]),
        "_lte" => format!("{sorted} <= {}", values[0]),
        "_like" if postgres => format!("{name} LIKE {}", values[0]),
        "_like" => format!("{name} LIKE {} ESCAPE '\\'", values[0]),
        // Without a translation of its own, PostgreSQL would fold letters beyond ASCII, too.
        "_ilike" if postgres => {
            let small =
                |text: &str| format!("translate({text}, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')");
            format!("{} LIKE {}", small(&name), small(&values[0]))
        }
        "_ilike" => format!("{name} /* any case */ LIKE {} ESCAPE '\\'", values[0]),
        "_startsWith" => format!("substr({name}, 1, length({0})) = {0}", values[0]),
        other => panic!("{other} is no operator"),
    }
}

fn in_object(object: &Object, leaves: &mut Vec<Filter>) {
    for selected in &object.fields {
        if let SelectedKind::Join { window, object, .. } = &selected.kind {
            in_window(window, leaves);
            in_object(object, leaves);
        }
    }
}

fn in_window(window: &Window, leaves: &mut Vec<Filter>) {
    if let Some(filter) = &window.filter {
        in_filter(filter, leaves);
    }
}

fn in_filter(filter: &Filter, leaves: &mut Vec<Filter>) {
    match filter {
        Filter::And(all) | Filter::Or(all) => all.iter().for_each(|filter| in_filter(filter, leaves)),
        Filter::Not(filter) | Filter::Related { filter, .. } => in_filter(filter, leaves),
        leaf => leaves.push(leaf.clone()),
    }
}
