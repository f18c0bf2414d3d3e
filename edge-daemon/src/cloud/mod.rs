//! The cloud, as an enrolled site talks to it: one exchange over HTTP at a time, bounded in time and
//! size, signed, without redirects.

mod answer;
mod config;

use std::{error::Error, time::Duration};

use domain::{
    directive::{Ask, COUNT_HEADER, LONGEST_WAIT, MAX_PAGE_BYTES},
    envelope::{Enrolled, Enrolment, SIGNATURE_HEADER},
    ids::SiteId,
};
use reqwest::{
    Client, RequestBuilder, Response, StatusCode, Url,
    header::{CONTENT_TYPE, RETRY_AFTER},
    redirect::Policy,
};

pub(crate) use answer::Answer;
pub use config::CloudConfig;

use crate::identity::Identity;

/// Most bytes of an answer that are read.
const MAX_ANSWER: usize = 2 * MAX_PAGE_BYTES;
/// Header that names the site, so that the cloud finds its key before it reads the body.
const SITE_HEADER: &str = "gatehouse-site";
/// Header that says how many events wait behind those that are sent.
const BACKLOG_HEADER: &str = "gatehouse-backlog";

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
    /// The answer was longer than any of the cloud.
    #[error("the answer has more than {MAX_ANSWER} bytes: no answer of the cloud")]
    Endless,
    /// The enrolment was refused.
    #[error("{0}")]
    Refused(String),
}

/// The cloud, as an enrolled site talks to it.
pub struct Cloud {
    client: Client,
    base: Url,
    identity: Identity,
    patience: Patience,
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
        Ok(Self { client, base, identity, patience })
    }

    /// The site.
    pub fn site(&self) -> &SiteId {
        &self.identity.site
    }

    pub(crate) fn sign(&self, body: &[u8]) -> String {
        self.identity.sign(body)
    }

    pub(crate) async fn send_batch(
        &self,
        body: Vec<u8>,
        signature: String,
        backlog: u64,
    ) -> Result<Answer, CloudError> {
        let request = self.client.post(endpoint(&self.base, "events"));
        let request = request.header(BACKLOG_HEADER, backlog);
        self.send(request.header(CONTENT_TYPE, "application/json"), body, signature).await
    }

    pub(crate) async fn send_picture(
        &self,
        sha256: &str,
        jpeg: Vec<u8>,
        signature: String,
    ) -> Result<Answer, CloudError> {
        let request = self.client.put(endpoint(&self.base, &format!("pictures/{sha256}")));
        self.send(request.header(CONTENT_TYPE, "image/jpeg"), jpeg, signature).await
    }

    /// Asks what the cloud has to tell; it may let us wait for [`LONGEST_WAIT`].
    pub(crate) async fn ask(&self, ask: Ask) -> Result<Answer, CloudError> {
        let mut url = endpoint(&self.base, "directives");
        url.set_query(Some(&ask.query()));
        let request = self.client.get(url).header(COUNT_HEADER, ask.count);
        let request = request.timeout(LONGEST_WAIT + self.patience.answer);
        self.send(request, Vec::new(), self.sign(&ask.signed())).await
    }

    async fn send(
        &self,
        request: RequestBuilder,
        body: Vec<u8>,
        signature: String,
    ) -> Result<Answer, CloudError> {
        let request = request
            .header(SITE_HEADER, self.identity.site.as_str())
            .header(SIGNATURE_HEADER, signature)
            .body(body);
        read(request.send().await.map_err(unreachable)?).await
    }
}

/// Enrols a key with a one-time code and returns the site that the code was for.
pub async fn enrol(url: &str, code: String, public_key: String) -> Result<SiteId, CloudError> {
    let base = config::parse(url).map_err(CloudError::Address)?;
    let client = client(&base, Patience::default())?;
    let request = client.post(endpoint(&base, "enrol")).json(&Enrolment { code, public_key });
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
            "the cloud refused the code ({}): it is wrong, used or expired; make a new one with \
             `cloud-sync site add`",
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

fn endpoint(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/edge/v1/{path}", base.path().trim_end_matches('/')));
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
