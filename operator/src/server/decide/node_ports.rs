//! Blocks of node ports. The API server decides; this chooses what to request next. Pure.

use std::collections::BTreeSet;

use safetp_config::ports::PortRange;

use crate::{
    conditions::{Reason, Verdict},
    server::validate::BlockRequest,
};

/// A block of node ports to request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    pub control: u16,
    pub data: PortRange,
}

/// Reason why no block can be requested.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoBlock {
    /// Every block within the bounds has a port that is taken, or the bounds are too narrow.
    #[error(
        "no {size} contiguous node ports are free in {first}-{last}; widen dataPorts.first and dataPorts.last, ask for \
         fewer with dataPorts.perReplica, or delete Services that use these ports"
    )]
    Full { size: u16, first: u16, last: u16 },
    /// The control port that the spec fixes belongs to another Service.
    #[error(
        "node port {0}, requested by controlPort, belongs to another Service; set another controlPort or leave it out"
    )]
    ControlTaken(u16),
    /// Other Services took a port of each block before this operator could.
    #[error(
        "{0} blocks of node ports in a row were rejected, since other Services took a port of each meanwhile; the \
         operator keeps trying, and a smaller dataPorts.perReplica is easier to place"
    )]
    Contended(usize),
}

impl NoBlock {
    /// Content of Ready.
    pub fn verdict(&self) -> Verdict {
        let reason = match self {
            Self::Full { .. } | Self::ControlTaken(_) => Reason::PortsUnavailable,
            Self::Contended(_) => Reason::PortsExhausted,
        };
        Verdict::stalled(reason, self.to_string())
    }
}

impl BlockRequest {
    /// Returns whether `block` satisfies the request, so that a server keeps the block that it has.
    fn is_met_by(&self, block: Block) -> bool {
        let (first, last) = self.bounds();
        let within = |port: u16| (first..=last).contains(&port);
        let control = match self.control {
            Some(control) => control == block.control,
            None => within(block.control) && block.control.checked_add(1) == Some(block.data.first()),
        };
        control && block.data.count() == self.data && within(block.data.first()) && within(block.data.last())
    }
}

/// Picks the block to request: the one that the server has, else the lowest free one. Low ports come first, since they
/// are the static band, from which Kubernetes does not allocate ports for other Services.
pub fn pick_block(request: &BlockRequest, current: Option<Block>, used: &BTreeSet<u16>) -> Result<Block, NoBlock> {
    let free = |block: &Block| !used.contains(&block.control) && block.data.ports().all(|port| !used.contains(&port));
    if let Some(block) = current.filter(|block| request.is_met_by(*block) && free(block)) {
        return Ok(block);
    }
    if let Some(control) = request.control.filter(|control| used.contains(control)) {
        return Err(NoBlock::ControlTaken(control));
    }
    let (first, last) = request.bounds();
    let candidates = (first..=last).filter_map(|start| request.block_at(start));
    let none = NoBlock::Full { size: request.size(), first, last };
    candidates.into_iter().find(free).ok_or(none)
}

impl BlockRequest {
    fn block_at(&self, start: u16) -> Option<Block> {
        let (_, last) = self.bounds();
        let end = start.checked_add(self.size().checked_sub(1)?).filter(|end| *end <= last)?;
        let (control, data) = match self.control {
            Some(control) => (control, PortRange::new(start, end).ok()?),
            None => (start, PortRange::new(start.checked_add(1)?, end).ok()?),
        };
        Some(Block { control, data }).filter(|block| !block.data.contains(block.control))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request() -> BlockRequest {
        BlockRequest { first: None, last: None, data: 20, control: None }
    }

    fn block(control: u16, first: u16, last: u16) -> Block {
        Block { control, data: PortRange::new(first, last).unwrap() }
    }

    #[test]
    fn the_first_block_lies_in_the_static_band_and_begins_with_the_control_port() {
        assert_eq!(pick_block(&request(), None, &BTreeSet::new()), Ok(block(30_000, 30_001, 30_020)));
    }

    #[test]
    fn one_used_port_moves_the_whole_block() {
        assert_eq!(pick_block(&request(), None, &BTreeSet::from([30_007])), Ok(block(30_008, 30_009, 30_028)));
    }

    #[test]
    fn a_server_keeps_the_block_that_it_has() {
        let has = block(31_000, 31_001, 31_020);
        assert_eq!(pick_block(&request(), Some(has), &BTreeSet::new()), Ok(has));
        let smaller = BlockRequest { data: 10, ..request() };
        assert_eq!(pick_block(&smaller, Some(has), &BTreeSet::new()), Ok(block(30_000, 30_001, 30_010)));
    }

    #[test]
    fn a_control_port_of_its_own_is_kept_out_of_the_data_ports() {
        let own = BlockRequest { control: Some(30_005), ..request() };
        assert_eq!(pick_block(&own, None, &BTreeSet::new()), Ok(block(30_005, 30_006, 30_025)));
        assert_eq!(pick_block(&own, None, &BTreeSet::from([30_005])), Err(NoBlock::ControlTaken(30_005)));
    }

    #[test]
    fn a_full_range_is_reported_with_its_bounds() {
        let narrow = BlockRequest { first: Some(30_100), last: Some(30_120), ..request() };
        let error = pick_block(&narrow, None, &BTreeSet::from([30_110])).unwrap_err();
        assert!(error.to_string().contains("no 21 contiguous node ports are free in 30100-30120"), "{error}");
    }

    #[test]
    fn a_full_range_and_contention_are_told_apart() {
        assert_eq!(NoBlock::Full { size: 21, first: 30_000, last: 30_010 }.verdict().reason, Reason::PortsUnavailable);
        let contended = NoBlock::Contended(200);
        assert_eq!(contended.verdict().reason, Reason::PortsExhausted);
        assert!(contended.to_string().contains("200 blocks") && contended.to_string().contains("dataPorts.perReplica"));
    }

    proptest! {
        #[test]
        fn a_block_is_free_contiguous_and_within_bounds(
            used in prop::collection::btree_set(30_000u16..30_200, 0..120),
            data in 1u16..30,
            first in 30_000u16..30_100,
            width in 1u16..150,
            control in prop::option::of(30_000u16..30_200),
        ) {
            let request = BlockRequest { first: Some(first), last: Some(first + width), data, control };
            match pick_block(&request, None, &used) {
                Ok(block) => {
                    prop_assert!(!used.contains(&block.control));
                    prop_assert!(block.data.ports().all(|port| !used.contains(&port) && port != block.control));
                    prop_assert_eq!(block.data.count(), data);
                    prop_assert!(block.data.first() >= first && block.data.last() <= first + width);
                    prop_assert_eq!(pick_block(&request, Some(block), &used), Ok(block));
                }
                Err(NoBlock::ControlTaken(port)) => prop_assert_eq!(Some(port), control),
                Err(NoBlock::Contended(_)) => prop_assert!(false, "only the API server knows"),
                Err(NoBlock::Full { .. }) => {
                    let size = request.size();
                    let is_free = |port: u16| !used.contains(&port) && Some(port) != control;
                    let free = |start: u16| (start..start + size).all(is_free);
                    let fits = (first..=first + width).any(|start| start + size - 1 <= first + width && free(start));
                    prop_assert!(!fits, "a free block was overlooked");
                }
            }
        }
    }
}
