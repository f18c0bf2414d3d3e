//! The wire form of directives, byte by byte: a site of any version must read what a later cloud
//! says, so that these texts are never changed, only added to.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use domain::{
    directive::{Ask, Directive, Issued, Page},
    ids::{ChargingId, CommandId, SessionId},
    locker::{Cabinet, CodeHash, Held, SALT_BYTES},
    money::Fen,
    site::Parameters,
    tariff::{Tariff, TariffRule},
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

const CHARGE: &str = r#"{"kind":"charge","session":"00000000-0000-0000-0000-00000000000e","pile":"FAST-001","energy_wh":30000,"battery_wh":60000,"begin_within_s":900,"borders":[1763604000]}"#;
const STOP_CHARGE: &str =
    r#"{"kind":"stop_charge","session":"00000000-0000-0000-0000-00000000000e"}"#;

fn charging() -> [Directive; 2] {
    let session = ChargingId(Uuid::from_u128(0xe));
    let charge = Directive::Charge {
        session,
        pile: "FAST-001".parse().unwrap(),
        energy_wh: 30_000,
        battery_wh: Some(60_000),
        begin_within_s: 900,
        borders: vec![1_763_604_000],
    };
    [charge, Directive::StopCharge { session }]
}

const OPEN: &str = r#"{"kind":"open","lane":"entry","by":"Wang"}"#;

const PARAMETERS: &str = r#"{"kind":"parameters","parameters":{"places":12}}"#;
const TARIFF: &str = r#"{"kind":"tariff","area":3,"name":"night","tariff":{"rule":"documented","free_minutes":15,"base_fee_fen":500,"base_seconds":3600,"hourly_rate_fen":300}}"#;
const NO_TARIFF: &str = r#"{"kind":"tariff","name":""}"#;
const RENAMED: &str =
    r#"{"kind":"renamed","session":"00000000-0000-0000-0000-000000000005","plate":"京A·12345"}"#;

fn open() -> Directive {
    Directive::Open { lane: "entry".parse().unwrap(), by: "Wang".into() }
}

const CABINET: &str = r#"{"kind":"cabinet","cabinet":"A001","order":{"order":2,"order_no":"O20260119122632B6BZ","code":{"salt":"07070707070707070707070707070707","rounds":2000,"hash":"cb6a8242f44e9cbc83b80a56a528d1f3fdf8df47cb3c22f929c5d7136327aebc"},"valid_until":"2026-11-20T10:00:00Z"}}"#;

fn cabinet() -> Directive {
    let order = Held {
        order: 2,
        order_no: "O20260119122632B6BZ".into(),
        code: CodeHash::new("578674", [7; SALT_BYTES]),
        valid_until: "2026-11-20T10:00:00Z".parse().unwrap(),
    };
    Directive::Cabinet(Cabinet { cabinet: "A001".into(), order: Some(order) })
}

const FREE_CABINET: &str = r#"{"kind":"cabinet","cabinet":"A001"}"#;

fn free_cabinet() -> Directive {
    Directive::Cabinet(Cabinet { cabinet: "A001".into(), order: None })
}

const OPEN_CABINET: &str = r#"{"kind":"open_cabinet","command":"00000000-0000-0000-0000-00000000000c","cabinet":"A001","order":2}"#;

fn open_cabinet() -> Directive {
    let command = CommandId(Uuid::from_u128(0xc));
    Directive::OpenCabinet { command, cabinet: "A001".into(), order: 2 }
}

/// One of each kind with its bytes. Does not compile when a kind is added, until it is here.
fn kinds() -> Vec<(Directive, &'static str)> {
    let known = |directive: &Directive| match directive {
        Directive::Paid { .. }
        | Directive::Open { .. }
        | Directive::Parameters { .. }
        | Directive::Tariff { .. }
        | Directive::Renamed { .. } => {}
        Directive::Charge { .. } | Directive::StopCharge { .. } => {}
        Directive::Cabinet(_) | Directive::OpenCabinet { .. } => {}
    };
    let parameters = Parameters { places: Some(12), ..Parameters::default() };
    let tariff = Tariff {
        rule: TariffRule::Documented,
        free_minutes: 15,
        base_fee: Fen(500),
        base_seconds: 3600,
        hourly_rate: Fen(300),
        daily_max_fee: None,
    };
    let session = SessionId(Uuid::from_u128(5));
    let [charge, stop] = charging();
    let all = vec![
        (paid(), PAID),
        (open(), OPEN),
        (charge, CHARGE),
        (stop, STOP_CHARGE),
        (cabinet(), CABINET),
        (free_cabinet(), FREE_CABINET),
        (open_cabinet(), OPEN_CABINET),
        (Directive::Parameters { parameters }, PARAMETERS),
        (Directive::Tariff { area: Some(3), name: "night".into(), tariff: Some(tariff) }, TARIFF),
        (Directive::Tariff { area: None, name: String::new(), tariff: None }, NO_TARIFF),
        (Directive::Renamed { session, plate: "京A·12345".into() }, RENAMED),
    ];
    all.iter().for_each(|(directive, _)| known(directive));
    all
}

fn issued(directive: &str) -> Issued {
    serde_json::from_str(&format!(r#"{{"sequence":7,"directive":{directive}}}"#)).unwrap()
}

#[test]
fn directives_are_written_in_exactly_these_bytes_and_read_again() {
    for (directive, bytes) in kinds() {
        assert_eq!(serde_json::to_string(&directive).unwrap(), bytes);
        assert!(bytes.starts_with(&format!(r#"{{"kind":"{}""#, directive.kind())));
        assert_eq!(issued(bytes).read(), Ok(directive));
    }
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
fn the_life_of_a_command_is_counted_on_the_cloud_s_clock() {
    let told =
        format!(r#"{{"sequence":7,"directive":{OPEN},"expires_at":"2026-11-20T08:15:15Z"}}"#);
    let told: Issued = serde_json::from_str(&told).unwrap();
    let left = |now: &str| told.left(now.parse().unwrap());
    assert_eq!(left("2026-11-20T08:15:01Z"), Some(Duration::from_secs(14)));
    assert_eq!(left("2026-11-20T09:00:00Z"), Some(Duration::ZERO));
    assert_eq!(issued(PAID).left("2036-11-20T08:15:01Z".parse().unwrap()), None);
}

#[test]
fn a_request_names_what_was_carried_out_and_heard() {
    let ask = Ask { after: 41, list: None };
    assert_eq!(ask.target(), "/edge/v1/directives?after=41");
    let ask = Ask { list: Some(3), ..ask };
    assert_eq!(ask.target(), "/edge/v1/directives?after=41&list=3");
}
