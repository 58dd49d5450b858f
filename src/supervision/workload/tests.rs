use std::sync::Barrier;
use std::thread;

use super::*;

const PERMITS: Permits = Permits { callers: 2, consumers: 1 };

fn of_kind(name: &str) -> KindSnapshot {
    kinds().into_iter().find(|kind| kind.kind == name).expect("a meter of the kind was registered")
}

#[test]
fn permits_end_where_the_limit_is_and_shares_are_apart() {
    let meter = Meter::register("permits-apart", PERMITS);
    let first = meter.admit(Share::Callers).expect("two are allowed");
    let _second = meter.admit(Share::Callers).expect("two are allowed");
    assert!(meter.admit(Share::Callers).is_none());
    let _third = meter.admit(Share::Consumers).expect("the other share is untouched");
    assert!(meter.admit(Share::Consumers).is_none());
    assert_eq!(meter.depth(), 3);
    first.done();
    assert!(meter.admit(Share::Callers).is_some());
    assert_eq!(of_kind("permits-apart").refused, 2);
}

#[test]
fn the_age_is_that_of_the_oldest_unfinished_message() {
    let meter = Meter::register("age", PERMITS);
    assert_eq!(meter.oldest_age(), Duration::ZERO);
    let mut first = meter.admit(Share::Callers).expect("free");
    let mut second = meter.admit(Share::Callers).expect("free");
    assert!(second.sent_at > first.sent_at);
    assert_eq!(meter.oldest.load(Ordering::SeqCst), first.sent_at);
    first.open();
    assert_eq!(meter.oldest.load(Ordering::SeqCst), first.sent_at);
    first.done();
    assert!(meter.oldest_age() > Duration::ZERO, "the second still waits");
    second.open();
    assert_eq!(meter.oldest.load(Ordering::SeqCst), second.sent_at);
    second.done();
    assert_eq!(meter.oldest_age(), Duration::ZERO);
}

#[test]
fn messages_without_permit_are_counted_but_are_no_depth() {
    let meter = Meter::register("free", Permits { callers: 0, consumers: 0 });
    let mut tick = meter.admit_freely();
    tick.open();
    assert_eq!((meter.depth(), meter.oldest_age()), (0, Duration::ZERO));
    tick.done();
    drop(meter.admit_freely());
    let kind = of_kind("free");
    assert_eq!((kind.handled, kind.failed), (1, 1));
}

#[test]
fn what_a_mailbox_counted_stays_when_it_is_gone() {
    for n in 1..=200 {
        let meter = Meter::register("gone", PERMITS);
        meter.admit(Share::Callers).expect("free").done();
        drop(meter.admit(Share::Callers));
        let returned = meter.admit(Share::Callers).expect("free");
        returned.give_back();
        drop(meter);
        if n % 50 == 0 {
            let kind = of_kind("gone");
            assert_eq!((kind.mailboxes, kind.depth, kind.handled, kind.failed), (0, 0, n, n));
        }
    }
    assert!(Kind::named("gone").mailboxes().meters.len() < 64);
}

#[test]
fn under_contention_no_permit_is_lost_and_no_waiting_message_is_without_an_age() {
    let meter = Meter::register("contended", Permits { callers: 3, consumers: 3 });
    let barrier = Barrier::new(4);
    thread::scope(|scope| {
        for share in [Share::Callers, Share::Consumers, Share::Callers, Share::Consumers] {
            let (meter, barrier) = (&meter, &barrier);
            scope.spawn(move || {
                barrier.wait();
                for _ in 0..20_000 {
                    let Some(mut handling) = meter.admit(share) else {
                        continue;
                    };
                    assert!(meter.depth() <= 6);
                    handling.open();
                    handling.done();
                }
                let kept = meter.admit(share).expect("each thread keeps one of three");
                barrier.wait();
                assert_eq!(meter.depth(), 4);
                assert!(meter.oldest.load(Ordering::SeqCst) > 0);
                barrier.wait();
                kept.done();
            });
        }
    });
    assert_eq!(meter.depth(), 0);
}
