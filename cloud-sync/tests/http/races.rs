//! Who comes first is decided by the database, over HTTP and on both engines: many ask at once for
//! what there is once, and in the end every fen is where it belongs.

use cloud_core::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{
    engines::on_each_engine,
    service::{Answer, Service},
};

/// So many ask at the same time.
const RIVALS: usize = 10;

on_each_engine! {
    one_of_many_drivers_gets_the_cabinet,
    an_order_is_paid_once_and_no_balance_is_below_nothing,
    one_of_many_cars_gets_the_slot,
    a_stay_is_paid_once_by_whichever_face,
    one_of_many_requests_of_a_user_is_taken,
}

async fn post(service: &Service, token: &str, path: &str, body: &Value) -> Answer {
    let request =
        service.request(Method::POST, path).header("authorization", format!("Token {token}"));
    Answer::of(request.json(body).send().await.unwrap()).await
}

/// Sends all at once; those that succeeded, and those that did not, which are all refused.
async fn at_once(
    service: &Service,
    calls: impl IntoIterator<Item = (String, String, Value)>,
) -> (Vec<Value>, usize) {
    let mut all = JoinSet::new();
    for (token, path, body) in calls {
        let request = service
            .request(Method::POST, &path)
            .header("authorization", format!("Token {token}"))
            .json(&body);
        all.spawn(async move { Answer::of(request.send().await.unwrap()).await });
    }
    let (mut taken, mut refused) = (Vec::new(), 0);
    for answer in all.join_all().await {
        match answer.status {
            status if status.is_success() => taken.push(answer.json),
            StatusCode::BAD_REQUEST => refused += 1,
            status => panic!("{status}: {}", answer.json),
        }
    }
    (taken, refused)
}

async fn cabinets(service: &Service, admin: &str, count: usize) {
    for number in 1..=count {
        let cabinet = json!({"cabinet_id": format!("A{number:03}"), "size": "small",
            "location": "站厅东侧", "station": "火车站", "price_per_hour": "2.00"});
        let made = post(service, admin, "/api/cabinets/create/", &cabinet).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.json);
    }
}

async fn top_up(service: &Service, admin: &str, user: i64, amount: &str) {
    let path = format!("/api/admin/users/{user}/balance/");
    let added = post(service, admin, &path, &json!({"amount": amount, "note": "cash"})).await;
    assert_eq!(added.status, StatusCode::OK, "{}", added.json);
}

async fn me(service: &Service, token: &str) -> Value {
    service.call(token, Method::GET, "/api/auth/me/").await.json["data"].clone()
}

async fn one_of_many_drivers_gets_the_cabinet(service: &mut Service) {
    let admin = service.token(Role::Admin).await;
    cabinets(service, &admin, 1).await;
    let mut calls = Vec::new();
    for number in 0..RIVALS {
        let driver = service.token_of(&format!("driver{number}"), Role::Visitor).await;
        let wish = json!({"cabinet_id": "A001", "duration_hours": 2});
        calls.push((driver, "/api/orders/create/".to_owned(), wish));
    }
    let (taken, refused) = at_once(service, calls).await;
    assert_eq!((taken.len(), refused), (1, RIVALS - 1));
    let orders = service.call(&admin, Method::GET, "/api/admin/orders/").await.json;
    assert_eq!(orders["data"]["total"], 1);
}

async fn an_order_is_paid_once_and_no_balance_is_below_nothing(service: &mut Service) {
    let admin = service.token(Role::Admin).await;
    cabinets(service, &admin, 4).await;
    let driver = service.token_of("driver", Role::Visitor).await;
    let user = me(service, &driver).await["id"].as_i64().unwrap();
    top_up(service, &admin, user, "11.99").await;
    let mut orders = Vec::new();
    for number in 1..=4 {
        let wish = json!({"cabinet_id": format!("A{number:03}"), "duration_hours": 2});
        let order = post(service, &driver, "/api/orders/create/", &wish).await.json;
        orders.push(order["data"]["id"].as_i64().unwrap());
    }
    let pay = |order: i64| {
        (driver.clone(), format!("/api/orders/{order}/pay/"), json!({"payment_method": "balance"}))
    };
    let (taken, refused) = at_once(service, (0..RIVALS).map(|_| pay(orders[0]))).await;
    assert_eq!((taken.len(), refused), (1, RIVALS - 1));
    assert_eq!(me(service, &driver).await["balance"], "7.99");
    // Three orders of 4.00, and money for one of them.
    let rest = orders[1..].iter().flat_map(|order| [pay(*order), pay(*order)]);
    let (taken, refused) = at_once(service, rest).await;
    assert_eq!((taken.len(), refused), (1, 5));
    assert_eq!(me(service, &driver).await["balance"], "3.99");
    let revenue = service.call(&admin, Method::GET, "/api/admin/revenue/").await.json;
    assert_eq!(revenue["data"]["total_revenue"], 8.0);
}

async fn slot(service: &Service, admin: &str) -> i64 {
    let slot = json!({"slot_number": "S1", "slot_type": "compact"});
    let slot = post(service, admin, "/api/parking/slots/", &slot).await;
    assert_eq!(slot.status, StatusCode::CREATED, "{}", slot.json);
    slot.json["id"].as_i64().unwrap()
}

async fn car(service: &Service, token: &str, plate: &str) -> i64 {
    let car = json!({"plate_number": plate, "car_type": "sedan"});
    let car = post(service, token, "/api/users/cars/", &car).await;
    assert_eq!(car.status, StatusCode::CREATED, "{}", car.json);
    car.json["id"].as_i64().unwrap()
}

async fn one_of_many_cars_gets_the_slot(service: &mut Service) {
    let admin = service.token(Role::Admin).await;
    let slot = slot(service, &admin).await;
    let mut calls = Vec::new();
    for number in 0..RIVALS {
        let car = car(service, &admin, &format!("CAR{number}")).await;
        let enter = json!({"car": car, "slot": slot});
        calls.push((admin.clone(), "/api/parking/transactions/enter/".to_owned(), enter));
    }
    let (taken, refused) = at_once(service, calls).await;
    assert_eq!((taken.len(), refused), (1, RIVALS - 1));
    let dashboard = service.call(&admin, Method::GET, "/api/dashboard/").await.json;
    assert_eq!(
        (&dashboard["occupied_slots"], &dashboard["active_transactions"]),
        (&json!(1), &json!(1))
    );
    let hz = service.call(&admin, Method::GET, "/hzsystem_parking/dashboard/").await.json;
    assert_eq!(hz["active_sessions"], 1);
}

async fn a_stay_is_paid_once_by_whichever_face(service: &mut Service) {
    let admin = service.token(Role::Admin).await;
    let (slot, car) = (slot(service, &admin).await, car(service, &admin, "京A12345").await);
    let enter = json!({"car": car, "slot": slot});
    let stay = post(service, &admin, "/api/parking/transactions/enter/", &enter).await.json;
    let order = json!({"session_id": stay["id"]});
    let order = post(service, &admin, "/hzsystem_parking/payment/orders/", &order).await.json;
    let exit = json!({"id": stay["id"]});
    let left = post(service, &admin, "/api/parking/transactions/exit/", &exit).await;
    assert_eq!(left.json["fee"], "10.00", "{}", left.json);
    let smart = json!({"transaction_id": stay["id"], "payment_method": "card"});
    let hz = json!({"order_id": order["id"], "payment_method": "cash", "amount": 10.0});
    let calls = (0..RIVALS).map(|number| match number % 2 {
        0 => ("/api/payments/pay_transaction/", smart.clone()),
        _ => ("/hzsystem_parking/payment/process/", hz.clone()),
    });
    let calls = calls.map(|(path, body)| (admin.clone(), path.to_owned(), body));
    let (taken, refused) = at_once(service, calls).await;
    assert_eq!((taken.len(), refused), (1, RIVALS - 1));
    let dashboard = service.call(&admin, Method::GET, "/api/dashboard/").await.json;
    assert_eq!(dashboard["total_income"], 10.0);
    let stats = service.call(&admin, Method::GET, "/hzsystem_parking/payment/stats/").await.json;
    assert_eq!((&stats["today_revenue"], &stats["completed_orders"]), (&json!(10.0), &json!(1)));

    // And given back once: 4.00, however many ask for it, then the rest.
    let back = json!({"order_id": order["id"], "refund_amount": 6.0});
    let calls = (0..RIVALS)
        .map(|_| (admin.clone(), "/hzsystem_parking/payment/refund/".to_owned(), back.clone()));
    let (taken, refused) = at_once(service, calls).await;
    assert_eq!((taken.len(), refused), (1, RIVALS - 1), "6.00 of 10.00 can be given back once");
    let stats = service.call(&admin, Method::GET, "/hzsystem_parking/payment/stats/").await.json;
    assert_eq!(stats["today_revenue"], 4.0);
}

async fn one_of_many_requests_of_a_user_is_taken(service: &mut Service) {
    let driver = service.token_of("driver", Role::Visitor).await;
    let wish = json!({"charging_mode": "fast", "requested_amount": 30, "battery_capacity": 60});
    let calls =
        (0..RIVALS).map(|_| (driver.clone(), "/api/charging/request/".to_owned(), wish.clone()));
    let (taken, refused) = at_once(service, calls).await;
    assert_eq!((taken.len(), refused), (1, RIVALS - 1));
    let piles = service.get("/api/charging/piles/status/").await.json;
    let fast = piles["data"]["fast_piles"].as_array().unwrap().clone();
    assert_eq!(fast.iter().filter(|pile| pile["is_working"] == true).count(), 1);
}
