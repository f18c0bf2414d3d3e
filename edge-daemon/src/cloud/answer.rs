//! An answer as it came, and what means the same whatever was asked.

use std::time::Duration;

use domain::envelope::Refusal;
use reqwest::StatusCode;

/// An answer as it came.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) content_type: String,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// What the cloud refuses in its own words, and with the status that belongs to them. None where
    /// this is no refusal of the cloud.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        let refusal = serde_json::from_slice(&self.body).ok()?;
        let status = match &refusal {
            Refusal::OutOfOrder { expected: 0 } => return None,
            Refusal::OutOfOrder { .. }
            | Refusal::Forked { .. }
            | Refusal::Repeated { .. }
            | Refusal::Ahead { .. }
            | Refusal::NoRoomAhead => StatusCode::CONFLICT,
            Refusal::Revoked => StatusCode::FORBIDDEN,
            Refusal::Unauthorised => StatusCode::UNAUTHORIZED,
            Refusal::Malformed { .. } => StatusCode::BAD_REQUEST,
            Refusal::Unacceptable { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        };
        (self.status == status).then_some(refusal)
    }

    /// Why the cloud asks for time: it is asked too often, or has a fault of its own. None where it
    /// does not.
    pub(crate) fn busy(&self) -> Option<String> {
        match self.status {
            // What portals that follow RFC 6585 say.
            StatusCode::NETWORK_AUTHENTICATION_REQUIRED => None,
            StatusCode::TOO_MANY_REQUESTS => Some("the cloud asks for a pause (429)".into()),
            status if status.is_server_error() => {
                Some(format!("the cloud has a fault of its own ({})", status.as_u16()))
            }
            _ => None,
        }
    }

    /// Why this is no answer of the cloud.
    pub(crate) fn stranger(&self) -> String {
        let kind = match self.content_type.as_str() {
            "" => "no content type",
            kind => kind,
        };
        let status = self.status.as_u16();
        format!(
            "{status} with {kind} is no answer of the cloud: a captive portal or another server"
        )
    }
}
