//! The demo's agencies, accounts and forms: read from the files in `cast/`, checked against the catalogue. Synthetic
//! throughout; the passwords are known to everybody. How rights come of it is left to `walk`.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;
use serde_json::{Value, json};
use time::{Date, Month};

use crate::access::{Item, Role, Uses};
use crate::accounts::AccountsError;
use crate::accounts::forms::{NewForm, check_items};
use crate::catalog::{Catalog, Class, FieldDef, FieldKind};

const PEOPLE: &str = include_str!("cast/people.toml");
const FORMS: [(&str, &str); 11] = [
    ("fire.toml", include_str!("cast/fire.toml")),
    ("tax.toml", include_str!("cast/tax.toml")),
    ("welfare.toml", include_str!("cast/welfare.toml")),
    ("renewal.toml", include_str!("cast/renewal.toml")),
    ("statistics.toml", include_str!("cast/statistics.toml")),
    ("partner.toml", include_str!("cast/partner.toml")),
    ("household-quality.toml", include_str!("cast/household-quality.toml")),
    ("land-quality.toml", include_str!("cast/land-quality.toml")),
    ("building-quality.toml", include_str!("cast/building-quality.toml")),
    ("zoning-quality.toml", include_str!("cast/zoning-quality.toml")),
    ("fire-quality.toml", include_str!("cast/fire-quality.toml")),
];

/// Everybody in the demo.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct People {
    /// Agencies.
    pub agency: Vec<Agency>,
    /// People.
    pub person: Vec<Person>,
    /// Machine clients.
    pub client: Vec<Client>,
}

/// An agency.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agency {
    /// `fire-department`
    pub code: String,
    /// Name.
    pub title: String,
    /// `INFORMATION_OFFICE` and the like; a using agency without it.
    #[serde(default)]
    pub kind: Option<String>,
}

/// A person.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// `fire.officer`
    pub account: String,
    /// Code of the agency.
    pub agency: String,
    /// Role in the procedure.
    pub role: Role,
    /// Function.
    pub title: String,
    /// What a newcomer reads beside it.
    pub says: String,
    /// The same in Chinese.
    pub says_zh: String,
}

/// A machine client.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// As OAuth knows it.
    pub client_id: String,
    /// Code of the agency.
    pub agency: String,
    /// Role in the procedure.
    pub role: Role,
    /// What it is.
    pub title: String,
    /// What a newcomer reads beside it.
    pub says: String,
    /// The same in Chinese.
    pub says_zh: String,
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

/// What `accounts.json` holds.
pub fn accounts_json(people: &People, forms: &[NewForm]) -> Value {
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
            "saysZh": person.says_zh,
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
            "saysZh": client.says_zh,
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
