//! Function names without what a compiler adds: arguments, template arguments, hashes, return types.
//!
//! Two builds of the same code must give the same name. Names are shortened, never made up: what
//! the rules here do not understand stays as it is.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

/// Compilers' names for closures: GCC, Clang and MSVC.
static CLOSURES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"\{lambda\([^{}]*\)#\d+\}|\blambda_[0-9a-f]{32}\b|\$_\d+\b|'lambda\d*'(?:\([^()]*\))?",
    )
    .expect("a correct expression")
});

/// What follows a name: hash of a Rust symbol, version of a C one, bytes of a Windows one, a clone.
static SUFFIXES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:::h[0-9a-f]{16}|@@?[A-Z]+_[0-9.]+|@\d+|\s*\[clone [^\]]*\]|\.(?:llvm|isra|part|constprop|cold)\.?[\d.]*)+$")
        .expect("a correct expression")
});

/// The function's name as it groups.
pub fn trim_function<'a>(function: &'a str, platform: &str) -> Cow<'a, str> {
    match platform {
        // `Namespace.Class.Method (System.String name)`
        "csharp" => Cow::Borrowed(function.split(" (").next().unwrap_or(function)),
        "native" | "c" | "objc" | "cocoa" | "swift" => trim_native(function),
        _ => Cow::Borrowed(function),
    }
}

fn trim_native(function: &str) -> Cow<'_, str> {
    if is_objective_c(function) || !function.contains([' ', '<', '(', '{', '$', '@', '&', ':', '.'])
    {
        return Cow::Borrowed(function);
    }
    let name = SUFFIXES.replace(function.trim(), "");
    let name = CLOSURES.replace_all(&name, "lambda");
    let name = unwrap_impl(&name);
    let name = drop_arguments(&name);
    let name = drop_return_type(name.trim_end_matches(" const").trim_end_matches(['&', ' ']));
    if name.is_empty() {
        Cow::Borrowed(function)
    } else {
        Cow::Owned(name.to_owned())
    }
}

/// `-[Class method:]`, and blocks within: `__42+[Class method]_block_invoke`.
fn is_objective_c(function: &str) -> bool {
    let name = function.strip_prefix("__").unwrap_or(function);
    name.trim_start_matches(|c: char| c.is_ascii_digit())
        .starts_with(['[', '-', '+'])
}

/// Rust: `<a::B<C> as d::E>::f` is `a::B<C>::f`; `<T as d::E>::f`, which says nothing of the type,
/// is `d::E::f`.
fn unwrap_impl(name: &str) -> Cow<'_, str> {
    let Some(end) = closing(name, 0) else {
        return Cow::Borrowed(name);
    };
    let (inner, rest) = (&name[1..end], &name[end + 1..]);
    // `<removed code>`: what a tool puts in the place of a name.
    let is_placeholder = rest.is_empty() && inner.contains(' ');
    let is_path = rest.starts_with("::") && !inner.starts_with("lambda");
    if !name.starts_with('<') || !(is_path || is_placeholder) {
        return Cow::Borrowed(name);
    }
    let subject = match split_as(inner) {
        Some((subject, interface)) if is_type_parameter(subject) => interface,
        Some((subject, _)) => subject,
        None => inner,
    };
    Cow::Owned(format!("{subject}{rest}"))
}

fn split_as(inner: &str) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            b'<' => depth += 1,
            b'>' => depth = depth.saturating_sub(1),
            b' ' if depth == 0 => {
                if let Some(interface) = inner[at..].strip_prefix(" as ") {
                    return Some((&inner[..at], interface));
                }
            }
            _ => {}
        }
    }
    None
}

fn is_type_parameter(name: &str) -> bool {
    name.len() <= 2
        && name
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Takes out `(…)` and turns `<…>` into `<T>`, except where they are names themselves.
fn drop_arguments(name: &str) -> String {
    const NAMES: [&str; 6] = [
        "operator()",
        "(anonymous namespace)",
        "`anonymous namespace'",
        "operator<=>",
        "operator->",
        "operator>>",
    ];
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        if let Some(known) = NAMES.iter().find(|known| rest.starts_with(**known)) {
            out.push_str(known);
            rest = &rest[known.len()..];
            continue;
        }
        let is_operator = out.ends_with("operator") || out.ends_with("operator<");
        let end = match first {
            '<' if !out.is_empty() && !is_operator => closing(rest, 0),
            '(' => closing(rest, 0),
            _ => None,
        };
        if let Some(end) = end {
            if first == '<' {
                out.push_str("<T>");
            }
            rest = &rest[end + 1..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

/// Where the bracket that opens at `start` closes.
fn closing(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    for at in start..bytes.len() {
        match bytes[at] {
            b'<' | b'(' => depth += 1,
            b'>' if at > 0 && bytes[at - 1] == b'-' => {}
            b'>' | b')' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// `int ns::f` is `ns::f`, Swift's `A.f -> Int` is `A.f`; `operator new` stays.
fn drop_return_type(name: &str) -> &str {
    if name.contains("operator") || name.starts_with('<') {
        return name;
    }
    let name = name.split(" -> ").next().unwrap_or(name).trim_end();
    let mut depth = 0_usize;
    let mut start = 0;
    for (at, byte) in name.bytes().enumerate() {
        match byte {
            b'(' | b'{' | b'`' => depth += 1,
            b')' | b'}' | b'\'' => depth = depth.saturating_sub(1),
            b' ' if depth == 0 => start = at + 1,
            _ => {}
        }
    }
    &name[start..]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(function: &str, expected: &str) {
        assert_eq!(trim_function(function, "native"), expected);
    }

    #[test]
    fn cpp() {
        check("main", "main");
        check(
            "ns::Class::run(int, std::vector<int> const&) const",
            "ns::Class::run",
        );
        check(
            "void ns::call<A<B>, C>(std::function<void (int)>)",
            "ns::call<T>",
        );
        check(
            "std::map<K, V>::operator[](K const&)",
            "std::map<T>::operator[]",
        );
        check(
            "std::function<void ()>::operator()() const",
            "std::function<T>::operator()",
        );
        check(
            "(anonymous namespace)::start(int)",
            "(anonymous namespace)::start",
        );
        check(
            "run()::{lambda(int)#1}::operator()(int) const",
            "run::lambda::operator()",
        );
        check(
            "<lambda_5db80dab47756d3e72c2dcd38b80b1dd>::operator()",
            "<lambda>::operator()",
        );
        check("pool::work(int) [clone .isra.0]", "pool::work");
        check("memcpy@@GLIBC_2.14", "memcpy");
        check("operator new(unsigned long)", "operator new");
    }

    #[test]
    fn rust() {
        check(
            "<app::Cart<T> as app::Total>::total::h0123456789abcdef",
            "app::Cart<T>::total",
        );
        check(
            "<F as alloc::boxed::FnBox<A>>::call_box",
            "alloc::boxed::FnBox<T>::call_box",
        );
        check(
            "<app::Pool<'a, U>>::enter::{{closure}}",
            "app::Pool<T>::enter::{{closure}}",
        );
        check("app::shop::pay::h0123456789abcdef", "app::shop::pay");
    }

    #[test]
    fn apple() {
        check("-[Cart(Pay) payWith:and:]", "-[Cart(Pay) payWith:and:]");
        check(
            "Shop.Cart.pay(with: Swift.Int) -> Swift.Bool",
            "Shop.Cart.pay",
        );
    }

    #[test]
    fn others() {
        assert_eq!(
            trim_function("A.B.Do (System.String x)", "csharp"),
            "A.B.Do"
        );
        assert_eq!(trim_function("<lambda>", "python"), "<lambda>");
    }

    #[test]
    fn broken_names_stay_whole() {
        check("a<b", "a<b");
        check(")(", ")(");
        check("<", "<");
        check("(x)", "(x)");
    }

    proptest! {
        #[test]
        fn never_panics(name in r"[a-z<>(){}&:$ \-é`'@\[\]]{0,40}") {
            for platform in ["native", "csharp", "python"] {
                trim_function(&name, platform);
            }
        }

        #[test]
        fn rust_hashes_do_not_matter(a: u64, b: u64) {
            let (one, other) = (format!("app::pay::h{a:016x}"), format!("app::pay::h{b:016x}"));
            prop_assert_eq!(trim_function(&one, "native"), trim_function(&other, "native"));
        }
    }
}
