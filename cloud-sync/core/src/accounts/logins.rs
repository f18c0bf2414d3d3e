//! What stands for an account once it has logged in: keys of `Authorization: Token`, and pairs of
//! JWTs. Whatever is presented is looked up, so that a logout, a new password, another role or a
//! removed account show at the next call.

use domain::envelope::to_hex;
use rand::Rng;
use uuid::Uuid;

use super::jwt::{self, Claims, TokenType};
use crate::{
    caller::{Caller, Credential},
    error::{Error, Result},
    secret,
    store::{Row, Transaction, first, next_id, params},
};

/// How long an access token is good, in seconds.
pub(super) const ACCESS_S: i64 = 24 * 3600;
/// How long a refresh token is good, in seconds.
pub(super) const REFRESH_S: i64 = 7 * 24 * 3600;
/// Keys from logins that an account may have; the oldest make place.
const MOST_LOGIN_KEYS: i64 = 20;
/// Characters of a JWT's number that say of which login it came.
const LOGIN_ID_CHARS: usize = 32;

/// What a login answers where JWTs are spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenPair {
    /// For calls, good for 24 h.
    pub access: String,
    /// For the next pair, good for 7 days.
    pub refresh: String,
}

/// Where a token's key came from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Origin {
    /// A login; a new password ends it.
    Login,
    /// The command line, for a program.
    Issued,
}

impl Origin {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Issued => "issued",
        }
    }
}

/// Keeps the hash of a new key of an account.
pub(super) fn keep_key(
    tx: &mut dyn Transaction,
    account: i64,
    origin: Origin,
    hash: &str,
    now_ms: i64,
) -> Result<()> {
    tx.execute(
        "INSERT INTO tokens (hash, user_id, origin, created_at_ms) VALUES ($1, $2, $3, $4)",
        params![hash, account, origin.as_str(), now_ms],
    )?;
    tx.execute(
        "DELETE FROM tokens WHERE user_id = $1 AND origin = 'login' AND hash NOT IN (
             SELECT hash FROM tokens WHERE user_id = $1 AND origin = 'login'
             ORDER BY created_at_ms DESC, hash LIMIT $2)",
        params![account, MOST_LOGIN_KEYS],
    )?;
    Ok(())
}

/// Whom a token's key stands for, by its hash.
pub(super) const OF_KEY: &str = "SELECT users.id, users.role, users.username FROM tokens
    JOIN users ON users.id = tokens.user_id
    WHERE tokens.hash = $1 AND users.removed_at_ms IS NULL";

/// The caller of a row of [`OF_KEY`].
pub(super) fn caller_of_key(row: &Row, hash: String) -> Result<Caller> {
    caller(row, Credential::Key(hash))
}

/// The caller that an access token stands for.
pub(super) fn caller_of_jwt(tx: &mut dyn Transaction, token: &str, now_ms: i64) -> Result<Caller> {
    let (claims, row) = believe(tx, token, TokenType::Access, now_ms)?;
    caller(&row, Credential::Jwt { login: login_of(&claims)?.to_owned() })
}

fn caller(row: &Row, credential: Credential) -> Result<Caller> {
    let (role, username) = (row.get::<String>(1)?.parse()?, row.get::<String>(2)?);
    Ok(Caller::account(row.get(0)?, role, &username, credential))
}

/// The account and the login that a refresh token stands for.
pub(super) fn refreshed(
    tx: &mut dyn Transaction,
    token: &str,
    now_ms: i64,
) -> Result<(i64, String)> {
    let (claims, _) = believe(tx, token, TokenType::Refresh, now_ms)?;
    Ok((claims.user_id, login_of(&claims)?.to_owned()))
}

fn login_of(claims: &Claims) -> Result<&str> {
    claims.jti.get(..LOGIN_ID_CHARS).ok_or(Error::Unauthenticated)
}

/// What a JWT says and whose it is, where it is valid in every respect.
fn believe(
    tx: &mut dyn Transaction,
    token: &str,
    wanted: TokenType,
    now_ms: i64,
) -> Result<(Claims, Row)> {
    let unverified = jwt::parse(token).ok_or(Error::Unauthenticated)?;
    let key = "SELECT secret FROM signing_keys
               WHERE id = $1 AND (void_at_ms IS NULL OR void_at_ms > $2)";
    let key = first(tx, key, params![unverified.key_id, now_ms])?.ok_or(Error::Unauthenticated)?;
    let claims = unverified.verify(key.get::<String>(0)?.as_bytes(), wanted, now_ms / 1000);
    let claims = claims.ok_or(Error::Unauthenticated)?;
    let account = "SELECT id, role, username FROM users
                   WHERE id = $1 AND removed_at_ms IS NULL AND tokens_from_s <= $2
                     AND NOT EXISTS (SELECT 1 FROM ended_logins WHERE login_id = $3)";
    let row = first(tx, account, params![claims.user_id, claims.iat, login_of(&claims)?])?;
    Ok((claims, row.ok_or(Error::Unauthenticated)?))
}

/// A new pair of JWTs of an account, of a login or of a new one; none where no key signs yet.
pub(super) fn pair(
    tx: &mut dyn Transaction,
    account: i64,
    login: Option<&str>,
    now_ms: i64,
) -> Result<Option<TokenPair>> {
    let newest = "SELECT id, secret FROM signing_keys WHERE void_at_ms IS NULL
                  ORDER BY id DESC LIMIT 1";
    let Some(key) = first(tx, newest, &[])? else { return Ok(None) };
    let (key_id, key): (i64, String) = (key.get(0)?, key.get(1)?);
    let from = "SELECT tokens_from_s FROM users WHERE id = $1";
    let from = first(tx, from, params![account])?.ok_or(Error::NotFound("account"))?;
    let iat = from.get::<i64>(0)?.max(now_ms / 1000);
    let login = login.map_or_else(|| Uuid::new_v4().simple().to_string(), str::to_owned);
    let token = |token_type, life_s| {
        let jti = format!("{login}{}", to_hex(&rand::rng().random::<[u8; 8]>()));
        let claims = Claims { token_type, exp: iat + life_s, iat, jti, user_id: account };
        jwt::sign(&claims, key_id, key.as_bytes())
    };
    let (access, refresh) = (TokenType::Access, TokenType::Refresh);
    Ok(Some(TokenPair { access: token(access, ACCESS_S), refresh: token(refresh, REFRESH_S) }))
}

/// Makes a new key that signs from now on. The others are accepted as long as a token may live
/// that they signed.
pub(super) fn new_signing_key(tx: &mut dyn Transaction, now_ms: i64) -> Result<()> {
    let void_at_ms = now_ms + REFRESH_S * 1000;
    let retire = "UPDATE signing_keys SET void_at_ms = $1 WHERE void_at_ms IS NULL";
    tx.execute(retire, params![void_at_ms])?;
    tx.execute("DELETE FROM signing_keys WHERE void_at_ms <= $1", params![now_ms])?;
    let id = next_id(tx, "signing_key")?;
    tx.execute(
        "INSERT INTO signing_keys (id, secret, created_at_ms) VALUES ($1, $2, $3)",
        params![id, secret::new_signing_key(), now_ms],
    )?;
    Ok(())
}

/// Ends what the caller came with: the key, or every JWT of the login.
pub(super) fn end(tx: &mut dyn Transaction, credential: &Credential, now_ms: i64) -> Result<()> {
    tx.execute("DELETE FROM ended_logins WHERE void_at_ms <= $1", params![now_ms])?;
    match credential {
        Credential::None => return Err(Error::Unauthenticated),
        Credential::Key(hash) => tx.execute("DELETE FROM tokens WHERE hash = $1", params![hash])?,
        Credential::Jwt { login } => tx.execute(
            "INSERT INTO ended_logins (login_id, void_at_ms) VALUES ($1, $2)
             ON CONFLICT (login_id) DO NOTHING",
            params![login, now_ms + (REFRESH_S + 1) * 1000],
        )?,
    };
    Ok(())
}

/// Ends all logins of an account; keys that the command line issued stay.
pub(super) fn end_all(tx: &mut dyn Transaction, account: i64, now_ms: i64) -> Result<()> {
    let jwts = "UPDATE users SET tokens_from_s = $1 WHERE id = $2";
    tx.execute(jwts, params![now_ms / 1000 + 1, account])?;
    let keys = "DELETE FROM tokens WHERE user_id = $1 AND origin = 'login'";
    tx.execute(keys, params![account])?;
    Ok(())
}
