//! Applications that do not go straight: returned and dropped, refused, taken back, of mixed hands, late, and renewals. On
//! SQLite and on PostgreSQL where the database has a part in it.

use crate::support::hall::{Hall, PASSWORD};
use crate::support::hall_steps::{Application, DECIDE, OPEN, OPEN_SUB_FORM, PERMITS, permit_items, person_items};
use cityquery::access::Code;
use cityquery::store::control;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

const CHANGE: &str = "mutation($number: String!, $revision: Int!, $input: ApplicationInput!) { step: changeApplication(number: \
    $number, revision: $revision, input: $input) { number revision status annexes { custodian status } } }";

const SUBMIT: &str = "mutation($number: String!, $revision: Int!) { step: submitApplication(number: $number, revision: $revision) \
    { number revision } }";

const WITHDRAW: &str = "mutation($number: String!, $revision: Int!) { step: withdrawApplication(number: $number, revision: \
    $revision) { number revision status } }";

fn at(of: &Application) -> Value {
    json!({ "number": of.number, "revision": of.revision })
}

fn with(of: &Application, name: &str, value: Value) -> Value {
    let mut variables = at(of);
    variables[name] = value;
    variables
}

/// Permits of the building office and persons of the household office.
fn both() -> Value {
    let all = [permit_items(), person_items()];
    json!(all.iter().flat_map(|items| items.as_array().expect("items").clone()).collect::<Vec<Value>>())
}

async fn inbox(hall: &Hall, who: &str) -> String {
    let told = hall.ask(who, "{ inbox { about number textEn textZh } }", json!({})).await;
    told.data()["inbox"].to_string()
}

/// A custodian returns its annex, the applicant gives that part up: what the others approved is opened, and what was said
/// about the part that was given up stands.
#[tokio::test(flavor = "multi_thread")]
async fn a_returned_annex_that_is_given_up_leaves_an_application_that_goes_on() {
    for mut hall in Hall::on_each().await {
        hall.prepared().await;
        let submitted = hall.submit("fire.admin", &hall.draft("fire.admin", Hall::input(&both())).await).await;
        let approved = hall.decide("building.dba", &submitted, "APPROVE", "").await;
        let returned = hall.decide("household.dba", &approved, "RETURN", "請敘明用途").await;
        let input = Hall::input(&permit_items());
        let changed = hall.ask("fire.admin", CHANGE, with(&returned, "input", input)).await;
        assert_eq!(
            (&changed.step()["status"], &changed.step()["annexes"]),
            (
                &json!("DECIDED"),
                &json!([
                    { "custodian": "building-office", "status": "APPROVED" },
                    { "custodian": "civil-affairs", "status": "DROPPED" },
                ])
            )
        );
        assert!(inbox(&hall, "it.admin").await.contains("what was approved can be opened"));
        assert!(inbox(&hall, "household.dba").await.contains("no longer applies for data of civil-affairs"));
        let now = Application::of(changed.step());
        hall.open_form(&now, "FIRE-2026-001").await;
        // The form is known to those who may take their part of it back, the head among them, and to no other custodian.
        for (who, seen) in [("building.head", json!([{ "number": "FIRE-2026-001" }])), ("household.dba", json!([]))] {
            let forms = hall.ask(who, "{ masterForms { number } }", json!({})).await;
            assert_eq!(forms.data()["masterForms"], seen, "{who}");
        }
        let shown = "{ application(number: \"A-2026-0001\") { decisionLetter printable annexes { custodian comment items \
                     { coordinate } decisions { number decision decidedBy comment } } } }";
        let shown = hall.ask("household.dba", shown, json!({})).await;
        let shown = &shown.data()["application"];
        assert_eq!(
            shown["annexes"][1],
            json!({ "custodian": "civil-affairs", "comment": "請敘明用途", "items": [], "decisions": [
                { "number": "D-2026-0002", "decision": "RETURN", "decidedBy": "household.dba", "comment": "請敘明用途" },
            ] })
        );
        assert!(shown["decisionLetter"].as_str().is_some_and(|letter| letter.contains("已撤除")), "{shown:#}");

        // While it is open, what was given up may be asked for again.
        let submitted = hall.submit("fire.admin", &hall.draft("fire.admin", Hall::input(&both())).await).await;
        let returned = hall.decide("household.dba", &submitted, "RETURN", "請敘明用途").await;
        let without = hall.ask("fire.admin", CHANGE, with(&returned, "input", Hall::input(&permit_items()))).await;
        assert_eq!(without.step()["status"], "SUBMITTED", "the other one decides still");
        let again = Application::of(without.step());
        // Nothing is open, so nothing can be changed until the other one returns it.
        hall.ask("fire.admin", CHANGE, with(&again, "input", Hall::input(&both()))).await.refused(Code::Conflict);
        let returned = hall.decide("building.dba", &again, "RETURN", "補正").await;
        let again = hall.ask("fire.admin", CHANGE, with(&returned, "input", Hall::input(&both()))).await;
        let submitted = hall.submit("fire.admin", &Application::of(again.step())).await;
        let approved = hall.decide("household.dba", &submitted, "APPROVE", "").await;
        let approved = hall.decide("building.dba", &approved, "APPROVE", "").await;
        hall.open_form(&approved, "FIRE-2026-002").await;
    }
}

/// 文號: no two decisions have one, and none overwrites another.
#[tokio::test(flavor = "multi_thread")]
async fn every_decision_has_a_number_of_its_own_and_stays() {
    for mut hall in Hall::on_each().await {
        hall.prepared().await;
        let mut now = hall.submit("fire.admin", &hall.draft("fire.admin", Hall::input(&both())).await).await;
        for comment in ["請敘明用途", "仍不明確"] {
            let returned = hall.decide("household.dba", &now, "RETURN", comment).await;
            now = hall.submit("fire.admin", &returned).await;
        }
        now = hall.decide("household.dba", &now, "APPROVE", "").await;
        hall.decide("building.dba", &now, "REFUSE", "目的不符").await;
        let shown = "{ application(number: \"A-2026-0001\") { decisionLetter annexes { decisionNumber decisions { number \
                     decision comment } } } }";
        let shown = hall.ask("fire.admin", shown, json!({})).await;
        let shown = &shown.data()["application"];
        let one = |number: &str, decision: &str, comment: Option<&str>| json!({ "number": number, "decision": decision, "comment": comment });
        assert_eq!(
            shown["annexes"],
            json!([
                { "decisionNumber": "D-2026-0004", "decisions": [one("D-2026-0004", "REFUSE", Some("目的不符"))] },
                { "decisionNumber": "D-2026-0003", "decisions": [
                    one("D-2026-0001", "RETURN", Some("請敘明用途")),
                    one("D-2026-0002", "RETURN", Some("仍不明確")),
                    one("D-2026-0003", "APPROVE", None),
                ] },
            ])
        );
        let letter = shown["decisionLetter"].as_str().expect("a letter");
        assert!(letter.contains("前次審核") && letter.contains("仍不明確"), "{letter}");
    }
}

/// Who drafted, changed, added to or handed in an application has asked for it, whoever did so after them.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_approves_what_they_had_a_hand_in() {
    let premises = json!([{ "coordinate": "Query.firePremises", "uses": ["SELECT"], "reason": "查核" }]);
    let decide = |of: &Application| with(of, "decision", json!("APPROVE"));
    for mut hall in Hall::on_each().await {
        hall.prepared().await;
        let drafted = hall.draft("fire.officer", Hall::input(&premises)).await;
        let changed = hall.ask("fire.dba", CHANGE, with(&drafted, "input", Hall::input(&premises))).await;
        let submitted = hall.submit("fire.admin", &Application::of(changed.step())).await;
        let refused = hall.ask("fire.dba", DECIDE, decide(&submitted)).await;
        assert_eq!(refused.refused(Code::Forbidden)["extensions"]["clause"], "7");
        hall.decide("fire.head", &submitted, "APPROVE", "").await;

        // One who runs the agency's use and is its head handed it in first; that somebody else did so last changes nothing.
        let roles = "mutation { step: setRoles(account: \"fire.head\", roles: [BUSINESS_ADMINISTRATOR, AGENCY_HEAD]) { roles } }";
        hall.ask("it.admin", roles, json!({})).await.step();
        let drafted = hall.draft("fire.officer", Hall::input(&premises)).await;
        let submitted = hall.submit("fire.head", &drafted).await;
        let returned = hall.decide("fire.dba", &submitted, "RETURN", "補正").await;
        let submitted = hall.submit("fire.admin", &returned).await;
        hall.ask("fire.head", DECIDE, decide(&submitted)).await.refused(Code::Forbidden);
        hall.decide("fire.dba", &submitted, "APPROVE", "").await;
    }
}

/// A renewal in advance never stops the form that it renews: it is asked for from the day on, with a later last day.
#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_leaves_no_day_without_the_form() {
    for mut hall in Hall::on_each().await {
        hall.prepared().await;
        hall.granted("fire.admin", permit_items(), &["building.dba"], "FIRE-2026-001").await;
        hall.handed_on("fire.admin", "FIRE-2026-001", &["fire.officer"]).await;
        let mut input = Hall::input(&permit_items());
        input["form"] = "FIRE-2026-001".into();
        input["from"] = "2027-01-01".into();
        input["until"] = "2027-12-31".into();
        let drafted = hall.draft("fire.admin", input.clone()).await;
        let refused = hall.ask("fire.admin", SUBMIT, at(&drafted)).await;
        let text = refused.refused(Code::BadUserInput)["message"].as_str().expect("a text").to_owned();
        assert!(text.contains("in use until 2026-12-31") && text.contains("from today on"), "{text}");
        input["from"] = "2026-03-02".into();
        let changed = hall.ask("fire.admin", CHANGE, with(&drafted, "input", input)).await;
        let submitted = hall.submit("fire.admin", &Application::of(changed.step())).await;
        let approved = hall.decide("building.dba", &submitted, "APPROVE", "").await;
        hall.open_form(&approved, "FIRE-2026-001").await;
        hall.ask("fire.officer", PERMITS, json!({})).await.data();
        let form = "{ masterForm(number: \"FIRE-2026-001\") { version until status } }";
        let form = hall.ask("fire.admin", form, json!({})).await;
        assert_eq!(form.data()["masterForm"], json!({ "version": 2, "until": "2027-12-31", "status": "OPEN" }));
    }
}

/// A draft is its agency's own, also after it was taken back without having been handed in.
#[tokio::test(flavor = "multi_thread")]
async fn a_draft_that_is_taken_back_stays_its_agencys_own() {
    let attach = "mutation($number: String!, $revision: Int!) { step: attachDocument(number: $number, revision: $revision, input: \
                  { name: \"a.txt\", mediaType: \"text/plain\", content: \"YQ==\" }) { number revision documents { id } } }";
    let one = "{ application(number: \"A-2026-0001\") { title } }";
    for mut hall in Hall::on_each().await {
        hall.prepared().await;
        let drafted = hall.draft("fire.admin", Hall::input(&permit_items())).await;
        let attached = hall.ask("fire.admin", attach, at(&drafted)).await;
        let document = attached.step()["documents"][0]["id"].clone();
        let withdrawn = hall.ask("fire.admin", WITHDRAW, at(&Application::of(attached.step()))).await;
        assert_eq!(withdrawn.step()["status"], "WITHDRAWN");
        let gone = Application::of(withdrawn.step());
        let content = "query($id: ID!) { documentContent(id: $id) }";
        for who in ["building.dba", "building.head", "it.admin", "ethics.officer", "commission.officer"] {
            hall.ask(who, one, json!({})).await.refused(Code::NotFound);
            hall.ask(who, content, json!({ "id": document })).await.refused(Code::NotFound);
            let all = hall.ask(who, "{ applications { number } }", json!({})).await;
            assert_eq!(all.data()["applications"], json!([]), "{who}");
        }
        hall.ask("building.dba", DECIDE, with(&gone, "decision", json!("APPROVE"))).await.refused(Code::NotFound);
        hall.ask("it.admin", OPEN, at(&gone)).await.refused(Code::NotFound);
        hall.ask("fire.officer", one, json!({})).await.data();
        hall.ask("fire.officer", content, json!({ "id": document })).await.data();
    }
}

/// Where every custodian has refused there is nothing to open, and the office is not told that there is.
#[tokio::test(flavor = "multi_thread")]
async fn what_everybody_refused_has_ended() {
    for mut hall in Hall::on_each().await {
        hall.prepared().await;
        let submitted = hall.submit("fire.admin", &hall.draft("fire.admin", Hall::input(&permit_items())).await).await;
        let refused = hall.ask("building.dba", DECIDE, {
            let mut variables = with(&submitted, "decision", json!("REFUSE"));
            variables["comment"] = "目的不符".into();
            variables
        });
        let refused = refused.await;
        assert_eq!(refused.step()["status"], "REFUSED");
        assert!(!inbox(&hall, "it.admin").await.contains("can be opened"));
        assert!(inbox(&hall, "fire.admin").await.contains("No custodian has approved anything"));
        let now = Application::of(refused.step());
        hall.ask("it.admin", OPEN, at(&now)).await.refused(Code::Conflict);
        hall.ask("fire.admin", WITHDRAW, at(&now)).await.refused(Code::Conflict);
        let ended = hall.ask("fire.admin", "{ applications(status: REFUSED) { number } }", json!({})).await;
        assert_eq!(ended.data()["applications"], json!([{ "number": "A-2026-0001" }]));
    }
}

/// Nothing opens whose last day is over; what begins later is told so.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_opens_whose_time_is_over() {
    let mut hall = Hall::on_sqlite().await;
    hall.prepared().await;
    let mut input = Hall::input(&permit_items());
    input["until"] = "2026-04-30".into();
    let ready = async |hall: &Hall, input: Value| {
        let submitted = hall.submit("fire.admin", &hall.draft("fire.admin", input).await).await;
        hall.decide("building.dba", &submitted, "APPROVE", "").await
    };
    let late = ready(&hall, input.clone()).await;
    let in_time = ready(&hall, input.clone()).await;
    hall.open_form(&in_time, "FIRE-2026-001").await;
    hall.handed_on("fire.admin", "FIRE-2026-001", &["fire.officer"]).await;
    input["from"] = "2026-04-01".into();
    let begins_later = ready(&hall, input).await;
    hall.open_form(&begins_later, "FIRE-2026-002").await;
    assert!(inbox(&hall, "fire.admin").await.contains("it may be used from 2026-04-01 on"));

    let undecided = hall.submit("fire.admin", &hall.draft("fire.admin", Hall::input(&permit_items())).await).await;
    let mut short = Hall::input(&permit_items());
    short["until"] = "2026-04-30".into();
    let too_late = hall.submit("fire.admin", &hall.draft("fire.admin", short).await).await;

    hall.clock.advance(time::Duration::days(60));
    for who in ["it.admin", "fire.admin", "building.dba"] {
        hall.sign_in(who, PASSWORD).await;
    }
    // What could not be opened any more is not approved but returned, and mended.
    hall.ask("building.dba", DECIDE, with(&too_late, "decision", json!("APPROVE"))).await.refused(Code::Conflict);
    let returned = hall.decide("building.dba", &too_late, "RETURN", "期間已屆滿").await;
    let mended = hall.ask("fire.admin", CHANGE, with(&returned, "input", Hall::input(&permit_items()))).await;
    let mended = hall.submit("fire.admin", &Application::of(mended.step())).await;
    for in_time in [&mended, &undecided] {
        hall.decide("building.dba", in_time, "APPROVE", "").await;
    }
    let refused = hall.ask("it.admin", OPEN, at(&late)).await;
    let text = refused.refused(Code::Conflict)["message"].as_str().expect("a text").to_owned();
    assert!(text.contains("ended on 2026-04-30"), "{text}");
    let input = json!({ "form": "FIRE-2026-001", "title": "查核", "directoryGroup": "all", "userGroup": "users" });
    hall.ask("fire.admin", OPEN_SUB_FORM, json!({ "input": input })).await.refused(Code::Conflict);
}

/// What a dataset held that was withdrawn is neither applied for nor opened, and its custodian is told by whom it was.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_withdrawn_dataset_is_applied_for_or_opened() {
    for mut hall in Hall::on_each().await {
        hall.prepared().await;
        let alone = hall.submit("fire.admin", &hall.draft("fire.admin", Hall::input(&permit_items())).await).await;
        let alone = hall.decide("building.dba", &alone, "APPROVE", "").await;
        let among = hall.submit("fire.admin", &hall.draft("fire.admin", Hall::input(&both())).await).await;
        let among = hall.decide("building.dba", &among, "APPROVE", "").await;
        let among = hall.decide("household.dba", &among, "APPROVE", "").await;
        let withdraw = "mutation { step: withdrawDataset(code: \"building\", reason: \"移轉\") { status } }";
        hall.ask("it.admin", withdraw, json!({})).await.step();

        let drafted = hall.draft("fire.admin", Hall::input(&permit_items())).await;
        let refused = hall.ask("fire.admin", SUBMIT, at(&drafted)).await;
        let text = refused.refused(Code::BadUserInput)["message"].as_str().expect("a text").to_owned();
        assert!(text.contains("building was withdrawn"), "{text}");
        hall.ask("it.admin", OPEN, at(&alone)).await.refused(Code::Conflict);
        hall.open_form(&among, "FIRE-2026-001").await;
        let form = hall
            .ask("fire.admin", "{ masterForm(number: \"FIRE-2026-001\") { items { coordinate } } }", json!({}))
            .await;
        assert!(!form.data().to_string().contains("UsePermit") && form.data().to_string().contains("Person.name"));
        assert!(inbox(&hall, "fire.admin").await.contains("Nothing of building is in it"));
        let resume = "mutation { step: resumeDataset(code: \"building\", reason: \"x\") { status } }";
        let refused = hall.ask("building.dba", resume, json!({})).await;
        let text = refused.refused(Code::Forbidden)["message"].as_str().expect("a text").to_owned();
        assert!(text.contains("has withdrawn it"), "{text}");
    }
}

/// Who was handed an application learns that it was taken back, and whoever agreed to it agreed to its title.
#[tokio::test(flavor = "multi_thread")]
async fn who_was_handed_an_application_learns_what_becomes_of_it() {
    let mut hall = Hall::on_sqlite().await;
    hall.prepared().await;
    let submitted = hall.submit("fire.admin", &hall.draft("fire.admin", Hall::input(&both())).await).await;
    let approved = hall.decide("building.dba", &submitted, "APPROVE", "").await;
    let returned = hall.decide("household.dba", &approved, "RETURN", "補正").await;
    let mut input = Hall::input(&both());
    input["title"] = "另一名稱".into();
    let changed = hall.ask("fire.admin", CHANGE, with(&returned, "input", input)).await;
    assert_eq!(changed.step()["annexes"][0]["status"], "DRAFT", "{:#}", changed.body);
    assert!(inbox(&hall, "building.head").await.contains("has another title"));
    let mut now = hall.submit("fire.admin", &Application::of(changed.step())).await;
    for by in ["building.dba", "household.dba"] {
        now = hall.decide(by, &now, "APPROVE", "").await;
    }
    hall.ask("fire.admin", WITHDRAW, at(&now)).await.step();
    for who in ["building.dba", "building.head", "household.dba", "it.admin"] {
        assert!(inbox(&hall, who).await.contains("has taken back its application A-2026-0001"), "{who}");
    }
}

/// What was decided before decisions were kept one by one stays known, and what nobody approved has ended.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_decided_before_is_brought_along() {
    for mut hall in Hall::on_each().await {
        hall.prepared().await;
        let submitted = hall.submit("fire.admin", &hall.draft("fire.admin", Hall::input(&permit_items())).await).await;
        hall.decide("building.dba", &submitted, "REFUSE", "目的不符").await;
        let submitted = hall.submit("fire.admin", &hall.draft("fire.admin", Hall::input(&both())).await).await;
        let approved = hall.decide("building.dba", &submitted, "APPROVE", "").await;
        hall.decide("household.dba", &approved, "REFUSE", "目的不符").await;
        let all = "{ applications { status annexes { decisions { number decision decidedBy decidedAt comment } } } }";
        let before = hall.ask("fire.admin", all, json!({})).await.data().clone();
        assert!(before.to_string().contains("D-2026-0003"), "{before:#}");
        let db = hall.app.accounts.db();
        for sql in [
            "DROP TABLE decisions",
            "DELETE FROM control_migrations WHERE version = 'm20261128_000001_decisions'",
            "UPDATE applications SET status = 'decided'",
        ] {
            db.execute_unprepared(sql).await.expect("as it was before");
        }
        control::migrate(&hall.config.control, db).await.expect("migrates");
        let after = hall.ask("fire.admin", all, json!({})).await;
        assert_eq!(after.data(), &before);
    }
}

/// A decision after midnight in Taipei, when it is the day before elsewhere, bears the day on which it was made.
#[tokio::test(flavor = "multi_thread")]
async fn letters_bear_the_day_in_taipei() {
    let mut hall = Hall::on_sqlite().await;
    hall.prepared().await;
    let drafted = hall.draft("fire.admin", Hall::input(&permit_items())).await;
    let submitted = hall.submit("fire.admin", &drafted).await;
    hall.clock.advance(time::Duration::minutes(15 * 60 + 30)); // 09:00 → 00:30
    for who in ["fire.admin", "building.dba"] {
        hall.sign_in(who, PASSWORD).await;
    }
    let returned = hall.decide("building.dba", &submitted, "RETURN", "請敘明用途").await;
    let again = hall.submit("fire.admin", &returned).await;
    hall.decide("building.dba", &again, "APPROVE", "").await;
    let shown = "{ application(number: \"A-2026-0001\") { decisionLetter } }";
    let shown = hall.ask("fire.admin", shown, json!({})).await;
    let letter = shown.data()["application"]["decisionLetter"].as_str().expect("a letter");
    let (yesterday, today) = (letter.matches("2026-03-02").count(), letter.matches("2026-03-03").count());
    assert_eq!((yesterday, today), (0, 2), "{letter}");
}
