//! What is known of a person, and what a name, a password, a phone and an address may be.

use crate::{
    caller::Role,
    error::{Error, Result},
    store::{Row, Transaction, Value, first, params},
};

const SHORTEST_PASSWORD: usize = 6;
const LONGEST_PASSWORD: usize = 128;
const LONGEST_TEXT: usize = 150;
const LONGEST_URL: usize = 500;

/// A person, or a program that acts for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its number, the same at every face.
    pub id: i64,
    /// The name to log in with.
    pub username: String,
    /// What it may do.
    pub role: Role,
    /// 11 digits, also to log in with.
    pub phone: Option<String>,
    /// Where mail goes.
    pub email: Option<String>,
    /// URL of a picture.
    pub avatar: Option<String>,
    /// What it has to spend, in fen.
    pub balance_fen: i64,
    /// When it was made, in milliseconds UTC.
    pub created_at_ms: i64,
}

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

/// What is to change in an account; what is not given stays, `Some(None)` removes.
#[derive(Debug, Clone, Default)]
pub struct AccountChange {
    /// A new name to log in with.
    pub username: Option<String>,
    /// A new phone.
    pub phone: Option<Option<String>>,
    /// A new address for mail.
    pub email: Option<Option<String>>,
    /// A new picture.
    pub avatar: Option<Option<String>>,
}

/// Accounts that were not removed.
pub(super) const SELECT: &str = "SELECT id, username, role, phone, email, avatar, balance_fen,
           created_at_ms FROM users WHERE removed_at_ms IS NULL";

pub(super) fn account(row: &Row) -> Result<Account> {
    Ok(Account {
        id: row.get(0)?,
        username: row.get(1)?,
        role: row.get::<String>(2)?.parse()?,
        phone: row.get(3)?,
        email: row.get(4)?,
        avatar: row.get(5)?,
        balance_fen: row.get(6)?,
        created_at_ms: row.get(7)?,
    })
}

/// The account of a number.
///
/// # Errors
/// [`Error::NotFound`] where there is none.
pub(super) fn find(tx: &mut dyn Transaction, id: i64) -> Result<Account> {
    let row = first(tx, &format!("{SELECT} AND id = $1"), params![id])?;
    account(&row.ok_or(Error::NotFound("account"))?)
}

impl NewAccount {
    /// # Errors
    /// [`Error::Invalid`] for the first value that cannot be used.
    pub(super) fn check(&self) -> Result<()> {
        check_username(&self.username)?;
        check_password("password", &self.password)?;
        self.phone.as_deref().map_or(Ok(()), check_phone)?;
        self.email.as_deref().map_or(Ok(()), check_email)
    }
}

impl AccountChange {
    /// # Errors
    /// [`Error::Invalid`] for the first value that cannot be used.
    pub(super) fn check(&self) -> Result<()> {
        self.username.as_deref().map_or(Ok(()), check_username)?;
        self.phone.iter().flatten().try_for_each(|phone| check_phone(phone))?;
        self.email.iter().flatten().try_for_each(|email| check_email(email))?;
        self.avatar.iter().flatten().try_for_each(|avatar| check_avatar(avatar))
    }

    /// The columns that change, with their values.
    pub(super) fn columns(self) -> Vec<(&'static str, Value)> {
        let texts = [("phone", self.phone), ("email", self.email), ("avatar", self.avatar)];
        let given = texts.into_iter().filter_map(|(column, value)| Some((column, value?.into())));
        self.username.map(|name| ("username", name.into())).into_iter().chain(given).collect()
    }
}

fn check_username(name: &str) -> Result<()> {
    let length = name.chars().count();
    let unusable = |c: char| c.is_whitespace() || c.is_control();
    if length == 0 || length > LONGEST_TEXT || name.chars().any(unusable) {
        let problem = "use 1 to 150 characters without white space";
        return Err(Error::invalid("username", problem));
    }
    Ok(())
}

/// # Errors
/// [`Error::Invalid`] for a password that is too short or too long.
pub(super) fn check_password(field: &'static str, password: &str) -> Result<()> {
    match password.chars().count() {
        ..SHORTEST_PASSWORD => Err(Error::invalid(field, "use at least 6 characters")),
        SHORTEST_PASSWORD..=LONGEST_PASSWORD => Ok(()),
        _ => Err(Error::invalid(field, "use at most 128 characters")),
    }
}

fn check_phone(phone: &str) -> Result<()> {
    let usable = phone.len() == 11 && phone.bytes().all(|b| b.is_ascii_digit());
    if usable { Ok(()) } else { Err(Error::invalid("phone", "use 11 digits")) }
}

fn check_email(email: &str) -> Result<()> {
    let parts = email.split_once('@').filter(|(name, host)| {
        !name.is_empty() && host.contains('.') && !host.starts_with('.') && !host.ends_with('.')
    });
    let seen = |c: char| !c.is_whitespace() && !c.is_control();
    let usable = parts.is_some_and(|(_, host)| !host.contains('@'))
        && email.chars().all(seen)
        && email.chars().count() <= LONGEST_TEXT;
    if usable {
        Ok(())
    } else {
        Err(Error::invalid("email", "use an address like name@example.com"))
    }
}

fn check_avatar(url: &str) -> Result<()> {
    let usable = ["http://", "https://", "/"].iter().any(|start| url.starts_with(start))
        && url.chars().count() <= LONGEST_URL
        && !url.chars().any(char::is_control);
    if usable { Ok(()) } else { Err(Error::invalid("avatar", "use a URL of a picture")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_name_and_a_host() {
        for right in ["a@b.co", "zhang.san+1@example.com"] {
            assert!(check_email(right).is_ok(), "{right}");
        }
        for wrong in ["", "@", "a@", "@b.co", "a@b", "a@b.", "a b@c.de", "a@b@c.de", "a@b.c\n"] {
            assert!(check_email(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_picture_is_no_script() {
        assert!(check_avatar("https://example.com/me.png").is_ok());
        assert!(check_avatar("javascript:alert(1)").is_err());
    }
}
