//! `/api/admin/orders/`.

use cloud_core::{
    Admin,
    calendar::{day_start_ms, next_day},
    lockers::OrderFilter,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::super::{
    envelope::{Data, found},
    input,
    orders::OrderView,
};
use crate::http::{Answer, Call, Json};

/// Orders on a page where no size is asked for.
const PAGE_SIZE: u32 = 20;

/// A page of orders.
#[derive(Debug, Serialize, JsonSchema)]
pub(in super::super) struct OrdersView {
    /// How many there are on all pages.
    total: i64,
    /// The number of this page, from 1.
    page: u32,
    /// Most orders on a page.
    page_size: u32,
    /// The orders, the latest first.
    orders: Vec<OrderView>,
}

pub(in super::super) async fn orders(call: Call<Admin>) -> Answer<Json<Data<OrdersView>>> {
    let (cloud, query) = (&call.app.cloud, &call.query);
    let (page, page_size) = input::page(query, PAGE_SIZE)?;
    let zone = cloud.lockers.zone();
    let wanted = "pending / paid / in_use / completed / cancelled";
    let filter = OrderFilter {
        status: input::filter(query, "status", wanted)?,
        station: query.get("station").map(str::to_owned),
        from_ms: input::day(query, "from")?.map(|first| day_start_ms(zone, first)),
        until_ms: input::day(query, "to")?.map(|last| day_start_ms(zone, next_day(last))),
    };
    let skip = (page - 1).saturating_mul(page_size);
    let (orders, total) = cloud.lockers.orders(&call.who, filter, skip, page_size).await?;
    let orders = orders.into_iter().map(|order| OrderView::new(order, cloud)).collect();
    Ok(found(OrdersView { total, page, page_size, orders }))
}
