//! Parses the declaration files and reads whose dataset each is. What the types mean is left to `read`.

use std::sync::Arc;

use async_graphql_parser::types::{ConstDirective, SchemaDefinition, TypeDefinition, TypeSystemDefinition};
use async_graphql_parser::{Error, Pos, Positioned, parse_schema};

use super::directive::{self, Arguments};
use super::fault::{Faults, Place};
use super::model::{Dataset, DatasetId};
use super::words::{hint, is_code};

/// One declaration file.
pub(super) struct Source {
    pub(super) file: Arc<str>,
    /// The dataset that the file declares, or what could be read of it.
    pub(super) dataset: Dataset,
    /// Where `@dataset` stands.
    pub(super) place: Place,
    /// The types and extensions, in file order.
    pub(super) types: Vec<Positioned<TypeDefinition>>,
}

/// The sources that could be parsed, and whether these were all: names that are missing because their
/// file is broken are no faults of their own.
pub(super) fn parse(files: &[(String, String)], faults: &mut Faults) -> (Vec<Source>, bool) {
    let mut sources = Vec::new();
    let mut complete = true;
    for (number, (name, text)) in files.iter().enumerate() {
        let file: Arc<str> = Arc::from(name.as_str());
        match parse_schema(text) {
            Ok(document) => sources.push(sort(file, number, document.definitions, faults)),
            Err(error) => {
                complete = false;
                let (pos, reason) = syntax(&error);
                faults.add(&Place::new(&file, pos), format!("Syntax: {reason}."), format!("語法錯誤：{reason}。"));
            }
        }
    }
    check_codes(&sources, complete, faults);
    (sources, complete)
}

/// The parser draws a picture over several lines; its last one says what is wrong.
fn syntax(error: &Error) -> (Pos, String) {
    let pos = error.positions().next().unwrap_or(Pos { line: 1, column: 1 });
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default().trim();
    (pos, last.trim_start_matches("= ").to_owned())
}

fn sort(file: Arc<str>, number: usize, definitions: Vec<TypeSystemDefinition>, faults: &mut Faults) -> Source {
    let mut headers = Vec::new();
    let mut types = Vec::new();
    for definition in definitions {
        match definition {
            TypeSystemDefinition::Schema(schema) => headers.push(schema),
            TypeSystemDefinition::Type(definition) => types.push(definition),
            TypeSystemDefinition::Directive(directive) => faults.add(
                &Place::new(&file, directive.pos),
                "Directives cannot be declared here; the declaration language has its own.",
                "此處不可宣告指令，宣告語言自有其指令。",
            ),
        }
    }
    let (dataset, place) = read_header(&file, number, &headers, faults);
    Source { file, dataset, place, types }
}

fn read_header(
    file: &Arc<str>,
    number: usize,
    headers: &[Positioned<SchemaDefinition>],
    faults: &mut Faults,
) -> (Dataset, Place) {
    let top = headers.first().map_or(Pos { line: 1, column: 1 }, |header| header.pos);
    let mut dataset = Dataset {
        id: DatasetId(u16::try_from(number).unwrap_or(u16::MAX)),
        code: String::new(),
        title: String::new(),
        custodian: String::new(),
        custodian_title: String::new(),
        lives_with: None,
    };
    for header in headers {
        let schema = &header.node;
        if !schema.extend || schema.query.is_some() || schema.mutation.is_some() || schema.subscription.is_some() {
            faults.add(
                &Place::new(file, header.pos),
                "Root types are generated; write \"extend schema @dataset(…)\" only.",
                "根型別由系統產生，此處只寫 extend schema @dataset(…)。",
            );
        }
    }
    let directives: Vec<Positioned<ConstDirective>> =
        headers.iter().flat_map(|header| header.node.directives.iter().cloned()).collect();
    let found = directive::find(file, &directives, &["dataset"], faults);
    let Some(arguments) = found.first() else {
        let place = Place::new(file, top);
        faults.add(
            &place,
            "The file does not say whose dataset it is: extend schema @dataset(code, title, custodian, custodianTitle).",
            "檔案未宣告所屬資料庫：extend schema @dataset(code, title, custodian, custodianTitle)。",
        );
        return (dataset, place);
    };
    fill(&mut dataset, arguments, faults);
    (dataset, arguments.place.clone())
}

fn fill(dataset: &mut Dataset, arguments: &Arguments<'_>, faults: &mut Faults) {
    if let Some(code) = arguments.required_text("code", faults) {
        if !is_code(&code.value) {
            let value = &code.value;
            faults.add(
                &code.place,
                format!("\"{value}\" is no dataset code: small letters, digits and _."),
                format!("「{value}」不是資料庫代碼：限小寫英文字母、數字與底線。"),
            );
        }
        dataset.code = code.value;
    }
    let mut text = |name: &str| arguments.required_text(name, faults).map(|text| text.value).unwrap_or_default();
    dataset.title = text("title");
    dataset.custodian = text("custodian");
    dataset.custodian_title = text("custodianTitle");
    dataset.lives_with = arguments.text("livesWith", faults).map(|text| text.value);
}

fn check_codes(sources: &[Source], complete: bool, faults: &mut Faults) {
    for (i, source) in sources.iter().enumerate() {
        let code = &source.dataset.code;
        if let Some(first) = sources[..i].iter().find(|earlier| earlier.dataset.code == *code && !code.is_empty()) {
            let file = &first.file;
            faults.add(
                &source.place,
                format!("The dataset \"{code}\" is already declared in {file}."),
                format!("資料庫「{code}」已於 {file} 宣告。"),
            );
        }
        let Some(host) = &source.dataset.lives_with else { continue };
        let others = || sources.iter().filter(|other| other.dataset.code != *code);
        if complete && !others().any(|other| other.dataset.code == *host) {
            let (en, zh) = hint(host, others().map(|other| other.dataset.code.as_str()));
            faults.add(
                &source.place,
                format!("livesWith names the dataset \"{host}\", which is not declared.{en}"),
                format!("livesWith 所指資料庫「{host}」未經宣告。{zh}"),
            );
        }
    }
}
