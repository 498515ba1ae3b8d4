//! The offices beside those who use and those who give data: the information office, the commission, the ethics office. What
//! each is, what each sees, and what cannot be done without them. On SQLite and on PostgreSQL.

use crate::support::hall::{Hall, PASSWORD, Reply};
use crate::support::hall_steps::{DECIDE, OPEN_SUB_FORM, PERMITS, permit_items, person_items};
use cityquery::access::Code;
use serde_json::{Value, json};

/// 政風單位: the ethics office of the city sees all agencies, another agency's ethics officers their own.
#[tokio::test(flavor = "multi_thread")]
async fn an_agencys_ethics_officers_see_their_own_agency() {
    for mut hall in Hall::on_each().await {
        hall.prepared().await;
        hall.known_person("it.admin", "tax.ethics", "revenue-service", "ETHICS_OFFICER").await;
        hall.granted("fire.admin", permit_items(), &["building.dba"], "FIRE-2026-001").await;
        hall.handed_on("fire.admin", "FIRE-2026-001", &["fire.officer"]).await;
        hall.ask("fire.admin", "mutation { step: drawInspection { number } }", json!({})).await.step();
        let report = "mutation($input: IncidentInput!) { step: reportIncident(input: $input) { number agency } }";
        let of_fire = json!({ "input": { "title": "帳號外借", "description": "二人共用", "account": "fire.officer" } });
        hall.ask("fire.admin", report, of_fire.clone()).await.step();
        let of_tax = json!({ "input": { "title": "帳號外借", "description": "二人共用", "account": "tax.clerk" } });
        hall.ask("tax.admin", report, of_tax).await.step();

        let sees = async |who: &str, ask: &str| {
            let reply = hall.ask(who, ask, json!({})).await;
            let data = reply.data().as_object().and_then(|data| data.values().next().cloned());
            data.as_ref().and_then(Value::as_array).map(Vec::len).expect("a list")
        };
        for (ask, own, all) in [
            ("{ inspections { number } }", 0, 1),
            ("{ incidents { number } }", 1, 2),
            ("{ applications { number } }", 0, 1),
            ("{ masterForms { number } }", 0, 1),
            ("{ subForms { number } }", 0, 1),
            ("{ operatingRules { agency } }", 1, 2),
        ] {
            assert_eq!(sees("tax.ethics", ask).await, own, "{ask}");
            assert_eq!(sees("ethics.officer", ask).await, all, "{ask}");
        }
        let inspection = "{ inspection(number: \"I-2026-0001\") { number } }";
        hall.ask("tax.ethics", inspection, json!({})).await.refused(Code::NotFound);
        hall.ask("ethics.officer", inspection, json!({})).await.data();
        let accounts = "{ accounts(agency: \"fire-department\") { account email } }";
        hall.ask("tax.ethics", accounts, json!({})).await.refused(Code::Forbidden);
        let rule = "{ inspectionRule(agency: \"fire-department\") { percent } }";
        hall.ask("tax.ethics", rule, json!({})).await.refused(Code::NotFound);
        hall.ask("tax.ethics", report, of_fire).await.refused(Code::NotFound);

        // Each is told of what it sees, once.
        let told = async |who: &str| {
            let inbox = hall.ask(who, "{ inbox { about number } }", json!({})).await;
            let notices = inbox.data()["inbox"].as_array().cloned().unwrap_or_default();
            let about = notices.into_iter().filter(|one| one["about"] == "incident");
            about.map(|one| one["number"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(told("tax.ethics").await, ["E-2026-0002"]);
        assert_eq!(told("ethics.officer").await, ["E-2026-0002", "E-2026-0001"]);
    }
}

/// 機關種類: it stays where it is not named, and while accounts have a role that no other kind of agency has.
#[tokio::test(flavor = "multi_thread")]
async fn an_agency_stays_of_its_kind() {
    for mut hall in Hall::on_each().await {
        hall.staffed().await;
        let open = "mutation($code: String!, $kind: AgencyKind) { step: openAgency(code: $code, title: \"新名稱\", \
                    kind: $kind) { kind title } }";
        for (code, kind) in [("evaluation-commission", "COMMISSION"), ("information-office", "INFORMATION_OFFICE")] {
            let named = hall.ask("it.admin", open, json!({ "code": code })).await;
            assert_eq!(named.step(), &json!({ "kind": kind, "title": "新名稱" }));
            let other = json!({ "code": code, "kind": "USING" });
            let refused = hall.ask("it.admin", open, other).await;
            let refused = refused.refused(Code::Conflict);
            assert!(
                refused["message"].as_str().is_some_and(|text| text.contains("Give them others first")),
                "{refused:#}"
            );
        }
        let new = hall.ask("it.admin", open, json!({ "code": "parks-office" })).await;
        assert_eq!(new.step()["kind"], "USING");
        let grown = hall.ask("it.admin", open, json!({ "code": "parks-office", "kind": "ETHICS_OFFICE" })).await;
        assert_eq!(grown.step()["kind"], "ETHICS_OFFICE");
    }
}

/// 備查: no sub-form opens without a commission; one that comes later keeps what was filed before.
#[tokio::test(flavor = "multi_thread")]
async fn a_commission_that_comes_later_keeps_the_rules() {
    for mut hall in Hall::on_each().await {
        hall.found().await;
        hall.agency("building-office", "USING").await;
        for (name, agency, role) in [
            ("building.dba", "building-office", "DATABASE_ADMINISTRATOR"),
            ("fire.admin", "fire-department", "BUSINESS_ADMINISTRATOR"),
        ] {
            hall.agency(agency, "USING").await;
            hall.known_person("it.admin", name, agency, role).await;
        }
        hall.offer_everything("building.dba").await;
        hall.plan("building.dba", "building").await;
        hall.granted("fire.admin", permit_items(), &["building.dba"], "FIRE-2026-001").await;
        for step in [
            "putDirectoryGroup(form: \"FIRE-2026-001\", name: \"all\", title: \"全部\") { name }",
            "putUserGroup(name: \"users\", title: \"使用者\") { name }",
        ] {
            hall.ask("fire.admin", &format!("mutation {{ step: {step} }}"), json!({})).await.step();
        }
        let version = hall.file_rules_only("fire.admin").await;
        for by in ["building.dba", "it.admin"] {
            hall.acknowledge(by, "fire-department", version).await;
        }
        let input = json!({ "input": {
            "form": "FIRE-2026-001", "title": "查核", "directoryGroup": "all", "userGroup": "users",
        } });
        let refused = hall.ask("fire.admin", OPEN_SUB_FORM, input.clone()).await;
        let refused = refused.refused(Code::Forbidden);
        assert!(refused["message"].as_str().is_some_and(|text| text.contains("no commission yet")), "{refused:#}");
        assert_eq!(refused["extensions"]["clause"], "8(1)");

        hall.agency("evaluation-commission", "COMMISSION").await;
        hall.known_person("it.admin", "commission.officer", "evaluation-commission", "COMMISSION_OFFICER").await;
        let refused = hall.ask("fire.admin", OPEN_SUB_FORM, input.clone()).await;
        let refused = refused.refused(Code::Forbidden);
        assert!(refused["message"].as_str().is_some_and(|text| text.contains("evaluation-commission")), "{refused:#}");
        let rules = "{ operatingRules { agency receipts { recipient receivedBy } } }";
        for who in ["fire.admin", "commission.officer"] {
            let seen = hall.ask(who, rules, json!({})).await;
            let waiting = json!({ "recipient": "evaluation-commission", "receivedBy": null });
            let receipts = seen.data()["operatingRules"][0]["receipts"].as_array().cloned().unwrap_or_default();
            assert!(receipts.contains(&waiting), "{who}: {receipts:#?}");
        }
        hall.acknowledge("commission.officer", "fire-department", version).await;
        hall.ask("fire.admin", OPEN_SUB_FORM, input).await.step();
    }
}

/// 職員編號: one person's in their agency's files, however it is written.
#[tokio::test(flavor = "multi_thread")]
async fn a_staff_number_is_one_persons_in_their_agency() {
    for mut hall in Hall::on_each().await {
        hall.staffed().await;
        let open = "mutation($input: AccountInput!) { step: openAccount(input: $input) { account { account } } }";
        let input = |account: &str, number: &str| json!({ "input": { "account": account, "title": "承辦人", "staffNumber": number, "roles": ["GENERAL_USER"] } });
        hall.ask("tax.admin", open, input("tax.a", "User-1")).await.step();
        for (account, same) in
            [("tax.b", "User-1"), ("tax.c", "USER-1"), ("tax.d", "ｕｓｅｒ－１"), ("tax.e", " user - 1 ")]
        {
            let refused = hall.ask("tax.admin", open, input(account, same)).await;
            refused.refused(Code::Conflict);
        }
        hall.ask("fire.admin", open, input("fire.a", "User-1")).await.step();
    }
}

/// 備查: what a sub-form is given later, too, is given when its custodian has the operating rules on file.
#[tokio::test(flavor = "multi_thread")]
async fn a_sub_form_gets_nothing_of_a_custodian_that_has_no_rules_on_file() {
    let all = "mutation { step: putDirectoryGroup(form: \"FIRE-2026-001\", name: \"all\", title: \"全部\") { name } }";
    let names = "{ persons(first: 1) { nodes { name } } }";
    for mut hall in Hall::on_each().await {
        hall.prepared().await;
        hall.granted("fire.admin", permit_items(), &["building.dba"], "FIRE-2026-001").await;
        let version = hall.file_rules_only("fire.admin").await;
        for by in ["building.dba", "it.admin", "commission.officer"] {
            hall.acknowledge(by, "fire-department", version).await;
        }
        hall.handed_on("fire.admin", "FIRE-2026-001", &["fire.officer"]).await;
        let mut input = Hall::input(&person_items());
        input["form"] = "FIRE-2026-001".into();
        let submitted = hall.submit("fire.admin", &hall.draft("fire.admin", input).await).await;
        let approved = hall.decide("household.dba", &submitted, "APPROVE", "").await;
        hall.open_form(&approved, "FIRE-2026-001").await;
        let refused = hall.ask("fire.admin", all, json!({})).await;
        let refused = refused.refused(Code::Forbidden);
        let text = refused["message"].as_str().expect("a text");
        assert!(text.contains("not yet acknowledged by: civil-affairs"), "{refused:#}");
        assert_eq!(refused["extensions"]["clause"], "8(1)");
        hall.ask("fire.officer", names, json!({})).await.refused(Code::Forbidden);
        // What it holds already may be put anew, and a group that nobody has been handed is only a selection.
        let fewer = "mutation { step: putDirectoryGroup(form: \"FIRE-2026-001\", name: \"all\", title: \"全部\", items: [\
                     { coordinate: \"Query.usePermits\", uses: [SELECT, ORDER] }, { coordinate: \"UsePermit.{permitNo floorsAbove}\", \
                     uses: [SELECT, ORDER] }]) { name } }";
        hall.ask("fire.admin", fewer, json!({})).await.step();
        hall.ask("fire.officer", PERMITS, json!({})).await.data();
        hall.ask("fire.admin", &all.replace("\"all\"", "\"more\""), json!({})).await.step();

        hall.acknowledge("household.dba", "fire-department", version).await;
        hall.ask("fire.admin", all, json!({})).await.step();
        hall.ask("fire.officer", names, json!({})).await.data();
    }
}

const CLOSE: &str =
    "mutation($account: String!) { step: closeAccount(account: $account, reason: \"調職\") { status } }";

/// Opens an account of somebody who had another one.
async fn again(hall: &mut Hall, by: &str, name: &str, agency: &str, role: &str, person: Value) -> Reply {
    let mut input = json!({ "account": name, "agency": agency, "title": "承辦人", "staffNumber": format!("S-{name}"), "roles": [role] });
    person.as_object().expect("an object").iter().for_each(|(key, value)| input[key] = value.clone());
    let open = "mutation($input: AccountInput!) { step: openAccount(input: $input) { account { account } } }";
    let opened = hall.ask(by, open, json!({ "input": input })).await;
    if opened.code() == "-" {
        let known = [(name.to_owned(), PASSWORD.to_owned())];
        hall.app.accounts.set_known_passwords(&known).await.expect("sets the password");
        hall.sign_in(name, PASSWORD).await;
    }
    opened
}

/// 同一人: who has had another account before is the same person, in another agency, too, where the national id is known.
#[tokio::test(flavor = "multi_thread")]
async fn a_person_with_another_account_is_the_same_person() {
    let premises = json!([{ "coordinate": "Query.firePremises", "uses": ["SELECT"], "reason": "查核" }]);
    let id = json!({ "nationalId": "A123456789" });
    for mut hall in Hall::on_each().await {
        hall.prepared().await;
        // From the agency that asks to the one that decides.
        let known = "mutation($change: AccountChange!) { step: changeAccount(account: \"tax.admin\", change: $change) { identified } }";
        hall.ask("it.admin", known, json!({ "change": id })).await.step();
        let asked = hall.submit("tax.admin", &hall.draft("tax.clerk", Hall::input(&permit_items())).await).await;
        hall.ask("it.admin", CLOSE, json!({ "account": "tax.admin" })).await.step();
        let moved =
            again(&mut hall, "it.admin", "building.second", "building-office", "DATABASE_ADMINISTRATOR", id.clone());
        moved.await.step();
        let approve = json!({ "number": asked.number, "revision": asked.revision, "decision": "APPROVE" });
        hall.ask("building.second", DECIDE, approve).await.refused(Code::Forbidden);
        hall.decide("building.dba", &asked, "APPROVE", "").await;

        // From those who decide to those who use.
        hall.granted("fire.admin", premises.clone(), &["fire.dba"], "FIRE-2026-001").await;
        hall.handed_on("fire.admin", "FIRE-2026-001", &["fire.officer"]).await;
        hall.ask("it.admin", CLOSE, json!({ "account": "fire.dba" })).await.step();
        let same = json!({ "staffNumber": "s-FIRE.DBA" });
        again(&mut hall, "fire.admin", "fire.second", "fire-department", "GENERAL_USER", same).await.step();
        let add = "mutation { step: addMember(group: \"users\", account: \"fire.second\") { members } }";
        let refused = hall.ask("fire.admin", add, json!({})).await;
        assert_eq!(refused.refused(Code::Forbidden)["extensions"]["clause"], "7");

        // From those who use to those who inspect.
        hall.ask("fire.officer", "{ firePremises(first: 1) { nodes { __typename } } }", json!({})).await.data();
        hall.ask("fire.admin", CLOSE, json!({ "account": "fire.officer" })).await.step();
        let same = json!({ "staffNumber": "S-fire.officer" });
        again(&mut hall, "it.admin", "fire.third", "fire-department", "BUSINESS_ADMINISTRATOR", same).await.step();
        let drawn =
            hall.ask("fire.admin", "mutation { step: drawInspection { number entries { record } } }", json!({}));
        let drawn = drawn.await.step().clone();
        let find = "mutation($number: String!, $record: String!) { step: recordFinding(inspection: $number, record: $record, \
                    verdict: PROPER) { number } }";
        let entry = json!({ "number": drawn["number"], "record": drawn["entries"][0]["record"] });
        assert_eq!(
            hall.ask("fire.third", find, entry.clone()).await.refused(Code::Forbidden)["extensions"]["clause"],
            "8(3)"
        );
        hall.ask("fire.admin", find, entry).await.step();
    }
}

/// 事件未結案: whose account is suspended for an incident is not let in by another one.
#[tokio::test(flavor = "multi_thread")]
async fn no_other_account_lets_somebody_in_before_the_incident_is_closed() {
    for mut hall in Hall::on_each().await {
        hall.staffed().await;
        let report = "mutation { step: reportIncident(input: { title: \"帳號外借\", description: \"二人共用\", account: \
                      \"fire.officer\" }) { number } }";
        hall.ask("ethics.officer", report, json!({})).await.step();
        hall.ask("fire.admin", CLOSE, json!({ "account": "fire.officer" })).await.step();
        let same = json!({ "staffNumber": "S-fire.officer" });
        let open = again(&mut hall, "fire.admin", "fire.second", "fire-department", "GENERAL_USER", same.clone()).await;
        let refused = open.refused(Code::Conflict);
        assert!(refused["message"].as_str().is_some_and(|text| text.contains("An incident")), "{refused:#}");
        for (who, step) in [
            ("fire.admin", "remedyIncident(number: \"E-2026-0001\", remedy: \"教育訓練\")"),
            ("ethics.officer", "closeIncident(number: \"E-2026-0001\", conclusion: \"已告誡\")"),
        ] {
            hall.ask(who, &format!("mutation {{ step: {step} {{ status }} }}"), json!({})).await.step();
        }
        again(&mut hall, "fire.admin", "fire.second", "fire-department", "GENERAL_USER", same).await.step();
    }
}
