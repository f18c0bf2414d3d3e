//! Who may call what: every route that any family declares, called by everybody there is. A route
//! that is not in the table fails the test, and so does one that lets in somebody else than the
//! table says. The table is written by hand from the documents and is not read off the code.

use std::collections::BTreeMap;

use cloud_core::Role;
use cloud_sync::config::{Anonymous, Auth, Config, Limits};
use reqwest::{Method, RequestBuilder, StatusCode};

use super::service::{Service, start_with};

#[path = "roles_table.rs"]
mod table;
use table::{Access, TABLE};

const FAMILIES: &[&str] = &["hz", "station", "charging", "smart", "anpr", "console"];

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    /// Nobody known, at this machine.
    Nobody,
    /// The same, through a proxy.
    Proxied,
    /// The same, at another address than this machine's.
    Forwarded,
    Visitor,
    Operator,
    Admin,
    Device,
}

const EVERYBODY: &[Who] = &[
    Who::Nobody,
    Who::Proxied,
    Who::Forwarded,
    Who::Visitor,
    Who::Operator,
    Who::Admin,
    Who::Device,
];

/// What becomes of a call.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    LetIn,
    Unauthenticated,
    Forbidden,
}

/// What the table says, where nobody known at this machine is let in or not.
fn expected(access: Access, who: Who, anonymous: bool) -> Outcome {
    use Outcome::{Forbidden, LetIn, Unauthenticated};
    let needed = match access {
        Access::Public => return LetIn,
        Access::Device if who == Who::Device => return LetIn,
        Access::Device => return Unauthenticated,
        // A controller's key says nothing here: its bearer is nobody known at this machine.
        Access::LocalAccount | Access::LocalOperator
            if anonymous && matches!(who, Who::Nobody | Who::Device) =>
        {
            return LetIn;
        }
        Access::Account | Access::LocalAccount => Who::Visitor,
        Access::Operator | Access::LocalOperator => Who::Operator,
        Access::Admin => Who::Admin,
    };
    match who {
        Who::Visitor | Who::Operator | Who::Admin if who >= needed => LetIn,
        Who::Visitor | Who::Operator | Who::Admin => Forbidden,
        _ => Unauthenticated,
    }
}

struct Callers {
    service: Service,
    tokens: BTreeMap<Who, String>,
    key: String,
}

impl Callers {
    async fn start(anonymous: Anonymous) -> Self {
        let limits = Limits { enabled: false, ..Limits::default() };
        let auth = Auth { anonymous };
        let service = start_with(Config { auth, limits, ..Config::default() }).await;
        let mut tokens = BTreeMap::new();
        for (who, role) in [
            (Who::Visitor, Role::Visitor),
            (Who::Operator, Role::Operator),
            (Who::Admin, Role::Admin),
        ] {
            tokens.insert(who, service.token(role).await);
        }
        let key = service.device("ESP32_001", "火车站").await;
        Self { service, tokens, key }
    }

    /// Every route, as `GET /api/x/{id}/`, and what its declaration says of who may call.
    async fn routes(&self) -> BTreeMap<String, String> {
        let mut routes = BTreeMap::new();
        for family in FAMILIES {
            let document = self.service.get(&format!("/openapi/{family}.json")).await.json;
            for (path, methods) in document["paths"].as_object().unwrap() {
                for (method, operation) in methods.as_object().unwrap() {
                    let role = operation["x-role"].as_str().unwrap().to_owned();
                    routes.insert(format!("{} {path}", method.to_uppercase()), role);
                }
            }
        }
        routes
    }

    /// A call to a route for something that is not there, with nothing in its body.
    fn call(&self, route: &str, who: Who) -> RequestBuilder {
        let (method, path) = route.split_once(' ').unwrap();
        let path: String = path
            .split_inclusive('}')
            .map(|part| {
                part.split_once('{')
                    .map_or(part.to_owned(), |(fixed, _)| format!("{fixed}987654321"))
            })
            .collect();
        let request = self.service.request(Method::from_bytes(method.as_bytes()).unwrap(), &path);
        let request = match who {
            Who::Nobody => request,
            Who::Proxied => request.header("x-forwarded-for", "127.0.0.1"),
            Who::Forwarded => request.header("forwarded", "for=198.51.100.7"),
            Who::Device => request.header("x-api-key", &self.key),
            _ => request.header("authorization", format!("Token {}", self.tokens[&who])),
        };
        if method == "GET" { request } else { request.body("{}") }
    }

    async fn outcome(&self, route: &str, who: Who) -> Outcome {
        let answer = self.call(route, who).send().await.unwrap();
        let status = answer.status();
        assert!(!status.is_server_error(), "{route} by {who:?}: {status}");
        match status {
            StatusCode::UNAUTHORIZED => Outcome::Unauthenticated,
            StatusCode::FORBIDDEN => Outcome::Forbidden,
            _ => Outcome::LetIn,
        }
    }

    /// Every route that lets in somebody else than the table says.
    async fn wrong(&self, anonymous: bool) -> Vec<String> {
        let mut wrong = Vec::new();
        for (access, routes) in TABLE {
            for route in *routes {
                for who in EVERYBODY {
                    let (is, should) =
                        (self.outcome(route, *who).await, expected(*access, *who, anonymous));
                    if is != should {
                        wrong.push(format!("{route} by {who:?}: {is:?}, not {should:?}"));
                    }
                }
            }
        }
        wrong
    }
}

/// Logging out ends what one came with, so that it is called once all others were.
const LOGOUT: &str = "POST /api/auth/logout/";

#[tokio::test]
async fn every_route_is_in_the_table_and_lets_in_whom_the_table_says() {
    let callers = Callers::start(Anonymous::Loopback).await;
    let routes = callers.routes().await;
    let listed: Vec<_> = TABLE.iter().flat_map(|(_, routes)| routes.iter().copied()).collect();
    let forgotten: Vec<_> = routes
        .iter()
        .filter(|(route, _)| *route != LOGOUT && !listed.contains(&route.as_str()))
        .collect();
    assert!(forgotten.is_empty(), "say in the table who may call {forgotten:#?}");
    let gone: Vec<_> = listed.iter().filter(|route| !routes.contains_key(**route)).collect();
    assert!(gone.is_empty(), "not served any more: {gone:#?}");
    let wrong = callers.wrong(true).await;
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn nobody_goes_without_credentials_where_the_settings_say_never() {
    let callers = Callers::start(Anonymous::Never).await;
    let wrong = callers.wrong(false).await;
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn logging_out_wants_credentials_and_ends_them() {
    let callers = Callers::start(Anonymous::Loopback).await;
    for who in [Who::Nobody, Who::Proxied, Who::Device] {
        assert_eq!(callers.outcome(LOGOUT, who).await, Outcome::Unauthenticated, "{who:?}");
    }
    for who in [Who::Visitor, Who::Operator, Who::Admin] {
        assert_eq!(callers.outcome(LOGOUT, who).await, Outcome::LetIn, "{who:?}");
        assert_eq!(callers.outcome(LOGOUT, who).await, Outcome::Unauthenticated, "{who:?}");
    }
}
