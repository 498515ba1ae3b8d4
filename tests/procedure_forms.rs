//! Forms over time: nothing opens without an audit plan, a form changes by a further application only and shows what
//! changes, ends on its day, and what is explained is what happens.

use crate::support;

use crate::support::hall::Hall;
use crate::support::hall_steps::{Application, DECIDE, OPEN, PERMITS, permit_items, person_items};
use cityquery::access::Code;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_opens_without_an_audit_plan() {
    let mut hall = Hall::on_sqlite().await;
    hall.staffed().await;
    hall.offer_everything("household.dba").await;
    let drafted = hall.draft("fire.admin", Hall::input(&person_items())).await;
    let submitted = hall.submit("fire.admin", &drafted).await;
    let approved = hall.decide("household.dba", &submitted, "APPROVE", "").await;
    let variables = json!({ "number": approved.number, "revision": approved.revision });
    let refused = hall.ask("it.admin", OPEN, variables.clone()).await;
    assert_eq!(refused.refused(Code::Forbidden)["extensions"]["clause"], "6(3)");
    // Personal data knows no waiver.
    let waive = "mutation { step: fileAuditPlan(dataset: \"household\", content: \"公開資料\", intervalDays: 182, waived: true) \
                 { version } }";
    assert_eq!(
        hall.ask("household.dba", waive, json!({})).await.refused(Code::Forbidden)["extensions"]["clause"],
        "6(3)"
    );
    hall.plan("household.dba", "household").await;
    hall.ask("it.admin", OPEN, variables).await.step();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_changes_by_a_further_application_only() {
    for mut hall in Hall::on_each().await {
        hall.prepared().await;
        let both: Vec<Value> = [permit_items(), person_items()]
            .iter()
            .flat_map(|items| items.as_array().expect("items").clone())
            .collect();
        hall.granted("fire.admin", json!(both), &["building.dba", "household.dba"], "FIRE-2026-001").await;
        hall.handed_on("fire.admin", "FIRE-2026-001", &["fire.officer"]).await;
        hall.ask("fire.officer", PERMITS, json!({})).await.data();

        // One custodian is asked for less; the other is not turned to and keeps what it granted.
        let less = json!([
            { "coordinate": "Query.usePermits", "uses": ["SELECT"], "reason": "查核" },
            { "coordinate": "UsePermit.permitNo", "uses": ["SELECT"], "reason": "查核" },
            { "coordinate": "UsePermit.status", "uses": ["SELECT"], "reason": "查核" },
        ]);
        let mut input = Hall::input(&less);
        input["form"] = "FIRE-2026-001".into();
        input["until"] = "2027-12-31".into();
        let drafted = hall.draft("fire.admin", input).await;
        let shown = "query($number: String!) { application(number: $number) { difference { coordinate change before { uses } \
                     after { uses } } } }";
        let shown = hall.ask("fire.admin", shown, json!({ "number": drafted.number })).await;
        let difference = shown.data()["application"]["difference"].as_array().expect("differences").clone();
        let changes: Vec<(&str, &str)> = difference
            .iter()
            .map(|one| (one["coordinate"].as_str().expect("a name"), one["change"].as_str().expect("a word")))
            .collect();
        assert!(changes.contains(&("Query.usePermits", "CHANGED")), "{changes:?}");
        assert!(changes.contains(&("UsePermit.floorsAbove", "REMOVED")), "{changes:?}");
        assert!(changes.contains(&("UsePermit.status", "ADDED")), "{changes:?}");
        assert!(!changes.iter().any(|(name, _)| name.starts_with("Person.")), "what stays is no change: {changes:?}");

        let submitted = hall.submit("fire.admin", &drafted).await;
        // Until it is opened, the form is what it was.
        let approved = hall.decide("building.dba", &submitted, "APPROVE", "").await;
        hall.ask("fire.officer", PERMITS, json!({})).await.data();
        hall.open_form(&approved, "FIRE-2026-001").await;
        let denied = hall.ask("fire.officer", PERMITS, json!({})).await;
        denied.refused(Code::Forbidden);
        let form = hall
            .ask(
                "fire.admin",
                "{ masterForm(number: \"FIRE-2026-001\") { version until items { coordinate } } }",
                json!({}),
            )
            .await;
        let form = &form.data()["masterForm"];
        assert_eq!((&form["version"], &form["until"]), (&json!(2), &json!("2026-12-31")), "no longer than was granted");
        assert!(form["items"].to_string().contains("Person.name"), "{form:#}");

        // It ends on its day.
        let names = "{ persons(first: 1) { nodes { name } } }";
        hall.ask("fire.officer", names, json!({})).await.data();
        hall.clock.advance(time::Duration::days(305));
        hall.app
            .accounts
            .set_known_passwords(&[("fire.officer".into(), support::hall::PASSWORD.into())])
            .await
            .expect("sets");
        hall.sign_in("fire.officer", support::hall::PASSWORD).await;
        hall.ask("fire.officer", names, json!({})).await.refused(Code::Forbidden);
    }
}

/// Who comes to inspect or to decide is no longer, or not yet, among those who query.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_inspects_or_decides_on_what_they_use() {
    let mut hall = Hall::on_sqlite().await;
    hall.prepared().await;
    hall.granted("fire.admin", permit_items(), &["building.dba"], "FIRE-2026-001").await;
    hall.handed_on("fire.admin", "FIRE-2026-001", &["fire.officer"]).await;
    let promote = "mutation { step: setRoles(account: \"fire.officer\", roles: [BUSINESS_ADMINISTRATOR]) { roles } }";
    let refused = hall.ask("it.admin", promote, json!({})).await;
    assert_eq!(refused.refused(Code::Conflict)["extensions"]["current"]["userGroup"], "users");
    let remove = "mutation { step: removeMember(group: \"users\", account: \"fire.officer\") { members } }";
    hall.ask("fire.admin", remove, json!({})).await.step();
    hall.ask("it.admin", promote, json!({})).await.step();
    hall.ask("fire.officer", PERMITS, json!({})).await.refused(Code::Forbidden);
    let add = "mutation { step: addMember(group: \"users\", account: \"fire.officer\") { members } }";
    hall.ask("fire.admin", add, json!({})).await.refused(Code::Forbidden);

    // fire.dba may use the form, whose items others decided on; then it does not decide on what the form becomes.
    hall.add_member("fire.admin", "fire.dba").await;
    let mut input = Hall::input(&json!([
        { "coordinate": "Query.firePremises", "uses": ["SELECT"], "reason": "查核" },
    ]));
    input["form"] = "FIRE-2026-001".into();
    let drafted = hall.draft("fire.admin", input).await;
    let submitted = hall.submit("fire.admin", &drafted).await;
    let decide = json!({ "number": submitted.number, "revision": submitted.revision, "decision": "APPROVE" });
    let own = hall.ask("fire.dba", DECIDE, decide).await;
    assert_eq!(own.refused(Code::Forbidden)["extensions"]["clause"], "7");
    hall.decide("fire.head", &submitted, "APPROVE", "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_explained_is_what_happens() {
    let mut hall = Hall::on_sqlite().await;
    hall.prepared().await;
    hall.granted("fire.admin", permit_items(), &["building.dba"], "FIRE-2026-001").await;
    hall.handed_on("fire.admin", "FIRE-2026-001", &["fire.officer"]).await;
    let explain = "query($operation: String!, $variables: JSON) { explain(operation: $operation, variables: $variables) { form \
                   refusals cost decisions { coordinate use granted level item { coordinate } custodian } statements { datasets \
                   sql } } }";
    let operation =
        "query($no: PermitNumber!) { usePermits(where: { permitNo: { _eq: $no } }) { nodes { permitNo } } }";
    let variables = json!({ "operation": operation, "variables": { "no": "104使字第0012號" } });
    let explained = hall.ask("fire.officer", explain, variables).await;
    let explained = &explained.data()["explain"];
    assert_eq!(explained["form"], "FIRE-2026-001/1");
    assert_eq!(explained["refusals"], json!([]));
    let decisions = explained["decisions"].as_array().expect("decisions");
    assert!(
        decisions.iter().all(|one| one["granted"] == true && one["custodian"] == "building-office"),
        "{decisions:#?}"
    );
    assert!(decisions.iter().any(|one| one["coordinate"] == "UsePermit.permitNo" && one["use"] == "FILTER"));
    let statements = explained["statements"].as_array().expect("statements");
    assert!(statements[0]["datasets"].to_string().contains("building"), "{statements:#?}");
    assert!(!explained.to_string().contains("0012"), "no value stands in it");

    let denied = json!({ "operation": "{ usePermits(where: { status: { _eq: \"x\" } }) { nodes { permitNo } } }" });
    let explained = hall.ask("fire.officer", explain, denied).await;
    let explained = &explained.data()["explain"];
    assert_eq!(explained["statements"], json!([]));
    assert!(explained["refusals"][0].as_str().is_some_and(|text| text.contains("UsePermit.status")), "{explained:#}");
    // Somebody else's form is not explained.
    let foreign =
        "query { explain(operation: \"{ usePermits { nodes { permitNo } } }\", form: \"FIRE-2026-001\") { form } }";
    hall.ask("tax.clerk", foreign, json!({})).await.refused(Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_told_and_nothing_is_lost() {
    let mut hall = Hall::on_sqlite().await;
    hall.prepared().await;
    let create = "mutation($input: ApplicationInput!) { step: createApplication(input: $input) { number revision } }";
    let wrong = [
        ("items", json!([{ "coordinate": "Person.nmae", "uses": ["SELECT"] }])),
        ("items", json!([{ "coordinate": "Person.{name nmae}", "uses": ["SELECT"] }])),
        ("items", json!([{ "coordinate": "Person.name", "uses": [] }])),
        ("items", json!([{ "coordinate": "Parcel.areaM2", "uses": ["SELECT"], "level": "MASKED" }])),
        ("items", json!([])),
        ("until", json!("2026-01-01")),
        ("legalBasis", json!(" ")),
        ("purposes", json!([{ "code": "Fire Safety", "title": "消防" }])),
        ("title", json!("")),
        ("title", json!("\u{200b}")),
    ];
    for (field, value) in wrong {
        let mut input = Hall::input(&permit_items());
        input[field] = value.clone();
        let refused =
            hall.ask_with("fire.admin", create, json!({ "input": input }), &[("accept-language", "zh-TW")]).await;
        let error = refused.refused(Code::BadUserInput);
        assert!(error["message"].as_str().is_some_and(|text| text.contains(field)), "{field} {value}: {error:#}");
    }
    for broken in [json!({ "input": { "title": 1 } }), json!({}), json!({ "input": null })] {
        let reply = hall.ask("fire.admin", create, broken).await;
        assert!(matches!(reply.code(), "BAD_USER_INPUT" | "GRAPHQL_VALIDATION_FAILED"), "{:#}", reply.body);
    }
    // One operation takes one step.
    let two = "mutation { a: putUserGroup(name: \"a\", title: \"a\") { name } b: putUserGroup(name: \"b\", title: \"b\") { name } }";
    hall.ask("fire.admin", two, json!({})).await.refused(Code::ValidationFailed);
    assert_eq!(hall.ask("fire.admin", "{ userGroups { name } }", json!({})).await.data()["userGroups"], json!([]));

    // What was entered stays, however often it is changed, attached to, handed in and returned.
    let drafted = hall.draft("fire.admin", Hall::input(&permit_items())).await;
    let submitted = hall.submit("fire.admin", &drafted).await;
    let returned = hall.decide("building.dba", &submitted, "RETURN", "補正").await;
    let change = "mutation($number: String!, $revision: Int!, $input: ApplicationInput!) { step: changeApplication(\
                  number: $number, revision: $revision, input: $input) { number revision annexes { items { coordinate } } } }";
    let mut input = Hall::input(&permit_items());
    input["title"] = "補正後".into();
    let variables = json!({ "number": returned.number, "revision": returned.revision, "input": input });
    let changed = hall.ask("fire.admin", change, variables).await;
    assert_eq!(changed.step()["annexes"][0]["items"].as_array().map(Vec::len), Some(4));
    let withdrawn = "mutation($number: String!, $revision: Int!) { step: withdrawApplication(number: $number, revision: $revision) \
                     { status title annexes { comment } } }";
    let now = Application::of(changed.step());
    let variables = json!({ "number": now.number, "revision": now.revision });
    let withdrawn = hall.ask("fire.admin", withdrawn, variables).await;
    assert_eq!(
        withdrawn.step(),
        &json!({ "status": "WITHDRAWN", "title": "補正後", "annexes": [{ "comment": "補正" }] })
    );
}

/// A draft from a refused operation changes the form in use: what it lacks is added, everything else stays, and once it is
/// opened and handed on the same operation is answered.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_operation_drafts_a_change_of_the_form_in_use() {
    let draft = "mutation($operation: String!, $code: String!) { step: draftApplication(operation: $operation, purpose: { code: \
                 $code, title: \"消防安全\" }, legalBasis: \"消防法第七條\", reason: \"年度查核\") { number revision form until \
                 legalBasis purposes { code } annexes { custodian items { coordinate uses reason } } difference { coordinate \
                 change before { uses } after { uses } } } }";
    let more = "{ usePermits(first: 1, where: { status: { _neq: \"x\" } }) { nodes { permitNo status } } \
                parcels(first: 1) { nodes { parcelNo } } }";
    for mut hall in Hall::on_each().await {
        hall.prepared().await;
        let both: Vec<Value> = [permit_items(), person_items()]
            .iter()
            .flat_map(|items| items.as_array().expect("items").clone())
            .collect();
        hall.granted("fire.admin", json!(both), &["building.dba", "household.dba"], "FIRE-2026-001").await;
        hall.handed_on("fire.admin", "FIRE-2026-001", &["fire.officer"]).await;
        hall.ask("fire.officer", more, json!({})).await.refused(Code::Forbidden);

        let variables = json!({ "operation": more, "code": "fire-safety" });
        let drafted = hall.ask("fire.officer", draft, variables.clone()).await;
        let drafted = drafted.step();
        assert_eq!((&drafted["form"], &drafted["until"]), (&json!("FIRE-2026-001"), &json!("2026-12-31")));
        assert_eq!(drafted["legalBasis"], "消防法第六條；消防法第七條");
        let added = |coordinate: &str, uses: &[&str]| json!({ "coordinate": coordinate, "change": "ADDED", "before": null, "after": { "uses": uses } });
        assert_eq!(
            drafted["difference"],
            json!([
                added("Parcel.parcelNo", &["SELECT"]),
                added("Query.parcels", &["SELECT"]),
                added("UsePermit.status", &["SELECT", "FILTER"]),
            ])
        );
        // The household office is not turned to; the building office is asked for what it granted, too.
        let custodians: Vec<&Value> =
            drafted["annexes"].as_array().expect("annexes").iter().map(|annex| &annex["custodian"]).collect();
        assert_eq!(custodians, ["building-office", "land-office"]);
        assert!(drafted["annexes"][0].to_string().contains("UsePermit.floorsAbove"));
        let told = hall.ask("fire.admin", "{ inbox(unreadOnly: true) { about number textEn } }", json!({})).await;
        assert!(
            told.data()["inbox"][0]["textEn"].as_str().is_some_and(|text| text.contains("fire.officer has drafted"))
        );

        let mut on_its_way = hall.submit("fire.admin", &Application::of(drafted)).await;
        for by in ["building.dba", "land.dba"] {
            on_its_way = hall.decide(by, &on_its_way, "APPROVE", "").await;
        }
        hall.open_form(&on_its_way, "FIRE-2026-001").await;
        // The master form grants it now, the sub-form not yet: nothing is to be applied for.
        let refused = hall.ask("fire.officer", draft, variables.clone()).await;
        let text = refused.refused(Code::BadUserInput)["message"].as_str().expect("a text").to_owned();
        assert!(text.contains("hands it on"), "{text}");
        let all =
            "mutation { step: putDirectoryGroup(form: \"FIRE-2026-001\", name: \"all\", title: \"全部\") { name } }";
        hall.ask("fire.admin", all, json!({})).await.step();
        hall.ask("fire.officer", more, json!({})).await.data();
        hall.ask("fire.officer", "{ persons(first: 1) { nodes { name } } }", json!({})).await.data();
        hall.ask("fire.officer", draft, variables).await.refused(Code::BadUserInput);

        // What was granted for one purpose serves no other: another purpose needs all of it, in a form of its own.
        let other = hall.ask("fire.officer", draft, json!({ "operation": PERMITS, "code": "urban-renewal" })).await;
        assert_eq!((&other.step()["form"], &other.step()["difference"]), (&Value::Null, &json!([])));
        assert_eq!(other.step()["annexes"][0]["items"].as_array().map(Vec::len), Some(3), "{}", other.step());
    }
}

/// A draft asks for no more than answers the operation: what can be masked and is only shown is asked for masked, unless the
/// applicant says otherwise; what is compared as well cannot be masked.
#[tokio::test(flavor = "multi_thread")]
async fn a_drafted_application_asks_for_the_least() {
    let draft = "mutation($operation: String!, $level: Level) { step: draftApplication(operation: $operation, level: $level, \
                 purpose: { code: \"fire-safety\", title: \"消防安全\" }, legalBasis: \"消防法第七條\", reason: \"年度查核\") \
                 { annexes { items { coordinate level } } } }";
    let operation = "{ persons(first: 1, where: { birthDate: { _lt: \"1950-01-01\" } }) { nodes { name nationalId birthDate sex } } }";
    for mut hall in Hall::on_each().await {
        hall.prepared().await;
        let asked = async |level: Value| {
            let drafted = hall.ask("fire.officer", draft, json!({ "operation": operation, "level": level })).await;
            let items = drafted.step()["annexes"][0]["items"].as_array().expect("items").clone();
            let masked = items.into_iter().filter(|item| item["level"] == "MASKED");
            masked.map(|item| item["coordinate"].as_str().expect("a coordinate").to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(asked(Value::Null).await, ["Person.name", "Person.nationalId", "Person.sex"]);
        assert_eq!(asked("MASKED".into()).await, ["Person.name", "Person.nationalId", "Person.sex"]);
        assert!(asked("FULL".into()).await.is_empty());
    }
}

/// 撤銷附表: what was approved before, and is not opened yet, does not bring back what a custodian has taken out since.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_custodian_takes_out_comes_back_by_another_decision_only() {
    let names = "{ persons(first: 1) { nodes { name } } }";
    for mut hall in Hall::on_each().await {
        hall.prepared().await;
        let both: Vec<Value> = [permit_items(), person_items()]
            .iter()
            .flat_map(|items| items.as_array().expect("items").clone())
            .collect();
        hall.granted("fire.admin", json!(both), &["building.dba", "household.dba"], "FIRE-2026-001").await;
        hall.handed_on("fire.admin", "FIRE-2026-001", &["fire.officer"]).await;
        hall.ask("fire.officer", names, json!({})).await.data();
        let mut input = Hall::input(&json!(both));
        input["form"] = "FIRE-2026-001".into();
        let mut waiting = hall.submit("fire.admin", &hall.draft("fire.admin", input).await).await;
        for by in ["building.dba", "household.dba"] {
            waiting = hall.decide(by, &waiting, "APPROVE", "").await;
        }
        let revoke = "mutation { step: revokeAnnex(form: \"FIRE-2026-001\", reason: \"查有不當查詢\") { version } }";
        hall.ask("household.dba", revoke, json!({})).await.step();
        hall.ask("fire.officer", names, json!({})).await.refused(Code::Forbidden);

        let seen = json!({ "number": waiting.number, "revision": waiting.revision });
        let refused = hall.ask("it.admin", OPEN, seen).await;
        let current = refused.refused(Code::Conflict)["extensions"]["current"].clone();
        assert_eq!(
            (&current["status"], &current["annexes"]),
            (
                &json!("submitted"),
                &json!([
                    { "custodian": "building-office", "status": "approved" },
                    { "custodian": "civil-affairs", "status": "submitted" },
                ])
            )
        );
        hall.ask("fire.officer", names, json!({})).await.refused(Code::Forbidden);
        let inbox = hall.ask("fire.admin", "{ inbox { number textEn } }", json!({})).await;
        assert!(inbox.data()["inbox"].to_string().contains("decides anew"), "{:#}", inbox.body);
        // It is the custodian's to say that it is granted all the same.
        let now = Application { number: waiting.number, revision: current["revision"].as_i64().expect("a revision") };
        let approved = hall.decide("household.dba", &now, "APPROVE", "").await;
        hall.open_form(&approved, "FIRE-2026-001").await;
        hall.ask("fire.officer", names, json!({})).await.data();
    }
}

/// 審核者不得使用: also while what was approved waits to be opened.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_joins_those_who_are_to_use_what_they_have_approved() {
    let premises = json!([
        { "coordinate": "Query.firePremises", "uses": ["SELECT"], "reason": "查核" },
        { "coordinate": "FirePremises.name", "uses": ["SELECT"], "reason": "查核" },
    ]);
    for mut hall in Hall::on_each().await {
        hall.prepared().await;
        hall.granted("fire.admin", permit_items(), &["building.dba"], "FIRE-2026-001").await;
        hall.handed_on("fire.admin", "FIRE-2026-001", &["fire.officer"]).await;
        let mut input = Hall::input(&premises);
        input["form"] = "FIRE-2026-001".into();
        let submitted = hall.submit("fire.admin", &hall.draft("fire.admin", input).await).await;
        let approved = hall.decide("fire.dba", &submitted, "APPROVE", "").await;
        let add = "mutation { step: addMember(group: \"users\", account: \"fire.dba\") { members } }";
        let refused = hall.ask("fire.admin", add, json!({})).await;
        let refused = refused.refused(Code::Forbidden);
        assert!(refused["message"].as_str().is_some_and(|text| text.contains(&approved.number)), "{refused:#}");
        // Taken back, nothing comes of it.
        let withdraw = "mutation($number: String!, $revision: Int!) { step: withdrawApplication(number: $number, revision: \
                        $revision) { status } }";
        let taken_back = json!({ "number": approved.number, "revision": approved.revision });
        hall.ask("fire.admin", withdraw, taken_back).await.step();
        hall.add_member("fire.admin", "fire.dba").await;
    }
}
