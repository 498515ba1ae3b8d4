//! What a custodian granted for one purpose, on one basis and for one time is read for no other: not after a later
//! application, not after a change of the one that it approved, and not because somebody else said yes.

use crate::support::hall::Hall;
use crate::support::hall_steps::{Application, OPEN, permit_items, person_items};
use cityquery::access::Code;
use serde_json::{Value, json};

const NAMES: &str = "{ persons(first: 1) { nodes { name } } }";
const SUBMIT: &str = "mutation($number: String!, $revision: Int!) { step: submitApplication(number: $number, revision: \
                      $revision) { number revision } }";
const CHANGE: &str = "mutation($number: String!, $revision: Int!, $input: ApplicationInput!) { step: changeApplication(\
                      number: $number, revision: $revision, input: $input) { number revision annexes { custodian status } } }";

fn both_items() -> Value {
    let lists = [permit_items(), person_items()];
    Value::Array(lists.iter().flat_map(|items| items.as_array().expect("items").clone()).collect())
}

/// An application that changes the form of the story.
fn change_of_form(items: &Value, purpose: &str) -> Value {
    let mut input = Hall::input(items);
    input["form"] = "FIRE-2026-001".into();
    input["purposes"] = json!([{ "code": purpose, "title": "消防安全" }]);
    input
}

fn at(of: &Application) -> Value {
    json!({ "number": of.number, "revision": of.revision })
}

/// The fire department reads permits and names for fire safety.
async fn with_a_form(hall: &mut Hall) {
    hall.prepared().await;
    hall.granted("fire.admin", both_items(), &["building.dba", "household.dba"], "FIRE-2026-001").await;
    hall.handed_on("fire.admin", "FIRE-2026-001", &["fire.officer"]).await;
    hall.ask("fire.officer", NAMES, json!({})).await.data();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_custodian_that_refuses_a_purpose_is_not_read_for_it() {
    for mut hall in Hall::on_each().await {
        with_a_form(&mut hall).await;
        let drafted = hall.draft("fire.admin", change_of_form(&both_items(), "marketing")).await;
        let submitted = hall.submit("fire.admin", &drafted).await;
        let refused = hall.decide("household.dba", &submitted, "REFUSE", "不符特定目的").await;
        let decided = hall.decide("building.dba", &refused, "APPROVE", "").await;
        let opening = hall.ask("it.admin", OPEN, at(&decided)).await;
        let message = opening.refused(Code::Conflict)["message"].as_str().expect("a text").to_owned();
        assert!(message.contains("civil-affairs") && message.contains("form of its own"), "{message}");
        let form = "{ masterForm(number: \"FIRE-2026-001\") { version purposes { code } } }";
        let form = hall.ask("fire.admin", form, json!({})).await;
        assert_eq!(form.data()["masterForm"], json!({ "version": 1, "purposes": [{ "code": "fire-safety" }] }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn purposes_change_with_every_custodian_of_the_form_or_not_at_all() {
    let mut hall = Hall::on_sqlite().await;
    with_a_form(&mut hall).await;
    // A further application with the same purpose turns to one custodian only; the next one wants another purpose.
    let drafted = hall.draft("fire.admin", change_of_form(&permit_items(), "fire-safety")).await;
    let submitted = hall.submit("fire.admin", &drafted).await;
    let approved = hall.decide("building.dba", &submitted, "APPROVE", "").await;
    hall.open_form(&approved, "FIRE-2026-001").await;
    let drafted = hall.draft("fire.admin", change_of_form(&permit_items(), "debt-collection")).await;
    let refused = hall.ask("fire.admin", SUBMIT, at(&drafted)).await;
    let fault = refused.refused(Code::BadUserInput)["extensions"]["faults"][0].clone();
    assert!(fault.as_str().is_some_and(|text| text.contains("civil-affairs")), "{fault}");
    // Another word for the same code is another purpose, too.
    let mut renamed = change_of_form(&permit_items(), "fire-safety");
    renamed["purposes"][0]["title"] = "催收".into();
    let drafted = hall.draft("fire.admin", renamed).await;
    hall.ask("fire.admin", SUBMIT, at(&drafted)).await.refused(Code::BadUserInput);
}

/// Two applications are on their way at once: when the first was handed in, nobody else's items were in the form.
#[tokio::test(flavor = "multi_thread")]
async fn what_came_into_the_form_meanwhile_is_asked_for_at_the_opening() {
    let mut hall = Hall::on_sqlite().await;
    hall.prepared().await;
    hall.granted("fire.admin", permit_items(), &["building.dba"], "FIRE-2026-001").await;
    let drafted = hall.draft("fire.admin", change_of_form(&permit_items(), "debt-collection")).await;
    let submitted = hall.submit("fire.admin", &drafted).await;
    let other_purpose = hall.decide("building.dba", &submitted, "APPROVE", "").await;
    let drafted = hall.draft("fire.admin", change_of_form(&person_items(), "fire-safety")).await;
    let submitted = hall.submit("fire.admin", &drafted).await;
    let names = hall.decide("household.dba", &submitted, "APPROVE", "").await;
    hall.open_form(&names, "FIRE-2026-001").await;
    hall.ask("it.admin", OPEN, at(&other_purpose)).await.refused(Code::Conflict);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_stays_on_its_basis_and_within_its_time() {
    let mut hall = Hall::on_sqlite().await;
    with_a_form(&mut hall).await;
    let mut input = change_of_form(&permit_items(), "fire-safety");
    input["legalBasis"] = "建築法第七十七條".into();
    input["from"] = "2026-01-01".into();
    input["until"] = "2027-12-31".into();
    let drafted = hall.draft("fire.admin", input).await;
    let submitted = hall.submit("fire.admin", &drafted).await;
    let approved = hall.decide("building.dba", &submitted, "APPROVE", "").await;
    hall.open_form(&approved, "FIRE-2026-001").await;
    let form = "{ masterForm(number: \"FIRE-2026-001\") { version from until legalBasis } }";
    let form = hall.ask("fire.admin", form, json!({})).await;
    let expected = json!({
        "version": 2, "from": "2026-03-01", "until": "2026-12-31", "legalBasis": "消防法第六條；建築法第七十七條",
    });
    assert_eq!(form.data()["masterForm"], expected);
}

/// One custodian has approved, another has returned its annex: what is changed now, the first has not seen.
#[tokio::test(flavor = "multi_thread")]
async fn an_approval_ends_when_purpose_basis_or_time_change() {
    let wider: [(&str, Value); 4] = [
        ("purposes", json!([{ "code": "political-canvassing", "title": "拉票" }])),
        ("legalBasis", json!("無")),
        ("until", json!("2028-12-31")),
        ("from", json!("2026-01-01")),
    ];
    let mut hall = Hall::on_sqlite().await;
    hall.prepared().await;
    for (field, value) in wider {
        let drafted = hall.draft("fire.admin", Hall::input(&both_items())).await;
        let submitted = hall.submit("fire.admin", &drafted).await;
        let approved = hall.decide("household.dba", &submitted, "APPROVE", "").await;
        let returned = hall.decide("building.dba", &approved, "RETURN", "補正").await;
        let statuses = |reply: &Value| {
            let annexes = reply["annexes"].as_array().expect("annexes").clone();
            let one = |custodian| {
                annexes.iter().find(|annex| annex["custodian"] == custodian).expect("an annex")["status"].clone()
            };
            (one("civil-affairs"), one("building-office"))
        };
        // Less than what was approved leaves the approval as it is.
        let mut input = Hall::input(&both_items());
        input["until"] = "2026-11-30".into();
        let mut variables = at(&returned);
        variables["input"] = input.clone();
        let narrowed = hall.ask("fire.admin", CHANGE, variables).await;
        assert_eq!(statuses(narrowed.step()), (json!("APPROVED"), json!("RETURNED")));

        input[field] = value.clone();
        let mut variables = at(&Application::of(narrowed.step()));
        variables["input"] = input;
        let changed = hall.ask("fire.admin", CHANGE, variables).await;
        assert_eq!(statuses(changed.step()).0, "DRAFT", "{field}: {value}");
        let told = hall.ask("household.dba", "{ inbox(unreadOnly: true) { textEn } }", json!({})).await;
        assert!(told.data()["inbox"].to_string().contains("handed in anew"), "{:#}", told.body);

        // Handed in again, it waits for both.
        let submitted = hall.submit("fire.admin", &Application::of(changed.step())).await;
        let approved = hall.decide("building.dba", &submitted, "APPROVE", "").await;
        hall.ask("it.admin", OPEN, at(&approved)).await.refused(Code::Conflict);
        hall.decide("household.dba", &approved, "REFUSE", "不符目的").await;
    }
}

/// A custodian may ask whence the right to its own field came, in operations that used it; of others it learns nothing, not
/// even that they were.
#[tokio::test(flavor = "multi_thread")]
async fn a_custodian_is_told_of_operations_on_its_own_data_only() {
    let mut hall = Hall::on_sqlite().await;
    with_a_form(&mut hall).await;
    let read = hall.ask("fire.officer", NAMES, json!({})).await;
    let record = read.body["extensions"]["audit"].as_str().expect("a record").to_owned();
    let why = "query($record: String!, $of: String!) { why: provenance(record: $record, coordinate: $of) { account } }";
    let own = hall.ask("household.dba", why, json!({ "record": record, "of": "Person.name" })).await;
    assert_eq!(own.data()["why"]["account"], "fire.officer");
    for (dba, of) in
        [("zoning.dba", "Zone.code"), ("building.dba", "UsePermit.permitNo"), ("household.dba", "Person.sex")]
    {
        hall.ask(dba, why, json!({ "record": record, "of": of })).await.refused(Code::NotFound);
    }
}
