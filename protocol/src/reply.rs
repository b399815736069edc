//! Replies (RFC 959 §4.2): written for the client, read from the backend.

use std::fmt;

use crate::line::{Line, LineDecoder};

/// Most lines of one reply of a backend: a `STAT` of a large directory fits, a runaway does not.
const MAX_LINES: usize = 100_000;
/// Longest line of a backend's reply, in octets.
const MAX_REPLY_LINE: usize = 16 * 1024;
/// Most octets of memory that the lines of one reply may take: 100,000 of the longest would be 1.6 GB.
const MAX_REPLY: usize = 8 * 1024 * 1024;

/// A reply's three digits, 100 to 699.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(u16);

impl Code {
    /// The code with this number, if it can be one.
    pub const fn new(number: u16) -> Option<Self> {
        if number >= 100 && number < 700 { Some(Self(number)) } else { None }
    }

    /// The number.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// 1yz: another reply will follow.
    pub const fn is_preliminary(self) -> bool {
        self.0 < 200
    }

    /// 2yz: done.
    pub const fn is_success(self) -> bool {
        self.0 >= 200 && self.0 < 300
    }

    fn parse(digits: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|octet| octet.is_ascii_digit()))?;
        Self::new(text.parse().ok()?)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03}", self.0)
    }
}

/// One reply of one or more lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    code: Code,
    /// The text after `code-`, and the lines between, which are sent as they are.
    head: Vec<Vec<u8>>,
    /// The text after `code `.
    last: Vec<u8>,
}

impl Reply {
    /// A reply of one line. A number that no code can have becomes 451, since a wrong digit must not end a session.
    pub fn new(number: u16, text: impl Into<Vec<u8>>) -> Self {
        let code = Code::new(number).unwrap_or(Code(451));
        Self { code, head: Vec::new(), last: one_line(text.into()) }
    }

    /// A reply with lines between its first and its last. Each of those lines begins with a space, as RFC 2389 §3.2
    /// wants for FEAT, so that none can be read as the last.
    pub fn with_lines(number: u16, first: &str, lines: impl IntoIterator<Item = Vec<u8>>, last: &str) -> Self {
        let indented = lines.into_iter().map(|line| [b" ", one_line(line).as_slice()].concat());
        let head = std::iter::once(one_line(first.as_bytes().to_vec())).chain(indented).collect();
        Self { head, ..Self::new(number, last) }
    }

    /// The code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The lines between the first and the last, as they came.
    pub fn inner_lines(&self) -> impl Iterator<Item = &[u8]> {
        self.head.iter().skip(1).map(Vec::as_slice)
    }

    /// The last line's text.
    pub fn text(&self) -> &[u8] {
        &self.last
    }

    /// The same reply with every text in another form, as another encoding needs it.
    #[must_use]
    pub fn map_texts(self, change: impl Fn(&[u8]) -> Vec<u8>) -> Self {
        let change = |text: Vec<u8>| one_line(change(&text));
        Self { code: self.code, head: self.head.into_iter().map(change).collect(), last: change(self.last) }
    }

    /// The octets for the wire.
    pub fn encode(&self) -> Vec<u8> {
        let mut wire = Vec::with_capacity(self.last.len() + 6);
        for (index, line) in self.head.iter().enumerate() {
            if index == 0 {
                wire.extend_from_slice(format!("{}-", self.code).as_bytes());
            }
            wire.extend_from_slice(line);
            wire.extend_from_slice(b"\r\n");
        }
        wire.extend_from_slice(format!("{} ", self.code).as_bytes());
        wire.extend_from_slice(&self.last);
        wire.extend_from_slice(b"\r\n");
        wire
    }
}

/// Removes line ends: one inside of a text would begin a second reply.
fn one_line(mut text: Vec<u8>) -> Vec<u8> {
    text.retain(|octet| !matches!(octet, b'\r' | b'\n' | 0));
    text
}

/// Reason for which a backend's octets are not a reply. Its connection is then of no use: no reply can be told from
/// another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// A line where a reply should begin does not begin with a code.
    #[error("the file server sent a line that is not a reply")]
    NoCode,
    /// More lines, or a longer one, than any reply has.
    #[error("the file server sent a reply that does not end")]
    TooLong,
}

/// Puts a backend's octets together to replies of one or more lines.
#[derive(Debug)]
pub struct ReplyDecoder {
    lines: LineDecoder,
    open: Option<Open>,
}

/// A reply whose last line has not come.
#[derive(Debug)]
struct Open {
    code: Code,
    head: Vec<Vec<u8>>,
    /// Octets that `head` takes, its lines' own bookkeeping included: empty lines must not be free.
    held: usize,
}

impl Default for ReplyDecoder {
    fn default() -> Self {
        Self { lines: LineDecoder::for_replies(MAX_REPLY_LINE), open: None }
    }
}

impl ReplyDecoder {
    /// Takes octets as they came.
    pub fn push(&mut self, octets: &[u8]) {
        self.lines.push(octets);
    }

    /// The next reply, if one is whole.
    pub fn next_reply(&mut self) -> Result<Option<Reply>, ReplyError> {
        while let Some(line) = self.lines.next_line() {
            let Line::Whole(line) = line else { return Err(ReplyError::TooLong) };
            if let Some(reply) = self.handle_line(line)? {
                return Ok(Some(reply));
            }
        }
        Ok(None)
    }

    fn handle_line(&mut self, line: Vec<u8>) -> Result<Option<Reply>, ReplyError> {
        let Some(mut open) = self.open.take() else { return self.handle_first_line(&line) };
        if let Some((last_code, false, last)) = split(&line)
            && last_code == open.code
        {
            return Ok(Some(Reply { code: open.code, head: open.head, last: last.to_vec() }));
        }
        open.held += line.len() + size_of::<Vec<u8>>();
        if open.head.len() >= MAX_LINES || open.held > MAX_REPLY {
            return Err(ReplyError::TooLong);
        }
        open.head.push(line);
        self.open = Some(open);
        Ok(None)
    }

    fn handle_first_line(&mut self, line: &[u8]) -> Result<Option<Reply>, ReplyError> {
        let (code, more, text) = split(line).ok_or(ReplyError::NoCode)?;
        if more {
            self.open = Some(Open { code, head: vec![text.to_vec()], held: text.len() });
            return Ok(None);
        }
        Ok(Some(Reply { code, head: Vec::new(), last: text.to_vec() }))
    }
}

/// The code, whether a `-` follows it, and the text; `None` for a line without a code.
fn split(line: &[u8]) -> Option<(Code, bool, &[u8])> {
    let (digits, rest) = line.split_at_checked(3)?;
    let code = Code::parse(digits)?;
    match rest.split_first() {
        None => Some((code, false, rest)),
        Some((b' ', text)) => Some((code, false, text)),
        Some((b'-', text)) => Some((code, true, text)),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn replies(wire: &[u8]) -> Result<Vec<Reply>, ReplyError> {
        let mut decoder = ReplyDecoder::default();
        decoder.push(wire);
        let mut replies = Vec::new();
        while let Some(reply) = decoder.next_reply()? {
            replies.push(reply);
        }
        Ok(replies)
    }

    #[test]
    fn a_reply_of_many_lines_ends_at_its_own_code_and_a_space() {
        let wire = b"211-Features:\r\n SIZE\r\n211-not the end\r\n200 nor this\r\n211 End\r\n200 ok\r\n";
        let replies = replies(wire).unwrap();
        assert_eq!(replies.len(), 2);
        assert_eq!(replies[0].inner_lines().collect::<Vec<_>>(), [&b" SIZE"[..], b"211-not the end", b"200 nor this"]);
        assert_eq!(replies.iter().flat_map(Reply::encode).collect::<Vec<u8>>(), wire);
    }

    #[test]
    fn a_code_alone_is_a_reply() {
        assert_eq!(replies(b"200\r\n").unwrap(), [Reply::new(200, "")]);
    }

    #[test]
    fn a_line_without_a_code_is_not_a_reply() {
        assert_eq!(replies(b"hello\r\n"), Err(ReplyError::NoCode));
        assert_eq!(replies(b"2000 hello\r\n"), Err(ReplyError::NoCode));
        assert_eq!(replies(b"999 hello\r\n"), Err(ReplyError::NoCode));
    }

    #[test]
    fn a_reply_that_does_not_end_is_given_up_by_its_octets() {
        let mut decoder = ReplyDecoder::default();
        decoder.push(b"211-Features:\r\n");
        let line = [vec![b'x'; MAX_REPLY_LINE - 2], b"\r\n".to_vec()].concat();
        let most = MAX_REPLY / MAX_REPLY_LINE + 1;
        let is_given_up = (0..most).any(|_| {
            decoder.push(&line);
            decoder.next_reply() == Err(ReplyError::TooLong)
        });
        assert!(is_given_up);
    }

    #[test]
    fn a_text_with_a_line_end_stays_one_line() {
        assert_eq!(Reply::new(550, "a\r\n230 b").encode(), b"550 a230 b\r\n");
    }

    proptest! {
        #[test]
        fn what_is_written_is_what_is_read(
            code in 100u16..700,
            lines in proptest::collection::vec("[ -~]{0,20}", 0..4),
            last in "[ -~]{0,20}",
        ) {
            let lines = lines.into_iter().map(String::into_bytes);
            let reply = Reply::with_lines(code, "first", lines, &last);
            prop_assert_eq!(replies(&reply.encode()).unwrap(), [reply]);
        }

        #[test]
        fn no_octets_make_the_decoder_panic(octets: Vec<u8>) {
            let _ = replies(&octets);
        }
    }
}
