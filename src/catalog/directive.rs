//! Reads the arguments of one directive of a declaration, each by its kind. Which directive stands where
//! and what the arguments mean is left to `read` and `field`.

use std::sync::Arc;

use async_graphql_parser::Positioned;
use async_graphql_parser::types::ConstDirective;
use async_graphql_value::ConstValue;

use super::fault::{Faults, Place};
use super::words::{hint, is_sql_name};

/// The directives of the declaration language with their arguments.
const KNOWN: [(&str, &[&str]); 4] = [
    ("dataset", &["code", "title", "custodian", "custodianTitle", "livesWith"]),
    ("table", &["name", "list", "one", "keys", "scope", "id"]),
    ("column", &["name", "class", "mask", "scale"]),
    ("join", &["from", "to", "through", "throughFrom", "throughTo", "throughDataset", "class"]),
];

/// A value and where it stands.
pub(super) struct Placed<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

/// The arguments of one directive, names already checked.
pub(super) struct Arguments<'a> {
    /// Where the directive stands.
    pub(super) place: Place,
    name: &'a str,
    file: &'a Arc<str>,
    directive: &'a ConstDirective,
}

/// The directives of an element, each at most once; any not in `allowed` is a fault.
pub(super) fn find<'a>(
    file: &'a Arc<str>,
    directives: &'a [Positioned<ConstDirective>],
    allowed: &[&'a str],
    faults: &mut Faults,
) -> Vec<Arguments<'a>> {
    let mut found: Vec<Arguments<'a>> = Vec::new();
    for directive in directives {
        let name = directive.node.name.node.as_str();
        let place = Place::new(file, directive.pos);
        let Some(allowed_name) = allowed.iter().find(|allowed| **allowed == name) else {
            not_allowed(name, &place, allowed, faults);
            continue;
        };
        if found.iter().any(|seen| seen.name == *allowed_name) {
            faults.add(&place, format!("@{name} stands twice."), format!("@{name} 重複。"));
            continue;
        }
        check_names(file, &directive.node, faults);
        found.push(Arguments { place, name: allowed_name, file, directive: &directive.node });
    }
    found
}

fn not_allowed(name: &str, place: &Place, allowed: &[&str], faults: &mut Faults) {
    if allowed.is_empty() {
        faults.add(place, format!("No directive stands here, not @{name}."), format!("此處不可使用指令 @{name}。"));
        return;
    }
    let (en, zh) = hint(name, allowed.iter().copied());
    let also = allowed.iter().map(|name| format!("@{name}")).collect::<Vec<_>>().join(", ");
    faults.add(
        place,
        format!("@{name} is not known here; allowed: {also}.{en}"),
        format!("此處不可使用 @{name}；可用者：{also}。{zh}"),
    );
}

fn check_names(file: &Arc<str>, directive: &ConstDirective, faults: &mut Faults) {
    let name = directive.name.node.as_str();
    let known = KNOWN.iter().find(|(known, _)| *known == name).map_or(&[][..], |(_, arguments)| arguments);
    for (i, (argument, _)) in directive.arguments.iter().enumerate() {
        let place = Place::new(file, argument.pos);
        let text = argument.node.as_str();
        if !known.contains(&text) {
            let (en, zh) = hint(text, known.iter().copied());
            faults.add(
                &place,
                format!("@{name} has no argument \"{text}\".{en}"),
                format!("@{name} 沒有參數「{text}」。{zh}"),
            );
        } else if directive.arguments[..i].iter().any(|(earlier, _)| earlier.node == argument.node) {
            faults.add(&place, format!("\"{text}\" is given twice."), format!("參數「{text}」重複。"));
        }
    }
}

impl<'a> Arguments<'a> {
    /// Whether this is the directive of that name.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name == name
    }

    /// Where an argument's value stands, or the directive if it is not given.
    pub(super) fn place_of(&self, argument: &str) -> Place {
        self.directive
            .get_argument(argument)
            .map_or_else(|| self.place.clone(), |value| Place::new(self.file, value.pos))
    }

    /// A text argument.
    pub(super) fn text(&self, argument: &str, faults: &mut Faults) -> Option<Placed<String>> {
        match &self.directive.get_argument(argument)?.node {
            ConstValue::String(text) if !text.trim().is_empty() => {
                Some(Placed { value: text.clone(), place: self.place_of(argument) })
            }
            _ => self.wrong(argument, "a text", "文字", faults),
        }
    }

    /// A text argument that must be there.
    pub(super) fn required_text(&self, argument: &str, faults: &mut Faults) -> Option<Placed<String>> {
        if self.directive.get_argument(argument).is_none() {
            let name = self.name;
            faults.add(
                &self.place,
                format!("@{name} needs the argument \"{argument}\"."),
                format!("@{name} 缺少參數「{argument}」。"),
            );
            return None;
        }
        self.text(argument, faults)
    }

    /// The name of a table or column.
    pub(super) fn sql_name(&self, argument: &str, faults: &mut Faults) -> Option<Placed<String>> {
        if let Some(value) = self.directive.get_argument(argument)
            && matches!(value.node, ConstValue::List(_))
        {
            faults.add(
                &self.place_of(argument),
                format!(
                    "\"{argument}\" must name one column; for a key of several columns map a view that has it as one."
                ),
                format!("「{argument}」只能是一個欄位；複合鍵請以檢視表併為一欄。"),
            );
            return None;
        }
        let name = self.text(argument, faults)?;
        if !is_sql_name(&name.value) {
            let value = &name.value;
            faults.add(
                &name.place,
                format!("\"{value}\" is not a table or column name: letters, digits and _, 63 at most."),
                format!("「{value}」不是資料表或欄位名稱：限英文字母、數字與底線，至多 63 字。"),
            );
            return None;
        }
        Some(name)
    }

    /// The name of a table or column that must be given.
    pub(super) fn required_sql_name(&self, argument: &str, faults: &mut Faults) -> Option<Placed<String>> {
        if self.directive.get_argument(argument).is_none() {
            return self.required_text(argument, faults);
        }
        self.sql_name(argument, faults)
    }

    /// A list of texts; empty when not given.
    pub(super) fn texts(&self, argument: &str, faults: &mut Faults) -> Vec<String> {
        let Some(value) = self.directive.get_argument(argument) else { return Vec::new() };
        let texts: Option<Vec<String>> = match &value.node {
            ConstValue::List(items) => items
                .iter()
                .map(|item| match item {
                    ConstValue::String(text) => Some(text.clone()),
                    _ => None,
                })
                .collect(),
            _ => None,
        };
        texts.or_else(|| self.wrong(argument, "a list of texts", "文字的清單", faults)).unwrap_or_default()
    }

    /// A small whole number.
    pub(super) fn number(&self, argument: &str, max: u64, faults: &mut Faults) -> Option<u32> {
        match &self.directive.get_argument(argument)?.node {
            ConstValue::Number(number) => match number.as_u64().filter(|n| *n <= max) {
                Some(number) => u32::try_from(number).ok(),
                None => {
                    self.wrong(argument, &format!("a number from 0 to {max}"), &format!("0 到 {max} 的整數"), faults)
                }
            },
            _ => self.wrong(argument, &format!("a number from 0 to {max}"), &format!("0 到 {max} 的整數"), faults),
        }
    }

    /// One word of a closed list.
    pub(super) fn word<T: Copy>(&self, argument: &str, words: &[(&str, T)], faults: &mut Faults) -> Option<T> {
        let value = &self.directive.get_argument(argument)?.node;
        let known = match value {
            ConstValue::Enum(word) => words.iter().find(|(known, _)| *known == word.as_str()),
            _ => None,
        };
        match known {
            Some((_, value)) => Some(*value),
            None => {
                let list = words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
                self.wrong(argument, &format!("one of {list}"), &format!("下列之一：{list}"), faults)
            }
        }
    }

    fn wrong<T>(&self, argument: &str, en: &str, zh: &str, faults: &mut Faults) -> Option<T> {
        faults.add(
            &self.place_of(argument),
            format!("\"{argument}\" of @{} must be {en}.", self.name),
            format!("@{} 的「{argument}」必須是{zh}。", self.name),
        );
        None
    }

    /// Whether the argument is given at all.
    pub(super) fn has(&self, argument: &str) -> bool {
        self.directive.get_argument(argument).is_some()
    }
}
