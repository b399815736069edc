//! The address that a source has learned, before a name is resolved.

use safetp_config::address::ExternalAddress;
use tokio::sync::watch;

/// Where a source writes the address that it has learned; none while it knows of none.
pub(crate) type Learned = watch::Sender<Option<ExternalAddress>>;

/// Writes the address down, and logs it if it is another than before.
pub(crate) fn note(learned: &Learned, address: Option<ExternalAddress>, reason: &str) {
    learned.send_if_modified(|known| {
        if *known == address {
            return false;
        }
        let shown = address.as_ref().map(ToString::to_string);
        tracing::info!(address = shown, reason, "the external address has changed");
        *known = address;
        true
    });
}
