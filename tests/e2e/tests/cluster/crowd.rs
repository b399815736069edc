//! Many clients behind one NAT address that share few data ports.

use std::{
    sync::Barrier,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use safetp_e2e::{
    Host,
    clients::stdout,
    files::octets,
    scenario::{Namespace, Server},
};
use safetp_ftps::{Data, Session};
use serde_json::{Value, json};

/// Three for each port, all behind one NAT, so that only the wait for a port tells them apart.
const CLIENTS: usize = 60;

#[test]
fn sixty_clients_at_once_behind_one_address_share_twenty_ports() -> Result<()> {
    let namespace = Namespace::new("e2e-crowd")?;
    let server = namespace.server("files", &json!({}))?;
    ensure!(server.data.clone().count() == 20, "{:?}", server.data);
    let together = Barrier::new(CLIENTS);
    std::thread::scope(|scope| {
        let clients = (0..CLIENTS).map(|number| {
            let (server, together) = (&server, &together);
            scope.spawn(move || -> Result<()> {
                let session = server.login(Host::Far);
                together.wait(); // a client that failed to log in must not keep the others waiting
                let mut session = session?;
                let (name, content) = (format!("client-{number}.bin"), octets(200_000 + number));
                session.store(&format!("STOR {name}"), &content)?;
                ensure!(session.fetch(&format!("RETR {name}"))? == content, "{name} differs");
                Ok(())
            })
        });
        let clients: Vec<_> = clients.collect();
        clients.into_iter().enumerate().try_for_each(|(number, client)| {
            let result = client.join().ok().context("a client panicked")?;
            result.with_context(|| format!("client {number} of {CLIENTS}"))
        })
    })
}

/// Transfers that are open at one instant.
const TRANSFERS: usize = 1000;
/// Threads that drive them: each does its sessions one after the other, so that all of a phase are open at its end.
const DRIVERS: usize = 10;
/// The limit for an answer to EPSV while all of them wait for their connections.
const ANSWER_TIME: Duration = Duration::from_secs(2);

#[test]
fn a_thousand_transfers_are_open_at_one_instant_over_twenty_ports_behind_one_address() -> Result<()> {
    let namespace = Namespace::new("e2e-thousand")?;
    let server = namespace.server("files", &json!({}))?;
    ensure!(server.data.clone().count() == 20, "{:?}", server.data);
    let (server, ca) = (&server, server.ca()?);
    server.login(Host::Far)?.store("STOR warm-up", b"warm")?;
    let together = Barrier::new(DRIVERS + 1);
    std::thread::scope(|scope| {
        let (together, ca) = (&together, ca.as_slice());
        let drivers: Vec<_> =
            (0..DRIVERS).map(|driver| scope.spawn(move || Crowd::drive(server, ca, driver, together))).collect();
        together.wait(); // all have logged in
        together.wait(); // all have asked for a port, and none has connected to it
        together.wait(); // all transfers are open
        let open = running_transfers(&namespace);
        together.wait(); // and may end
        let slowest = drivers.into_iter().map(|driver| driver.join().ok().context("a driver panicked")?);
        let slowest = slowest.collect::<Result<Vec<Duration>>>()?.into_iter().max().unwrap_or_default();
        println!("{TRANSFERS} EPSV pending at once: the slowest answer took {slowest:?}; open at once: {open:?}");
        ensure!(open? == TRANSFERS, "not all were open at that instant");
        ensure!(slowest < ANSWER_TIME, "an answer took {slowest:?}");
        Ok(())
    })
}

/// One driver's sessions.
struct Crowd {
    sessions: Vec<Session>,
}

impl Crowd {
    /// Every driver reaches all barriers, even after an error: the others would wait for it forever.
    fn drive(server: &Server<'_>, ca: &[u8], driver: usize, together: &Barrier) -> Result<Duration> {
        let crowd = Self::log_in(server, ca);
        together.wait();
        let asked = crowd.and_then(|mut crowd| Ok((crowd.ask_for_ports()?, crowd)));
        together.wait();
        let opened = asked.and_then(|((ports, slowest), mut crowd)| {
            let transfers = crowd.open(driver, &ports)?;
            Ok((crowd, transfers, slowest))
        });
        together.wait();
        together.wait();
        let (crowd, transfers, slowest) = opened?;
        crowd.end(transfers)?;
        Ok(slowest)
    }

    /// Each has resumed its session on one data connection.
    fn log_in(server: &Server<'_>, ca: &[u8]) -> Result<Self> {
        let log_in = |_| {
            let mut session = server.login_with(Host::Far, ca)?;
            ensure!(session.fetch("RETR warm-up")? == b"warm", "the warm-up went wrong");
            Ok(session)
        };
        Ok(Self { sessions: (0..TRANSFERS / DRIVERS).map(log_in).collect::<Result<_>>()? })
    }

    /// The ports, and how long the slowest answer took.
    fn ask_for_ports(&mut self) -> Result<(Vec<u16>, Duration)> {
        let (mut ports, mut slowest) = (Vec::new(), Duration::ZERO);
        for session in &mut self.sessions {
            let asked = Instant::now();
            ports.push(session.epsv()?);
            slowest = slowest.max(asked.elapsed());
        }
        Ok((ports, slowest))
    }

    /// All connect before the first speaks, so that only the handshakes show which connection is whose.
    fn open(&mut self, driver: usize, ports: &[u16]) -> Result<Vec<Data>> {
        let dial = |(session, port): (&Session, &u16)| session.dial(*port);
        let connections = self.sessions.iter().zip(ports).map(dial).collect::<std::io::Result<Vec<_>>>()?;
        let mut transfers = Vec::new();
        for (number, (session, connection)) in self.sessions.iter_mut().zip(connections).enumerate() {
            session.ask(&format!("STOR crowd-{driver}-{number}"), 150)?;
            let mut data = session.data(connection).with_context(|| format!("session {number}"))?;
            data.write_all(format!("of {driver}-{number}").as_bytes())?;
            transfers.push(data);
        }
        Ok(transfers)
    }

    fn end(self, transfers: Vec<Data>) -> Result<()> {
        for (mut session, data) in self.sessions.into_iter().zip(transfers) {
            data.finish();
            session.expect(226)?;
        }
        Ok(())
    }
}

/// The number of running transfers, by the gateway's own metric.
fn running_transfers(namespace: &Namespace) -> Result<usize> {
    let pod = namespace.get("pod files-0-0")?;
    let text = |pointer: &str| pod.pointer(pointer).and_then(Value::as_str).map(str::to_owned).context("no address");
    let (pod_ip, node_ip) = (text("/status/podIP")?, text("/status/hostIP")?);
    let node = [Host::Node1, Host::Node2].into_iter().find(|node| node.address().to_string() == node_ip);
    let mut curl = node.context("no such node")?.command("curl");
    let metrics = stdout(curl.args(["--silent", "--show-error", &format!("http://{pod_ip}:9121/metrics")]))?;
    let line = metrics.lines().find_map(|line| line.strip_prefix("safetp_gateway_transfers_running "));
    Ok(line.with_context(|| format!("no such metric in {metrics}"))?.parse()?)
}
