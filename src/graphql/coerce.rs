//! Checks values against the schema's input types and puts them into canonical form: a date however it is
//! written becomes `2015-04-22`. For literals and variables alike; the library checks neither fully (it
//! takes any value for an input object, and nothing of an argument that holds an absent variable).

use std::fmt::Write;

use async_graphql::parser::types::{BaseType, Type};
use async_graphql_value::{Name, Number, Value};

use super::shape::{InputField, InputKind, Shape};
use crate::catalog::hint;
use crate::catalog::scalar::Scalar;

/// Where a value was written: enums are words in a document and texts in JSON.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Document,
    Json,
}

/// What is wrong with one value.
#[derive(Debug)]
pub(super) struct Wrong {
    /// `where.birthDate._lt`
    pub(super) path: String,
    /// Said after the path.
    pub(super) en: String,
    /// Said after the path.
    pub(super) zh: String,
    /// The value has the right shape but is no such date, number, …
    pub(super) scalar: bool,
}

impl Wrong {
    /// The same as a sentence, in both languages.
    pub(super) fn sentences(&self) -> (String, String) {
        let Wrong { path, en, zh, .. } = self;
        let en_end = if en.ends_with(['.', '?']) { "" } else { "." };
        let zh_end = if zh.ends_with(['。', '？']) { "" } else { "。" };
        (format!("{path}: {en}{en_end}"), format!("{path}：{zh}{zh_end}"))
    }
}

/// Faults of one value that are told.
const FAULTS: usize = 50;

/// Checks values and collects what is wrong with them.
pub(super) struct Coercion<'a> {
    shape: &'a Shape,
    origin: Origin,
    path: String,
    pub(super) wrong: Vec<Wrong>,
    /// Variables met, with the type of the place where each stands.
    pub(super) used: Vec<(Name, Type)>,
}

impl<'a> Coercion<'a> {
    /// Starts at an argument or variable.
    pub(super) fn new(shape: &'a Shape, origin: Origin, at: &str) -> Coercion<'a> {
        Coercion { shape, origin, path: at.to_owned(), wrong: Vec::new(), used: Vec::new() }
    }

    /// Looking for what was meant takes its time for each unknown name, and nobody reads more.
    fn is_enough(&self) -> bool {
        self.wrong.len() >= FAULTS
    }

    fn add(&mut self, en: String, zh: String, scalar: bool) {
        self.wrong.push(Wrong { path: self.path.clone(), en, zh, scalar });
    }

    fn within(&mut self, step: std::fmt::Arguments<'_>, inner: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        let written = self.path.write_fmt(step);
        debug_assert!(written.is_ok(), "writing to a String does not fail");
        inner(self);
        self.path.truncate(length);
    }

    /// Checks a value and replaces it by its canonical form. Variables in it are only noted.
    pub(super) fn value(&mut self, ty: &Type, value: &mut Value) {
        if self.is_enough() {
            return;
        }
        match value {
            Value::Variable(name) => return self.used.push((name.clone(), ty.clone())),
            Value::Null if ty.nullable => return,
            Value::Null => {
                let (en, zh) = (format!("expected {ty}, not null"), format!("應為 {ty}，不可為 null"));
                return self.add(en, zh, false);
            }
            _ => {}
        }
        match &ty.base {
            BaseType::List(item) => {
                if !matches!(value, Value::List(_)) {
                    // One value stands for a list of one, says the specification.
                    let one = std::mem::take(value);
                    *value = Value::List(vec![one]);
                }
                let Value::List(values) = value else { return };
                for (i, value) in values.iter_mut().enumerate() {
                    self.within(format_args!("[{i}]"), |inner| inner.value(item, value));
                }
            }
            BaseType::Named(name) => self.named(name.as_str(), value),
        }
    }

    fn named(&mut self, name: &str, value: &mut Value) {
        let shape = self.shape;
        match shape.input(name).map(|input| &input.kind) {
            Some(InputKind::Scalar(of)) => {
                if let Err((en, zh)) = scalar(*of, value) {
                    self.add(format!("expected {en}"), format!("應為{zh}"), true);
                }
            }
            Some(InputKind::Enum(words)) => self.word(name, words, value),
            Some(InputKind::Object(fields)) => self.object(name, fields, value),
            // An unknown type is the validation's to report.
            Some(InputKind::Any) | None => {}
        }
    }

    fn word(&mut self, name: &str, words: &[(String, String)], value: &mut Value) {
        let given = match (&*value, self.origin) {
            (Value::Enum(word), _) => Some(word.to_string()),
            (Value::String(word), Origin::Json) => Some(word.clone()),
            _ => None,
        };
        match given {
            Some(given) if words.iter().any(|(word, _)| *word == given) => *value = Value::Enum(Name::new(given)),
            _ => {
                let list = words.iter().map(|(word, _)| word.as_str()).collect::<Vec<_>>().join(", ");
                self.add(format!("expected {name}: one of {list}"), format!("應為 {name}，下列之一：{list}"), false);
            }
        }
    }

    fn object(&mut self, name: &str, fields: &[InputField], value: &mut Value) {
        let Value::Object(given) = value else {
            return self.add(format!("expected an object of type {name}"), format!("應為 {name} 物件"), false);
        };
        for (key, value) in given.iter_mut() {
            match fields.iter().find(|field| field.name == key.as_str()) {
                Some(field) => self.within(format_args!(".{key}"), |inner| inner.value(&field.ty, value)),
                None if self.is_enough() => return,
                None => {
                    let (en, zh) = hint(key.as_str(), fields.iter().map(|field| field.name.as_str()));
                    self.add(
                        format!("unknown field \"{key}\" of {name}.{en}"),
                        format!("{name} 沒有欄位「{key}」。{zh}"),
                        false,
                    );
                }
            }
        }
        for field in fields.iter().filter(|field| !field.ty.nullable) {
            if !given.contains_key(field.name.as_str()) {
                let (field, ty) = (&field.name, &field.ty);
                self.add(
                    format!("the field \"{field}\" of type {ty} is required"),
                    format!("缺少必要欄位「{field}」（{ty}）"),
                    false,
                );
            }
        }
    }
}

/// Checks one leaf and puts it into canonical form; otherwise says what was expected, in both languages.
pub(super) fn scalar(of: Scalar, value: &mut Value) -> Result<(), (String, String)> {
    if let Value::String(text) = &*value
        && text.contains('\0')
    {
        // PostgreSQL keeps no such text, so nothing equals it.
        return Err(("text without the character U+0000".to_owned(), "不含 U+0000 字元之文字".to_owned()));
    }
    let canonical = match (of, &*value) {
        (Scalar::Int, Value::Number(number)) if number.as_i64().is_some_and(|n| i32::try_from(n).is_ok()) => {
            return Ok(());
        }
        (Scalar::Boolean, Value::Boolean(_)) | (Scalar::String, Value::String(_)) => return Ok(()),
        (Scalar::Id | Scalar::Decimal, Value::Number(number)) => canonical(of, &number_text(number)),
        (Scalar::Int | Scalar::Boolean | Scalar::String, _) => Err(expected(of)),
        (_, Value::String(text)) => canonical(of, text),
        _ => Err(expected(of)),
    };
    canonical.map(|text| *value = Value::String(text))
}

/// What a scalar says of a value that is not even a text.
fn expected(of: Scalar) -> (String, String) {
    // A lone control character is none of the writings that a scalar reads, but for a text.
    canonical(of, "\u{1}").err().unwrap_or_else(|| ("a text".to_owned(), "文字".to_owned()))
}

/// Numbers above 2^53 lose digits in JSON anyway; what is left is written without an exponent.
fn number_text(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() => format!("{float}"),
        _ => number.to_string(),
    }
}

fn canonical(of: Scalar, text: &str) -> Result<String, (String, String)> {
    of.parse_text(text).map_err(|expected| (expected.en.to_owned(), expected.zh.to_owned()))
}
