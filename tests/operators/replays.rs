use ordo::ops::action::Refused;
use ordo::ops::actions::{DiscardDeadLetters, ReplayDeadLetters, StopReplay};
use ordo::subscription::Failure;
use ordo::subscription::replay::{self, Due};
use serde_json::{Value, json};
use uuid::Uuid;

use super::letterbox::{About, Letterbox};

/// What the parked worker does when the letter took effect, its effect left out.
async fn carry_out(desk: &Letterbox, due: &Due) -> bool {
    let mut tx = desk.db.begin().await.unwrap();
    sqlx::query("update dead_letter set state = 'resolved' where id = $1")
        .bind(due.letter_id)
        .execute(&mut *tx)
        .await
        .unwrap();
    let is_done = replay::done(due.replay_id, due.ordinal, &mut tx).await.unwrap();
    if is_done {
        tx.commit().await.unwrap()
    } else {
        tx.rollback().await.unwrap()
    }
    is_done
}

async fn next(desk: &Letterbox) -> Option<Due> {
    replay::next("inventory", &desk.db).await.unwrap()
}

async fn progress(desk: &Letterbox) -> Value {
    let replays = replay::list(Some("inventory"), 10, &desk.db).await.unwrap();
    serde_json::to_value(replays).unwrap()
}

fn refused(refused: Result<Value, Refused>) -> String {
    match refused {
        Err(Refused::Invalid(why) | Refused::NotNow(why) | Refused::NotFound(why)) => why,
        other => panic!("it should be refused: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_letters_of_a_replay_are_frozen_when_it_is_planned_and_go_in_stream_order() {
    let desk = Letterbox::create().await;
    // Written in no order: a stream's later letter first, streams interleaved.
    let second = desk.write(About::stream("order:b", 5)).await;
    let other = desk.write(About::stream("order:a", 1)).await;
    let head = desk.write(About::stream("order:b", 3)).await;
    let wanted = json!({ "args": { "consumer": "inventory" }, "reason": "fixed", "dryRun": true });
    let tried = desk.wanted::<ReplayDeadLetters>(wanted).await.unwrap();
    assert_eq!(
        tried["plan"]["letterIds"],
        json!([head, second, other]),
        "the stream with the oldest letter, head first"
    );
    assert_eq!(progress(&desk).await, json!([]), "a dry run asks for nothing");

    let late = desk.write(About::stream("order:c", 1)).await;
    let plan = json!({ "args": { "consumer": "inventory" }, "reason": "fixed", "planId": tried["planId"] });
    let done = desk.wanted::<ReplayDeadLetters>(plan).await.unwrap();
    assert_eq!(done["outcome"]["replayId"], tried["plan"]["replayId"], "the id the dry run has told");
    assert_eq!(done["outcome"]["letters"], 3, "what came after the plan is not part of it");
    assert_eq!(done["outcome"]["seconds"].as_f64().map(|s| (s * 10.0).round()), Some(3.0));

    let mut gone = Vec::new();
    while let Some(due) = next(&desk).await {
        assert!(carry_out(&desk, &due).await);
        gone.push(due.letter_id);
    }
    assert_eq!(gone, [head, second, other]);
    assert_eq!(desk.one::<String>("select state from dead_letter where id = $1", late).await, "open");
    let ended = &progress(&desk).await[0];
    assert_eq!((&ended["state"], &ended["done"], &ended["applied"]), (&json!("done"), &json!(3), &json!(3)));
    assert!(ended["endedAt"].is_string() && ended["secondsLeft"].is_null(), "{ended}");
    desk.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_whose_letter_has_ended_meanwhile_is_refused() {
    let desk = Letterbox::create().await;
    let letters = [desk.write(About::stream("order:1", 1)).await, desk.write(About::stream("order:2", 1)).await];
    let args = json!({ "letterIds": letters });
    let tried =
        desk.wanted::<ReplayDeadLetters>(json!({ "args": args, "reason": "fixed", "dryRun": true })).await.unwrap();
    desk.act::<DiscardDeadLetters>(json!({ "letterIds": [letters[1]] })).await.unwrap();
    let plan = json!({ "args": args, "reason": "fixed", "planId": tried["planId"] });
    let why = refused(desk.wanted::<ReplayDeadLetters>(plan).await);
    assert!(why.contains(&letters[1].to_string()), "{why}");
    assert_eq!(progress(&desk).await, json!([]));
    desk.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_is_kept_beside_the_payload_and_refused_where_it_does_not_fit() {
    let desk = Letterbox::create().await;
    let fits = desk.write(About::stream("order:1", 1)).await;
    let unfit = desk.write(About { payload: r#"{"items":[]}"#, ..About::stream("order:2", 1) }).await;
    let patch = json!([{ "op": "replace", "path": "/quantity", "value": 2 }]);
    let why = refused(desk.act::<ReplayDeadLetters>(json!({ "letterIds": [fits, unfit], "patch": patch })).await);
    assert!(why.contains(&unfit.to_string()) && !why.contains(&fits.to_string()), "{why}");
    let no_patch = json!([{ "op": "invent", "path": "/quantity" }]);
    let why = refused(desk.act::<ReplayDeadLetters>(json!({ "letterIds": [fits], "patch": no_patch })).await);
    assert!(why.contains("no JSON patch"), "{why}");
    assert_eq!(desk.one::<Option<String>>("select patch from dead_letter where id = $1", fits).await, None);

    desk.act::<ReplayDeadLetters>(json!({ "letterIds": [fits], "patch": patch })).await.unwrap();
    let due = next(&desk).await.expect("it is its turn");
    assert_eq!(serde_json::from_str::<Value>(&due.patch.unwrap()).unwrap(), patch);
    let kept: Vec<u8> = desk.one("select payload from dead_letter where id = $1", fits).await;
    assert_eq!(kept, br#"{"quantity":0}"#);
    desk.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_go_is_refused_with_the_reason() {
    let desk = Letterbox::create().await;
    let letter = desk.write(About::stream("order:1", 1)).await;
    let other = desk.write(About { consumer: "notification", ..About::stream("order:1", 1) }).await;
    let foreign = desk.write_foreign().await;
    for (args, reason) in [
        (json!({ "letterIds": [letter, foreign] }), foreign.to_string()),
        (json!({ "consumer": "inventory" }), foreign.to_string()),
        (json!({ "letterIds": [letter, other] }), "inventory and notification".to_owned()),
        (json!({ "letterIds": [letter], "perSecond": 0.01 }), "0.1 to 1000".to_owned()),
    ] {
        let why = refused(desk.act::<ReplayDeadLetters>(args.clone()).await);
        assert!(why.contains(&reason), "{args}: {why}");
    }
    let done = desk.act::<ReplayDeadLetters>(json!({ "letterIds": [letter] })).await.unwrap();
    let why = refused(desk.act::<ReplayDeadLetters>(json!({ "letterIds": [letter] })).await);
    assert!(why.contains(done["outcome"]["replayId"].as_str().unwrap()), "it is on its way already: {why}");
    desk.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_that_have_ended_by_other_means_are_passed_over_and_a_letter_is_done_once() {
    let desk = Letterbox::create().await;
    let mut letters = Vec::new();
    for number in 1..=4 {
        letters.push(desk.write(About::stream(&format!("order:{number}"), 1)).await);
    }
    desk.act::<ReplayDeadLetters>(json!({ "letterIds": letters })).await.unwrap();
    desk.act::<DiscardDeadLetters>(json!({ "letterIds": [letters[0], letters[2], letters[3]] })).await.unwrap();
    let due = next(&desk).await.expect("one is left");
    assert_eq!((due.letter_id, due.ordinal), (letters[1], 2));
    assert_eq!(next(&desk).await.as_ref(), Some(&due), "until it is done it is its turn, whoever asks");

    // A process that dies before the commit has done nothing.
    let mut tx = desk.db.begin().await.unwrap();
    assert!(replay::done(due.replay_id, due.ordinal, &mut tx).await.unwrap());
    tx.rollback().await.unwrap();
    assert_eq!(next(&desk).await.as_ref(), Some(&due));
    assert!(carry_out(&desk, &due).await);
    assert!(!carry_out(&desk, &due).await, "another process that took the same letter must roll back");
    assert_eq!(next(&desk).await, None);
    let ended = &progress(&desk).await[0];
    assert_eq!(
        (&ended["state"], &ended["done"], &ended["applied"], &ended["skipped"]),
        (&json!("done"), &json!(4), &json!(1), &json!(3))
    );
    desk.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_whose_letters_have_all_ended_ends_too() {
    let desk = Letterbox::create().await;
    let letter = desk.write(About::stream("order:1", 1)).await;
    desk.act::<ReplayDeadLetters>(json!({ "letterIds": [letter] })).await.unwrap();
    desk.act::<DiscardDeadLetters>(json!({ "letterIds": [letter] })).await.unwrap();
    assert_eq!(next(&desk).await, None);
    assert_eq!(progress(&desk).await[0]["state"], "done");
    desk.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rate_is_counted_from_the_rows_and_so_holds_across_processes() {
    let desk = Letterbox::create().await;
    for number in 1..=4 {
        desk.write(About::stream(&format!("order:{number}"), 1)).await;
    }
    // Five in two seconds: three, and 1.2 s between a letter and the third after it.
    desk.act::<ReplayDeadLetters>(json!({ "consumer": "inventory", "perSecond": 2.5 })).await.unwrap();
    for _ in 0..3 {
        let due = next(&desk).await.expect("the first three go at once");
        assert!(carry_out(&desk, &due).await);
    }
    // The tests' clock is what the rows say: the three are set to have gone just now, then longer ago.
    let gone = async |seconds: f64| {
        sqlx::query("update replay_letter set done_at = clock_timestamp() - make_interval(secs => $1) where done_at is not null")
            .bind(seconds)
            .execute(&desk.owner)
            .await
            .unwrap();
    };
    gone(-60.0).await;
    assert_eq!(next(&desk).await, None);
    gone(1.3).await;
    assert!(next(&desk).await.is_some());
    desk.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_letter_ends_its_replay_and_keeps_what_happened() {
    let desk = Letterbox::create().await;
    let letters = [desk.write(About::stream("order:1", 1)).await, desk.write(About::stream("order:2", 1)).await];
    sqlx::query("update dead_letter set published = true").execute(&desk.owner).await.unwrap();
    for number in 1..=6 {
        desk.act::<ReplayDeadLetters>(json!({ "letterIds": letters })).await.unwrap();
        let due = next(&desk).await.unwrap();
        let failure = Failure::permanent(format!("still broken, {number}"));
        assert!(replay::fail(&due, &failure, &desk.db).await.unwrap());
        assert!(!replay::fail(&due, &failure, &desk.db).await.unwrap(), "told once");
        assert_eq!(next(&desk).await, None);
        assert!(!carry_out(&desk, &due).await, "it has ended");
    }
    let replays = progress(&desk).await;
    assert_eq!(replays.as_array().unwrap().len(), 6);
    let why = replays[0]["endedWhy"].as_str().unwrap();
    assert!(
        replays[0]["state"] == "failed" && why.contains("still broken, 6") && why.contains(&letters[0].to_string())
    );
    let (letter, _) = ordo::subscription::letters::detail(letters[0], &desk.db).await.unwrap().unwrap();
    assert_eq!((letter.state.as_str(), letter.replays, letter.attempts), ("open", 6, 7));
    assert!(!letter.published, "its topic learns of it");
    let errors: Vec<bool> =
        letter.history.iter().zip(2..).map(|(later, number)| later.error.ends_with(&format!(", {number}"))).collect();
    assert_eq!(errors, [true; 5], "the newest five: {:?}", letter.history);
    assert!(desk.one::<bool>("select published and replays = 0 from dead_letter where id = $1", letters[1]).await);
    desk.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_replay_leaves_the_rest_open_and_the_next_one_goes_on() {
    let desk = Letterbox::create().await;
    let letters = [desk.write(About::stream("order:1", 1)).await, desk.write(About::stream("order:2", 1)).await];
    let done = desk.act::<ReplayDeadLetters>(json!({ "letterIds": letters })).await.unwrap();
    let replay_id = &done["outcome"]["replayId"];
    let first = next(&desk).await.unwrap();
    assert!(carry_out(&desk, &first).await);
    let second = next(&desk).await.unwrap();
    let stopped = desk.act::<StopReplay>(json!({ "replayId": replay_id })).await.unwrap();
    assert_eq!(stopped["outcome"], json!({ "done": 1, "left": 1 }));
    assert!(!carry_out(&desk, &second).await, "what was under way must be rolled back");
    assert_eq!(next(&desk).await, None);
    let ended = progress(&desk).await[0].clone();
    assert_eq!((&ended["state"], &ended["endedWhy"]), (&json!("stopped"), &json!("ada: mended")));
    let why = refused(desk.act::<StopReplay>(json!({ "replayId": replay_id })).await);
    assert!(why.contains("stopped"), "{why}");
    let missing = desk.act::<StopReplay>(json!({ "replayId": Uuid::nil() })).await;
    assert!(matches!(missing, Err(Refused::NotFound(_))), "{missing:?}");
    desk.act::<ReplayDeadLetters>(json!({ "letterIds": [letters[1]] })).await.unwrap();
    assert_eq!(next(&desk).await.map(|due| due.letter_id), Some(letters[1]));
    desk.finish().await;
}
