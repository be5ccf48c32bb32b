//! Requests, generated: a route × an actor × whose ids stand where.

use std::collections::BTreeMap;

use axum::http::Method;
use copal_server::routes::{self, RouteAccess};

use crate::actors::Actor;
use crate::canary::Tenant;
use crate::parts::{self, Part, Source, forms, parts_of};
use crate::recipes::{self, Effect, Recipe, Sent};
use crate::world::World;

/// A row of the route table.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) access: RouteAccess,
}

/// The route table.
pub(crate) fn rows() -> Vec<Row> {
    let rows = routes::table().into_iter().map(|route| Row {
        method: route.method,
        path: route.path,
        access: route.access,
    });
    rows.collect()
}

/// A request with names in braces.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Template {
    pub(crate) path: &'static str,
    pub(crate) query: &'static str,
    pub(crate) body: Sent,
    pub(crate) effect: Effect,
    pub(crate) reaches: &'static [&'static str],
}

/// A request whose names are filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Body,
    /// The ids that stand in it, for what is echoed.
    pub(crate) texts: Vec<String>,
}

/// A body, filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Body {
    Nothing,
    Form(Vec<(String, String)>),
    Json(String),
    Raw(String),
}

/// A request and what is to be seen.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) variant: String,
    pub(crate) draft: Draft,
    /// The same with ids of nothing where this one has foreign ones: it must be answered alike.
    pub(crate) twin: Option<Draft>,
    /// Whose ids stand in the path.
    pub(crate) in_path: Vec<(Part, Source)>,
    /// Whether ids beyond the path are not the actor's own.
    pub(crate) has_strange_body: bool,
    pub(crate) effect: Effect,
    /// Tables in which anybody may cause rows of others by it.
    pub(crate) reaches: &'static [&'static str],
}

impl Case {
    /// Whether anybody may cause rows of others in this table by it.
    pub(crate) fn may_reach(&self, table: &str) -> bool {
        self.reaches.contains(&table)
    }
}

/// The requests that a route is asked with.
pub(crate) fn templates(row: &Row) -> Vec<Template> {
    let recipe = recipes::of(&row.method, row.path);
    let Recipe {
        queries, bodies, ..
    } = recipe;
    let of = |query, body| Template {
        path: row.path,
        query,
        body,
        effect: recipe.effect,
        reaches: recipe.reaches,
    };
    let plain = bodies.iter().map(|body| of("", *body));
    let asked = queries.iter().map(|query| of(query, bodies[0]));
    plain.chain(asked).collect()
}

/// Whose id each part is, and by which of its names.
type Assignment = BTreeMap<Part, (&'static str, Source)>;

/// Makes the cases of a route for an actor.
pub(crate) struct Maker<'a> {
    pub(crate) world: &'a World,
    pub(crate) actor: &'a Actor,
    pub(crate) row: &'a Row,
}

impl Maker<'_> {
    /// All of them.
    pub(crate) fn cases(&self) -> Vec<Case> {
        let mut cases = Vec::new();
        for (number, template) in templates(self.row).iter().enumerate() {
            cases.extend(self.cases_of(template, number == 0));
        }
        cases
    }

    /// Of the first template all, of others only those that differ by what they add.
    fn cases_of(&self, template: &Template, is_first: bool) -> Vec<Case> {
        let (home, strange) = (self.actor.home(), self.actor.home().other());
        let in_path = parts_of(template.path);
        let all = all_parts(template);
        let ways = all.iter().map(|part| names_of(part).len()).max();
        let ways = if is_first { ways.unwrap_or(1) } else { 1 };
        let mut cases = Vec::new();
        for way in 0..ways {
            let own = assign(&all, way, home, Source::First(home));
            cases.push(self.case("own", template, &own, None));
            if is_first && !in_path.is_empty() {
                let foreign = assign(&all, way, home, Source::First(strange));
                let blind = missing_root(&foreign, &in_path, strange);
                cases.push(self.case("foreign", template, &foreign, Some(blind)));
            }
        }
        for part in all
            .iter()
            .filter(|part| is_first || !in_path.contains(part))
        {
            cases.extend(self.one_strange(template, &all, part));
        }
        cases
    }

    /// Everything is the actor's own but one id.
    fn one_strange(&self, template: &Template, all: &[Part], part: &Part) -> Vec<Case> {
        let (home, strange) = (self.actor.home(), self.actor.home().other());
        let mut cases = Vec::new();
        for (way, form) in names_of(part).iter().enumerate() {
            let own = assign(all, way, home, Source::First(home));
            let with = |source| {
                let mut changed = own.clone();
                changed.insert(part.clone(), (*form, source));
                changed
            };
            let (foreign, missing) = (Source::Second(strange), Source::Missing(strange));
            let what = format!("foreign {} by {form}", part.name);
            cases.push(self.case(&what, template, &with(foreign), Some(with(missing))));
            if part.is_child() && !part.is_other || ["token", "session"].contains(&&*part.name) {
                let (sibling, missing) = (Source::Second(home), Source::Missing(home));
                let what = format!("another's {} by {form}", part.name);
                cases.push(self.case(&what, template, &with(sibling), Some(with(missing))));
            }
        }
        cases
    }

    fn case(
        &self,
        variant: &str,
        template: &Template,
        assignment: &Assignment,
        twin: Option<Assignment>,
    ) -> Case {
        let home = Source::First(self.actor.home());
        let in_path = parts_of(template.path);
        let is_strange = |(part, (_, source)): (&Part, &(_, Source))| {
            !part.is_other && !in_path.contains(part) && *source != home
        };
        let source_of = |part: Part| {
            let source = assignment[&part].1;
            (part, source)
        };
        Case {
            variant: variant.to_owned(),
            draft: self.draft(template, assignment),
            twin: twin.map(|twin| self.draft(template, &twin)),
            has_strange_body: assignment.iter().any(is_strange),
            in_path: in_path.clone().into_iter().map(source_of).collect(),
            effect: template.effect,
            reaches: template.reaches,
        }
    }

    fn draft(&self, template: &Template, assignment: &Assignment) -> Draft {
        let mut texts = Vec::new();
        let mut fill = |template: &str| self.fill(template, assignment, &mut texts);
        let path = fill(template.path);
        let target = match template.query {
            "" => path,
            query => format!("{path}?{}", fill(query)),
        };
        let body = match template.body {
            Sent::Nothing => Body::Nothing,
            Sent::Json(json) => Body::Json(fill(json)),
            Sent::Raw(text) => Body::Raw(text.to_owned()),
            Sent::Form(fields) => {
                let field = |(name, value): &(&str, &str)| ((*name).to_owned(), fill(value));
                Body::Form(fields.iter().map(field).collect())
            }
        };
        Draft {
            method: self.row.method.clone(),
            target,
            headers: Vec::new(),
            body,
            texts,
        }
    }

    fn fill(&self, template: &str, assignment: &Assignment, texts: &mut Vec<String>) -> String {
        let mut filled = template.to_owned();
        for part in parts_of(template) {
            let (form, source) = assignment[&part];
            let text = parts::text(&part, form, source, self.actor, self.world);
            filled = filled.replace(&written(&part), &text);
            texts.push(text);
        }
        filled
    }
}

fn written(part: &Part) -> String {
    let other = if part.is_other { "other." } else { "" };
    match &part.form {
        Some(form) => format!("{{{other}{}:{form}}}", part.name),
        None => format!("{{{other}{}}}", part.name),
    }
}

fn all_parts(template: &Template) -> Vec<Part> {
    let mut all = parts_of(template.path);
    all.extend(parts_of(template.query));
    match template.body {
        Sent::Nothing | Sent::Raw(_) => {}
        Sent::Json(json) => all.extend(parts_of(json)),
        Sent::Form(fields) => all.extend(fields.iter().flat_map(|(_, value)| parts_of(value))),
    }
    let mut once: Vec<Part> = Vec::new();
    for part in all {
        if !once.contains(&part) {
            once.push(part);
        }
    }
    once
}

/// The names by which a part is tried.
fn names_of(part: &Part) -> &'static [&'static str] {
    match part.form {
        Some(_) => &["this"],
        None => forms(&part.name),
    }
}

/// Gives every part the same source; those of the other tenant are always of its second project.
fn assign(all: &[Part], way: usize, home: Tenant, source: Source) -> Assignment {
    let assign = |part: &Part| {
        let names = names_of(part);
        let name = names[way.min(names.len() - 1)];
        let source = if part.is_other {
            Source::Second(home.other())
        } else {
            source
        };
        (part.clone(), (name, source))
    };
    all.iter().map(assign).collect()
}

/// The same where the organization does not exist; where there is none, nothing that is named does.
fn missing_root(foreign: &Assignment, in_path: &[Part], strange: Tenant) -> Assignment {
    let root = in_path.iter().find(|part| part.name == "org");
    let is_root = |part: &Part| root.is_none_or(|root| root == part);
    let blind = foreign.iter().map(|(part, (name, source))| {
        let source = if is_root(part) && !part.is_other {
            Source::Missing(strange)
        } else {
            *source
        };
        (part.clone(), (*name, source))
    });
    blind.collect()
}
