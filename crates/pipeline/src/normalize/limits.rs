//! Every limit of normalisation, with its unit. All are Relay's, so that SDKs meet what they expect.

/// A text is cut to `chars` once it is longer than `chars + allowance`.
#[derive(Clone, Copy)]
pub(crate) struct TextLimit {
    /// Characters kept, among them the dots that mark the cut.
    pub(crate) chars: usize,
    /// Characters tolerated beyond.
    pub(crate) allowance: usize,
}

const fn limit(chars: usize, allowance: usize) -> TextLimit {
    TextLimit { chars, allowance }
}

pub(crate) const LOGGER: TextLimit = limit(64, 0);
pub(crate) const SERVER_NAME: TextLimit = limit(256, 20);
pub(crate) const TRANSACTION: TextLimit = limit(200, 0);
pub(crate) const CULPRIT: TextLimit = limit(200, 0);
pub(crate) const CHECKSUM: TextLimit = limit(128, 0);
pub(crate) const MESSAGE: TextLimit = limit(8_192, 200);
/// Exception type and module, function and file names.
pub(crate) const SYMBOL: TextLimit = limit(256, 20);
pub(crate) const FUNCTION: TextLimit = limit(512, 20);
pub(crate) const PATH: TextLimit = limit(256, 40);
pub(crate) const SOURCE_LINE: TextLimit = limit(256, 20);
pub(crate) const ENUMERATION: TextLimit = limit(128, 0);
pub(crate) const EMAIL: TextLimit = limit(75, 0);
pub(crate) const TAG: TextLimit = limit(200, 0);
/// Bytes of a release name; longer ones are dropped.
pub(crate) const RELEASE_BYTES_MAX: usize = 200;
/// Bytes of an environment; longer ones are dropped.
pub(crate) const ENVIRONMENT_BYTES_MAX: usize = 64;
/// Characters of a distribution; longer ones are dropped.
pub(crate) const DIST_CHARS_MAX: usize = 64;
/// Frames kept from the oldest end of a stack trace that has too many.
pub(crate) const FRAMES_OLDEST: usize = 50;
/// Frames kept from the end that failed.
pub(crate) const FRAMES_NEWEST: usize = 200;
/// Frames of a stack trace that may have variables and source lines.
pub(crate) const FRAMES_WITH_DETAIL_MAX: usize = 50;
/// Bytes and levels of free-form data.
#[derive(Clone, Copy)]
pub(crate) struct DataLimit {
    /// Bytes of text and numbers together.
    pub(crate) bytes: usize,
    /// Levels of lists and objects.
    pub(crate) depth: usize,
}

pub(crate) const EXTRA: DataLimit = data(262_144, 7);
/// One value of `extra`.
pub(crate) const EXTRA_VALUE: DataLimit = data(16_384, 7);
pub(crate) const CONTEXTS: DataLimit = data(131_072, 7);
pub(crate) const MODULES: DataLimit = data(8_192, 1);
pub(crate) const VARS: DataLimit = data(2_048, 5);
pub(crate) const SMALL_DATA: DataLimit = data(2_048, 5);
/// The server's environment of a request, and its headers.
pub(crate) const REQUEST_ENV: DataLimit = data(8_192, 7);
/// Bytes of a query string.
pub(crate) const QUERY_BYTES_MAX: usize = 1_024;
/// Bytes of all headers, and of all cookies.
pub(crate) const HEADERS_BYTES_MAX: usize = 8_192;
pub(crate) const REQUEST_DATA: DataLimit = data(8_192, 7);
/// Everything that is seldom large and never looked into, such as debug images.
pub(crate) const OPAQUE_DATA: DataLimit = data(524_288, 10);

const fn data(bytes: usize, depth: usize) -> DataLimit {
    DataLimit { bytes, depth }
}
/// Seconds that clocks must differ for a drift to be corrected (55 minutes).
pub(crate) const CLOCK_DRIFT_MIN_SECS: i64 = 55 * 60;
/// Seconds that an event may lie in the future.
pub(crate) const FUTURE_MAX_SECS: i64 = 60;
pub(crate) const SECS_PER_DAY: i64 = 24 * 60 * 60;
/// Distinct search terms taken from an event.
pub(crate) const SEARCH_TERMS_MAX: usize = 30;
/// Characters of the message that can be searched.
pub(crate) const SEARCH_MESSAGE_CHARS_MAX: usize = 1_000;
/// Characters of an exception's value that the title shows.
pub(crate) const TITLE_TYPE_CHARS_MAX: usize = 128;
