//! The embedded FTP server. It speaks plain FTP over a Unix socket to the gateway of its pod and hands it descriptors
//! instead of bytes; the dialect is [`safetp_protocol::dialect`].
//!
//! The gateway faces the internet and cannot open a file; this process opens files and cannot make a network socket
//! ([`shut_in`]).

pub mod check;
pub mod server;
pub mod settings;
pub mod shut_in;

mod commands;
mod connection;
mod dialogue;
mod files;
mod login;
mod name_encoding;
mod request;
mod session;
mod transfer;
