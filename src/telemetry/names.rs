//! Names of the metrics: every one of them, so that what rules and dashboards name can be held against it.

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident = $value:literal;)+) => {
        $($(#[$doc])* pub const $name: &str = $value;)+

        /// Every name. A histogram is scraped as `<name>_bucket`, `<name>_sum` and `<name>_count`.
        pub const ALL: &[&str] = &[$($value),+];
    };
}

names! {
    /// Actors started again, by kind and cause.
    ACTOR_RESTARTS_TOTAL = "ordo_actor_restarts_total";
    /// Actors that crashed, by kind and cause.
    ACTOR_CRASHES_TOTAL = "ordo_actor_crashes_total";
    /// Pauses before a crashed actor is started again, by kind and cause.
    ACTOR_BACKOFFS_TOTAL = "ordo_actor_backoffs_total";
    /// Supervisors that gave up on a child, by cause.
    SUPERVISOR_ESCALATIONS_TOTAL = "ordo_supervisor_escalations_total";
    /// Supervision facts that never reached Postgres.
    SUPERVISION_FACTS_DROPPED_TOTAL = "ordo_supervision_facts_dropped_total";
    /// Live mailboxes, by kind of actor.
    MAILBOXES = "ordo_mailboxes";
    /// Messages accepted and not finished, by kind of actor and lane: the permits in use.
    MAILBOX_DEPTH = "ordo_mailbox_depth";
    /// Age of the oldest message not finished, by kind of actor.
    MAILBOX_OLDEST_SECONDS = "ordo_mailbox_oldest_seconds";
    /// Messages handled, by kind of actor.
    MESSAGES_HANDLED_TOTAL = "ordo_messages_handled_total";
    /// Messages whose handling failed, or that were lost with their actor, by kind of actor.
    MESSAGES_FAILED_TOTAL = "ordo_messages_failed_total";
    /// Messages refused for want of a permit, by kind of actor.
    MESSAGES_REFUSED_TOTAL = "ordo_messages_refused_total";
    /// Time spent handling messages, in microseconds, by kind of actor.
    MESSAGES_BUSY_MICROSECONDS_TOTAL = "ordo_messages_busy_microseconds_total";
    /// Requests answered over REST, by route, method and status.
    HTTP_REQUESTS_TOTAL = "ordo_http_requests_total";
    /// Time to answer a request, by route and method.
    HTTP_REQUEST_SECONDS = "ordo_http_request_seconds";
    /// Commands accepted: what they decided is durable, by aggregate.
    COMMANDS_ACCEPTED_TOTAL = "ordo_commands_accepted_total";
    /// Commands not accepted, by aggregate and reason.
    COMMANDS_REFUSED_TOTAL = "ordo_commands_refused_total";
    /// Commits of the log made by writers.
    COMMITS_TOTAL = "ordo_commits_total";
    /// Events in those commits.
    COMMIT_EVENTS_TOTAL = "ordo_commit_events_total";
    /// Time a commit took.
    COMMIT_SECONDS = "ordo_commit_seconds";
    /// Events of one commit: how well appends are gathered.
    COMMIT_BATCH_EVENTS = "ordo_commit_batch_events";
    /// Wait of the oldest append of a batch until the batch sets out, by writer.
    APPEND_WAIT_SECONDS = "ordo_append_wait_seconds";
    /// Appends that met another one of the same stream.
    APPEND_CONFLICTS_TOTAL = "ordo_append_conflicts_total";
    /// Batches sent again because their outcome was lost.
    APPEND_RESENT_TOTAL = "ordo_append_resent_total";
    /// Head of each log partition.
    LOG_HEAD = "ordo_log_head_position";
    /// Position up to which the broker has acknowledged, as the relay's checkpoint says, by partition.
    RELAY_POSITION = "ordo_relay_position";
    /// Events of the log that are not on Kafka yet, by partition.
    RELAY_LAG = "ordo_relay_lag_events";
    /// Age of the oldest event that is not on Kafka yet, by partition.
    RELAY_LAG_SECONDS = "ordo_relay_lag_seconds";
    /// Records acknowledged by the broker, by topic.
    RELAY_RECORDS_TOTAL = "ordo_relay_records_total";
    /// Times the relay had to begin anew from its checkpoint.
    RELAY_RESUMED_TOTAL = "ordo_relay_resumed_total";
    /// Events that took effect, by subscription.
    EVENTS_APPLIED_TOTAL = "ordo_events_applied_total";
    /// Events known already, by subscription and how they were known: position, ledger or guard.
    EVENTS_DUPLICATE_TOTAL = "ordo_events_duplicate_total";
    /// Events that were missing in a topic and came from the log, by subscription.
    EVENTS_FILLED_TOTAL = "ordo_events_filled_total";
    /// Dead letters, by subscription and class.
    DEAD_LETTERS_TOTAL = "ordo_dead_letters_total";
    /// Streams set aside because their event could not be applied now, by subscription and class.
    STREAMS_PARKED_TOTAL = "ordo_streams_parked_total";
    /// Batches that failed and were rolled back, by subscription and class.
    BATCHES_FAILED_TOTAL = "ordo_batches_failed_total";
    /// Time one transaction of a subscription took.
    BATCH_SECONDS = "ordo_batch_seconds";
    /// What a subscription has not applied yet, by partition: records of a topic, events of the log.
    SUBSCRIPTION_LAG = "ordo_subscription_lag_records";
    /// Time between the append of an event and its being applied, for the newest applied, by subscription and partition.
    SUBSCRIPTION_DELAY_SECONDS = "ordo_subscription_delay_seconds";
    /// Age of the oldest event a subscription has at hand and not applied, by partition; 0 when it has all there is.
    SUBSCRIPTION_LAG_SECONDS = "ordo_subscription_lag_seconds";
    /// Answers to commands of consumers, by subscription, command and outcome.
    CONSUMER_COMMANDS_TOTAL = "ordo_consumer_commands_total";
    /// Alarms raised, by code.
    ALARMS_TOTAL = "ordo_alarms_total";
    /// Whether an alarm stands in this process, by code: 0 or 1.
    ALARM_STANDING = "ordo_alarm_standing";
    /// Whether Postgres answers this process: 0 or 1. While it is 0, what is read from Postgres stands still.
    POSTGRES_REACHABLE = "ordo_postgres_reachable";
    /// Age of the oldest transaction of the database, whoever holds it: beyond 5 s it slows every append.
    POSTGRES_OLDEST_TRANSACTION_SECONDS = "ordo_postgres_oldest_transaction_seconds";
    /// Connections of the shared pool, by state: `used`, `idle`, or `limit`, the most there may be.
    POSTGRES_POOL_CONNECTIONS = "ordo_postgres_pool_connections";
    /// Spans handed to the OTLP collector.
    TRACE_SPANS_SENT_TOTAL = "ordo_trace_spans_sent_total";
    /// Spans given up, by reason: `queue_full`, or `not_taken` by the collector.
    TRACE_SPANS_DROPPED_TOTAL = "ordo_trace_spans_dropped_total";
    /// 1 while no broker answers this process, else 0.
    KAFKA_AWAY = "ordo_kafka_away";
    /// Rows of the ledger forgotten because they were old enough.
    LEDGER_PURGED_TOTAL = "ordo_ledger_purged_total";
    /// Events published again to a topic that had lost them; by topic.
    RELAY_REPUBLISHED_TOTAL = "ordo_relay_republished_total";
    /// Supervision facts removed from Postgres because they were too old or too many.
    SUPERVISION_FACTS_PURGED_TOTAL = "ordo_supervision_facts_purged_total";
    /// How often a subscription met a topic whose offsets begin anew; by subscription.
    TOPICS_MADE_AGAIN_TOTAL = "ordo_topics_made_again_total";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::ALL;

    #[test]
    fn a_name_is_ours_and_given_once() {
        assert_eq!(ALL.iter().collect::<BTreeSet<_>>().len(), ALL.len());
        for name in ALL {
            let is_fit = name.bytes().all(|c| c.is_ascii_lowercase() || c == b'_');
            assert!(name.starts_with("ordo_") && is_fit, "{name}");
        }
    }

    fn read(path: &str) -> String {
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect(path)
    }

    /// Every name of ours in a text, as scraped.
    fn named(text: &str) -> BTreeSet<&str> {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        words.filter(|word| word.starts_with("ordo_")).collect()
    }

    fn is_known(scraped: &str) -> bool {
        let of_histogram = ["_bucket", "_sum", "_count"].iter().filter_map(|part| scraped.strip_suffix(part));
        ALL.contains(&scraped) || of_histogram.into_iter().any(|name| ALL.contains(&name))
    }

    #[test]
    fn rules_and_dashboard_use_only_names_there_are() {
        for (path, least) in [("docker/prometheus/rules.yml", 10), ("docker/grafana/ordo.json", 20)] {
            let text = read(path);
            let names = named(&text);
            assert!(names.len() >= least, "{path} names only {names:?}");
            let unknown: Vec<_> = names.into_iter().filter(|name| !is_known(name)).collect();
            assert!(unknown.is_empty(), "{path} names {unknown:?}, which /metrics does not have");
        }
    }

    #[test]
    fn a_name_there_is_not_is_found_in_an_expression() {
        let text = "sum(rate(ordo_commits_total[1m])) / ordo_commit_seconds_count > ordo_no_such{a=\"b\"}";
        let unknown: Vec<_> = named(text).into_iter().filter(|name| !is_known(name)).collect();
        assert_eq!(unknown, ["ordo_no_such"]);
    }

    #[test]
    fn every_alert_names_a_page_that_is_there() {
        let rules = read("docker/prometheus/rules.yml");
        let pages: Vec<_> = rules.lines().filter_map(|line| line.trim().strip_prefix("runbook_url: ")).collect();
        assert_eq!(pages.len(), rules.matches("- alert: ").count(), "each alert has one page");
        for page in pages {
            let (path, part) = page.split_once('#').map_or((page, None), |(path, part)| (path, Some(part)));
            if path.contains("{{ $labels.code }}") {
                continue; // Each code has its page, which the alarms' own test holds.
            }
            let text = read(path);
            let anchor = |line: &str| line.strip_prefix("## ").map(|title| title.to_lowercase().replace(' ', "-"));
            assert!(part.is_none_or(|part| text.lines().filter_map(anchor).any(|title| title == part)), "{page}");
        }
    }
}
