//! `/api/admin/…`: what admins see and change. (Accounts are elsewhere.)

mod alerts;
mod cabinets;
mod devices;
mod figures;
mod health;
mod orders;

pub(super) use self::{
    alerts::alerts,
    cabinets::{cabinets, change_cabinet},
    devices::{add_device, change_device, devices},
    figures::{revenue, stats},
    health::health,
    orders::orders,
};
