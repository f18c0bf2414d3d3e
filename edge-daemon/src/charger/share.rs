//! How a current is shared. Pure: who came first is sure of the least that a car charges with, for
//! as many as there is current for; what is left is shared fairly.

/// The least current that a car charges with (IEC 61851-1), in milliamperes for each phase.
pub const LEAST_MA: u32 = 6_000;

/// Shares `available_ma` among those who want to charge, in the order in which they came; `most_ma`
/// is what each can take at most. Each gets nothing, or between [`LEAST_MA`] and its most.
pub fn share(available_ma: u32, most_ma: &[u32]) -> Vec<u32> {
    let (mut shares, mut left_ma) = (vec![0; most_ma.len()], available_ma);
    for (share, most_ma) in shares.iter_mut().zip(most_ma) {
        if left_ma >= LEAST_MA && *most_ma >= LEAST_MA {
            (*share, left_ma) = (LEAST_MA, left_ma - LEAST_MA);
        }
    }
    // Whoever can take least is served first, so that what he leaves is shared among the others.
    let mut sharing: Vec<usize> = (0..shares.len()).filter(|i| shares[*i] > 0).collect();
    sharing.sort_by_key(|i| most_ma[*i]);
    for (place, i) in sharing.iter().enumerate() {
        let others = u32::try_from(sharing.len() - place).unwrap_or(u32::MAX);
        let more_ma = (left_ma / others).min(most_ma[*i] - shares[*i]);
        (shares[*i], left_ma) = (shares[*i] + more_ma, left_ma - more_ma);
    }
    shares
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn who_came_first_is_sure_of_the_least_and_the_rest_is_shared_fairly() {
        for (available_a, most_a, expected_a) in [
            (63, vec![32, 32], vec![31.5, 31.5]),
            (63, vec![32], vec![32.0]),
            (63, vec![16, 32, 32], vec![16.0, 23.5, 23.5]),
            (20, vec![32, 32, 32, 32], vec![6.666, 6.667, 6.667, 0.0]),
            (17, vec![32, 32, 32], vec![8.5, 8.5, 0.0]),
            (5, vec![32, 32], vec![0.0, 0.0]),
            (12, vec![5, 32, 32], vec![0.0, 6.0, 6.0]),
            (0, vec![], vec![]),
        ] {
            let most_ma: Vec<u32> = most_a.iter().map(|a| a * 1000).collect();
            let shares = share(available_a * 1000, &most_ma);
            let expected: Vec<u32> =
                expected_a.iter().map(|a: &f64| (a * 1000.0).round() as u32).collect();
            assert_eq!(shares, expected, "{available_a} A");
        }
    }

    proptest! {
        #[test]
        fn never_more_than_there_is_nor_than_one_can_take(
            available_ma in 0u32..500_000,
            most_ma in prop::collection::vec(0u32..64_000, 0..60),
        ) {
            let shares = share(available_ma, &most_ma);
            let sum: u64 = shares.iter().map(|share| u64::from(*share)).sum();
            prop_assert!(sum <= u64::from(available_ma));
            for (share, most) in shares.iter().zip(&most_ma) {
                prop_assert!(*share == 0 || (LEAST_MA..=*most).contains(share));
            }
            // Nobody waits who could have had the least, and nobody who came later has what one who
            // came earlier lacks.
            let could = |i: &usize| most_ma[*i] >= LEAST_MA;
            let first_idle = (0..shares.len()).filter(could).find(|i| shares[*i] == 0);
            if let Some(idle) = first_idle {
                prop_assert!(shares[idle..].iter().all(|share| *share == 0));
                let served = shares[..idle].iter().filter(|share| **share > 0).count() as u64;
                prop_assert!(u64::from(available_ma) < (served + 1) * u64::from(LEAST_MA));
            }
        }
    }
}
