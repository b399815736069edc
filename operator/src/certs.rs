//! TLS certificates: issuing them from a server's own CA, and checking those that an administrator provides.

mod inspect;
mod issue;

pub use inspect::{CertificateFacts, inspect};
pub use issue::{Authority, IssueError, Pair, issue_authority, issue_leaf};

use jiff::{SignedDuration, Timestamp};

/// Lifetime of a CA.
pub const AUTHORITY_LIFETIME: SignedDuration = SignedDuration::from_hours(24 * 3650);
/// Lifetime of a server's certificate.
pub const LEAF_LIFETIME: SignedDuration = SignedDuration::from_hours(24 * 90);
/// Tolerated clock skew: a certificate is valid from this long before it was issued.
pub const SKEW: SignedDuration = SignedDuration::from_hours(1);

/// Time at which a certificate should be replaced: after two thirds of its lifetime.
pub fn renewal(facts: &CertificateFacts) -> Timestamp {
    let (begin, end) = (facts.not_before.as_second(), facts.not_after.as_second());
    Timestamp::from_second(begin + (end - begin) / 3 * 2).unwrap_or(facts.not_after)
}

/// Reports whether a leaf covers `names`, was issued by `authority` and is not due for renewal.
pub fn is_current(leaf: &CertificateFacts, authority: &CertificateFacts, names: &[String], now: Timestamp) -> bool {
    leaf.issuer_key.is_some()
        && leaf.issuer_key == authority.subject_key
        && names.iter().all(|name| leaf.names.contains(name))
        && now < renewal(leaf)
        && leaf.not_before <= now
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|&name| name.to_owned()).collect()
    }

    fn facts(names: &[String]) -> (CertificateFacts, CertificateFacts) {
        let authority = issue_authority("ftp/files", now()).unwrap();
        let leaf = issue_leaf(&authority, names, now()).unwrap();
        let leaf = inspect(leaf.certificate.as_bytes(), leaf.key.as_bytes()).unwrap();
        (leaf, inspect(authority.certificate.as_bytes(), authority.key.as_bytes()).unwrap())
    }

    #[test]
    fn a_leaf_carries_its_addresses_and_names() {
        let wanted = names(&["203.0.113.7", "files.ftp.svc"]);
        let (leaf, _) = facts(&wanted);
        assert_eq!(leaf.names, wanted);
    }

    #[test]
    fn a_leaf_is_replaced_after_two_thirds_of_its_lifetime_and_when_the_address_moves() {
        let wanted = names(&["203.0.113.7"]);
        let (leaf, authority) = facts(&wanted);
        let days = |days: i64| now() + SignedDuration::from_hours(24 * days);
        assert!(is_current(&leaf, &authority, &wanted, now()));
        assert!(is_current(&leaf, &authority, &wanted, days(59)));
        assert!(!is_current(&leaf, &authority, &wanted, days(61)));
        assert!(!is_current(&leaf, &authority, &names(&["203.0.113.8"]), now()));
        assert!(is_current(&leaf, &authority, &[], now()), "no address for a while is no reason to replace it");
    }

    #[test]
    fn a_leaf_of_another_authority_is_not_current() {
        let wanted = names(&["203.0.113.7"]);
        let (leaf, _) = facts(&wanted);
        let (_, other) = facts(&wanted);
        assert!(!is_current(&leaf, &other, &wanted, now()));
    }

    #[test]
    fn a_key_that_does_not_match_its_certificate_is_reported() {
        let authority = issue_authority("ftp/files", now()).unwrap();
        let one = issue_leaf(&authority, &names(&["a.example"]), now()).unwrap();
        let other = issue_leaf(&authority, &names(&["a.example"]), now()).unwrap();
        let problem = inspect(one.certificate.as_bytes(), other.key.as_bytes()).unwrap_err();
        assert!(problem.to_string().contains("does not belong"), "{problem}");
    }

    #[test]
    fn a_file_that_is_not_pem_is_reported_by_its_name() {
        let problem = inspect(b"hello", b"world").unwrap_err();
        assert!(problem.to_string().contains("tls.crt"), "{problem}");
    }
}
