//! Who was to be told what about an order, and how far that has come. Fed from the log.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::OrderId;
use crate::domain::notification::Event;
use crate::read_model::{Projection, QueryError, Recorded, TableRouter, row};

const OF_ORDER: &str = "select notification, order_id, user_id, template, state, requested_at, version from {table} \
    where order_id = $1 order by requested_at, notification";

/// It was decided that somebody must be told.
const REQUESTED: &str = "requested";

row! {
    /// One notification.
    pub struct NotificationRow {
        /// Order and template, such as `0192f0c1-7c1e-7d6e-a4c1-0242ac120002/order_confirmed`.
        key notification: String => "text",
        /// About which order.
        order_id: Uuid => "uuid",
        /// Who is to be told.
        user_id: String => "text",
        /// What.
        template: String => "text",
        /// How far it has come: `requested`.
        state: String => "text",
        /// When it was requested.
        requested_at: Option<DateTime<Utc>> => "timestamptz",
        /// Version of its stream.
        version: i32 => "integer",
    }
}

/// The read model itself.
#[derive(Debug)]
pub struct Notifications;

impl Projection for Notifications {
    const NAME: &'static str = "notifications";
    const VERSION: u16 = 1;
    const TEMPLATE: &'static str = include_str!("notifications.sql");
    const STREAMS: &'static [&'static str] = &["notification:"];
    const SHARED_ROWS: bool = false;
    type Event = Event;
    type Row = NotificationRow;

    fn stream_of(key: &str) -> String {
        format!("notification:{}", key.replace('/', ":"))
    }

    fn keys(recorded: &Recorded<Event>) -> Vec<String> {
        match &recorded.event {
            Event::Requested(requested) => vec![format!("{}/{}", requested.order_id, requested.template)],
        }
    }

    fn fold(row: &mut NotificationRow, recorded: &Recorded<Event>) {
        row.version = recorded.version;
        match &recorded.event {
            Event::Requested(requested) => {
                row.order_id = requested.order_id.into();
                row.user_id = requested.user_id.to_string();
                requested.template.as_str().clone_into(&mut row.template);
                REQUESTED.clone_into(&mut row.state);
                row.requested_at = recorded.recorded_at;
            }
        }
    }

    fn merge(into: &mut NotificationRow, part: NotificationRow) {
        if part.version > into.version {
            *into = part;
        }
    }
}

/// The notifications about an order, the first requested first.
///
/// # Errors
/// [`QueryError`].
pub async fn of_order(models: &TableRouter, order_id: OrderId) -> Result<Vec<NotificationRow>, QueryError> {
    let table = models.table::<Notifications>().await?;
    Ok(sqlx::query_as(table.sql(OF_ORDER)).bind(Uuid::from(order_id)).fetch_all(models.db()).await?)
}
