//! What accounts have to spend. Every change is an entry of a ledger in the same transaction, so
//! that the sum of an account's entries is its balance at any time, and no balance is ever below
//! nothing.

use crate::{
    caller::Admin,
    error::{Error, Result},
    store::{Row, Transaction, first, number, params},
};

/// Most that one entry may move and one account may hold, in fen: a hundred million yuan.
const MOST_FEN: i64 = 10_000_000_000;
const LONGEST_REASON: usize = 200;

/// A change of a balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BalanceEntry {
    /// Its number within the account: 1, 2, 3, …
    pub id: i64,
    /// What came in, in fen; negative where it was spent.
    pub amount_fen: i64,
    /// The balance afterwards, in fen.
    pub balance_fen: i64,
    /// Why, for people.
    pub reason: String,
    /// When, in milliseconds UTC.
    pub at_ms: i64,
}

/// Takes an amount from a balance and returns what is left, in fen.
///
/// # Errors
/// [`Error::Refused`] with `balance_too_low` where it is not enough; nothing has changed then.
pub(crate) fn debit(
    tx: &mut dyn Transaction,
    account: i64,
    amount_fen: i64,
    reason: &str,
    now_ms: i64,
) -> Result<i64> {
    check_amount(amount_fen)?;
    change(tx, account, -amount_fen, reason, None, now_ms)
}

/// Gives an amount back to a balance and returns the new balance, in fen.
///
/// # Errors
/// [`Error::NotFound`] without such an account.
pub(crate) fn credit(
    tx: &mut dyn Transaction,
    account: i64,
    amount_fen: i64,
    reason: &str,
    now_ms: i64,
) -> Result<i64> {
    check_amount(amount_fen)?;
    change(tx, account, amount_fen, reason, None, now_ms)
}

/// Adds what an admin has taken for it.
pub(super) fn top_up(
    tx: &mut dyn Transaction,
    admin: &Admin,
    account: i64,
    amount_fen: i64,
    note: &str,
    now_ms: i64,
) -> Result<i64> {
    check_amount(amount_fen)?;
    if note.chars().count() > LONGEST_REASON || note.chars().any(char::is_control) {
        return Err(Error::invalid("note", "use at most 200 printable characters"));
    }
    let reason = if note.trim().is_empty() { "top-up" } else { note.trim() };
    change(tx, account, amount_fen, reason, admin.actor().account, now_ms)
}

fn check_amount(amount_fen: i64) -> Result<()> {
    if (1..=MOST_FEN).contains(&amount_fen) {
        Ok(())
    } else {
        Err(Error::invalid("amount", "use an amount above 0.00 and up to 100000000.00"))
    }
}

fn change(
    tx: &mut dyn Transaction,
    account: i64,
    amount_fen: i64,
    reason: &str,
    actor: Option<i64>,
    now_ms: i64,
) -> Result<i64> {
    let sql = "UPDATE users SET balance_fen = balance_fen + $1
               WHERE id = $2 AND removed_at_ms IS NULL
                 AND balance_fen + $1 >= 0 AND balance_fen + $1 <= $3
               RETURNING balance_fen";
    let Some(row) = first(tx, sql, params![amount_fen, account, MOST_FEN])? else {
        super::account::find(tx, account)?;
        return Err(match amount_fen {
            ..0 => Error::Refused("balance_too_low"),
            _ => Error::invalid("amount", "the balance would be above 100000000.00"),
        });
    };
    let balance_fen: i64 = row.get(0)?;
    let next = "SELECT COALESCE(MAX(id), 0) + 1 FROM balance_entries WHERE user_id = $1";
    let id = number(tx, next, params![account])?;
    tx.execute(
        "INSERT INTO balance_entries (user_id, id, amount_fen, balance_fen, reason, actor_id, at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![account, id, amount_fen, balance_fen, reason, actor, now_ms],
    )?;
    Ok(balance_fen)
}

/// The latest entries of an account, the newest first.
pub(super) fn entries(
    tx: &mut dyn Transaction,
    account: i64,
    limit: u32,
) -> Result<Vec<BalanceEntry>> {
    let sql = "SELECT id, amount_fen, balance_fen, reason, at_ms FROM balance_entries
               WHERE user_id = $1 ORDER BY id DESC LIMIT $2";
    let rows = tx.query(sql, params![account, i64::from(limit)])?;
    let entry = |row: &Row| {
        Ok(BalanceEntry {
            id: row.get(0)?,
            amount_fen: row.get(1)?,
            balance_fen: row.get(2)?,
            reason: row.get(3)?,
            at_ms: row.get(4)?,
        })
    };
    rows.iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use domain::clock::SimulatedClock;

    use super::*;
    use crate::{Cloud, NewAccount, Options, Role};

    async fn cloud(folder: &tempfile::TempDir) -> (Arc<Cloud>, i64) {
        let options = Options {
            database_url: format!("sqlite:///{}", folder.path().join("cloud.db").display()),
            pictures: None,
            zone: chrono_tz::Tz::Asia__Shanghai,
            clock: Arc::new(SimulatedClock::at(chrono::DateTime::UNIX_EPOCH)),
            providers: Vec::new(),
            lockers: crate::LockerSettings::default(),
            settings: crate::Settings::default(),
        };
        let cloud = Arc::new(Cloud::open(options).unwrap());
        let (username, password) = ("somebody".into(), "secret-1".into());
        let new = NewAccount { username, password, role: Role::Visitor, phone: None, email: None };
        let id = cloud.accounts.add(new).await.unwrap();
        (cloud, id)
    }

    #[tokio::test]
    async fn debits_at_once_never_go_below_nothing_and_the_ledger_adds_up() {
        let folder = tempfile::tempdir().unwrap();
        let (cloud, id) = cloud(&folder).await;
        cloud.base.store.write(move |tx| credit(tx, id, 1000, "a gift", 0)).await.unwrap();
        let payments = (0..20).map(|_| {
            let store = cloud.base.store.clone();
            tokio::spawn(
                async move { store.write(move |tx| debit(tx, id, 300, "a locker", 0)).await },
            )
        });
        let mut paid = 0;
        for outcome in payments.collect::<Vec<_>>() {
            match outcome.await.unwrap() {
                Ok(_) => paid += 1,
                Err(error) => assert!(matches!(error, Error::Refused("balance_too_low"))),
            }
        }
        let sums = cloud.base.store.read(move |tx| {
            let sum = "SELECT CAST(SUM(amount_fen) AS BIGINT) FROM balance_entries";
            Ok((number(tx, sum, &[])?, super::super::account::find(tx, id)?.balance_fen))
        });
        assert_eq!((paid, sums.await.unwrap()), (3, (100, 100)));
    }

    #[tokio::test]
    async fn what_is_no_amount_moves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (cloud, id) = cloud(&folder).await;
        for bad in [0, -1, i64::MIN, i64::MAX] {
            let outcome = cloud.base.store.write(move |tx| credit(tx, id, bad, "", 0)).await;
            assert!(matches!(outcome, Err(Error::Invalid { field: "amount", .. })), "{bad}");
        }
    }
}
