use std::time::{Duration, Instant};

use rdkafka::mocking::MockCluster;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use super::*;
use crate::clock;

fn window(events: &[(Position, u8)]) -> Arc<InFlight> {
    let window = InFlight::after(0);
    for (position, records) in events {
        window.expect(*position, *records);
    }
    window
}

#[test]
fn only_the_acknowledged_prefix_counts() {
    let window = window(&[(1, 1), (2, 1), (3, 1)]);
    window.acknowledge(2, "t", 1);
    window.acknowledge(3, "t", 2);
    assert_eq!(window.acknowledged(), 0);
    window.acknowledge(1, "u", 0);
    assert_eq!((window.acknowledged(), window.len()), (3, 0));
}

#[test]
fn an_event_counts_when_every_topic_has_acknowledged_it() {
    let window = window(&[(1, 2)]);
    window.acknowledge(1, "order.events", 0);
    assert_eq!(window.acknowledged(), 0);
    window.acknowledge(1, "order.created", 0);
    assert_eq!(window.acknowledged(), 1);
}

#[test]
fn an_event_without_a_topic_is_passed_over() {
    let window = window(&[(1, 0), (2, 1)]);
    assert_eq!(window.acknowledged(), 1);
    window.acknowledge(2, "t", 0);
    assert_eq!(window.acknowledged(), 2);
}

#[test]
fn an_offset_that_goes_back_is_a_topic_made_again() {
    let window = window(&[(1, 1), (2, 1)]);
    window.ends_at("t", 100);
    window.acknowledge(1, "t", 100);
    assert_eq!(window.failure(), None);
    window.acknowledge(2, "t", 0);
    assert!(window.failure().is_some_and(|why| why.contains("made again")));
}

#[test]
fn the_first_failure_is_kept() {
    let window = window(&[(1, 1)]);
    window.fail("first");
    window.fail("second");
    assert_eq!(window.failure().as_deref(), Some("first"));
    assert_eq!(window.acknowledged(), 0);
}

fn record(n: i64) -> Record {
    Record {
        topic: "t".to_owned(),
        partition: Some(0),
        key: None,
        value: Some(n.to_string().into_bytes()),
        headers: Vec::new(),
        at: clock::now(),
        span: Span::default(),
    }
}

/// Sends these positions, and waits until all are acknowledged or one has failed.
fn publish(producer: &Generation, positions: std::ops::RangeInclusive<Position>) -> Arc<InFlight> {
    let window = InFlight::after(positions.start() - 1);
    for position in positions {
        window.expect(position, 1);
        // What is refused here has failed before: the window knows.
        _ = producer.send(&record(position), position, &window);
    }
    let began = Instant::now();
    while !window.is_empty() && window.failure().is_none() {
        assert!(began.elapsed() < Duration::from_secs(30), "no report came");
        std::thread::yield_now();
    }
    window
}

#[test]
fn after_a_failed_delivery_the_producer_is_given_up_and_the_next_begins_where_the_acknowledged_prefix_ends() {
    let cluster = MockCluster::new(1).expect("a mock cluster");
    cluster.create_topic("t", 1, 1).expect("a topic");
    let publisher = Publisher::new(Config { brokers: cluster.bootstrap_servers(), ..Config::default() });
    let first = publisher.current().expect("a producer");
    assert_eq!(publish(&first, 1..=2).acknowledged(), 2);
    // Only the next request fails: what came behind it would be taken.
    let refused = RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
    cluster.request_errors(RDKafkaApiKey::Produce, &[refused]);
    let window = publish(&first, 3..=3);
    assert!(window.failure().is_some());
    assert_eq!(window.acknowledged(), 2);
    assert!(first.is_broken());
    let behind = first.send(&record(4), 4, &window);
    assert!(matches!(behind, Err(PublishError::Broken(_))), "{behind:?}");
    let second = publisher.current().expect("another producer");
    assert!(!Arc::ptr_eq(&first, &second) && !second.is_broken());
    let window = publish(&second, 3..=5);
    assert_eq!((window.acknowledged(), window.failure()), (5, None));
    let [end] = &window.take_topics()[..] else { panic!("one topic") };
    assert_eq!((end.next_offset, end.position), (5, 5), "five records, none twice");
}

#[test]
fn a_producer_whose_connection_is_lost_is_given_up_though_nothing_was_on_its_way_and_the_broker_is_back_at_once() {
    let cluster = MockCluster::new(1).expect("a mock cluster");
    cluster.create_topic("t", 1, 1).expect("a topic");
    let publisher = Publisher::new(Config { brokers: cluster.bootstrap_servers(), ..Config::default() });
    let first = publisher.current().expect("a producer");
    assert_eq!(publish(&first, 1..=2).acknowledged(), 2);
    assert!(!first.is_broken());
    cluster.broker_down(1).expect("a broker to stop");
    cluster.broker_up(1).expect("a broker to start");
    let began = Instant::now();
    while !first.is_broken() {
        assert!(began.elapsed() < Duration::from_secs(10), "the connection was lost and nobody knows");
        std::thread::yield_now();
    }
    let second = publisher.current().expect("another producer");
    assert_eq!(publish(&second, 3..=4).acknowledged(), 4);
}
