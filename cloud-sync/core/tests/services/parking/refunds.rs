//! Giving back what was paid at a provider.

use chrono::TimeDelta;
use cloud_core::{
    Caller, GatewayError, PayMethod, Payable, Payment, PaymentStatus, ProviderName, RefundState,
    Word,
};

use super::lot::Lot;
use crate::world::{World, on_each_engine};

on_each_engine! {
    a_refund_is_asked_of_the_provider_until_it_answers,
    a_refund_on_its_way_is_looked_up_until_it_has_ended,
    what_the_provider_will_not_give_back_is_not_given_back,
    two_instances_ask_once,
    what_was_taken_at_the_counter_is_given_back_there,
}

/// A stay of 10.00 that its driver has paid at WeChat.
async fn paid(lot: &Lot) -> (Caller, Payment) {
    let anna = lot.world.visitor("anna").await;
    let stay = lot.assign(&anna, "京A00001").await.unwrap().id;
    let order = lot.parking().order(&anna, stay).await.unwrap();
    let with = Payable { method: PayMethod::Wechat, amount_fen: None };
    let page = lot.parking().pay_order(&anna, order.id, with).await.unwrap().payment_url.unwrap();
    let number = page.split("out_trade_no=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let word = Word::Paid { number, transaction_id: "T1".into(), amount_fen: 1000 };
    lot.world.cloud.providers.hear(ProviderName::Wechat, word).await.unwrap();
    (anna, order)
}

async fn carry_out(lot: &Lot) {
    lot.world.cloud.providers.carry_out_refunds().await.unwrap();
}

async fn give_back(lot: &Lot, order: &Payment, fen: i64) -> Payment {
    let refunded = lot.parking().refund(&lot.operator, order.id, Some(fen), "too long".into());
    refunded.await.unwrap()
}

async fn a_refund_is_asked_of_the_provider_until_it_answers(world: World) {
    let mut lot = Lot::open(world, 1).await;
    let (anna, order) = paid(&lot).await;
    let refunded = give_back(&lot, &order, 400).await;
    assert_eq!((refunded.status, refunded.refunded_fen), (PaymentStatus::Completed, 400));
    assert_eq!(lot.world.till().refunds(), [], "the provider is asked after the transaction");
    lot.world.till().will_say([Err(GatewayError::NoAnswer("the line is cut".into()))]);
    carry_out(&lot).await;
    carry_out(&lot).await;
    assert_eq!(lot.world.till().refunds().len(), 1, "not at once again");
    lot.world.restart();
    lot.wait(TimeDelta::seconds(6));
    carry_out(&lot).await;
    lot.wait(TimeDelta::hours(2));
    carry_out(&lot).await;
    let asked = lot.world.till().refunds();
    assert_eq!(asked.len(), 2, "once more, and never after it is done");
    assert_eq!(asked[0], asked[1], "the same refund, whatever became of the first question");
    assert_eq!((asked[0].amount_fen, asked[0].paid_fen), (400, 1000));
    assert_eq!(asked[0].reason, "too long");
    assert_eq!(lot.world.cloud.accounts.own(&anna).await.unwrap().balance_fen, 0);
}

async fn a_refund_on_its_way_is_looked_up_until_it_has_ended(world: World) {
    let lot = Lot::open(world, 1).await;
    let (_, order) = paid(&lot).await;
    give_back(&lot, &order, 1000).await;
    lot.world.till().will_say([Ok(RefundState::Processing), Ok(RefundState::Processing)]);
    for _ in 0..4 {
        carry_out(&lot).await;
        lot.wait(TimeDelta::hours(1));
    }
    let till = lot.world.till();
    assert_eq!((till.refunds().len(), till.looked_up()), (1, 2));
}

async fn what_the_provider_will_not_give_back_is_not_given_back(world: World) {
    let lot = Lot::open(world, 1).await;
    let (anna, order) = paid(&lot).await;
    give_back(&lot, &order, 1000).await;
    let revenue = async || lot.parking().payment_figures(&lot.staff).await.unwrap().today_fen;
    assert_eq!(revenue().await, 0);
    lot.world.till().will_say([Err(GatewayError::Refused("USER_ACCOUNT_ABNORMAL".into()))]);
    carry_out(&lot).await;
    let still = lot.parking().payment(&anna, order.id).await.unwrap();
    assert_eq!((still.status, still.refunded_fen), (PaymentStatus::Completed, 0));
    assert_eq!(revenue().await, 1000);
    give_back(&lot, &order, 1000).await;
    carry_out(&lot).await;
    let asked = lot.world.till().refunds();
    assert_ne!(asked[0].number, asked[1].number, "another try is another refund");
    assert_eq!(revenue().await, 0);
}

async fn two_instances_ask_once(world: World) {
    let lot = Lot::open(world, 1).await;
    let (_, order) = paid(&lot).await;
    let other = lot.world.another();
    for fen in [100, 200, 300] {
        give_back(&lot, &order, fen).await;
    }
    let (one, two) = tokio::join!(
        lot.world.cloud.providers.carry_out_refunds(),
        other.providers.carry_out_refunds()
    );
    one.unwrap();
    two.unwrap();
    let mut asked: Vec<_> = lot.world.till().refunds().iter().map(|r| r.amount_fen).collect();
    asked.sort_unstable();
    assert_eq!(asked, [100, 200, 300]);
}

async fn what_was_taken_at_the_counter_is_given_back_there(world: World) {
    let lot = Lot::open(world, 1).await;
    let anna = lot.world.visitor("anna").await;
    let stay = lot.assign(&anna, "京A00001").await.unwrap().id;
    let order = lot.parking().order(&lot.staff, stay).await.unwrap();
    let with = Payable { method: PayMethod::Wechat, amount_fen: None };
    lot.parking().pay_order(&lot.staff, order.id, with).await.unwrap();
    give_back(&lot, &order, 1000).await;
    carry_out(&lot).await;
    assert_eq!(lot.world.till().refunds(), []);
}
