//! The wire form of directives, byte by byte: a site of any version must read what a later cloud
//! says, so that these texts are never changed, only added to.
#![allow(clippy::unwrap_used)]

use domain::{
    directive::{Ask, Declined, Directive, Issued, MAX_DIRECTIVE_BYTES, MOST_DIRECTIVES, Page},
    ids::SessionId,
};
use uuid::Uuid;

const PAID: &str = r#"{"kind":"paid","session":"00000000-0000-0000-0000-000000000005","amount_fen":1250,"method":"wechat","paid_at":"2026-11-20T08:15:00Z"}"#;

fn paid() -> Directive {
    Directive::Paid {
        session: SessionId(Uuid::from_u128(5)),
        amount_fen: 1250,
        method: "wechat".into(),
        paid_at: "2026-11-20T08:15:00Z".parse().unwrap(),
    }
}

fn issued(directive: &str) -> Issued {
    serde_json::from_str(&format!(r#"{{"sequence":7,"directive":{directive}}}"#)).unwrap()
}

#[test]
fn directives_are_written_in_exactly_these_bytes_and_read_again() {
    assert_eq!(serde_json::to_string(&paid()).unwrap(), PAID);
    assert!(PAID.starts_with(&format!(r#"{{"kind":"{}""#, paid().kind())));
    assert_eq!(issued(PAID).read(), Ok(paid()));
}

#[test]
fn one_that_is_not_understood_keeps_back_no_other() {
    let page = format!(
        r#"{{"now":"2026-11-20T08:15:01Z","later":1,"directives":[
            {{"sequence":1,"directive":{{"kind":"sing","song":"x"}}}},
            {{"sequence":2,"directive":[1]}},
            {{"sequence":3,"directive":{PAID}}}]}}"#
    );
    let page: Page = serde_json::from_str(&page).unwrap();
    let read: Vec<_> = page.directives.iter().map(Issued::read).collect();
    let song = read[0].clone().unwrap_err();
    assert_eq!(song.kind, "sing");
    assert!(song.reason.contains("unknown variant `sing`"), "{}", song.reason);
    assert_eq!(read[1].clone().unwrap_err().kind, "");
    assert_eq!(read[2], Ok(paid()));
    let later = PAID.replace("\"kind\"", "\"till\":7,\"kind\"");
    assert_eq!(issued(&later).read(), Ok(paid()));
}

#[test]
fn what_is_not_understood_is_told_in_bounds() {
    let long = format!(r#"{{"kind":"{}\n"}}"#, "x".repeat(10_000));
    let told = issued(&long).read().unwrap_err();
    assert!(told.kind.len() <= 40 && told.reason.len() <= 200);
}

#[test]
fn the_largest_answer_fits_what_a_site_reads() {
    let most = MOST_DIRECTIVES * (MAX_DIRECTIVE_BYTES + 64) + 64;
    assert!(most < 64 * 1024, "{most}");
}

#[test]
fn a_request_is_signed_with_its_query_and_its_number() {
    let ask = Ask { after: 41, count: 7 };
    assert_eq!(ask.signed(), b"GET /edge/v1/directives?after=41\n7");
}

#[test]
fn refusals_are_written_in_exactly_these_bytes() {
    let written =
        [Declined::Unauthorised, Declined::Repeated { expected: 8 }, Declined::Ahead { last: 3 }]
            .map(|declined| serde_json::to_string(&declined).unwrap());
    assert_eq!(
        written,
        [
            r#"{"error":"unauthorised"}"#,
            r#"{"error":"repeated","expected":8}"#,
            r#"{"error":"ahead","last":3}"#
        ]
    );
}
