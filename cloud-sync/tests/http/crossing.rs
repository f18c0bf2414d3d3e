//! One domain, five faces: a car that a barrier let in, followed from face to face, on
//! both engines.

use cloud_core::Role;
use domain::{
    directive::{Ask, Page},
    event::Fact,
    money::Fen,
    tariff::{Tariff, TariffRule},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    engines::on_each_engine,
    service::{Answer, Service, entry, opened},
};

on_each_engine! {
    a_journaled_car_is_known_at_every_face,
    a_fee_paid_through_smart_closes_the_order_and_opens_the_barrier,
    a_plate_corrected_through_anpr_is_corrected_everywhere,
}

async fn send(service: &Service, token: &str, method: Method, path: &str, body: Value) -> Value {
    let request = service.request(method, path).header("authorization", format!("Token {token}"));
    let answer = Answer::of(request.json(&body).send().await.unwrap()).await;
    assert!(answer.status.is_success(), "{path}: {}", answer.json);
    answer.json
}

async fn get(service: &Service, token: &str, path: &str) -> Value {
    let answer = service.call(token, Method::GET, path).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.json);
    answer.json
}

/// A site with one spot, and a car that its barrier let in at five yuan.
async fn a_car_is_inside(service: &mut Service, admin: &str, plate: &str) {
    let area = json!({"name": "A区", "total_spots": 1});
    let area = send(service, admin, Method::POST, "/hzsystem_parking/parking-areas/", area).await;
    let spot = json!({"number": "A001", "area_id": area["id"], "spot_type": "standard"});
    send(service, admin, Method::POST, "/hzsystem_parking/parking/spots/", spot).await;
    let mut inside = opened(1, plate);
    if let Fact::SessionOpened { tariff, .. } = &mut inside {
        *tariff = Some(Tariff {
            rule: TariffRule::Documented,
            free_minutes: 0,
            base_fee: Fen(500),
            base_seconds: 3600,
            hourly_rate: Fen(300),
            daily_max_fee: None,
        });
    }
    service.tell(vec![Fact::Decision(Box::new(entry(1, plate))), inside]).await;
}

async fn a_journaled_car_is_known_at_every_face(service: &mut Service) {
    let token = service.token(Role::Admin).await;
    a_car_is_inside(service, &token, "京A12345").await;
    let record = get(service, &token, "/hzsystem_parking/detection/records/").await;
    assert_eq!(record["records"][0]["license_plate"], "京A12345");
    assert_eq!(record["records"][0]["spot_info"], "A区-A001");
    let spot = get(service, &token, "/hzsystem_parking/parking/spots/?status=occupied").await;
    assert_eq!(spot["spots"][0]["license_plate"], "京A12345");
    let transactions = get(service, &token, "/api/parking/transactions/").await;
    assert_eq!(transactions[0]["car"]["plate_number"], "京A12345");
    assert_eq!(
        (&transactions[0]["slot"]["slot_number"], &transactions[0]["status"]),
        (&json!("A001"), &json!("active"))
    );
    let plates = service.get("/api/plates").await.json;
    assert_eq!(
        (plates.as_array().unwrap().len(), &plates[0]["plate_number"]),
        (1, &json!("京A12345"))
    );
    let dashboard = get(service, &token, "/hzsystem_parking/dashboard/").await;
    assert_eq!(
        (&dashboard["active_sessions"], &dashboard["occupied_spots"]),
        (&json!(1), &json!(1))
    );
}

async fn a_fee_paid_through_smart_closes_the_order_and_opens_the_barrier(service: &mut Service) {
    let token = service.token(Role::Admin).await;
    a_car_is_inside(service, &token, "京A12345").await;
    let stay = get(service, &token, "/api/parking/transactions/").await[0]["id"].clone();
    let order = json!({"session_id": stay});
    let order =
        send(service, &token, Method::POST, "/hzsystem_parking/payment/orders/", order).await;
    assert_eq!(order["amount"], 5.0);
    let exit = json!({"id": stay});
    send(service, &token, Method::POST, "/api/parking/transactions/exit/", exit).await;
    let pay = json!({"transaction_id": stay, "payment_method": "card"});
    let paid = send(service, &token, Method::POST, "/api/payments/pay_transaction/", pay).await;
    assert_eq!((&paid["amount"], &paid["id"]), (&json!("5.00"), &order["id"]));
    let orders = get(service, &token, "/hzsystem_parking/payment/orders/").await;
    assert_eq!(orders["total_count"], 1);
    assert_eq!(orders["orders"][0]["payment_status"], "completed");
    assert_eq!(orders["orders"][0]["parking_session"]["license_plate"], "京A12345");

    let told = service.signed(Method::GET, &Ask { after: 0, list: None }.target(), Vec::new());
    let told: Page = told.send().await.unwrap().json().await.unwrap();
    assert_eq!(told.directives.len(), 1, "the barrier hears of it");
    assert!(told.directives[0].directive.get().contains("\"amount_fen\":500"));
}

async fn a_plate_corrected_through_anpr_is_corrected_everywhere(service: &mut Service) {
    let token = service.token(Role::Admin).await;
    a_car_is_inside(service, &token, "京A1234S").await;
    let plate = service.get("/api/plates").await.json[0]["id"].clone();
    let right = json!({"plate_number": "京A12345", "is_verified": true});
    send(service, &token, Method::PUT, &format!("/api/plates/{plate}"), right).await;
    let record = get(service, &token, "/hzsystem_parking/detection/records/").await;
    assert_eq!(record["records"][0]["license_plate"], "京A12345");
    let spots = get(service, &token, "/hzsystem_parking/parking/spots/").await;
    assert_eq!(spots["spots"][0]["license_plate"], "京A12345");
    let transactions = get(service, &token, "/api/parking/transactions/").await;
    assert_eq!(transactions[0]["car"]["plate_number"], "京A12345");
    let cars = get(service, &token, "/api/users/cars/").await;
    assert_eq!(cars.as_array().unwrap().len(), 1, "there never was a car of the wrong one");
    let assigned = json!({"license_plate": "京A12345", "vehicle_type": "car"});
    let assigned =
        send(service, &token, Method::POST, "/hzsystem_parking/parking/auto-assign/", assigned)
            .await;
    assert_eq!(assigned["session_id"], transactions[0]["id"]);
}
