//! What became of a directive, as the site's journal says.

use domain::event::{Event, Fact, Verdict};

use super::Directives;
use crate::{
    caller::Operator,
    error::{Error, Result},
    store::{Transaction, first, params},
};

/// A decision that a directive led to stands at most so many events before it, in the site's same
/// transaction.
const SAME_TRANSACTION: i64 = 8;

/// What a site did with a directive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectiveOutcome {
    /// Whether it was carried out; for a lane, whether it opens.
    pub done: bool,
    /// Why, or why not, in the site's words; empty where it says nothing.
    pub reason: String,
}

impl Directives {
    /// What became of a directive that a site was told; none while the site has not said.
    ///
    /// # Errors
    /// [`Error::NotFound`] `directive`.
    pub async fn outcome(
        &self,
        _: &Operator,
        site: &str,
        directive: i64,
    ) -> Result<Option<DirectiveOutcome>> {
        let site = site.to_owned();
        self.base.store.read(move |tx| outcome(tx, &site, directive)).await
    }
}

fn outcome(
    tx: &mut dyn Transaction,
    site: &str,
    directive: i64,
) -> Result<Option<DirectiveOutcome>> {
    let told = "SELECT event FROM directives WHERE site_id = $1 AND sequence = $2";
    let told = first(tx, told, params![site, directive])?.ok_or(Error::NotFound("directive"))?;
    let Some(event) = told.get::<Option<i64>>(0)? else { return Ok(None) };
    let bodies = "SELECT body FROM events WHERE site_id = $1 AND sequence > $2 AND sequence <= $3
                  ORDER BY sequence DESC";
    let rows = tx.query(bodies, params![site, event - SAME_TRANSACTION, event])?;
    let mut facts = Vec::new();
    for row in &rows {
        // One that was set aside is no event; what is around it still tells.
        facts.extend(serde_json::from_str::<Event>(&row.get::<String>(0)?).map(|event| event.fact));
    }
    Ok(Some(told_by(&facts)))
}

/// From the site's facts, the latest first.
fn told_by(facts: &[Fact]) -> DirectiveOutcome {
    if let Some(Fact::DirectiveSkipped { reason, .. }) = facts.first() {
        return DirectiveOutcome { done: false, reason: reason.clone() };
    }
    let opens = matches!(facts.first(), Some(Fact::DirectiveDone { kind, .. }) if kind == "open");
    let decision = facts.iter().find_map(|fact| match fact {
        Fact::Decision(decision) if opens => Some(decision),
        _ => None,
    });
    match decision {
        Some(decision) => DirectiveOutcome {
            done: decision.verdict == Verdict::Open,
            reason: decision.reason.clone(),
        },
        None => DirectiveOutcome { done: true, reason: String::new() },
    }
}
