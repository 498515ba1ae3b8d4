//! What can be watched: one's own inbox.

use async_graphql::futures_util::Stream;
use async_graphql::{Context, Result, Subscription};

use super::of;
use crate::procedure::inbox::Notice;

/// The procedure's subscriptions.
pub struct SubscriptionRoot;

/// 訂閱: what can be watched, over a WebSocket or as `text/event-stream`.
#[Subscription(name = "Subscription")]
impl SubscriptionRoot {
    /// 收件匣通知: what one is told from now on, as it is told.
    async fn inbox_notices(&self, ctx: &Context<'_>) -> Result<impl Stream<Item = Notice>> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.clone().notices(act).await?)
    }
}
