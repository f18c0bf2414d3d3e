//! Who may enter which site: what people set up here, and how a site fetches it.

use std::future::{pending, ready};

use chrono::{DateTime, TimeDelta, Utc};
use cloud_core::{
    AccessKind, AccessRequest, Admin, DirectiveRequest, EntryFilter, Error, Import, IngestError,
    NewEntry, NewSite, Sender, Window,
};
use domain::{
    access::{self, Change, Digest, Header, read_part},
    directive::{self, Directive},
    envelope::{Enrolment, Head, Refusal, to_hex},
    money::Fen,
    plate::Region,
    site::Parameters,
};
use ring::signature::{Ed25519KeyPair, KeyPair};

use crate::{
    parking::lot,
    world::{World, on_each_engine, start},
};

on_each_engine! {
    a_site_fetches_what_has_changed_and_it_adds_up,
    a_long_list_comes_in_parts_and_a_file_is_taken_whole_or_not_at_all,
    a_permit_that_is_taken_away_stays_in_the_list_as_revoked,
    what_cannot_be_used_is_named,
    a_file_that_replaces_takes_away_the_rest,
    a_change_ends_the_wait_of_its_site,
    a_list_is_told_to_its_site_alone_and_once,
    tariffs_and_parameters_are_told,
}

const ALL: Window = Window { skip: 0, limit: 1000 };

/// A site with an edge.
struct Site {
    key: Ed25519KeyPair,
    count: std::cell::Cell<u64>,
}

impl Site {
    async fn enrol(world: &World) -> Self {
        let key = Ed25519KeyPair::from_seed_unchecked(&[1; 32]).unwrap();
        let new = NewSite { id: "north".parse().unwrap(), name: "North".into(), spots: 0 };
        let code = world.cloud.sites.add(new).await.unwrap();
        let public_key = to_hex(key.public_key().as_ref());
        world.cloud.sites.enrol(&Enrolment { code, public_key }).await.unwrap();
        Self { key, count: std::cell::Cell::new(0) }
    }

    fn ask(&self, after: u64) -> AccessRequest {
        let ask = access::Ask { after };
        AccessRequest { sender: self.sender(&ask.target()), ask }
    }

    async fn part(&self, world: &World, after: u64) -> (Header, Vec<(Change, String)>) {
        let part = world.cloud.access.part(self.ask(after)).await.unwrap();
        let (header, changes) = read_part(&part).unwrap();
        (header, changes.into_iter().map(|(change, line)| (change, line.to_owned())).collect())
    }

    fn directives(&self, after: u64, list: Option<u64>) -> DirectiveRequest {
        let ask = directive::Ask { after, list };
        DirectiveRequest { sender: self.sender(&ask.target()), ask }
    }

    fn sender(&self, target: &str) -> Sender {
        self.count.set(self.count.get() + 1);
        let count = self.count.get();
        let signature = Head { site: "north", method: "GET", target, count }.sign(&self.key, b"");
        Sender { site: "north".into(), count, signature, address: None }
    }

    async fn told(&self, world: &World) -> Vec<Directive> {
        let page = world.cloud.directives.ask(self.directives(0, None), ready(())).await.unwrap();
        page.directives.iter().map(|told| told.read().unwrap()).collect()
    }
}

fn permit(plate: &str) -> NewEntry {
    NewEntry {
        kind: AccessKind::Permit,
        plate: plate.into(),
        about: "Chen Wei".into(),
        valid_from: None,
        valid_until: None,
        lanes: vec![],
        note: String::new(),
    }
}

fn deny(plate: &str) -> NewEntry {
    NewEntry { kind: AccessKind::Deny, about: "debts".into(), ..permit(plate) }
}

async fn put(world: &World, admin: &Admin, entry: NewEntry) {
    world.cloud.access.put(admin, "north", entry).await.unwrap();
}

fn digest(lines: impl IntoIterator<Item = String>) -> Digest {
    let mut digest = Digest::default();
    lines.into_iter().for_each(|line| digest.add(&line));
    digest
}

fn csv(kind: AccessKind, text: &str, replace: bool) -> Import {
    Import { kind, csv: text.into(), replace }
}

async fn a_site_fetches_what_has_changed_and_it_adds_up(world: World) {
    let (site, admin) = (Site::enrol(&world).await, world.admin().await);
    let (header, changes) = site.part(&world, 0).await;
    assert_eq!((header.version, header.entries, changes.len()), (0, 0, 0));
    put(&world, &admin, permit("京A·00001")).await;
    put(&world, &admin, deny("京A00002")).await;
    let (header, changes) = site.part(&world, 0).await;
    assert_eq!((header.version, header.through, header.entries), (2, 2, 2));
    assert_eq!(header.digest, digest(changes.iter().map(|(_, line)| line.clone())));
    // The same once more is no change; another holder is one, of that entry alone.
    put(&world, &admin, permit("京a00001")).await;
    world.cloud.access.remove(&admin, "north", AccessKind::Deny, "京A00002").await.unwrap();
    let (header, changes) = site.part(&world, 2).await;
    assert_eq!((header.version, header.entries), (4, 1));
    let Change::Permit(changed) = &changes[0].0 else { panic!() };
    assert_eq!(changed.plate.as_typed(), "京a00001", "as it was typed last");
    assert!(matches!(changes[1].0, Change::Gone { .. }));
    assert_eq!(header.digest, digest([changes[0].1.clone()]));
    put(&world, &admin, permit("京a00001")).await;
    assert_eq!(site.part(&world, 4).await.1, []);
}

async fn a_long_list_comes_in_parts_and_a_file_is_taken_whole_or_not_at_all(world: World) {
    let (site, admin) = (Site::enrol(&world).await, world.admin().await);
    let lines = (0..10_500).map(|number| format!("京A{number:05},\"Chen, Wei\"\n"));
    let good = format!("plate,holder\n{}", lines.collect::<String>());
    let bad = format!("{good}京A00007,Li\n,Nobody\n京B1,\n");
    let import = |text: &str| {
        world.cloud.access.import(&admin, "north", csv(AccessKind::Permit, text, false))
    };
    let refused = import(&bad).await.unwrap().problems;
    let told: Vec<_> = refused.iter().map(|p| (p.line, p.problem.as_str())).collect();
    assert_eq!(told[0], (10_502, "`京A00007` stands in line 9 already"));
    assert_eq!((told[1].0, told[2]), (10_503, (10_504, "holder: use 1 to 100 characters")));
    assert_eq!(site.part(&world, 0).await.0.version, 0, "nothing was changed");

    let taken = import(&good).await.unwrap();
    assert_eq!((taken.lines, taken.changed), (10_500, 10_500));
    assert_eq!(import(&good).await.unwrap().changed, 0);
    let (first, changes) = site.part(&world, 0).await;
    assert_eq!((first.version, first.through, changes.len()), (10_500, 10_000, 10_000));
    let (last, rest) = site.part(&world, first.through).await;
    assert_eq!((last.through, last.entries, rest.len()), (10_500, 10_500, 500));
    assert_eq!(last.digest, digest(changes.into_iter().chain(rest).map(|(_, line)| line)));
    let Change::Permit(permit) = site.part(&world, 10_499).await.1[0].0.clone() else { panic!() };
    assert_eq!(permit.holder, "Chen, Wei");
}

async fn a_permit_that_is_taken_away_stays_in_the_list_as_revoked(world: World) {
    let (site, admin) = (Site::enrol(&world).await, world.admin().await);
    put(&world, &admin, permit("京A00001")).await;
    world.clock.advance(TimeDelta::hours(1));
    let remove = || world.cloud.access.remove(&admin, "north", AccessKind::Permit, "京A00001");
    remove().await.unwrap();
    let (header, changes) = site.part(&world, 1).await;
    let Change::Permit(revoked) = &changes[0].0 else { panic!() };
    assert!(revoked.revoked && header.entries == 1);
    assert_eq!(revoked.valid_until, Some(start() + TimeDelta::hours(1)));
    assert!(matches!(remove().await, Err(Error::NotFound("entry"))));
    let reader = admin.operator();
    let history = world.cloud.access.history(&reader, "north", Some("京A·00001"), ALL);
    let history = history.await.unwrap();
    let told: Vec<_> =
        history.iter().map(|line| (line.what.as_str(), line.by.as_deref())).collect();
    assert_eq!(told, [("revoked", Some("admin")), ("put", Some("admin"))]);
    // Long after its end it is told no more.
    world.clock.advance(TimeDelta::days(120));
    put(&world, &admin, permit("京A00002")).await;
    let (header, changes) = site.part(&world, 2).await;
    assert_eq!((header.entries, changes.len()), (1, 2));
    assert!(matches!(changes[1].0, Change::Gone { .. }));
}

async fn what_cannot_be_used_is_named(world: World) {
    let (_site, admin) = (Site::enrol(&world).await, world.admin().await);
    let day = |text: &str| Some(text.parse::<DateTime<Utc>>().unwrap());
    let (from, until) = (day("2026-02-01T00:00:00Z"), day("2026-01-01T00:00:00Z"));
    for (entry, wanted) in [
        (permit(""), "plate"),
        (NewEntry { about: " ".into(), ..permit("京A1") }, "holder: use 1 to 100 characters"),
        (
            NewEntry { valid_from: from, valid_until: until, ..permit("京A1") },
            "is not after valid_from",
        ),
        (NewEntry { valid_from: from, ..deny("京A1") }, "kind: a denial has no dates"),
    ] {
        let error = world.cloud.access.put(&admin, "north", entry).await.unwrap_err();
        assert!(error.to_string().contains(wanted), "{error}");
    }
    let nowhere = world.cloud.access.put(&admin, "nowhere", permit("京A1")).await;
    assert!(matches!(nowhere, Err(Error::NotFound("site"))));
    for (text, line, wanted) in [
        ("plate,owner\n", 1, "`owner` is no column"),
        ("plate\n", 1, "the first line must name the columns"),
        ("plate,holder,valid_until\n京A1,Li,soon\n", 2, "`soon` is no time: write 2026-12-31"),
        ("plate,holder,lanes\n京A1,Li,the gate!\n", 2, "use 1 to 64 of a-z"),
    ] {
        let import = csv(AccessKind::Permit, text, false);
        let problems = world.cloud.access.import(&admin, "north", import).await.unwrap().problems;
        assert_eq!(problems[0].line, line, "{text}");
        assert!(problems[0].problem.contains(wanted), "{}", problems[0].problem);
    }
}

async fn a_file_that_replaces_takes_away_the_rest(world: World) {
    let (_site, admin) = (Site::enrol(&world).await, world.admin().await);
    put(&world, &admin, permit("京A00001")).await;
    put(&world, &admin, permit("京A00002")).await;
    put(&world, &admin, deny("京A00003")).await;
    let text = "holder,plate,valid_until\nLi,京A00002,2026-12-31\nLi,京A00004,\n";
    let import = csv(AccessKind::Permit, text, true);
    let imported = world.cloud.access.import(&admin, "north", import).await.unwrap();
    assert_eq!((imported.lines, imported.changed), (2, 3));
    let filter = EntryFilter { site: Some("north".into()), ..EntryFilter::default() };
    let (entries, total) = world.cloud.access.page(&admin.operator(), filter, ALL).await.unwrap();
    let states: Vec<_> = entries.iter().map(|e| (e.plate.as_str(), e.revoked)).collect();
    assert_eq!(total, 4);
    assert_eq!(
        states,
        [("京A00001", true), ("京A00002", false), ("京A00003", false), ("京A00004", false)]
    );
    // The whole last day, on the clock of the sites.
    assert_eq!(entries[1].valid_until.unwrap().to_rfc3339(), "2026-12-31T16:00:00+00:00");
    let part = EntryFilter { plate: Some("0000_".into()), ..EntryFilter::default() };
    assert_eq!(world.cloud.access.page(&admin.operator(), part, ALL).await.unwrap().1, 0);
}

async fn a_change_ends_the_wait_of_its_site(world: World) {
    let (site, admin) = (Site::enrol(&world).await, world.admin().await);
    let waits = |list| {
        let (cloud, request) = (world.cloud.clone(), site.directives(0, Some(list)));
        tokio::spawn(async move { cloud.directives.ask(request, pending()).await.unwrap() })
    };
    let waiting = waits(0);
    put(&world, &admin, permit("京A00001")).await;
    assert_eq!(waiting.await.unwrap().list, Some(1));
    // What another process on the same database writes is seen by the time that passes.
    let (waiting, other) = (waits(1), world.another());
    other.access.put(&admin, "north", permit("京A00002")).await.unwrap();
    world.cloud.tick().await.unwrap();
    assert_eq!(waiting.await.unwrap().list, Some(2));
}

async fn a_list_is_told_to_its_site_alone_and_once(world: World) {
    let site = Site::enrol(&world).await;
    let request = site.ask(0);
    world.cloud.access.part(request.clone()).await.unwrap();
    let again = world.cloud.access.part(request).await.unwrap_err();
    assert!(matches!(again, IngestError::Refused(Refusal::Repeated { .. })));
    let mut forged = site.ask(0);
    forged.ask.after = 1;
    let refused = world.cloud.access.part(forged).await.unwrap_err();
    assert!(matches!(refused, IngestError::Refused(Refusal::Unauthorised)));
}

async fn tariffs_and_parameters_are_told(world: World) {
    let (site, admin) = (Site::enrol(&world).await, world.admin().await);
    let new = || cloud_core::NewFeeConfig { site: Some("north".into()), ..lot::standard() };
    let first = world.cloud.parking.add_fee_config(&admin, new()).await.unwrap();
    let dear = |mut config: cloud_core::NewFeeConfig| {
        config.tariff.base_fee = Fen(900);
        Ok(config)
    };
    world.cloud.parking.change_fee_config(&admin, first.id, dear).await.unwrap();
    world.cloud.parking.remove_fee_config(&admin, first.id).await.unwrap();
    let fees: Vec<_> = site
        .told(&world)
        .await
        .into_iter()
        .map(|told| match told {
            Directive::Tariff { area: None, tariff, .. } => tariff.map(|tariff| tariff.base_fee),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(fees, [Some(lot::standard().tariff.base_fee), Some(Fen(900)), None]);

    let name = "north".parse().unwrap();
    let set = |wanted: Parameters| {
        world.cloud.sites.set_parameters(&admin, &name, |before| wanted.over(before))
    };
    set(Parameters { places: Some(7), ..Parameters::default() }).await.unwrap();
    let regions = Some(vec![Region::Cn]);
    let both = set(Parameters { regions, ..Parameters::default() }).await.unwrap();
    assert_eq!((both.places, both.regions.is_some()), (Some(7), true));
    assert_eq!(site.told(&world).await.last(), Some(&Directive::Parameters { parameters: both }));
    let bad = set(Parameters { places: Some(0), ..Parameters::default() }).await.unwrap_err();
    assert!(bad.to_string().contains("use 1 to 1000000"), "{bad}");
}
