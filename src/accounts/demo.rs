//! The demo's agencies, accounts and forms: read from the files beside this one, checked against the catalogue,
//! and put into the control database. Synthetic throughout; the passwords are known to everybody.

use std::collections::{HashMap, HashSet};

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::Deserialize;
use serde_json::{Value, json};
use time::{Date, Month};

use super::entity::account;
use super::epoch::{self, Epoch};
use super::forms::{NewForm, check_items};
use super::people::NewPerson;
use super::{Accounts, AccountsError};
use crate::access::{Item, Uses};
use crate::catalog::{Catalog, Class, FieldDef, FieldKind};

const PEOPLE: &str = include_str!("demo/people.toml");
const FORMS: [(&str, &str); 11] = [
    ("fire.toml", include_str!("demo/fire.toml")),
    ("tax.toml", include_str!("demo/tax.toml")),
    ("welfare.toml", include_str!("demo/welfare.toml")),
    ("renewal.toml", include_str!("demo/renewal.toml")),
    ("statistics.toml", include_str!("demo/statistics.toml")),
    ("partner.toml", include_str!("demo/partner.toml")),
    ("household-quality.toml", include_str!("demo/household-quality.toml")),
    ("land-quality.toml", include_str!("demo/land-quality.toml")),
    ("building-quality.toml", include_str!("demo/building-quality.toml")),
    ("zoning-quality.toml", include_str!("demo/zoning-quality.toml")),
    ("fire-quality.toml", include_str!("demo/fire-quality.toml")),
];

/// Everybody in the demo.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct People {
    agency: Vec<Agency>,
    person: Vec<Person>,
    client: Vec<Client>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Agency {
    code: String,
    title: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    account: String,
    agency: String,
    role: String,
    title: String,
    says: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Client {
    client_id: String,
    agency: String,
    role: String,
    title: String,
    says: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FormFile {
    number: String,
    title: String,
    agency: String,
    holders: Vec<String>,
    legal_basis: String,
    case_required: bool,
    purposes: Vec<(String, String)>,
    grants: Vec<Grant>,
}

/// Some items with the same rights: named one by one, or by class. What stands earlier in the file wins.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Grant {
    uses: String,
    #[serde(default)]
    masked: bool,
    districts: Option<Vec<String>>,
    /// `Person.name`, or several of a type: `Person.{name sex}`.
    #[serde(default)]
    items: Vec<String>,
    /// Every column and join of these classes that no earlier grant names.
    #[serde(default)]
    classes: Vec<Class>,
    /// With `classes`: of this dataset only.
    dataset: Option<String>,
    /// With `dataset`: its root fields, too.
    #[serde(default)]
    roots: bool,
}

/// The demo's password of an account or client, known to everybody.
pub fn password_of(account: &str) -> String {
    format!("{account}@demo")
}

/// The demo's people.
pub fn people() -> Result<People, AccountsError> {
    toml::from_str(PEOPLE).map_err(|error| AccountsError::Declaration(format!("people.toml: {error}")))
}

/// The demo's forms, checked against the catalogue: every fault of every file.
pub fn forms(catalog: &Catalog, today: Date) -> Result<Vec<NewForm>, AccountsError> {
    let (mut forms, mut faults) = (Vec::new(), Vec::new());
    for (name, text) in FORMS {
        let read = read_form(catalog, text, today).and_then(|form| check_items(catalog, &form).map(|()| form));
        match read {
            Ok(form) => forms.push(form),
            Err(error) => faults.push(format!("{name}: {error}")),
        }
    }
    if faults.is_empty() { Ok(forms) } else { Err(AccountsError::Declaration(faults.join("\n"))) }
}

fn read_form(catalog: &Catalog, text: &str, today: Date) -> Result<NewForm, AccountsError> {
    let file: FormFile = toml::from_str(text).map_err(|error| AccountsError::Declaration(error.to_string()))?;
    let mut items: Vec<Item> = Vec::new();
    let mut named: HashSet<String> = HashSet::new();
    for grant in &file.grants {
        let uses = Uses::parse(&grant.uses)
            .map_err(|word| AccountsError::Declaration(format!("\"{word}\" is not a use of a field")))?;
        let mut add = |coordinate: String| {
            named.insert(coordinate.clone());
            items.push(Item { coordinate, uses, masked: grant.masked, districts: grant.districts.clone() });
        };
        grant.items.iter().flat_map(|item| expanded(item)).for_each(&mut add);
        let by_class: Vec<String> = catalog
            .fields
            .iter()
            .filter(|field| is_covered(catalog, grant, field))
            .map(|field| field.coordinate.clone())
            .filter(|coordinate| !named.contains(coordinate))
            .collect();
        for coordinate in by_class {
            named.insert(coordinate.clone());
            items.push(Item { coordinate, uses, masked: grant.masked, districts: grant.districts.clone() });
        }
    }
    // Grants end after three years at most.
    let day = |year: i32, month, day| Date::from_calendar_date(year, month, day).unwrap_or(today);
    Ok(NewForm {
        number: file.number,
        title: file.title,
        agency: file.agency,
        purposes: file.purposes,
        legal_basis: file.legal_basis,
        case_required: file.case_required,
        from: day(today.year(), Month::January, 1),
        until: day(today.year() + 2, Month::December, 31),
        items,
        holders: file.holders,
    })
}

fn is_covered(catalog: &Catalog, grant: &Grant, field: &FieldDef) -> bool {
    let in_dataset = |id| grant.dataset.as_ref().is_none_or(|code| catalog.dataset(id).code == *code);
    match field.kind {
        FieldKind::Column(_) | FieldKind::Join(_) => grant.classes.contains(&field.class) && in_dataset(field.dataset),
        FieldKind::One(of) | FieldKind::List(of) => grant.roots && in_dataset(catalog.type_def(of).dataset),
    }
}

/// `Person.{name sex}` → `Person.name`, `Person.sex`.
fn expanded(item: &str) -> Vec<String> {
    match item.split_once(".{").and_then(|(of, rest)| Some((of, rest.strip_suffix('}')?))) {
        Some((of, fields)) => fields.split_whitespace().map(|field| format!("{of}.{field}")).collect(),
        None => vec![item.to_owned()],
    }
}

/// Puts agencies, accounts and forms in place, or brings those of an earlier start up to date; returns what
/// `accounts.json` holds.
pub async fn seed(accounts: &Accounts) -> Result<Value, AccountsError> {
    let people = people()?;
    let forms = forms(accounts.rights().catalog(), accounts.clock().today())?;
    let known = account::Entity::find().all(accounts.db()).await?;
    let known: HashSet<&str> = known.iter().map(|account| account.name.as_str()).collect();
    if known.is_empty() {
        for agency in &people.agency {
            accounts.put_agency(&agency.code, &agency.title).await?;
        }
    }
    let new = people.person.iter().filter(|person| !known.contains(person.account.as_str()));
    // Hashing takes most of the time; as many as there are cores run at once.
    futures::future::try_join_all(new.map(|person| open_person(accounts, person))).await?;
    for client in people.client.iter().filter(|client| !known.contains(client.client_id.as_str())) {
        let key = password_of(&client.client_id);
        accounts.open_client(&client.client_id, &key, &client.agency, &client.title).await?;
    }
    keep_passwords_young(accounts).await?;
    accounts.rights().reload(accounts.db()).await?;
    for form in &forms {
        if !is_in_place(accounts, form) {
            accounts.open_form(form).await?;
        }
    }
    Ok(accounts_json(&people, &forms))
}

async fn open_person(accounts: &Accounts, person: &Person) -> Result<i64, AccountsError> {
    let new = NewPerson {
        name: &person.account,
        agency: &person.agency,
        title: &person.title,
        roles: &[&person.role],
        password: &password_of(&person.account),
        one_time: false,
    };
    accounts.open_person(&new).await
}

/// A demo that is started again after three months must still let people in.
async fn keep_passwords_young(accounts: &Accounts) -> Result<(), AccountsError> {
    let now = accounts.now();
    let old = account::Entity::update_many()
        .col_expr(account::Column::PasswordSetAt, Expr::value(now))
        .filter(account::Column::PasswordSetAt.lt(now - time::Duration::days(30)))
        .exec(accounts.db())
        .await?;
    if old.rows_affected > 0 {
        epoch::raise(accounts.db(), Epoch::Rights).await?;
    }
    Ok(())
}

/// Whether the form is there with these very items, and its period goes on for a while.
fn is_in_place(accounts: &Accounts, form: &NewForm) -> bool {
    let snapshot = accounts.rights().current();
    let Some(holder) = form.holders.first().and_then(|name| snapshot.person(name)) else { return false };
    let held = snapshot.held_by(holder.id).iter().find(|held| *held.rights.number == *form.number);
    held.is_some_and(|held| {
        held.rights.until >= accounts.clock().today() + time::Duration::days(30) && held.items() == form.items
    })
}

fn accounts_json(people: &People, forms: &[NewForm]) -> Value {
    let agencies: HashMap<&str, &str> = people.agency.iter().map(|agency| (&*agency.code, &*agency.title)).collect();
    let form_of = |account: &str| {
        let held = forms.iter().find(|form| form.holders.iter().any(|holder| holder == account));
        held.map(|form| form.number.as_str())
    };
    let purposes_of = |account: &str| {
        let held = forms.iter().find(|form| form.holders.iter().any(|holder| holder == account));
        held.map_or_else(Vec::new, |form| form.purposes.iter().map(|(code, _)| code.clone()).collect())
    };
    let people_in = people.person.iter().map(|person| {
        json!({
            "account": person.account,
            "password": password_of(&person.account),
            "agency": person.agency,
            "agencyTitle": agencies.get(person.agency.as_str()),
            "role": person.role,
            "form": form_of(&person.account),
            "purposes": purposes_of(&person.account),
            "says": person.says,
        })
    });
    let machines = people.client.iter().map(|client| {
        json!({
            "clientId": client.client_id,
            "clientSecret": password_of(&client.client_id),
            "agency": client.agency,
            "agencyTitle": agencies.get(client.agency.as_str()),
            "role": client.role,
            "form": form_of(&client.client_id),
            "purposes": purposes_of(&client.client_id),
            "says": client.says,
        })
    });
    people_in.chain(machines).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_name_several_fields_of_a_type() {
        assert_eq!(expanded("Person.{name sex}"), ["Person.name", "Person.sex"]);
        assert_eq!(expanded("Query.persons"), ["Query.persons"]);
    }
}
