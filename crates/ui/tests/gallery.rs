//! Every page from its sample: as it looked last, and whatever it holds, safe and small.

use copal_ui::Template as _;
use copal_ui::assets;
use copal_ui::pages::event::EventView;
use copal_ui::pages::issue::{List, Show};
use copal_ui::tree::Tree;

mod samples;

/// Bytes of HTML, CSS and JavaScript of a page before compression. The design allows 60 KB
/// compressed; text as ours shrinks to less than a third.
const PAGE_BYTES_MAX: usize = 120_000;

const HOSTILE: [&str; 6] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "</textarea></title><svg/onload=alert(1)>",
    "\u{202e}gnp.exe{{7*7}}",
];

#[test]
fn pages_look_as_before() {
    for (name, html) in samples::all() {
        let html = html.replace(assets::checksum(), "CHECKSUM");
        insta::assert_snapshot!(name, html);
    }
}

#[test]
fn pages_need_no_inline_script_or_style() {
    for (name, html) in samples::all() {
        assert!(!html.contains(" style="), "{name} has an inline style");
        assert!(!html.contains("<style"), "{name} has an inline style");
        assert_eq!(html.matches("<script").count(), 1, "{name}");
        for part in html
            .split('<')
            .filter(|part| part.starts_with(char::is_alphabetic))
        {
            let tag = part.split('>').next().unwrap();
            assert!(
                !tag.contains(" onclick=") && !tag.contains(" onload="),
                "{name}: {tag}"
            );
        }
    }
}

#[test]
fn pages_have_one_heading_one_main_and_labels() {
    for (name, html) in samples::all() {
        assert_eq!(html.matches("<h1").count(), 1, "{name}");
        assert_eq!(html.matches("<main id=\"main\"").count(), 1, "{name}");
        for field in html.split("<input id=\"").skip(1) {
            let id = field.split('"').next().unwrap();
            assert!(
                html.contains(&format!("for=\"{id}\"")),
                "{name}: {id} has no label"
            );
        }
    }
}

#[test]
fn forms_that_post_carry_the_token() {
    for (name, html) in samples::all() {
        for form in html.split("<form method=\"post\"").skip(1) {
            let form = form.split("</form>").next().unwrap();
            assert!(form.contains("name=\"csrf\""), "{name}: {form}");
        }
    }
}

#[test]
fn pages_stay_small() {
    let shared: usize = assets::ASSETS.iter().map(|asset| asset.bytes.len()).sum();
    for (name, html) in samples::all() {
        let bytes = html.len() + shared;
        assert!(bytes < PAGE_BYTES_MAX, "{name} has {bytes} bytes");
    }
}

#[test]
fn hostile_text_makes_no_elements() {
    let plain = elements(&hostile_show("plain text"));
    for text in HOSTILE {
        assert_eq!(elements(&hostile_show(text)), plain, "{text}");
    }
    let plain = elements(&hostile_list("plain text"));
    for text in HOSTILE {
        assert_eq!(elements(&hostile_list(text)), plain, "{text}");
    }
}

/// The tags of a page with the names of their attributes, in order; values are left out.
fn elements(html: &str) -> Vec<String> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let mut tag = String::new();
        let mut quoted = false;
        let end = rest.find(|c| {
            quoted ^= c == '"';
            if !quoted && c != '"' {
                tag.push(c);
            }
            c == '>' && !quoted
        });
        rest = &rest[end.expect("each tag ends")..];
        tags.push(tag);
    }
    tags
}

fn hostile_list(text: &str) -> String {
    let mut list = List::sample();
    for row in &mut list.rows {
        text.clone_into(&mut row.issue.title);
        row.issue.error_type = Some(text.to_owned());
        text.clone_into(&mut row.issue.culprit);
        text.clone_into(&mut row.project_name);
    }
    text.clone_into(&mut list.filter.query);
    text.clone_into(&mut list.environments[0]);
    text.clone_into(&mut list.projects[0].name);
    list.render().expect("the list renders")
}

fn hostile_show(text: &str) -> String {
    let mut show = Show::sample();
    show.issue.error_type = Some(text.to_owned());
    text.clone_into(&mut show.issue.title);
    text.clone_into(&mut show.issue.culprit);
    text.clone_into(&mut show.permalink);
    show.issue.last_release = Some(text.to_owned());
    for tag in &mut show.tags {
        text.clone_into(&mut tag.key);
        text.clone_into(&mut tag.values[0].0);
    }
    poison(show.event.as_mut().expect("the sample has an event"), text);
    show.render().expect("the issue renders")
}

/// Puts `text` everywhere that an event can bring text.
fn poison(event: &mut EventView, text: &str) {
    let tree = || Tree::Map(vec![(text.to_owned(), Tree::Text(text.to_owned()))]);
    event.message = Some(text.to_owned());
    event.sdk = Some(text.to_owned());
    event.release = Some(text.to_owned());
    event.environment = Some(text.to_owned());
    for exception in &mut event.exceptions {
        text.clone_into(&mut exception.kind);
        text.clone_into(&mut exception.value);
        exception.mechanism = Some(text.to_owned());
        for frame in &mut exception.frames {
            text.clone_into(&mut frame.function);
            frame.module = Some(text.to_owned());
            frame.filename = Some(text.to_owned());
            frame.vars = vec![(text.to_owned(), tree())];
            for line in &mut frame.source {
                text.clone_into(&mut line.text);
            }
        }
    }
    for crumb in &mut event.breadcrumbs {
        text.clone_into(&mut crumb.category);
        text.clone_into(&mut crumb.level);
        text.clone_into(&mut crumb.message);
        crumb.data = vec![(text.to_owned(), tree())];
    }
    let pairs = || vec![(text.to_owned(), text.to_owned())];
    let request = event.request.as_mut().expect("the sample has a request");
    request.method = Some(text.to_owned());
    text.clone_into(&mut request.url);
    request.query = pairs();
    request.headers = pairs();
    request.cookies = pairs();
    request.body = Some(tree());
    event.user = vec![(text.to_owned(), tree())];
    event.contexts = vec![(text.to_owned(), tree())];
    event.extra = vec![(text.to_owned(), tree())];
    event.tags = pairs();
    event.modules = pairs();
    event.problems = vec![text.to_owned()];
    text.clone_into(&mut event.grouping.deciding);
    event.grouping.reasons = vec![text.to_owned()];
}
