//! A running server over temporary directories, and a gateway in miniature.

use std::{
    fs::{self, File},
    io::{IoSliceMut, Read as _, Seek as _, Write as _},
    mem::MaybeUninit,
    os::{
        fd::OwnedFd,
        unix::{fs::PermissionsExt as _, net::UnixStream},
    },
    path::{Path, PathBuf},
    sync::OnceLock,
    time::{Duration, Instant},
};

use argon2::{Algorithm, Argon2, Params, Version, password_hash::PasswordHasher as _};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, recvmsg};
use safetp_config::{
    ftpd::{FtpdConfig, PasswordHash, User, Users},
    paths::{FTPD_FILE, USERS_FILE},
    status::Landlock,
};
use safetp_fence::Reach;
use safetp_ftpd::{
    server::{Options, Server, Throttle},
    shut_in,
};
use safetp_protocol::reply::{Reply, ReplyDecoder};
use tempfile::TempDir;
use tokio::runtime::Runtime;

pub(crate) const PASSWORD: &str = "correct horse battery staple";
pub(crate) const KEEP_PARTS_HOURS: u32 = 24;
const PATIENCE: Duration = Duration::from_secs(20);

/// A server with the accounts `alice`, `bob` (with homes of their names) and `reader`, who reads in alice's home.
pub(crate) struct World {
    directory: TempDir,
    runtime: Runtime,
    landlock: Landlock,
}

/// Threads that are shut in as the program is, so that every test shows that nothing is missing there. They inherit it
/// from the one that creates them.
fn shut_in_runtime(reach: &Reach) -> (Runtime, Landlock) {
    let found = || {
        let landlock = safetp_fence::shut_in(reach, shut_in::CALLS).unwrap();
        (Runtime::new().unwrap(), landlock)
    };
    std::thread::scope(|scope| scope.spawn(found).join().unwrap())
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with_throttle(Throttle::default())
    }

    pub(crate) fn with_throttle(throttle: Throttle) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for name in ["run", "config", "data"] {
            fs::create_dir(directory.path().join(name)).unwrap();
        }
        let path = |name: &str| directory.path().join(name);
        let reach = shut_in::reach(&path("data"), &path("run/ftpd.sock"), &path("config"));
        let (runtime, landlock) = shut_in_runtime(&reach);
        let world = Self { directory, runtime, landlock };
        world.configure(&users());
        world.start(throttle);
        world
    }

    /// A world, and alice's session in it.
    pub(crate) fn with_alice() -> (Self, Gateway) {
        let world = Self::new();
        let alice = world.login("alice");
        (world, alice)
    }

    fn start(&self, throttle: Throttle) {
        self.serve(self.socket(), throttle, Duration::from_hours(1));
    }

    /// Another server over the same volume, which looks for old parts as often as this.
    pub(crate) fn start_another(&self, sweep_every: Duration) {
        self.serve(self.socket().with_extension("another"), Throttle::default(), sweep_every);
    }

    fn serve(&self, socket: PathBuf, throttle: Throttle, sweep_every: Duration) {
        let (config, data, landlock) = (self.config(), self.data(), self.landlock);
        let options = Options { socket, config, data, throttle, sweep_every, landlock };
        // From inside, since the server creates threads of its own.
        self.inside(|| drop(tokio::spawn(Server::start(options).unwrap().run(std::future::pending()))));
    }

    /// Runs this on one of the server's own threads.
    pub(crate) fn inside<T: Send + 'static>(&self, what: impl FnOnce() -> T + Send + 'static) -> T {
        self.runtime.block_on(self.runtime.spawn(async { what() })).unwrap()
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.path().join("run/ftpd.sock")
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.directory.path().join("config")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// A path in alice's home.
    pub(crate) fn alice(&self, path: &str) -> PathBuf {
        self.data().join("alice").join(path)
    }

    /// Every unfinished upload of alice.
    pub(crate) fn parts(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.alice(".safetp-parts"));
        entries.map(|entries| entries.map(|entry| entry.unwrap().path()).collect()).unwrap_or_default()
    }

    /// Writes the operator's files as the kubelet does: a new directory, and a link that is swapped.
    pub(crate) fn configure(&self, users: &Users) {
        self.configure_raw(&serde_json::to_vec(users).unwrap());
    }

    pub(crate) fn configure_raw(&self, users: &[u8]) {
        self.configure_files(&FtpdConfig { keep_parts_hours: KEEP_PARTS_HOURS, name_encoding: None }, users);
    }

    pub(crate) fn configure_files(&self, ftpd: &FtpdConfig, users: &[u8]) {
        let config = self.config();
        let generation = fs::read_dir(&config).unwrap().count();
        let fresh = config.join(format!("..{generation}"));
        fs::create_dir(&fresh).unwrap();
        fs::write(fresh.join(FTPD_FILE), serde_json::to_vec(ftpd).unwrap()).unwrap();
        fs::write(fresh.join(USERS_FILE), users).unwrap();
        let link = config.join("..data_tmp");
        std::os::unix::fs::symlink(&fresh, &link).unwrap();
        fs::rename(&link, config.join("..data")).unwrap();
        for name in [FTPD_FILE, USERS_FILE] {
            let _ = std::os::unix::fs::symlink(Path::new("..data").join(name), config.join(name));
        }
    }

    pub(crate) fn connect(&self) -> Gateway {
        greeted(&self.socket())
    }

    pub(crate) fn login(&self, name: &str) -> Gateway {
        Self::login_at(&self.socket(), name)
    }

    pub(crate) fn login_at(socket: &Path, name: &str) -> Gateway {
        let mut gateway = greeted(socket);
        gateway.ask("XPEER 192.0.2.1 7", 200);
        gateway.ask(&format!("USER {name}"), 331);
        gateway.ask(&format!("PASS {PASSWORD}"), 230);
        gateway.ask("TYPE I", 200);
        gateway
    }
}

fn greeted(socket: &Path) -> Gateway {
    let mut gateway = Gateway::connect(socket);
    gateway.expect(220);
    gateway
}

/// The users of [`World::new`].
pub(crate) fn users() -> Users {
    let user = |home: &str, read_only| User { password: hash(), home: home.into(), read_only, name_encoding: None };
    let users = [("alice", user("alice", false)), ("bob", user("bob", false)), ("reader", user("alice", true))];
    Users { users: users.into_iter().map(|(name, user)| (name.to_owned(), user)).collect() }
}

/// Of [`PASSWORD`], as cheap as the algorithm can be: what it costs is not what is tested.
pub(crate) fn hash() -> PasswordHash {
    static HASH: OnceLock<String> = OnceLock::new();
    PasswordHash(HASH.get_or_init(|| hash_of(PASSWORD)).clone())
}

pub(crate) fn hash_of(password: &str) -> String {
    let params = Params::new(8, 1, 1, None).unwrap();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password(password.as_bytes()).unwrap().to_string()
}

/// The other end of the dialect.
pub(crate) struct Gateway {
    stream: UnixStream,
    replies: ReplyDecoder,
    descriptors: Vec<OwnedFd>,
}

impl Gateway {
    fn connect(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { stream, replies: ReplyDecoder::default(), descriptors: Vec::new() }
    }

    pub(crate) fn send(&mut self, octets: &[u8]) {
        self.stream.write_all(octets).unwrap();
    }

    /// The next reply; `None` at the connection's end.
    pub(crate) fn reply(&mut self) -> Option<Reply> {
        loop {
            if let Some(reply) = self.replies.next_reply().unwrap() {
                return Some(reply);
            }
            let octets = self.receive();
            if octets.is_empty() {
                return None;
            }
            self.replies.push(&octets);
        }
    }

    fn receive(&mut self) -> Vec<u8> {
        let mut octets = [0; 4096];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let slices = &mut [IoSliceMut::new(&mut octets)];
        let message = recvmsg(&self.stream, slices, &mut control, RecvFlags::CMSG_CLOEXEC).unwrap();
        assert!(!message.flags.contains(ReturnFlags::CTRUNC));
        for received in control.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = received {
                self.descriptors.extend(descriptors);
            }
        }
        octets[..message.bytes].to_vec()
    }

    /// The text of the next reply, which must have this code.
    pub(crate) fn expect(&mut self, code: u16) -> String {
        String::from_utf8(self.expect_octets(code)).unwrap()
    }

    fn expect_octets(&mut self, code: u16) -> Vec<u8> {
        let reply = self.reply().expect("a reply and not the end");
        let octets = reply.encode();
        assert_eq!(reply.code().number(), code, "{}", String::from_utf8_lossy(&octets));
        octets
    }

    /// The text of the reply to `command`.
    pub(crate) fn ask(&mut self, command: &str, code: u16) -> String {
        self.send(format!("{command}\r\n").as_bytes());
        self.expect(code)
    }

    /// The octets of the reply to `command`, for names that are not UTF-8.
    pub(crate) fn ask_octets(&mut self, command: &[u8], code: u16) -> Vec<u8> {
        self.send(&[command, b"\r\n"].concat());
        self.expect_octets(code)
    }

    /// Begins a transfer: the descriptor that came with the 150.
    pub(crate) fn begin(&mut self, command: impl AsRef<[u8]>) -> File {
        self.ask_octets(command.as_ref(), 150);
        self.descriptor()
    }

    pub(crate) fn descriptor(&mut self) -> File {
        assert_eq!(self.descriptors.len(), 1, "one descriptor with each 150");
        File::from(self.descriptors.pop().unwrap())
    }

    /// A whole download or listing.
    pub(crate) fn fetch(&mut self, command: &str) -> String {
        String::from_utf8(self.fetch_octets(command.as_bytes())).unwrap()
    }

    /// The same for names that are not UTF-8.
    pub(crate) fn fetch_octets(&mut self, command: &[u8]) -> Vec<u8> {
        let mut file = self.begin(command);
        let mut octets = Vec::new();
        file.read_to_end(&mut octets).unwrap();
        drop(file);
        self.ask("XCOMPLETE", 226);
        octets
    }

    /// Begins an upload and writes `content`: what is held is the transfer.
    pub(crate) fn begin_upload(&mut self, command: impl AsRef<[u8]>, content: &str) -> File {
        let mut file = self.begin(command);
        file.write_all(content.as_bytes()).unwrap();
        file
    }

    /// A whole upload.
    pub(crate) fn store(&mut self, command: impl AsRef<[u8]>, content: &str) {
        drop(self.begin_upload(command, content));
        self.ask("XCOMPLETE", 226);
    }

    /// An upload that breaks off after `content`.
    pub(crate) fn store_broken(&mut self, command: &str, content: &str) {
        drop(self.begin_upload(command, content));
        self.ask("XFAILED", 426);
    }

    pub(crate) fn assert_no_descriptor(&self) {
        assert!(self.descriptors.is_empty());
    }
}

/// Where a descriptor stands.
pub(crate) fn position(file: &mut File) -> u64 {
    file.stream_position().unwrap()
}

pub(crate) fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// Waits for something that another process or thread brings about, by looking.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < PATIENCE, "never came: {what}");
        std::thread::yield_now();
    }
}
