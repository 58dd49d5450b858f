//! Consumers of another program, run against this system as `ordo serve` runs its own.

use super::roles::{Role, distinct};
use super::serve::{ServeError, run};
use crate::config::Config;
use crate::subscription::Listed;
use crate::{clock, consumers, ops};

/// Runs `consumers`, and nothing else of ordo, until SIGTERM or SIGINT or until they give up: on the Postgres and the Kafka
/// of `config`, supervised, with signs of life (`ordo nodes` shows their names as this process' roles), with dead letters
/// in `dlq.<name>`. A new name begins with the first event there is. More processes of one name share its partitions.
///
/// The operators' listener takes a free port, which `ordo nodes` tells, unless `ops.listen` is another than its default. It
/// is the one that knows these consumers: `ORDO_OPS_URL` lets `ordo consumers` and `ordo dlq` ask there.
/// Logging is the caller's affair: [`crate::telemetry::log::install`] does it as `ordo serve` would. What a consumer writes
/// it writes by `tx`, with the version of sqlx that ordo uses.
///
/// ```no_run
/// use ordo::contracts::topics;
/// use ordo::domain::UserId;
/// use ordo::subscription::{Consumer, Decisions, Failure, Received, Tx, listed, reads};
///
/// #[derive(Clone, Debug, PartialEq, serde::Deserialize)]
/// #[serde(rename_all = "camelCase")]
/// pub struct Confirmed {
///     user_id: UserId,
/// }
///
/// reads! {
///     enum Reads {
///         "order.confirmed" => Confirmed(Confirmed),
///     }
/// }
///
/// struct Loyalty;
///
/// impl Consumer for Loyalty {
///     const NAME: &'static str = "loyalty";
///     const TOPICS: &'static [&'static str] = &[topics::ORDER_EVENTS];
///     type Reads = Reads;
///
///     async fn handle(&self, batch: &[Received<Reads>], tx: &mut Tx<'_>) -> Result<Decisions, Failure> {
///         let mut users: Vec<&str> = Vec::new();
///         for Received { event: Reads::Confirmed(order), .. } in batch {
///             users.push(order.user_id.as_str());
///         }
///         sqlx::query("insert into orders_of (user_id) select unnest($1::text[])").bind(users).execute(&mut *tx.db).await?;
///         Ok(Decisions::new())
///     }
/// }
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let config = ordo::config::Config::load(None)?;
/// ordo::app::follow(config, vec![listed(Loyalty)]).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`ServeError`], each with what to do next. A name that one of ordo's own consumers has, or that was given twice, is
/// refused before anything is opened: both would be one Kafka group.
pub async fn follow(mut config: Config, consumers: Vec<Listed>) -> Result<(), ServeError> {
    // From here on it is up.
    _ = clock::up_for();
    if consumers.is_empty() {
        return Err(ServeError::Refused("no consumer was given; list at least one".to_owned()));
    }
    let everyone: Vec<Listed> = consumers::all().into_iter().chain(consumers.iter().cloned()).collect();
    distinct(&everyone)?;
    if config.ops.listen == ops::Config::default().listen {
        // That port is the service's, where both run on one machine.
        config.ops.listen.set_port(0);
    }
    let roles = consumers.iter().map(|listed| Role::Consumer(listed.name)).collect();
    run(config, roles, consumers).await
}
