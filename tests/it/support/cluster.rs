//! A PostgreSQL cluster that one test has for itself, to do to it what operators fear.

use std::fs::Permissions;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::database::on_postgres;
use super::engine::has_postgres;

/// How soon a process that was killed has ended.
const GONE_WITHIN: Duration = Duration::from_secs(10);

/// A running cluster; it goes with the value, and with the test however that ends.
pub(crate) struct Cluster {
    /// Holds the cluster until its standard input ends.
    maker: Child,
    pub(crate) address: String,
    folder: PathBuf,
}

fn script() -> Command {
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("script/postgres"))
}

impl Cluster {
    /// Makes one of a version (`packaged`, or a number); `None`, said loudly, where tests run
    /// without PostgreSQL.
    pub(crate) fn start(version: &str) -> Option<Self> {
        if !has_postgres() {
            return None;
        }
        let mut command = script();
        command.args(["serve", version]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut maker = command.spawn().unwrap();
        let mut lines = BufReader::new(maker.stdout.take().unwrap()).lines();
        let mut line = || {
            let line = lines.next().expect("script/postgres says why it failed");
            line.unwrap()
        };
        Some(Self {
            address: line(),
            folder: line().into(),
            maker,
        })
    }

    /// A program of this version, such as `pg_dump`.
    pub(crate) fn program(&self, name: &str) -> Command {
        Command::new(self.folder.join("bin").join(name))
    }

    /// `kill -9` to all of its processes, as a crash of the machine would end them.
    pub(crate) fn kill(&self) {
        let pids = self.signal(Signal::KILL);
        let killed = Instant::now();
        while pids.iter().any(|pid| runs(*pid)) {
            assert!(killed.elapsed() < GONE_WITHIN, "{pids:?} are still there");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Stops all of its processes where they are: connections stay, and nobody answers.
    pub(crate) fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets them go on.
    pub(crate) fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Starts it again after a kill; it recovers.
    pub(crate) fn start_again(&self) {
        let status = script().arg("start").arg(&self.folder).status();
        assert!(status.unwrap().success());
    }

    /// Changes a setting, for connections made from now on; some need another start.
    pub(crate) fn set(&self, setting: &str, value: &str) {
        self.administrate(&format!("alter system set {setting} = {value}"));
        self.administrate("select pg_reload_conf()");
    }

    /// Speaks TLS from now on, with this certificate and its key.
    pub(crate) fn encrypt(&self, certificate: &Path, key: &Path) {
        let data = self.folder.join("data");
        let owner = std::fs::metadata(&data).unwrap();
        for (from, to) in [(certificate, "server.crt"), (key, "server.key")] {
            let to = data.join(to);
            std::fs::copy(from, &to).unwrap();
            std::fs::set_permissions(&to, Permissions::from_mode(0o600)).unwrap();
            chown(&to, Some(owner.uid()), Some(owner.gid())).unwrap();
        }
        self.set("log_connections", "on");
        self.set("ssl", "on");
    }

    /// Stops it and starts it again.
    pub(crate) fn restart(&self) {
        self.kill();
        self.start_again();
    }

    /// Starts it again as a standby, which only reads.
    pub(crate) fn become_standby(&self) {
        std::fs::write(self.folder.join("data/standby.signal"), "").unwrap();
        self.restart();
    }

    /// Runs a statement as the superuser.
    pub(crate) fn administrate(&self, statement: &str) {
        let address = self.address.replace("//copal:", "//postgres:");
        on_postgres(&address, statement.to_owned());
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap()
    }

    /// To the first process, then to those that it had started: else it would mourn them.
    fn signal(&self, signal: Signal) -> Vec<Pid> {
        let file = self.folder.join("data/postmaster.pid");
        let file = std::fs::read_to_string(file).unwrap();
        let first = file.lines().next().unwrap().trim();
        let others = format!("/proc/{first}/task/{first}/children");
        let others = std::fs::read_to_string(others).unwrap();
        let pids = [first].into_iter().chain(others.split_whitespace());
        let pids: Vec<_> = pids
            .map(|pid| Pid::from_raw(pid.parse().unwrap()).unwrap())
            .collect();
        for pid in &pids {
            // One may have ended meanwhile.
            let _ = kill_process(*pid, signal);
        }
        pids
    }
}

/// Whether a process still runs; one that only waits to be buried does not.
fn runs(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    stat.is_ok_and(|stat| !stat.rsplit(") ").next().unwrap().starts_with('Z'))
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // A frozen one would not hear that it is to end.
        if self.folder.join("data/postmaster.pid").exists() {
            self.thaw();
        }
        drop(self.maker.stdin.take());
        let _ = self.maker.wait();
    }
}
