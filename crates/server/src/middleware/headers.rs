//! Headers that keep browsers safe (ASVS 3.4) and let SDKs in browsers read our answers.

use axum::body::Body;
use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, CACHE_CONTROL,
    CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderName, HeaderValue, Response};

use super::audience::Audience;

/// No inline script or style anywhere: pages need neither, and injected ones must not run.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; \
    frame-ancestors 'none'; base-uri 'none'";
/// Nothing of a page needs a device.
const PERMISSIONS: &str = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";
/// One year (ASVS 3.4.1); only told where the base URL is https.
const HSTS: &str = "max-age=31536000";
/// Without it a browser's SDK cannot see that it is being limited (SDK spec, rate limiting).
const EXPOSED: &str = "x-sentry-error, x-sentry-rate-limits, retry-after";

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");
const CROSS_ORIGIN_OPENER_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-opener-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// The headers, made once.
pub(super) struct Headers {
    is_https: bool,
}

impl Headers {
    pub(super) fn new(base_url: &str) -> Self {
        Self {
            is_https: base_url.starts_with("https://"),
        }
    }

    /// Puts the headers that an answer lacks; a handler that sets one has its reason.
    pub(super) fn put(&self, answer: &mut Response<Body>, audience: Audience) {
        let mut put = |name: HeaderName, value: &'static str| {
            answer
                .headers_mut()
                .entry(name)
                .or_insert(HeaderValue::from_static(value));
        };
        put(X_CONTENT_TYPE_OPTIONS, "nosniff");
        if self.is_https {
            put(STRICT_TRANSPORT_SECURITY, HSTS);
        }
        if audience == Audience::Sdk {
            put(ACCESS_CONTROL_ALLOW_ORIGIN, "*");
            put(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
            put(CROSS_ORIGIN_RESOURCE_POLICY, "cross-origin");
            return;
        }
        put(CONTENT_SECURITY_POLICY, CSP);
        put(X_FRAME_OPTIONS, "DENY");
        // Within Copal the path may be told, to others nothing: it can hold an invitation's token.
        put(REFERRER_POLICY, "same-origin");
        put(CROSS_ORIGIN_OPENER_POLICY, "same-origin");
        put(CROSS_ORIGIN_RESOURCE_POLICY, "same-origin");
        put(PERMISSIONS_POLICY, PERMISSIONS);
        put(CACHE_CONTROL, "no-store");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(base_url: &str, audience: Audience) -> String {
        let mut answer = Response::new(Body::empty());
        Headers::new(base_url).put(&mut answer, audience);
        let mut lines: Vec<_> = answer
            .headers()
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        lines.sort_unstable();
        lines.join("\n")
    }

    #[test]
    fn sdks_in_browsers_can_read_the_answer() {
        insta::assert_snapshot!(headers("http://localhost", Audience::Sdk), @r"
        access-control-allow-origin: *
        access-control-expose-headers: x-sentry-error, x-sentry-rate-limits, retry-after
        cross-origin-resource-policy: cross-origin
        x-content-type-options: nosniff
        ");
    }

    #[test]
    fn pages_are_locked_down() {
        insta::assert_snapshot!(headers("https://localhost", Audience::Page), @r"
        cache-control: no-store
        content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'
        cross-origin-opener-policy: same-origin
        cross-origin-resource-policy: same-origin
        permissions-policy: camera=(), geolocation=(), microphone=(), payment=(), usb=()
        referrer-policy: same-origin
        strict-transport-security: max-age=31536000
        x-content-type-options: nosniff
        x-frame-options: DENY
        ");
    }

    #[test]
    fn what_a_handler_sets_stays() {
        let mut answer = Response::new(Body::empty());
        let kept = HeaderValue::from_static("public, max-age=60");
        answer.headers_mut().insert(CACHE_CONTROL, kept.clone());
        Headers::new("http://localhost").put(&mut answer, Audience::Page);
        assert_eq!(answer.headers()[CACHE_CONTROL], kept);
    }
}
