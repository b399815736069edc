//! Transfers by the clients that people use, protection, and resumed uploads.

use anyhow::{Context as _, Result, ensure};
use safetp_e2e::{
    Host,
    clients::{Client, Transcript},
    files::{Workplace, same},
    ftps,
    scenario::{Namespace, Server},
};
use safetp_ftps::Passive;
use serde_json::json;

/// More than any buffer on the way, and not a multiple of one.
const SIZE: u64 = 5 * 1024 * 1024 + 4321;

#[test]
fn every_client_stores_and_fetches_through_the_address_that_was_learned() -> Result<()> {
    let namespace = Namespace::new("e2e-transfers")?;
    let server =
        namespace.server("files", &json!({ "dataPorts": { "first": 28000, "perReplica": 20, "last": 28999 } }))?;
    ensure!((server.control, server.data.clone()) == (21, 28000..=28019), "ports {} {:?}", server.control, server.data);
    round_trips(&server, Host::Client)?;
    round_trips(&server, Host::Far)
}

/// Every client, by PASV and by EPSV, from one host: the file arrives, and what was *announced* is right. A transfer
/// alone proves nothing, since most clients ignore the address in 227.
pub(crate) fn round_trips(server: &Server<'_>, host: Host) -> Result<()> {
    let workplace = Workplace::new()?;
    let sent = workplace.random("sent", SIZE)?;
    let ca = server.ca_file()?;
    for client in Client::ALL {
        for passive in [Passive::Pasv, Passive::Epsv] {
            let remote = format!("{host:?}-{client:?}-{passive:?}.bin");
            let received = workplace.path(&remote);
            let transcript = client
                .store_and_fetch(server.target(host, &ca), passive, &sent, &remote, &received)
                .with_context(|| format!("{client:?} by {passive:?} from {host:?}"))?;
            same(&sent, &received)?;
            announced(server, passive, &transcript).with_context(|| format!("{client:?}:\n{}", transcript.0))?;
        }
    }
    Ok(())
}

fn announced(server: &Server<'_>, passive: Passive, transcript: &Transcript) -> Result<()> {
    let (addresses, ports) = (transcript.announced(), transcript.extended());
    match passive {
        Passive::Pasv => {
            ensure!(addresses.len() >= 2, "a store and a fetch announce twice, not {}", addresses.len());
            let right = addresses.iter().all(|to| to.ip() == server.address && server.data.contains(&to.port()));
            ensure!(right, "announced {addresses:?}");
        }
        Passive::Epsv => {
            ensure!(ports.len() >= 2, "a store and a fetch announce twice, not {}", ports.len());
            ensure!(ports.iter().all(|port| server.data.contains(port)), "announced {ports:?}");
        }
    }
    Ok(())
}

#[test]
fn an_unprotected_login_is_refused_before_the_password() -> Result<()> {
    let namespace = Namespace::new("e2e-protection")?;
    let server = namespace.server("files", &json!({}))?;
    let ca = server.ca()?;
    let mut session = ftps::connect(Host::Far, server.endpoint(), &ca)?;
    let refused = session.command("USER alice")?;
    ensure!([530, 534].contains(&refused.code) && refused.wire.contains("AUTH TLS"), "{refused:?}");
    let features = session.ask("FEAT", 211)?;
    for feature in ["AUTH TLS", "PBSZ", "PROT", "EPSV", "MLST", "SIZE", "MDTM", "REST STREAM", "UTF8"] {
        ensure!(features.wire.contains(feature), "{feature} is not in {features:?}");
    }
    session.ask("QUIT", 221)?;
    Ok(())
}

#[test]
fn a_broken_upload_leaves_the_old_file_and_resumes() -> Result<()> {
    let namespace = Namespace::new("e2e-resume")?;
    let server = namespace.server("files", &json!({}))?;
    let content = safetp_e2e::files::octets(3_000_000);
    let (first, rest) = content.split_at(1_234_567);

    let mut session = server.login(Host::Client)?;
    let mut data = session.open("STOR report.bin")?;
    data.write_all(first)?;
    drop(data); // no close_notify: the upload broke off
    session.expect(426)?;
    ensure!(session.command("RETR report.bin").is_ok_and(|reply| reply.code >= 400), "half a file can be fetched");
    let kept = session.ask("SIZE report.bin", 213)?.text().trim().parse::<usize>()?;
    ensure!(kept <= first.len(), "{kept} octets of {} were kept", first.len());

    session.ask(&format!("REST {kept}"), 350)?;
    let mut data = session.open("STOR report.bin")?;
    data.write_all(first.get(kept..).unwrap_or_default())?;
    data.write_all(rest)?;
    data.finish();
    session.expect(226)?;
    ensure!(session.fetch("RETR report.bin")? == content, "the resumed file differs");
    Ok(())
}
