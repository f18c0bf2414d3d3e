//! JSON Web Tokens signed with HMAC-SHA256 (RFC 7519, RFC 7515). The algorithm is pinned: a token
//! that names another, or none, is refused before anything is computed. Pure; the time is passed
//! in.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use ring::hmac;
use serde::{Deserialize, Serialize};

/// Longest token that is looked at, in bytes.
const LONGEST: usize = 1024;

/// What a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum TokenType {
    /// Calls.
    Access,
    /// New tokens, and nothing else.
    Refresh,
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) token_type: TokenType,
    /// When it is void, in seconds UTC.
    pub(super) exp: i64,
    /// When it was made, in seconds UTC.
    pub(super) iat: i64,
    /// Its number, unlike any other's.
    pub(super) jti: String,
    /// Whose it is.
    pub(super) user_id: i64,
}

#[derive(Serialize, Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    typ: Option<String>,
    /// Which key signed it.
    kid: String,
}

/// A token that was taken apart and not yet believed.
pub(super) struct Unverified<'a> {
    signed: &'a str,
    signature: Vec<u8>,
    claims: Vec<u8>,
    /// The number of the key that should have signed it.
    pub(super) key_id: i64,
}

/// Writes a token.
pub(super) fn sign(claims: &Claims, key_id: i64, secret: &[u8]) -> String {
    let header = Header { alg: "HS256".into(), typ: Some("JWT".into()), kid: key_id.to_string() };
    let part = |json: serde_json::Result<Vec<u8>>| {
        BASE64.encode(json.expect("a struct of numbers and texts is JSON"))
    };
    let signed =
        format!("{}.{}", part(serde_json::to_vec(&header)), part(serde_json::to_vec(claims)));
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
    format!("{signed}.{}", BASE64.encode(signature.as_ref()))
}

/// Takes a token apart; none where it is no HS256 token of ours.
pub(super) fn parse(token: &str) -> Option<Unverified<'_>> {
    if token.len() > LONGEST {
        return None;
    }
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let header: Header = serde_json::from_slice(&BASE64.decode(header).ok()?).ok()?;
    let is_ours = header.alg == "HS256" && header.typ.as_deref().is_none_or(|typ| typ == "JWT");
    is_ours.then_some(())?;
    Some(Unverified {
        signed,
        signature: BASE64.decode(signature).ok()?,
        claims: BASE64.decode(claims).ok()?,
        key_id: header.kid.parse().ok()?,
    })
}

impl Unverified<'_> {
    /// What the token says, where the key signed it, it is of the type and not void at `now_s`.
    pub(super) fn verify(&self, secret: &[u8], wanted: TokenType, now_s: i64) -> Option<Claims> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        hmac::verify(&key, self.signed.as_bytes(), &self.signature).ok()?;
        let claims: Claims = serde_json::from_slice(&self.claims).ok()?;
        (claims.token_type == wanted && now_s < claims.exp).then_some(claims)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const SECRET: &[u8] = b"a secret of thirty-two bytes ...";

    fn claims(token_type: TokenType) -> Claims {
        Claims { token_type, exp: 2000, iat: 1000, jti: "7f".into(), user_id: 5 }
    }

    fn verify(token: &str, secret: &[u8], now_s: i64) -> Option<Claims> {
        parse(token)?.verify(secret, TokenType::Access, now_s)
    }

    fn with_header(token: &str, header: &str) -> String {
        let rest = token.split_once('.').unwrap().1;
        format!("{}.{rest}", BASE64.encode(header))
    }

    #[test]
    fn a_token_says_what_was_signed_until_it_is_void() {
        let token = sign(&claims(TokenType::Access), 1, SECRET);
        assert_eq!(verify(&token, SECRET, 1999), Some(claims(TokenType::Access)));
        assert_eq!(verify(&token, SECRET, 2000), None);
        assert_eq!(verify(&token, b"another secret", 1500), None);
    }

    #[test]
    fn a_refresh_token_is_no_access_token() {
        let token = sign(&claims(TokenType::Refresh), 1, SECRET);
        assert_eq!(verify(&token, SECRET, 1500), None);
        let refresh = parse(&token).unwrap().verify(SECRET, TokenType::Refresh, 1500);
        assert_eq!(refresh, Some(claims(TokenType::Refresh)));
    }

    #[test]
    fn another_algorithm_is_refused_whatever_stands_behind_it() {
        let token = sign(&claims(TokenType::Access), 1, SECRET);
        for header in [
            r#"{"alg":"none","typ":"JWT","kid":"1"}"#,
            r#"{"alg":"RS256","typ":"JWT","kid":"1"}"#,
            r#"{"alg":"hs256","typ":"JWT","kid":"1"}"#,
            r#"{"alg":"HS256","typ":"JWT"}"#,
            "{}",
        ] {
            assert!(parse(&with_header(&token, header)).is_none(), "{header}");
        }
        // The right algorithm in a header that was not signed.
        let other = with_header(&token, r#"{"kid":"1","alg":"HS256"}"#);
        assert!(parse(&other).is_some() && verify(&other, SECRET, 1500).is_none());
    }

    #[test]
    fn a_changed_claim_breaks_the_signature() {
        let token = sign(&claims(TokenType::Access), 1, SECRET);
        let [header, _, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!() };
        let forged = Claims { user_id: 1, ..claims(TokenType::Access) };
        let forged = BASE64.encode(serde_json::to_vec(&forged).unwrap());
        assert_eq!(verify(&format!("{header}.{forged}.{signature}"), SECRET, 1500), None);
        assert_eq!(verify(&format!("{header}.{forged}."), SECRET, 1500), None);
    }

    #[test]
    fn nonsense_is_no_token() {
        for text in ["", ".", "..", "...", "a.b.c", "äöü.äöü.äöü", &"x.".repeat(5000)] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
