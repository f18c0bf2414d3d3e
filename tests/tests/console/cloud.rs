//! The cloud's page as people have it before them, in a real browser: what an admin sets up in its
//! forms holds at the barrier of a real site; what is wrong is said; what cameras and people wrote
//! is never markup; who is no longer signed in, or cut off, loses nothing that was typed.

use chrono::{TimeDelta, Utc};
use domain::event::{Decision, Event, Fact, Rule, Verdict};
use firmware_protocol::barrier::Arm;
use system_tests::{
    browser::{Browser, keys},
    process::free_port,
    scenario::{Scenario, Setup},
    site::Cloud,
};
use tempfile::TempDir;

use crate::{NONE, TIMING, send, sticks_out};

const PASSWORD: &str = "long enough a secret";

async fn sign_in(browser: &Browser, password: &str) {
    browser.fill("#sign-in-form [name=username]", "chief").await.unwrap();
    browser.fill("#sign-in-form [name=password]", password).await.unwrap();
    browser.click("#sign-in-form button.do").await.unwrap();
}

fn obeyed(events: &[Event], directive: u64) -> bool {
    let is_it = |event: &Event| matches!(event.fact, Fact::DirectiveDone { directive: done, .. } if done == directive);
    events.iter().any(is_it)
}

fn is_refused(events: &[Event], wanted: &str, by: Rule) -> bool {
    let is_it = |decision: &Decision| {
        let plate = decision.plate.as_ref().is_some_and(|seen| seen.text == wanted);
        plate && decision.verdict == Verdict::Refuse && decision.rule == by
    };
    events.iter().any(|event| matches!(&event.fact, Fact::Decision(one) if is_it(one)))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_admin_sets_up_in_the_page_holds_at_the_barrier() {
    let more = "[parking]\nplaces = 100\n";
    let entry = "access = \"permits\"\ncooldown_s = 0";
    let setup = Setup { timing: TIMING, entry, more, ..Setup::default() };
    let mut site = Scenario::start(setup).await.unwrap();
    site.cloud.add_user("chief", "admin", PASSWORD).await.unwrap();
    let browser = Browser::start(1280, 900).await.unwrap();

    // Nobody sees permits without signing in, and a wrong password is said.
    browser.open(&format!("{}/#access", site.cloud.url())).await.unwrap();
    sign_in(&browser, "not the secret").await;
    browser.until("#sign-in-form .told", "the name or the password is wrong").await.unwrap();
    sign_in(&browser, PASSWORD).await;
    browser.until("#who", "chief, admin").await.unwrap();

    // A permit opens, also for its look-alike; what it says is text and never markup.
    const NOBODYS: &str = "<img src=nowhere onerror=document.title='taken'>";
    let permit = [("plate", "京A·12345"), ("about", NOBODYS)];
    send(&browser, "#access-form", &permit).await;
    browser.until("#access-form .told", "京A·12345 is saved").await.unwrap();
    browser.until("#access-rows", NOBODYS).await.unwrap();
    site.entry.pass("京AI2345").await.unwrap();
    browser.click("#tab-sites").await.unwrap();
    browser.until("#site-rows", "version 1, there as well").await.unwrap();

    // It is found by a part of its plate, with what it did.
    browser.click("#tab-overview").await.unwrap();
    browser.until("#sessions", "Scenario · entry").await.unwrap();
    browser.fill("#plate-search [name=plate]", "a·i23").await.unwrap();
    browser.until("#plates-count", "1 found").await.unwrap();
    browser.until("#plates", "Scenario · entry · entered").await.unwrap();
    browser.fill("#plate-search [name=plate]", "<b>'; --").await.unwrap();
    browser.until("#plates", "No plate with “<b>'; --” was read").await.unwrap();

    // What is no number is not taken for nothing; a lane opens from afar.
    browser.click("#tab-sites").await.unwrap();
    browser.click("#site-rows button").await.unwrap();
    browser.until("#site-title", "Settings of Scenario").await.unwrap();
    send(&browser, "#parameters", &[("places", "many")]).await;
    let is_refused_there = "document.querySelector('#parameters :invalid')?.name";
    assert_eq!(browser.eval(is_refused_there).await.unwrap(), "places");
    send(&browser, "#parameters", &[("places", "50")]).await;
    browser.until("#parameters .told", "Set.").await.unwrap();
    site.until("the site has 50 places", |events| obeyed(events, 1)).await.unwrap();
    send(&browser, "#opening", &[("lane", "entri")]).await;
    browser.until("#opening .told", "entri stays closed: there is no lane `entri`").await.unwrap();
    send(&browser, "#opening", &[("lane", "entry")]).await;
    site.entry.barrier.arm(Arm::Open).await;
    browser.until("#opening .told", "entry opens: ").await.unwrap();

    // A tariff counts from now on, once, however often the button is pressed.
    browser.click("#tab-tariffs").await.unwrap();
    let tariff = [("name", "<i>day</i>"), ("base_fee", "5.50"), ("hourly_rate", "2")];
    send(&browser, "#tariff-form", &tariff).await;
    browser.click("#tariff-form button.do").await.unwrap();
    browser.until("#tariff-rows", "¥5.50 for 60 min").await.unwrap();
    let tariffs = browser.eval("document.querySelectorAll('#tariff-rows tr').length");
    assert_eq!(tariffs.await.unwrap(), 1);
    site.until("the site knows the tariff", |events| obeyed(events, 4)).await.unwrap();

    // Revoked, it opens no more.
    browser.click("#tab-access").await.unwrap();
    browser.click("#access-rows [aria-label^=revoke]").await.unwrap();
    assert_eq!(browser.confirm().await.unwrap(), "Revoke the permit of 京A·12345?");
    browser.until("#access-rows", "revoked").await.unwrap();
    browser.click("#tab-sites").await.unwrap();
    browser.until("#site-rows", "version 2, there as well").await.unwrap();
    site.entry.see("京A12345");
    let refused = |events: &[Event]| is_refused(events, "京A12345", Rule::NoPermit);
    site.until("the permit is revoked", refused).await.unwrap();

    // While the cloud is away nothing that was typed is lost, nor when the login has ended since.
    browser.click("#tab-access").await.unwrap();
    site.cloud.kill().await.unwrap();
    browser.until("#live", "cannot be reached").await.unwrap();
    let permit = [("plate", "京B00001"), ("about", "Li Na")];
    send(&browser, "#access-form", &permit).await;
    browser.until("#access-form .told", "The service cannot be reached.").await.unwrap();
    site.cloud.restart_at(Utc::now() + TimeDelta::hours(25)).await.unwrap();
    browser.until("#sign-in-why", "You are no longer signed in.").await.unwrap();
    sign_in(&browser, PASSWORD).await;
    browser.until("#who", "chief").await.unwrap();
    browser.click("#access-form button.do").await.unwrap();
    browser.until("#access-form .told", "京B00001 is saved").await.unwrap();

    browser.click("#sign-out").await.unwrap();
    browser.until("#live", "connected").await.unwrap();
    assert_eq!(browser.eval("sessionStorage.length").await.unwrap(), 0);
    assert_eq!(browser.complaints().await.unwrap(), NONE);
    // And if markup got in, the page's policy would have it do nothing.
    let smuggle = "document.body.insertAdjacentHTML('beforeend',
        '<button id=smuggled onclick=\\'document.title = 1\\'>press</button>')";
    browser.eval(smuggle).await.unwrap();
    browser.eval("document.getElementById('smuggled').click()").await.unwrap();
    assert_eq!(browser.eval("document.title").await.unwrap(), "Gatehouse");
    let complaints = browser.complaints().await.unwrap();
    assert!(complaints.iter().any(|one| one.contains("Content Security Policy")), "{complaints:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_without_sites_is_told_so_on_a_phone_and_by_keyboard() {
    let folder = TempDir::new().unwrap();
    let cloud = Cloud::start(folder.path(), free_port().unwrap()).await.unwrap();
    cloud.add_user("chief", "operator", PASSWORD).await.unwrap();
    let browser = Browser::start(360, 740).await.unwrap();
    browser.open(&cloud.url()).await.unwrap();
    browser.until("#sites", "None yet").await.unwrap();
    for (tab, shown) in [("sites", "None yet"), ("access", "found"), ("tariffs", "None: parking")] {
        browser.press(if tab == "sites" { keys::TAB } else { "" }).await.unwrap();
        browser.press(keys::RIGHT).await.unwrap();
        if tab == "access" {
            browser.until("#sign-in-why", "signed in").await.unwrap();
            let name_and_password = ["chief", keys::TAB, PASSWORD, keys::ENTER].concat();
            browser.press(&name_and_password).await.unwrap();
            browser.until("#who", "chief, operator").await.unwrap();
        }
        browser.until("[role=tabpanel]:not([hidden])", shown).await.unwrap();
        assert_eq!(sticks_out(&browser).await, 0, "{tab}");
        let forms = "[...document.querySelectorAll('.for-admins')].some((one) => one.offsetParent)";
        assert_eq!(browser.eval(forms).await.unwrap(), false, "{tab} offers what only admins may");
    }
    assert_eq!(browser.complaints().await.unwrap(), NONE);
}
