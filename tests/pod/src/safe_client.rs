//! A client under X-SafeTP1.

use std::{
    io::{Read as _, Write as _},
    net::{IpAddr, Shutdown, TcpStream},
};

use getrandom::SysRng;
use rand_core::UnwrapErr;
use safetp_protocol::{
    endpoint::read_epsv_reply,
    security::safetp1::{Block, BlockSize, Control, DataKeys, Level, Opener, Sealer, ServerIp, TransferNumber, client},
};

use crate::{Client, PASSWORD, Pod, USER};

/// The block size that the tests negotiate.
const BLOCK_SIZE: u32 = 1024;

/// A [`Client`] whose commands and replies are sealed.
#[derive(Debug)]
pub struct SafeClient {
    clear: Client,
    /// The two ADAT lines of its exchange, as they went over the wire.
    pub adats: [String; 2],
    control: Control,
    keys: DataKeys,
    level: Option<Level>,
}

impl SafeClient {
    /// Connects and does the exchange, as a client that dialled the address that the pod announces.
    pub fn connect(pod: &Pod) -> Self {
        Self::secure(pod, pod.connect())
    }

    /// Does the exchange on a connection on which something may have been said already.
    pub fn secure(pod: &Pod, mut clear: Client) -> Self {
        let message = adat(&clear.ask("AUTH X-SafeTP1", 334));
        let (exchange, message) = client::begin(&message, &mut UnwrapErr(SysRng)).unwrap();
        let question = format!("ADAT {}", base64(&message));
        let message = adat(&clear.ask(&question, 335));
        let dialled = pod.address.borrow().as_ref().and_then(|address| address.v4).unwrap();
        let (secured, message) = exchange.finish(&message, ServerIp::from(IpAddr::from(dialled))).unwrap();
        let proof = format!("ADAT {}", base64(&message));
        clear.ask(&proof, 235);
        Self { clear, adats: [question, proof], control: secured.control, keys: secured.data, level: None }
    }

    /// Connects and logs in, with data connections at this level.
    pub fn login(pod: &Pod, level: Option<Level>) -> Self {
        let mut client = Self::connect(pod);
        client.ask(&format!("USER {USER}"), 331);
        client.ask(&format!("PASS {PASSWORD}"), 230);
        client.ask("TYPE I", 200);
        client.ask(&format!("PBSZ {BLOCK_SIZE}"), 200);
        let letter = match level {
            None => "C",
            Some(Level::Safe) => "S",
            Some(Level::Private) => "P",
        };
        client.ask(&format!("PROT {letter}"), 200);
        client.level = level;
        client
    }

    /// Sends one command, sealed.
    pub fn send(&mut self, command: &str) {
        let line = self.seal(command);
        self.clear.send(&line);
    }

    /// Seals one command; returns its line for the wire.
    pub fn seal(&mut self, command: &str) -> String {
        let message = self.control.seal(format!("{command}\r\n").as_bytes()).unwrap();
        format!("ENC {}", base64(&message))
    }

    /// Sends one command in the clear.
    pub fn send_in_the_clear(&mut self, command: &str) {
        self.clear.send(command);
    }

    /// Sends octets as they are.
    pub fn send_raw_in_the_clear(&mut self, octets: &[u8]) {
        self.clear.send_raw(octets);
    }

    /// The next reply, which must be sealed and have this code. Returns its text.
    pub fn expect(&mut self, code: u16) -> String {
        let wire = self.clear.expect(632);
        let text: String = wire.lines().map(|line| self.open(line)).collect();
        let last = text.lines().last().unwrap();
        assert!(last.starts_with(&format!("{code} ")), "{text}");
        text
    }

    /// The connection must end.
    pub fn expect_end(&mut self) {
        self.clear.expect_end();
    }

    /// Sends a command, whose reply must have this code. Returns the reply's text.
    pub fn ask(&mut self, command: &str, code: u16) -> String {
        self.send(command);
        self.expect(code)
    }

    fn open(&mut self, line: &str) -> String {
        let opened = self.control.open(&unbase64(&line[4..])).unwrap();
        format!("{}\n", String::from_utf8(opened.line).unwrap())
    }

    /// EPSV, the connection, the command, its 150. Returns the connection and the transfer's number.
    pub fn open_data(&mut self, command: &str) -> (TcpStream, TransferNumber) {
        let text = self.ask("EPSV", 229);
        let stream = self.clear.dial(read_epsv_reply(text.as_bytes()).unwrap());
        let number = TransferNumber(self.control.next_sealed());
        self.ask(command, 150);
        (stream, number)
    }

    /// The transfer number that the next command would have.
    pub fn next_number(&self) -> TransferNumber {
        TransferNumber(self.control.next_sealed())
    }

    /// The sealer of an upload.
    pub fn sealer(&self, number: TransferNumber) -> Sealer {
        self.keys.sealer(number, self.level.unwrap(), BlockSize::negotiate(BLOCK_SIZE).unwrap())
    }

    /// The opener of a download.
    pub fn opener(&self, number: TransferNumber) -> Opener {
        self.keys.opener(number, self.level.unwrap(), BlockSize::negotiate(BLOCK_SIZE).unwrap())
    }

    /// All blocks of these octets, the last one included, each as it goes over the wire.
    pub fn blocks(&self, number: TransferNumber, octets: &[u8]) -> Vec<Vec<u8>> {
        let mut sealer = self.sealer(number);
        let mut blocks = Vec::new();
        for payload in octets.chunks(sealer.payload_size()) {
            let mut block = Vec::new();
            sealer.seal(payload, &mut block).unwrap();
            blocks.push(block);
        }
        let mut last = Vec::new();
        sealer.finish(&mut last).unwrap();
        blocks.push(last);
        blocks
    }

    /// Sends all octets that a command stores, by EPSV.
    pub fn store(&mut self, command: &str, octets: &[u8]) {
        let (mut stream, number) = self.open_data(command);
        if self.level.is_some() {
            stream.write_all(&self.blocks(number, octets).concat()).unwrap();
        } else {
            stream.write_all(octets).unwrap();
        }
        stream.shutdown(Shutdown::Write).unwrap();
        self.expect(226);
    }

    /// Fetches all that a command sends, by EPSV.
    pub fn fetch(&mut self, command: &str) -> Vec<u8> {
        let (mut stream, number) = self.open_data(command);
        let mut octets = Vec::new();
        stream.read_to_end(&mut octets).unwrap();
        drop(stream);
        self.expect(226);
        if self.level.is_some() { self.unseal(number, &octets) } else { octets }
    }

    /// Opens these blocks up to their authentic end, after which nothing may come.
    pub fn unseal(&self, number: TransferNumber, mut wire: &[u8]) -> Vec<u8> {
        let mut opener = self.opener(number);
        let mut octets = Vec::new();
        loop {
            let (header, rest) = wire.split_first_chunk().expect("the end is missing");
            let (block, rest) = rest.split_at(opener.block_length(*header).unwrap());
            wire = rest;
            match opener.open(&mut block.to_vec()).unwrap() {
                Block::Payload(payload) => octets.extend_from_slice(payload),
                Block::End => break,
            }
        }
        assert_eq!(wire, b"", "octets after the end");
        octets
    }
}

fn adat(reply: &str) -> Vec<u8> {
    unbase64(reply[4..].trim_end().strip_prefix("ADAT=").unwrap())
}

fn base64(octets: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(octets)
}

fn unbase64(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}
