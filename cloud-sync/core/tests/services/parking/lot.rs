//! A lot with an area, and who works there.

use chrono::TimeDelta;
use cloud_core::{
    Admin, Area, Assignment, Caller, Entry, Error, FeeConfig, NewArea, NewFeeConfig, NewSpot,
    Operator, Parking, PayMethod, Payable, Payment, Role, Spot, Stay, VehicleChange,
};
use domain::{
    money::Fen,
    tariff::{Tariff, TariffRule},
};

use crate::world::World;

pub(super) struct Lot {
    pub(super) world: World,
    pub(super) staff: Caller,
    pub(super) admin: Admin,
    pub(super) operator: Operator,
    pub(super) area: Area,
}

impl Lot {
    /// A lot whose area has so many spots: `A001`, `A002`, …
    pub(super) async fn open(world: World, spots: usize) -> Self {
        let staff = world.caller("boss", Role::Admin).await;
        let (admin, operator) = (staff.admin().unwrap(), staff.operator().unwrap());
        let new = NewArea { name: "A区".into(), total_spots: spots as i64, ..NewArea::default() };
        let area = world.cloud.parking.add_area(&admin, new).await.unwrap();
        let lot = Self { world, staff, admin, operator, area };
        for number in 1..=spots {
            lot.add_spot(&format!("A{number:03}")).await;
        }
        lot
    }

    pub(super) fn parking(&self) -> &Parking {
        &self.world.cloud.parking
    }

    pub(super) async fn add_spot(&self, number: &str) -> Spot {
        let (number, area) = (number.to_owned(), Some(self.area.id));
        let new = NewSpot { number, area, spot_type: "standard".into() };
        self.parking().add_spot(&self.admin, new).await.unwrap()
    }

    /// The spot of a number, as it is now.
    pub(super) async fn spot(&self, number: &str) -> Spot {
        let all = self.parking().spots(&self.staff, Default::default(), None).await.unwrap().0;
        all.into_iter().find(|spot| spot.number == number).unwrap()
    }

    pub(super) async fn vehicle(&self, plate: &str) -> i64 {
        let new = VehicleChange { plate: Some(plate.into()), ..VehicleChange::default() };
        self.world.cloud.vehicles.add(&self.staff, new).await.unwrap().id
    }

    /// A car is driven onto a spot.
    pub(super) async fn park(&self, plate: &str, spot: &str) -> Stay {
        let entry = Entry { vehicle: self.vehicle(plate).await, spot: self.spot(spot).await.id };
        self.parking().enter(&self.operator, entry).await.unwrap()
    }

    pub(super) async fn assign(&self, caller: &Caller, plate: &str) -> Result<Stay, Error> {
        let wanted = Assignment { plate: plate.into(), ..Assignment::default() };
        self.parking().auto_assign(caller, wanted).await
    }

    pub(super) async fn leave(&self, stay: i64) -> Stay {
        self.parking().exit(&self.operator, stay).await.unwrap()
    }

    pub(super) async fn tariff(&self, change: impl FnOnce(&mut NewFeeConfig)) -> FeeConfig {
        let mut new = standard();
        change(&mut new);
        self.parking().add_fee_config(&self.admin, new).await.unwrap()
    }

    pub(super) fn wait(&self, time: TimeDelta) {
        self.world.clock.advance(time);
    }

    /// Somebody of the staff takes money for an order.
    pub(super) async fn take(&self, order: i64, fen: i64) -> Result<Payment, Error> {
        let with = Payable { method: PayMethod::Cash, amount_fen: Some(fen) };
        Ok(self.parking().pay_order(&self.staff, order, with).await?.payment)
    }
}

/// The standard tariff of the hz document.
pub(crate) fn standard() -> NewFeeConfig {
    NewFeeConfig {
        name: "标准收费".into(),
        site: None,
        area_id: None,
        tariff: Tariff {
            rule: TariffRule::Documented,
            free_minutes: 15,
            base_fee: Fen(500),
            base_seconds: 3600,
            hourly_rate: Fen(300),
            daily_max_fee: Some(Fen(3000)),
        },
        for_members: false,
        is_active: true,
    }
}

/// The word of a refusal.
pub(super) fn refusal<T: std::fmt::Debug>(outcome: Result<T, Error>) -> &'static str {
    match outcome {
        Err(Error::Refused(reason)) => reason,
        other => panic!("expected a refusal, got {other:?}"),
    }
}
