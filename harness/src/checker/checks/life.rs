//! The life of an order: which event may follow which.

use crate::wire::event::Event;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    Processing,
    Confirmed,
    Rejected,
    Cancelled,
    Shipped,
    Delivered,
}

impl Life {
    /// The next state, or `None` when this event may not come now. Before `order.created` there is no life.
    pub fn after(now: Option<Self>, event: &Event) -> Option<Self> {
        match (now, event) {
            (None, Event::Created { .. }) => Some(Self::Processing),
            (Some(Self::Processing), Event::Confirmed { .. }) => Some(Self::Confirmed),
            (Some(Self::Processing), Event::Rejected { .. }) => Some(Self::Rejected),
            (Some(Self::Processing | Self::Confirmed), Event::Cancelled { .. }) => Some(Self::Cancelled),
            (Some(Self::Confirmed), Event::Shipped { .. }) => Some(Self::Shipped),
            (Some(Self::Shipped), Event::Delivered { .. }) => Some(Self::Delivered),
            _ => None,
        }
    }
}
