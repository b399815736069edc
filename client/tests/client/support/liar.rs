//! A server that lies: right in everything but what its story says.

use std::{
    io::{self, BufRead as _, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use getrandom::SysRng;
use rand_core::UnwrapErr;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::PrivateKeyDer;
use safetp_pod::dsa_key;
use safetp_protocol::security::safetp1::{
    BlockSize, Control, DataKeys, Level, Secured, ServerIp, SigningKey, TransferNumber, server,
};
use sha2::{Digest as _, Sha256};
use socket2::SockRef;
use tempfile::TempDir;

mod story;

use story::identity;
pub(crate) use story::{By, CONTENT, Story};

/// The server, for one session after the other.
pub(crate) struct Liar {
    pub(crate) port: u16,
    directory: TempDir,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Liar {
    pub(crate) fn start(story: Story, by: By) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let identity = identity(story);
        std::fs::write(directory.path().join("ca.pem"), identity.cert.pem()).unwrap();
        let key = PrivateKeyDer::try_from(identity.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let tls = tls.with_no_client_auth().with_single_cert(vec![identity.cert.der().clone()], key).unwrap();
        let heard = Arc::default();
        let liar = Self { port: listener.local_addr().unwrap().port(), directory, heard: Arc::clone(&heard) };
        std::thread::spawn(move || {
            let tls = Arc::new(tls);
            for stream in listener.incoming() {
                let channel = Channel::Clear(BufReader::new(stream.unwrap()));
                let (tls, heard) = (Arc::clone(&tls), Arc::clone(&heard));
                let mut session = Session {
                    story,
                    by,
                    tls,
                    heard,
                    channel,
                    keys: None,
                    number: 0,
                    data: None,
                    start: 0,
                    open: Vec::new(),
                };
                // The client may leave whenever it likes.
                let _ = session.serve();
            }
        });
        liar
    }

    pub(crate) fn ca_file(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// The commands that came, without their protection.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

type Tls<S> = StreamOwned<ServerConnection, S>;

enum Channel {
    Clear(BufReader<TcpStream>),
    Tls(Box<BufReader<Tls<TcpStream>>>),
    SafeTp1(BufReader<TcpStream>, Box<Control>),
    Gone,
}

struct Session {
    story: Story,
    by: By,
    tls: Arc<ServerConfig>,
    heard: Arc<Mutex<Vec<String>>>,
    channel: Channel,
    keys: Option<DataKeys>,
    number: u32,
    data: Option<TcpListener>,
    /// The offset of the last REST.
    start: usize,
    /// Data connections that are left open.
    open: Vec<TcpStream>,
}

impl Session {
    fn serve(&mut self) -> io::Result<()> {
        self.say(if self.story == Story::AnotherProtocol { "SSH-2.0-OpenSSH_9.9" } else { "220 ready" })?;
        while let Some(line) = self.hear()? {
            self.heard.lock().unwrap().push(line.clone());
            self.answer(&line)?;
        }
        Ok(())
    }

    fn answer(&mut self, line: &str) -> io::Result<()> {
        let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
        match verb {
            "FEAT" if self.story == Story::NeverEnds => self.say_without_end(),
            "FEAT" if self.story == Story::HidesTls && matches!(self.channel, Channel::Clear(_)) => {
                self.say("211-Features:\r\n AUTH X-SafeTP1\r\n SIZE\r\n211 End")
            }
            "FEAT" => {
                let hash = if self.story == Story::Hashes { " HASH SHA-256*\r\n" } else { "" };
                self.say(&format!("211-Features:\r\n AUTH TLS\r\n AUTH X-SafeTP1\r\n{hash} SIZE\r\n211 End"))
            }
            "AUTH" if self.story == Story::RefusesTls => self.say("504 not today"),
            "AUTH" if argument == "TLS" => self.start_tls(),
            "AUTH" => self.exchange(),
            "USER" => self.say("331 password"),
            "PASS" => self.welcome(),
            "SIZE" => self.say(&format!("213 {}", CONTENT.len())),
            "EPSV" if self.story == Story::PointsElsewhere => self.say("500 what?"),
            "EPSV" => {
                let port = self.listen();
                self.say(&format!("229 ok (|||{port}|)"))
            }
            "PASV" => {
                let [high, low] = self.listen().to_be_bytes();
                self.say(&format!("227 ok (192,0,2,1,{high},{low})"))
            }
            "RETR" | "NLST" => self.send(),
            "STOR" => self.receive(),
            "REST" => {
                self.start = argument.parse().unwrap();
                self.say("350 go on")
            }
            "RANG" => {
                self.start = argument.split(' ').nth(1).unwrap().parse::<usize>().unwrap() + 1;
                self.say("350 go on")
            }
            "HASH" => {
                let length = std::mem::take(&mut self.start);
                let hash = hex::encode(Sha256::digest(&CONTENT[..length]));
                self.say(&format!("213 SHA-256 0-{} {hash} file", length - 1))
            }
            "PBSZ" if self.story == Story::GrowsBlocks => {
                self.say(&format!("200 PBSZ={}", argument.parse::<u32>().unwrap() + 1))
            }
            "PWD" if self.story == Story::PaintsPath => self.say("257 \"/\u{1b}[2Ja\u{202e}b\""),
            "MLST" | "MDTM" => self.say("500 what?"),
            _ => self.say("200 ok"),
        }
    }

    fn welcome(&mut self) -> io::Result<()> {
        match (self.story, &mut self.channel) {
            (Story::RepliesInTheClear, Channel::SafeTp1(stream, _)) => stream.get_mut().write_all(b"230 welcome\r\n"),
            (Story::FlipsReply, Channel::SafeTp1(stream, control)) => {
                let mut message = control.seal(b"230 welcome\r\n").unwrap();
                message[5] ^= 1;
                stream.get_mut().write_all(format!("632 {}\r\n", BASE64_STANDARD.encode(message)).as_bytes())
            }
            _ => self.say("230 welcome"),
        }
    }

    /// Many times what any reply has. Fails once the client has gone.
    fn say_without_end(&mut self) -> io::Result<()> {
        let lines = " a feature\r\n".repeat(1000);
        self.say("211-Features:")?;
        for _ in 0..100_000_000 / lines.len() {
            self.say(lines.trim_end())?;
        }
        self.say("211 End")
    }

    fn listen(&mut self) -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        self.data = Some(listener);
        port
    }

    fn start_tls(&mut self) -> io::Result<()> {
        let injected = if self.story == Story::InjectsAfter234 { "\r\n230 welcome" } else { "" };
        self.say(&format!("234 go on{injected}"))?;
        let Channel::Clear(stream) = std::mem::replace(&mut self.channel, Channel::Gone) else { panic!("AUTH twice") };
        let connection = ServerConnection::new(Arc::clone(&self.tls)).unwrap();
        let stream = StreamOwned::new(connection, stream.into_inner());
        self.channel = Channel::Tls(Box::new(BufReader::new(stream)));
        Ok(())
    }

    fn exchange(&mut self) -> io::Result<()> {
        let key = Arc::new(SigningKey::from_pkcs8_pem(&dsa_key().to_pkcs8_pem()).unwrap());
        let (awaiting, message1) = server::begin(key);
        self.say(&format!("334 ADAT={}", BASE64_STANDARD.encode(message1)))?;
        let own = ServerIp::from(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST));
        let answer = awaiting.answer(&self.hear_adat()?, own, &mut UnwrapErr(SysRng));
        let (awaiting, message3) = answer.unwrap();
        self.say(&format!("335 ADAT={}", BASE64_STANDARD.encode(message3)))?;
        let Secured { control, data } = awaiting.finish(&self.hear_adat()?).unwrap();
        self.say("235 done")?;
        let Channel::Clear(stream) = std::mem::replace(&mut self.channel, Channel::Gone) else { panic!("AUTH twice") };
        self.channel = Channel::SafeTp1(stream, Box::new(control));
        self.keys = Some(data);
        Ok(())
    }

    fn hear_adat(&mut self) -> io::Result<Vec<u8>> {
        let line = self.hear()?.ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(BASE64_STANDARD.decode(line.strip_prefix("ADAT ").unwrap()).unwrap())
    }

    fn send(&mut self) -> io::Result<()> {
        let (stream, _) = self.data.take().unwrap().accept()?;
        self.say("150 here it comes")?;
        match self.by {
            By::Nothing => self.send_clear(stream)?,
            By::Tls => self.send_tls(stream)?,
            By::SafeTp1 => self.send_blocks(stream)?,
        }
        self.end()
    }

    fn end(&mut self) -> io::Result<()> {
        match self.story {
            Story::SaysNotWhole => self.say("426 that was not all"),
            Story::SaysNothing => Err(io::ErrorKind::ConnectionAborted.into()),
            _ => self.say("226 that was all"),
        }
    }

    fn send_clear(&self, mut stream: TcpStream) -> io::Result<()> {
        let half = CONTENT.len() / 2;
        let start = self.start;
        stream.write_all(if self.story == Story::CutsData { &CONTENT[..half] } else { &CONTENT[start..] })
    }

    fn send_tls(&self, stream: TcpStream) -> io::Result<()> {
        let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&self.tls)).unwrap(), stream);
        stream.write_all(&CONTENT[self.start..])?;
        stream.flush()?;
        if self.story == Story::FlipsData {
            // A record that was not sealed.
            stream.sock.write_all(&[23, 3, 3, 0, 32])?;
            stream.sock.write_all(&[0; 32])?;
        } else if self.story != Story::CutsData {
            stream.conn.send_close_notify();
            stream.flush()?;
        }
        Ok(())
    }

    fn send_blocks(&mut self, mut stream: TcpStream) -> io::Result<()> {
        let size = BlockSize::negotiate(64).unwrap();
        let transfer = TransferNumber(self.number);
        let mut sealer = self.keys.as_ref().unwrap().sealer(transfer, Level::Private, size);
        let mut blocks = vec![Vec::new()];
        for payload in CONTENT.chunks(sealer.payload_size()) {
            sealer.seal(payload, blocks.last_mut().unwrap()).unwrap();
            blocks.push(Vec::new());
        }
        sealer.finish(blocks.last_mut().unwrap()).unwrap();
        match self.story {
            Story::CutsData => drop(blocks.pop()),
            Story::FlipsData => blocks[1][20] ^= 0x40,
            Story::RepeatsData => blocks.push(blocks[0].clone()),
            _ => {}
        }
        stream.write_all(&blocks.concat())?;
        match self.story {
            Story::ResetsAfterEnd => SockRef::from(&stream).set_linger(Some(Duration::ZERO)),
            Story::SilentAfterEnd => {
                self.open.push(stream);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn receive(&mut self) -> io::Result<()> {
        let (mut stream, _) = self.data.take().unwrap().accept()?;
        self.say("150 let it come")?;
        io::copy(&mut stream, &mut io::sink())?;
        drop(stream);
        self.end()
    }

    fn say(&mut self, lines: &str) -> io::Result<()> {
        match &mut self.channel {
            Channel::Clear(stream) => stream.get_mut().write_all(format!("{lines}\r\n").as_bytes()),
            Channel::Tls(stream) => {
                stream.get_mut().write_all(format!("{lines}\r\n").as_bytes())?;
                stream.get_mut().flush()
            }
            Channel::SafeTp1(stream, control) => {
                let count = lines.lines().count();
                for (index, line) in lines.lines().enumerate() {
                    let message = BASE64_STANDARD.encode(control.seal(format!("{line}\r\n").as_bytes()).unwrap());
                    let mark = if index + 1 == count { ' ' } else { '-' };
                    stream.get_mut().write_all(format!("632{mark}{message}\r\n").as_bytes())?;
                }
                Ok(())
            }
            Channel::Gone => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn hear(&mut self) -> io::Result<Option<String>> {
        match &mut self.channel {
            Channel::Clear(stream) => line(stream),
            Channel::Tls(stream) => line(stream),
            Channel::SafeTp1(stream, control) => {
                let Some(line) = line(stream)? else { return Ok(None) };
                let message = BASE64_STANDARD.decode(line.strip_prefix("ENC ").unwrap()).unwrap();
                let opened = control.open(&message).unwrap();
                self.number = opened.number;
                Ok(Some(String::from_utf8(opened.line).unwrap()))
            }
            Channel::Gone => Ok(None),
        }
    }
}

fn line(stream: &mut BufReader<impl Read>) -> io::Result<Option<String>> {
    let mut line = String::new();
    let count = stream.read_line(&mut line)?;
    Ok((count > 0).then(|| line.trim_end().to_owned()))
}
