//! One actor of the house in this process, under a supervisor, as `ordo serve` would run it.

use std::time::Duration;

use ordo::actors::supervisor::{Arguments, ChildSpec, Root, start_root};
use ordo::supervision::{ActorPath, Config, Fact, History, What};

pub struct Tree {
    root: Root,
    history: History,
}

impl Tree {
    /// Starts it; crashes are followed by pauses of milliseconds.
    pub async fn of(actor: ChildSpec) -> Self {
        let (least, most) = (Duration::from_millis(1), Duration::from_millis(50));
        let config = Config { backoff_min: least, backoff_max: most, ..Config::default() };
        let history = History::new("test", 100);
        let arguments = Arguments::new(ActorPath::root("ordo"), vec![actor], &config, history.clone());
        Self { root: start_root(arguments).await.unwrap(), history }
    }

    /// What crashed so far, newest first.
    pub fn crashes(&self) -> Vec<Fact> {
        let mut facts = self.history.recent(1_000);
        facts.retain(|fact| fact.what == What::Crashed);
        facts
    }

    /// Stops it in good order.
    pub async fn finish(self) {
        self.root.handle().shut_down(Duration::from_secs(10)).await;
    }
}
