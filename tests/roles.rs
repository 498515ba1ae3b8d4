//! Every field of every type and every root, as every demo account: shown in full or masked, searched by, sorted by,
//! paged on. Each cell is asked through the router, over a tiny city; what comes out stands in `tests/roles`, one file
//! for each form, for a reviewer to read the difference (`UPDATE_EXPECTED=1` writes them). The walk goes over the
//! catalogue, so a new field fails until its line is there. What the form grants is compared besides.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::fmt::Write as _;
use std::path::PathBuf;

use crate::support::gate::{Gate, Got, Setup};
use crate::support::plots::{self, Plots};
use axum::http::{Request, header};
use cityquery::access::{Rights, Use};
use cityquery::catalog::scalar::Scalar;
use cityquery::catalog::{Catalog, FieldDef, FieldId, FieldKind, TypeId};
use cityquery::cli::demo::{cast, walk};
use serde_json::{Value, json};

/// Fields asked about at once: an order has at most sixteen, and fifty errors are told.
const AT_ONCE: usize = 16;

/// Somebody with the headers of their requests.
struct Somebody {
    account: String,
    token: String,
    purpose: Option<String>,
}

/// What one account may do with one field.
#[derive(Clone, Default)]
struct Cell {
    select: &'static str,
    filter: &'static str,
    order: bool,
    cursor: bool,
    aggregate: bool,
}

struct Walk<'w> {
    gate: &'w Gate,
    catalog: &'w Catalog,
    city: &'w Plots,
    who: &'w Somebody,
    cells: BTreeMap<FieldId, Cell>,
    /// Type → how rows of it are asked for: what stands before and after their selection.
    ways: BTreeMap<TypeId, (String, String)>,
}

impl Walk<'_> {
    async fn ask(&self, query: &str) -> Got {
        let mut request = Request::post("/graphql")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.who.token))
            .header("x-case-number", "115-0001");
        if let Some(purpose) = &self.who.purpose {
            request = request.header("x-purpose", purpose);
        }
        let got = self.gate.send(request.body(json!({ "query": query }).to_string().into()).expect("a request")).await;
        let odd = got.codes().into_iter().find(|code| *code != "FORBIDDEN");
        assert!(odd.is_none(), "{}: {query}: {}", self.who.account, got.text);
        got
    }

    fn fields(&self, of: TypeId) -> Vec<&FieldDef> {
        self.catalog.type_def(of).fields.iter().map(|id| self.catalog.field(*id)).collect()
    }

    async fn all(&mut self) {
        self.roots().await;
        self.find_ways().await;
        for of in &self.catalog.types {
            self.select(of.id).await;
            let fields: Vec<FieldId> = of.fields.clone();
            for some in fields.chunks(AT_ONCE) {
                self.filter_and_order(of.id, some).await;
            }
        }
    }

    async fn roots(&mut self) {
        for root in self.catalog.fields.iter() {
            let mut cell = Cell::default();
            match root.kind {
                FieldKind::List(of) => {
                    let got = self.ask(&format!("{{ {}(first: 6) {{ __typename }} }}", root.name)).await;
                    cell.select = if got.denied().is_empty() { "full" } else { "-" };
                    let got = self.ask(&format!("{{ {} {{ totalCount }} }}", root.name)).await;
                    cell.aggregate = got.denied().is_empty();
                    if cell.select == "full" {
                        self.ways.insert(of, (format!("{{ {}(first: 6) {{ nodes ", root.name), " } }".to_owned()));
                    }
                }
                FieldKind::One(of) => {
                    let mut denied = Vec::new();
                    for key in &self.catalog.type_def(of).keys {
                        let key = self.catalog.field(*key);
                        let value = self.values(key).into_iter().next().expect("a row");
                        let query = format!("{{ {}({}: {}) {{ __typename }} }}", root.name, key.name, json!(value));
                        denied.extend(self.ask(&query).await.denied());
                    }
                    let own = denied.iter().any(|denied| *denied == format!("select {}", root.coordinate));
                    cell.select = if denied.is_empty() {
                        "full"
                    } else if own {
                        "-"
                    } else {
                        "no key"
                    };
                }
                FieldKind::Column(_) | FieldKind::Join(_) => continue,
            }
            self.cells.insert(root.id, cell);
        }
    }

    /// From the roots along every join that may be walked.
    async fn find_ways(&mut self) {
        let mut open: VecDeque<TypeId> = self.ways.keys().copied().collect();
        while let Some(of) = open.pop_front() {
            for field in self.fields(of).into_iter().map(|field| field.id).collect::<Vec<_>>() {
                let field = self.catalog.field(field);
                let FieldKind::Join(join) = &field.kind else { continue };
                if self.ways.contains_key(&join.target) {
                    continue;
                }
                let (before, after) = &self.ways[&of];
                let got = self.ask(&format!("{before} {{ {} {{ __typename }} }} {after}", field.name)).await;
                if got.denied().is_empty() {
                    let way = (format!("{before} {{ {} ", field.name), format!(" }} {after}"));
                    self.ways.insert(join.target, way);
                    open.push_back(join.target);
                }
            }
        }
    }

    /// Values of a column as the databases hold them.
    fn values(&self, field: &FieldDef) -> BTreeSet<String> {
        let FieldKind::Column(column) = &field.kind else { return BTreeSet::new() };
        let table = &self.city[&self.catalog.type_def(field.owner).table];
        let at = table.columns.iter().position(|known| known.name == column.name).expect("a column");
        table.rows.iter().filter_map(|row| row[at].clone()).collect()
    }

    async fn select(&mut self, of: TypeId) {
        let fields: Vec<&FieldDef> =
            self.catalog.type_def(of).fields.iter().map(|id| self.catalog.field(*id)).collect();
        let Some((before, after)) = self.ways.get(&of).cloned() else {
            self.cells.extend(fields.iter().map(|field| (field.id, Cell { select: "no way", ..Cell::default() })));
            return;
        };
        let asked: Vec<String> = fields
            .iter()
            .map(|field| match field.kind {
                FieldKind::Join(_) => format!("{} {{ __typename }}", field.name),
                _ => field.name.clone(),
            })
            .collect();
        let got = self.ask(&format!("{before} {{ {} }} {after}", asked.join(" "))).await;
        let denied: HashSet<String> = got.denied().into_iter().collect();
        let mut shown: HashMap<String, Vec<Value>> = HashMap::new();
        let first = fields[0].name.as_str();
        collect(&got.body["data"], first, &mut shown);
        for field in fields {
            let values = shown.remove(&field.name).unwrap_or_default();
            let select = if denied.contains(&format!("select {}", field.coordinate)) {
                assert!(values.iter().all(Value::is_null), "{} is denied and shown: {}", field.coordinate, got.text);
                "-"
            } else if field.mask.is_none() || matches!(field.kind, FieldKind::Join(_)) {
                "full"
            } else {
                let known = self.values(field);
                let text = |value: &Value| value.as_str().map_or(value.to_string().to_uppercase(), str::to_owned);
                assert!(!values.is_empty(), "no row of {} is seen: {}", field.coordinate, got.text);
                if values.iter().any(|value| known.contains(&text(value))) { "full" } else { "masked" }
            };
            self.cells.insert(field.id, Cell { select, ..Cell::default() });
        }
    }

    /// A place where rows of a type can be searched and sorted, granted or not.
    fn place(&self, of: TypeId) -> (String, &'static str, bool) {
        if let Some(list) = self.catalog.type_def(of).list {
            return (format!("{{ {}", self.catalog.field(list).name), "{ pageInfo { endCursor } } }", true);
        }
        let join = self.catalog.fields.iter().find_map(|field| match &field.kind {
            FieldKind::Join(join) if join.target == of && join.many => {
                Some((field, self.catalog.type_def(field.owner).list?))
            }
            _ => None,
        });
        let (join, list) = join.unwrap_or_else(|| panic!("nothing leads to {}", self.catalog.type_def(of).name));
        let list = &self.catalog.field(list).name;
        (format!("{{ {list}(first: 1) {{ nodes {{ {}", join.name), "{ __typename } } } }", false)
    }

    async fn filter_and_order(&mut self, of: TypeId, fields: &[FieldId]) {
        let (before, after, pages) = self.place(of);
        let fields: Vec<&FieldDef> = fields.iter().map(|id| self.catalog.field(*id)).collect();
        let is_column = |field: &&FieldDef| matches!(field.kind, FieldKind::Column(_));
        let arguments = |filter: &[&FieldDef], order: &[&FieldDef]| {
            let condition = |field: &&FieldDef| match &field.kind {
                FieldKind::Join(join) if join.many => format!("{{ {}: {{ _some: {{}} }} }}", field.name),
                FieldKind::Join(_) => format!("{{ {}: {{}} }}", field.name),
                _ => format!("{{ {}: {{ _isNull: false }} }}", field.name),
            };
            let conditions: Vec<String> = filter.iter().map(condition).collect();
            let words: Vec<String> = order.iter().map(|field| format!("{{ {}: ASC }}", field.name)).collect();
            format!("first: 1, where: {{ _or: [{}] }}, orderBy: [{}]", conditions.join(", "), words.join(", "))
        };
        let columns: Vec<&FieldDef> = fields.iter().copied().filter(is_column).collect();
        // Yes or no about one value of each.
        let one_value: Vec<String> = columns.iter().filter_map(|field| self.equals_one(field)).collect();
        let matched =
            self.ask(&format!("{before}(first: 1, where: {{ _or: [{}] }}) {after}", one_value.join(", "))).await;
        let matched = matched.denied();
        let denied = self.ask(&format!("{before}({}) {after}", arguments(&fields, &columns))).await.denied();
        let refused = |used: &str, field: &FieldDef| denied.contains(&format!("{used} {}", field.coordinate));
        let filter: Vec<&FieldDef> = fields.iter().copied().filter(|field| !refused("filter", field)).collect();
        let order: Vec<&FieldDef> = columns.into_iter().filter(|field| !refused("order", field)).collect();
        // What was not refused beside the rest is not refused alone, and a cursor of that order is taken back.
        let got = self.ask(&format!("{before}({}) {after}", arguments(&filter, &order))).await;
        let only_select = |got: &Got| got.denied().iter().all(|denied| denied.starts_with("select "));
        assert!(only_select(&got), "{}", got.text);
        let mut cursor = false;
        let none = arguments(&[], &order).replace("where: { _or: [] }, ", "");
        if pages && !order.is_empty() {
            let got = self.ask(&format!("{before}({none}) {after}")).await;
            let list = &self.catalog.field(self.catalog.type_def(of).list.expect("a list")).name;
            if let Some(end) = got.body["data"][list]["pageInfo"]["endCursor"].as_str() {
                cursor = self.ask(&format!("{before}({none}, after: \"{end}\") {after}")).await.denied().is_empty();
            }
        }
        for field in fields {
            let order = order.iter().any(|granted| granted.id == field.id);
            let is_matched = is_column(&field) && !matched.contains(&format!("filter {}", field.coordinate));
            let filter = match filter.iter().any(|granted| granted.id == field.id) {
                true => "filter",
                false if is_matched && self.equals_one(field).is_some() => "match",
                false => "-",
            };
            let cell = self.cells.get_mut(&field.id).expect("asked before");
            (cell.filter, cell.order, cell.cursor) = (filter, order, order && cursor);
        }
    }

    /// A condition on one value, where there is one.
    fn equals_one(&self, field: &FieldDef) -> Option<String> {
        let FieldKind::Column(column) = &field.kind else { return None };
        let value = self.values(field).into_iter().next()?;
        let value = match column.scalar {
            Scalar::Int => value,
            Scalar::Boolean => value.to_lowercase(),
            _ => json!(value).to_string(),
        };
        Some(format!("{{ {}: {{ _eq: {value} }} }}", field.name))
    }

    fn table(&self) -> String {
        let mut out = String::new();
        let yes = |granted: bool, word: &'static str| if granted { word } else { "-" };
        let line = |out: &mut String, field: &FieldDef| {
            let cell = &self.cells[&field.id];
            let class = format!("{:?}", field.class).to_lowercase();
            let words = [cell.filter, yes(cell.order, "order"), yes(cell.cursor, "cursor")];
            let words =
                if matches!(field.kind, FieldKind::List(_)) { [yes(cell.aggregate, "count"), "", ""] } else { words };
            let words = if matches!(field.kind, FieldKind::One(_)) { ["", "", ""] } else { words };
            let text = format!(
                "  {:<26} {class:<10} {:<8} {:<8} {:<7} {}",
                field.name, cell.select, words[0], words[1], words[2]
            );
            let _ = writeln!(out, "{}", text.trim_end());
        };
        let _ = writeln!(out, "Query");
        for root in
            self.catalog.fields.iter().filter(|field| matches!(field.kind, FieldKind::One(_) | FieldKind::List(_)))
        {
            line(&mut out, root);
        }
        for of in &self.catalog.types {
            let _ = writeln!(out, "\n{} ({})", of.name, self.catalog.dataset(of.dataset).code);
            for field in &of.fields {
                line(&mut out, self.catalog.field(*field));
            }
        }
        out
    }

    /// What was asked is what the form grants.
    fn compare(&self, rights: &Rights) {
        for field in &self.catalog.fields {
            let (cell, uses) = (&self.cells[&field.id], rights.uses(field.id));
            let select = match (uses.has(Use::Select), rights.masked(field.id)) {
                (false, _) => "-",
                (true, true) => "masked",
                (true, false) => "full",
            };
            let what = format!("{} as {}", field.coordinate, self.who.account);
            if !cell.select.starts_with("no ") {
                assert_eq!(cell.select, select, "{what}");
            }
            match field.kind {
                FieldKind::List(_) => assert_eq!(cell.aggregate, uses.has(Use::Aggregate), "{what}"),
                FieldKind::One(_) => {}
                FieldKind::Join(_) => assert_eq!(cell.filter == "filter", uses.has(Use::Filter), "{what}"),
                FieldKind::Column(_) => {
                    let filter = match (uses.has(Use::Filter), uses.has(Use::Match)) {
                        (true, _) => "filter",
                        (false, true) => "match",
                        (false, false) => "-",
                    };
                    assert_eq!((cell.filter, cell.order), (filter, uses.has(Use::Order)), "{what}");
                }
            }
        }
    }
}

/// Values under each key of the innermost objects: those that hold the type's first field.
fn collect(value: &Value, first: &str, shown: &mut HashMap<String, Vec<Value>>) {
    match value {
        Value::Array(all) => all.iter().for_each(|one| collect(one, first, shown)),
        Value::Object(map) if map.len() > 1 && map.keys().next().is_some_and(|key| key == first) => {
            map.iter().for_each(|(key, value)| shown.entry(key.clone()).or_default().push(value.clone()));
        }
        Value::Object(map) => map.values().for_each(|one| collect(one, first, shown)),
        _ => {}
    }
}

/// A machine's token.
async fn machine(gate: &Gate, id: &str, secret: &str) -> String {
    let body = format!("grant_type=client_credentials&client_id={id}&client_secret={}", secret.replace('@', "%40"));
    let request = Request::post("/oauth/token").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let got = gate.send(request.body(body.into()).expect("a request")).await;
    got.body["access_token"].as_str().unwrap_or_else(|| panic!("{}", got.text)).to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_do_what_with_which_field() {
    let mut gate = Gate::open(Setup::default(), &[]).await;
    let catalog = gate.catalog.clone();
    let city = plots::plots(&catalog);
    plots::load(&city, &catalog.connections(&gate.app.config.datasets)).await;
    let accounts = walk::walk(&gate.app).await.expect("seeds");
    let forms = cast::forms(&catalog, gate.app.clock.today()).expect("sound forms");
    let mut people = Vec::new();
    for entry in accounts.as_array().expect("a list") {
        let purpose = entry["purposes"][0].as_str().map(str::to_owned);
        let (account, token) = match entry["account"].as_str() {
            Some(account) => {
                gate.sign_in(account, entry["password"].as_str().expect("a password")).await;
                (account, gate.token(account).to_owned())
            }
            None => {
                let (id, secret) =
                    (entry["clientId"].as_str().expect("an id"), entry["clientSecret"].as_str().expect("a secret"));
                (id, machine(&gate, id, secret).await)
            }
        };
        people.push((
            Somebody { account: account.to_owned(), token, purpose },
            entry["form"].as_str().map(str::to_owned),
        ));
    }
    let walks = people.iter().filter(|(_, form)| form.is_some()).map(|(who, _)| who).chain(
        // One of those who hold nothing stands for all; the others are asked one question.
        people.iter().filter(|(who, _)| who.account == "newcomer").map(|(who, _)| who),
    );
    let walks = walks.map(|who| {
        let (gate, catalog, city) = (&gate, &*catalog, &city);
        async move {
            let mut walk = Walk { gate, catalog, city, who, cells: BTreeMap::new(), ways: BTreeMap::new() };
            walk.all().await;
            walk
        }
    });
    let walks = futures::future::join_all(walks).await;

    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/roles");
    let mut wrong = String::new();
    let mut files: BTreeSet<String> = BTreeSet::new();
    for walk in &walks {
        let account = &walk.who.account;
        let form = forms.iter().find(|form| form.holders.contains(account));
        let rights = form.map_or(Rights::none(&catalog), |form| Rights::compile(&catalog, &form.items).0);
        walk.compare(&rights);
        assert_eq!(walk.cells.len(), catalog.fields.len(), "every field was asked");
        let number = form.map_or("no form".to_owned(), |form| form.number.clone());
        let (before, after) = (
            "# field, class, shown, searched (`match`: yes or no about one value), sorted, paged on;",
            "`no way`: no row can be reached; `no key`: not searched by its key",
        );
        let head = format!("# {account}, {number}\n{before}\n# {after}\n\n");
        let said = head + &walk.table();
        files.insert(format!("{account}.txt"));
        let file = folder.join(format!("{account}.txt"));
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            std::fs::create_dir_all(&folder).expect("a folder");
            std::fs::write(&file, &said).expect("written");
        }
        let expected = std::fs::read_to_string(&file).unwrap_or_default();
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let (said, expected) = (lines(&said), lines(&expected));
        for line in said.iter().filter(|line| !expected.contains(line)) {
            let _ = writeln!(wrong, "{account}: + {line}");
        }
        if said != expected {
            let _ = writeln!(wrong, "{account}: tests/roles/{account}.txt is not what is true");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    let there = std::fs::read_dir(&folder).expect("the folder").map(|entry| entry.expect("an entry").file_name());
    let there: BTreeSet<String> = there.map(|name| name.to_string_lossy().into_owned()).collect();
    assert_eq!(there, files, "one file for each account that holds a form, and the newcomer's");

    let nobody = walks.iter().find(|walk| walk.who.account == "newcomer").expect("the newcomer");
    assert!(
        nobody.ways.is_empty()
            && nobody
                .cells
                .values()
                .all(|cell| !matches!(cell.filter, "filter" | "match") && !cell.order && !cell.aggregate)
    );
    for (who, _) in people.iter().filter(|(_, form)| form.is_none()) {
        let walk =
            Walk { gate: &gate, catalog: &catalog, city: &city, who, cells: BTreeMap::new(), ways: BTreeMap::new() };
        let got =
            walk.ask("{ usePermits { nodes { permitNo } } persons { totalCount } districts { __typename } }").await;
        assert_eq!(
            got.body["data"],
            json!({ "usePermits": null, "persons": null, "districts": null }),
            "{}",
            who.account
        );
    }
}
