//! The ids that requests are made of, by name: `{org}`, `{issue}` and so on.
//!
//! Most things have several names; a plain `{org}` is tried by each, `{org:slug}` by that one. A name
//! that begins with `other.` is of the other tenant, whatever the rest of the request is about.

use copal_model::{IssueId, ProjectId};
use copal_protocol::EventId;

use crate::actors::Actor;
use crate::canary::{Owner, Tenant, mark};
use crate::world::{InProject, Who, World, uuid};

/// Which of the many things of its kind an id is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// Of the first project of a tenant, where things go together.
    First(Tenant),
    /// Of the second project of a tenant.
    Second(Tenant),
    /// Of nothing that there is; it looks like one of the second project of a tenant.
    Missing(Tenant),
}

impl Source {
    pub(crate) const fn tenant(self) -> Tenant {
        match self {
            Self::First(tenant) | Self::Second(tenant) | Self::Missing(tenant) => tenant,
        }
    }
}

/// What stands in braces.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Part {
    /// The kind of thing.
    pub(crate) name: String,
    /// By which of its names; any where it is `None`.
    pub(crate) form: Option<String>,
    /// Whether it is always of the other tenant.
    pub(crate) is_other: bool,
}

impl Part {
    /// Reads what stands in braces.
    pub(crate) fn parse(text: &str) -> Self {
        let (is_other, text) = match text.strip_prefix("other.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (name, form) = text
            .split_once(':')
            .map_or((text, None), |(name, form)| (name, Some(form.to_owned())));
        Self {
            name: name.to_owned(),
            form,
            is_other,
        }
    }

    /// Whether it stands below something else than an organization: a key is of one project.
    pub(crate) fn is_child(&self) -> bool {
        ["key", "event"].contains(&&*self.name)
    }
}

/// The parts of a template, in their order.
pub(crate) fn parts_of(template: &str) -> Vec<Part> {
    let pieces = template.split('{').skip(1);
    let closed = pieces.filter_map(|piece| piece.split_once('}'));
    // JSON has braces too.
    let is_name = |name: &&str| {
        name.bytes()
            .all(|byte| byte.is_ascii_lowercase() || b".:_".contains(&byte))
            && !name.is_empty()
    };
    let names = closed.map(|(name, _)| name).filter(is_name);
    names.map(Part::parse).collect()
}

/// The names of things of a kind, first the one that people see.
pub(crate) fn forms(name: &str) -> &'static [&'static str] {
    match name {
        "org" => &["slug", "id", "old"],
        "project" => &["slug", "id"],
        "issue" => &["short", "id"],
        "event" | "key" | "token" | "resolved" | "person" | "member" | "session" | "org_token"
        | "member_token" => &["id"],
        "environment" | "checksum" | "name" => &["text"],
        _ => panic!(
            "the isolation suite does not know {{{name}}}: add it to parts::forms and parts::text, \
             and two things of that kind for each tenant to World::build"
        ),
    }
}

/// The text of a part.
pub(crate) fn text(
    part: &Part,
    form: &str,
    source: Source,
    actor: &Actor,
    world: &World,
) -> String {
    let form = part.form.as_deref().unwrap_or(form);
    let found = match source {
        Source::First(tenant) => found(part, form, (tenant, 0), actor, world),
        Source::Second(tenant) | Source::Missing(tenant) => {
            found(part, form, (tenant, 1), actor, world)
        }
    };
    match source {
        Source::Missing(tenant) => missing(part, form, &found, tenant),
        _ => found,
    }
}

fn found(
    part: &Part,
    form: &str,
    (tenant, number): (Tenant, usize),
    actor: &Actor,
    world: &World,
) -> String {
    let things = world.things(tenant);
    let project = &things.projects[number];
    // Not the one that is asked for by a name of its own.
    let issue = &project.issues[usize::from(part.is_other)];
    match (&*part.name, form) {
        ("org", "slug") => things.slug.clone(),
        ("org", "id") => things.id.to_string(),
        ("org", "old") => things.old_slug.clone(),
        ("project", form) => of_project(project, form),
        ("issue", "short") => issue.short.clone(),
        ("issue", "id") => issue.id.to_string(),
        ("resolved", "id") => project.issues[1].id.to_string(),
        ("event", "id") => issue.event.to_string(),
        ("key", "id") => project.keys[0].to_string(),
        ("member", "id") => world.person(Who::Target(tenant)).id.to_string(),
        ("environment", _) => format!("{}-environment", mark(Owner::Event(tenant))),
        ("org_token", "id") => things.org_tokens[number].id.to_string(),
        ("member_token", "id") => of_member(tenant, number, world),
        ("person" | "token" | "session", form) => {
            of_person(part, form, (tenant, number), actor, world)
        }
        ("checksum" | "name", _) => of_file(&part.name),
        (name, form) => panic!("{{{name}:{form}}} is not known to parts::text"),
    }
}

fn of_project(project: &InProject, form: &str) -> String {
    match form {
        "slug" => project.slug.clone(),
        "id" => project.id.to_string(),
        "name" => project.name.clone(),
        other => panic!("a project has no {other}"),
    }
}

/// Of the actor themselves where that is asked for and there is one, else of somebody of the tenant.
fn of_person(
    part: &Part,
    form: &str,
    (tenant, number): (Tenant, usize),
    actor: &Actor,
    world: &World,
) -> String {
    let of_tenant = |role| match tenant {
        Tenant::A => Who::A(role),
        Tenant::B => Who::B(role),
    };
    let person = match (number, actor.person) {
        (0, Some(own)) if tenant == actor.home() => &world.people[own],
        (0, _) => world.person(of_tenant(copal_model::Role::Owner)),
        _ => {
            let viewer = world.person(of_tenant(copal_model::Role::Viewer));
            let is_self = actor.person == Some(world.number_of(viewer));
            let other = of_tenant(copal_model::Role::Admin);
            if is_self { world.person(other) } else { viewer }
        }
    };
    match (&*part.name, form) {
        ("person", "id") => person.id.to_string(),
        ("person", "email") => person.email.clone(),
        ("token", "id") => person.spare_token.to_string(),
        ("session", "id") => person.spare_session.to_string(),
        (name, form) => panic!("a person has no {name} {form}"),
    }
}

/// A token of a member whom an ADMIN may tell what to do.
fn of_member(tenant: Tenant, number: usize, world: &World) -> String {
    let role = match number {
        0 => copal_model::Role::Viewer,
        _ => copal_model::Role::Admin,
    };
    let who = match tenant {
        Tenant::A => Who::A(role),
        Tenant::B => Who::B(role),
    };
    world.person(who).spare_token.to_string()
}

fn of_file(part: &str) -> String {
    let path = copal_ui::assets::path("app.css");
    let mut segments = path.split('/').skip(2);
    let checksum = segments.next().unwrap();
    match part {
        "checksum" => checksum.to_owned(),
        _ => segments.collect::<Vec<_>>().join("/"),
    }
}

/// A text of the same shape that names nothing.
fn missing(part: &Part, form: &str, found: &str, tenant: Tenant) -> String {
    let nothing = ProjectId::new(9).unwrap();
    match (&*part.name, form) {
        ("checksum" | "name", _) => found.to_owned(),
        ("project", "id") => nothing.to_string(),
        ("issue" | "resolved", "id") => IssueId::new(nothing, 1).to_string(),
        ("event", "id") => EventId::new(uuid("no event")).to_string(),
        // Next to it, so that it stands at the same place of every order.
        (_, "id") | ("environment", _) => neighbour(found),
        _ => {
            let mut text = found.to_owned();
            for owner in [Owner::Org(tenant), Owner::Event(tenant)] {
                let mark = mark(owner);
                text = text.replace(&mark, "zzzzzzz");
                text = text.replace(&mark.to_uppercase(), "ZZZZZZZ");
            }
            for number in 0..crate::world::PEOPLE {
                text = text.replace(&mark(Owner::Person(number)), "zzzzzzz");
            }
            assert_ne!(text, found, "{{{}:{form}}} has no missing twin", part.name);
            text
        }
    }
}

/// The same but for its last character.
fn neighbour(id: &str) -> String {
    let (rest, last) = id.split_at(id.len() - 1);
    let other = if last == "7" { "8" } else { "7" };
    format!("{rest}{other}")
}
