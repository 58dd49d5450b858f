use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use What::{BackingOff, Crashed, Escalated, Restarted, Started, Stopped};

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_is_restarted_and_the_facts_say_so_in_order() {
    let stage = Stage::new();
    let _root = stage.root(vec![stage.player("a")]).await;
    let a = root_path().child("a");
    stage.tell("a", Order::Crash(CauseClass::Bug));
    stage.until("restarted", || stage.whats(&a).last() == Some(&Restarted)).await;
    stage.tell("a", Order::Crash(CauseClass::Poison));
    stage.until("restarted again", || stage.whats(&a).len() == 6).await;

    let facts = stage.facts(&a);
    let seen: Vec<_> = facts.iter().map(|fact| (fact.what, fact.cause, fact.budget_left)).collect();
    let (bug, poison) = (Some(CauseClass::Bug), Some(CauseClass::Poison));
    assert_eq!(
        seen,
        [
            (Started, None, Some(2)),
            (Crashed, bug, Some(1)),
            (Restarted, bug, Some(1)),
            (Crashed, poison, Some(0)),
            (BackingOff, poison, Some(0)),
            (Restarted, poison, Some(0)),
        ]
    );
    assert_eq!(facts[1].why, "failed: as it was told");
    assert_eq!(facts[4].backoff, Some(Duration::from_millis(1)));
    assert!(stage.answers("a").await);
    let tree = stage.history.tree();
    let node = tree.get(&a).expect("it has facts");
    assert_eq!((node.status, node.restarts, node.budget_left), (Status::Running, 2, Some(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_a_bug_and_any_other_error_too() {
    let stage = Stage::new();
    let _root = stage.root(vec![stage.player("a")]).await;
    let a = root_path().child("a");
    stage.tell("a", Order::Panic);
    stage.until("restarted", || stage.whats(&a).last() == Some(&Restarted)).await;
    let crash = &stage.facts(&a)[1];
    assert_eq!((crash.what, crash.cause, crash.why.as_str()), (Crashed, Some(CauseClass::Bug), "as it was told"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_actor_that_stopped_for_a_reason_nobody_knows_is_started_again() {
    let stage = Stage::new();
    let _root = stage.root(vec![stage.player("a")]).await;
    let a = root_path().child("a");
    stage.actor("a").stop(Some("somebody's own words".to_owned()));
    stage.until("restarted", || stage.whats(&a) == [Started, Crashed, Restarted]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_crashes_than_allowed_escalate_one_level_while_the_neighbours_keep_running() {
    let stage = Stage::new();
    let (left, right) = (root_path().child("left"), root_path().child("right"));
    let mut root = stage
        .root(vec![
            stage.below(&left, vec![stage.player("sibling"), stage.player("bad")]),
            stage.below(&right, vec![stage.player("neighbour")]),
        ])
        .await;
    let bad = left.child("bad");
    for crashes in 1..=3 {
        stage.tell("bad", Order::Crash(CauseClass::Bug));
        let running_again = || stage.starts("bad") == crashes + 1;
        stage.until("it runs again", running_again).await;
    }
    stage.until("left runs again", || stage.whats(&left).last() == Some(&Restarted)).await;

    assert_eq!(stage.whats(&left), [Started, Escalated, Crashed, Restarted]);
    assert!(stage.facts(&left)[1].why.starts_with("bad crashed more often than 2 times within 1m"));
    assert_eq!(stage.facts(&left)[2].cause, Some(CauseClass::Bug));
    assert_eq!(stage.whats(&left.child("sibling")), [Started, Stopped, Started]);
    assert_eq!(lock(&stage.ended).as_slice(), ["sibling"], "it was stopped, not killed");
    assert_eq!(stage.facts(&bad).last().map(|fact| (fact.what, fact.budget_left)), Some((Started, Some(2))));

    assert_eq!(stage.whats(&right), [Started]);
    assert_eq!(stage.whats(&right.child("neighbour")), [Started]);
    assert!(stage.answers("neighbour").await && stage.answers("bad").await && stage.answers("sibling").await);
    assert!(futures::FutureExt::now_or_never(root.ended()).is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_process_hears_when_the_top_gives_up() {
    let stage = Stage::with(Config { max_restarts: 0, ..config() });
    let mut root = stage.root(vec![stage.player("quiet"), stage.player("bad")]).await;
    stage.tell("bad", Order::Panic);
    let reason = in_time("the end of the root", root.ended()).await;
    assert!(matches!(&reason, StopReason::Escalated(why) if why.starts_with("bad crashed")), "{reason:?}");
    assert_eq!(lock(&stage.ended).as_slice(), ["quiet"]);
    assert_eq!(stage.whats(&root_path()), [Started, Escalated]);
    let tree = stage.history.tree();
    assert_eq!(tree.get(&root_path()).map(|node| node.status), Some(Status::Escalated));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dependency_that_is_down_never_escalates() {
    let stage = Stage::new();
    let _root = stage.root(vec![stage.player("a")]).await;
    let a = root_path().child("a");
    for crashes in 1..=20 {
        stage.tell("a", Order::Crash(CauseClass::DependencyDown));
        stage.until("it runs again", || stage.starts("a") == crashes + 1).await;
    }
    stage.until("the last restart is a fact", || stage.whats(&a).len() == 61).await;
    for fact in stage.facts(&a) {
        assert_eq!(fact.budget_left, Some(2), "{fact:?}");
        if let Some(pause) = fact.backoff {
            assert!(pause >= Duration::from_millis(1) && pause <= Duration::from_millis(4));
        }
    }
    assert_eq!(stage.whats(&root_path()), [Started]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_fails_is_a_crash_of_its_class_and_its_siblings_start_meanwhile() {
    let stage = Stage::new();
    let tries = Arc::new(AtomicU32::new(0));
    let (player, counted) = (stage.player("late"), tries.clone());
    let late = ChildSpec::new("late", "player", move |above| {
        let (start, tries) = (player.start.clone(), counted.clone());
        async move {
            if tries.fetch_add(1, Ordering::SeqCst) < 5 {
                return Err(SpawnErr::StartupFailed(Crash::dependency_down("no route to host").into()));
            }
            start(above).await
        }
    });
    let _root = stage.root(vec![late, stage.player("after")]).await;
    assert!(stage.answers("after").await);
    let path = root_path().child("late");
    stage.until("it runs", || stage.whats(&path).last() == Some(&Restarted)).await;
    assert_eq!(stage.whats(&path)[..4], [Crashed, BackingOff, Crashed, BackingOff]);
    assert_eq!(stage.facts(&path)[0].cause, Some(CauseClass::DependencyDown));
    assert_eq!(tries.load(Ordering::SeqCst), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_panics_or_never_ends_does_not_take_its_supervisor_along() {
    let stage = Stage::with(Config { start_timeout: Duration::from_millis(20), max_restarts: 0, ..config() });
    let hangs = ChildSpec::new("hangs", "player", |_| std::future::pending());
    let mut root = stage.root(vec![hangs, stage.player("a")]).await;
    let path = root_path().child("hangs");
    assert_eq!(stage.whats(&path)[..2], [Crashed, BackingOff]);
    assert_eq!(stage.facts(&path)[0].cause, Some(CauseClass::DependencyDown));
    assert_eq!(stage.facts(&path)[0].why, "did not start within 20ms");

    let panics = ChildSpec::new("panics", "player", |_| async { panic!("as it was told") });
    let refused = root.handle().start_child(panics).await;
    assert_eq!(refused, Err(StartRefused::Failed("its start function panicked".to_owned())));
    let reason = in_time("the end of the root", root.ended()).await;
    assert!(matches!(reason, StopReason::Escalated(_)));
    assert_eq!(lock(&stage.ended).as_slice(), ["a"], "it was stopped, not killed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_actor_left_over_by_a_start_that_failed_is_stopped() {
    let stage = Stage::new();
    let player = stage.player("a");
    let half = ChildSpec::new("half", "player", move |above| {
        let start = player.start.clone();
        async move {
            start(above).await?;
            Err(SpawnErr::StartupFailed(Crash::dependency_down("too late").into()))
        }
    });
    let root = stage.root(vec![half]).await;
    let first = lock(&stage.started)[0].1.clone();
    first.wait(Some(DEADLINE)).await.expect("it is stopped");
    in_time("the end of the root", root.handle().shut_down(DEADLINE)).await;
}
