//! The control connection as a client writes it: octets, cut in any way, to lines, to commands.

use safetp_protocol::{
    command::{Command, RelayVerb, TransferVerb},
    line::{Line, LineDecoder, MAX_LINE},
};

/// The first octet says how long the pieces are in which the rest arrives.
pub fn check(octets: &[u8]) {
    let Some((size, octets)) = super::choice(octets) else { return };
    let mut decoder = LineDecoder::for_commands(MAX_LINE);
    decoder.push(octets);
    let whole: Vec<Line> = std::iter::from_fn(|| decoder.next_line()).collect();
    let mut decoder = LineDecoder::for_commands(MAX_LINE);
    let mut pieces = Vec::new();
    for piece in octets.chunks(usize::from(size).max(1)) {
        decoder.push(piece);
        pieces.extend(std::iter::from_fn(|| decoder.next_line()));
    }
    assert_eq!(whole, pieces, "how octets are cut into reads must change nothing");
    for line in &whole {
        if let Line::Whole(line) = line {
            check_line(line);
        }
    }
}

fn check_line(line: &[u8]) {
    assert!(line.len() <= MAX_LINE);
    assert!(!line.contains(&b'\n'));
    let Ok(command) = Command::parse(line) else { return };
    // Whatever reaches the backend reaches it as one line.
    let (verb, argument) = match &command {
        Command::Relay { verb, argument } => (RelayVerb::as_str(*verb), argument),
        Command::Transfer { verb, argument } => (TransferVerb::as_str(*verb), argument),
        _ => return,
    };
    let mut relayed = verb.as_bytes().to_vec();
    if let Some(argument) = argument {
        relayed.push(b' ');
        relayed.extend_from_slice(argument.as_bytes());
    }
    assert!(!relayed.iter().any(|octet| matches!(octet, b'\r' | b'\n' | 0)), "{relayed:?}");
    assert_eq!(Command::parse(&relayed), Ok(command), "the backend must read what was decided about");
}
