//! How the demo's rights come to be: by the procedure, step by step, each taken by the person whose step it is. What is
//! in place already is left alone, so that a second start takes no step.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use anyhow::Context;
use serde_json::{Value, json};

use super::cast::{self, People, password_of};
use super::front_door::FrontDoor;
use crate::access::{Item, Role};
use crate::accounts::forms::NewForm;
use crate::accounts::people::NewPerson;
use crate::cli::audit::{administration, operator};
use crate::http::App;

/// Who opens the others.
const FOUNDER: &str = "it.admin";

/// Puts people and forms in place; returns what `accounts.json` holds.
pub async fn walk(app: &Arc<App>) -> anyhow::Result<Value> {
    let people = cast::people()?;
    let forms = cast::forms(app.accounts.rights().catalog(), app.clock.today())?;
    let mut door = FrontDoor::new(Arc::clone(app));
    found(app, &people).await?;
    keep_passwords_young(app, &people).await?;
    gather(app, &mut door, &people).await?;
    let missing: Vec<&NewForm> = forms.iter().filter(|form| !is_in_place(app, form)).collect();
    if !missing.is_empty() {
        prepare(app, &mut door, &people, &forms, &missing).await?;
    }
    for form in missing {
        grant(&mut door, &people, form).await.with_context(|| format!("form {}", form.number))?;
    }
    Ok(cast::accounts_json(&people, &forms))
}

/// The first account of an installation comes from its operator; there is nobody else yet.
async fn found(app: &App, people: &People) -> anyhow::Result<()> {
    if app.accounts.rights().current().people().next().is_some() {
        return Ok(());
    }
    let founder = people.person.iter().find(|person| person.account == FOUNDER).context("it.admin is in the cast")?;
    let agency = people.agency.iter().find(|agency| agency.code == founder.agency).context("its agency, too")?;
    let new = NewPerson {
        name: FOUNDER,
        agency: &agency.code,
        title: &founder.title,
        roles: &[founder.role.word()],
        password: &password_of(FOUNDER),
        one_time: false,
        staff_number: Some(FOUNDER),
        email: None,
        holder: None,
    };
    let note = format!("the first account, {FOUNDER} of {}, is opened by the demo", agency.code);
    let record = administration(&app.accounts, operator(), note);
    app.audit.commit(record).await.context("it must be recorded before it is done")?;
    app.accounts.found(&agency.title, &new).await?;
    Ok(())
}

/// Opens the agencies and accounts that are missing.
async fn gather(app: &App, door: &mut FrontDoor, people: &People) -> anyhow::Result<()> {
    let known: HashSet<String> = app.accounts.rights().current().people().map(|one| one.name.to_string()).collect();
    let new = |name: &str| !known.contains(name);
    if people.person.iter().any(|person| new(&person.account)) {
        for agency in &people.agency {
            let open = "mutation($code: String!, $title: String!, $kind: AgencyKind) \
                        { openAgency(code: $code, title: $title, kind: $kind) { code } }";
            let variables = json!({ "code": agency.code, "title": agency.title, "kind": agency.kind });
            door.ask(FOUNDER, open, variables).await?;
        }
    }
    let open = "mutation($input: AccountInput!) { openAccount(input: $input) { account { account } } }";
    // Administrators first: they open the accounts of their agency's users.
    let (users, others): (Vec<_>, Vec<_>) =
        people.person.iter().filter(|person| new(&person.account)).partition(|one| one.role == Role::GeneralUser);
    for person in others.into_iter().chain(users) {
        let by = match person.role {
            Role::GeneralUser => admin_of(people, &person.agency)?,
            _ => FOUNDER,
        };
        let input = json!({
            "account": person.account,
            "agency": person.agency,
            "title": person.title,
            "staffNumber": person.account,
            "roles": [person.role.word().replace('-', "_").to_uppercase()],
        });
        door.ask(by, open, json!({ "input": input })).await?;
    }
    for client in people.client.iter().filter(|client| new(&client.client_id)) {
        let open = "mutation($id: String!, $title: String!) { openClient(clientId: $id, title: $title) { account { account } } }";
        let by = admin_of(people, &client.agency)?;
        door.ask(by, open, json!({ "id": client.client_id, "title": client.title })).await?;
    }
    let missing = people.person.iter().any(|person| new(&person.account) && person.account != FOUNDER);
    if missing || people.client.iter().any(|client| new(&client.client_id)) {
        set_passwords(app, people).await?;
    }
    Ok(())
}

/// The demo's passwords are known to everybody.
async fn set_passwords(app: &App, people: &People) -> anyhow::Result<()> {
    let names = people.person.iter().map(|person| &person.account);
    let names = names.chain(people.client.iter().map(|client| &client.client_id));
    let passwords: Vec<(String, String)> = names.map(|name| (name.clone(), password_of(name))).collect();
    Ok(app.accounts.set_known_passwords(&passwords).await?)
}

/// A demo that is started again after three months must still let people in.
async fn keep_passwords_young(app: &App, people: &People) -> anyhow::Result<()> {
    let oldest = app.accounts.rights().current().people().filter_map(|one| one.password_set_at).min();
    match oldest {
        Some(oldest) if oldest < app.clock.now() - time::Duration::days(30) => set_passwords(app, people).await,
        _ => Ok(()),
    }
}

/// What must be on file before anything opens: offers, audit plans, operating rules with their receipts.
async fn prepare(
    app: &App,
    door: &mut FrontDoor,
    people: &People,
    forms: &[NewForm],
    missing: &[&NewForm],
) -> anyhow::Result<()> {
    let catalog = app.accounts.rights().catalog();
    let custodians: BTreeSet<&str> = catalog.datasets.iter().map(|dataset| dataset.custodian.as_str()).collect();
    for custodian in &custodians {
        let by = with_role(people, custodian, Role::DatabaseAdministrator)?;
        let own = catalog.fields.iter().filter(|field| catalog.dataset(field.dataset).custodian == **custodian);
        let uses = ["SELECT", "FILTER", "ORDER", "GROUP", "AGGREGATE", "MATCH"];
        let coordinates: BTreeSet<&str> = own.map(|field| field.coordinate.as_str()).collect();
        let items: Vec<Value> =
            coordinates.iter().map(|coordinate| json!({ "coordinate": coordinate, "uses": uses })).collect();
        // It gives its data for what the demo's forms ask of it, and whoever applies chooses among that.
        let asked = forms.iter().filter(|form| form.items.iter().any(|item| coordinates.contains(&*item.coordinate)));
        let purposes: BTreeMap<&String, &String> =
            asked.flat_map(|form| form.purposes.iter().map(|(code, title)| (code, title))).collect();
        let purposes: Vec<Value> =
            purposes.into_iter().map(|(code, title)| json!({ "code": code, "title": title })).collect();
        let input = json!({
            "purposes": purposes, "legalBases": [], "longestDays": 1096, "caseRequired": false, "attachments": [], "items": items,
        });
        let define = "mutation($input: OfferInput!) { defineOffer(input: $input) { version } }";
        door.ask(by, define, json!({ "input": input })).await?;
    }
    for dataset in &catalog.datasets {
        let by = with_role(people, &dataset.custodian, Role::DatabaseAdministrator)?;
        let file = "mutation($dataset: String!, $content: String!) \
                    { fileAuditPlan(dataset: $dataset, content: $content, intervalDays: 182) { version } }";
        let content = format!("{}資料庫使用稽核計畫（示範）", dataset.title);
        door.ask(by, file, json!({ "dataset": dataset.code, "content": content })).await?;
    }
    let agencies: BTreeSet<&str> = missing.iter().map(|form| form.agency.as_str()).collect();
    for agency in agencies {
        let file = "mutation($title: String!, $content: String!) { fileOperatingRules(title: $title, content: $content) \
                    { version receipts { recipient } } }";
        let text =
            json!({ "title": "使用及內部查驗作業規定", "content": "本規定為示範資料，訂明使用及每月內部查驗之方式。" });
        let filed = door.ask(admin_of(people, agency)?, file, text).await?["fileOperatingRules"].take();
        for receipt in filed["receipts"].as_array().into_iter().flatten() {
            let recipient = receipt["recipient"].as_str().unwrap_or_default();
            let keepers = [Role::DatabaseAdministrator, Role::InformationOffice, Role::CommissionOfficer];
            let by = keepers.into_iter().find_map(|role| with_role(people, recipient, role).ok());
            let acknowledge = "mutation($agency: String!, $version: Int!) \
                               { acknowledgeOperatingRules(agency: $agency, version: $version) { version } }";
            let by = by.with_context(|| format!("somebody in {recipient}"))?;
            door.ask(by, acknowledge, json!({ "agency": agency, "version": filed["version"] })).await?;
        }
    }
    Ok(())
}

/// From the application to the sub-form.
async fn grant(door: &mut FrontDoor, people: &People, form: &NewForm) -> anyhow::Result<()> {
    let admin = admin_of(people, &form.agency)?;
    let known = door.ask(admin, "{ masterForms { number } }", json!({})).await?;
    let known = known["masterForms"].as_array().is_some_and(|all| all.iter().any(|one| one["number"] == *form.number));
    let purposes = form.purposes.iter().map(|(code, title)| json!({ "code": code, "title": title }));
    let input = json!({
        "title": form.title,
        "purposes": purposes.collect::<Vec<_>>(),
        "legalBasis": form.legal_basis,
        "from": form.from.to_string(),
        "until": form.until.to_string(),
        "form": known.then_some(&form.number),
        "items": form.items.iter().map(|item| item_json(item, &form.title)).collect::<Vec<_>>(),
    });
    let create = "mutation($input: ApplicationInput!) \
                  { step: createApplication(input: $input) { number revision annexes { custodian } } }";
    let mut application = door.ask(admin, create, json!({ "input": input })).await?["step"].take();
    let number = application["number"].clone();
    let submit = "mutation($number: String!, $revision: Int!) { step: submitApplication(number: $number, revision: $revision) \
                  { revision annexes { custodian } } }";
    let variables = json!({ "number": number, "revision": application["revision"] });
    application = door.ask(admin, submit, variables).await?["step"].take();
    let custodians: Vec<String> = application["annexes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|annex| annex["custodian"].as_str().map(str::to_owned))
        .collect();
    for custodian in custodians {
        // Nobody uses what they have approved themselves: then the head decides.
        let administrator = with_role(people, &custodian, Role::DatabaseAdministrator)?;
        let by = match form.holders.iter().any(|holder| holder == administrator) {
            true => with_role(people, &custodian, Role::AgencyHead)?,
            false => administrator,
        };
        let decide = "mutation($number: String!, $revision: Int!) { step: decideAnnex(number: $number, revision: $revision, \
                      decision: APPROVE) { revision } }";
        let variables = json!({ "number": number, "revision": application["revision"] });
        application = door.ask(by, decide, variables).await?["step"].take();
    }
    let open = "mutation($number: String!, $revision: Int!, $form: String) { step: openMasterForm(number: $number, \
                revision: $revision, form: $form) { revision } }";
    let variables = json!({ "number": number, "revision": application["revision"], "form": form.number });
    door.ask(FOUNDER, open, variables).await?;
    hand_on(door, admin, form).await
}

/// Groups and sub-form.
async fn hand_on(door: &mut FrontDoor, admin: &str, form: &NewForm) -> anyhow::Result<()> {
    let what = "mutation($form: String!, $title: String!) { putDirectoryGroup(form: $form, name: \"all\", title: $title) { name } }";
    door.ask(admin, what, json!({ "form": form.number, "title": form.title })).await?;
    let who = "mutation($name: String!, $title: String!) { putUserGroup(name: $name, title: $title) { members } }";
    let group = json!({ "name": form.number, "title": form.title });
    let members = door.ask(admin, who, group).await?["putUserGroup"]["members"].take();
    let present = |holder: &str| members.as_array().is_some_and(|all| all.iter().any(|one| *one == *holder));
    for holder in form.holders.iter().filter(|holder| !present(holder)) {
        let add =
            "mutation($group: String!, $account: String!) { addMember(group: $group, account: $account) { name } }";
        door.ask(admin, add, json!({ "group": form.number, "account": holder })).await?;
    }
    let known = door.ask(admin, "{ subForms { form status } }", json!({})).await?;
    let open_already = |one: &Value| one["form"] == *form.number && one["status"] == "OPEN";
    if known["subForms"].as_array().is_some_and(|all| all.iter().any(open_already)) {
        return Ok(());
    }
    let open = "mutation($input: SubFormInput!) { openSubForm(input: $input) { number } }";
    let input = json!({ "form": form.number, "title": form.title, "directoryGroup": "all", "userGroup": form.number });
    door.ask(admin, open, json!({ "input": input })).await.map(drop)
}

fn item_json(item: &Item, reason: &str) -> Value {
    json!({
        "coordinate": item.coordinate,
        "uses": item.uses.iter().map(|one| one.word().to_uppercase()).collect::<Vec<_>>(),
        "level": if item.masked { "MASKED" } else { "FULL" },
        "districts": item.districts,
        "reason": reason,
    })
}

fn admin_of<'a>(people: &'a People, agency: &str) -> anyhow::Result<&'a str> {
    with_role(people, agency, Role::BusinessAdministrator)
}

fn with_role<'a>(people: &'a People, agency: &str, role: Role) -> anyhow::Result<&'a str> {
    let found = people.person.iter().find(|person| person.agency == agency && person.role == role);
    found.map(|person| person.account.as_str()).with_context(|| format!("{agency} has no {}", role.word()))
}

/// Whether the form is there with these very items, and its period goes on for a while.
fn is_in_place(app: &App, form: &NewForm) -> bool {
    let snapshot = app.accounts.rights().current();
    let Some(holder) = form.holders.first().and_then(|name| snapshot.person(name)) else { return false };
    let held = snapshot.held_by(holder.id).iter().find(|held| *held.rights.number == *form.number);
    let sorted = |mut items: Vec<Item>| {
        items.sort_by(|a, b| a.coordinate.cmp(&b.coordinate));
        items
    };
    held.is_some_and(|held| {
        held.rights.until >= app.clock.today() + time::Duration::days(30)
            && sorted(held.items()) == sorted(form.items.clone())
    })
}
