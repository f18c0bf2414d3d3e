//! Pickup codes. A code is never kept: it is made from the order's salt with a key that stands
//! apart from the orders, so that the order table alone opens nothing. Guessing is stopped after
//! five wrong codes for one cabinet within ten minutes.

use domain::envelope::to_hex;
use rand::Rng;
use ring::hmac::{HMAC_SHA256, Key, sign};

use crate::{
    error::Result,
    secret,
    store::{Transaction, first, number, params},
};

/// Wrong codes for one cabinet, within [`WINDOW_MS`], that lock it.
const MOST_WRONG: i64 = 5;
/// How long wrong codes count, and how long a cabinet is locked.
const WINDOW_MS: i64 = 10 * 60 * 1000;

/// The key that makes codes of salts.
pub(super) struct CodeKey(Key);

/// Makes the key where there is none yet.
pub(super) fn ensure_key(tx: &mut dyn Transaction) -> Result<()> {
    let secret = to_hex(&rand::rng().random::<[u8; 32]>());
    let sql = "INSERT INTO locker_keys (id, secret) VALUES (1, $1) ON CONFLICT (id) DO NOTHING";
    tx.execute(sql, params![secret])?;
    Ok(())
}

/// The key; none before the first order.
pub(super) fn key(tx: &mut dyn Transaction) -> Result<Option<CodeKey>> {
    let row = first(tx, "SELECT secret FROM locker_keys WHERE id = 1", &[])?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(CodeKey(Key::new(HMAC_SHA256, row.get::<String>(0)?.as_bytes()))))
}

/// A salt for a new order.
pub(super) fn new_salt() -> String {
    secret::new_key()
}

impl CodeKey {
    /// The code of an order: six digits.
    pub(super) fn code(&self, salt: &str) -> String {
        let tag = sign(&self.0, salt.as_bytes());
        let number =
            tag.as_ref().iter().take(8).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        format!("{:06}", number % 1_000_000)
    }
}

/// Notes a wrong code for a cabinet, and locks it where there were too many.
pub(super) fn note_wrong(tx: &mut dyn Transaction, cabinet: i64, now_ms: i64) -> Result<()> {
    let forget = "DELETE FROM wrong_codes WHERE cabinet = $1 AND at_ms <= $2";
    tx.execute(forget, params![cabinet, now_ms - WINDOW_MS])?;
    tx.execute(
        "INSERT INTO wrong_codes (cabinet, at_ms) VALUES ($1, $2)",
        params![cabinet, now_ms],
    )?;
    let wrong = "SELECT COUNT(*) FROM wrong_codes WHERE cabinet = $1";
    if number(tx, wrong, params![cabinet])? >= MOST_WRONG {
        let lock = "UPDATE cabinets SET code_locked_until_ms = $2 WHERE id = $1";
        tx.execute(lock, params![cabinet, now_ms + WINDOW_MS])?;
        tx.execute("DELETE FROM wrong_codes WHERE cabinet = $1", params![cabinet])?;
    }
    Ok(())
}

/// Whether codes for a cabinet are refused for now.
pub(super) fn is_locked(tx: &mut dyn Transaction, cabinet: i64, now_ms: i64) -> Result<bool> {
    let sql = "SELECT code_locked_until_ms FROM cabinets WHERE id = $1";
    Ok(number(tx, sql, params![cabinet])? > now_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_six_digits_and_depends_on_key_and_salt() {
        let key = |secret: &str| CodeKey(Key::new(HMAC_SHA256, secret.as_bytes()));
        let codes: std::collections::HashSet<_> =
            (0..100).map(|salt| key("a").code(&salt.to_string())).collect();
        assert!(codes.iter().all(|code| code.len() == 6 && code.parse::<u32>().is_ok()));
        assert!(codes.len() > 95, "{}", codes.len());
        assert_ne!(key("a").code("1"), key("b").code("1"));
    }
}
