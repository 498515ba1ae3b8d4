//! The procedure as those who walk it live it: each story begins with an empty city hall, goes through the front door
//! only, and ends with a right that is gone. On SQLite and on PostgreSQL.

use crate::support::hall::{Hall, PASSWORD, Reply};
use crate::support::hall_steps::{Application, DECIDE, OPEN, OPEN_SUB_FORM, PERMITS, permit_items, person_items};
use axum::http::{Request, header};
use cityquery::access::Code;
use serde_json::{Value, json};

const CASE: [(&str, &str); 1] = [("x-case-number", "115-FS-0001")];

/// 一般操作使用者: is refused, drafts what is lacking from the refused operation itself, reads once it is granted, is told,
/// and no longer reads once taken out of the group.
#[tokio::test(flavor = "multi_thread")]
async fn the_general_users_story() {
    for mut hall in Hall::on_each().await {
        hall.prepared().await;
        let refused = hall.ask("fire.officer", PERMITS, json!({})).await;
        refused.refused(Code::Forbidden);
        let missing = &refused.body["extensions"]["missing"];
        assert_eq!(missing[0]["custodian"], "building-office");
        assert_eq!(missing[0]["items"][0], json!({ "coordinate": "Query.usePermits", "uses": ["select"] }));
        assert_eq!(missing.as_array().map(Vec::len), Some(1), "{missing:#}");

        let draft = "mutation($operation: String!) { step: draftApplication(operation: $operation, purpose: { code: \"fire-safety\", \
                     title: \"消防安全\" }, legalBasis: \"消防法第六條\", reason: \"年度查核\") { number revision status draftedBy \
                     annexes { custodian items { coordinate uses reason } } } }";
        let drafted = hall.ask("fire.officer", draft, json!({ "operation": PERMITS })).await;
        let annexes = &drafted.step()["annexes"];
        assert_eq!(annexes[0]["custodian"], "building-office");
        let items: Vec<(&str, &Value)> = annexes[0]["items"]
            .as_array()
            .expect("items")
            .iter()
            .map(|item| (item["coordinate"].as_str().expect("a coordinate"), &item["uses"]))
            .collect();
        let asked = [
            ("Query.usePermits", &json!(["SELECT"])),
            ("UsePermit.permitNo", &json!(["SELECT", "ORDER"])),
            ("UsePermit.floorsAbove", &json!(["SELECT"])),
        ];
        assert_eq!(items, asked, "exactly what it lacks");

        // Handing it in is the business administrator's.
        let application = Application::of(drafted.step());
        let submit = "mutation { step: submitApplication(number: \"A-2026-0001\", revision: 1) { number } }";
        hall.ask("fire.officer", submit, json!({})).await.refused(Code::Forbidden);
        let submitted = hall.submit("fire.admin", &application).await;
        let approved = hall.decide("building.dba", &submitted, "APPROVE", "").await;
        hall.open_form(&approved, "FIRE-2026-001").await;
        hall.ask("fire.officer", PERMITS, json!({})).await.refused(Code::Forbidden);
        let number = hall.handed_on("fire.admin", "FIRE-2026-001", &["fire.officer"]).await;
        assert_eq!(number, "FIRE-2026-001/1");

        let read = hall.ask("fire.officer", PERMITS, json!({})).await;
        assert!(read.data()["usePermits"]["nodes"].is_array());
        let told = hall.ask("fire.officer", "{ inbox { id about number textZh readAt } }", json!({})).await;
        let told = told.data()["inbox"].as_array().expect("notices").clone();
        assert!(told.iter().any(|notice| notice["number"] == "FIRE-2026-001/1"), "{told:#?}");
        let ids: Vec<&Value> = told.iter().map(|notice| &notice["id"]).collect();
        let mark = "mutation($ids: [ID!]!) { step: markNoticesRead(notices: $ids) }";
        assert_eq!(hall.ask("fire.officer", mark, json!({ "ids": ids })).await.step(), &json!(told.len()));
        assert_eq!(hall.ask("tax.clerk", mark, json!({ "ids": ids })).await.step(), &json!(0), "others' stay");

        // Why could she read this? One question leads back to the decision and who took it.
        let record = read.body["extensions"]["audit"].clone();
        let why = "query($record: String!) { why: provenance(record: $record, coordinate: \"UsePermit.permitNo\") { account form \
                   version subForm userGroup openedBy item { coordinate uses } annex { custodian decidedBy decisionNumber } \
                   application { number draftedBy submittedBy } } }";
        let why = hall.ask("ethics.officer", why, json!({ "record": record })).await;
        assert_eq!(
            why.data()["why"],
            json!({
                "account": "fire.officer", "form": "FIRE-2026-001", "version": 1, "subForm": "FIRE-2026-001/1",
                "userGroup": "users", "openedBy": "it.admin",
                "item": { "coordinate": "UsePermit.permitNo", "uses": ["SELECT", "ORDER"] },
                "annex": { "custodian": "building-office", "decidedBy": "building.dba", "decisionNumber": "D-2026-0001" },
                "application": { "number": "A-2026-0001", "draftedBy": "fire.officer", "submittedBy": "fire.admin" },
            })
        );

        let remove = "mutation { step: removeMember(group: \"users\", account: \"fire.officer\") { members } }";
        assert_eq!(hall.ask("fire.admin", remove, json!({})).await.step()["members"], json!([]));
        hall.ask("fire.officer", PERMITS, json!({})).await.refused(Code::Forbidden);
    }
}

/// 業務系統管理者: opens accounts, files rules before anything opens, hands on less than was granted, never more, and is
/// never one of those who query.
#[tokio::test(flavor = "multi_thread")]
async fn the_business_administrators_story() {
    for mut hall in Hall::on_each().await {
        hall.staffed().await;
        hall.offer_everything("building.dba").await;
        hall.plan("building.dba", "building").await;
        hall.granted("fire.admin", permit_items(), &["building.dba"], "FIRE-2026-001").await;

        // A first password opens nothing but its own change.
        hall.person("fire.admin", "fire.second", "fire-department", "GENERAL_USER").await;
        // One person, one account; roles of the agency's users only, of one's own agency only.
        let open = "mutation($input: AccountInput!) { step: openAccount(input: $input) { firstPassword } }";
        let account = |name: &str, agency: &str, staff: &str, role: &str| json!({ "input": { "account": name, "agency": agency, "title": "承辦人", "staffNumber": staff, "roles": [role] } });
        let twice = account("fire.twin", "fire-department", "S-fire.second", "GENERAL_USER");
        hall.ask("fire.admin", open, twice).await.refused(Code::Conflict);
        let other = account("tax.spy", "revenue-service", "S-1", "GENERAL_USER");
        hall.ask("fire.admin", open, other).await.refused(Code::Forbidden);
        let crown = account("fire.king", "fire-department", "S-2", "AGENCY_HEAD");
        hall.ask("fire.admin", open, crown).await.refused(Code::Forbidden);

        // No sub-form before the rules are on file with everybody.
        let what = "mutation { step: putDirectoryGroup(form: \"FIRE-2026-001\", name: \"numbers\", title: \"執照號碼\", items: \
                    [{ coordinate: \"Query.usePermits\", uses: [SELECT] }, { coordinate: \"UsePermit.permitNo\", uses: \
                    [SELECT, ORDER] }]) { items { coordinate uses } } }";
        assert_eq!(hall.ask("fire.admin", what, json!({})).await.step()["items"].as_array().map(Vec::len), Some(2));
        let who = "mutation { step: putUserGroup(name: \"users\", title: \"使用者\") { name } }";
        hall.ask("fire.admin", who, json!({})).await.step();
        let input = json!({ "input": {
            "form": "FIRE-2026-001", "title": "查核", "directoryGroup": "numbers", "userGroup": "users",
        } });
        let refused = hall.ask("fire.admin", OPEN_SUB_FORM, input.clone()).await;
        assert_eq!(refused.refused(Code::Forbidden)["extensions"]["clause"], "8(1)");
        let version = hall.file_rules_only("fire.admin").await;
        for by in ["building.dba", "it.admin"] {
            hall.acknowledge(by, "fire-department", version).await;
        }
        let refused = hall.ask("fire.admin", OPEN_SUB_FORM, input.clone()).await;
        let text = refused.refused(Code::Forbidden)["message"].as_str().expect("a text").to_owned();
        assert!(text.contains("evaluation-commission"), "{text}");
        hall.acknowledge("commission.officer", "fire-department", version).await;
        assert_eq!(hall.ask("fire.admin", OPEN_SUB_FORM, input).await.step()["number"], "FIRE-2026-001/1");

        // A group cannot hold what the master form does not.
        let more = "mutation { step: putDirectoryGroup(form: \"FIRE-2026-001\", name: \"more\", title: \"更多\", items: \
                    [{ coordinate: \"UsePermit.status\", uses: [SELECT] }]) { name } }";
        hall.ask("fire.admin", more, json!({})).await.refused(Code::BadUserInput);
        // Who inspects is never the one inspected.
        let add = "mutation($account: String!) { step: addMember(group: \"users\", account: $account) { members } }";
        hall.ask("fire.admin", add, json!({ "account": "fire.admin" })).await.refused(Code::Forbidden);
        hall.ask("fire.admin", add, json!({ "account": "tax.clerk" })).await.refused(Code::NotFound);
        hall.add_member("fire.admin", "fire.officer").await;

        // The sub-form holds less than the master form.
        let numbers = "{ usePermits(first: 3, orderBy: [{ permitNo: ASC }]) { nodes { permitNo } } }";
        hall.ask("fire.officer", numbers, json!({})).await.data();
        let denied = hall.ask("fire.officer", PERMITS, json!({})).await;
        assert_eq!(denied.refused(Code::Forbidden)["extensions"]["coordinate"], "UsePermit.floorsAbove");

        let close = "mutation { step: closeSubForm(number: \"FIRE-2026-001/1\", reason: \"業務結束\") { status } }";
        assert_eq!(hall.ask("fire.admin", close, json!({})).await.step()["status"], "CLOSED");
        hall.ask("fire.officer", numbers, json!({})).await.refused(Code::Forbidden);
        // A person who leaves is out at once.
        let leave = "mutation { step: closeAccount(account: \"fire.officer\", reason: \"離職\") { status } }";
        assert_eq!(hall.ask("fire.admin", leave, json!({})).await.step()["status"], "CLOSED");
        hall.ask("fire.officer", "{ inbox { id } }", json!({})).await.refused(Code::Unauthenticated);
    }
}

/// 資料庫系統管理者: says what may be asked for, returns what asks too much, approves what was mended, and takes it back.
#[tokio::test(flavor = "multi_thread")]
async fn the_database_administrators_story() {
    for mut hall in Hall::on_each().await {
        hall.prepared().await;
        let masked = json!([
            { "coordinate": "Query.persons", "uses": ["SELECT"] },
            { "coordinate": "Person.name", "uses": ["SELECT"], "level": "MASKED" },
        ]);
        hall.offer(
            "household.dba",
            json!({
                "items": masked, "purposes": [{ "code": "fire-safety", "title": "消防安全" }], "caseRequired": true,
                "legalBases": ["消防法第六條"], "longestDays": 400, "attachments": ["保密切結書"],
            }),
        )
        .await;
        let foreign = "mutation { step: defineOffer(input: { purposes: [], legalBases: [], longestDays: 30, caseRequired: false, \
                       attachments: [], items: [{ coordinate: \"Parcel.parcelNo\", uses: [SELECT] }] }) { version } }";
        hall.ask("household.dba", foreign, json!({})).await.refused(Code::BadUserInput);

        // What asks for more than is offered cannot even be handed in; every fault is told.
        let greedy = json!([
            { "coordinate": "Query.persons", "uses": ["SELECT", "FILTER"] },
            { "coordinate": "Person.name", "uses": ["SELECT"] },
        ]);
        let drafted = hall.draft("fire.admin", Hall::input(&greedy)).await;
        let submit = "mutation($number: String!, $revision: Int!) { step: submitApplication(number: $number, revision: $revision) \
                      { number revision } }";
        let variables = json!({ "number": drafted.number, "revision": drafted.revision });
        let refused = hall.ask("fire.admin", submit, variables).await;
        let faults = refused.refused(Code::BadUserInput)["extensions"]["faults"].as_array().expect("faults").clone();
        assert_eq!(faults.len(), 4, "attachment, two items, a reason: {faults:#?}");

        let change = "mutation($number: String!, $revision: Int!, $input: ApplicationInput!) { step: changeApplication(\
                      number: $number, revision: $revision, input: $input) { number revision } }";
        let input = Hall::input(&person_items());
        let variables = json!({ "number": drafted.number, "revision": drafted.revision, "input": input });
        let changed = Application::of(hall.ask("fire.admin", change, variables).await.step());
        let attach = "mutation($number: String!, $revision: Int!) { step: attachDocument(number: $number, revision: $revision, \
                      input: { name: \"切結書.pdf\", mediaType: \"application/pdf\", fulfils: \"保密切結書\", content: \"JVBERi0=\" }) \
                      { number revision documents { id sha256 bytes } } }";
        let variables = json!({ "number": changed.number, "revision": changed.revision });
        let attached = hall.ask("fire.admin", attach, variables).await;
        assert_eq!(attached.step()["documents"][0]["bytes"], 5);
        let submitted = hall.submit("fire.admin", &Application::of(attached.step())).await;

        // Returned, mended, approved. A custodian sees what it decides on, and others' drafts never.
        let returned = hall.decide("household.dba", &submitted, "RETURN", "請敘明用途").await;
        let told = hall.ask("fire.admin", "{ inbox(unreadOnly: true) { textEn } }", json!({})).await;
        assert!(told.data()["inbox"].to_string().contains("請敘明用途"));
        let again = hall.submit("fire.admin", &returned).await;
        let approved = hall.decide("household.dba", &again, "APPROVE", "").await;
        let letter = "query($number: String!) { application(number: $number) { decisionLetter printable } }";
        let pages = hall.ask("household.dba", letter, json!({ "number": approved.number })).await;
        let letter = pages.data()["application"]["decisionLetter"].as_str().expect("a letter").to_owned();
        assert!(letter.contains("核准") && letter.contains("D-2026-0002"), "{letter}");
        hall.ask(
            "land.dba",
            "query($number: String!) { application(number: $number) { number } }",
            json!({ "number": approved.number }),
        )
        .await
        .refused(Code::NotFound);

        hall.open_form(&approved, "FIRE-2026-001").await;
        hall.handed_on("fire.admin", "FIRE-2026-001", &["fire.officer"]).await;
        let names = "{ persons(first: 2) { nodes { name } } }";
        let without_case = hall.ask("fire.officer", names, json!({})).await;
        without_case.refused(Code::PurposeRequired);
        hall.ask_with("fire.officer", names, json!({}), &CASE).await.data();

        let revoke = "mutation { step: revokeAnnex(form: \"FIRE-2026-001\", reason: \"用途不符\") { version items { coordinate } } }";
        hall.ask("land.dba", revoke, json!({})).await.refused(Code::NotFound);
        let revoked = hall.ask("household.dba", revoke, json!({})).await;
        assert_eq!(revoked.step(), &json!({ "version": 2, "items": [] }));
        // What it granted once stays known to it; there is nothing left to take back.
        let seen = hall.ask("household.dba", "{ masterForms { number version } }", json!({})).await;
        assert_eq!(seen.data()["masterForms"], json!([{ "number": "FIRE-2026-001", "version": 2 }]));
        hall.ask("household.dba", revoke, json!({})).await.refused(Code::Conflict);
        hall.ask_with("fire.officer", names, json!({}), &CASE).await.refused(Code::Forbidden);
    }
}

/// 資訊局: opens nothing undecided, suspends and revokes forms, suspends a dataset and withdraws it from every form.
#[tokio::test(flavor = "multi_thread")]
async fn the_information_offices_story() {
    for mut hall in Hall::on_each().await {
        hall.prepared().await;
        let drafted = hall.draft("fire.admin", Hall::input(&permit_items())).await;
        let submitted = hall.submit("fire.admin", &drafted).await;
        let early = json!({ "number": submitted.number, "revision": submitted.revision });
        hall.ask("it.admin", OPEN, early.clone()).await.refused(Code::Conflict);
        hall.ask("building.dba", OPEN, early).await.refused(Code::Forbidden);
        let approved = hall.decide("building.dba", &submitted, "APPROVE", "").await;
        hall.open_form(&approved, "FIRE-2026-001").await;
        hall.handed_on("fire.admin", "FIRE-2026-001", &["fire.officer"]).await;
        hall.ask("fire.officer", PERMITS, json!({})).await.data();

        let step = |name: &str, argument: &str| {
            format!("mutation {{ step: {name}({argument}, reason: \"稽核\") {{ status }} }}")
        };
        let form = "number: \"FIRE-2026-001\"";
        assert_eq!(
            hall.ask("it.admin", &step("suspendMasterForm", form), json!({})).await.step()["status"],
            "SUSPENDED"
        );
        hall.ask("fire.officer", PERMITS, json!({})).await.refused(Code::Forbidden);
        assert_eq!(hall.ask("it.admin", &step("resumeMasterForm", form), json!({})).await.step()["status"], "OPEN");
        hall.ask("fire.officer", PERMITS, json!({})).await.data();

        // What the office has stopped, it starts again.
        let account = "account: \"fire.officer\"";
        hall.ask("it.admin", &step("suspendAccount", account), json!({})).await.step();
        hall.ask("fire.officer", PERMITS, json!({})).await.refused(Code::Unauthenticated);
        hall.ask("fire.admin", &step("resumeAccount", account), json!({})).await.refused(Code::Forbidden);
        hall.ask("it.admin", &step("resumeAccount", account), json!({})).await.step();
        hall.sign_in("fire.officer", PASSWORD).await;
        hall.ask("fire.officer", PERMITS, json!({})).await.data();

        let building = "code: \"building\"";
        hall.ask("it.admin", &step("suspendDataset", building), json!({})).await.step();
        let suspended = hall.ask("fire.officer", PERMITS, json!({})).await;
        assert_eq!(suspended.refused(Code::DatasetSuspended)["extensions"]["dataset"], "building");
        hall.ask("building.dba", &step("resumeDataset", building), json!({})).await.refused(Code::Forbidden);
        hall.ask("it.admin", &step("resumeDataset", building), json!({})).await.step();
        hall.ask("building.dba", &step("suspendDataset", building), json!({})).await.step();
        hall.ask("building.dba", &step("resumeDataset", building), json!({})).await.step();
        hall.ask("fire.officer", PERMITS, json!({})).await.data();
        hall.ask("building.dba", &step("withdrawDataset", building), json!({})).await.refused(Code::Forbidden);
        hall.ask("it.admin", &step("withdrawDataset", building), json!({})).await.step();
        hall.ask("fire.officer", PERMITS, json!({})).await.refused(Code::Forbidden);
        let forms = hall.ask("fire.admin", "{ masterForms { number version items { coordinate } } }", json!({})).await;
        assert_eq!(forms.data()["masterForms"][0], json!({ "number": "FIRE-2026-001", "version": 2, "items": [] }));
        let told = hall.ask("fire.admin", "{ inbox { about textEn } }", json!({})).await;
        assert!(told.data()["inbox"].to_string().contains("has lost the items of the dataset building"));

        assert_eq!(hall.ask("it.admin", &step("revokeMasterForm", form), json!({})).await.step()["status"], "CLOSED");
        hall.ask("it.admin", &step("resumeMasterForm", form), json!({})).await.refused(Code::Conflict);
    }
}

/// 機關首長: decides where the agency's own database administrator would use what is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn the_agency_heads_story() {
    for mut hall in Hall::on_each().await {
        hall.prepared().await;
        hall.known_person("it.admin", "building.admin", "building-office", "BUSINESS_ADMINISTRATOR").await;
        let version = hall.file_rules_only("building.admin").await;
        for by in ["building.dba", "it.admin", "commission.officer"] {
            hall.acknowledge(by, "building-office", version).await;
        }
        // Who decided cannot use it; where the head decides, the administrator can.
        hall.granted("building.admin", permit_items(), &["building.dba"], "BUILDING-2026-001").await;
        let add = "mutation { step: addMember(group: \"users\", account: \"building.dba\") { members } }";
        hall.handed_on("building.admin", "BUILDING-2026-001", &[]).await;
        let refused = hall.ask("building.admin", add, json!({})).await;
        assert_eq!(refused.refused(Code::Forbidden)["extensions"]["clause"], "7");

        let drafted = hall.draft("building.dba", Hall::input(&permit_items())).await;
        let submitted = hall.submit("building.admin", &drafted).await;
        // Nobody decides on their own application.
        let own = json!({ "number": submitted.number, "revision": submitted.revision, "decision": "APPROVE" });
        hall.ask("building.dba", DECIDE, own).await.refused(Code::Forbidden);
        let approved = hall.decide("building.head", &submitted, "APPROVE", "").await;
        hall.open_form(&approved, "BUILDING-2026-002").await;
        let who = "mutation { step: putUserGroup(name: \"quality\", title: \"正確性檢核\") { name } }";
        hall.ask("building.admin", who, json!({})).await.step();
        let add = "mutation { step: addMember(group: \"quality\", account: \"building.dba\") { members } }";
        hall.ask("building.admin", add, json!({})).await.step();
        let what = "mutation { step: putDirectoryGroup(form: \"BUILDING-2026-002\", name: \"all\", title: \"全部\") { name } }";
        hall.ask("building.admin", what, json!({})).await.step();
        let input =
            json!({ "form": "BUILDING-2026-002", "title": "檢核", "directoryGroup": "all", "userGroup": "quality" });
        hall.ask("building.admin", OPEN_SUB_FORM, json!({ "input": input })).await.step();
        hall.ask("building.dba", PERMITS, json!({})).await.data();
        let head = hall.ask("building.head", PERMITS, json!({})).await;
        head.refused(Code::Forbidden);

        let revoke = "mutation { step: revokeMasterForm(number: \"BUILDING-2026-002\", reason: \"期滿\") { status } }";
        hall.ask("building.head", revoke, json!({})).await.refused(Code::Forbidden);
        hall.ask("it.admin", revoke, json!({})).await.step();
        hall.ask("building.dba", PERMITS, json!({})).await.refused(Code::Forbidden);
    }
}

/// 政風人員: sees everything and changes nothing of it; what she finds wrong she reports, which stops it at once, and closes
/// it when it is remedied.
#[tokio::test(flavor = "multi_thread")]
async fn the_ethics_officers_story() {
    for mut hall in Hall::on_each().await {
        hall.prepared().await;
        hall.granted("fire.admin", permit_items(), &["building.dba"], "FIRE-2026-001").await;
        hall.handed_on("fire.admin", "FIRE-2026-001", &["fire.officer"]).await;
        let read = hall.ask("fire.officer", PERMITS, json!({})).await;
        read.data();
        let seen = "{ applications { number status } masterForms { number } subForms { number } accounts(agency: \
                    \"fire-department\") { account status } }";
        let seen = hall.ask("ethics.officer", seen, json!({})).await;
        assert_eq!(seen.data()["applications"][0], json!({ "number": "A-2026-0001", "status": "OPENED" }));
        assert_eq!(seen.data()["masterForms"][0]["number"], "FIRE-2026-001");
        assert_eq!(seen.data()["subForms"][0]["number"], "FIRE-2026-001/1");
        assert_eq!(seen.data()["accounts"].as_array().map(Vec::len), Some(4));
        hall.ask("tax.head", "{ accounts(agency: \"fire-department\") { account } }", json!({}))
            .await
            .refused(Code::Forbidden);
        hall.ask("ethics.officer", PERMITS, json!({})).await.refused(Code::Forbidden);
        for step in [
            "revokeMasterForm(number: \"FIRE-2026-001\", reason: \"x\") { status }",
            "suspendAccount(account: \"fire.officer\", reason: \"x\") { status }",
            "drawInspection { number }",
        ] {
            let step = format!("mutation {{ step: {step} }}");
            hall.ask("ethics.officer", &step, json!({})).await.refused(Code::Forbidden);
        }

        // Who read it, under what, decided by whom: one question. What is wrong is reported, and stops.
        let why = "query($record: String!) { why: provenance(record: $record, coordinate: \"UsePermit.permitNo\") { account annex \
                   { decidedBy } } }";
        let why = hall.ask("ethics.officer", why, json!({ "record": read.body["extensions"]["audit"] })).await;
        assert_eq!(why.data()["why"], json!({ "account": "fire.officer", "annex": { "decidedBy": "building.dba" } }));
        let report = "mutation { step: reportIncident(input: { title: \"疑似不當查詢\", description: \"查詢與案件無關\", account: \
                      \"fire.officer\" }) { number agency status } }";
        let reported = hall.ask("ethics.officer", report, json!({})).await;
        let incident = json!({ "number": "E-2026-0001", "agency": "fire-department", "status": "REPORTED" });
        assert_eq!(reported.step(), &incident);
        hall.ask("fire.officer", PERMITS, json!({})).await.refused(Code::Unauthenticated);
        let close = "mutation { step: closeIncident(number: \"E-2026-0001\", conclusion: \"已懲處\") { status } }";
        hall.ask("ethics.officer", close, json!({})).await.refused(Code::Conflict);
        let remedy = "mutation { step: remedyIncident(number: \"E-2026-0001\", remedy: \"移出群組\") { status } }";
        hall.ask("ethics.officer", remedy, json!({})).await.refused(Code::Forbidden);
        hall.ask("fire.admin", remedy, json!({})).await.step();
        assert_eq!(hall.ask("ethics.officer", close, json!({})).await.step()["status"], "CLOSED");

        // Its owner was told; resumed, and without the group, the right is gone.
        let remove = "mutation { step: removeMember(group: \"users\", account: \"fire.officer\") { members } }";
        hall.ask("fire.admin", remove, json!({})).await.step();
        let resume = "mutation { step: resumeAccount(account: \"fire.officer\", reason: \"已懲處\") { status } }";
        hall.ask("fire.admin", resume, json!({})).await.step();
        hall.sign_in("fire.officer", PASSWORD).await;
        let told = hall.ask("fire.officer", "{ inbox { number textZh } }", json!({})).await;
        assert!(told.data()["inbox"].to_string().contains("因事件 E-2026-0001，您的帳號已停用"));
        hall.ask("fire.officer", PERMITS, json!({})).await.refused(Code::Forbidden);
    }
}

/// 研考人員: keeps the rules on file; without her receipt nothing opens, and with it what the rules say is used.
#[tokio::test(flavor = "multi_thread")]
async fn the_commission_officers_story() {
    for mut hall in Hall::on_each().await {
        hall.staffed().await;
        hall.offer_everything("building.dba").await;
        hall.plan("building.dba", "building").await;
        hall.granted("fire.admin", permit_items(), &["building.dba"], "FIRE-2026-001").await;
        let version = hall.file_rules_only("fire.admin").await;
        let told = hall.ask("commission.officer", "{ inbox(unreadOnly: true) { about textZh } }", json!({})).await;
        assert_eq!(told.data()["inbox"][0]["about"], "operating rules", "{:#}", told.body);
        for by in ["building.dba", "it.admin"] {
            hall.acknowledge(by, "fire-department", version).await;
        }
        let what =
            "mutation { step: putDirectoryGroup(form: \"FIRE-2026-001\", name: \"all\", title: \"全部\") { name } }";
        hall.ask("fire.admin", what, json!({})).await.step();
        let who = "mutation { step: putUserGroup(name: \"users\", title: \"使用者\") { name } }";
        hall.ask("fire.admin", who, json!({})).await.step();
        hall.add_member("fire.admin", "fire.officer").await;
        let input = json!({ "input": {
            "form": "FIRE-2026-001", "title": "查核", "directoryGroup": "all", "userGroup": "users",
        } });
        hall.ask("fire.admin", OPEN_SUB_FORM, input.clone()).await.refused(Code::Forbidden);
        hall.acknowledge("commission.officer", "fire-department", version).await;
        hall.ask("fire.admin", OPEN_SUB_FORM, input).await.step();
        hall.ask("fire.officer", PERMITS, json!({})).await.data();

        // What is on file stands there with its digest and its receipts; another agency's rules are the commission's too.
        let rules = "{ operatingRules { agency version content sha256 receipts { recipient receivedBy } } }";
        let on_file = hall.ask("commission.officer", rules, json!({})).await;
        let on_file = &on_file.data()["operatingRules"][0];
        assert_eq!((&on_file["agency"], &on_file["content"]), (&json!("fire-department"), &json!("每月查驗百分之一")));
        let by = |name: &str| {
            on_file["receipts"].as_array().is_some_and(|all| all.iter().any(|one| one["receivedBy"] == name))
        };
        assert!(by("commission.officer") && by("building.dba") && by("it.admin"), "{on_file:#}");
        let seen =
            hall.ask("commission.officer", "{ applications { number } masterForms { number } }", json!({})).await;
        assert_eq!(seen.data()["masterForms"][0]["number"], "FIRE-2026-001");
        hall.ask("commission.officer", PERMITS, json!({})).await.refused(Code::Forbidden);
        let revoke =
            "mutation { step: revokeMasterForm(number: \"FIRE-2026-001\", reason: \"作業規定未落實\") { status } }";
        hall.ask("commission.officer", revoke, json!({})).await.refused(Code::Forbidden);
        hall.ask("it.admin", revoke, json!({})).await.step();
        hall.ask("fire.officer", PERMITS, json!({})).await.refused(Code::Forbidden);
    }
}

/// 機器用戶端: opened by its agency, reads what its group holds, and no longer once the group does not hold it.
#[tokio::test(flavor = "multi_thread")]
async fn the_machine_clients_story() {
    for mut hall in Hall::on_each().await {
        hall.prepared().await;
        hall.granted("fire.admin", permit_items(), &["building.dba"], "FIRE-2026-001").await;
        let open = "mutation { step: openClient(clientId: \"partner\", title: \"維護廠商系統\") { firstPassword account { machine roles } } }";
        let opened = hall.ask("fire.admin", open, json!({})).await;
        assert_eq!(opened.step()["account"], json!({ "machine": true, "roles": [] }));
        let key = opened.step()["firstPassword"].as_str().expect("a secret").to_owned();
        hall.handed_on("fire.admin", "FIRE-2026-001", &["partner"]).await;
        let body = format!("grant_type=client_credentials&client_id=partner&client_secret={key}");
        let request = Request::post("/oauth/token").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let token = hall.send(request.body(body.into()).expect("a request")).await;
        let token = token.body["access_token"].as_str().expect("a token").to_owned();
        let ask = async |hall: &Hall, operation: &str| -> Reply {
            let request = Request::post("/graphql")
                .header(header::CONTENT_TYPE, "application/json")
                .header(header::AUTHORIZATION, format!("Bearer {token}"));
            hall.send(request.body(json!({ "query": operation }).to_string().into()).expect("a request")).await
        };
        ask(&hall, PERMITS).await.data();
        ask(&hall, "{ accounts { account } }").await.refused(Code::Forbidden);
        let narrow = "mutation { step: putDirectoryGroup(form: \"FIRE-2026-001\", name: \"all\", title: \"號碼\", items: \
                      [{ coordinate: \"Query.usePermits\", uses: [SELECT] }]) { name } }";
        hall.ask("fire.admin", narrow, json!({})).await.step();
        ask(&hall, PERMITS).await.refused(Code::Forbidden);
    }
}
