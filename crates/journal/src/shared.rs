//! What the writer thread, the readers and the handles know together.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use tokio::sync::watch;

use crate::{Condition, Config, Stats, config::FULL_FOR, fs::Fs, quarantine::Quarantine, segment};

/// One journal's common knowledge.
pub(crate) struct Shared {
    pub(crate) folder: PathBuf,
    pub(crate) fs: Arc<dyn Fs>,
    pub(crate) id: [u8; 16],
    pub(crate) config: Config,
    pub(crate) quarantine: Quarantine,
    /// Wakes readers.
    pub(crate) progress: watch::Sender<Progress>,
    /// Becomes true when a write or sync has failed, and stays so.
    pub(crate) failed: watch::Sender<bool>,
    state: Mutex<State>,
}

/// How far the log goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The last sequence that has been synced.
    pub(crate) last: u64,
    /// Whether nothing will follow.
    pub(crate) ended: bool,
}

/// What changes. Everything in it has been synced.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// In order of their sequences; the last is the one being written.
    pub(crate) segments: Vec<Segment>,
    /// The last sequence that has been synced, or used in an earlier life.
    pub(crate) last: u64,
    /// Everything up to here has been consumed.
    pub(crate) forgotten: u64,
    /// Sequences whose records are gone.
    pub(crate) lost: Lost,
    /// How often records were synced.
    pub(crate) syncs: u64,
    /// How many records were synced.
    pub(crate) appended: u64,
    /// When a record was refused for want of room; none since there has been room.
    pub(crate) refused_at: Option<Instant>,
}

/// A segment file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Its first sequence, which is its name.
    pub(crate) first: u64,
    /// Its last sequence; one less than `first` while it is empty.
    pub(crate) last: u64,
    /// How many of its bytes may be read.
    pub(crate) bytes: u64,
}

impl Shared {
    pub(crate) fn new(
        folder: PathBuf,
        fs: Arc<dyn Fs>,
        id: [u8; 16],
        config: Config,
        state: State,
    ) -> Self {
        let quarantine = Quarantine::new(fs.clone(), &folder);
        let progress = watch::Sender::new(Progress {
            last: state.last,
            ended: false,
        });
        let failed = watch::Sender::new(false);
        Self {
            folder,
            fs,
            id,
            config,
            quarantine,
            progress,
            failed,
            state: Mutex::new(state),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // Each change is one assignment or follows all that can panic, so the state is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn path(&self, first: u64) -> PathBuf {
        self.folder.join(segment::file_name(first))
    }

    pub(crate) fn end(&self) {
        self.progress.send_modify(|progress| progress.ended = true);
    }

    pub(crate) fn condition(&self) -> Condition {
        if *self.failed.borrow() {
            return Condition::Failed;
        }
        if self.progress.borrow().ended {
            return Condition::Closed;
        }
        match self.state().refused_at {
            Some(at) if at.elapsed() < FULL_FOR => Condition::Full,
            _ => Condition::Ready,
        }
    }

    pub(crate) fn stats(&self) -> Stats {
        let state = self.state();
        Stats {
            backlog_records: state.last - state.forgotten,
            backlog_bytes: state.bytes(),
            last_sequence: state.last,
            forgotten_sequence: state.forgotten,
            corrupt_records: state.lost.count(),
            appended_records: state.appended,
            syncs: state.syncs,
        }
    }
}

impl State {
    pub(crate) fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// Counts the sequences `from..=to`, if any, as lost, unless they have been consumed.
    pub(crate) fn lose(&mut self, from: u64, to: u64) {
        let from = from.max(self.forgotten + 1);
        if from <= to {
            self.lost.add(from, to);
        }
    }

    /// The first segment with records after a sequence.
    pub(crate) fn segment_after(&self, sequence: u64) -> Option<Segment> {
        self.segments
            .iter()
            .find(|segment| segment.last > sequence)
            .copied()
    }

    /// The segment being written.
    pub(crate) fn active(&mut self) -> &mut Segment {
        self.segments
            .last_mut()
            .expect("there always is one: opening makes it")
    }
}

/// Sequences whose records are gone, each counted once, however often it is met.
#[derive(Debug, Default)]
pub(crate) struct Lost(Vec<(u64, u64)>);

impl Lost {
    /// Adds the sequences `from..=to`.
    pub(crate) fn add(&mut self, from: u64, to: u64) {
        let apart = |range: &&(u64, u64)| range.1 + 1 < from || to + 1 < range.0;
        let (mut ranges, touched): (Vec<_>, Vec<_>) = self.0.iter().partition(apart);
        let from = touched
            .iter()
            .map(|range: &(u64, u64)| range.0)
            .fold(from, u64::min);
        let to = touched.iter().map(|range| range.1).fold(to, u64::max);
        ranges.push((from, to));
        self.0 = ranges;
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.iter().map(|(from, to)| to - from + 1).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::Lost;

    fn count(ranges: &[(u64, u64)]) -> u64 {
        let mut lost = Lost::default();
        for (from, to) in ranges {
            lost.add(*from, *to);
        }
        lost.count()
    }

    #[test]
    fn a_sequence_is_lost_once() {
        assert_eq!(count(&[]), 0);
        assert_eq!(count(&[(5, 5)]), 1);
        assert_eq!(count(&[(5, 9), (1, 2), (7, 7), (5, 9)]), 7);
        assert_eq!(count(&[(1, 2), (4, 5), (3, 3)]), 5);
        assert_eq!(count(&[(1, 2), (8, 9), (2, 8)]), 9);
    }
}
