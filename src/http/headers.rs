//! Reads what requests say beside their body: language, request id, address, text in headers.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap, header};
use uuid::Uuid;

use crate::access::Language;

/// Longest text taken from a header of ours.
const LONGEST: usize = 200;

/// The preferred one of our two languages, by Accept-Language.
pub fn language(headers: &HeaderMap) -> Language {
    let wanted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let mut best = (0.0, Language::En);
    for part in wanted.split(',') {
        let (tag, weight) = part.split_once(';').unwrap_or((part, ""));
        let weight = weight.trim().strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()).unwrap_or(1.0);
        let tag = tag.trim().to_ascii_lowercase();
        let language = match tag.split('-').next() {
            Some("zh") => Language::ZhHant,
            Some("en") => Language::En,
            _ => continue,
        };
        if weight > best.0 {
            best = (weight, language);
        }
    }
    best.1
}

/// `X-Request-Id`, if it is a UUID; others would let clients write what they like into logs.
pub fn request_id(headers: &HeaderMap) -> Option<Uuid> {
    headers.get("x-request-id").and_then(|value| value.to_str().ok()).and_then(|text| Uuid::try_parse(text).ok())
}

/// Text of one of our own headers: UTF-8, or percent-encoded UTF-8 as browsers must send it. Empty is none.
pub fn text(headers: &HeaderMap, name: &str) -> Result<Option<String>, NotText> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let text = std::str::from_utf8(value.as_bytes()).map_err(|_| NotText)?;
    let text = percent_decoded(text.trim());
    if text.chars().count() > LONGEST || text.chars().any(char::is_control) {
        return Err(NotText);
    }
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// A header that is not text, or too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotText;

/// Where the request came from: the peer, or behind `proxies` trusted proxies what the first of them saw.
pub fn client_address(headers: &HeaderMap, extensions: &Extensions, proxies: usize) -> Option<IpAddr> {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    if proxies == 0 {
        return peer;
    }
    // Each proxy appends whom it saw; what stands further left came from the client and proves nothing.
    let forwarded = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let seen: Vec<&str> = forwarded.flat_map(|line| line.split(',')).map(str::trim).collect();
    seen.len().checked_sub(proxies).and_then(|at| seen[at].parse().ok()).or(peer)
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    // What does not decode to text was not encoded.
    String::from_utf8(decoded).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().expect("a header"));
        headers
    }

    #[test]
    fn the_preferred_language_wins() {
        let cases = [
            ("", Language::En),
            ("zh-TW,zh;q=0.9,en;q=0.8", Language::ZhHant),
            ("en-GB,zh;q=0.5", Language::En),
            ("fr, zh;q=0.3", Language::ZhHant),
            ("de", Language::En),
        ];
        for (wanted, expected) in cases {
            assert_eq!(language(&with("accept-language", wanted)), expected, "{wanted}");
        }
    }

    #[test]
    fn text_comes_plain_or_encoded() {
        let case = |value: &str| text(&with("x-case-number", value), "x-case-number");
        assert_eq!(case("115-FS-0001"), Ok(Some("115-FS-0001".to_owned())));
        assert_eq!(case("%E5%8C%97%E6%B6%88-1"), Ok(Some("北消-1".to_owned())));
        assert_eq!(case("100%"), Ok(Some("100%".to_owned())));
        assert_eq!(case("  "), Ok(None));
        assert_eq!(case("a%0Ab"), Err(NotText));
        assert_eq!(case(&"x".repeat(201)), Err(NotText));
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::from(([10, 0, 0, 1], 4711))));
        let headers = with("x-forwarded-for", "1.2.3.4, 203.0.113.7");
        let address = |proxies| client_address(&headers, &extensions, proxies).map(|address| address.to_string());
        assert_eq!(address(0).as_deref(), Some("10.0.0.1"));
        assert_eq!(address(1).as_deref(), Some("203.0.113.7"));
        assert_eq!(address(3).as_deref(), Some("10.0.0.1"));
    }
}
