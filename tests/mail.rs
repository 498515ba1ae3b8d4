//! Notices by mail, through a real SMTP server (aiosmtpd) that writes what it takes into a folder: in both languages, once,
//! and not lost while the server is down.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::hall::{Hall, PASSWORD};
use crate::support::hall_steps::{Application, permit_items};
use cityquery::procedure::entity::notice;
use cityquery::procedure::mail::{Courier, MailWatch};
use sea_orm::EntityTrait;
use serde_json::{Value, json};

/// Reads a folder of mail as a mail program would.
const READ: &str = "import email, email.policy, json, pathlib, sys
for path in sorted(pathlib.Path(sys.argv[1], 'new').glob('*')):
    mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    print(json.dumps({name.lower(): str(value) for name, value in mail.items()} | {'text': mail.get_content()}))";

/// Ends with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A Python that has aiosmtpd: Debian's own before any other. None, and the test is skipped.
fn python() -> Option<&'static str> {
    let has = |python: &&str| {
        let asked = Command::new(python).args(["-c", "import aiosmtpd"]).stderr(Stdio::null()).status();
        asked.is_ok_and(|status| status.success())
    };
    let found = ["/usr/bin/python3", "python3"].into_iter().find(has);
    if found.is_none() {
        eprintln!("SKIPPED, mail was not tested: install what Debian calls python3-aiosmtpd");
    }
    found
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port()
}

/// Looks again and again until it holds, for half a minute.
async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut looks = tokio::time::interval(Duration::from_millis(50));
    loop {
        looks.tick().await;
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "not within half a minute: {what}");
    }
}

async fn serve(python: &str, port: u16, folder: &Path) -> Server {
    let address = format!("127.0.0.1:{port}");
    let server = Command::new(python)
        .args(["-m", "aiosmtpd", "-n", "-l", &address, "-c", "aiosmtpd.handlers.Mailbox"])
        .arg(folder)
        .stderr(Stdio::null())
        .spawn()
        .expect("aiosmtpd starts");
    let server = Server(server);
    until("the SMTP server listens", async || tokio::net::TcpStream::connect(&address).await.ok()).await;
    server
}

fn mails(python: &str, folder: &Path) -> Vec<Value> {
    let read = Command::new(python).args(["-c", READ]).arg(folder).output().expect("python runs");
    let lines = String::from_utf8(read.stdout).expect("UTF-8");
    lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn text(mail: &Value, name: &str) -> String {
    mail[name].as_str().unwrap_or_default().to_owned()
}

/// Waits for so many mails.
async fn arrived(python: &str, folder: &Path, count: usize) -> Vec<Value> {
    until("mail arrives", async || Some(mails(python, folder)).filter(|mails| mails.len() >= count)).await
}

async fn person_with_address(hall: &mut Hall, by: &str, name: &str, role: &str, address: &str) {
    let open = "mutation($input: AccountInput!) { step: openAccount(input: $input) { firstPassword } }";
    let input = json!({
        "account": name, "agency": "fire-department", "title": "承辦人", "staffNumber": format!("S-{name}"),
        "roles": [role], "email": address,
    });
    hall.ask(by, open, json!({ "input": input })).await.step();
    let known = [(name.to_owned(), PASSWORD.to_owned())];
    hall.app.accounts.set_known_passwords(&known).await.expect("sets the password");
    hall.sign_in(name, PASSWORD).await;
}

async fn submitted(hall: &Hall) -> Application {
    let drafted = hall.draft("fire.second", Hall::input(&permit_items())).await;
    hall.submit("fire.second", &drafted).await
}

fn sending(hall: &Hall) -> MailWatch {
    let courier = Courier::open(&hall.config.mail).expect("sound settings").expect("mail is on");
    hall.app.engine.procedure().watch_mail(courier)
}

/// Whether each notice of an account counts as mailed.
async fn mailed(hall: &Hall, account: i64) -> Vec<bool> {
    let all = notice::Entity::find().all(hall.app.accounts.db()).await.expect("notices");
    all.iter().filter(|one| one.account_id == account).map(|one| one.mailed_at.is_some()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_arrives_in_both_languages_and_is_not_lost_while_the_server_is_down() {
    let Some(python) = python() else { return };
    let port = free_port();
    for mut hall in Hall::on_each_with(|config| config.mail.url = format!("smtp://127.0.0.1:{port}")).await {
        let folder = tempfile::tempdir().expect("a folder");
        let mailbox = folder.path().join("mail");
        let server = serve(python, port, &mailbox).await;
        hall.staffed().await;
        hall.offer_everything("building.dba").await;
        hall.plan("building.dba", "building").await;
        person_with_address(&mut hall, "it.admin", "fire.second", "BUSINESS_ADMINISTRATOR", "second@fire.example")
            .await;
        // Nobody keeps an agency from typing this; it must not hold up the others.
        person_with_address(&mut hall, "it.admin", "fire.third", "BUSINESS_ADMINISTRATOR", "not an address").await;
        let id = |name: &str| hall.app.accounts.rights().current().person(name).expect("somebody").id;
        let (second, third, without_address) = (id("fire.second"), id("fire.third"), id("fire.admin"));
        // Two servers over one database: each sees what waits.
        let other = hall.second_server().await;
        let (polling, watches) = (other.app.accounts.watch(), [sending(&hall), sending(&other)]);

        let first = submitted(&hall).await;
        hall.decide("building.dba", &first, "APPROVE", "同意 agreed").await;
        let came = arrived(python, &mailbox, 1).await;
        let mail = &came[0];
        assert_eq!(
            (text(mail, "to"), text(mail, "from")),
            ("second@fire.example".into(), "cityquery <no-reply@localhost>".into())
        );
        assert!(text(mail, "subject").contains(&first.number), "{mail:#}");
        for part in ["審核結果", "核准", "has decided", "approved", "同意 agreed"] {
            assert!(text(mail, "text").contains(part), "{part} is missing in {mail:#}");
        }
        assert_eq!(text(mail, "auto-submitted"), "auto-generated");
        until("it counts as mailed", async || mailed(&hall, second).await.iter().all(|sent| *sent).then_some(())).await;

        // The mail server goes away. No step minds, and what was to be sent waits.
        drop(server);
        let next = submitted(&hall).await;
        hall.decide("building.dba", &next, "RETURN", "請補正").await;
        until("what waits is given back", async || mailed(&hall, second).await.iter().any(|sent| !*sent).then_some(()))
            .await;
        assert_eq!(mails(python, &mailbox).len(), 1);

        // It is back; anything that happens wakes those who send.
        let server = serve(python, port, &mailbox).await;
        hall.clock.advance(time::Duration::minutes(3));
        hall.agency("parks-office", "USING").await;
        let came = arrived(python, &mailbox, 2).await;
        assert!(came.iter().any(|mail| text(mail, "subject").contains(&next.number)), "{came:#?}");
        until("all count as mailed", async || mailed(&hall, second).await.iter().all(|sent| *sent).then_some(())).await;

        // Stopped, nothing is on its way any more: each came once, and to nobody else.
        for watch in watches {
            watch.stop().await;
        }
        polling.abort();
        drop(server);
        let came = mails(python, &mailbox);
        assert_eq!(came.len(), mailed(&hall, second).await.len(), "{came:#?}");
        assert!(came.iter().all(|mail| text(mail, "to") == "second@fire.example"));
        for unreached in [third, without_address] {
            let mailed = mailed(&hall, unreached).await;
            assert!(mailed.len() >= 2 && mailed.iter().all(|sent| !*sent), "nothing was sent, nothing is claimed");
        }
    }
}

#[tokio::test]
async fn settings_of_mail_that_cannot_be_used_are_named() {
    let mail = |url: &str, from: &str| cityquery::config::Mail { url: url.to_owned(), from: from.to_owned() };
    assert!(Courier::open(&mail("", "-")).is_ok_and(|courier| courier.is_none()), "off");
    for (url, from, key) in [
        ("smtp://u:hunter2@", "a@b.example", "mail.url"),
        ("imap://u:hunter2@h", "a@b.example", "mail.url"),
        ("smtp://h", "nobody", "mail.from"),
    ] {
        let fault = Courier::open(&mail(url, from)).err().unwrap_or_default();
        assert!(fault.starts_with(key) && !fault.contains("hunter2"), "{url}: {fault}");
    }
}
