//! A TCP proxy between ordo and one server: open, slow, silent or cut, changed while it runs.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::load::Chance;

const BUFFER: usize = 16 * 1024;

/// What happens to bytes on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    Open,
    /// Every piece is late by so many milliseconds, from the first to the second.
    Slow(u64, u64),
    /// Half-open: connections stay and new ones are taken, and no byte passes. What was held back passes afterwards,
    /// when its sender may long have given it up.
    Silent,
    /// Connections are closed, and new ones at once.
    Cut,
}

pub struct Proxy {
    pub address: SocketAddr,
    weather: watch::Sender<Weather>,
    /// Ends with this.
    _task: JoinSet<()>,
}

impl Proxy {
    /// `listen` may have port 0.
    pub async fn start(listen: &str, to: String) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("the proxy cannot listen on {listen}: end what listens there"))?;
        let address = listener.local_addr()?;
        let (weather, forecast) = watch::channel(Weather::Open);
        let mut task = JoinSet::new();
        task.spawn(serve(listener, to, forecast));
        Ok(Self { address, weather, _task: task })
    }

    pub fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }
}

async fn serve(listener: TcpListener, to: String, weather: watch::Receiver<Weather>) {
    let mut connections = JoinSet::new();
    let mut number = 0;
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // Without a free handle there is no connection; whoever wanted one tries again.
                let Ok((client, _)) = accepted else { continue };
                number += 1;
                if *weather.borrow() != Weather::Cut {
                    connections.spawn(connect(client, to.clone(), weather.clone(), number));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connect(client: TcpStream, to: String, weather: watch::Receiver<Weather>, number: u64) {
    // Refused upstream is refused here: the client is dropped.
    let Ok(server) = TcpStream::connect(to).await else { return };
    // Delays are ours to make, not the kernel's.
    _ = (client.set_nodelay(true), server.set_nodelay(true));
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    // Whichever direction ends first ends both.
    tokio::select! {
        () = pump(from_client, to_server, weather.clone(), Chance::of(1, number)) => {}
        () = pump(from_server, to_client, weather, Chance::of(2, number)) => {}
    }
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut weather: watch::Receiver<Weather>,
    mut chance: Chance,
) {
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = tokio::select! {
            read = from.read(&mut buffer) => read,
            () = cut(&mut weather) => return,
        };
        let Ok(bytes @ 1..) = read else { return };
        let Ok(now) = weather.wait_for(|weather| *weather != Weather::Silent).await.map(|weather| *weather) else {
            return;
        };
        match now {
            Weather::Cut => return,
            Weather::Slow(least, most) => {
                tokio::time::sleep(Duration::from_millis(chance.between(least, most))).await;
            }
            Weather::Open | Weather::Silent => {}
        }
        if to.write_all(&buffer[..bytes]).await.is_err() {
            return;
        }
    }
}

async fn cut(weather: &mut watch::Receiver<Weather>) {
    // An error is the end of the proxy, which cuts as well.
    _ = weather.wait_for(|weather| *weather == Weather::Cut).await;
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tokio::time::timeout;

    use super::*;

    /// A server that answers every piece with itself.
    async fn echo() -> (JoinSet<()>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mut task = JoinSet::new();
        task.spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (mut from, mut to) = stream.split();
                _ = tokio::io::copy(&mut from, &mut to).await;
            }
        });
        (task, address)
    }

    async fn said_back(client: &mut TcpStream) -> bool {
        let mut answer = [0; 1];
        client.write_all(b"x").await.is_ok() && client.read_exact(&mut answer).await.is_ok()
    }

    const SHORT: Duration = Duration::from_millis(100);

    #[tokio::test]
    async fn a_silent_connection_stays_and_goes_on_afterwards() {
        let (_server, to) = echo().await;
        let proxy = Proxy::start("127.0.0.1:0", to).await.unwrap();
        let mut client = TcpStream::connect(proxy.address).await.unwrap();
        assert!(said_back(&mut client).await);
        proxy.set(Weather::Silent);
        client.write_all(b"y").await.unwrap();
        let mut answer = [0; 1];
        assert!(timeout(SHORT, client.read_exact(&mut answer)).await.is_err());
        proxy.set(Weather::Open);
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"y");
    }

    #[tokio::test]
    async fn a_cut_closes_connections_and_refuses_new_ones_until_it_heals() {
        let (_server, to) = echo().await;
        let proxy = Proxy::start("127.0.0.1:0", to).await.unwrap();
        let mut before = TcpStream::connect(proxy.address).await.unwrap();
        assert!(said_back(&mut before).await);
        proxy.set(Weather::Cut);
        assert_eq!(before.read(&mut [0; 1]).await.unwrap_or(0), 0);
        let mut meanwhile = TcpStream::connect(proxy.address).await.unwrap();
        assert!(!said_back(&mut meanwhile).await);
        proxy.set(Weather::Open);
        let mut after = TcpStream::connect(proxy.address).await.unwrap();
        assert!(said_back(&mut after).await);
    }

    #[tokio::test]
    async fn a_slow_connection_is_late_both_ways() {
        let (_server, to) = echo().await;
        let proxy = Proxy::start("127.0.0.1:0", to).await.unwrap();
        proxy.set(Weather::Slow(50, 60));
        let mut client = TcpStream::connect(proxy.address).await.unwrap();
        let began = Instant::now();
        assert!(said_back(&mut client).await);
        assert!(began.elapsed() >= SHORT, "{:?}", began.elapsed());
    }
}
