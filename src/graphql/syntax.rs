//! Says in both languages why a document is not GraphQL. Where it is wrong and what was expected there, the library's parser
//! knows; it says so in the words of its grammar, pinned by version.

use async_graphql::parser::Error;

use crate::access::refusal::{Code, Refusal};

/// Rules of the parser's grammar that it may expect, in English and Chinese.
const RULES: &[(&str, &str, &str)] = &[
    ("EOI", "the end of the document", "文件結尾"),
    ("executable_definition", "an operation or a fragment", "操作或片段"),
    ("operation_definition", "an operation", "操作"),
    ("fragment_definition", "a fragment", "片段"),
    ("operation_type", "query, mutation or subscription", "query、mutation 或 subscription"),
    ("variable_definitions", "variables in parentheses", "以小括號括住的變數宣告"),
    ("variable_definition", "the declaration of a variable, as $key: String", "變數宣告（如 $key: String）"),
    ("selection_set", "fields in braces", "以大括號括住的欄位"),
    ("selection", "a field or a fragment", "欄位或片段"),
    ("field", "a field", "欄位"),
    ("alias", "an alias", "別名"),
    ("fragment_spread", "a fragment's name", "片段名稱"),
    ("inline_fragment", "an inline fragment", "行內片段"),
    ("type_condition", "a type condition, as on Parcel", "型別條件（如 on Parcel）"),
    ("type_", "a type", "型別"),
    ("default_value", "a default value", "預設值"),
    ("const_value", "a value without variables", "不含變數的值"),
    ("value", "a value", "值"),
    ("variable", "a variable, as $key", "變數（如 $key）"),
    ("arguments", "arguments in parentheses", "以小括號括住的參數"),
    ("argument", "an argument, as first: 10", "參數（如 first: 10）"),
    ("const_argument", "an argument, as first: 10", "參數（如 first: 10）"),
    ("object_field", "a name with a value", "名稱與值"),
    ("const_object_field", "a name with a value", "名稱與值"),
    ("directives", "a directive", "指令"),
    ("directive", "a directive", "指令"),
    ("string_character", "a character or the closing quotation mark", "字元或結尾的引號"),
    ("unicode_scalar_value_hex", "four hexadecimal digits", "四位十六進位數字"),
    ("fractional", "digits behind a point", "小數點後的數字"),
    ("exponent", "an exponent", "指數"),
    ("name_start", "a name", "名稱"),
    ("name", "a name", "名稱"),
];

/// What is wrong with a document that could not be parsed.
pub(super) fn refusal(error: &Error) -> Refusal {
    let (english, chinese) = match error {
        Error::Syntax { message, .. } => expected(message),
        Error::MultipleOperations { .. } => (
            "an operation without a name stands alone; give each one a name".to_owned(),
            "未命名的操作須為唯一的操作，請為每一個操作命名".to_owned(),
        ),
        Error::OperationDuplicated { operation, .. } => {
            (format!("operation {operation} is defined twice"), format!("操作「{operation}」重複定義"))
        }
        Error::FragmentDuplicated { fragment, .. } => {
            (format!("fragment {fragment} is defined twice"), format!("片段「{fragment}」重複定義"))
        }
        Error::MissingOperation => ("it holds no operation".to_owned(), "文件中沒有操作".to_owned()),
        Error::RecursionLimitExceeded => ("it is nested too deeply".to_owned(), "巢狀層數過深".to_owned()),
        other => (other.to_string(), other.to_string()),
    };
    Refusal::new(
        Code::ParseFailed,
        format!("This is not GraphQL: {english}."),
        format!("不是正確的 GraphQL 語法：{chinese}。"),
    )
}

/// The parser draws a picture over several lines; its last one names the rules.
fn expected(message: &str) -> (String, String) {
    let said = message.lines().last().unwrap_or_default().trim().trim_start_matches("= ");
    let Some((_, rules)) = said.rsplit_once("expected ").filter(|(before, _)| !before.ends_with("un")) else {
        return (format!("something else should stand here ({said})"), format!("此處應為其他內容（{said}）"));
    };
    let rules = rules.replace(", or ", ", ").replace(" or ", ", ");
    let mut words: Vec<(&str, &str)> = rules.split(", ").map(words).collect();
    words.dedup();
    let (english, chinese): (Vec<&str>, Vec<&str>) = words.into_iter().unzip();
    (format!("expected here: {}", english.join("; ")), format!("此處應為：{}", chinese.join("；")))
}

fn words(rule: &str) -> (&str, &str) {
    RULES.iter().find(|(name, ..)| *name == rule).map_or((rule, rule), |(_, english, chinese)| (english, chinese))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::caller::Language;

    /// What is said of a document in both languages, unless it is GraphQL.
    fn said(document: &str) -> Option<[String; 2]> {
        let refusal = refusal(&async_graphql::parser::parse_query(document).err()?);
        Some(
            [Language::En, Language::ZhHant]
                .map(|language| refusal.to_json(language)["message"].as_str().expect("a text").to_owned()),
        )
    }

    #[test]
    fn what_is_wrong_is_said_in_both_languages() {
        let cases = [
            ("{", "expected here: a field or a fragment.", "此處應為：欄位或片段。"),
            ("query Q {}", "expected here: a field or a fragment.", "此處應為：欄位或片段。"),
            ("query ($a: ) { b }", "expected here: a type.", "此處應為：型別。"),
            ("{ a } { b }", "give each one a name.", "請為每一個操作命名。"),
            ("query A { a } query A { b }", "operation A is defined twice.", "操作「A」重複定義。"),
            ("fragment F on Query { a }", "it holds no operation.", "文件中沒有操作。"),
        ];
        for (document, english, chinese) in cases {
            let [in_english, in_chinese] = said(document).expect("no GraphQL");
            assert!(in_english.ends_with(english), "{document}: {in_english}");
            assert!(in_chinese.ends_with(chinese), "{document}: {in_chinese}");
        }
    }

    /// Wherever a document is broken off or disturbed, no word of the grammar is left as it is.
    #[test]
    fn every_rule_has_its_words() {
        let whole = r#"query Q($a: [Int!] = [1, -2.5e3], $b: T = {x: "y\u0041" z: null}) @d(e: true) { f: g(h: $a, i: [U, $b], j: {k: 1}) @l
            { ...M ... on N { o } ... @include(if: $p) { q } } } fragment M on N { r(s: """t""") } mutation { u } subscription V { w }"#;
        for (at, _) in whole.char_indices() {
            for disturbed in ["", "%", "\"", "{", ")", "$", "@", "...", "1x", ":", "!"] {
                for rest in ["", &whole[at..]] {
                    let Some([english, chinese]) = said(&format!("{}{disturbed}{rest}", &whole[..at])) else {
                        continue;
                    };
                    let rule = |text: &str| text.contains('_') || text.contains("should stand") || text.contains("EOI");
                    assert!(!rule(&english) && !rule(&chinese), "{at} {disturbed}: {english} {chinese}");
                    let plain = chinese.replace("query、mutation 或 subscription", "");
                    let latin = plain
                        .split(|c: char| !c.is_ascii_lowercase())
                        .find(|word| word.len() > 5 && *word != "String" && *word != "Parcel");
                    assert_eq!(latin, None, "{chinese}");
                }
            }
        }
    }
}
