//! The service on a fresh file with a station's past in it, and what it answers of that.

use std::{error::Error, fs, io, path::Path};

use rusqlite::Connection;
use serde_json::{Value, json};
use system_tests::process::{Process, free_port, http_client, output};

/// Who calls.
pub struct Keys {
    /// For `Authorization: Token`, the driver's whose orders are asked for.
    pub driver: String,
    /// For `X-API-Key`.
    pub devices: Vec<String>,
}

/// The service.
pub struct Ours {
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    /// Who calls it.
    pub keys: Keys,
    /// It itself.
    pub process: Process,
    admin: String,
}

impl Ours {
    /// Fills a file and serves it, with so many controllers.
    ///
    /// # Errors
    /// When a step of it fails.
    pub async fn start(folder: &Path, devices: usize) -> Result<Self, Box<dyn Error>> {
        let file = folder.join("cloud.db");
        let url = format!("sqlite:///{}", file.display());
        let verb = async |line: &str, input: &str| {
            let words = line.split(' ').chain(["--database-url", &url]);
            output("cloud-sync", words, input).await
        };
        let user = "user add --password-stdin --username";
        verb(&format!("{user} driver --role visitor --phone 13800000001"), "a-password\n").await?;
        verb(&format!("{user} admin --role admin"), "a-password\n").await?;
        verb("site add --site-id north --name North", "").await?;
        let mut keys = Keys { driver: token(&verb, "driver").await?, devices: Vec::new() };
        for device in 0..devices {
            let line = format!("device add --device-id controller-{device} --station 火车站");
            keys.devices.push(verb(&line, "").await?);
        }
        let admin = token(&verb, "admin").await?;
        Connection::open(&file)?.execute_batch(include_str!("rows.sql"))?;

        let (port, process) = serve(&url, folder).await?;
        Ok(Self { port, keys, process, admin })
    }

    /// All its rows in the documents' forms, for the comparator to keep.
    ///
    /// # Errors
    /// When they cannot be had.
    pub async fn rows(&self) -> Result<Value, Box<dyn Error>> {
        let cabinets = self.get("/api/cabinets/").await?;
        let (mut orders, mut plates) = (Vec::new(), Vec::new());
        for page in 1..=20 {
            let mut answer =
                self.get(&format!("/api/admin/orders/?page={page}&page_size=100")).await?;
            orders.append(list(&mut answer["data"]["orders"])?);
        }
        for page in 0..100 {
            let mut answer =
                self.get(&format!("/api/plates?skip={}&limit=100", page * 100)).await?;
            plates.append(list(&mut answer)?);
        }
        let device =
            |(number, key)| json!({"device_id": format!("controller-{number}"), "key": key});
        Ok(json!({
            "token": self.keys.driver,
            "devices": self.keys.devices.iter().enumerate().map(device).collect::<Vec<_>>(),
            "cabinets": cabinets["data"],
            "orders": orders,
            "plates": plates,
        }))
    }

    async fn get(&self, path: &str) -> Result<Value, Box<dyn Error>> {
        let request = http_client().get(format!("http://127.0.0.1:{}{path}", self.port));
        let request = request.header("authorization", format!("Token {}", self.admin));
        Ok(request.send().await?.error_for_status()?.json().await?)
    }
}

/// Serves a database without limits; the port.
///
/// # Errors
/// When it does not come up.
pub async fn serve(url: &str, folder: &Path) -> io::Result<(u16, Process)> {
    let (port, config) = (free_port()?, folder.join("cloud.toml"));
    fs::write(&config, "[limits]\nenabled = false\n")?;
    let (listen, config) = (port.to_string(), config.display().to_string());
    let args = ["serve", "--host", "127.0.0.1", "--port", &listen, "--database-url", url];
    let args = args.into_iter().chain(["--config", &config]);
    let mut process = Process::start("cloud-sync", args, folder)?;
    process.ready(&format!("http://127.0.0.1:{port}/readyz")).await?;
    Ok((port, process))
}

async fn token(
    verb: &impl AsyncFn(&str, &str) -> io::Result<String>,
    of: &str,
) -> io::Result<String> {
    verb(&format!("token issue --username {of}"), "").await
}

fn list(value: &mut Value) -> io::Result<&mut Vec<Value>> {
    value.as_array_mut().ok_or_else(|| io::Error::other("the answer is no list"))
}
