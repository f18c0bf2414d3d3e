//! WeChat Pay as the domain sees it: gives pages, keeps what it was asked to give back, and answers
//! as a test wants it to.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard},
};

use cloud_core::{
    Awaited, Gateway, GatewayError, ProviderName, RefundState, WantedPayment, WantedRefund,
};
use domain::money::Fen;

type Said = Result<RefundState, GatewayError>;

/// What was asked of it, and what it will say.
#[derive(Default)]
pub(crate) struct Till {
    asked: Mutex<Vec<WantedRefund>>,
    looked_up: Mutex<usize>,
    to_say: Mutex<VecDeque<Said>>,
    silent: Mutex<bool>,
}

fn open<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}

impl Till {
    /// From now on it answers no request for a page, or again does.
    pub(crate) fn fall_silent(&self, silent: bool) {
        *open(&self.silent) = silent;
    }

    /// What it says to the next questions about refunds; done where nothing is given.
    pub(crate) fn will_say(&self, said: impl IntoIterator<Item = Said>) {
        open(&self.to_say).extend(said);
    }

    /// The refunds that it was asked for, as often as it was asked.
    pub(crate) fn refunds(&self) -> Vec<WantedRefund> {
        open(&self.asked).clone()
    }

    /// How often it was asked what became of one.
    pub(crate) fn looked_up(&self) -> usize {
        *open(&self.looked_up)
    }

    fn say(&self) -> Said {
        open(&self.to_say).pop_front().unwrap_or(Ok(RefundState::Done))
    }
}

impl Gateway for Till {
    fn name(&self) -> ProviderName {
        ProviderName::Wechat
    }

    fn begin<'a>(&'a self, wanted: &'a WantedPayment) -> Awaited<'a, String> {
        Box::pin(async {
            if *open(&self.silent) {
                return Err(GatewayError::NoAnswer("it is silent".to_owned()));
            }
            let (number, amount) = (&wanted.number, Fen(wanted.amount_fen));
            Ok(format!("https://pay.example.com/wechat?out_trade_no={number}&amount={amount}"))
        })
    }

    fn refund<'a>(&'a self, wanted: &'a WantedRefund) -> Awaited<'a, RefundState> {
        Box::pin(async {
            open(&self.asked).push(wanted.clone());
            self.say()
        })
    }

    fn refund_state<'a>(&'a self, _: &'a WantedRefund) -> Awaited<'a, RefundState> {
        Box::pin(async {
            *open(&self.looked_up) += 1;
            self.say()
        })
    }
}
