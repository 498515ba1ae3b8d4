//! Printable pages (clause 14): the application form and the decision letter, as HTML that needs nothing from outside.

use time::macros::offset;
use time::{Date, OffsetDateTime};

use super::application::{Annex, AnnexStatus, Application};
use super::decision::word_zh;
use super::item::{GrantedItem, Level, UseName};
use crate::access::Use;

const STYLE: &str = "body{font:12pt/1.6 'Noto Serif TC',serif;margin:2cm auto;max-width:18cm}h1{text-align:center;font-size:18pt}\
table{border-collapse:collapse;width:100%;margin:1em 0}td,th{border:1px solid #444;padding:.2em .5em;text-align:left;vertical-align:top}\
th{white-space:nowrap;background:#f3f3f3}tr{break-inside:avoid}@media print{body{margin:0}}";

/// 查詢作業申請表: the application with all its annexes.
pub(crate) fn application(of: &Application) -> String {
    let mut body = heading("市政資料庫查詢作業申請表", &of.number);
    body += &header(of);
    for annex in of.annexes.iter().filter(|annex| annex.status != AnnexStatus::Dropped) {
        body += &format!("<h2>附表：{}</h2>", text(&annex.custodian));
        body += &items(&annex.items);
    }
    if !of.documents.is_empty() {
        body += "<h2>附件</h2><table><tr><th>檔名</th><th>SHA-256</th></tr>";
        for document in &of.documents {
            body += &format!("<tr><td>{}</td><td>{}</td></tr>", text(&document.name), text(&document.sha256));
        }
        body += "</table>";
    }
    page(&of.number, &body)
}

/// The day in Taipei, as a letter bears it.
fn day(at: OffsetDateTime) -> Date {
    at.to_offset(offset!(+8)).date()
}

/// 審核決定書: what each custodian has decided; none before the first decision.
pub(crate) fn decisions(of: &Application) -> Option<String> {
    let decided: Vec<&Annex> = of.annexes.iter().filter(|annex| annex.decision_number.is_some()).collect();
    if decided.is_empty() {
        return None;
    }
    let mut body = heading("查詢作業申請審核決定書", &of.number);
    body += &header(of);
    for annex in decided {
        let word = match annex.status {
            AnnexStatus::Approved => "核准",
            AnnexStatus::Returned => "退回補正",
            AnnexStatus::Refused => "不同意",
            AnnexStatus::Dropped => "申請機關已撤除",
            AnnexStatus::Draft | AnnexStatus::Submitted => "重新送審中",
        };
        body += &format!("<h2>{}：{word}</h2><table>", text(&annex.custodian));
        body += &row("文號", annex.decision_number.as_deref().unwrap_or_default());
        body += &row("審核者", annex.decided_by.as_deref().unwrap_or_default());
        body += &row("時間", &annex.decided_at.map(|at| day(at).to_string()).unwrap_or_default());
        body += &row("意見", annex.comment.as_deref().unwrap_or_default());
        for before in annex.decisions.iter().rev().skip(1).rev() {
            let comment = before.comment.as_deref().unwrap_or_default();
            let (number, word, on) = (&before.number, word_zh(before.decision), day(before.decided_at));
            body += &row("前次審核", &format!("{number} {on} {word} {comment}"));
        }
        body += "</table>";
        if annex.status == AnnexStatus::Approved {
            body += &items(&annex.items);
        }
    }
    Some(page(&of.number, &body))
}

fn header(of: &Application) -> String {
    let purposes: Vec<String> = of.purposes.iter().map(|one| format!("{}（{}）", one.title, one.code)).collect();
    let mut table = String::from("<table>");
    table += &row("申請機關", &of.agency);
    table += &row("名稱", &of.title);
    table += &row("目的", &purposes.join("、"));
    table += &row("法律依據", &of.legal_basis);
    table += &row("期間", &format!("{} 至 {}", of.from, of.until));
    if let Some(form) = &of.form {
        table += &row("主表單", form);
    }
    table += &row("擬稿者", &of.drafted_by);
    table += &row("送件者", of.submitted_by.as_deref().unwrap_or("（未送件）"));
    table + "</table>"
}

fn items(items: &[GrantedItem]) -> String {
    let mut table =
        String::from("<table><tr><th>項目</th><th>使用權</th><th>揭露</th><th>行政區</th><th>理由</th></tr>");
    for item in items {
        let uses: Vec<&str> = item.uses.iter().map(|one: &UseName| Use::from(*one).word_zh()).collect();
        let level = if item.level == Level::Masked { "遮罩" } else { "全部" };
        let districts = item.districts.as_ref().map_or_else(|| "全市".to_owned(), |codes| codes.join("、"));
        table += &format!(
            "<tr><td>{}</td><td>{}</td><td>{level}</td><td>{}</td><td>{}</td></tr>",
            text(&item.coordinate),
            uses.join("、"),
            text(&districts),
            text(item.reason.as_deref().unwrap_or_default())
        );
    }
    table + "</table>"
}

fn heading(title: &str, number: &str) -> String {
    format!("<h1>{title}</h1><p>編號 {}</p>", text(number))
}

fn row(name: &str, value: &str) -> String {
    format!("<tr><th>{name}</th><td>{}</td></tr>", text(value))
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"zh-Hant\"><meta charset=\"utf-8\"><title>{}</title><style>{STYLE}</style><body>{body}</body></html>",
        text(title)
    )
}

/// What was typed is text, whatever it looks like.
fn text(value: &str) -> String {
    let mut safe = String::with_capacity(value.len());
    for letter in value.chars() {
        match letter {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            plain => safe.push(plain),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn what_was_typed_is_text() {
        assert_eq!(text("<script>\"&"), "&lt;script&gt;&quot;&amp;");
    }
}
