//! The roles of the procedure: who somebody is, not what they may read. Rights to fields come from forms alone.

use serde::{Deserialize, Serialize};

/// A role of an account in the procedure (clauses 3 and 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// 資訊局: runs the system, opens master forms.
    InformationOffice,
    /// 資料庫系統管理者: named by a managing agency, decides on applications for its datasets.
    DatabaseAdministrator,
    /// 業務系統管理者: named by a using agency, runs its applications, groups, sub-forms and inspections.
    BusinessAdministrator,
    /// 一般操作使用者: queries.
    GeneralUser,
    /// 機關首長: receives reports, answers for the agency.
    AgencyHead,
    /// 政風人員: is told of inspections and incidents.
    EthicsOfficer,
    /// 研考人員: keeps the agencies' operating rules on file.
    CommissionOfficer,
    /// 機器用戶端: a partner's system.
    MachineClient,
}

impl Role {
    /// All roles.
    pub const ALL: [Role; 8] = [
        Role::InformationOffice,
        Role::DatabaseAdministrator,
        Role::BusinessAdministrator,
        Role::GeneralUser,
        Role::AgencyHead,
        Role::EthicsOfficer,
        Role::CommissionOfficer,
        Role::MachineClient,
    ];

    /// As it is stored and shown.
    pub fn word(self) -> &'static str {
        match self {
            Role::InformationOffice => "information-office",
            Role::DatabaseAdministrator => "database-administrator",
            Role::BusinessAdministrator => "business-administrator",
            Role::GeneralUser => "general-user",
            Role::AgencyHead => "agency-head",
            Role::EthicsOfficer => "ethics-officer",
            Role::CommissionOfficer => "commission-officer",
            Role::MachineClient => "machine-client",
        }
    }

    /// The term of the procedure.
    pub fn title(self) -> &'static str {
        match self {
            Role::InformationOffice => "資訊局系統管理",
            Role::DatabaseAdministrator => "資料庫系統管理者",
            Role::BusinessAdministrator => "業務系統管理者",
            Role::GeneralUser => "一般操作使用者",
            Role::AgencyHead => "機關首長",
            Role::EthicsOfficer => "政風人員",
            Role::CommissionOfficer => "研考人員",
            Role::MachineClient => "機器用戶端",
        }
    }

    /// Reads the word; nothing else is a role.
    pub fn parse(word: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.word() == word)
    }

    /// Whether one with this role may be among those who query under a form.
    pub fn queries(self) -> bool {
        matches!(self, Role::GeneralUser | Role::DatabaseAdministrator | Role::MachineClient)
    }

    /// Whether one account may hold both. Who inspects is never the one inspected: those who decide, run or inspect
    /// an agency's use are none of its users.
    pub fn goes_with(self, other: Role) -> bool {
        let inspects = |role| {
            matches!(
                role,
                Role::BusinessAdministrator | Role::EthicsOfficer | Role::CommissionOfficer | Role::InformationOffice
            )
        };
        let queries = |role| matches!(role, Role::GeneralUser | Role::MachineClient);
        let machine = |role| role == Role::MachineClient;
        self == other
            || !(inspects(self) && queries(other)
                || queries(self) && inspects(other)
                || machine(self)
                || machine(other)
                // Runs an agency's use and decides on what is asked for: never one person.
                || matches!(
                    (self, other),
                    (Role::BusinessAdministrator, Role::DatabaseAdministrator)
                        | (Role::DatabaseAdministrator, Role::BusinessAdministrator)
                ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.word()), Some(role));
            assert_eq!(serde_json::to_value(role).expect("a word"), role.word());
        }
        assert_eq!(Role::parse("root"), None);
    }

    #[test]
    fn who_inspects_does_not_query() {
        assert!(!Role::BusinessAdministrator.goes_with(Role::GeneralUser));
        assert!(!Role::GeneralUser.goes_with(Role::EthicsOfficer));
        assert!(!Role::MachineClient.goes_with(Role::AgencyHead));
        assert!(Role::DatabaseAdministrator.goes_with(Role::GeneralUser));
        assert!(Role::GeneralUser.goes_with(Role::GeneralUser));
    }
}
