//! From an address to the octets that 227 needs. Names are resolved by ourselves, since a static binary in an empty
//! image has no system resolver, and again and again, since load balancers move behind their names.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use hickory_resolver::TokioResolver;
use safetp_config::address::ExternalAddress;
use safetp_protocol::session::Announced;
use tokio::sync::watch;

/// How often a name is resolved again: short-lived entries are cached by the resolver for their time to live only.
const AGAIN: Duration = Duration::from_secs(30);
/// How soon a name that did not resolve is tried again.
const RETRY: Duration = Duration::from_secs(2);

pub(super) async fn run(
    mut learned: watch::Receiver<Option<ExternalAddress>>,
    announce: watch::Sender<Option<Announced>>,
) {
    loop {
        let address = learned.borrow_and_update().clone();
        let again = match address {
            None => {
                tell(&announce, None);
                None
            }
            Some(ExternalAddress::Ip(ip)) => {
                tell(&announce, Some(of_ip(ip)));
                None
            }
            Some(ExternalAddress::Name(name)) => Some(resolve(&name, &announce).await),
        };
        tokio::select! {
            changed = learned.changed() => if changed.is_err() { ended(&announce).await },
            () = wait(again) => {}
        }
    }
}

/// A pinned address has no source that lives on; what is known stays, and names are still resolved again.
async fn ended(announce: &watch::Sender<Option<Announced>>) {
    let name = announce.borrow().as_ref().filter(|announced| announced.text.parse::<IpAddr>().is_err()).cloned();
    match name {
        None => std::future::pending().await,
        Some(name) => tokio::time::sleep(if name.v4.is_some() { AGAIN } else { RETRY }).await,
    }
}

async fn wait(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}

async fn resolve(name: &str, announce: &watch::Sender<Option<Announced>>) -> Duration {
    let last = announce.borrow().clone().filter(|last| last.text == name);
    // EPSV needs no octets, so the name counts at once.
    tell(announce, Some(last.clone().unwrap_or_else(|| unresolved(name))));
    match look_up(name).await {
        Ok(addresses) => {
            tell(announce, Some(of_name(name, &addresses, last.and_then(|last| last.v4))));
            AGAIN
        }
        Err(error) => {
            tracing::warn!(name, %error, "failed to resolve the external name; what it was last stands");
            RETRY
        }
    }
}

/// `/etc/resolv.conf` is read each time: it is small, and the network may have changed.
async fn look_up(name: &str) -> Result<Vec<IpAddr>, hickory_resolver::net::NetError> {
    let resolver = TokioResolver::builder_tokio()?.build()?;
    Ok(resolver.lookup_ip(name).await?.iter().collect())
}

fn of_ip(ip: IpAddr) -> Announced {
    let v4 = match ip.to_canonical() {
        IpAddr::V4(v4) => Some(v4),
        IpAddr::V6(_) => None,
    };
    Announced { text: ip.to_string(), v4, v6: v4.is_none() }
}

fn unresolved(name: &str) -> Announced {
    Announced { text: name.to_owned(), v4: None, v6: false }
}

/// A name with several addresses: the one that was told before stays while it is among them.
fn of_name(name: &str, addresses: &[IpAddr], last: Option<Ipv4Addr>) -> Announced {
    let v4s = || {
        addresses.iter().filter_map(|address| match address {
            IpAddr::V4(v4) => Some(*v4),
            IpAddr::V6(_) => None,
        })
    };
    let v4 = last.filter(|last| v4s().any(|v4| v4 == *last)).or_else(|| v4s().min());
    Announced { text: name.to_owned(), v4, v6: addresses.iter().any(IpAddr::is_ipv6) }
}

fn tell(announce: &watch::Sender<Option<Announced>>, address: Option<Announced>) {
    announce.send_if_modified(|known| {
        let news = *known != address;
        *known = address;
        news
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ips(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn of_a_names_addresses_the_one_told_before_stays_while_it_is_there() {
        let rotated = ips(&["192.0.2.9", "192.0.2.3", "2001:db8::1"]);
        let first = of_name("lb.example.org", &rotated, None);
        assert_eq!((first.v4, first.v6), (Some(Ipv4Addr::new(192, 0, 2, 3)), true));
        let stays = of_name("lb.example.org", &rotated, Some(Ipv4Addr::new(192, 0, 2, 9)));
        assert_eq!(stays.v4, Some(Ipv4Addr::new(192, 0, 2, 9)));
        let gone = of_name("lb.example.org", &rotated, Some(Ipv4Addr::new(192, 0, 2, 1)));
        assert_eq!(gone.v4, Some(Ipv4Addr::new(192, 0, 2, 3)));
    }

    #[test]
    fn an_ipv6_address_has_no_octets_for_227() {
        let announced = of_ip("2001:db8::1".parse().unwrap());
        assert_eq!((announced.v4, announced.v6), (None, true));
    }
}
