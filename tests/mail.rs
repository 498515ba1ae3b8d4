//! Notices by mail, through a real SMTP server (aiosmtpd) that writes what it takes into a folder: in both languages, once,
//! and not lost while the server is down.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::hall::{Hall, PASSWORD};
use crate::support::hall_steps::{Application, permit_items};
use cityquery::accounts::entity::account;
use cityquery::procedure::entity::notice;
use cityquery::procedure::mail::{Courier, MailWatch};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
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

/// Takes no mail to one address.
const REFUSING: &str = "from aiosmtpd.handlers import Mailbox

class Refusing(Mailbox):
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith('unknown@'):
            return '550 no such user here'
        envelope.rcpt_tos.append(address)
        return '250 OK'
";

async fn serve(python: &str, port: u16, folder: &Path) -> Server {
    serve_with(python, port, folder, &[]).await
}

async fn serve_with(python: &str, port: u16, folder: &Path, options: &[&str]) -> Server {
    let address = format!("127.0.0.1:{port}");
    let handlers = folder.with_extension("py");
    std::fs::create_dir_all(&handlers).expect("a folder");
    std::fs::write(handlers.join("refusing.py"), REFUSING).expect("writes the handler");
    let server = Command::new(python)
        .env("PYTHONPATH", &handlers)
        .args(["-m", "aiosmtpd", "-n", "-l", &address, "-c", "refusing.Refusing"])
        .args(options)
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
        // An address that was stored when none was checked, and one that the mail server refuses: they must not hold up
        // the others.
        person_with_address(&mut hall, "it.admin", "fire.third", "BUSINESS_ADMINISTRATOR", "third@fire.example").await;
        account::Entity::update_many()
            .col_expr(account::Column::Email, Expr::value("not an address"))
            .filter(account::Column::Name.eq("fire.third"))
            .exec(hall.app.accounts.db())
            .await
            .expect("writes");
        person_with_address(&mut hall, "it.admin", "fire.fourth", "BUSINESS_ADMINISTRATOR", "unknown@fire.example")
            .await;
        let id = |name: &str| hall.app.accounts.rights().current().person(name).expect("somebody").id;
        let (second, third, fourth) = (id("fire.second"), id("fire.third"), id("fire.fourth"));
        let without_address = id("fire.admin");
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

        // A server that died while it was sending one leaves its claim: another sends it when that is old.
        notice::Entity::update_many()
            .col_expr(notice::Column::MailClaimedAt, Expr::value(hall.app.accounts.now()))
            .filter(notice::Column::AccountId.eq(second))
            .filter(notice::Column::MailedAt.is_null())
            .exec(hall.app.accounts.db())
            .await
            .expect("writes");

        // It is back; anything that happens wakes those who send.
        let server = serve(python, port, &mailbox).await;
        hall.clock.advance(time::Duration::minutes(3));
        hall.agency("parks-office", "USING").await;
        assert_eq!(mails(python, &mailbox).len(), 1, "it may still be on its way");
        hall.clock.advance(time::Duration::minutes(8));
        hall.agency("roads-office", "USING").await;
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
        for unreached in [third, fourth, without_address] {
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

/// A certificate for this machine by an authority of the city's own, as its mail server would have: certificate, key, and
/// the authority's certificate.
fn certificate(folder: &Path) -> [String; 3] {
    let path = |name: &str| folder.join(name).display().to_string();
    let [certificate, key, authority, its_key] = ["mail.pem", "mail.key", "city.pem", "city.key"].map(path);
    let make = |subject: &str, out: &str, key: &str, more: &[&str]| {
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
            .args(["-subj", subject, "-keyout", key, "-out", out])
            .args(more)
            .stderr(Stdio::null())
            .status();
        assert!(made.is_ok_and(|status| status.success()), "openssl 3 is missing");
    };
    make("/CN=city", &authority, &its_key, &[]);
    let of_the_city = ["-CA", &authority, "-CAkey", &its_key, "-addext", "basicConstraints=critical,CA:FALSE"];
    let names = ["-addext", "subjectAltName=IP:127.0.0.1"];
    make("/CN=mail", &certificate, &key, &[&of_the_city[..], &names].concat());
    [certificate, key, authority]
}

/// What the doctor says of the mail server at that address, trusting that certificate.
fn doctor(url: &str, trusted: &str, folder: &Path) -> String {
    let said = Command::new(env!("CARGO_BIN_EXE_cityquery"))
        .args(["doctor"])
        .env("CITYQUERY__MAIL__URL", url)
        .env("SSL_CERT_FILE", trusted)
        .env_remove("SSL_CERT_DIR")
        .current_dir(folder)
        .output()
        .expect("runs");
    let said = String::from_utf8_lossy(&said.stdout).into_owned() + &String::from_utf8_lossy(&said.stderr);
    said.lines().filter(|line| line.contains("mail")).collect::<Vec<_>>().join("\n")
}

/// TLS from the first byte, and STARTTLS where it is insisted on: only with a server whose certificate is trusted.
#[tokio::test(flavor = "multi_thread")]
async fn mail_goes_over_tls_to_a_server_that_is_trusted() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let mailbox = folder.path().join("mail");
    let [certificate, key, authority] = certificate(folder.path());
    let empty = folder.path().join("nobody.pem");
    std::fs::write(&empty, "").expect("writes");
    let (tls, starttls, plain) = (free_port(), free_port(), free_port());
    let _first = serve_with(python, tls, &mailbox, &["--smtpscert", &certificate, "--smtpskey", &key]).await;
    let _second =
        serve_with(python, starttls, &mailbox, &["--tlscert", &certificate, "--tlskey", &key, "--no-requiretls"]).await;
    let _third = serve(python, plain, &mailbox).await;
    let asked = |url: String, trusted: &str| doctor(&url, trusted, folder.path());
    let welcome = "the server lets us in";
    for url in [format!("smtps://127.0.0.1:{tls}"), format!("smtp://127.0.0.1:{starttls}?tls=required")] {
        let said = asked(url.clone(), &authority);
        assert!(said.contains(welcome), "{url}: {said}");
        let said = asked(url.clone(), &empty.display().to_string());
        assert!(!said.contains(welcome) && !said.is_empty(), "{url}, not trusted: {said}");
    }
    let said = asked(format!("smtp://127.0.0.1:{plain}?tls=required"), &authority);
    assert!(!said.contains(welcome) && !said.is_empty(), "no TLS, no mail: {said}");
}
