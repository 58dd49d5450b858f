use super::*;
use What::{Crashed, Started, Stopped};

#[tokio::test(flavor = "multi_thread")]
async fn a_child_stopped_by_order_is_not_started_again() {
    let stage = Stage::new();
    let root = stage.root(vec![stage.player("a"), stage.player("b")]).await;
    in_time("the end of a", root.handle().stop_child("a")).await;
    assert_eq!(lock(&stage.ended).as_slice(), ["a"], "the answer comes after its end");
    assert_eq!(stage.whats(&root_path().child("a")), [Started, Stopped]);
    let names: Vec<String> = root.handle().inspect().await.into_iter().map(|child| child.name).collect();
    assert_eq!(names, ["b"]);
    in_time("nothing to stop", root.handle().stop_child("a")).await;
    assert_eq!(stage.starts("a"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_actor_that_is_done_is_not_started_again() {
    let stage = Stage::new();
    let root = stage.root(vec![stage.player("a")]).await;
    stage.tell("a", Order::Finish);
    let a = root_path().child("a");
    stage.until("it stopped", || stage.whats(&a) == [Started, Stopped]).await;
    assert_eq!(stage.facts(&a)[1].why, "done");
    assert!(root.handle().inspect().await.is_empty());
    root.handle().start_child(stage.player("a")).await.expect("its name is free again");
    assert!(stage.answers("a").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_given_once() {
    let stage = Stage::new();
    let root = stage.root(vec![stage.player("a")]).await;
    let refused = root.handle().start_child(stage.player("a")).await;
    assert_eq!(refused, Err(StartRefused::NameTaken));
    let twice = vec![stage.player("b"), stage.player("b")];
    assert!(start_root(stage.arguments(root_path(), twice)).await.is_err());
    assert_eq!(stage.starts("b"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_stops_in_reverse_order_and_waits_for_each() {
    let stage = Stage::new();
    let inner = stage.below(&root_path().child("inner"), vec![stage.player("b"), stage.player("c")]);
    let mut root =
        stage.root(vec![stage.player("a"), inner, stage.player_of("slow", Manner::Slow), stage.player("d")]).await;
    let handle = root.handle().clone();
    let (told, _) = futures::join!(async { in_time("the end of the root", handle.shut_down(DEADLINE)).await }, async {
        stage.until("d stopped", || stage.whats(&root_path().child("d")).last() == Some(&Stopped)).await;
        assert!(stage.answers("c").await, "while one is waited for, those before it run");
        assert_eq!(lock(&stage.ended).as_slice(), ["d"]);
        stage.door.add_permits(1);
    });
    let () = told;
    assert_eq!(lock(&stage.ended).as_slice(), ["d", "slow", "c", "b", "a"]);
    assert_eq!(in_time("the reason", root.ended()).await, StopReason::Ordered);
    assert_eq!(stage.whats(&root_path().child("inner")), [Started, Stopped]);
    assert_eq!(stage.whats(&root_path()), [Started, Stopped]);
    assert_eq!(handle.start_child(stage.player("late")).await, Err(StartRefused::Ending));
}

#[tokio::test(flavor = "multi_thread")]
async fn independent_neighbours_are_stopped_together_and_others_wait_for_all_of_them() {
    let stage = Stage::new();
    let apart = |name| stage.player_of(name, Manner::Slow).independent();
    let children = vec![stage.player("first"), apart("a"), apart("b"), apart("c"), stage.player("last")];
    let root = stage.root(children).await;
    let handle = root.handle().clone();
    futures::join!(async { in_time("the end of the root", handle.shut_down(DEADLINE)).await }, async {
        // Each waits at the door, and nobody opens it before all of them stand there.
        in_time("all three at the door", stage.waiting_at_the_door(3)).await;
        assert_eq!(lock(&stage.ended).as_slice(), ["last"]);
        assert!(stage.answers("first").await, "it is told when they have ended");
        stage.door.add_permits(2);
        stage.until("two of them ended", || stopped(&stage, ["a", "b", "c"]) == 2).await;
        assert!(stage.answers("first").await, "it is told when all of them have ended");
        stage.door.add_permits(1);
    });
    assert_eq!(lock(&stage.ended).last().map(String::as_str), Some("first"));
    assert_eq!(lock(&stage.ended).len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_stopped_without_being_asked_stops_independent_neighbours_together() {
    let stage = Stage::new();
    let apart = |name| stage.player_of(name, Manner::Slow).independent();
    let mut root = stage.root(vec![stage.player("first"), apart("a"), apart("b")]).await;
    root.handle().cell().stop(None);
    in_time("both at the door", stage.waiting_at_the_door(2)).await;
    assert!(stage.answers("first").await, "it is told when they have ended");
    stage.door.add_permits(2);
    assert_eq!(in_time("the reason", root.ended()).await, StopReason::Ordered);
    assert_eq!(lock(&stage.ended).last().map(String::as_str), Some("first"));
    for name in ["a", "b"] {
        assert_eq!(stage.whats(&root_path().child(name)), [Started, Stopped]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_waits_to_be_started_again_is_not_started_after_a_shutdown() {
    let hour = Duration::from_secs(3_600);
    let stage = Stage::with(Config { backoff_min: hour, backoff_max: hour, ..config() });
    let root = stage.root(vec![stage.player_of("slow", Manner::Slow), stage.player("a")]).await;
    let a = root_path().child("a");
    stage.tell("a", Order::Crash(CauseClass::DependencyDown));
    stage.until("it waits", || stage.whats(&a).last() == Some(&What::BackingOff)).await;

    let handle = root.handle().clone();
    futures::join!(async { in_time("the end of the root", handle.shut_down(DEADLINE)).await }, async {
        stage.until("it was given up", || stage.whats(&a).last() == Some(&Stopped)).await;
        // Its timer had fired already when the shutdown came: the message arrives after it.
        let late = Message::Retry { name: "a".into(), pause: 1 };
        handle.cell().send_message(late).expect("the supervisor waits for the slow one");
        assert_eq!(handle.inspect().await.len(), 1, "answered after the late message");
        stage.door.add_permits(1);
    });
    assert_eq!(stage.starts("a"), 1);
    assert_eq!(stage.whats(&a), [Started, Crashed, What::BackingOff, Stopped]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_that_is_over_for_a_later_crash_starts_nothing() {
    let hour = Duration::from_secs(3_600);
    let stage = Stage::with(Config { backoff_min: hour, backoff_max: hour, ..config() });
    let root = stage.root(vec![stage.player("a")]).await;
    let a = root_path().child("a");
    stage.tell("a", Order::Crash(CauseClass::DependencyDown));
    stage.until("it waits", || stage.whats(&a).last() == Some(&What::BackingOff)).await;
    for pause in [0, 2] {
        let other = Message::Retry { name: "a".into(), pause };
        root.handle().cell().send_message(other).expect("the supervisor runs");
    }
    assert_eq!(root.handle().inspect().await[0].status, Status::BackingOff);
    root.handle().cell().send_message(Message::Retry { name: "a".into(), pause: 1 }).expect("the supervisor runs");
    assert_eq!(root.handle().inspect().await[0].status, Status::Running);
    assert_eq!(stage.starts("a"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_does_not_end_in_time_is_let_go_and_never_killed() {
    let stage = Stage::new();
    let mut root = stage.root(vec![stage.player("a"), stage.player("busy")]).await;
    assert!(stage.ask("busy", Order::WaitAtTheDoor).await);
    in_time("the end of the root", root.handle().shut_down(Duration::from_millis(10))).await;
    assert_eq!(in_time("the reason", root.ended()).await, StopReason::Ordered);
    assert_eq!(lock(&stage.ended).as_slice(), ["a"]);
    let stopped = stage.facts(&root_path().child("busy")).pop().expect("it has facts");
    assert!(stopped.why.starts_with("did not end in time"), "{stopped:?}");

    stage.door.add_permits(1);
    stage.actor("busy").wait(Some(DEADLINE)).await.expect("it ends by itself");
    assert_eq!(lock(&stage.ended).as_slice(), ["a", "busy"], "it came to its own end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_stopped_without_being_asked_still_stops_its_children_in_order() {
    let stage = Stage::new();
    let inner = stage.below(&root_path().child("inner"), vec![stage.player("b"), stage.player("c")]);
    let mut root = stage.root(vec![stage.player("a"), inner, stage.player("d")]).await;
    root.handle().cell().stop(None);
    assert_eq!(in_time("the reason", root.ended()).await, StopReason::Ordered);
    assert_eq!(lock(&stage.ended).as_slice(), ["d", "c", "b", "a"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_stopped_without_being_asked_kills_none_that_does_not_end_in_time() {
    let stage = Stage::with(Config { stop_timeout: Duration::from_millis(10), ..config() });
    let mut root = stage.root(vec![stage.player("a"), stage.player("busy")]).await;
    assert!(stage.ask("busy", Order::WaitAtTheDoor).await);
    root.handle().cell().stop(None);
    assert_eq!(in_time("the reason", root.ended()).await, StopReason::Ordered);
    assert_eq!(in_time("the reason once more", root.ended()).await, StopReason::Ordered);
    stage.door.add_permits(1);
    stage.actor("busy").wait(Some(DEADLINE)).await.expect("it ends by itself");
    assert_eq!(lock(&stage.ended).as_slice(), ["a", "busy"], "it came to its own end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_on_the_way_out_is_a_fact_but_no_reason_to_start_again() {
    let stage = Stage::new();
    let root = stage.root(vec![stage.player("a")]).await;
    // A closed door is an error in `post_stop`.
    stage.door.close();
    root.handle().start_child(stage.player_of("slow", Manner::Slow)).await.expect("its name is free");
    in_time("the end of slow", root.handle().stop_child("slow")).await;
    assert_eq!(stage.whats(&root_path().child("slow")), [Started, Crashed]);
    assert_eq!(stage.starts("slow"), 1);
}

fn stopped<const N: usize>(stage: &Stage, names: [&str; N]) -> usize {
    names.iter().filter(|name| stage.whats(&root_path().child(name)).last() == Some(&Stopped)).count()
}
