//! The demo's forms: sound against the declarations, and fit for the ready-made operations of the playground.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::support::TestApp;
use async_graphql_parser::parse_query;
use async_graphql_value::Variables;
use cityquery::access::{Rights, Use, Uses};
use cityquery::catalog::{Class, FieldKind, load_builtin};
use cityquery::cli::demo::{cast, walk};
use cityquery::config::Config;
use cityquery::query::cost::Bounds;
use cityquery::query::{resolve, uses};
use serde_json::{Map, Value};
use time::macros::date;

/// One of the playground's documents with what its head says.
pub(crate) struct Ready {
    pub(crate) file: String,
    pub(crate) account: String,
    pub(crate) purpose: String,
    pub(crate) case: String,
    /// Which variables earlier answers give: `number from 02 /data/draftApplication/number, …`.
    pub(crate) takes: String,
    pub(crate) document: String,
    pub(crate) variables: Map<String, Value>,
}

/// The documents of a folder in their order; those of folders in it are another group.
pub(crate) fn ready_made(folder: &str) -> Vec<Ready> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "graphql"));
    files.sort();
    let read = |path: PathBuf| {
        let document = std::fs::read_to_string(&path).expect("a file");
        let head: Vec<&str> = document.lines().filter_map(|line| line.strip_prefix("# ")).collect();
        let says = |word: &str| {
            let prefix = format!("{word}: ");
            head.iter().find_map(|line| line.strip_prefix(&prefix)).map(str::to_owned)
        };
        let variables = head.iter().position(|line| line.starts_with("variables: ")).map(|at| {
            let text = head[at..].join("\n");
            let text = text.trim_start_matches("variables: ").to_owned();
            let mut values = serde_json::Deserializer::from_str(&text).into_iter::<Map<String, Value>>();
            values.next().expect("variables").expect("JSON")
        });
        Ready {
            file: path.file_name().expect("a name").to_string_lossy().into_owned(),
            account: says("account").expect("an account"),
            purpose: says("purpose").unwrap_or_default(),
            case: says("case").unwrap_or_default(),
            takes: says("takes").unwrap_or_default(),
            variables: variables.unwrap_or_default(),
            document,
        }
    };
    files.into_iter().map(read).collect()
}

#[test]
fn each_ready_made_operation_is_granted_to_its_account() {
    let catalog = load_builtin().expect("sound declarations");
    let bounds = Bounds::new(&Config::load(None).expect("settings").limits);
    let forms = cast::forms(&catalog, date!(2026 - 06 - 01)).unwrap_or_else(|error| panic!("{error}"));
    let mut missing = BTreeSet::new();
    for ready in ready_made("playground/operations") {
        let held = forms.iter().find(|form| form.holders.contains(&ready.account));
        let form = held.unwrap_or_else(|| panic!("{}: {} holds no form", ready.file, ready.account));
        let purposes = form.purposes.iter().map(|(code, _)| code.as_str());
        assert!(purposes.into_iter().any(|code| code == ready.purpose), "{}: {}", ready.file, ready.purpose);
        let (rights, _) = Rights::compile(&catalog, &form.items);
        let document = parse_query(&ready.document).unwrap_or_else(|error| panic!("{}: {error}", ready.file));
        for (_, operation) in document.operations.iter() {
            let (node, fragments) = (&operation.node, &document.fragments);
            let variables = Variables::from_json(Value::Object(ready.variables.clone()));
            let operation = resolve::resolve(&catalog, node, fragments, &variables, &bounds)
                .unwrap_or_else(|refusal| panic!("{}: {}", ready.file, refusal.en));
            for used in uses::list(&operation).iter().filter(|used| used.decide(&rights).is_none()) {
                let coordinate = &catalog.field(used.field).coordinate;
                missing.insert(format!("{}: {} needs {} of {coordinate}", ready.file, ready.account, used.used.word()));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

/// Who must not hold what, whatever is added to the forms.
#[test]
fn the_narrow_accounts_stay_narrow() {
    let catalog = load_builtin().expect("sound declarations");
    let forms = cast::forms(&catalog, date!(2026 - 06 - 01)).unwrap_or_else(|error| panic!("{error}"));
    let rights_of = |account: &str| {
        let form = forms.iter().find(|form| form.holders.iter().any(|holder| holder == account))?;
        Some(Rights::compile(&catalog, &form.items).0)
    };
    for nobody in ["newcomer", "it.admin", "fire.admin", "ethics.officer", "commission.officer", "agency.head"] {
        assert!(rights_of(nobody).is_none(), "{nobody}");
    }
    let analyst = rights_of("city.analyst").expect("holds a form");
    let partner = rights_of("partner-maintenance").expect("holds a form");
    let officer = rights_of("fire.officer").expect("holds a form");
    for field in &catalog.fields {
        assert!(!analyst.uses(field.id).has(Use::Select), "city.analyst sees {}", field.coordinate);
        assert!(!analyst.uses(field.id).has(Use::Order), "city.analyst sorts by {}", field.coordinate);
        let of_fire = match &field.kind {
            FieldKind::Column(_) => catalog.dataset(field.dataset).code == "fire",
            FieldKind::Join(join) => catalog.dataset(catalog.type_def(join.target).dataset).code == "fire",
            FieldKind::One(_) | FieldKind::List(_) => true,
        };
        if partner.uses(field.id) != Uses::NONE {
            let fine = field.class == Class::Open || field.class == Class::Internal && of_fire;
            assert!(
                fine || field.coordinate.starts_with("FirePremises."),
                "partner-maintenance holds {}",
                field.coordinate
            );
            assert!(field.class < Class::Personal, "partner-maintenance holds {}", field.coordinate);
        }
        if field.class == Class::Sensitive {
            for account in ["fire.officer", "renewal.planner", "partner-maintenance", "city.analyst", "household.dba"] {
                let held = rights_of(account).is_some_and(|rights| rights.uses(field.id) != Uses::NONE);
                assert!(!held, "{account} holds {}", field.coordinate);
            }
        }
    }
    for coordinate in ["Person.nationalId", "Person.birthDate"] {
        assert!(officer.masked(catalog.fields_by_coordinate[coordinate]), "fire.officer sees {coordinate} in full");
    }
}

#[tokio::test]
async fn seeding_twice_changes_nothing() {
    let test = TestApp::on_sqlite_without_people().await;
    let first = walk::walk(&test.app).await.expect("seeds");
    let epoch = test.app.accounts.rights().current().epoch;
    let second = walk::walk(&test.app).await.expect("seeds again");
    assert_eq!(first, second);
    assert_eq!(epoch, test.app.accounts.rights().current().epoch, "nothing was changed");

    let officer = first.as_array().expect("a list").iter().find(|entry| entry["account"] == "fire.officer");
    let officer = officer.expect("the officer is there");
    assert_eq!(officer["form"], "FIRE-2026-001");
    let body = serde_json::json!({ "account": officer["account"], "password": officer["password"] });
    let session = test.post("/auth/sign-in", body.clone()).await;
    assert_eq!(session.body["token_type"], "Bearer", "{session:?}");

    // Started again half a year later it still lets people in.
    test.clock.advance(time::Duration::days(180));
    walk::walk(&test.app).await.expect("seeds once more");
    assert_eq!(test.post("/auth/sign-in", body).await.body["token_type"], "Bearer");
}
