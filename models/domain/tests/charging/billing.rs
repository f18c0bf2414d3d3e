//! What charging costs, by the clocks on the wall.

use chrono::{DateTime, NaiveDate, TimeZone, Utc};
use chrono_tz::Tz;
use domain::{
    charging::{Bill, Delivery, Period, Periods, Rate, Reading, Tariff, charge_ms, metered_wh},
    money::Fen,
};
use proptest::prelude::*;

const SHANGHAI: Tz = Tz::Asia__Shanghai;

/// The bill of some energy at 30 kW from a local time on.
fn bill(zone: Tz, start: &str, energy_wh: i64) -> Bill {
    let local = chrono::NaiveDateTime::parse_from_str(start, "%Y-%m-%d %H:%M").unwrap();
    let started_at_ms = zone.from_local_datetime(&local).earliest().unwrap().timestamp_millis();
    let ended_at_ms = started_at_ms + charge_ms(energy_wh, 30_000);
    let delivery = Delivery { started_at_ms, ended_at_ms, power_w: 30_000, energy_wh };
    Tariff::default().bill(&zone, &delivery)
}

/// Hours and fen of peak, normal and valley.
fn split(bill: &Bill) -> [(f64, i64); 3] {
    bill.parts().map(|part| (part.duration_ms as f64 / 3_600_000.0, part.cost.0))
}

#[test]
fn energy_is_billed_at_the_rates_of_the_periods_that_it_was_delivered_in() {
    let two_hours_at_peak = bill(SHANGHAI, "2026-11-20 10:00", 60_000);
    assert_eq!(split(&two_hours_at_peak), [(2.0, 7200), (0.0, 0), (0.0, 0)]);
    assert_eq!((two_hours_at_peak.service, two_hours_at_peak.total()), (Fen(4800), Fen(12_000)));
    let over_a_border = bill(SHANGHAI, "2026-11-20 09:30", 30_000);
    assert_eq!(split(&over_a_border), [(0.5, 1800), (0.5, 1200), (0.0, 0)]);
    let over_midnight = bill(SHANGHAI, "2026-11-20 22:00", 90_000);
    assert_eq!(split(&over_midnight), [(0.0, 0), (1.0, 2400), (2.0, 2400)]);
    let through_the_day = bill(SHANGHAI, "2026-11-20 06:00", 24 * 30_000);
    assert_eq!(split(&through_the_day), [(8.0, 28_800), (8.0, 19_200), (8.0, 9600)]);
}

#[test]
fn borders_hold_to_the_second() {
    let started_at_ms =
        SHANGHAI.with_ymd_and_hms(2026, 11, 20, 9, 59, 58).unwrap().timestamp_millis();
    let delivery = Delivery {
        started_at_ms,
        ended_at_ms: started_at_ms + 5000,
        power_w: 720_000, // 200 Wh each second
        energy_wh: 1000,
    };
    let bill = Tariff::default().bill(&SHANGHAI, &delivery);
    assert_eq!(
        (bill.normal.duration_ms, bill.normal.energy_wh, bill.normal.cost),
        (2000, 400, Fen(32))
    );
    assert_eq!((bill.peak.duration_ms, bill.peak.energy_wh, bill.peak.cost), (3000, 600, Fen(72)));
}

#[test]
fn an_hour_that_daylight_saving_skips_is_not_billed() {
    // Berlin, 29 March 2026: 02:00 becomes 03:00. Valley ends at 07:00, five hours after 01:00.
    let bill = bill(Tz::Europe__Berlin, "2026-03-29 01:00", 6 * 30_000);
    assert_eq!(split(&bill), [(0.0, 0), (1.0, 2400), (5.0, 6000)]);
}

#[test]
fn an_hour_that_daylight_saving_repeats_is_billed_twice() {
    // Berlin, 25 October 2026: 03:00 becomes 02:00. Valley ends at 07:00, seven hours after 01:00.
    let bill = bill(Tz::Europe__Berlin, "2026-10-25 01:00", 8 * 30_000);
    assert_eq!(split(&bill), [(0.0, 0), (1.0, 2400), (7.0, 8400)]);
}

#[test]
fn a_border_within_the_repeated_hour_is_crossed_twice() {
    let periods = |peak: &str, valley: &str| Periods {
        peak: vec![peak.parse().unwrap()],
        normal: Vec::new(),
        valley: vec![valley.parse().unwrap()],
    };
    let periods = periods("02:30-12:00", "12:00-02:30");
    periods.check().unwrap();
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap().timestamp_millis();
    // 02:00 to 03:00 in summer time, then the same hour in winter time.
    let pieces =
        periods.cut(&Tz::Europe__Berlin, at("2026-10-25T00:00:00Z"), at("2026-10-25T02:00:00Z"));
    let expected = [
        (at("2026-10-25T00:30:00Z"), Period::Valley),
        (at("2026-10-25T01:00:00Z"), Period::Peak),
        (at("2026-10-25T01:30:00Z"), Period::Valley),
        (at("2026-10-25T02:00:00Z"), Period::Peak),
    ];
    assert_eq!(pieces, expected);
}

#[test]
fn each_part_is_rounded_half_up_and_the_total_is_their_sum() {
    let mut tariff = Tariff::default();
    tariff.rates.peak = Rate(12_345); // 1.2345 yuan
    let start = SHANGHAI.with_ymd_and_hms(2026, 11, 20, 12, 0, 0).unwrap().timestamp_millis();
    let delivery = Delivery {
        started_at_ms: start,
        ended_at_ms: start + 1000,
        power_w: 36_000,
        energy_wh: 10,
    };
    let bill = tariff.bill(&SHANGHAI, &delivery);
    assert_eq!((bill.peak.cost, bill.service, bill.total()), (Fen(1), Fen(1), Fen(2)));
}

/// Readings of a meter on 20 November, by local hour and kWh.
fn readings(all: &[(f64, i64)]) -> Vec<Reading> {
    let midnight = SHANGHAI.with_ymd_and_hms(2026, 11, 20, 0, 0, 0).unwrap().timestamp_millis();
    let reading = |(hour, kwh): &(f64, i64)| Reading {
        at_ms: midnight + (hour * 3_600_000.0) as i64,
        energy_wh: kwh * 1000,
    };
    all.iter().map(reading).collect()
}

#[test]
fn a_site_s_meter_is_billed_by_the_periods_in_which_it_was_read() {
    let tariff = Tariff::default();
    // Little before ten, when it becomes dear, much afterwards.
    let read_at_the_border =
        tariff.bill_metered(&SHANGHAI, &readings(&[(9.5, 0), (10.0, 1), (10.5, 21)]));
    assert_eq!(split(&read_at_the_border), [(0.5, 2400), (0.5, 80), (0.0, 0)]);
    let read_around_it = tariff.bill_metered(&SHANGHAI, &readings(&[(9.5, 0), (10.5, 21)]));
    assert_eq!(split(&read_around_it), [(0.5, 1260), (0.5, 840), (0.0, 0)]);
    assert_eq!(tariff.bill_metered(&SHANGHAI, &readings(&[(9.5, 3)])), Bill::default());
    assert_eq!(tariff.bill_metered(&SHANGHAI, &[]), Bill::default());
}

#[test]
fn a_reading_that_goes_back_adds_and_takes_nothing() {
    let tariff = Tariff::default();
    let bill = tariff.bill_metered(
        &SHANGHAI,
        &readings(&[(11.0, 0), (12.0, 10), (11.5, 10), (12.0, 8), (13.0, 12), (13.0, 13)]),
    );
    assert_eq!((bill.energy_wh(), bill.peak.duration_ms), (13_000, 2 * 3_600_000));
}

#[test]
fn periods_cover_the_day_exactly_once() {
    let valley = vec!["23:00-06:59".parse().unwrap()];
    let gap = Periods { valley, ..Periods::default() };
    assert_eq!(
        gap.check().unwrap_err().to_string(),
        "06:59 is in 0 windows: every minute of the day belongs to exactly one"
    );
    let mut twice = Periods::default();
    twice.peak.push("00:00-00:01".parse().unwrap());
    assert!(twice.check().unwrap_err().to_string().starts_with("00:00 is in 2 windows"));
    for text in [
        "",
        "7:00-10:00",
        "07:00",
        "07:00-25:00",
        "07:60-08:00",
        "aa:bb-cc:dd",
        "07:00-08:00-09:00",
    ] {
        assert!(text.parse::<domain::charging::Window>().is_err(), "{text}");
    }
    let whole = "00:00-24:00".parse::<domain::charging::Window>().unwrap();
    let day = Periods { peak: vec![whole], normal: Vec::new(), valley: Vec::new() };
    assert_eq!((day.check(), whole.to_string()), (Ok(()), "00:00-24:00".to_owned()));
}

fn zones() -> impl Strategy<Value = Tz> {
    prop::sample::select(vec![
        SHANGHAI,
        Tz::Europe__Berlin,
        Tz::America__New_York,
        Tz::Australia__Lord_Howe,
        Tz::Asia__Kathmandu,
        Tz::Africa__Casablanca,
        Tz::America__Sao_Paulo,
    ])
}

proptest! {
    #[test]
    fn all_that_a_meter_counted_is_billed(
        zone in zones(),
        start_ms in 1_700_000_000_000i64..1_800_000_000_000,
        steps in prop::collection::vec((-1000i64..90_000_000, -5i64..30_000), 1..30),
    ) {
        let (mut at_ms, mut energy_wh) = (start_ms, 0);
        let mut readings = vec![Reading { at_ms, energy_wh }];
        for (ms, wh) in steps {
            (at_ms, energy_wh) = (at_ms + ms, energy_wh + wh);
            readings.push(Reading { at_ms, energy_wh });
        }
        let bill = Tariff::default().bill_metered(&zone, &readings);
        let greatest = |of: fn(&Reading) -> i64| readings.iter().map(of).max().unwrap();
        prop_assert_eq!(bill.energy_wh(), greatest(|reading| reading.energy_wh));
        let duration_ms: i64 = bill.parts().iter().map(|part| part.duration_ms).sum();
        prop_assert_eq!(duration_ms, greatest(|reading| reading.at_ms) - start_ms);
        prop_assert!(bill.parts().iter().all(|part| part.energy_wh >= 0));
    }

    #[test]
    fn energy_time_and_money_add_up(
        zone in zones(),
        start_s in 1_500_000_000i64..2_000_000_000,
        start_ms in 0i64..1000,
        ms in 0i64..(72 * 3_600_000),
        power_w in 1000i64..500_000,
    ) {
        let started_at_ms = start_s * 1000 + start_ms;
        let energy_wh = metered_wh(ms, power_w);
        let delivery = Delivery { started_at_ms, ended_at_ms: started_at_ms + ms, power_w, energy_wh };
        let bill = Tariff::default().bill(&zone, &delivery);
        let sum = |f: fn(&domain::charging::Part) -> i64| bill.parts().iter().map(f).sum::<i64>();
        prop_assert_eq!(sum(|part| part.duration_ms), ms);
        prop_assert_eq!(sum(|part| part.energy_wh), energy_wh);
        prop_assert_eq!(sum(|part| part.cost.0) + bill.service.0, bill.total().0);
        let exact = |wh: i64, rate: i64| Fen::half_up(i128::from(wh) * i128::from(rate), 1000);
        prop_assert_eq!(bill.peak.cost, exact(bill.peak.energy_wh, 120));
        prop_assert_eq!(bill.service, exact(energy_wh, 80));
    }

    #[test]
    fn pieces_are_what_a_look_at_the_wall_every_second_would_say(
        zone in zones(),
        day in 0u64..3650,
        offset_s in 0i64..86_400,
        seconds in 1i64..20_000,
    ) {
        let first: NaiveDate = "2020-01-01".parse().unwrap();
        let from_s = (first + chrono::Days::new(day)).and_time(chrono::NaiveTime::MIN).and_utc().timestamp() + offset_s;
        let periods = Periods::default();
        let mut pieces = periods.cut(&zone, from_s * 1000, (from_s + seconds) * 1000).into_iter().peekable();
        for second in from_s..from_s + seconds {
            while pieces.next_if(|(until_ms, _)| *until_ms <= second * 1000).is_some() {}
            let hour = chrono::Timelike::hour(&DateTime::from_timestamp(second, 0).unwrap().with_timezone(&zone));
            let expected = match hour {
                10..15 | 18..21 => Period::Peak,
                23 | 0..7 => Period::Valley,
                _ => Period::Normal,
            };
            prop_assert_eq!(pieces.peek().unwrap().1, expected);
        }
    }
}
