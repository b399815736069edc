//! Space on the volume: what uploads left behind takes it only while nobody else needs it.

use std::io;

use rustix::fs::fstatvfs;

use super::{
    Home, Volume,
    parts::{self, Listed},
};

const GIB: u64 = 1 << 30;
/// Of the parts that one home keeps: looking for one reads the names of all.
const MOST_PARTS: usize = 1000;

/// Octets of the volume.
#[derive(Clone, Copy, Debug)]
struct Space {
    total: u64,
    available: u64,
}

impl Space {
    fn of(home: &Home) -> io::Result<Self> {
        let stat = fstatvfs(home.root())?;
        Ok(Self {
            total: stat.f_blocks.saturating_mul(stat.f_frsize),
            available: stat.f_bavail.saturating_mul(stat.f_frsize),
        })
    }

    /// Below this, parts make way: more than comes over a fast network until somebody looks again, but half of a small
    /// volume at most.
    fn headroom(self) -> u64 {
        GIB.min(self.total / 2)
    }

    /// What the parts of one home may take together: a user whose line is bad must not use up the volume.
    fn most_of_one_home(self) -> u64 {
        self.total / 2
    }
}

/// Removes parts, the oldest first, if the volume is nearly full. A failure does not stop what this came along with.
pub(crate) fn make_way_if_short(home: &Home) {
    if home.volume().has_no_more_parts() {
        return;
    }
    let made = Space::of(home).and_then(|space| {
        let goal = space.headroom();
        if space.available < goal { make_way(home, goal) } else { Ok(()) }
    });
    if let Err(error) = made {
        tracing::warn!(user = home.user(), %error, "failed to make space by removing unfinished uploads");
    }
}

/// Removes parts, the oldest first, until so many octets are free or there are no more.
pub(super) fn make_way(home: &Home, goal: u64) -> io::Result<()> {
    let volume = home.volume();
    // Before looking: a part that is left from now on counts.
    volume.note_no_more_parts();
    let mut parts = all_parts(volume)?;
    parts.sort_by_key(|(_, part)| part.modified);
    for (owner, part) in &parts {
        if Space::of(home)?.available >= goal {
            volume.note_part();
            return Ok(());
        }
        parts::remove_listed(owner, part, "space was short")?;
    }
    Ok(())
}

fn all_parts(volume: &Volume) -> io::Result<Vec<(Home, Listed)>> {
    let mut all = Vec::new();
    for home in volume.known_homes() {
        // An empty one may have been created just now, and frees nothing.
        let parts = parts::list(&home)?.into_iter().filter(|part| part.length > 0);
        all.extend(parts.map(|part| (home.clone(), part)));
    }
    Ok(all)
}

/// Takes note that a part was left in `home`. The oldest go if it keeps too many; the newest always stays.
pub(super) fn handle_kept(home: &Home) -> io::Result<()> {
    home.volume().note_part();
    let most = Space::of(home)?.most_of_one_home();
    let mut kept: Vec<Listed> = parts::list(home)?.into_iter().filter(Listed::is_kept).collect();
    kept.sort_by_key(|part| part.modified);
    for part in kept.iter().take(too_many(&kept, most)) {
        parts::remove_listed(home, part, "this home keeps too many")?;
    }
    Ok(())
}

/// How many of the oldest have to go.
fn too_many(kept: &[Listed], most: u64) -> usize {
    let mut sum = 0_u64;
    let newest_first = kept.iter().rev().enumerate();
    let fitting = newest_first.take_while(|(index, part)| {
        sum = sum.saturating_add(part.length);
        *index == 0 || (sum <= most && *index < MOST_PARTS)
    });
    kept.len() - fitting.count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gibibyte_of_a_large_volume_and_half_of_a_small_one_is_kept_free() {
        for (total, headroom) in [(100 * GIB, GIB), (5 * GIB, GIB), (GIB, GIB / 2), (0, 0)] {
            assert_eq!(Space { total, available: 0 }.headroom(), headroom, "{total}");
        }
    }

    fn kept(lengths: &[u64]) -> Vec<Listed> {
        lengths.iter().map(|length| Listed::of_length(*length)).collect()
    }

    #[test]
    fn the_oldest_parts_of_a_home_go_and_the_newest_stays() {
        for (lengths, gone) in
            [(&[][..], 0), (&[5, 5], 0), (&[1, 5, 5], 1), (&[5, 5, 5], 1), (&[1, 1, 11], 2), (&[11], 0)]
        {
            assert_eq!(too_many(&kept(lengths), 10), gone, "{lengths:?}");
        }
        assert_eq!(too_many(&kept(&[0; MOST_PARTS + 3]), 10), 3);
    }
}
