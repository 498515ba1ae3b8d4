//! Who may take which step and ask which question: one table, the only door to the procedure. What is more particular
//! (one's own agency, not one's own application) each step asks itself. An operation without a rule is refused.

use crate::access::{Code, Refusal, Role};

/// Who may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowed {
    /// Everybody who is signed in.
    SignedIn,
    /// Those who hold one of these roles.
    Roles(&'static [Role]),
}

/// The rule of one operation.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Name of the root field.
    pub operation: &'static str,
    /// Who may.
    pub allowed: Allowed,
    /// The clause of the procedure that it serves.
    pub clause: &'static str,
}

use Role::{
    AgencyHead as Head, BusinessAdministrator as Business, CommissionOfficer as Commission,
    DatabaseAdministrator as Database, EthicsOfficer as Ethics, GeneralUser as User, InformationOffice as Information,
};

const fn rule(operation: &'static str, clause: &'static str, roles: &'static [Role]) -> Rule {
    Rule { operation, allowed: Allowed::Roles(roles), clause }
}

const fn open(operation: &'static str, clause: &'static str) -> Rule {
    Rule { operation, allowed: Allowed::SignedIn, clause }
}

/// Every operation of the procedure.
pub const RULES: &[Rule] = &[
    // 機關、人員 Agencies and people
    open("agencies", "3"),
    rule("accounts", "8", &[Information, Business, Head, Ethics]),
    rule("openAgency", "3", &[Information]),
    rule("openAccount", "8", &[Information, Business]),
    rule("openClient", "8", &[Business]),
    rule("setRoles", "8", &[Information, Business]),
    rule("changeAccount", "8", &[Information, Business]),
    rule("suspendAccount", "12", &[Information, Business]),
    rule("resumeAccount", "12", &[Information, Business]),
    rule("closeAccount", "8", &[Information, Business]),
    rule("resetPassword", "11", &[Information, Business]),
    // 申請、審核、主表單 Applications, decisions, master forms
    open("offers", "6(1)"),
    rule("defineOffer", "6(1)", &[Database]),
    rule("applications", "7", &[User, Business, Head, Database, Information, Ethics, Commission]),
    rule("application", "7", &[User, Business, Head, Database, Information, Ethics, Commission]),
    rule("documentContent", "7", &[User, Business, Head, Database, Information, Ethics, Commission]),
    rule("createApplication", "7(1)", &[User, Business, Database]),
    rule("changeApplication", "7(1)", &[User, Business, Database]),
    rule("attachDocument", "7(1)", &[User, Business, Database]),
    rule("submitApplication", "7(1)", &[Business]),
    rule("withdrawApplication", "7(1)", &[Business]),
    rule("decideAnnex", "7(2)", &[Database, Head]),
    rule("openMasterForm", "7(3)", &[Information]),
    rule("masterForms", "7(3)", &[User, Business, Head, Database, Information, Ethics, Commission]),
    rule("masterForm", "7(3)", &[User, Business, Head, Database, Information, Ethics, Commission]),
    rule("suspendMasterForm", "12", &[Information]),
    rule("resumeMasterForm", "12", &[Information]),
    rule("revokeMasterForm", "12", &[Information]),
    rule("revokeAnnex", "7(2)", &[Database, Head]),
    // 備查、群組、次表單 Filings, groups, sub-forms
    rule("operatingRules", "8(1)", &[Business, Head, Database, Information, Ethics, Commission]),
    rule("fileOperatingRules", "8(1)", &[Business]),
    rule("acknowledgeOperatingRules", "8(1)", &[Database, Information, Commission]),
    open("auditPlans", "6(3)"),
    rule("fileAuditPlan", "6(3)", &[Database]),
    rule("directoryGroups", "8(2)", &[Business, Head]),
    rule("userGroups", "8(2)", &[Business, Head]),
    rule("subForms", "8(2)", &[Business, Head, Information, Ethics]),
    rule("putDirectoryGroup", "8(2)", &[Business]),
    rule("putUserGroup", "8(2)", &[Business]),
    rule("addMember", "8(2)", &[Business]),
    rule("removeMember", "8(2)", &[Business]),
    rule("openSubForm", "8(2)", &[Business]),
    rule("suspendSubForm", "12", &[Business]),
    rule("resumeSubForm", "12", &[Business]),
    rule("closeSubForm", "8(2)", &[Business]),
    // 資料庫、查詢說明、授權來源 Datasets, explanations, provenance
    open("datasets", "4"),
    rule("suspendDataset", "4", &[Information, Database]),
    rule("resumeDataset", "4", &[Information, Database]),
    rule("withdrawDataset", "4", &[Information]),
    open("explain", "3(4)"),
    rule("draftApplication", "7(1)", &[User, Business, Database]),
    rule("provenance", "8(3)", &[Information, Ethics, Database, Business, Head]),
    // 事件、其他查詢管道 Incidents, outside channels
    rule("incidents", "12", &[Business, Head, Database, Information, Ethics]),
    rule("reportIncident", "12", &[Business, Head, Database, Information, Ethics]),
    rule("remedyIncident", "12", &[Business, Head, Information]),
    rule("closeIncident", "12", &[Head, Ethics]),
    rule("channels", "13", &[Database, User, Head, Information, Ethics]),
    rule("registerChannel", "13", &[Database]),
    rule("closeChannel", "13", &[Database]),
    rule("importChannelLog", "13", &[Database, User]),
    // 查驗 Inspections
    rule("inspectionRule", "8(3)", &[Business, Head, Ethics, Information]),
    rule("setInspectionRule", "8(3)", &[Business]),
    rule("drawInspection", "8(3)", &[Business]),
    rule("inspections", "8(3)", &[Business, Head, Ethics]),
    rule("inspection", "8(3)", &[Business, Head, Ethics]),
    rule("recordFinding", "8(3)", &[Business]),
    rule("reportInspection", "8(3)", &[Business]),
    rule("acknowledgeInspection", "8(3)", &[Head]),
    rule("overdueInspections", "6(3)", &[Information, Ethics, Business, Head]),
    rule("remindOverdueInspections", "6(3)", &[Information, Ethics]),
    // 收件匣 Inbox
    open("inbox", "7"),
    open("markNoticesRead", "7"),
    open("inboxNotices", "7"),
];

/// The rule of an operation.
pub fn find(operation: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.operation == operation)
}

/// Whether somebody with these roles may.
pub fn decide(held: &[Role], operation: &str) -> Result<(), Refusal> {
    let Some(rule) = find(operation) else {
        return Err(Refusal::new(
            Code::Forbidden,
            format!("\"{operation}\" has no rule, so nobody may."),
            format!("「{operation}」未訂權限，一律不受理。"),
        ));
    };
    let roles = match rule.allowed {
        Allowed::SignedIn => return Ok(()),
        Allowed::Roles(roles) => roles,
    };
    if roles.iter().any(|role| held.contains(role)) {
        return Ok(());
    }
    let (words, titles): (Vec<&str>, Vec<&str>) = roles.iter().map(|role| (role.word(), role.title())).unzip();
    Err(Refusal::new(
        Code::Forbidden,
        format!("\"{operation}\" is for: {}.", words.join(", ")),
        format!("「{operation}」僅限：{}。", titles.join("、")),
    )
    .with("operation", operation)
    .with("roles", words)
    .with("clause", rule.clause))
}
