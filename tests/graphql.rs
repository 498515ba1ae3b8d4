//! The GraphQL face without a database: what is refused and how it is said, what introspection answers,
//! and that the committed schema is the generated one. A folder of `tests/graphql` is a case: operation,
//! variables if any, and what is said in both languages (`UPDATE_EXPECTED=1` writes that, then read it).

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use async_graphql::Data;
use cityquery::access::Language;
use cityquery::access::refusal::{Code, Refusal};
use cityquery::catalog;
use cityquery::config::{Config, Limits};
use cityquery::graphql::Face;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

static FACE: LazyLock<Face> = LazyLock::new(|| Face::new(Arc::new(catalog::load_builtin().expect("sound"))));
static LIMITS: LazyLock<Limits> = LazyLock::new(|| Config::load(None).expect("the defaults load").limits);

const AT_RISK: &str = include_str!("graphql/building_at_risk.graphql");

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Validates, coerces, and says what is wrong, both languages; nothing when all is well.
fn said(face: &Face, text: &str, variables: &Map<String, Value>) -> String {
    let checked = face.validate(text, None, &LIMITS).and_then(|validated| face.variables(&validated, variables));
    let refusals = checked.err().unwrap_or_default();
    refusals.iter().fold(String::new(), |mut out, refusal| {
        let at = refusal.position.map_or("-".to_owned(), |at| format!("{}:{}", at.line, at.column));
        let _ = writeln!(out, "{at} {}\n    {}\n    {}", refusal.code.word(), refusal.en, refusal.zh);
        out
    })
}

fn codes(result: Result<impl Sized, Vec<Refusal>>) -> Vec<Code> {
    result.err().unwrap_or_default().iter().map(|refusal| refusal.code).collect()
}

#[test]
fn what_does_not_fit_is_refused_with_its_place() {
    let mut wrong = String::new();
    let entries = std::fs::read_dir(root().join("tests/graphql")).expect("the cases are there");
    let mut cases: Vec<_> = entries.map(|entry| entry.expect("readable").path()).filter(|path| path.is_dir()).collect();
    cases.sort();
    assert!(cases.len() >= 8, "the cases are missing");
    for case in cases {
        let text = std::fs::read_to_string(case.join("operation.graphql")).expect("operation.graphql");
        let variables = std::fs::read_to_string(case.join("variables.json")).unwrap_or_else(|_| "{}".to_owned());
        let said = said(&FACE, &text, &serde_json::from_str(&variables).expect("an object"));
        let expected_file = case.join("expected.txt");
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            std::fs::write(&expected_file, &said).expect("written");
        }
        let expected = std::fs::read_to_string(&expected_file).unwrap_or_default();
        if said != expected || said.is_empty() {
            wrong += &format!("== {}\n-- expected\n{expected}-- said\n{said}\n", case.display());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_query_everything_is_judged_by_is_valid() {
    let variables = Map::from_iter([("no".to_owned(), json!("115使字第1號"))]);
    let validated = FACE.validate(AT_RISK, Some("BuildingAtRisk"), &LIMITS).expect("valid");
    assert!(validated.has_data && !validated.has_introspection);
    let variables = FACE.variables(&validated, &variables).expect("a permit number");
    assert_eq!(variables["no"], async_graphql::Value::from("115使字第0001號"), "in canonical form");
}

#[test]
fn the_playgrounds_operations_are_valid() {
    let mut wrong = String::new();
    for entry in std::fs::read_dir(root().join("playground/operations")).expect("operations") {
        let file = entry.expect("readable").path();
        if file.extension().is_some_and(|extension| extension == "graphql") {
            let text = std::fs::read_to_string(&file).expect("readable");
            let document = async_graphql::parser::parse_query(&text).expect("GraphQL");
            for (name, _) in document.operations.iter() {
                let name = name.map(|name| name.as_str());
                for refusal in FACE.validate(&text, name, &LIMITS).err().unwrap_or_default() {
                    let _ = writeln!(wrong, "{}:{:?} {}", file.display(), refusal.position, refusal.en);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_committed_schema_is_the_generated_one() {
    let committed = std::fs::read_to_string(root().join("schema.graphql")).expect("schema.graphql");
    assert!(committed == FACE.sdl(), "schema.graphql is stale: run `cityquery schema`");
}

#[test]
fn a_sixth_dataset_comes_by_one_file() {
    let file = ("sound.graphql".to_owned(), include_str!("catalog/sound.graphql").to_owned());
    let face = Face::new(Arc::new(catalog::load_with(&[file]).expect("sound")));
    let sdl = face.sdl();
    for expected in ["type School {", "type SchoolConnection {", "input PupilFilter {", "schools(", "pupil("] {
        assert!(sdl.contains(expected), "no {expected}");
    }
    let text = "{ schools(where: {pupils: {_some: {name: {_like: \"王%\"}}}}, orderBy: [{name: ASC}], first: 3) {
        nodes { name pupils(first: 1) { name school { name } clubs { clubNo fee } } } totalCount }
        pupil(nationalId: \"A123456789\") { id } }";
    assert_eq!(said(&face, text, &Map::new()), "");
    assert_ne!(said(&FACE, text, &Map::new()), "", "the built-in schema knows no schools");
}

#[test]
fn literals_are_kept_in_canonical_form() {
    let text = "{ persons(where: {birthDate: {_lt: \"民國75年3月2日\"}, household: {districtCode: {_eq: \"63000030\"}}}) { totalCount } }";
    let validated = FACE.validate(text, None, &LIMITS).expect("valid");
    assert!(format!("{:?}", validated.document).contains("1986-03-02"));
}

#[test]
fn introspection_is_answered_also_beside_data() {
    let introspection = include_str!("graphql/introspection.graphql");
    let validated = FACE.validate(introspection, None, &LIMITS).expect("valid");
    assert!(validated.has_introspection && !validated.has_data);
    let answer =
        futures::executor::block_on(FACE.others(&validated, &Default::default(), Data::default())).expect("answered");
    let types = answer["__schema"]["types"].as_array().expect("types");
    assert!(types.iter().any(|of| of["name"] == "UsePermit" && of["description"].as_str().is_some()));

    let text = "query ($deep: Boolean!, $name: String!) { parcels(first: 1) { nodes { ...P } } ...R me: __typename }
        fragment P on Parcel { __typename parcelNo }
        fragment R on Query { t: __type(name: $name) { name kind fields @include(if: $deep) { name } } zones { totalCount } }";
    let validated = FACE.validate(text, None, &LIMITS).expect("valid");
    assert!(validated.has_introspection && validated.has_data);
    let given = Map::from_iter([("deep".to_owned(), json!(false)), ("name".to_owned(), json!("Zone"))]);
    let variables = FACE.variables(&validated, &given).expect("fit");
    let answer = futures::executor::block_on(FACE.others(&validated, &variables, Data::default())).expect("answered");
    assert_eq!(Value::Object(answer), json!({ "t": { "name": "Zone", "kind": "OBJECT" }, "me": "Query" }));
}

#[test]
fn large_documents_are_refused_at_once() {
    let lists = format!("{{ persons(where: {}1{}) {{ totalCount }} }}", "[".repeat(20_000), "]".repeat(20_000));
    let deep = format!("{}{}", "{ a ".repeat(15_000), "}".repeat(15_000));
    let long = format!("{{ {} }}", "a ".repeat(100_000));
    let wide = format!("{{ persons {{ nodes {{ {} }} }} }}", "name ".repeat(1_000));
    let named: String = (0..40).map(|i| format!("a{i}: name ")).collect();
    let aliases = format!("{{ persons {{ nodes {{ {named} }} }} }}");
    let bomb: String = (0..30).map(|i| format!("fragment f{i} on Person {{ ...f{0} ...f{0} }} ", i + 1)).collect();
    let bomb = format!("{{ persons {{ nodes {{ ...f0 }} }} }} {bomb} fragment f30 on Person {{ name }}");
    let chain: String = (0..1500).map(|i| format!("fragment f{i} on Person {{ ...f{} }} ", i + 1)).collect();
    let chain = format!("{{ persons {{ nodes {{ ...f0 }} }} }} {chain} fragment f1500 on Person {{ name }}");
    let nested = "members { household { ".repeat(8);
    let nested = format!("{{ persons {{ nodes {{ household {{ {nested} householdNo {} }} }} }} }}", "}".repeat(16));
    let schema = "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }".to_owned();
    // Lists of two steps are allowed; not thirty of them beside one another.
    let step = "inputFields { description type { inputFields { description type { ofType { description } } } } }";
    let beside: String = (0..28).map(|i| format!("a{i}: __schema {{ types {{ {step} }} }} ")).collect();
    let inside: String = (0..28).map(|i| format!("a{i}: {step} ")).collect();
    let (beside, inside) = (format!("{{ {beside} }}"), format!("{{ __schema {{ types {{ {inside} }} }} }}"));
    for text in [lists, deep, long, wide, aliases, bomb, chain, nested, schema, beside, inside] {
        // The best of three: the machine may be busy with other tests, and the first one builds the schema.
        let took = (0..3).map(|_| {
            let start = Instant::now();
            let codes = codes(FACE.validate(&text, None, &LIMITS));
            assert_eq!(codes, [Code::QueryTooCostly], "{}", &text[..80]);
            start.elapsed()
        });
        let took = took.min().expect("three times");
        assert!(took < Duration::from_millis(100), "{took:?} for {}", &text[..80]);
    }
}

#[test]
fn circles_of_fragments_are_refused() {
    let text = "{ persons { nodes { ...a } } } fragment a on Person { household { ...b } } fragment b on Household { members { ...a } }";
    assert_eq!(codes(FACE.validate(text, None, &LIMITS)), [Code::ValidationFailed]);
    let unused = "{ parcels { totalCount } } fragment a on Parcel { ...a }";
    assert_eq!(codes(FACE.validate(unused, None, &LIMITS)), [Code::ValidationFailed]);
}

#[test]
fn refusals_are_written_in_the_language_asked_for() {
    let refusals = FACE.validate("{ persons { nodes { nam } } }", None, &LIMITS).expect_err("no such field");
    let english = refusals[0].to_json(Language::En);
    assert_eq!(english["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(english["locations"], json!([{ "line": 1, "column": 21 }]));
    assert!(english["message"].as_str().is_some_and(|text| text.contains("Did you mean \"name\"")));
    let chinese = refusals[0].to_json(Language::ZhHant);
    assert!(chinese["message"].as_str().is_some_and(|text| text.starts_with("型別「Person」沒有欄位「nam」")));
}

proptest! {
    /// Broken documents get an answer; nothing panics.
    #[test]
    fn broken_documents_are_refused_in_peace(
        cuts in proptest::collection::vec((0..AT_RISK.len(), 0..12_usize, "[\\[\\]{}()!$:@\"#.a1 ]{0,3}"), 1..6)
    ) {
        let mut text: Vec<char> = AT_RISK.chars().collect();
        for (at, length, insert) in cuts {
            let at = at.min(text.len());
            let end = (at + length).min(text.len());
            text.splice(at..end, insert.chars());
        }
        let text: String = text.into_iter().collect();
        if let Ok(validated) = FACE.validate(&text, None, &LIMITS) {
            let _ = FACE.variables(&validated, &Map::new());
        }
    }

    /// No text at all makes the scan of brackets lose its way.
    #[test]
    fn any_text_is_answered(text in "[{}()\\[\\]\"\\\\#\\n a…地]{0,60}") {
        let _ = FACE.validate(&text, None, &LIMITS);
    }
}
