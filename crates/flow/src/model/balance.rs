//! Which partitions a node should hold, so that all nodes hold about as many without talking to each other.

use std::collections::BTreeSet;

/// What a node knows about one partition of a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// This node.
    Me,
    /// Another node that is alive.
    Other,
    /// Nobody, or a node that is dead.
    Nobody,
}

/// What a node should do about its share.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// Partitions to claim.
    pub claim: Vec<u16>,
    /// Partitions to let go after the batch in hand.
    pub release: Vec<u16>,
}

/// Plans the share of node number `rank` among `nodes` live ones (ranks count from 0).
///
/// A node holds at most `ceil(partitions / nodes)`. It claims free partitions up to that, beginning at a
/// place of its own so that two nodes rarely want the same one, and lets go what it holds beyond.
#[must_use]
pub fn plan(holders: &[Holder], nodes: usize, rank: usize) -> Plan {
    let nodes = nodes.max(1);
    let share = holders.len().div_ceil(nodes);
    let start = share * rank % holders.len().max(1);
    let order: Vec<usize> = (start..holders.len()).chain(0..start).collect();
    let number = |at: &usize| u16::try_from(*at).unwrap_or(u16::MAX);
    let mine: Vec<usize> = order.iter().copied().filter(|at| holders[*at] == Holder::Me).collect();
    let keep: BTreeSet<usize> = mine.iter().copied().take(share).collect();
    Plan {
        claim: order
            .iter()
            .filter(|at| holders[**at] == Holder::Nobody)
            .take(share - keep.len())
            .map(number)
            .collect(),
        release: mine.iter().filter(|at| !keep.contains(at)).map(number).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_node_alone_takes_everything() {
        let plan = plan(&[Holder::Nobody; 64], 1, 0);
        assert_eq!((plan.claim.len(), plan.release.len()), (64, 0));
    }

    #[test]
    fn the_first_node_lets_go_half_when_a_second_comes() {
        let plan = plan(&[Holder::Me; 64], 2, 0);
        assert_eq!((plan.claim.len(), plan.release.len()), (0, 32));
    }

    proptest! {
        /// However the partitions are held at first and whoever moves when, a few rounds end with every
        /// partition held and no node above its share.
        #[test]
        fn shares_converge(nodes in 1usize..9, start in proptest::collection::vec(0usize..12, 64)) {
            // 0..nodes hold it; anything else is a dead node or nobody.
            let mut owner: Vec<Option<usize>> = start.into_iter().map(|o| (o < nodes).then_some(o)).collect();
            for _ in 0..3 {
                for me in 0..nodes {
                    let holders: Vec<Holder> = owner.iter().map(|o| match o {
                        Some(o) if *o == me => Holder::Me,
                        Some(_) => Holder::Other,
                        None => Holder::Nobody,
                    }).collect();
                    let plan = plan(&holders, nodes, me);
                    for p in plan.release { owner[p as usize] = None; }
                    for p in plan.claim { owner[p as usize] = Some(me); }
                }
            }
            let share = 64usize.div_ceil(nodes);
            prop_assert!(owner.iter().all(Option::is_some));
            for me in 0..nodes {
                prop_assert!(owner.iter().filter(|o| **o == Some(me)).count() <= share);
            }
        }
    }
}
