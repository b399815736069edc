//! The file of known servers, by which a server is the one it was. One line each:
//!
//! - `host:port x-safetp1 SHA256:...`: its key, which a person has accepted, and with it the mechanism;
//! - `host:port tls`: it has done TLS, so nothing less is spoken with it unless a person asks for that;
//! - `host:port tls AB:CD:...`: the same, by this certificate, which a person has accepted.

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

/// The file, which need not exist.
#[derive(Clone, Debug)]
pub(crate) struct KnownServers {
    file: PathBuf,
}

/// A server and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KnownServer {
    /// Host and port, as they stood in the URL.
    pub(crate) server: Server,
    /// Of its key.
    pub(crate) fingerprint: Fingerprint,
}

/// A line of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KnownLine<F = Fingerprint> {
    /// Of the key or the certificate that is known.
    pub(crate) fingerprint: F,
    /// Which line it is, from 1.
    pub(crate) line: usize,
}

/// What the file says of a server and TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct KnownTls {
    /// The server has done TLS.
    pub(crate) was_done: bool,
    /// The certificates that a person has accepted. None: those that a CA stands for.
    pub(crate) certificates: Vec<KnownLine<CertificateFingerprint>>,
}

/// What the file says of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is this server's.
    Known,
    /// Nothing is known of this server.
    Unknown,
    /// Another key is this server's.
    Changed(KnownLine),
}

impl KnownServers {
    /// The file at this path.
    pub(crate) fn new(file: PathBuf) -> Self {
        Self { file }
    }

    /// `safetp/known_servers` in `$XDG_CONFIG_HOME` or `~/.config`; none where there is no home.
    pub(crate) fn default_file() -> Option<PathBuf> {
        let configured = env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let config = configured.or_else(|| Some(env::home_dir()?.join(".config")))?;
        Some(config.join("safetp").join("known_servers"))
    }

    /// Where the file is.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// What the file says of the key that a server has shown.
    pub(crate) fn look_up(&self, shown: &KnownServer) -> Result<Standing, LocalError> {
        Ok(standing(&self.keys(&self.read()?, &shown.server)?, shown))
    }

    /// Whether a key of this server is known, so that a person has once asked for X-SafeTP1.
    pub(crate) fn has_key(&self, server: &Server) -> Result<bool, LocalError> {
        Ok(!self.keys(&self.read_if_allowed()?, server)?.is_empty())
    }

    /// What the file says of this server and TLS.
    pub(crate) fn tls(&self, server: &Server) -> Result<KnownTls, LocalError> {
        self.tls_in(&self.read_if_allowed()?, server)
    }

    /// Writes down a key of a server that is not in the file, and leaves it alone if it is.
    pub(crate) fn add(&self, server: &KnownServer) -> Result<(), LocalError> {
        let is_known = |text: &str| Ok(!self.keys(text, &server.server)?.is_empty());
        self.append(&format!("{} {SAFETP1} {}\n", server.server, server.fingerprint), is_known)
    }

    /// Writes down that a server has done TLS, once.
    pub(crate) fn note_tls(&self, server: &Server) -> Result<(), LocalError> {
        if self.tls(server)?.was_done {
            return Ok(());
        }
        self.append(&format!("{server} {TLS}\n"), |text| Ok(self.tls_in(text, server)?.was_done))
    }

    /// Writes down the certificate that a person has accepted, unless there is one already.
    pub(crate) fn accept(&self, server: &Server, certificate: CertificateFingerprint) -> Result<(), LocalError> {
        let is_known = |text: &str| Ok(!self.tls_in(text, server)?.certificates.is_empty());
        self.append(&format!("{server} {TLS} {certificate}\n"), is_known)
    }

    /// Two writers wait for each other; a reader sees the file as it was or as it is.
    fn append(&self, line: &str, is_there: impl FnOnce(&str) -> Result<bool, LocalError>) -> Result<(), LocalError> {
        let failed = |action| LocalError::file(action, &self.file);
        let directory = self.file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(directory).map_err(failed("make the directory of"))?;
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

    /// Who may not read the file has accepted nothing in it; without it TLS is spoken, and CAs are asked.
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
            known.was_done = true;
            if let Some(word) = word {
                known.certificates.push(self.known(line, word)?);
            }
        }
        Ok(known)
    }

    /// A line of this server that cannot be read must not make its key an unknown one.
    fn known<F: FromStr>(&self, line: usize, word: &str) -> Result<KnownLine<F>, LocalError> {
        let fingerprint = word.parse().map_err(|_| LocalError::Unfit {
            path: self.file.clone(),
            reason: format!("line {line} has no fingerprint that can be read"),
            advice: "Correct the line, or delete it.",
        })?;
        Ok(KnownLine { fingerprint, line })
    }

    /// Held until it is dropped. A file of its own, since the known servers themselves are replaced.
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

/// The lines of one server and one mechanism: their numbers, and what comes after the mechanism.
fn lines<'a>(text: &'a str, server: &Server, mechanism: &str) -> impl Iterator<Item = (usize, Option<&'a str>)> {
    text.lines().enumerate().filter_map(move |(index, line)| {
        let mut words = line.split_whitespace();
        let is_ours = words.next().is_some_and(|word| word.parse().ok().as_ref() == Some(server));
        (is_ours && words.next() == Some(mechanism)).then(|| (index + 1, words.next()))
    })
}

fn standing(known: &[KnownLine], shown: &KnownServer) -> Standing {
    if known.iter().any(|line| line.fingerprint == shown.fingerprint) {
        return Standing::Known;
    }
    known.first().map_or(Standing::Unknown, |line| Standing::Changed(line.clone()))
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
    fn a_key_is_known_once_it_was_added() {
        let (_directory, known) = known_servers("");
        assert_eq!(known.look_up(&server("host", A)).unwrap(), Standing::Unknown);
        known.add(&server("host", A)).unwrap();
        known.add(&server("host", A)).unwrap();
        assert_eq!(known.look_up(&server("HOST:21", A)).unwrap(), Standing::Known);
        assert_eq!(known.look_up(&server("host:2121", A)).unwrap(), Standing::Unknown);
        assert_eq!(fs::read_to_string(known.file()).unwrap(), format!("host:21 x-safetp1 {A}\n"));
    }

    #[test]
    fn a_changed_key_is_told_with_its_line_and_cannot_be_added() {
        let (_directory, known) = known_servers(&format!("# mine\n\nother:21 x-safetp1 {B}\nhost:21 x-safetp1 {A}"));
        let changed = Standing::Changed(KnownLine { fingerprint: A.parse().unwrap(), line: 4 });
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
    fn a_server_that_did_tls_is_noted_once() {
        let (_directory, known) = known_servers("");
        let [host, other]: [Server; 2] = ["host", "host:2121"].map(|server| server.parse().unwrap());
        known.note_tls(&host).unwrap();
        known.note_tls(&host).unwrap();
        assert!(known.tls(&host).unwrap().was_done && !known.tls(&other).unwrap().was_done);
        assert!(!known.has_key(&host).unwrap());
        assert_eq!(fs::read_to_string(known.file()).unwrap(), "host:21 tls\n");
    }

    #[test]
    fn a_certificate_is_accepted_once_and_is_a_note_as_well() {
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
    fn a_file_that_cannot_be_hinders_no_tls_and_believes_no_key() {
        let known = KnownServers::new("/dev/null/known_servers".into());
        let host: Server = "host".parse().unwrap();
        assert_eq!(known.tls(&host).unwrap(), KnownTls::default());
        assert!(!known.has_key(&host).unwrap());
        assert!(known.look_up(&server("host", A)).is_err());
    }

    #[test]
    fn nobody_else_can_read_the_file() {
        let (_directory, known) = known_servers("");
        known.add(&server("host", A)).unwrap();
        assert_eq!(fs::metadata(known.file()).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn two_writers_lose_nothing() {
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
