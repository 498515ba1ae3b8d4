//! What stands in a parameter of a planned statement, and how it becomes a value when the plan runs.

use async_graphql_value::{ConstValue, Value};
use rust_decimal::Decimal;
use time::Date;
use time::macros::format_description;

use super::ask::{Operator, Window};
use super::cost::Bounds;
use super::resolve::Variables;
use crate::access::{Position, Refusal};
use crate::catalog::scalar::Scalar;
use crate::store::bind::{Bind, Texts};

/// A parameter of a planned statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Slot {
    /// Known when planned.
    Ready(Bind),
    /// Texts known when planned.
    Texts(Texts),
    /// A variable's value, read as a scalar for that operator.
    Variable(Read),
    /// The distinct keys in a column of an earlier step's rows.
    Keys {
        /// The step.
        step: usize,
        /// The column.
        column: usize,
    },
    /// The one key in a column of an earlier step that gives one row at most.
    Key {
        /// The step.
        step: usize,
        /// The column.
        column: usize,
    },
    /// A number that an argument says.
    Number(Number),
}

/// How a value is read.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// Where the value comes from: a variable, or a list with variables.
    pub value: Value,
    /// As what.
    pub scalar: Scalar,
    /// For which comparison.
    pub operator: Operator,
    /// Coordinate, for the error text.
    pub coordinate: String,
    /// Where the argument stands.
    pub position: Option<Position>,
}

/// A page's number: an argument, bounded and shifted.
#[derive(Clone, Debug, PartialEq)]
pub struct Number {
    /// `first`, `last`, `offset`
    pub argument: &'static str,
    /// The argument's value, if given.
    pub value: Option<Value>,
    /// If it is not given.
    pub default: u32,
    /// A second argument to add: `offset` to `first`.
    pub and: Option<Box<Number>>,
    /// To add: one more row tells whether there is a next page.
    pub plus: u32,
    /// Where the list stands that it is a number of.
    pub position: Option<Position>,
}

/// Longest pattern of `_like` and its kind: databases try a pattern at every place of every text.
const PATTERN: usize = 200;

/// Most `%` in one pattern: each multiplies the places that are tried.
const WILDCARDS: usize = 5;

/// Reads a value as a scalar for a comparison.
pub fn read(read: &Read, variables: &Variables, bounds: &Bounds) -> Result<Bind, Refusal> {
    let value = constant(&read.value, variables)?;
    let refusal = |refusal: Refusal| refusal.at(read.position);
    if !read.operator.takes_list() {
        return one(read, &value).map_err(refusal);
    }
    let items = match value {
        ConstValue::List(items) => items,
        single => vec![single],
    };
    bounds.listed(&read.coordinate, items.len()).map_err(refusal)?;
    many(read, &items).map_err(refusal)
}

/// The value with its variables filled in.
pub(super) fn constant(value: &Value, variables: &Variables) -> Result<ConstValue, Refusal> {
    value.clone().into_const_with(|name| Ok(variables.get(&name).cloned().unwrap_or_default()))
}

fn many(read: &Read, items: &[ConstValue]) -> Result<Bind, Refusal> {
    let binds = items.iter().map(|item| one(read, item)).collect::<Result<Vec<_>, _>>()?;
    // All items were read as the same scalar, so they are of one kind.
    Ok(match read.scalar {
        Scalar::Int | Scalar::Id => Bind::Ints(binds.into_iter().filter_map(|bind| int(&bind)).collect()),
        Scalar::Boolean => Bind::Ints(binds.into_iter().filter_map(|bind| int(&bind)).collect()),
        Scalar::Date => Bind::Dates(
            binds.into_iter().filter_map(|bind| if let Bind::Date(day) = bind { Some(day) } else { None }).collect(),
        ),
        Scalar::Decimal => Bind::Decimals(
            binds
                .into_iter()
                .filter_map(|bind| if let Bind::Decimal(value) = bind { Some(value) } else { None })
                .collect(),
        ),
        _ => Bind::Texts(
            binds.into_iter().filter_map(|bind| if let Bind::Text(text) = bind { Some(text) } else { None }).collect(),
        ),
    })
}

fn int(bind: &Bind) -> Option<i64> {
    match bind {
        Bind::Int(value) => Some(*value),
        Bind::Bool(value) => Some(i64::from(*value)),
        _ => None,
    }
}

fn one(read: &Read, value: &ConstValue) -> Result<Bind, Refusal> {
    let expected = |en: &str, zh: &str| {
        let name = read.scalar.graphql_name();
        // What was sent is not repeated: it can be somebody's number.
        Refusal::input(
            format!("{}: expected {name}, {en}.", read.coordinate),
            format!("{}：應為 {name}，{zh}。", read.coordinate),
        )
        .with("coordinate", read.coordinate.as_str())
    };
    match (read.scalar, value) {
        (_, ConstValue::Null) => Err(expected("not null", "不可為 null")),
        (Scalar::Int, ConstValue::Number(number)) => {
            let value = number.as_i64().and_then(|value| i32::try_from(value).ok());
            value.map(|value| Bind::Int(value.into())).ok_or_else(|| expected("a 32-bit integer", "32 位元整數"))
        }
        (Scalar::Int, _) => Err(expected("a 32-bit integer", "32 位元整數")),
        (Scalar::Id, value) => {
            let number = match value {
                ConstValue::Number(number) => number.as_i64(),
                ConstValue::String(text) => text.parse().ok(),
                _ => None,
            };
            number.map(Bind::Int).ok_or_else(|| expected("an id that an earlier answer gave", "先前回應所提供的識別碼"))
        }
        (Scalar::Boolean, ConstValue::Boolean(value)) => Ok(Bind::Bool(*value)),
        (Scalar::Boolean, _) => Err(expected("true or false", "true 或 false")),
        // PostgreSQL has no text with the character U+0000, and fails where another database would find nothing.
        (_, ConstValue::String(text)) if text.contains('\0') => {
            Err(expected("text without the character U+0000", "不含 U+0000 字元的文字"))
        }
        (_, ConstValue::String(text)) if read.operator.takes_pattern() => {
            pattern(read.operator, text).map(Bind::Text).map_err(|Odd { en, zh }| expected(en, zh))
        }
        (scalar, ConstValue::String(text)) => parse(scalar, text, &expected),
        (Scalar::Decimal, ConstValue::Number(number)) => parse(Scalar::Decimal, &number.to_string(), &expected),
        _ => Err(expected("as text", "應為文字")),
    }
}

fn parse(scalar: Scalar, text: &str, refuse: &dyn Fn(&str, &str) -> Refusal) -> Result<Bind, Refusal> {
    let canonical = scalar.parse_text(text).map_err(|expected| refuse(expected.en, expected.zh))?;
    match scalar {
        Scalar::Date => Date::parse(&canonical, format_description!("[year]-[month]-[day]"))
            .map(Bind::Date)
            .map_err(|_| refuse("a day between years 0 and 9999", "西元 0 至 9999 年之間的日期")),
        Scalar::Decimal => canonical
            .parse::<Decimal>()
            .map(Bind::Decimal)
            .map_err(|_| refuse("a number of at most 28 digits", "至多 28 位的數字")),
        _ => Ok(Bind::Text(canonical)),
    }
}

/// What is wrong with a pattern.
struct Odd {
    en: &'static str,
    zh: &'static str,
}

/// Everything but a prefix is the caller's own pattern.
fn pattern(operator: Operator, text: &str) -> Result<String, Odd> {
    if text.chars().count() > PATTERN {
        return Err(Odd { en: "a pattern of at most 200 characters", zh: "至多 200 字元之樣式" });
    }
    if operator != Operator::StartsWith {
        let escapes = text.len() - text.trim_end_matches('\\').len();
        if escapes % 2 == 1 {
            return Err(Odd {
                en: "a pattern that does not end with a single backslash",
                zh: "樣式不可以單一反斜線結尾",
            });
        }
        if text.matches('%').count() > WILDCARDS {
            return Err(Odd { en: "a pattern with at most five %", zh: "樣式至多含五個 %" });
        }
        return Ok(text.to_string());
    }
    let mut pattern = String::with_capacity(text.len() + 1);
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    Ok(pattern)
}

/// Whether a value is known only when the plan runs.
pub fn has_variable(value: &Value) -> bool {
    match value {
        Value::Variable(_) => true,
        Value::List(items) => items.iter().any(has_variable),
        Value::Object(entries) => entries.values().any(has_variable),
        _ => false,
    }
}

impl Number {
    /// A number of a list's page.
    pub fn of(window: &Window, argument: &'static str, value: Option<Value>, default: u32) -> Number {
        Number { argument, value, default, and: None, plus: 0, position: window.position }
    }

    /// The number, unless a variable says it.
    pub fn known(&self, bounds: &Bounds) -> Result<Option<u32>, Refusal> {
        let waits = |number: &Number| number.value.as_ref().is_some_and(has_variable);
        if waits(self) || self.and.as_deref().is_some_and(waits) {
            return Ok(None);
        }
        self.read(&Variables::default(), bounds).map(Some)
    }

    /// The number that an argument gives, within the largest page.
    pub fn read(&self, variables: &Variables, bounds: &Bounds) -> Result<u32, Refusal> {
        let own = self.own(variables, bounds).map_err(|refusal| refusal.at(self.position))?;
        let other = match &self.and {
            Some(other) => other.read(variables, bounds)?,
            None => 0,
        };
        Ok(own.saturating_add(other).saturating_add(self.plus))
    }

    fn own(&self, variables: &Variables, bounds: &Bounds) -> Result<u32, Refusal> {
        let Some(value) = &self.value else { return Ok(self.default) };
        match constant(value, variables)? {
            ConstValue::Null => Ok(self.default),
            ConstValue::Number(number) => bounds.page(self.argument, number.as_i64().unwrap_or(i64::MAX)),
            _ => Err(Refusal::input(
                format!("{}: expected a whole number.", self.argument),
                format!("{}：應為整數。", self.argument),
            )),
        }
    }
}
