use std::sync::Barrier;

use anyhow::{Context as _, Result, ensure};
use safetp_e2e::{Host, files::octets, scenario::Namespace};
use serde_json::json;

/// Three for each port, all behind one NAT, so that nothing but waiting for a port tells them apart.
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
                session.store(&name, &content)?;
                ensure!(session.fetch(&name)? == content, "{name} differs");
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
