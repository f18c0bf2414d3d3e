//! Accounts of people: how they come about and log in, what stands for them afterwards, what they
//! may do, have to spend and prefer. One account holds at every face.

mod account;
mod attempts;
mod balance;
mod jwt;
mod logins;
mod manage;
mod password;
pub(crate) mod preference;

use std::{net::IpAddr, sync::Arc};

pub(crate) use self::balance::{credit, debit};
pub use self::{
    account::{Account, AccountChange, NewAccount},
    balance::BalanceEntry,
    logins::TokenPair,
    preference::{ParkingPreference, PreferenceChange},
};
use self::{attempts::Attempt, logins::Origin, password::Passwords};
use crate::{
    base::Base,
    caller::{Actor, Caller, Role},
    error::{Error, Result},
    logs::Entry,
    secret,
    store::{Transaction, first, next_id, params},
};

/// The name somebody logs in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// The account's name.
    Username(String),
    /// The account's phone.
    Phone(String),
}

/// The accounts.
pub struct Accounts {
    base: Base,
    passwords: Arc<Passwords>,
}

impl Accounts {
    pub(crate) fn new(base: Base) -> Self {
        Self { base, passwords: Arc::new(Passwords::new()) }
    }

    /// Makes an account and returns its number; for the command line.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a value that cannot be used or belongs to another account.
    pub async fn add(&self, new: NewAccount) -> Result<i64> {
        Ok(self.make(new, Actor::default()).await?.id)
    }

    /// Makes an account of somebody who registers, a visitor.
    ///
    /// # Errors
    /// As [`Accounts::add`]; [`Error::Throttled`] while very many register.
    pub async fn register(&self, new: NewAccount, from: IpAddr) -> Result<Account> {
        let actor = Actor { account: None, address: Some(from) };
        self.make(NewAccount { role: Role::Visitor, ..new }, actor).await
    }

    async fn make(&self, new: NewAccount, actor: Actor) -> Result<Account> {
        new.check()?;
        let hash = self.passwords.hash(&new.password).await?;
        let now_ms = self.base.now_ms();
        self.base.store.write(move |tx| insert(tx, &new, &hash, actor, now_ms)).await
    }

    /// The account of somebody who knows its password.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for an unknown account and for a wrong password alike, which
    /// take the same time; [`Error::Throttled`] after too many attempts.
    pub async fn log_in(&self, login: Login, password: &str, from: IpAddr) -> Result<Account> {
        let (column, name) = match login {
            Login::Username(name) => ("username", name),
            Login::Phone(phone) => ("phone", phone),
        };
        let now_ms = self.base.now_ms();
        let attempt = Attempt::new(&name, from, now_ms);
        let found = self.base.store.write({
            let attempt = attempt.clone();
            move |tx| {
                attempt.count(tx)?;
                known(tx, column, &name)
            }
        });
        let found = found.await?;
        let hash = found.as_ref().map(|(_, hash)| hash.clone());
        let outcome = self.passwords.matches(password, hash).await;
        match (outcome, found) {
            (Ok(true), Some((id, _))) => {
                let actor = Actor { account: Some(id), address: Some(from) };
                let now_in = move |tx: &mut dyn Transaction| {
                    attempt.succeeded(tx)?;
                    let message = format!("account {id} logged in");
                    Entry::of_person(String::new(), now_ms, actor, "accounts", message)
                        .write(tx)?;
                    account::find(tx, id)
                };
                self.base.store.write(now_in).await
            }
            (Ok(_), _) => Err(Error::Unauthenticated),
            (Err(error), _) => {
                self.base.store.write(move |tx| attempt.take_back(tx)).await?;
                Err(error)
            }
        }
    }

    /// Makes a key for `Authorization: Token` of an account that has logged in; it is not kept.
    ///
    /// # Errors
    /// [`Error::Store`] alone.
    pub async fn new_key(&self, account: &Account) -> Result<String> {
        self.keep_new_key(account.id, Origin::Login).await
    }

    /// Makes a key of an account for a program and returns it; it is not kept.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no such account.
    pub async fn issue_token(&self, username: &str) -> Result<String> {
        let username = username.to_owned();
        let found = self.base.store.read(move |tx| known(tx, "username", &username)).await?;
        let (id, _) = found.ok_or(Error::NotFound("account"))?;
        self.keep_new_key(id, Origin::Issued).await
    }

    async fn keep_new_key(&self, account: i64, origin: Origin) -> Result<String> {
        let (key, now_ms) = (secret::new_key(), self.base.now_ms());
        let hash = secret::hash_key(&key);
        let keep =
            move |tx: &mut dyn Transaction| logins::keep_key(tx, account, origin, &hash, now_ms);
        self.base.store.write(keep).await?;
        Ok(key)
    }

    /// Makes a pair of JWTs of an account that has logged in.
    ///
    /// # Errors
    /// [`Error::Store`] alone.
    pub async fn new_pair(&self, account: &Account) -> Result<TokenPair> {
        self.pair(account.id, None).await
    }

    /// The next pair of JWTs for a refresh token, which stays good until it is void.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for anything but a valid refresh token.
    pub async fn refresh(&self, token: &str) -> Result<TokenPair> {
        let (token, now_ms) = (token.to_owned(), self.base.now_ms());
        let refreshed = self.base.store.read(move |tx| logins::refreshed(tx, &token, now_ms));
        let (account, login) = refreshed.await?;
        self.pair(account, Some(login)).await
    }

    async fn pair(&self, account: i64, login: Option<String>) -> Result<TokenPair> {
        let now_ms = self.base.now_ms();
        let again = login.clone();
        let signed =
            self.base.store.read(move |tx| logins::pair(tx, account, again.as_deref(), now_ms));
        if let Some(pair) = signed.await? {
            return Ok(pair);
        }
        let first = self.base.store.write(move |tx| {
            let made = logins::pair(tx, account, login.as_deref(), now_ms)?;
            if made.is_some() {
                return Ok(made);
            }
            logins::new_signing_key(tx, now_ms)?;
            logins::pair(tx, account, login.as_deref(), now_ms)
        });
        Ok(first.await?.expect("a key was made in this transaction"))
    }

    /// Makes a new key that signs JWTs from now on; those that were signed before stay good.
    ///
    /// # Errors
    /// [`Error::Store`] alone.
    pub async fn rotate_signing_key(&self) -> Result<()> {
        let now_ms = self.base.now_ms();
        self.base.store.write(move |tx| logins::new_signing_key(tx, now_ms)).await
    }

    /// The caller that a key of `Authorization: Token` or an access JWT stands for.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] where it stands for nobody.
    pub async fn by_token(&self, token: &str) -> Result<Caller> {
        if token.contains('.') {
            let (token, now_ms) = (token.to_owned(), self.base.now_ms());
            return self.base.store.read(move |tx| logins::caller_of_jwt(tx, &token, now_ms)).await;
        }
        let hash = secret::hash_key(token);
        let found = self.base.store.ask(logins::OF_KEY, params![&hash]).await?;
        logins::caller_of_key(found.first().ok_or(Error::Unauthenticated)?, hash)
    }

    /// Ends what the caller came with: the key, or all JWTs of the login.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for somebody without credentials.
    pub async fn log_out(&self, caller: &Caller) -> Result<()> {
        let (credential, now_ms) = (caller.credential().clone(), self.base.now_ms());
        self.base.store.write(move |tx| logins::end(tx, &credential, now_ms)).await
    }

    /// The caller's own account.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for somebody without an account.
    pub async fn own(&self, caller: &Caller) -> Result<Account> {
        let id = caller.own_id()?;
        self.base.store.read(move |tx| account::find(tx, id)).await
    }

    /// An account: one's own, or anybody's for an admin.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an account that is not there or not the caller's.
    pub async fn get(&self, caller: &Caller, id: i64) -> Result<Account> {
        if caller.account_id() != Some(id) && caller.admin().is_err() {
            return Err(Error::NotFound("account"));
        }
        self.base.store.read(move |tx| account::find(tx, id)).await
    }
}

/// A password that nobody knows, for an account that is to get one later.
pub fn unknown_password() -> String {
    secret::new_key()
}

/// The number and the password of the account of a name.
fn known(tx: &mut dyn Transaction, column: &str, name: &str) -> Result<Option<(i64, String)>> {
    let sql = format!(
        "SELECT id, password_hash FROM users WHERE {column} = $1 AND removed_at_ms IS NULL"
    );
    let row = first(tx, &sql, params![name])?;
    row.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
}

fn insert(
    tx: &mut dyn Transaction,
    new: &NewAccount,
    hash: &str,
    actor: Actor,
    now_ms: i64,
) -> Result<Account> {
    check_free(tx, 0, Some(&new.username), new.phone.as_deref())?;
    let id = next_id(tx, "user")?;
    tx.execute(
        "INSERT INTO users (id, username, password_hash, role, phone, email, created_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![
            id,
            &new.username,
            hash,
            new.role.as_str(),
            new.phone.as_deref(),
            new.email.as_deref(),
            now_ms
        ],
    )?;
    let message = format!("account {id} (`{}`) made, {}", new.username, new.role.as_str());
    Entry::of_person(String::new(), now_ms, actor, "accounts", message).write(tx)?;
    account::find(tx, id)
}

/// # Errors
/// [`Error::Invalid`] where a name or a phone belongs to an account other than `id`.
fn check_free(
    tx: &mut dyn Transaction,
    id: i64,
    username: Option<&str>,
    phone: Option<&str>,
) -> Result<()> {
    for (field, value) in [("username", username), ("phone", phone)] {
        let Some(value) = value else { continue };
        let taken = format!("SELECT id FROM users WHERE {field} = $1 AND id <> $2");
        if first(tx, &taken, params![value, id])?.is_some() {
            return Err(Error::invalid(field, "belongs to another account; choose another"));
        }
    }
    Ok(())
}
