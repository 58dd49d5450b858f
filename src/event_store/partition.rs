//! Which log partition a key belongs to: Kafka's default partitioner, so that log and topic agree.

use sqlx::{PgExecutor, PgPool};

use crate::contracts::Position;

const HEADS: &str = include_str!("sql/heads.sql");
const CREATE_HEADS: &str = include_str!("sql/create_heads.sql");

/// Most partitions a log may have.
const MOST: u16 = 1024;

/// How many log partitions there are: fixed when the database is created, for moving one would move its streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partitions(u16);

/// Why a number of partitions cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PartitionError {
    /// Out of range.
    #[error("a log has 1 to {MOST} partitions, not {0}")]
    OutOfRange(i64),
    /// The log was created with another number.
    #[error(
        "the log has {recorded} partitions and cannot be given {asked}; leave --partitions out, or create a new database"
    )]
    Recorded {
        /// What the log has.
        recorded: u16,
        /// What was asked for.
        asked: u16,
    },
    /// No head rows.
    #[error("the log has no partitions yet; run `ordo migrate` first")]
    NotCreated,
    /// Head rows that are not 0..P-1.
    #[error("the log's heads are damaged: {found} rows, the last numbered {last}; restore log_head from a backup")]
    Damaged {
        /// How many rows there are.
        found: usize,
        /// The number of the last.
        last: i16,
    },
    /// Postgres did not answer.
    #[error("the log's heads could not be read")]
    Postgres(#[from] sqlx::Error),
}

impl Partitions {
    /// A log of `count` partitions.
    ///
    /// # Errors
    /// [`PartitionError::OutOfRange`] unless it is 1 to 1,024.
    pub fn new(count: i64) -> Result<Self, PartitionError> {
        u16::try_from(count)
            .ok()
            .filter(|count| (1..=MOST).contains(count))
            .map(Self)
            .ok_or(PartitionError::OutOfRange(count))
    }

    /// What the database was created with.
    ///
    /// # Errors
    /// [`PartitionError`] if there are none, they are damaged, or Postgres does not answer.
    pub async fn load(db: &PgPool) -> Result<Self, PartitionError> {
        let heads = heads(db).await?;
        let Some((last, _)) = heads.last() else {
            return Err(PartitionError::NotCreated);
        };
        if usize::try_from(*last).is_ok_and(|last| last + 1 == heads.len()) {
            Self::new(heads.len().try_into().unwrap_or(i64::MAX))
        } else {
            Err(PartitionError::Damaged { found: heads.len(), last: *last })
        }
    }

    /// How many.
    #[must_use]
    pub fn count(self) -> u16 {
        self.0
    }

    /// All of them.
    pub fn all(self) -> impl Iterator<Item = i16> + Clone {
        0..i16::try_from(self.0).expect("at most 1,024 partitions")
    }

    /// Where `key` belongs.
    #[must_use]
    pub fn of(self, key: &str) -> i16 {
        i16::try_from((murmur2(key.as_bytes()) & 0x7fff_ffff) % u32::from(self.0)).expect("at most 1,024 partitions")
    }
}

/// Head of each partition, in their order.
///
/// # Errors
/// What Postgres says.
pub async fn heads(db: &PgPool) -> sqlx::Result<Vec<(i16, Position)>> {
    sqlx::query_as(HEADS).fetch_all(db).await
}

/// Head of each partition, in their order, as the caller's transaction sees them.
///
/// # Errors
/// What Postgres says.
pub async fn head_positions(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<Position>> {
    let heads: Vec<(i16, Position)> = sqlx::query_as(HEADS).fetch_all(db).await?;
    Ok(heads.into_iter().map(|(_, position)| position).collect())
}

/// Gives a new log its partitions. A log that has them keeps them.
///
/// # Errors
/// [`PartitionError::Recorded`] if the log exists with another number.
pub async fn create_heads(db: &PgPool, asked: Option<u16>, default: u16) -> Result<Partitions, PartitionError> {
    let wanted = Partitions::new(asked.unwrap_or(default).into())?;
    sqlx::query(CREATE_HEADS).bind(i32::from(wanted.count())).execute(db).await?;
    let recorded = Partitions::load(db).await?;
    match asked {
        Some(asked) if asked != recorded.count() => Err(PartitionError::Recorded { recorded: recorded.count(), asked }),
        _ => Ok(recorded),
    }
}

/// Murmur 2 with Kafka's seed, as in `org.apache.kafka.common.utils.Utils.murmur2`.
fn murmur2(data: &[u8]) -> u32 {
    const SEED: u32 = 0x9747_b28c;
    const M: u32 = 0x5bd1_e995;
    const R: u32 = 24;
    let length = u32::try_from(data.len()).expect("a key is shorter than 4 GiB");
    let mut hash = SEED ^ length;
    let mut words = data.chunks_exact(4);
    for word in &mut words {
        let mut k = u32::from_le_bytes(word.try_into().expect("a chunk of four")).wrapping_mul(M);
        k ^= k >> R;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        for (i, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * i);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of Kafka's own `UtilsTest.testMurmur2`.
    #[test]
    fn placement_is_kafkas_own() {
        for (key, expected) in [
            ("21", -973_932_308_i32),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
        ] {
            assert_eq!(murmur2(key.as_bytes()).cast_signed(), expected, "{key}");
        }
        assert_eq!(murmur2(b"abc").cast_signed(), 479_470_107);
    }

    #[test]
    fn a_log_has_1_to_1024_partitions() {
        for bad in [0, -1, 1025, 100_000] {
            assert!(Partitions::new(bad).is_err(), "{bad}");
        }
        assert_eq!(Partitions::new(8).unwrap().all().collect::<Vec<_>>(), (0..8).collect::<Vec<_>>());
    }
}
