//! Who calls, and what that allows. A service that changes something takes an [`Operator`], which
//! only a caller of that role can become, so that no handler can forget to ask.

use std::str::FromStr;

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
    account: Option<i64>,
    role: Role,
}

impl Caller {
    /// Somebody with an account.
    pub(crate) const fn account(id: i64, role: Role) -> Self {
        Self { account: Some(id), role }
    }

    /// Somebody at this very machine who gave no credentials, where the settings let them in.
    pub const fn local_operator() -> Self {
        Self { account: None, role: Role::Operator }
    }

    /// The account's number; none for [`Caller::local_operator`].
    pub const fn account_id(&self) -> Option<i64> {
        self.account
    }

    /// The right to change records, for operators and admins.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for everybody else.
    pub fn operator(&self) -> Result<Operator> {
        if self.role >= Role::Operator {
            Ok(Operator { account: self.account })
        } else {
            let needed = Role::Operator.as_str();
            Err(Error::Forbidden { role: self.role.as_str(), needed })
        }
    }
}

/// The right to change records.
#[derive(Debug, Clone, Copy)]
pub struct Operator {
    pub(crate) account: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_operators_and_admins_may_change_records() {
        let allowed = |role| Caller::account(1, role).operator().is_ok();
        assert_eq!([Role::Visitor, Role::Operator, Role::Admin].map(allowed), [false, true, true]);
        assert!(Caller::local_operator().operator().is_ok());
    }
}
