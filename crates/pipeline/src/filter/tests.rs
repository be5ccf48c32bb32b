use copal_protocol::parse_lenient;

use super::*;

fn event(text: &str) -> Event<'static> {
    let text: &'static str = Box::leak(text.to_owned().into_boxed_str());
    let scratch: &'static mut Vec<u8> = Box::leak(Box::default());
    Event::from_json(parse_lenient(text.as_bytes(), scratch).unwrap()).unwrap()
}

fn lines(text: &str) -> Vec<String> {
    copal_model::inbound::lines_of(text)
}

fn all() -> Filters {
    let (filters, problems) = Filters::of(&FilterSettings {
        browser_extensions: Switch::On,
        web_crawlers: Switch::On,
        legacy_browsers: Switch::On,
        localhost: Switch::On,
        releases: lines("1.*\n\n web@0.*"),
        error_messages: lines("*ResizeObserver*\nTimeoutError: *"),
        addresses: lines("10.0.0.0/8\n2001:db8::/32"),
    });
    assert_eq!(problems, []);
    filters
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let event = event(text);
    let filters = all();
    let caught = filters.check(&event, Some("203.0.113.9".parse().unwrap()));
    let told = caught.map(|caught| match caught.rule {
        Some(rule) => format!("{} {rule}", caught.filter),
        None => caught.filter.to_owned(),
    });
    assert_eq!(told.as_deref().unwrap_or("-"), expected, "{text}");
    assert_eq!(
        Filters::default().check(&event, None),
        None,
        "nothing is filtered unasked"
    );
}

fn agent(agent: &str) -> String {
    format!(r#"{{"request":{{"headers":{{"User-Agent":"{agent}"}}}}}}"#)
}

#[test]
fn lists() {
    check(r#"{"release":"1.2"}"#, "release-version 1.*");
    check(r#"{"release":"web@0.1"}"#, "release-version web@0.*");
    check(r#"{"release":"2.0"}"#, "-");
    check(
        r#"{"message":"a ResizeObserver loop"}"#,
        "error-message *ResizeObserver*",
    );
    check(
        r#"{"exception":{"type":"TimeoutError","value":"5 s"}}"#,
        "error-message TimeoutError: *",
    );
    check(
        r#"{"exception":{"type":"Error","value":"TimeoutError: x"}}"#,
        "error-message TimeoutError: *",
    );
    check(r#"{"exception":{"type":"TimeoutError"}}"#, "-");
    check(
        r#"{"user":{"ip_address":"10.1.2.3"}}"#,
        "ip-address 10.0.0.0/8",
    );
    check(
        r#"{"user":{"ip_address":"2001:db8::7"}}"#,
        "ip-address 2001:db8::/32",
    );
    check(r#"{"user":{"ip_address":"11.1.2.3"}}"#, "-");
}

#[test]
fn the_address_an_event_comes_from_counts_too() {
    let filters = all();
    let of = |address: &str| filters.check(&event("{}"), Some(address.parse().unwrap()));
    assert!(of("10.255.0.1").is_some() && of("::ffff:10.0.0.1").is_some());
    assert!(of("9.255.255.255").is_none() && of("2001:db9::").is_none());
}

#[test]
fn machines_of_developers() {
    for url in [
        "http://localhost:8000/",
        "https://127.0.0.1/a",
        "http://[::1]:3000/",
        "http://app.localhost/",
    ] {
        check(&format!(r#"{{"request":{{"url":"{url}"}}}}"#), "localhost");
    }
    check(r#"{"user":{"ip_address":"127.0.0.1"}}"#, "localhost");
    check(
        r#"{"request":{"url":"https://localhost.example.com/"}}"#,
        "-",
    );
    check(r#"{"request":{"url":"/localhost"}}"#, "-");
}

#[test]
fn extensions() {
    let raised = |path: &str| {
        format!(
            r#"{{"exception":{{"type":"E","value":"x","stacktrace":{{"frames":[
                {{"abs_path":"https://shop.example/a.js"}},{{"abs_path":"{path}"}}]}}}}}}"#
        )
    };
    check(
        &raised("chrome-extension://abc/content.js"),
        "browser-extensions",
    );
    check(&raised("https://shop.example/b.js"), "-");
    check(
        r#"{"exception":{"type":"Error","value":"Extension context invalidated."}}"#,
        "browser-extensions",
    );
}

#[test]
fn browsers_and_crawlers() {
    check(
        &agent("Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 5.1)"),
        "legacy-browsers",
    );
    check(
        &agent("Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/66.0"),
        "legacy-browsers",
    );
    check(
        &agent("Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/67.0"),
        "-",
    );
    check(
        &agent("Mozilla/5.0 (compatible; Googlebot/2.1)"),
        "web-crawlers",
    );
    check(&agent(""), "-");
}

#[test]
fn what_is_no_range_or_pattern_is_told() {
    for text in ["", "10.0.0.0/33", "::/129", "10.0.0/8", "x", "10.0.0.0/-1"] {
        assert!(AddressRange::parse(text).is_err(), "{text}");
    }
    assert!(
        AddressRange::parse("0.0.0.0/0")
            .unwrap()
            .contains("1.2.3.4".parse().unwrap())
    );
    assert!(
        AddressRange::parse("::/0")
            .unwrap()
            .contains("::1".parse().unwrap())
    );
    let (filters, problems) = Filters::of(&FilterSettings {
        releases: lines("fine\n[a"),
        addresses: lines("x"),
        ..FilterSettings::default()
    });
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(told[0].starts_with("line 2 of releases: "), "{told:?}");
    assert!(
        told[1].starts_with("line 1 of addresses: `x` is"),
        "{told:?}"
    );
    let caught = filters.check(&event(r#"{"release":"fine"}"#), None);
    assert!(caught.is_some(), "the others are used all the same");
}
