//! A hall with lockers as scenarios need it: a bank of doors over MQTT, a cloud behind a line that
//! can be cut, and people who order, pay, type and pull. What they see they ask as anybody would.

use std::{io, time::Duration};

use domain::{
    event::{Event, Fact},
    locker::LockerFact,
};
use edge_daemon::controller::keys::Keys;
use rand::random;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

use crate::{
    device::Account,
    line::Line,
    locker::{Cabinet, Locker, MqttLocker, Timing},
    mosquitto::Mosquitto,
    process::{self, PATIENCE},
    site::{Cloud, Edge, Plan},
};

/// The site's name at the cloud, and its name for people, which is its station's.
pub const SITE: &str = "hall";
/// See [`SITE`].
pub const STATION: &str = "Hall";
/// The controller.
pub const DEVICE: &str = "bank-1";
/// Another that is paired and may be connected.
pub const ANOTHER: &str = "bad";
/// The names on its doors, from door 1.
pub const DOORS: [&str; 3] = ["A001", "A002", "A003"];
/// How often something that is waited for is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// People who are quick.
const TIMING: Timing =
    Timing { release_ms: 2_000, left_open_ms: 60_000, pull_ms: 100, push_ms: 200 };

/// A running hall with its cloud; all of it ends with it.
pub struct Hall {
    /// The cloud.
    pub cloud: Cloud,
    /// The line from the site to the cloud.
    pub internet: Line,
    /// The broker.
    pub broker: Mosquitto,
    /// The edge.
    pub edge: Edge,
    /// The bank of doors.
    pub locker: Locker,
    /// The token of an admin, and of somebody with 100.00 on the balance.
    pub admin: String,
    /// See `admin`.
    pub visitor: String,
    keys: Keys,
    _link: MqttLocker,
    _folder: TempDir,
}

impl Hall {
    /// Starts everything, puts a cabinet up for each door and waits until the bank answers. `more`
    /// is more of the edge's configuration.
    ///
    /// # Errors
    /// Where something does not start.
    pub async fn start(more: &str) -> io::Result<Self> {
        let folder = TempDir::new()?;
        let cloud = Cloud::start(&folder.path().join("cloud"), process::free_port()?).await?;
        let code = cloud.add_site(SITE, STATION).await?;
        let admin = cloud.add_user("boss", "admin", "long enough a secret").await?;
        let visitor = cloud.add_user("mei", "visitor", "long enough a secret").await?;
        let internet = Line::open(cloud.address()).await?;
        let broker = Mosquitto::start()?;
        let keys = Keys::new(&folder.path().join("edge").join("state"));
        for device in [DEVICE, ANOTHER] {
            let device = device.parse().map_err(io::Error::other)?;
            keys.keep("locker", &device, &random()).map_err(io::Error::other)?;
        }
        let locker = Locker::new(Cabinet::new(3, TIMING));
        let _link = connect(&broker, &keys, DEVICE, &locker)?;
        let more = format!(
            "[parking]\nplaces = 1\n[[controllers]]\nid = \"{DEVICE}\"\nlink = \"mqtt\"\n\
             kind = \"locker\"\ndoors = {DOORS:?}\n{more}"
        );
        let plan = Plan::without_lanes(SITE, broker.port(), &more);
        let url = format!("http://{}", internet.address());
        let edge = Edge::start(&folder.path().join("edge"), &plan, Some((&url, &code))).await?;
        let hall = Self {
            cloud,
            internet,
            broker,
            edge,
            locker,
            admin,
            visitor,
            keys,
            _link,
            _folder: folder,
        };
        hall.furnish().await?;
        hall.online(DEVICE, true).await?;
        Ok(hall)
    }

    /// Connects [`ANOTHER`], which the configuration must name too.
    ///
    /// # Errors
    /// Where its key cannot be read.
    pub fn another(&self, locker: &Locker) -> io::Result<MqttLocker> {
        connect(&self.broker, &self.keys, ANOTHER, locker)
    }

    async fn furnish(&self) -> io::Result<()> {
        for cabinet_id in DOORS {
            let cabinet = json!({"cabinet_id": cabinet_id, "size": "small", "location": "east",
                                 "station": STATION, "price_per_hour": "2.00"});
            self.good(&self.admin, "POST", "cabinets/create/", cabinet).await?;
        }
        let me = self.good(&self.visitor, "GET", "auth/me/", Value::Null).await?;
        let path = format!("admin/users/{}/balance/", me["id"]);
        let money = json!({"amount": "100.00", "note": "cash"});
        self.good(&self.admin, "POST", &path, money).await.map(drop)
    }

    /// Orders a cabinet for two hours and pays for it; its number and its code.
    ///
    /// # Errors
    /// What the cloud said.
    pub async fn rent(&self, cabinet: &str) -> io::Result<(i64, String)> {
        let wanted = json!({"cabinet_id": cabinet, "duration_hours": 2});
        let order = self.good(&self.visitor, "POST", "orders/create/", wanted).await?;
        let pay = format!("orders/{}/pay/", order["id"]);
        let paid =
            self.good(&self.visitor, "POST", &pay, json!({"payment_method": "balance"})).await?;
        let code = paid["pickup_code"].as_str().unwrap_or_default().to_owned();
        let id = order["id"].as_i64().unwrap_or_default();
        self.until("the site knows the order", |events| {
            events.iter().any(|event| match &event.fact {
                Fact::Locker(LockerFact::Told { cabinet, .. }) => {
                    cabinet.order.as_ref().is_some_and(|held| held.order == id)
                }
                _ => false,
            })
        })
        .await?;
        Ok((id, code))
    }

    /// Waits until the last that the site was told of a cabinet is that nobody has it.
    ///
    /// # Errors
    /// Where that takes too long.
    pub async fn vacant(&self, cabinet: &str) -> io::Result<()> {
        self.until(&format!("the site knows that nobody has {cabinet}"), |events| {
            let told = events.iter().rev().find_map(|event| match &event.fact {
                Fact::Locker(LockerFact::Told { cabinet: told, .. }) if told.cabinet == cabinet => {
                    Some(told)
                }
                _ => None,
            });
            told.is_some_and(|told| told.order.is_none())
        })
        .await
    }

    /// Enters a code at the cloud.
    ///
    /// # Errors
    /// Where the cloud cannot be asked.
    pub async fn enter_at_cloud(
        &self,
        cabinet: &str,
        code: &str,
        finish: bool,
    ) -> io::Result<(StatusCode, Value)> {
        let body = json!({"cabinet_id": cabinet, "pickup_code": code, "finish": finish});
        self.ask(&self.visitor, "POST", "devices/open/by-code/", body).await
    }

    /// Types a code at the bank's keypad.
    pub fn type_code(&self, code: &str) {
        self.locker.board().hardware.type_code(code);
    }

    /// Waits until so many locks were released in all.
    ///
    /// # Errors
    /// Where that takes too long.
    pub async fn released(&self, count: usize) -> io::Result<()> {
        self.wait(&format!("{count} releases"), || {
            Ok(self.locker.board().hardware.releases().len() == count)
        })
        .await
    }

    /// An order as its owner sees it.
    ///
    /// # Errors
    /// What the cloud said.
    pub async fn order(&self, id: i64) -> io::Result<Value> {
        self.good(&self.visitor, "GET", &format!("orders/{id}/"), Value::Null).await
    }

    /// Waits until an order has a status.
    ///
    /// # Errors
    /// Where that takes too long.
    pub async fn order_is(&self, id: i64, status: &str) -> io::Result<()> {
        let come = async {
            while self.order(id).await?["status"] != status {
                sleep(LOOK).await;
            }
            Ok(())
        };
        timeout(PATIENCE, come)
            .await
            .unwrap_or_else(|_| Err(io::Error::other(format!("order {id} is not {status}"))))
    }

    /// The types of the alerts at the cloud.
    ///
    /// # Errors
    /// What the cloud said.
    pub async fn alerts(&self) -> io::Result<Vec<String>> {
        let alerts = self.good(&self.admin, "GET", "admin/alerts/", Value::Null).await?;
        let alerts = alerts["alerts"].as_array().cloned().unwrap_or_default();
        Ok(alerts.iter().filter_map(|a| a["type"].as_str().map(str::to_owned)).collect())
    }

    /// What the cloud answers with at its station face, where that is good.
    ///
    /// # Errors
    /// What the cloud said.
    pub async fn good(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Value,
    ) -> io::Result<Value> {
        let (status, answer) = self.ask(token, method, path, body).await?;
        if !status.is_success() {
            return Err(io::Error::other(format!("{path}: {status} {answer}")));
        }
        Ok(answer["data"].clone())
    }

    async fn ask(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Value,
    ) -> io::Result<(StatusCode, Value)> {
        let method = method.parse().map_err(io::Error::other)?;
        let url = format!("{}/api/{path}", self.cloud.url());
        let request = process::http_client().request(method, url);
        let request = request.header("authorization", format!("Token {token}")).json(&body);
        let answer = request.send().await.map_err(io::Error::other)?;
        let status = answer.status();
        Ok((status, answer.json().await.map_err(io::Error::other)?))
    }

    /// Waits until the journal's last word on a controller is that it answers, or not.
    ///
    /// # Errors
    /// Where that takes too long.
    pub async fn online(&self, device: &str, wanted: bool) -> io::Result<()> {
        let last = |events: &[Event]| {
            events.iter().rev().find_map(|event| match &event.fact {
                Fact::Device { device: name, online, .. } if name.as_str() == device => {
                    Some(*online)
                }
                _ => None,
            })
        };
        self.until(&format!("{device} online {wanted}"), |events| last(events) == Some(wanted))
            .await
    }

    /// Waits until the journal is as `is` says.
    ///
    /// # Errors
    /// Where the journal cannot be read, or it never is.
    pub async fn until(&self, what: &str, is: impl Fn(&[Event]) -> bool) -> io::Result<()> {
        self.wait(what, || Ok(is(&self.edge.events()?))).await
    }

    async fn wait(&self, what: &str, is: impl Fn() -> io::Result<bool>) -> io::Result<()> {
        let come = async {
            while !is()? {
                sleep(LOOK).await;
            }
            Ok(())
        };
        timeout(PATIENCE, come)
            .await
            .unwrap_or_else(|_| Err(io::Error::other(format!("{what}: not in {PATIENCE:?}"))))
    }

    /// Waits until the cloud has all that the site has, each once.
    ///
    /// # Errors
    /// Where that takes too long, or they differ.
    pub async fn synced(&self) -> io::Result<()> {
        self.wait("the cloud has everything", || {
            let head = self.edge.journal()?.head().map_err(io::Error::other)?;
            let at_cloud = self.cloud.events(SITE).map_err(io::Error::other)?;
            Ok(at_cloud == (head, head))
        })
        .await
    }
}

fn connect(broker: &Mosquitto, keys: &Keys, id: &str, locker: &Locker) -> io::Result<MqttLocker> {
    let device = id.parse().map_err(io::Error::other)?;
    let key = keys.get("locker", &device).map_err(io::Error::other)?;
    let account = Account { host: "127.0.0.1".to_owned(), port: broker.port(), login: None };
    Ok(MqttLocker::new(account, SITE, id, key, locker.clone()))
}
