//! Work on many threads, results in order.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

/// Lets each of `workers` work on its own thread on one of `inputs` after another, and hands the
/// results to `take` in the order of the inputs, until it breaks.
pub fn in_order<I: Sync, O: Send>(
    inputs: &[I],
    workers: Vec<impl FnMut(&I) -> O + Send>,
    mut take: impl FnMut(O) -> ControlFlow<()>,
) {
    let next = AtomicUsize::new(0);
    let (sender, results) = mpsc::channel();
    thread::scope(|scope| {
        for mut work in workers {
            let (next, sender) = (&next, sender.clone());
            scope.spawn(move || {
                while let Some((index, input)) = claim(inputs, next) {
                    // Nobody listens any more once `take` broke.
                    if sender.send((index, work(input))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let mut early = BTreeMap::new();
        let mut expected = 0;
        for (index, result) in results {
            early.insert(index, result);
            while let Some(result) = early.remove(&expected) {
                expected += 1;
                if take(result).is_break() {
                    return;
                }
            }
        }
    });
}

fn claim<'a, I>(inputs: &'a [I], next: &AtomicUsize) -> Option<(usize, &'a I)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    inputs.get(index).map(|input| (index, input))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_however_the_threads_run() {
        let inputs: Vec<u64> = (0..500).collect();
        let worker = |input: &u64| {
            (0..(input * 7919) % 5000).fold(*input, |sum, i| sum.wrapping_add(i & 1)) / 4096 + input
        };
        let mut results = Vec::new();
        in_order(&inputs, vec![worker; 4], |result| {
            results.push(result);
            ControlFlow::Continue(())
        });
        assert_eq!(results, inputs.iter().map(worker).collect::<Vec<_>>());
    }

    #[test]
    fn a_break_ends_the_work() {
        let mut taken = 0;
        in_order(&[(); 100], vec![|_: &()| (); 3], |()| {
            taken += 1;
            if taken == 7 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!(taken, 7);
    }
}
