//! The program as a process: started, killed and stopped as operators do.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Where no system gives out ports by itself: nobody takes it while our server is down.
const PORTS: std::ops::Range<u16> = 10_000..30_000;

/// A running `copal serve`; killed when dropped.
pub(crate) struct Server(Child);

/// The program on a data folder, with no settings but the test's own.
pub(crate) fn command(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_copal"));
    for (name, _) in std::env::vars() {
        if name.starts_with("COPAL_") {
            command.env_remove(name);
        }
    }
    // A line for each of thousands of requests would hide what matters.
    command.env("COPAL_LOG", "warn").arg("--data").arg(data);
    command
}

impl From<Child> for Server {
    fn from(child: Child) -> Self {
        Self(child)
    }
}

impl Server {
    /// Starts it; does not wait until it listens.
    pub(crate) fn launch(mut command: Command, listen: &str) -> Self {
        command.args(["serve", "--listen", listen]);
        Self(command.stdout(Stdio::piped()).spawn().unwrap())
    }

    /// Starts it as a machine would whose files cannot grow beyond `kib`; its log goes to a file.
    pub(crate) fn launch_cramped(command: &Command, listen: &str, kib: u64, log: &Path) -> Self {
        // The signal is ignored so that the write is what fails. POSIX counts in blocks of 512 bytes.
        let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", kib * 2);
        let mut cramped = Command::new("sh");
        cramped.args(["-c", &script, "sh"]);
        cramped.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => cramped.env(name, value),
                None => cramped.env_remove(name),
            };
        }
        cramped.stderr(File::create(log).unwrap());
        Self::launch(cramped, listen)
    }

    /// Waits for the line that says so, and answers the address.
    pub(crate) fn wait_until_it_listens(&mut self) -> String {
        let mut line = String::new();
        let stdout = self.0.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("copal listening on ");
        address.unwrap_or_else(|| panic!("{line:?}")).to_owned()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Bytes of memory that it holds now, or has held at most, by the name of the line.
    pub(crate) fn memory(&self, line: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let value = status.lines().find_map(|text| text.strip_prefix(line));
        let kib = value.unwrap().trim().strip_suffix("kB").unwrap();
        kib.trim().parse::<u64>().unwrap() * 1_024
    }

    /// Makes the next reading of the peak one of what comes now; answers the memory held.
    pub(crate) fn forget_peak(&self) -> u64 {
        std::fs::write(format!("/proc/{}/clear_refs", self.pid()), "5").unwrap();
        self.memory("VmRSS:")
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Asks it to end as service managers do; how it ended, and how long that took.
    pub(crate) fn terminate(self) -> (ExitStatus, Duration) {
        let asked = Instant::now();
        kill_process(Pid::from_child(&self.0), Signal::TERM).unwrap();
        (self.wait_for_end(Duration::from_mins(1)), asked.elapsed())
    }

    /// Waits until it ends by itself.
    pub(crate) fn wait_for_end(mut self, at_most: Duration) -> ExitStatus {
        let since = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status;
            }
            assert!(since.elapsed() < at_most, "does not end within {at_most:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An address on this machine that stays the same over restarts.
pub(crate) fn fixed_address(seed: u64) -> String {
    let of = u64::from(PORTS.end - PORTS.start);
    let ports = (0..of).map(|step| PORTS.start + u16::try_from((seed % of + step) % of).unwrap());
    ports
        .map(|port| format!("127.0.0.1:{port}"))
        .find(|address| TcpListener::bind(address).is_ok())
        .expect("a port is free")
}
