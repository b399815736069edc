//! `safetp proxy`: plain FTP clients as they are, and what they must not be able to do.

use std::{
    fs,
    net::{SocketAddr, TcpStream},
};

use safetp_pod::{Client, PASSWORD, Trust, wait_until};

use crate::support::{
    Proxy, Stage,
    liar::{By, Liar, Story},
    octets, program,
};

fn proxy(stage: &Stage, mechanism: &str) -> Proxy {
    let url = format!("safetp://{}", stage.address());
    let args = ["proxy", "--listen", "127.0.0.1:0", &url, "--mechanism", mechanism];
    Proxy::start(&mut stage.trusting(&args))
}

/// A plain FTP client that has been greeted.
fn connect(proxy: &Proxy) -> Client {
    let mut plain = Client::connect(proxy.port, Trust::none());
    plain.expect(220);
    plain
}

fn log_in(proxy: &Proxy) -> Client {
    let mut plain = connect(proxy);
    plain.ask("USER alice", 331);
    plain.ask(&format!("PASS {PASSWORD}"), 230);
    plain
}

#[test]
fn curl_stores_lists_and_fetches() {
    let stage = Stage::both();
    let content = octets(500_000);
    fs::write(stage.here("file"), &content).unwrap();
    for (mechanism, mode) in [("tls", "--ftp-pasv"), ("x-safetp1", "--ftp-pasv"), ("tls", "--ftp-port=127.0.0.1")] {
        let proxy = proxy(&stage, mechanism);
        let url = format!("ftp://alice@127.0.0.1:{}/{mechanism}", proxy.port);
        let user = format!("alice:{PASSWORD}");
        let curl = |args: &[&str]| {
            let mut curl = stage.other("curl", &["-sS", "-q", "--user", &user]);
            for arg in mode.split('=').chain(args.iter().copied()) {
                curl.arg(arg);
            }
            curl.run()
        };
        curl(&["--upload-file", "file", &url]).is_done();
        assert_eq!(fs::read(stage.there(mechanism)).unwrap(), content, "{mechanism} {mode}");
        assert_eq!(curl(&[&url]).is_done().out, content, "{mechanism} {mode}");
        let listing = curl(&["--list-only", &format!("ftp://127.0.0.1:{}/", proxy.port)]);
        assert!(listing.is_done().text().contains(mechanism), "{mechanism} {mode}");
    }
}

#[test]
fn lftp_mirrors_with_several_connections_at_once() {
    let stage = Stage::both();
    fs::create_dir(stage.here("folder")).unwrap();
    for index in 0..12 {
        fs::write(stage.here(&format!("folder/{index}")), octets(40_000)).unwrap();
    }
    for mechanism in ["tls", "x-safetp1"] {
        let proxy = proxy(&stage, mechanism);
        let script = format!(
            "set net:max-retries 1; set net:timeout 20; open -u alice,'{PASSWORD}' -p {} 127.0.0.1; \
             mirror --reverse --parallel=3 folder {mechanism}; mirror --parallel=3 {mechanism} back-{mechanism}; bye",
            proxy.port
        );
        stage.other("lftp", &["--norc", "-c", &script]).run().is_done();
        for index in 0..12 {
            let name = |folder: &str| stage.here(&format!("{folder}/{index}"));
            let back = name(&format!("back-{mechanism}"));
            assert_eq!(fs::read(back).unwrap(), fs::read(name("folder")).unwrap(), "{mechanism}");
        }
    }
}

#[test]
fn pythons_ftplib_stores_resumes_and_lists() {
    const SCRIPT: &str = "
import ftplib, io, sys
port, password = int(sys.argv[1]), sys.argv[2]
content = bytes(range(256)) * 400
for active in (False, True):
    ftp = ftplib.FTP()
    ftp.connect('127.0.0.1', port, timeout=20)
    ftp.login('alice', password)
    ftp.set_pasv(not active)
    ftp.storbinary('STOR file', io.BytesIO(content))
    got = []
    ftp.retrbinary('RETR file', got.append, rest=1000)
    assert b''.join(got) == content[1000:]
    assert [name for name, facts in ftp.mlsd() if facts['type'] == 'file'] == ['file']
    lines = []
    ftp.retrlines('LIST', lines.append)
    assert len(lines) == 1
    try:
        ftp.retrbinary('RETR nothing', got.append)
        raise SystemExit('no error')
    except ftplib.error_perm as error:
        assert str(error).startswith('550'), error
    assert ftp.size('file') == len(content)
    ftp.quit()
";
    let stage = Stage::both();
    for mechanism in ["tls", "x-safetp1"] {
        let proxy = proxy(&stage, mechanism);
        stage.other("python3", &["-c", SCRIPT, &proxy.port.to_string(), PASSWORD]).run().is_done();
    }
}

#[test]
fn security_commands_of_the_plain_client_are_refused() {
    let stage = Stage::both();
    let proxy = proxy(&stage, "tls");
    let mut plain = log_in(&proxy);
    for line in ["AUTH TLS", "PBSZ 0", "PROT C", "CCC", "ADAT AAAA", "ENC AAAA", "REIN"] {
        plain.ask(line, 502);
    }
    for line in ["PROT", "AUTH", "PBSZ x", "ENC !"] {
        plain.ask(line, 501);
    }
    let features = plain.ask("FEAT", 211);
    assert!(features.contains("MLST") && features.contains("EPSV"), "{features}");
    for line in ["AUTH", "PBSZ", "PROT"] {
        assert!(!features.contains(line), "{features}");
    }
}

#[test]
fn data_before_login_is_refused() {
    let stage = Stage::both();
    let proxy = proxy(&stage, "tls");
    let mut plain = connect(&proxy);
    plain.ask("EPSV", 530);
    plain.ask("PORT 127,0,0,1,200,1", 530);
    plain.ask("LIST", 425);
}

/// Connects to a port as another user, reports that, and then how many octets arrive. Imports come first, since the
/// other user may not be able to read the library.
const STRANGER: &str = "
import encodings.idna, os, socket, sys
os.setgroups([])
os.setuid(65534)
stranger = socket.create_connection(('127.0.0.1', int(sys.argv[1])), timeout=20)
print('connected', flush=True)
count = 0
try:
    while octets := stranger.recv(65536):
        count += len(octets)
except ConnectionError:
    pass
print(count, flush=True)
";

#[test]
fn another_user_of_the_machine_gets_no_data_connection() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("not tested: only root can be another user");
        return;
    }
    let stage = Stage::both();
    fs::write(stage.there("file"), octets(100_000)).unwrap();
    let proxy = proxy(&stage, "tls");
    let mut plain = log_in(&proxy);
    plain.ask("TYPE I", 200);
    let port = plain.epsv();
    let mut stranger = stage.other("python3", &["-c", STRANGER, &port.to_string()]).start();
    let mut output = stranger.lines();
    assert_eq!(output.next().unwrap().unwrap(), "connected");
    let data = plain.dial(port);
    plain.ask("RETR file", 150);
    let content = plain.data(data).unwrap().read_to_end().unwrap();
    plain.expect(226);
    assert!(content == fs::read(stage.there("file")).unwrap());
    assert_eq!(output.next().unwrap().unwrap(), "0");
}

#[test]
fn only_the_clients_own_address_is_dialled() {
    let stage = Stage::both();
    let proxy = proxy(&stage, "tls");
    let mut plain = log_in(&proxy);
    plain.ask("PORT 192,0,2,1,200,1", 504);
    plain.ask("EPRT |1|127.0.0.1|80|", 504);
    plain.ask("EPRT |3|x|2000|", 522);
    plain.ask("PORT 1,2,3", 501);
}

#[test]
fn an_upload_whose_client_is_cut_off_is_not_complete() {
    let stage = Stage::both();
    let proxy = proxy(&stage, "tls");
    let mut plain = log_in(&proxy);
    let mut data = plain.open("STOR file");
    data.write_all(&octets(100_000)).unwrap();
    data.reset().unwrap();
    // 522 where the reset overtakes the end of the handshake.
    let refusal = plain.reply().unwrap();
    assert!((400..600).contains(&refusal.code), "{refusal:?}");
    assert!(!stage.there("file").exists());
    plain.ask("NOOP", 200);
}

#[test]
fn an_upload_whose_client_is_killed_is_not_complete() {
    let stage = Stage::both();
    let proxy = proxy(&stage, "tls");
    let mut plain = log_in(&proxy);
    let mut data = plain.open("STOR file");
    data.write_all(&octets(100_000)).unwrap();
    // As a kernel does it: one descriptor after the other, the older one first.
    drop(plain);
    drop(data);
    wait_until("the session has ended", || stage.metric("safetp_gateway_sessions") == 0);
    assert!(!stage.there("file").exists());
}

#[test]
fn abor_ends_a_transfer_and_the_session_continues() {
    let stage = Stage::both();
    fs::write(stage.there("file"), octets(30_000_000)).unwrap();
    for mechanism in ["tls", "x-safetp1"] {
        let proxy = proxy(&stage, mechanism);
        let mut plain = log_in(&proxy);
        let mut data = plain.open("RETR file");
        data.read_exact(&mut [0; 1000]).unwrap();
        plain.send("ABOR");
        plain.expect(426);
        let reply = plain.reply().unwrap();
        assert!((200..300).contains(&reply.code), "{reply:?}");
        plain.ask("NOOP", 200);
    }
}

#[test]
fn changed_data_ends_the_session() {
    let liar = Liar::start(Story::FlipsData, By::SafeTp1);
    let home = tempfile::tempdir().unwrap();
    let url = format!("safetp://127.0.0.1:{}", liar.port);
    let mut program = program::safetp(home.path(), &["proxy", "--listen", "127.0.0.1:0", &url, "--accept-new-key"]);
    let proxy = Proxy::start(program.args(["--mechanism", "x-safetp1", "--pbsz", "64"]));
    let mut plain = log_in(&proxy);
    let _data = plain.open("RETR file");
    // Though the server itself says 226.
    assert!(plain.expect(421).contains("changed in transit"));
}

#[test]
fn only_loopback_is_listened_on() {
    let stage = Stage::new();
    let url = format!("safetp://{}", stage.address());
    let proxy = |listen: &str| stage.safetp(&["proxy", "--listen", listen, &url]).run();
    proxy("0.0.0.0:0").is_failure(2, &["loopback only"]);
    proxy("[::]:0").is_failure(2, &["loopback only"]);
}

#[test]
fn an_untrusted_server_is_reported_before_a_client_connects() {
    let stage = Stage::safetp1();
    let url = format!("safetp://{}", stage.address());
    stage.safetp(&["proxy", "--listen", "127.0.0.1:0", &url]).run().is_failure(4, &["is not known"]);
}

#[test]
fn the_client_gets_421_when_the_server_is_gone() {
    let stage = Stage::both();
    let proxy = proxy(&stage, "tls");
    let mut plain = log_in(&proxy);
    let address: SocketAddr = stage.address();
    drop(stage);
    plain.ask("NOOP", 421);
    assert!(TcpStream::connect(address).is_err());
}
