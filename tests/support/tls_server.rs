//! A PostgreSQL server of a test's own that speaks TLS, with an authority (`city.pem`) that vouches for `localhost`, and another
//! (`stranger.pem`) that does not. `cityquery` is let in over TLS only and by password; `maker` in the clear, to prepare.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The server, stopped with this value.
pub struct TlsServer {
    /// Its port, on 127.0.0.1 and, where there is one, on ::1.
    pub port: u16,
    folder: tempfile::TempDir,
    programs: PathBuf,
}

impl TlsServer {
    /// Starts it; `None` where the tests go without PostgreSQL, or its programs are on another machine.
    pub fn start() -> Option<TlsServer> {
        super::postgres::server()?;
        let Some(programs) = programs() else {
            eprintln!("no initdb on this machine: left out");
            return None;
        };
        // The other user has to reach it: the folder that TMPDIR names may be for its owner alone.
        let folder = match rustix::process::getuid().is_root() {
            true => tempfile::tempdir_in("/tmp"),
            false => tempfile::tempdir(),
        };
        let folder = folder.expect("a folder");
        let port =
            std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        let server = TlsServer { port, folder, programs };
        certificates(server.folder.path());
        std::fs::create_dir(server.data()).expect("a folder");
        if rustix::process::getuid().is_root() {
            // The server refuses to run as root, so root lends it another user.
            run(Command::new("chown").arg("-R").arg(user()).arg(server.folder.path()));
        }
        server.make();
        Some(server)
    }

    fn make(&self) {
        let data = self.data();
        run(self.program("initdb").arg("-D").arg(&data).args([
            "-U",
            "maker",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
        ]));
        let rules = "hostssl all cityquery all scram-sha-256\nhostnossl all maker all trust\n";
        std::fs::write(data.join("pg_hba.conf"), rules).expect("writes");
        let settings = format!(
            "port = {}\nunix_socket_directories = ''\nlisten_addresses = '127.0.0.1,::1'\nfsync = off\nssl = on\n\
             ssl_cert_file = '../server.pem'\nssl_key_file = '../server.key'\n",
            self.port
        );
        std::fs::write(data.join("postgresql.auto.conf"), settings).expect("writes");
        run(self.program("pg_ctl").arg("-D").arg(&data).args(["-w", "-l"]).arg(data.join("server.log")).arg("start"));
    }

    /// A database there by the way that lets `maker` in.
    pub fn in_the_clear(&self, database: &str) -> String {
        format!("postgres://maker@127.0.0.1:{}/{database}?sslmode=disable", self.port)
    }

    /// Path of a file beside the server's.
    pub fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        if !rustix::process::getuid().is_root() {
            return Command::new(program);
        }
        let mut command = Command::new("runuser");
        command.current_dir("/").args(["-u", user(), "--"]).arg(program);
        command
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        let stopped = self.program("pg_ctl").arg("-D").arg(self.data()).args(["-m", "immediate", "stop"]).status();
        drop(stopped);
    }
}

/// Where the newest server's programs are.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    let paths = std::env::var_os("PATH")?;
    found.extend(std::env::split_paths(&paths));
    found.into_iter().find(|folder| folder.join("initdb").exists() && folder.join("pg_ctl").exists())
}

fn user() -> &'static str {
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    if passwd.lines().any(|line| line.starts_with("postgres:")) { "postgres" } else { "nobody" }
}

fn certificates(folder: &Path) {
    for authority in ["city", "stranger"] {
        run(openssl(folder).args(["-x509", "-subj", &format!("/CN={authority}"), "-days", "2"]).args([
            "-keyout",
            &format!("{authority}.key"),
            "-out",
            &format!("{authority}.pem"),
        ]));
    }
    run(openssl(folder).args(["-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr"]));
    std::fs::write(folder.join("names"), "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n").expect("writes");
    let mut sign = Command::new("openssl");
    sign.current_dir(folder).args("x509 -req -in server.csr -CA city.pem -CAkey city.key".split(' '));
    run(sign.args("-CAcreateserial -days 2 -extfile names -out server.pem".split(' ')));
}

fn openssl(folder: &Path) -> Command {
    let mut command = Command::new("openssl");
    command.current_dir(folder).args("req -newkey rsa:2048 -nodes".split(' '));
    command
}

fn run(command: &mut Command) {
    // What stays behind as a server must not hold a pipe of ours.
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(status.as_ref().is_ok_and(std::process::ExitStatus::success), "{command:?}: {status:?}");
}
