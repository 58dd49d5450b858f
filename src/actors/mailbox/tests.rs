use std::time::Duration;

use ractor::{Actor, ActorProcessingErr};
use tokio::sync::oneshot;

use super::*;

const PERMITS: Permits = Permits { callers: 2, consumers: 1 };
const DEADLINE: Duration = Duration::from_secs(10);

#[derive(Debug)]
enum Job {
    /// Says that it is being handled, then waits to be let go.
    Hold(oneshot::Sender<()>, oneshot::Receiver<()>),
    Fail,
    Panic,
    Nothing,
}

struct Worker;

impl Actor for Worker {
    type Msg = Envelope<Job>;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Self::Msg>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<Self::Msg>,
        envelope: Envelope<Job>,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        let (job, handling) = envelope.open();
        match job {
            Job::Hold(reached, go) => {
                _ = reached.send(());
                _ = go.await;
            }
            Job::Fail => return Err("as it was told".into()),
            Job::Panic => panic!("as it was told"),
            Job::Nothing => {}
        }
        handling.done();
        Ok(())
    }
}

async fn mailbox(kind: &'static str) -> Mailbox<Job> {
    let (actor, _) = Actor::spawn(None, Worker, ()).await.expect("nothing in its start can fail");
    Mailbox::new(actor, Admission::new(kind, PERMITS))
}

/// Sends a job and returns when it is being handled; it ends when the returned half is used or dropped.
async fn hold(mailbox: &Mailbox<Job>, lane: Lane) -> oneshot::Sender<()> {
    let (reached, is_reached) = oneshot::channel();
    let (let_go, go) = oneshot::channel();
    mailbox.try_send(lane, Job::Hold(reached, go)).expect("there is a permit");
    is_reached.await.expect("the actor runs");
    let_go
}

async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, wait).await.unwrap_or_else(|_| panic!("never so: {what}"));
}

fn of_kind(name: &str) -> KindSnapshot {
    kinds().into_iter().find(|kind| kind.kind == name).expect("it has a mailbox")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_lane_refuses_and_gives_the_message_back_while_the_other_still_takes() {
    let mailbox = mailbox("test-full").await;
    let held = hold(&mailbox, Lane::Caller).await;
    mailbox.try_send(Lane::Caller, Job::Nothing).expect("the second of two");
    let refused = mailbox.try_send(Lane::Caller, Job::Fail).expect_err("there are only two");
    assert!(matches!(refused, Refused::Full(Job::Fail)));
    mailbox.try_send(Lane::Consumer, Job::Nothing).expect("the other lane is free");
    assert!(matches!(mailbox.try_send(Lane::Consumer, Job::Nothing), Err(Refused::Full(_))));
    let kind = of_kind("test-full");
    assert_eq!((kind.depth, kind.callers, kind.consumers, kind.refused), (3, 2, 1, 2));
    drop(held);
    eventually("all permits are back", || mailbox.admission().depth() == 0).await;
    mailbox.try_send(Lane::Caller, Job::Nothing).expect("permits came back");
}

#[tokio::test(flavor = "multi_thread")]
async fn control_messages_pass_a_full_mailbox() {
    let mailbox = mailbox("test-control").await;
    let held = hold(&mailbox, Lane::Caller).await;
    mailbox.try_send(Lane::Caller, Job::Nothing).expect("the second of two");
    for _ in 0..50 {
        mailbox.control(Job::Nothing).expect("no permit is needed");
    }
    assert_eq!(mailbox.admission().depth(), 2);
    drop(held);
    eventually("all were handled", || of_kind("test-control").handled == 52).await;
    assert_eq!(of_kind("test-control").failed, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permit_is_kept_until_the_message_is_handled_and_its_age_grows() {
    let mailbox = mailbox("test-age").await;
    assert_eq!(mailbox.admission().oldest_age(), Duration::ZERO);
    let held = hold(&mailbox, Lane::Caller).await;
    assert_eq!(mailbox.admission().depth(), 1, "the one being handled counts");
    let age = mailbox.admission().oldest_age();
    eventually("its age grows", || mailbox.admission().oldest_age() > age + Duration::from_millis(2)).await;
    drop(held);
    eventually("it is done", || mailbox.admission().depth() == 0).await;
    eventually("nothing is old", || mailbox.admission().oldest_age() == Duration::ZERO).await;
    assert!(of_kind("test-age").busy_ms >= 2);
}

async fn permits_come_back_after(kind: &'static str, end: Job) {
    let mailbox = mailbox(kind).await;
    let held = hold(&mailbox, Lane::Caller).await;
    mailbox.try_send(Lane::Caller, end).expect("the second of two");
    mailbox.try_send(Lane::Consumer, Job::Nothing).expect("the other lane is free");
    drop(held);
    mailbox.actor().wait(Some(DEADLINE)).await.expect("the actor ends");
    eventually("all permits are back", || mailbox.admission().depth() == 0).await;
    let kind = of_kind(kind);
    assert_eq!((kind.handled, kind.failed), (1, 2), "one crashed it, one was lost with it");
    let refused = mailbox.try_send(Lane::Caller, Job::Nothing).expect_err("it has ended");
    assert!(matches!(refused, Refused::Closed(Job::Nothing)));
    assert_eq!(mailbox.admission().depth(), 0);
    assert_eq!(of_kind(kind.kind).failed, 2, "what was given back to its sender did not fail");
}

#[tokio::test(flavor = "multi_thread")]
async fn permits_come_back_after_a_panic() {
    permits_come_back_after("test-panic", Job::Panic).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn permits_come_back_after_an_error() {
    permits_come_back_after("test-error", Job::Fail).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn permits_come_back_when_the_actor_is_stopped() {
    let mailbox = mailbox("test-stop").await;
    let held = hold(&mailbox, Lane::Caller).await;
    mailbox.try_send(Lane::Caller, Job::Nothing).expect("the second of two");
    mailbox.actor().stop(None);
    drop(held);
    mailbox.actor().wait(Some(DEADLINE)).await.expect("the actor ends");
    eventually("all permits are back", || mailbox.admission().depth() == 0).await;
    assert_eq!((of_kind("test-stop").handled, of_kind("test-stop").failed), (1, 1));
}
