//! The endpoints: who is it, what is it, keep it, answer.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use copal_model::{Outcome, ProjectId};
use copal_pipeline::received::{BodyKind, Received};
use copal_protocol::{
    AuthError, ContentEncoding, Credentials, Decoder, Dsn, EnvelopeHeader, EventId, Framed, Framer,
    ItemType, Sources,
};
use copal_store::access::KeyAccess;
use http::HeaderMap;
use http::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::request::Parts;

use super::intake::{Intake, Kept};
use super::rejection::Rejection;
use super::{Arrival, Ingest, answer, gate, payload};
use crate::middleware::client_ip::ClientIp;

/// The content type of envelopes, which some clients send to the store endpoint.
const ENVELOPE_TYPE: &str = "application/x-sentry-envelope";

/// Takes an envelope.
pub(super) async fn envelope(State(ingest): State<Arc<Ingest>>, request: Request) -> Response {
    match take_envelope(&ingest, request).await {
        Ok(taken) => answer::accepted(taken.id, &taken.item_types),
        Err(rejection) => rejection.into_response(),
    }
}

/// Takes one event.
pub(super) async fn store(State(ingest): State<Arc<Ingest>>, request: Request) -> Response {
    let content_type = header(request.headers(), "content-type");
    let taken = if content_type.starts_with(ENVELOPE_TYPE) {
        take_envelope(&ingest, request).await
    } else {
        take_event(&ingest, request).await.map(|id| Taken {
            id: Some(id),
            item_types: Vec::new(),
        })
    };
    match taken {
        Ok(taken) => answer::accepted(taken.id, &taken.item_types),
        Err(rejection) => rejection.into_response(),
    }
}

/// Takes one event out of the query, `sentry_data=`.
pub(super) async fn store_in_query(
    State(ingest): State<Arc<Ingest>>,
    request: Request,
) -> Response {
    let (mut parts, _) = request.into_parts();
    let query = parts.uri.query().unwrap_or_default();
    let data = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "sentry_data");
    let Some((_, data)) = data else {
        return Rejection::Event("the query has no sentry_data".to_owned()).into_response();
    };
    let body = axum::body::Body::from(data.into_owned());
    parts.headers.remove(CONTENT_TYPE);
    match take_event(&ingest, Request::from_parts(parts, body)).await {
        Ok(_) => answer::pixel(),
        Err(rejection) => rejection.into_response(),
    }
}

/// What has been made durable.
struct Taken {
    /// The id of the event, if there is one.
    id: Option<EventId>,
    /// What there was in the envelope.
    item_types: Vec<ItemType<'static>>,
}

async fn take_envelope(ingest: &Arc<Ingest>, request: Request) -> Result<Taken, Rejection> {
    let (parts, body) = request.into_parts();
    let asked = project_in_path(&parts)?;
    let found = find_credentials(&parts)?;
    let admitted = match &found {
        Some(credentials) => Some(admit(ingest, credentials, asked, &parts.headers).await?),
        None => None,
    };
    let limit = ingest.config.envelope_bytes_max;
    let mut intake = Intake::begin(&parts.headers, body, limit, &ingest.config, &ingest.budget)?;
    let mut framer = Framer::new(Framed::default());
    let (credentials, access) = if let (Some(credentials), Some(access)) = (found, admitted) {
        (credentials, access)
    } else {
        read_header(&mut intake, &mut framer).await?;
        admit_by_envelope(ingest, framer.header_line(), asked, &parts.headers).await?
    };
    // A body that is too large is told as that, whatever is in it: so it is read to its end.
    let mut framing = Ok(());
    let frame = |piece: &[u8]| {
        if framing.is_ok() {
            framing = framer.feed(piece);
        }
        Ok(())
    };
    intake.read(frame).await?;
    framing?;
    let envelope = framer.finish()?;
    let project = access.scope.project();
    check_dsn(&envelope, &credentials, project)?;
    let over_quota = match require_room(ingest, &envelope, &access) {
        Err(rejection) if envelope.item_types.contains(&ItemType::ClientReport) => Some(rejection),
        room => room.map(|()| None)?,
    };
    if over_quota.is_none() && envelope.item_types.contains(&ItemType::Event) {
        ingest.take_turn(&credentials.public_key, &access)?;
    }
    let fallback = ingest.fresh_event_id();
    let id = event_id(&envelope, fallback);
    let record = Record {
        arrival: arrival(ingest, &parts),
        project,
        sdk: credentials.client,
        fallback,
        kind: BodyKind::Envelope,
    };
    keep(ingest, record, intake.for_journal().await).await?;
    let item_types = envelope.item_types;
    over_quota.map_or(Ok(Taken { id, item_types }), Err)
}

/// Refuses an envelope with an event that there is no room for.
///
/// One that also reports what its SDK has thrown away is kept all the same, because reports are
/// never limited: the store finds no room for the event, and counts it.
fn require_room(ingest: &Ingest, envelope: &Framed, access: &KeyAccess) -> Result<(), Rejection> {
    if !envelope.item_types.contains(&ItemType::Event) {
        return Ok(());
    }
    let room = ingest.require_room(&access.scope);
    if room.is_err() && !envelope.item_types.contains(&ItemType::ClientReport) {
        ingest.note_refused(&access.scope, Outcome::QUOTA);
    }
    room
}

/// Reads until the first line is there. Without credentials, one that is none is a lack of them.
async fn read_header(intake: &mut Intake, framer: &mut Framer) -> Result<(), Rejection> {
    let unreadable = |_| AuthError::Unreadable {
        place: "the envelope header",
        problem: "it is not a JSON object on one line",
    };
    while framer.header_line().is_none() {
        let mut feed = |piece: &[u8]| Ok(framer.feed(piece).map_err(unreadable)?);
        if !intake.step(&mut feed).await? {
            // The only line may end without a newline.
            framer.feed(b"\n").map_err(unreadable)?;
            break;
        }
    }
    Ok(())
}

async fn take_event(ingest: &Arc<Ingest>, request: Request) -> Result<EventId, Rejection> {
    let (parts, body) = request.into_parts();
    let asked = project_in_path(&parts)?;
    let credentials = find_credentials(&parts)?.ok_or(AuthError::Missing)?;
    let access = admit(ingest, &credentials, asked, &parts.headers).await?;
    let limit = ingest.config.event_bytes_max;
    let mut intake = Intake::begin(&parts.headers, body, limit, &ingest.config, &ingest.budget)?;
    let mut event = Vec::new();
    let append = |piece: &[u8]| {
        event.extend_from_slice(piece);
        Ok(())
    };
    intake.read(append).await?;
    if event.trim_ascii().is_empty() {
        return Err(Rejection::Event("empty request body".to_owned()));
    }
    let legacy = decode_legacy(&event, limit)?;
    let fallback = ingest.fresh_event_id();
    let id = payload::event_id(legacy.as_deref().unwrap_or(&event))?.unwrap_or(fallback);
    if let Err(rejection) = ingest.require_room(&access.scope) {
        ingest.note_refused(&access.scope, Outcome::QUOTA);
        return Err(rejection);
    }
    ingest.take_turn(&credentials.public_key, &access)?;
    let kept = match legacy {
        Some(decoded) => intake.for_journal_instead(decoded).await,
        None => intake.for_journal().await,
    };
    let record = Record {
        arrival: arrival(ingest, &parts),
        project: access.scope.project(),
        sdk: credentials.client,
        fallback,
        kind: BodyKind::Event,
    };
    keep(ingest, record, kept).await?;
    Ok(id)
}

/// A record but for its body.
struct Record {
    arrival: Arrival,
    project: ProjectId,
    sdk: String,
    fallback: EventId,
    kind: BodyKind,
}

/// Makes a record durable. In a task of its own: a client that hangs up after its last byte has
/// still sent an event.
async fn keep(
    ingest: &Arc<Ingest>,
    record: Record,
    kept: std::io::Result<Kept>,
) -> Result<(), Rejection> {
    let kept = kept.map_err(|error| {
        tracing::error!(%error, "cannot compress a body");
        Rejection::Unavailable
    })?;
    let ingest = Arc::clone(ingest);
    let appending = tokio::spawn(async move {
        let received = Received {
            project: record.project,
            received_at: record.arrival.received_at,
            fallback_event_id: record.fallback,
            client_ip: record.arrival.client_ip,
            user_agent: &record.arrival.user_agent,
            sdk: &record.sdk,
            kind: record.kind,
            encoding: kept.encoding,
            decoded_bytes: kept.decoded_bytes,
            body: &kept.body,
        };
        ingest.append(&received).await
    });
    appending.await.unwrap_or(Err(Rejection::Unavailable))
}

fn arrival(ingest: &Ingest, parts: &Parts) -> Arrival {
    Arrival {
        received_at: ingest.clock.now(),
        client_ip: parts.extensions.get::<ClientIp>().map(|client| client.0),
        user_agent: header(&parts.headers, USER_AGENT.as_str()).to_owned(),
    }
}

/// The project in the path; `None` for the paths that name none.
fn project_in_path(parts: &Parts) -> Result<Option<u64>, Rejection> {
    let below = parts.uri.path().strip_prefix("/api/").unwrap_or_default();
    match below.split('/').next() {
        None | Some("" | "store") => Ok(None),
        Some(id) if id.bytes().all(|byte| byte.is_ascii_digit()) => {
            // Too large to be a project is unknown, not malformed.
            Ok(Some(id.parse().unwrap_or(u64::MAX)))
        }
        Some(_) => Err(Rejection::BadProject),
    }
}

fn find_credentials(parts: &Parts) -> Result<Option<Credentials>, Rejection> {
    let text = |name: &str| parts.headers.get(name)?.to_str().ok();
    let sources = Sources {
        sentry_auth: text("x-sentry-auth"),
        authorization: text(AUTHORIZATION.as_str()),
        query: parts.uri.query(),
    };
    Ok(Credentials::find(sources)?)
}

/// Lets a key in to its own project.
async fn admit(
    ingest: &Ingest,
    credentials: &Credentials,
    asked: Option<u64>,
    headers: &HeaderMap,
) -> Result<KeyAccess, Rejection> {
    let access = ingest.keys.open(&credentials.public_key).await?;
    let project = access.scope.project();
    if asked.is_some_and(|asked| asked != u64::from(project.get())) {
        return Err(Rejection::Refused);
    }
    gate::require_origin(&access.origins, headers)?;
    Ok(access)
}

/// Lets an envelope in by the DSN in its own header, as tunnels send them.
async fn admit_by_envelope(
    ingest: &Ingest,
    header_line: Option<&[u8]>,
    asked: Option<u64>,
    headers: &HeaderMap,
) -> Result<(Credentials, KeyAccess), Rejection> {
    let header = EnvelopeHeader::parse(header_line.ok_or(AuthError::Missing)?)?;
    let (credentials, dsn) = Credentials::from_envelope(&header)?;
    if asked.is_some_and(|asked| asked != dsn.project_id) {
        return Err(Rejection::DsnMismatch);
    }
    let access = admit(ingest, &credentials, Some(dsn.project_id), headers).await?;
    Ok((credentials, access))
}

/// The DSN of an envelope, if it has one, must be the one that the request was let in by.
fn check_dsn(
    envelope: &Framed,
    credentials: &Credentials,
    project: ProjectId,
) -> Result<(), Rejection> {
    let Some(dsn) = EnvelopeHeader::parse(&envelope.header_line)?.dsn else {
        return Ok(());
    };
    let dsn: Dsn = dsn.parse().map_err(|_| Rejection::DsnMismatch)?;
    let is_same =
        dsn.public_key == credentials.public_key && dsn.project_id == u64::from(project.get());
    is_same.then_some(()).ok_or(Rejection::DsnMismatch)
}

/// The id to answer: the envelope's, else that of its event, as the pipeline chooses it too.
fn event_id(envelope: &Framed, fallback: EventId) -> Option<EventId> {
    let has_event = envelope.item_types.contains(&ItemType::Event);
    let own = |event: &Vec<u8>| payload::event_id(event).ok().flatten();
    let of_event = || envelope.event.as_ref().and_then(own).unwrap_or(fallback);
    envelope.event_id.or_else(|| has_event.then(of_event))
}

/// What old clients send to the store endpoint: base64, and zlib within it.
fn decode_legacy(event: &[u8], bytes_max: usize) -> Result<Option<Vec<u8>>, Rejection> {
    let event = event.trim_ascii();
    if event.starts_with(b"{") {
        return Ok(None);
    }
    // What is neither JSON nor base64 is told as bad JSON.
    let Ok(decoded) = STANDARD.decode(event) else {
        return Ok(None);
    };
    if decoded.starts_with(b"{") {
        return Ok(Some(decoded));
    }
    let mut zlib = Decoder::new(ContentEncoding::Deflate, bytes_max);
    let mut inflated = Vec::new();
    zlib.feed(&decoded, &mut inflated)?;
    zlib.finish()?;
    Ok(Some(inflated))
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let value = headers.get(name);
    value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}
