//! The header in front of a connection that a load balancer opens.

use safetp_protocol::proxy_header::{HeaderProgress, MAX_V1, MAX_V2_BODY, ProxyHeader};

/// Reads a connection that brings these octets as the gateway does: never more than is asked for.
pub fn check(octets: &[u8]) {
    let at_once = ProxyHeader::parse(octets);
    let mut read = 0;
    loop {
        let progress = ProxyHeader::parse(octets.get(..read).unwrap_or_default());
        match progress {
            Ok(HeaderProgress::More(count)) => {
                assert!(count > 0);
                assert!(read + count <= MAX_V1.max(16 + MAX_V2_BODY));
                if read + count > octets.len() {
                    // The connection has ended. What it brought further is not enough either.
                    assert!(!matches!(at_once, Ok(HeaderProgress::Done { .. })));
                    return;
                }
                read += count;
            }
            Ok(HeaderProgress::Done { length, .. }) => {
                assert_eq!(length, read, "an octet of the client was taken");
                assert_eq!(at_once, progress);
                return;
            }
            Err(_) => {
                assert!(at_once.is_err());
                return;
            }
        }
    }
}
