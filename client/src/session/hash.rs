//! HASH (draft-bryan-ftpext-hash-02) and RANG (draft-bryan-ftp-range-08): the digest of a remote file, computed by the
//! server.

use std::time::Duration;

use safetp_protocol::reply::Reply;

use super::{CommandLine, Session};
use crate::{failure::Result, url::RemotePath};

const ALGORITHM: &str = "SHA-256";
/// Octets per second that a server must hash at least, for the time limit.
const SLOWEST: u64 = 16 * 1024 * 1024;

impl Session {
    /// The SHA-256 of the first `length` octets of a file; `None` where the server does not offer it. `length` is not
    /// 0.
    pub(crate) async fn file_hash(&mut self, path: &RemotePath, length: u64) -> Result<Option<[u8; 32]>> {
        let Some(is_selected) = self.features.hash(ALGORITHM) else { return Ok(None) };
        let last = length.saturating_sub(1);
        if !is_selected && !self.ask(&CommandLine::of("OPTS HASH", ALGORITHM)).await?.code().is_success() {
            return Ok(None);
        }
        // A server without RANG hashes the whole file, which may have this length: the reply tells the range.
        let is_ranged = self.ask(&CommandLine::of("RANG", format!("0 {last}"))).await?.code().number() == 350;
        let limit = self.options.timeout + Duration::from_secs(length / SLOWEST);
        let reply = self.ask_within(&CommandLine::with("HASH", path.argument().as_ref()), limit).await?;
        let hash = hash_of(&reply, last);
        if hash.is_none() && is_ranged {
            // A range that no HASH has used must not apply to the next transfer.
            self.ask(&CommandLine::of("RANG", "1 0")).await?;
        }
        Ok(hash)
    }
}

/// Reads `213 SHA-256 0-1023 hexdigest name`, if it is about the octets from 0 to `last`.
fn hash_of(reply: &Reply, last: u64) -> Option<[u8; 32]> {
    let text = std::str::from_utf8(reply.text()).ok().filter(|_| reply.code().number() == 213)?;
    let mut words = text.split(' ');
    let is_requested = words.next()?.eq_ignore_ascii_case(ALGORITHM) && words.next()? == format!("0-{last}");
    let digits = words
        .next()
        .filter(|digits| is_requested && digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    let mut hash = [0; 32];
    for (octet, pair) in hash.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        *octet = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_counts_only_with_the_requested_algorithm_and_range() {
        let digits = "0a".repeat(32);
        let hash = |text: &str, last| hash_of(&Reply::new(213, text), last);
        assert_eq!(hash(&format!("SHA-256 0-1023 {digits} a name"), 1023), Some([10; 32]));
        for other in [
            format!("SHA-256 0-1024 {digits} name"),
            format!("SHA-256 1-1023 {digits} name"),
            format!("SHA-1 0-1023 {digits} name"),
            format!("SHA-256 0-1023 {} name", &digits[2..]),
            format!("SHA-256 0-1023 {} name", "+1".repeat(32)),
            "SHA-256".into(),
        ] {
            assert_eq!(hash(&other, 1023), None, "{other}");
        }
        assert_eq!(hash_of(&Reply::new(250, format!("SHA-256 0-1023 {digits} name")), 1023), None);
    }
}
