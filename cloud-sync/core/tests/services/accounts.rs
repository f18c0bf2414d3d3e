//! Accounts: who gets in, what stands for them and until when, and what they have to spend.

use std::net::{IpAddr, Ipv4Addr};

use chrono::TimeDelta;
use cloud_core::{
    Account, AccountChange, Caller, Error, Login, NewAccount, PreferenceChange, Role,
    VehicleChange, Window,
};

use crate::world::{World, on_each_engine};

on_each_engine! {
    two_who_register_one_phone_at_once_are_one,
    a_password_lets_in_and_nothing_else_does,
    too_many_attempts_wait_wherever_they_are_made,
    a_pair_of_tokens_lives_as_long_as_it_says,
    logging_out_ends_every_token_of_that_login,
    a_new_password_ends_what_came_of_the_old,
    a_new_signing_key_leaves_the_old_tokens_good,
    a_role_holds_from_the_next_call,
    one_admin_is_always_left,
    the_ledger_adds_up_to_the_balance,
    a_person_sees_nobody_else,
    whoever_is_removed_is_gone,
    preferences_are_ones_own,
    a_car_is_claimed_once,
    a_car_that_is_known_is_given_by_an_operator_alone,
    nobody_hoards_plates,
}

const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 8));
const WINDOW: Window = Window { skip: 0, limit: 100 };

fn person(username: &str, phone: &str) -> NewAccount {
    NewAccount {
        username: username.into(),
        password: "correct-horse".into(),
        role: Role::Admin,
        phone: Some(phone.into()),
        email: None,
    }
}

fn username(name: &str) -> Login {
    Login::Username(name.into())
}

async fn registered(world: &World) -> Account {
    world.cloud.accounts.register(person("zhang", "13900139000"), HOME).await.unwrap()
}

async fn caller(world: &World, token: &str) -> Result<Caller, Error> {
    world.cloud.accounts.by_token(token).await
}

fn field<T>(outcome: Result<T, Error>) -> &'static str {
    match outcome {
        Err(Error::Invalid { field, .. }) => field,
        Err(error) => panic!("{error}"),
        Ok(_) => "nothing",
    }
}

fn refused<T>(outcome: &Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::Unauthenticated))
}

async fn two_who_register_one_phone_at_once_are_one(world: World) {
    let tries = (0..6).map(|number| {
        let cloud = world.cloud.clone();
        let new = person(&format!("twin-{number}"), "13900139000");
        tokio::spawn(async move { cloud.accounts.register(new, HOME).await })
    });
    let mut made = Vec::new();
    for outcome in tries.collect::<Vec<_>>() {
        match outcome.await.unwrap() {
            Ok(account) => made.push(account),
            refused => assert_eq!(field(refused), "phone"),
        }
    }
    assert_eq!(made.len(), 1);
    assert_eq!(made[0].role, Role::Visitor, "nobody registers as an admin");
    let same_name = world.cloud.accounts.register(person(&made[0].username, "13900139001"), HOME);
    assert_eq!(field(same_name.await), "username");
}

async fn a_password_lets_in_and_nothing_else_does(world: World) {
    let made = registered(&world).await;
    let accounts = &world.cloud.accounts;
    for login in [username("zhang"), Login::Phone("13900139000".into())] {
        let account = accounts.log_in(login.clone(), "correct-horse", HOME).await.unwrap();
        assert_eq!(account, made);
        assert!(refused(&accounts.log_in(login, "correct-hors", HOME).await));
    }
    assert!(refused(&accounts.log_in(username("nobody"), "correct-horse", HOME).await));
    assert!(refused(&accounts.log_in(username("13900139000"), "correct-horse", HOME).await));
}

async fn too_many_attempts_wait_wherever_they_are_made(mut world: World) {
    registered(&world).await;
    let attempt = async |world: &World, password: &str, from| {
        world.cloud.accounts.log_in(username("zhang"), password, from).await
    };
    for _ in 0..10 {
        assert!(refused(&attempt(&world, "wrong-guess", ELSEWHERE).await));
    }
    world.restart();
    match attempt(&world, "correct-horse", ELSEWHERE).await {
        Err(Error::Throttled { retry_after_s }) => assert_eq!(retry_after_s, 600),
        other => panic!("{other:?}"),
    }
    assert!(attempt(&world, "correct-horse", HOME).await.is_ok(), "its owner is not locked out");
    world.clock.advance(TimeDelta::minutes(10));
    assert!(attempt(&world, "correct-horse", ELSEWHERE).await.is_ok());
}

async fn a_pair_of_tokens_lives_as_long_as_it_says(world: World) {
    let account = registered(&world).await;
    let accounts = &world.cloud.accounts;
    let pair = accounts.new_pair(&account).await.unwrap();
    assert_eq!(caller(&world, &pair.access).await.unwrap().account_id(), Some(account.id));
    assert!(refused(&caller(&world, &pair.refresh).await), "a refresh token is no access token");
    assert!(refused(&accounts.refresh(&pair.access).await), "nor the other way round");

    world.clock.advance(TimeDelta::hours(24) - TimeDelta::seconds(1));
    assert!(caller(&world, &pair.access).await.is_ok());
    world.clock.advance(TimeDelta::seconds(1));
    assert!(refused(&caller(&world, &pair.access).await));

    let next = accounts.refresh(&pair.refresh).await.unwrap();
    assert!(caller(&world, &next.access).await.is_ok());
    world.clock.advance(TimeDelta::days(6));
    assert!(refused(&accounts.refresh(&pair.refresh).await));
    assert!(accounts.refresh(&next.refresh).await.is_ok());
}

async fn logging_out_ends_every_token_of_that_login(world: World) {
    let account = registered(&world).await;
    let accounts = &world.cloud.accounts;
    let (here, there) =
        (accounts.new_pair(&account).await.unwrap(), accounts.new_pair(&account).await.unwrap());
    let later = accounts.refresh(&here.refresh).await.unwrap();
    let key = accounts.new_key(&account).await.unwrap();

    accounts.log_out(&caller(&world, &here.access).await.unwrap()).await.unwrap();
    for ended in [&here.access, &later.access] {
        assert!(refused(&caller(&world, ended).await));
    }
    assert!(refused(&accounts.refresh(&later.refresh).await));
    assert!(caller(&world, &there.access).await.is_ok(), "another login goes on");

    accounts.log_out(&caller(&world, &key).await.unwrap()).await.unwrap();
    assert!(refused(&caller(&world, &key).await));
}

async fn a_new_password_ends_what_came_of_the_old(world: World) {
    let account = registered(&world).await;
    let accounts = &world.cloud.accounts;
    let pair = accounts.new_pair(&account).await.unwrap();
    let key = accounts.new_key(&account).await.unwrap();
    let program = accounts.issue_token("zhang").await.unwrap();
    let me = caller(&world, &key).await.unwrap();

    let change = |old, new| accounts.change_password(&me, old, new);
    assert_eq!(field(change("wrong-guess", "battery-staple").await), "old_password");
    assert_eq!(field(change("correct-horse", "short").await), "new_password");
    change("correct-horse", "battery-staple").await.unwrap();

    assert!(refused(&caller(&world, &pair.access).await));
    assert!(refused(&accounts.refresh(&pair.refresh).await));
    assert!(refused(&caller(&world, &key).await));
    assert!(caller(&world, &program).await.is_ok(), "what the command line issued stays");
    assert!(refused(&accounts.log_in(username("zhang"), "correct-horse", HOME).await));
    let account = accounts.log_in(username("zhang"), "battery-staple", HOME).await.unwrap();
    let pair = accounts.new_pair(&account).await.unwrap();
    assert!(caller(&world, &pair.access).await.is_ok(), "within the same second");
}

async fn a_new_signing_key_leaves_the_old_tokens_good(world: World) {
    let account = registered(&world).await;
    let old = world.cloud.accounts.new_pair(&account).await.unwrap();
    // Another process rotates; this one notices.
    world.another().accounts.rotate_signing_key().await.unwrap();
    let new = world.cloud.accounts.new_pair(&account).await.unwrap();
    for token in [&old.access, &new.access] {
        assert!(caller(&world, token).await.is_ok());
    }
    let header = |token: &str| token.split('.').next().map(str::to_owned);
    assert_ne!(header(&old.access), header(&new.access));
    world.another().accounts.rotate_signing_key().await.unwrap();
    world.clock.advance(TimeDelta::days(7));
    assert!(refused(&world.cloud.accounts.refresh(&old.refresh).await));
}

async fn a_role_holds_from_the_next_call(world: World) {
    let account = registered(&world).await;
    let pair = world.cloud.accounts.new_pair(&account).await.unwrap();
    assert!(caller(&world, &pair.access).await.unwrap().operator().is_err());
    world.cloud.accounts.set_role_of("zhang", Role::Operator).await.unwrap();
    assert!(caller(&world, &pair.access).await.unwrap().operator().is_ok());
    world.cloud.accounts.set_role_of("zhang", Role::Visitor).await.unwrap();
    assert!(caller(&world, &pair.access).await.unwrap().operator().is_err());
}

async fn one_admin_is_always_left(world: World) {
    let first = world.admin().await;
    let id = first.actor().account.unwrap();
    let accounts = &world.cloud.accounts;
    let demote = || accounts.change(&first, id, AccountChange::default(), Some(Role::Visitor));
    assert_eq!(field(demote().await), "role");
    assert_eq!(field(accounts.remove(&first, id).await), "role");
    world.caller("second", Role::Admin).await;
    assert_eq!(demote().await.unwrap().role, Role::Visitor);
}

async fn the_ledger_adds_up_to_the_balance(world: World) {
    let account = registered(&world).await;
    let admin = world.admin().await;
    let accounts = &world.cloud.accounts;
    for amount in [500, 1, 99_999] {
        accounts.top_up(&admin, account.id, amount, "cash").await.unwrap();
    }
    for bad in [0, -1, i64::MIN, i64::MAX] {
        assert_eq!(field(accounts.top_up(&admin, account.id, bad, "").await), "amount", "{bad}");
    }
    let (account, entries) = accounts.balance(&admin, account.id).await.unwrap();
    assert_eq!(account.balance_fen, 100_500);
    assert_eq!(entries.iter().map(|entry| entry.amount_fen).sum::<i64>(), 100_500);
    let latest = (entries[0].id, entries[0].balance_fen, entries[0].reason.as_str());
    assert_eq!(latest, (3, 100_500, "cash"));
    let nobody = accounts.top_up(&admin, 999, 100, "").await;
    assert!(matches!(nobody, Err(Error::NotFound("account"))));
}

async fn a_person_sees_nobody_else(world: World) {
    let (me, other) = (world.visitor("me").await, world.visitor("other").await);
    let accounts = &world.cloud.accounts;
    let id = |caller: &Caller| caller.account_id().unwrap();
    assert_eq!(accounts.get(&me, id(&me)).await.unwrap().username, "me");
    for hidden in [id(&other), 999] {
        let outcome = accounts.get(&me, hidden).await;
        assert!(matches!(outcome, Err(Error::NotFound("account"))));
    }
    let operator = world.operator().await;
    assert_eq!(accounts.any(&operator, id(&other)).await.unwrap().username, "other");
    let admin = world.caller("admin", Role::Admin).await;
    assert_eq!(accounts.get(&admin, id(&other)).await.unwrap().username, "other");

    let phone =
        |phone: &str| AccountChange { phone: Some(Some(phone.into())), ..AccountChange::default() };
    accounts.change_own(&me, phone("13900139000")).await.unwrap();
    assert_eq!(field(accounts.change_own(&other, phone("13900139000")).await), "phone");
    assert_eq!(field(accounts.change_own(&other, phone("139")).await), "phone");
    accounts.change_own(&me, phone("13900139000")).await.unwrap();
}

async fn whoever_is_removed_is_gone(world: World) {
    let account = registered(&world).await;
    let admin = world.admin().await;
    let pair = world.cloud.accounts.new_pair(&account).await.unwrap();
    world.cloud.accounts.remove(&admin, account.id).await.unwrap();
    assert!(refused(&caller(&world, &pair.access).await));
    let login = world.cloud.accounts.log_in(username("zhang"), "correct-horse", HOME).await;
    assert!(refused(&login));
    let (left, count) = world.cloud.accounts.list(&admin.operator(), WINDOW).await.unwrap();
    assert_eq!((left.len(), count), (1, 1));
    let again = registered(&world).await;
    assert_ne!(again.id, account.id, "the name is free, the number is not used again");
}

async fn preferences_are_ones_own(world: World) {
    world.site("north", 10).await;
    let (me, other) = (world.visitor("me").await, world.visitor("other").await);
    let accounts = &world.cloud.accounts;
    let change = PreferenceChange {
        plate: Some("京a·12345".into()),
        area: Some("north".into()),
        auto_assign: Some(true),
        is_member: Some(true),
    };
    let mine = accounts.prefer(&me, change).await.unwrap();
    assert_eq!(mine.plate.as_deref(), Some("京a·12345"), "kept as typed");
    let since = mine.member_since_ms;
    assert!(since.is_some());
    world.clock.advance(TimeDelta::hours(1));
    let keep = PreferenceChange { is_member: Some(true), ..PreferenceChange::default() };
    let kept = accounts.prefer(&me, keep).await.unwrap();
    assert_eq!((kept.member_since_ms, kept.area.as_deref()), (since, Some("north")));

    let nowhere = PreferenceChange { area: Some("south".into()), ..PreferenceChange::default() };
    assert_eq!(field(accounts.prefer(&me, nowhere).await), "preferred_area");
    let long = PreferenceChange { plate: Some("x".repeat(21)), ..PreferenceChange::default() };
    assert_eq!(field(accounts.prefer(&me, long).await), "license_plate");
    assert_eq!(accounts.preference(&other).await.unwrap(), Default::default());
    assert!(refused(&accounts.preference(&Caller::local_operator()).await));
}

async fn a_car_is_claimed_once(world: World) {
    let (me, other) = (world.visitor("me").await, world.visitor("other").await);
    let vehicles = &world.cloud.vehicles;
    let car = |plate: &str| VehicleChange { plate: Some(plate.into()), ..Default::default() };
    let mine = vehicles.add(&me, car("京A12345")).await.unwrap();
    assert_eq!(mine.owner, me.account_id());
    let same = vehicles.add(&other, car("京a 12345")).await;
    assert_eq!(field(same), "plate_number", "the same plate in another spelling");
    assert!(matches!(vehicles.get(&other, mine.id).await, Err(Error::NotFound("vehicle"))));
    let stolen = VehicleChange { owner: Some(other.account_id()), ..Default::default() };
    assert!(matches!(vehicles.change(&me, mine.id, stolen).await, Err(Error::Forbidden { .. })));
    assert_eq!(vehicles.list(&other, WINDOW).await.unwrap().1, 0);
    let operator = world.caller("operator", Role::Operator).await;
    assert_eq!(vehicles.list(&operator, WINDOW).await.unwrap().1, 1);
    vehicles.remove(&me, mine.id).await.unwrap();
    assert!(vehicles.add(&other, car("京A12345")).await.is_ok());
}

async fn a_car_that_is_known_is_given_by_an_operator_alone(world: World) {
    let (me, stranger) = (world.visitor("me").await, world.visitor("stranger").await);
    let operator = world.caller("operator", Role::Operator).await;
    let vehicles = &world.cloud.vehicles;
    let car = |plate: &str| VehicleChange { plate: Some(plate.into()), ..Default::default() };
    let nobodys = vehicles.add(&operator, car("京A12345")).await.unwrap();
    assert_eq!(nobodys.owner, None);
    for user in [&me, &stranger] {
        assert_eq!(field(vehicles.add(user, car("京a·12345")).await), "plate_number");
        let mine = VehicleChange { owner: Some(user.account_id()), ..Default::default() };
        let taken = vehicles.change(user, nobodys.id, mine).await;
        assert!(matches!(taken, Err(Error::NotFound("vehicle"))), "{taken:?}");
    }
    let given = VehicleChange { owner: Some(me.account_id()), ..car("京A12345") };
    assert_eq!(vehicles.add(&operator, given).await.unwrap().id, nobodys.id);
    assert_eq!(vehicles.get(&me, nobodys.id).await.unwrap().owner, me.account_id());
}

async fn nobody_hoards_plates(world: World) {
    let me = world.visitor("me").await;
    let vehicles = &world.cloud.vehicles;
    let car = |number: u32| VehicleChange {
        plate: Some(format!("京A{number:05}")),
        ..Default::default()
    };
    for number in 0..20 {
        vehicles.add(&me, car(number)).await.unwrap();
    }
    let more = vehicles.add(&me, car(20)).await;
    assert!(matches!(more, Err(Error::Refused("too_many_vehicles"))), "{more:?}");
    let first = vehicles.list(&me, WINDOW).await.unwrap().0.remove(0);
    vehicles.remove(&me, first.id).await.unwrap();
    vehicles.add(&me, car(20)).await.unwrap();
}
