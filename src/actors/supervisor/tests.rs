use std::sync::{Mutex, PoisonError};

use tokio::sync::Semaphore;

use super::*;
use crate::supervision::{Fact, What};

mod endings;
mod restarts;

const DEADLINE: Duration = Duration::from_secs(10);

fn config() -> Config {
    Config {
        max_restarts: 2,
        backoff_min: Duration::from_millis(1),
        backoff_max: Duration::from_millis(4),
        ..Config::default()
    }
}

/// What a test sees and holds: every start and every orderly end, in order, and doors that actors wait at.
#[derive(Clone)]
struct Stage {
    history: History,
    started: Arc<Mutex<Vec<(String, ActorCell)>>>,
    ended: Arc<Mutex<Vec<String>>>,
    /// Opened by the test: what waits in `post_stop`, or in a message.
    door: Arc<Semaphore>,
    /// Who has come to the door in `post_stop`.
    at_the_door: Arc<Semaphore>,
    config: Config,
}

#[derive(Debug)]
enum Order {
    Crash(CauseClass),
    Panic,
    Finish,
    /// Answers first: a stop would overtake it while it still waits for its turn.
    WaitAtTheDoor(RpcReplyPort<()>),
    AreYouThere(RpcReplyPort<()>),
}

#[derive(Clone, Copy, PartialEq)]
enum Manner {
    Quick,
    /// Waits at the door when it is stopped.
    Slow,
}

struct Player {
    name: String,
    manner: Manner,
    stage: Stage,
}

impl Actor for Player {
    type Msg = Order;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Order>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(&self, me: ActorRef<Order>, order: Order, (): &mut ()) -> Result<(), ActorProcessingErr> {
        match order {
            Order::Crash(class) => return Err(Crash { class, source: "as it was told".into() }.into()),
            Order::Panic => panic!("as it was told"),
            Order::Finish => me.stop(Some(StopReason::Done.to_string())),
            Order::WaitAtTheDoor(reply) => {
                _ = reply.send(());
                self.stage.door.acquire().await?.forget();
            }
            Order::AreYouThere(reply) => _ = reply.send(()),
        }
        Ok(())
    }

    /// Not run for an actor that was killed.
    async fn post_stop(&self, _: ActorRef<Order>, (): &mut ()) -> Result<(), ActorProcessingErr> {
        if self.manner == Manner::Slow {
            self.stage.at_the_door.add_permits(1);
            self.stage.door.acquire().await?.forget();
        }
        lock(&self.stage.ended).push(self.name.clone());
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stage {
    fn new() -> Self {
        Self::with(config())
    }

    fn with(config: Config) -> Self {
        let history = History::new("test", config.facts_kept);
        let [door, at_the_door] = [0, 0].map(|none| Arc::new(Semaphore::new(none)));
        Self { history, started: Arc::default(), ended: Arc::default(), door, at_the_door, config }
    }

    fn player(&self, name: &str) -> ChildSpec {
        self.player_of(name, Manner::Quick)
    }

    fn player_of(&self, name: &str, manner: Manner) -> ChildSpec {
        let (stage, own_name) = (self.clone(), name.to_owned());
        ChildSpec::new(name, "player", move |above| {
            let player = Player { name: own_name.clone(), manner, stage: stage.clone() };
            async move {
                let (stage, name) = (player.stage.clone(), player.name.clone());
                let (actor, _) = Actor::spawn_linked(None, player, (), above).await?;
                lock(&stage.started).push((name, actor.get_cell()));
                Ok(actor.get_cell())
            }
        })
    }

    fn below(&self, path: &ActorPath, children: Vec<ChildSpec>) -> ChildSpec {
        ChildSpec::supervisor(self.arguments(path.clone(), children))
    }

    fn arguments(&self, path: ActorPath, children: Vec<ChildSpec>) -> Arguments {
        Arguments::new(path, children, &self.config, self.history.clone())
    }

    async fn root(&self, children: Vec<ChildSpec>) -> Root {
        start_root(self.arguments(root_path(), children)).await.expect("names are unique")
    }

    /// The actor that was started last under this name.
    fn actor(&self, name: &str) -> ActorCell {
        let started = lock(&self.started);
        started.iter().rev().find(|(other, _)| other == name).map(|(_, cell)| cell.clone()).expect("it was started")
    }

    fn starts(&self, name: &str) -> usize {
        lock(&self.started).iter().filter(|(other, _)| other == name).count()
    }

    fn tell(&self, name: &str, order: Order) {
        self.actor(name).send_message(order).expect("it runs");
    }

    async fn answers(&self, name: &str) -> bool {
        self.ask(name, Order::AreYouThere).await
    }

    async fn ask(&self, name: &str, order: fn(RpcReplyPort<()>) -> Order) -> bool {
        let actor: ActorRef<Order> = self.actor(name).into();
        actor.call(order, Some(DEADLINE)).await.is_ok_and(|answer| answer.is_success())
    }

    /// Waits until so many have come to the door in `post_stop`.
    async fn waiting_at_the_door(&self, many: u32) {
        self.at_the_door.acquire_many(many).await.expect("nobody closes it").forget();
    }

    fn facts(&self, path: &ActorPath) -> Vec<Fact> {
        let mut facts = self.history.recent(usize::MAX);
        facts.reverse();
        facts.retain(|fact| fact.path == *path);
        facts
    }

    fn whats(&self, path: &ActorPath) -> Vec<What> {
        self.facts(path).iter().map(|fact| fact.what).collect()
    }

    /// Waits until a fact makes it so.
    async fn until(&self, what: &str, condition: impl Fn() -> bool) {
        let mut recorded = self.history.recorded();
        let wait = async {
            loop {
                recorded.mark_unchanged();
                if condition() {
                    return;
                }
                recorded.changed().await.expect("the stage holds the history");
            }
        };
        let in_time = tokio::time::timeout(DEADLINE, wait).await;
        assert!(in_time.is_ok(), "never so: {what}; facts: {:#?}", self.history.recent(20));
    }
}

fn root_path() -> ActorPath {
    ActorPath::root("ordo")
}

/// What must come, but not for ever.
async fn in_time<T>(what: &str, wanted: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, wanted).await.unwrap_or_else(|_| panic!("never came: {what}"))
}
