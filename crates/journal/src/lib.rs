//! The durable log between ingest and pipeline.
//!
//! Append-only segment files in one private folder. A record is acknowledged only after
//! `fdatasync`; many are synced together (group commit). The reader follows behind, and segments
//! are deleted once the store has committed past them. The journal knows nothing of events: a
//! record is bytes.
//
// The shape other crates build against (the journal's author fills it in):
//
// Journal::open(folder: &Path, config: Config, fs: Arc<dyn Fs>) -> Result<(Journal, Recovery), Error>
// Journal: Clone
//   .id() -> [u8; 16]                                        the folder's own random id
//   .append(record: Vec<u8>) -> impl Future<Result<u64, AppendError>>   durable once it answers; the sequence
//   .reader(after: u64) -> Reader                            records with a sequence > after
//   .forget(up_to: u64)                                      deletes segments wholly <= up_to
//   .stats() -> Stats { backlog_records, backlog_bytes, last_sequence, forgotten_sequence, corrupt_records }
//   .failed() -> impl Future                                 resolves when a write or fsync has failed
//   .close() -> impl Future                                  syncs what is pending, refuses what comes
// Reader.next(records_max: usize, bytes_max: usize) -> impl Future<Result<Vec<Entry>, Error>>  waits for one at least
// Entry { sequence: u64, record: Vec<u8> } or a gap { from, to } where damaged records stood
// AppendError { Full, TooLarge, Failed, Closed }
