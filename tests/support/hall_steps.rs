//! The steps that stories about the procedure share, each taken through the front door by the person whose step it is.

use serde_json::{Value, json};

use super::hall::{Hall, PASSWORD};

/// Who works at the city hall: account, agency, role. The information office's first account is there before them.
pub const STAFF: [(&str, &str, &str); 14] = [
    ("commission.officer", "evaluation-commission", "COMMISSION_OFFICER"),
    ("ethics.officer", "ethics-office", "ETHICS_OFFICER"),
    ("fire.dba", "fire-department", "DATABASE_ADMINISTRATOR"),
    ("fire.head", "fire-department", "AGENCY_HEAD"),
    ("fire.admin", "fire-department", "BUSINESS_ADMINISTRATOR"),
    ("building.dba", "building-office", "DATABASE_ADMINISTRATOR"),
    ("building.head", "building-office", "AGENCY_HEAD"),
    ("household.dba", "civil-affairs", "DATABASE_ADMINISTRATOR"),
    ("land.dba", "land-office", "DATABASE_ADMINISTRATOR"),
    ("zoning.dba", "urban-development", "DATABASE_ADMINISTRATOR"),
    ("tax.admin", "revenue-service", "BUSINESS_ADMINISTRATOR"),
    ("tax.head", "revenue-service", "AGENCY_HEAD"),
    ("fire.officer", "fire-department", "GENERAL_USER"),
    ("tax.clerk", "revenue-service", "GENERAL_USER"),
];

/// The agencies beside the information office: code and kind.
pub const AGENCIES: [(&str, &str); 8] = [
    ("evaluation-commission", "COMMISSION"),
    ("ethics-office", "ETHICS_OFFICE"),
    ("civil-affairs", "USING"),
    ("land-office", "USING"),
    ("building-office", "USING"),
    ("urban-development", "USING"),
    ("fire-department", "USING"),
    ("revenue-service", "USING"),
];

/// An application on its way.
#[derive(Debug, Clone)]
pub struct Application {
    /// Number.
    pub number: String,
    /// Revision last seen.
    pub revision: i64,
}

impl Application {
    /// As an answer shows it.
    pub fn of(step: &Value) -> Application {
        Application {
            number: step["number"].as_str().expect("a number").to_owned(),
            revision: step["revision"].as_i64().expect("a revision"),
        }
    }

    fn variables(&self) -> Value {
        json!({ "number": self.number, "revision": self.revision })
    }
}

/// Open fields of use permits, asked for to be read.
pub fn permit_items() -> Value {
    json!([
        { "coordinate": "Query.usePermits", "uses": ["SELECT", "FILTER", "ORDER"], "reason": "查核" },
        { "coordinate": "UsePermit.{permitNo issuedOn floorsAbove}", "uses": ["SELECT", "FILTER", "ORDER"], "reason": "查核" },
    ])
}

/// Names of persons, asked for to be read.
pub fn person_items() -> Value {
    json!([
        { "coordinate": "Query.persons", "uses": ["SELECT"], "reason": "通知" },
        { "coordinate": "Person.name", "uses": ["SELECT"], "reason": "通知", "level": "MASKED" },
    ])
}

impl Hall {
    /// Everybody is there, custodians offer what they have, plans and rules are on file; nobody holds a form.
    pub async fn staffed(&mut self) {
        self.found().await;
        for (code, kind) in AGENCIES {
            self.agency(code, kind).await;
        }
        for (name, agency, role) in STAFF {
            let by = match role {
                "GENERAL_USER" => {
                    if agency == "fire-department" {
                        "fire.admin"
                    } else {
                        "tax.admin"
                    }
                }
                _ => "it.admin",
            };
            self.known_person(by, name, agency, role).await;
        }
    }

    /// The same, with offers, audit plans, and operating rules acknowledged by all.
    pub async fn prepared(&mut self) {
        self.staffed().await;
        for custodian in ["household.dba", "land.dba", "building.dba", "zoning.dba", "fire.dba"] {
            self.offer_everything(custodian).await;
        }
        for (dba, dataset) in [
            ("household.dba", "household"),
            ("household.dba", "shared"),
            ("land.dba", "land"),
            ("building.dba", "building"),
            ("zoning.dba", "zoning"),
            ("fire.dba", "fire"),
        ] {
            self.plan(dba, dataset).await;
        }
        for admin in ["fire.admin", "tax.admin"] {
            self.file_rules(admin).await;
        }
    }

    /// Opens an account by the procedure; its password is made known to the test without the way over the first one,
    /// which has a test of its own.
    pub async fn known_person(&mut self, by: &str, name: &str, agency: &str, role: &str) {
        let open = "mutation($input: AccountInput!) { step: openAccount(input: $input) { firstPassword } }";
        let input = json!({
            "account": name, "agency": agency, "title": "承辦人", "staffNumber": format!("S-{name}"), "roles": [role],
        });
        self.ask(by, open, json!({ "input": input })).await.step();
        let known = [(name.to_owned(), PASSWORD.to_owned())];
        self.app.accounts.set_known_passwords(&known).await.expect("sets the password");
        self.sign_in(name, PASSWORD).await;
    }

    /// A custodian offers all that it has.
    pub async fn offer_everything(&self, dba: &str) {
        let agency = STAFF.iter().find(|(name, ..)| *name == dba).expect("on the staff").1;
        let catalog = &self.app.catalog;
        let own = catalog.fields.iter().filter(|field| catalog.dataset(field.dataset).custodian == agency);
        let uses = ["SELECT", "FILTER", "ORDER", "GROUP", "AGGREGATE", "MATCH"];
        let items: Vec<Value> = own.map(|field| json!({ "coordinate": field.coordinate, "uses": uses })).collect();
        self.offer(dba, json!({ "items": items })).await;
    }

    /// A custodian offers these; what is not said is as wide as can be.
    pub async fn offer(&self, dba: &str, of: Value) {
        let mut input = json!({
            "purposes": [], "legalBases": [], "longestDays": 1096, "caseRequired": false, "attachments": [], "items": [],
        });
        of.as_object().expect("an object").iter().for_each(|(key, value)| input[key] = value.clone());
        let define = "mutation($input: OfferInput!) { step: defineOffer(input: $input) { version } }";
        self.ask(dba, define, json!({ "input": input })).await.step();
    }

    /// A custodian files the audit plan of a dataset.
    pub async fn plan(&self, dba: &str, dataset: &str) {
        let file = "mutation($dataset: String!) { step: fileAuditPlan(dataset: $dataset, content: \"每半年稽核一次\", \
                    intervalDays: 182) { version } }";
        self.ask(dba, file, json!({ "dataset": dataset })).await.step();
    }

    /// An agency files its rules, and everybody acknowledges them.
    pub async fn file_rules(&self, admin: &str) {
        let version = self.file_rules_only(admin).await;
        let agency = STAFF.iter().find(|(name, ..)| *name == admin).expect("on the staff").1;
        for by in
            ["household.dba", "land.dba", "building.dba", "zoning.dba", "fire.dba", "it.admin", "commission.officer"]
        {
            self.acknowledge(by, agency, version).await;
        }
    }

    /// An agency files its rules; the version.
    pub async fn file_rules_only(&self, admin: &str) -> i64 {
        let file =
            "mutation { step: fileOperatingRules(title: \"作業規定\", content: \"每月查驗百分之一\") { version } }";
        self.ask(admin, file, json!({})).await.step()["version"].as_i64().expect("a version")
    }

    /// Somebody acknowledges rules.
    pub async fn acknowledge(&self, by: &str, agency: &str, version: i64) {
        let step = "mutation($agency: String!, $version: Int!) { step: acknowledgeOperatingRules(agency: $agency, \
                    version: $version) { version } }";
        self.ask(by, step, json!({ "agency": agency, "version": version })).await.step();
    }

    /// What an application asks for.
    pub fn input(items: &Value) -> Value {
        json!({
            "title": "消防安全查核", "purposes": [{ "code": "fire-safety", "title": "消防安全" }],
            "legalBasis": "消防法第六條", "from": "2026-03-01", "until": "2026-12-31", "items": items,
        })
    }

    /// Drafts an application.
    pub async fn draft(&self, by: &str, input: Value) -> Application {
        let create =
            "mutation($input: ApplicationInput!) { step: createApplication(input: $input) { number revision } }";
        Application::of(self.ask(by, create, json!({ "input": input })).await.step())
    }

    /// Hands it in.
    pub async fn submit(&self, by: &str, of: &Application) -> Application {
        let submit = "mutation($number: String!, $revision: Int!) { step: submitApplication(number: $number, revision: $revision) \
                      { number revision } }";
        Application::of(self.ask(by, submit, of.variables()).await.step())
    }

    /// Decides on one's annex.
    pub async fn decide(&self, by: &str, of: &Application, decision: &str, comment: &str) -> Application {
        let mut variables = of.variables();
        variables["decision"] = decision.into();
        variables["comment"] = comment.into();
        Application::of(self.ask(by, DECIDE, variables).await.step())
    }

    /// Opens the master form.
    pub async fn open_form(&self, of: &Application, form: &str) -> Application {
        let mut variables = of.variables();
        variables["form"] = form.into();
        Application::of(self.ask("it.admin", OPEN, variables).await.step())
    }

    /// From the draft to the open master form; who decides is named.
    pub async fn granted(&self, admin: &str, items: Value, deciders: &[&str], form: &str) -> Application {
        let drafted = self.draft(admin, Hall::input(&items)).await;
        let mut on_its_way = self.submit(admin, &drafted).await;
        for by in deciders {
            on_its_way = self.decide(by, &on_its_way, "APPROVE", "").await;
        }
        self.open_form(&on_its_way, form).await
    }

    /// Groups and sub-form: the whole form to these members. The sub-form's number.
    pub async fn handed_on(&self, admin: &str, form: &str, members: &[&str]) -> String {
        let what = "mutation($form: String!) { step: putDirectoryGroup(form: $form, name: \"all\", title: \"全部\") { name } }";
        self.ask(admin, what, json!({ "form": form })).await.step();
        let who = "mutation { step: putUserGroup(name: \"users\", title: \"使用者\") { name } }";
        self.ask(admin, who, json!({})).await.step();
        for member in members {
            self.add_member(admin, member).await;
        }
        let input = json!({ "form": form, "title": "查核", "directoryGroup": "all", "userGroup": "users" });
        let reply = self.ask(admin, OPEN_SUB_FORM, json!({ "input": input })).await;
        reply.step()["number"].as_str().expect("a number").to_owned()
    }

    /// Puts somebody into the users' group.
    pub async fn add_member(&self, admin: &str, member: &str) {
        let add = "mutation($account: String!) { step: addMember(group: \"users\", account: $account) { members } }";
        self.ask(admin, add, json!({ "account": member })).await.step();
    }
}

/// Deciding on an annex.
pub const DECIDE: &str = "mutation($number: String!, $revision: Int!, $decision: Decision!, $comment: String) { step: decideAnnex(\
    number: $number, revision: $revision, decision: $decision, comment: $comment) { number revision status annexes \
    { custodian status comment decidedBy decisionNumber } } }";

/// Opening a master form.
pub const OPEN: &str = "mutation($number: String!, $revision: Int!, $form: String) { step: openMasterForm(number: $number, \
    revision: $revision, form: $form) { number revision form } }";

/// Opening a sub-form.
pub const OPEN_SUB_FORM: &str = "mutation($input: SubFormInput!) { step: openSubForm(input: $input) { number } }";

/// What the stories ask once they may.
pub const PERMITS: &str = "{ usePermits(first: 3, orderBy: [{ permitNo: ASC }]) { nodes { permitNo floorsAbove } } }";
