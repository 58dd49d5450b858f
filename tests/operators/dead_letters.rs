use std::process::Stdio;

use ordo::ops::action::Refused;
use ordo::ops::actions::{DiscardDeadLetters, ReplayDeadLetters};
use ordo::subscription::letters::{self, Filter, State};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::process::Command;
use uuid::Uuid;

use super::asked;
use super::letterbox::{About, Letterbox};
use crate::support::TestApp;

fn of(consumer: &str) -> Filter {
    Filter { consumer: Some(consumer.to_owned()), state: Some(State::Open), ..Filter::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_are_found_by_what_they_are_and_grouped_by_their_cause() {
    let desk = Letterbox::create().await;
    let first = desk.write(About::stream("order:1", 1)).await;
    let second = desk.write(About::stream("order:2", 1)).await;
    let shipped = desk.write(About { event_type: "order.shipped", ..About::stream("order:2", 2) }).await;
    let other = desk.write(About { consumer: "notification", ..About::stream("order:1", 1) }).await;
    let foreign = desk.write_foreign().await;
    desk.park(first, "order:1", &[2, 3]).await;

    let found = async |filter: &Filter| -> Vec<Uuid> {
        letters::list(filter, 10, &desk.db).await.unwrap().into_iter().map(|line| line.letter_id).collect()
    };
    assert_eq!(found(&Filter::default()).await, [foreign, other, shipped, second, first], "newest first");
    assert_eq!(found(&of("notification")).await, [other]);
    assert_eq!(found(&Filter { event_type: Some("order.shipped".to_owned()), ..of("inventory") }).await, [shipped]);
    assert_eq!(found(&Filter { stream: Some("order:2".to_owned()), ..of("inventory") }).await, [shipped, second]);
    let lines = letters::list(&of("inventory"), 10, &desk.db).await.unwrap();
    let newest = lines[0].last_failed_at;
    assert_eq!(found(&Filter { since: Some(newest), ..of("inventory") }).await, [foreign]);
    assert_eq!(found(&Filter { until: Some(newest), ..of("inventory") }).await, [shipped, second, first]);
    let waiting: Vec<i32> = lines.iter().map(|line| line.waiting).collect();
    assert_eq!(waiting, [0, 0, 0, 2]);

    let groups = letters::groups(&of("inventory"), &desk.db).await.unwrap();
    let sizes: Vec<(i64, i64, i64)> =
        groups.iter().map(|group| (group.letters, group.streams, group.waiting)).collect();
    assert_eq!(sizes[0], (2, 2, 2), "{groups:?}");
    assert_eq!(sizes.len(), 3, "{groups:?}");
    let same = Filter { fingerprint: Some(groups[0].fingerprint.clone()), ..of("inventory") };
    assert_eq!(found(&same).await, [second, first]);

    let mut pages = Vec::new();
    let mut after = None;
    while let Some(last) = letters::export(&Filter::default(), after, 2, &desk.db).await.unwrap().into_iter().last() {
        after = Some(last.letter_id);
        pages.push(last.letter_id);
    }
    assert_eq!(pages, [second, other, foreign], "the last of each page, in the order they were written");
    desk.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_discarded_letter_lets_its_followers_go_on_behind_a_guard_that_has_passed_it() {
    let desk = Letterbox::create().await;
    let head = desk.write(About::stream("order:1", 2)).await;
    let alone = desk.write(About::stream("order:2", 1)).await;
    let foreign = desk.write_foreign().await;
    desk.park(head, "order:1", &[3, 4]).await;
    desk.park(alone, "order:2", &[]).await;
    let all = json!([head, alone, foreign]);

    let tried = json!({ "args": { "letterIds": all }, "reason": "cancelled", "dryRun": true });
    let tried = desk.wanted::<DiscardDeadLetters>(tried).await.unwrap();
    assert_eq!(tried["outcome"], json!({ "discarded": 3, "streams": 1, "followers": 2 }));
    assert_eq!(desk.one::<String>("select state from dead_letter where id = $1", head).await, "open");

    let done = desk.act::<DiscardDeadLetters>(json!({ "letterIds": all })).await.unwrap();
    assert_eq!(done["outcome"], tried["outcome"]);
    for letter in [head, alone, foreign] {
        let ended = "select state || ' by ' || ended_by || ': ' || ended_why from dead_letter where id = $1";
        assert_eq!(desk.one::<String>(ended, letter).await, "discarded by ada: mended");
    }
    let ledger = "select count(*) from processed_event join dead_letter using (event_id)
        where processed_event.state = 'discarded' and ($1::uuid is not null)";
    assert_eq!(desk.one::<i64>(ledger, head).await, 2);
    let guard =
        "select seen.version from stream_seen seen join dead_letter using (subscription, stream_id) where id = $1";
    assert_eq!((desk.one::<i32>(guard, head).await, desk.one::<i32>(guard, alone).await), (2, 1));
    let due = "select count(*) from parked_stream
        where stream_id = 'order:1' and letter_id is null and due_at <= clock_timestamp() and $1::uuid is not null";
    assert_eq!(desk.one::<i64>(due, head).await, 1, "its followers are due");
    let parked = "select count(*) from parked_stream where $1::uuid is not null";
    assert_eq!(desk.one::<i64>(parked, alone).await, 1, "nothing waits in the other stream, so it is parked no longer");

    let again = desk.act::<DiscardDeadLetters>(json!({ "letterIds": [head] })).await;
    assert!(matches!(again, Err(Refused::NotNow(_))), "{again:?}");
    desk.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guard_never_moves_back_for_a_discarded_letter() {
    let desk = Letterbox::create().await;
    let letter = desk.write(About::stream("order:1", 2)).await;
    sqlx::query("insert into stream_seen (subscription, stream_id, version) values ('inventory', 'order:1', 7)")
        .execute(&desk.owner)
        .await
        .unwrap();
    desk.act::<DiscardDeadLetters>(json!({ "letterIds": [letter] })).await.unwrap();
    let guard =
        "select seen.version from stream_seen seen join dead_letter using (subscription, stream_id) where id = $1";
    assert_eq!(desk.one::<i32>(guard, letter).await, 7);
    desk.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_and_everything_are_never_meant() {
    let desk = Letterbox::create().await;
    let letter = desk.write(About::stream("order:1", 1)).await;
    for (args, is_invalid) in [
        (json!({}), true),
        (json!({ "letterIds": [letter], "consumer": "inventory" }), true),
        (json!({ "letterIds": [Uuid::nil()] }), false),
        (json!({ "consumer": "nobody" }), false),
    ] {
        for refused in [
            desk.act::<DiscardDeadLetters>(args.clone()).await.unwrap_err(),
            desk.act::<ReplayDeadLetters>(args.clone()).await.unwrap_err(),
        ] {
            let is_as_expected = if is_invalid {
                matches!(refused, Refused::Invalid(_))
            } else {
                matches!(refused, Refused::NotFound(_))
            };
            assert!(is_as_expected, "{args}: {refused:?}");
        }
    }
    assert_eq!(desk.one::<String>("select state from dead_letter where id = $1", letter).await, "open");
    desk.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_shows_exports_and_discards_letters() {
    let mut app = TestApp::start_roles("http,relay").await;
    app.tolerates_dead_letters = true;
    let desk = Letterbox::of(&app.database);
    let letter = desk.write(About::stream("order:1", 1)).await;
    let foreign = desk.write_foreign().await;
    desk.park(letter, "order:1", &[2]).await;
    let id = letter.to_string();
    let ordo = async |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ordo"));
        command.args(words).env("ORDO_OPS_URL", &app.ops).stdin(Stdio::null()).kill_on_drop(true);
        let output = command.output().await.unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (good, listed, said) = ordo(&["dlq", "list", "--consumer", "inventory", "--since", "1h"]).await;
    assert!(good, "{said}");
    let (groups, letters) = (listed.find("groups (2)"), listed.find("letters (2)"));
    assert!(groups.is_some() && groups < letters && listed.contains(&id), "{listed}");

    let (good, shown, said) = ordo(&["dlq", "show", &id, "--json"]).await;
    assert!(good, "{said}");
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["payload"], json!({ "json": { "quantity": 0 } }));
    assert_eq!((&shown["waiting"], &shown["followers"][0]["eventType"]), (&json!(1), &json!("order.cancelled")));
    assert_eq!(shown["headers"], json!([{ "name": "ce_type", "value": { "text": "order.created" } }]));
    let (good, _, said) = ordo(&["dlq", "show", &Uuid::nil().to_string()]).await;
    assert!(!good && said.starts_with("ordo: 404 not_found"), "{said}");

    let (good, exported, said) = ordo(&["dlq", "export", "--limit", "1"]).await;
    assert!(good, "{said}");
    let exported: Vec<Value> = exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(exported.len(), 2);
    assert_eq!(exported[0]["payload"], json!({ "text": r#"{"quantity":0}"# }));
    assert_eq!(
        (&exported[1]["letterId"], &exported[1]["payload"]),
        (&json!(foreign), &json!({ "base64": "/yBydWJiaXNo" }))
    );

    let (good, _, said) = ordo(&["dlq", "discard", "--reason", "all of it"]).await;
    assert!(!good && said.contains("--consumer"), "{said}");
    let (good, done, said) = ordo(&["dlq", "discard", &id, "--reason", "cancelled by hand"]).await;
    assert!(good && done.contains("outcome.followers: 1"), "{said}{done}");
    let left = asked(&app, "dlq?eventType=order.created").await;
    assert_eq!((&left["letters"], &left["groups"]), (&json!([]), &json!([])));
    assert_eq!(asked(&app, "dlq?state=discarded&limit=5").await["letters"][0]["letterId"], json!(id));
    let misspelt = app.http.get(format!("{}/ops/v1/dlq?event_type=order.created", app.ops)).send().await.unwrap();
    assert_eq!(misspelt.status(), StatusCode::BAD_REQUEST);
    desk.finish().await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_touches_many_must_be_typed_and_another_number_than_it_touches_does_nothing() {
    let desk = Letterbox::create().await;
    for number in 0..51 {
        desk.write(About::stream(&format!("order:{number}"), 1)).await;
    }
    let one = desk.write(About { event_type: "order.confirmed", ..About::stream("order:one", 1) }).await;
    let dry = json!({ "args": { "eventType": "order.created" }, "reason": "a look", "dryRun": true });
    let many = desk.wanted::<DiscardDeadLetters>(dry).await.unwrap();
    assert_eq!((&many["touches"], &many["mustType"]), (&json!(51), &json!(true)), "{many}");
    let dry = json!({ "args": { "letterIds": [one] }, "reason": "a look", "dryRun": true });
    let few = desk.wanted::<DiscardDeadLetters>(dry).await.unwrap();
    assert_eq!((&few["touches"], &few["mustType"]), (&json!(1), &json!(false)), "{few}");
    let typed = |confirm: u32| json!({ "args": {}, "reason": "mended", "planId": many["planId"], "confirm": confirm });
    let refused = desk.wanted::<DiscardDeadLetters>(typed(50)).await.unwrap_err();
    assert!(matches!(&refused, Refused::NotNow(why) if why.contains("touches 51")), "{refused:?}");
    assert_eq!(desk.one::<String>("select state from dead_letter where id = $1", one).await, "open");
    let done = desk.wanted::<DiscardDeadLetters>(typed(51)).await.unwrap();
    assert_eq!(done["outcome"]["discarded"], 51, "a plan that was not done is still there: {done}");
    desk.finish().await;
}
