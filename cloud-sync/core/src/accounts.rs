//! Accounts of people and the tokens that stand for them.

use crate::{
    base::Base,
    caller::{Caller, Credential, Role},
    error::{Error, Result},
    secret,
    store::{Transaction, first, next_id, params},
};

const SHORTEST_PASSWORD: usize = 6;
const LONGEST_TEXT: usize = 150;

/// An account that is to be made.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// The name to log in with: 1 to 150 characters without white space, unique.
    pub username: String,
    /// At least 6 characters.
    pub password: String,
    /// What it may do.
    pub role: Role,
    /// 11 digits, unique.
    pub phone: Option<String>,
    /// Where mail goes.
    pub email: Option<String>,
}

/// The accounts.
pub struct Accounts {
    base: Base,
}

impl Accounts {
    pub(crate) const fn new(base: Base) -> Self {
        Self { base }
    }

    /// Makes an account and returns its number.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a value that cannot be used or belongs to another account.
    pub async fn add(&self, new: NewAccount) -> Result<i64> {
        check(&new)?;
        let password = new.password.clone();
        let hash = tokio::task::spawn_blocking(move || secret::hash_password(&password))
            .await
            .expect("hashing a password does not panic")?;
        let now_ms = self.base.now_ms();
        self.base.store.write(move |tx| insert(tx, &new, &hash, now_ms)).await
    }

    /// Makes a new token of an account and returns its key, which is not kept.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no such account.
    pub async fn issue_token(&self, username: &str) -> Result<String> {
        let (username, now_ms) = (username.to_owned(), self.base.now_ms());
        let key = secret::new_key();
        let hash = secret::hash_key(&key);
        let insert = "INSERT INTO tokens (hash, user_id, created_at_ms)
                      SELECT $1, id, $2 FROM users WHERE username = $3";
        let made = self
            .base
            .store
            .write(move |tx| Ok(tx.execute(insert, params![hash, now_ms, username])?));
        if made.await? == 1 { Ok(key) } else { Err(Error::NotFound("account")) }
    }

    /// The caller that a token's key stands for.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] where it stands for nobody.
    pub async fn by_token(&self, key: &str) -> Result<Caller> {
        let hash = secret::hash_key(key);
        let query = "SELECT users.id, users.role, users.username FROM tokens
                     JOIN users ON users.id = tokens.user_id WHERE tokens.hash = $1";
        let found = self.base.store.read({
            let hash = hash.clone();
            move |tx| Ok(first(tx, query, params![hash])?)
        });
        let row = found.await?.ok_or(Error::Unauthenticated)?;
        let (role, username) = (row.get::<String>(1)?.parse()?, row.get::<String>(2)?);
        Ok(Caller::account(row.get(0)?, role, &username, Credential::Key(hash)))
    }
}

fn insert(tx: &mut dyn Transaction, new: &NewAccount, hash: &str, now_ms: i64) -> Result<i64> {
    let taken = "SELECT username FROM users WHERE username = $1 OR phone = $2";
    if let Some(row) = first(tx, taken, params![&new.username, new.phone.as_deref()])? {
        let same_name = row.get::<String>(0)? == new.username;
        let field = if same_name { "username" } else { "phone" };
        return Err(Error::invalid(field, "belongs to another account; choose another"));
    }
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
    Ok(id)
}

fn check(new: &NewAccount) -> Result<()> {
    let length = new.username.chars().count();
    if length == 0 || length > LONGEST_TEXT || new.username.chars().any(char::is_whitespace) {
        let problem = "use 1 to 150 characters without white space";
        return Err(Error::invalid("username", problem));
    }
    if new.password.chars().count() < SHORTEST_PASSWORD {
        return Err(Error::invalid("password", "use at least 6 characters"));
    }
    let is_phone = |text: &str| text.len() == 11 && text.bytes().all(|b| b.is_ascii_digit());
    if new.phone.as_deref().is_some_and(|phone| !is_phone(phone)) {
        return Err(Error::invalid("phone", "use 11 digits"));
    }
    let is_mail = |text: &str| text.contains('@') && text.chars().count() <= LONGEST_TEXT;
    if new.email.as_deref().is_some_and(|email| !is_mail(email)) {
        return Err(Error::invalid("email", "use an address like name@example.com"));
    }
    Ok(())
}
