//! The application that a refused operation needs: a change of the form in use where it serves the same purpose, a form of
//! its own otherwise. Rights of two forms are never added up, so a second form for the rest alone would be of no use.

use std::collections::BTreeSet;

use time::{Date, Duration};

use super::application::Application;
use super::difference::in_force;
use super::draft::ApplicationInput;
use super::item::{ItemInput, Level, Purpose, UseName};
use super::master_form::find_form;
use super::opening::{both_bases, purposes_in};
use super::{Act, Fault, Procedure};
use crate::access::{Item, Refusal, Use, Uses};
use crate::catalog::FieldDef;

/// Why an item is asked for again that the form grants already.
const KEPT: &str = "沿用原核准項目 as granted before";

/// What an operation lacks, and what is said about it.
#[derive(Debug, Clone)]
pub struct Need {
    /// Coordinates with the uses that are not granted.
    pub lacking: Vec<(String, Uses)>,
    /// Purpose of use.
    pub purpose: Purpose,
    /// Legal basis.
    pub legal_basis: String,
    /// Why it is needed.
    pub reason: String,
    /// First day; today without it.
    pub from: Option<Date>,
    /// Last day; that of the form, or a year later, without it.
    pub until: Option<Date>,
    /// How far to show what can be masked, where the operation does no more than show it.
    pub level: Level,
}

impl Procedure {
    /// Drafts the application. `form` is the master form in use, if it serves the purpose.
    pub async fn draft_application(&self, act: &Act, form: Option<&str>, need: &Need) -> Result<Application, Fault> {
        let change = match form {
            Some(form) => self.change_of(form, need).await?,
            None => None,
        };
        let input = change.unwrap_or_else(|| self.form_of_its_own(need));
        let asked = self.check_input(&input)?;
        self.create_draft(act, "draftApplication", &input, &asked).await
    }

    fn form_of_its_own(&self, need: &Need) -> ApplicationInput {
        let from = need.from.unwrap_or(self.today());
        ApplicationInput {
            title: title(need),
            purposes: vec![need.purpose.clone()],
            legal_basis: need.legal_basis.clone(),
            from,
            until: need.until.unwrap_or(from.saturating_add(Duration::days(364))),
            form: None,
            items: need.lacking.iter().map(|(coordinate, uses)| self.lacked(coordinate, *uses, need)).collect(),
        }
    }

    /// The form as it would have to be. None where it is no longer in force.
    async fn change_of(&self, number: &str, need: &Need) -> Result<Option<ApplicationInput>, Fault> {
        let form = find_form(self.db(), number).await?;
        let Some((version, granted)) = in_force(self.db(), form.row.id).await? else { return Ok(None) };
        let of = |coordinate: &str| granted.iter().find(|item| item.coordinate == coordinate);
        let mut items: Vec<ItemInput> = Vec::new();
        for (coordinate, uses) in &need.lacking {
            match of(coordinate) {
                // The sub-form alone lacks it.
                Some(item) if uses.iter().all(|one| item.uses.has(one)) => {}
                Some(item) => {
                    let uses = uses.union(item.uses);
                    items.push(ItemInput { reason: Some(need.reason.clone()), ..kept(&Item { uses, ..item.clone() }) });
                }
                None => items.push(self.lacked(coordinate, *uses, need)),
            }
        }
        if items.is_empty() {
            let (en, zh) = (
                format!("Form {number} grants all of it: your agency's business administrator hands it on to you."),
                format!("表單 {number} 均已核准，請洽貴機關業務系統管理者納入次表單。"),
            );
            return Err(Refusal::input(en, zh).with("form", number).into());
        }
        // What an annex does not name is no longer asked for; custodians that are not turned to keep theirs.
        let turned_to: BTreeSet<_> = items.iter().map(|item| self.custodian_of(&item.coordinate)).collect();
        let others = granted.iter().filter(|item| turned_to.contains(&self.custodian_of(&item.coordinate)));
        let named: BTreeSet<String> = items.iter().map(|item| item.coordinate.clone()).collect();
        items.extend(others.filter(|item| !named.contains(&item.coordinate)).map(kept));
        Ok(Some(ApplicationInput {
            title: title(need),
            purposes: purposes_in(self.db(), version.id).await?,
            legal_basis: both_bases(&version.legal_basis, &need.legal_basis),
            from: need.from.unwrap_or(self.today().max(version.valid_from)),
            until: need.until.unwrap_or(version.valid_until),
            form: Some(number.to_owned()),
            items,
        }))
    }

    fn lacked(&self, coordinate: &str, uses: Uses, need: &Need) -> ItemInput {
        let field = self.catalog().fields_by_coordinate.get(coordinate).map(|id| self.catalog().field(*id));
        let is_only_shown = uses == Uses::NONE.with(Use::Select);
        let can_be_masked = |field: &FieldDef| is_only_shown && field.mask.is_some();
        ItemInput {
            coordinate: coordinate.to_owned(),
            uses: uses.iter().map(UseName::from).collect(),
            level: field.is_some_and(can_be_masked).then_some(need.level),
            districts: None,
            reason: Some(need.reason.clone()),
        }
    }
}

fn title(need: &Need) -> String {
    let reason: String = need.reason.trim().chars().take(40).collect();
    // No longer than a title may be, with the brackets.
    let purpose: String = need.purpose.title.trim().chars().take(200 - 2 - reason.chars().count()).collect();
    format!("{purpose}（{reason}）")
}

fn kept(item: &Item) -> ItemInput {
    ItemInput {
        coordinate: item.coordinate.clone(),
        uses: item.uses.iter().map(UseName::from).collect(),
        level: item.masked.then_some(Level::Masked),
        districts: item.districts.clone(),
        reason: Some(KEPT.to_owned()),
    }
}
