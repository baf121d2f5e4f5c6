//! The program as a child process: started, signalled, waited for, its words read.

use std::fs;
use std::io::{Read, Seek};
use std::os::unix::fs::FileExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// No command of these tests may take longer, also on a busy machine in a debug build.
const LIMIT: Duration = Duration::from_secs(120);

/// How often a running program is asked whether it has ended.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// A program that runs. It is killed when this is dropped.
pub struct Running {
    child: Child,
    /// Files, not pipes: nobody has to read while it runs.
    out: fs::File,
    err: fs::File,
    started: Instant,
    shown: String,
}

/// A program that has ended.
pub struct Ended {
    pub status: ExitStatus,
    pub out: String,
    pub err: String,
    pub took: Duration,
    shown: String,
}

impl Running {
    pub fn start(mut command: Command) -> Self {
        let (out, err) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        command.stdin(Stdio::null()).stdout(out.try_clone().unwrap()).stderr(err.try_clone().unwrap());
        let arguments: Vec<_> = command.get_args().map(|a| a.to_string_lossy().into_owned()).collect();
        let shown = format!("flowetl {}", arguments.join(" "));
        let child = command.spawn().unwrap_or_else(|e| panic!("`{shown}` does not start: {e}"));
        Self { child, out, err, started: Instant::now(), shown }
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// The most memory it has held so far, in bytes.
    pub fn peak_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    }

    /// Lets it run until `after` its start, or to its end if that comes first.
    pub fn let_run(&mut self, after: Duration) {
        while self.started.elapsed() < after && self.runs() {
            thread::sleep(LOOK_EVERY.min(after.saturating_sub(self.started.elapsed())));
        }
    }

    /// `kill -9`; returns when it is gone. What it did before counts, so that it may have ended by itself.
    pub fn kill(mut self) -> Ended {
        self.child.kill().unwrap();
        self.wait()
    }

    /// Waits for a line on standard output that begins with `start`.
    pub fn says(&mut self, start: &str) -> String {
        self.wait_for(start, |running| {
            let said = so_far(&running.out);
            let mut lines = said.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
            lines.find(|line| line.starts_with(start)).map(str::to_owned)
        })
    }

    /// Waits for words on standard error.
    pub fn warns(&mut self, words: &str) {
        self.wait_for(words, |running| so_far(&running.err).contains(words).then_some(()));
    }

    /// How often the words have come on standard error.
    pub fn warned(&self, words: &str) -> usize {
        so_far(&self.err).matches(words).count()
    }

    fn wait_for<T>(&mut self, what: &str, look: impl Fn(&Self) -> Option<T>) -> T {
        loop {
            let ended = !self.runs();
            if let Some(found) = look(self) {
                return found;
            }
            let late = self.started.elapsed() > LIMIT;
            assert!(!ended && !late, "`{}` did not say `{what}`: {}", self.shown, so_far(&self.err));
            thread::sleep(LOOK_EVERY);
        }
    }

    /// Sends a signal by its name: `INT`, `TERM`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("sh").arg("-c").arg(format!("kill -{name} {}", self.child.id())).status().unwrap();
        assert!(sent.success(), "`{}` cannot be signalled", self.shown);
    }

    /// Waits for its end.
    pub fn wait(mut self) -> Ended {
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if self.started.elapsed() > LIMIT {
                self.child.kill().unwrap();
                self.child.wait().unwrap();
                panic!("`{}` did not end within {LIMIT:?}; it said:\n{}", self.shown, text(&mut self.err));
            }
            thread::sleep(LOOK_EVERY);
        };
        Ended {
            status,
            out: text(&mut self.out),
            err: text(&mut self.err),
            took: self.started.elapsed(),
            shown: self.shown.clone(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Gone already where the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// Fails with everything the program said unless it ended with this exit status.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        let said = match self.status.signal() {
            Some(signal) => format!("signal {signal}"),
            None => format!("exit status {:?}", self.status.code()),
        };
        assert!(
            self.status.code() == Some(code),
            "`{}` ended with {said}, not {code}\n--- standard output\n{}\n--- standard error\n{}",
            self.shown,
            self.out,
            self.err
        );
        self
    }

    /// Standard output as exactly one JSON document.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|e| panic!("`{}` did not print one JSON document: {e}\n{}", self.shown, self.out))
    }
}

/// What was written, without moving the place at which the program writes on.
fn so_far(file: &fs::File) -> String {
    let mut bytes = vec![0; usize::try_from(file.metadata().unwrap().len()).unwrap()];
    let read = file.read_at(&mut bytes, 0).unwrap();
    String::from_utf8_lossy(&bytes[..read]).into_owned()
}

fn text(file: &mut fs::File) -> String {
    let mut bytes = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}
