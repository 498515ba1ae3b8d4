//! What a caller writes into a document instead of into variables is sealed like these: no name or number of a person
//! stands in the log in the clear, be the operation answered, refused, unreadable or a step of the procedure. Who inspects
//! sees the operation as it was sent.

use std::path::Path;

use cityquery::access::Code;
use serde_json::{Value, json};

use crate::inspection::{ask, in_use};
use crate::support::hall::Hall;

/// Files under a folder in which these bytes stand.
fn telling(folder: &Path, secret: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("readable").path()) {
        if entry.is_dir() {
            found.extend(telling(&entry, secret));
        } else {
            let bytes = std::fs::read(&entry).expect("a file");
            let tells = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            found.extend(tells.then(|| entry.display().to_string()));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_into_a_document_is_sealed() {
    let mut hall = Hall::on_sqlite().await;
    let ids = in_use(&mut hall).await;
    let id = ids[4].as_str();
    let case = "115-FS-0001";

    let sent = format!("{{ person(nationalId: \"{id}\") {{ name }} }} # about {id} of MARKER-1");
    let record = ask(&hall, "fire.officer", &sent, json!({}), case).await;
    let denied = format!("{{ households(where: {{ headPersonId: {{ _eq: \"{id}\" }} }}) {{ totalCount }} }}");
    hall.ask("fire.officer", &denied, json!({})).await.refused(Code::Forbidden);
    let invalid = format!("{{ nothing(id: \"{id}\", note: \"\"\"MARKER-2\"\"\") }}");
    hall.ask("fire.officer", &invalid, json!({})).await.refused(Code::ValidationFailed);
    let unreadable = format!("{{ person(nationalId: \"{id}) {{ name }} }}");
    hall.ask("fire.officer", &unreadable, json!({})).await;
    hall.ask("", &sent, json!({})).await.refused(Code::Unauthenticated);
    let step = format!(
        "mutation {{ step: changeAccount(account: \"fire.officer\", change: {{ nationalId: \"{id}\" }}) {{ account }} }}"
    );
    hall.ask("fire.admin", &step, json!({})).await.step();

    let folder = &hall.config.audit.dir;
    assert!(!telling(folder, "fire.officer").is_empty(), "the log is somewhere else");
    for secret in [id, "MARKER-1", "MARKER-2"] {
        assert_eq!(telling(folder, secret), Vec::<String>::new(), "{secret} stands in the log");
    }

    // Who inspects is shown what was sent.
    hall.ask(
        "fire.admin",
        "mutation { step: setInspectionRule(intervalDays: 30, percent: 100, atLeast: 1) { percent } }",
        json!({}),
    )
    .await
    .step();
    hall.ask("fire.admin", "mutation { step: drawInspection { number } }", json!({})).await.step();
    let look = "{ inspection(number: \"I-2026-0001\") { entries { record recorded { operation } } } }";
    let looked = hall.ask("fire.admin", look, json!({})).await;
    let entries = looked.data()["inspection"]["entries"].as_array().expect("entries").clone();
    let told = entries.iter().find(|entry| entry["record"] == record.as_str()).expect("the record");
    assert_eq!(told["recorded"]["operation"], Value::from(sent));
}
