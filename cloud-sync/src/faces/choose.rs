//! `POST /api/auth/register/` and `POST /api/auth/login/` are documented by two families. Which is
//! meant: the header `X-Api-Family` says it, else the fields that only one of them has.

use std::pin::Pin;

use serde_json::{Map, Value};

use crate::http::{Problem, Request};

const MAX_BYTES: usize = 256 * 1024;

/// The name of the family that is meant.
pub(crate) fn choose<'a>(
    request: &'a mut Request,
    path: &'static str,
) -> Pin<Box<dyn Future<Output = Result<&'static str, Problem>> + Send + 'a>> {
    Box::pin(async move {
        let named = match request.header("x-api-family") {
            Some("station") => Some("station"),
            Some("charging") => Some("charging"),
            _ => None,
        };
        match named {
            Some(family) => Ok(family),
            None => Ok(by_fields(path, &request.peek(MAX_BYTES).await?)),
        }
    })
}

fn by_fields(path: &str, body: &[u8]) -> &'static str {
    let has = fields(body);
    let is_charging = match path.contains("/login") {
        true => !has("phone") && has("username"),
        false => !has("password2") && has("email"),
    };
    if is_charging { "charging" } else { "station" }
}

/// Tells which fields a body has, be it JSON or a form.
fn fields(body: &[u8]) -> impl Fn(&str) -> bool {
    let names: Vec<String> = match serde_json::from_slice::<Map<String, Value>>(body) {
        Ok(object) => object.into_iter().map(|(name, _)| name).collect(),
        Err(_) => form_urlencoded::parse(body).map(|(name, _)| name.into_owned()).collect(),
    };
    move |name| names.iter().any(|known| known == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_tell_the_families_apart() {
        const LOGIN: &str = "/api/auth/login/";
        const REGISTER: &str = "/api/auth/register/";
        for (path, body, family) in [
            (REGISTER, r#"{"username":"a","password2":"b","email":"x@y"}"#, "station"),
            (REGISTER, r#"{"username":"a","phone":"13800138000"}"#, "station"),
            (REGISTER, r#"{"username":"a","phone":"13800138000","email":"x@y"}"#, "charging"),
            (REGISTER, "username=a&phone=13800138000&email=x%40y", "charging"),
            (REGISTER, r#"{"username":"a","password":"b"}"#, "station"),
            (LOGIN, r#"{"phone":"13800138000","password":"b"}"#, "station"),
            (LOGIN, r#"{"username":"a","password":"b"}"#, "charging"),
            (LOGIN, "username=a&password=b", "charging"),
            (LOGIN, "{}", "station"),
            (LOGIN, "no json", "station"),
        ] {
            assert_eq!(by_fields(path, body.as_bytes()), family, "{path} {body}");
        }
    }
}
