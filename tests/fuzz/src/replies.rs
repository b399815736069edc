//! A backend's replies, and a server's at the client: octets, cut in any way, to replies.

use safetp_protocol::{
    endpoint,
    reply::{Reply, ReplyDecoder, ReplyError},
};

/// The first octet says how long the pieces are in which the rest arrives.
pub fn check(octets: &[u8]) {
    let Some((size, octets)) = super::choice(octets) else { return };
    let whole = decode(octets, octets.len().max(1));
    assert_eq!(whole, decode(octets, usize::from(size).max(1)), "how octets are cut into reads must change nothing");
    for reply in &whole.0 {
        let wire = reply.encode();
        assert_eq!(decode(&wire, wire.len()), (vec![reply.clone()], None), "what is passed on must be the same reply");
        check_endpoints(reply.text());
    }
}

/// An endpoint that a client reads from a 227 or 229 must survive being written again.
fn check_endpoints(text: &[u8]) {
    if let Some(endpoint) = endpoint::read_pasv_reply(text) {
        assert_eq!(endpoint::read_pasv_reply(endpoint::pasv_reply(endpoint).text()), Some(endpoint));
    }
    if let Some(port) = endpoint::read_epsv_reply(text) {
        assert_eq!(endpoint::read_epsv_reply(endpoint::epsv_reply(port).text()), Some(port));
    }
}

/// All replies up to the first error.
fn decode(octets: &[u8], size: usize) -> (Vec<Reply>, Option<ReplyError>) {
    let mut decoder = ReplyDecoder::default();
    let mut replies = Vec::new();
    for piece in octets.chunks(size) {
        decoder.push(piece);
        loop {
            match decoder.next_reply() {
                Ok(Some(reply)) => replies.push(reply),
                Ok(None) => break,
                Err(error) => return (replies, Some(error)),
            }
        }
    }
    (replies, None)
}
