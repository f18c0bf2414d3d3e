//! A real Chromium without a window, driven over WebDriver (W3C) as a person would: it points,
//! types and looks. Whoever waits for something waits for what the page shows. The browser and its
//! profile go with their owner.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    time::Duration,
};

use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    process::Command,
    time::{sleep, timeout},
};

use crate::process::{PATIENCE, Process, free_port, http_client};

/// How often something that is waited for is looked at.
const LOOK: Duration = Duration::from_millis(30);
/// How the protocol marks an element in its answers.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Keys that are no characters.
pub mod keys {
    /// To the next field.
    pub const TAB: &str = "\u{e004}";
    /// Sends a form, presses a button.
    pub const ENTER: &str = "\u{e007}";
    /// To the next tab.
    pub const RIGHT: &str = "\u{e014}";
}

/// A browser with one page.
pub struct Browser {
    client: Client,
    port: u16,
    session: String,
    _driver: Process,
    _folder: TempDir,
}

impl Browser {
    /// Starts it with a window of so many pixels.
    ///
    /// # Errors
    /// Where Chromium or its driver is not installed or does not start.
    pub async fn start(width: u32, height: u32) -> io::Result<Self> {
        let (folder, port) = (TempDir::new()?, free_port()?);
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={port}")).env("HOME", folder.path());
        let mut driver = Process::spawn("chromedriver", &mut command, folder.path())?;
        driver.ready(&format!("http://127.0.0.1:{port}/status")).await?;
        let profile = format!("--user-data-dir={}", folder.path().join("profile").display());
        let window = format!("--window-size={width},{height}");
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--lang=en",
            &profile,
            &window,
        ];
        let wanted = json!({
            "browserName": "chrome",
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
            "unhandledPromptBehavior": "ignore",
        });
        let client = http_client();
        let body = json!({"capabilities": {"alwaysMatch": wanted}});
        let made = send(&client, Method::POST, port, "/session", Some(body)).await?;
        let session = made["sessionId"].as_str().unwrap_or_default().to_owned();
        Ok(Self { client, port, session, _driver: driver, _folder: folder })
    }

    /// Goes to an address.
    ///
    /// # Errors
    /// Where the browser does not do it; so below.
    pub async fn open(&self, url: &str) -> io::Result<()> {
        self.post("/url", json!({"url": url})).await.map(drop)
    }

    /// Clicks on what a CSS selector finds, once it is there and can be clicked.
    pub async fn click(&self, selector: &str) -> io::Result<()> {
        self.until_done(&format!("click {selector}"), async || {
            let element = self.find(selector).await?;
            self.post(&format!("/element/{element}/click"), json!({})).await
        })
        .await
    }

    /// Types into a field in place of what stands there.
    pub async fn fill(&self, selector: &str, text: &str) -> io::Result<()> {
        self.until_done(&format!("fill {selector}"), async || {
            let element = self.find(selector).await?;
            self.post(&format!("/element/{element}/clear"), json!({})).await?;
            self.post(&format!("/element/{element}/value"), json!({"text": text})).await
        })
        .await
    }

    /// Chooses one of a field's choices by the text that it shows.
    pub async fn choose(&self, selector: &str, choice: &str) -> io::Result<()> {
        self.until_done(&format!("choose {choice} in {selector}"), async || {
            let element = self.find(selector).await?;
            self.post(&format!("/element/{element}/value"), json!({"text": choice})).await
        })
        .await
    }

    /// Presses keys, wherever the focus is.
    pub async fn press(&self, keys: &str) -> io::Result<()> {
        let each = keys.chars().flat_map(|key| {
            ["keyDown", "keyUp"].map(|what| json!({"type": what, "value": key.to_string()}))
        });
        let keyboard =
            json!({"type": "key", "id": "keyboard", "actions": each.collect::<Vec<_>>()});
        self.post("/actions", json!({"actions": [keyboard]})).await.map(drop)
    }

    /// Answers the page's question, whose text is returned, with yes.
    pub async fn confirm(&self) -> io::Result<String> {
        let question = self.get("/alert/text").await?;
        self.post("/alert/accept", json!({})).await?;
        Ok(question.as_str().unwrap_or_default().to_owned())
    }

    /// What an expression of JavaScript is in the page.
    pub async fn eval(&self, expression: &str) -> io::Result<Value> {
        let script = format!("return ({expression});");
        self.post("/execute/sync", json!({"script": script, "args": []})).await
    }

    /// What the page shows where a CSS selector points; empty where nothing is.
    pub async fn text(&self, selector: &str) -> io::Result<String> {
        let text = self.eval(&format!("document.querySelector({selector:?})?.innerText")).await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until the page shows a text where a CSS selector points.
    ///
    /// # Errors
    /// Where it does not for long; what it shows instead is said.
    pub async fn until(&self, selector: &str, text: &str) -> io::Result<()> {
        let come = async {
            while !self.text(selector).await?.contains(text) {
                sleep(LOOK).await;
            }
            Ok(())
        };
        match timeout(PATIENCE, come).await {
            Ok(outcome) => outcome,
            Err(_) => {
                let shown = self.text(selector).await?;
                Err(io::Error::other(format!("{selector} shows {shown:?} and not {text:?}")))
            }
        }
    }

    /// What the browser had to complain about since this was asked last, beside answers that say no
    /// and a server that is away: scripts that failed, what a page's policy refused.
    pub async fn complaints(&self) -> io::Result<Vec<String>> {
        let log = self.post("/se/log", json!({"type": "browser"})).await?;
        let is_bad = |entry: &&Value| entry["level"] == "SEVERE" && entry["source"] != "network";
        let entries = log.as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(entries.iter().filter(is_bad).map(|entry| entry["message"].to_string()).collect())
    }

    async fn find(&self, selector: &str) -> io::Result<String> {
        let by = json!({"using": "css selector", "value": selector});
        let element = self.post("/element", by).await?;
        Ok(element[ELEMENT].as_str().unwrap_or_default().to_owned())
    }

    /// Tries until it succeeds: what is hidden or covered cannot be used yet.
    async fn until_done(
        &self,
        what: &str,
        act: impl AsyncFn() -> io::Result<Value>,
    ) -> io::Result<()> {
        let mut last = None;
        let done = async {
            while let Err(error) = act().await {
                last = Some(error);
                sleep(LOOK).await;
            }
        };
        let done = timeout(PATIENCE, done).await.is_ok();
        match last {
            Some(error) if !done => Err(io::Error::other(format!("{what}: {error}"))),
            _ => Ok(()),
        }
    }

    async fn post(&self, path: &str, body: Value) -> io::Result<Value> {
        self.call(Method::POST, path, Some(body)).await
    }

    async fn get(&self, path: &str) -> io::Result<Value> {
        self.call(Method::GET, path, None).await
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> io::Result<Value> {
        let path = format!("/session/{}{path}", self.session);
        send(&self.client, method, self.port, &path, body).await
    }
}

/// The driver ends the browser with its session; killed, it would leave it behind.
impl Drop for Browser {
    fn drop(&mut self) {
        let end = || -> io::Result<()> {
            let mut driver = TcpStream::connect(("127.0.0.1", self.port))?;
            driver.set_read_timeout(Some(PATIENCE))?;
            write!(
                driver,
                "DELETE /session/{} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n",
                self.session, self.port
            )?;
            driver.read(&mut [0; 64]).map(drop)
        };
        if let Err(error) = end() {
            eprintln!("the browser may be left behind: {error}");
        }
    }
}

/// Asks the driver for something.
async fn send(
    client: &Client,
    method: Method,
    port: u16,
    path: &str,
    body: Option<Value>,
) -> io::Result<Value> {
    let request = client.request(method, format!("http://127.0.0.1:{port}{path}"));
    let request = match &body {
        Some(body) => request.json(body),
        None => request,
    };
    let answer = request.send().await.map_err(io::Error::other)?;
    let is_done = answer.status().is_success();
    let mut answer: Value = answer.json().await.map_err(io::Error::other)?;
    let value = answer["value"].take();
    if is_done { Ok(value) } else { Err(io::Error::other(value["message"].to_string())) }
}
