//! Who sees what all agencies do: the information office, which runs the system, and the city's ethics office, which is told
//! of every agency's inspections and incidents. Another agency's ethics officers see their own agency only (clause 12:
//! 使用機關之政風單位).

use sea_orm::ConnectionTrait;

use super::agency::{AgencyKind, get_agency};
use super::{Act, Fault, has_role};
use crate::access::Role;

/// Whether the caller is an ethics officer of the city's ethics office.
pub(crate) async fn is_of_ethics_office(db: &impl ConnectionTrait, act: &Act) -> Result<bool, Fault> {
    if !has_role(&act.caller, Role::EthicsOfficer) {
        return Ok(false);
    }
    let own = get_agency(db, &act.caller.agency).await?;
    Ok(AgencyKind::parse(&own.kind) == AgencyKind::EthicsOffice)
}

/// Whether the caller sees what all agencies do.
pub(crate) async fn watches(db: &impl ConnectionTrait, act: &Act) -> Result<bool, Fault> {
    Ok(has_role(&act.caller, Role::InformationOffice) || is_of_ethics_office(db, act).await?)
}

/// Whether the caller sees all applications and forms: those who watch, and the commission.
pub(crate) async fn oversees(db: &impl ConnectionTrait, act: &Act) -> Result<bool, Fault> {
    Ok(has_role(&act.caller, Role::CommissionOfficer) || watches(db, act).await?)
}
