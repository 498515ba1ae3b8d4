//! The media type of an answer: what the client accepts, and how much (RFC 9110, 12.5.1).

use axum::http::{HeaderMap, header};
use smallvec::SmallVec;

use crate::access::Refusal;

/// The media type of answers, by the GraphQL-over-HTTP specification.
pub(super) const ANSWER: &str = "application/graphql-response+json";

/// The media type of answers before that specification, and of whoever does not ask for any.
pub(super) const PLAIN: &str = "application/json";

/// The media type of events.
pub(super) const EVENTS: &str = "text/event-stream";

/// What the client accepts of that which we have.
#[derive(Clone, Copy)]
pub(super) struct Accepted {
    /// The media type that its answer is to have; none if it accepts neither.
    pub(super) answer: Option<&'static str>,
    /// It accepts events.
    pub(super) events: bool,
}

impl Accepted {
    /// By every line of Accept. What is named beats what a `*` stands for; of two that are liked as well, the first.
    pub(super) fn of(headers: &HeaderMap) -> Accepted {
        let lines = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok());
        let ranges = lines.flat_map(|line| line.split(',')).map(str::trim).filter(|range| !range.is_empty());
        let ranges: SmallVec<[Range; 8]> = ranges.map(Range::of).collect();
        if ranges.is_empty() {
            return Accepted { answer: Some(PLAIN), events: false };
        }
        let (plain, answer) = (likes(&ranges, PLAIN), likes(&ranges, ANSWER));
        let best = if answer > plain { (answer, ANSWER) } else { (plain, PLAIN) };
        // Events are for those who name them: whoever takes anything wants one answer.
        let events = ranges.iter().any(|range| range.names(EVENTS) && range.weight > 0.0);
        Accepted { answer: best.0.map(|_| best.1), events }
    }

    /// The media type of an answer, or what is said where none is accepted.
    pub(super) fn answer(self) -> Result<&'static str, Refusal> {
        self.answer.ok_or_else(|| {
            Refusal::input(
                format!("Answers come as {ANSWER} or {PLAIN}, events of a subscription as {EVENTS}; Accept names none that fits."),
                format!("回應格式為 {ANSWER} 或 {PLAIN}，subscription 之事件為 {EVENTS}；Accept 未列出適用者。"),
            )
        })
    }
}

/// One entry of Accept.
struct Range<'a> {
    media: &'a str,
    weight: f32,
}

impl Range<'_> {
    fn of(text: &str) -> Range<'_> {
        let mut parts = text.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default();
        let weight = parts.find_map(|part| part.strip_prefix(['q', 'Q'])?.trim_start().strip_prefix('='));
        Range { media, weight: weight.and_then(|weight| weight.trim().parse().ok()).unwrap_or(1.0) }
    }

    fn names(&self, media: &str) -> bool {
        self.media.eq_ignore_ascii_case(media)
    }
}

/// How much a media type is liked: its weight, whether it is named, and how early. None if it is not accepted.
fn likes(ranges: &[Range], media: &str) -> Option<(f32, usize, std::cmp::Reverse<usize>)> {
    let closeness = |range: &Range| match range.media {
        _ if range.names(media) => 3,
        "*/*" => 1,
        _ if range.names("application/*") => 2,
        _ => 0,
    };
    let places =
        ranges.iter().enumerate().map(|(place, range)| (closeness(range), std::cmp::Reverse(place), range.weight));
    let (closest, place, weight) =
        places.filter(|(close, ..)| *close > 0).max_by_key(|(close, place, _)| (*close, *place))?;
    (weight > 0.0).then_some((weight, closest, place))
}
