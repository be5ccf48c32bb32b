//! What the suite must reach, read off route table, OpenAPI document and schema: something new that
//! it does not reach fails here, with a sentence that says what to add.

use std::collections::BTreeSet;

use copal_server::routes;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::ParameterIn;

use crate::canary::Tenant;
use crate::cases::{rows, templates};
use crate::database::{Column, Dump};
use crate::recipes;
use crate::run::{Plan, Tally};

/// Columns of text that hold no canary, each with its reason.
const UNMARKED: &[(&str, &str)] = &[
    (
        "users.password_hash",
        "one hash for all, searched for by how it begins",
    ),
    ("organizations.plan", "an enumeration"),
    ("members.role", "an enumeration"),
    ("tokens.prefix", "the beginning of a secret"),
    ("tokens.scopes", "an enumeration"),
    ("org_tokens.prefix", "the beginning of a secret"),
    ("org_tokens.scopes", "an enumeration"),
    ("client_keys.public_key", "an id, looked up whole"),
    (
        "project_inbound.filtered_addresses",
        "addresses hold no mark",
    ),
    ("issues.level", "an enumeration"),
    ("issues.platform", "an enumeration"),
    ("issues.status", "an enumeration"),
    (
        "issues.error_type",
        "the same in both tenants, as what decides the hash",
    ),
    ("issue_tag_keys.key", "searched for as issue_tags.key"),
    ("issue_terms.key", "names of ours"),
    ("groupings.version", "of ours"),
    ("received.category", "an enumeration"),
    ("outcomes.category", "an enumeration"),
    ("outcomes.outcome", "an enumeration"),
    ("outcomes.reason", "words of ours"),
    ("quarantine.error", "nothing is quarantined here"),
    ("outbox.kind", "an enumeration"),
    ("audit.actor_name", "no route reads it yet"),
    ("audit.target", "no route reads it yet"),
    (
        "audit.credential",
        "names a session or token without its secret",
    ),
    ("audit.ip", "requests here come from nowhere"),
    ("audit.request_id", "of ours"),
    ("audit.action", "an enumeration"),
    ("audit.result", "an enumeration"),
    ("audit.before", "no route reads it yet"),
    ("projects.allowed_origins", "all may send here"),
    ("audit.after", "no route reads it yet"),
    ("mails.kind", "an enumeration"),
    ("mails.state", "an enumeration"),
    ("mails.last_error", "no mail server is asked here"),
    ("invitations.role", "an enumeration"),
    ("invitations.status", "an enumeration"),
    ("mails.recipient", "no route writes a mail yet"),
    ("mails.subject", "no route writes a mail yet"),
    ("mails.text", "no route writes a mail yet"),
    ("mails.html", "no route writes a mail yet"),
    ("invitations.email", "no route invites yet"),
    ("invitation_blocks.email", "no route invites yet"),
    ("meta.key", "of the store"),
    ("queues.name", "names of ours; PostgreSQL has it"),
    ("meta.value", "of the store"),
];

/// Tables of tenants and people that no request changes, each with its reason.
const UNTOUCHED: &[(&str, &str)] = &[
    ("second_factors", "no route makes one yet"),
    ("recovery_codes", "no route makes one yet"),
    ("log_in_steps", "no route makes one yet"),
    ("quarantine", "only damage gets there"),
    ("usage", "counted where events are recorded"),
    (
        "outcomes",
        "counted where events are recorded, purged by a job",
    ),
    (
        "received",
        "counted where events are recorded, purged by a job",
    ),
    (
        "project_hours",
        "counted where events are recorded, purged by a job",
    ),
    (
        "project_environments",
        "noted where events are recorded, purged by a job",
    ),
    ("mails", "no route writes a mail yet"),
    ("invitations", "no route invites yet"),
];

/// Columns that say whose a row is.
const HOLDERS: [&str; 4] = ["org_id", "project_id", "issue_id", "user_id"];

/// The name without the number that partitions have.
fn kind_of(table: &str) -> &str {
    if table.starts_with("events_p") {
        "events_p*"
    } else {
        table
    }
}

/// What is not reached, in sentences.
pub(crate) fn gaps(tally: &Tally, plan: &Plan, (columns, dump): (&[Column], &Dump)) -> Vec<String> {
    let mut gaps = routes_without_question(tally);
    gaps.extend(gaps_of_world(columns, dump));
    gaps.extend(tables_nobody_changed(tally, columns));
    let actors = plan.actors.len();
    if tally.actors.len() != actors {
        gaps.push(format!(
            "only {} of {actors} actors asked",
            tally.actors.len()
        ));
    }
    gaps
}

/// What needs no route to be asked.
pub(crate) fn gaps_of_world(columns: &[Column], dump: &Dump) -> Vec<String> {
    let mut gaps = recipes_without_route();
    gaps.extend(parameters_without_query());
    gaps.extend(columns_without_canary(columns, dump));
    gaps
}

fn routes_without_question(tally: &Tally) -> Vec<String> {
    let rows = rows().into_iter();
    let names = rows.map(|row| format!("{} {}", row.method, row.path));
    let silent = names.filter(|name| !tally.routes.contains(name));
    silent.map(|name| format!("nobody asked {name}")).collect()
}

fn recipes_without_route() -> Vec<String> {
    let rows = rows();
    let recipes = recipes::all().into_iter();
    let lost = recipes.filter(|recipe| {
        let is_row =
            |row: &crate::cases::Row| row.method == recipe.method && row.path == recipe.path;
        !rows.iter().any(is_row)
    });
    lost.map(|recipe| {
        let (method, path) = (recipe.method, recipe.path);
        format!("{method} {path} is in recipes.rs and no route any more: remove it there")
    })
    .collect()
}

/// Parameters that the OpenAPI document names and no recipe asks with.
fn parameters_without_query() -> Vec<String> {
    let mut gaps = Vec::new();
    for route in routes::table() {
        let Some(operation) = route.operation else {
            continue;
        };
        let row = crate::cases::Row {
            method: route.method,
            path: route.path,
            access: route.access,
        };
        let queries: Vec<_> = templates(&row)
            .iter()
            .map(|template| template.query)
            .collect();
        for parameter in operation().parameters.unwrap_or_default() {
            let RefOr::T(parameter) = parameter else {
                continue;
            };
            let named = format!("{}=", parameter.name);
            let is_asked = queries
                .iter()
                .any(|query| query.split('&').any(|pair| pair.starts_with(&named)));
            if parameter.parameter_in == ParameterIn::Query && !is_asked {
                gaps.push(format!(
                    "{} {} knows the parameter {}: add a query with it to its recipe in recipes.rs",
                    row.method, row.path, parameter.name
                ));
            }
        }
    }
    gaps
}

fn columns_without_canary(columns: &[Column], dump: &Dump) -> Vec<String> {
    let mut gaps = Vec::new();
    for Column {
        table,
        name: column,
        ..
    } in columns.iter().filter(|column| column.is_text)
    {
        let name = format!("{}.{column}", kind_of(table));
        if UNMARKED.iter().any(|(unmarked, _)| *unmarked == name) {
            continue;
        }
        let rows = dump[table].iter();
        let values: Vec<_> = rows.filter_map(|row| row[column].as_ref()).collect();
        let has = |mark: &str| {
            values
                .iter()
                .any(|value| value.to_lowercase().contains(mark))
        };
        let has_tenants = Tenant::BOTH.iter().all(|tenant| match tenant {
            Tenant::A => has("cnryoaa") || has("cnryeaa") || has("cnrykaa") || has("cnrytaa"),
            Tenant::B => has("cnryobb") || has("cnryebb") || has("cnrykbb") || has("cnrytbb"),
        });
        let has_people = has("cnryp01") || has("cnrys01");
        if !has_tenants && !has_people {
            gaps.push(format!(
                "{name} holds no canary: give it one in world.rs, or say in gates::UNMARKED why not"
            ));
        }
    }
    gaps
}

fn tables_nobody_changed(tally: &Tally, columns: &[Column]) -> Vec<String> {
    let touched: BTreeSet<_> = tally.touched.iter().map(|table| kind_of(table)).collect();
    let held = columns
        .iter()
        .filter(|column| HOLDERS.contains(&&*column.name));
    let held: BTreeSet<_> = held.map(|column| kind_of(&column.table)).collect();
    let is_excused = |name: &&&str| UNTOUCHED.iter().any(|(excused, _)| excused == *name);
    held.difference(&touched)
        .filter(|name| !is_excused(name))
        .map(|name| {
            format!(
                "no request of who may changes {name}: then none of others is seen not to; add a \
                 recipe, or say in gates::UNTOUCHED why not"
            )
        })
        .collect()
}
