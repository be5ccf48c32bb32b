//! One stored event as the issue page shows it. The server converts protocol events into these.
//!
//! All texts are hostile: they are kept as sent here and escaped, shortened and isolated when they
//! are written.

use copal_model::{Level, Timestamp};

use crate::tree::{MaybeLink, Tree};

/// A stored event and its place in its issue.
#[derive(Debug, Clone)]
pub struct EventView {
    /// Its id, 32 hexadecimal digits.
    pub id: String,
    /// When it happened, by the SDK's clock.
    pub occurred_at: Timestamp,
    /// When Copal received it.
    pub received_at: Timestamp,
    /// Its place among the stored events of the issue, from 1, oldest first.
    pub number: u64,
    /// How many events of the issue are stored (not: counted).
    pub stored: u64,
    /// Id of the stored event before it.
    pub previous: Option<String>,
    /// Id of the stored event after it.
    pub next: Option<String>,
    /// Severity.
    pub level: Level,
    /// The SDK platform: `python`.
    pub platform: String,
    /// Name and version of the SDK: `sentry.python 2.30.0`.
    pub sdk: Option<String>,
    /// The version that ran.
    pub release: Option<String>,
    /// Where it ran.
    pub environment: Option<String>,
    /// The message or log entry, where it is more than the title says.
    pub message: Option<String>,
    /// The exception chain, the crash (what the title is about) first, then what caused it.
    pub exceptions: Vec<ExceptionView>,
    /// Threads with a stack trace of their own, the crashed or current one first.
    pub threads: Vec<ThreadView>,
    /// What happened before, oldest first.
    pub breadcrumbs: Vec<BreadcrumbView>,
    /// The HTTP request.
    pub request: Option<RequestView>,
    /// Attributes of the user: `id`, `email` …
    pub user: Vec<(String, Tree)>,
    /// Contexts by name: `os`, `runtime` …; each value usually an object.
    pub contexts: Vec<(String, Tree)>,
    /// Tags by key.
    pub tags: Vec<(String, String)>,
    /// Extra data.
    pub extra: Vec<(String, Tree)>,
    /// Modules and their versions.
    pub modules: Vec<(String, String)>,
    /// What had to be mended or dropped when the event was taken in.
    pub problems: Vec<String>,
    /// Why it is in this issue.
    pub grouping: GroupingView,
}

/// One exception of the chain.
#[derive(Debug, Clone)]
pub struct ExceptionView {
    /// `ZeroDivisionError`; empty where the SDK sent none.
    pub kind: String,
    /// `division by zero`
    pub value: String,
    /// The module or package of the type.
    pub module: Option<String>,
    /// How it was caught: `django`, `onerror`.
    pub mechanism: Option<String>,
    /// Whether the program handled it; `None` where the SDK does not say.
    pub is_handled: Option<bool>,
    /// How it follows from the one shown before it.
    pub relation: Relation,
    /// The stack, the frame that crashed first.
    pub frames: Vec<FrameView>,
}

/// How an exception follows from the one shown before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// It is the first.
    Crash,
    /// It caused the one before.
    CausedBy,
    /// The one before was raised while this one was handled.
    WhileHandling,
    /// One of a group that the one before holds.
    PartOf,
}

/// A thread.
#[derive(Debug, Clone)]
pub struct ThreadView {
    /// Its name or id.
    pub name: String,
    /// Whether it crashed.
    pub is_crashed: bool,
    /// Its stack, the innermost frame first.
    pub frames: Vec<FrameView>,
}

/// One line of a stack trace.
#[derive(Debug, Clone, Default)]
pub struct FrameView {
    /// The function; empty where it is not known.
    pub function: String,
    /// The module.
    pub module: Option<String>,
    /// The file as people know it: `shop/views.py`.
    pub filename: Option<String>,
    /// The file's whole path or URL, where it says more.
    pub path: Option<String>,
    /// Line of the file.
    pub line: Option<u64>,
    /// Column of the line.
    pub column: Option<u64>,
    /// Whether it belongs to the application (and not to a library).
    pub in_app: bool,
    /// Lines of source around it; one is the line itself.
    pub source: Vec<SourceLine>,
    /// Local variables.
    pub vars: Vec<(String, Tree)>,
    /// Binary or package: `libc.so.6`.
    pub package: Option<String>,
    /// Address of the instruction, for native frames.
    pub address: Option<String>,
}

/// A line of source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceLine {
    /// Its number in the file; `None` where it is not known.
    pub number: Option<u64>,
    /// The line itself.
    pub text: String,
    /// Whether it is the one that was running.
    pub is_current: bool,
}

/// Something that happened before.
#[derive(Debug, Clone)]
pub struct BreadcrumbView {
    /// When.
    pub at: Option<Timestamp>,
    /// `http`, `query`, `ui.click`
    pub category: String,
    /// Severity, as sent.
    pub level: String,
    /// What.
    pub message: String,
    /// More about it.
    pub data: Vec<(String, Tree)>,
}

/// The HTTP request.
#[derive(Debug, Clone, Default)]
pub struct RequestView {
    /// `GET`
    pub method: Option<String>,
    /// The URL without query string and fragment.
    pub url: String,
    /// Names and values of the query string.
    pub query: Vec<(String, String)>,
    /// Headers as sent.
    pub headers: Vec<(String, String)>,
    /// Cookies as sent (and scrubbed).
    pub cookies: Vec<(String, String)>,
    /// The body.
    pub body: Option<Tree>,
    /// The server's environment.
    pub env: Vec<(String, Tree)>,
}

/// Why an event is in its issue.
#[derive(Debug, Clone, Default)]
pub struct GroupingView {
    /// Version of the algorithm: `copal-1`.
    pub version: String,
    /// The deciding hash.
    pub hash: String,
    /// The variant that decided, in words: `in-app frames of the exception's stack`.
    pub deciding: String,
    /// What contributed, in order, as sentences.
    pub reasons: Vec<String>,
    /// All variants.
    pub variants: Vec<GroupingVariant>,
}

/// One way to group.
#[derive(Debug, Clone)]
pub struct GroupingVariant {
    /// `app`, `system`, `message`
    pub name: String,
    /// Its hash; `None` where it does not apply.
    pub hash: Option<String>,
    /// Whether it decided.
    pub is_deciding: bool,
    /// Why it does or does not apply.
    pub note: String,
}

impl SourceLine {
    /// The number, or nothing where it is not known.
    pub(crate) fn number_text(&self) -> String {
        self.number
            .map(|number| number.to_string())
            .unwrap_or_default()
    }
}

impl FrameView {
    /// Whether there is more to see than its line.
    pub(crate) fn has_detail(&self) -> bool {
        !self.source.is_empty() || !self.vars.is_empty()
    }

    /// The library it belongs to, as well as can be told.
    pub(crate) fn library(&self) -> &str {
        let name = self
            .module
            .as_deref()
            .or(self.package.as_deref())
            .or(self.filename.as_deref())
            .unwrap_or_default();
        let end = name
            .match_indices(['.', '/', ':'])
            .map(|(at, _)| at)
            .find(|at| *at > 0);
        &name[..end.unwrap_or(name.len())]
    }

    /// The file, or what is known in its place.
    pub(crate) fn place(&self) -> &str {
        self.filename
            .as_deref()
            .or(self.path.as_deref())
            .or(self.package.as_deref())
            .or(self.module.as_deref())
            .unwrap_or("unknown file")
    }

    /// Line and column: `:12:7`.
    pub(crate) fn position(&self) -> String {
        match (self.line, self.column) {
            (None, _) => String::new(),
            (Some(line), None) => format!(":{line}"),
            (Some(line), Some(column)) => format!(":{line}:{column}"),
        }
    }

    /// The function, or a word where it is not known.
    pub(crate) fn function_text(&self) -> &str {
        match self.function.as_str() {
            "" => "<anonymous>",
            function => function,
        }
    }
}

impl ExceptionView {
    /// The words before it.
    pub(crate) fn relation_text(&self) -> &'static str {
        match self.relation {
            Relation::Crash => "",
            Relation::CausedBy => "caused by",
            Relation::WhileHandling => "while handling",
            Relation::PartOf => "with",
        }
    }

    /// Type, or a word where the SDK sent none.
    pub(crate) fn kind_text(&self) -> &str {
        match self.kind.as_str() {
            "" => "Error",
            kind => kind,
        }
    }
}

impl BreadcrumbView {
    /// What happened, in one line: the message, or else the call that the data tells of.
    pub(crate) fn line(&self) -> String {
        if !self.message.is_empty() {
            return self.message.clone();
        }
        let words = CALL.iter().filter_map(|names| self.value(names));
        words.collect::<Vec<_>>().join(" ")
    }

    /// Plain values of the data that the line does not tell.
    pub(crate) fn values(&self) -> Vec<(&str, String)> {
        let is_told = |key: &str| self.message.is_empty() && CALL.concat().contains(&key);
        let values = self.data.iter().filter(|(key, _)| !is_told(key));
        values
            .filter_map(|(key, value)| Some((key.as_str(), value.scalar()?)))
            .collect()
    }

    /// Lists and objects of the data.
    pub(crate) fn nested(&self) -> Vec<&(String, Tree)> {
        let nested = |entry: &&(String, Tree)| entry.1.scalar().is_none();
        self.data.iter().filter(nested).collect()
    }

    fn value(&self, names: &[&str]) -> Option<String> {
        let mut data = self.data.iter();
        let found = data.find(|(name, _)| names.contains(&name.as_str()));
        found.and_then(|(_, value)| value.scalar())
    }
}

/// Data of a breadcrumb that make up a call, by the names that SDKs give them.
const CALL: [&[&str]; 3] = [
    &["method", "http.method", "http.request.method"],
    &["url"],
    &["status_code", "http.response.status_code"],
];

impl RequestView {
    /// The URL, as a link where it is one.
    pub(crate) fn link(&self) -> MaybeLink {
        MaybeLink(self.url.clone())
    }
}

impl EventView {
    /// The same for who may not see the event as it was sent: without source and variables.
    #[must_use]
    pub fn without_source(mut self) -> Self {
        let exceptions = self.exceptions.iter_mut().map(|one| &mut one.frames);
        let threads = self.threads.iter_mut().map(|one| &mut one.frames);
        for frame in exceptions.chain(threads).flatten() {
            frame.source.clear();
            frame.vars.clear();
        }
        self
    }

    /// The trace as text, as it would stand in a terminal: for copying.
    pub(crate) fn trace_text(&self) -> String {
        let mut text = String::new();
        for exception in &self.exceptions {
            if !text.is_empty() {
                text.push('\n');
                text.push_str(exception.relation_text());
                text.push_str(": ");
            }
            text.push_str(exception.kind_text());
            if !exception.value.is_empty() {
                text.push_str(": ");
                text.push_str(&exception.value);
            }
            text.push('\n');
            for frame in &exception.frames {
                text.push_str("    at ");
                text.push_str(frame.function_text());
                text.push_str(" (");
                text.push_str(frame.place());
                text.push_str(&frame.position());
                text.push_str(")\n");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crumb(message: &str, data: &[(&str, Tree)]) -> BreadcrumbView {
        let data = data
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone()));
        BreadcrumbView {
            at: None,
            category: String::new(),
            level: String::new(),
            message: message.to_owned(),
            data: data.collect(),
        }
    }

    #[test]
    fn a_call_is_a_line_and_the_rest_values() {
        let data = [
            ("url", Tree::Text("/offers".to_owned())),
            ("status_code", Tree::Number("404".to_owned())),
            ("method", Tree::Text("GET".to_owned())),
            ("cached", Tree::Bool(false)),
            ("headers", Tree::List(Vec::new())),
        ];
        let call = crumb("", &data);
        assert_eq!(call.line(), "GET /offers 404");
        assert_eq!(call.values(), [("cached", "false".to_owned())]);
        assert_eq!(call.nested().len(), 1);
        let told = crumb("clicked", &data);
        assert_eq!(told.line(), "clicked");
        assert_eq!(told.values().len(), 4);
    }
}
