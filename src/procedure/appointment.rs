//! Who may give which role to whom, and who may administer which account (clauses 3 and 8).

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use super::agency::{AgencyKind, get_agency};
use super::fault::{forbidden, not_found, wrong};
use super::{Act, Fault, Procedure, has_role};
use crate::access::{Caller, Role};
use crate::accounts::entity::{account, account_role, agency};

/// Roles that an agency's business administrator gives; the others are the information office's.
const OPENED_BY_BUSINESS: [Role; 2] = [Role::GeneralUser, Role::MachineClient];

/// The roles of an account.
pub(crate) async fn roles_of(db: &impl ConnectionTrait, id: i64) -> Result<Vec<Role>, Fault> {
    let rows = account_role::Entity::find().filter(account_role::Column::AccountId.eq(id));
    let rows = rows.order_by_asc(account_role::Column::Id).all(db).await?;
    Ok(rows.iter().filter_map(|row| Role::parse(&row.role)).collect())
}

/// Whether an account belongs to the information office.
pub(crate) async fn is_central(db: &impl ConnectionTrait, name: &str) -> Result<bool, Fault> {
    let found = account::Entity::find().filter(account::Column::Name.eq(name)).one(db).await?;
    match found {
        Some(found) => Ok(roles_of(db, found.id).await?.contains(&Role::InformationOffice)),
        None => Ok(false),
    }
}

impl Procedure {
    /// An account that the caller may administer, with its agency and roles: one's own never.
    pub(crate) async fn administered(
        &self,
        db: &impl ConnectionTrait,
        act: &Act,
        name: &str,
    ) -> Result<(account::Model, String, Vec<Role>), Fault> {
        let unknown = || not_found("account", "帳號", name);
        let found =
            account::Entity::find().filter(account::Column::Name.eq(name)).one(db).await?.ok_or_else(unknown)?;
        let agency = agency::Entity::find_by_id(found.agency_id).one(db).await?.ok_or_else(unknown)?;
        let roles = roles_of(db, found.id).await?;
        if found.id == act.caller.account_id {
            return Err(forbidden("Nobody administers their own account.", "不得管理自己的帳號。", "8"));
        }
        if has_role(&act.caller, Role::InformationOffice) {
            return Ok((found, agency.code, roles));
        }
        if *agency.code != *act.caller.agency {
            return Err(unknown());
        }
        if !roles.iter().all(|role| OPENED_BY_BUSINESS.contains(role)) {
            return Err(forbidden(
                "Accounts of administrators and officers are the information office's to change.",
                "管理者與主管人員之帳號由資訊局變更。",
                "8",
            ));
        }
        Ok((found, agency.code, roles))
    }

    /// Whether the caller may give these roles in that agency, and one account may have them all.
    pub(crate) async fn check_roles(
        &self,
        db: &impl ConnectionTrait,
        caller: &Caller,
        of: &str,
        roles: &[Role],
    ) -> Result<(), Fault> {
        if roles.is_empty() {
            return Err(wrong("roles", "expected at least one role", "至少須有一個角色"));
        }
        if roles.contains(&Role::MachineClient) {
            return Err(wrong("roles", "a machine client is opened with openClient", "機器用戶端須以 openClient 開立"));
        }
        let pairs = roles.iter().flat_map(|one| roles.iter().map(move |other| (*one, *other)));
        if let Some((one, other)) = pairs.into_iter().find(|(one, other)| !one.goes_with(*other)) {
            return Err(forbidden(
                format!(
                    "One person cannot be {} and {}: who inspects is never the one inspected.",
                    one.word(),
                    other.word()
                ),
                format!("同一人不得兼任{}與{}：查驗者不得為受查驗者。", one.title(), other.title()),
                "8",
            ));
        }
        let central = has_role(caller, Role::InformationOffice);
        let local = has_role(caller, Role::BusinessAdministrator) && *caller.agency == *of;
        for role in roles {
            let may = if OPENED_BY_BUSINESS.contains(role) { local } else { central };
            if !may {
                return Err(forbidden(
                    format!("The role {} in {of} is not yours to give.", role.word()),
                    format!("您不得授予 {of} 之{}角色。", role.title()),
                    "8",
                ));
            }
            self.check_place(db, of, *role).await?;
        }
        Ok(())
    }

    /// Some roles exist in one kind of agency only.
    async fn check_place(&self, db: &impl ConnectionTrait, of: &str, role: Role) -> Result<(), Fault> {
        let kind = AgencyKind::parse(&get_agency(db, of).await?.kind);
        let fits = match role {
            Role::InformationOffice => kind == AgencyKind::InformationOffice,
            Role::CommissionOfficer => kind == AgencyKind::Commission,
            Role::DatabaseAdministrator => self.is_custodian(of),
            _ => true,
        };
        match fits {
            true => Ok(()),
            false => Err(forbidden(
                format!("There is no {} in {of}.", role.word()),
                format!("{of} 不設{}。", role.title()),
                "3",
            )),
        }
    }
}
