//! The wires: cut, slow or half-open, for a few seconds; both servers run all the while.

use futures::future::BoxFuture;

use super::{Fault, Needs, Wound, seconds};
use crate::load::Chance;
use crate::storm::proxy::Weather;
use crate::storm::stage::Stage;

/// From 50 to 200 ms for every piece, each way.
pub fn slow(chance: &mut Chance) -> Weather {
    let least = chance.between(50, 100);
    Weather::Slow(least, least + chance.between(0, 100))
}

pub struct PostgresWire(pub &'static str, pub fn(&mut Chance) -> Weather);

impl Fault for PostgresWire {
    fn name(&self) -> &'static str {
        self.0
    }

    fn inject<'a>(&'a self, stage: &'a mut Stage, chance: &'a mut Chance) -> BoxFuture<'a, anyhow::Result<Wound>> {
        Box::pin(async move {
            let weather = (self.1)(chance);
            stage.to_postgres.set(weather);
            Ok(Wound::of(format!("{weather:?}"), seconds(chance, 2, 7)))
        })
    }

    fn heal<'a>(&'a self, stage: &'a mut Stage, _: &'a Wound) -> BoxFuture<'a, anyhow::Result<()>> {
        stage.to_postgres.set(Weather::Open);
        Box::pin(async { Ok(()) })
    }
}

pub struct KafkaWire(pub &'static str, pub fn(&mut Chance) -> Weather);

impl Fault for KafkaWire {
    fn name(&self) -> &'static str {
        self.0
    }

    fn needs(&self) -> Needs {
        Needs::KafkaProxy
    }

    fn inject<'a>(&'a self, stage: &'a mut Stage, chance: &'a mut Chance) -> BoxFuture<'a, anyhow::Result<Wound>> {
        Box::pin(async move {
            let weather = (self.1)(chance);
            stage.wire_to_kafka()?.set(weather);
            Ok(Wound::of(format!("{weather:?}"), seconds(chance, 2, 7)))
        })
    }

    fn heal<'a>(&'a self, stage: &'a mut Stage, _: &'a Wound) -> BoxFuture<'a, anyhow::Result<()>> {
        Box::pin(async { stage.wire_to_kafka().map(|proxy| proxy.set(Weather::Open)) })
    }
}
