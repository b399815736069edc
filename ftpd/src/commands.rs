//! Dispatches commands to their handlers, of which one file has one family.

mod about;
mod access;
mod answer;
mod argument;
mod directories;
mod gateway;
mod hashes;
mod listings;
mod names;
mod parameters;
mod site;
mod times;
mod transfers;

use safetp_protocol::{
    command::{Command, RelayVerb, TransferVerb},
    dialect::Word,
};

use crate::{files::Refusal, request::Request, session::Session};

pub(crate) use answer::Answer;
use argument::{octets, text};

/// Answers one line.
pub(crate) async fn answer(session: &mut Session, request: &Request) -> Result<Answer, Refusal> {
    match request {
        Request::Word(Word::Peer(peer)) => gateway::handle_peer(session, *peer),
        Request::Word(Word::Digest) => gateway::answer_digest(session).await,
        Request::Word(Word::Complete | Word::Failed(_)) => Err(Refusal::Order("No transfer is running.")),
        Request::Client(command) => client(session, command).await,
    }
}

async fn client(session: &mut Session, command: &Command) -> Result<Answer, Refusal> {
    match command {
        Command::User(name) => {
            let names = session.names();
            Ok(access::user(session, text(&names.decode(name.as_bytes()))?))
        }
        Command::Pass(password) => access::pass(session, password).await,
        Command::Quit => Ok(access::quit()),
        Command::Feat => Ok(about::feat(session)),
        Command::Help => Ok(about::help()),
        Command::Noop => Ok(about::noop()),
        Command::Syst => Ok(about::syst()),
        Command::Stat => listings::status(session),
        Command::Type(representation) => {
            session.account()?;
            Ok(parameters::representation(session, *representation))
        }
        Command::Rest(start) => {
            session.account()?;
            Ok(transfers::rest(session, *start))
        }
        Command::Abor => session.account().map(|_| transfers::abor()),
        Command::Transfer { verb, argument } => {
            let names = session.names();
            transfer(session, *verb, &names.decode(octets(argument.as_ref()))).await
        }
        Command::Relay { verb, argument } => {
            let names = session.names();
            relay(session, *verb, &names.decode(octets(argument.as_ref()))).await
        }
        Command::Unknown => Err(Refusal::Unknown),
        // Protection and addresses are the gateway's.
        Command::Auth(_)
        | Command::Pbsz(_)
        | Command::Prot(_)
        | Command::Adat(_)
        | Command::Protected(..)
        | Command::Ccc
        | Command::Pasv
        | Command::Epsv(_)
        | Command::Active(_)
        | Command::NotOffered => Err(Refusal::Unsupported),
    }
}

async fn transfer(session: &mut Session, verb: TransferVerb, argument: &[u8]) -> Result<Answer, Refusal> {
    if verb.is_upload() {
        session.require_write()?;
    }
    match verb {
        TransferVerb::Retr => transfers::retr(session, argument).await,
        TransferVerb::Stor => transfers::stor(session, argument).await,
        TransferVerb::Appe => transfers::appe(session, argument).await,
        TransferVerb::Stou => transfers::stou(session, argument).await,
        TransferVerb::List => listings::list(session, argument).await,
        TransferVerb::Nlst => listings::nlst(session, argument).await,
        TransferVerb::Mlsd => listings::mlsd(session, argument).await,
    }
}

async fn relay(session: &mut Session, verb: RelayVerb, argument: &[u8]) -> Result<Answer, Refusal> {
    if verb == RelayVerb::Opts {
        return parameters::opts(session, text(argument)?);
    }
    session.account()?;
    if verb.changes_files() {
        session.require_write()?;
    }
    match verb {
        RelayVerb::Cwd | RelayVerb::Xcwd => directories::cwd(session, argument).await,
        RelayVerb::Cdup | RelayVerb::Xcup => directories::cwd(session, b"..").await,
        RelayVerb::Pwd | RelayVerb::Xpwd => directories::pwd(session),
        RelayVerb::Mkd | RelayVerb::Xmkd => directories::mkd(session, argument).await,
        RelayVerb::Rmd | RelayVerb::Xrmd => directories::rmd(session, argument).await,
        RelayVerb::Dele => names::dele(session, argument).await,
        RelayVerb::Rnfr => names::rnfr(session, argument).await,
        RelayVerb::Rnto => names::rnto(session, argument).await,
        RelayVerb::Size => times::size(session, argument).await,
        RelayVerb::Mdtm => times::mdtm(session, argument).await,
        RelayVerb::Mfmt => times::mfmt(session, argument).await,
        RelayVerb::Mlst => listings::mlst(session, argument).await,
        RelayVerb::Rang => hashes::rang(session, text(argument)?),
        RelayVerb::Hash => hashes::hash(session, argument).await,
        RelayVerb::Stat => listings::stat(session, argument).await,
        RelayVerb::Allo => transfers::allo(text(argument)?),
        RelayVerb::Mode => parameters::mode(text(argument)?),
        RelayVerb::Stru => parameters::structure(text(argument)?),
        RelayVerb::Opts => parameters::opts(session, text(argument)?),
        RelayVerb::Acct => Ok(access::acct()),
        RelayVerb::Site => site::site(session, argument).await,
        RelayVerb::Lang => Err(Refusal::Unsupported),
    }
}
