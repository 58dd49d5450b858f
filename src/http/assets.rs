//! The dashboard's page: built by `dashboard/build.mjs`, committed, and part of this program.
//!
//! The page asks nothing but this listener and runs no script that is not in it: the policy below lets it do nothing else.

use std::sync::LazyLock;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use sha2::{Digest, Sha256};

use crate::ops::session::hex;

/// What a page of ours may do. No inline script or style, no other origin, no frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

/// A file of the page, and what names its contents.
struct Asset {
    kind: &'static str,
    bytes: &'static [u8],
    tag: String,
}

impl Asset {
    fn new(kind: &'static str, bytes: &'static [u8]) -> Self {
        Self { kind, bytes, tag: format!("\"{}\"", hex(&Sha256::digest(bytes)[..8])) }
    }

    /// The file, or that the browser has it already.
    fn answer(&self, asked: &HeaderMap) -> Response {
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static(self.kind)),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
            (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
            (header::ETAG, HeaderValue::from_str(&self.tag).expect("a tag is hexadecimal")),
        ];
        if asked.get(header::IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == self.tag.as_bytes()) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        (headers, self.bytes).into_response()
    }
}

static PAGE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("text/html; charset=utf-8", include_bytes!("../../dashboard/dist/index.html")));
static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("text/javascript; charset=utf-8", include_bytes!("../../dashboard/dist/app.js")));
static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("text/css; charset=utf-8", include_bytes!("../../dashboard/dist/style.css")));

/// To the dashboard, for whoever asks for the listener itself.
pub(super) async fn home() -> Redirect {
    Redirect::to("/dashboard/overview")
}

/// The page, whichever screen its address names.
pub(super) async fn page(headers: HeaderMap) -> Response {
    PAGE.answer(&headers)
}

pub(super) async fn script(headers: HeaderMap) -> Response {
    SCRIPT.answer(&headers)
}

pub(super) async fn style(headers: HeaderMap) -> Response {
    STYLE.answer(&headers)
}
