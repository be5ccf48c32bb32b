//! How many streams may be open: a bound for all, and one for each person, whose oldest stream
//! makes room for a new one. Browsers tell late that a page was left; the page that somebody looks
//! at now is the one that must hear.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use copal_model::UserId;
use tokio::sync::oneshot;

use crate::auth::Refusal;

/// Streams open at once.
pub(super) const STREAMS_MAX: usize = 500;
/// Streams of one person open at once: browsers open at most six.
pub(super) const STREAMS_PER_USER_MAX: usize = 12;

/// The streams that are open, by person. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct StreamSlots(Arc<Mutex<Open>>);

#[derive(Debug, Default)]
struct Open {
    next_id: u64,
    /// Oldest first. Dropping a sender tells its stream to end.
    by_user: HashMap<UserId, VecDeque<(u64, oneshot::Sender<()>)>>,
}

/// An open stream; dropping it frees its place.
#[derive(Debug)]
pub(super) struct Slot {
    slots: StreamSlots,
    user: UserId,
    id: u64,
    keep: oneshot::Receiver<()>,
}

impl StreamSlots {
    /// Takes a place, the oldest of the same person's if they have no other.
    pub(super) fn take(&self, user: UserId) -> Result<Slot, Refusal> {
        let mut open = self.lock();
        let total: usize = open.by_user.values().map(VecDeque::len).sum();
        let own = open.by_user.get(&user).map_or(0, VecDeque::len);
        if total >= STREAMS_MAX && own == 0 {
            return Err(Refusal::TooManyTries {
                retry_after_secs: 60,
            });
        }
        let id = open.next_id;
        open.next_id += 1;
        let (sender, keep) = oneshot::channel();
        let streams = open.by_user.entry(user).or_default();
        if own >= STREAMS_PER_USER_MAX || total >= STREAMS_MAX {
            streams.pop_front();
        }
        streams.push_back((id, sender));
        drop(open);
        Ok(Slot {
            slots: self.clone(),
            user,
            id,
            keep,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0
            .lock()
            .expect("nothing panics while it holds this lock")
    }
}

impl Slot {
    /// Waits until a newer stream of the same person takes this place.
    pub(super) async fn taken(&mut self) {
        // The sender is only ever dropped.
        let _ = (&mut self.keep).await;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = self.slots.lock();
        if let Some(streams) = open.by_user.get_mut(&self.user) {
            streams.retain(|(id, _)| *id != self.id);
            if streams.is_empty() {
                open.by_user.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn user(number: u128) -> UserId {
        UserId::new(Uuid::from_u128(number))
    }

    #[tokio::test]
    async fn the_oldest_of_a_person_makes_room_and_nobody_elses() {
        let slots = StreamSlots::default();
        let mut others = slots.take(user(2)).unwrap();
        let mut own: Vec<_> = (0..STREAMS_PER_USER_MAX)
            .map(|_| slots.take(user(1)).unwrap())
            .collect();
        assert!(own[0].keep.try_recv() == Err(oneshot::error::TryRecvError::Empty));
        let _newest = slots.take(user(1)).unwrap();
        own[0].taken().await;
        for kept in own[1..].iter_mut().chain([&mut others]) {
            assert!(kept.keep.try_recv() == Err(oneshot::error::TryRecvError::Empty));
        }
    }

    #[test]
    fn all_together_are_bounded_and_freed() {
        let slots = StreamSlots::default();
        let mut open: Vec<_> = (0..STREAMS_MAX)
            .map(|number| slots.take(user(number as u128)).unwrap())
            .collect();
        assert!(slots.take(user(7_777)).is_err());
        assert!(
            slots.take(user(1)).is_ok(),
            "who has one may open another page"
        );
        open.pop();
        assert!(slots.take(user(7_777)).is_ok());
        drop(open);
        assert!(slots.lock().by_user.is_empty());
    }
}
