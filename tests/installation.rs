//! The program as people start it: the demo over a real socket, the commands beside it, its end and its exit codes.
//! The datasets stay empty here; filling and asking them has tests of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

fn cityquery(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cityquery"));
    command.args(arguments).env("CITYQUERY_LOG", "error").stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    cityquery(arguments).output().expect("starts")
}

fn said(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A running demo; stopped with this value.
struct Demo {
    child: Child,
    url: String,
    /// What it printed before it served.
    welcome: String,
}

impl Demo {
    fn start(dir: &Path) -> Demo {
        let dir = dir.to_str().expect("a name");
        let mut child = cityquery(&["demo", "--listen", "127.0.0.1:0", "--data-dir", dir])
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let mut welcome = String::new();
        for line in lines.by_ref() {
            let line = line.expect("text");
            welcome.push_str(&line);
            welcome.push('\n');
            if line.starts_with("Ctrl-C") {
                break;
            }
        }
        let url = welcome.lines().find_map(|line| line.trim().strip_prefix("GraphQL")).expect("an address");
        Demo { child, url: url.trim().trim_end_matches("/graphql").to_owned(), welcome }
    }

    /// SIGTERM, and how it ended.
    fn stop(mut self) -> Option<i32> {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("is told");
        let asked = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("can be asked") {
                return status.code();
            }
            // Ten seconds for connections that stay open; then the index ends its batch, with the lowest priority there is.
            assert!(asked.elapsed() < Duration::from_secs(90), "it does not stop");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It has ended already, or is to be killed; what it held is free once it is gone.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder whose datasets pass for filled.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("filled.json"), r#"{"scale":0.01,"seed":1}"#).expect("a file");
    folder
}

async fn post(client: &Client, url: &str, body: Value) -> (StatusCode, Value) {
    let response = client.post(url).json(&body).send().await.expect("an answer");
    (response.status(), response.json().await.unwrap_or(Value::Null))
}

#[tokio::test]
async fn a_demo_from_start_to_stop() {
    let (folder, client) = (folder(), Client::new());
    let demo = Demo::start(folder.path());
    let url = demo.url.clone();

    // The accounts are printed and written as the contract has them.
    let accounts = std::fs::read_to_string(folder.path().join("accounts.json")).expect("is written");
    let accounts: Vec<Value> = serde_json::from_str(&accounts).expect("JSON");
    for name in [
        "it.admin",
        "household.dba",
        "land.dba",
        "building.dba",
        "zoning.dba",
        "fire.dba",
        "fire.admin",
        "tax.admin",
        "welfare.admin",
        "renewal.admin",
        "fire.officer",
        "tax.clerk",
        "welfare.clerk",
        "renewal.planner",
        "city.analyst",
        "newcomer",
        "ethics.officer",
        "commission.officer",
        "agency.head",
    ] {
        let entry = accounts.iter().find(|entry| entry["account"] == name).unwrap_or_else(|| panic!("no {name}"));
        for key in ["password", "agency", "role", "says"] {
            assert!(entry[key].is_string(), "{name} has no {key}");
        }
        assert!(entry.get("form").is_some() && demo.welcome.contains(name), "{name}");
    }
    let partner = accounts.iter().find(|entry| entry["clientId"] == "partner-maintenance").expect("the machine");

    // A person comes and goes.
    let officer = json!({ "account": "fire.officer", "password": "fire.officer@demo" });
    let (status, session) = post(&client, &format!("{url}/auth/sign-in"), officer).await;
    assert_eq!(status, StatusCode::OK);
    let bearer = |token: &Value| format!("Bearer {}", token.as_str().expect("a token"));
    let me = async |authorization: String| {
        let asked = client.get(format!("{url}/auth/me")).header("authorization", authorization);
        asked.send().await.expect("an answer").status()
    };
    assert_eq!(me(bearer(&session["access_token"])).await, StatusCode::OK);
    let refresh = json!({ "refresh_token": session["refresh_token"] });
    let (_, renewed) = post(&client, &format!("{url}/auth/refresh"), refresh).await;
    let out = json!({ "refresh_token": renewed["refresh_token"] });
    let (status, _) = post(&client, &format!("{url}/auth/sign-out"), out).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(me(bearer(&renewed["access_token"])).await, StatusCode::UNAUTHORIZED);
    let wrong = json!({ "account": "fire.officer", "password": "a secret in the wrong field" });
    let (status, _) = post(&client, &format!("{url}/auth/sign-in"), wrong).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let nobody = json!({ "account": "a secret in the wrong field", "password": "x" });
    post(&client, &format!("{url}/auth/sign-in"), nobody).await;

    // A machine gets its token.
    let credentials = [
        ("grant_type", "client_credentials"),
        ("client_id", partner["clientId"].as_str().expect("an id")),
        ("client_secret", partner["clientSecret"].as_str().expect("a secret")),
    ];
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(credentials).finish();
    let answer = client.post(format!("{url}/oauth/token")).body(body).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);

    // A token from the command line beside it holds, and is refused to those who do not hold the form.
    let dir = folder.path().to_str().expect("a name");
    let token = run(&["token", "--data-dir", dir, "--account", "tax.clerk", "--form", "TAX-2026-001"]);
    assert_eq!(said(&token).0, Some(0), "{:?}", said(&token));
    let token = String::from_utf8_lossy(&token.stdout).trim().to_owned();
    assert_eq!(me(format!("Bearer {token}")).await, StatusCode::OK);
    let refused = said(&run(&["token", "--data-dir", dir, "--account", "newcomer", "--form", "TAX-2026-001"]));
    assert!(refused.0 == Some(1) && refused.1.contains("does not hold"), "{refused:?}");

    // Nobody else serves it meanwhile, and its settings stay as they are.
    let settings = std::fs::read_to_string(folder.path().join("cityquery.toml")).expect("settings");
    let second = said(&run(&["demo", "--listen", "127.0.0.1:0", "--data-dir", dir]));
    assert!(second.0 == Some(1) && second.1.contains("another process serves"), "{second:?}");
    assert_eq!(std::fs::read_to_string(folder.path().join("cityquery.toml")).expect("settings"), settings);

    // Everything was recorded, and nothing that was typed.
    let shown = run(&["audit", "show", "--data-dir", dir, "--last", "100", "--json"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    let kinds: Vec<String> = shown
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["kind"].as_str().expect("a kind").to_owned())
        .collect();
    for kind in ["start", "sign-in", "refresh", "sign-out", "sign-in-failed", "client-token", "administration"] {
        assert!(kinds.iter().any(|known| known == kind), "no {kind} among {kinds:?}");
    }
    assert!(!shown.contains("a secret"), "{shown}");

    let doctor = run(&["doctor", "--data-dir", dir]);
    assert_eq!(doctor.status.code(), Some(0), "{}", String::from_utf8_lossy(&doctor.stdout));
    assert_eq!(demo.stop(), Some(0));

    // Again on the same data, and killed: the third start is as good as the second.
    let again = Demo::start(folder.path());
    let officer = json!({ "account": "fire.officer", "password": "fire.officer@demo" });
    assert_eq!(post(&client, &format!("{}/auth/sign-in", again.url), officer.clone()).await.0, StatusCode::OK);
    drop(again);
    let third = Demo::start(folder.path());
    assert_eq!(post(&client, &format!("{}/auth/sign-in", third.url), officer).await.0, StatusCode::OK);
    assert_eq!(third.stop(), Some(0));
}

#[test]
fn the_demo_leaves_alone_what_it_did_not_make() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().to_str().expect("a name");
    assert_eq!(run(&["migrate", "--data-dir", dir]).status.code(), Some(0));
    let before = std::fs::read(folder.path().join("land.db")).expect("is there");
    let refused = said(&run(&["demo", "--listen", "127.0.0.1:0", "--data-dir", dir]));
    assert!(refused.0 == Some(1) && refused.1.contains("not made by the demo"), "{refused:?}");
    assert_eq!(before, std::fs::read(folder.path().join("land.db")).expect("is there"));
}

/// `cityquery … | head` reads as much as it wants: the command ends without a word about it.
#[test]
fn a_command_whose_reader_is_gone_ends_quietly() {
    let mut child =
        cityquery(&["import", "--list"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    drop(child.stdout.take());
    let mut said = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().expect("its errors"), &mut said).expect("text");
    child.wait().expect("ends");
    assert_eq!(said, "");
}

/// Databases, keys and the log are their owner's alone, whatever the shell would have them be.
#[test]
fn nobody_else_reads_the_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path();
    assert_eq!(run(&["migrate", "--data-dir", dir.to_str().expect("a name")]).status.code(), Some(0));
    let mode = |path: &Path| std::fs::metadata(path).expect("is there").permissions().mode() & 0o777;
    for name in ["control.db", "household.db", "land.db"] {
        assert_eq!(mode(&dir.join(name)), 0o600, "{name}");
    }
}

#[test]
fn failures_have_a_reason_and_wrong_usage_its_own_code() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().to_str().expect("a name");
    std::fs::write(folder.path().join("typo.toml"), "[datasets.lnad]\nurl = \"sqlite:land.db\"\n").expect("a file");
    let typo = folder.path().join("typo.toml");
    let typo = typo.to_str().expect("a name");
    std::fs::write(folder.path().join("bad.toml"), "[server]\nlisten = 80\n").expect("a file");
    let bad = folder.path().join("bad.toml");
    let bad = bad.to_str().expect("a name");
    let failing: [(&[&str], &str); 7] = [
        (&["migrate", "--config", typo], "no declaration names [datasets.lnad]: the datasets are "),
        (&["serve", "--data-dir", dir], "cityquery migrate"),
        (&["serve", "--config", bad], "server.listen"),
        (&["serve", "--config", "/nowhere.toml"], "/nowhere.toml"),
        (&["doctor", "--data-dir", dir], "faults"),
        (&["token", "--data-dir", dir, "--account", "x"], "cityquery migrate"),
        (&["backup", "create", "--to", "x"], "not built yet"),
    ];
    for (arguments, reason) in failing {
        let (code, text) = said(&run(arguments));
        assert!(code == Some(1) && text.contains(reason), "{arguments:?}: {code:?} {text}");
    }
    let wrong: [&[&str]; 4] =
        [&[], &["fly"], &["serve", "--config", "a", "--data-dir", "b"], &["generate", "--scale", "big"]];
    for arguments in wrong {
        assert_eq!(run(arguments).status.code(), Some(2), "{arguments:?}");
    }
    for arguments in [&["--help"] as &[&str], &["demo", "--help"], &["--version"]] {
        assert_eq!(run(arguments).status.code(), Some(0), "{arguments:?}");
    }
}
