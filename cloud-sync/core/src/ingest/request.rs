//! Lets a request of a site in: by the signature of its own key, and once.

use std::net::IpAddr;

use domain::envelope::{Channel, Head, LATEST, Refusal};

use super::{IngestError, alarm::Suspicion};
use crate::{
    base::Base,
    store::{Transaction, first, params},
};

/// Who says that he sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// The site.
    pub site: String,
    /// The number of the request.
    pub count: u64,
    /// The hex signature of the request's [`Head`] and body.
    pub signature: String,
    /// Where it comes from, where that is known.
    pub address: Option<IpAddr>,
}

/// Lets a site in whose key has signed the request. Its number is spent by [`spend`], in the
/// transaction that does what the request asks for.
pub(crate) async fn authenticate(
    base: &Base,
    sender: &Sender,
    method: &str,
    target: &str,
    body: &[u8],
) -> Result<(), IngestError> {
    let query = "SELECT public_key, revoked_at_ms IS NOT NULL FROM sites WHERE site_id = $1";
    let found = base.store.ask(query, params![&sender.site]).await?;
    let Some(row) = found.first() else {
        base.alarms.log(sender, "a site that is not known");
        return Err(Refusal::Unauthorised.into());
    };
    let head = Head { site: &sender.site, method, target, count: sender.count };
    let (key, revoked): (Option<String>, bool) = (row.get(0)?, row.get(1)?);
    if !key.is_some_and(|key| head.is_signed_by(&key, body, &sender.signature)) {
        base.alarms.raise(base, sender, Suspicion::Forged, "").await;
        return Err(Refusal::Unauthorised.into());
    }
    if revoked {
        base.alarms.raise(base, sender, Suspicion::Revoked, "").await;
        return Err(Refusal::Revoked.into());
    }
    Ok(())
}

/// Spends the number of a request, or refuses one that was spent.
pub(crate) fn spend(
    tx: &mut dyn Transaction,
    site: &str,
    channel: Channel,
    count: u64,
) -> Result<(), IngestError> {
    let query = "SELECT last_count, before FROM request_counts WHERE site_id = $1 AND channel = $2";
    let row = first(tx, query, params![site, channel.word()])?;
    let (last, before) = match row {
        Some(row) => (row.get::<i64>(0)?.unsigned_abs(), row.get::<i64>(1)?),
        None => (0, 0),
    };
    // Beyond 63 bits there is no column for it, and no site ever counts so far.
    let kept = i64::try_from(count).ok().and_then(|_| slide(last, before, count));
    let Some((last_count, before)) = kept else {
        return Err(Refusal::Repeated { expected: last + 1 }.into());
    };
    tx.defer(
        "INSERT INTO request_counts (site_id, channel, last_count, before) VALUES ($1, $2, $3, $4)
         ON CONFLICT (site_id, channel)
         DO UPDATE SET last_count = excluded.last_count, before = excluded.before",
        params![site, channel.word(), last_count as i64, before],
    )?;
    Ok(())
}

/// The last number and those answered before it, once `count` is answered; none where it was.
fn slide(last: u64, before: i64, count: u64) -> Option<(u64, i64)> {
    let bits = before.cast_unsigned();
    if count > last {
        let by = count - last;
        let moved = if by > LATEST { 0 } else { (bits << 1 | u64::from(last > 0)) << (by - 1) };
        return Some((count, (moved & (u64::MAX >> 1)).cast_signed()));
    }
    let late = (last - count).checked_sub(1).filter(|late| *late < LATEST)?;
    let bit = 1 << late;
    (count > 0 && bits & bit == 0).then_some((last, (bits | bit).cast_signed()))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// However requests overtake each other, none is answered twice, and none that is new and
        /// not too late is refused.
        #[test]
        fn a_number_is_answered_once(counts in proptest::collection::vec(1_u64..200, 1..300)) {
            let (mut last, mut before, mut answered) = (0, 0, HashSet::new());
            for count in counts {
                let expected = !answered.contains(&count) && count + LATEST >= last;
                let slid = slide(last, before, count);
                prop_assert_eq!(slid.is_some(), expected, "{} after {}", count, last);
                if let Some(slid) = slid {
                    (last, before) = slid;
                    answered.insert(count);
                }
            }
        }
    }
}
