//! The cloud, as an enrolled site talks to it: exchanges over HTTP, bounded in time and size,
//! signed and numbered, without redirects.

mod answer;
mod config;
mod counts;
mod untrusted;

use std::{
    error::Error,
    sync::{Mutex, PoisonError, RwLock},
    time::Duration,
};

use bytes::Bytes;
use domain::{
    access::{self, MAX_PART_BYTES},
    directive::{Ask, LONGEST_WAIT},
    envelope::{
        COUNT_HEADER, Channel, EVENTS_PATH, Enrolled, Enrolment, Head, KEYS_PATH, Refusal, Rotated,
        SIGNATURE_HEADER, SITE_HEADER, picture_target,
    },
    ids::SiteId,
};
use reqwest::{
    Client, Method, Response, StatusCode, Url,
    header::{CONTENT_TYPE, RETRY_AFTER},
    redirect::Policy,
};

pub(crate) use answer::Answer;
pub use config::CloudConfig;

use self::counts::Counts;
use crate::identity::{Identity, IdentityError};

/// Most bytes of an answer that are read: a part of a list that nothing could be made shorter of.
const MAX_ANSWER: usize = MAX_PART_BYTES + (64 << 10);

/// How long an exchange may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Time to connect.
    pub connect: Duration,
    /// Time from sending to the end of the answer.
    pub answer: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), answer: Duration::from_secs(20) }
    }
}

/// Why there was no answer.
#[derive(Debug, thiserror::Error)]
pub enum CloudError {
    /// The address cannot be used.
    #[error("{0}")]
    Address(String),
    /// The client could not be made: the system has no certificates, say.
    #[error("could not prepare to talk to the cloud: {0}")]
    Client(String),
    /// No connection, or no answer in time.
    #[error("{0}")]
    Unreachable(String),
    /// What answers cannot show that it is the cloud.
    #[error("{0}")]
    Untrusted(String),
    /// The answer was longer than any of the cloud.
    #[error("the answer has more than {MAX_ANSWER} bytes: no answer of the cloud")]
    Endless,
    /// The enrolment or the new key was refused.
    #[error("{0}")]
    Refused(String),
    /// The new key could not be made or kept.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// The cloud, as an enrolled site talks to it.
pub struct Cloud {
    client: Client,
    base: Url,
    site: SiteId,
    identity: RwLock<Identity>,
    counts: Counts,
    patience: Patience,
    /// What showed that another machine uses this site's key, until somebody asks.
    suspicion: Mutex<Option<String>>,
}

/// A request before it is numbered and signed.
struct Unsigned {
    channel: Channel,
    method: Method,
    /// Path and query from `/edge/v1/` on.
    target: String,
    content_type: &'static str,
    body: Bytes,
    timeout: Duration,
}

impl Cloud {
    /// The cloud at `url`, or where the site was enrolled. Nothing is sent yet.
    pub fn new(
        identity: Identity,
        url: Option<&str>,
        patience: Patience,
    ) -> Result<Self, CloudError> {
        let base = config::parse(url.unwrap_or(&identity.cloud)).map_err(CloudError::Address)?;
        let client = client(&base, patience)?;
        let (site, counts) = (identity.site.clone(), Counts::new(identity.begin_epoch()));
        let (identity, suspicion) = (RwLock::new(identity), Mutex::default());
        Ok(Self { client, base, site, identity, counts, patience, suspicion })
    }

    /// The site.
    pub fn site(&self) -> &SiteId {
        &self.site
    }

    /// What showed that another machine uses this site's key, once.
    pub(crate) fn take_suspicion(&self) -> Option<String> {
        self.suspicion.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(crate) async fn send_batch(&self, body: Bytes) -> Result<Answer, CloudError> {
        let target = EVENTS_PATH.to_owned();
        self.exchange(self.unsigned(Channel::Events, Method::POST, target, body)).await
    }

    /// Sends a part of a picture of `length` bytes, which begins at `offset`.
    pub(crate) async fn send_picture(
        &self,
        sha256: &str,
        offset: usize,
        length: usize,
        part: Bytes,
    ) -> Result<Answer, CloudError> {
        let target = picture_target(sha256, offset, length);
        let request = self.unsigned(Channel::Pictures, Method::PUT, target, part);
        self.exchange(Unsigned { content_type: "image/jpeg", ..request }).await
    }

    /// Asks what the cloud has to tell; it may let us wait for [`LONGEST_WAIT`].
    pub(crate) async fn ask(&self, ask: Ask) -> Result<Answer, CloudError> {
        let request = self.unsigned(Channel::Directives, Method::GET, ask.target(), Bytes::new());
        self.exchange(Unsigned { timeout: LONGEST_WAIT + self.patience.answer, ..request }).await
    }

    /// Asks for a part of the list of who may enter.
    pub(crate) async fn list(&self, ask: access::Ask) -> Result<Answer, CloudError> {
        let target = ask.target();
        self.exchange(self.unsigned(Channel::Lists, Method::GET, target, Bytes::new())).await
    }

    /// Makes a new key and has the cloud take it; from then on the site signs with that one. Where
    /// this breaks off, it can be called again, and the site can go on with either key.
    ///
    /// # Errors
    /// Where the cloud cannot be reached or refuses, or the disk does not take the key.
    pub async fn rotate(&self) -> Result<(), CloudError> {
        let (next, rotation) = self.identity().make_next()?;
        let body = serde_json::to_vec(&rotation).expect("two texts are JSON").into();
        let request = self.unsigned(Channel::Keys, Method::POST, KEYS_PATH.to_owned(), body);
        let answer = self.exchange(request).await?;
        let taken = serde_json::from_slice::<Rotated>(&answer.body);
        if answer.status == StatusCode::OK
            && taken.is_ok_and(|taken| taken.public_key == rotation.public_key)
        {
            next.is_taken()?;
            *self.identity_mut() = next;
            return Ok(());
        }
        let said = said(&answer).unwrap_or_else(|| answer.stranger());
        Err(CloudError::Refused(format!("the cloud did not take the new key: {said}")))
    }

    fn unsigned(&self, channel: Channel, method: Method, target: String, body: Bytes) -> Unsigned {
        let (content_type, timeout) = ("application/json", self.patience.answer);
        Unsigned { channel, method, target, content_type, body, timeout }
    }

    /// Sends a request and returns what was answered; again with a number that the cloud wants, or
    /// by another key, where that is what hinders.
    async fn exchange(&self, request: Unsigned) -> Result<Answer, CloudError> {
        let answer = self.send(&request).await?;
        match answer.refusal() {
            Some(Refusal::Repeated { expected }) => {
                self.recount(request.channel, expected);
                self.send(&request).await
            }
            Some(Refusal::Unauthorised) => {
                self.counts.answered(request.channel);
                self.send_by_another_key(&request).await.unwrap_or(Ok(answer))
            }
            _ => {
                self.counts.answered(request.channel);
                Ok(answer)
            }
        }
    }

    /// Goes on with numbers that the cloud has not seen. That it has seen ours, although they were
    /// answered before, means that another counts as we do.
    fn recount(&self, channel: Channel, expected: u64) {
        let identity = self.identity();
        identity.note_epoch(counts::epoch(expected));
        if self.counts.go_on_from(channel, expected) {
            let detail = format!(
                "the cloud has answered requests of this site ({}) that this machine did not \
                 send: its card was copied, or restored from a copy",
                channel.word()
            );
            tracing::error!("{detail}");
            *self.suspicion.lock().unwrap_or_else(PoisonError::into_inner) = Some(detail);
        }
    }

    /// As after a change of keys whose end this program has not seen. None where there is no other
    /// key, or the cloud does not know that one either.
    async fn send_by_another_key(&self, request: &Unsigned) -> Option<Result<Answer, CloudError>> {
        let other = self.identity().by_another_key()?;
        let before = std::mem::replace(&mut *self.identity_mut(), other);
        match self.send(request).await {
            Ok(answer) if answer.refusal() != Some(Refusal::Unauthorised) => {
                if let Err(error) = self.identity().is_taken() {
                    tracing::error!(%error, "the new key could not be kept");
                }
                tracing::info!("the site signs with its new key");
                Some(Ok(answer))
            }
            _ => {
                *self.identity_mut() = before;
                None
            }
        }
    }

    async fn send(&self, request: &Unsigned) -> Result<Answer, CloudError> {
        let Unsigned { channel, method, target, content_type, body, timeout } = request;
        let (site, count) = (self.site.as_str(), self.counts.next(*channel));
        let head = Head { site, method: method.as_str(), target, count };
        let signature = self.identity().sign(&head, body);
        let request = self.client.request(method.clone(), endpoint(&self.base, target));
        let request = request
            .header(SITE_HEADER, site)
            .header(COUNT_HEADER, count)
            .header(SIGNATURE_HEADER, signature)
            .header(CONTENT_TYPE, *content_type)
            .timeout(*timeout)
            .body(body.clone());
        read(request.send().await.map_err(unreachable)?).await
    }

    fn identity(&self) -> std::sync::RwLockReadGuard<'_, Identity> {
        self.identity.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn identity_mut(&self) -> std::sync::RwLockWriteGuard<'_, Identity> {
        self.identity.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Enrols a key with a one-time code and returns the site that the code was for.
pub async fn enrol(url: &str, code: String, public_key: String) -> Result<SiteId, CloudError> {
    let base = config::parse(url).map_err(CloudError::Address)?;
    let client = client(&base, Patience::default())?;
    let request =
        client.post(endpoint(&base, "/edge/v1/enrol")).json(&Enrolment { code, public_key });
    let answer = read(request.send().await.map_err(unreachable)?).await?;
    let refused = |text: &str| CloudError::Refused(text.to_owned());
    match (answer.status, serde_json::from_slice::<Enrolled>(&answer.body)) {
        (status, Ok(Enrolled { site })) if status.is_success() => Ok(site),
        _ if answer.status.is_server_error() => {
            Err(refused("the cloud has a fault of its own: try again later"))
        }
        (StatusCode::TOO_MANY_REQUESTS, _) => {
            Err(refused("the cloud asks for a pause: try again later"))
        }
        _ if answer.status.is_client_error() && said(&answer).is_some() => Err(refused(&format!(
            "the cloud refused the code ({}): it is wrong, used or expired; `cloud-sync site code` \
             makes a new one",
            said(&answer).unwrap_or_default()
        ))),
        (status, _) => Err(refused(&format!(
            "what answers at {base} is no Gatehouse cloud (it said {}): check the address, and \
             whether this network wants a login first",
            status.as_u16()
        ))),
    }
}

/// What the cloud says in its own JSON about an error; none where this is not its JSON.
fn said(answer: &Answer) -> Option<String> {
    let body: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&answer.body).ok()?;
    let text = |key: &str| body.get(key).and_then(|value| value.as_str()).map(str::to_owned);
    let said = text("reason").or_else(|| text("error"))?;
    Some(said.chars().filter(|c| !c.is_control()).take(200).collect())
}

fn client(base: &Url, patience: Patience) -> Result<Client, CloudError> {
    crate::tls::install();
    let client = Client::builder()
        .user_agent(concat!("gatehouse-edge/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(patience.connect)
        .timeout(patience.answer)
        .redirect(Policy::none());
    // A proxy cannot reach what is on this machine.
    let client = if config::is_loopback(base) { client.no_proxy() } else { client };
    client.build().map_err(|error| CloudError::Client(chain(&error)))
}

/// Where `target`, a path from `/edge/v1/` on with or without a query, is below `base`.
fn endpoint(base: &Url, target: &str) -> Url {
    let (path, query) = target.split_once('?').map_or((target, None), |(p, q)| (p, Some(q)));
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url.set_query(query);
    url
}

async fn read(mut response: Response) -> Result<Answer, CloudError> {
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let content_type = header(CONTENT_TYPE).unwrap_or_default().chars().take(80).collect();
    let retry_after =
        header(RETRY_AFTER).and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
    let status = response.status();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(CloudError::Endless);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, content_type, retry_after, body })
}

fn unreachable(error: reqwest::Error) -> CloudError {
    if let Some(why) = untrusted::why(&error) {
        return CloudError::Untrusted(why);
    }
    let act = if error.is_timeout() {
        "the cloud did not answer in time"
    } else if error.is_connect() {
        "the cloud cannot be reached"
    } else {
        "the exchange with the cloud broke off"
    };
    CloudError::Unreachable(format!("{act}: {}", chain(&error.without_url())))
}

/// The error and what caused it, on one line.
fn chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
