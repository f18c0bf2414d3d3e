//! Who calls, and what that allows. A service that changes something takes an [`Operator`], an
//! [`Admin`] or a [`Device`], which only a caller of that kind can become, so that no handler can
//! forget to ask.

use std::{net::IpAddr, str::FromStr, sync::Arc};

use domain::ids::DeviceId;

use crate::error::{Error, Result};

/// What an account may do; each role may also do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reads what every account may read.
    Visitor,
    /// Also works with detections, records and the gate.
    Operator,
    /// Everything.
    Admin,
}

impl Role {
    /// The role as it is written on the command line and kept.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for Role {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        [Self::Visitor, Self::Operator, Self::Admin]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| {
                Error::invalid("role", format!("`{text}` is none of admin, operator, visitor"))
            })
    }
}

/// Somebody who was let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    actor: Actor,
    role: Role,
    username: Arc<str>,
    credential: Credential,
}

/// Who did something and from where, as the system log keeps it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Actor {
    /// The account; none for somebody at this machine without credentials.
    pub account: Option<i64>,
    /// Where the call came from.
    pub address: Option<IpAddr>,
}

/// What a caller proved itself with, so that logging out can revoke it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Credential {
    /// Nothing, at this very machine.
    None,
    /// The key of a token, as its hash.
    Key(String),
    /// A JWT.
    Jwt {
        /// The login that it came of.
        login: String,
    },
}

impl Caller {
    /// Somebody with an account.
    pub(crate) fn account(id: i64, role: Role, username: &str, credential: Credential) -> Self {
        let actor = Actor { account: Some(id), address: None };
        Self { actor, role, username: username.into(), credential }
    }

    /// Somebody at this very machine who gave no credentials, where the settings let them in.
    pub fn local_operator() -> Self {
        let actor = Actor::default();
        Self { actor, role: Role::Operator, username: "".into(), credential: Credential::None }
    }

    /// The same caller, known to call from an address.
    #[must_use]
    pub const fn at(mut self, address: IpAddr) -> Self {
        self.actor.address = Some(address);
        self
    }

    /// The account's number; none for [`Caller::local_operator`].
    pub const fn account_id(&self) -> Option<i64> {
        self.actor.account
    }

    /// The account's number, for what only somebody with an account can do.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for [`Caller::local_operator`].
    pub fn own_id(&self) -> Result<i64> {
        self.actor.account.ok_or(Error::Unauthenticated)
    }

    /// The account's name; empty for [`Caller::local_operator`].
    pub fn username(&self) -> &str {
        &self.username
    }

    /// What the account may do.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Whether this is an admin: `is_staff` and `is_admin` of the documents.
    pub fn is_staff(&self) -> bool {
        self.role == Role::Admin
    }

    /// Who this is, for the system log.
    pub const fn actor(&self) -> Actor {
        self.actor
    }

    /// What the caller proved itself with.
    pub(crate) const fn credential(&self) -> &Credential {
        &self.credential
    }

    /// The right to work with detections, records and the gate, for operators and admins.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for everybody else.
    pub fn operator(&self) -> Result<Operator> {
        self.at_least(Role::Operator)?;
        Ok(Operator { actor: self.actor })
    }

    /// The right to change everything, for admins.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for everybody else.
    pub fn admin(&self) -> Result<Admin> {
        self.at_least(Role::Admin)?;
        Ok(Admin { actor: self.actor })
    }

    fn at_least(&self, needed: Role) -> Result<()> {
        if self.role >= needed {
            Ok(())
        } else {
            Err(Error::Forbidden { role: self.role.as_str(), needed: needed.as_str() })
        }
    }
}

/// The right to work with detections, records and the gate.
#[derive(Debug, Clone, Copy)]
pub struct Operator {
    actor: Actor,
}

impl Operator {
    /// Who has it, for the system log.
    pub const fn actor(&self) -> Actor {
        self.actor
    }

    /// Whoever may change may also read what every operator may.
    pub fn reader(&self) -> Caller {
        Caller { actor: self.actor, ..Caller::local_operator() }
    }
}

/// The right to change areas, spots, tariffs, users, parameters and devices, and to see
/// everything.
#[derive(Debug, Clone, Copy)]
pub struct Admin {
    actor: Actor,
}

impl Admin {
    /// Whoever can read and write the database itself, as the command line does.
    pub fn of_the_database() -> Self {
        Self { actor: Actor::default() }
    }

    /// Who has it, for the system log.
    pub const fn actor(&self) -> Actor {
        self.actor
    }

    /// An admin may do what an operator may.
    pub const fn operator(&self) -> Operator {
        Operator { actor: self.actor }
    }
}

/// A controller that calls by itself: it may tell of itself and fetch what it has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    id: DeviceId,
    station: String,
}

impl Device {
    pub(crate) const fn new(id: DeviceId, station: String) -> Self {
        Self { id, station }
    }

    /// Its name.
    pub const fn id(&self) -> &DeviceId {
        &self.id
    }

    /// The station that it stands in.
    pub fn station(&self) -> &str {
        &self.station
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(role: Role) -> Caller {
        Caller::account(1, role, "somebody", Credential::None)
    }

    #[test]
    fn a_role_may_do_what_is_its_own_and_that_of_those_before_it() {
        let roles = [Role::Visitor, Role::Operator, Role::Admin].map(caller);
        assert_eq!([0, 1, 2].map(|at| roles[at].operator().is_ok()), [false, true, true]);
        assert_eq!([0, 1, 2].map(|at| roles[at].admin().is_ok()), [false, false, true]);
    }

    #[test]
    fn somebody_at_this_machine_is_an_operator_and_nobody_with_an_account() {
        let local = Caller::local_operator();
        assert!(local.operator().is_ok() && local.admin().is_err());
        assert!(matches!(local.own_id(), Err(Error::Unauthenticated)));
    }
}
