//! The pages that people look at, in a real browser: the cloud's and the site's own.
#![allow(clippy::unwrap_used)]

mod cloud;
mod site;

use system_tests::{barrier::Timing, browser::Browser};

const TIMING: Timing = Timing { travel_ms: 100, approach_ms: 50, passing_ms: 50 };
/// What a browser complains of where all is well.
const NONE: [String; 0] = [];

/// Fills fields of a form in and sends it.
async fn send(browser: &Browser, form: &str, fields: &[(&str, &str)]) {
    for (name, text) in fields {
        browser.fill(&format!("{form} [name={name}]"), text).await.unwrap();
    }
    browser.click(&format!("{form} button.do")).await.unwrap();
}

/// How many pixels of the page stick out to the right, where a phone would cut them off.
async fn sticks_out(browser: &Browser) -> i64 {
    let root = "document.documentElement";
    let beyond = format!("{root}.scrollWidth - {root}.clientWidth");
    browser.eval(&beyond).await.unwrap().as_i64().unwrap()
}
