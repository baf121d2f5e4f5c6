//! A way to a server on which connections can be broken, refused, or go on without anything ever arriving.

use tokio::io::{copy, copy_bidirectional, sink};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// What becomes of connections.
#[derive(Clone, Copy, PartialEq)]
enum State {
    Open,
    Closed,
    /// Connections from this one on are kept and accepted, and what either end sends is lost. The first is number 0.
    SwallowsFrom(usize),
}

impl State {
    fn swallows(self, number: usize) -> bool {
        matches!(self, Self::SwallowsFrom(first) if number >= first)
    }
}

pub struct Road {
    /// `host:port`.
    pub address: String,
    state: watch::Sender<State>,
}

impl Road {
    /// To the server at `to`.
    pub fn new(runtime: &Runtime, to: &str) -> Self {
        let to = to.to_owned();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (state, states) = watch::channel(State::Open);
        runtime.spawn(async move {
            for number in 0.. {
                let Ok((near, _)) = listener.accept().await else { return };
                tokio::spawn(carry(near, to.clone(), number, states.clone()));
            }
        });
        Self { address, state }
    }

    pub fn close(&self) {
        self.state.send_replace(State::Closed);
    }

    pub fn open(&self) {
        self.state.send_replace(State::Open);
    }

    pub fn swallow_from(&self, connection: usize) {
        self.state.send_replace(State::SwallowsFrom(connection));
    }
}

/// Carries what either end sends. However it ends, both ends are dropped.
async fn carry(mut near: TcpStream, to: String, number: usize, states: watch::Receiver<State>) {
    if *states.borrow() == State::Closed {
        return;
    }
    let Ok(mut far) = TcpStream::connect(to).await else { return };
    let until = |reached: fn(State, usize) -> bool| {
        let mut states = states.clone();
        async move { drop(states.wait_for(|state| reached(*state, number)).await) }
    };
    tokio::select! {
        biased;
        () = until(|state, _| state == State::Closed) => {}
        () = until(State::swallows) => {
            let (mut from_near, mut from_far) = (sink(), sink());
            let lost = async { tokio::join!(copy(&mut near, &mut from_near), copy(&mut far, &mut from_far)) };
            tokio::select! {
                _ = lost => {}
                () = until(|state, number| !state.swallows(number)) => {}
            }
        }
        _ = copy_bidirectional(&mut near, &mut far) => {}
    }
}
