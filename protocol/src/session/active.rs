//! PORT and EPRT: which addresses and ports may be dialled.

use super::{Output, Route, Session};
use crate::endpoint::ActiveTarget;

/// RFC 2577 §3: no port below is one for data.
const FIRST_PORT: u16 = 1024;

impl Session {
    /// Only the client itself is dialled: anyone else would be attacked in our name (RFC 2577 §3).
    pub(super) fn handle_active(&mut self, target: ActiveTarget) {
        let ActiveTarget::Address(address) = target else {
            return self.reply(522, "Network protocol not supported, use (1,2)");
        };
        if address.ip().to_canonical() != self.client.address {
            return self.reply(504, "Only the address that this session comes from is dialled; or use PASV or EPSV.");
        }
        if address.port() < FIRST_PORT {
            return self.reply(504, "Only ports 1024 and above are dialled.");
        }
        if let Some(Route::Passive) = self.parameters.route {
            self.outputs.push_back(Output::ReleasePort);
        }
        self.parameters.route = Some(Route::Active(address));
        self.reply(200, "The next transfer dials this address.");
    }
}
