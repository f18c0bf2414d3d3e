//! Paying at a provider outside, and what its word is worth.

use cloud_core::{
    Caller, Error, ProviderName, UNAVAILABLE, Word,
    lockers::{Order, PayMethod, Payment},
};
use domain::locker::OrderStatus;

use super::station::{Station, hours, refusal};
use crate::world::{World, on_each_engine};

on_each_engine! {
    a_notification_pays_the_order_once,
    only_what_was_asked_for_counts,
    a_provider_that_does_not_answer_is_asked_again,
    money_that_comes_too_late_goes_to_the_balance,
    an_extension_is_paid_outside_once,
    overtime_is_paid_outside_before_the_door_opens,
    a_provider_that_is_not_configured_is_not_offered,
}

const WECHAT: PayMethod = PayMethod::Provider(ProviderName::Wechat);

/// Asks to pay at WeChat and returns the number of the payment.
async fn ask(station: &Station, driver: &Caller, order: &Order) -> String {
    number(station.cloud().lockers.pay(driver, order.id, WECHAT).await.unwrap())
}

/// The number of a payment of 4.00 that waits for WeChat.
fn number(payment: Payment) -> String {
    match payment {
        Payment::Waiting { payment_url, .. } => {
            let (_, rest) = payment_url.split_once("out_trade_no=").unwrap();
            assert!(payment_url.contains("amount=4.00"), "{payment_url}");
            rest.split('&').next().unwrap().to_owned()
        }
        done => panic!("{done:?}"),
    }
}

fn paid(number: &str, transaction: &str, amount_fen: i64) -> Word {
    let (number, transaction_id) = (number.to_owned(), transaction.to_owned());
    Word::Paid { number, transaction_id, amount_fen }
}

async fn hear(station: &Station, word: Word) -> Result<(), Error> {
    station.cloud().providers.hear(ProviderName::Wechat, word).await
}

async fn a_notification_pays_the_order_once(world: World) {
    let station = Station::open(world).await;
    let driver = station.driver("driver", 0).await;
    let order = station.order(&driver, "A001").await;
    let number = ask(&station, &driver, &order).await;
    assert_eq!(ask(&station, &driver, &order).await, number, "asking again is the same payment");
    for _ in 0..3 {
        hear(&station, paid(&number, "T1", 400)).await.unwrap();
        station.wait(1);
    }
    let now = station.reload(&driver, &order).await;
    assert_eq!((now.status, now.method), (OrderStatus::Paid, Some(WECHAT)));
    assert_eq!(station.balance(&driver).await, 0);
    let revenue = station.cloud().lockers.revenue(&station.admin, 1).await.unwrap();
    assert_eq!(revenue.total.revenue.0, 400);
    hear(&station, paid(&number, "T2", 400)).await.unwrap();
    assert_eq!(station.balance(&driver).await, 400, "paid twice outside: the second is kept");
}

async fn only_what_was_asked_for_counts(world: World) {
    let station = Station::open(world).await;
    let driver = station.driver("driver", 0).await;
    let order = station.order(&driver, "A001").await;
    let number = ask(&station, &driver, &order).await;
    let less = hear(&station, paid(&number, "T1", 399)).await;
    assert!(matches!(less, Err(Error::Invalid { field: "amount_fen", .. })), "{less:?}");
    let unknown = hear(&station, paid("P0", "T1", 400)).await;
    assert!(matches!(unknown, Err(Error::NotFound("payment"))), "{unknown:?}");
    for bad in ["", &"T".repeat(65)] {
        let refused = hear(&station, paid(&number, bad, 400)).await;
        assert!(matches!(refused, Err(Error::Invalid { field: "transaction_id", .. })));
    }
    assert_eq!(station.reload(&driver, &order).await.status, OrderStatus::Pending);
}

async fn a_provider_that_does_not_answer_is_asked_again(world: World) {
    let station = Station::open(world).await;
    let driver = station.driver("driver", 0).await;
    let order = station.order(&driver, "A001").await;
    station.world.till().fall_silent(true);
    let silent = station.cloud().lockers.pay(&driver, order.id, WECHAT).await;
    assert!(matches!(silent, Err(Error::Outside(_))), "{silent:?}");
    assert_eq!(station.reload(&driver, &order).await.status, OrderStatus::Pending);
    station.world.till().fall_silent(false);
    let number = ask(&station, &driver, &order).await;
    station.world.till().fall_silent(true);
    assert_eq!(ask(&station, &driver, &order).await, number, "the page is known");
}

async fn money_that_comes_too_late_goes_to_the_balance(world: World) {
    let station = Station::open(world).await;
    let driver = station.driver("driver", 0).await;
    let order = station.order(&driver, "A001").await;
    let number = ask(&station, &driver, &order).await;
    station.wait(15);
    hear(&station, paid(&number, "T1", 400)).await.unwrap();
    assert_eq!(station.reload(&driver, &order).await.status, OrderStatus::Cancelled);
    assert_eq!((station.status("A001").await, station.balance(&driver).await), ("available", 400));
}

async fn an_extension_is_paid_outside_once(world: World) {
    let station = Station::open(world).await;
    let driver = station.driver("driver", 400).await;
    let order = station.paid(&driver, "A001").await;
    let lockers = &station.cloud().lockers;
    let extend = async || lockers.extend(&driver, order.id, hours("2"), WECHAT).await.unwrap();
    let asked = number(extend().await);
    assert_eq!(number(extend().await), asked, "asking again is the same payment");
    assert_eq!(station.reload(&driver, &order).await, order);
    for transaction in ["T1", "T1", "T2"] {
        hear(&station, paid(&asked, transaction, 400)).await.unwrap();
    }
    let longer = station.reload(&driver, &order).await;
    assert_eq!((longer.hours, longer.total.0), (hours("4"), 800));
    assert_eq!(station.balance(&driver).await, 400, "what came twice is kept");
    assert_ne!(number(extend().await), asked, "once more is another payment");
}

async fn overtime_is_paid_outside_before_the_door_opens(world: World) {
    let station = Station::open(world).await;
    let driver = station.driver("driver", 400).await;
    let order = station.paid(&driver, "A001").await;
    station.open_door(&driver, &order).await.unwrap();
    station.use_door("A001").await;
    station.wait(120 + 61);
    assert_eq!(refusal(station.enter_code(&driver, &order, true).await), "balance_too_low");
    let lockers = &station.cloud().lockers;
    let asked = number(lockers.complete(&driver, order.id, WECHAT).await.unwrap());
    for transaction in ["T1", "T2"] {
        hear(&station, paid(&asked, transaction, 400)).await.unwrap();
    }
    assert_eq!(station.balance(&driver).await, 400, "what came twice is kept");
    assert_eq!(station.reload(&driver, &order).await.status, OrderStatus::InUse);
    station.enter_code(&driver, &order, true).await.unwrap();
    station.use_door("A001").await;
    let done = station.reload(&driver, &order).await;
    assert_eq!((done.status, done.total.0), (OrderStatus::Completed, 800));
    assert_eq!(station.balance(&driver).await, 400);
}

async fn a_provider_that_is_not_configured_is_not_offered(world: World) {
    let station = Station::open(world).await;
    let driver = station.driver("driver", 0).await;
    let order = station.order(&driver, "A001").await;
    let alipay = PayMethod::Provider(ProviderName::Alipay);
    let refused = station.cloud().lockers.pay(&driver, order.id, alipay).await;
    assert_eq!(refusal(refused), UNAVAILABLE);
    let word = paid("P0", "T1", 400);
    let heard = station.cloud().providers.hear(ProviderName::Alipay, word).await;
    assert!(matches!(heard, Err(Error::NotFound(_))));
}
