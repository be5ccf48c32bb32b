//! How the allocator shares memory among threads.

/// Heaps that threads share. glibc gives each thread its own, up to eight a core; what one thread
/// has freed the others cannot use, and events wander through many threads. Two instead of sixteen
/// on two cores took a third off the memory under load and nothing off the speed
/// (`docs/performance.md`).
const HEAPS_MAX: i32 = 2;

/// Tells the allocator, before there are threads. Other C libraries than glibc have one heap anyway.
pub(crate) fn share_heaps() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // An operator who measures may set it otherwise.
    if std::env::var_os("MALLOC_ARENA_MAX").is_none() {
        #[expect(unsafe_code, reason = "the C library offers no other way to say it")]
        // SAFETY: `mallopt` takes two numbers and touches nothing of ours; no thread has begun.
        let taken = unsafe { libc::mallopt(libc::M_ARENA_MAX, HEAPS_MAX) };
        debug_assert_eq!(taken, 1, "glibc has had this setting since 2.10");
    }
}
