//! `POST /api/auth/register/` and `POST /api/auth/login/` are documented by two families. Which is
//! meant: the header `X-Api-Family` says it, else the fields that only one of them has.

use std::pin::Pin;

use serde_json::Value;

use crate::http::{Problem, Request};

const MAX_BYTES: usize = 256 * 1024;

/// The name of the family that is meant.
pub(crate) fn choose(
    request: &mut Request,
) -> Pin<Box<dyn Future<Output = Result<&'static str, Problem>> + Send + '_>> {
    Box::pin(async {
        let named = match request.header("x-api-family") {
            Some("station") => Some("station"),
            Some("charging") => Some("charging"),
            _ => None,
        };
        match named {
            Some(family) => Ok(family),
            None => Ok(by_fields(&request.peek(MAX_BYTES).await?)),
        }
    })
}

fn by_fields(body: &[u8]) -> &'static str {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let has = |name| body.get(name).is_some();
    if has("password2") || (has("phone") && !has("email")) {
        "station"
    } else if has("email") || has("username") {
        "charging"
    } else {
        "station"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_tell_the_families_apart() {
        for (body, family) in [
            (r#"{"username":"a","password":"b","password2":"b","email":"x@y"}"#, "station"),
            (r#"{"username":"a","password":"b","phone":"13800138000"}"#, "station"),
            (r#"{"username":"a","password":"b","phone":"13800138000","email":"x@y"}"#, "charging"),
            (r#"{"phone":"13800138000","password":"b"}"#, "station"),
            (r#"{"username":"a","password":"b"}"#, "charging"),
            ("{}", "station"),
            ("no json", "station"),
        ] {
            assert_eq!(by_fields(body.as_bytes()), family, "{body}");
        }
    }
}
