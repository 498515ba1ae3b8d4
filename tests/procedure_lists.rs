//! Lists of the procedure: long ones come in parts, what others have does not push one's own out, and nobody learns of
//! what is not theirs by asking for what comes after it.

use crate::support::hall::Hall;
use crate::support::hall_steps::{permit_items, person_items};
use cityquery::access::Code;
use serde_json::{Value, json};

/// Names or numbers in a list of the procedure.
async fn listed(hall: &Hall, who: &str, list: &str, by: &str) -> Vec<String> {
    let reply = hall.ask(who, &format!("{{ list: {list} {{ {by} }} }}"), json!({})).await;
    let entries = reply.data()["list"].as_array().expect("a list").clone();
    entries.iter().map(|entry| entry[by].as_str().expect("a name").to_owned()).collect()
}

async fn refused(hall: &Hall, who: &str, list: &str) {
    let reply = hall.ask(who, &format!("{{ list: {list} {{ __typename }} }}"), json!({})).await;
    reply.refused(Code::BadUserInput);
}

#[tokio::test(flavor = "multi_thread")]
async fn long_lists_come_in_parts() {
    for mut hall in Hall::on_each().await {
        hall.prepared().await;
        // One of the revenue service's, then more of the fire department's than one asks for.
        hall.draft("tax.admin", Hall::input(&permit_items())).await;
        for _ in 0..4 {
            hall.draft("fire.admin", Hall::input(&permit_items())).await;
        }
        assert_eq!(listed(&hall, "tax.admin", "applications(first: 1)", "number").await, ["A-2026-0001"]);
        let first = listed(&hall, "fire.admin", "applications(first: 3)", "number").await;
        assert_eq!(first, ["A-2026-0005", "A-2026-0004", "A-2026-0003"]);
        let next = listed(&hall, "fire.admin", "applications(first: 3, after: \"A-2026-0003\")", "number").await;
        assert_eq!(next, ["A-2026-0002"]);
        for list in [
            "applications(first: 0)",
            "applications(first: 201)",
            "applications(first: -1)",
            "applications(after: \"A-2026-0001\")", // of another agency
            "applications(after: \"nothing\")",
            "masterForms(after: \"nothing\")",
            "incidents(after: \"nothing\")",
            "inspections(after: \"nothing\")",
            "inbox(after: \"nothing\")",
            "subForms(after: \"nothing\")",
        ] {
            refused(&hall, "fire.admin", list).await;
        }

        // Who decides sees what was handed in to them, and nobody's drafts.
        assert!(listed(&hall, "building.dba", "applications", "number").await.is_empty());
        for form in ["FIRE-2026-007", "FIRE-2026-005"] {
            hall.granted("fire.admin", permit_items(), &["building.dba"], form).await;
        }
        let mut other = Hall::input(&person_items());
        other["title"] = "通知".into();
        let drafted = hall.draft("tax.admin", other).await;
        let submitted = hall.submit("tax.admin", &drafted).await;
        let decided = hall.decide("household.dba", &submitted, "APPROVE", "").await;
        hall.open_form(&decided, "TAX-2026-001").await;
        assert_eq!(listed(&hall, "building.dba", "applications", "number").await, ["A-2026-0007", "A-2026-0006"]);
        assert_eq!(listed(&hall, "it.admin", "applications(status: OPENED)", "number").await.len(), 3);

        // Forms by number: one's agency's, and those with items of one's datasets.
        assert_eq!(
            listed(&hall, "it.admin", "masterForms(first: 2)", "number").await,
            ["FIRE-2026-005", "FIRE-2026-007"]
        );
        let rest = "masterForms(first: 2, after: \"FIRE-2026-007\")";
        assert_eq!(listed(&hall, "it.admin", rest, "number").await, ["TAX-2026-001"]);
        assert_eq!(listed(&hall, "household.dba", "masterForms(first: 1)", "number").await, ["TAX-2026-001"]);
        assert_eq!(listed(&hall, "tax.admin", "masterForms", "number").await, ["TAX-2026-001"]);
        refused(&hall, "tax.admin", "masterForms(after: \"FIRE-2026-005\")").await;

        // Sub-forms in the order in which they were opened.
        hall.handed_on("fire.admin", "FIRE-2026-005", &[]).await;
        hall.handed_on("tax.admin", "TAX-2026-001", &[]).await;
        hall.handed_on("fire.admin", "FIRE-2026-007", &[]).await;
        let own = listed(&hall, "fire.admin", "subForms(first: 1)", "number").await;
        assert_eq!(own, ["FIRE-2026-005/1"]);
        let rest = "subForms(after: \"FIRE-2026-005/1\")";
        assert_eq!(listed(&hall, "fire.admin", rest, "number").await, ["FIRE-2026-007/1"]);
        assert_eq!(listed(&hall, "it.admin", rest, "number").await, ["TAX-2026-001/1", "FIRE-2026-007/1"]);
        refused(&hall, "tax.admin", rest).await;

        // Accounts by name; notices by id; incidents by number.
        let all = listed(&hall, "it.admin", "accounts", "account").await;
        let mut parts = listed(&hall, "it.admin", "accounts(first: 5)", "account").await;
        let after = format!("accounts(after: \"{}\")", parts[4]);
        parts.extend(listed(&hall, "it.admin", &after, "account").await);
        assert_eq!(parts, all);
        let all = listed(&hall, "fire.admin", "inbox", "id").await;
        let mut parts = listed(&hall, "fire.admin", "inbox(first: 1)", "id").await;
        let after = format!("inbox(after: \"{}\")", parts[0]);
        parts.extend(listed(&hall, "fire.admin", &after, "id").await);
        assert!(all.len() > 2 && parts == all, "{parts:?} {all:?}");
        let report = "mutation { step: reportIncident(input: { title: \"誤用\", description: \"說明\" }) { number } }";
        for who in ["tax.admin", "fire.admin", "fire.admin"] {
            hall.ask(who, report, json!({})).await.step();
        }
        assert_eq!(listed(&hall, "tax.admin", "incidents(first: 1)", "number").await, ["E-2026-0001"]);
        let after = "incidents(after: \"E-2026-0003\")";
        assert_eq!(listed(&hall, "fire.admin", after, "number").await, ["E-2026-0002"]);
        assert_eq!(listed(&hall, "it.admin", after, "number").await, ["E-2026-0002", "E-2026-0001"]);
    }
}

/// What is attached is listed with its size, without being read.
#[tokio::test(flavor = "multi_thread")]
async fn documents_are_listed_with_their_size() {
    for mut hall in Hall::on_each().await {
        hall.prepared().await;
        let drafted = hall.draft("fire.admin", Hall::input(&permit_items())).await;
        let attach = "mutation($number: String!, $revision: Int!, $name: String!, $content: String!) { step: attachDocument(number: \
                      $number, revision: $revision, input: { name: $name, mediaType: \"application/pdf\", content: $content }) \
                      { number revision } }";
        let mut revision = drafted.revision;
        // 4 bytes that are no text in any encoding, and three Chinese characters.
        for (name, content) in [("a.pdf", "AP/+gA=="), ("b.pdf", "5raI6Ziy5bGA")] {
            let variables = json!({ "number": drafted.number, "revision": revision, "name": name, "content": content });
            revision = hall.ask("fire.admin", attach, variables).await.step()["revision"].as_i64().expect("a revision");
        }
        let listed = hall.ask("fire.admin", "{ applications { documents { name bytes addedBy } } }", json!({})).await;
        let expected: Value = json!([
            { "name": "a.pdf", "bytes": 4, "addedBy": "fire.admin" },
            { "name": "b.pdf", "bytes": 9, "addedBy": "fire.admin" },
        ]);
        assert_eq!(listed.data()["applications"][0]["documents"], expected);
    }
}
