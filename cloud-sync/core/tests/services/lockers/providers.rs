//! Paying at a provider outside, and what its word is worth.

use cloud_core::{
    Caller, Error, Notification, ProviderName, UNAVAILABLE,
    lockers::{Order, PayMethod, Payment},
};
use domain::{envelope::to_hex, locker::OrderStatus};
use ring::hmac::{HMAC_SHA256, Key, sign};

use super::station::{Station, hours, refusal};
use crate::world::{PROVIDER_SECRET, World, on_each_engine};

on_each_engine! {
    a_notification_pays_the_order_once,
    only_a_signed_notification_of_these_minutes_counts,
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
            assert!(payment_url.contains("amount=4.00&sign="), "{payment_url}");
            rest.split('&').next().unwrap().to_owned()
        }
        done => panic!("{done:?}"),
    }
}

fn notification(station: &Station, number: &str, transaction: &str, fen: i64) -> Notification {
    use domain::clock::Clock;
    let timestamp = station.world.clock.now().wall.timestamp().to_string();
    let body = format!(
        r#"{{"out_trade_no":"{number}","transaction_id":"{transaction}","amount_fen":{fen}}}"#
    );
    signed(timestamp, body, PROVIDER_SECRET)
}

fn signed(timestamp: String, body: String, secret: &str) -> Notification {
    let key = Key::new(HMAC_SHA256, secret.as_bytes());
    let signature = to_hex(sign(&key, format!("{timestamp}{body}").as_bytes()).as_ref());
    Notification { timestamp, signature, body: body.into_bytes() }
}

async fn notify(station: &Station, notification: Notification) -> Result<(), Error> {
    station.cloud().providers.notify(ProviderName::Wechat, notification).await
}

async fn a_notification_pays_the_order_once(world: World) {
    let station = Station::open(world).await;
    let driver = station.driver("driver", 0).await;
    let order = station.order(&driver, "A001").await;
    let number = ask(&station, &driver, &order).await;
    assert_eq!(ask(&station, &driver, &order).await, number, "asking again is the same payment");
    for _ in 0..3 {
        notify(&station, notification(&station, &number, "T1", 400)).await.unwrap();
        station.wait(1);
    }
    let paid = station.reload(&driver, &order).await;
    assert_eq!((paid.status, paid.method), (OrderStatus::Paid, Some(WECHAT)));
    assert_eq!(station.balance(&driver).await, 0);
    let revenue = station.cloud().lockers.revenue(&station.admin, 1).await.unwrap();
    assert_eq!(revenue.total.revenue.0, 400);
    notify(&station, notification(&station, &number, "T2", 400)).await.unwrap();
    assert_eq!(station.balance(&driver).await, 400, "paid twice outside: the second is kept");
}

async fn only_a_signed_notification_of_these_minutes_counts(world: World) {
    let station = Station::open(world).await;
    let driver = station.driver("driver", 0).await;
    let order = station.order(&driver, "A001").await;
    let number = ask(&station, &driver, &order).await;
    let good = notification(&station, &number, "T1", 400);
    let mut altered = good.clone();
    altered.body = String::from_utf8(good.body.clone()).unwrap().replace("T1", "T2").into_bytes();
    let old = "1000000000".to_owned();
    let body = String::from_utf8(good.body.clone()).unwrap();
    for bad in [
        altered,
        Notification { signature: String::new(), ..good.clone() },
        Notification { timestamp: old.clone(), ..good.clone() },
        signed(old, body.clone(), PROVIDER_SECRET),
        signed(good.timestamp.clone(), body, "another secret of length"),
    ] {
        let refused = notify(&station, bad).await;
        assert!(matches!(refused, Err(Error::Unauthenticated)), "{refused:?}");
    }
    let less = notify(&station, notification(&station, &number, "T1", 399)).await;
    assert!(matches!(less, Err(Error::Invalid { field: "amount_fen", .. })), "{less:?}");
    let unknown = notify(&station, notification(&station, "P0", "T1", 400)).await;
    assert!(matches!(unknown, Err(Error::NotFound("payment"))), "{unknown:?}");
    let replayed = good.clone();
    station.wait(6);
    assert!(matches!(notify(&station, replayed).await, Err(Error::Unauthenticated)));
    assert_eq!(station.reload(&driver, &order).await.status, OrderStatus::Pending);
}

async fn money_that_comes_too_late_goes_to_the_balance(world: World) {
    let station = Station::open(world).await;
    let driver = station.driver("driver", 0).await;
    let order = station.order(&driver, "A001").await;
    let number = ask(&station, &driver, &order).await;
    station.wait(15);
    notify(&station, notification(&station, &number, "T1", 400)).await.unwrap();
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
        notify(&station, notification(&station, &asked, transaction, 400)).await.unwrap();
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
        notify(&station, notification(&station, &asked, transaction, 400)).await.unwrap();
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
    let sent = notification(&station, "P0", "T1", 400);
    let notified = station.cloud().providers.notify(ProviderName::Alipay, sent).await;
    assert!(matches!(notified, Err(Error::NotFound(_))));
}
