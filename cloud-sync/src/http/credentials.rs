//! Who calls: by a token in the header (`Token` or `Bearer`), for WebSockets also in the query or
//! among the protocols, or by being on this very machine, where a face documents no login.

use cloud_core::{Caller, Device, Error};

use super::{
    Problem, Request,
    limit::{Class, Short, Who},
};

/// The protocol of a WebSocket whose key stands among the protocols that are offered, as
/// `token.<key>`; a page takes the channel only where the answer chooses one.
pub(crate) const CHANNEL_PROTOCOL: &str = "gatehouse";

impl Request {
    /// The caller, who must have credentials; counted against a limit.
    pub(crate) async fn caller(&self, class: Class) -> Result<Caller, Problem> {
        let key = self.header_key()?.ok_or(Problem::NoCredentials)?;
        self.known(key, class).await
    }

    /// Whether the header says who calls.
    pub(crate) fn has_credentials(&self) -> bool {
        self.headers.contains_key("authorization")
    }

    /// As [`Request::caller`]; the key may stand in the query as `token`, since pages cannot set
    /// headers on a WebSocket, or, where no log of addresses keeps it, among the protocols.
    pub(crate) async fn channel_caller(&self, class: Class) -> Result<Caller, Problem> {
        let key = self.header_key()?.or_else(|| self.protocol_key());
        let key = key.or_else(|| self.query.get("token"));
        self.known(key.ok_or(Problem::NoCredentials)?, class).await
    }

    /// The key that a WebSocket's protocols carry, where [`CHANNEL_PROTOCOL`] is among them.
    pub(crate) fn protocol_key(&self) -> Option<&str> {
        let mut offered = self.header("sec-websocket-protocol")?.split(',').map(str::trim);
        let key = offered.clone().find_map(|one| one.strip_prefix("token."));
        offered.any(|one| one == CHANNEL_PROTOCOL).then_some(key)?
    }

    /// The controller whose API key the request carries. Many stand behind one address, so that
    /// each is counted by itself, and by the address only who has no key that is good.
    pub(crate) async fn device(&self, class: Class) -> Result<Device, Problem> {
        let Some(key) = self.header("x-api-key") else {
            self.count_address(class).await?;
            return Err(Problem::NoCredentials);
        };
        match self.app.cloud.devices.by_key(key).await {
            Ok(device) => {
                self.count(Who::device(device.id()), class).await?;
                Ok(device)
            }
            Err(error) => {
                self.count_address(class).await?;
                let is_wrong = matches!(error, Error::Unauthenticated);
                Err(if is_wrong { Problem::WrongKey } else { error.into() })
            }
        }
    }

    /// Counts a call of an address that has no credentials.
    pub(crate) async fn count_address(&self, class: Class) -> Result<(), Problem> {
        self.count(Who::Address(self.peer), class).await
    }

    /// Whoever a key or a JWT stands for, counted by the account; what stands for nobody is
    /// counted by the address.
    async fn known(&self, key: &str, class: Class) -> Result<Caller, Problem> {
        let caller = match self.app.cloud.accounts.by_token(key).await {
            Ok(caller) => caller,
            Err(error) => {
                self.count_address(class).await?;
                return Err(error.into());
            }
        };
        let who = caller.account_id().map_or(Who::Address(self.peer), Who::Account);
        self.count(who, class).await?;
        Ok(caller.at(self.peer))
    }

    /// Counts a call, here or where all instances count.
    async fn count(&self, who: Who, class: Class) -> Result<(), Problem> {
        let (cloud, limiter) = (&self.app.cloud, &self.app.limiter);
        let now_ms = cloud.clock().now().monotonic_ms;
        let taken = match limiter.take(who.clone(), class, now_ms) {
            Ok(()) => Ok(()),
            Err(Short::Wait { seconds }) => Err(seconds),
            Err(Short::Ask { bucket, per_minute }) => {
                let lease = cloud.limits.lease(bucket, per_minute).await?;
                limiter.lend(who, class, lease, now_ms)
            }
        };
        taken.map_err(|retry_after_s| Problem::TooMany { retry_after_s })
    }

    fn header_key(&self) -> Result<Option<&str>, Problem> {
        let Some(value) = self.headers.get("authorization") else { return Ok(None) };
        let key = value.to_str().ok().and_then(|text| {
            let (scheme, key) = text.split_once(' ')?;
            let known = ["token", "bearer"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
            known.then_some(key.trim())
        });
        key.map(Some).ok_or_else(|| Error::Unauthenticated.into())
    }

    /// Whether this is somebody at this machine: no proxy in between, addressed as this machine
    /// (a name that was rebound to it is not), and not sent by a page from elsewhere.
    pub(crate) fn is_local(&self) -> bool {
        let proxied =
            ["forwarded", "x-forwarded-for"].iter().any(|h| self.headers.contains_key(*h));
        let host = self.header("host").map(host_name);
        let own_host = matches!(host, Some("localhost" | "127.0.0.1" | "[::1]"));
        let own_page = match self.headers.get("origin") {
            Some(origin) => origin.to_str().is_ok_and(|origin| self.app.cors.allows(origin)),
            None => true,
        };
        self.app.local_callers && self.peer.is_loopback() && !proxied && own_host && own_page
    }
}

/// The name in a `Host` header, without the port.
fn host_name(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}
