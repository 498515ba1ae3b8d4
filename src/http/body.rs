//! Reads the body of a request, within bounds. What it says is left to the handlers.

use std::time::Duration;

use axum::body::Body;
use http_body_util::BodyExt as _;

/// What is read of a body that is too large, and thrown away: a client that is still sending does not read why it is
/// refused, and a connection closed on it takes the answer along.
const PASSED_OVER: usize = 32 << 20;

/// How long that may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a whole body may take: whoever sends a byte now and then holds a place.
const AT_MOST: Duration = Duration::from_secs(120);

/// The whole body; none if it is larger than `most` bytes, breaks off, or takes too long.
pub async fn read(body: Body, most: usize) -> Option<Vec<u8>> {
    tokio::time::timeout(AT_MOST, whole(body, most)).await.ok().flatten()
}

async fn whole(mut body: Body, most: usize) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.ok()?.into_data() else { continue }; // trailers
        if whole.len() + data.len() > most {
            // However it ends, the answer is the same.
            let _ = tokio::time::timeout(PATIENCE, pass_over(body)).await;
            return None;
        }
        whole.extend_from_slice(&data);
    }
    Some(whole)
}

async fn pass_over(mut body: Body) {
    let mut passed = 0;
    while let Some(Ok(frame)) = body.frame().await {
        passed += frame.data_ref().map_or(0, |data| data.len());
        if passed > PASSED_OVER {
            return;
        }
    }
}
