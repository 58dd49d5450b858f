//! The headers of a letter's record on `dlq.<consumer>`.

use chrono::SecondsFormat;

use super::{DeadLetter, cut};
use crate::contracts::envelope;

/// What all names of ours begin with.
const OURS: &str = "dlq-";
/// Longest `dlq-error-message`, in bytes.
const MESSAGE_BYTES: usize = 1024;
/// Longest `dlq-error-chain`, in bytes.
const CHAIN_BYTES: usize = 4096;

impl DeadLetter {
    /// The original headers untouched, then ours; what the original had under one of our names is replaced.
    #[must_use]
    pub fn headers(&self) -> Vec<(String, Option<Vec<u8>>)> {
        let originals = self.header_names.iter().cloned().zip(self.header_values.iter().cloned());
        let mut headers: Vec<(String, Option<Vec<u8>>)> =
            originals.filter(|(name, _)| !name.starts_with(OURS)).collect();
        let ours = self.ours().into_iter().chain(self.known_only());
        headers.extend(ours.map(|(name, value)| (format!("{OURS}{name}"), Some(value.into_bytes()))));
        headers
    }

    fn ours(&self) -> Vec<(&'static str, String)> {
        let time = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(SecondsFormat::Micros, true);
        vec![
            ("id", self.id.to_string()),
            ("consumer", self.subscription.clone()),
            ("handler", self.subscription.clone()),
            ("build", self.build.clone()),
            ("original-topic", self.source.clone()),
            ("original-partition", self.partition.to_string()),
            ("original-offset", self.source_offset.to_string()),
            ("stage", self.stage.clone()),
            ("disposition", self.disposition().to_owned()),
            ("error-type", self.error_type.clone()),
            ("error-message", cut(&self.error, MESSAGE_BYTES).to_owned()),
            ("error-chain", cut(&self.error, CHAIN_BYTES).to_owned()),
            ("attempts", self.attempts.to_string()),
            ("first-failed-at", time(self.first_failed_at)),
            ("last-failed-at", time(self.last_failed_at)),
            ("fingerprint", self.fingerprint.clone()),
            ("replays", self.replays.to_string()),
            ("history", self.history.clone()),
        ]
    }

    /// Headers that a letter has only where what they say is known.
    fn known_only(&self) -> impl Iterator<Item = (&'static str, String)> {
        let time = self.source_time.map(|at| at.timestamp_millis().to_string());
        let sequence = self.stream_id.clone();
        [
            ("original-timestamp", time),
            ("original-timestamp-type", self.timestamp_type().map(str::to_owned)),
            ("sequence", sequence),
            ("trace-id", self.trace_id()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }

    /// Why it is here: by its class if that alone gives an event up, else because it was tried often enough.
    fn disposition(&self) -> &str {
        match self.class.as_str() {
            "transient" | "contended" | "conflict" | "gap" => "exhausted",
            class => class,
        }
    }

    /// The relay stamps a record with the time of its event: another time is the broker's own. Nothing is known of a
    /// record of somebody else.
    fn timestamp_type(&self) -> Option<&'static str> {
        self.event_id?;
        let recorded: chrono::DateTime<chrono::Utc> = self.original(envelope::TIME)?.parse().ok()?;
        let is_its_own = recorded.timestamp_millis() == self.source_time?.timestamp_millis();
        Some(if is_its_own { "CreateTime" } else { "LogAppendTime" })
    }

    /// The trace the event belongs to: the second part of a W3C `traceparent`.
    pub(in crate::subscription) fn trace_id(&self) -> Option<String> {
        let id = self.original("traceparent")?.split('-').nth(1)?;
        (id.len() == 32 && id.bytes().all(|digit| digit.is_ascii_hexdigit())).then(|| id.to_owned())
    }

    fn original(&self, name: &str) -> Option<&str> {
        let at = self.header_names.iter().position(|known| known == name)?;
        std::str::from_utf8(self.header_values.get(at)?.as_deref()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock;
    use crate::contracts::{Meta, RecordedEvent};
    use crate::subscription::attempts::Attempt;
    use crate::subscription::dead_letter::Verdict;
    use crate::subscription::{Delivered, Failure, Lane, Record};

    const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn lane() -> Lane {
        Lane { subscription: "inventory".to_owned(), source: "order.events".to_owned(), partition: 3 }
    }

    fn letter() -> DeadLetter {
        let now = clock::now();
        let event = RecordedEvent {
            partition: 3,
            position: 9,
            append_id: uuid::Uuid::nil(),
            stream_id: "order:7".to_owned(),
            version: 2,
            partition_key: "7".to_owned(),
            event_type: "order.confirmed".to_owned(),
            schema_version: 1,
            payload: "{}".to_owned(),
            meta: Meta { traceparent: Some(TRACE.to_owned()), ..Meta::default() }.to_json(),
            recorded_at: now,
        };
        let mut headers: Vec<(String, Option<Vec<u8>>)> = envelope::headers(&event, Some(0))
            .into_iter()
            .map(|(name, value)| (name.to_owned(), Some(value.into_bytes())))
            .collect();
        headers.push(("dlq-id".to_owned(), Some(b"of another life".to_vec())));
        headers.push(("x-absent".to_owned(), None));
        let record = Record { offset: 41, headers, time: Some(now), ..Record::default() };
        let delivered = Delivered { event_id: event.id(), event: Arc::new(event), record: Some(Arc::new(record)) };
        let failure = Failure::Panic { message: "ü".repeat(5_000), place: "src/x.rs:1".to_owned() };
        let attempt = Attempt { tries: 3, attempts: 3, deaths: 0, first_failed_at: now, last_failed_at: now };
        DeadLetter::of_event(clock::new_id(), &lane(), &delivered, Verdict::on(&failure, &lane(), &attempt))
    }

    fn values<'a>(headers: &'a [(String, Option<Vec<u8>>)], name: &str) -> Vec<&'a str> {
        let named = headers.iter().filter(|(known, _)| known == name);
        named.map(|(_, value)| std::str::from_utf8(value.as_deref().unwrap()).unwrap()).collect()
    }

    #[test]
    fn originals_stay_and_ours_are_there_once() {
        let letter = letter();
        let headers = letter.headers();
        let originals = letter.header_names.len() - 1;
        let theirs: Vec<&String> = headers[..originals].iter().map(|(name, _)| name).collect();
        assert_eq!(theirs, letter.header_names.iter().filter(|name| *name != "dlq-id").collect::<Vec<_>>());
        assert_eq!(headers[originals - 1], ("x-absent".to_owned(), None));
        for (name, value) in [
            ("dlq-id", letter.id.to_string().as_str()),
            ("dlq-consumer", "inventory"),
            ("dlq-handler", "inventory"),
            ("dlq-original-topic", "order.events"),
            ("dlq-original-partition", "3"),
            ("dlq-original-offset", "41"),
            ("dlq-original-timestamp-type", "CreateTime"),
            ("dlq-stage", "handle"),
            ("dlq-disposition", "panic"),
            ("dlq-error-type", "panic"),
            ("dlq-attempts", "3"),
            ("dlq-sequence", "order:7"),
            ("dlq-fingerprint", letter.fingerprint.as_str()),
            ("dlq-replays", "0"),
            ("dlq-history", "[]"),
            ("dlq-trace-id", "0af7651916cd43dd8448eb211c80319c"),
        ] {
            assert_eq!(values(&headers, name), [value], "{name}");
        }
        let at = letter.source_time.unwrap().timestamp_millis().to_string();
        assert_eq!(values(&headers, "dlq-original-timestamp"), [at]);
        let (message, chain) = (values(&headers, "dlq-error-message"), values(&headers, "dlq-error-chain"));
        assert!((1020..=1024).contains(&message[0].len()) && (4092..=4096).contains(&chain[0].len()));
    }

    #[test]
    fn of_a_foreign_record_nothing_is_invented() {
        let record = Record { offset: 5, time: Some(clock::now()), ..Record::default() };
        let reason = crate::subscription::admit::Foreign::Value("absent");
        let verdict = Verdict::on_foreign(&reason, &lane(), clock::now());
        let headers = DeadLetter::of_foreign(clock::new_id(), &lane(), &record, verdict).headers();
        for name in ["dlq-original-timestamp-type", "dlq-sequence", "dlq-trace-id"] {
            assert!(values(&headers, name).is_empty(), "{name}");
        }
        assert_eq!(values(&headers, "dlq-disposition"), ["poison"]);
    }

    #[test]
    fn retries_used_up_are_told_from_what_never_works() {
        for (class, disposition) in [("transient", "exhausted"), ("permanent", "permanent"), ("exhausted", "exhausted")]
        {
            let letter = DeadLetter { class: class.to_owned(), ..letter() };
            assert_eq!(letter.disposition(), disposition);
        }
    }
}
