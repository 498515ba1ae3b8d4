//! What docs/procedure.md tells for the first day, done as it stands there.

use crate::support::hall::Hall;
use regex::Regex;
use serde_json::json;

/// The accounts that the text names before a block, with the mutations of that block.
fn told() -> Vec<(Vec<String>, Vec<String>)> {
    let text = std::fs::read_to_string("docs/procedure.md").expect("the manual");
    let day = text.split("\n## ").find(|part| part.starts_with("The first day")).expect("the first day");
    let named = Regex::new(r"[Aa]s\s+`([a-z.]+)`").expect("a pattern");
    let mut blocks = vec![(String::new(), Vec::new())];
    for line in day.lines() {
        match line.strip_prefix("    ") {
            Some(mutation) => blocks.last_mut().expect("begun").1.push(mutation.to_owned()),
            None => {
                if !blocks.last().expect("begun").1.is_empty() {
                    blocks.push((String::new(), Vec::new()));
                }
                let said = &mut blocks.last_mut().expect("begun").0;
                said.push_str(line);
                said.push('\n');
            }
        }
    }
    let names = |said: &str| named.captures_iter(said).map(|found| found[1].to_owned()).collect();
    blocks.into_iter().filter(|(_, steps)| !steps.is_empty()).map(|(said, steps)| (names(&said), steps)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_day_goes_as_the_manual_has_it() {
    let name = Regex::new(r#"account: "([a-z.]+)""#).expect("a pattern");
    for mut hall in Hall::on_each().await {
        hall.found().await;
        for (accounts, steps) in told() {
            assert!(!accounts.is_empty(), "nobody is named for {steps:?}");
            for (account, step) in accounts.iter().flat_map(|account| steps.iter().map(move |step| (account, step))) {
                let done = hall.ask(account, step, json!({})).await;
                assert!(done.body["errors"].is_null(), "{account}: {step}\n{:#}", done.body);
                if let Some(first) = done.body["data"]["openAccount"]["firstPassword"].as_str() {
                    hall.first_sign_in(&name.captures(step).expect("an account")[1], first).await;
                }
            }
        }
        // What was prepared is enough to apply and be granted; the rest is the playground's walk.
        let items = json!([{ "coordinate": "FirePremises.name", "uses": ["SELECT"], "reason": "查核" }]);
        let mut input = Hall::input(&items);
        input["purposes"] = json!([{ "code": "fire-safety", "title": "消防安全檢查" }]);
        let drafted = hall.draft("fire.admin", input).await;
        let submitted = hall.submit("fire.admin", &drafted).await;
        let approved = hall.decide("fire.dba", &submitted, "APPROVE", "").await;
        hall.open_form(&approved, "FIRE-2026-001").await;
        hall.handed_on("fire.admin", "FIRE-2026-001", &["fire.officer"]).await;
    }
}
