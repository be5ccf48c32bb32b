//! Every limit of normalisation, with its unit. All are Relay's, so that SDKs meet what they expect.

/// A text is cut to `chars` once it is longer than `chars + allowance`.
#[derive(Clone, Copy)]
pub(super) struct TextLimit {
    /// Characters kept, among them the dots that mark the cut.
    pub(super) chars: usize,
    /// Characters tolerated beyond.
    pub(super) allowance: usize,
}

const fn limit(chars: usize, allowance: usize) -> TextLimit {
    TextLimit { chars, allowance }
}

pub(super) const LOGGER: TextLimit = limit(64, 0);
pub(super) const SERVER_NAME: TextLimit = limit(256, 20);
pub(super) const TRANSACTION: TextLimit = limit(200, 0);
pub(super) const CULPRIT: TextLimit = limit(200, 0);
pub(super) const CHECKSUM: TextLimit = limit(128, 0);
pub(super) const MESSAGE: TextLimit = limit(8_192, 200);
/// Exception type and module, function and file names.
pub(super) const SYMBOL: TextLimit = limit(256, 20);
pub(super) const FUNCTION: TextLimit = limit(512, 20);
pub(super) const PATH: TextLimit = limit(256, 40);
pub(super) const SOURCE_LINE: TextLimit = limit(256, 20);
pub(super) const ENUMERATION: TextLimit = limit(128, 0);
pub(super) const EMAIL: TextLimit = limit(75, 0);
pub(super) const TAG: TextLimit = limit(200, 0);
/// Bytes of a release name; longer ones are dropped.
pub(super) const RELEASE_BYTES_MAX: usize = 200;
/// Bytes of an environment; longer ones are dropped.
pub(super) const ENVIRONMENT_BYTES_MAX: usize = 64;
/// Characters of a distribution; longer ones are dropped.
pub(super) const DIST_CHARS_MAX: usize = 64;
/// Frames kept from the oldest end of a stack trace that has too many.
pub(super) const FRAMES_OLDEST: usize = 50;
/// Frames kept from the end that failed.
pub(super) const FRAMES_NEWEST: usize = 200;
/// Frames of a stack trace that may have variables and source lines.
pub(super) const FRAMES_WITH_DETAIL_MAX: usize = 50;
/// Bytes and levels of free-form data.
#[derive(Clone, Copy)]
pub(super) struct DataLimit {
    /// Bytes of text and numbers together.
    pub(super) bytes: usize,
    /// Levels of lists and objects.
    pub(super) depth: usize,
}

pub(super) const EXTRA: DataLimit = data(262_144, 7);
/// One value of `extra`.
pub(super) const EXTRA_VALUE: DataLimit = data(16_384, 7);
pub(super) const CONTEXTS: DataLimit = data(131_072, 7);
pub(super) const MODULES: DataLimit = data(8_192, 1);
pub(super) const VARS: DataLimit = data(2_048, 5);
pub(super) const SMALL_DATA: DataLimit = data(2_048, 5);
pub(super) const REQUEST_DATA: DataLimit = data(8_192, 7);
/// Everything that is seldom large and never looked into, such as debug images.
pub(super) const OPAQUE_DATA: DataLimit = data(524_288, 10);

const fn data(bytes: usize, depth: usize) -> DataLimit {
    DataLimit { bytes, depth }
}
/// Seconds that clocks must differ for a drift to be corrected (55 minutes).
pub(super) const CLOCK_DRIFT_MIN_SECS: i64 = 55 * 60;
/// Seconds that an event may lie in the future.
pub(super) const FUTURE_MAX_SECS: i64 = 60;
/// Seconds that an event may lie in the past (90 days).
pub(super) const PAST_MAX_SECS: i64 = 90 * 24 * 60 * 60;
/// Distinct search terms taken from an event.
pub(super) const SEARCH_TERMS_MAX: usize = 30;
/// Characters of the message that can be searched.
pub(super) const SEARCH_MESSAGE_CHARS_MAX: usize = 1_000;
/// Characters of an exception's value that the title shows.
pub(super) const TITLE_TYPE_CHARS_MAX: usize = 128;
