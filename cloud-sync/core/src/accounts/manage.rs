//! Changes to accounts: by their owners, by admins, and from the command line.

use super::{
    Accounts, BalanceEntry,
    account::{self, Account, AccountChange, NewAccount},
    balance, check_free, known, logins,
};
use crate::{
    caller::{Actor, Admin, Caller, Operator, Role},
    error::{Error, Result},
    logs::Entry,
    plates::Window,
    store::{Transaction, number, params},
};

const MOST_ENTRIES: u32 = 100;

impl Accounts {
    /// Changes the caller's own account.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a value that cannot be used or belongs to another account.
    pub async fn change_own(&self, caller: &Caller, change: AccountChange) -> Result<Account> {
        self.change_account(caller.actor(), caller.own_id()?, change, None).await
    }

    /// Gives the caller a new password; everything that came of a login is void then.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a wrong old or an unusable new password; [`Error::Throttled`] after
    /// too many attempts.
    pub async fn change_password(&self, caller: &Caller, old: &str, new: &str) -> Result<()> {
        let id = caller.own_id()?;
        account::check_password("new_password", new)?;
        let from = caller.actor().address.unwrap_or(std::net::Ipv4Addr::LOCALHOST.into());
        let login = super::Login::Username(self.own(caller).await?.username);
        match self.log_in(login, old, from).await {
            Ok(_) => self.set_password(caller.actor(), id, new).await,
            Err(Error::Unauthenticated) => {
                Err(Error::invalid("old_password", "this is not the password"))
            }
            Err(error) => Err(error),
        }
    }

    /// All accounts in the order of their numbers, and how many there are.
    pub async fn list(&self, _: &Operator, window: Window) -> Result<(Vec<Account>, i64)> {
        let read = self.base.store.read(move |tx| {
            let sql = format!("{} ORDER BY id LIMIT $1 OFFSET $2", account::SELECT);
            let page = params![i64::from(window.limit), i64::from(window.skip)];
            let accounts = tx.query(&sql, page)?;
            let count = "SELECT COUNT(*) FROM users WHERE removed_at_ms IS NULL";
            let accounts = accounts.iter().map(account::account).collect::<Result<_>>()?;
            Ok((accounts, number(tx, count, &[])?))
        });
        read.await
    }

    /// One of all accounts.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn any(&self, _: &Operator, id: i64) -> Result<Account> {
        self.base.store.read(move |tx| account::find(tx, id)).await
    }

    /// Makes an account of any role.
    ///
    /// # Errors
    /// As [`Accounts::add`].
    pub async fn create(&self, admin: &Admin, new: NewAccount) -> Result<Account> {
        self.make(new, admin.actor()).await
    }

    /// Changes any account, and its role.
    ///
    /// # Errors
    /// As [`Accounts::change_own`]; [`Error::Invalid`] where no admin would be left.
    pub async fn change(
        &self,
        admin: &Admin,
        id: i64,
        change: AccountChange,
        role: Option<Role>,
    ) -> Result<Account> {
        self.change_account(admin.actor(), id, change, role).await
    }

    /// Gives any account a new password; everything that came of a login of it is void then.
    ///
    /// # Errors
    /// [`Error::NotFound`], or [`Error::Invalid`] for an unusable password.
    pub async fn reset_password(&self, admin: &Admin, id: i64, password: &str) -> Result<()> {
        account::check_password("password", password)?;
        self.set_password(admin.actor(), id, password).await
    }

    /// Removes an account: nobody can log in with it, and nothing is left of the person but the
    /// number, which bills and logs name.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] where no admin would be left.
    pub async fn remove(&self, admin: &Admin, id: i64) -> Result<()> {
        let (actor, now_ms) = (admin.actor(), self.base.now_ms());
        self.base.store.write(move |tx| remove(tx, actor, id, now_ms)).await
    }

    /// Adds to a balance what an admin has taken for it.
    ///
    /// # Errors
    /// [`Error::NotFound`], or [`Error::Invalid`] for an amount that cannot be used.
    pub async fn top_up(
        &self,
        admin: &Admin,
        id: i64,
        amount_fen: i64,
        note: &str,
    ) -> Result<Account> {
        let (admin, note, now_ms) = (*admin, note.to_owned(), self.base.now_ms());
        let write = self.base.store.write(move |tx| {
            balance::top_up(tx, &admin, id, amount_fen, &note, now_ms)?;
            let message = format!("balance of account {id} topped up by {amount_fen} fen");
            log(tx, admin.actor(), now_ms, message)?;
            account::find(tx, id)
        });
        write.await
    }

    /// An account and the latest changes of its balance, the newest first.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn balance(&self, _: &Admin, id: i64) -> Result<(Account, Vec<BalanceEntry>)> {
        let read = self
            .base
            .store
            .read(move |tx| Ok((account::find(tx, id)?, balance::entries(tx, id, MOST_ENTRIES)?)));
        read.await
    }

    /// Gives an account another role; for the command line.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] where no admin would be left.
    pub async fn set_role_of(&self, username: &str, role: Role) -> Result<()> {
        let id = self.id_of(username).await?;
        let change = AccountChange::default();
        self.change_account(Actor::default(), id, change, Some(role)).await.map(drop)
    }

    /// Gives an account another password; for the command line.
    ///
    /// # Errors
    /// [`Error::NotFound`], or [`Error::Invalid`] for an unusable password.
    pub async fn set_password_of(&self, username: &str, password: &str) -> Result<()> {
        account::check_password("password", password)?;
        let id = self.id_of(username).await?;
        self.set_password(Actor::default(), id, password).await
    }

    async fn id_of(&self, username: &str) -> Result<i64> {
        let username = username.to_owned();
        let found = self.base.store.read(move |tx| known(tx, "username", &username)).await?;
        found.map(|(id, _)| id).ok_or(Error::NotFound("account"))
    }

    async fn set_password(&self, actor: Actor, id: i64, password: &str) -> Result<()> {
        let hash = self.passwords.hash(password).await?;
        let now_ms = self.base.now_ms();
        let write = self.base.store.write(move |tx| {
            account::find(tx, id)?;
            tx.execute("UPDATE users SET password_hash = $1 WHERE id = $2", params![hash, id])?;
            logins::end_all(tx, id, now_ms)?;
            log(tx, actor, now_ms, format!("account {id} has a new password"))
        });
        write.await
    }

    async fn change_account(
        &self,
        actor: Actor,
        id: i64,
        change: AccountChange,
        role: Option<Role>,
    ) -> Result<Account> {
        change.check()?;
        let now_ms = self.base.now_ms();
        let write = self.base.store.write(move |tx| {
            let before = account::find(tx, id)?;
            let phone = change.phone.as_ref().and_then(Option::as_deref);
            check_free(tx, id, change.username.as_deref(), phone)?;
            for (column, value) in change.columns() {
                let sql = format!("UPDATE users SET {column} = $1 WHERE id = $2");
                tx.execute(&sql, &[value, id.into()])?;
            }
            if let Some(role) = role.filter(|role| *role != before.role) {
                set_role(tx, actor, &before, role, now_ms)?;
            }
            account::find(tx, id)
        });
        write.await
    }
}

fn set_role(
    tx: &mut dyn Transaction,
    actor: Actor,
    before: &Account,
    role: Role,
    now_ms: i64,
) -> Result<()> {
    let sql = "UPDATE users SET role = $1 WHERE id = $2";
    tx.execute(sql, params![role.as_str(), before.id])?;
    check_an_admin_is_left(tx, before)?;
    let (from, to) = (before.role.as_str(), role.as_str());
    log(tx, actor, now_ms, format!("account {} is {to}, was {from}", before.id))
}

fn remove(tx: &mut dyn Transaction, actor: Actor, id: i64, now_ms: i64) -> Result<()> {
    let before = account::find(tx, id)?;
    tx.execute(
        "UPDATE users SET username = $1, password_hash = '', phone = NULL, email = NULL,
                avatar = NULL, role = 'visitor', removed_at_ms = $2 WHERE id = $3",
        params![format!("removed {id}"), now_ms, id],
    )?;
    for table in ["tokens", "parking_preferences"] {
        tx.execute(&format!("DELETE FROM {table} WHERE user_id = $1"), params![id])?;
    }
    tx.execute("UPDATE vehicles SET owner_id = NULL WHERE owner_id = $1", params![id])?;
    check_an_admin_is_left(tx, &before)?;
    log(tx, actor, now_ms, format!("account {id} removed"))
}

/// # Errors
/// [`Error::Invalid`] where the last admin has just ceased to be one.
fn check_an_admin_is_left(tx: &mut dyn Transaction, before: &Account) -> Result<()> {
    let admins = "SELECT COUNT(*) FROM users WHERE role = 'admin' AND removed_at_ms IS NULL";
    if before.role == Role::Admin && number(tx, admins, &[])? == 0 {
        return Err(Error::invalid("role", "this is the last admin; make another one first"));
    }
    Ok(())
}

fn log(tx: &mut dyn Transaction, actor: Actor, now_ms: i64, message: String) -> Result<()> {
    Ok(Entry::of_person(String::new(), now_ms, actor, "accounts", message).write(tx)?)
}
