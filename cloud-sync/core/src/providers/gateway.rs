//! How a provider outside is spoken to: what the domain asks of it and what it is told. How that
//! is signed and sent is not known here.

use std::pin::Pin;

use super::ProviderName;

/// An answer that is awaited.
pub type Awaited<'a, T> = Pin<Box<dyn Future<Output = Result<T, GatewayError>> + Send + 'a>>;

/// A provider that is configured. Asking again for the same number is the same payment or refund,
/// so that what was asked is asked again until there is an answer.
pub trait Gateway: Send + Sync {
    /// Which one.
    fn name(&self) -> ProviderName;

    /// Asks for a payment; the address to which the payer is sent or that the payer scans.
    fn begin<'a>(&'a self, wanted: &'a WantedPayment) -> Awaited<'a, String>;

    /// Gives back what was paid, or a part of it.
    fn refund<'a>(&'a self, wanted: &'a WantedRefund) -> Awaited<'a, RefundState>;

    /// What has become of a refund that was asked for.
    fn refund_state<'a>(&'a self, wanted: &'a WantedRefund) -> Awaited<'a, RefundState>;
}

/// A payment that a provider is to take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedPayment {
    /// Our number of it, unique for ever.
    pub number: String,
    /// In fen, more than 0.
    pub amount_fen: i64,
    /// What it is for, as the payer sees it.
    pub title: &'static str,
}

/// Money that a provider is to give back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedRefund {
    /// Our number of it, unique for ever.
    pub number: String,
    /// Our number of the payment.
    pub payment: String,
    /// What is to be given back, in fen.
    pub amount_fen: i64,
    /// What was paid, in fen.
    pub paid_fen: i64,
    /// Why, as the payer sees it.
    pub reason: String,
}

/// What a provider says of a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundState {
    /// The money is with the payer.
    Done,
    /// It is on its way.
    Processing,
    /// It will not come, and why.
    Failed(String),
}

/// Why a provider did not do what was asked; its own words are for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GatewayError {
    /// It gave no answer that counts; asking again may help.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// It will not.
    #[error("refused: {0}")]
    Refused(String),
}

/// What a provider tells by itself, once it is known to be the provider's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// Money has come.
    Paid {
        /// Our number of the payment.
        number: String,
        /// Its own number of it.
        transaction_id: String,
        /// How much, in fen.
        amount_fen: i64,
    },
    /// A refund has come to its end.
    Refund {
        /// Our number of the refund.
        number: String,
        /// How it ended.
        state: RefundState,
    },
    /// Something that changes nothing here.
    Nothing,
}
