//! What of a frame groups: module or file name, function, and in scripting languages the line.
//!
//! Line numbers, addresses and variables never count: they change with every build or event.

use std::borrow::Cow;
use std::sync::LazyLock;

use copal_protocol::event::Frame;
use regex::Regex;

use crate::family::Family;
use crate::function::trim_function;

/// Characters of a line of source beyond which it is generated code and says nothing.
pub const CONTEXT_LINE_CHARS_MAX: usize = 120;

/// The parts of a frame that group, cleaned of what changes from build to build.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FrameParts<'a> {
    pub(crate) module: Option<Cow<'a, str>>,
    pub(crate) filename: Option<Cow<'a, str>>,
    pub(crate) function: Option<Cow<'a, str>>,
    pub(crate) context_line: Option<Cow<'a, str>>,
    /// The runtime's own: says nothing, whatever its parts.
    pub(crate) is_runtime: bool,
}

/// Parts of class names that a code generator numbers, and what stands for them.
static GENERATED_CLASSES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?P<a>(?:sun\.reflect|jdk\.internal\.reflect)\.Generated(?:MethodAccessor|ConstructorAccessor|SerializationConstructorAccessor))[0-9]+",
        r"|(?P<b>\$\$[\w_]*?CGLIB\$\$)[0-9a-fA-F]+(?:_[0-9]+)?",
        r"|(?P<c>\$\$_javassist)(?:_seam)?(?:_[0-9]+)?",
        r"|(?P<d>\$fn__)[0-9]+",
        r"|(?P<e>\$\$(?:EnhancerBy|FastClassBy)[\w_]*?\$\$)[0-9a-fA-F]+(?:_[0-9]+)?",
        r"|(?P<f>\$HibernateProxy\$)[0-9a-zA-Z]+",
    ))
    .expect("a correct expression")
});

/// The number that Ruby gives a compiled template.
static RUBY_TEMPLATE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"__\d+_\d+$").expect("a correct expression"));

impl<'a> FrameParts<'a> {
    pub(crate) fn of(frame: &'a Frame<'_>, platform: &'a str) -> Self {
        let module = module(frame, platform);
        let context_line = context_line(frame, platform);
        let function = function(frame, platform, context_line.is_some());
        let filename = if module.is_some() {
            None
        } else {
            filename(frame, platform)
        };
        let is_runtime = is_javascript(platform) && is_runtime_script(frame);
        Self {
            module,
            filename,
            function,
            context_line,
            is_runtime,
        }
    }

    /// Name and value of each part, in the order in which they are hashed.
    pub(crate) fn leaves(&self) -> impl Iterator<Item = (&'static str, &Cow<'a, str>)> {
        [
            ("module", &self.module),
            ("filename", &self.filename),
            ("function", &self.function),
            ("context_line", &self.context_line),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.as_ref().map(|value| (name, value)))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.leaves().next().is_none()
    }
}

/// The function as rules see it: without what a compiler adds.
///
/// A raw name beside it means that the client, or normalisation, has shortened it already.
pub(crate) fn function_name<'a>(frame: &'a Frame<'_>, platform: &str) -> Option<Cow<'a, str>> {
    let (function, raw) = (frame.function.as_deref(), frame.raw_function.as_deref());
    if platform == "csharp" {
        // Overloads differ in their parameters alone.
        return raw
            .or(function)
            .filter(|name| !name.is_empty())
            .map(Cow::Borrowed);
    }
    let name = function.or(raw).filter(|name| !name.is_empty())?;
    let is_trimmed = raw.is_some() && function.is_some();
    Some(if is_trimmed {
        Cow::Borrowed(name)
    } else {
        trim_function(name, platform)
    })
}

fn is_javascript(platform: &str) -> bool {
    Family::of(platform) == Family::JavaScript
}

/// Whether a path is the address of a script, in a browser or on its disk.
pub(crate) fn is_script_url(path: &str) -> bool {
    is_url(path) || path.starts_with("file:")
}

/// Whether a path is the address of a script in a browser.
fn is_url(path: &str) -> bool {
    ["http:", "https:", "applewebdata:", "blob:"]
        .iter()
        .any(|scheme| path.starts_with(scheme))
}

fn is_runtime_script(frame: &Frame<'_>) -> bool {
    frame.function.as_deref() == Some("eval")
        || matches!(
            frame.abs_path.as_deref(),
            Some("[native code]" | "native code" | "eval code" | "<anonymous>")
        )
}

fn module<'a>(frame: &'a Frame<'_>, platform: &str) -> Option<Cow<'a, str>> {
    let module = frame
        .module
        .as_deref()
        .filter(|module| !module.is_empty())?;
    if is_javascript(platform) {
        let is_page = module.contains('/')
            && frame
                .abs_path
                .as_deref()
                .is_some_and(|path| path.ends_with(module));
        return (!is_page).then_some(Cow::Borrowed(module));
    }
    if platform == "java" {
        if module.contains("$$Lambda$") {
            return None;
        }
        return Some(GENERATED_CLASSES.replace_all(module, "$a$b$c$d$e$f<auto>"));
    }
    Some(Cow::Borrowed(module))
}

fn filename<'a>(frame: &'a Frame<'_>, platform: &str) -> Option<Cow<'a, str>> {
    let full = frame.filename.as_deref().or(frame.abs_path.as_deref())?;
    if frame.abs_path.as_deref().is_some_and(is_url) || is_url(full) {
        return None;
    }
    let full = match full.split_once('?') {
        Some((path, _)) if is_javascript(platform) => path,
        _ => full,
    };
    let base = full.rsplit(['/', '\\']).next().unwrap_or(full);
    if base.is_empty() || matches!(base, "<anonymous>" | "[native code]") {
        return None;
    }
    let base = if platform == "java" {
        GENERATED_CLASSES.replace_all(base, "$a$b$c$d$e$f<auto>")
    } else {
        Cow::Borrowed(base)
    };
    if base.chars().any(char::is_uppercase) {
        return Some(Cow::Owned(base.to_lowercase()));
    }
    Some(base)
}

fn function<'a>(
    frame: &'a Frame<'_>,
    platform: &str,
    has_context_line: bool,
) -> Option<Cow<'a, str>> {
    let name = function_name(frame, platform)?;
    match platform {
        "ruby" if name.starts_with("block ") => Some(Cow::Borrowed("block")),
        "ruby" => Some(replace(&RUBY_TEMPLATE, name, "")),
        "php" if name.starts_with("[Anonymous") => None,
        "php" if name.starts_with("class@anonymous\0") => name
            .rsplit_once("::")
            .map(|(_, method)| Cow::Owned(method.to_owned())),
        "java" if name.starts_with("lambda$") => None,
        "javascript" | "node" => script_function(frame, name, has_context_line),
        _ if matches!(&*name, "<redacted>" | "<unknown>")
            && Family::of(platform) == Family::Native =>
        {
            None
        }
        _ => Some(name),
    }
}

fn replace<'a>(pattern: &Regex, text: Cow<'a, str>, replacement: &str) -> Cow<'a, str> {
    match pattern.replace(&text, replacement) {
        Cow::Borrowed(_) => text,
        Cow::Owned(replaced) => Cow::Owned(replaced),
    }
}

fn script_function<'a>(
    frame: &Frame<'_>,
    name: Cow<'a, str>,
    has_context_line: bool,
) -> Option<Cow<'a, str>> {
    let last = name.rfind('.').map_or(0, |dot| dot + 1);
    let is_unknown = matches!(
        &name[last..],
        "" | "?" | "<anonymous function>" | "<anonymous>" | "Anonymous function"
    ) || name.ends_with("/<");
    let is_told_by_line = frame.data.get("sourcemap").is_some() && has_context_line;
    if is_unknown || is_told_by_line {
        return None;
    }
    Some(match name {
        Cow::Borrowed(name) => Cow::Borrowed(&name[last..]),
        Cow::Owned(name) => Cow::Owned(name[last..].to_owned()),
    })
}

fn context_line<'a>(frame: &'a Frame<'_>, platform: &str) -> Option<Cow<'a, str>> {
    if !matches!(platform, "javascript" | "node" | "python" | "php" | "ruby") {
        return None;
    }
    let line = frame.context_line.as_deref()?;
    if line.chars().count() > CONTEXT_LINE_CHARS_MAX {
        return None;
    }
    let is_bare_url = || {
        frame.function.as_deref().is_none_or(str::is_empty)
            && frame.abs_path.as_deref().is_some_and(is_script_url)
    };
    if is_javascript(platform) && is_bare_url() {
        return None;
    }
    let line = line.trim();
    if line.is_empty() {
        return None;
    }
    if line.contains("  ") || line.contains(|blank: char| blank.is_whitespace() && blank != ' ') {
        return Some(Cow::Owned(
            line.split_whitespace().collect::<Vec<_>>().join(" "),
        ));
    }
    Some(Cow::Borrowed(line))
}
