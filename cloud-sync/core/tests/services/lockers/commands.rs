//! Codes before a door, and the commands that come of them.

use cloud_core::{Error, lockers::DeviceChange};

use super::station::{DEVICE, STATION, Station, controller, refusal};
use crate::world::{World, on_each_engine};

on_each_engine! {
    a_command_is_shown_until_the_door_is_open,
    a_command_is_void_after_a_minute,
    a_command_is_acknowledged_once_or_twice,
    a_second_request_replaces_the_first,
    several_doors_are_opened_in_turn,
    five_wrong_codes_lock_the_cabinet,
    a_controller_speaks_for_its_own_cabinets_alone,
    a_cabinet_without_controller_is_not_opened,
    a_restart_loses_no_command,
}

async fn a_command_is_shown_until_the_door_is_open(world: World) {
    let station = Station::open(world).await;
    let driver = station.driver("driver", 1000).await;
    let order = station.paid(&driver, "A001").await;
    assert_eq!(station.poll().await, None);
    let opening = station.open_door(&driver, &order).await.unwrap();
    for _ in 0..3 {
        assert_eq!(station.poll().await, opening.command_id);
        station.cloud().lockers.heartbeat(&station.device, Some(90)).await.unwrap();
    }
    station.door("A001", false).await;
    assert_eq!(station.poll().await, None);
}

async fn a_command_is_void_after_a_minute(world: World) {
    let station = Station::open(world).await;
    let driver = station.driver("driver", 1000).await;
    let order = station.paid(&driver, "A001").await;
    let opening = station.open_door(&driver, &order).await.unwrap();
    station.world.clock.advance(chrono::TimeDelta::seconds(59));
    assert_eq!(station.poll().await, opening.command_id);
    station.world.clock.advance(chrono::TimeDelta::seconds(1));
    assert_eq!(station.poll().await, None);
    let lockers = &station.cloud().lockers;
    let late = opening.command_id.unwrap();
    lockers.acknowledge(&station.device, DEVICE, &late).await.unwrap();
    assert_eq!(refusal(station.complete(&driver, order.id).await), "door_open");
}

async fn a_command_is_acknowledged_once_or_twice(world: World) {
    let station = Station::open(world).await;
    let driver = station.driver("driver", 1000).await;
    let order = station.paid(&driver, "A001").await;
    let command = station.open_door(&driver, &order).await.unwrap().command_id.unwrap();
    let lockers = &station.cloud().lockers;
    let other = controller(station.cloud(), &station.admin, "ESP32_002", "汽车站").await;
    for (device, asked) in [(&other, "ESP32_002"), (&other, DEVICE), (&station.device, "ESP32_002")]
    {
        let foreign = lockers.acknowledge(device, asked, &command).await;
        assert!(matches!(foreign, Err(Error::NotFound(_))), "{foreign:?}");
    }
    assert!(lockers.next_command(&other, DEVICE).await.is_err());
    for _ in 0..2 {
        lockers.acknowledge(&station.device, DEVICE, &command).await.unwrap();
    }
    assert_eq!(station.poll().await, None);
}

async fn a_second_request_replaces_the_first(world: World) {
    let station = Station::open(world).await;
    let driver = station.driver("driver", 1000).await;
    let order = station.paid(&driver, "A001").await;
    let first = station.open_door(&driver, &order).await.unwrap();
    let second = station.open_door(&driver, &order).await.unwrap();
    assert_ne!(first.command_id, second.command_id);
    assert_eq!(station.poll().await, second.command_id);
    station.door("A001", false).await;
    assert_eq!(station.poll().await, None, "one opening settles both");
}

async fn several_doors_are_opened_in_turn(world: World) {
    let station = Station::open(world).await;
    let driver = station.driver("driver", 1000).await;
    let mut commands = Vec::new();
    for cabinet in ["A001", "A002"] {
        let order = station.paid(&driver, cabinet).await;
        commands.push(station.open_door(&driver, &order).await.unwrap().command_id);
        station.world.clock.advance(chrono::TimeDelta::seconds(1));
    }
    let mut shown = Vec::new();
    for _ in 0..4 {
        shown.push(station.poll().await);
        station.world.clock.advance(chrono::TimeDelta::seconds(1));
    }
    assert_eq!(shown, [&commands[..], &commands[..]].concat());
}

async fn five_wrong_codes_lock_the_cabinet(world: World) {
    let station = Station::open(world).await;
    let (driver, thief) = (station.driver("driver", 1000).await, station.driver("thief", 0).await);
    let order = station.paid(&driver, "A001").await;
    let lockers = &station.cloud().lockers;
    let guess = || lockers.open(&thief, "A001", "not it", false);
    for _ in 0..4 {
        assert_eq!(refusal(guess().await), "bad_code");
    }
    station.wait(10);
    assert_eq!(refusal(guess().await), "bad_code");
    station.open_door(&driver, &order).await.unwrap();
    for _ in 0..4 {
        assert_eq!(refusal(guess().await), "bad_code");
    }
    assert_eq!(refusal(guess().await), "code_locked");
    assert_eq!(refusal(station.open_door(&driver, &order).await), "code_locked");
    station.wait(10);
    let friend = station.driver("friend", 0).await;
    station.open_door(&friend, &order).await.unwrap();
}

async fn a_controller_speaks_for_its_own_cabinets_alone(world: World) {
    let station = Station::open(world).await;
    let other = controller(station.cloud(), &station.admin, "ESP32_002", "汽车站").await;
    let lockers = &station.cloud().lockers;
    let open = cloud_core::lockers::DoorReport { cabinet_id: "A001".into(), is_closed: false };
    lockers.report(&other, vec![open], None).await.unwrap();
    assert!(lockers.cabinet("A001").await.unwrap().is_locked);
    let logs = lockers.device_logs(&station.admin, "ESP32_002", 0, 10).await.unwrap();
    let types: Vec<_> = logs.iter().map(|line| line.log_type.as_str()).collect();
    assert_eq!(types, ["status", "warning", "heartbeat"]);
    let (cloud, admin) = (station.cloud(), &station.admin);
    let unknown = cloud.lockers.device_logs(admin, "ESP32_404", 0, 10).await;
    assert!(matches!(unknown, Err(Error::NotFound("device"))));
}

async fn a_cabinet_without_controller_is_not_opened(world: World) {
    let station = Station::open(world).await;
    let driver = station.driver("driver", 1000).await;
    let order = station.paid(&driver, "A001").await;
    controller(station.cloud(), &station.admin, "ESP32_002", STATION).await;
    assert_eq!(refusal(station.open_door(&driver, &order).await), "no_device");
    let off = DeviceChange { is_active: Some(false), ..DeviceChange::default() };
    let lockers = &station.cloud().lockers;
    lockers.change_device(&station.admin, "ESP32_002", off).await.unwrap();
    station.open_door(&driver, &order).await.unwrap();
    assert_eq!(lockers.cabinet("A001").await.unwrap().device_id.as_deref(), Some(DEVICE));
}

async fn a_restart_loses_no_command(world: World) {
    let mut station = Station::open(world).await;
    let driver = station.driver("driver", 1000).await;
    let order = station.paid(&driver, "A001").await;
    let opening = station.open_door(&driver, &order).await.unwrap();
    station.world.restart();
    assert_eq!(station.poll().await, opening.command_id);
}
