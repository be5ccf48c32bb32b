//! Errors of browser extensions, told by where they were raised or by what they say.

use copal_protocol::Event;

/// Addresses that extensions and injected programs run from.
const SOURCES: &[&str] = &[
    "chrome-extension://",
    "chrome://",
    "moz-extension://",
    "ms-browser-extension://",
    "resource://",
    "safari-extension://",
    "safari-web-extension://",
    "webkit-masked-url://",
    "kaspersky-labs.com",
    "webappstoolbarba.texthelp.com/",
    "metrics.itunes.apple.com.edgesuite.net/",
];

/// What some of them say, whose code the browser hides.
const VALUES: &[&str] = &[
    "Can't find variable: ZiteReader",
    "ComboSearch is not defined",
    "EBCallBackMessageReceived",
    "Extension context invalidated",
    "MyApp_RemoveAllHighlights",
    "The message port closed before a response was received",
    "atomicFindClose",
    "bmi_SafeAddOnload",
    "canvas.contentDocument",
    "conduitPage",
    "fb_xd_fragment",
    "jigsaw is not defined",
    "originalCreateNotification",
    "plugin.setSuspendState is not a function",
    "top.GLOBALS",
];

/// Whether an extension raised the error.
pub(super) fn is_of_extension(event: &Event<'_>) -> bool {
    let Some(exception) = event.exceptions.last() else {
        return false;
    };
    let value = exception.value.as_deref().unwrap_or_default();
    if VALUES.iter().any(|text| value.contains(text)) {
        return true;
    }
    let frames = exception.stacktrace.iter().flat_map(|stack| &stack.frames);
    let last = frames
        .filter_map(|frame| frame.abs_path.as_deref())
        .next_back();
    last.is_some_and(|path| SOURCES.iter().any(|source| path.contains(source)))
}
