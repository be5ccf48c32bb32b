//! A PostgreSQL cluster that one test has for itself, to do to it what operators fear.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::database::on_postgres;
use super::engine::has_postgres;

/// How soon the system forgets a process that was killed.
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
        let first = self.signal(Signal::KILL);
        // While it is a name only, another one does not start in its place.
        let killed = Instant::now();
        while test_kill_process(first).is_ok() {
            assert!(killed.elapsed() < GONE_WITHIN, "{first:?} is still there");
            std::thread::sleep(Duration::from_millis(5));
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
    fn signal(&self, signal: Signal) -> Pid {
        let file = self.folder.join("data/postmaster.pid");
        let file = std::fs::read_to_string(file).unwrap();
        let first = file.lines().next().unwrap().trim();
        let others = format!("/proc/{first}/task/{first}/children");
        let others = std::fs::read_to_string(others).unwrap();
        let pid = |text: &str| Pid::from_raw(text.parse().unwrap()).unwrap();
        for text in [first].into_iter().chain(others.split_whitespace()) {
            // One may have ended meanwhile.
            let _ = kill_process(pid(text), signal);
        }
        pid(first)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // A frozen one would not hear that it is to end.
        if self.folder.join("data/postmaster.pid").exists() {
            self.signal(Signal::CONT);
        }
        drop(self.maker.stdin.take());
        let _ = self.maker.wait();
    }
}
