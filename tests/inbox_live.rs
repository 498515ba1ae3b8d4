//! The inbox, watched: a real WebSocket client hears what it is told as it is told, each event recorded before it is sent,
//! and no longer once its account is suspended.

use crate::support::hall::Hall;
use crate::support::socket::{connect, hear, listening, opened, say};
use cityquery::audit::Kind;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn what_one_is_told_arrives_as_it_is_told() {
    for mut hall in Hall::on_each().await {
        hall.staffed().await;
        let address = listening(&hall).await;
        let watching = hall.app.accounts.watch();

        // Without a token nothing opens.
        let mut stranger = connect(address).await;
        say(&mut stranger, json!({ "type": "connection_init", "payload": {} })).await;
        assert_eq!(hear(&mut stranger).await, json!({ "close": 4403 }));

        let mut socket = opened(address, hall.token("fire.officer")).await;
        let watch = json!({ "query": "subscription { inboxNotices { about number textZh } }" });
        say(&mut socket, json!({ "id": "1", "type": "subscribe", "payload": watch })).await;
        // Nothing but subscriptions is answered here; that it was asked is known.
        let before = hall.app.audit.record_count()();
        say(&mut socket, json!({ "id": "2", "type": "subscribe", "payload": { "query": "{ agencies { code } }" } }))
            .await;
        let refused = hear(&mut socket).await;
        assert_eq!((&refused["type"], &refused["id"]), (&json!("error"), &json!("2")), "{refused:#}");
        assert_eq!(refused["payload"][0]["extensions"]["code"], "BAD_USER_INPUT", "{refused:#}");
        assert_eq!(hall.app.audit.record_count()(), before + 1, "a refusal is a record, too");

        let group = "mutation { step: putUserGroup(name: \"users\", title: \"使用者\") { name } }";
        hall.ask("fire.admin", group, json!({})).await.step();
        let before = hall.app.audit.record_count()();
        hall.add_member("fire.admin", "fire.officer").await;
        let told = hear(&mut socket).await;
        assert_eq!(told["payload"]["data"]["inboxNotices"]["number"], "users", "{told:#}");
        // The step's two records, and the event's own.
        assert!(hall.app.audit.record_count()() >= before + 3, "{:?}", Kind::Procedure);

        let suspend = "mutation { step: suspendAccount(account: \"fire.officer\", reason: \"停用\") { status } }";
        hall.ask("fire.admin", suspend, json!({})).await.step();
        let ended = hear(&mut socket).await;
        assert_eq!((&ended["id"], &ended["type"]), (&json!("1"), &json!("complete")), "{ended:#}");

        // What is watched ends with the token, too.
        let mut socket = opened(address, hall.token("fire.admin")).await;
        let watch = json!({ "query": "subscription { inboxNotices { number } }" });
        say(&mut socket, json!({ "id": "3", "type": "subscribe", "payload": watch })).await;
        hall.clock.advance(time::Duration::minutes(16));
        assert_eq!(hear(&mut socket).await, json!({ "type": "complete", "id": "3" }));
        watching.abort();
    }
}
