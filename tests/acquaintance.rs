//! Who looks up themselves or a colleague is found by inspections: accounts know their holders by a keyed digest of the
//! national id and by nothing else. On SQLite and on PostgreSQL.

use std::collections::BTreeMap;

use cityquery::access::Code;
use cityquery::accounts::entity::account;
use cityquery::procedure::entity::step;
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::inspection::{WHO, ask, in_use};
use crate::support::hall::{Hall, Reply};

const CASE: &str = "115-FS-0001";

async fn change(hall: &Hall, by: &str, account: &str, change: Value) -> Reply {
    let step = "mutation($account: String!, $change: AccountChange!) { step: changeAccount(account: $account, change: $change) \
                { account title email identified } }";
    hall.ask(by, step, json!({ "account": account, "change": change })).await
}

/// Draws, and tells the flags of each record.
async fn flags(hall: &Hall) -> BTreeMap<String, Value> {
    let draw = "mutation { step: drawInspection { unreadable entries { record flags } } }";
    let drawn = hall.ask("fire.admin", draw, json!({})).await;
    assert_eq!(drawn.step()["unreadable"], 0);
    let entries = drawn.step()["entries"].as_array().expect("entries").clone();
    entries
        .iter()
        .map(|entry| (entry["record"].as_str().expect("a record").to_owned(), entry["flags"].clone()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_their_own_record_or_a_colleagues_is_drawn() {
    for mut hall in Hall::on_each().await {
        let ids = in_use(&mut hall).await;
        // Read before anybody said whose account is whose: it stays as it is.
        let before = ask(&hall, "fire.officer", WHO, json!({ "id": ids[4] }), CASE).await;
        hall.clock.advance(time::Duration::seconds(2));
        for (name, row) in [("fire.officer", 4), ("fire.second", 6)] {
            let changed = change(&hall, "fire.admin", name, json!({ "nationalId": ids[row] })).await;
            assert_eq!(changed.step()["identified"], true);
        }
        // Of another agency: no colleague.
        change(&hall, "tax.admin", "tax.clerk", json!({ "nationalId": ids[8].to_lowercase() })).await.step();

        let own = ask(&hall, "fire.officer", WHO, json!({ "id": ids[4] }), CASE).await;
        let colleague = ask(&hall, "fire.officer", WHO, json!({ "id": ids[6] }), CASE).await;
        let stranger = ask(&hall, "fire.officer", WHO, json!({ "id": ids[8] }), CASE).await;
        let second = ask(&hall, "fire.second", WHO, json!({ "id": ids[6] }), CASE).await;
        let list = "{ persons(first: 10) { nodes { name } } }";
        let both = ask(&hall, "fire.second", list, json!({}), CASE).await;

        // Looked for, and nothing of them comes out: that, too, tells of them.
        let mut in_vain = Vec::new();
        for operation in [
            "query($id: NationalId!) { persons(where: { nationalId: { _eq: $id }, _not: { nationalId: { _eq: $id } } }) { nodes { \
             name } } }",
            "query($id: NationalId!) { persons(where: { nationalId: { _in: [$id] } }, offset: 5) { nodes { name } } }",
            "query($id: NationalId!) { households(where: { members: { _some: { nationalId: { _eq: $id } }, _none: { nationalId: \
             { _eq: $id } } } }) { nodes { householdType } } }",
        ] {
            in_vain.push(ask(&hall, "fire.officer", operation, json!({ "id": ids[4] }), CASE).await);
        }

        let drawn = flags(&hall).await;
        assert_eq!(drawn[&own], json!(["OWN_RECORD"]));
        for record in &in_vain {
            assert_eq!(drawn[record], json!(["OWN_RECORD"]), "{in_vain:?}");
        }
        assert_eq!(drawn[&colleague], json!(["COLLEAGUE_RECORD"]));
        assert_eq!(drawn[&second], json!(["OWN_RECORD"]));
        assert_eq!(drawn[&both], json!(["OWN_RECORD", "COLLEAGUE_RECORD"]));
        assert!(drawn.get(&before).is_none_or(|flags| *flags == json!([])), "not tried on old records");
        assert!(drawn.get(&stranger).is_none_or(|flags| *flags == json!([])), "drawn by chance at most");

        // The number itself is kept nowhere: neither with the account nor with the step.
        let db = hall.app.accounts.db();
        let accounts = account::Entity::find().all(db).await.expect("accounts");
        assert_eq!(accounts.iter().filter(|account| account.holder.is_some()).count(), 3);
        let kept = format!("{accounts:?} {:?}", step::Entity::find().all(db).await.expect("steps"));
        assert!(ids.iter().all(|id| !kept.contains(id.as_str())), "a national id in the clear");

        // Forgotten, or gone: no colleague any more.
        // Whose account it is is said once: who runs an agency cannot try one number after another.
        for other in ["", ids[9].as_str()] {
            change(&hall, "fire.admin", "fire.officer", json!({ "nationalId": other })).await.refused(Code::Forbidden);
        }
        let forgotten = change(&hall, "it.admin", "fire.officer", json!({ "nationalId": "" })).await;
        assert_eq!(forgotten.step()["identified"], false);
        for who in ["ethics.officer", "fire.officer"] {
            let told = hall.ask(who, "{ inbox { textZh } }", json!({})).await;
            assert!(told.data()["inbox"].to_string().contains("已更正帳號 fire.officer 之持有人登記"), "{who}");
        }
        let close = "mutation { step: closeAccount(account: \"fire.second\", reason: \"離職\") { status } }";
        hall.ask("fire.admin", close, json!({})).await.step();
        assert_eq!(flags(&hall).await.get(&colleague).filter(|flags| **flags != json!([])), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_about_an_account() {
    for mut hall in Hall::on_each().await {
        hall.staffed().await;
        let moved = json!({ "title": "火災預防科承辦人", "email": "officer@fire.example" });
        let changed = change(&hall, "fire.admin", "fire.officer", moved).await;
        assert_eq!(
            changed.step(),
            &json!({ "account": "fire.officer", "title": "火災預防科承辦人", "email": "officer@fire.example", "identified": false })
        );
        let changed = change(&hall, "fire.admin", "fire.officer", json!({ "email": "" })).await;
        assert_eq!((&changed.step()["email"], &changed.step()["title"]), (&Value::Null, &json!("火災預防科承辦人")));

        for wrong in [
            json!({ "email": "nobody" }),
            json!({ "email": "a@b@c" }),
            json!({ "title": " " }),
            json!({ "nationalId": "A123456780" }),
            json!({ "nationalId": "12345678" }),
            json!({}),
        ] {
            change(&hall, "fire.admin", "fire.officer", wrong).await.refused(Code::BadUserInput);
        }
        // One person, one account, by the national id as by the number in the agency's files.
        let id = json!({ "nationalId": "A123456789" });
        change(&hall, "fire.admin", "fire.officer", id.clone()).await.step();
        change(&hall, "fire.admin", "fire.officer", id.clone()).await.step();
        change(&hall, "tax.admin", "tax.clerk", id.clone()).await.refused(Code::Conflict);
        let open = "mutation($input: AccountInput!) { step: openAccount(input: $input) { account { identified } } }";
        let mut input = json!({
            "account": "tax.other", "title": "承辦人", "staffNumber": "S-9", "roles": ["GENERAL_USER"], "nationalId": "A123456789",
        });
        hall.ask("tax.admin", open, json!({ "input": input })).await.refused(Code::Conflict);
        input["nationalId"] = "A123456780".into();
        hall.ask("tax.admin", open, json!({ "input": input })).await.refused(Code::BadUserInput);
        input["nationalId"] = "B123456780".into();
        let opened = hall.ask("tax.admin", open, json!({ "input": input })).await;
        assert_eq!(opened.step()["account"]["identified"], true);

        // Whose account it is to look after stays as it is.
        let title = json!({ "title": "其他" });
        change(&hall, "tax.admin", "fire.officer", title.clone()).await.refused(Code::NotFound);
        change(&hall, "fire.admin", "fire.admin", title.clone()).await.refused(Code::Forbidden);
        change(&hall, "fire.admin", "fire.head", title.clone()).await.refused(Code::Forbidden);
        change(&hall, "fire.officer", "fire.officer", title.clone()).await.refused(Code::Forbidden);
        let client =
            "mutation { step: openClient(clientId: \"fire.machine\", title: \"排程\") { account { account } } }";
        hall.ask("fire.admin", client, json!({})).await.step();
        change(&hall, "fire.admin", "fire.machine", id).await.refused(Code::Forbidden);
        let close = "mutation { step: closeAccount(account: \"fire.officer\", reason: \"離職\") { status } }";
        hall.ask("fire.admin", close, json!({})).await.step();
        change(&hall, "fire.admin", "fire.officer", title).await.refused(Code::Conflict);
    }
}
