//! The server as a whole: real rooms in a folder that vanishes, real sockets on port 0.

mod advisories;
mod authorization;
mod bad_days;
mod behaviour;
mod mail;
mod malware;
mod path;
mod renewal;
mod requests;
mod sign_in;
mod testbench;
mod webhook;
