//! A wire to Postgres that breaks where a test says: before a connection stands, or between a commit and its answer.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use sqlx::PgPool;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What becomes of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is closed before anything is said.
    Refused,
    /// It is closed instead of bringing the first answer after the log has events.
    AnswerLost,
}

pub struct Wire {
    pub port: u16,
    fates: Arc<Mutex<VecDeque<Fate>>>,
    _carrier: JoinSet<()>,
}

impl Wire {
    /// A wire to `server`, whose log `db` looks at. Connections meet `fates` in turn; all further ones are whole.
    pub async fn to(server: (String, u16), db: PgPool, fates: &[Fate]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let fates = Arc::new(Mutex::new(fates.iter().copied().collect::<VecDeque<_>>()));
        let ahead = Arc::clone(&fates);
        let mut carrier = JoinSet::new();
        carrier.spawn(async move {
            // A writer has one connection at a time.
            while let Ok((client, _)) = listener.accept().await {
                let fate = ahead.lock().unwrap().pop_front();
                if fate != Some(Fate::Refused) {
                    let cut = fate.map(|_| &db);
                    carry(client, TcpStream::connect((server.0.as_str(), server.1)).await.unwrap(), cut).await;
                }
            }
        });
        Self { port, fates, _carrier: carrier }
    }

    /// Whether every fate has been met.
    pub fn is_spent(&self) -> bool {
        self.fates.lock().unwrap().is_empty()
    }
}

/// Until one side closes, or the answer is due that is to be lost.
async fn carry(client: TcpStream, server: TcpStream, cut: Option<&PgPool>) {
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.into_split(), server.into_split());
    let answers = async {
        let mut bytes = vec![0; 64 * 1024];
        loop {
            let Ok(read @ 1..) = from_server.read(&mut bytes).await else { return };
            if let Some(db) = cut
                && has_events(db).await
            {
                return;
            }
            if to_client.write_all(&bytes[..read]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        // Either end says so by closing.
        _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
        () = answers => {}
    }
}

async fn has_events(db: &PgPool) -> bool {
    sqlx::query_scalar("select exists (select from log)").fetch_one(db).await.unwrap()
}
