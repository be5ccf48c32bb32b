//! Samples of the issue page and its event.

use copal_model::Level;

use super::{issue, minutes_ago, nav, project, trend};
use crate::filter::Period;
use crate::form::Permission;
use crate::nav::NavItem;
use crate::pages::event::{
    BreadcrumbView, EventView, ExceptionView, FrameView, GroupingVariant, GroupingView, Relation,
    RequestView, SourceLine,
};
use crate::pages::issue::{Show, StackMode, TagView};
use crate::tree::Tree;

fn text(value: &str) -> Tree {
    Tree::Text(value.to_owned())
}

fn pair(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

fn entry(key: &str, value: Tree) -> (String, Tree) {
    (key.to_owned(), value)
}

fn number(digits: &str) -> Tree {
    Tree::Number(digits.to_owned())
}

impl Show {
    /// A regressed issue with a rich event.
    pub fn sample() -> Self {
        let project = project(1, "Shop", "python");
        let mut issue = issue(&project, 12, "ZeroDivisionError", "division by zero");
        issue.is_regressed = true;
        Self {
            nav: nav(NavItem::Issues),
            project_name: project.name,
            issue,
            period: Period::TwoWeeks,
            trend: trend(3, 56, 14 * 24, 90),
            tags: tags(),
            event: Some(EventView::sample()),
            retention_days: 30,
            stack: StackMode::App,
            permalink: "http://127.0.0.1:8000/o/acme/issues/SHOP-12".to_owned(),
            may_triage: Permission::Granted,
            may_read_raw: Permission::Granted,
            may_delete: Permission::Granted,
        }
    }

    /// An issue whose events have all been dropped, seen by a viewer.
    pub fn sample_without_event() -> Self {
        let denied = |what: &str| Permission::Denied(format!("{what} Ask Ana."));
        Self {
            event: None,
            tags: Vec::new(),
            may_triage: denied("Only OWNER, ADMIN or MEMBER can resolve and ignore issues."),
            may_delete: denied("Only OWNER or ADMIN can delete issues."),
            ..Self::sample()
        }
    }
}

fn tags() -> Vec<TagView> {
    let tag = |key: &str, values: &[(&str, u64)]| TagView {
        key: key.to_owned(),
        total: values.iter().map(|(_, count)| count).sum(),
        values: values
            .iter()
            .map(|&(value, count)| (value.to_owned(), count))
            .collect(),
    };
    vec![
        tag(
            "browser",
            &[
                ("Chrome 141", 8_120),
                ("Firefox 144", 2_901),
                ("Safari 19", 1_410),
            ],
        ),
        tag("environment", &[("production", 12_200), ("staging", 231)]),
        tag(
            "release",
            &[
                ("shop@4.18.2", 9_001),
                ("shop@4.18.1", 3_010),
                ("shop@4.17.0", 420),
            ],
        ),
        tag("url", &[("https://shop.acme.example/checkout", 12_431)]),
    ]
}

impl EventView {
    /// A Python event with a cause, breadcrumbs and a request.
    pub fn sample() -> Self {
        Self {
            id: "9ec79c33ec9942ab8353589fcb2e04dc".to_owned(),
            occurred_at: minutes_ago(4),
            received_at: minutes_ago(4),
            number: 12,
            stored: 345,
            previous: Some("9ec79c33ec9942ab8353589fcb2e04db".to_owned()),
            next: Some("9ec79c33ec9942ab8353589fcb2e04dd".to_owned()),
            level: Level::Error,
            platform: "python".to_owned(),
            sdk: Some("sentry.python.django 2.44.0".to_owned()),
            release: Some("shop@4.18.2".to_owned()),
            environment: Some("production".to_owned()),
            message: None,
            exceptions: exceptions(),
            threads: Vec::new(),
            breadcrumbs: breadcrumbs(),
            request: Some(request()),
            user: vec![
                entry("id", text("88213")),
                entry("email", text("kim@customer.example")),
                entry("ip_address", text("203.0.113.7")),
            ],
            contexts: contexts(),
            tags: vec![
                pair("browser", "Chrome 141"),
                pair("environment", "production"),
                pair("release", "shop@4.18.2"),
                pair("server_name", "web-3"),
                pair("url", "https://shop.acme.example/checkout"),
                pair("user", "id:88213"),
            ],
            extra: vec![
                entry("cart_id", text("c-20441")),
                entry("retries", number("2")),
            ],
            modules: vec![pair("django", "5.2.8"), pair("sentry-sdk", "2.44.0")],
            problems: vec!["extra.sys.argv: longer than 16 KiB, cut".to_owned()],
            grouping: grouping(),
        }
    }
}

fn exceptions() -> Vec<ExceptionView> {
    vec![
        ExceptionView {
            kind: "ZeroDivisionError".to_owned(),
            value: "division by zero".to_owned(),
            module: None,
            mechanism: Some("django".to_owned()),
            is_handled: Some(false),
            relation: Relation::Crash,
            frames: frames(),
        },
        ExceptionView {
            kind: "KeyError".to_owned(),
            value: "'items'".to_owned(),
            module: Some("builtins".to_owned()),
            mechanism: None,
            is_handled: None,
            relation: Relation::WhileHandling,
            frames: vec![in_app("load_cart", "shop/cart.py", 41, &CART)],
        },
    ]
}

const CHECKOUT: [&str; 7] = [
    "def apply_discount(cart, coupon):",
    "    \"\"\"Spread the coupon over all items.\"\"\"",
    "    items = cart.items or []",
    "    share = coupon.amount / len(items)",
    "    for item in items:",
    "        item.price -= share",
    "    return cart",
];

const CART: [&str; 5] = [
    "def load_cart(session):",
    "    try:",
    "        return Cart(session[\"cart\"][\"items\"])",
    "    except KeyError:",
    "        return Cart()",
];

/// A frame of the application; the middle line of `source` is the current one.
fn in_app(function: &str, filename: &str, line: u64, source: &[&str]) -> FrameView {
    let middle = source.len() / 2;
    let lines = source.iter().enumerate().map(|(index, text)| SourceLine {
        number: Some(line + index as u64 - middle as u64),
        text: (*text).to_owned(),
        is_current: index == middle,
    });
    FrameView {
        function: function.to_owned(),
        module: Some(filename.trim_end_matches(".py").replace('/', ".")),
        filename: Some(filename.to_owned()),
        path: Some(format!("/srv/{filename}")),
        line: Some(line),
        in_app: true,
        source: lines.collect(),
        ..FrameView::default()
    }
}

fn library(function: &str, filename: &str, line: u64) -> FrameView {
    FrameView {
        in_app: false,
        ..in_app(
            function,
            filename,
            line,
            &["    response = get_response(request)"],
        )
    }
}

fn frames() -> Vec<FrameView> {
    let mut crash = in_app("apply_discount", "shop/checkout.py", 118, &CHECKOUT);
    crash.vars = vec![
        entry("items", Tree::List(Vec::new())),
        entry(
            "coupon",
            Tree::Map(vec![
                entry("code", text("BLACKFRIDAY")),
                entry("amount", number("25.00")),
                entry("single_use", Tree::Bool(true)),
            ]),
        ),
        entry("cart", text("<Cart c-20441 of user 88213>")),
    ];
    vec![
        crash,
        in_app(
            "checkout",
            "shop/views.py",
            64,
            &[
                "    cart = load_cart(request.session)",
                "    cart = apply_discount(cart, coupon)",
                "    return render(request, \"checkout.html\", {\"cart\": cart})",
            ],
        ),
        library("_get_response", "django/core/handlers/base.py", 197),
        library("inner", "django/core/handlers/exception.py", 55),
        library("__call__", "sentry_sdk/integrations/wsgi.py", 112),
        in_app(
            "application",
            "shop/wsgi.py",
            12,
            &["application = get_wsgi_application()"],
        ),
    ]
}

fn breadcrumbs() -> Vec<BreadcrumbView> {
    let crumb = |seconds: i64, category: &str, level: &str, message: &str| BreadcrumbView {
        at: Some(minutes_ago(4) - jiff::SignedDuration::from_secs(seconds)),
        category: category.to_owned(),
        level: level.to_owned(),
        message: message.to_owned(),
        data: Vec::new(),
    };
    let mut http = crumb(2, "http", "info", "");
    http.data = vec![
        entry("method", text("GET")),
        entry("url", text("https://coupons.internal/v1/BLACKFRIDAY")),
        entry("status_code", number("200")),
    ];
    vec![
        crumb(9, "auth", "info", "user 88213 logged in"),
        crumb(
            5,
            "query",
            "info",
            "SELECT id, code, amount FROM coupon WHERE code = %s",
        ),
        http,
        crumb(0, "shop.cart", "warning", "cart has no items"),
    ]
}

fn request() -> RequestView {
    RequestView {
        method: Some("POST".to_owned()),
        url: "https://shop.acme.example/checkout".to_owned(),
        query: vec![pair("coupon", "BLACKFRIDAY")],
        headers: vec![
            pair("Accept", "text/html"),
            pair("Authorization", "[Filtered]"),
            pair(
                "User-Agent",
                "Mozilla/5.0 (X11; Linux x86_64) Chrome/141.0 Safari/537.36",
            ),
        ],
        cookies: vec![pair("session", "[Filtered]")],
        body: Some(Tree::Map(vec![entry("coupon", text("BLACKFRIDAY"))])),
        env: vec![entry("SERVER_NAME", text("web-3"))],
    }
}

fn contexts() -> Vec<(String, Tree)> {
    vec![
        entry(
            "runtime",
            Tree::Map(vec![
                entry("name", text("CPython")),
                entry("version", text("3.13.9")),
                entry("build", Tree::Null),
            ]),
        ),
        entry(
            "trace",
            Tree::Map(vec![
                entry("trace_id", text("4c79f60c11214eb38604f4ae0781bfb2")),
                entry("span_id", text("fa90fdead5f74052")),
            ]),
        ),
    ]
}

fn grouping() -> GroupingView {
    GroupingView {
        version: "copal-1".to_owned(),
        hash: "8a1f0c2b3d4e5f60718293a4b5c6d7e8".to_owned(),
        deciding: "in-app frames of the exception's stack".to_owned(),
        reasons: vec![
            "exception type ZeroDivisionError".to_owned(),
            "frame shop.checkout apply_discount".to_owned(),
            "frame shop.views checkout".to_owned(),
        ],
        variants: vec![
            GroupingVariant {
                name: "app".to_owned(),
                hash: Some("8a1f0c2b3d4e5f60718293a4b5c6d7e8".to_owned()),
                is_deciding: true,
                note: "in-app frames of the exception's stack".to_owned(),
            },
            GroupingVariant {
                name: "message".to_owned(),
                hash: None,
                is_deciding: false,
                note: "not needed: there is a stack".to_owned(),
            },
        ],
    }
}
