//! Framing of the control connection: octets to lines, with a bound on what a stranger can make us keep.

use std::collections::VecDeque;

/// Longest command line in octets, its end not counted: room for `PATH_MAX` and a verb.
pub const MAX_LINE: usize = 4096 + 64;

/// One line of the control connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A whole line, without its end and without telnet commands.
    Whole(Vec<u8>),
    /// A line longer than the limit: its octets are gone, what follows it is not.
    TooLong,
}

/// Splits octets at CRLF or LF and takes telnet commands (RFC 854) out.
///
/// Feed octets with [`LineDecoder::push`], take lines with [`LineDecoder::next_line`]. Octets become lines only as
/// those are taken: a read full of line ends stays as small as it came. Of a line without its end at most the limit is
/// kept.
#[derive(Debug)]
pub struct LineDecoder {
    limit: usize,
    telnet: Option<Telnet>,
    waiting: VecDeque<u8>,
    line: Vec<u8>,
    too_long: bool,
}

/// Position of the last octet in a telnet sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Telnet {
    Data,
    Iac,
    Option,
    Subnegotiation,
    SubnegotiationIac,
}

mod telnet {
    pub(super) const SE: u8 = 240;
    pub(super) const SB: u8 = 250;
    pub(super) const WILL: u8 = 251;
    pub(super) const DONT: u8 = 254;
    pub(super) const IAC: u8 = 255;
}

impl LineDecoder {
    /// A decoder for a client's commands: RFC 959 §4.1 makes them telnet strings.
    pub fn for_commands(limit: usize) -> Self {
        Self::new(limit, Some(Telnet::Data))
    }

    /// A decoder for a backend's replies, in which an octet 255 is a part of a name and nothing else.
    pub fn for_replies(limit: usize) -> Self {
        Self::new(limit, None)
    }

    fn new(limit: usize, telnet: Option<Telnet>) -> Self {
        Self { limit, telnet, waiting: VecDeque::new(), line: Vec::new(), too_long: false }
    }

    /// Sets the limit of the lines to come.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Takes octets as they came from the connection.
    pub fn push(&mut self, octets: &[u8]) {
        self.waiting.extend(octets);
    }

    /// The next line, if one is whole.
    pub fn next_line(&mut self) -> Option<Line> {
        let mut line = None;
        while line.is_none()
            && let Some(octet) = self.waiting.pop_front()
        {
            line = self.without_telnet(octet).and_then(|octet| self.push_data(octet));
        }
        if self.waiting.is_empty() {
            // Most connections are idle, and hold no buffer then.
            self.waiting = VecDeque::new();
        }
        line
    }

    /// Octets that came and were not yet looked at by [`LineDecoder::next_line`].
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Whether anything was not yet taken: a whole line or the beginning of one.
    pub fn holds_octets(&self) -> bool {
        !self.waiting.is_empty() || !self.line.is_empty() || self.too_long
    }

    fn without_telnet(&mut self, octet: u8) -> Option<u8> {
        let Some(telnet) = self.telnet else { return Some(octet) };
        let (state, data) = match (telnet, octet) {
            (Telnet::Data, telnet::IAC) => (Telnet::Iac, None),
            (Telnet::Data, octet) => (Telnet::Data, Some(octet)),
            (Telnet::Iac, telnet::IAC) => (Telnet::Data, Some(telnet::IAC)),
            (Telnet::Iac, telnet::SB) => (Telnet::Subnegotiation, None),
            (Telnet::Iac, telnet::WILL..=telnet::DONT) => (Telnet::Option, None),
            // Not a command but data: before a verb, after a command that TCP's urgent octet took out of the stream;
            // later, after an octet of a name, which many clients do not double.
            (Telnet::Iac, octet) if octet < telnet::SE => {
                if !self.line.is_empty() {
                    self.push_data(telnet::IAC);
                }
                (Telnet::Data, Some(octet))
            }
            (Telnet::Iac | Telnet::Option, _) | (Telnet::SubnegotiationIac, telnet::SE) => (Telnet::Data, None),
            (Telnet::Subnegotiation, telnet::IAC) => (Telnet::SubnegotiationIac, None),
            // A line's end ends a subnegotiation that never ended, or the session would be deaf from here on.
            (Telnet::Subnegotiation, b'\n') => (Telnet::Data, Some(b'\n')),
            (Telnet::Subnegotiation | Telnet::SubnegotiationIac, _) => (Telnet::Subnegotiation, None),
        };
        self.telnet = Some(state);
        data
    }

    /// Adds an octet of data. Returns the line if this octet ends it.
    fn push_data(&mut self, octet: u8) -> Option<Line> {
        match octet {
            b'\n' => return Some(self.end_line()),
            _ if self.too_long => {}
            // One more than the limit, since the CR of the line's end is still among them.
            _ if self.line.len() > self.limit => {
                self.line = Vec::new();
                self.too_long = true;
            }
            _ => self.line.push(octet),
        }
        None
    }

    fn end_line(&mut self) -> Line {
        let mut line = std::mem::take(&mut self.line);
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        let too_long = std::mem::take(&mut self.too_long) || line.len() > self.limit;
        if too_long { Line::TooLong } else { Line::Whole(line) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(decoder: &mut LineDecoder, octets: &[u8]) -> Vec<Line> {
        decoder.push(octets);
        std::iter::from_fn(|| decoder.next_line()).collect()
    }

    fn whole(text: &str) -> Line {
        Line::Whole(text.as_bytes().to_vec())
    }

    #[test]
    fn crlf_and_lf_both_end_a_line() {
        let mut decoder = LineDecoder::for_commands(64);
        assert_eq!(lines(&mut decoder, b"USER a\r\nNOOP\nQU"), [whole("USER a"), whole("NOOP")]);
        assert_eq!(lines(&mut decoder, b"IT\r\n"), [whole("QUIT")]);
        assert!(!decoder.holds_octets());
    }

    #[test]
    fn a_line_over_the_limit_is_skipped_to_its_end_and_no_further() {
        let mut decoder = LineDecoder::for_commands(4);
        assert_eq!(lines(&mut decoder, b"NOOP\r\nNOOPS\r\nNOOP\r\n"), [whole("NOOP"), Line::TooLong, whole("NOOP")]);
        let flood = vec![b'x'; 100_000];
        assert_eq!(lines(&mut decoder, &flood), []);
        assert!(decoder.line.capacity() < 64 && decoder.waiting.capacity() == 0, "a flood must not be kept");
        assert_eq!(lines(&mut decoder, b"\nQUIT\n"), [Line::TooLong, whole("QUIT")]);
    }

    #[test]
    fn line_ends_that_wait_take_no_more_room_than_they_came_in() {
        let mut decoder = LineDecoder::for_commands(64);
        decoder.push(&[b'\n'; 2048]);
        assert_eq!((decoder.next_line(), decoder.waiting()), (Some(whole("")), 2047));
        assert!(decoder.waiting.capacity() <= 4096 && decoder.line.capacity() == 0);
    }

    #[test]
    fn telnet_commands_are_taken_out_and_a_doubled_iac_is_an_octet() {
        let mut decoder = LineDecoder::for_commands(64);
        assert_eq!(lines(&mut decoder, b"\xff\xf4\xff\xf2ABOR\r\n"), [whole("ABOR")]);
        assert_eq!(
            lines(&mut decoder, b"\xff\xfd\x06NOOP\r\n\xff\xfaxx\xff\xf0QUIT\r\n"),
            [whole("NOOP"), whole("QUIT")]
        );
        assert_eq!(lines(&mut decoder, b"DELE \xff\xff\r\n"), [Line::Whole(b"DELE \xff".to_vec())]);
    }

    #[test]
    fn an_octet_255_of_a_name_is_kept_although_the_client_did_not_double_it() {
        let mut decoder = LineDecoder::for_commands(64);
        assert_eq!(lines(&mut decoder, b"DELE \xffa\r\n"), [Line::Whole(b"DELE \xffa".to_vec())]);
        assert_eq!(lines(&mut decoder, b"DELE a\xff\r\n"), [Line::Whole(b"DELE a\xff".to_vec())]);
    }

    #[test]
    fn abor_is_heard_when_the_urgent_octet_was_taken_out_of_the_stream() {
        let mut decoder = LineDecoder::for_commands(64);
        assert_eq!(lines(&mut decoder, b"\xff\xf4\xffABOR\r\n"), [whole("ABOR")]);
    }

    #[test]
    fn octet_255_in_a_reply_is_data() {
        let mut decoder = LineDecoder::for_replies(64);
        assert_eq!(lines(&mut decoder, b"257 \"\xff\"\r\n"), [Line::Whole(b"257 \"\xff\"".to_vec())]);
    }

    proptest! {
        #[test]
        fn how_octets_are_cut_into_reads_changes_nothing(octets: Vec<u8>, cut in 1usize..7) {
            let mut whole = LineDecoder::for_commands(16);
            let mut pieces = LineDecoder::for_commands(16);
            let expected = lines(&mut whole, &octets);
            let got: Vec<Line> = octets.chunks(cut).flat_map(|piece| lines(&mut pieces, piece)).collect();
            prop_assert_eq!(got, expected);
        }

        #[test]
        fn no_line_is_longer_than_the_limit(octets: Vec<u8>) {
            let mut decoder = LineDecoder::for_commands(8);
            for line in lines(&mut decoder, &octets) {
                prop_assert!(matches!(line, Line::TooLong) || matches!(line, Line::Whole(line) if line.len() <= 8));
            }
        }
    }
}
