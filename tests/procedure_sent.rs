//! What people send by a slip: the same thing twice, a day at the end of the calendar, a text too long for its place. Each
//! is taken or refused in words; nothing of it is a failure, on SQLite and on PostgreSQL alike.

use std::collections::BTreeMap;

use crate::support::hall::{Hall, PASSWORD};
use crate::support::hall_steps::permit_items;
use axum::http::StatusCode;
use cityquery::access::{Code, Role};
use cityquery::procedure::rules::{Allowed, find};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_named_twice_is_one() {
    for mut hall in Hall::on_each().await {
        hall.staffed().await;
        let purpose = |title: &str| json!({ "code": "fire-safety", "title": title });
        let mut input = Hall::input(&permit_items());
        input["purposes"] = json!([purpose("消防安全"), purpose("消防")]);
        let create = "mutation($input: ApplicationInput!) { step: createApplication(input: $input) { number } }";
        let refused = hall.ask("fire.admin", create, json!({ "input": input })).await;
        let refused = refused.refused(Code::BadUserInput);
        assert!(refused["message"].as_str().is_some_and(|text| text.contains("stands twice")), "{refused:#}");

        let open = "mutation($input: AccountInput!) { step: openAccount(input: $input) { account { roles } } }";
        let input = json!({ "account": "tax.second", "agency": "revenue-service", "title": "局長", "staffNumber": "T-2",
            "roles": ["AGENCY_HEAD", "AGENCY_HEAD"] });
        let opened = hall.ask("it.admin", open, json!({ "input": input })).await;
        assert_eq!(opened.step()["account"]["roles"], json!(["AGENCY_HEAD"]));
        let set = "mutation { step: setRoles(account: \"tax.second\", roles: [BUSINESS_ADMINISTRATOR, \
                   BUSINESS_ADMINISTRATOR, AGENCY_HEAD]) { roles } }";
        let set = hall.ask("it.admin", set, json!({})).await;
        assert_eq!(set.step()["roles"], json!(["BUSINESS_ADMINISTRATOR", "AGENCY_HEAD"]));
    }
}

/// 行政區: those of the city, or none is applied for.
#[tokio::test(flavor = "multi_thread")]
async fn districts_are_the_citys() {
    for mut hall in Hall::on_each().await {
        hall.staffed().await;
        let create = "mutation($input: ApplicationInput!) { step: createApplication(input: $input) { annexes { items { \
                      districts } } } }";
        let input = |districts: Value| {
            json!({ "input": Hall::input(&json!([
                { "coordinate": "UsePermit.permitNo", "uses": ["SELECT"], "districts": districts },
            ])) })
        };
        for unknown in
            [json!(["台北", "63000030,zz"]), json!(["信義區"]), json!(["63000030", "63000130"]), json!([" "])]
        {
            let refused = hall.ask("fire.admin", create, input(unknown)).await;
            let refused = refused.refused(Code::BadUserInput);
            assert!(refused["message"].as_str().is_some_and(|text| text.contains("63000020 信義區")), "{refused:#}");
        }
        let known = hall.ask("fire.admin", create, input(json!(["63000020", "63000120"]))).await;
        assert_eq!(known.step()["annexes"][0]["items"][0]["districts"], json!(["63000020", "63000120"]));
    }
}

/// 申請附表: what it demands says something.
#[tokio::test(flavor = "multi_thread")]
async fn an_offer_demands_nothing_blank() {
    for mut hall in Hall::on_each().await {
        hall.staffed().await;
        let define = "mutation($input: OfferInput!) { step: defineOffer(input: $input) { legalBases attachments } }";
        let offer = |bases: Value, documents: Value| {
            json!({ "input": { "purposes": [], "legalBases": bases, "longestDays": 365, "caseRequired": false,
                "attachments": documents, "items": [] } })
        };
        for (bases, documents) in
            [(json!(["", "消防法"]), json!([])), (json!([]), json!([" "])), (json!([]), json!(["長".repeat(201)]))]
        {
            hall.ask("fire.dba", define, offer(bases, documents)).await.refused(Code::BadUserInput);
        }
        let defined = hall.ask("fire.dba", define, offer(json!([" 消防法 ", "消防法"]), json!(["切結書 "]))).await;
        assert_eq!(defined.step(), &json!({ "legalBases": ["消防法"], "attachments": ["切結書"] }));
    }
}

/// 查驗意見: what is too long is told how long it may be.
#[tokio::test(flavor = "multi_thread")]
async fn a_finding_that_is_too_long_is_told_the_limit() {
    let mut hall = Hall::on_sqlite().await;
    hall.staffed().await;
    let find = "mutation($text: String!) { step: recordFinding(inspection: \"I-2026-0001\", record: \"x\", \
                verdict: IMPROPER, comment: $text) { status } }";
    let report =
        "mutation($text: String!) { step: reportInspection(number: \"I-2026-0001\", summary: $text) { status } }";
    for step in [find, report] {
        let refused = hall.ask("fire.admin", step, json!({ "text": "長".repeat(10_001) })).await;
        let refused = refused.refused(Code::BadUserInput);
        let text = refused["message"].as_str().unwrap_or_default();
        assert!(text.contains("at most 10000 characters, not 10001"), "{text}");
        hall.ask("fire.admin", step, json!({ "text": "長".repeat(10_000) })).await.refused(Code::NotFound);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_may_begin_on_the_last_day_there_is() {
    for mut hall in Hall::on_each().await {
        hall.staffed().await;
        let draft = "mutation($reason: String!) { step: draftApplication(operation: \"{ persons { nodes { name } } }\", \
                     purpose: { code: \"fire-safety\", title: \"消防安全\" }, legalBasis: \"消防法\", reason: $reason, \
                     from: \"9999-12-31\") { title until } }";
        let drafted = hall.ask("fire.officer", draft, json!({ "reason": "通知".repeat(60) })).await;
        assert_eq!(drafted.step()["until"], "9999-12-31");
        let title = drafted.step()["title"].as_str().unwrap_or_default().chars().count();
        assert_eq!(title, 4 + 42, "cut where a title would be too long");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_with_a_nul_is_nobodys() {
    for mut hall in Hall::on_each().await {
        hall.found().await;
        let body = json!({ "account": "a\u{0}", "password": PASSWORD, "newPassword": "Umbrellas-9-below" });
        for path in ["/auth/sign-in", "/auth/password"] {
            let refused = hall.post(path, body.clone()).await;
            assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{path}: {:#}", refused.body);
            refused.refused(Code::Unauthenticated);
        }
        let form = axum::http::Request::post("/oauth/token")
            .header("content-type", "application/x-www-form-urlencoded")
            .body("grant_type=client_credentials&client_id=a%00&client_secret=b".into());
        let refused = hall.send(form.expect("a request")).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{:#}", refused.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_text_and_no_day_is_a_failure() {
    for mut hall in Hall::on_each().await {
        hall.prepared().await;
        hall.granted("fire.admin", permit_items(), &["building.dba"], "FIRE-2026-001").await;
        hall.handed_on("fire.admin", "FIRE-2026-001", &["fire.officer"]).await;
        let inputs = Inputs::of(&hall).await;
        let (mut walked, mut failed) = (0, Vec::new());
        for mutation in inputs.mutations.keys() {
            for leaf in inputs.leaves(mutation) {
                let values: Vec<String> = match leaf.of.as_str() {
                    "Date" => ["9999-12-31", "0001-01-01", "民國前9000年1月1日"].map(str::to_owned).into(),
                    _ => [65, 101, 201, 5_000].map(|length| "長".repeat(length)).into(),
                };
                for value in values {
                    let (who, text) = inputs.written(&hall, mutation, &leaf.path, &value).await;
                    let reply = hall.ask(who, &text, json!({})).await;
                    let ours = [Code::Internal, Code::SourceUnavailable, Code::AuditUnavailable];
                    let (code, length) = (reply.code().to_owned(), value.chars().count());
                    let place = format!("{mutation}({}) with {length} characters", leaf.path.join("."));
                    if ours.iter().any(|failure| failure.word() == code) {
                        failed.push(place.clone());
                    }
                    assert_ne!(reply.body["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED", "{place}");
                    walked += 1;
                }
            }
        }
        assert!(failed.is_empty(), "{failed:#?}");
        assert!(walked > 400, "only {walked}");
    }
}

/// The arguments of the mutations, as the schema tells them.
struct Inputs {
    mutations: BTreeMap<String, Vec<Value>>,
    types: BTreeMap<String, Value>,
}

/// A place where a text or a day is sent.
struct Leaf {
    path: Vec<String>,
    of: String,
}

impl Inputs {
    async fn of(hall: &Hall) -> Inputs {
        let ask = "{ __schema { types { name kind enumValues { name } inputFields { name type { ...T } } } \
                   mutationType { fields { name args { name type { ...T } } } } } } fragment T on __Type { kind name \
                   ofType { kind name ofType { kind name ofType { kind name } } } }";
        let schema = hall.ask("", ask, json!({})).await.data()["__schema"].clone();
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let named = |value: &Value| value["name"].as_str().unwrap_or_default().to_owned();
        Inputs {
            mutations: list(&schema["mutationType"]["fields"])
                .iter()
                .map(|field| (named(field), list(&field["args"])))
                .collect(),
            types: list(&schema["types"]).into_iter().map(|one| (named(&one), one)).collect(),
        }
    }

    fn fields_of(&self, of: &Value) -> Vec<Value> {
        let name = innermost(of)["name"].as_str().unwrap_or_default();
        self.types[name]["inputFields"].as_array().cloned().unwrap_or_default()
    }

    fn leaves(&self, mutation: &str) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        let mut open: Vec<(Vec<String>, Value)> =
            self.mutations[mutation].iter().map(|one| (Vec::new(), one.clone())).collect();
        while let Some((mut path, of)) = open.pop() {
            path.push(of["name"].as_str().unwrap_or_default().to_owned());
            let inner = innermost(&of["type"]);
            match (inner["kind"].as_str(), inner["name"].as_str()) {
                (Some("INPUT_OBJECT"), _) => {
                    open.extend(self.fields_of(&of["type"]).into_iter().map(|field| (path.clone(), field)));
                }
                (Some("SCALAR"), Some(name @ ("String" | "Date"))) => leaves.push(Leaf { path, of: name.to_owned() }),
                _ => {}
            }
        }
        leaves
    }

    /// The mutation with that value in one place and what works in all others that must be filled, and who may send it.
    async fn written(&self, hall: &Hall, mutation: &str, path: &[String], value: &str) -> (&'static str, String) {
        let mut fresh = None;
        if ["changeApplication", "attachDocument", "submitApplication", "withdrawApplication"].contains(&mutation) {
            fresh = Some(hall.draft("fire.admin", Hall::input(&permit_items())).await.number);
        }
        if mutation == "decideAnnex" {
            let drafted = hall.draft("fire.admin", Hall::input(&permit_items())).await;
            fresh = Some(hall.submit("fire.admin", &drafted).await.number);
        }
        let chosen = Chosen { mutation, number: fresh.as_deref(), path, value };
        let given = self.object(&self.mutations[mutation], &chosen, 0);
        let text = format!("mutation {{ step: {mutation}{} {{ __typename }} }}", given.replace('{', "{ "));
        let text = match mutation {
            "markNoticesRead" => text.replace("{ __typename }", ""),
            _ => text,
        };
        (caller(mutation), text)
    }

    fn object(&self, fields: &[Value], chosen: &Chosen<'_>, depth: usize) -> String {
        let mut written = Vec::new();
        for field in fields {
            let name = field["name"].as_str().unwrap_or_default();
            let on_path = chosen.path.get(depth).is_some_and(|step| step == name);
            if on_path || field["type"]["kind"] == "NON_NULL" {
                written.push(format!("{name}: {}", self.literal(&field["type"], name, chosen, depth, on_path)));
            }
        }
        let (open, close) = if depth == 0 { ("(", ")") } else { ("{", "}") };
        format!("{open}{}{close}", written.join(", "))
    }

    fn literal(&self, of: &Value, name: &str, chosen: &Chosen<'_>, depth: usize, on_path: bool) -> String {
        let inner = innermost(of);
        let is_list = of["kind"] == "LIST" || of["ofType"]["kind"] == "LIST";
        let one = match inner["kind"].as_str() {
            Some("INPUT_OBJECT") => {
                let below = Chosen { path: if on_path { chosen.path } else { &[] }, ..*chosen };
                self.object(&self.fields_of(of), &below, depth + 1)
            }
            Some("ENUM") => self.types[inner["name"].as_str().unwrap_or_default()]["enumValues"]
                .as_array()
                .and_then(|values| {
                    values
                        .iter()
                        .find(|one| ["GENERAL_USER", "SELECT", "RETURN"].iter().any(|good| one["name"] == **good))
                        .or(values.first())
                })
                .and_then(|value| value["name"].as_str())
                .unwrap_or_default()
                .to_owned(),
            _ if on_path => json!(chosen.value).to_string(),
            _ => usual(name, inner["name"].as_str().unwrap_or_default(), chosen),
        };
        if is_list { format!("[{one}]") } else { one }
    }
}

/// What is put where.
#[derive(Clone, Copy)]
struct Chosen<'a> {
    mutation: &'a str,
    number: Option<&'a str>,
    path: &'a [String],
    value: &'a str,
}

fn innermost(of: &Value) -> &Value {
    match &of["ofType"] {
        Value::Null => of,
        inner => innermost(inner),
    }
}

/// Who sends it: somebody who may, and whose matter it is.
fn caller(mutation: &str) -> &'static str {
    let Some(Allowed::Roles(roles)) = find(mutation).map(|rule| rule.allowed) else { return "fire.admin" };
    if mutation == "decideAnnex" {
        return "building.dba";
    }
    let people = [
        (Role::BusinessAdministrator, "fire.admin"),
        (Role::DatabaseAdministrator, "fire.dba"),
        (Role::InformationOffice, "it.admin"),
        (Role::AgencyHead, "fire.head"),
    ];
    people.into_iter().find(|(role, _)| roles.contains(role)).map_or("ethics.officer", |(_, who)| who)
}

/// What works in a place.
fn usual(name: &str, of: &str, chosen: &Chosen<'_>) -> String {
    let text = |text: &str| json!(text).to_string();
    match (of, name) {
        ("Int", "revision") => if chosen.mutation == "decideAnnex" { "2" } else { "1" }.to_owned(),
        ("Int", _) => "7".to_owned(),
        ("Boolean", _) => "false".to_owned(),
        ("Date", "until") if chosen.mutation != "importChannelLog" => text("2026-12-31"),
        ("Date", _) => text("2026-03-01"),
        ("ID", _) => text("1"),
        (_, "account" | "reviewer") if chosen.mutation == "openAccount" => text("fire.new"),
        (_, "account") => text("fire.officer"),
        (_, "reviewer") => text("fire.dba"),
        (_, "number") => text(chosen.number.unwrap_or("FIRE-2026-001")),
        (_, "form") => text("FIRE-2026-001"),
        (_, "dataset") => text("fire"),
        (_, "coordinate") if chosen.mutation == "defineOffer" => text("Query.fireInspections"),
        (_, "coordinate") => text("UsePermit.permitNo"),
        (_, "directoryGroup") => text("all"),
        (_, "userGroup" | "group") => text("users"),
        (_, "code" | "agency") => text("fire-department"),
        (_, "content") => text("JVBERi0="),
        (_, "csv") => text("at,who,what\n2026-03-01 09:00:00,a,b\n"),
        (_, "at" | "who" | "what") => text(name),
        (_, "operation") => text("{ persons { nodes { name } } }"),
        _ => text("usual"),
    }
}
