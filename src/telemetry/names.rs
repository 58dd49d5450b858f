//! Names of the metrics.

/// Actors started again, by kind and cause.
pub const ACTOR_RESTARTS_TOTAL: &str = "ordo_actor_restarts_total";
/// Actors that crashed, by kind and cause.
pub const ACTOR_CRASHES_TOTAL: &str = "ordo_actor_crashes_total";
/// Supervisors that gave up on a child, by cause.
pub const SUPERVISOR_ESCALATIONS_TOTAL: &str = "ordo_supervisor_escalations_total";
/// Supervision facts that never reached Postgres.
pub const SUPERVISION_FACTS_DROPPED_TOTAL: &str = "ordo_supervision_facts_dropped_total";
/// Supervision facts removed from Postgres because they were too old or too many.
pub const SUPERVISION_FACTS_PURGED_TOTAL: &str = "ordo_supervision_facts_purged_total";
/// Live mailboxes, by kind of actor.
pub const MAILBOXES: &str = "ordo_mailboxes";
/// Messages accepted and not finished, by kind of actor and lane: the permits in use.
pub const MAILBOX_DEPTH: &str = "ordo_mailbox_depth";
/// Age of the oldest message not finished, by kind of actor.
pub const MAILBOX_OLDEST_SECONDS: &str = "ordo_mailbox_oldest_seconds";
/// Messages handled, by kind of actor.
pub const MESSAGES_HANDLED_TOTAL: &str = "ordo_messages_handled_total";
/// Messages whose handling failed, or that were lost with their actor, by kind of actor.
pub const MESSAGES_FAILED_TOTAL: &str = "ordo_messages_failed_total";
/// Messages refused for want of a permit, by kind of actor.
pub const MESSAGES_REFUSED_TOTAL: &str = "ordo_messages_refused_total";
/// Time spent handling messages, in microseconds, by kind of actor.
pub const MESSAGES_BUSY_MICROSECONDS_TOTAL: &str = "ordo_messages_busy_microseconds_total";
/// Requests answered over REST, by route, method and status.
pub const HTTP_REQUESTS_TOTAL: &str = "ordo_http_requests_total";
/// Time to answer a request, by route.
pub const HTTP_REQUEST_SECONDS: &str = "ordo_http_request_seconds";
/// Commands accepted: what they decided is durable, by aggregate.
pub const COMMANDS_ACCEPTED_TOTAL: &str = "ordo_commands_accepted_total";
/// Commands not accepted, by aggregate and reason.
pub const COMMANDS_REFUSED_TOTAL: &str = "ordo_commands_refused_total";
/// Commits of the log made by writers.
pub const COMMITS_TOTAL: &str = "ordo_commits_total";
/// Events in those commits.
pub const COMMIT_EVENTS_TOTAL: &str = "ordo_commit_events_total";
/// Time a commit took.
pub const COMMIT_SECONDS: &str = "ordo_commit_seconds";
/// Appends that met another one of the same stream.
pub const APPEND_CONFLICTS_TOTAL: &str = "ordo_append_conflicts_total";
/// Batches sent again because their outcome was lost.
pub const APPEND_RESENT_TOTAL: &str = "ordo_append_resent_total";
/// Head of each log partition, as the relay knows it.
pub const LOG_HEAD: &str = "ordo_log_head_position";
/// Position up to which the relay's broker has acknowledged, by partition.
pub const RELAY_POSITION: &str = "ordo_relay_position";
/// Events of the log that are not on Kafka yet, by partition.
pub const RELAY_LAG: &str = "ordo_relay_lag_events";
/// Age of the oldest event that is not on Kafka yet, by partition.
pub const RELAY_LAG_SECONDS: &str = "ordo_relay_lag_seconds";
/// Records acknowledged by the broker, by topic.
pub const RELAY_RECORDS_TOTAL: &str = "ordo_relay_records_total";
/// Events published again to a topic that had lost them; by topic.
pub const RELAY_REPUBLISHED_TOTAL: &str = "ordo_relay_republished_total";
/// 1 while no broker answers this process, else 0.
pub const KAFKA_AWAY: &str = "ordo_kafka_away";
/// Times the relay had to begin anew from its checkpoint.
pub const RELAY_RESUMED_TOTAL: &str = "ordo_relay_resumed_total";
/// Events that took effect, by subscription.
pub const EVENTS_APPLIED_TOTAL: &str = "ordo_events_applied_total";
/// Events known already, by subscription and how they were known: position, ledger or guard.
pub const EVENTS_DUPLICATE_TOTAL: &str = "ordo_events_duplicate_total";
/// How often a subscription met a topic whose offsets begin anew; by subscription.
pub const TOPICS_MADE_AGAIN_TOTAL: &str = "ordo_topics_made_again_total";
/// Events that were missing in a topic and came from the log, by subscription.
pub const EVENTS_FILLED_TOTAL: &str = "ordo_events_filled_total";
/// Rows of the ledger forgotten because they were old enough.
pub const LEDGER_PURGED_TOTAL: &str = "ordo_ledger_purged_total";
/// Dead letters, by subscription and class.
pub const DEAD_LETTERS_TOTAL: &str = "ordo_dead_letters_total";
/// Batches that failed and were rolled back, by subscription and class.
pub const BATCHES_FAILED_TOTAL: &str = "ordo_batches_failed_total";
/// Time one transaction of a subscription took.
pub const BATCH_SECONDS: &str = "ordo_batch_seconds";
/// Records a subscription has not read yet, by partition.
pub const SUBSCRIPTION_LAG: &str = "ordo_subscription_lag_records";
/// Time between the append of the newest applied event and its being applied, by subscription and partition.
pub const SUBSCRIPTION_DELAY_SECONDS: &str = "ordo_subscription_delay_seconds";
/// Answers to commands of consumers, by subscription, command and outcome.
pub const CONSUMER_COMMANDS_TOTAL: &str = "ordo_consumer_commands_total";
/// Alarms raised, by code.
pub const ALARMS_TOTAL: &str = "ordo_alarms_total";
