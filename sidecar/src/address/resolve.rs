//! From a learned address to the announced one, which has the octets that 227 needs. Addresses pass as they are. Names
//! are resolved by the sidecar itself, since a static binary in an empty image has no system resolver, and again and
//! again, since load balancers change the addresses of their names.

use std::{net::IpAddr, time::Duration};

use hickory_resolver::TokioResolver;
use safetp_config::address::ExternalAddress;
use safetp_protocol::session::Announced;
use tokio::sync::watch;

/// Time after which a name is resolved again.
const AGAIN: Duration = Duration::from_secs(30);
/// Time after which a name that did not resolve is tried again.
const RETRY: Duration = Duration::from_secs(2);

pub(crate) async fn run(
    mut learned: watch::Receiver<Option<ExternalAddress>>,
    announced: watch::Sender<Option<Announced>>,
) {
    loop {
        let address = learned.borrow_and_update().clone();
        // A look-up that hangs must not delay an address that has been learned since.
        tokio::select! {
            () = wait_for_change(&mut learned) => {}
            () = keep_announced(address, &announced) => {}
        }
    }
}

/// Waits for the source to learn another address. A pinned address has no source that lives on: it never changes.
async fn wait_for_change(learned: &mut watch::Receiver<Option<ExternalAddress>>) {
    if learned.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Announces the address and returns when it should be resolved again.
async fn keep_announced(address: Option<ExternalAddress>, announced: &watch::Sender<Option<Announced>>) {
    match address {
        Some(ExternalAddress::Name(name)) => {
            let again = resolve(&name, announced).await;
            tokio::time::sleep(again).await;
        }
        Some(ExternalAddress::Ip(ip)) => {
            announce(announced, Some(of_ip(ip)));
            std::future::pending::<()>().await;
        }
        None => {
            announce(announced, None);
            std::future::pending::<()>().await;
        }
    }
}

/// Announces the name with its addresses, and returns the time until the next look-up.
async fn resolve(name: &str, announced: &watch::Sender<Option<Announced>>) -> Duration {
    let last = announced.borrow().clone().filter(|last| last.text == name);
    // EPSV needs no octets, so the name is announced at once.
    announce(announced, Some(last.clone().unwrap_or_else(|| unresolved(name))));
    match look_up(name).await {
        Ok(addresses) => {
            announce(announced, Some(of_name(name, &addresses, last.as_ref())));
            AGAIN
        }
        Err(error) => {
            tracing::warn!(name, %error, "failed to resolve the external name; its last addresses stay announced");
            RETRY
        }
    }
}

/// Resolves the name. `/etc/resolv.conf` is read each time: it is small, and the network may have changed.
async fn look_up(name: &str) -> Result<Vec<IpAddr>, hickory_resolver::net::NetError> {
    let resolver = TokioResolver::builder_tokio()?.build()?;
    Ok(resolver.lookup_ip(name).await?.iter().collect())
}

fn of_ip(ip: IpAddr) -> Announced {
    let (v4, v6) = match ip.to_canonical() {
        IpAddr::V4(v4) => (Some(v4), None),
        IpAddr::V6(v6) => (None, Some(v6)),
    };
    Announced { text: ip.to_string(), v4, v6 }
}

fn unresolved(name: &str) -> Announced {
    Announced { text: name.to_owned(), v4: None, v6: None }
}

/// A name with one of its addresses of each family: those announced before stay while the name has them.
fn of_name(name: &str, addresses: &[IpAddr], last: Option<&Announced>) -> Announced {
    let (mut v4s, mut v6s) = (Vec::new(), Vec::new());
    for address in addresses {
        match address {
            IpAddr::V4(v4) => v4s.push(*v4),
            IpAddr::V6(v6) => v6s.push(*v6),
        }
    }
    Announced {
        text: name.to_owned(),
        v4: keep_or_choose(&v4s, last.and_then(|last| last.v4)),
        v6: keep_or_choose(&v6s, last.and_then(|last| last.v6)),
    }
}

fn keep_or_choose<T: Copy + Ord>(now: &[T], last: Option<T>) -> Option<T> {
    last.filter(|last| now.contains(last)).or_else(|| now.iter().min().copied())
}

/// Wakes the sessions only if the address is another than before.
fn announce(announced: &watch::Sender<Option<Announced>>, address: Option<Announced>) {
    announced.send_if_modified(|known| {
        let news = *known != address;
        *known = address;
        news
    });
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn ips(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn the_announced_address_of_a_name_stays_while_the_name_has_it() {
        let rotated = ips(&["192.0.2.9", "192.0.2.3", "2001:db8::1"]);
        let v4 = |last: u8| Some(Ipv4Addr::new(192, 0, 2, last));
        let v6 = Some("2001:db8::1".parse().unwrap());
        let first = of_name("lb.example.org", &rotated, None);
        assert_eq!((first.v4, first.v6), (v4(3), v6));
        let before = |v4| Announced { text: "lb.example.org".into(), v4, v6: None };
        assert_eq!(of_name("lb.example.org", &rotated, Some(&before(v4(9)))).v4, v4(9));
        assert_eq!(of_name("lb.example.org", &rotated, Some(&before(v4(1)))).v4, v4(3));
    }

    #[tokio::test]
    async fn a_new_address_is_announced_while_a_name_is_still_looked_up() {
        let (source, learned) = watch::channel(Some(ExternalAddress::parse("name.invalid")));
        let (sender, mut announced) = watch::channel(None);
        let task = tokio::spawn(run(learned, sender));
        let is =
            |text: &'static str| move |address: &Option<Announced>| address.as_ref().is_some_and(|a| a.text == text);
        announced.wait_for(is("name.invalid")).await.unwrap();
        source.send_replace(Some(ExternalAddress::parse("192.0.2.1")));
        announced.wait_for(is("192.0.2.1")).await.unwrap();
        source.send_replace(None);
        announced.wait_for(Option::is_none).await.unwrap();
        task.abort();
    }

    #[test]
    fn an_ipv6_address_has_no_octets_for_227() {
        let announced = of_ip("2001:db8::1".parse().unwrap());
        assert_eq!((announced.v4, announced.v6), (None, "2001:db8::1".parse().ok()));
    }
}
