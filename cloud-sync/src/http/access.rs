//! Who may call a route, as the type of the caller that its handler takes.

use cloud_core::{Actor, Admin, Caller, Device, Operator};

use super::{Problem, Request, limit::Class};

/// Who may call, as documents and tests tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Everybody.
    Anyone,
    /// Every account.
    Account,
    /// Operators and admins.
    Operator,
    /// Admins.
    Admin,
    /// Controllers, by their API key.
    Device,
    /// Every account, and whoever is at this machine where the settings let them in.
    LocalAccount,
    /// As [`Rule::Operator`], and whoever is at this machine where the settings let them in.
    LocalOperator,
}

/// A caller that was let in.
pub(crate) trait Access: Sized + Send + 'static {
    /// Who that may be.
    const RULE: Rule;

    /// Whose requests with an `Idempotency-Key` these are; the address's where nobody is known.
    fn owner(&self) -> Option<String>;

    /// Judges the credentials of a request and counts it against a limit.
    fn admit(request: &Request, class: Class)
    -> impl Future<Output = Result<Self, Problem>> + Send;
}

/// Everybody; the account, where credentials were given. Wrong ones are refused all the same.
pub(crate) struct Anyone(pub(crate) Option<Caller>);

/// Everybody, whatever the request says of who calls: for logging in, which pages do with stale
/// credentials still in the header.
pub(crate) struct Unchecked;

/// Somebody with credentials, or nobody known at this machine, where the settings let them in.
pub(crate) struct Local<W>(pub(crate) W);

impl Access for Anyone {
    const RULE: Rule = Rule::Anyone;

    async fn admit(request: &Request, class: Class) -> Result<Self, Problem> {
        if request.has_credentials() {
            return Ok(Self(Some(request.caller(class).await?)));
        }
        request.count_address(class).await?;
        Ok(Self(None))
    }

    fn owner(&self) -> Option<String> {
        self.0.as_ref().and_then(Access::owner)
    }
}

impl Access for Unchecked {
    const RULE: Rule = Rule::Anyone;

    async fn admit(request: &Request, class: Class) -> Result<Self, Problem> {
        request.count_address(class).await?;
        Ok(Self)
    }

    fn owner(&self) -> Option<String> {
        None
    }
}

impl Access for Caller {
    const RULE: Rule = Rule::Account;

    async fn admit(request: &Request, class: Class) -> Result<Self, Problem> {
        request.caller(class).await
    }

    fn owner(&self) -> Option<String> {
        account(self.actor())
    }
}

impl Access for Operator {
    const RULE: Rule = Rule::Operator;

    async fn admit(request: &Request, class: Class) -> Result<Self, Problem> {
        Ok(request.caller(class).await?.operator()?)
    }

    fn owner(&self) -> Option<String> {
        account(self.actor())
    }
}

impl Access for Admin {
    const RULE: Rule = Rule::Admin;

    async fn admit(request: &Request, class: Class) -> Result<Self, Problem> {
        Ok(request.caller(class).await?.admin()?)
    }

    fn owner(&self) -> Option<String> {
        account(self.actor())
    }
}

impl Access for Device {
    const RULE: Rule = Rule::Device;

    async fn admit(request: &Request, class: Class) -> Result<Self, Problem> {
        request.device(class).await
    }

    fn owner(&self) -> Option<String> {
        Some(format!("device {}", self.id()))
    }
}

impl Access for Local<Caller> {
    const RULE: Rule = Rule::LocalAccount;

    async fn admit(request: &Request, class: Class) -> Result<Self, Problem> {
        if request.has_credentials() {
            return Ok(Self(request.caller(class).await?));
        }
        if !request.is_local() {
            return Err(Problem::NoCredentials);
        }
        request.count_address(class).await?;
        Ok(Self(Caller::local_operator().at(request.peer)))
    }

    fn owner(&self) -> Option<String> {
        self.0.owner()
    }
}

impl Access for Local<Operator> {
    const RULE: Rule = Rule::LocalOperator;

    async fn admit(request: &Request, class: Class) -> Result<Self, Problem> {
        let Local(caller) = Local::<Caller>::admit(request, class).await?;
        Ok(Self(caller.operator()?))
    }

    fn owner(&self) -> Option<String> {
        self.0.owner()
    }
}

fn account(actor: Actor) -> Option<String> {
    actor.account.map(|account| format!("account {account}"))
}
