//! Decides where each event of a batch goes: which issue, which partition, or nowhere.
//!
//! Pure: an engine reads what is [`Known`], and writes what the [`Plan`] says. Whoever reads and
//! writes must keep others from recording for the same projects meanwhile.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use copal_model::{IssueId, OrgId, Plans, ProjectId, Timestamp};

use super::plan::day_of;
use super::quota::{Used, take_room};
use super::{Batch, Disposition, GroupHash, NewEvent};
use crate::{Error, Result};

/// A day and a retention in days: what decides an event's partition.
pub(crate) type Class = (i64, u16);

/// Who owns a hash.
pub(crate) type Owners = HashMap<(ProjectId, GroupHash), IssueId>;

/// The projects of a batch that are there.
pub(crate) type Projects = BTreeMap<ProjectId, Living>;

/// What is known of a project that is there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Living {
    /// The number of its next issue.
    pub(crate) next_issue: u32,
    /// Whose it is.
    pub(crate) org: OrgId,
    /// The plan of that organization.
    pub(crate) plan: copal_model::Plan,
}

/// Events of a batch that are to be stored: those of projects that are there, which neither the
/// store nor an earlier part of the batch has.
#[derive(Debug)]
pub(crate) struct Fresh<'a> {
    batch: &'a Batch,
    /// By index.
    events: BTreeMap<usize, &'a NewEvent>,
    /// Indexes of those that would be, had their organization's plan room for them.
    over_quota: HashSet<usize>,
}

/// What is stored already of what fresh events are about.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The partitions of all [`Fresh::classes`].
    pub(crate) partitions: HashMap<Class, i64>,
    /// Who owns the [`Fresh::hashes`].
    pub(crate) owners: Owners,
    /// Those of the owners that are resolved.
    pub(crate) resolved: HashSet<IssueId>,
}

/// What happens to an event.
#[derive(Debug)]
pub(crate) enum Fate {
    /// It is stored and counted.
    Kept(Assigned),
    /// It has been before.
    Duplicate,
    /// The plan of its organization has no room left.
    OverQuota,
    /// Its project has just been deleted, and its counters with it.
    ProjectGone,
}

/// Where an event goes.
#[derive(Debug)]
pub(crate) struct Assigned {
    /// Its issue.
    pub(crate) issue: IssueId,
    /// Its partition.
    pub(crate) partition: i64,
    /// How it was taken in.
    pub(crate) disposition: Disposition,
}

impl Fate {
    /// Where the event goes, if it goes anywhere.
    pub(crate) const fn kept(&self) -> Option<&Assigned> {
        match self {
            Self::Kept(assigned) => Some(assigned),
            Self::Duplicate | Self::OverQuota | Self::ProjectGone => None,
        }
    }
}

/// All that assigning the events of a batch changes, before anything is counted.
#[derive(Debug, Default)]
pub(crate) struct Plan<'a> {
    /// What happens to each event, in the order of the batch.
    pub(crate) fates: Vec<Fate>,
    /// Issues to be made, each with its first event.
    pub(crate) new_issues: Vec<(IssueId, &'a NewEvent)>,
    /// Hashes that nobody has owned, and who owns them from now on.
    pub(crate) new_hashes: BTreeMap<(ProjectId, GroupHash), IssueId>,
    /// Resolved issues that are open again.
    pub(crate) regressed: BTreeSet<IssueId>,
    /// Events that people are to be told of, in order.
    pub(crate) news: Vec<(&'a NewEvent, IssueId, Disposition)>,
    /// Projects with new issues.
    pub(crate) projects: BTreeMap<ProjectId, Numbering>,
}

/// How far the issues of a project are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Numbering {
    /// The number of the next issue.
    pub(crate) next: u32,
    /// When the first event with a new issue was received.
    pub(crate) first_event_at: Timestamp,
}

/// The projects that a batch names, in their order.
pub(crate) fn projects(batch: &Batch) -> BTreeSet<ProjectId> {
    let of_events = batch.events.iter().map(|event| event.scope.project());
    let received = batch.received.iter().map(|count| count.project);
    let ended = batch.outcomes.iter().map(|count| count.project);
    of_events.chain(received).chain(ended).collect()
}

impl<'a> Fresh<'a> {
    /// The fresh ones of a batch; `recorded` are the indexes of events that the store has.
    pub(crate) fn of(batch: &'a Batch, projects: &Projects, recorded: &HashSet<usize>) -> Self {
        let mut seen = HashSet::with_capacity(batch.events.len());
        let events = batch.events.iter().enumerate();
        let events = events.filter(|(index, event)| {
            let project = event.scope.project();
            projects.contains_key(&project)
                && seen.insert((project, event.event_id))
                && !recorded.contains(index)
        });
        Self {
            batch,
            events: events.collect(),
            over_quota: HashSet::new(),
        }
    }

    /// Leaves out those that plans have no room for, the later ones first.
    pub(crate) fn limit(&mut self, projects: &Projects, plans: &Plans, mut used: Used) {
        let over_quota = &mut self.over_quota;
        self.events.retain(|index, event| {
            let counted = (event.scope.project(), event.received_at);
            let has_room = take_room(projects, plans, &mut used, counted);
            if !has_room {
                over_quota.insert(*index);
            }
            has_room
        });
    }

    /// The classes of partitions that they are stored in.
    pub(crate) fn classes(&self) -> BTreeSet<Class> {
        self.events.values().map(|event| class_of(event)).collect()
    }

    /// The hashes by which their issues are looked up.
    pub(crate) fn hashes(&self) -> BTreeSet<(ProjectId, GroupHash)> {
        let hashes = self.events.values().flat_map(|event| {
            let hashes = event.grouping.hashes.iter();
            hashes.map(|hash| (event.scope.project(), *hash))
        });
        hashes.collect()
    }
}

fn class_of(event: &NewEvent) -> Class {
    (day_of(event.received_at), event.retention_days)
}

impl<'a> Plan<'a> {
    /// Decides for each event of a batch.
    pub(crate) fn of(fresh: &Fresh<'a>, projects: &Projects, mut known: Known) -> Result<Self> {
        let mut plan = Self::default();
        for (index, event) in fresh.batch.events.iter().enumerate() {
            let fate = if fresh.events.contains_key(&index) {
                plan.keep(event, projects, &mut known)?
            } else if fresh.over_quota.contains(&index) {
                Fate::OverQuota
            } else if projects.contains_key(&event.scope.project()) {
                Fate::Duplicate
            } else {
                Fate::ProjectGone
            };
            plan.fates.push(fate);
        }
        Ok(plan)
    }

    /// What new issues can be found by, each once.
    pub(crate) fn terms(&self) -> BTreeSet<(IssueId, &'a str, &'a str)> {
        let terms = self.new_issues.iter().flat_map(|(issue, event)| {
            let terms = event.issue.search_terms.iter();
            terms.map(|(key, value)| (*issue, *key, &value[..]))
        });
        terms.collect()
    }

    fn keep(
        &mut self,
        event: &'a NewEvent,
        projects: &Projects,
        known: &mut Known,
    ) -> Result<Fate> {
        let project = event.scope.project();
        let hashes = &event.grouping.hashes;
        let owner = hashes
            .iter()
            .find_map(|hash| known.owners.get(&(project, *hash)).copied());
        let (issue, disposition) = match owner {
            // Only the first event of a batch opens its issue again.
            Some(issue) if known.resolved.remove(&issue) => {
                self.regressed.insert(issue);
                (issue, Disposition::Regressed)
            }
            Some(issue) => (issue, Disposition::Joined),
            None => (self.create(event, projects)?, Disposition::New),
        };
        if disposition != Disposition::Joined {
            self.news.push((event, issue, disposition));
        }
        for hash in hashes {
            if let Entry::Vacant(vacant) = known.owners.entry((project, *hash)) {
                self.new_hashes.insert(*vacant.key(), issue);
                vacant.insert(issue);
            }
        }
        let partition = known.partitions.get(&class_of(event)).copied();
        Ok(Fate::Kept(Assigned {
            issue,
            partition: partition
                .ok_or_else(|| Error::Broken("an event without a partition".into()))?,
            disposition,
        }))
    }

    fn create(&mut self, event: &'a NewEvent, projects: &Projects) -> Result<IssueId> {
        if event.grouping.hashes.is_empty() {
            return Err(Error::Broken("an event without a group hash".into()));
        }
        let project = event.scope.project();
        let numbering = self.projects.entry(project).or_insert(Numbering {
            next: projects.get(&project).map_or(1, |living| living.next_issue),
            first_event_at: event.received_at,
        });
        let issue = IssueId::new(project, numbering.next);
        numbering.next += 1;
        self.new_issues.push((issue, event));
        Ok(issue)
    }
}

/// What an event of the outbox is: `NEW` or `REGRESSED`.
pub(crate) const fn kind_of(disposition: Disposition) -> &'static str {
    match disposition {
        Disposition::Regressed => "REGRESSED",
        _ => "NEW",
    }
}
