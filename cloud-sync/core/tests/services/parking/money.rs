//! Orders, payments and refunds.

use chrono::TimeDelta;
use cloud_core::{Error, PayMethod, Payable, PaymentChange, PaymentStatus, ProviderName, Word};

use super::lot::{Lot, refusal};
use crate::world::{World, on_each_engine};

on_each_engine! {
    an_order_is_for_what_is_due_and_paid_in_full,
    paying_leaves_time_to_leave,
    a_fee_paid_for_a_stay_closes_its_order,
    what_is_given_back_is_taken_from_revenue,
    users_pay_by_balance_or_at_a_provider,
    a_providers_word_pays_the_order_once,
    nobody_sees_the_orders_of_others,
    a_payment_written_down_wrongly_is_corrected,
    an_order_for_more_than_is_due_is_given_up,
    all_sums_agree,
}

fn cash(amount_fen: Option<i64>) -> Payable {
    Payable { method: PayMethod::Cash, amount_fen }
}

async fn an_order_is_for_what_is_due_and_paid_in_full(world: World) {
    let lot = Lot::open(world, 1).await;
    lot.tariff(|_| {}).await;
    let stay = lot.park("京A00001", "A001").await.id;
    lot.wait(TimeDelta::minutes(150));
    let order = lot.parking().order(&lot.staff, stay).await.unwrap();
    assert_eq!((order.amount_fen, order.status), (1250, PaymentStatus::Pending));
    assert!(order.order_number.starts_with("ORD20260310"), "{}", order.order_number);
    let same = lot.parking().order(&lot.staff, stay).await.unwrap();
    assert_eq!(same.id, order.id, "what waits for the same amount is the same order");
    for wrong in [1249, 1251, 0] {
        assert_eq!(refusal(lot.take(order.id, wrong).await), "wrong_amount");
    }
    let paid = lot.take(order.id, 1250).await.unwrap();
    assert_eq!((paid.status, paid.method.as_deref()), (PaymentStatus::Completed, Some("cash")));
    assert_eq!(refusal(lot.take(order.id, 1250).await), "already_paid");
    assert_eq!(refusal(lot.parking().order(&lot.staff, stay).await), "already_paid");
    let unknown = lot.take(999, 1).await;
    assert!(matches!(unknown, Err(Error::NotFound("order"))), "{unknown:?}");
}

async fn paying_leaves_time_to_leave(world: World) {
    let lot = Lot::open(world, 2).await;
    lot.tariff(|_| {}).await;
    let (quick, slow) =
        (lot.park("京A00001", "A001").await.id, lot.park("京A00002", "A002").await.id);
    lot.wait(TimeDelta::minutes(150));
    for stay in [quick, slow] {
        let order = lot.parking().order(&lot.staff, stay).await.unwrap();
        lot.take(order.id, 1250).await.unwrap();
    }
    lot.wait(TimeDelta::minutes(10));
    assert_eq!(lot.leave(quick).await.fee_fen, Some(1250));
    lot.wait(TimeDelta::minutes(20));
    let late = lot.leave(slow).await;
    // 3 h cost 14.00.
    assert_eq!((late.fee_fen, late.paid_fen), (Some(1400), 1250));
    let rest = lot.parking().pay_stay(&lot.staff, slow, cash(None)).await.unwrap();
    assert_eq!(rest.payment.amount_fen, 150);
    assert_eq!(refusal(lot.parking().pay_stay(&lot.staff, slow, cash(None)).await), "already_paid");
}

async fn a_fee_paid_for_a_stay_closes_its_order(world: World) {
    let lot = Lot::open(world, 1).await;
    let stay = lot.park("京A00001", "A001").await.id;
    let early = lot.parking().pay_stay(&lot.staff, stay, cash(None)).await;
    assert_eq!(refusal(early), "not_completed");
    lot.wait(TimeDelta::minutes(61));
    let order = lot.parking().order(&lot.staff, stay).await.unwrap();
    lot.leave(stay).await;
    let wrong = lot.parking().pay_stay(&lot.staff, stay, cash(Some(1))).await;
    assert_eq!(refusal(wrong), "wrong_amount");
    let paid = lot.parking().pay_stay(&lot.staff, stay, cash(Some(2000))).await.unwrap();
    assert_eq!(paid.payment.id, order.id, "one fact, by whatever face");
    assert_eq!(refusal(lot.take(order.id, 2000).await), "already_paid");
}

async fn what_is_given_back_is_taken_from_revenue(world: World) {
    let lot = Lot::open(world, 1).await;
    let stay = lot.park("京A00001", "A001").await.id;
    let order = lot.parking().order(&lot.staff, stay).await.unwrap().id;
    let refund = |amount| lot.parking().refund(&lot.operator, order, amount, "用户申请".into());
    assert_eq!(refusal(refund(None).await), "not_paid");
    lot.take(order, 1000).await.unwrap();
    assert_eq!(refusal(refund(Some(1001)).await), "refund_too_large");
    for nothing in [0, -1] {
        assert!(matches!(refund(Some(nothing)).await, Err(Error::Invalid { .. })));
    }
    let part = refund(Some(300)).await.unwrap();
    assert_eq!((part.status, part.refunded_fen), (PaymentStatus::Completed, 300));
    assert_eq!(lot.parking().payment_figures(&lot.staff).await.unwrap().today_fen, 700);
    let rest = refund(None).await.unwrap();
    assert_eq!((rest.status, rest.refunded_fen), (PaymentStatus::Refunded, 1000));
    assert_eq!(refusal(refund(None).await), "nothing_left");
    let dashboard = lot.parking().dashboard(&lot.staff).await.unwrap();
    assert_eq!(dashboard.days.last().unwrap().revenue_fen, 0);
}

async fn users_pay_by_balance_or_at_a_provider(world: World) {
    let lot = Lot::open(world, 2).await;
    let anna = lot.world.visitor("anna").await;
    let stay = lot.assign(&anna, "京A00001").await.unwrap().id;
    let order = lot.parking().order(&anna, stay).await.unwrap();
    let pay = |method| {
        lot.parking().pay_order(&anna, order.id, Payable { method, amount_fen: Some(1000) })
    };
    assert_eq!(refusal(pay(PayMethod::Cash).await), "method_unavailable");
    assert_eq!(refusal(pay(PayMethod::Alipay).await), "provider_unavailable");
    assert_eq!(refusal(pay(PayMethod::Balance).await), "balance_too_low");
    let waiting = pay(PayMethod::Wechat).await.unwrap();
    assert!(waiting.payment_url.unwrap().starts_with("https://pay.example.com/wechat?"));
    assert_eq!(waiting.payment.status, PaymentStatus::Pending, "a promise is no payment");
    let online = pay(PayMethod::Online).await.unwrap();
    assert!(online.payment_url.is_some(), "whichever provider there is");
    let account = anna.account_id().unwrap();
    let accounts = &lot.world.cloud.accounts;
    accounts.top_up(&lot.admin, account, 2500, "cash").await.unwrap();
    let paid = pay(PayMethod::Balance).await.unwrap();
    assert_eq!(paid.payment.status, PaymentStatus::Completed);
    lot.parking().refund(&lot.operator, order.id, Some(400), String::new()).await.unwrap();
    let balance = accounts.own(&anna).await.unwrap().balance_fen;
    assert_eq!(balance, 2500 - 1000 + 400);
}

async fn a_providers_word_pays_the_order_once(world: World) {
    let lot = Lot::open(world, 2).await;
    let anna = lot.world.visitor("anna").await;
    let stay = lot.assign(&anna, "京A00001").await.unwrap().id;
    let order = lot.parking().order(&anna, stay).await.unwrap();
    let with = Payable { method: PayMethod::Wechat, amount_fen: None };
    let waiting = lot.parking().pay_order(&anna, order.id, with).await.unwrap();
    let page = waiting.payment_url.unwrap();
    let number = page.split("out_trade_no=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let notify = |transaction: &str| {
        let (number, transaction_id) = (number.clone(), transaction.to_owned());
        let word = Word::Paid { number, transaction_id, amount_fen: 1000 };
        lot.world.cloud.providers.hear(ProviderName::Wechat, word)
    };
    for _ in 0..2 {
        notify("T1").await.unwrap();
    }
    let paid = lot.parking().payment(&anna, order.id).await.unwrap();
    assert_eq!((paid.status, paid.method.as_deref()), (PaymentStatus::Completed, Some("wechat")));
    assert_eq!(lot.parking().payment_figures(&anna).await.unwrap().today_fen, 1000);
    notify("T2").await.unwrap();
    let balance = lot.world.cloud.accounts.own(&anna).await.unwrap().balance_fen;
    assert_eq!(balance, 1000, "paid twice outside: the second is kept for the payer");
}

async fn nobody_sees_the_orders_of_others(world: World) {
    let lot = Lot::open(world, 2).await;
    let (anna, ben) = (lot.world.visitor("anna").await, lot.world.visitor("ben").await);
    let stay = lot.assign(&anna, "京A00001").await.unwrap().id;
    let order = lot.parking().order(&anna, stay).await.unwrap().id;
    assert!(matches!(lot.parking().order(&ben, stay).await, Err(Error::NotFound("session"))));
    assert!(matches!(lot.parking().payment(&ben, order).await, Err(Error::NotFound("order"))));
    let paid = lot.parking().pay_order(&ben, order, cash(Some(1000))).await;
    assert!(matches!(paid, Err(Error::NotFound("order"))), "{paid:?}");
    let of = |caller| lot.parking().payments(caller, Default::default(), None);
    assert_eq!(of(&ben).await.unwrap().1, 0);
    assert_eq!(of(&anna).await.unwrap().1, 1);
}

async fn a_payment_written_down_wrongly_is_corrected(world: World) {
    let lot = Lot::open(world, 1).await;
    let stay = lot.park("京A00001", "A001").await.id;
    lot.leave(stay).await;
    let paid = lot.parking().pay_stay(&lot.staff, stay, cash(None)).await.unwrap().payment.id;
    let change = PaymentChange { method: Some(PayMethod::Card), amount_fen: Some(900) };
    let payment = lot.parking().change_payment(&lot.operator, paid, change).await.unwrap();
    assert_eq!((payment.amount_fen, payment.method.as_deref()), (900, Some("card")));
    lot.parking().remove_payment(&lot.operator, paid).await.unwrap();
    let gone = lot.parking().remove_payment(&lot.operator, paid).await;
    assert!(matches!(gone, Err(Error::NotFound("payment"))), "{gone:?}");
    assert_eq!(lot.parking().payment_figures(&lot.staff).await.unwrap().total_fen, 0);
    let again = lot.parking().pay_stay(&lot.staff, stay, cash(None)).await.unwrap();
    assert_eq!(again.payment.amount_fen, 1000, "it is due again");
}

async fn an_order_for_more_than_is_due_is_given_up(world: World) {
    let lot = Lot::open(world, 1).await;
    let stay = lot.park("京A00001", "A001").await.id;
    let first = lot.parking().order(&lot.staff, stay).await.unwrap();
    lot.wait(TimeDelta::minutes(90));
    let second = lot.parking().order(&lot.staff, stay).await.unwrap();
    assert_eq!((first.amount_fen, second.amount_fen), (1000, 2000));
    assert_eq!(refusal(lot.take(first.id, 1000).await), "order_closed");
    lot.take(second.id, 2000).await.unwrap();
    lot.wait(TimeDelta::minutes(60));
    let third = lot.parking().order(&lot.staff, stay).await.unwrap();
    assert_eq!(third.amount_fen, 1000, "the rest");
    let left = lot.leave(stay).await;
    assert_eq!((left.fee_fen, left.paid_fen), (Some(3000), 2000));
    lot.parking().pay_stay(&lot.staff, stay, cash(None)).await.unwrap();
    let figures = lot.parking().payment_figures(&lot.staff).await.unwrap();
    assert_eq!((figures.today_fen, figures.failed, figures.pending), (3000, 1, 0));
}

async fn all_sums_agree(world: World) {
    let lot = Lot::open(world, 5).await;
    lot.tariff(|new| new.tariff.free_minutes = 0).await;
    let mut expected = 0;
    for (number, minutes) in [(1, 61), (2, 95), (3, 133), (4, 250), (5, 1500)] {
        let stay = lot.park(&format!("京A0000{number}"), &format!("A00{number}")).await.id;
        lot.wait(TimeDelta::minutes(minutes));
        let left = lot.leave(stay).await;
        let paid = lot.parking().pay_stay(&lot.staff, stay, cash(None)).await.unwrap().payment;
        assert_eq!(Some(paid.amount_fen), left.fee_fen);
        expected += paid.amount_fen;
        if number % 2 == 0 {
            lot.parking().refund(&lot.operator, paid.id, Some(101), String::new()).await.unwrap();
            expected -= 101;
        }
    }
    let figures = lot.parking().payment_figures(&lot.staff).await.unwrap();
    let days = lot.parking().dashboard(&lot.staff).await.unwrap().days;
    let trend: i64 = days.iter().map(|day| day.revenue_fen).sum();
    assert_eq!((figures.total_fen, figures.week_fen, trend), (expected, expected, expected));
    assert_eq!(figures.orders, figures.completed + figures.pending + figures.failed);
}
