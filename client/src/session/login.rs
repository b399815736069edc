//! The login: USER and PASS, then PBSZ, PROT, FEAT and TYPE, after which files can be transferred.

use safetp_protocol::{
    command::Argument,
    reply::Reply,
    security::safetp1::{BlockSize, DataKeys, Level},
};
use zeroize::Zeroizing;

use super::{CommandLine, DataLevel, Features, Session, data::Protection, replies::shown, security::Security};
use crate::failure::{Failure, LoginError, Result, SecurityError};

impl Session {
    /// Logs in and prepares transfers. `password` is called only if the server asks for one.
    pub(crate) async fn login(
        &mut self,
        user: &str,
        password: impl FnOnce() -> Result<Zeroizing<String>>,
    ) -> Result<()> {
        self.check_level()?;
        let name = Argument::new(user.as_bytes()).ok_or(LoginError::NoUser)?;
        let mut reply = self.ask(&CommandLine::with("USER", Some(&name))).await?;
        if reply.code().number() == 331 {
            let pass = CommandLine::pass(&password()?);
            let pass = pass.ok_or_else(|| LoginError::Unsendable { user: user.to_owned() })?;
            reply = self.ask(&pass).await?;
        }
        // 202: PASS was not needed. 232: the mechanism has identified the user (RFC 2228 §3).
        if !reply.code().is_success() {
            return Err(LoginError::Refused { user: user.to_owned(), reply: shown(&reply) }.into());
        }
        self.protect_data().await?;
        self.features = Features::of(&self.ask(&CommandLine::verb("FEAT")).await?);
        self.expect(&CommandLine::of("TYPE", "I")).await?;
        Ok(())
    }

    /// Sends PBSZ and PROT. If the server refuses the level, no file is transferred.
    pub(crate) async fn protect_data(&mut self) -> Result<()> {
        self.protection = match &self.security {
            Security::Clear => {
                self.protection = Protection::Clear;
                return Ok(());
            }
            Security::Tls(_) => {
                self.say_protection(&CommandLine::of("PBSZ", 0)).await?;
                if self.options.level == DataLevel::C { Protection::Clear } else { Protection::Tls }
            }
            Security::SafeTp1(keys) => {
                let keys = keys.clone();
                let wanted = self.options.block_size;
                let reply = self.say_protection(&CommandLine::of("PBSZ", wanted.get())).await?;
                let size = agreed(&reply, wanted).ok_or_else(|| self.level_refused(&reply))?;
                blocks(keys, self.options.level, size)
            }
        };
        let letter = match self.options.level {
            DataLevel::C => "C",
            DataLevel::S => "S",
            DataLevel::P => "P",
        };
        self.say_protection(&CommandLine::of("PROT", letter)).await?;
        Ok(())
    }

    /// Refuses a level that the mechanism does not have, before a password is sent.
    pub(crate) fn check_level(&self) -> Result<()> {
        match (&self.security, self.options.level) {
            (Security::Tls(_), DataLevel::S) => {
                Err(Failure::Usage("TLS has no PROT S: use --protection p, or --mechanism x-safetp1".into()))
            }
            _ => Ok(()),
        }
    }

    async fn say_protection(&mut self, command: &CommandLine) -> Result<Reply> {
        let reply = self.ask(command).await?;
        if reply.code().is_success() { Ok(reply) } else { Err(self.level_refused(&reply).into()) }
    }

    fn level_refused(&self, reply: &Reply) -> SecurityError {
        SecurityError::Level { server: self.server.clone(), reply: shown(reply) }
    }
}

fn blocks(keys: DataKeys, level: DataLevel, size: BlockSize) -> Protection {
    let level = match level {
        DataLevel::C => return Protection::Clear,
        DataLevel::S => Level::Safe,
        DataLevel::P => Level::Private,
    };
    Protection::Blocks { keys, level, size }
}

/// The requested size, or the smaller one in the reply, `PBSZ=` (RFC 2228 §3).
fn agreed(reply: &Reply, wanted: BlockSize) -> Option<BlockSize> {
    let text = std::str::from_utf8(reply.text()).ok()?;
    let Some((_, number)) = text.split_once("PBSZ=") else { return Some(wanted) };
    let digits = number.split(|char: char| !char.is_ascii_digit()).next()?;
    // The number itself is compared, since `negotiate` reduces a larger one to the largest size.
    let number = digits.parse().ok().filter(|number| *number <= wanted.get())?;
    BlockSize::negotiate(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_may_reduce_the_block_size_but_not_raise_it() {
        let wanted = BlockSize::negotiate(4096).unwrap();
        let size = |text: &str| agreed(&Reply::new(200, text), wanted).map(BlockSize::get);
        assert_eq!(size("PBSZ=4096"), Some(4096));
        assert_eq!(size("PBSZ=1024 is what I take."), Some(1024));
        assert_eq!(size("ok"), Some(4096));
        assert_eq!(size("PBSZ=8192"), None);
        assert_eq!(size("PBSZ=1"), None);
    }

    #[test]
    fn a_block_size_above_the_maximum_is_refused_and_not_clamped() {
        let largest = BlockSize::negotiate(65536).unwrap();
        for (text, size) in [("PBSZ=65536", Some(65536)), ("PBSZ=65537", None), ("PBSZ=4294967296", None)] {
            assert_eq!(agreed(&Reply::new(200, text), largest).map(BlockSize::get), size, "{text}");
        }
    }
}
