//! The site's page: who has the operator's token opens lanes and lockers and takes fees there, also
//! without the cloud.

use domain::event::{Event, Fact, Rule, Verdict};
use firmware_protocol::barrier::Arm;
use system_tests::{
    browser::Browser,
    hall::Hall,
    scenario::{Scenario, Setup},
    site::Edge,
};

use crate::{NONE, TIMING, send, sticks_out};

const FIVE_YUAN: &str = "[parking]\nplaces = 100\n[parking.tariff]\nbase_fee_fen = 500\n\
                         base_seconds = 3600\nhourly_rate_fen = 300\n";

fn is_refused(by: Rule) -> impl Fn(&[Event]) -> bool {
    let is_it = move |event: &Event| matches!(&event.fact, Fact::Decision(one) if one.verdict == Verdict::Refuse && one.rule == by);
    move |events| events.iter().any(is_it)
}

/// A phone at the site's page, signed in.
async fn signed_in(edge: &Edge) -> Browser {
    let browser = Browser::start(360, 740).await.unwrap();
    browser.open(&edge.console_url()).await.unwrap();
    let token = edge.operator_token().unwrap();
    send(&browser, "#sign-in-form", &[("by", "Wang"), ("token", &token)]).await;
    browser.until("#live", "connected").await.unwrap();
    browser
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_opens_a_lane_and_takes_a_fee_while_the_line_is_cut() {
    let entry = "access = \"permits\"";
    let setup = Setup { timing: TIMING, entry, more: FIVE_YUAN, ..Setup::default() };
    let mut site = Scenario::start(setup).await.unwrap();
    site.internet.cut();
    site.entry.barrier.board().hardware.vehicle();
    site.entry.see("京A12345");
    site.until("the stranger is refused", is_refused(Rule::NoPermit)).await.unwrap();

    let browser = Browser::start(360, 740).await.unwrap();
    browser.open(&site.edge.console_url()).await.unwrap();
    let wrong = "0".repeat(64);
    send(&browser, "#sign-in-form", &[("by", "Wang"), ("token", &wrong)]).await;
    browser.until("#sign-in-form .told", "the operator's token is missing or wrong").await.unwrap();
    assert_eq!(browser.eval("document.querySelectorAll('#lanes button').length").await.unwrap(), 0);
    let token = site.edge.operator_token().unwrap();
    send(&browser, "#sign-in-form", &[("by", "Wang"), ("token", &token)]).await;
    browser.until("#state", "exit-barrier").await.unwrap();
    browser.click("#lanes [aria-label='Open entry']").await.unwrap();
    browser.until("#lanes-told", "entry: ").await.unwrap();
    let is_in = |events: &[Event]| {
        let is_it = |event: &Event| matches!(&event.fact, Fact::SessionOpened { plate, .. } if plate == "京A12345");
        events.iter().any(is_it)
    };
    site.until("the car is inside", is_in).await.unwrap();

    site.exit.barrier.board().hardware.vehicle();
    site.exit.see("京A12345");
    site.until("the fee is due", is_refused(Rule::FeeDue)).await.unwrap();
    send(&browser, "#paid", &[("plate", "<b>京B</b>"), ("amount", "5")]).await;
    browser.until("#paid .told", "no vehicle is inside as `<b>京B</b>`").await.unwrap();
    send(&browser, "#paid", &[("plate", "京a·12345"), ("amount", "5.00")]).await;
    site.exit.barrier.arm(Arm::Open).await;
    browser.until("#paid .told", "京a·12345: ").await.unwrap();

    // It says so when the site's computer is gone, and goes on when that is back.
    assert_eq!(sticks_out(&browser).await, 0);
    site.edge.kill().await.unwrap();
    browser.until("#live", "cannot be reached").await.unwrap();
    site.edge.restart().await.unwrap();
    browser.until("#live", "connected").await.unwrap();
    browser.click("#sign-out").await.unwrap();
    browser.until("#live", "not signed in").await.unwrap();
    assert_eq!(browser.eval("sessionStorage.length").await.unwrap(), 0);
    assert_eq!(browser.complaints().await.unwrap(), NONE);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_opens_a_locker() {
    let hall = Hall::start("").await.unwrap();
    hall.locker.board().hardware.set_people(true);
    let browser = signed_in(&hall.edge).await;
    send(&browser, "#cabinet", &[("cabinet", "Z999")]).await;
    browser.until("#cabinet .told", "Z999").await.unwrap();
    send(&browser, "#cabinet", &[("cabinet", "A002")]).await;
    let opened = || hall.locker.board().hardware.openings().first().map(|opening| opening.door);
    hall.until("door 2 is open", |_| opened() == Some(2)).await.unwrap();
    browser.until("#cabinet .told", "A002: ").await.unwrap();
    assert_eq!(browser.complaints().await.unwrap(), NONE);
}
