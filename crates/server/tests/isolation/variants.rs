//! Other ways to write a request for foreign things, so that one check sees them and another does not.

use axum::http::Method;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::cases::{Body, Case, Draft};
use crate::world::Things;

/// Some of what need not be encoded and may be.
const LETTERS: &AsciiSet = &CONTROLS.add(b'a').add(b'e').add(b'o').add(b'c').add(b'-');

/// Writes a path in another way.
type Rewrite = fn(&str) -> String;

/// Ways to write the path.
const PATHS: &[(&str, Rewrite)] = &[
    ("slash at the end", |path| format!("{path}/")),
    ("two slashes", |path| path.replacen('/', "//", 2)),
    ("dots in the path", |path| format!("/x/..{path}")),
    ("dot at the end", |path| format!("{path}/.")),
    ("semicolon", |path| format!("{path};a=b")),
    ("upper case", str::to_uppercase),
    ("percent-encoded", |path| {
        utf8_percent_encode(path, LETTERS).to_string()
    }),
    ("zero at the end", |path| format!("{path}%00")),
];

/// Headers to add.
const HEADERS: &[(&str, &[(&str, &str)])] = &[
    (
        "method override DELETE",
        &[("x-http-method-override", "DELETE")],
    ),
    (
        "from this machine",
        &[
            ("x-forwarded-for", "127.0.0.1"),
            ("x-real-ip", "127.0.0.1"),
            ("forwarded", "for=127.0.0.1"),
        ],
    ),
    (
        "another host",
        &[
            ("x-forwarded-host", "admin.copal.test"),
            ("x-forwarded-proto", "https"),
        ],
    ),
    (
        "an internal caller",
        &[
            ("x-user", "admin"),
            ("x-remote-user", "admin"),
            ("x-internal", "true"),
        ],
    ),
    ("asks for JSON", &[("accept", "application/json")]),
    ("asks for a stream", &[("accept", "text/event-stream")]),
    (
        "asks for compression",
        &[("accept-encoding", "gzip, br, zstd")],
    ),
    ("asks for a range", &[("range", "bytes=0-9")]),
    ("has it already", &[("if-none-match", "*")]),
];

/// Other methods.
const METHODS: [Method; 7] = [
    Method::HEAD,
    Method::OPTIONS,
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
];

/// A case in all other ways. Its path stays the foreign one.
pub(crate) fn of(case: &Case) -> Vec<Case> {
    let mut ways = Vec::new();
    let mut add = |variant: &str, change: &dyn Fn(&mut Draft)| {
        let mut changed = case.clone();
        variant.clone_into(&mut changed.variant);
        change(&mut changed.draft);
        if let Some(twin) = &mut changed.twin {
            change(twin);
        }
        if changed.draft != case.draft {
            ways.push(changed);
        }
    };
    for (variant, change) in PATHS {
        add(variant, &|draft| change_path(draft, change));
    }
    for (variant, headers) in HEADERS {
        add(variant, &|draft| {
            let headers = headers
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned()));
            draft.headers.extend(headers);
        });
    }
    for method in METHODS {
        add(method.as_str(), &|draft| draft.method = method.clone());
    }
    add("method override in the form", &|draft| {
        if let Body::Form(_) = draft.body {
            add_field(draft, "_method", "DELETE");
        }
    });
    add("another kind of body", &|draft| {
        draft.body = match std::mem::replace(&mut draft.body, Body::Nothing) {
            Body::Form(fields) => Body::Json(as_json(&fields)),
            Body::Json(_) | Body::Raw(_) => Body::Form(Vec::new()),
            Body::Nothing => Body::Json("{}".to_owned()),
        };
    });
    ways
}

/// An own request with headers, cookies and parameters by which it may try to be about a foreign
/// organization.
pub(crate) fn smuggled(own: &Case, strange: &Things) -> Vec<Case> {
    let (org, project) = (strange.id.to_string(), strange.projects[1].id.to_string());
    let target = format!(
        "/o/{}/issues/{}",
        strange.slug, strange.projects[1].issues[0].short
    );
    let mut ways = Vec::new();
    let mut add = |variant: &str, change: &dyn Fn(&mut Draft)| {
        let mut case = own.clone();
        variant.clone_into(&mut case.variant);
        change(&mut case.draft);
        let texts = [org.clone(), target.clone(), strange.slug.clone()];
        case.draft.texts.extend(texts);
        ways.push(case);
    };
    let add_headers = |draft: &mut Draft, names: &[&'static str], value: &str| {
        let headers = names.iter().map(|name| (*name, value.to_owned()));
        draft.headers.extend(headers);
    };
    add("foreign address in headers", &|draft| {
        let names = [
            "x-original-url",
            "x-rewrite-url",
            "x-forwarded-uri",
            "referer",
        ];
        add_headers(draft, &names, &target);
    });
    add("foreign organization in headers", &|draft| {
        add_headers(draft, &["x-organization", "x-org-id", "x-tenant"], &org);
        add_headers(draft, &["x-project", "x-project-id"], &project);
    });
    add("foreign organization in cookies", &|draft| {
        let cookies = format!("org={org}; org_id={org}; project={project}");
        draft.headers.push(("cookie", cookies));
    });
    add("foreign organization in the query", &|draft| {
        let sign = if draft.target.contains('?') { '&' } else { '?' };
        let more = format!("org={org}&org_id={org}&projectId={project}&project_id={project}");
        draft.target = format!("{}{sign}{more}", draft.target);
    });
    for (name, value) in [
        ("org", &org),
        ("orgId", &org),
        ("organizationId", &org),
        ("projectId", &project),
        ("userId", &org),
        ("role", &org),
        ("isInstanceAdmin", &org),
    ] {
        if own.draft.body != Body::Nothing {
            add("foreign organization in the body", &|draft| {
                add_field(draft, name, value);
            });
        }
    }
    ways
}

fn add_field(draft: &mut Draft, name: &str, value: &str) {
    match &mut draft.body {
        Body::Form(fields) => fields.push((name.to_owned(), value.to_owned())),
        Body::Json(json) => {
            let more = format!("{{\"{name}\":\"{value}\",");
            *json = json.replacen('{', &more, 1);
        }
        Body::Nothing | Body::Raw(_) => {}
    }
}

fn change_path(draft: &mut Draft, change: impl Fn(&str) -> String) {
    draft.target = match draft.target.split_once('?') {
        Some((path, query)) => format!("{}?{query}", change(path)),
        None => change(&draft.target),
    };
}

fn as_json(fields: &[(String, String)]) -> String {
    let fields = fields
        .iter()
        .map(|(name, value)| (name.clone(), value.clone().into()));
    serde_json::Value::Object(fields.collect()).to_string()
}
