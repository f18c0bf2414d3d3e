//! What the document shows people for sizes, states and methods.

use cloud_core::ProviderName;
use cloud_core::lockers::PayMethod;
use domain::locker::{CabinetStatus, OrderStatus, Size};

pub(super) const fn size(size: Size) -> &'static str {
    match size {
        Size::Small => "小柜（放背包）",
        Size::Medium => "中柜（放行李箱）",
        Size::Large => "大柜（放多个行李）",
    }
}

pub(super) const fn cabinet_status(status: CabinetStatus) -> &'static str {
    match status {
        CabinetStatus::Available => "空闲",
        CabinetStatus::InUse => "使用中",
        CabinetStatus::Maintenance => "维护中",
    }
}

pub(super) const fn order_status(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Pending => "待支付",
        OrderStatus::Paid => "已预约",
        OrderStatus::InUse => "使用中",
        OrderStatus::Completed => "已完成",
        OrderStatus::Cancelled => "已取消",
    }
}

pub(super) const fn method(method: PayMethod) -> &'static str {
    match method {
        PayMethod::Balance => "余额支付",
        PayMethod::Provider(ProviderName::Wechat) => "微信支付",
        PayMethod::Provider(ProviderName::Alipay) => "支付宝",
    }
}
