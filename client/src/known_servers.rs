//! The file of known servers, which recognises a server that was used before. It has these lines:
//!
//! - `host:port x-safetp1 SHA256:...`: the key of the server, which the person has accepted, and with it the mechanism;
//! - `host:port tls`: the server has used TLS, so nothing weaker is used unless the person requests it;
//! - `host:port tls AB:CD:...`: the same, with this certificate, which the person has accepted.

use std::{
    env,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    str::FromStr,
};

use safetp_protocol::security::safetp1::Fingerprint;
use tempfile::NamedTempFile;

use crate::{certificate::CertificateFingerprint, failure::LocalError, url::Server};

const SAFETP1: &str = "x-safetp1";
const TLS: &str = "tls";

/// The file of known servers, which need not exist.
#[derive(Clone, Debug)]
pub(crate) struct KnownServers {
    file: PathBuf,
}

/// A server and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KnownServer {
    pub(crate) server: Server,
    /// Of the key.
    pub(crate) fingerprint: Fingerprint,
}

/// A line of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KnownLine<F = Fingerprint> {
    /// Of the known key or certificate.
    pub(crate) fingerprint: F,
    /// Counted from 1.
    pub(crate) line: usize,
}

/// What is known about TLS with a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct KnownTls {
    /// The server has used TLS.
    pub(crate) was_used: bool,
    /// The certificates that the person has accepted. Empty: those signed by a trusted CA.
    pub(crate) certificates: Vec<KnownLine<CertificateFingerprint>>,
}

/// The status of a key in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyStatus {
    /// It is the known key of this server.
    Known,
    /// No key of this server is known.
    Unknown,
    /// Another key of this server is known.
    Changed(KnownLine),
}

impl KnownServers {
    /// The file at this path.
    pub(crate) fn new(file: PathBuf) -> Self {
        Self { file }
    }

    /// `safetp/known_servers` in `$XDG_CONFIG_HOME` or `~/.config`; `None` without a home directory.
    pub(crate) fn default_file() -> Option<PathBuf> {
        let configured = env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let config = configured.or_else(|| Some(env::home_dir()?.join(".config")))?;
        Some(config.join("safetp").join("known_servers"))
    }

    /// The path of the file.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Looks up the key that a server has presented.
    pub(crate) fn look_up(&self, shown: &KnownServer) -> Result<KeyStatus, LocalError> {
        Ok(key_status(&self.keys(&self.read()?, &shown.server)?, shown))
    }

    /// Returns whether a key of this server is known, which means that the person has asked for X-SafeTP1.
    pub(crate) fn has_key(&self, server: &Server) -> Result<bool, LocalError> {
        Ok(!self.keys(&self.read_if_allowed()?, server)?.is_empty())
    }

    /// Looks up what is known about TLS with this server.
    pub(crate) fn tls(&self, server: &Server) -> Result<KnownTls, LocalError> {
        self.tls_in(&self.read_if_allowed()?, server)
    }

    /// Adds the key of a server, unless the file has one already.
    pub(crate) fn add(&self, server: &KnownServer) -> Result<(), LocalError> {
        let is_known = |text: &str| Ok(!self.keys(text, &server.server)?.is_empty());
        self.append(&format!("{} {SAFETP1} {}\n", server.server, server.fingerprint), is_known)
    }

    /// Notes that a server has used TLS, once.
    pub(crate) fn note_tls(&self, server: &Server) -> Result<(), LocalError> {
        if self.tls(server)?.was_used {
            return Ok(());
        }
        self.append(&format!("{server} {TLS}\n"), |text| Ok(self.tls_in(text, server)?.was_used))
    }

    /// Adds the certificate that the person has accepted, unless the file has one already.
    pub(crate) fn accept(&self, server: &Server, certificate: CertificateFingerprint) -> Result<(), LocalError> {
        let is_known = |text: &str| Ok(!self.tls_in(text, server)?.certificates.is_empty());
        self.append(&format!("{server} {TLS} {certificate}\n"), is_known)
    }

    /// Appends a line under a lock; a reader sees the old file or the new one.
    fn append(&self, line: &str, is_there: impl FnOnce(&str) -> Result<bool, LocalError>) -> Result<(), LocalError> {
        let failed = |action| LocalError::file(action, &self.file);
        let directory = self.file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(directory).map_err(failed("create the directory of"))?;
        let _lock = self.lock().map_err(failed("lock"))?;
        let mut text = self.read()?;
        if is_there(&text)? {
            return Ok(());
        }
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(line);
        self.replace(directory, &text).map_err(failed("write"))
    }

    fn read(&self) -> Result<String, LocalError> {
        match fs::read(&self.file) {
            Ok(octets) => Ok(String::from_utf8_lossy(&octets).into_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            Err(error) => Err(LocalError::file("read", &self.file)(error)),
        }
    }

    /// Treats a file that this user may not read as empty: TLS is used then, and CAs decide.
    fn read_if_allowed(&self) -> Result<String, LocalError> {
        use io::ErrorKind::{NotADirectory, PermissionDenied};
        match self.read() {
            Err(LocalError::File { source, .. }) if matches!(source.kind(), NotADirectory | PermissionDenied) => {
                Ok(String::new())
            }
            text => text,
        }
    }

    fn keys(&self, text: &str, server: &Server) -> Result<Vec<KnownLine>, LocalError> {
        let lines = lines(text, server, SAFETP1);
        lines.map(|(line, word)| self.known(line, word.unwrap_or_default())).collect()
    }

    fn tls_in(&self, text: &str, server: &Server) -> Result<KnownTls, LocalError> {
        let mut known = KnownTls::default();
        for (line, word) in lines(text, server, TLS) {
            known.was_used = true;
            if let Some(word) = word {
                known.certificates.push(self.known(line, word)?);
            }
        }
        Ok(known)
    }

    /// Parses the fingerprint of a line. A failure is an error, since an unknown key could be accepted.
    fn known<F: FromStr>(&self, line: usize, word: &str) -> Result<KnownLine<F>, LocalError> {
        let fingerprint = word.parse().map_err(|_| LocalError::Unfit {
            path: self.file.clone(),
            reason: format!("line {line} has no valid fingerprint"),
            advice: "Correct or delete the line.",
        })?;
        Ok(KnownLine { fingerprint, line })
    }

    /// Locks a file of its own until it is dropped, since the file of known servers itself is replaced.
    fn lock(&self) -> io::Result<File> {
        let mut name = self.file.clone().into_os_string();
        name.push(".lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(name)?;
        file.lock()?;
        Ok(file)
    }

    fn replace(&self, directory: &Path, text: &str) -> io::Result<()> {
        // A link to the file stays a link.
        let file = fs::canonicalize(&self.file).unwrap_or_else(|_| self.file.clone());
        let mut new = NamedTempFile::new_in(file.parent().unwrap_or(directory))?;
        new.write_all(text.as_bytes())?;
        new.as_file().sync_all()?;
        new.persist(&file)?;
        Ok(())
    }
}

/// The lines of one server and one mechanism: their numbers, and the word after the mechanism.
fn lines<'a>(text: &'a str, server: &Server, mechanism: &str) -> impl Iterator<Item = (usize, Option<&'a str>)> {
    text.lines().enumerate().filter_map(move |(index, line)| {
        let mut words = line.split_whitespace();
        let is_ours = words.next().is_some_and(|word| word.parse().ok().as_ref() == Some(server));
        (is_ours && words.next() == Some(mechanism)).then(|| (index + 1, words.next()))
    })
}

fn key_status(known: &[KnownLine], shown: &KnownServer) -> KeyStatus {
    if known.iter().any(|line| line.fingerprint == shown.fingerprint) {
        return KeyStatus::Known;
    }
    known.first().map_or(KeyStatus::Unknown, |line| KeyStatus::Changed(line.clone()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use tempfile::TempDir;

    use super::*;

    const A: &str = "SHA256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    const B: &str = "SHA256:AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

    fn known_servers(text: &str) -> (TempDir, KnownServers) {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("config/known_servers");
        if !text.is_empty() {
            fs::create_dir(file.parent().unwrap()).unwrap();
            fs::write(&file, text).unwrap();
        }
        (directory, KnownServers::new(file))
    }

    fn server(server: &str, fingerprint: &str) -> KnownServer {
        KnownServer { server: server.parse().unwrap(), fingerprint: fingerprint.parse().unwrap() }
    }

    #[test]
    fn an_added_key_is_known() {
        let (_directory, known) = known_servers("");
        assert_eq!(known.look_up(&server("host", A)).unwrap(), KeyStatus::Unknown);
        known.add(&server("host", A)).unwrap();
        known.add(&server("host", A)).unwrap();
        assert_eq!(known.look_up(&server("HOST:21", A)).unwrap(), KeyStatus::Known);
        assert_eq!(known.look_up(&server("host:2121", A)).unwrap(), KeyStatus::Unknown);
        assert_eq!(fs::read_to_string(known.file()).unwrap(), format!("host:21 x-safetp1 {A}\n"));
    }

    #[test]
    fn a_changed_key_is_reported_with_its_line_and_cannot_be_added() {
        let (_directory, known) = known_servers(&format!("# mine\n\nother:21 x-safetp1 {B}\nhost:21 x-safetp1 {A}"));
        let changed = KeyStatus::Changed(KnownLine { fingerprint: A.parse().unwrap(), line: 4 });
        assert_eq!(known.look_up(&server("host", B)).unwrap(), changed);
        known.add(&server("host", B)).unwrap();
        assert_eq!(known.look_up(&server("host", B)).unwrap(), changed);
    }

    #[test]
    fn comments_other_mechanisms_and_a_missing_line_end_are_kept() {
        let before = "# mine\nhost:21 x-other some key\nwhatever";
        let (_directory, known) = known_servers(before);
        known.add(&server("host", A)).unwrap();
        assert_eq!(fs::read_to_string(known.file()).unwrap(), format!("{before}\nhost:21 x-safetp1 {A}\n"));
    }

    #[test]
    fn a_line_that_cannot_be_read_does_not_make_a_key_unknown() {
        let (_directory, known) = known_servers("host:21 x-safetp1 SHA256:oops\n");
        assert!(known.look_up(&server("host", A)).unwrap_err().to_string().contains("line 1"));
    }

    const CERTIFICATE: &str =
        "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F";

    #[test]
    fn a_server_that_used_tls_is_noted_once() {
        let (_directory, known) = known_servers("");
        let [host, other]: [Server; 2] = ["host", "host:2121"].map(|server| server.parse().unwrap());
        known.note_tls(&host).unwrap();
        known.note_tls(&host).unwrap();
        assert!(known.tls(&host).unwrap().was_used && !known.tls(&other).unwrap().was_used);
        assert!(!known.has_key(&host).unwrap());
        assert_eq!(fs::read_to_string(known.file()).unwrap(), "host:21 tls\n");
    }

    #[test]
    fn a_certificate_is_accepted_once_and_notes_tls_as_well() {
        let (_directory, known) = known_servers("host tls\n");
        let host: Server = "host".parse().unwrap();
        let certificate = CERTIFICATE.parse().unwrap();
        known.accept(&host, certificate).unwrap();
        known.accept(&host, certificate).unwrap();
        assert_eq!(known.tls(&host).unwrap().certificates, [KnownLine { fingerprint: certificate, line: 2 }]);
        assert_eq!(fs::read_to_string(known.file()).unwrap(), format!("host tls\nhost:21 tls {CERTIFICATE}\n"));
        let (_directory, known) = known_servers("host tls oops\n");
        assert!(known.tls(&host).unwrap_err().to_string().contains("line 1"));
    }

    #[test]
    fn an_unreadable_file_allows_tls_and_accepts_no_key() {
        let known = KnownServers::new("/dev/null/known_servers".into());
        let host: Server = "host".parse().unwrap();
        assert_eq!(known.tls(&host).unwrap(), KnownTls::default());
        assert!(!known.has_key(&host).unwrap());
        assert!(known.look_up(&server("host", A)).is_err());
    }

    #[test]
    fn the_file_has_mode_0600() {
        let (_directory, known) = known_servers("");
        known.add(&server("host", A)).unwrap();
        assert_eq!(fs::metadata(known.file()).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn concurrent_writers_lose_no_line() {
        let (_directory, known) = known_servers("");
        std::thread::scope(|scope| {
            for index in 0..8 {
                let known = &known;
                scope.spawn(move || known.add(&server(&format!("host{index}"), A)).unwrap());
            }
        });
        assert_eq!(fs::read_to_string(known.file()).unwrap().lines().count(), 8);
    }
}
