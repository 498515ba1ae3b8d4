//! `GET /playground` and `/`: the page and its files, embedded compressed. Building them is left to `playground/`.

use std::io::Read;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use sha2::{Digest, Sha256};

/// Nothing from outside, nothing inline: what the page shows came from this server.
const POLICY: &str = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

const PAGE: &str = "index.html";

/// One embedded file.
struct Asset {
    name: &'static str,
    content_type: &'static str,
    compressed: &'static [u8],
    /// For the few clients that do not take brotli.
    plain: Bytes,
    /// Of the plain content; the page's own addresses carry it as `?v=`.
    hash: String,
}

macro_rules! asset {
    ($name:literal, $content_type:literal) => {
        Asset::unpack($name, $content_type, include_bytes!(concat!("../../playground/dist/", $name, ".br")))
    };
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    vec![
        asset!("index.html", "text/html; charset=utf-8"),
        asset!("app.js", "text/javascript; charset=utf-8"),
        asset!("app.css", "text/css; charset=utf-8"),
        asset!("icon.svg", "image/svg+xml"),
        asset!("licenses.txt", "text/plain; charset=utf-8"),
    ]
});

impl Asset {
    fn unpack(name: &'static str, content_type: &'static str, compressed: &'static [u8]) -> Self {
        let mut plain = Vec::new();
        // The bytes are fixed at compile time and a test unpacks every file: this cannot fail in a build that passed.
        if let Err(error) = brotli::Decompressor::new(compressed, 4096).read_to_end(&mut plain) {
            tracing::error!(%error, name, "the embedded playground file cannot be unpacked");
        }
        let digest = Sha256::digest(&plain);
        let hash = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        Self { name, content_type, compressed, plain: plain.into(), hash }
    }

    fn answer(&self, headers: &HeaderMap, uri: &Uri) -> Response {
        let brotli = takes_brotli(headers);
        let etag = format!("\"{}{}\"", self.hash, if brotli { "-br" } else { "" });
        let kept = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
        let unchanged = kept.is_some_and(|tags| tags == "*" || tags.split(',').any(|tag| tag.trim() == etag));
        // An address that carries the content's hash never changes its content; any other is asked about each time.
        let fixed = uri.query().and_then(|query| query.strip_prefix("v=")) == Some(&self.hash);
        let caching = if fixed { "public, max-age=31536000, immutable" } else { "no-cache" };
        let mut response = match (unchanged, brotli) {
            (true, _) => StatusCode::NOT_MODIFIED.into_response(),
            (false, true) => Bytes::from_static(self.compressed).into_response(),
            (false, false) => self.plain.clone().into_response(),
        };
        let answer = response.headers_mut();
        if brotli && !unchanged {
            answer.insert(CONTENT_ENCODING, HeaderValue::from_static("br"));
        }
        answer.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        answer.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
        answer.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if let Ok(value) = HeaderValue::from_str(&etag) {
            answer.insert(ETAG, value);
        }
        protect(response)
    }
}

/// The playground's routes. `demo_accounts` is the demonstration's `accounts.json`: given, anybody may read it; on a
/// real installation it is not there, and the page is told so without an error.
pub fn routes<S: Clone + Send + Sync + 'static>(demo_accounts: Option<Arc<str>>) -> Router<S> {
    Router::new()
        .route("/", get(page))
        .route("/playground", get(page))
        .route("/playground/", get(page))
        .route("/playground/{name}", get(file))
        .route("/playground/demo.json", get(async move || demo(demo_accounts.as_deref())))
}

async fn page(headers: HeaderMap, uri: Uri) -> Response {
    find(PAGE, &headers, &uri)
}

async fn file(Path(name): Path<String>, headers: HeaderMap, uri: Uri) -> Response {
    find(&name, &headers, &uri)
}

fn find(name: &str, headers: &HeaderMap, uri: &Uri) -> Response {
    match ASSETS.iter().find(|asset| asset.name == name) {
        Some(asset) => asset.answer(headers, uri),
        None => protect(StatusCode::NOT_FOUND.into_response()),
    }
}

fn demo(accounts: Option<&str>) -> Response {
    let mut response = match accounts {
        Some(accounts) => ([(CONTENT_TYPE, "application/json; charset=utf-8")], accounts.to_owned()).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    protect(response)
}

fn protect(mut response: Response) -> Response {
    let fixed: [(HeaderName, &'static str); 5] = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Whether `Accept-Encoding` names brotli, or everything, without refusing it by `q=0`.
fn takes_brotli(headers: &HeaderMap) -> bool {
    let mut any = false;
    for value in headers.get_all(ACCEPT_ENCODING) {
        for entry in value.to_str().unwrap_or_default().split(',') {
            let mut parts = entry.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default();
            let refused = parts
                .filter_map(|part| part.strip_prefix("q="))
                .any(|quality| quality.parse::<f32>().is_ok_and(|quality| quality <= 0.0));
            match name {
                "br" => return !refused,
                "*" => any = !refused,
                _ => {}
            }
        }
    }
    any
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::Request;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    async fn ask(uri: &str, headers: &[(&str, &str)], demo: Option<Arc<str>>) -> (Response, Bytes) {
        let mut request = Request::get(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        let response = routes::<()>(demo).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        (Response::from_parts(parts, Body::empty()), bytes)
    }

    fn header<'a>(response: &'a Response, name: &str) -> &'a str {
        response.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[tokio::test]
    async fn the_page_is_compressed_for_those_who_take_it_and_plain_for_others() {
        let (small, bytes) = ask("/playground", &[("accept-encoding", "gzip, br")], None).await;
        assert_eq!(header(&small, "content-encoding"), "br");
        assert_eq!(header(&small, "content-type"), "text/html; charset=utf-8");
        let mut unpacked = String::new();
        brotli::Decompressor::new(&bytes[..], 4096).read_to_string(&mut unpacked).unwrap();
        for headers in [&[][..], &[("accept-encoding", "br;q=0, gzip")][..]] {
            let (plain, bytes) = ask("/", headers, None).await;
            assert_eq!(header(&plain, "content-encoding"), "");
            assert_eq!(header(&plain, "cache-control"), "no-cache");
            assert!(header(&plain, "content-security-policy").starts_with("default-src 'self';"));
            assert_eq!(bytes, unpacked.as_bytes());
        }
    }

    #[tokio::test]
    async fn every_address_in_the_page_is_served_from_here_and_kept_for_ever() {
        let (_, page) = ask("/", &[], None).await;
        let page = String::from_utf8(page.to_vec()).unwrap();
        let names: Vec<_> = page.split('"').filter(|part| part.starts_with("/playground/")).collect();
        assert_eq!(names.len(), 3, "script, style and icon");
        assert!(!page.contains("http://") && !page.contains("https://"), "nothing from outside");
        for name in names {
            let (response, bytes) = ask(name, &[("accept-encoding", "br")], None).await;
            assert_eq!(response.status(), 200, "{name}");
            assert!(header(&response, "cache-control").contains("immutable"), "{name}");
            assert!(!bytes.is_empty());
            let etag = header(&response, "etag").to_owned();
            let again = [("accept-encoding", "br"), ("if-none-match", etag.as_str())];
            let (unchanged, nothing) = ask(name, &again, None).await;
            assert_eq!((unchanged.status().as_u16(), nothing.len()), (304, 0), "{name}");
        }
        let (old, _) = ask("/playground/app.js?v=0000000000000000", &[], None).await;
        assert_eq!(header(&old, "cache-control"), "no-cache", "another build's address is not kept");
    }

    #[tokio::test]
    async fn demo_accounts_are_served_in_demo_mode_only() {
        let accounts = Arc::from("[]");
        let (given, bytes) = ask("/playground/demo.json", &[], Some(accounts)).await;
        assert_eq!((given.status().as_u16(), &bytes[..]), (200, &b"[]"[..]));
        assert_eq!(header(&given, "cache-control"), "no-store");
        let (none, bytes) = ask("/playground/demo.json", &[], None).await;
        assert_eq!((none.status().as_u16(), bytes.len()), (204, 0));
        let (missing, _) = ask("/playground/nothing.js", &[], None).await;
        assert_eq!(missing.status(), 404);
    }

    #[test]
    fn the_bundle_is_small() {
        let total: usize = ASSETS.iter().map(|asset| asset.compressed.len()).sum();
        assert!(total <= 2 * 1024 * 1024, "{total} bytes");
        assert!(ASSETS.iter().all(|asset| !asset.plain.is_empty()));
    }
}
