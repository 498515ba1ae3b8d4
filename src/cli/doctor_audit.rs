//! What `cityquery doctor` looks at of the audit log and the keys: with the same eyes as a start, changing nothing.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::doctor::Findings;
use crate::accounts::keys;
use crate::audit::chain::Chain;
use crate::audit::index::IndexError;
use crate::audit::log::KEYS;
use crate::audit::seal;
use crate::audit::segment::Folder;
use crate::config::Config;

/// The folder, its keys, and whether the segments of each node are whole.
pub(super) fn check_log(config: &Config, findings: &mut Findings) {
    let (what, dir) = ("audit log", &config.audit.dir);
    if !dir.exists() {
        return findings.good(what, format_args!("{} is not there yet; the first start makes it", dir.display()));
    }
    let folders = match Folder::all(dir) {
        Ok(folders) => folders,
        Err(error) => {
            let advice = "name a folder in [audit] dir that the program's user may read and write";
            return findings.fault(what, format_args!("{}: {error}", dir.display()), advice);
        }
    };
    check_keys(&dir.join(KEYS), folders.iter().any(Folder::has_segments), findings);
    for folder in &folders {
        check_owner(dir, folder.path(), findings);
        for loss in Chain::read(folder).losses(folder, (i64::MIN, i64::MAX)) {
            findings.fault(what, loss, "find what is missing in a copy of the folder, or give the right to read it");
        }
    }
}

fn check_keys(folder: &Path, is_in_use: bool, findings: &mut Findings) {
    let faults = seal::faults(folder, is_in_use);
    if faults.is_empty() {
        findings.good("audit keys", folder.display());
    }
    for fault in faults {
        findings.fault("audit keys", fault, "put the key back from a backup, readable by its owner alone");
    }
}

/// What another user made in there, the program's user cannot read.
fn check_owner(dir: &Path, node: &Path, findings: &mut Findings) {
    let owner = |path: &Path| std::fs::metadata(path).map(|found| found.uid()).ok();
    let (Some(of_all), Some(of_node)) = (owner(dir), owner(node)) else { return };
    if of_all != of_node {
        let advice = format!("chown -R {of_all} {}", node.display());
        findings.fault("audit log", format_args!("{} belongs to user {of_node}", node.display()), &advice);
    }
}

/// The number by which the index tells this server's log from another one of the same name; `known` is the index's.
pub(super) fn check_number(config: &Config, known: Result<Option<String>, IndexError>, findings: &mut Findings) {
    let folder = Folder::new(&config.audit.dir, &config.audit.node);
    let what = "audit log's number";
    match (known, folder.log_id()) {
        (Err(error), _) => findings.fault(what, error, "check the rights of the database's user"),
        (Ok(Some(known)), own) if own.as_ref() != Some(&known) && folder.path().exists() => {
            let file = folder.number_file();
            let advice = format!("if it is the same log, write {known} into it; otherwise choose another audit.node");
            findings.fault(what, format_args!("{} is not what the index knows", file.display()), &advice);
        }
        (Ok(_), None) if folder.path().exists() && folder.has_segments() => {
            let advice = "remove the file: the next start gives the log a number";
            findings.fault(what, format_args!("{} holds none", folder.number_file().display()), advice);
        }
        _ => {}
    }
}

/// The keys beside those that sign.
pub(super) fn check_shared_keys(folder: &Path, findings: &mut Findings) {
    for name in ["cursors.key", "holders.key"] {
        if let Err(error) = keys::read_shared(&folder.join(name))
            && error.kind() != std::io::ErrorKind::NotFound
        {
            findings.fault("keys", error, "put the key back from a backup, readable by its owner alone");
        }
    }
}
