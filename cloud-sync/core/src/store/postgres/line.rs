//! The other half of a connection: what moves its bytes, and hears what the server says by itself.

use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::{AsyncMessage, Connection};

type Next<'a> = Poll<Option<Result<AsyncMessage, tokio_postgres::Error>>>;

/// A connection, with or without TLS. It moves while somebody polls it.
pub(in crate::store) struct Line(Box<dyn Polled>);

trait Polled: Send {
    fn poll(&mut self, context: &mut Context<'_>) -> Next<'_>;
}

impl<S, T> Polled for Connection<S, T>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    T: AsyncRead + AsyncWrite + Unpin + Send,
{
    fn poll(&mut self, context: &mut Context<'_>) -> Next<'_> {
        self.poll_message(context)
    }
}

impl Line {
    pub(super) fn of<S, T>(connection: Connection<S, T>) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        Self(Box::new(connection))
    }

    /// Moves bytes until the connection ends.
    pub(super) async fn run(mut self) {
        while self.next().await.is_some() {}
    }

    /// The next thing that the server says by itself: the payload of a notification, or none for
    /// anything else. None at all when the connection has ended.
    pub(in crate::store) async fn next(&mut self) -> Option<Option<String>> {
        let message = std::future::poll_fn(|context| self.0.poll(context));
        match message.await? {
            Ok(AsyncMessage::Notification(told)) => Some(Some(told.payload().to_owned())),
            Ok(_) => Some(None),
            Err(_) => None,
        }
    }
}
