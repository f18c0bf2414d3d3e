//! An event on one line, for people.

mod locker;

use std::fmt::{Display, Write};

use domain::{
    clock::ClockQuality,
    event::{Decision, Event, Fact},
};
use serde::Serialize;

/// The event on one line: sequence, time (`?` where the clock was not set), what happened.
pub fn summary(event: &Event) -> String {
    let mark = match event.at.quality {
        ClockQuality::Synchronised => ' ',
        ClockQuality::Unsynchronised => '?',
    };
    let time = event.at.wall.format("%Y-%m-%d %H:%M:%S%.3f");
    format!("{:>7}  {time}{mark} {}", event.sequence, what(&event.fact))
}

fn what(fact: &Fact) -> String {
    match fact {
        Fact::Started { version, .. } => format!("started     version {version}"),
        Fact::Stopped => "stopped".into(),
        Fact::Decision(decision) => decided(decision),
        Fact::CommandIntent { lane, device, action, .. } => {
            format!("command     {lane}: {} to {device}", word(action))
        }
        Fact::CommandOutcome { outcome, elapsed_ms, .. } => {
            format!("outcome     {}{}", word(outcome), after(elapsed_ms.as_ref()))
        }
        Fact::Passage { lane, direction, decision } => {
            let how = if decision.is_some() { "" } else { ", let through by nobody" };
            format!("passage     {lane}: {}{how}", word(direction))
        }
        Fact::Tailgate { lane, .. } => format!("tailgate    {lane}"),
        Fact::SessionOpened { plate, lane, .. } => format!("inside      {plate} by {lane}"),
        Fact::SessionClosed { lane, fee_fen, .. } => {
            format!("left        by {lane}, {fee_fen} fen")
        }
        Fact::Paid { amount_fen, method, by, .. } => {
            format!("paid        {amount_fen} fen, {method}, taken by {by}")
        }
        Fact::DirectiveDone { directive, kind } => {
            format!("done        directive {directive} ({kind})")
        }
        Fact::DirectiveSkipped { directive, kind, reason } => {
            format!("passed over directive {directive} ({kind}): {reason}")
        }
        Fact::ListInEffect { version, entries } => {
            format!("list        version {version}, {entries} entries")
        }
        Fact::ParametersSet { .. } => "parameters  set by the cloud".into(),
        Fact::TariffSet { area, name, tariff } => {
            let of = area.map(|area| format!(" of area {area}")).unwrap_or_default();
            let what = if tariff.is_some() { name } else { "none of the cloud" };
            format!("tariff      {what}{of}")
        }
        Fact::SessionRenamed { plate, .. } => format!("renamed     {plate}"),
        Fact::LaneFault { lane, fault } => format!("fault       {lane}: {fault}"),
        Fact::LaneRecovered { lane } => format!("recovered   {lane}"),
        Fact::ChargersFound(found) => format!("chargers    {}", found.chargers.len()),
        Fact::ChargeAssigned(assigned) => {
            format!("charge      {}: {} Wh", assigned.charger, assigned.energy_wh)
        }
        Fact::ChargeBlocked(blocked) => {
            format!("blocked     {}: the car before is still plugged in", blocked.charger)
        }
        Fact::ChargeStarted(started) => format!("charging    {}", started.charger),
        Fact::ChargeMetered(metered) => {
            format!("metered     {} Wh, the meter shows {}", metered.energy_wh, metered.meter_wh)
        }
        Fact::ChargeStop(_) => "stop        asked by the cloud".into(),
        Fact::ChargeEnded(ended) => {
            let (charger, cause) = (&ended.charger, word(&ended.cause));
            format!("charged     {charger}: {} Wh, {cause}", ended.energy_wh)
        }
        Fact::ChargerFault { charger, fault } => format!("fault       {charger}: {fault}"),
        Fact::ChargerRecovered { charger } => format!("recovered   {charger}"),
        Fact::Device { device, online, reason } => reached("device", device, *online, reason),
        Fact::Locker(fact) => locker::what(fact),
        Fact::DeviceMisbehaves { device, how } => format!("device      {device}: {how}"),
        Fact::DeviceBehaves { device } => format!("device      {device} behaves again"),
        Fact::Camera { camera, online, reason } => reached("camera", camera, *online, reason),
        Fact::VisionRestarted { reason, back_off_ms } => {
            format!("vision      restarts in {back_off_ms} ms: {reason}")
        }
        Fact::ClockChanged { what, jump_ms } => format!("clock       {what} ({jump_ms} ms)"),
        Fact::Quarantined { sequence, reason } => format!("set aside   event {sequence}: {reason}"),
        Fact::KeyShared { detail } => format!("key shared  {detail}"),
        Fact::JournalRepaired { detail, .. } => format!("repaired    {detail}"),
        Fact::JournalUnwritable { for_ms, lost, reason, .. } => {
            format!("unwritable  for {for_ms} ms, {lost} facts lost: {reason}")
        }
        Fact::Thinned { through, events } => {
            format!("thinned     {events} events of telemetry up to {through}")
        }
        Fact::Unknown => "of a kind that this version does not know".into(),
    }
}

fn decided(decision: &Decision) -> String {
    let Decision { lane, verdict, rule, reason, plate, .. } = decision;
    let mut line = format!("decision    {lane}: {} by {}", word(verdict), word(rule));
    if let Some(plate) = plate {
        let text = if plate.text.is_empty() { "unread" } else { &plate.text };
        write!(line, ", {text} {:.2}", plate.confidence).expect("a text takes text");
    }
    line + ": " + reason
}

fn reached(kind: &str, name: impl Display, online: bool, reason: &str) -> String {
    let state = if online { "online" } else { "offline" };
    format!("{kind:<11} {name} {state}: {reason}")
}

fn after(elapsed_ms: Option<&u64>) -> String {
    elapsed_ms.map(|elapsed_ms| format!(" after {elapsed_ms} ms")).unwrap_or_default()
}

/// The word that stands for a value on the wire.
pub(crate) fn word(value: &impl Serialize) -> String {
    let word = serde_json::to_value(value).ok();
    word.and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}
